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
from identity_world import CUSTOMER, KEY, PTR4, publish_all, replace
from name_server import NameServer
from ports import free_port

pytestmark = pytest.mark.binary

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
    rows = [re.split("  +", line) for line in out.splitlines()]
    return {row[1]: row[0] for row in rows if row[0] in ("pass", "info", "warn", "FAIL")}


def found(out, check):
    rows = [re.split("  +", line, maxsplit=2) for line in out.splitlines()]
    return next(row[2] for row in rows if len(row) == 3 and row[1] == check)


def customer_is(appliance, domain):
    conf = appliance.etc / "hikyaku.conf"
    conf.write_text(re.sub('customer "[^"]*"', f'customer "{domain}"', conf.read_text()))


def test_an_identity_that_is_published_passes(appliance, names):
    publish_all(names)
    code, out, err = appliance.run("check identity")
    assert (code, err) == (0, "")
    assert out.startswith("identity of example.jp, as mail.example.jp\n")
    assert set(verdicts(out).values()) == {"pass"}
    assert set(verdicts(out)) == {
        "PTR 20.0.2.10", "EHLO 20.0.2.10", "PTR 2a00:1::10", "EHLO 2a00:1::10", "SPF 20.0.2.10",
        "SPF 2a00:1::10", "SPF EHLO", "DKIM s2026", "DMARC", "alignment", "MX", "MTA-STS", "list.example.net"}
    assert "To publish" not in out
    assert found(out, "SPF 20.0.2.10") == "pass, matched: ip4:20.0.2.10"
    assert found(out, "DMARC") == "p=reject, of example.jp; alignment of DKIM relaxed, of SPF relaxed"
    assert found(out, "alignment") == "DKIM and SPF both vouch for the domain"
    assert found(out, "list.example.net") == "2 addresses, not listed"
    code, out, _ = appliance.run("check identity example.jp --json")
    answer = json.loads(out)
    note = [request for request in appliance.init.requests if request["command"] == "identity.note"][-1]
    assert (note["domain"], note["aligned"], note["failed"]) == ("example.jp", True, 0)
    assert answer["ok"] is True and answer["aligned"] is True
    assert {check["result"] for check in answer["checks"]} == {"pass"}
    assert not any(check["publish"] for check in answer["checks"])


def test_what_is_missing_fails_with_the_record_to_publish(appliance, names):
    names.add("example.jp", "A", "20.0.2.99")
    code, out, _ = appliance.run("check identity")
    assert code == 1
    assert verdicts(out) == {
        "PTR 20.0.2.10": "FAIL", "EHLO 20.0.2.10": "FAIL", "PTR 2a00:1::10": "FAIL",
        "EHLO 2a00:1::10": "FAIL", "SPF 20.0.2.10": "FAIL", "SPF 2a00:1::10": "FAIL", "SPF EHLO": "info",
        "DKIM s2026": "FAIL", "DMARC": "FAIL", "alignment": "FAIL", "MX": "warn", "MTA-STS": "info",
        "list.example.net": "pass"}
    assert "ask your provider for the PTR 20.0.2.10 -> mail.example.jp" in out
    assert "mail.example.jp. IN AAAA 2a00:1::10" in out
    assert out.count('example.jp. IN TXT "v=spf1 ip4:20.0.2.10 ip6:2a00:1::10 -all"') == 1
    assert f's2026._domainkey.example.jp. IN TXT "{RECORD[:255]}" "{RECORD[255:]}"' in out
    assert '_dmarc.example.jp. IN TXT "v=DMARC1; p=none; rua=mailto:dmarc@example.jp"' in out
    assert "example.jp. IN MX 10 mail.example.jp." in out
    assert 'mail.example.jp. IN TXT "v=spf1 a -all"' in out
    code, out, _ = appliance.run("check identity --json")
    note = [request for request in appliance.init.requests if request["command"] == "identity.note"][-1]
    assert (note["aligned"], note["failed"]) == (False, 9)
    checks = {check["check"]: check for check in json.loads(out)["checks"]}
    assert json.loads(out)["aligned"] is False
    assert checks["SPF 20.0.2.10"]["publish"] == checks["SPF 2a00:1::10"]["publish"]


