"""A client of a shop's API. It knows nothing of tapedeck."""

API = "https://api.shop.example"


class Shop:
    """http is a requests.Session or an httpx.Client."""

    def __init__(self, http, key):
        self.http = http
        self.http.headers["Authorization"] = f"Bearer {key}"

    def buy(self, item, quantity, currency):
        return self._read(self.http.post(f"{API}/orders", json={"item": item, "quantity": quantity, "currency": currency}))

    def order(self, id):
        return self._read(self.http.get(f"{API}/orders/{id}"))

    def refund(self, id):
        return self._read(self.http.post(f"{API}/orders/{id}/refund"))

    @staticmethod
    def _read(answer):
        answer.raise_for_status()
        return answer.json()
