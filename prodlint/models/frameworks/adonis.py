"""AdonisJS: routes, controllers and middleware by where they lie.

Source: the documentation of AdonisJS 5 and 6: Routing, Controllers, Middleware, Exception handling.
"""

from prodlint.models.frameworks.model import Exports, Framework, Registers, Role, members

_ROUTER = "@adonisjs/core/services/router"
_METHODS = "get post put patch delete any"

FRAMEWORK = Framework(
    name="adonis",
    language="javascript",
    package="@adonisjs/core",
    serves=("@adonisjs/core.Ignitor", f"{_ROUTER}.group", f"{_ROUTER}.get"),
    aliases=(
        ("@ioc:Adonis/Core/Route", _ROUTER),
        *((f"{_ROUTER}.{method}()", _ROUTER) for method in _METHODS.split()),
    ),
    registers=(
        Registers(members(_ROUTER, _METHODS), first=1, methods=("handle",), params=("adonis.ctx",)),
        Registers(members(_ROUTER, "route"), first=2, methods=("handle",), params=("adonis.ctx",)),
    ),
    exports=(
        Exports(
            ("default.*",), r"\Aapp/(?>(?:[^/]++/)*?(?:controllers|Controllers/Http)/).+\.[jt]s", params=("adonis.ctx",)
        ),
        Exports(
            ("default.handle",),
            r"app/(?:middleware|Middleware|exceptions|Exceptions)/.+\.[jt]s",
            role=Role.MIDDLEWARE,
        ),
    ),
)
