"""What prodlint knows of frameworks: one small module each, nothing but a `FRAMEWORK`; `model` explains its fields."""

from __future__ import annotations

from collections.abc import Mapping

from prodlint.models.frameworks import (
    adonis,
    aiohttp,
    asyncio,
    bots,
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
    injection,
    koa,
    litestar,
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
        injection,
        node,
        websockets,
        asyncio,
        fastapi,
        quart,
        flask,
        django,
        aiohttp,
        bots,
        litestar,
        sqlalchemy,
        python,
        ecmascript,
        commands,
    )
)

BY_NAME: Mapping[str, Framework] = {framework.name: framework for framework in FRAMEWORKS}
"""By the name that registrations have."""
PATCHES = frozenset(module for framework in FRAMEWORKS for module in framework.patches)
"""Packages that make frameworks look at the promises of handlers that they would not look at."""
INJECTS = frozenset(path for framework in FRAMEWORKS for path in framework.injects)
"""APIs that have a parameter given what a function returns."""
