"""Running the newsletter service, by pages and by programs: users, settings, what was done, and how mail
arrives."""

import collections
import datetime
import re
import zoneinfo

import pytest

import sender as sender_module
from hostile import Hostile
from sender import wait_until
from visitor import PASSWORD, Visitor
from web_host import WebHost


def receiver(talk):
    """Nobody of `bad...` is there, and `blocked...` take no such mail."""
    def refuse(path):
        if "<bad" in path.lower():
            return "550 5.1.1 no such user\r\n"
        return "552 5.3.4 message size exceeds the limit\r\n" if "<blocked" in path.lower() else None

    talk.serve(rcpt=refuse)


@pytest.fixture(scope="module")
def web(tmp_path_factory):
    sender_module.build()
    sender = sender_module.Sender(tmp_path_factory.mktemp("admin") / "sender", keys=("ed25519",))
    try:
        with Hostile(receiver) as server:
            sender.route("*", server.port)
            yield from host(sender)
    finally:
        sender.close()


def host(sender):
    with WebHost(sender.start()) as one:
        one.admin = one.key("admin", "--scope", "admin")
        one.reader = one.key("reader", "--scope", "read")
        one.program = one.key("program", "--scope", "send,read,admin")
        one.owner = Visitor(one).become()
        yield one


def problem(answer):
    return answer.status, answer.json.get("pointer")


# ---- users ----

def test_a_program_invites_somebody_who_then_signs_in(web):
    answer = web.call("POST", "/api/v1/users", web.admin,
                      {"email": "Ed@Shop.test", "name": "Ed 森", "role": "editor", "may_export": True})
    assert answer.status == 201, answer
    user = answer.json
    assert (user["email"], user["name"], user["role"], user["state"]) == \
        ("ed@shop.test", "Ed 森", "editor", "invited")
    assert user["may_export"] and user["signed_in_ms"] == 0
    assert answer.headers["Location"] == f"/api/v1/users/{user['id']}"
    path = user["link"].removeprefix(web.url)
    assert re.fullmatch(r"/admin/welcome/\w{52}", path)
    editor = Visitor(web)
    assert editor.get(path).send(path, password=PASSWORD, again=PASSWORD).path == "/admin/login"
    assert editor.sign_in("ed@shop.test").path == "/admin"
    now = web.call("GET", "/api/v1/users/ed@shop.test", web.admin).json
    assert now["state"] == "active" and now["signed_in_ms"] > 0 and "link" not in now
    listed = web.call("GET", "/api/v1/users", web.admin).json["users"]
    assert [one["email"] for one in listed] == ["ed@shop.test", "owner@shop.test"]
    again = web.call("POST", "/api/v1/users", web.admin, {"email": "ed@shop.test", "role": "viewer"})
    assert problem(again) == (409, "/email")

    # What the page shows is the same user.
    assert "ed@shop.test" in web.owner.get("/admin/users").text

    # His role is another one with his next click, and his sessions end when that is wanted.
    here = f"/api/v1/users/{user['id']}"
    assert editor.get("/admin/imports").status == 200
    assert web.call("PATCH", here, web.admin, {"role": "viewer"}).json["role"] == "viewer"
    assert editor.get("/admin/imports").status == 403
    kept = web.call("GET", here, web.admin).json
    assert kept["name"] == "Ed 森" and kept["may_export"]  # what was not given stayed
    assert web.call("POST", f"{here}/end-sessions", web.admin).status == 200
    assert editor.get("/admin").path == "/admin/login"
    assert editor.sign_in("ed@shop.test").path == "/admin"
    assert web.call("POST", f"{here}/block", web.admin).json["state"] == "blocked"
    assert editor.get("/admin").path == "/admin/login"
    assert editor.sign_in("ed@shop.test").status == 422
    assert web.call("POST", f"{here}/unblock", web.admin).json["state"] == "active"
    assert editor.sign_in("ed@shop.test").path == "/admin"
    link = web.call("POST", f"{here}/link", web.admin).json["link"].removeprefix(web.url)
    assert editor.get(link).status == 200
    assert web.call("DELETE", here, web.admin).status == 204
    assert web.call("GET", here, web.admin).status == 404
    assert editor.get("/admin").path == "/admin/login"


