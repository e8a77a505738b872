"""Packages that services are written with, those of frameworks too of which prodlint knows nothing but that."""

WRITTEN_WITH = {
    "node": (
        "@nestjs/core", "next", "nuxt", "@hapi/hapi", "hapi", "@feathersjs/feathers", "fastify", "koa", "express",
        "restify",
    ),
    "python": ("fastapi", "django", "quart", "flask", "aiohttp", "litestar", "sanic", "starlette", "tornado", "falcon"),
}  # fmt: skip
"""By language, what a service may be written with: of several the first, as one is built on the other."""

SERVING = frozenset(
    {
        "express", "koa", "fastify", "@hapi/hapi", "hapi", "@nestjs/core", "restify", "polka", "hono", "socket.io",
        "ws", "connect", "sails", "@feathersjs/express", "apollo-server", "@apollo/server",
    }
)  # fmt: skip
"""Packages for Node whose user answers requests."""
