import os
from urllib.parse import quote, urlsplit

import pytest
import requests


@pytest.fixture(autouse=True)
def tapedeck_session(request, monkeypatch):
    """Gives each test a cassette of its own, also under pytest-xdist:

        tapedeck exec --cassettes cassettes -- pytest -n auto

    The test's name is the proxy user of every client that reads the environment, as requests, httpx, urllib and
    the SDKs built on them do. A request that is not recorded fails this test and no other.
    """
    control = os.environ.get("TAPEDECK_CONTROL")
    if not control:  # without tapedeck
        yield
        return
    name = quote(request.node.nodeid, safe="")
    for variable in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
        for spelling in (variable, variable.lower()):
            if spelling in os.environ:
                monkeypatch.setenv(spelling, f"http://{name}:x@{urlsplit(control).netloc}")
    yield
    # Ends the session, so that a test that runs twice plays from the beginning twice.
    token = os.environ["TAPEDECK_TOKEN"]
    answer = requests.delete(f"{control}/sessions/{name}", headers={"Authorization": f"Bearer {token}"}, timeout=60)
    report = answer.json()
    if "error" in report:
        pytest.fail(report["error"]["message"], pytrace=False)
    if misses := report.get("misses"):
        pytest.fail("\n\n".join(miss["text"] for miss in misses), pytrace=False)
