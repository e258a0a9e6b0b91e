"""DANE (RFC 7672): a real Postfix whose certificates do or do not match the TLSA records of signed zones,
which a real name server (nsd) serves. What must not be delivered is not, and nothing goes in the clear."""

import os
import re

import pytest

from authority import tlsa
from secured import ALSO_SELF, CHAIN, CLEAR, SELF, Secured
from sender import wait_until

pytestmark = [
    pytest.mark.patience,
    pytest.mark.binary,
    pytest.mark.skipif(os.geteuid() != 0, reason="mail servers want to be started by root"),
]

WRONG = "3 1 1 " + 32 * "5a"
HOSTS = {  # name: (address, TLSA records); {self...} and {root...} become certificates' records
    "good": (SELF, ["{self311}"]),
    "whole": (SELF, ["{self300}"]),
    "wrong": (SELF, [WRONG]),
    "roll": (SELF, [WRONG, "{self311}"]),
    "unusable": (SELF, ["0 0 1 " + 32 * "5a", "1 1 1 " + 32 * "5a", "3 1 9 5a"]),
    "bare": (SELF, []),
    "ta": (CHAIN, ["{root201}"]),
    "misnamed": (CHAIN, ["{root201}"]),
    "clear": (CLEAR, ["{self311}"]),
    "bogus": (SELF, ["{self311}"]),
    "next": (ALSO_SELF, ["{self311}"]),
}
DELIVERED = {"good", "whole", "roll", "unusable", "bare", "ta", "next"}
DEFERRED = {"wrong": "atching DANE TLSA records", "misnamed": "ostname mismatch",
            "clear": "does not offer the TLS", "bogus": "TLSA records of the mail hosts"}


def zone_of(records):
    lines = []
    for name, (address, tlsas) in HOSTS.items():
        lines += [f"{name} A {address}", f"{name}.at MX 10 {name}"]
        lines += [f"_25._tcp.{name} TLSA {one.format(**records)}" for one in tlsas]
    lines += ["second.at MX 10 wrong", "second.at MX 20 next"]
    return "\n".join(lines)


def at(zone, *names):
    return [f"{name}.at.{zone}" for name in names]


@pytest.fixture
def world(network, sender_in, tmp_path):
    world = Secured(tmp_path, network, sender_in, ["ta.mail.example"])
    records = {"self311": tlsa(world.own[0], 3, 1, 1), "self300": tlsa(world.own[0], 3, 0, 0),
               "root201": tlsa(world.root.certificate, 2, 0, 1)}
    network.zone("mail.example", zone_of(records), signed=True)
    network.zone("plain.example", zone_of(records))
    network.tamper("mail.example", "_25._tcp.bogus.mail.example.\t600\tIN\tTLSA\t3 1 1",
                   "_25._tcp.bogus.mail.example.\t600\tIN\tTLSA\t3 1 2")
    yield world
    world.close()


def test_who_proves_itself_gets_the_mail_and_nobody_else(world):
    world.start()
    lines = world.send(*at("mail.example", *HOSTS))
    assert {name for name, line in lines.items() if line["outcome"] == "delivered"} == DELIVERED
    mails = world.arrived(len(DELIVERED))
    assert set(mails) == DELIVERED
    assert all("with ESMTPS" in received for received in mails.values())
    for name, words in DEFERRED.items():
        assert lines[name]["outcome"] == "deferred" and words in lines[name]["reply"], lines[name]
    assert lines["wrong"]["enhanced"] == "4.7.5" and lines["clear"]["enhanced"] == "4.7.4"
    # No envelope was ever said in the clear.
    ends = wait_until(lambda: re.findall(r"postfix/smtpd.*disconnect from .* (ehlo=.*)",
                                         world.postfix.log()), "the session without TLS")
    assert ends and not any("mail=" in one or "rcpt=" in one for one in ends)
    assert world.count("dane", "ok") == 5 and world.count("dane-unusable", "ok") == 1
    assert world.count("opportunistic", "ok") == 1
    assert world.count("dane", "certificate") >= 2 and world.count("dane", "no-starttls") >= 1


def test_records_of_an_insecure_zone_count_for_nothing(world):
    world.start()
    lines = world.send(*at("plain.example", *HOSTS))
    assert {line["outcome"] for line in lines.values()} == {"delivered"}
    mails = world.arrived(len(HOSTS))
    assert {name for name, received in mails.items() if "with ESMTPS" in received} == (
        set(HOSTS) - {"clear"})
    assert world.count("opportunistic", "plaintext") >= 1 and world.count("dane", "ok") == 0


def test_the_next_host_gets_what_the_first_one_cannot_prove(world):
    world.start()
    lines = world.send(*at("mail.example", "second"))
    assert lines["second"]["outcome"] == "delivered"
    assert f"next.mail.example [{ALSO_SELF}]" in lines["second"]["host"]


def test_what_is_published_can_be_left_out_of_account(world):
    world.sender.default_site["tls"] = "unpublished"
    world.start()
    lines = world.send(*at("mail.example", "wrong", "clear", "bogus"))
    assert {line["outcome"] for line in lines.values()} == {"delivered"}


def test_dane_alone_can_be_demanded(world):
    world.sender.default_site["tls"] = "dane"
    world.start()
    lines = world.send(*at("mail.example", "good", "bare", "unusable"))
    assert {name: line["outcome"] for name, line in lines.items()} == {
        "good": "delivered", "bare": "deferred", "unusable": "deferred"}
    assert "usable TLSA records" in lines["bare"]["reply"]


def test_a_certificate_by_the_systems_roots_can_be_demanded(world, monkeypatch):
    monkeypatch.setenv("SSL_CERT_FILE", str(world.root.certificate))
    names = ("ta", "misnamed", "bare")
    world.network.zone("web.example", "\n".join(f"{name}.at MX 10 {name}.mail.example."
                                                for name in names))
    world.sender.default_site["tls"] = "verify"
    world.start()
    lines = world.send(*at("web.example", *names))
    assert {name: line["outcome"] for name, line in lines.items()} == {
        "ta": "delivered", "misnamed": "deferred", "bare": "deferred"}
    assert world.count("verify", "ok") == 1 and world.count("verify", "certificate") >= 2


def test_a_roll_over_takes_effect_when_the_old_answer_is_over(world):
    """The certificate's record comes in the place of a wrong one; what waited is delivered."""
    wrong, right = WRONG, tlsa(world.own[0], 3, 1, 1)
    for record in (wrong, right):
        world.network.zone("rolling.example", f"mx A {SELF}\nx MX 10 mx\n_25._tcp.mx TLSA {record}",
                           ttl=30, signed=True)
        if record == wrong:
            world.start()
            assert world.send("x.rolling.example")["x"]["outcome"] == "deferred"

    def is_delivered():
        world.sender.run("queue", "retry", "--all")
        return world.sender.status("news1")["delivered"] == 1

    wait_until(is_delivered, "the mail", every=5)
