#!/usr/bin/env python3
"""Logs in to a site, by requests.Session: cookies, and CSRF tokens from pages and headers.

    tapedeck exec -- python3 examples/flows/clients/site.py

Needs LOGIN_PASSWORD. Prints what it sees, without the tokens.
"""

import os
import re
import sys

import requests

SHOP = "https://shop.acme.dev"
TOKEN = re.compile(r'<input (?:type="hidden" name="csrf_token" value="([^"]+)"|value="([^"]+)" type="hidden" name="csrf_token"/)>')


def show(name, response):
    print("==", name, response.status_code, response.headers.get("Location", ""))
    print(TOKEN.sub("<input (hidden)>", response.text))
    return response


def hidden(response):
    found = TOKEN.search(response.text)
    if not found:
        sys.exit("the page has no token")
    return found[1] or found[2]


session = requests.Session()
show("stranger", session.get(SHOP + "/account"))
login = show("login", session.get(SHOP + "/login"))
form = {"user": "ada", "password": os.environ["LOGIN_PASSWORD"], "csrf_token": hidden(login)}
show("logged-in", session.post(SHOP + "/login", data=form, allow_redirects=False))
account = show("account", session.get(SHOP + "/account"))
token = account.headers["X-CSRF-Token"]
for n in range(2):
    added = show("add-%d" % n, session.post(SHOP + "/cart", json={"item": "loom"}, headers={"X-CSRF-Token": token}))
    token = added.headers["X-CSRF-Token"]
account = show("account-again", session.get(SHOP + "/account"))
show("logout", session.post(SHOP + "/logout", data={"csrf_token": hidden(account)}, allow_redirects=False))
show("stranger-again", session.get(SHOP + "/account"))
