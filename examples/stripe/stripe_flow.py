#!/usr/bin/env python3
"""A checkout with Stripe, by Python's requests or httpx.

    tapedeck exec -- python3 examples/stripe/stripe_flow.py requests

The argument is requests, httpx or httpx-h2. Needs STRIPE_API_KEY; AMOUNT is in
cents. ORDER=reversed writes the same parameters in reverse order.
"""

import os
import re
import sys
from urllib.parse import urlencode

API = "https://api.stripe.com/v1/"
HEADERS = {
    "Authorization": "Bearer " + os.environ["STRIPE_API_KEY"],
    "Content-Type": "application/x-www-form-urlencoded",
}


def connect(library):
    if library == "requests":
        import requests

        return requests.Session()
    import httpx

    return httpx.Client(http2=library == "httpx-h2", timeout=60)


def encode(fields):
    if os.environ.get("ORDER") == "reversed":
        # Stable: equal names keep their order, which has a meaning.
        fields = sorted(fields, key=lambda field: field[0], reverse=True)
    return urlencode(fields)


def protocol(response):
    if hasattr(response, "http_version"):
        return response.http_version
    return "HTTP/%.1f" % (response.raw.version / 10)


def main(library):
    session = connect(library)

    def call(method, name, path, *fields):
        if method == "GET":
            response = session.request(method, API + path + "?" + encode(fields), headers=HEADERS)
        else:
            body = {"data" if library == "requests" else "content": encode(fields)}
            response = session.request(method, API + path, headers=HEADERS, **body)
        print("==", name, response.status_code, protocol(response))
        print(re.sub(r'("client_secret": *)"[^"]+"', r'\1"(hidden)"', response.text))
        return response.json()

    customer = call(
        "POST", "customer", "customers",
        ("name", "Ada Lovelace"),
        ("email", "ada@example.com"),
        ("metadata[team]", "engines & looms"),
        ("metadata[order]", "6735"),
    ).get("id", "")

    element = "components[payment_element]"
    call(
        "POST", "customer-session", "customer_sessions",
        ("customer", customer),
        ("components[buy_button][enabled]", "true"),
        ("components[pricing_table][enabled]", "false"),
        (element + "[enabled]", "true"),
        (element + "[features][payment_method_redisplay]", "enabled"),
        (element + "[features][payment_method_allow_redisplay_filters][]", "always"),
        (element + "[features][payment_method_allow_redisplay_filters][]", "limited"),
    )

    checkout = call(
        "POST", "checkout", "checkout/sessions",
        ("mode", "payment"),
        ("customer", customer),
        ("success_url", "https://shop.example.com/thanks"),
        ("line_items[0][price_data][currency]", "eur"),
        ("line_items[0][price_data][unit_amount]", "2500"),
        ("line_items[0][price_data][product_data][name]", 'T-shirt, "blue" 100%'),
        ("line_items[0][quantity]", "2"),
        ("line_items[1][price]", "price_1PgafmB7WZ01zgkW02Hf9z6c"),
        ("line_items[1][quantity]", "1"),
        ("metadata[campaign]", "spring"),
        ("metadata[order]", "6735"),
    ).get("id", "")

    # All items again, in the order they are to have; an empty value unsets a key.
    call(
        "POST", "checkout-update", "checkout/sessions/" + checkout,
        ("line_items[0][id]", "li_1PgafmB7WZ01zgkWsecond1"),
        ("line_items[0][quantity]", "1"),
        ("line_items[1][id]", "li_1PgafmB7WZ01zgkWfirst22"),
        ("line_items[1][quantity]", "3"),
        ("metadata[campaign]", ""),
        ("expand[]", "line_items"),
    )

    call(
        "GET", "checkout-again", "checkout/sessions/" + checkout,
        ("expand[]", "customer"),
        ("expand[]", "line_items"),
    )
    call("GET", "customers", "customers", ("limit", "3"), ("expand[]", "data.default_source"))

    payment = call(
        "POST", "payment", "payment_intents",
        ("amount", os.environ.get("AMOUNT", "2000")),
        ("currency", "eur"),
        ("customer", customer),
        ("automatic_payment_methods[enabled]", "true"),
    )

    # The secret of one answer goes into the next request.
    if "id" in payment:
        call(
            "GET", "payment-again", "payment_intents/" + payment["id"],
            ("client_secret", payment["client_secret"]),
        )


if __name__ == "__main__":
    if len(sys.argv) != 2 or sys.argv[1] not in ("requests", "httpx", "httpx-h2"):
        sys.exit(__doc__)
    main(sys.argv[1])
