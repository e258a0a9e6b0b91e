"""What MX selection asks on the wire. A relay stands between the resolver and a real name server (nsd),
writes down every question, and can make a question fail; so these tests see what was never asked."""

import collections
import os
import pathlib
import signal
import socket
import struct
import subprocess
import time

import dns.message
import dns.rcode
import pytest

from dns_port import DnsPort
from ports import free_port

ROOT = pathlib.Path(__file__).resolve().parents[2]
LOOKUP_MANY = ROOT / "build/host/tests/dns/lookup_many"
SERVE_ZONES = ROOT / "tests/dns/serve-zones"


@pytest.fixture(scope="module")
def lookup_many():
    """The program under test. LOOKUP_MANY in the environment names one that was built otherwise."""
    program = os.environ.get("LOOKUP_MANY")
    if not program:
        program = str(LOOKUP_MANY)
        subprocess.run(["make", "-s", "VARIANT=host", str(LOOKUP_MANY.relative_to(ROOT))],
                       cwd=ROOT, check=True)
    return program


class Zones:
    def __init__(self, folder):
        self.port, self.other_port = free_port(), free_port()
        self.process = subprocess.Popen(
            [str(SERVE_ZONES), str(folder), str(self.port), str(self.other_port)])
        for port in (self.port, self.other_port):
            self.wait_for(port)
        self.anchors = (folder / "anchors").read_text().splitlines()

    def wait_for(self, port):
        end = time.monotonic() + 60
        while True:
            try:
                socket.create_connection(("127.0.0.1", port)).close()
                return
            except ConnectionRefusedError:
                assert self.process.poll() is None and time.monotonic() < end
                time.sleep(0.05)

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(timeout=20)


@pytest.fixture(scope="module")
def zones(tmp_path_factory):
    zones = Zones(tmp_path_factory.mktemp("zones"))
    yield zones
    zones.stop()


class Relay(DnsPort):
    """Passes questions on and answers back, over UDP and TCP on one port of its own."""

    def __init__(self, upstream):
        self.upstream = ("127.0.0.1", upstream)
        self.asked = []  # (name, type, transport)
        self.fails = {}  # (name, type) -> rcode, or None for silence
        super().__init__()

    def answer(self, question, transport):
        message, name, kind = self.asked_by(question)
        self.asked.append((name, kind, transport))
        if (name, kind) in self.fails:
            rcode = self.fails[name, kind]
            if rcode is None:
                return None
            reply = dns.message.make_response(message)
            reply.set_rcode(rcode)
            return reply.to_wire()
        return self.pass_on(question, transport)

    def pass_on(self, question, transport):
        if transport == "udp":
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server:
                server.settimeout(5)
                server.connect(self.upstream)
                server.send(question)
                return server.recv(65535)
        with socket.create_connection(self.upstream, 5) as server, \
                server.makefile("rwb") as stream:
            stream.write(struct.pack("!H", len(question)) + question)
            stream.flush()
            return stream.read(struct.unpack("!H", stream.read(2))[0])

    def questions(self):
        return [(name, kind) for name, kind, _ in self.asked]


@pytest.fixture
def relay(zones):
    relay = Relay(zones.port)
    yield relay
    relay.close()


Answer = collections.namedtuple("Answer", "domain status secure ttl hosts")


@pytest.fixture
def look_up(lookup_many, relay, zones):
    def run(*domains, timeout_ms=20000, extra=()):
        args = [lookup_many, "--no-root-anchor", "--timeout", str(timeout_ms)]
        for zone in ("plain.example", "signed.example", "broken.example", "lame.example"):
            args += ["--stub", f"{zone} 127.0.0.1@{relay.port}"]
        for anchor in zones.anchors:
            args += ["--anchor", anchor]
        done = subprocess.run([*args, *extra], input="".join(f"{d}\n" for d in domains),
                              capture_output=True, text=True, timeout=120)
        assert done.returncode == 0, done.stderr
        rows = [line.split("\t") for line in done.stdout.splitlines()]
        answers = [Answer(r[0], r[1], r[2] == "secure", int(r[3]), r[4:]) for r in rows]
        assert sorted(a.domain for a in answers) == sorted(domains)
        return answers
    return run


def test_an_answer_has_hosts_by_preference_with_their_addresses(look_up):
    [answer] = look_up("two.plain.example")
    assert answer.status == "ok" and not answer.secure
    assert answer.hosts == ["mx1.plain.example/10=[2a00:1::1]:25,20.0.0.1:25",
                            "mx2.plain.example/20=20.0.0.2:25"]


def test_a_thousand_lookups_of_one_name_ask_once(look_up, relay):
    answers = look_up(*["one.plain.example"] * 1000)
    assert {a.status for a in answers} == {"ok"}
    assert sorted(relay.questions()) == [("mx1.plain.example", "A"), ("mx1.plain.example", "AAAA"),
                                         ("one.plain.example", "MX")]


def test_names_that_share_a_host_ask_for_its_address_once(look_up, relay):
    names = [f"n{i}.plain.example" for i in range(1, 401)]
    answers = look_up(*names)
    assert {a.status for a in answers} == {"ok"}
    counts = collections.Counter(relay.questions())
    assert counts["mx1.plain.example", "A"] == 1
    assert all(counts[name, "MX"] == 1 for name in names)


def test_a_null_mx_asks_for_no_address(look_up, relay):
    [answer] = look_up("null.plain.example")
    assert answer.status == "null" and answer.hosts == []
    assert relay.questions() == [("null.plain.example", "MX")]


