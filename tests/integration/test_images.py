"""Images for mail: brought by pages and by programs, shown to whoever reads mail, and in the mail itself."""

import concurrent.futures
import email
import email.policy
import os
import pathlib
import re
import struct
import urllib.parse
import zlib

import dkim
import pytest

import sender as sender_module
from hostile import Hostile
from sender import wait_until
from visitor import Visitor
from web_host import WebHost

HOST = "https://news.courier.example"


def png(width, height, colour=b"\x30\x80\xa0", more=b""):
    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    rows = (b"\0" + colour * width) * height
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)) \
        + chunk(b"IDAT", zlib.compress(rows)) + (chunk(b"teXt", more) if more else b"") + chunk(b"IEND", b"")


GIF = b"GIF89a\x01\x00\x01\x00\x80\x00\x00\xff\xff\xff\x00\x00\x00!\xf9\x04\x01\x00\x00\x00\x00" \
      b",\x00\x00\x00\x00\x01\x00\x01\x00\x00\x02\x02D\x01\x00;"


@pytest.fixture(scope="module")
def server():
    with Hostile(lambda talk: talk.serve()) as one:
        yield one


@pytest.fixture(scope="module")
def web(tmp_path_factory, server):
    """One for all, with little room: 300 KiB an image, 2 MiB in all."""
    sender_module.build()
    sender = sender_module.Sender(tmp_path_factory.mktemp("images") / "sender", keys=("ed25519", "rsa"))
    sender.route("*", server.port)
    try:
        with WebHost(sender.start(), url=HOST, **{"image-max": "300K", "images-max": "2M"}) as one:
            yield one
    finally:
        sender.close()


@pytest.fixture(scope="module")
def key(web):
    return web.key("shop", "--scope", "send,read,admin,contacts")


@pytest.fixture(scope="module")
def owner(web):
    return Visitor(web).become()


def bring(web, key, image, **query):
    text = urllib.parse.urlencode(query)
    return web.call("POST", f"/api/v1/images?{text}", key, raw=image, headers={"Content-Type": "image/png"})


def folder(web):
    return pathlib.Path(web.sections["web"]["audience"]) / "images"


def test_a_program_brings_an_image_and_everybody_can_see_it(web, key):
    image = png(900, 20)
    made = bring(web, key, image, name='summer "sale" 夏.PNG', alt="50% < 100%")
    assert made.status == 201, made
    one = made.json
    assert (one["type"], one["width"], one["height"], one["bytes"]) == ("image/png", 900, 20, len(image))
    assert one["name"] == 'summer "sale" 夏.PNG' and one["alt"] == "50% < 100%"
    assert one["path"] == f"/i/{one['id']}/summer-sale.png" and one["url"] == HOST + one["path"]
    assert one["tag"] == f'<img src="{one["path"]}" alt="50% &lt; 100%" width="600" ' \
                         'style="max-width:100%;height:auto">'
    assert made.headers["Location"] == f"/api/v1/images/{one['id']}"
    assert web.call("GET", made.headers["Location"], key).json == one

    shown = web.call("GET", one["path"])
    assert shown.status == 200 and shown.body == image
    assert shown.headers["Content-Type"] == "image/png"
    assert shown.headers["X-Content-Type-Options"] == "nosniff"
    assert "sandbox" in shown.headers["Content-Security-Policy"]
    assert shown.headers["Cache-Control"] == "public, max-age=31536000, immutable"
    assert "Set-Cookie" not in shown.headers
    head = web.call("HEAD", one["path"])
    assert head.status == 200 and head.body == b"" and head.headers["Content-Length"] == str(len(image))
    again = web.call("GET", one["path"], headers={"If-None-Match": shown.headers["ETag"]})
    assert again.status == 304 and again.body == b"" and again.headers["ETag"] == shown.headers["ETag"]
    # Whatever name a mail has it by: the id alone counts.
    assert web.call("GET", f"/i/{one['id']}/other.html").headers["Content-Type"] == "image/png"
    # The same one again is the same one.
    same = bring(web, key, image, name="copy.png")
    assert same.status == 200 and same.json == one
    assert len([path for path in folder(web).iterdir() if path.name.startswith(one["id"])]) == 1


