"""The sender as its operator meets it: campaigns, queue, restarts, metrics, errors."""

import json
import re
import subprocess
import time

import pytest

from hostile import Hostile, polite
from ports import free_port
from sender import DONE, HEADERS, TEXT, Refused, wait_until

pytestmark = pytest.mark.binary


@pytest.fixture
def sender(sender_in):
    """A sender with an Ed25519 key, not started: signing costs next to nothing."""
    return sender_in(keys=("ed25519",))


@pytest.fixture
def sink(sink_with):
    return sink_with()


@pytest.fixture
def running(sender, sink):
    sender.route("*", sink.port)
    return sender.start()


def addresses(count, domains=5):
    return [f"reader{i}@shop{i % domains}.test" for i in range(count)]


def slow(seconds):
    """A script of a server that takes its time before it accepts a message."""
    def script(talk):
        talk.serve(dot=lambda _: time.sleep(seconds))
    return script


def refused(sender, *words):
    with pytest.raises(Refused) as error:
        sender.run(*words)
    return error.value


# ---- campaigns ----

def test_a_campaign_is_made_then_started_and_delivered_to_everybody_once(running, sink):
    made = running.create("news", addresses(500), start=False)
    assert made["total"] == 500 and made["domains"] == 5
    before = running.status("news")
    assert before["state"] == "ready" and before["queued"] == 500 and sink.recipients() == []
    running.run("campaign", "start", "news")
    after = running.wait("news")
    assert after["delivered"] == 500 and after["state"] == "done"
    assert sorted(sink.recipients()) == sorted(addresses(500))
    running.check_sums("news")
    totals = sink.totals()
    assert totals["malformed"] == 0 and totals["violations"] == 0


def test_campaigns_answer_to_number_and_name(running):
    made = running.create("news", addresses(3))
    running.wait("news")
    assert running.status(str(made["id"])) == running.status("news")
    assert refused(running, "campaign", "status", "nobody").code == 1
    assert "nobody" in refused(running, "campaign", "report", "nobody").errors


def test_a_name_is_taken_once(running):
    running.create("news", addresses(3))
    with pytest.raises(Refused, match="already"):
        running.create("news", addresses(3))
    assert len(running.items("campaign", "status")) == 1


def test_a_paused_campaign_sends_nothing_and_goes_on_when_resumed(sender):
    with Hostile(slow(0.02)) as server:
        sender.default_site |= {"sessions": 2, "depth": 1}
        sender.route("*", server.port)
        sender.start()
        sender.create("news", addresses(600))
        sender.wait("news", lambda s: s["delivered"] >= 10)
        assert sender.ask("campaign", "pause", "news")["state"] == "paused"
        # What workers hold already is finished; then nothing moves.
        idle = wait_until(lambda: quiet_count(sender), "the campaign to come to rest")
        time.sleep(0.5)
        assert sender.status("news")["delivered"] == len(server.accepted) == idle < 600
        assert sender.ask("campaign", "resume", "news")["state"] == "running"
        assert sender.wait("news")["delivered"] == 600
        assert len({m.recipients[0] for m in server.accepted}) == len(server.accepted) == 600


def quiet_count(sender):
    """How many are delivered, once no message is in flight."""
    if sender.ask("status")["queue"]["in_flight"] > 0:
        return None
    return sender.status("news")["delivered"]


def test_a_cancelled_campaign_reports_what_was_not_sent_as_cancelled(sender):
    with Hostile(slow(0.02)) as server:
        sender.default_site |= {"sessions": 2, "depth": 1}
        sender.route("*", server.port)
        sender.start()
        sender.create("news", addresses(600))
        sender.wait("news", lambda s: s["delivered"] >= 10)
        sender.run("campaign", "cancel", "news")
        status = sender.wait("news", lambda s: s["queued"] == 0)
        assert status["cancelled"] > 0 and status["state"] == "cancelled"
        assert status["delivered"] == len(server.accepted)
        sender.check_sums("news")
        assert "cannot be" in refused(sender, "campaign", "resume", "news").errors


