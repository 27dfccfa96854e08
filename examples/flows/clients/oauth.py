#!/usr/bin/env python3
"""An OAuth client: client credentials, or a refresh token that rotates.

    tapedeck exec -- python3 examples/flows/clients/oauth.py requests basic
    tapedeck exec -- python3 examples/flows/clients/oauth.py httpx form
    tapedeck exec -- python3 examples/flows/clients/oauth.py requests refresh

The first argument is the library, the second says what to do: client
credentials sent as Basic or in the form, or refreshing three times. Access
tokens that are JWTs are not used when they have expired. NOW is the time in
seconds, for those whose clock is not the machine's.
"""

import base64
import importlib
import json
import os
import sys
import time

TOKENS = "https://auth.acme.dev/oauth/token"
ORDERS = "https://api.acme.dev/v1/orders"
CLIENT = os.environ["OAUTH_CLIENT_ID"], os.environ["OAUTH_CLIENT_SECRET"]


def connect(library):
    module = importlib.import_module(library)
    return module.Session() if library == "requests" else module.Client(timeout=60)


def post(session, name, fields, auth=None):
    response = session.post(TOKENS, data=fields, auth=auth)
    answer = response.json()
    shown = {k: v for k, v in answer.items() if k not in ("access_token", "refresh_token")}
    print("==", name, response.status_code)
    print(json.dumps(shown, sort_keys=True))
    if response.status_code != 200:
        sys.exit("no token")
    return answer


def check(token):
    """Reads a JWT as clients do: three parts, a header, an expiry that lies ahead."""
    header, payload, signature = (base64.urlsafe_b64decode(p + "=" * (-len(p) % 4)) for p in token.split("."))
    claims = json.loads(payload)
    now = float(os.environ.get("NOW") or time.time())
    if not claims["exp"] > now:
        sys.exit("the token expired %d seconds ago" % (now - claims["exp"]))
    print("JWT", json.loads(header)["alg"], claims["iss"], "good" if signature else "unsigned")


def orders(session, name, token):
    response = session.get(ORDERS, headers={"Authorization": "Bearer " + token} if token else {})
    print("==", name, response.status_code)
    print(response.text)


def main(library, what):
    session = connect(library)
    if what == "refresh":
        refresh = os.environ["OAUTH_REFRESH_TOKEN"]
        for n in range(3):
            answer = post(session, "refresh-%d" % n, {"grant_type": "refresh_token", "refresh_token": refresh}, CLIENT)
            check(answer["access_token"])
            orders(session, "orders-%d" % n, answer["access_token"])
            if answer["refresh_token"] == refresh:
                sys.exit("the refresh token does not change")
            used, refresh = refresh, answer["refresh_token"]
        response = session.post(TOKENS, data={"grant_type": "refresh_token", "refresh_token": used}, auth=CLIENT)
        print("== used", response.status_code)
        print(response.text)
        return
    fields = {"grant_type": "client_credentials", "scope": "orders"}
    if what == "form":
        fields.update(client_id=CLIENT[0], client_secret=CLIENT[1])
    orders(session, "stranger", None)
    token = post(session, "token", fields, CLIENT if what == "basic" else None)["access_token"]
    orders(session, "orders", token)
    orders(session, "orders-again", token)


if __name__ == "__main__":
    if len(sys.argv) != 3 or sys.argv[1] not in ("requests", "httpx") or sys.argv[2] not in ("basic", "form", "refresh"):
        sys.exit(__doc__)
    main(*sys.argv[1:])
