#!/usr/bin/env python3
"""A client of the API in main.go: a token, two pages of products, one product, an
order that is made, read and given up, and a report.

    tapedeck exec --resolve api.drift.test:80:127.0.0.1:8082 -- python3 examples/drift/shop.py
"""

import os
import sys

import requests

API = "http://api.drift.test"


def main():
    session = requests.Session()
    answer = session.post(API + "/oauth/token", data={"grant_type": "client_credentials"}, auth=("shop", os.environ["SHOP_SECRET"]), timeout=60)
    token = answer.json()["access_token"]
    session.headers["Authorization"] = "Bearer " + token

    def call(method, path, **more):
        answer = session.request(method, API + path, timeout=60, **more)
        print(method, path.split("?")[0].split("_")[0], answer.status_code)
        return answer.json() if answer.content else None

    page = call("GET", "/v1/products")
    call("GET", "/v1/products?cursor=" + page["next_cursor"])
    product = page["data"][1]["id"]
    call("GET", "/v1/products/" + product)
    order = call("POST", "/v1/orders", json={"product": product, "quantity": 2})["id"]
    call("GET", "/v1/orders/" + order)
    call("DELETE", "/v1/orders/" + order)
    call("GET", "/v1/orders/" + order)
    call("GET", "/v1/report")
    return 0


if __name__ == "__main__":
    sys.exit(main())