def test_a_deferred_recipient_of_a_cancelled_campaign_is_not_tried_again(sender):
    with Hostile(lambda talk: talk.serve(rcpt="450 4.2.0 later\r\n")) as server:
        sender.settings["retry"]["schedule"] = ["2s"]
        sender.route("*", server.port)
        sender.start()
        sender.create("news", ["ann@shop.test"])
        sender.wait("news", lambda s: s["deferred"] == 1)
        sender.run("campaign", "cancel", "news")
        assert sender.wait("news", lambda s: s["queued"] == 0)["cancelled"] == 1
        tried = sum(c.startswith("RCPT") for talk in server.talks for c in talk.commands)
        time.sleep(2.5)
        assert tried == sum(c.startswith("RCPT") for talk in server.talks for c in talk.commands)


@pytest.mark.parametrize("form, local", [("quoted", '"a..b"'), ("raw", "a..b")])
def test_odd_dots_go_in_the_form_that_the_site_takes(sender_in, form, local):
    sender = sender_in()
    with Hostile() as server:
        sender.default_site["odd-dots"] = form
        sender.route("*", server.port)
        sender.start()
        sender.create("news", ["a..b@docomo.test", '"c,d"@docomo.test', "e.f@docomo.test"])
        sender.wait("news")
        assert {m.recipients[0] for m in server.accepted} == {
            f"{local}@docomo.test", '"c,d"@docomo.test', "e.f@docomo.test"}
        # The report has the address as it was stored, so that it is found again.
        assert sender.report_by_address("news")['"a..b"@docomo.test']["outcome"] == "delivered"


def test_bad_rows_are_refused_by_line_and_the_others_sent(running, sink):
    rows = ["ann@shop.test", "not an address", "bob@shop.test", "", "eve@", "ANN@shop.test",
            "a\x01b@shop.test", "two@a.test,b.test", "<c@d.test>", "x" * 70 + "@shop.test",
            "last@shop.test"]
    rejects = running.directory / "rejects.csv"
    made = running.create("news", [(row, "Ann") for row in rows], "--rejects", rejects)
    status = running.wait("news")
    lines = rejects.read_text(encoding="utf-8").splitlines()
    by_line = {int(line.split(",")[0].strip('"')): line for line in lines[1:]}
    assert set(by_line) >= {3, 5, 6, 7, 8, 9, 10}, lines
    assert made["total"] + len(by_line) >= len(rows) - 1  # an empty line may be no row at all
    assert made["total"] == status["delivered"] == len(sink.recipients())
    assert {"ann@shop.test", "bob@shop.test", "last@shop.test"} <= set(sink.recipients())


def test_an_unknown_field_is_refused_and_nothing_is_made(running):
    with pytest.raises(Refused, match="nmae"):
        running.create("news", addresses(3), text="Hello {{nmae}}\n")
    assert running.items("campaign", "status") == []


@pytest.mark.parametrize("headers", [
    "Subject: no sender\n",
    "From: a@other.example\nSubject: not the customer's domain\n",
    "From: a@courier.example\nFrom: b@courier.example\nSubject: two\n",
    "From: a@courier.example\nno field at all\n",
])
def test_a_header_that_would_not_align_or_is_none_is_refused(running, headers):
    with pytest.raises(Refused):
        running.create("news", addresses(3), headers=headers)
    assert running.items("campaign", "status") == []


EVIL = ["Ann\r\nBcc: all@evil.test", "Ann\nX-Evil: 1", "Ann\r\n\r\n<b>body</b>", "Ann\rX-Evil: 1",
        "\r\n.\r\nMAIL FROM:<x@evil.test>"]


def test_a_value_cannot_add_a_header_field(sender):
    """Recipients with such values are failed, with the field's name, and no mail of theirs is made."""
    with Hostile(polite) as server:
        sender.route("*", server.port)
        sender.start()
        sender.create("news", [("good@shop.test", "Ann"),
                               *((f"r{i}@shop.test", value) for i, value in enumerate(EVIL))])
        status = sender.wait("news")
        assert status["delivered"] == 1 and status["failed"] == len(EVIL)
        assert [m.recipients for m in server.accepted] == [("good@shop.test",)]
        lines = sender.report("news", "failed")
        assert all("name" in line["reply"] and line["attempts"] <= 1 for line in lines)
        sender.check_sums("news")


def test_a_value_in_the_text_ends_neither_the_message_nor_a_line_wrongly(sender):
    with Hostile(polite) as server:
        sender.route("*", server.port)
        sender.start()
        sender.create("news", [(f"r{i}@shop.test", value) for i, value in enumerate(EVIL)],
                      headers="From: news@courier.example\nSubject: plain\n")
        assert sender.wait("news")["delivered"] == len(EVIL)
        for message in server.accepted:
            header = message.content.split(b"\r\n\r\n")[0]
            assert not re.search(rb"(?mi)^(bcc|x-evil|mail)\b", header)
            left = message.content.replace(b"\r\n", b"")
            assert b"\r" not in left and b"\n" not in left
        for talk in server.talks:
            assert not any("evil" in command for command in talk.commands)


