import os

import httpx
import pytest
import requests

from shop import Shop


@pytest.fixture(params=[requests.Session, httpx.Client], ids=["requests", "httpx"])
def shop(request):
    with request.param() as http:
        yield Shop(http, os.environ.get("SHOP_KEY", "unused"))


@pytest.mark.parametrize("currency, total", [("EUR", 2500), ("USD", 2750)])
def test_buy(shop, currency, total, request):
    order = shop.buy("loom", 2, currency)
    print(f"{request.node.nodeid}: {order['id']}")
    assert order["total"] == total


class TestRefund:
    def test_status(self, shop, request):
        order = shop.buy("loom", 2, "EUR")
        print(f"{request.node.nodeid}: {order['id']}")
        assert shop.order(order["id"])["status"] == "open"
        shop.refund(order["id"])
        assert shop.order(order["id"])["status"] == "refunded"


def test_quantity(shop, request):
    """Sends what QUANTITY says: change it, and see which test fails."""
    order = shop.buy("engine", int(os.environ.get("QUANTITY", "3")), "USD")
    print(f"{request.node.nodeid}: {order['id']}")