def test_an_owner_signs_a_user_out_everywhere_by_the_page(web):
    other = Visitor(web).become("vi@shop.test", "viewer")
    assert other.get("/admin").path == "/admin"
    user = web.call("GET", "/api/v1/users/vi@shop.test", web.admin).json["id"]
    page = web.owner.get(f"/admin/users/{user}").send(f"/admin/users/{user}", **{"do": "sessions"})
    assert "Saved" in page.text
    assert other.get("/admin").path == "/admin/login"
    assert "signed a user out everywhere" in web.owner.get("/admin/audit").text


def test_the_last_owner_stays_whoever_asks(web):
    here = "/api/v1/users/owner@shop.test"
    assert problem(web.call("PATCH", here, web.admin, {"role": "viewer"})) == (409, "/role")
    assert web.call("POST", f"{here}/block", web.admin).status == 409
    assert web.call("DELETE", here, web.admin).status == 409
    now = web.call("GET", here, web.admin).json
    assert (now["role"], now["state"]) == ("owner", "active")
    assert web.owner.get("/admin/users").status == 200


@pytest.mark.parametrize("body, pointer", [
    ({"email": "nobody", "role": "viewer"}, "/email"),
    ({"role": "viewer"}, "/email"),
    ({"email": "a b@shop.test", "role": "viewer"}, "/email"),
    ({"email": "a@shop.test"}, "/role"),
    ({"email": "a@shop.test", "role": "king"}, "/role"),
    ({"email": "a@shop.test", "role": "viewer", "name": "x" * 101}, "/name"),
    ({"email": "a@shop.test", "role": "viewer", "name": "a\nb"}, "/name"),
    ({"email": "a@shop.test", "role": "viewer", "may_export": 1}, "/may_export"),
    ({"email": "a@shop.test", "role": "viewer", "admin": True}, "/admin"),
])
def test_a_bad_invitation_is_told_with_its_field(web, body, pointer):
    assert problem(web.call("POST", "/api/v1/users", web.admin, body)) == (422, pointer)
    assert web.call("GET", "/api/v1/users/a@shop.test", web.admin).status == 404


def test_users_and_the_audit_log_are_for_keys_with_the_scope_that_are_nobody_s_own(web):
    own = web.key("own", "--scope", "admin,read", "--customer", web.sender.domain)
    for path in ("/api/v1/users", "/api/v1/users/owner@shop.test", "/api/v1/audit"):
        assert web.call("GET", path).status == 401
        assert web.call("GET", path, web.reader).status == 403
        assert web.call("GET", path, own).status == 403
    assert web.call("GET", "/api/v1/settings", own).status == 403
    assert web.call("PATCH", "/api/v1/settings", own, {"zone": "UTC"}).status == 403
    assert web.call("PATCH", "/api/v1/settings", web.reader, {"zone": "UTC"}).status == 403
    assert web.call("POST", "/api/v1/users", own, {"email": "x@shop.test", "role": "owner"}).status == 403


# ---- settings ----

