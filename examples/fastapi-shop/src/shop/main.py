from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse

from shop import config, database
from shop.routes import orders, products


@asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncIterator[None]:
    # Read once, before the first request: nobody waits for it.
    with open(config.SHIPPING_FILE) as file:
        app.state.shipping = config.parse_shipping(file.read())
    await database.connect()
    yield
    await database.disconnect()


app = FastAPI(title="Shop", lifespan=lifespan)
app.include_router(products.router, prefix="/products")
app.include_router(orders.router, prefix="/orders")


@app.exception_handler(Exception)
async def trouble(request: Request, error: Exception) -> JSONResponse:
    return JSONResponse({"error": "the shop is having trouble"}, status_code=500)


@app.get("/health")
async def health() -> dict[str, bool]:
    return {"ok": True}
