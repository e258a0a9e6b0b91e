"""Templates: kept with their versions, blocks in what is sent, mail of programs, and the pages for people."""

import email
import email.policy

import pytest

from hostile import Hostile
from sender import wait_until
from visitor import Visitor
from web_host import WebHost

API = "/api/v1/templates"
ME = "飛脚 <shop@courier.example>"


@pytest.fixture(scope="module")
def server():
    with Hostile(lambda talk: talk.serve()) as one:
        yield one


@pytest.fixture(scope="module")
def web(programs, tmp_path_factory, server):
    import sender as sender_module
    sender = sender_module.Sender(tmp_path_factory.mktemp("templates"), keys=("ed25519",))
    try:
        sender.route("*", server.port)
        with WebHost(sender.start(), url="https://news.courier.example", rate=0) as one:
            one.shop = one.key("shop", "--scope", "send,read,admin,contacts")
            one.owner = Visitor(one).become()
            page = one.owner.get("/admin/settings")
            page = page.send("/admin/settings", **{
                "sender-name": "飛脚商店 & Co", "sender-address": "東京都千代田区1-1\nビル2階",
                "sender-contact": "https://courier.example/contact", "from-name": "飛脚",
                "from-address": "shop@courier.example"})
            assert page.status == 200
            made = one.call("POST", "/api/v1/attributes", one.shop, {"name": "name", "type": "text"})
            assert made.status == 201, made
            made = one.call("POST", "/api/v1/contacts", one.shop,
                            {"email": "ann@shop.test", "values": {"name": "アン"}})
            assert made.status == 201, made
            yield one
    finally:
        sender.close()


def make(web, name, **more):
    made = web.call("POST", API, web.shop, {"name": name, **more})
    assert made.status == 201, made
    assert made.headers["Location"] == f"{API}/{made.json['id']}"
    return made.json["id"]


def change(web, number, **more):
    return web.call("PATCH", f"{API}/{number}", web.shop, more)


def arrived(server, recipient):
    def look():
        return next((m for m in server.accepted if recipient in m.recipients), None)

    found = wait_until(look, f"a mail to {recipient}")
    return email.message_from_bytes(found.content, policy=email.policy.default)


def part(message, kind):
    return message.get_body(preferencelist=(kind,)).get_content()


def test_a_template_has_versions_that_come_back(web):
    number = make(web, "News", language="ja", subject="{{name}} 様", html="<p>one</p>")
    shown = web.call("GET", f"{API}/{number}", web.shop).json
    assert [shown[name] for name in ("name", "kind", "language", "version", "html", "by")] == \
        ["News", "mail", "ja", 1, "<p>one</p>", "api shop"]
    done = change(web, number, html="<p>two</p>", version=1)
    assert done.json == {"id": number, "version": 2, "changed": True}
    # The same again changes nothing and makes no version.
    done = change(web, number, html="<p>two</p>", version=2)
    assert done.json == {"id": number, "version": 2, "changed": False}
    late = change(web, number, html="<p>mine</p>", version=1)
    assert (late.status, late.json["pointer"]) == (409, "/version") and "version 2" in late.json["detail"]
    versions = web.call("GET", f"{API}/{number}/versions", web.shop).json["versions"]
    assert [one["version"] for one in versions] == [2, 1]
    assert web.call("GET", f"{API}/{number}/versions/1", web.shop).json["html"] == "<p>one</p>"
    back = web.call("POST", f"{API}/{number}/versions/1/restore", web.shop)
    assert back.json == {"id": number, "version": 3, "changed": True}
    shown = web.call("GET", f"{API}/{number}", web.shop).json
    assert (shown["html"], shown["subject"]) == ("<p>one</p>", "{{name}} 様")
    for path in "0", "x", str(number) + "/versions/9", "999":
        assert web.call("GET", f"{API}/{path}", web.shop).status == 404, path
    assert web.call("POST", f"{API}/{number}/versions/9/restore", web.shop).status == 404
    listed = web.call("GET", f"{API}?kind=mail", web.shop).json
    assert [one["name"] for one in listed["templates"]] == ["News"] and "html" not in listed["templates"][0]
    assert web.call("DELETE", f"{API}/{number}", web.shop).status == 204
    assert web.call("GET", f"{API}/{number}", web.shop).status == 404
    assert web.call("DELETE", f"{API}/{number}", web.shop).status == 404