def test_a_broken_import_leaves_nothing(running):
    """The client is killed while it sends rows."""
    path = running.write_list(addresses(3))
    head = running.directory / "h"
    head.write_text(HEADERS)
    text = running.directory / "t"
    text.write_text(TEXT)
    client = subprocess.Popen(
        [running.program, "campaign", "create", "--name", "broken", "--customer", running.domain,
         "--headers", str(head), "--text", str(text), "--recipients", "-", "--config",
         str(running.config)], stdin=subprocess.PIPE, stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL)
    client.stdin.write(b"email,name\n" + b"".join(b"r%d@shop.test,x\n" % i for i in range(50000)))
    client.stdin.flush()
    wait_until(lambda: any(s["name"] == "broken" for s in running.items("campaign", "status"))
               or client.poll() is not None, "the import to show", 10)
    client.kill()
    client.wait()
    client.stdin.close()
    wait_until(lambda: running.items("campaign", "status") == [], "the import to be gone")
    assert path.exists() and running.create("broken", addresses(3))["total"] == 3


# ---- the queue ----

@pytest.fixture
def deferring(sender):
    """A campaign whose recipients are all put off for long; `open` lets them in."""
    state = {"open": False}

    def script(talk):
        talk.serve(rcpt=lambda _: None if state["open"] else "450 4.2.0 greylisted, be patient\r\n")

    with Hostile(script) as server:
        sender.settings["retry"]["schedule"] = ["1h"]
        sender.settings["retry"]["expire"] = "2h"
        sender.route("*", server.port)
        sender.start()
        sender.create("news", addresses(20, domains=4))
        sender.wait("news", lambda s: s["deferred"] == 20)
        sender.server, sender.state = server, state
        yield sender


def test_deferred_recipients_are_listed_with_reason_and_time(deferring):
    rows = [r for r in deferring.items("queue", "list", "--rows") if "address" in r]
    assert len(rows) == 20
    assert all("greylisted, be patient" in r["reason"] and r["code"] == 450 for r in rows)
    now = time.time() * 1000
    assert all(now + 50 * 60_000 < r["due_ms"] < now + 70 * 60_000 for r in rows)
    only = [r for r in deferring.items("queue", "list", "--rows", "--domain", "shop1.test")
            if "address" in r]
    assert {r["address"] for r in only} == {a for a in addresses(20, 4) if "@shop1." in a}
    limited = deferring.items("queue", "list", "--rows", "--limit", 7)
    assert sum("address" in r for r in limited) == 7 and limited[-1]["more"] is True
    found, after = {r["address"] for r in limited if "address" in r}, limited[-1]["next"]
    while after:
        page = deferring.items("queue", "list", "--rows", "--limit", 7, "--after", after)
        found |= {r["address"] for r in page if "address" in r}
        after = page[-1].get("next") if page[-1].get("more") else None
    assert found == set(addresses(20, 4))


def test_one_recipient_is_shown_with_state_and_history(deferring):
    row = deferring.ask("queue", "show", "reader3@shop3.test")
    assert row["state"] == "deferred" and row["attempts"] == 1 and row["code"] == 450
    assert row["history"][0]["outcome"] == "deferred" and row["history"][0]["class"] == "greylisted"
    assert "greylisted" in deferring.run("queue", "show", "reader3@shop3.test").stdout
    assert refused(deferring, "queue", "show", "nobody@shop3.test").code == 1


@pytest.mark.parametrize("taught", [False, True])
def test_words_that_are_not_known_are_listed_until_a_pattern_knows_them(sender, taught):
    def script(talk):
        talk.serve(rcpt=lambda _: "550 5.7.1 Wrong moon phase 17\r\n")

    with Hostile(script) as server:
        if taught:
            sender.settings['reply "moon"'] = {"class": "content", "code": "5", "text": ["moon", "phase"]}
        sender.route("*", server.port)
        sender.start()
        sender.create("news", addresses(20, domains=4))
        sender.wait("news")
        listed = sender.items("queue", "unknown")
        classes = {line["class"] for line in sender.items("campaign", "report", "news")}
    if taught:
        assert classes == {"content"} and listed == []
        return
    assert classes == {"policy"} and len(listed) == 1
    assert listed[0]["count"] == 20 and listed[0]["shape"] == "wrong moon phase <number>"
    assert listed[0]["reply"] == "5.7.1 Wrong moon phase 17" and listed[0]["class"] == "policy"
    assert "Wrong moon phase" in sender.run("queue", "unknown").stdout


