"""MTA-STS (RFC 8461): policies from a real HTTPS server, kept to against a real Postfix. What a policy does
not allow is not delivered, what it only tests is counted, and it holds when it cannot be fetched again."""

import json
import os
import subprocess

import pytest

from authority import tlsa
from secured import ALSO_SELF, CHAIN, CLEAR, SELF, Secured
from sender import ROOT, end_process

pytestmark = [
    pytest.mark.binary,
    pytest.mark.skipif(os.geteuid() != 0, reason="mail servers want to be started by root"),
]

POLICIES = "20.3.0.9"
HOSTS = f"mx A {CHAIN}\nself A {SELF}\nclear A {CLEAR}\nmx2 A {ALSO_SELF}\n"
# domain: (its hosts, mode, hosts of the policy); mode "": announced, and not to be had
DOMAINS = {
    "good": ("mx", "enforce", "mx.mail.example"),
    "wild": ("mx", "enforce", "*.mail.example"),
    "stranger": ("self", "enforce", "mx.mail.example"),
    "badcert": ("self", "enforce", "self.mail.example"),
    "clear": ("clear", "enforce", "clear.mail.example"),
    "second": ("self mx", "enforce", "mx.mail.example"),
    "testing": ("self", "testing", "self.mail.example"),
    "testother": ("self", "testing", "mx.mail.example"),
    "testgood": ("mx", "testing", "mx.mail.example"),
    "none": ("self", "none", ""),
    "absent": ("self", "", ""),
    "silent": ("self", None, ""),
}
DELIVERED = {"good", "wild", "second", "testing", "testother", "testgood", "none", "absent", "silent"}
DEFERRED = {"stranger": "MTA-STS policy names", "badcert": "the domain's MTA-STS policy demands",
            "clear": "does not offer the TLS that the domain's MTA-STS policy demands"}


@pytest.fixture
def world(network, sender_in, tmp_path, monkeypatch):
    class World(Secured):
        def __init__(self):
            super().__init__(tmp_path, network, sender_in, ["mx.mail.example"])
            monkeypatch.setenv("SSL_CERT_FILE", str(self.root.certificate))
            network.address(f"{POLICIES}/32")
            self.policies = tmp_path / "policies"
            self.policies.mkdir()
            self.certify("mta-sts.default.example", "default")
            self.host = None
            self.lines = [HOSTS]

        def certify(self, name, file=None):
            for path, end in zip(self.root.issue(name), ("pem", "key")):
                path.rename(self.policies / f"{file or name}.{end}")

        def publish(self, domain, mode, patterns, age=86400, zone="mail.example"):
            name = f"mta-sts.{domain}.{zone}"
            lines = ["version: STSv1", f"mode: {mode}", f"max_age: {age}",
                     *(f"mx: {one}" for one in patterns.split())]
            said = {"body": "\r\n".join(lines)} if mode else {"status": 404}
            (self.policies / f"{name}.json").write_text(json.dumps(said))
            if not (self.policies / f"{name}.pem").exists():
                self.certify(name)

        def domain(self, name, hosts, mode, patterns):
            self.lines += [f"{name} MX {number}0 {host}"
                           for number, host in enumerate(hosts.split(), 1)]
            if mode is not None:
                self.publish(name, mode, patterns)
                self.lines += [f'_mta-sts.{name} TXT "v=STSv1; id=1;"',
                               f"mta-sts.{name} A {POLICIES}"]

        def serve_policies(self):
            self.host = subprocess.Popen(
                [*network.inside, "/usr/bin/python3",
                 str(ROOT / "tests/integration/policy_host.py"), f"{POLICIES}:443",
                 str(self.policies)], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True)
            assert self.host.stdout.readline().startswith("listening ")

        def asked(self):
            path = self.policies / "asked"
            return path.read_text().splitlines() if path.exists() else []

        def begin(self, *names):
            for name in names:
                self.domain(name, *DOMAINS[name])
            network.zone("mail.example", "\n".join(self.lines))
            self.serve_policies()
            self.sender.default_site["connect-timeout"] = "5s"
            self.start()

        def stop_policies(self):
            end_process(self.host)
            self.host.stdout.close()
            self.host = None

        def close(self):
            if self.host:
                self.stop_policies()
            super().close()

    world = World()
    yield world
    world.close()


def at(*names):
    return [f"{name}.mail.example" for name in names]


def test_policies_are_kept_to(world):
    world.begin(*DOMAINS)
    lines = world.send(*at(*DOMAINS))
    assert {name for name, line in lines.items() if line["outcome"] == "delivered"} == DELIVERED
    assert set(world.arrived(len(DELIVERED))) == DELIVERED
    for name, words in DEFERRED.items():
        assert lines[name]["outcome"] == "deferred" and words in lines[name]["reply"], lines[name]
    assert lines["badcert"]["enhanced"] == "4.7.5" and lines["clear"]["enhanced"] == "4.7.4"
    assert CHAIN in lines["second"]["host"]
    assert world.count("sts", "ok") == 3 and world.count("sts", "certificate") >= 1
    assert world.count("sts", "no-starttls") >= 1
    assert world.count("sts-testing", "ok") == 1 and world.count("sts-testing", "certificate") == 1
    assert world.count("sts-testing-unlisted-mx", "ok") == 1
    assert world.sender.metric("hikyaku_mta_sts_policies_fetched_total") == len(DOMAINS) - 2
    assert world.sender.metric("hikyaku_mta_sts_fetches_failed_total") == 1
    announced = {name for name, (_, mode, _) in DOMAINS.items() if mode is not None}
    assert sorted(world.asked()) == sorted(
        f"mta-sts.{name}.mail.example /.well-known/mta-sts.txt" for name in announced)


def test_a_policy_outlives_its_host_its_announcement_and_the_sender(world):
    world.begin("badcert", "good")
    assert world.send(*at("badcert"))["badcert"]["outcome"] == "deferred"
    assert world.send(*at("good"))["good"]["outcome"] == "delivered"
    assert world.sender.stop() == 0
    world.stop_policies()
    world.network.zone("mail.example", HOSTS + "badcert MX 10 self\ngood MX 10 mx")
    for address in list(world.network.servers):
        world.network.stop_serving(address)
    world.start()
    assert world.send(*at("badcert"))["badcert"]["outcome"] == "deferred"
    assert world.send(*at("good"))["good"]["outcome"] == "delivered"
    assert len(world.asked()) == 2


def test_dane_comes_before_a_policy(world):
    record = tlsa(world.chain[0], 3, 1, 1)
    world.network.zone(
        "dane.example", f"mx A {CHAIN}\n_25._tcp.mx TLSA {record}\nx MX 10 mx\n"
        f'_mta-sts.x TXT "v=STSv1; id=1"\nmta-sts.x A {POLICIES}', signed=True)
    world.publish("x", "enforce", "elsewhere.example", zone="dane.example")
    world.begin("good")
    lines = world.send("x.dane.example")
    assert lines["x"]["outcome"] == "delivered", lines
    assert world.count("dane", "ok") == 1 and len(world.asked()) == 1


def test_policies_can_be_left_out_of_account(world):
    world.sender.default_site["tls"] = "unpublished"
    world.begin("stranger", "clear")
    lines = world.send(*at("stranger", "clear"))
    assert {line["outcome"] for line in lines.values()} == {"delivered"}
