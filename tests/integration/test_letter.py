"""Letters: single messages under a key, kept once, signed and sent before all bulk mail."""

import email
import email.policy
import threading
import time

import dkim
import pytest

from sender_link import FAILURE, ControlError, Link
from sender import Refused, wait_until

DOMAIN = "courier.example"


def mail(number=1, subject="{{no field}} braces"):
    return (f"From: {DOMAIN} <news@{DOMAIN}>\r\nTo: Friends: ann@shop.example;\r\n"
            f"Bcc: secret@shop.example\r\nSubject: {subject}\r\nDate: Mon, 30 Nov 2026 10:00:00 +0900\r\n"
            f"Message-ID: <{number}@{DOMAIN}>\r\nMIME-Version: 1.0\r\n"
            "Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n\r\n"
            "{{name}} さん、こんにちは。\r\n.\r\n").encode()


def saved(sink):
    return [path.read_bytes() for path in sorted(sink.saved.glob("*.eml"))]


def key_of(sender, name):
    return sender.dns_records[name.decode().rstrip(".")]


@pytest.fixture
def world(sender_in, sink_with, tmp_path):
    folder = tmp_path / "mail"
    folder.mkdir()
    sink = sink_with("--save", str(folder))
    sink.saved = folder
    sender = sender_in()
    sender.route("*", sink.port)
    sender.start()
    return sender, sink


def arrived(sink, count):
    wait_until(lambda: len(sink.rows()) >= count, f"{count} recipients")
    return sink.recipients()


def test_a_letter_arrives_as_it_was_written_and_is_signed(world):
    sender, sink = world
    with Link(sender.socket) as link:
        to = [("ann@shop.example", FAILURE, "rfc822;ann@shop.example"), "bob@shop.example"]
        kept = link.letter("spool/1", DOMAIN, mail(), to, sender=f"boss@{DOMAIN}")
        assert not kept["known"]
        assert sorted(arrived(sink, 2)) == ["ann@shop.example", "bob@shop.example"]
        state = wait_until(lambda: [s for s in [link.ask("letter.status", id=kept["id"])]
                                    if s["state"] == "delivered"], "the letter's end")[0]
    assert (state["key"], state["recipients"], state["delivered"]) == ("spool/1", 2, 2)
    for raw in saved(sink):
        message = email.message_from_bytes(raw, policy=email.policy.default)
        assert message["Subject"] == "{{no field}} braces"
        assert message["Bcc"] is None
        assert message["To"].groups[0].display_name == "Friends"
        assert message.get_content().splitlines() == ["{{name}} さん、こんにちは。", "."]
        assert dkim.verify(raw, dnsfunc=lambda name, timeout=5: key_of(sender, name))


def test_the_same_key_is_sent_once(world):
    sender, sink = world
    with Link(sender.socket) as link:
        first = link.letter("key", DOMAIN, mail(), ["ann@shop.example"])
        again = link.letter("key", DOMAIN, mail(), ["ann@shop.example"])
        arrived(sink, 1)
        late = link.letter("key", DOMAIN, mail(), ["ann@shop.example"])
        last = link.letter("other", DOMAIN, mail(2), ["bob@shop.example"])
    assert again["known"] and late["known"] and not last["known"]
    assert first["id"] == again["id"] == late["id"]
    assert sorted(arrived(sink, 2)) == ["ann@shop.example", "bob@shop.example"]


def test_what_cannot_be_sent_is_refused_with_its_reason(world):
    sender, _ = world
    wrong = [
        (mail().replace(b"news@courier", b"news@other"), ["a@b.example"], "refused-content",
         "From is of other.example"),
        (mail().replace(b"From:", b"Form:"), ["a@b.example"], "refused-content", "no From"),
        (mail().replace(b"name}}", b"n\rme}}"), ["a@b.example"], "refused-content", "CR without LF"),
        (mail(), ["not an address"], "bad-request", "local@domain"),
        (mail(), [], "bad-request", "no recipient"),
    ]
    with Link(sender.socket) as link:
        for whole, recipients, code, words in wrong:
            with pytest.raises(ControlError, match=words) as refused:
                link.letter("key", DOMAIN, whole, recipients)
            assert refused.value.code == code
        with pytest.raises(ControlError, match="not in the configuration"):
            link.letter("key", "nobody.example", mail(), ["a@b.example"])
        assert not link.letter("key", DOMAIN, mail(), ["a@b.example"])["known"]


