"""Reports about TLS (RFC 8460): sessions that a real Postfix and real zones make fail or succeed are told to
the domains that ask for it, by mail and by HTTPS."""

import email
import email.policy
import gzip
import json
import os
import re
import subprocess
import time

import pytest

from authority import tlsa
from secured import CHAIN, CLEAR, SELF, Secured
from sender import ROOT, end_process, wait_until

pytestmark = [
    pytest.mark.binary,
    pytest.mark.skipif(os.geteuid() != 0, reason="mail servers want to be started by root"),
]

HTTPS = "20.3.0.9"
DAY_S = 86400
PLACES = "mailto:reader9@reports.mail.example,https://collect.mail.example/v1?from=us"
DELIVERED = ("good", "testing", "clear", "plain", "quiet", "later")
STAMP = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ")

# RFC 8460 section 4.4: which keys there are, which must be there, and what their values are.
POLICY = {"policy-type": str, "policy-domain": str, "policy-string": list, "mx-host": list}
DETAIL = {"result-type": str, "failed-session-count": int, "sending-mta-ip": str, "receiving-ip": str,
          "receiving-mx-hostname": str, "receiving-mx-helo": str, "failure-reason-code": str,
          "additional-information": str}
RESULTS = {
    "starttls-not-supported", "certificate-host-mismatch", "certificate-expired",
    "certificate-not-trusted", "validation-failure", "tlsa-invalid", "dnssec-invalid",
    "dane-required", "sts-policy-fetch-error", "sts-policy-invalid", "sts-webpki-invalid"}


def check_shape(value, shape, needed):
    assert set(value) <= set(shape) and set(needed) <= set(value), value
    for key, one in value.items():
        assert isinstance(one, shape[key]), (key, one)
        if shape[key] is list:
            assert one and all(isinstance(text, str) for text in one), (key, one)


def check_schema(report):
    assert set(report) == {"organization-name", "date-range", "contact-info", "report-id", "policies"}
    assert set(report["date-range"]) == {"start-datetime", "end-datetime"}
    assert all(STAMP.fullmatch(one) for one in report["date-range"].values())
    assert report["date-range"]["start-datetime"].endswith("T00:00:00Z")
    assert report["date-range"]["end-datetime"].endswith("T23:59:59Z")
    assert report["policies"]
    for entry in report["policies"]:
        assert {"policy", "summary"} <= set(entry) <= {"policy", "summary", "failure-details"}
        check_shape(entry["policy"], POLICY, ("policy-type", "policy-domain"))
        kind = entry["policy"]["policy-type"]
        assert kind in ("sts", "tlsa", "no-policy-found")
        assert ("policy-string" in entry["policy"]) == (kind != "no-policy-found")
        assert ("mx-host" in entry["policy"]) == (kind == "sts")
        summary = entry["summary"]
        check_shape(summary, {"total-successful-session-count": int,
                              "total-failure-session-count": int},
                    ("total-successful-session-count", "total-failure-session-count"))
        details = entry.get("failure-details", [])
        for detail in details:
            check_shape(detail, DETAIL, ("result-type", "failed-session-count"))
            assert detail["result-type"] in RESULTS and detail["failed-session-count"] > 0
        assert sum(one["failed-session-count"] for one in details) == \
            summary["total-failure-session-count"]