def test_retry_makes_them_due_now(deferring):
    deferring.state["open"] = True
    assert deferring.ask("queue", "retry", "--domain", "shop1.test")["count"] == 5
    deferring.wait("news", lambda s: s["delivered"] == 5)
    assert {m.recipients[0].split("@")[1] for m in deferring.server.accepted} == {"shop1.test"}
    assert deferring.ask("queue", "retry", "--address", "reader0@shop0.test")["count"] == 1
    deferring.wait("news", lambda s: s["delivered"] == 6)
    deferring.run("queue", "retry", "--all")
    assert deferring.wait("news")["delivered"] == 20
    deferring.check_sums("news")


def test_bounce_gives_them_up(deferring):
    assert deferring.ask("queue", "bounce", "--domain", "shop2.test")["count"] == 5
    status = deferring.status("news")
    assert status["failed"] == 5 and status["deferred"] == 15
    deferring.run("queue", "bounce", "--campaign", "news")
    assert deferring.wait("news")["failed"] == 20
    deferring.check_sums("news")


def test_empty_selections_mean_nothing_rather_than_all(deferring):
    assert refused(deferring, "queue", "retry").code == 2
    assert refused(deferring, "queue", "bounce").code == 2
    assert refused(deferring, "queue", "doubt", "drop").code == 2
    assert deferring.status("news")["deferred"] == 20


def test_a_suspended_site_gets_nothing_also_after_a_restart(sender, sink_with):
    one, two = sink_with(), sink_with()
    sender.route("one.test", one.port)
    sender.route("two.test", two.port)
    sender.start()
    sender.create("first", ["a@one.test", "a@two.test"])
    sender.wait("first")
    sender.run("queue", "suspend", "one.test")
    sender.create("second", ["b@one.test", "b@two.test"])
    sender.wait("second", lambda s: s["delivered"] == 1)
    assert sender.stop() == 0
    sender.start()
    time.sleep(0.5)
    assert one.recipients() == ["a@one.test"]
    states = {s["site"]: s["state"] for s in sender.items("queue", "list") if "site" in s}
    assert "suspended" in states.values()
    sender.run("queue", "resume", "--site", f"127.0.0.1:{one.port}")
    sender.wait("second")
    assert one.recipients() == ["a@one.test", "b@one.test"]


# ---- life of the daemon ----

def test_a_stop_in_the_middle_loses_nothing_and_sends_nothing_twice(sender, sink_with):
    """SIGTERM several times during one campaign: messages on their way are finished first."""
    sink = sink_with("--delay-ms", "1-20")
    sender.default_site["sessions"] = 4
    sender.route("*", sink.port)
    sender.start()
    sender.create("news", addresses(4000, domains=50))
    stops = 0
    while sender.status("news")["state"] not in DONE and stops < 5:
        seen = sender.status("news")["delivered"]
        sender.wait("news", lambda s: s["delivered"] > seen + 200 or s["state"] in DONE)
        assert sender.stop() == 0
        stops += 1
        sender.start()
    status = sender.wait("news")
    assert stops >= 3 and status["delivered"] == 4000 and status["doubts"] == 0
    assert sorted(sink.recipients()) == sorted(addresses(4000, 50))
    assert sink.recipients("doubt") == []
    sender.check_sums("news")


def test_the_stop_command_ends_the_daemon_cleanly(running):
    running.run("stop", "--wait")
    assert running.process.wait(timeout=30) == 0
    assert refused(running, "status").code == 3


def test_a_killed_daemon_goes_on_where_it_was(sender, sink_with):
    sink = sink_with("--delay-ms", "1-10")
    sender.default_site["sessions"] = 4
    sender.route("*", sink.port)
    sender.start()
    sender.create("news", addresses(3000, domains=50))
    sender.wait("news", lambda s: s["delivered"] > 300)
    sender.kill()
    sender.start()
    status = sender.wait("news")
    assert status["delivered"] == 3000
    assert set(sink.recipients()) == set(addresses(3000, 50))
    twice = len(sink.recipients()) - 3000
    assert twice <= status["doubts"]
    sender.check_sums("news")


