"""Step mail, whole: people sign up, or something happens to them, and step after step arrives at a real
receiver, once, whatever dies between. Waits are made short by events that happened an hour ago."""

import datetime
import email
import email.policy
import random
import re
import signal
import time
import urllib.parse

import pytest

from sender import wait_until
from test_form import filled, token_of
from visitor import Visitor
from web_host import WebHost

PEOPLE = 120
SENDER = {"sender_name": "Courier K.K.", "sender_address": "1-2 Chiyoda, Tokyo",
          "sender_contact": "help@shop.test"}
FOOT = "Courier K.K., 1-2 Chiyoda, Tokyo, help@shop.test\n"


@pytest.fixture
def sender(sender_in, server):
    one = sender_in(keys=("ed25519",))
    one.route("*", server.port)
    return one.start()


@pytest.fixture
def web(sender):
    with WebHost(sender, url="https://news.courier.example") as one:
        yield one


@pytest.fixture
def key(web):
    one = web.key("shop", "--scope", "send,read,admin,contacts")
    assert web.call("POST", "/api/v1/lists", one, {"name": "news", "title": "News"}).status == 201
    ok(web.call("PATCH", "/api/v1/settings", one, SENDER))
    return one


def ok(answer, status=200):
    assert answer.status == status, answer
    return answer.json


def make(web, key, steps, **more):
    given = {"name": "Welcome", "from": "飛脚 <shop@courier.example>", **more}
    where = f"/api/v1/sequences/{ok(web.call('POST', '/api/v1/sequences', key, given), 201)['id']}"
    ids = [ok(web.call("POST", where + "/steps", key, step), 201)["id"] for step in steps]
    return where, ids


def step(subject, **more):
    return {"subject": subject, "text": "Hello\nhttps://shop.test/a\n{{unsubscribe_url}}\n" + FOOT, **more}


def join(web, key, address):
    ok(web.call("POST", "/api/v1/contacts", key, {"email": address, "lists": {"news": "active"}}), 201)


def start(web, key, where):
    assert ok(web.call("POST", where + "/start", key))["state"] == "running"


def subjects(server, address):
    return [email.message_from_bytes(m.content, policy=email.policy.default)["Subject"]
            for m in server.accepted if m.recipients[0] == address]


def ago(**of):
    return (datetime.datetime.now(datetime.UTC) - datetime.timedelta(**of)).isoformat()