@pytest.fixture
def world(network, sender_in, tmp_path, monkeypatch):
    class World(Secured):
        def __init__(self):
            super().__init__(tmp_path, network, sender_in, ["mx.mail.example"])
            monkeypatch.setenv("SSL_CERT_FILE", str(self.root.certificate))
            network.address(f"{HTTPS}/32")
            # Signed, as reports have to be.
            self.sender = sender_in("signing", prefix=network.inside)
            self.sender.settings["retry"] |= {"schedule": ["1h"]}
            self.sender.default_site |= {"sessions": 2, "idle": "0s", "connect-timeout": "5s"}
            self.hosts = tmp_path / "https"
            self.hosts.mkdir()
            self.certify("mta-sts.default.example", "default")
            self.lines = [f"mx A {CHAIN}", f"self A {SELF}", f"clear A {CLEAR}",
                          f"collect A {HTTPS}", f"busy A {HTTPS}"]
            self.host = None

        def certify(self, name, file=None):
            for path, end in zip(self.root.issue(name), ("pem", "key")):
                path.rename(self.hosts / f"{file or name}.{end}")

        def domain(self, name, host, mode="", places=PLACES):
            self.lines.append(f"{name} MX 10 {host}")
            if places:
                self.lines.append(f'_smtp._tls.{name} TXT "v=TLSRPTv1; rua={places}"')
            if not mode:
                return
            policy = f"mta-sts.{name}.mail.example"
            self.certify(policy)
            (self.hosts / f"{policy}.json").write_text(json.dumps({
                "body": f"version: STSv1\nmode: {mode}\nmax_age: 86400\nmx: {host}.mail.example\n"}))
            self.lines += [f'_mta-sts.{name} TXT "v=STSv1; id=1;"', f"mta-sts.{name} A {HTTPS}"]

        def begin(self):
            network.zone("mail.example", "\n".join(self.lines))
            self.host = subprocess.Popen(
                [*network.inside, "/usr/bin/python3",
                 str(ROOT / "tests/integration/policy_host.py"), f"{HTTPS}:443", str(self.hosts)],
                stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True)
            assert self.host.stdout.readline().startswith("listening ")
            self.start()

        def make_it_yesterday(self):
            """The sender has stopped: what it has counted was counted a day ago."""
            queue = self.sender.data / "queue"
            text = subprocess.run(["mdb_dump", "-a", str(queue)], check=True, capture_output=True,
                                  text=True).stdout
            today = int(time.time()) // DAY_S
            old, new = (f"tlsrpt/{day:06}/".encode().hex() for day in (today, today - 1))
            # Over midnight there is nothing to be done.
            text = text.replace(f" {old}", f" {new}")
            assert f" {new}" in text
            for path in queue.iterdir():
                path.unlink()
            subprocess.run(["mdb_load", str(queue)], check=True, input=text, text=True)

        def posted(self, name):
            return [json.loads(gzip.decompress(path.read_bytes()))
                    for path in sorted(self.hosts.glob(f"{name}.posted-*"))]

        def close(self):
            if self.host:
                end_process(self.host)
                self.host.stdout.close()
            super().close()

    world = World()
    yield world
    world.close()


def read_mail(raw):
    """(headers, report) of a mail as section 5.3 has it."""
    mail = email.message_from_bytes(raw, policy=email.policy.default)
    assert mail.get_content_type() == "multipart/report"
    assert mail.get_param("report-type") == "tlsrpt"
    text, packed = mail.iter_parts()
    assert text.get_content_type() == "text/plain"
    assert packed.get_content_type() == "application/tlsrpt+gzip"
    assert packed["Content-Transfer-Encoding"] == "base64"
    report = json.loads(gzip.decompress(packed.get_content()))
    begin = int(time.time()) // DAY_S * DAY_S - DAY_S
    assert packed.get_filename() == (f"{mail['TLS-Report-Submitter']}!{mail['TLS-Report-Domain']}!"
                                     f"{begin}!{begin + DAY_S - 1}.json.gz")
    return mail, report


def results(report):
    """{policy type: (successes, {result: count})}"""
    return {one["policy"]["policy-type"]:
            (one["summary"]["total-successful-session-count"],
             {detail["result-type"]: detail["failed-session-count"]
              for detail in one.get("failure-details", [])})
            for one in report["policies"]}


