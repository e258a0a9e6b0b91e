"""No text of anybody becomes markup, script, a header field or a formula: every field, every page, seeded."""

import email
import email.policy
import random

import html5lib

from hostile_text import MARK, VALUES, check, fill_by_calls, fill_by_forms, walk
from security_world import reader_many, world  # noqa: F401: fixtures
from sender import wait_until

DICE = random.Random(20261130)


def test_text_of_people_is_text_wherever_it_is_shown(world):
    by_calls = fill_by_calls(world, DICE, 3)
    by_forms = fill_by_forms(world, DICE, 2)
    assert by_calls > 200 and by_forms > 150, (by_calls, by_forms)
    paths = walk(world.owner)
    assert len(paths) > 60, paths
    shown = 0
    for language in ("en", "ja"):
        world.owner.session.headers["Accept-Language"] = language
        for path in paths:
            page = world.owner.get(path)
            assert page.status < 500, (path, page.status)
            check(page.answer, path)
            shown += page.answer.text.count(MARK)
    assert shown > 300  # it is there, as text
    for token in world.tokens.values():
        for place in ("/u/", "/p/", "/v/", "/p/data/", "/p/address/", "/f/confirm/"):
            check(world.owner.get(place + token).answer, place)
    for path in ("/a/", "/a/rss", "/f/news", "/f/news/style.css"):
        check(world.owner.get(path).answer, path)


def test_what_programs_are_told_is_data(world):
    key = {"Authorization": f"Bearer {world.everything}"}
    for noun in ("contacts", "lists", "attributes", "imports", "segments", "forms", "mailings", "campaigns",
                 "templates",
                 "suppressions", "users", "settings", "audit", "sequences", "contacts/export",
                 "imports/1/report",
                 "mailings/1/report.csv", "segments/1/export", "deliverability.csv"):
        answer = world.owner.session.get(f"{world.web.url}/api/v1/{noun}", headers=key, timeout=30)
        assert answer.status_code in (200, 404, 409), (noun, answer.text[:300])
        check(answer, noun)


def test_a_contact_s_values_are_text_in_mail(world):
    """In the author's HTML, between tags and in an attribute; in the subject; as a part of a link."""
    values = [text for text in VALUES if len(text) < 1000 and "\r" not in text]
    before = len(world.server.accepted)
    to = [{"address": f"to{i}@mail.test", "values": {"x": text}} for i,
          text in enumerate(values)]
    sent = world.web.call("POST", "/api/v1/messages", world.everything, {
        "from": "a@courier.example", "subject": "{{x}}!", "to": to,
        "html": '<p title="{{x}}">{{x}}</p><p><a href="https://shop.test/?q={{x|url}}">{{x}}</a></p>'})
    assert sent.status == 202, sent
    wait_until(lambda: len([m for m in world.server.accepted[before:] if "@mail.test" in m.recipients[0]])
               == len(values), "the mails")
    for mail in world.server.accepted[before:]:
        message = email.message_from_bytes(mail.content, policy=email.policy.default)
        assert not [name for name in message if MARK in name.lower()], message.items()
        if "@mail.test" not in mail.recipients[0]:
            continue
        assert len([name for name in message if name.lower() == "subject"]) == 1
        tree = html5lib.parse(message.get_body(("html",)).get_content(), namespaceHTMLElements=False)
        tags = [one.tag for one in tree.iter() if isinstance(one.tag, str)]
        assert set(tags) <= {"html", "head", "body", "p", "a", "meta", "title", "div", "img", "span"}, tags
        names = {name for one in tree.iter() if isinstance(one.tag, str) for name in one.attrib}
        assert not [name for name in names if MARK in name or name.startswith("on")], names
        assert [one.get("href",
                        "").startswith("https://shop.test/?q=") for one in tree.iter("a")][:1] == [True]


def test_bytes_that_are_no_text_are_refused(world):
    token = world.owner.token().encode()
    for bad in (b"%ff", b"%00", b"%ed%a0%80", b"%f4%90%80%80", b"%c0%bc", b"\xff", b"%e3%81"):
        for path in ("/admin/lists", "/admin/settings", "/admin/campaigns", "/admin/segments",
                     "/admin/forms"):
            answer = world.owner.session.post(world.web.url + path, data=b"csrf=" + token + b"&name=a" + bad,
                                              timeout=30,
                                              headers={"Content-Type": "application/x-www-form-urlencoded"})
            assert answer.status_code == 400, (path, bad, answer.status_code)
            check(answer, path)
