"""`dig`, `mx`, `ping`, `connect`, `check identity`: against a name server and hosts of the test."""

import json
import os
import pathlib
import re
import signal
import ssl
import socket
import subprocess
import threading
import time

import pytest

from console_world import PROGRAM, ROOT
from fake_init import RECORD
from name_server import NameServer

pytestmark = pytest.mark.binary

CUSTOMER = """
customer "example.jp" {{
	address "20.0.2.10" {{ ehlo = "mail.example.jp" }}
	address "2a00:1::10" {{ ehlo = "mail.example.jp" }}
	dkim "s2026" {{ key = "/data/send/keys/k.pem" }}
}}
"""
KEY = RECORD.split("p=")[1]
ZONES = ("example.jp", "example.com", "2.0.20.in-addr.arpa", "0.0.a.2.ip6.arpa")
PTR4 = "10.2.0.20.in-addr.arpa"
PTR6 = "0.1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.1.0.0.0.0.0.a.2.ip6.arpa"


@pytest.fixture
def names(appliance):
    server = NameServer()
    (appliance.etc / "hikyaku.conf").write_text(
        f'control = "{appliance.folder}/send.sock"\n' + server.options(*ZONES) +
        CUSTOMER.format())
    yield server
    server.close()


def publish_all(names):
    for name in ("mail.example.jp",):
        names.add(name, "A", "20.0.2.10")
        names.add(name, "AAAA", "2a00:1::10")
    names.add(PTR4, "PTR", "mail.example.jp.")
    names.add(PTR6, "PTR", "mail.example.jp.")
    names.add("example.jp", "TXT", '"v=spf1 ip4:20.0.2.10 ip6:2a00:1::10 -all"', '"else"')
    names.add("example.jp", "MX", "10 mail.example.jp.")
    names.add("_dmarc.example.jp", "TXT", '"v=DMARC1; p=reject; rua=mailto:d@example.jp"')
    names.add("s2026._domainkey.example.jp", "TXT", f'"{RECORD[:200]}" "{RECORD[200:]}"')


# ---- dig, mx ----


def test_dig_shows_records_as_zone_files_have_them(appliance, names):
    publish_all(names)
    names.add("example.jp", "CAA", '0 issue "ca.example"')
    assert "IN MX" in appliance.run("dig mx example.jp")[1]
    code, out, err = appliance.run("dig example.jp MX")
    assert (code, err) == (0, "")
    assert out.splitlines()[0] == "example.jp. 60 IN MX 10 mail.example.jp."
    assert re.fullmatch(r"ok, insecure, \d+ ms", out.splitlines()[1])
    assert 'IN TXT "v=spf1 ip4:20.0.2.10' in appliance.run("dig example.jp. txt")[1]
    assert '0 issue "ca.example"' in appliance.run("dig EXAMPLE.jp CAA")[1]
    assert f"{PTR4}. 60 IN PTR mail.example.jp." in appliance.run("dig 20.0.2.10")[1]
    code, out, _ = appliance.run("dig mail.example.jp AAAA --json")
    assert json.loads(out)["records"] == ["2a00:1::10"] and json.loads(out)["trust"] == "insecure"


def test_dig_says_what_is_not_there_and_exits_with_one(appliance, names):
    publish_all(names)
    code, out, _ = appliance.run("dig nothing.example.jp")
    assert code == 1 and out.startswith("no such name, insecure")
    code, out, _ = appliance.run("dig example.jp SRV")
    assert code == 1 and out.startswith("no such record, insecure")
    code, _, err = appliance.run("dig example.jp NONSENSE")
    assert code == 2 and '"NONSENSE" is not A, AAAA' in err
    assert appliance.run("dig 'a b'")[0] == 2


