"""Django and Django REST framework.

Source: Django's documentation: URL dispatcher, class-based views, asynchronous support (sync views run in a thread
under ASGI and in the worker under WSGI), middleware, management commands; REST framework's views and viewsets.
"""

from prodlint.models.frameworks.model import BadRequest, Context, Framework, Registers, Role, Subclasses

_THREAD = Context.REQUEST_THREAD
_VERBS = ("get", "post", "put", "patch", "delete", "head", "options", "dispatch")
_GENERIC = (
    "get_queryset",
    "get_context_data",
    "form_valid",
    "form_invalid",
    "get_object",
    "get_form",
    "get_form_kwargs",
    "get_success_url",
    "setup",
    "render_to_response",
)
_REST = (
    "list",
    "create",
    "retrieve",
    "update",
    "partial_update",
    "destroy",
    "perform_create",
    "perform_update",
    "perform_destroy",
    "get_serializer_class",
    "get_permissions",
    "initial",
    "finalize_response",
)

FRAMEWORK = Framework(
    name="django",
    language="python",
    package="django",
    bad_request=BadRequest("django.core.exceptions", "BadRequest", 'raise {}("Invalid JSON") from error'),
    serves=(
        "django.urls.path",
        "django.urls.re_path",
        "django.conf.urls.url",
        "django.core.wsgi.get_wsgi_application",
        "django.core.asgi.get_asgi_application",
    ),
    registers=(
        Registers(
            ("django.urls.path", "django.urls.re_path", "django.conf.urls.url"),
            first=1,
            last=2,
            keywords=("view",),
            thread=_THREAD,
            methods=(*_VERBS, *_GENERIC, *_REST),
        ),
        Registers(
            ("rest_framework.routers.DefaultRouter().register", "rest_framework.routers.SimpleRouter().register"),
            first=1,
            last=2,
            keywords=("viewset",),
            thread=_THREAD,
            methods=(*_VERBS, *_GENERIC, *_REST),
        ),
        Registers(
            ("rest_framework.decorators.api_view()", "rest_framework.decorators.action()"),
            decorates=True,
            thread=_THREAD,
        ),
        Registers(
            (
                "ninja.NinjaAPI().get()",
                "ninja.NinjaAPI().post()",
                "ninja.NinjaAPI().put()",
                "ninja.NinjaAPI().patch()",
                "ninja.NinjaAPI().delete()",
            ),
            decorates=True,
            thread=_THREAD,
        ),
    ),
    aliases=(("ninja.Router()", "ninja.NinjaAPI()"),),
    subclasses=(
        Subclasses(
            bases=("django.views.*", "rest_framework.*", "django.contrib.auth.views.*"),
            methods=(*_VERBS, *_GENERIC, *_REST),
            thread=_THREAD,
        ),
        Subclasses(
            bases=("django.utils.deprecation.MiddlewareMixin",),
            methods=("__call__", "process_request", "process_response", "process_view", "process_exception"),
            role=Role.MIDDLEWARE,
            thread=_THREAD,
        ),
        Subclasses(
            bases=(
                "django.core.management.base.BaseCommand",
                "django.core.management.BaseCommand",
                "django.core.management.base.*",
            ),
            methods=("handle", "add_arguments", "handle_noargs"),
            role=Role.COMMAND,
            context=Context.SCRIPT,
        ),
        Subclasses(bases=("django.apps.AppConfig",), methods=("ready",), role=Role.LIFESPAN, context=Context.STARTUP),
        Subclasses(
            bases=("channels.generic.websocket.Async*",),
            role=Role.EVENT,
            methods=("connect", "disconnect", "receive", "receive_json"),
        ),
    ),
)
