"""DANE (RFC 7672): a real Postfix whose certificates do or do not match the TLSA records of signed zones,
which a real name server (nsd) serves. What must not be delivered is not, and nothing goes in the clear."""

import os
import re

import pytest

from authority import Authority, self_signed, tlsa
from peers.postfix import Postfix
from sender import wait_until

pytestmark = [
    pytest.mark.binary,
    pytest.mark.skipif(os.geteuid() != 0, reason="mail servers want to be started by root"),
]

# By their certificate; CLEAR has no TLS.
SELF, ALSO_SELF, CHAIN, CLEAR = "20.3.0.1", "20.3.0.4", "20.3.0.3", "20.3.0.2"
WRONG = "3 1 1 " + 32 * "5a"
HOSTS = {  # name: (address, TLSA records); {self} and {root} become certificates' records
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


@pytest.fixture
def world(network, sender_in, tmp_path):
    """A Postfix at each address, the zones, and a sender that has not started."""

    class World:
        def __init__(self):
            tmp_path.chmod(0o755)
            self.network = network
            self.root = Authority(tmp_path, "root")
            own = self_signed(tmp_path, "nobody.example")
            chain = self.root.issue("ta.mail.example")
            network.address(*(f"{one}/32" for one in (SELF, ALSO_SELF, CHAIN, CLEAR)))
            self.postfix = Postfix(
                tmp_path, "mail.example", host=CLEAR, port=25, prefix=network.inside, tls=False,
                more=["virtual_mailbox_domains = static:all"],
                listeners=[self.listener(SELF, *own), self.listener(ALSO_SELF, *own),
                           self.listener(CHAIN, *chain)])
            self.postfix.start()
            records = {"self311": tlsa(own[0], 3, 1, 1), "self300": tlsa(own[0], 3, 0, 0),
                       "root201": tlsa(self.root.certificate, 2, 0, 1)}
            network.zone("mail.example", zone_of(records), signed=True)
            network.zone("plain.example", zone_of(records))
            network.tamper("mail.example", "_25._tcp.bogus.mail.example.\t600\tIN\tTLSA\t3 1 1",
                           "_25._tcp.bogus.mail.example.\t600\tIN\tTLSA\t3 1 2")
            network.serve()
            self.sender = sender_in(sign=False, prefix=network.inside)
            self.sender.settings["dns"] = network.dns_options(ipv6=False)
            self.sender.settings["retry"] |= {"schedule": ["1h"]}
            self.sender.default_site |= {"sessions": 2, "idle": "0s"}

        @staticmethod
        def listener(address, certificate, key):
            return (f"{address}:25", f"-o smtpd_tls_security_level=may -o syslog_name=at-{address} "
                    f"-o smtpd_tls_cert_file={certificate} -o smtpd_tls_key_file={key}")

        def send(self, *hosts, zone="mail.example"):
            """One reader at the domain of each host; the report by host, when all had their try."""
            self.sender.create("news", [f"reader1@{host}.at.{zone}" for host in hosts])
            self.sender.wait("news", lambda s: s["delivered"] + s["deferred"] == len(hosts))
            return {line["address"].partition("@")[2].partition(".")[0]: line
                    for line in self.sender.report("news", "delivered", "deferred")}

        def arrived(self, count):
            """The hosts whose readers have mail, with what Postfix says of the session."""
            return {mail.recipient.partition("@")[2].partition(".")[0]: mail.received[0]
                    for mail in self.postfix.wait_for(count)}

        def count(self, policy, result):
            return self.sender.metric("hikyaku_tls_sessions_total", policy=policy, result=result)

    world = World()
    yield world
    world.postfix.close()
    print(f"---- postfix\n{world.postfix.log()[-10000:]}")


def test_who_proves_itself_gets_the_mail_and_nobody_else(world):
    world.sender.start()
    lines = world.send(*HOSTS)
    assert {name for name, line in lines.items() if line["outcome"] == "delivered"} == DELIVERED
    mails = world.arrived(len(DELIVERED))
    assert set(mails) == DELIVERED
    assert all("with ESMTPS" in received for received in mails.values())
    for name, words in DEFERRED.items():
        assert lines[name]["outcome"] == "deferred" and words in lines[name]["reply"], lines[name]
    assert lines["wrong"]["enhanced"] == "4.7.5" and lines["clear"]["enhanced"] == "4.7.4"
    # No envelope was ever said in the clear.
    ends = wait_until(lambda: re.findall(rf"postfix/smtpd.*disconnect from .* (ehlo=.*)",
                                         world.postfix.log()), "the session without TLS")
    assert ends and not any("mail=" in one or "rcpt=" in one for one in ends)
    assert world.count("dane", "ok") == 5 and world.count("dane-unusable", "ok") == 1
    assert world.count("opportunistic", "ok") == 1
    assert world.count("dane", "certificate") >= 2 and world.count("dane", "no-starttls") >= 1


def test_records_of_an_insecure_zone_count_for_nothing(world):
    world.sender.start()
    lines = world.send(*HOSTS, zone="plain.example")
    assert {line["outcome"] for line in lines.values()} == {"delivered"}
    mails = world.arrived(len(HOSTS))
    assert {name for name, received in mails.items() if "with ESMTPS" in received} == (
        set(HOSTS) - {"clear"})
    assert world.count("opportunistic", "plaintext") >= 1 and world.count("dane", "ok") == 0


def test_the_next_host_gets_what_the_first_one_cannot_prove(world):
    world.sender.start()
    lines = world.send("second")
    assert lines["second"]["outcome"] == "delivered"
    assert f"next.mail.example [{ALSO_SELF}]" in lines["second"]["host"]


def test_what_is_published_can_be_left_out_of_account(world):
    world.sender.default_site["tls"] = "unpublished"
    world.sender.start()
    lines = world.send("wrong", "clear", "bogus")
    assert {line["outcome"] for line in lines.values()} == {"delivered"}


def test_dane_alone_can_be_demanded(world):
    world.sender.default_site["tls"] = "dane"
    world.sender.start()
    lines = world.send("good", "bare", "unusable")
    assert {name: line["outcome"] for name, line in lines.items()} == {
        "good": "delivered", "bare": "deferred", "unusable": "deferred"}
    assert "usable TLSA records" in lines["bare"]["reply"]


def test_a_certificate_by_the_systems_roots_can_be_demanded(world, monkeypatch):
    monkeypatch.setenv("SSL_CERT_FILE", str(world.root.certificate))
    world.network.zone("web.example", f"ta A {CHAIN}\nta.at MX 10 ta.mail.example.\n"
                       f"misnamed.at MX 10 misnamed.mail.example.\nbare.at MX 10 bare.mail.example.")
    world.sender.settings["dns"] = world.network.dns_options(ipv6=False)
    for address in list(world.network.servers):
        world.network.stop_serving(address)
    world.network.serve()
    world.sender.default_site["tls"] = "verify"
    world.sender.start()
    lines = world.send("ta", "misnamed", "bare", zone="web.example")
    assert {name: line["outcome"] for name, line in lines.items()} == {
        "ta": "delivered", "misnamed": "deferred", "bare": "deferred"}
    assert world.count("verify", "ok") == 1 and world.count("verify", "certificate") >= 2
