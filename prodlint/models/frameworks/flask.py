"""Flask: every view runs in the worker's thread. Source: Flask's API reference and "Using async and await"."""

from prodlint.models.frameworks.model import (
    BadRequest,
    Caught,
    Context,
    Framework,
    Registers,
    Role,
    Subclasses,
    each,
)

_APPS = ("flask.Flask()",)
_THREAD = Context.REQUEST_THREAD

FRAMEWORK = Framework(
    name="flask",
    language="python",
    package="flask",
    route_decorator="flask.Flask().get()",
    bad_request=BadRequest("flask", "abort", "{}(400)"),
    caught=Caught(1, "{0}"),
    debug_settings=("flask.Flask().config",),
    own_servers=("flask.Flask().run",),
    serves=("flask.Flask", "flask.Blueprint"),
    aliases=(
        ("flask.Blueprint()", "flask.Flask()"),
        ("flask_openapi3.OpenAPI()", "flask.Flask()"),
        ("flask_openapi3.APIBlueprint()", "flask.Flask()"),
        ("flask_smorest.Blueprint()", "flask.Flask()"),
    ),
    registers=(
        Registers(
            tuple(f"{api}()" for api in each(_APPS, "route get post put patch delete endpoint")),
            decorates=True,
            context=_THREAD,
            methods=("get", "post", "put", "patch", "delete"),
        ),
        Registers(
            each(
                _APPS,
                "before_request after_request teardown_request before_app_request after_app_request "
                "teardown_appcontext context_processor app_context_processor",
            ),
            decorates=True,
            role=Role.MIDDLEWARE,
            context=_THREAD,
        ),
        Registers(
            tuple(f"{api}()" for api in each(_APPS, "errorhandler app_errorhandler")),
            decorates=True,
            role=Role.ERROR_HANDLER,
            context=_THREAD,
        ),
        Registers(each(_APPS, "add_url_rule"), first=2, keywords=("view_func",), context=_THREAD),
        Registers(
            (
                "flask_restful.Api().add_resource",
                "flask_restx.Api().add_resource",
                "flask_restx.Namespace().add_resource",
            ),
            last=1,
            context=_THREAD,
            methods=("get", "post", "put", "patch", "delete"),
        ),
        Registers(
            ("flask_restx.Api().route()", "flask_restx.Namespace().route()"),
            decorates=True,
            context=_THREAD,
            methods=("get", "post", "put", "patch", "delete"),
        ),
    ),
    subclasses=(
        Subclasses(
            bases=("flask.views.MethodView", "flask.views.View", "flask_restful.Resource", "flask_restx.Resource"),
            methods=("get", "post", "put", "patch", "delete", "dispatch_request"),
            context=_THREAD,
        ),
        Subclasses(
            bases=("flask_appbuilder.*", "flask_admin.*"),
            method_decorators=("flask_appbuilder.expose()", "flask_admin.expose()", "flask_appbuilder.api.expose()"),
            context=_THREAD,
        ),
    ),
)
