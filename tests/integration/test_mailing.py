"""Campaigns to contacts, whole: contacts are imported, a segment is chosen, a draft scheduled, mail
arrives at a real receiver, and what became of it is counted. And all that with processes that die."""

import email
import email.policy
import os
import random
import re
import signal
import time

import pytest

from hostile import Hostile
from sender import wait_until
from visitor import Visitor
from web_host import WebHost

PEOPLE = 3000


def receiver(talk):
    """Nobody of `bad...` is there."""
    talk.serve(rcpt=lambda path: "550 5.1.1 no such user\r\n" if "<bad" in path.lower() else None)


@pytest.fixture
def server():
    with Hostile(receiver) as one:
        yield one


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
    return web.key("shop", "--scope", "send,read,admin,contacts")


def bring(web, key, lines):
    """Imports a CSV of email, name and city."""
    made = web.call("POST", "/api/v1/imports", key, raw=("email,name,city\n" + "\n".join(lines)).encode(),
                    headers={"Content-Type": "text/csv"})
    assert made.status == 201, made
    where = f"/api/v1/imports/{made.json['id']}"
    plan = {"columns": [{"target": "email"}] + [{"target": "new", "name": name, "type": "text"}
                                                for name in ("name", "city")]}
    assert web.call("POST", where + "/plan", key, plan).status == 200
    ran = web.call("POST", where + "/run", key)
    assert ran.status in (200, 202), ran
    wait_until(lambda: web.call("GET", where, key).json["state"] in ("done", "finished"), "an import")


def people(count):
    return [f"p{i}@shop{i % 9}.test,Name {i},{'東京' if i % 2 else '大阪'}" for i in range(count)]


def draft(**more):
    return {"name": "December", "from": "飛脚 <shop@courier.example>", "subject": "{{name}} 様",
            "text": "Hello {{name}}\nhttps://shop.test/a\n{{unsubscribe_url}}\n", **more}


def make(web, key, **more):
    made = web.call("POST", "/api/v1/mailings", key, draft(**more))
    assert made.status == 201, made
    return made.headers["Location"]


def schedule(web, key, where):
    """Nobody has said who sends, so what the law asks for lacks: test_start.py is about that."""
    answer = web.call("POST", where + "/schedule", key, {"override": ["findings"]})
    assert answer.status == 200, answer


def ask(web, key, path):
    """Asked again while the web server believes that nobody is behind it."""
    def look():
        answer = web.call("GET", path, key)
        # The web server's own words, where the role dies in the middle of an answer.
        assert answer.status in (200, 502, 503, 504) or b"<title>500 " in answer.body, answer
        return answer.json if answer.status == 200 else None

    return wait_until(look, path)


def state(web, key, where):
    return ask(web, key, where)["state"]


def report(web, key, where):
    return ask(web, key, where + "/report")


def opened(message):
    return email.message_from_bytes(message.content, policy=email.policy.default)


def fates(sender, server, meant):
    """What the delivery log says of those who got nothing."""
    lost = meant - {message.recipients[0] for message in server.accepted}
    return {one: sender.items("log", "show", "--recipient", one) for one in lost}


