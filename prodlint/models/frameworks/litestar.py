"""Litestar, and python-socketio's asynchronous server.

Source: Litestar's reference (route handlers; `sync_to_thread` decides where a plain function runs, so it is not taken
to block) and python-socketio's (`AsyncServer` runs its handlers on the event loop, `Server` in threads).
"""

from prodlint.models.frameworks.model import Context, Framework, Registers, Role, members

_THREAD = Context.REQUEST_THREAD
_HANDLERS = "get post put patch delete head route websocket websocket_listener"

FRAMEWORK = Framework(
    name="litestar",
    language="python",
    package="litestar",
    serves=("litestar.Litestar", "litestar.app.Litestar", "socketio.AsyncServer"),
    registers=(
        Registers(
            tuple(f"{api}()" for module in ("litestar", "litestar.handlers") for api in members(module, _HANDLERS)),
            decorates=True,
            thread=_THREAD,
        ),
        Registers(("litestar.di.Provide",), last=1, keywords=("dependency",), role=Role.DEPENDENCY, thread=_THREAD),
        Registers(
            ("socketio.AsyncServer().event", "socketio.AsyncServer().event()", "socketio.AsyncServer().on()"),
            decorates=True,
            role=Role.EVENT,
        ),
        Registers(
            ("socketio.Server().event", "socketio.Server().event()", "socketio.Server().on()"),
            decorates=True,
            role=Role.EVENT,
            context=_THREAD,
        ),
    ),
)