MISTAKES = [
    ({}, "/name", "has to be given"),
    ({"name": "12"}, "/name", "no number"),
    ({"name": "a{{b"}, "/name", "braces"),
    ({"name": " a"}, "/name", "white space"),
    ({"name": "n" * 201}, "/name", "too long"),
    ({"name": "a", "kind": "page"}, "/kind", "transactional"),
    ({"name": "a", "language": "fr"}, "/language", "ja"),
    ({"name": "a", "subject": "a\nb"}, "/subject", "second line"),
    ({"name": "a", "html": 5}, "/html", "text"),
    ({"name": "a", "html": "x" * ((1 << 20) + 1)}, "/html", "too long"),
    ({"name": "a", "sample": "[1]"}, "/sample", "JSON object"),
    ({"name": "a", "html": "\n{{>nobody}}"}, "/html", 'html:2: there is no block "nobody"'),
    ({"name": "a", "text": "{{>a}}"}, "/text", "no block"),
    ({"name": "a", "kind": "block", "html": "{{>a}}"}, "/html", '"a > a"'),
    ({"name": "a", "colour": 1}, "/colour", "no field"),
]


def test_what_is_wrong_is_pointed_at_and_nothing_is_kept(web):
    before = web.call("GET", API, web.shop).json
    for body, pointer, words in MISTAKES:
        answer = web.call("POST", API, web.shop, body)
        assert (answer.status, answer.json["pointer"]) == (422, pointer), answer
        assert words in answer.json["detail"], answer
    assert web.call("GET", API, web.shop).json == before
    reader = web.key("reader", "--scope", "read")
    assert web.call("POST", API, reader, {"name": "a"}).status == 403
    assert web.call("GET", f"{API}?kind=x", reader).status == 400


def test_blocks_that_hold_each_other_are_refused_by_name(web):
    one = make(web, "one", kind="block", html="<b>1</b>")
    two = make(web, "two", kind="block", html="<i>{{>one}}</i>")
    answer = change(web, one, html="{{>two}}")
    assert (answer.status, answer.json["pointer"]) == (422, "/html"), answer
    assert '"one > two > one"' in answer.json["detail"]
    assert web.call("GET", f"{API}/{one}", web.shop).json["html"] == "<b>1</b>"
    # What is used stays, under its name.
    gone = web.call("DELETE", f"{API}/{one}", web.shop)
    assert gone.status == 409 and 'template "two"' in gone.json["detail"]
    renamed = change(web, one, name="three")
    assert (renamed.status, renamed.json["pointer"]) == (409, "/name")
    assert change(web, one, name="ONE").json["changed"]
    assert change(web, two, name="ONE").json["pointer"] == "/name"
    for number in two, one:
        assert web.call("DELETE", f"{API}/{number}", web.shop).status == 204


