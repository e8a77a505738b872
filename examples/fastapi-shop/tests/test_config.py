from shop import config


def test_every_country_has_a_price() -> None:
    prices = config.parse_shipping(config.SHIPPING_FILE.read_text())
    print(prices)
    assert all(price > 0 for price in prices.values())