def test_nxdomain_asks_nothing_more(look_up, relay):
    [answer] = look_up("absent.plain.example")
    assert answer.status == "no-domain"
    assert relay.questions() == [("absent.plain.example", "MX")]


@pytest.mark.parametrize("rcode", [dns.rcode.SERVFAIL, dns.rcode.REFUSED, dns.rcode.NOTIMP])
def test_a_failed_mx_query_never_falls_back_to_the_address(look_up, relay, rcode):
    relay.fails["implicit.plain.example", "MX"] = rcode
    [answer] = look_up("implicit.plain.example")
    assert answer.status == "temporary" and answer.hosts == []
    assert set(relay.questions()) == {("implicit.plain.example", "MX")}


def test_an_mx_query_without_an_answer_never_falls_back_to_the_address(look_up, relay):
    relay.fails["implicit.plain.example", "MX"] = None
    [answer] = look_up("implicit.plain.example", timeout_ms=1500)
    assert answer.status == "temporary" and answer.hosts == []
    assert set(relay.questions()) == {("implicit.plain.example", "MX")}


def test_without_mx_records_the_address_is_asked_for(look_up, relay):
    [answer] = look_up("implicit.plain.example")
    assert answer.status == "ok"
    assert answer.hosts == ["implicit.plain.example/0=[2a00:1::4]:25,20.0.0.4:25"]
    assert set(relay.questions()) == {("implicit.plain.example", kind)
                                      for kind in ("MX", "A", "AAAA")}


def test_one_failed_address_query_leaves_the_other_family(look_up, relay):
    relay.fails["mx1.plain.example", "AAAA"] = dns.rcode.SERVFAIL
    [answer] = look_up("one.plain.example")
    assert answer.status == "ok" and answer.hosts == ["mx1.plain.example/10=20.0.0.1:25"]
    assert answer.ttl <= 300


def test_failed_address_queries_are_temporary_and_never_no_host(look_up, relay):
    relay.fails["mx1.plain.example", "AAAA"] = dns.rcode.SERVFAIL
    relay.fails["mx1.plain.example", "A"] = dns.rcode.SERVFAIL
    [answer] = look_up("one.plain.example")
    assert answer.status == "temporary" and answer.hosts == []


def test_names_that_are_no_hosts_are_not_asked_for(look_up, relay):
    # With the root as a stub, too, no question can pass the relay by.
    answers = {a.domain: a.status for a in look_up(
        "local.plain.example", "literal.plain.example", extra=["--stub", f". 127.0.0.1@{relay.port}"])}
    assert answers == {"local.plain.example": "only-forbidden", "literal.plain.example": "no-host"}
    assert sorted(relay.questions()) == [("literal.plain.example", "MX"),
                                         ("local.plain.example", "MX")]


def test_what_is_no_domain_is_not_asked_for(look_up, relay):
    answers = look_up("192.0.2.1", "[192.0.2.1]", "a b.plain.example", "a..plain.example")
    assert {a.status for a in answers} == {"no-domain"}
    assert relay.asked == []


def test_a_big_answer_comes_over_tcp_and_only_the_best_hosts_are_asked_for(look_up, relay):
    [answer] = look_up("big.plain.example")
    assert answer.status == "ok" and len(answer.hosts) == 16
    transports = [t for name, kind, t in relay.asked if (name, kind) == ("big.plain.example", "MX")]
    assert transports == ["udp", "tcp"]
    hosts = {name for name, kind in relay.questions() if kind in ("A", "AAAA")}
    assert len(hosts) == 16
    assert hosts == {h.partition("/")[0] for h in answer.hosts}
    assert sum("/5=" in h for h in answer.hosts) == 10


def test_a_cname_loop_ends_after_a_few_questions(look_up, relay):
    answers = look_up("loop1.plain.example", "self.plain.example")
    assert {a.status for a in answers} == {"temporary"}
    assert len(relay.asked) < 40


def test_a_long_cname_chain_is_cut(look_up, relay, zones):
    other = Relay(zones.other_port)
    try:
        [answer] = look_up("deep1.plain.example",
                           extra=["--stub", f"other.example 127.0.0.1@{other.port}"])
    finally:
        other.close()
    assert answer.status == "temporary"
    assert 10 <= len(relay.asked) + len(other.asked) <= 14


def test_signed_is_secure_and_tampered_is_bogus(look_up):
    answers = {a.domain: a for a in look_up("one.signed.example", "absent.signed.example",
                                            "one.broken.example", "brokenhost.plain.example")}
    assert answers["one.signed.example"].status == "ok" and answers["one.signed.example"].secure
    assert answers["absent.signed.example"].status == "no-domain"
    assert answers["absent.signed.example"].secure
    assert answers["one.broken.example"].status == "bogus"
    assert answers["brokenhost.plain.example"].status == "bogus"


def test_addresses_inside_are_given_only_when_allowed(look_up):
    [answer] = look_up("inside.plain.example")
    assert answer.status == "only-forbidden" and answer.hosts == []
    [answer] = look_up("inside.plain.example", extra=["--allow", "10.0.0.0/8"])
    assert answer.hosts == ["inner.plain.example/10=10.0.0.5:25"]


def test_a_server_that_does_not_know_the_zone_is_temporary(look_up):
    [answer] = look_up("x.lame.example")
    assert answer.status == "temporary"