def test_a_paused_campaign_is_paused_after_a_restart(running, sink):
    running.create("news", addresses(10), start=False)
    running.run("campaign", "start", "news")
    running.wait("news")
    running.create("later", addresses(10), start=False)
    assert running.stop() == 0
    running.start()
    assert running.status("later")["state"] == "ready"
    assert running.status("news")["state"] == "done" and len(sink.recipients()) == 10
    running.run("campaign", "start", "later")
    assert running.wait("later")["delivered"] == 10


def test_two_daemons_cannot_have_one_queue(running):
    text = running.config_text().replace(running.socket, running.short + "/other.sock").replace(
        f"127.0.0.1:{running.metrics_port}", f"127.0.0.1:{free_port()}")
    other = running.directory / "other.conf"
    other.write_text(text)
    second = subprocess.run([running.program, "send", "--config", str(other)], capture_output=True,
                            text=True, timeout=60, stdin=subprocess.DEVNULL)
    assert second.returncode != 0 and running.is_alive()
    assert str(running.data) in second.stderr
    assert running.create("news", addresses(3))["total"] == 3
    assert running.wait("news")["delivered"] == 3


def test_a_second_daemon_does_not_take_the_socket_of_the_first(running):
    other = running.directory / "other.conf"
    other.write_text(running.config_text().replace(str(running.data), str(running.data) + "2").replace(
        f"127.0.0.1:{running.metrics_port}", f"127.0.0.1:{free_port()}"))
    (running.directory / "data2").mkdir()
    second = subprocess.run([running.program, "send", "--config", str(other)], capture_output=True,
                            text=True, timeout=60, stdin=subprocess.DEVNULL)
    assert second.returncode != 0
    assert running.ask("status")["pid"] == running.process.pid


def test_what_is_too_old_expires_and_is_failed(sender):
    with Hostile(lambda talk: talk.serve(rcpt="450 4.2.2 mailbox full\r\n")) as server:
        sender.settings["retry"] |= {"schedule": ["1s"], "expire": "1h"}
        sender.route("*", server.port)
        sender.start()
        sender.create("news", addresses(4), "--expire", "3s")
        status = sender.wait("news", seconds=60)
        assert status["expired"] == status["failed"] == 4 and status["deferrals"] >= 8
        lines = sender.report("news", "expired")
        assert len(lines) == 4 and all("mailbox full" in line["reply"] for line in lines)
        sender.check_sums("news")


def test_limits_of_a_site_are_kept(sender, sink_with):
    sink = sink_with("--delay-ms", "5-10")
    sender.default_site |= {"sessions": 3, "messages-per-session": 10}
    sender.top["workers"] = 2
    sender.route("*", sink.port)
    sender.start()
    sender.create("news", addresses(300))
    most = 0

    def over(status):
        nonlocal most
        most = max(most, sender.ask("status")["sessions"]["open"])
        return status["state"] in DONE

    assert sender.wait("news", over)["delivered"] == 300
    assert 1 <= most <= 3
    assert sink.totals()["connections"] >= 30


# ---- what operators and machines read ----

def test_metrics_pass_promtool_while_mail_is_sent(sender, sink_with):
    sink = sink_with("--delay-ms", "1-10", "--reject-percent", "5", "--defer-percent", "5")
    sender.route("*", sink.port)
    sender.start()
    sender.create("news", addresses(3000))
    sender.wait("news", lambda s: s["delivered"] > 100)
    page = sender.metrics_page()
    checked = subprocess.run(["promtool", "check", "metrics"], input=page, text=True,
                             capture_output=True)
    assert checked.returncode == 0 and checked.stdout + checked.stderr == ""
    assert sender.metrics_page(openmetrics=True).endswith("# EOF\n")
    status = sender.wait("news")
    assert sender.metric("hikyaku_messages_total", outcome="delivered") == status["delivered"]
    assert sender.metric("hikyaku_messages_total", outcome="failed") == status["failed"]
    assert sender.metric("hikyaku_messages_total", outcome="deferred") == status["deferrals"]
    assert sender.metric("hikyaku_replies_total", **{"class": "bad-mailbox"}) == status["failed"]
    assert sender.metric("hikyaku_replies_total", **{"class": "greylisted"}) == status["deferrals"]
    assert sender.metric("hikyaku_replies_total", **{"class": "unknown"}) == 0
    sender.check_sums("news")


