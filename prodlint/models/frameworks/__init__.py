"""What prodlint knows of frameworks: one small module each, nothing but a `FRAMEWORK`."""

from __future__ import annotations

from prodlint.models.frameworks import (
    adonis,
    aiohttp,
    asyncio,
    commands,
    django,
    ecmascript,
    express,
    fastapi,
    fastify,
    flask,
    graphql,
    h3,
    hapi,
    hono,
    koa,
    nest,
    next,
    node,
    python,
    quart,
    sails,
    sqlalchemy,
    trpc,
    websockets,
)
from prodlint.models.frameworks.model import Framework

FRAMEWORKS: tuple[Framework, ...] = tuple(
    module.FRAMEWORK
    for module in (
        express,
        koa,
        fastify,
        nest,
        hapi,
        hono,
        next,
        trpc,
        graphql,
        adonis,
        sails,
        h3,
        node,
        websockets,
        asyncio,
        fastapi,
        flask,
        quart,
        django,
        aiohttp,
        sqlalchemy,
        python,
        ecmascript,
        commands,
    )
)
