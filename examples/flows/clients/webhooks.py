#!/usr/bin/env python3
"""Makes a webhook endpoint, by httpx, and checks an event with the secret that it gets.

    tapedeck exec -- python3 examples/flows/clients/webhooks.py

Needs STRIPE_API_KEY. The secret is handed out once. What is checked is signed
here, as the test helpers of Stripe's and Svix's SDKs do it.
"""

import base64
import hashlib
import hmac
import os

import httpx

EVENT = b'{"type":"payment_intent.succeeded"}'


def stripe(secret):
    """https://docs.stripe.com/webhooks#verify-manually: the secret is text."""
    return hmac.new(secret.encode(), b"1700000000." + EVENT, hashlib.sha256).hexdigest()


def svix(secret):
    """https://docs.svix.com/receiving/verifying-payloads/how-manual: it is base64."""
    key = base64.b64decode(secret.split("_")[1], validate=True)
    return base64.b64encode(hmac.new(key, b"msg_1.1700000000." + EVENT, hashlib.sha256).digest()).decode()


with httpx.Client(timeout=60) as client:
    response = client.post(
        "https://api.stripe.com/v1/webhook_endpoints",
        data={"url": "https://shop.acme.dev/hook", "enabled_events[]": "payment_intent.succeeded"},
        headers={"Authorization": "Bearer " + os.environ["STRIPE_API_KEY"]},
    )
    endpoint = response.json()
    secret = endpoint.pop("secret")
    print("== endpoint", response.status_code)
    print(endpoint["id"], endpoint["url"], secret.startswith("whsec_"))
    for scheme in stripe, svix:
        print(scheme.__name__, hmac.compare_digest(scheme(secret), scheme(secret)))