def test_every_command_speaks_json(running):
    running.create("news", addresses(5))
    running.wait("news")
    for words in (("status",), ("campaign", "status"), ("campaign", "status", "news"),
                  ("campaign", "report", "news"), ("queue", "list"), ("queue", "list", "--rows"),
                  ("queue", "show", "reader1@shop1.test"), ("queue", "retry", "--all"),
                  ("queue", "bounce", "--domain", "shop1.test"), ("queue", "doubt", "list"),
                  ("queue", "doubt", "resend", "--all"), ("queue", "unknown"),
                  ("keys", "show"), ("check",), ("version",)):
        for line in running.run(*words, "--json").stdout.splitlines():
            assert isinstance(json.loads(line), dict), words
    error = refused(running, "campaign", "start", "nobody", "--json").errors
    assert json.loads(error)["code"] == "not-found"


def test_the_report_pages_through_all_recipients(running):
    """More rows than one answer has."""
    running.create("news", addresses(25000, domains=100))
    running.wait("news")
    lines = running.report_by_address("news")
    assert len(lines) == 25000
    assert len(running.items("campaign", "report", "news", "--limit", 12)) == 12


def test_status_tells_what_is_going_on(running):
    running.create("news", addresses(50))
    running.wait("news")
    status = running.ask("status")
    assert status["totals"]["delivered"] == 50 and status["campaigns"]["done"] == 1
    assert status["pid"] == running.process.pid and status["state"] == "running"
    assert "delivered" in running.run("status").stdout or "sent" in running.run("status").stdout


@pytest.mark.parametrize("wrong, words", [
    ('workers = "many"', "workers"),
    ("no-such-option = 1", "no-such-option"),
    ('site "default" { sessions = 0 }', "sessions"),
    ('route "*" { relay = "no-port" }', "relay"),
    ('customer "courier.example" { }', "courier.example"),
    ("queue { commit-interval = ", ""),
])
def test_check_and_the_daemon_name_what_is_wrong_with_the_configuration(sender, wrong, words):
    text = sender.config_text()
    number = text.count("\n") + 1
    if wrong.startswith("workers"):
        text = text.replace("workers = 2", "", 1)
    if wrong.startswith("site"):
        text = re.sub(r'(?m)^site "default".*$', "", text)
    if wrong.startswith("queue"):
        text = re.sub(r"(?ms)^queue \{.*?^\}$", "", text)
        number = text.count("\n") + 1
    sender.config.write_text(text + wrong + "\n")
    error = refused(sender, "check")
    assert error.code == 1 and words in error.errors and str(sender.config) in error.errors
    assert re.search(r"hikyaku\.conf:\d+", error.errors)
    if not wrong.startswith(("customer", "queue")):
        assert f"hikyaku.conf:{number}:" in error.errors
    daemon = subprocess.run([sender.program, "send", "--config", str(sender.config)],
                            capture_output=True, text=True, timeout=30, stdin=subprocess.DEVNULL)
    assert daemon.returncode == 1 and words in daemon.stderr


def test_check_finds_a_missing_key_and_accepts_a_good_configuration(sender):
    sender.write_config()
    assert "fine" in sender.run("check").stdout
    sender.keys[0][1].unlink()
    assert str(sender.keys[0][1]) in refused(sender, "check").errors


def test_the_daemon_does_not_start_without_its_key(sender):
    sender.keys[0][1].write_text("no key")
    sender.write_config()
    sender.data.mkdir()
    daemon = subprocess.run([sender.program, "send", "--config", str(sender.config)],
                            capture_output=True, text=True, timeout=30, stdin=subprocess.DEVNULL)
    assert daemon.returncode == 1 and str(sender.keys[0][1]) in daemon.stderr


def test_no_daemon_is_said_so(sender):
    sender.write_config()
    error = refused(sender, "status")
    assert error.code == 3 and "hikyaku send" in error.errors


def test_the_log_has_no_addresses_at_its_usual_level(sender, sink_with):
    sink = sink_with("--reject-percent", "30", "--defer-percent", "30")
    sender.top["log"] = "info"
    sender.route("*", sink.port)
    sender.start()
    sender.create("news", addresses(100))
    sender.wait("news")
    assert sender.log() and "reader" not in sender.log()