def test_settings_are_changed_by_a_program_all_or_nothing(web):
    before = web.call("GET", "/api/v1/settings", web.reader).json
    assert (before["zone"], before["language"], before["track_opens"]) == ("Asia/Tokyo", "ja", True)
    answer = web.call("PATCH", "/api/v1/settings", web.admin,
                      {"sender_name": "森商店", "from_address": "shop@example.jp", "track_clicks": False,
                       "sender_address": "1-2-3\nTokyo"})
    assert answer.status == 200, answer
    assert answer.json == {**before, "sender_name": "森商店", "from_address": "shop@example.jp",
                           "track_clicks": False, "sender_address": "1-2-3\nTokyo"}
    assert web.owner.get("/admin/settings").form("/admin/settings").fields["sender-name"] == "森商店"
    for change, pointer in (({"zone": "Asia/Edo"}, "/zone"), ({"zone": 540}, "/zone"),
                            ({"language": "fr"}, "/language"), ({"track_opens": "yes"}, "/track_opens"),
                            ({"from_address": "nobody"}, "/from_address"),
                            ({"pending_days": "soon"}, "/pending_days"),
                            ({"pending_days": 30}, "/pending_days"),
                            ({"from_name": "a\r\nBcc: b"}, "/from_name"),
                            ({"sender_contact": "javascript:x"}, "/sender_contact"),
                            ({"sender_phone": "0" * 1001}, "/sender_phone"), ({"nothing": 1}, "/nothing")):
        bad = web.call("PATCH", "/api/v1/settings", web.admin, {"reply_to": "no@example.jp", **change})
        assert problem(bad) == (422, pointer)
    assert web.call("GET", "/api/v1/settings", web.admin).json == answer.json


def test_pages_go_by_the_clock_of_the_zone_that_was_chosen(web):
    page = web.owner.get("/admin/settings")
    assert page.form("/admin/settings").fields["zone"] == "Asia/Tokyo"
    assert web.owner.get("/admin/campaigns/new").form("/admin/campaigns").fields["zone"] == "Asia/Tokyo"

    def clock():
        page = web.owner.get("/admin/audit")
        times = [at["datetime"] for tag, at in page.reader.tags if tag == "time"]
        return times[-1], re.findall(r"\d{4}-\d\d-\d\d (\d\d):\d\d", page.text)[-1]

    utc, tokyo = clock()
    assert int(tokyo) == (int(utc[11:13]) + 9) % 24
    page = page.send("/admin/settings", zone="Pacific/Kiritimati")
    assert page.form("/admin/settings").fields["zone"] == "Pacific/Kiritimati"
    utc, there = clock()
    assert int(there) == (int(utc[11:13]) + 14) % 24
    made = web.call("POST", "/api/v1/mailings", web.program, {
        "name": "Times", "from": f"shop@{web.sender.domain}", "subject": "x", "text": "x"})
    assert made.json["zone"] == "Pacific/Kiritimati"
    assert web.call("GET", "/api/v1/settings", web.admin).json["zone"] == "Pacific/Kiritimati"
    # By any spelling; it is kept by its own.
    answer = web.call("PATCH", "/api/v1/settings", web.admin, {"zone": "asia/tokyo"})
    assert answer.json["zone"] == "Asia/Tokyo"
    page = web.owner.get("/admin/settings").send("/admin/settings", zone="Asia/Edo")
    assert page.status == 422 and "no time zone" in page.text


# ---- what was done ----

def test_the_audit_log_is_read_page_by_page(web):
    web.call("PATCH", "/api/v1/settings", web.admin, {"sender_phone": "03-0000-0000", "zone": "Asia/Tokyo"})
    whole = web.call("GET", "/api/v1/audit?limit=1000", web.admin).json
    assert "before" not in whole
    last = whole["entries"][0]
    assert (last["who"], last["action"], last["object"]) == ("api admin", "setting.change", "sender-phone")
    assert last["from"] == "127.0.0.1" and last["at_ms"] > 1_700_000_000_000
    parts, place = [], ""
    while place is not None:
        part = web.call("GET", f"/api/v1/audit?limit=3&before={place}", web.admin).json
        parts += part["entries"]
        place = part.get("before")
    assert parts == whole["entries"] and len(parts) > 6
    actions = {one["action"] for one in parts}
    assert {"user.invite", "user.block", "user.sessions-end", "user.delete", "user.change"} <= actions
    # In both languages each has words of its own.
    page, shown = web.owner.get("/admin/audit"), ""
    while page:
        shown += page.text
        older = [one for one in page.links if "before=" in one]
        page = web.owner.get(older[0]) if older else None
    assert not [action for action in actions if action in shown]
    # A change that changes nothing is none.
    web.call("PATCH", "/api/v1/settings", web.admin, {"sender_phone": "03-0000-0000"})
    assert web.call("GET", "/api/v1/audit?limit=1", web.admin).json["entries"] == [last]
    for bad in ("before=x", "before=1.x", "limit=x"):
        assert web.call("GET", f"/api/v1/audit?{bad}", web.admin).status == 400


