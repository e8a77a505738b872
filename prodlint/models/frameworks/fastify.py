"""Fastify.

Source: Fastify's reference: Routes, Hooks, Plugins, Server.
"""

from prodlint.models.frameworks.model import Context, Framework, Registers, Role, members

_HANDLER = ("fastify.request", "fastify.reply")

FRAMEWORK = Framework(
    name="fastify",
    language="javascript",
    package="fastify",
    serves=("fastify",),
    aliases=(
        ("fastify.fastify", "fastify"),
        ("fastify.FastifyInstance()", "fastify()"),
        ("fastify.FastifyRequest()", "fastify.request"),
        ("fastify.FastifyReply()", "fastify.reply"),
        ("fastify().withTypeProvider()", "fastify()"),
        ("fastify().register()", "fastify()"),
        ("fastify().route()", "fastify()"),
    ),
    registers=(
        Registers(
            members("fastify()", "get post put patch delete head options all"),
            first=1,
            properties=("handler", "preHandler", "onRequest", "preValidation", "preParsing", "onSend"),
            params=_HANDLER,
        ),
        Registers(
            members("fastify()", "route"),
            first=1,
            properties=("handler", "preHandler", "onRequest", "preValidation", "wsHandler"),
            params=_HANDLER,
        ),
        Registers(
            members("fastify()", "addHook"),
            first=1,
            role=Role.MIDDLEWARE,
            params=_HANDLER,
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
        Registers(members("fastify()", "setErrorHandler"), role=Role.ERROR_HANDLER, params=("", *_HANDLER)),
        Registers(members("fastify()", "setNotFoundHandler"), role=Role.HANDLER, params=_HANDLER),
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