def check_by_segment(web, key, where, tokyo):
    """p7 of the 31 in Tokyo has opened it; one of them is not there."""
    def of(segment):
        return ask(web, key, f"{where}/report?segment={segment}")

    wait_until(lambda: report(web, key, where)["opened"] == 1, "an open")
    assert of(tokyo) == {"id": int(where.rsplit("/", 1)[1]), "segment": {"id": tokyo, "name": "Tokyo"},
                         "sent": 31, "delivered": 30, "bounced": 1, "opened": 1, "clicked": 0,
                         "unsubscribed": 0, "complained": 0}
    one = web.call("POST", "/api/v1/segments", key, {"name": "=p7", "text": 'email begins "p7@"'}).json["id"]
    assert (of(one)["sent"], of(one)["opened"]) == (1, 1)
    none = web.call("POST", "/api/v1/segments", key, {"name": "Osaka", "text": 'city = "大阪"'}).json["id"]
    assert of(none)["sent"] == 0
    csv = web.call("GET", f"{where}/report.csv?segment={one}", key).body.decode()
    assert csv.startswith("what,of,count\r\nsent,'=p7,1\r\n") and "opened,'=p7,1\r\n" in csv
    assert web.call("GET", f"{where}/report?segment=999", key).status == 404
    assert web.call("GET", f"{where}/report?segment=x", key).status == 400

    person = Visitor(web).become()
    path = f"/admin/campaigns/{where.rsplit('/', 1)[1]}"
    page = person.get(path)
    assert path + "/segments" in page.links
    page = person.get(path + "/segments")
    assert "Tokyo" in page.text and "All others" not in page.text
    page = person.get(f"{path}/segments?segment={one}")
    assert "=p7 1 1 0 1 (100.0%)" in page.text and "All others 30 29 1 0 (0.0%)" in page.text, page.text
    assert person.get(f"{path}/report.csv?segment={one}").answer.text == csv
    assert person.get(f"{path}/segments?segment=999").status == 404


