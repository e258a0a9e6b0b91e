"""Pages of administration with something in them: how mail arrived, who gets none, what DNS says."""

import pathlib
import sys

import pytest

from hostile import Hostile
from sender import wait_until
from visitor import Visitor
from web_host import WebHost

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "console"))

from name_server import NameServer  # noqa: E402


@pytest.fixture
def web(sender_in):
    def receiver(talk):
        talk.serve(rcpt=lambda path: "550 5.1.1 no such user\r\n" if "<bad" in path else
                   "552 5.3.4 message size exceeds the limit\r\n" if "<big" in path else None)

    names = NameServer()
    sender = sender_in(keys=("ed25519", "rsa"), extra=names.options("courier.example"))
    sender.addresses = [("127.0.0.1", "mail.courier.example")]
    with Hostile(receiver) as server:
        sender.route("*", server.port)
        with WebHost(sender.start()) as one:
            one.owner = Visitor(one).become("owner@shop.test")
            key = one.key("shop", "--scope", "send,read")
            for name in ("ann", "bob", "eve", "bad1", "bad2", "big1"):
                one.call("POST", "/api/v1/messages", key, {
                    "from": f"shop@{sender.domain}", "to": [f"{name}@shop.test"], "subject": "Hello",
                    "text": "Hello\n"})
            one.call("POST", "/api/v1/suppressions", key, {
                "addresses": [f"p{i}@longer-name-of-a-domain.example" for i in range(60)],
                "reason": "complaint", "text": "said so by telephone"})
            wait_until(lambda: sum(row["count"] for row in
                                   one.call("GET", "/api/v1/deliverability", key).json["rows"]) == 6, "mail")
            yield one
    names.close()


def test_pages_of_administration_look_right_and_are_for_everybody(drive):
    drive("admin_pages")
