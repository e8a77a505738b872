from collections.abc import Sequence
from typing import Any

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from shop import config

engine: AsyncEngine = create_async_engine(config.DATABASE_URL)


async def connect() -> None:
    async with engine.connect() as connection:
        await connection.execute(text("select 1"))


async def disconnect() -> None:
    await engine.dispose()


async def rows(statement: str, **values: Any) -> Sequence[Any]:
    async with engine.connect() as connection:
        result = await connection.execute(text(statement), values)
        return result.mappings().all()


async def write(statement: str, **values: Any) -> None:
    async with engine.begin() as connection:
        await connection.execute(text(statement), values)
