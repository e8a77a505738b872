"""Hapi.

Source: the hapi API reference: `server.route`, `server.ext`, plugins.
"""

from prodlint.models.frameworks.model import Closing, Context, Framework, Registers, Role, Slots, each

_SERVERS = ("@hapi/hapi.server()", "@hapi/hapi.Server()", "hapi.server()", "hapi.Server()")
_CANONICAL = _SERVERS[0]

FRAMEWORK = Framework(
    name="hapi",
    language="javascript",
    package="@hapi/hapi",
    awaits_since=0,
    closing=Closing(f"{_CANONICAL}.start", "stop"),
    serves=tuple(path.removesuffix("()") for path in _SERVERS),
    aliases=(
        *((path, _CANONICAL) for path in _SERVERS[1:]),
        ("hapi.request.server", _CANONICAL),
    ),
    slots=(
        Slots((f"{_CANONICAL}.app",)),
        Slots(("hapi.request.app",)),
        Slots((f"{_CANONICAL}.methods",), sets=(f"{_CANONICAL}.method",)),
    ),
    registers=(
        Registers(
            each((_CANONICAL,), "route"),
            first=1,
            properties=("handler", "options.handler", "config.handler", "options.pre", "config.pre"),
            params=("hapi.request", "hapi.h"),
        ),
        Registers(each((_CANONICAL,), "ext"), first=1, role=Role.MIDDLEWARE, params=("hapi.request", "hapi.h")),
        Registers(
            each((_CANONICAL,), "register"),
            first=1,
            properties=("register", "plugin.register"),
            role=Role.PLUGIN,
            context=Context.STARTUP,
            params=(_CANONICAL,),
        ),
    ),
)