# ---- how mail arrives ----

def send(web, *addresses):
    for address in addresses:
        answer = web.call("POST", "/api/v1/messages", web.program, {
            "from": f"shop@{web.sender.domain}", "to": [address], "subject": "Hello", "text": "Hello\n"})
        assert answer.status == 202, answer


def rows(web):
    """By what happened and why; of today by the clock of the settings, whose midnight may pass meanwhile."""
    answer = web.call("GET", "/api/v1/deliverability", web.reader)
    assert answer.status == 200, answer
    now = datetime.datetime.now(zoneinfo.ZoneInfo("Asia/Tokyo"))
    days = {(now - datetime.timedelta(minutes=minutes)).date().isoformat() for minutes in (0, 5)}
    assert {row["day"] for row in answer.json["rows"]} <= days
    counts = collections.Counter()
    for row in answer.json["rows"]:
        counts[row["what"], row["reason"]] += row["count"]
    return counts


def test_bounces_are_counted_by_day_receiver_and_reason(web):
    assert "Nothing was sent" in web.owner.get("/admin/deliverability").text
    send(web, "ann@shop.test", "bob@shop.test", "bad1@shop.test", "blocked1@shop.test", "blocked2@shop.test")
    expected = {("delivered", ""): 2, ("bounced", "bad-mailbox"): 1, ("bounced", "content"): 2}
    wait_until(lambda: rows(web) == expected, "what became of five messages", 20)
    page = web.owner.get("/admin/deliverability")
    receiver = web.call("GET", "/api/v1/deliverability", web.reader).json["rows"][0]["receiver"]
    assert receiver and f"{receiver} 2 3 60.0% 1 2 0 0 0" in page.text
    assert "No such mailbox 1 0" in page.text and "The content 2 0" in page.text
    assert re.search(r"\d{4}-\d\d-\d\d 1 2 0 0 By receiver", page.text)  # the last day of the chart
    link = next(one for one in page.links if "receiver=" in one)
    alone = web.owner.get(link)
    assert alone.form("/admin/deliverability").fields["receiver"] == link.split("receiver=")[1]
    assert "No such mailbox 1 0" in alone.text
    assert "No such mailbox" not in web.owner.get("/admin/deliverability?receiver=0").text
    week = web.owner.get("/admin/deliverability?days=7")
    assert len(re.findall(r"\d{4}-\d\d-\d\d \d+ \d+ \d+ \d+", week.text)) == 7
    csv = web.owner.get("/admin/deliverability/numbers.csv?from=2026-01-01").text.split("\r\n")
    assert csv[0] == "day,receiver,what,reason,count" and len(csv) == 5
    assert any(line.endswith(f",{receiver},bounced,content,2") for line in csv)
    assert web.call("GET", "/api/v1/deliverability.csv", web.reader).body.decode().split("\r\n") == csv
    nothing = web.call("GET", "/api/v1/deliverability?from=2020-01-01&until=2020-12-31", web.reader)
    assert nothing.json == {"rows": []}
    for bad in ("from=yesterday", "until=2026-02-30", "from=2026-11-1"):
        assert web.call("GET", f"/api/v1/deliverability?{bad}", web.reader).status == 400
    own = web.key("guest", "--scope", "read", "--customer", web.sender.domain)
    assert web.call("GET", "/api/v1/deliverability", own).status == 403


