"""Pages of the newsletter service behind the appliance's web server, as a person's browser sees them."""

import base64
import hmac
import re
import struct
import time

import pytest

import sender as sender_module
from visitor import PASSWORD, Visitor
from web_host import WebHost


@pytest.fixture(scope="module")
def web(tmp_path_factory):
    """One for all: each test has users of its own. The sender is stopped by the last one."""
    sender_module.build()
    sender = sender_module.Sender(tmp_path_factory.mktemp("pages") / "sender", keys=("ed25519",))
    try:
        with WebHost(sender.start()) as one:
            yield one
    finally:
        sender.close()


def test_each_role_may_what_it_may(web):
    owner = Visitor(web).become()
    page = owner.get("/admin/users").send("/admin/users", email="ed@shop.test", name="Ed", role="2")
    link = re.search(r"https://\S+(/admin/welcome/\w+)", page.text)[1]
    editor = Visitor(web)
    assert editor.get(link).send(link, password=PASSWORD, again=PASSWORD).path == "/admin/login"
    assert editor.sign_in("ed@shop.test").path == "/admin"
    viewer = Visitor(web).become("vi@shop.test", "viewer")
    for one in (editor, viewer):
        for path in ("/admin/users", "/admin/settings", "/admin/audit"):
            page = one.get(path)
            assert page.status == 403 and "may not" in page.text
            assert path not in one.get("/admin").links
        token = one.get("/admin/account").form("/admin/account").fields["csrf"]
        assert one.post("/admin/settings", {"csrf": token, "sender-name": "x"}).status == 403
    # The last owner stays, whatever is pressed.
    page = owner.get("/admin/users")
    mine = [link for link in page.links if re.fullmatch(r"/admin/users/\d+", link)]
    assert len(mine) == 3
    for link in mine:
        page = owner.get(link)
        if "owner@shop.test" in page.text.split("Role")[0].split("Users")[-1]:
            for wish in ("delete", "block"):
                assert "There has to be an owner" in page.send(link, **{"do": wish}).text
        elif "ed@shop.test" in page.text:
            assert "Saved" in page.send(link, **{"do": "block"}).text
    assert editor.get("/admin").path == "/admin/login"
    assert Visitor(web).sign_in("ed@shop.test").status == 422


def test_the_first_owner_comes_by_a_link_of_the_console(web):
    visitor = Visitor(web)
    page = visitor.get("/admin")
    assert page.path == "/admin/login" and page.status == 200

    path = visitor.invitation("Mori@Shop.test")
    page = visitor.get(path)
    assert "mori@shop.test" in page.text
    assert page.send(path, password="short", again="short").status == 422
    assert page.send(path, password=PASSWORD, again=PASSWORD + "x").status == 422
    page = page.send(path, password=PASSWORD, again=PASSWORD, name="森 <b>鷗外</b>")
    assert page.path == "/admin/login" and "Your password is set" in page.text
    assert visitor.get(path).status == 404  # once

    page = visitor.sign_in("mori@shop.test", PASSWORD + "x")
    assert page.status == 422 and "do not belong together" in page.text
    page = visitor.sign_in("mori@shop.test")
    assert page.path == "/admin"
    assert "森 <b>鷗外</b>" in page.text and not [tag for tag, _ in page.reader.tags if tag == "b"]