def test_dig_tells_what_dnssec_says(appliance, tmp_path):
    ports = [free_port(), free_port()]
    server = subprocess.Popen([ROOT / "tests/dns/serve-zones", tmp_path / "zones", *map(str, ports)],
                              stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        anchors = tmp_path / "zones" / "anchors"
        end = time.monotonic() + 60
        while not anchors.exists():
            assert time.monotonic() < end
            time.sleep(0.05)
        lines = ", ".join('"' + " ".join(line.split()) + '"' for line in
                          anchors.read_text().splitlines())
        stubs = ", ".join(f'"{zone} 127.0.0.1@{ports[0]}"' for zone in
                          ("plain.example", "signed.example", "broken.example"))
        (appliance.etc / "hikyaku.conf").write_text(
            f"dns {{ stub-zones = {{{stubs}}}\n trust-anchors = {{{lines}}} }}\n"
            + CUSTOMER.format())
        assert "ok, secure," in appliance.run("dig one.signed.example MX")[1]
        assert "no such name, secure," in appliance.run("dig absent.signed.example")[1]
        assert "ok, insecure," in appliance.run("dig one.plain.example MX")[1]
        code, out, _ = appliance.run("dig bad.broken.example")
        assert code == 1 and out.startswith("bogus, bogus,") and "20.0.0." not in out
    finally:
        server.send_signal(signal.SIGTERM)
        server.wait(20)


def test_mx_shows_where_mail_goes_and_why_not(appliance, names):
    names.add("example.com", "MX", "20 b.example.com.", "10 a.example.com.")
    names.add("a.example.com", "A", "20.0.0.1")
    names.add("b.example.com", "A", "20.0.0.2")
    code, out, _ = appliance.run("mx example.com")
    assert code == 0
    assert out == ("pref  host           address   \n"
                   "  10  a.example.com  20.0.0.1  insecure\n"
                   "  20  b.example.com  20.0.0.2  insecure\n"
                   "insecure, for another 60 s\n")
    code, _, err = appliance.run("mx nothing.example.com")
    assert code == 1 and "nothing.example.com" in err


# ---- ping ----


def test_ping_counts_answers(appliance):
    # As on the appliance, groups may have sockets for echoes; in a network of its own, since the
    # range is one of the network's settings.
    inside = "ip link set lo up; echo 0 4294967294 >/proc/sys/net/ipv4/ping_group_range; " \
        "exec \"$0\" console -c 'ping 127.0.0.1 --count 2'"
    done = subprocess.run(["unshare", "-n", "sh", "-c", inside, PROGRAM], capture_output=True,
                          text=True, env=appliance.environment | {"PATH": os.environ["PATH"]},
                          timeout=60)
    assert re.fullmatch(r"127\.0\.0\.1: answer 1 after \d+\.\d\d ms\n"
                        r"127\.0\.0\.1: answer 2 after \d+\.\d\d ms\n"
                        r"2 of 2 answered, \d+\.\d\d ms on average\n", done.stdout), done
    assert done.returncode == 0


# ---- connect ----


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Host:
    """A receiving host that follows a script; what it was told is kept in `heard`."""

    def __init__(self, greeting="220 mx.example.com ESMTP", certificate=None, silent=False):
        self.greeting, self.certificate, self.silent = greeting, certificate, silent
        self.heard = []
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self):
        connection, _ = self.listener.accept()
        stream = connection.makefile("rwb")
        stream.write(self.greeting.encode() + b"\r\n")
        stream.flush()
        for line in stream:
            word = line.decode().strip()
            self.heard.append(word)
            if word == "STARTTLS":
                stream.write(b"220 go on\r\n")
                stream.flush()
                context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
                context.load_cert_chain(self.certificate)
                connection = context.wrap_socket(connection, server_side=True)
                self.certificate = None
                return self._go_on(connection)
            self._reply(stream, word)

    def _go_on(self, connection):
        stream = connection.makefile("rwb")
        for line in stream:
            self.heard.append(line.decode().strip())
            self._reply(stream, self.heard[-1])

    def _reply(self, stream, word):
        if word.startswith("EHLO"):
            tls = b"250-STARTTLS\r\n" if self.certificate else b""
            stream.write(b"250-mx.example.com\r\n" + tls + b"250 SIZE 1000\r\n")
        else:
            stream.write(b"221 bye \x1b[2J\r\n")
        stream.flush()


@pytest.fixture
def certificate(tmp_path):
    path = tmp_path / "host.pem"
    subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", path, "-out",
                    f"{path}.crt", "-days", "30", "-subj", "/CN=mx.example.com", "-addext",
                    "subjectAltName=DNS:mx.example.com,DNS:mx2.example.com"],
                   check=True, capture_output=True)
    path.write_bytes(path.read_bytes() + pathlib.Path(f"{path}.crt").read_bytes())
    return path


def spoken(out):
    return [line[8:] for line in out.splitlines()]


