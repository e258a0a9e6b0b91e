"""What may be called an MTA-STS policy and what may not, by a real HTTPS server that answers in good and in
bad ways (RFC 8461 section 3.3)."""

import json
import os
import subprocess
import time

import pytest

from authority import Authority
from sender import ROOT, end_process, make

pytestmark = pytest.mark.patience

# FETCH_MANY in the environment names a program that was built otherwise.
FETCH_MANY = os.environ.get("FETCH_MANY", "build/host/tests/dns/sts_fetch_many")
POLICY = "version: STSv1\r\nmode: enforce\r\nmx: mx.{0}\r\nmax_age: 86400\r\n"
PATIENCE_S = 60  # of a fetch


@pytest.fixture
def world(tmp_path):
    class World:
        def __init__(self):
            if "FETCH_MANY" not in os.environ:
                make("VARIANT=host", FETCH_MANY)
            self.folder = tmp_path / "policies"
            self.folder.mkdir()
            self.root = Authority(self.folder, "root")
            self.stranger = Authority(self.folder, "stranger")
            self.certify("default", "mta-sts.default.test")
            self.host = subprocess.Popen(
                ["/usr/bin/python3", str(ROOT / "tests/integration/policy_host.py"), "127.0.0.1:0",
                 str(self.folder)], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True)
            self.port = int(self.host.stdout.readline().split()[1])

        def certify(self, name, *names, by=None):
            chain, key = (by or self.root).issue(*names)
            chain.rename(self.folder / f"{name}.pem")
            key.rename(self.folder / f"{name}.key")

        def domain(self, domain, names=None, by=None, **said):
            """The policy host of a domain, and what it says."""
            name = f"mta-sts.{domain}"
            self.certify(name, *(names or [name]), by=by)
            said = {"body": POLICY.format(domain)} | said
            (self.folder / f"{name}.json").write_text(json.dumps(said))

        def fetch(self, *domains):
            """{domain: (mode or "-", why)}"""
            result = subprocess.run([str(ROOT / FETCH_MANY), f"127.0.0.1:{self.port}"], check=True,
                                    input="".join(f"{one}\n" for one in domains), text=True,
                                    capture_output=True, timeout=3 * PATIENCE_S,
                                    env={"SSL_CERT_FILE": str(self.root.certificate),
                                         "https_proxy": "http://127.0.0.1:9"})
            return {row[0]: (row[1], row[2])
                    for row in (line.split("\t") for line in result.stdout.splitlines())}

    world = World()
    yield world
    end_process(world.host)
    world.host.stdout.close()


def test_a_policy_is_fetched_from_its_own_place(world):
    world.domain("good.test")
    world.domain("charset.test", type="Text/Plain; charset=utf-8")
    assert world.fetch("good.test", "charset.test") == {"good.test": ("enforce", ""),
                                                        "charset.test": ("enforce", "")}
    asked = (world.folder / "asked").read_text().splitlines()
    assert sorted(asked) == ["mta-sts.charset.test /.well-known/mta-sts.txt",
                             "mta-sts.good.test /.well-known/mta-sts.txt"]


def test_what_is_no_policy_is_not_taken_for_one(world):
    world.domain("target.test")
    world.domain("moved.test", status=301,
                 location=f"https://mta-sts.target.test:{world.port}/.well-known/mta-sts.txt")
    world.domain("absent.test", status=404)
    world.domain("page.test", type="text/html")
    world.domain("nonsense.test", body="hello")
    world.domain("large.test", body=POLICY.format("large.test") + "x: y\r\n" * 11000)
    found = world.fetch("moved.test", "absent.test", "page.test", "nonsense.test", "large.test")
    assert {mode for mode, _ in found.values()} == {"-"}
    assert "301" in found["moved.test"][1] and "404" in found["absent.test"][1]
    assert "plain text" in found["page.test"][1] and "malformed" in found["nonsense.test"][1]
    assert "target.test" not in (world.folder / "asked").read_text()


def test_the_host_must_prove_its_name_by_a_trusted_root(world):
    world.domain("other.test", names=["mta-sts.somebody.test"])
    world.domain("bare.test", names=["bare.test"])
    world.domain("stranger.test", by=world.stranger)
    found = world.fetch("other.test", "bare.test", "stranger.test", "unknown.test")
    assert {mode for mode, _ in found.values()} == {"-"}
    assert not (world.folder / "asked").exists()


def test_slow_hosts_are_given_up_and_keep_nobody_waiting(world):
    world.domain("quick.test")
    for number in range(70):
        name = f"mta-sts.slow{number}.test"
        for end in ("pem", "key"):
            (world.folder / f"{name}.{end}").write_bytes(
                (world.folder / f"mta-sts.quick.test.{end}").read_bytes())
        (world.folder / f"{name}.json").write_text(json.dumps({"wait": 300}))
    world.domain("endless.test", wait=300)
    started = time.monotonic()
    found = world.fetch("endless.test", "quick.test", *(f"slow{n}.test" for n in range(70)))
    assert time.monotonic() - started < PATIENCE_S + 15
    assert found["quick.test"][0] == "enforce" and found["endless.test"][0] == "-"
