"""The ASGI application of `app.py`, in which a call that blocks the event loop raises `BlockingError`."""

from app import app as inner
from blockbuster import BlockBuster

watch = BlockBuster()
is_active = False


async def app(scope, receive, send):
    """The application, watched from the first request on: loading it may block."""
    global is_active
    if scope["type"] == "http" and not is_active:
        watch.activate()
        is_active = True
    await inner(scope, receive, send)