def test_connect_shows_the_dialogue_with_tls_and_sends_no_mail(appliance, names, certificate):
    host = Host(certificate=certificate)
    code, out, err = appliance.run(f"connect 127.0.0.1 --port {host.port}")
    assert (code, err) == (0, "")
    assert all(re.match(r" *\d+\.\d{3} (->|<-|\*\*) ", line) for line in out.splitlines())
    lines = spoken(out)
    assert lines[:8] == [f"** 127.0.0.1 at 127.0.0.1:{host.port}", "** connected",
                         "<- 220 mx.example.com ESMTP", "-> EHLO mail.example.jp",
                         "<- 250-mx.example.com", "<- 250-STARTTLS", "<- 250 SIZE 1000", "-> STARTTLS"]
    assert "** certificate of /CN=mx.example.com" in lines
    assert "**   for mx.example.com mx2.example.com" in lines
    assert any(line.startswith("** TLS TLSv1.3, ") for line in lines)
    assert any(line.startswith("**   not to be trusted: ") for line in lines)
    assert lines[-2:] == ["-> QUIT", "<- 221 bye \\x1b[2J"]
    assert host.heard == ["EHLO mail.example.jp", "STARTTLS", "EHLO mail.example.jp", "QUIT"]


def test_connect_without_tls_says_so(appliance, names):
    host = Host()
    code, out, _ = appliance.run(f"connect 127.0.0.1 --port {host.port} --ehlo me.example.jp")
    assert code == 0 and "** no STARTTLS: mail goes there in the clear" in spoken(out)
    assert host.heard == ["EHLO me.example.jp", "QUIT"]


def test_connect_tells_a_refusal_and_a_dead_host(appliance, names):
    host = Host(greeting="554 no mail from you")
    code, out, err = appliance.run(f"connect 127.0.0.1 --port {host.port}")
    assert code == 1 and "<- 554 no mail from you" in spoken(out)
    assert err == "127.0.0.1: the host takes no mail from us\n"
    code, _, err = appliance.run(f"connect 127.0.0.1 --port {free_port()}")
    assert code == 1 and "Connection refused" in err


def test_connect_goes_by_the_mx_of_a_domain(appliance, names):
    conf = appliance.etc / "hikyaku.conf"
    conf.write_text(conf.read_text().replace(
        "dns {", 'dns {\n\tallow-destinations = {"127.0.0.0/8"}'))
    host = Host()
    names.add("example.com", "MX", "10 a.example.com.", "20 b.example.com.")
    names.add("a.example.com", "A", "127.0.0.77")  # nobody listens there
    names.add("b.example.com", "A", "127.0.0.1")
    code, out, _ = appliance.run(f"connect example.com --port {host.port}")
    assert code == 0
    assert out.startswith("MX 10 a.example.com\nMX 20 b.example.com\n")
    assert any("b.example.com at 127.0.0.1" in line for line in out.splitlines())
    assert host.heard[-1] == "QUIT"


# ---- check identity ----


def verdicts(out):
    return {" ".join(line.split()[1:3]): line.split()[0] for line in out.splitlines()
            if line.startswith(("pass", "warn", "FAIL"))}


def test_an_identity_that_is_published_passes(appliance, names):
    publish_all(names)
    code, out, err = appliance.run("check identity")
    assert (code, err) == (0, "")
    assert out.startswith("identity of example.jp, as mail.example.jp\n")
    assert set(verdicts(out).values()) == {"pass"} and len(verdicts(out)) == 9
    assert "To publish" not in out
    assert re.search(r"pass  DMARC +p=reject, of example\.jp", out)
    code, out, _ = appliance.run("check identity example.jp --json")
    assert json.loads(out)["ok"] is True


def test_what_is_missing_fails_with_the_record_to_publish(appliance, names):
    names.add("example.jp", "A", "20.0.2.99")
    code, out, _ = appliance.run("check identity")
    assert code == 1
    assert verdicts(out) == {
        "PTR 20.0.2.10": "FAIL", "EHLO 20.0.2.10": "FAIL", "PTR 2a00:1::10": "FAIL",
        "EHLO 2a00:1::10": "FAIL", "SPF 20.0.2.10": "FAIL", "SPF 2a00:1::10": "FAIL",
        "DKIM s2026": "FAIL", "DMARC no": "FAIL", "MX no": "warn"}
    assert "ask your provider for the PTR 20.0.2.10 -> mail.example.jp" in out
    assert "mail.example.jp. IN AAAA 2a00:1::10" in out
    assert 'example.jp. IN TXT "v=spf1 ip4:20.0.2.10 ip6:2a00:1::10 -all"' in out
    assert f's2026._domainkey.example.jp. IN TXT "{RECORD[:255]}" "{RECORD[255:]}"' in out
    assert '_dmarc.example.jp. IN TXT "v=DMARC1; p=none; rua=mailto:dmarc@example.jp"' in out


