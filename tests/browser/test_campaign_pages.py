"""A campaign's pages in a real browser: its times, what stops it, what became of each of two subjects."""

import sys

import pytest

from conftest import HERE

sys.path.insert(0, str(HERE.parent / "console"))


@pytest.fixture
def web(sender_in):
    """The service with its domain's DNS, which vouches for nothing."""
    from name_server import NameServer
    from visitor import Visitor
    from web_host import WebHost
    names = NameServer()
    names.records = {("courier.example", "MX"): ["10 mail.courier.example."]}
    sender = sender_in(keys=("ed25519", "rsa"), extra=names.options("courier.example"))
    sender.addresses = [("127.0.0.1", "mail.courier.example")]
    try:
        with WebHost(sender.start(), url="https://news.courier.example", **{"check-identity": True}) as one:
            one.owner = Visitor(one).become("owner@shop.test")
            yield one
    finally:
        names.close()


def test_what_stops_it_and_what_became_of_it(drive, web):
    key = web.key("shop", "--scope", "send,read,admin,contacts")
    for i in range(40):
        made = web.call("POST", "/api/v1/contacts", key, {"email": f"p{i}@shop.test", "state": "active"})
        assert made.status == 201, made
    made = web.call("POST", "/api/v1/segments", key, {"name": "4 の付く人", "text": 'email contains "4"'})
    assert made.status == 201, made
    drive("campaigns")