def test_a_scheduled_campaign_keeps_what_its_blocks_were(web, server):
    block = make(web, "offer", kind="block", html="<p>offer one</p>")
    html = ('<html><body><p>Hello {{name}}</p>{{>offer}}<p>{{>sender}} '
            '<a href="{{unsubscribe_url}}">leave</a></p></body></html>')
    page = make(web, "Page", subject="Hi {{name}}", html=html)
    made = web.call("POST", "/api/v1/mailings", web.shop,
                    {"name": "By template", "from": ME, "template": page, "subject": "Own", "track": False,
                     "at": "2099-01-01 00:00"})
    assert made.status == 201, made
    where = made.headers["Location"]
    gone = web.call("DELETE", f"{API}/{page}", web.shop)
    assert gone.status == 409 and 'campaign "By template"' in gone.json["detail"]
    # Until it is scheduled, it is what templates are.
    assert change(web, block, html="<p>offer two</p>").status == 200
    assert web.call("POST", where + "/schedule", web.shop).status == 200
    assert change(web, block, html="<p>offer three</p>").status == 200
    shown = web.owner.get(f"/admin/campaigns/{where.rsplit('/', 1)[1]}/frame").text
    assert "offer two" in shown and "飛脚商店 &" in shown
    # Taken back it follows them again.
    assert web.call("POST", where + "/unschedule", web.shop).status == 200
    assert "offer three" in web.owner.get(f"/admin/campaigns/{where.rsplit('/', 1)[1]}/frame").text
    assert web.call("PATCH", where, web.shop, {"at": ""}).status == 200
    assert web.call("POST", where + "/schedule", web.shop).status == 200
    assert change(web, block, html="<p>offer four</p>").status == 200
    mail = arrived(server, "ann@shop.test")
    assert mail["Subject"] == "Own"
    assert "offer three" in part(mail, "html") and "offer three" in part(mail, "plain")
    assert "飛脚商店 &amp; Co<br>" in part(mail, "html") and "東京都千代田区1-1" in part(mail, "plain")
    both = web.call("POST", "/api/v1/mailings", web.shop,
                    {"name": "x", "from": ME, "subject": "x", "template": page, "text": "x"})
    wrong = web.call("POST", both.headers["Location"] + "/schedule", web.shop)
    assert (wrong.status, wrong.json["pointer"]) == (422, "/template"), wrong


def test_step_mail_has_what_its_blocks_are_when_it_goes(web, server):
    block = make(web, "hint", kind="block", html="<p>hint one</p>")
    page = make(web, "Step", subject="Step {{name}}",
                html='<p>{{>hint}}</p><a href="{{unsubscribe_url}}">x</a>')
    assert web.call("POST", "/api/v1/lists", web.shop, {"name": "news", "title": "News"}).status == 201
    made = web.call("POST", "/api/v1/sequences", web.shop,
                    {"name": "Welcome", "from": ME, "start": "list", "list": 1})
    assert made.status == 201, made
    where = f"/api/v1/sequences/{made.json['id']}"
    step = web.call("POST", where + "/steps", web.shop, {"subject": "Hi", "template": page})
    assert step.status == 201, step
    for number in block, page:
        gone = web.call("DELETE", f"{API}/{number}", web.shop)
        assert gone.status == 409, gone
    assert 'step mail "Welcome"' in gone.json["detail"]
    # Who sends is not what this is about.
    assert web.call("POST", where + "/start?override=findings", web.shop).status == 200
    for address, word in (("first@step.test", "one"), ("second@step.test", "two")):
        assert change(web, block, html=f"<p>hint {word}</p>").status == 200
        joined = web.call("POST", "/api/v1/contacts", web.shop,
                          {"email": address, "lists": {"news": "active"}})
        assert joined.status == 201, joined
        mail = arrived(server, address)
        assert mail["Subject"] == "Hi" and f"hint {word}" in part(mail, "html")
    assert web.call("POST", where + "/archive", web.shop).status == 200
    assert web.call("DELETE", f"{API}/{page}", web.shop).status == 204


RECEIPT = ('<html><body><p>{{buyer}} 様</p><table>{{#each items}}<tr><td>{{this.title}}</td>'
           '<td>{{this.price|number}}</td></tr>{{/each}}</table>{{>sender}}</body></html>')


