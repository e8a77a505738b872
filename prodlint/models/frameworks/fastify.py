"""Fastify.

Source: Fastify's reference: Routes, Hooks, Plugins, Server.
"""

from prodlint.models.frameworks.model import Closing, Context, Framework, Registers, Role, Slots, members

_HANDLER = ("fastify.request", "fastify.reply")
_OF_SERVER = frozenset(
    (
        "get post put patch delete head options all route register addHook decorate decorateRequest decorateReply"
        " listen ready after close inject log server addresses setErrorHandler setNotFoundHandler addSchema"
        " withTypeProvider"
    ).split()
)
_OF_REQUEST = frozenset(
    (
        "query body params headers raw server id log ip ips host hostname protocol method url originalUrl socket"
        " routeOptions is404 cookies session file files parts"
    ).split()
)
_OF_REPLY = frozenset(
    (
        "code status statusCode server header headers getHeader hasHeader redirect callNotFound type raw log"
        " elapsedTime serialize serializer sent send hijack then request trailer setCookie clearCookie view sendFile"
    ).split()
)

FRAMEWORK = Framework(
    name="fastify",
    language="javascript",
    package="fastify",
    awaits_since=0,
    callback_at=3,
    closing=Closing("fastify().listen", "close"),
    responses=("fastify.reply",),
    serves=("fastify",),
    aliases=(
        ("fastify.fastify", "fastify"),
        ("fastify.FastifyInstance()", "fastify()"),
        ("fastify.FastifyRequest()", "fastify.request"),
        ("fastify.FastifyReply()", "fastify.reply"),
        ("fastify().withTypeProvider()", "fastify()"),
        ("fastify().register()", "fastify()"),
        ("fastify().route()", "fastify()"),
        ("fastify.request.server", "fastify()"),
        ("fastify.reply.server", "fastify()"),
        ("fastify.reply.request", "fastify.request"),
        *((f"fastify().{name}()", "fastify()") for name in ("decorate", "decorateRequest", "decorateReply", "addHook")),
    ),
    slots=(
        Slots(("fastify()",), own=_OF_SERVER, sets=("fastify().decorate",)),
        Slots(("fastify.request",), own=_OF_REQUEST, sets=("fastify().decorateRequest",)),
        Slots(("fastify.reply",), own=_OF_REPLY, sets=("fastify().decorateReply",)),
    ),
    registers=(
        Registers(
            members("fastify()", "get post put patch delete head options all"),
            first=1,
            properties=("handler", "preHandler", "onRequest", "preValidation", "preParsing", "onSend"),
            params=_HANDLER,
            receiver="fastify()",
        ),
        Registers(
            members("fastify()", "route"),
            first=1,
            properties=("handler", "preHandler", "onRequest", "preValidation", "wsHandler"),
            params=_HANDLER,
            receiver="fastify()",
        ),
        Registers(
            members("fastify()", "addHook"),
            first=1,
            role=Role.MIDDLEWARE,
            params=_HANDLER,
            receiver="fastify()",
            event=(
                "onRequest",
                "preParsing",
                "preValidation",
                "preHandler",
                "preSerialization",
                "onSend",
                "onResponse",
                "onError",
                "onTimeout",
            ),
        ),
        Registers(
            members("fastify()", "addHook"),
            first=1,
            role=Role.LIFESPAN,
            context=Context.STARTUP,
            event=("onReady", "onListen", "onClose", "onRegister", "onRoute"),
        ),
        Registers(
            members("fastify()", "setErrorHandler"),
            role=Role.ERROR_HANDLER,
            params=("", *_HANDLER),
            receiver="fastify()",
        ),
        Registers(members("fastify()", "setNotFoundHandler"), params=_HANDLER, receiver="fastify()"),
        Registers(
            ("fastify().register", "fastify-plugin", "fastify-plugin.fastifyPlugin"),
            last=1,
            role=Role.PLUGIN,
            context=Context.STARTUP,
            params=("fastify()",),
        ),
        Registers(members("fastify()", "listen ready after"), role=Role.LIFESPAN, context=Context.STARTUP),
    ),
)
