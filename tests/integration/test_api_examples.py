"""
The examples of src/web/API.md, run as they stand and in their order: each is a block of sh with a call by
curl, and behind it a block with what is answered: the status in its first line, then the body, if any. A body
in JSON must have the members that the document shows and values of their types; of a long one "…" stands for
the rest.
"""

import json
import os
import re
import subprocess
import time

import pytest

from hostile import Hostile, polite
from sender import ROOT
from web_host import WebHost

DOCUMENT = ROOT / "src/web/API.md"
EXAMPLE = re.compile(r"^```sh\n(.*?)^```\n\n?(?:^```\n(\d{3})[^\n]*\n(.*?)^```\n)?", re.M | re.S)


def examples():
    found = EXAMPLE.findall(DOCUMENT.read_text())
    assert len(found) > 30
    return found


def path_of(command):
    method = re.search(r"-X (\w+)", command)
    default = "POST" if re.search("--json|--data| -d ", command) else "GET"
    return method[1] if method else default, re.search(r'\$URL(/[^"?]*)', command)[1]


@pytest.fixture
def web(sender_in):
    with Hostile(polite) as server:
        one = sender_in(keys=("ed25519",))
        one.route("*", server.port)
        with WebHost(one.start(), url="https://news.courier.example", rate=0) as host:
            yield host


def run(web, key, command):
    """Status and body; what goes on in the background is over first."""
    script = "curl() { command curl -sS -w '\\n%{http_code}' \"$@\"; }\n" + command
    done = subprocess.run(["bash", "-euc", script], capture_output=True, text=True, timeout=30,
                          env=os.environ | {"KEY": key, "URL": web.url, "CURL_CA_BUNDLE": web.certificate})
    assert done.returncode == 0, (command, done.stderr)
    body, status = done.stdout.rsplit("\n", 1)
    return int(status), body


def shape(value):
    return {name: shape(value[name]) for name in value} if isinstance(value, dict) else type(value)


def compare(shown, real, place):
    if isinstance(shown, dict):
        assert isinstance(real, dict), place
        if "…" in shown:
            assert set(shown) - {"…"} <= set(real), (place, set(shown) - set(real))
        else:
            assert set(shown) == set(real), (place, set(shown) ^ set(real))
        for name in set(shown) - {"…"}:
            compare(shown[name], real[name], f"{place}/{name}")
    elif isinstance(shown, list):
        assert isinstance(real, list) and bool(real) == bool(shown), place
        for one in real:
            alike = [other for other in shown if shape(other) == shape(one)]
            assert alike, (place, one)
            compare(alike[0], one, f"{place}/-")
    elif shown is not None and real is not None:
        number = isinstance(shown, (int, float)) and not isinstance(shown, bool)
        kind = (int, float) if number else type(shown)
        assert isinstance(real, kind), (place, shown, real)


def settle(web, key):
    """Until no import and no campaign is under way: the next example may show what came of it."""
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        imports = web.call("GET", "/api/v1/imports", key).json["imports"]
        mailings = web.call("GET", "/api/v1/mailings", key).json["mailings"]
        if all(one["state"] in ("uploaded", "done") for one in imports) and \
                all(one["state"] in ("draft", "done") for one in mailings):
            return
        time.sleep(0.05)
    raise AssertionError("something goes on for ever")


def test_each_example_does_what_the_document_shows(web):
    key = web.key("shop", "--scope", "send,read,contacts,admin")
    for command, status, body in examples():
        assert status, f"no answer is shown for {command}"
        got, text = run(web, key, command)
        assert got == int(status), (command, got, text)
        if body.startswith(("{", "[")):
            compare(json.loads(body), json.loads(text), "")
        else:
            # The first line of a table is its head; the rest is data.
            first = text.lstrip("\ufeff").split("\n")[0].strip()
            assert first == body.split("\n")[0].strip(), (command, text)
        settle(web, key)


def test_each_noun_has_examples():
    described = json.loads((ROOT / "src/web/openapi.json").read_text())["paths"]
    def noun_of(path):
        return path.split("/")[3].removesuffix(".csv")

    nouns = {noun_of(path) for path in described} - {"openapi.json"}
    shown = {noun_of(path_of(command)[1]) for command, _, _ in examples()}
    assert nouns == shown
    for command, _, _ in examples():
        method, path = path_of(command)
        assert any(re.fullmatch(re.sub(r"\{\w+\}", "[^/]+", one), path) and method.lower() in described[one]
                   for one in described), (method, path)
