"""Subscription forms behind a real lighttpd: a stranger signs up, confirms by mail, and programs do not."""

import email
import email.policy
import hashlib
import http.client
import re
import time

import pytest

from sender import wait_until
from test_reader import World, reader_many  # noqa: F401: a fixture
from visitor import Visitor

FORM = {"name": "news", "lists": "1", "fields": "1*", "from": "飛脚 <news@courier.example>",
        "title_ja": "<script>alert(1)</script>", "title_en": "News", "consent_en": "I want {{mail}} & more.",
        "consent_ja": "配信に同意します", "origins": "https://shop.example\nhttp://blog.example:8080",
        "mail_en": "Hello {{name}},", "colour": "#1a73e8"}


@pytest.fixture
def world(sender_in, server, reader_many):  # noqa: F811
    sender = sender_in()
    sender.route("*", server.port)
    sender.start()
    one = World(sender, reader_many, url="https://127.0.0.1")
    one.sender = sender
    with one.web:
        one.key = one.web.key("shop", "--scope", "read,admin")
        made = one.web.call("POST", "/api/v1/forms", one.key, FORM)
        assert made.status == 201, made
        yield one


def proof_of(token):
    number = 0
    while int.from_bytes(hashlib.sha256(f"{token}:{number}".encode()).digest()[:2], "big"):
        number += 1
    return str(number)


def token_of(page):
    return re.search(r'name="token" value="([^"]+)"', page.text).group(1)


def filled(token, address, **more):
    return {"email": address, "a1": "Ann", "consent": "1", "token": token, "proof": proof_of(token),
            "website": "", **more}


def mails(server):
    return [email.message_from_bytes(m.content, policy=email.policy.default) for m in server.accepted]


def test_a_stranger_signs_up_and_confirms(world, server):
    pages = [world.ask("GET", "/f/news", Accept_Language="en") for _ in range(5)]
    assert pages[0].status == 200 and "I want {{mail}} &amp; more." in pages[0].text
    japanese = world.ask("GET", "/f/news", Accept_Language="ja")
    assert "<script>alert" not in japanese.text and "&lt;script&gt;" in japanese.text
    assert "#1a73e8" in world.ask("GET", "/f/news/style.css").text
    began = time.monotonic()
    token = token_of(world.ask("GET", "/f/news"))
    quick = world.post("/f/news", filled(token, "r5@reader.test"), Accept_Language="en")
    assert quick.status == 200
    assert "very quick" in quick.text or time.monotonic() - began > 2  # of a machine that is busy
    time.sleep(3)
    wrong = world.post("/f/news", filled(token_of(pages[0]), "new@reader", a1=""), Accept_Language="en")
    assert wrong.status == 422 and wrong.text.count('aria-invalid="true"') == 2
    senders = "new@reader.test", "r1@reader.test", "NEW@reader.test", "new@reader.test"
    answers = [world.post("/f/news", filled(token_of(page), address), Accept_Language="en")
               for page, address in zip(pages[1:], senders)]
    assert {answer.status for answer in answers} == {200}
    assert len({answer.text for answer in answers}) == 1  # known or not
    again = world.post("/f/news", filled(token_of(pages[1]), "other@reader.test"), Accept_Language="en")
    assert "sent before" in again.text
    trapped = world.post("/f/news", filled(token_of(pages[0]), "bot@reader.test", website="http://x"),
                         Accept_Language="en")
    assert trapped.text == answers[0].text
    wait_until(lambda: len(server.accepted) >= 4, "the mails")
    mail = next(m for m in mails(server) if m["To"] == "new@reader.test")
    assert "飛脚" in mail["From"] and "Hello {{name}}," in mail.get_content()
    link = re.search(r"https://127\.0\.0\.1(/f/confirm/\S+)", mail.get_content()).group(1)
    assert world.ask("GET", link).status == 200
    for _ in range(2):
        assert world.post(link, {}).status == 200
    assert world.ask("POST", link[:-1] + ("A" if link[-1] != "A" else "B")).status == 404
    known = world.known(9)
    assert (known["state"], known["list1"], known["history"]) == (2, 2, 5), known
    assert world.known(1)["state"] == 2


def refused_by_its_head(web, length):
    """Said when no byte of the form has come."""
    connection = http.client.HTTPSConnection("127.0.0.1", web.port, timeout=30, context=web.context)
    connection.putrequest("POST", "/f/news")
    connection.putheader("Content-Type", "application/x-www-form-urlencoded")
    connection.putheader("Content-Length", str(length))
    connection.endheaders()
    return connection.getresponse().status


