"""h3, and Nitro and Nuxt, which are built on it.

Source: the documentation of h3 (Event Handler, Router), Nitro (Server Routes, Middleware, Plugins) and Nuxt (Server).
"""

from prodlint.models.frameworks.model import Context, Framework, Registers, Role, Slots, members

_HANDLERS = "defineEventHandler eventHandler defineCachedEventHandler cachedEventHandler fromNodeMiddleware"
_MODULES = ("h3", "nitropack/runtime", "nitro/runtime", "#imports")

FRAMEWORK = Framework(
    name="h3",
    language="javascript",
    package="h3",
    serves=("h3.createApp", "h3.H3"),
    aliases=tuple((name, f"h3.{name}") for name in (*_HANDLERS.split(), "defineNitroPlugin"))
    + tuple((f"{module}.{name}", f"h3.{name}") for module in _MODULES[1:] for name in _HANDLERS.split()),
    slots=(Slots(("h3.event.context",), own=frozenset(("params", "sessions", "clientAddress"))),),
    registers=(
        Registers(members("h3", _HANDLERS), last=1, properties=("handler", "onRequest"), params=("h3.event",)),
        Registers(members("h3.createRouter()", "get post put patch delete use"), first=1, params=("h3.event",)),
        Registers(members("h3.H3()", "get post put patch delete all on"), first=1, params=("h3.event",)),
        Registers(members("h3.H3()", "use"), role=Role.MIDDLEWARE, params=("h3.event",)),
        Registers(("h3.defineNitroPlugin",), role=Role.PLUGIN, context=Context.STARTUP),
    ),
)
