"""Mail that comes back: Postfix and Exim take a campaign's mail for addresses that they do not know, and
write to its envelope senders about it. What they wrote leads back to the row that it is about."""

import collections
import os
import re
import subprocess

import pytest

from peers.exim import Exim
from peers.postfix import Postfix
from sender import ROOT, Sender

pytestmark = [
    pytest.mark.binary,
    pytest.mark.skipif(os.geteuid() != 0, reason="mail servers want to be started by root"),
]

COURIER = "courier.example"
UNKNOWN = ["nobody", "no.body", "Nobody+tag"]
KNOWN = ["reader1", "reader2"]


class BouncingPostfix(Postfix):
    """Takes mail for anybody at its domain, and has mailboxes for some and for the senders."""

    def configure(self):
        (self.directory / "everybody").write_text(
            f"/^reader[0-9]+@/ all/\n/^bounce-.*@{re.escape(COURIER)}$/ back/\n")
        self.more = [f"virtual_mailbox_domains = {self.domain}, {COURIER}",
                     f"virtual_mailbox_maps = regexp:{self.directory}/everybody",
                     "smtpd_reject_unlisted_recipient = no"]
        super().configure()


class RelayingPostfix(BouncingPostfix):
    """Takes mail for the domain of another server, too, and hands it on to that."""

    def __init__(self, directory, domain, target):
        super().__init__(directory, domain)
        self.target = target

    def configure(self):
        super().configure()
        conf = self.directory / "conf"
        host, _, port = self.target.relay.rpartition(":")
        with open(conf / "main.cf", "a") as file:
            file.write(f"relay_domains = {self.target.domain}\n"
                       f"transport_maps = inline:{{{self.target.domain}=smtp:[{host}]:{port}}}\n")
        with open(conf / "master.cf", "a") as file:
            file.write("smtp unix - - n - - smtp\n")


class BouncingExim(Exim):
    """The same: its router for unknown users fails when the message is taken already."""

    ROUTERS = f"""begin routers
back:
  driver = accept
  domains = {COURIER}
  transport = back
unknown:
  driver = redirect
  condition = ${{if match{{$local_part}}{{\\N^reader[0-9]+$\\N}}{{no}}{{yes}}}}
  allow_fail
  data = :fail: no such user here
"""
    TRANSPORTS = """begin transports
back:
  driver = appendfile
  directory = {dir}/mail/back
  maildir_format
  create_directory
  envelope_to_add
  user = vmail
  group = vmail
"""

    def configure(self):
        super().configure()
        path = self.directory / "etc/exim4/exim4.conf"
        text = path.read_text()
        for old, new in ((f"domainlist ours = {self.domain}", f"domainlist ours = {self.domain} : {COURIER}"),
                         ("begin routers\n", self.ROUTERS),
                         ("begin transports\n", self.TRANSPORTS.replace("{dir}", str(self.directory)))):
            assert text.count(old) == 1
            text = text.replace(old, new)
        text, count = re.subn(r"  deny message = no such user here\n.*\n", "", text)
        assert count == 1
        path.write_text(text)


Report = collections.namedtuple("Report", "kind form tag message id to recipient diagnostic")


def parse(output):
    reports = []
    for block in re.split(r"(?m)^report ", output)[1:]:
        head, *lines = block.splitlines()
        fields = dict(line.partition(" ")[::2] for line in lines)
        reports.append(Report(*head.split(), *(fields.get(name) for name in
                                               ("tag", "message", "id", "to", "recipient", "diagnostic"))))
    return reports


def read_reports(sender, paths_by_address):
    """What the product makes of these messages, by the address that each was sent to."""
    driver = ROOT / "build/host/tests/delivery/report_many"
    subprocess.run(["make", "-s", "-C", ROOT, driver.relative_to(ROOT)], check=True)
    words = [str(word) for pair in paths_by_address for word in pair]
    result = subprocess.run([driver, sender.data / "token.key", "bounce", *words], check=True,
                            stdin=subprocess.DEVNULL, capture_output=True, text=True)
    return parse(result.stdout)


Run = collections.namedtuple("Run", "sender peer sent back paths")


