from typing import Any

from fastapi import APIRouter, HTTPException

from shop import database
from shop.services import images, rates

router = APIRouter()


@router.get("")
async def list_products(currency: str = "EUR") -> list[dict[str, Any]]:
    products = await database.rows("select * from products")
    rate = rates.exchange_rate(currency)
    print(f"listed {len(products)} products in {currency}")
    return [{**product, "price": product["price"] * rate} for product in products]


@router.get("/{product_id}")
async def show_product(product_id: int) -> dict[str, Any]:
    found = await database.rows("select * from products where id = :id", id=product_id)
    if not found:
        raise HTTPException(404, "no such product")
    return dict(found[0])


@router.get("/{product_id}/thumbnail")
def thumbnail(product_id: int) -> dict[str, str]:
    # A plain `def` handler: FastAPI runs it in a thread, so it may wait.
    return {"path": str(images.thumbnail(product_id))}
