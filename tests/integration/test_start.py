"""What stops a campaign's start: what DNS does not say of the domain, what the review finds in the mail."""

import pathlib
import sys

import pytest

import sender as sender_module
from hostile import Hostile
from sender import wait_until
from web_host import WebHost

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "console"))

from name_server import NameServer  # noqa: E402

DOMAIN = "courier.example"
SPF = f"{DOMAIN}. IN TXT \"v=spf1 ip4:127.0.0.1 -all\""


class World:
    """A host whose domain's DNS is ours to write."""

    def __init__(self, folder):
        self.names = NameServer()
        self.server = Hostile(lambda talk: talk.serve())
        self.sender = sender_module.Sender(folder / "sender", keys=("ed25519",),
                                           extra=self.names.options(DOMAIN))
        self.sender.addresses = [("127.0.0.1", f"mail.{DOMAIN}")]

    def __enter__(self):
        self.server.__enter__()
        self.sender.route("*", self.server.port)
        self.nobody_vouches()
        self.web = WebHost(self.sender.start(), url=f"https://news.{DOMAIN}",
                           **{"check-identity": True}).start()
        self.key = self.web.key("shop", "--scope", "send,read,admin,contacts")
        return self

    def __exit__(self, *how):
        self.web.__exit__(*how)
        self.sender.close()
        self.server.__exit__(*how)
        self.names.close()

    def call(self, method, path, body=None):
        return self.web.call(method, "/api/v1" + path, self.key, body)

    def nobody_vouches(self):
        self.names.records = {(DOMAIN, "MX"): [f"10 mail.{DOMAIN}."]}

    def dkim_vouches(self):
        for name, record in self.sender.dns_records.items():
            self.names.records[(name, "TXT")] = [f'"{record}"']

    def checked(self):
        """What it says once it was asked anew."""
        before = self.call("GET", "/identity").json["domains"]
        assert self.call("POST", "/identity/check").status == 202

        def look():
            now = self.call("GET", "/identity").json["domains"]
            return now if now and now != before else None

        return wait_until(look, "a check of the identity")[0]


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    sender_module.build()
    with World(tmp_path_factory.mktemp("start")) as one:
        yield one


def row(result, check):
    return next(one for one in result["checks"] if one["check"].startswith(check))


def test_dns_is_asked_at_the_start_and_when_somebody_wants_it(world):
    [first] = wait_until(lambda: world.call("GET", "/identity").json["domains"], "the first check")
    assert first["domain"] == DOMAIN and not first["aligned"] and first["failed"] >= 3
    assert row(first, "SPF 127.0.0.1")["publish"] == SPF
    name, record = next(iter(world.sender.dns_records.items()))
    assert row(first, "DKIM")["result"] == "fail"
    assert row(first, "DKIM")["publish"] == f'{name}. IN TXT "{record}"'
    assert row(first, "MX")["result"] == "pass" and "publish" not in row(first, "MX")

    world.dkim_vouches()
    second = world.checked()
    assert second["aligned"] and row(second, "DKIM")["result"] == "pass", second
    assert row(second, "SPF 127.0.0.1")["result"] == "fail"