def test_a_program_sends_by_a_template_with_each_one_s_values(web, server):
    number = make(web, "領収書", kind="transactional", subject="ご注文 {{order}}", html=RECEIPT,
                  preheader="{{order}}", sample={"buyer": "森", "order": "A-0", "items": []})
    items = [{"title": "本", "price": 1500}, {"title": "紙 <b>", "price": 20}]
    call = {"from": ME, "template": "領収書", "to": [
        {"address": "bob@buyer.test", "values": {"buyer": "ボブ", "order": "A-1", "items": items}},
        {"address": "eve@buyer.test", "values": {"buyer": "イブ", "order": "A-2", "items": []}}]}
    sent = web.call("POST", "/api/v1/messages", web.shop, call, headers={"Idempotency-Key": "order A-1"})
    assert (sent.status, sent.json["accepted"]) == (202, 2), sent
    again = web.call("POST", "/api/v1/messages", web.shop, call, headers={"Idempotency-Key": "order A-1"})
    assert (again.status, again.json["id"], again.json["known"]) == (202, sent.json["id"], True)
    bob, eve = arrived(server, "bob@buyer.test"), arrived(server, "eve@buyer.test")
    assert (bob["Subject"], eve["Subject"]) == ("ご注文 A-1", "ご注文 A-2")
    html = part(bob, "html")
    assert "<td>本</td><td>1,500</td>" in html and "紙 &lt;b&gt;" in html and "飛脚商店 &amp; Co" in html
    assert "ボブ 様" in part(bob, "plain") and "本" in part(bob, "plain") and "本" not in part(eve, "html")
    assert sum("bob@buyer.test" in m.recipients for m in server.accepted) == 1

    # By its id, with a subject of its own; and what is missing is named.
    call = {"from": ME, "template": number, "subject": "own", "to": [{"address": "c@buyer.test", "values": {
        "buyer": "c", "order": "1", "items": []}}]}
    assert web.call("POST", "/api/v1/messages", web.shop, call).status == 202
    assert arrived(server, "c@buyer.test")["Subject"] == "own"
    for wrong, pointer, words in (
            ({"template": "nothing"}, "/template", "no such template"),
            ({"template": 999}, "/template", "no such"), ({"template": []}, "/template", "no such"),
            ({"text": "x"}, "/template", "not both"),
            ({"to": [{"address": "c@buyer.test", "values": {"buyer": "c", "items": []}}]},
             "/to/0/values/order", "{{order}}")):
        answer = web.call("POST", "/api/v1/messages", web.shop, call | {"subject": None} | wrong)
        assert (answer.status, answer.json["pointer"]) == (422, pointer), answer
        assert words in answer.json["detail"], answer
    # A program's campaign takes one, too.
    made = web.call("POST", "/api/v1/campaigns", web.shop, call | {"name": "by-template", "subject": "c"})
    assert made.status == 201, made
    assert web.call("POST", "/api/v1/campaigns/by-template/start", web.shop).status == 200
    wait_until(lambda: sum("c@buyer.test" in m.recipients for m in server.accepted) == 2, "the campaign")

    block = make(web, "a block", kind="block", html="x")
    answer = web.call("POST", "/api/v1/messages", web.shop, call | {"template": block})
    assert (answer.status, answer.json["pointer"]) == (422, "/template") and "block" in answer.json["detail"]


