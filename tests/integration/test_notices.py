"""Notices about letters: Postfix refuses one recipient and takes another, and takes what the sender is told
about that. Python's reader of mail, which shares nothing with ours, makes of it what a mail program would."""

import email
import email.policy
import os
import re
import threading
import time

import dkim
import pytest

from sender_link import SUCCESS, ControlError, Link
from peers.postfix import Postfix
from sender import wait_until

pytestmark = [
    pytest.mark.binary,
    pytest.mark.skipif(os.geteuid() != 0, reason="mail servers want to be started by root"),
]

COURIER = "courier.example"
SHOP = "postfix.example"
BOSS = f"boss@{COURIER}"
MAIL = (f"From: Boss <{BOSS}>\r\nTo: somebody@{SHOP}\r\nSubject: =?UTF-8?B?44GU5rOo5paH44Gu5Lu2?=\r\n"
        f"Date: Mon, 30 Nov 2026 10:00:00 +0900\r\nMessage-ID: <order17@{COURIER}>\r\nMIME-Version: 1.0\r\n"
        "Content-Type: text/plain\r\n\r\nThank you.\r\n.\r\n").encode()


class Shop(Postfix):
    """Takes mail for readers at its domain, and for the boss at the sender's."""

    def configure(self):
        (self.directory / "everybody").write_text(f"/^(reader[0-9]+@{SHOP}|{BOSS})$/ all/\n")
        self.more = [f"virtual_mailbox_domains = {SHOP}, {COURIER}",
                     f"virtual_mailbox_maps = regexp:{self.directory}/everybody"]
        super().configure()


@pytest.fixture
def world(sender_in, tmp_path):
    sender = sender_in(domain=COURIER)
    shop = Shop(tmp_path, SHOP)
    try:
        sender.route("*", shop.relay)
        shop.start()
        sender.start()
        yield sender, shop
    finally:
        shop.close()
        print(f"---- {shop.name}\n{shop.log()[-6000:]}")


def is_over(sender):
    queue = sender.ask("status")["queue"]
    return queue["deferred"] == 0 and queue["in_flight"] == 0


def bring(sender, key):
    """Until it is answered for, whatever happens to the sender meanwhile."""
    while True:
        try:
            with Link(sender.socket) as link:
                link.letter(key, COURIER, MAIL, [f"nobody{key}@{SHOP}"], sender=BOSS)
                return
        except (ControlError, OSError):
            time.sleep(0.01)


def read(sender, mail):
    """A notice as a mail program sees it: message, text, fields of message and recipients, original."""
    def key_of(name, timeout=5):
        return sender.dns_records[name.decode().rstrip(".")].encode()

    assert mail.sender == "" and mail.recipient == BOSS
    signed = mail.wire[mail.wire.index(b"DKIM-Signature:"):]
    assert dkim.verify(signed, dnsfunc=key_of)
    message = email.message_from_bytes(mail.content, policy=email.policy.default)
    assert not message.defects
    assert message["From"].addresses[0].addr_spec == f"postmaster@{COURIER}"
    assert message["Auto-Submitted"] == "auto-replied"
    assert message["References"] == f"<order17@{COURIER}>"
    assert message.get_content_type() == "multipart/report"
    assert message["Content-Type"].params["report-type"] == "delivery-status"
    human, status, original = message.iter_parts()
    assert status.get_content_type() == "message/delivery-status"
    whole, *recipients = status.get_payload()
    assert whole["Reporting-MTA"].startswith("dns; ") and whole["Arrival-Date"]
    return message, human.get_content(), whole, recipients, original


def test_a_refusal_is_told_to_the_sender_once_and_a_success_when_it_was_asked_for(world):
    sender, shop = world
    with Link(sender.socket) as link:
        link.letter("1", COURIER, MAIL, [f"nobody@{SHOP}", f"reader1@{SHOP}"], sender=BOSS, ret="full",
                    envid="order+3D17")
        link.letter("2", COURIER, MAIL, [(f"reader2@{SHOP}", SUCCESS, f"rfc822;Reader+2B2@{SHOP}")],
                    sender=BOSS)
        link.letter("3", COURIER, MAIL, [f"nobody@{SHOP}"])
    wait_until(lambda: len(shop.mails()) >= 4, "two readers and two notices")
    wait_until(lambda: is_over(sender), "the sender to know it")
    sender.kill()
    sender.start(write=False)
    wait_until(lambda: is_over(sender), "the end")
    mails = shop.mails()
    assert sorted(mail.recipient for mail in mails) == [BOSS, BOSS, f"reader1@{SHOP}", f"reader2@{SHOP}"]
    told = [read(sender, mail) for mail in mails if mail.recipient == BOSS]
    failed, relayed = sorted(told, key=lambda parts: parts[3][0]["Action"])

    message, text, whole, recipients, original = failed
    assert message["Subject"] == "メールを配信できませんでした: ご注文の件"
    assert f"nobody@{SHOP}" in text and "Check the address for typing errors." in text
    assert "このメールアドレスは存在しません。" in text and "User unknown" in text
    assert whole["Original-Envelope-Id"] == "order=17"
    recipient, = recipients
    assert recipient["Final-Recipient"] == f"rfc822; nobody@{SHOP}"
    assert (recipient["Action"], recipient["Status"]) == ("failed", "5.1.1")
    assert recipient["Diagnostic-Code"].startswith("smtp; 550 5.1.1 ")
    assert original.get_content_type() == "message/rfc822"
    assert original.get_payload(0).get_content().splitlines() == ["Thank you.", "."]

    message, text, _, recipients, original = relayed
    recipient, = recipients
    assert (recipient["Action"], recipient["Status"]) == ("relayed", "2.0.0")
    assert recipient["Original-Recipient"] == f"rfc822; Reader+2@{SHOP}"
    assert original.get_content_type() == "text/rfc822-headers"
    assert f"<order17@{COURIER}>" in original.get_content()


def test_over_kills_each_refusal_is_told_by_one_notice(world):
    sender, shop = world
    keys = [str(number) for number in range(200)]
    bringer = threading.Thread(target=lambda: [bring(sender, key) for key in keys])
    bringer.start()
    for count in (20, 60, 100, 150):
        wait_until(lambda: len(shop.mails()) >= count, f"{count} notices")
        sender.kill()
        sender.start(write=False)
    bringer.join(60)
    assert not bringer.is_alive()
    wait_until(lambda: is_over(sender), "the end")
    told = {}
    for mail in shop.mails():
        about = re.search(rb"(?m)^Final-Recipient: rfc822; nobody([0-9]+)@", mail.content)
        told.setdefault(about[1].decode(), set()).add(mail.id())
    assert sorted(told) == sorted(keys)
    # A copy of one that was in doubt is the same notice: its Message-ID says so.
    assert {len(notices) for notices in told.values()} == {1}
    campaign, = sender.items("campaign", "status")
    assert (campaign["failed"], campaign["delivered"], campaign["total"]) == (200, 200, 400)
    assert len(shop.mails()) - len(keys) <= campaign["doubts"]