def suppressed(web, query):
    found, after = [], ""
    while after is not None:
        answer = web.call("GET", f"/api/v1/suppressions?{query}&after={after}", web.reader)
        assert answer.status == 200, answer
        found += [one["address"] for one in answer.json["suppressions"]]
        after = answer.json.get("next")
        assert answer.json["more"] == (after is not None)
    return found


def test_suppressed_addresses_are_paged_and_searched(web):
    send(web, "bad2@shop.test")
    wait_until(lambda: "bad2@shop.test" in suppressed(web, "reason=bad-mailbox"), "a bad mailbox", 20)
    many = [f"p{i}@{'x' if i % 2 else 'y'}.test" for i in range(120)]
    assert web.call("POST", "/api/v1/suppressions", web.program,
                    {"addresses": many, "reason": "complaint", "text": "by <b>phone</b>"}).status == 200
    [last] = web.call("GET", "/api/v1/audit?limit=1", web.admin).json["entries"]
    assert (last["who"], last["action"], last["object"]) == ("api program", "suppression.add", "")
    assert sorted(suppressed(web, "limit=50&find=.test&reason=complaint")) == sorted(many)
    assert sorted(suppressed(web, "limit=7&find=@X.te")) == sorted(many[1::2])
    assert web.call("GET", "/api/v1/suppressions?after=1", web.reader).status == 422
    assert web.call("GET", "/api/v1/suppressions?reason=removed", web.reader).status == 422

    page, shown = web.owner.get("/admin/suppressions?reason=complaint"), []
    while True:
        shown += [one.removeprefix("/admin/suppressions/") for one in page.links
                  if one.startswith("/admin/suppressions/")]
        following = [one for one in page.links if "after=" in one]
        if not following:
            break
        page = web.owner.get(following[0])
    assert sorted(shown) == sorted(one.replace("@", "%40") for one in many)
    assert not [tag for tag, _ in page.reader.tags if tag == "b"]
    page = web.owner.get("/admin/suppressions?find=p7@x")
    assert "p7@x.test" in page.text and "complaint" in page.text and "by <b>phone</b>" in page.text
    assert "No such address" in web.owner.get("/admin/suppressions?find=nobody").text

    # One is taken off, from its own page, which has said what that means.
    page = web.owner.get("/admin/suppressions?find=P7@x.test")
    assert page.path.lower() == "/admin/suppressions/p7%40x.test" and "should stay" in page.text
    page = page.send(page.path)
    assert page.status == 200 and "gets mail again" in page.text
    assert "p7@x.test" not in suppressed(web, "find=p7@x")
    assert "took an address off" in web.owner.get("/admin/audit").text
    page = web.owner.get("/admin/suppressions/new%40x.test").send("/admin/suppressions", address="nobody")
    assert page.status == 422 and "no e-mail address" in page.text
    assert web.owner.get("/admin/suppressions/nobody").status == 404


def test_the_console_s_status_says_what_the_web_server_shows(web):
    told = web.sender.run("status").stdout
    assert re.search(r"^web       127\.0\.0\.1: certificate of your own, \d+ days left", told, re.M), told


def test_lists_and_attributes_are_in_the_audit_log(web):
    key = web.key("contacts", "--scope", "contacts")
    for path, body, change in (("lists", {"name": "weekly", "title": "Weekly"}, {"title": "Each week"}),
                               ("attributes", {"name": "city", "type": "text"}, {"label_en": "City"})):
        made = web.call("POST", f"/api/v1/{path}", key, body)
        assert made.status == 201, made
        here = f"/api/v1/{path}/{body['name']}"
        assert web.call("POST", f"/api/v1/{path}", key, body).status == 409
        assert web.call("PATCH", here, key, change).status == 200
        assert web.call("DELETE", here, key).status == 204
        entries = web.call("GET", "/api/v1/audit?limit=3", web.admin).json["entries"]
        noun = path.removesuffix("s")
        assert [(one["who"], one["action"], one["object"]) for one in entries] == [
            ("api contacts", f"{noun}.{verb}", body["name"]) for verb in ("delete", "change", "add")]