def test_from_an_import_over_a_segment_to_what_became_of_each(web, key, sender, server):
    bring(web, key, people(60) + ["bad1@shop1.test,Bad,東京"])
    segment = web.call("POST", "/api/v1/segments", key, {"name": "Tokyo", "text": 'city = "東京"'})
    assert segment.status == 201, segment
    where = make(web, key, segment=segment.json["id"], archive=True,
                 text="Hello {{name}}\nhttps://shop.test/a\n{{unsubscribe_url}} {{view_url}}\n")
    schedule(web, key, where)
    wait_until(lambda: state(web, key, where) == "done", "the end of a campaign")
    meant = {f"p{i}@shop{i % 9}.test" for i in range(60) if i % 2}
    got = sorted(message.recipients[0] for message in server.accepted)
    assert got == sorted(meant), f"{fates(sender, server, meant)} {server.story()}"
    wait_until(lambda: report(web, key, where)["delivered"] == 30, "all deliveries counted")
    told = report(web, key, where)
    assert (told["recipients"], told["sent"], told["bounced"]) == (31, 31, 1)
    assert told["bounced_by"] == [{"of": "bad-mailbox", "id": told["bounced_by"][0]["id"], "count": 1}]
    assert sum(row["count"] for row in told["delivered_in"]) == 30
    csv = web.call("GET", where + "/report.csv", key).body.decode()
    assert "delivered,,30\r\n" in csv and "bounced_by,bad-mailbox,1\r\n" in csv

    one = next(m for m in server.accepted if m.recipients[0] == "p7@shop7.test")
    mail = opened(one)
    assert mail["Subject"] == "Name 7 様"
    assert re.search(r"https://news\.courier\.example/t/c/[\w-]+/1", mail.get_content())
    unsubscribe = mail["List-Unsubscribe"]
    assert "https://news.courier.example/u/" in unsubscribe and "mailto:" in unsubscribe
    assert mail["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"

    # Readers see it in a browser, and it may be archived for everybody.
    seen = web.call("GET", re.search(r"https://news\.courier\.example(/v/[\w-]+)", mail.get_content())[1])
    assert seen.status == 200 and "Hello Name 7" in seen.body.decode(), seen
    assert seen.headers["Content-Security-Policy"].startswith("sandbox")
    number = where.rsplit("/", 1)[1]
    assert "Hello" in web.call("GET", f"/a/{number}").body.decode()
    assert f'href="/a/{number}"' in web.call("GET", "/a/").body.decode()
    assert f"<link>https://news.courier.example/a/{number}</link>" in web.call("GET", "/a/rss").body.decode()
    assert web.call("GET", "/a/99").status == 404

    # One opened it: the others may get it again.
    path = re.search(r"https://news\.courier\.example(/t/c/[\w-]+/1)", mail.get_content())[1]
    time.sleep(2)  # what is opened with its delivery, a gateway opened
    pixel = web.call("GET", path.replace("/t/c/", "/t/o/").rsplit("/", 1)[0],
                     headers={"User-Agent": "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101"})
    assert pixel.status == 200
    check_by_segment(web, key, where, segment.json["id"])
    again = web.call("POST", where + "/resend", key, {"subject": "Did you see it?"})
    assert again.status == 201, again
    assert again.json["condition"] == f"sent campaign {number} and not opened campaign {number}"

    # The bad address is known to be bad, and who leaves gets no more.
    path = re.search(r"https://news\.courier\.example(/u/[\w-]+)", unsubscribe)[1]
    left = web.call("POST", path, raw=b"List-Unsubscribe=One-Click",
                    headers={"Content-Type": "application/x-www-form-urlencoded"})
    assert left.status in (200, 204), left
    again = make(web, key, segment=segment.json["id"], name="Second")
    schedule(web, key, again)
    wait_until(lambda: state(web, key, again) == "done", "the end of the second campaign")
    assert report(web, key, again)["recipients"] == 29
    assert report(web, key, where)["unsubscribed"] == 1


def test_a_draft_is_tested_refused_and_edited(web, key, server):
    bring(web, key, ["ann@shop.test,Ann,東京"])
    where = make(web, key, subject="{{nobody}}")
    refused = web.call("POST", where + "/schedule", key)
    assert refused.status == 422 and refused.json["pointer"] == "/subject", refused
    assert web.call("PATCH", where, key, {"subject": "Dear {{name}}"}).status == 200
    sent = web.call("POST", where + "/test", key, {"to": ["boss@office.test"]})
    assert sent.status == 202, sent
    wait_until(lambda: server.accepted, "a test")
    mail = opened(server.accepted[0])
    assert mail["Subject"] == "Dear Ann" and "https://shop.test/a" in mail.get_content()
    assert web.call("PATCH", where, key, {"at": "2020-01-01 09:00"}).status == 200
    late = web.call("POST", where + "/schedule", key, {"override": ["findings"]})
    assert late.json["pointer"] == "/at", late
    assert web.call("PATCH", where, key, {"at": "2099-01-01 09:00", "zone": "Asia/Tokyo"}).status == 200
    schedule(web, key, where)
    assert web.call("PATCH", where, key, {"subject": "x"}).status == 409
    assert web.call("POST", where + "/unschedule", key).status == 200
    assert web.call("DELETE", where, key).status == 204
    assert web.call("GET", where, key).status == 404
    for wrong, pointer in (({"subjekt": "x"}, "/subjekt"), ({"zone": "Asia/Edo"}, "/zone"),
                           ({"from": "x@elsewhere.example"}, "/from")):
        answer = web.call("POST", "/api/v1/mailings", key, draft(**wrong))
        assert answer.status == 422 and answer.json["pointer"] == pointer, answer


def test_a_person_makes_a_campaign_in_the_pages(web, key, server):
    bring(web, key, ["ann@shop.test,Ann <b>,東京"])
    person = Visitor(web).become()
    page = person.get("/admin/campaigns")
    assert "/admin/campaigns/new" in page.links
    page = person.get("/admin/campaigns/new")
    given = {"name": "春 <i>セール</i>", "from": "Shop <shop@courier.example>", "subject": "For {{name}}",
             "html": "<p>Hi {{name}}</p><script>alert(1)</script><a href='{{unsubscribe_url}}'>x</a>",
             "zone_attribute": ""}
    wrong = page.send("/admin/campaigns", **given, zone="Asia/Edo")
    assert wrong.status == 422 and "no such time zone" in wrong.text
    late = page.send("/admin/campaigns", **given, at="tomorrow")
    assert late.status == 422 and late.form("/admin/campaigns").fields["at"] == "tomorrow"
    page = page.send("/admin/campaigns", **given, at="2099-01-01T09:00")
    where = page.path
    assert "2099-01-01 09:00 Asia/Tokyo" in page.text
    page = person.get(where + "/edit")
    assert page.form(where).fields["at"] == "2099-01-01T09:00"
    page = page.send(where, at="", zone_attribute="")
    assert re.fullmatch(r"/admin/campaigns/\d+", where), where
    assert "春 <i>セール</i>" in page.text and not [tag for tag, _ in page.reader.tags if tag == "i"]

    page = person.get(where + "/preview")
    assert "For Ann <b>" in page.text and [1 for tag, at in page.reader.tags if tag == "iframe"]
    assert "Mail programs take <script> out." in page.text and "postal address" in page.text
    assert "{{name}} has no value for some recipients." in page.text
    assert "no link to unsubscribe by" not in page.text
    frame = person.get(where + "/frame")
    assert "Hi Ann &lt;b&gt;" in frame.answer.text
    assert frame.answer.headers["Content-Security-Policy"].startswith("sandbox")
    page = page.send(where + "/test", to="boss@office.test\r\nchief@office.test\r\n")
    assert "on its way" in page.text
    wait_until(lambda: len(server.accepted) == 2, lambda: f"tests: {server.accepted} {server.story()}")

    page = person.get(where).send(where + "/schedule")
    assert page.status == 422 and "The settings do not say who sends" in page.text
    page = page.send(where + "/schedule", override="findings")
    assert "Done." in page.text
    wait_until(lambda: len(server.accepted) == 3, "the campaign")
    wait_until(lambda: "100.0%" in person.get(where).text, "its report")
    assert "By receiver" in person.get(where).text
    assert person.get(where + "/report.csv").answer.text.startswith("what,of,count")
    assert "Only a draft" in person.get(where + "/edit").send(where, **given).text


def test_what_became_of_each_of_two_subjects_is_told_apart(web, key):
    bring(web, key, people(60))
    where = make(web, key, subject="First", subject_b="Second <i>", ab_share=100)
    # A test counts nothing, and has what decides between the two all the same.
    assert web.call("POST", where + "/test", key, {"to": ["boss@office.test"]}).status == 202
    schedule(web, key, where)
    wait_until(lambda: report(web, key, where)["delivered"] == 60, "all deliveries")
    told = report(web, key, where)
    sent = {row["of"]: row["count"] for row in told["variant_sent"]}
    assert sum(sent.values()) == 60 and min(sent["a"], sent["b"]) > 10
    assert {row["of"]: row["count"] for row in told["variant_delivered"]} == sent
    assert "winner" not in told
    csv = web.call("GET", where + "/report.csv", key).body.decode()
    assert f"variant_sent,a,{sent['a']}\r\n" in csv and f"variant_delivered,b,{sent['b']}\r\n" in csv
    page = Visitor(web).become().get(f"/admin/campaigns/{where.rsplit('/', 1)[1]}")
    assert f"First {sent['a']} {sent['a']} 0 0 0.0%" in page.text, page.text
    assert f"Second <i> {sent['b']} {sent['b']}" in page.text and "Everybody was asked" in page.text


def kill(process):
    process.send_signal(signal.SIGKILL)
    process.wait()


def test_each_contact_gets_it_once_whatever_dies(web, key, sender, server):
    """Both sides are killed at random moments; what may have gone twice, the sender has counted."""
    random.seed(int(os.environ.get("SEED", "7")))
    bring(web, key, people(PEOPLE))
    where = make(web, key)
    schedule(web, key, where)
    for turn in range(6):
        time.sleep(random.uniform(0.02, 0.4))
        if turn % 2:
            kill(web.web)
            web.start_web()
        else:
            sender.kill()
            sender.start()
    wait_until(lambda: state(web, key, where) == "done", "the end of a campaign", 60)
    times = {}
    for message in server.accepted:
        times[message.recipients[0]] = times.get(message.recipients[0], 0) + 1
    assert set(times) == {line.split(",")[0] for line in people(PEOPLE)}
    campaign = ask(web, key, f"/api/v1/campaigns/{ask(web, key, where)['campaign']}")
    assert campaign["total"] == PEOPLE
    assert sum(times.values()) - PEOPLE <= campaign["doubts"]
    wait_until(lambda: report(web, key, where)["delivered"] == campaign["delivered"], "all counted")
    assert report(web, key, where)["sent"] == PEOPLE
