import json
import os
from pathlib import Path

SHIPPING_FILE = Path(__file__).parent / "shipping.json"
DATABASE_URL = os.environ.get("DATABASE_URL", "postgresql+asyncpg://shop@localhost/shop")
RATES_URL = os.environ.get("RATES_URL", "http://rates.internal/latest")
COURIER_URL = os.environ.get("COURIER_URL", "http://courier.internal")


def parse_shipping(text: str) -> dict[str, float]:
    return {country: float(price) for country, price in json.loads(text).items()}