def test_a_form_at_another_site_leads_to_ours_and_other_sites_may_not(world):
    body = {"email": "a@reader.test", "a1": "Ann"}
    page = world.post("/f/news", body, Origin="https://shop.example", Accept_Language="en")
    assert page.status == 200 and "One more step" in page.text and 'value="a@reader.test"' in page.text
    for origin in ("https://evil.example", "http://shop.example", "https://shop.example.evil.test", "null"):
        assert world.post("/f/news", body, Origin=origin).status == 403, origin
    own = filled(token_of(page), "a@reader.test")
    assert world.post("/f/news", own, Origin="https://evil.example").status == 403
    assert refused_by_its_head(world.web, 70 << 10) == 413
    assert world.ask("GET", "/f/none").status == 404
    other = world.web.call("POST", "/api/v1/forms", world.key, FORM)
    assert other.status == 409
    for change in ({"name": "Bad Name"}, {"lists": "77"}, {"from": "x@elsewhere.test"},
                   {"redirect": "javascript:1"}, {"colour": "red;}"}, {"from": ""},
                   {"origins": "https://a.example/path"}):
        refused = world.web.call("PUT", "/api/v1/forms/1", world.key, {**FORM, **change})
        assert refused.status == 422 and refused.json["pointer"] == "/" + next(iter(change)), change
    closed = world.web.call("PUT", "/api/v1/forms/1", world.key, {**FORM, "open": False})
    assert closed.status == 200 and not closed.json["open"]
    assert "email" not in world.ask("GET", "/f/news").text
    assert world.web.call("DELETE", "/api/v1/forms/1", world.key).status == 204
    assert world.web.call("GET", "/api/v1/forms/1", world.key).status == 404


def test_people_make_forms_on_pages(world):
    visitor = Visitor(world.web).become()
    assert "/admin/forms" in visitor.get("/admin").links
    page = visitor.get("/admin/forms")
    assert "news" in page.text
    evil = '"><script>alert(1)</script>'
    page = visitor.get("/admin/forms/new")
    wrong = page.send("/admin/forms", name=evil, title_en=evil)
    assert wrong.status == 422 and "small letters" in wrong.text
    assert wrong.form("/admin/forms").fields["title_en"] == evil
    assert page.send("/admin/forms", name="news", **{"from": "a@courier.example"}).status == 422  # taken
    made = page.send("/admin/forms", name="offers", title_en=evil, list="2", field="1", required="1",
                     **{"from": "a@courier.example"})
    assert made.path == "/admin/forms/2" and "Saved" not in made.text and "It is saved" in made.text
    assert "https://127.0.0.1/f/offers" in made.text
    assert made.send("/admin/forms/2", csrf="0" * 32, name="stolen").status == 403
    public = world.ask("GET", "/f/offers", Accept_Language="en")
    assert public.status == 200 and "<script>alert" not in public.text and 'name="a1"' in public.text
    saved = world.web.call("GET", "/api/v1/forms/2", world.key).json
    assert (saved["lists"], saved["fields"], saved["double_opt_in"]) == ("2", "1*", True)
    assert made.send("/admin/forms/2/delete").path == "/admin/forms"
    assert world.ask("GET", "/f/offers").status == 404
    assert visitor.get("/admin/forms").send("/admin/forms/preferences", field=None).path == "/admin/forms"
    assert 'name="a1"' not in world.ask("GET", f"/p/{world.readers[0].preferences}").text


def link_of(server, address, path):
    """The link in the newest mail to that address."""
    def look():
        found = [re.search(r"https://127\.0\.0\.1(/p/\S+)", m.get_content()) for m in mails(server)
                 if m["To"] == address]
        return found and found[-1] and found[-1][1].startswith(path) and found[-1][1]

    return wait_until(look, f"a mail to {address}")


def test_people_see_move_and_erase_what_is_kept_of_them(world, server):
    reader, other = world.readers[:2]
    page = world.ask("GET", f"/p/{reader.preferences}", Accept_Language="en")
    assert f'action="/p/{reader.preferences}/data"' in page.text
    for expected in (200, 200, 200, 429):
        assert world.post(f"/p/{reader.preferences}/data", {}).status == expected
    data = link_of(server, "r1@reader.test", "/p/data/")
    assert world.ask("GET", data).status == 200
    for token in (reader.preferences, reader.unsubscribe, data.split("/")[-1][:-1]):
        assert world.ask("GET", f"/p/data/{token}").status == 404
        assert world.post(f"/p/data/{token}/erase", {}).status == 404
    file = world.post(f"{data}/file", {})
    assert file.status == 200 and "attachment" in file.getheader("content-disposition")
    assert "r1@reader.test" in file.text and "森 太郎" in file.text and "history" in file.text
    assert world.post(f"{data}/address", {"email": "nonsense"}).status == 422

    assert world.post(f"/p/{other.preferences}/data", {}).status == 200
    theirs = link_of(server, "r2@reader.test", "/p/data/")
    assert world.post(f"{theirs}/address", {"email": "moved+x@reader.test"}).status == 200
    move = link_of(server, "moved+x@reader.test", "/p/address/")
    assert "moved+x@reader.test" in world.ask("GET", move).text
    token = move.split("?")[0]
    assert world.ask("GET", f"{token}?to=evil%40reader.test").status == 404
    assert world.post(token, {"to": "evil@reader.test"}).status == 404
    assert world.post(token, {"to": "moved+x@reader.test"}).status == 200
    assert "m***@reader.test" in world.ask("GET", f"/p/{other.preferences}").text

    assert world.post(f"{data}/erase", {}).status == 200
    assert world.post(f"{data}/erase", {}).status == 200  # again is nothing more
    assert world.ask("GET", f"/p/{reader.preferences}").status == 404
    assert world.post(f"{data}/file", {}).status == 404
    assert world.ask("POST", f"/u/{reader.unsubscribe}").status == 200
    wait_until(lambda: "r1@reader.test" in world.sender.run("suppression", "list").stdout,
               "the sender's word")
    assert world.known(2)["list1"] == 2