def test_a_letter_is_handed_in_by_hand(world, tmp_path):
    sender, sink = world
    path = tmp_path / "letter.eml"
    path.write_bytes(mail())
    words = ("letter", "send", path, "ann@shop.example", "bob@shop.example", "--customer", DOMAIN)
    assert "to 2 recipients" in sender.run(*words, "--key", "invoice 4711").stdout
    assert "Accepted before" in sender.run(*words, "--key", "invoice 4711").stdout
    arrived(sink, 2)
    wait_until(lambda: sender.ask("letter", "show", "invoice 4711")["state"] == "delivered", "its end")
    shown = sender.run("letter", "show", "invoice 4711").stdout
    assert "delivered   2\n" in shown and "kind        submitted\n" in shown
    for bad, words in (("no address", "needs quotes"), ("a@b", "only one label")):
        with pytest.raises(Refused, match=words):
            sender.run("letter", "send", path, "ann@shop.example", bad, "--customer", DOMAIN)
    with pytest.raises(Refused, match="there is no such letter"):
        sender.run("letter", "show", "4711")
    assert len(sink.rows()) == 2


def test_a_letter_goes_before_a_campaign(sender_in, sink_with):
    sink = sink_with("--delay-ms", "5-10")
    sender = sender_in()
    sender.default_site.update(sessions=1)
    sender.route("*", sink.port)
    sender.start()
    sender.create("news", [f"u{i}@shop.example" for i in range(3000)])
    arrived(sink, 20)
    with Link(sender.socket) as link:
        link.letter("key", DOMAIN, mail(), ["urgent@shop.example"])
    wait_until(lambda: "urgent@shop.example" in sink.recipients(), "the letter")
    assert len(sink.rows()) < 2000
    sender.run("campaign", "cancel", "news")


def bring_all(sender, keys, failed):
    """Every key until it is answered for, whatever happens to the sender meanwhile; two minutes at most."""
    until = time.monotonic() + 120
    for key in keys:
        while time.monotonic() < until:
            try:
                with Link(sender.socket) as link:
                    link.letter(key, DOMAIN, mail(key), [f"r{key}@shop.example"])
                break
            except ControlError as refused:
                if refused.code not in ("full", "failed"):
                    failed.append((key, refused))
                    break
            except OSError:
                pass
            time.sleep(0.001)


def test_no_letter_is_lost_or_doubled_by_kills(world):
    sender, sink = world
    keys = [str(i) for i in range(400)]
    failed = []
    bringers = [threading.Thread(target=bring_all, args=(sender, keys[i::4], failed), daemon=True)
                for i in range(4)]
    for bringer in bringers:
        bringer.start()
    for count in (40, 120, 200, 300):
        wait_until(lambda: len(sink.rows()) >= count, f"{count} letters")
        sender.kill()
        sender.start(write=False)
    for bringer in bringers:
        bringer.join(120)
        assert not bringer.is_alive()
    assert failed == []
    wait_until(lambda: len(set(sink.recipients())) == len(keys), "all letters")
    wait_until(lambda: sender.ask("status")["queue"]["in_flight"] == 0, "the end")
    wait_until(lambda: sender.ask("status")["queue"]["deferred"] == 0, "the end")
    campaign, = sender.items("campaign", "status")
    assert campaign["kind"] == "letters"
    assert (campaign["delivered"], campaign["total"]) == (len(keys), len(keys))
    # What is there twice was in doubt, and is counted.
    assert len(sink.rows()) - len(keys) <= campaign["doubts"]
