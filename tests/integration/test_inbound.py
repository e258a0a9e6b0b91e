"""From a campaign to what comes back of it, and to the next campaign, which leaves those out."""

import os
import re
import shutil
import subprocess

import pytest

from inbound import Box, Receiver, arf, dsn
from peers.exim import Exim
from peers.postfix import Postfix
from sender import wait_until

pytestmark = pytest.mark.binary
COURIER = "courier.example"


@pytest.fixture
def loop_with(sender_in):
    """(sender, receiver, box), running; options of the section `receive`."""
    made = []

    def make(options="", route=True):
        sender = sender_in(keys=("ed25519",))
        receiver = Receiver(sender, options)
        box = Box()
        made.extend((receiver, box))
        if route:
            sender.route("*", box.port)
        sender.start()
        receiver.start()
        return sender, receiver, box

    yield make
    for one in made:
        one.close()
        if isinstance(one, Receiver):
            print(f"---- {one.log_path}\n{one.log()[-20000:]}")


def people(*names):
    return [f"{name}@peer.test" for name in names]


def unsubscribe_address(message):
    return re.search(r"<mailto:([^>?]+)", message["List-Unsubscribe"])[1]


def suppressions(sender):
    return {(item["address"].partition("@")[0], item["customer"], item["list"]): item["history"][-1]["reason"]
            for item in sender.items("suppression", "list") if "address" in item}


def test_what_comes_back_has_consequences(loop_with):
    sender, receiver, box = loop_with()
    names = ("gone", "angry", "leaving", "away", "slow", "victim", "full", "reader")
    sender.create("first", people(*names), "--list", "weekly")
    assert sender.wait("first")["delivered"] == len(names)
    tags = {name: box.mail_of(f"{name}@peer.test")[0] for name in names}
    mails = {name: box.mail_of(f"{name}@peer.test")[1] for name in names}
    assert tags["gone"].startswith("bounce-") and len(set(tags.values())) == len(names)

    receiver.bring(tags["gone"], dsn("gone@inside.peer.test"))
    receiver.bring(f"abuse@{COURIER}", arf(mails["angry"]), "fbl@provider.test")
    if shutil.which("swaks"):
        subprocess.run(["swaks", "--server", f"127.0.0.1:{receiver.port}", "--from", "leaving@peer.test",
                        "--to", unsubscribe_address(mails["leaving"]), "--header", "Subject: unsubscribe",
                        "--body", "unsubscribe"], check=True, capture_output=True, timeout=60)
    else:
        receiver.bring(unsubscribe_address(mails["leaving"]), "Subject: unsubscribe\n\n", "leaving@peer.test")
    receiver.bring(tags["away"], "Subject: Out of office\nAuto-Submitted: auto-replied\n\nback on Monday\n")
    receiver.bring(tags["slow"], dsn("slow@peer.test", "4.4.1", "delayed", "connection timed out"))
    receiver.bring(tags["full"], dsn("full@peer.test", "5.2.2", words="552 5.2.2 mailbox full"))
    # Somebody who knows how such addresses look; and who has a tag of his own, but not the victim's.
    receiver.bring(tags["victim"][:20] + "abc" + tags["victim"][23:], dsn("victim@peer.test"))
    leave = unsubscribe_address(mails["victim"])
    receiver.bring(leave[:20] + "abc" + leave[23:], "Subject: unsubscribe\n\n", "victim@peer.test")
    receiver.bring(tags["gone"], dsn("victim@peer.test"))
    receiver.wait_read()

    status = sender.status("first")
    assert (status["bounced"], status["complained"], status["unsubscribed"]) == (3, 1, 1), status
    assert status["list"] == "weekly"
    assert suppressions(sender) == {("gone", "", ""): "bad-mailbox", ("angry", COURIER, ""): "complaint",
                                    ("leaving", COURIER, "weekly"): "unsubscribe"}
    back = sender.report("first", "bounced", "complained", "unsubscribed", "auto-reply")
    assert sorted((line["outcome"], line["address"].partition("@")[0]) for line in back) == [
        ("auto-reply", "away"), ("bounced", "full"), ("bounced", "gone"), ("bounced", "gone"),
        ("complained", "angry"), ("unsubscribed", "leaving")]
    gone = next(line for line in back if line["address"].startswith("gone"))
    assert (gone["enhanced"], gone["class"], gone["code"]) == ("5.1.1", "bad-mailbox", 550), gone
    sender.check_sums("first")
    assert sender.metric("hikyaku_reports_total", result="forged") == 2
    assert sender.metric("hikyaku_reports_total", result="nothing") == 1
    assert receiver.metric("hikyaku_receive_read_total", kind="hard") == 3
    assert receiver.metric("hikyaku_receive_messages_total") == 9
    inbound = sender.ask("status")["inbound"]
    assert (inbound["bounced"], inbound["forged"], inbound["unsubscribed"]) == (3, 2, 1), inbound
    assert re.search(r"(?m)^came back +3 bounced, 1 complained, 1 unsubscribed, 2 forged$",
                     sender.run("status").stdout)

    # As a file, and from that file to another machine.
    exported = sender.run("suppression", "export").stdout
    assert exported.splitlines()[0] == "email,customer,list,reason,since,text"
    path = sender.directory / "suppressed.csv"
    path.write_text(exported)
    sender.run("suppression", "remove", "leaving@peer.test", "--customer", COURIER, "--list", "weekly")
    sender.run("suppression", "remove", "angry@peer.test", "--customer", COURIER)
    assert set(suppressions(sender)) == {("gone", "", "")}
    assert sender.ask("suppression", "import", path) == {"count": 3, "refused": 0}
    assert suppressions(sender) == {("gone", "", ""): "import", ("angry", COURIER, ""): "complaint",
                                    ("leaving", COURIER, "weekly"): "unsubscribe"}

    # The next issue leaves them out; another list is not what was left.
    second = sender.create("second", people(*names), "--list", "weekly")
    assert second["total"] == len(names) - 3
    assert sender.create("third", people(*names), "--list", "daily")["total"] == len(names) - 2
    assert sender.wait("third")["delivered"] == len(names) - 2
    # What somebody waits for he gets, though he left; not who complained.
    sender.run("suppression", "add", "slow@peer.test", "--customer", COURIER, "--reason", "unsubscribe")
    letter = sender.create("fourth", people("slow", "angry", "leaving"), "--kind", "transactional")
    assert letter["total"] == 2


