from typing import Annotated, Any

from fastapi import APIRouter, Depends, HTTPException, Request
from pydantic import BaseModel

from shop import database
from shop.services import courier, receipts

router = APIRouter()


class Order(BaseModel):
    email: str
    country: str
    product_ids: list[int]


async def shipping(order: Order, request: Request) -> float:
    prices: dict[str, float] = request.app.state.shipping
    return prices.get(order.country, prices["default"])


@router.post("", status_code=201)
async def place_order(order: Order, price: Annotated[float, Depends(shipping)]) -> dict[str, Any]:
    parcel = courier.book(order.country)
    if parcel is None:
        raise HTTPException(503, "no courier has time today")
    await database.write(
        "insert into orders (email, parcel, shipping) values (:email, :parcel, :shipping)",
        email=order.email,
        parcel=parcel,
        shipping=price,
    )
    receipts.send(order.email, parcel)
    return {"parcel": parcel, "shipping": price}