@pytest.mark.parametrize("name, kind, text, check, verdict", [
    (PTR4, "PTR", "other.example.jp.", "PTR 20.0.2.10", "FAIL"),  # not confirmed
    (PTR4, "PTR", "also.example.jp.", "PTR 20.0.2.10", "warn"),   # confirmed, but not in EHLO
    ("s2026._domainkey.example.jp", "TXT", '"v=DKIM1; k=rsa; p=AAAA"', "DKIM s2026", "FAIL"),
    ("s2026._domainkey.example.jp", "TXT", f'"p={KEY[:200]} " "{KEY[200:]}"', "DKIM s2026", "pass"),
    ("s2026._domainkey.example.jp", "TXT", '"v=DKIM1; p="', "DKIM s2026", "FAIL"),
    ("s2026._domainkey.example.jp", "TXT", f'"h=sha1; p={KEY[:200]}" "{KEY[200:]}"', "DKIM s2026", "FAIL"),
    ("s2026._domainkey.example.jp", "TXT", f'"s=web; p={KEY[:200]}" "{KEY[200:]}"', "DKIM s2026", "FAIL"),
    ("s2026._domainkey.example.jp", "TXT", f'"k=ed25519; p={KEY[:200]}" "{KEY[200:]}"', "DKIM s2026", "FAIL"),
    ("s2026._domainkey.example.jp", "TXT", f'"v=DKIM2; p={KEY[:200]}" "{KEY[200:]}"', "DKIM s2026", "FAIL"),
    ("s2026._domainkey.example.jp", "TXT", f'"t=s:y; p={KEY[:200]}" "{KEY[200:]}"', "DKIM s2026", "warn"),
    ("s2026._domainkey.example.jp", "TXT", f'"h=sha1 : sha256; s=email; t=s; p={KEY[:180]}" "{KEY[180:]}"',
     "DKIM s2026", "pass"),
    ("example.jp", "TXT", '"v=spf1 -all"', "SPF 20.0.2.10", "FAIL"),
    ("example.jp", "TXT", '"v=spf1 ~all"', "SPF 20.0.2.10", "FAIL"),
    ("example.jp", "TXT", '"v=spf1 mx a:mail.example.jp -all"', "SPF 20.0.2.10", "pass"),
    ("example.jp", "TXT", '"v=spf1 mx -all"', "SPF 2a00:1::10", "pass"),
    ("example.jp", "TXT", '"v=spf1 ip4:20.0.2.0/28 -all"', "SPF 20.0.2.10", "pass"),
    ("example.jp", "TXT", '"v=spf1 ip4:20.0.2.0/29 -all"', "SPF 20.0.2.10", "FAIL"),
    ("example.jp", "TXT", '"v=spf1 include:spf.example.com -all"', "SPF 20.0.2.10", "pass"),
    ("example.jp", "TXT", '"v=spf1 redirect=spf.example.com"', "SPF 20.0.2.10", "pass"),
    ("example.jp", "TXT", '"v=spf1 include:loop.example.com -all"', "SPF 20.0.2.10", "FAIL"),
    ("example.jp", "TXT", '"v=spf1 include:absent.example.com -all"', "SPF 20.0.2.10", "FAIL"),
    ("example.jp", "TXT", '"v=spf1 exists:%{i}.example.com -all"', "SPF 20.0.2.10", "pass"),
    ("example.jp", "TXT", '"v=spf1 exists:%{ir}.%{l}.example.com -all"', "SPF 20.0.2.10", "pass"),
    ("example.jp", "TXT", '"v=spf1 ptr -all"', "SPF 20.0.2.10", "pass"),
    ("example.jp", "TXT", '"v=spf1 ptr -all"', "SPF 2a00:1::10", "pass"),
    ("example.jp", "TXT", '"v=spf1 nonsense -all"', "SPF 20.0.2.10", "FAIL"),
    ("mail.example.jp", "TXT", '"v=spf1 -all"', "SPF EHLO", "warn"),
    ("_dmarc.example.jp", "TXT", '"v=DMARC1; rua=x@example.jp"', "DMARC", "FAIL"),
    ("_dmarc.example.jp", "TXT", '"v=DMARC1; rua=mailto:x@example.jp"', "DMARC", "pass"),
    ("_dmarc.example.jp", "TXT", '"v=DMARC1; p=none; pct=many"', "DMARC", "warn"),
    ("example.jp", "MX", "0 .", "MX", "FAIL"),
    ("_mta-sts.example.jp", "TXT", '"v=STSv2; id=1"', "MTA-STS", "info"),
])
def test_records_that_are_there_are_judged(appliance, names, name, kind, text, check, verdict):
    publish_all(names)
    names.add("also.example.jp", "A", "20.0.2.10")
    names.add("20.0.2.10.example.com", "A", "127.0.0.2")
    names.add("10.2.0.20.postmaster.example.com", "A", "127.0.0.2")
    names.add("spf.example.com", "TXT", '"v=spf1 ip4:20.0.2.10 -all"')
    names.add("loop.example.com", "TXT", '"v=spf1 include:loop.example.com -all"')
    names.records[(name, kind)] = [text]
    code, out, _ = appliance.run("check identity")
    assert verdicts(out)[check] == verdict, out
    assert code == (0 if "FAIL" not in verdicts(out).values() else 1)


