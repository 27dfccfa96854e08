#!/usr/bin/env python3
"""Puts and gets files by signed URLs, by httpx: some signed here, some handed out.

    tapedeck exec -- python3 examples/flows/clients/signed.py

Needs AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY. NOW is the time in seconds,
for those whose clock is not the machine's.
"""

import hashlib
import hmac
import os
import time
from urllib.parse import quote, urlencode

import httpx

HOST = "files.s3.eu-central-1.amazonaws.com"
SCOPE = ["eu-central-1", "s3", "aws4_request"]


def sign(method, path):
    """AWS Signature Version 4 in the query, as boto3's generate_presigned_url makes it."""
    now = time.gmtime(float(os.environ.get("NOW") or time.time()))
    day, date = time.strftime("%Y%m%d", now), time.strftime("%Y%m%dT%H%M%SZ", now)
    scope = "/".join([day] + SCOPE)
    query = urlencode(
        {
            "X-Amz-Algorithm": "AWS4-HMAC-SHA256",
            "X-Amz-Credential": os.environ["AWS_ACCESS_KEY_ID"] + "/" + scope,
            "X-Amz-Date": date,
            "X-Amz-Expires": "900",
            "X-Amz-SignedHeaders": "host",
        },
        quote_via=quote,
        safe="",
    )
    canonical = "\n".join([method, path, query, "host:" + HOST, "", "host", "UNSIGNED-PAYLOAD"])
    digest = hashlib.sha256(canonical.encode()).hexdigest()
    key = ("AWS4" + os.environ["AWS_SECRET_ACCESS_KEY"]).encode()
    for part in [day] + SCOPE:
        key = hmac.new(key, part.encode(), hashlib.sha256).digest()
    text = "\n".join(["AWS4-HMAC-SHA256", date, scope, digest])
    signature = hmac.new(key, text.encode(), hashlib.sha256).hexdigest()
    return "https://%s%s?%s&X-Amz-Signature=%s" % (HOST, path, query, signature)


def show(name, response):
    print("==", name, response.status_code)
    print(response.text if "upload_url" not in response.text else "(a URL)")
    return response


with httpx.Client(timeout=60) as client:
    show("put", client.put(sign("PUT", "/looms.txt"), content="one loom"))
    show("get", client.get(sign("GET", "/looms.txt")))
    upload = show("where-to-put", client.post("https://api.acme.dev/v1/uploads", data={"name": "engines.txt"})).json()
    show("put-there", client.put(upload["upload_url"], content="two engines"))
    redirect = show("where-to-get", client.get("https://api.acme.dev/v1/downloads/engines.txt"))
    show("get-there", client.get(redirect.headers["Location"]))
    show("nothing", client.get(sign("GET", "/nothing.txt")))