def totp(secret, at=None):
    """RFC 6238 with SHA-1, as an app on a phone has it."""
    key = base64.b32decode(secret.replace(" ", ""))
    mac = hmac.digest(key, struct.pack(">Q", int(time.time() if at is None else at) // 30), "sha1")
    at = mac[-1] & 15
    return f"{(struct.unpack('>I', mac[at:at + 4])[0] & 0x7fffffff) % 1000000:06}"


def test_a_code_is_asked_for_once_it_is_set_up_and_counts_once(web):
    visitor = Visitor(web).become("kei@shop.test")
    page = visitor.get("/admin/account/codes")
    secret = re.search(r"[A-Z2-7]{4}(?: [A-Z2-7]{4}){7}", page.text)[0]
    assert [tag for tag, at in page.reader.tags if tag == "svg" and at["class"] == "qr"]
    assert page.send("/admin/account/codes", code="000000").status == 422
    forged = {**page.form("/admin/account/codes").fields, "code": totp(secret)}
    forged["secret"] = "00" + forged["secret"][2:]
    assert "Recovery codes" not in visitor.post("/admin/account/codes", forged).text
    page = page.send("/admin/account/codes", code=totp(secret))
    codes = re.findall(r"\b\w{5}-\w{5}-\w{5}\b", page.text)
    assert len(set(codes)) == 10

    other = Visitor(web)
    page = other.sign_in("kei@shop.test")
    assert page.path == "/admin/login/code"
    assert other.get("/admin/users").path == "/admin/login/code"  # half a session is none
    assert page.send("/admin/login/code", code=totp(secret)).status == 422  # used for setting up
    assert page.send("/admin/login/code", code=codes[3].upper().replace("-", " ")).path == "/admin"
    other = Visitor(web)
    page = other.sign_in("kei@shop.test")
    assert page.send("/admin/login/code", code=codes[3]).status == 422
    page = page.send("/admin/login/code", code=totp(secret, time.time() + 30))
    assert page.path == "/admin"
    page = other.get("/admin/account/codes")
    assert page.send("/admin/account/codes/off", password="not mine at all").status == 422
    page = page.send("/admin/account/codes/off", password=PASSWORD)
    assert "Two-step sign-in is off" in page.text
    assert Visitor(web).sign_in("kei@shop.test").path == "/admin"


def test_no_other_site_can_send_our_forms(web):
    visitor = Visitor(web).become("sei@shop.test")
    page = visitor.get("/admin/settings")
    fields = page.form("/admin/settings").fields
    assert "Shop" not in fields["sender-name"]
    for more in ({"Origin": "https://evil.test"}, {"Sec-Fetch-Site": "cross-site"},
                 {"Sec-Fetch-Site": "same-site"}, {"Origin": "null"}):
        answer = visitor.post("/admin/settings", {**fields, "sender-name": "Shop"}, headers=more)
        assert answer.status == 403, more
        assert visitor.post("/admin/login", {"email": "a@b.test", "password": PASSWORD},
                            headers=more).status == 403
    for token in (None, "", "0" * 32, fields["csrf"][:-1]):
        answer = page.send("/admin/settings", csrf=token, **{"sender-name": "Shop"})
        assert answer.status == 403 and "another site" in answer.text, token
    now = visitor.get("/admin/settings").form("/admin/settings").fields
    assert now["sender-name"] == fields["sender-name"]
    page = page.send("/admin/settings", **{"sender-name": "Shop"})
    assert page.form("/admin/settings").fields["sender-name"] == "Shop"


HOSTILE = '''"><script>alert(1)</script>'`<img src=x onerror=alert(2)> {1} & &lt; \x85 é 森'''


def test_text_of_people_stays_text_in_every_field(web):
    visitor = Visitor(web, "ja").become("rei@shop.test")
    visitor.get("/admin/account").send("/admin/account", name=HOSTILE[:33])
    page = visitor.get("/admin/settings")
    page = page.send("/admin/settings", **{
        "sender-name": HOSTILE, "sender-address": HOSTILE + "\r\n</textarea><script>", "zone": HOSTILE,
        "sender-contact": "javascript:alert(1)", "from-address": HOSTILE, "from-name": HOSTILE})
    assert page.status == 422
    fields = page.form("/admin/settings").fields
    assert fields["sender-name"].replace("\ufffd", "\x85") == HOSTILE
    assert "</textarea><script>" in fields["sender-address"]
    for page in (page, visitor.get("/admin/account"), visitor.get("/admin/login?next=" + HOSTILE),
                 visitor.get("/admin/audit?before=" + HOSTILE), visitor.get("/admin/nothing/" + HOSTILE)):
        scripts = [at for tag, at in page.reader.tags if tag == "script"]
        assert all(at.get("src", "").startswith("/assets/script-") for at in scripts) and len(scripts) == 1
        assert not [tag for tag, _ in page.reader.tags if tag == "img"]
        assert not [name for _, at in page.reader.tags for name in at if name.startswith("on")]
        policy = page.answer.headers["Content-Security-Policy"]
        assert "default-src 'none'" in policy and "unsafe" not in policy


def test_who_is_signed_in_is_led_to_our_pages_only(web):
    visitor = Visitor(web).become("mei@shop.test")
    for path, leads in (("/admin/account", "/admin/account"), ("https://evil.test/admin", "/admin"),
                        ("//evil.test", "/admin"), ("/admin\\@evil.test", "/admin"),
                        ("/admin/../../x", "/admin/../../x"), ("/adminevil", "/admin"),
                        ("/admin\r\nX: y", "/admin"), ("", "/admin")):
        answer = visitor.post("/admin/look", {"next": path, "theme": "dark"}, allow_redirects=False)
        assert answer.status == 303 and answer.answer.headers["Location"] == leads
    assert ("html", {"lang": "en", "data-theme": "dark"}) in visitor.get("/admin").reader.tags


def test_what_was_done_is_on_record_and_a_session_ends(web):
    visitor = Visitor(web).become("yui@shop.test")
    cookie = next(one for one in visitor.session.cookies if one.name == "__Host-session")
    assert cookie.secure and cookie.has_nonstandard_attr("HttpOnly") and cookie.path == "/"
    second = Visitor(web)
    second.sign_in("yui@shop.test")
    page = visitor.get("/admin/account").send("/admin/account/sessions/end")
    assert "Other sessions have ended" in page.text
    assert second.get("/admin/account").path == "/admin/login"
    page = visitor.get("/admin/account")
    assert page.send("/admin/account/password", old=PASSWORD + "x", new="other words here",
                     again="other words here").status == 422
    assert "is changed" in page.send("/admin/account/password", old=PASSWORD, new="other words here",
                                     again="other words here").text
    text = visitor.get("/admin/audit").text
    assert "set a password" in text and "signed in" in text and "user yui@shop.test" in text
    page = visitor.get("/admin")
    assert page.send("/admin/logout").path == "/admin/login"
    assert visitor.get("/admin/audit").path == "/admin/login"


def test_who_guesses_passwords_is_kept_waiting(web):
    Visitor(web).become("aoi@shop.test")
    guesser = Visitor(web)
    began = time.monotonic()
    for _ in range(2):
        assert guesser.sign_in("aoi@shop.test", "guess a password").status == 422
    assert 2.5 < time.monotonic() - began < 9


def test_the_sender_says_what_to_publish_and_who_gets_nothing_more(web):
    visitor = Visitor(web).become("hal@shop.test")
    page = visitor.get("/admin/dns")
    assert "v=DKIM1; k=ed25519; p=" in page.text and "v=DMARC1; p=none" in page.text
    assert "v=spf1" in page.text
    page = visitor.get("/admin/suppressions?find=ann@shop.test")
    assert page.path == "/admin/suppressions/ann%40shop.test"
    assert "Nothing is known of ann@shop.test" in page.text
    page = page.send("/admin/suppressions", text="she asked by phone")
    assert page.status == 200 and "gets no more mail" in page.text and "by hand" in page.text
    assert "she asked by phone" in page.text
    viewer = Visitor(web).become("va@shop.test", "viewer")
    assert "by hand" in viewer.get("/admin/suppressions/ann%40shop.test").text
    for path in ("/admin/suppressions", "/admin/suppressions/ann%40shop.test"):
        assert viewer.post(path, {"address": "ann@shop.test", "csrf": viewer.token()}).status == 403
    page = page.send("/admin/suppressions/ann%40shop.test")
    assert "gets mail again" in page.text and "let through again" in page.text
    web.sender.stop()
    assert "does not answer" in visitor.get("/admin").text
    assert "does not answer" in visitor.get("/admin/dns").text
    assert "does not answer" in visitor.get("/admin/deliverability").text
    assert "does not answer" in visitor.get("/admin/suppressions").text
