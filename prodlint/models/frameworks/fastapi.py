"""FastAPI and Starlette (and what shares their shape: Litestar's decorators, Sanic, Quart).

Source: the FastAPI reference (path operations, dependencies, background tasks, concurrency and async/await: plain
`def` functions run in a thread pool) and Starlette's (routing, endpoints, middleware, thread pool).
"""

from prodlint.models.frameworks.model import (
    BadRequest,
    Caught,
    Context,
    Framework,
    Offloads,
    Registers,
    Role,
    Slots,
    Subclasses,
    each,
)

_APPS = ("fastapi.FastAPI()", "starlette.applications.Starlette()")
_VERBS = "get post put patch delete head options trace websocket api_route route websocket_route"
_THREAD = Context.REQUEST_THREAD

_STATE = "starlette.requests.Request().state"
_CONNECTIONS = (
    *each(("fastapi", "fastapi.requests", "starlette.requests"), "Request() HTTPConnection()"),
    *("fastapi.WebSocket()", "fastapi.websockets.WebSocket()", "starlette.websockets.WebSocket()"),
)

FRAMEWORK = Framework(
    name="fastapi",
    language="python",
    package="fastapi",
    route_decorator="fastapi.FastAPI().get()",
    injects=("fastapi.Depends", "fastapi.Security"),
    bad_request=BadRequest("fastapi", "HTTPException", 'raise {}(status_code=400, detail="Invalid JSON") from error'),
    caught=Caught(2, "{1}", is_logged=True),
    fills_parameters=True,
    serves=("fastapi.FastAPI", "fastapi.APIRouter", "starlette.applications.Starlette"),
    aliases=(
        ("starlette.applications.Starlette().state", "fastapi.FastAPI().state"),
        *((f"{connection}.app", "fastapi.FastAPI()") for connection in _CONNECTIONS),
        *((f"{connection}.state", _STATE) for connection in _CONNECTIONS if f"{connection}.state" != _STATE),
        ("fastapi.APIRouter()", "fastapi.FastAPI()"),
        ("fastapi.routing.APIRouter()", "fastapi.FastAPI()"),
        ("fastapi.applications.FastAPI()", "fastapi.FastAPI()"),
        ("fastapi.FastAPI().router", "fastapi.FastAPI()"),
        ("starlette.routing.Router()", "starlette.applications.Starlette()"),
        ("fastapi.param_functions.Depends", "fastapi.Depends"),
        ("fastapi.params.Depends", "fastapi.Depends"),
        ("fastapi.background.BackgroundTasks()", "fastapi.BackgroundTasks()"),
        ("starlette.background.BackgroundTasks()", "fastapi.BackgroundTasks()"),
    ),
    slots=(Slots(("fastapi.FastAPI().state",)), Slots((_STATE,))),
    registers=(
        Registers(tuple(f"{api}()" for api in each(_APPS, _VERBS)), decorates=True, thread=_THREAD),
        Registers(tuple(f"{api}()" for api in each(_APPS, "middleware")), decorates=True, role=Role.MIDDLEWARE),
        Registers(
            tuple(f"{api}()" for api in each(_APPS, "exception_handler")),
            decorates=True,
            role=Role.ERROR_HANDLER,
            thread=_THREAD,
        ),
        Registers(
            tuple(f"{api}()" for api in each(_APPS, "on_event")),
            decorates=True,
            role=Role.LIFESPAN,
            context=Context.STARTUP,
        ),
        Registers(
            (
                *each(_APPS, "add_api_route add_route add_websocket_route add_api_websocket_route"),
                "starlette.routing.Route",
                "starlette.routing.WebSocketRoute",
                "fastapi.routing.APIRoute",
            ),
            first=1,
            last=2,
            keywords=("endpoint",),
            thread=_THREAD,
        ),
        Registers(each(_APPS, "add_exception_handler"), first=1, role=Role.ERROR_HANDLER, thread=_THREAD),
        Registers(
            (*each(_APPS, "add_middleware"), "starlette.middleware.Middleware", "fastapi.middleware.Middleware"),
            last=1,
            keywords=("middleware_class", "cls"),
            role=Role.MIDDLEWARE,
            methods=("__call__", "dispatch"),
        ),
        Registers(each(_APPS, "add_event_handler"), first=1, role=Role.LIFESPAN, context=Context.STARTUP),
        Registers(
            ("fastapi.FastAPI", "starlette.applications.Starlette", "fastapi.APIRouter"),
            first=99,
            keywords=("lifespan", "on_startup", "on_shutdown"),
            role=Role.LIFESPAN,
            context=Context.STARTUP,
        ),
        Registers(
            ("fastapi.Depends", "fastapi.Security"),
            last=1,
            keywords=("dependency",),
            role=Role.DEPENDENCY,
            thread=_THREAD,
            methods=("__init__", "__call__"),
        ),
        Registers(
            ("fastapi.BackgroundTasks().add_task", "starlette.background.BackgroundTask"),
            last=1,
            role=Role.TASK,
            context=Context.BACKGROUND,
            thread=Context.BACKGROUND_THREAD,
        ),
    ),
    offloads=(
        Offloads(
            (
                "starlette.responses.StreamingResponse",
                "fastapi.responses.StreamingResponse",
                "sse_starlette.sse.EventSourceResponse",
                "sse_starlette.EventSourceResponse",
            ),
            _THREAD,
            keyword="content",
        ),
    ),
    subclasses=(
        Subclasses(
            bases=("starlette.endpoints.*",),
            methods=("get", "post", "put", "patch", "delete", "on_receive", "on_connect"),
            thread=_THREAD,
        ),
        Subclasses(
            bases=("starlette.middleware.base.BaseHTTPMiddleware", "fastapi.middleware.base.BaseHTTPMiddleware"),
            methods=("dispatch",),
            role=Role.MIDDLEWARE,
        ),
    ),
)