def test_a_template_is_looked_at_and_tested(web, server):
    number = make(web, "Look", subject="Hello {{name}}", html="<p>Dear {{name}}</p>",
                  preheader="for {{name}}")
    seen = web.call("POST", f"{API}/{number}/preview", web.shop, {"contact": 1})
    assert seen.status == 200, seen
    assert seen.json["subject"] == "Hello アン"
    assert "Dear アン" in seen.json["html"] and "for アン" in seen.json["html"]
    assert any(one["severity"] == "must" and "unsubscribe" in one["problem"]
               for one in seen.json["findings"])
    for wrong in {"contact": 99}, {"values": {}}:
        answer = web.call("POST", f"{API}/{number}/preview", web.shop, wrong)
        assert (answer.status, answer.json["pointer"]) == (422, "/" + next(iter(wrong))), answer
    assert change(web, number, html="<p>{{nobody}}</p>").status == 200
    broken = web.call("POST", f"{API}/{number}/preview", web.shop, {})
    assert broken.status == 422 and 'unknown field "nobody"' in broken.json["detail"]
    old = web.call("POST", f"{API}/{number}/preview", web.shop, {"version": 1})
    assert old.status == 200 and "Dear" in old.json["html"]
    assert change(web, number, html="<p>Dear {{name}}</p>").status == 200
    sent = web.call("POST", f"{API}/{number}/test", web.shop,
                    {"to": ["me@courier.test"], "contact": 1})
    assert sent.status == 202, sent
    assert arrived(server, "me@courier.test")["Subject"] == "Hello アン"

    number = make(web, "Look 2", kind="transactional", subject="{{order}}", text="{{order}}: {{n}}",
                  sample={"order": "A-0", "n": 3})
    seen = web.call("POST", f"{API}/{number}/preview", web.shop, {})
    assert (seen.json["subject"], seen.json["text"].strip()) == ("A-0", "A-0: 3"), seen
    assert not any("unsubscribe" in one["problem"] for one in seen.json["findings"])
    seen = web.call("POST", f"{API}/{number}/preview", web.shop, {"values": {"order": "B", "n": True}})
    assert seen.json["subject"] == "B"
    sent = web.call("POST", f"{API}/{number}/test", web.shop, {"to": ["me2@courier.test"]})
    assert sent.status == 202, sent
    assert arrived(server, "me2@courier.test")["Subject"] == "A-0"
    assert web.call("POST", f"{API}/{number}/test", web.shop, {"to": []}).json["pointer"] == "/to"


BASES = [(base, language) for base in ("announcement", "products", "letter", "receipt")
         for language in ("en", "ja")]


@pytest.mark.parametrize("base,language", BASES)
def test_what_we_ship_is_whole_and_right(web, base, language):
    page = web.owner.get(f"/admin/templates/new?base={base}&language={language}")
    page = page.send("/admin/templates", name=f"{base} {language}")
    assert page.status == 200 and "Saved." in page.text, page.text
    number = int(page.path.rsplit("/", 1)[1])
    shown = web.call("GET", f"{API}/{number}", web.shop).json
    assert (shown["language"], shown["kind"] == "transactional") == (language, base == "receipt")
    seen = web.call("POST", f"{API}/{number}/preview", web.shop, {})
    assert seen.status == 200, seen
    assert [one for one in seen.json["findings"] if one["severity"] != "may"] == []
    html, text = seen.json["html"], seen.json["text"]
    assert "飛脚商店 &amp; Co" in html
    assert "東京都千代田区1-1" in text and "https://courier.example/contact" in text
    for page_of in ("/u/", "/p/", "/v/"):
        assert ("https://news.courier.example" + page_of in html) == (base != "receipt")
    assert "prefers-color-scheme: dark" in html and 'name="color-scheme"' in html
    assert "display:none" in html and len(html) < 12000
    if base == "receipt":
        assert "A-1001" in seen.json["subject"]
        assert ("1,920 円" if language == "ja" else "$19.20") in html