def test_what_fails_is_reported_by_mail_and_by_https(world):
    world.domain("good", "mx", "enforce")
    world.domain("badcert", "self", "enforce")
    world.domain("testing", "self", "testing")
    world.domain("clear", "clear")
    world.domain("plain", "self")
    world.domain("quiet", "clear", places="")
    world.domain("later", "clear", places="https://busy.mail.example/")
    (world.hosts / "busy.mail.example.json").write_text('{"status": 503}')
    # Reports go there all the same (section 3), and make no report of their own.
    world.domain("reports", "self", "enforce")
    record = tlsa(world.chain[0], 3, 1, 1)
    world.network.zone("dane.example", f"mx A {CHAIN}\n_25._tcp.mx TLSA {record}\nself A {SELF}\n"
                       f"_25._tcp.self TLSA {record}\nx MX 10 self\n"
                       f'_smtp._tls.x TXT "v=TLSRPTv1; rua={PLACES}"', signed=True)
    world.begin()
    names = ("good", "badcert", "testing", "clear", "plain", "quiet", "later")
    lines = world.send(*(f"{name}.mail.example" for name in names), "x.dane.example")
    assert {name for name, line in lines.items() if line["outcome"] == "deferred"} == {"badcert", "x"}

    shown = {item["domain"]: item for item in world.sender.items("tls-report", "show")}
    assert set(shown) == {f"{name}.mail.example" for name in names if name != "quiet"} | \
        {"x.dane.example"}
    assert all(item["report"] == "counting" for item in shown.values())
    only = world.sender.items("tls-report", "show", "badcert.mail.example")
    assert only == [shown["badcert.mail.example"]]
    failure, = only[0]["failures"]
    assert failure["result"] == "certificate-not-trusted" and failure["address"] == SELF
    assert failure["host"] == "self.mail.example" and "self" in failure["reason"]
    assert "certificate-not-trusted" in world.sender.run("tls-report", "show").stdout

    for result, least in (("ok", 1), ("starttls-not-supported", 1), ("certificate-not-trusted", 3)):
        assert world.sender.metric("hikyaku_tls_outcomes_total", result=result) >= least

    assert world.sender.stop() == 0
    world.make_it_yesterday()
    world.sender.start()
    world.sender.run("tls-report", "send")
    wait_until(lambda: len(world.posted("collect.mail.example")) == 6, "posted reports")
    reports = {}
    for mail in world.postfix.wait_for(len(DELIVERED) + 6):
        if not mail.recipient.startswith("reader9@"):
            continue
        headers, report = read_mail(mail.content)
        reports[headers["TLS-Report-Domain"]] = report
        domain = world.sender.domain
        assert headers["From"].addresses[0].domain == headers["TLS-Report-Submitter"] == domain
        assert f"d={domain}" in headers["DKIM-Signature"].replace(" ", "")
        assert report["contact-info"] == f"postmaster@{domain}"
        assert headers["Subject"] == (f"Report Domain: {headers['TLS-Report-Domain']} Submitter: "
                                      f"{domain} Report-ID: <{report['report-id']}>")
    assert set(reports) == set(shown) - {"later.mail.example"}
    posted = {report["policies"][0]["policy"]["policy-domain"]: report
              for report in world.posted("collect.mail.example")}
    assert posted == reports
    for report in reports.values():
        check_schema(report)

    by = {name.partition(".")[0]: results(report) for name, report in reports.items()}
    assert by["good"] == {"sts": (1, {})}
    assert by["badcert"] == {"sts": (0, {"certificate-not-trusted": 1})}
    assert by["testing"] == {"sts": (0, {"certificate-not-trusted": 1})}
    assert by["clear"] == {"no-policy-found": (0, {"starttls-not-supported": 1})}
    assert by["plain"] == {"no-policy-found": (1, {})}
    assert by["x"] == {"tlsa": (0, {"certificate-not-trusted": 1})}
    policy = reports["badcert.mail.example"]["policies"][0]["policy"]
    assert policy["policy-string"] == ["version: STSv1", "mode: enforce", "mx: self.mail.example",
                                       "max_age: 86400"]
    assert policy["mx-host"] == ["self.mail.example"]
    assert reports["x.dane.example"]["policies"][0]["policy"]["policy-string"] == [record.lower()]
    asked = (world.hosts / "posts").read_text().splitlines()
    assert asked.count("collect.mail.example /v1?from=us application/tlsrpt+gzip 200") == 6

    # Who does not take it now is asked again.
    def states():
        return {item["domain"].partition(".")[0]: item["report"]
                for item in world.sender.items("tls-report", "show")}

    told = dict.fromkeys(by, "done")
    wait_until(lambda: states() == told | {"later": "trying"}, "all but one to be told")
    assert world.posted("busy.mail.example") == []
    (world.hosts / "busy.mail.example.json").unlink()
    world.sender.run("tls-report", "send")
    wait_until(lambda: states() == told | {"later": "done"}, "the last one")
    report, = world.posted("busy.mail.example")
    check_schema(report)
    assert results(report) == {"no-policy-found": (0, {"starttls-not-supported": 1})}
    assert world.sender.metric("hikyaku_tls_reports_mailed_total") == 6
    assert world.sender.metric("hikyaku_tls_reports_posted_total") == 7
