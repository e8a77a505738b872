"""tRPC: procedures, their middleware, and the contexts that are made for each call.

Source: the documentation of tRPC: Define Procedures, Middlewares, Context, Adapters.
"""

from prodlint.models.frameworks.model import Framework, Registers, Role, each, members

_ROOT = "@trpc/server.initTRPC.create()"
_PROCEDURE = f"{_ROOT}.procedure"
_ADAPTERS = (
    "@trpc/server/adapters/express.createExpressMiddleware",
    "@trpc/server/adapters/fetch.fetchRequestHandler",
    "@trpc/server/adapters/next.createNextApiHandler",
    "@trpc/server/adapters/standalone.createHTTPServer",
    "@trpc/server/adapters/standalone.createHTTPHandler",
    "@trpc/server/adapters/ws.applyWSSHandler",
)
_PARAMS = ("trpc.call",)

FRAMEWORK = Framework(
    name="trpc",
    language="javascript",
    package="@trpc/server",
    serves=_ADAPTERS,
    aliases=(
        *((f"@trpc/server.initTRPC.{name}()", "@trpc/server.initTRPC") for name in ("context", "meta")),
        *((f"{_PROCEDURE}.{name}()", _PROCEDURE) for name in "input output use meta concat".split()),
    ),
    registers=(
        Registers(members(_PROCEDURE, "query mutation subscription"), params=_PARAMS),
        Registers((f"{_PROCEDURE}.use", f"{_ROOT}.middleware"), role=Role.MIDDLEWARE, params=_PARAMS),
        Registers(
            each(("@trpc/server.router()",), "query mutation subscription"),
            first=1,
            properties=("resolve",),
            params=_PARAMS,
        ),
        Registers(_ADAPTERS, last=1, properties=("createContext", "onError"), role=Role.MIDDLEWARE),
    ),
)