def test_nothing_is_lost_or_counted_twice_whoever_ends(loop_with):
    sender, receiver, box = loop_with()
    count = 120
    sender.create("first", [f"r{i}@peer.test" for i in range(count)])
    assert sender.wait("first")["delivered"] == count
    wait_until(lambda: len(box.mails) == count, "the mail")
    sender.kill()
    receiver.bring_all((tag, dsn(address)) for tag, address, _ in box.mails)
    assert len(receiver.files()) == count
    assert receiver.metric("hikyaku_receive_waits") == 1
    sender.start()
    # Whichever of both is in the middle of it.
    for who in (receiver, sender):
        before = len(receiver.files())
        wait_until(lambda: len(receiver.files()) < before or before == 0, "some progress")
        who.kill()
        who.start()
    wait_until(lambda: not receiver.files(), "the rest", seconds=90)
    assert sender.status("first")["bounced"] == count
    assert len(suppressions(sender)) == count
    assert receiver.files("bad") == []


def test_what_a_person_should_see_is_handed_on(loop_with):
    sender, receiver, box = loop_with('forward-to = "owner@peer.test"')
    text = "From: Ann <ann@x.test>\nSubject: please =?utf-8?q?h=C3=B6r?=\n\nWhat about my order?\n"
    receiver.bring(f"postmaster@{COURIER}", text, "ann@x.test")
    receiver.wait_read()
    sender_address, message = box.mail_of("owner@peer.test")
    assert message["From"] == f"postmaster@{COURIER}" and message["DKIM-Signature"]
    assert message["Auto-Submitted"] == "auto-generated"
    assert sender_address == "" or sender_address.endswith(f"@{COURIER}")
    inner = message.get_payload()[1].get_payload()[0]
    assert inner["Subject"] == "please hör" and inner.get_payload() == "What about my order?\r\n"
    # Octets beyond ASCII go in base64.
    receiver.bring(f"abuse@{COURIER}", "Subject: x\n\nすぐに止めてください\n", "ann@x.test")
    receiver.wait_read()
    _, message = box.mail_of("owner@peer.test", 1)
    attached = message.get_payload()[1]
    assert attached.get_content_type() == "application/octet-stream"
    assert "すぐに止めてください".encode() in attached.get_payload(decode=True)
    # What comes round again, what machines write, and a bounce of what was handed on: nothing more.
    receiver.bring(f"postmaster@{COURIER}", f"X-Hikyaku-Forwarded: mx\n{text}", "ann@x.test")
    receiver.bring(f"postmaster@{COURIER}", f"Auto-Submitted: auto-replied\n{text}", "ann@x.test")
    receiver.bring(f"postmaster@{COURIER}", dsn("somebody@x.test"))
    if sender_address:
        receiver.bring(sender_address, dsn("owner@peer.test", "5.2.2", words="full"))
    receiver.wait_read()
    assert receiver.metric("hikyaku_receive_forwarded_total") == 2
    assert receiver.metric("hikyaku_receive_not_forwarded_total", reason="loop") == 1
    assert receiver.metric("hikyaku_receive_not_forwarded_total", reason="machine") == 1
    assert len(box.mails) == 2