def test_a_person_writes_a_template_and_brings_an_old_version_back(web, server):
    owner = web.owner
    page = owner.get("/admin/templates/new")
    assert "/admin/templates/new?base=letter&language=ja" in page.links
    assert "/admin/templates/new?kind=block" in page.links
    page = owner.get("/admin/templates/new?kind=mail").send(
        "/admin/templates", name="", subject="<b>S</b>", html="<p>Dear {{name}}</p>\r\n<p>two</p>")
    assert page.status == 422 and "this has to be given" in page.text
    page = page.send("/admin/templates", name="Person's <i>")
    assert page.status == 200 and "Person's <i>" in page.text and "<b>S</b>" in page.text
    where = page.path
    assert web.call("GET", API.replace("/templates", "") + where.replace("/admin", ""),
                    web.shop).json["html"] == "<p>Dear {{name}}</p>\n<p>two</p>"
    assert "No unsubscribe" in page.text or "unsubscribe" in page.text

    # Two people write: the second one is told, with his text still there.
    first = owner.get(where + "/edit")
    assert owner.get(where + "/edit").send(where, html="<p>theirs</p>\n<p>two</p>").status == 200
    late = first.send(where, html="<p>mine</p>")
    assert late.status == 409 and "Somebody saved another version" in late.text
    assert late.form(where).fields["html"].strip() == "<p>mine</p>"
    assert late.send(where).status == 200
    page = owner.get(where + "/versions")
    assert [f"{where}/versions/{number}" in page.links for number in (1, 2, 3, 4)] == [True] * 3 + [False]
    page = owner.get(where + "/versions/1")
    tags = [tag for tag, _ in page.reader.tags]
    assert tags.count("del") == 2 and tags.count("ins") == 1
    page = page.send(f"{where}/versions/1")
    assert "as a new version" in page.text
    assert "<p>two</p>" in owner.get(where + "/edit").form(where).fields["html"]
    assert owner.get(where + "/edit").send(where).text.count("Nothing was changed.") == 1

    # What is to be mended in what stands there, without saving it.
    form = owner.get(where + "/edit")
    seen = form.send(where, html="<p>Dear {{name}}</p>", do="check")
    assert seen.status == 200 and "unsubscribe" in seen.text and "Nothing was" not in seen.text
    assert seen.form(where).fields["html"].strip() == "<p>Dear {{name}}</p>"
    assert "a condition needs a field" in form.send(where, html="{{#if}}", do="check").text
    assert owner.get(where + "/versions").text.count("newest") == 1
    assert web.call("GET", f"{API}/{where.rsplit('/', 1)[1]}", web.shop).json["version"] == 4

    # How it looks, kept or not yet; a script of it is text for a sandbox.
    answer = owner.session.get(web.url + where + "/frame?contact=ann%40shop.test", timeout=30)
    assert "Dear アン" in answer.text
    assert answer.headers["Content-Security-Policy"].startswith("sandbox")
    form = owner.get(where + "/edit").form(where).fields
    new = {"html": "<p>Not {{name}}</p>", "contact": "ann@shop.test"}
    look = owner.post("/admin/templates/look", form | new)
    assert look.status == 200 and "Not アン" in look.answer.text
    look = owner.post("/admin/templates/look", form | {"html": "{{#if}}"})
    assert look.status == 200 and "It cannot be shown as it is" in look.text
    assert owner.post("/admin/templates/look", form | {"contact": "nobody@x.test"}).status == 404

    # A campaign begins with it.
    page = owner.get(where)
    begin = next(link for link in page.links if link.startswith("/admin/campaigns/new?template="))
    fields = owner.get(begin).form("/admin/campaigns").fields
    assert (fields["subject"], fields["from"]) == ("<b>S</b>", "飛脚 <shop@courier.example>")
    assert "Dear {{name}}" in fields["html"]
    saved = owner.get(begin).send("/admin/campaigns", name="kept")
    keep = next(link for link in saved.links if link.startswith("/admin/templates/new?campaign="))
    fields = owner.get(keep).form("/admin/templates").fields
    assert (fields["name"], fields["subject"]) == ("kept", "<b>S</b>")
    assert owner.get("/admin/templates/new?campaign=999").status == 404

    page = page.send(where + "/test", to="a@courier.test\r\nb@courier.test")
    assert "The test is on its way." in page.text
    assert arrived(server, "b@courier.test")["Subject"] == "<b>S</b>"

    found = owner.get("/admin/templates?q=PERSON").text
    assert "Person's <i>" in found and "Nothing was found" not in found
    assert "Nothing was found" in owner.get("/admin/templates?q=xyzzy").text
    assert "Person's <i>" not in owner.get("/admin/templates?kind=block").text
    page = owner.get(where).send(where + "/delete")
    assert page.path == "/admin/templates" and "The template is deleted." in page.text
    assert owner.get(where).status == owner.get(where + "/edit").status == 404