def test_the_record_to_publish_is_the_one_there_is_with_our_addresses_in_front(appliance, names):
    publish_all(names)
    names.add("spf.example.com", "TXT", '"v=spf1 ip4:20.0.2.10 -all"')
    replace(names, "example.jp", "TXT", '"v=spf1 include:spf.example.com ~all"')
    out = appliance.run("check identity")[1]
    assert verdicts(out)["SPF 20.0.2.10"] == "pass" and verdicts(out)["SPF 2a00:1::10"] == "FAIL"
    assert 'example.jp. IN TXT "v=spf1 ip6:2a00:1::10 include:spf.example.com ~all"' in out
    # Where nothing of it can be kept it is made anew.
    replace(names, "example.jp", "TXT", '"v=spf1 include: ~all"')
    out = appliance.run("check identity")[1]
    assert "that is no domain name: include:" in out
    assert 'example.jp. IN TXT "v=spf1 ip4:20.0.2.10 ip6:2a00:1::10 -all"' in out


def test_two_spf_records_are_an_error(appliance, names):
    publish_all(names)
    names.add("example.jp", "TXT", '"v=spf1 -all"')
    out = appliance.run("check identity")[1]
    assert verdicts(out)["SPF 20.0.2.10"] == "FAIL" and "more than one record" in out


def test_too_many_terms_and_too_many_names_without_an_answer_fail(appliance, names):
    publish_all(names)
    replace(names, "example.jp", "TXT",
            '"v=spf1 ' + " ".join(f"exists:a{n}.example.com" for n in range(11)) + ' +all"')
    for n in range(11):
        names.add(f"a{n}.example.com", "AAAA", "2a00:1::77")
    assert "more than 2 questions find nothing" in found(appliance.run("check identity")[1], "SPF 20.0.2.10")
    replace(names, "example.jp", "TXT",
            '"v=spf1 ' + " ".join(f"a:b{n}.example.com" for n in range(11)) + ' +all"')
    for n in range(11):
        names.add(f"b{n}.example.com", "A", "20.0.2.77")
    assert "more than 10 terms ask DNS" in found(appliance.run("check identity")[1], "SPF 20.0.2.10")


def test_no_answer_is_a_failure_without_a_record_to_publish(appliance, names):
    publish_all(names)
    names.silent.add("example.jp")
    code, out, _ = appliance.run("check identity --json")
    spf = next(check for check in json.loads(out)["checks"] if check["check"] == "SPF 20.0.2.10")
    assert code == 1 and spf["result"] == "fail" and spf["found"].startswith("temperror")
    assert spf["publish"] is None


