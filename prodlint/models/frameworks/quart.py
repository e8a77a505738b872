"""Quart: Flask's interface on the event loop; plain `def` views run in a thread. Source: Quart's documentation."""

from prodlint.models.frameworks.model import Caught, Context, Framework, Registers, Role, each

_APPS = ("quart.Quart()",)
_THREAD = Context.REQUEST_THREAD

FRAMEWORK = Framework(
    name="quart",
    language="python",
    package="quart",
    route_decorator="quart.Quart().get()",
    caught=Caught(1, "{0}"),
    debug_settings=("quart.Quart().config",),
    own_servers=("quart.Quart().run",),
    serves=("quart.Quart", "quart.Blueprint"),
    aliases=(("quart.Blueprint()", "quart.Quart()"),),
    registers=(
        Registers(
            tuple(f"{api}()" for api in each(_APPS, "route get post put patch delete websocket")),
            decorates=True,
            thread=_THREAD,
        ),
        Registers(
            each(_APPS, "before_request after_request before_websocket"),
            decorates=True,
            role=Role.MIDDLEWARE,
            thread=_THREAD,
        ),
        Registers(
            each(_APPS, "before_serving after_serving while_serving"),
            decorates=True,
            role=Role.LIFESPAN,
            context=Context.STARTUP,
        ),
        Registers(each(_APPS, "add_url_rule"), first=2, keywords=("view_func",), thread=_THREAD),
    ),
)
