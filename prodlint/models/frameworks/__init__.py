"""What prodlint knows of frameworks: one small module each, nothing but a `FRAMEWORK`."""

from __future__ import annotations

from prodlint.models.frameworks import (
    aiohttp,
    asyncio,
    commands,
    django,
    ecmascript,
    express,
    fastapi,
    fastify,
    flask,
    hapi,
    koa,
    nest,
    node,
    python,
    quart,
    sqlalchemy,
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
