"""Express, and Connect and the routers that share its interface.

Source: the Express 4 and 5 API references (`app`, `Router`, `app.route`).
"""

from prodlint.models.frameworks.model import Context, Framework, Registers, Role, Shape, Slots, each

_APPS = ("express()", "connect()", "express-promise-router()", "polka()", "restify.createServer()", "router()")
_METHODS = (
    "get post put patch delete del head options all checkout copy lock merge mkactivity mkcol move notify purge "
    "propfind proppatch report search subscribe trace unlock unsubscribe"
)
_HANDLER = ("express.req", "express.res", "express.next")
_OF_APP = frozenset((*_METHODS.split(), *"use route param listen set enable disable engine locals mountpath".split()))
_OF_REQUEST = frozenset(
    (
        "app baseUrl body cookies fresh hostname ip ips method originalUrl params path protocol query res route secure"
        " signedCookies stale subdomains xhr url headers rawBody session sessionID file files accepts get header is"
        " range on once pipe socket connection next param"
    ).split()
)
_OF_RESPONSE = frozenset(
    (
        "app headersSent locals req append attachment cookie clearCookie download end format get getHeader json jsonp"
        " links location redirect render send sendFile sendStatus set header setHeader status statusCode type vary"
        " write writeHead on once flush"
    ).split()
)

FRAMEWORK = Framework(
    name="express",
    language="javascript",
    package="express",
    awaits_since=5,
    patches=frozenset({"express-async-errors", "express-async-error", "@awaitjs/express", "express-async-await"}),
    awaiting_apps=("express-promise-router()",),
    dropping_apps=("connect()",),
    shapes=(
        Shape(
            "express().get",
            (frozenset({"req", "request"}), frozenset({"res", "response", "resp"})),
        ),
    ),
    responses=("express.res",),
    serves=("express", "connect", "express-promise-router", "polka", "restify.createServer", "express.Router"),
    aliases=(
        ("express.Router", "express"),
        ("express.createServer", "express"),
        ("express.Application()", "express()"),
        ("express.Express()", "express()"),
        ("express.IRouter()", "express()"),
        ("express.core.Express()", "express()"),
        ("express-serve-static-core.Express()", "express()"),
        ("express-promise-router.default()", "express-promise-router()"),
        ("express-ws().app", "express()"),
        ("express.Request()", "express.req"),
        ("express.Response()", "express.res"),
        ("express.NextFunction()", "express.next"),
        ("express.req.app", "express()"),
        ("express.res.app", "express()"),
        ("express.req.res", "express.res"),
        ("express.res.req", "express.req"),
        *((f"{app}.{method}()", app) for app in _APPS for method in ("route", "use", *_METHODS.split())),
    ),
    slots=(
        Slots(("express()",), own=_OF_APP),
        Slots(("express().locals",)),
        Slots(("express().settings",), sets=("express().set",), gets=("express().get",)),
        Slots(("express.req",), own=_OF_REQUEST),
        Slots(("express.req.session",), own=frozenset(("cookie", "id", "save", "destroy", "regenerate", "reload"))),
        Slots(("express.res",), own=_OF_RESPONSE),
        Slots(("express.res.locals",)),
    ),
    registers=(
        Registers((*each(_APPS, _METHODS), *(f"{app}[]" for app in _APPS)), first=1, params=_HANDLER),
        Registers(each(_APPS, "get post put patch delete head options all"), first=0, last=1, params=_HANDLER),
        Registers(each(_APPS, "use pre"), role=Role.MIDDLEWARE, params=_HANDLER),
        Registers(each(_APPS, "param"), first=1, role=Role.MIDDLEWARE, params=(*_HANDLER, "", "")),
        Registers(each(_APPS, "ws"), first=1, params=("ws.WebSocket()", "express.req", "express.next")),
        Registers(each(_APPS, "listen"), role=Role.LIFESPAN, context=Context.STARTUP),
        Registers(each(_APPS, "engine"), first=1),
        Registers(("passport.use", "passport.serializeUser", "passport.deserializeUser"), role=Role.MIDDLEWARE),
        Registers(
            ("multer", "multer.diskStorage"),
            first=1,
            properties=("destination", "filename", "fileFilter"),
            role=Role.MIDDLEWARE,
        ),
    ),
)