@pytest.fixture(scope="module", params=(BouncingPostfix, BouncingExim), ids=("postfix", "exim"))
def run(request, programs, tmp_path_factory):
    directory = tmp_path_factory.mktemp("reports")
    domain = f"{request.param.name}.example"
    sender = Sender(directory / "sender", domain=COURIER)
    peer = request.param(directory, domain)
    try:
        sender.route(domain, peer.relay)
        peer.start()
        sender.start()
        rows = [(f"{local}@{domain}", "Name") for local in KNOWN + UNKNOWN]
        sender.create("news", rows)
        status = sender.wait("news")
        assert status["delivered"] == len(rows), status
        peer.wait_for(len(rows))
        paths = sorted(peer.mail.glob("back/new/*"))
        sent = [mail for mail in peer.mails() if not mail.recipient.startswith("bounce-")]
        back = [mail for mail in peer.mails() if mail.recipient.startswith("bounce-")]
        yield Run(sender, peer, sent, back, paths)
    finally:
        sender.close()
        peer.close()
        print(f"---- {peer.name}\n{peer.log()[-6000:]}")
        print(sender.log()[-6000:])


def test_each_unknown_user_came_back_and_nobody_else(run):
    assert len(run.sent) == len(KNOWN) and len(run.back) == len(run.paths) == len(UNKNOWN)


def test_a_real_report_says_who_was_not_known(run):
    reports = read_reports(run.sender, [(mail.recipient, path) for mail, path in zip(run.back, run.paths)])
    found = set()
    for report in reports:
        assert (report.kind, report.form) == ("hard", "dsn"), report
        kind, reason, status, _, address = report.recipient.split(" ")
        assert (kind, reason) == ("hard", "mailbox") and status in ("5.1.1", "5.0.0"), report
        assert report.to.lower() == address.lower()
        found.add(address.partition("@")[0].lower())
    assert found == {name.lower() for name in UNKNOWN}


def test_a_real_report_leads_back_to_its_row_and_message(run):
    reports = read_reports(run.sender, [(mail.recipient.upper(), path)
                                        for mail, path in zip(run.back, run.paths)])
    tags = {report.tag for report in reports}
    assert len(tags) == len(UNKNOWN) and all(re.fullmatch(r"1 1 \d+", tag) for tag in tags), tags
    assert len({report.id for report in reports}) == len(UNKNOWN)
    for report in reports:
        assert report.id.endswith(f"@{COURIER}") and report.message == report.tag, report


def test_a_report_to_a_forged_tag_is_told(run):
    good = run.back[0].recipient
    forged = good.replace("@", "0@")
    other = good[:20] + ("1" if good[20] != "1" else "2") + good[21:]
    reports = read_reports(run.sender, [(address, run.paths[0]) for address in
                                        (forged, other, f"info@{COURIER}", good.replace("@", "+x@"))])
    assert [report.tag.split(" ")[0] for report in reports] == ["forged", "forged", "none", "1"]


def test_a_report_of_what_a_further_host_refused_has_its_words(programs, tmp_path):
    sender = Sender(tmp_path / "sender", domain=COURIER)
    exim = Exim(tmp_path, "exim.example")
    postfix = RelayingPostfix(tmp_path, "postfix.example", exim)
    try:
        sender.route("exim.example", postfix.relay)
        exim.start()
        postfix.start()
        sender.start()
        sender.create("news", [("nobody@exim.example", "Name"), ("reader1@exim.example", "Name")])
        assert sender.wait("news")["delivered"] == 2
        postfix.wait_for(1)
        mail, = postfix.mails()
        path, = postfix.mail.glob("back/new/*")
        report, = read_reports(sender, [(mail.recipient, path)])
        assert (report.kind, report.form) == ("hard", "dsn"), report
        assert re.fullmatch(r"hard mailbox 5\.\d\.\d 550 nobody@exim\.example", report.recipient), report
        assert "no such user here" in report.diagnostic
        assert report.message == report.tag and report.tag.startswith("1 1 ")
    finally:
        for one in (sender, postfix, exim):
            one.close()
        print(postfix.log()[-6000:], exim.log()[-6000:], sender.log()[-3000:])