def test_the_policy_of_the_organisation_counts(appliance, names):
    publish_all(names)
    customer_is(appliance, "news.example.jp")
    out = appliance.run("check identity")[1]
    assert found(out, "DMARC").startswith("p=reject, of example.jp;")
    names.records[("_dmarc.example.jp", "TXT")] = ['"v=DMARC1; p=reject; sp=quarantine"']
    assert found(appliance.run("check identity")[1], "DMARC").startswith("p=quarantine, of example.jp;")
    # Not that of what only happens to stand between.
    customer_is(appliance, "deep.news.example.jp")
    names.add("_dmarc.news.example.jp", "TXT", '"v=DMARC1; p=none"')
    assert found(appliance.run("check identity")[1], "DMARC").startswith("p=quarantine, of example.jp;")


def test_two_dmarc_records_are_none(appliance, names):
    publish_all(names)
    names.add("_dmarc.example.jp", "TXT", '"v=DMARC1; p=none"')
    out = appliance.run("check identity")[1]
    assert verdicts(out)["DMARC"] == "FAIL" and "more than one record" in found(out, "DMARC")


def test_one_of_spf_and_dkim_is_enough_for_alignment(appliance, names):
    publish_all(names)
    replace(names, "example.jp", "TXT", '"v=spf1 ip4:20.0.2.10 -all"')  # not our IPv6 address
    assert found(appliance.run("check identity")[1], "alignment") == "DKIM vouches for the domain"
    replace(names, "s2026._domainkey.example.jp", "TXT")
    out = appliance.run("check identity")[1]
    assert verdicts(out)["alignment"] == "FAIL"
    replace(names, "example.jp", "TXT", '"v=spf1 ip4:20.0.2.10 ip6:2a00:1::10 -all"')
    assert found(appliance.run("check identity")[1], "alignment") == "SPF vouches for the domain"


def test_a_domain_without_mx_and_address_gets_no_bounces(appliance, names):
    publish_all(names)
    replace(names, "example.jp", "MX")
    out = appliance.run("check identity")[1]
    assert verdicts(out)["MX"] == "FAIL" and "bounces go nowhere" in found(out, "MX")


def test_what_block_lists_say(appliance, names):
    publish_all(names)
    listed = "10.2.0.20.list.example.net"
    names.add(listed, "A", "127.0.0.4")
    names.add(listed, "TXT", '"see https://list.example.net/20.0.2.10"')
    code, out, _ = appliance.run("check identity")
    assert code == 1 and verdicts(out)["list.example.net"] == "FAIL"
    assert found(out, "list.example.net") == "20.0.2.10 is listed (127.0.0.4)"
    assert "the list says of 20.0.2.10: see https://list.example.net/20.0.2.10" in out


@pytest.mark.parametrize("test_point, said", [
    (["127.255.255.254"], "does not answer our resolver"),
    ([], "does not answer us: it does not even know its test point 127.0.0.2"),
    (["203.0.113.5"], "is no block list any more: it answers with other addresses"),
])
def test_a_block_list_that_cannot_be_believed_is_told_as_such(appliance, names, test_point, said):
    publish_all(names)
    names.add("10.2.0.20.list.example.net", "A", "127.255.255.254")
    replace(names, "2.0.0.127.list.example.net", "A", *test_point)
    code, out, _ = appliance.run("check identity")
    assert code == 0 and verdicts(out)["list.example.net"] == "warn"
    assert found(out, "list.example.net") == said


def test_block_lists_are_not_asked_about_addresses_that_are_not_public(appliance, names):
    conf = appliance.etc / "hikyaku.conf"
    conf.write_text(conf.read_text().replace("20.0.2.10", "10.0.2.10").replace("2a00:1::10", "fd00::10"))
    publish_all(names)
    names.silent |= {"2.0.0.127.list.example.net", "10.2.0.10.list.example.net"}
    out = appliance.run("check identity")[1]
    assert verdicts(out)["block lists"] == "info" and "list.example.net" not in verdicts(out)


def test_no_block_list_may_be_asked_at_all(appliance, names):
    conf = appliance.etc / "hikyaku.conf"
    conf.write_text(conf.read_text().replace('"list.example.net"}', '"none"}'))
    publish_all(names)
    out = appliance.run("check identity")[1]
    assert "none" not in verdicts(out) and "list" not in out


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