@pytest.mark.parametrize("name, kind, text, check, verdict", [
    (PTR4, "PTR", "other.example.jp.", "PTR 20.0.2.10", "FAIL"),  # not confirmed
    (PTR4, "PTR", "also.example.jp.", "PTR 20.0.2.10", "warn"),   # confirmed, but not in EHLO
    ("s2026._domainkey.example.jp", "TXT", '"v=DKIM1; k=rsa; p=AAAA"', "DKIM s2026", "FAIL"),
    ("s2026._domainkey.example.jp", "TXT", f'"p={KEY[:200]} " "{KEY[200:]}"', "DKIM s2026", "pass"),
    ("example.jp", "TXT", '"v=spf1 -all"', "SPF 20.0.2.10", "FAIL"),
    ("example.jp", "TXT", '"v=spf1 ~all"', "SPF 20.0.2.10", "FAIL"),
    ("example.jp", "TXT", '"v=spf1 mx a:mail.example.jp -all"', "SPF 20.0.2.10", "pass"),
    ("example.jp", "TXT", '"v=spf1 ip4:20.0.2.0/28 -all"', "SPF 20.0.2.10", "pass"),
    ("example.jp", "TXT", '"v=spf1 ip4:20.0.2.0/29 -all"', "SPF 20.0.2.10", "FAIL"),
    ("example.jp", "TXT", '"v=spf1 include:spf.example.com -all"', "SPF 20.0.2.10", "pass"),
    ("example.jp", "TXT", '"v=spf1 redirect=spf.example.com"', "SPF 20.0.2.10", "pass"),
    ("example.jp", "TXT", '"v=spf1 include:loop.example.com -all"', "SPF 20.0.2.10", "FAIL"),
    ("example.jp", "TXT", '"v=spf1 include:absent.example.com -all"', "SPF 20.0.2.10", "FAIL"),
    ("example.jp", "TXT", '"v=spf1 exists:%{i}.example.com -all"', "SPF 20.0.2.10", "pass"),
    ("example.jp", "TXT", '"v=spf1 nonsense -all"', "SPF 20.0.2.10", "FAIL"),
    ("_dmarc.example.jp", "TXT", '"v=DMARC1; rua=mailto:x@example.jp"', "DMARC the", "FAIL"),
])
def test_records_that_are_there_are_judged(appliance, names, name, kind, text, check, verdict):
    publish_all(names)
    names.add("also.example.jp", "A", "20.0.2.10")
    names.add("20.0.2.10.example.com", "A", "127.0.0.2")
    names.add("spf.example.com", "TXT", '"v=spf1 ip4:20.0.2.10 -all"')
    names.add("loop.example.com", "TXT", '"v=spf1 include:loop.example.com -all"')
    names.records[(name, kind)] = [text]
    code, out, _ = appliance.run("check identity")
    assert verdicts(out)[check] == verdict, out
    assert code == (0 if "FAIL" not in verdicts(out).values() else 1)


def test_two_spf_records_are_an_error(appliance, names):
    publish_all(names)
    names.add("example.jp", "TXT", '"v=spf1 -all"')
    out = appliance.run("check identity")[1]
    assert verdicts(out)["SPF 20.0.2.10"] == "FAIL" and "more than one record" in out


def test_the_policy_of_a_domain_above_counts(appliance, names):
    publish_all(names)
    conf = appliance.etc / "hikyaku.conf"
    conf.write_text(conf.read_text().replace('customer "example.jp"', 'customer "news.example.jp"'))
    out = appliance.run("check identity")[1]
    assert "p=reject, of example.jp" in out


@pytest.mark.parametrize("change, line", [
    (None, "PTR       20.0.2.10 is mail.example.jp, confirmed"),
    ((PTR4, "PTR", []), "PTR       20.0.2.10: NONE (no such name)"),
    ((PTR4, "PTR", ["other.example.jp."]),
     "PTR       20.0.2.10 is other.example.jp, NOT CONFIRMED by its address records"),
])
def test_the_status_tells_the_name_that_receivers_see(appliance, names, change, line):
    publish_all(names)
    if change:
        names.records[change[:2]] = change[2]
        names.records = {key: texts for key, texts in names.records.items() if texts}
    assert line in appliance.run("status")[1].splitlines()
