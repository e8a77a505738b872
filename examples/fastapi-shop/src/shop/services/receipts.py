import httpx

from shop import config


async def send(email: str, parcel: str) -> None:
    async with httpx.AsyncClient() as client:
        await client.post(f"{config.COURIER_URL}/receipts", json={"email": email, "parcel": parcel})