def test_what_there_is_not_is_a_page_and_no_path_leads_elsewhere(web, key):
    one = bring(web, key, png(3, 3)).json
    number = one["id"]
    for path in ("/i/" + "0" * 32 + "/a.png", f"/i/{number[:-1]}/a.png", "/i/x/y", f"/i/{number}", "/i/",
                 "/i/..%2f..%2fkeys/a", f"/i/{number}/../../keys", "/i/%2e%2e/data.mdb",
                 f"/i/{number}%00/a.png"):
        answer = web.call("GET", path)
        assert answer.status in (400, 404), (path, answer)
        assert b"PNG" not in answer.body
    assert "text/html" in web.call("GET", "/i/" + "0" * 32 + "/a.png").headers["Content-Type"]
    assert web.call("POST", one["path"], raw=b"x").status == 405


@pytest.mark.parametrize("body, status, why", [
    (b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>', 422, "no PNG"),
    (b"<!doctype html><script>alert(1)</script>", 422, "no PNG"),
    (b"\x89PNG\r\n\x1a\n", 422, "damaged"),
    (png(12000, 1), 422, "pixels"),
    (png(9, 9, more=os.urandom(310_000)), 413, "too large"),
    (b"", 422, "empty"),
], ids=["svg", "html", "cut", "wide", "large", "empty"])
def test_what_is_no_image_is_refused_and_nothing_is_kept(web, key, body, status, why):
    before = sorted(path.name for path in folder(web).iterdir())
    answer = bring(web, key, body, name="a.png")
    assert answer.status == status and why in answer.json["detail"], answer
    assert sorted(path.name for path in folder(web).iterdir()) == before


def test_several_come_together_or_not_at_all(web, key, owner):
    files = [("file", (f"n{i}.png", png(10 + i, 4), "image/png")) for i in range(3)]
    page = owner.get("/admin/images").send("/admin/images", files=files)
    assert page.status == 200 and "The images are there" in page.text
    assert all(f"n{i}.png" in page.text for i in range(3))
    for bad, why in ((b"<svg/>", "no PNG"), (png(9, 9, more=os.urandom(310_000)), "too large")):
        files = [("file", ("good.png", png(77, 4), "image/png")), ("file", ("bad.png", bad, "image/png"))]
        page = owner.get("/admin/images").send("/admin/images", files=files)
        assert "bad.png: " in page.text and why in page.text and "good.png" not in page.text
    files = [("file", (f"m{i}.gif", GIF, "image/gif")) for i in range(21)]
    page = owner.get("/admin/images").send("/admin/images", files=files)
    assert "too many images" in page.text

    # A program may send a form, too; two that are the same are one.
    boundary = b"xxYYxx"
    body = b"".join(b"--" + boundary + b"\r\nContent-Disposition: form-data; name=\"file\"; filename=\"" +
                    name + b"\"\r\n\r\n" + GIF + b"\r\n" for name in (b"a.gif", b"b.gif"))
    made = web.call("POST", "/api/v1/images", key, raw=body + b"--" + boundary + b"--\r\n",
                    headers={"Content-Type": "multipart/form-data; boundary=xxYYxx"})
    assert made.status == 201 and len({one["id"] for one in made.json["images"]}) == 1, made
    assert [one["name"] for one in made.json["images"]] == ["a.gif", "a.gif"]
    number = made.json["images"][0]["id"]
    assert len([path for path in folder(web).iterdir() if path.name.startswith(number)]) == 1


def test_an_image_is_described_and_who_may_not_cannot(web, owner, key):
    one = bring(web, key, png(31, 31), name="logo.png").json
    page = owner.get(f"/admin/images/{one['id']}")
    assert page.status == 200 and one["tag"] in page.text
    page = page.send(f"/admin/images/{one['id']}", alt='Our <b>"logo"</b>', name="Firm.png")
    assert "Saved." in page.text and 'alt="Our &lt;b&gt;&quot;logo&quot;&lt;/b&gt;"' in page.text
    assert not [tag for tag, _ in page.reader.tags if tag == "b"]
    assert web.call("PATCH", f"/api/v1/images/{one['id']}", key, {"alt": "Logo"}).json["alt"] == "Logo"
    assert web.call("PATCH", f"/api/v1/images/{one['id']}", key, {"alt": "a\nb"}).json["pointer"] == "/alt"
    assert web.call("PATCH", f"/api/v1/images/{one['id']}", key, {"id": "x"}).status == 422
    # In the editor it is there to be put in.
    assert f'<img src="/i/{one["id"]}/Firm.png" alt="Logo"' in owner.get("/admin/campaigns/new").text
    viewer = Visitor(web).become("vi@shop.test", "viewer")
    page = viewer.get(f"/admin/images/{one['id']}")
    assert page.status == 200 and not [form for form in page.reader.forms if "images" in form.action]
    assert viewer.post(f"/admin/images/{one['id']}/delete", {"csrf": viewer.token()}).status == 403
    reader = web.key("reader", "--scope", "read")
    assert web.call("GET", "/api/v1/images", reader).status == 200
    assert web.call("DELETE", f"/api/v1/images/{one['id']}", reader).status == 403
    assert bring(web, reader, png(2, 2)).status == 403


def draft(html, **more):
    return {"name": "December", "from": "飛脚 <shop@courier.example>", "subject": "Snow", "html": html, **more}


def mailing(web, key, html, **more):
    made = web.call("POST", "/api/v1/mailings", key, draft(html, **more))
    assert made.status == 201, made
    return made.headers["Location"]


def test_what_is_used_goes_only_when_that_is_said_twice(web, owner, key):
    one = bring(web, key, png(41, 41), name="used.png").json
    other = bring(web, key, png(42, 41), name="free.png").json
    mailing(web, key, f'<p>{one["tag"]}</p>', name="Has <it>")
    page = owner.get(f"/admin/images/{one['id']}")
    assert "Has <it>" in page.text
    page = page.send(f"/admin/images/{one['id']}/delete")
    assert page.status == 409 and "use this image" in page.text and "Has <it>" in page.text
    assert web.call("GET", one["path"]).status == 200
    refused = web.call("DELETE", f"/api/v1/images/{one['id']}", key)
    assert refused.status == 409 and "Has <it>" in refused.json["detail"]
    page = page.send(f"/admin/images/{one['id']}/delete", sure="yes")
    assert page.path == "/admin/images" and "deleted" in page.text
    assert web.call("GET", one["path"]).status == 404
    assert owner.get(f"/admin/images/{one['id']}").status == 404
    assert web.call("DELETE", f"/api/v1/images/{other['id']}", key).status == 204
    assert web.call("DELETE", f"/api/v1/images/{other['id']}", key).status == 404
    assert not [path for path in folder(web).iterdir() if path.name[:32] in (one["id"], other["id"])]
    # Brought again it has the same address: mails that were sent show it again.
    assert bring(web, key, png(41, 41), name="used.png").json["path"] == one["path"]
    log = owner.get("/admin/audit").text
    assert f"image {one['id']}" in log


def test_what_a_scheduled_campaign_needs_stays_whoever_insists(web, owner, key):
    one = bring(web, key, png(43, 41), name="needed.png").json
    here = f"/api/v1/images/{one['id']}"
    where = mailing(web, key, f'<p>Snow.</p>{one["tag"]}<p>{{{{unsubscribe_url}}}}</p>', name="Soon <it>",
                    at="2090-12-01 09:00")
    asked = owner.get(f"/admin/images/{one['id']}").send(f"/admin/images/{one['id']}/delete")
    assert web.call("POST", where + "/schedule", key, {"override": ["findings"]}).status == 200
    refused = web.call("DELETE", here + "?force=yes", key)
    assert refused.status == 409 and 'needed by campaign "Soon <it>"' in refused.json["detail"], refused
    page = asked.send(f"/admin/images/{one['id']}/delete", sure="yes")
    assert page.status == 409 and "needed by campaign" in page.text and "Soon <it>" in page.text
    owner.session.cookies.set("language", "ja")
    page = asked.send(f"/admin/images/{one['id']}/delete", sure="yes")
    assert page.status == 409 and "キャンペーン「Soon <it>」" in page.text
    owner.session.cookies.set("language", None)
    assert web.call("GET", one["path"]).status == 200
    assert web.call("POST", where + "/unschedule", key).status == 200
    assert web.call("DELETE", here, key).status == 409
    assert web.call("DELETE", here + "?force=yes", key).status == 204


SENDER = {"sender_name": "Courier K.K.", "sender_address": "1-2 Chiyoda, Tokyo",
          "sender_contact": "help@shop.test"}
FOOT = ('<p>Courier K.K., 1-2 Chiyoda, Tokyo, help@shop.test '
        '<a href="{{unsubscribe_url}}">Unsubscribe</a></p>')


def test_so_does_what_step_mail_needs_also_by_a_block_of_its_template(web, key):
    one = bring(web, key, png(44, 41), name="block.png").json
    other = bring(web, key, png(45, 41), name="step.png").json
    block = web.call("POST", "/api/v1/templates", key, {"name": "head", "kind": "block", "html": one["tag"]})
    assert block.status == 201, block
    whole = web.call("POST", "/api/v1/templates", key, {
        "name": "Whole", "subject": "Hello",
        "html": "{{>head}}" + FOOT})
    assert whole.status == 201, whole
    made = web.call("POST", "/api/v1/sequences", key, {
        "name": "Welcome", "from": "飛脚 <shop@courier.example>", "start": "event", "event": "joined"})
    assert made.status == 201, made
    where = f"/api/v1/sequences/{made.json['id']}"
    for more in ({"template": whole.json["id"]}, {"html": other["tag"] + FOOT}):
        step = web.call("POST", where + "/steps", key, {"subject": "Hello", **more})
        assert step.status == 201, step
    assert "needed" not in web.call("DELETE", f"/api/v1/images/{one['id']}", key).json["detail"]
    assert web.call("PATCH", "/api/v1/settings", key, SENDER).status == 200
    started = web.call("POST", where + "/start", key)
    assert web.call("PATCH", "/api/v1/settings", key, dict.fromkeys(SENDER, "")).status == 200
    assert started.status == 200, started
    for state in ("running", "paused"):
        for image in (one, other):
            refused = web.call("DELETE", f"/api/v1/images/{image['id']}?force=yes", key)
            assert refused.status == 409 and 'step mail "Welcome"' in refused.json["detail"], (state, refused)
        assert web.call("POST", where + "/pause", key).status in (200, 409)
    assert web.call("POST", where + "/archive", key).status == 200
    for image in (one, other):
        assert web.call("DELETE", f"/api/v1/images/{image['id']}?force=yes", key).status == 204


def receive(server, count):
    wait_until(lambda: len(server.accepted) >= count, "mail")
    return [email.message_from_bytes(one.content, policy=email.policy.default) for one in server.accepted]


def is_signed(web, content):
    records = {f"{name}.".encode(): text.encode() for name, text in web.sender.dns_records.items()}
    verifier = dkim.DKIM(content)
    return all(verifier.verify(idx=i, dnsfunc=lambda name, timeout=5: records.get(name)) for i in range(2))


def subscribe(web, key, count):
    for i in range(count):
        made = web.call("POST", "/api/v1/contacts", key, {"email": f"p{i}@shop.test", "state": "active"})
        assert made.status in (200, 201, 409), made


def send(web, key, where):
    """Nobody has said who sends, so what the law asks for lacks."""
    assert web.call("POST", where + "/schedule", key, {"override": ["findings"]}).status == 200
    wait_until(lambda: web.call("GET", where, key).json["state"] == "done", "the end of a campaign")


def test_in_mail_addresses_are_whole(web, key, server):
    subscribe(web, key, 1)
    one = bring(web, key, png(51, 51)).json
    server.accepted.clear()
    where = mailing(web, key, f'<p>Snow has come. {one["tag"]}<img src="{one["url"]}" alt="">'
                    f'<img alt="" src="a.png">'
                    f'<a href="{one["path"]}">large</a></p><p>{{{{unsubscribe_url}}}}</p>', track=False)
    send(web, key, where)
    mail, = receive(server, 1)
    html = mail.get_body(("html",)).get_content()
    assert html.count(f'src="{one["url"]}"') == 2 and f'href="{one["url"]}"' in html and 'src="a.png"' in html
    assert one["url"] in mail.get_body(("plain",)).get_content()
    assert mail.get_content_type() == "multipart/alternative"
    assert is_signed(web, server.accepted[0].content)


def test_templates_have_images_and_mails_of_programs_by_them(web, key, server, owner):
    one = bring(web, key, png(52, 51), name="receipt.png", alt="Receipt").json
    html = f'<p>Thank you, {{{{buyer}}}}.</p>{one["tag"]}<img src="/i/{"2" * 32}/lost.png" alt="">'
    kept = web.call("POST", "/api/v1/templates", key, {"name": "Receipt", "kind": "transactional",
                                                       "subject": "Receipt", "html": html,
                                                       "sample": {"buyer": "Mori"}})
    assert kept.status == 201, kept
    seen = web.call("POST", f"/api/v1/templates/{kept.json['id']}/preview", key, {}).json
    assert f'src="{one["path"]}"' in seen["html"]
    assert any("lost.png" in finding["problem"] for finding in seen["findings"])
    assert not any("receipt.png" in finding["problem"] for finding in seen["findings"])
    server.accepted.clear()
    sent = web.call("POST", "/api/v1/messages", key, {
        "from": "shop@courier.example", "template": "Receipt",
        "to": [{"address": "bob@shop.test", "values": {"buyer": "Bob"}}]})
    assert sent.status == 202, sent
    mail, = receive(server, 1)
    assert f'src="{one["url"]}"' in mail.get_body(("html",)).get_content()
    # It is used by the template.
    assert "Receipt" in web.call("DELETE", f"/api/v1/images/{one['id']}", key).json["detail"]
    page = owner.get(f"/admin/images/{one['id']}")
    assert f"/admin/templates/{kept.json['id']}" in page.links
    assert one["tag"] in owner.get(f"/admin/templates/{kept.json['id']}/edit").text


@pytest.mark.parametrize("track", [False, True])
def test_images_are_in_the_mail_itself_if_that_is_wanted(web, key, server, track, owner):
    subscribe(web, key, 3)
    image, gif = png(300, 40, os.urandom(3)), GIF
    one = bring(web, key, image, name="夏 sale.png", alt="Sale").json
    two = bring(web, key, gif, name="dot.gif").json
    server.accepted.clear()
    html = f'<p>Snow has come. {one["tag"]}<img src="{two["url"]}" alt="">{one["tag"]}' \
           f'<img alt="" src="/i/{"0" * 32}/gone.png"></p><p>{{{{unsubscribe_url}}}}</p>'
    where = mailing(web, key, html, track=track, inline=True)
    number = where.rsplit("/", 1)[1]

    # Pages show it from here.
    frame = owner.get(f"/admin/campaigns/{number}/frame")
    assert frame.answer.text.count(f'src="{one["path"]}"') == 2 and "cid:" not in frame.answer.text

    assert web.call("POST", where + "/test", key, {"to": ["colleague@shop.test"]}).status == 202
    receive(server, 1)
    send(web, key, where)
    mails = receive(server, 4)
    boundaries = set()
    for mail, received in zip(mails, server.accepted):
        assert is_signed(web, received.content)
        assert mail.get_content_type() == "multipart/alternative"
        text, related = mail.iter_parts()
        assert text.get_content_type() == "text/plain" and "Snow has come." in text.get_content()
        assert related.get_content_type() == "multipart/related"
        page, *images = related.iter_parts()
        html = page.get_content()
        cids = re.findall(r'src="cid:([^"]+)"', html)
        assert cids == [f"{image['id']}@courier.example" for image in (one, two, one)]
        assert f'src="{HOST}/i/{"0" * 32}/gone.png"' in html
        assert [part["Content-ID"] for part in images] == [f"<{cids[0]}>", f"<{cids[1]}>"]
        assert [part.get_content() for part in images] == [image, gif]
        assert [part.get_content_type() for part in images] == ["image/png", "image/gif"]
        assert [part.get_filename() for part in images] == ["sale.png", "a.gif"]
        assert all(part.get_content_disposition() == "inline" for part in images)
        boundaries.add(mail.get_boundary())
    assert len(boundaries) == 2 or not track  # the test is not counted, so its texts are others
    if track:
        assert "/t/o/" in mails[-1].get_body(("html",)).get_content()


def test_an_image_that_is_not_here_is_told_before(web, key, owner):
    some = bring(web, key, png(300, 300)).json
    html = f'{some["tag"]}<img src="/i/{"1" * 32}/lost.png" alt="x"><p>Some words are here.</p>'
    where = mailing(web, key, html, inline=True)
    page = owner.get(f"/admin/campaigns/{where.rsplit('/', 1)[1]}/preview")
    assert "lost.png" in page.text and "is not here" in page.text
    stopped = web.call("POST", where + "/schedule", key)
    assert stopped.status == 422 and b"is not here" in stopped.body, stopped
    owner.session.cookies.set("language", "ja")
    assert "登録されていません" in owner.get(page.path).text
    owner.session.cookies.set("language", None)


def test_room_is_bounded_and_asked_of_all_at_once(web, key):
    """Last: it fills what there is."""
    def one(i):
        return bring(web, key, png(60 + i, 60, more=os.urandom(250_000)), name=f"large{i}.png")

    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(one, range(12)))
    assert {answer.status for answer in answers} == {201, 507}
    refused = next(answer for answer in answers if answer.status == 507)
    assert "no room for more images" in refused.json["detail"]
    total, after = 0, ""
    while True:
        part = web.call("GET", f"/api/v1/images?limit=3{after}", key).json
        total += sum(image["bytes"] for image in part["images"])
        if not part["more"]:
            break
        after = "&after=" + part["images"][-1]["id"]
    assert 1_500_000 < total <= 2 << 20
    assert sum(path.stat().st_size for path in folder(web).iterdir()) == total

    # What a crash left without a record goes at the next start; the rest is there.
    stray = folder(web) / ("ab" * 16 + ".00000000")
    stray.write_bytes(b"x")
    sender_module.end_process(web.web)
    web.start_web()
    kept = next(answer for answer in answers if answer.status == 201).json
    wait_until(lambda: web.call("GET", kept["path"]).status == 200, "the image after a restart")
    assert not stray.exists()