def test_a_preview_is_with_somebody_s_values_and_leaves_for_nobody(web):
    ann = web.call("GET", "/api/v1/contacts/ann@shop.test", web.shop).json
    number = make(web, "leave", subject="{{name}}",
                  html='<p>{{name}}</p><a href="{{unsubscribe_url}}">leave</a>')
    html = web.call("POST", f"{API}/{number}/preview", web.shop, {"contact": ann["id"]}).json["html"]
    fields = web.owner.get(f"/admin/campaigns/new?template={number}").form("/admin/campaigns").fields
    campaign = web.owner.post("/admin/campaigns", fields | {"zone_attribute": ""}).path
    page = web.owner.get(f"{campaign}/preview?contact=ann@shop.test")
    assert page.status == 200 and "no such contact" not in page.text
    assert "no such contact" in web.owner.get(f"{campaign}/preview?contact=nobody@shop.test").text
    frames = [at["src"] for tag, at in page.reader.tags if tag == "iframe"]
    assert len(frames) == 2, page.text
    for shown in html, web.owner.session.get(web.url + frames[0], timeout=30).text:
        assert "アン" in shown
        path = shown.split('href="https://news.courier.example')[1].split('"')[0]
        web.call("POST", path, raw=b"List-Unsubscribe=One-Click",
                 headers={"Content-Type": "application/x-www-form-urlencoded"})
    after = web.call("GET", "/api/v1/contacts/ann@shop.test", web.shop).json
    assert after["state"] == ann["state"] == "active"


def test_a_block_in_use_is_not_deleted_and_the_page_says_by_whom(web):
    owner = web.owner
    page = owner.get("/admin/templates/new?kind=block")
    page = page.send("/admin/templates", name="foot", html="<p>foot</p>")
    where = page.path
    assert "{{>foot}}" in page.text
    page = owner.get("/admin/templates/new?kind=mail")
    assert "{{>foot}}" in page.text
    page = page.send("/admin/templates", name="with foot", subject="s", html="<p>x</p>{{>nothing}}")
    assert page.status == 422 and 'there is no block "nothing"' in page.text
    page = page.send("/admin/templates", html="<p>x</p>{{>foot}}")
    assert page.status == 200
    stays = owner.get(where).send(where + "/delete")
    assert stays.path == where and 'It is used by: template "with foot"' in stays.text
    stays = owner.get(where + "/edit").send(where, name="feet")
    assert stays.status == 422 and "so its name stays" in stays.text
    japanese = Visitor(web, "ja").sign_in("owner@shop.test").visitor
    stays = japanese.get(where).send(where + "/delete")
    assert "テンプレート「with foot」" in stays.text
    assert owner.get(page.path).send(page.path + "/delete").status == 200
    assert "deleted" in owner.get(where).send(where + "/delete").text


def test_who_only_looks_writes_nothing(web):
    viewer = Visitor(web).become("viewer@shop.test", "viewer")
    number = make(web, "seen", subject="s", html="<p>x</p>")
    page = viewer.get(f"/admin/templates/{number}")
    assert page.status == 200 and not any("edit" in link for link in page.links)
    assert viewer.get("/admin/templates/new").status == 403
    token = {"csrf": viewer.token()}
    for path in "", "/look", f"/{number}", f"/{number}/delete", f"/{number}/test", f"/{number}/versions/1":
        assert viewer.post("/admin/templates" + path, token | {"name": "x"}).status == 403, path
    assert web.call("GET", f"{API}/{number}", web.shop).json["version"] == 1