def test_who_signs_up_by_a_form_gets_step_after_step(web, key, server):
    where, (first, second) = make(web, key, [step("Welcome"), step("A week later", wait_days=7)],
                                  start="list", list=1, zone="Asia/Tokyo")
    form = {"name": "news", "lists": "1", "from": "shop@courier.example", "title_en": "News"}
    ok(web.call("POST", "/api/v1/forms", key, form), 201)
    start(web, key, where)
    made = web.call("POST", "/api/v1/contacts", key, {"email": "old@reader.test", "lists": {}})
    assert made.status == 201, made

    def send(path, fields):
        return web.call("POST", path, raw=urllib.parse.urlencode(fields).encode(),
                        headers={"Content-Type": "application/x-www-form-urlencoded"})

    page = web.call("GET", "/f/news")
    page.text = page.body.decode()
    time.sleep(3)  # nobody fills in a form faster
    assert send("/f/news", filled(token_of(page), "ann@reader.test")).status == 200
    wait_until(lambda: server.accepted, "the mail that asks")
    asked = email.message_from_bytes(server.accepted[0].content, policy=email.policy.default)
    link = re.search(r"https://news\.courier\.example(/f/confirm/\S+)", asked.get_content())[1]
    assert ok(web.call("GET", where, key))["contacts"]["waiting"] == 0
    assert send(link, {}).status == 200
    wait_until(lambda: subjects(server, "ann@reader.test")[1:] == ["Welcome"], "the first step")
    mail = next(m for m in server.accepted if b"Subject: Welcome" in m.content)
    opened = email.message_from_bytes(mail.content, policy=email.policy.default)
    assert opened["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    clicked = re.search(r"https://news\.courier\.example(/t/c/[\w-]+/1)", opened.get_content())[1]
    assert web.call("GET", clicked.replace("/t/c/", "/t/o/").rsplit("/", 1)[0]).status == 200

    def counts():
        return {one["id"]: one["counts"] for one in ok(web.call("GET", where, key))["steps"]}

    wait_until(lambda: counts()[first]["delivered"] == 1, "its delivery counted")
    assert (counts()[first]["sent"], counts()[second]["waiting"]) == (1, 1)
    contact = ok(web.call("GET", "/api/v1/contacts/ann@reader.test", key))["id"]
    state = ok(web.call("GET", f"{where}/contacts/{contact}", key))
    assert (state["state"], state["next_step"], state["done"]) == ("waiting", second, [first])
    kept = ok(web.call("GET", f"/api/v1/contacts/{contact}/export", key))["sequences"]
    assert kept == [{**state, "name": "Welcome"}]
    days = datetime.datetime.fromisoformat(state["next_at"]) - datetime.datetime.now(datetime.UTC)
    assert 6.9 < days.total_seconds() / 86400 < 7.1

    # Who leaves by the mail's own link leaves the sequence, too.
    path = re.search(r"https://news\.courier\.example(/u/[\w-]+)", opened["List-Unsubscribe"])[1]
    left = web.call("POST", path, raw=b"List-Unsubscribe=One-Click",
                    headers={"Content-Type": "application/x-www-form-urlencoded"})
    assert left.status in (200, 204), left
    wait_until(lambda: ok(web.call("GET", where, key))["contacts"]["left"] == 1, "leaving")
    assert counts()[first]["unsubscribed"] == 1


def test_an_event_of_an_hour_ago_has_what_was_due_since_then(web, key, server):
    ok(web.call("POST", "/api/v1/segments", key, {"name": "None", "text": 'email = "nobody"'}), 201)
    where, steps = make(web, key, [step("At once"), step("After an hour", wait_hours=1),
                                   step("Not for you", segment=1),
                                   step("After a day", wait_days=1)], start="event", event="order.paid")
    assert web.call("DELETE", "/api/v1/segments/1", key).status == 409
    start(web, key, where)
    for address in ("ann", "ben"):
        ok(web.call("POST", "/api/v1/contacts", key, {"email": f"{address}@shop.test"}), 201)
    event = {"event": "order.paid", "email": "ann@shop.test", "at": ago(minutes=59, seconds=57)}
    for entered in (1, 0):
        assert ok(web.call("POST", "/api/v1/events", key, event))["entered"] == entered
    wait_until(lambda: subjects(server, "ann@shop.test") == ["At once"], "the first step")
    contact = ok(web.call("GET", "/api/v1/contacts/ann@shop.test", key))["id"]
    state = ok(web.call("GET", f"{where}/contacts/{contact}", key))
    assert state["next_step"] == steps[1]
    assert not subjects(server, "ben@shop.test")
    for wrong, pointer in (({"at": ago(days=31)}, "/at"), ({"event": ""}, "/event"), ({"id": 1}, "/id"),
                           ({"when": "now"}, "/when")):
        refused = web.call("POST", "/api/v1/events", key, {**event, **wrong})
        assert refused.status == 422 and refused.json["pointer"] == pointer, refused
    assert web.call("POST", "/api/v1/events", key, {**event, "email": "no@shop.test"}).status == 404


def test_a_running_sequence_is_edited_and_says_what_it_cannot(web, key, server):
    where, (one, two) = make(web, key, [step("One"), step("Two", wait_days=3)], start="list", list=1)
    start(web, key, where)
    join(web, key, "ann@shop.test")
    wait_until(lambda: subjects(server, "ann@shop.test") == ["One"], "the first step")
    ok(web.call("PATCH", f"{where}/steps/{one}", key, {"subject": "One, and better"}))
    join(web, key, "ben@shop.test")
    wait_until(lambda: subjects(server, "ben@shop.test") == ["One, and better"], "the new text")
    ok(web.call("PATCH", f"{where}/steps/{two}", key, {"wait_days": 0}))
    for name in ("ann", "ben"):
        wait_until(lambda who=name: subjects(server, f"{who}@shop.test")[1:] == ["Two"], "step two")
    for path, body, pointer in (("", {"list": None}, "/list"), ("", {"zone": "Asia/Edo"}, "/zone"),
                                ("", {"start": "event", "event": "x"}, "/start"),
                                ("", {"from": "x@elsewhere.example"}, "/from"),
                                ("/steps/" + str(one), {"at": "9:00"}, "/at"),
                                ("/steps/" + str(one), {"wait_days": -1}, "/wait_days"),
                                ("/steps/" + str(one), {"weekdays": "someday"}, "/weekdays")):
        refused = web.call("PATCH", where + path, key, body)
        assert refused.status == 422 and refused.json["pointer"] == pointer, (body, refused)
    assert web.call("DELETE", where, key).status == 409
    assert web.call("DELETE", "/api/v1/lists/news", key).status == 409
    assert ok(web.call("POST", where + "/pause", key))["state"] == "paused"
    join(web, key, "cat@shop.test")
    assert web.call("DELETE", f"{where}/steps/{two}", key).status == 204
    start(web, key, where)
    wait_until(lambda: subjects(server, "cat@shop.test") == ["One, and better"], "what waited")
    assert ok(web.call("POST", where + "/archive", key))["state"] == "archived"
    assert web.call("POST", where + "/start", key).status == 409
    assert ok(web.call("GET", "/api/v1/mailings", key))["mailings"] == []


def test_without_a_zone_it_goes_by_the_settings_clock(web, key):
    ok(web.call("PATCH", "/api/v1/settings", key, {"zone": "Europe/Paris"}))
    where, _ = make(web, key, [step("One")], start="list", list=1)
    assert ok(web.call("GET", where, key))["zone"] == "Europe/Paris"


def test_what_must_be_mended_in_a_step_stops_the_start(web, key):
    bare = {**step("Two"), "text": "Nothing to leave by, and nobody who says it.\n"}
    where, (step_one, two) = make(web, key, [step("One"), bare], start="list", list=1)
    refused = web.call("POST", where + "/start", key)
    assert refused.status == 422 and refused.json["pointer"] == f"/steps/{two}", refused
    assert "unsubscribe" in refused.json["detail"] and "postal address" in refused.json["detail"], refused
    assert refused.json["override"] == ["findings"] and "identity" not in refused.json
    assert {one["step"] for one in refused.json["findings"]} == {two}
    assert all(one["part"] and one["problem"] and one["advice"] for one in refused.json["findings"])
    assert web.call("POST", where + "/start?override=identity", key).status == 422
    assert web.call("POST", where + "/start?override=all", key).status == 400
    owner = Visitor(web).become()
    page = f"/admin/sequences/{where.rpartition('/')[2]}"
    stopped = owner.get(page).send(page + "/start")
    assert stopped.status == 422 and "unsubscribe" in stopped.text
    other = Visitor(web, "ja").become("mori@shop.test")
    assert "配信停止" in other.get(page).send(page + "/start").text
    # What he agrees to is what he saw.
    ok(web.call("PATCH", f"{where}/steps/{two}", key, {"text": "Nothing at all.\n"}))
    again = stopped.send(page + "/start")
    assert again.status == 422 and "Start all the same" in again.text
    assert "Done." in again.send(page + "/start").text
    log = [(one["action"], one["object"]) for one in ok(web.call("GET", "/api/v1/audit", key))["entries"]]
    [why] = [text for action, text in log if action == "sequence.override"]
    assert re.fullmatch(rf"sequence \d+: step {two}: The body has no link to unsubscribe by\..*", why), why
    assert "identity" not in why and f"step {step_one}" not in why
    # Going on after a pause is a start as well.
    ok(web.call("POST", where + "/pause", key))
    assert web.call("POST", where + "/start", key).status == 422
    ok(web.call("PATCH", f"{where}/steps/{two}", key, {"text": step("Two")["text"]}))
    start(web, key, where)


def test_birthdays_of_before_the_start_and_of_later_count(web, key, server):
    made = {"name": "birthday", "type": "date"}
    birthday = ok(web.call("POST", "/api/v1/attributes", key, made), 201)
    today = datetime.datetime.now(datetime.UTC).date()
    ten = today + datetime.timedelta(days=10)

    def add(name, date):
        values = {"birthday": f"1992-{date:%m-%d}"} if date else {}
        body = {"email": f"{name}@shop.test", "values": values}
        return ok(web.call("POST", "/api/v1/contacts", key, body), 201)["id"]

    add("before", today)
    where, steps = make(web, key, [step("Soon", wait_days=-7), step("Today")], start="yearly",
                        attribute=birthday.get("id", 1), late_hours=30, zone="UTC")
    start(web, key, where)
    wait_until(lambda: subjects(server, "before@shop.test") == ["Today"], "who was there before")
    add("after", today)
    other = add("other", ten)
    nobody = add("nobody", None)
    wait_until(lambda: subjects(server, "after@shop.test") == ["Today"], "who came later")

    def state_of(contact):
        return ok(web.call("GET", f"{where}/contacts/{contact}", key))

    wait_until(lambda: state_of(other)["next_step"] == steps[0], "who waits")
    state = state_of(other)
    assert state["next_at"].startswith(str(ten - datetime.timedelta(days=7)))
    assert web.call("GET", f"{where}/contacts/{nobody}", key).status == 404
    changed = {"values": {"birthday": f"1992-{today:%m-%d}"}}
    ok(web.call("PATCH", f"/api/v1/contacts/{other}", key, changed))
    wait_until(lambda: subjects(server, "other@shop.test") == ["Today"], "a date that was changed")
    assert web.call("DELETE", "/api/v1/attributes/birthday", key).status == 409


def kill(process):
    process.send_signal(signal.SIGKILL)
    process.wait()


def test_each_step_comes_once_whatever_dies(web, key, sender, server):
    """Both sides are killed at random moments; what may have gone twice, the sender has counted."""
    random.seed(11)
    where, steps = make(web, key, [step("One"), step("Two"), step("Three")], start="event", event="e")
    start(web, key, where)
    lines = "email\n" + "".join(f"p{i}@shop{i % 9}.test\n" for i in range(PEOPLE))
    made = ok(web.call("POST", "/api/v1/imports", key, raw=lines.encode(),
                       headers={"Content-Type": "text/csv"}), 201)
    at = f"/api/v1/imports/{made['id']}"
    ok(web.call("POST", at + "/plan", key, {"columns": [{"target": "email"}]}))
    web.call("POST", at + "/run", key)
    wait_until(lambda: ok(web.call("GET", at, key))["state"] in ("done", "finished"), "an import")
    turn = 0
    for i in range(PEOPLE):
        event = {"event": "e", "email": f"p{i}@shop{i % 9}.test"}
        wait_until(lambda it=event: web.call("POST", "/api/v1/events", key, it).status == 200, "an event")
        if i % 30 == 15:
            time.sleep(random.uniform(0, 0.3))
            turn += 1
            if turn % 2:
                kill(web.web)
                web.start_web()
            else:
                sender.kill()
                sender.start()

    def is_over():
        answer = web.call("GET", where, key)
        return answer.status == 200 and answer.json["contacts"]["through"] == PEOPLE and all(
            one["counts"]["delivered"] >= PEOPLE for one in answer.json["steps"])

    wait_until(is_over, "all through, all delivered", 60)
    times = {}
    for message in server.accepted:
        subject = email.message_from_bytes(message.content, policy=email.policy.default)["Subject"]
        pair = (message.recipients[0], subject)
        times[pair] = times.get(pair, 0) + 1
    assert len(times) == 3 * PEOPLE
    doubts = 0
    for one in steps:
        campaign = ok(web.call("GET", f"/api/v1/mailings/{one}", key))["campaign"]
        there = ok(web.call("GET", f"/api/v1/campaigns/{campaign}", key))
        assert there["total"] == PEOPLE
        doubts += there["doubts"]
    assert sum(times.values()) - 3 * PEOPLE <= doubts