def test_a_file_at_which_the_process_ends_is_put_aside(loop_with):
    sender, receiver, _ = loop_with()
    receiver.close()
    assert (receiver.spool / "reading").read_text() == ""
    poison = receiver.spool / "new" / "000000000000000000000001"
    for tries in (2, 3):
        poison.write_text("client 192.0.2.1\nhello x\nfrom \nto postmaster\n\nSubject: x\n\n")
        (receiver.spool / "reading").write_text(f"{poison.name} {tries}")
        receiver.start()
        receiver.wait_read()
        receiver.close()
    assert [path.name for path in receiver.files("bad")] == [poison.name]
    assert "the process ended at it" in receiver.log()
    # And one that is none.
    (receiver.spool / "new" / "000000000000000000000002").write_text("what is this\n")
    receiver.start()
    receiver.wait_read()
    assert len(receiver.files("bad")) == 2


class ReturningPostfix(Postfix):
    """Takes mail for anybody at its domain, knows hardly anybody, and writes back to `port`."""

    port_back = 0

    def configure(self):
        (self.directory / "everybody").write_text("/^reader[0-9]+@/ all/\n")
        self.more = [f"virtual_mailbox_domains = {self.domain}",
                     f"virtual_mailbox_maps = regexp:{self.directory}/everybody",
                     "smtpd_reject_unlisted_recipient = no",
                     f"transport_maps = inline:{{{COURIER}=smtp:[127.0.0.1]:{self.port_back}}}"]
        super().configure()
        with open(self.directory / "conf" / "master.cf", "a") as file:
            file.write("smtp unix - - n - - smtp\n")


class ReturningExim(Exim):
    """The same."""

    port_back = 0
    ROUTERS = f"""begin routers
back:
  driver = manualroute
  domains = {COURIER}
  transport = back
  route_list = * 127.0.0.1
  self = send
unknown:
  driver = redirect
  condition = ${{if match{{$local_part}}{{\\N^reader[0-9]+$\\N}}{{no}}{{yes}}}}
  allow_fail
  data = :fail: no such user here
"""
    TRANSPORTS = """begin transports
back:
  driver = smtp
  port = {port}
  hosts_avoid_tls = *
"""

    def configure(self):
        super().configure()
        path = self.directory / "etc/exim4/exim4.conf"
        text = path.read_text()
        for old, new in (("begin routers\n", self.ROUTERS),
                         ("begin transports\n", self.TRANSPORTS.format(port=self.port_back))):
            assert text.count(old) == 1
            text = text.replace(old, new)
        text, count = re.subn(r"  deny message = no such user here\n.*\n", "", text)
        assert count == 1
        path.write_text(text)


@pytest.mark.skipif(os.geteuid() != 0, reason="mail servers want to be started by root")
@pytest.mark.parametrize("server", (ReturningPostfix, ReturningExim), ids=("postfix", "exim"))
def test_real_bounces_reach_the_suppression_list(loop_with, sender_in, tmp_path, server):
    sender = sender_in(keys=("ed25519",))
    receiver = Receiver(sender)
    peer = server(tmp_path, f"{server.name}.example")
    peer.port_back = receiver.port
    try:
        sender.route("*", peer.relay)
        sender.start()
        receiver.start()
        peer.start()
        rows = [f"{name}@{peer.domain}" for name in ("reader1", "nobody", "no.body", "reader2")]
        sender.create("first", rows)
        assert sender.wait("first")["delivered"] == len(rows)
        wait_until(lambda: sender.status("first")["bounced"] == 2, "both bounces")
        assert set(suppressions(sender)) == {("nobody", "", ""), ("no.body", "", "")}
        assert sender.create("second", rows)["total"] == 2
    finally:
        receiver.close()
        peer.close()
        print(f"---- {peer.name}\n{peer.log()[-6000:]}\n{receiver.log()[-6000:]}")
