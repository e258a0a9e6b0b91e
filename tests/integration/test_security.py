"""
What the web role is immune to, tried at one running host: forms that other sites send, roles and scopes that
are too small, tokens that somebody made up, places that somebody else chose. What can be is
taken from the table of routes, so that a new route is tried, too.
"""

import base64
import random
import re
import time
import urllib.parse

import requests

from routes import all_routes, filled
from security_world import SCOPES, raw, reader_many, world  # noqa: F401: fixtures
from visitor import PASSWORD, Visitor

ROUTES = all_routes()
SIGNED_IN = {"VIEWER", "EDITOR", "OWNER", "EXPORTER"}
PAGES = [one for one in ROUTES if one.flags & SIGNED_IN]
CALLS = [one for one in ROUTES if one.path.startswith("/api/")]
CODES = random.Random(6)


def all_there_is(world):
    """What calls could have changed, as the interface shows it, and the audit log."""
    nouns = ("contacts", "lists", "attributes", "imports", "segments", "forms", "mailings", "campaigns",
             "suppressions", "hold")
    shown = {noun: world.web.call("GET", f"/api/v1/{noun}", world.everything).json for noun in nouns}
    shown["preferences"] = [world.web.call("GET", f"/api/v1/contacts/{i}", world.everything).json
                            for i in range(1, 9)]
    shown["audit"] = world.owner.get("/admin/audit").text
    shown["users"] = world.owner.get("/admin/users").text
    return shown


def body_of(route, fields):
    """A form with those fields, of the kind that the route takes."""
    if route.method == "GET":
        return {}
    if "TAKES_UPLOAD" in route.flags:
        return {"data": fields, "files": {"file": ("people.csv", b"email\na@shop.test\n", "text/csv")}}
    return {"data": fields}


def send(visitor, route, path, fields, **headers):
    return visitor.session.request(route.method, visitor.web.url + path, allow_redirects=False, timeout=30,
                                   headers={"Connection": "close", **headers}, **body_of(route, fields))


# ---- forms that other sites send ----

def test_no_route_takes_a_form_that_is_not_from_our_own_pages(world):
    token, other = world.owner.token(), world.editor.token()
    before = all_there_is(world)
    posts = [one for one in PAGES if one.method != "GET"]
    assert len(posts) > 30
    for route in posts:
        path = filled(route.path, "1", "2")
        wrong = [({}, {}), ({"csrf": ""}, {}), ({"csrf": other}, {}), ({"csrf": token[:-1]}, {}),
                 ({"csrf": token.upper() + " "}, {}),
                 ({"csrf": token}, {"Origin": "https://evil.test"}),
                 ({"csrf": token}, {"Origin": "null"}),
                 ({"csrf": token}, {"Sec-Fetch-Site": "cross-site", "Origin": world.web.url})]
        for fields, headers in wrong:
            answer = send(world.owner, route, path, {"name": "evil", "do": "delete", **fields}, **headers)
            assert answer.status_code == 403, (route, fields, headers, answer.status_code)
        answer = send(world.owner, route, f"{path}?csrf={token}", {"name": "evil"})
        assert answer.status_code == 403, (route, "the token is in the query")
    for route in (one for one in ROUTES if "OWN_SITE" in one.flags and one.method == "POST"):
        for headers in ({"Origin": "https://evil.test"}, {"Sec-Fetch-Site": "same-site"}):
            answer = send(Visitor(world.web), route, filled(route.path, "0" * 32), {}, **headers)
            assert answer.status_code == 403, (route, headers)
    assert all_there_is(world) == before


def test_looking_changes_nothing(world):
    before = all_there_is(world)
    for route in PAGES:
        if route.method == "GET" and "export" not in route.path:  # who took data out is on record
            answer = world.owner.get(filled(route.path, "1"))
            assert answer.status in (200, 404, 422), (route, answer.status)
    for method in ("PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "PROPFIND"):
        for route in PAGES[::5]:
            answer = world.owner.session.request(method, world.web.url + filled(route.path, "1"), timeout=30)
            assert answer.status_code in (400, 405, 501), (method, route, answer.status_code)
    assert all_there_is(world) == before


def test_a_call_is_not_made_by_the_cookie_of_a_browser(world):
    for route in CALLS:
        if not route.scopes:
            continue
        answer = world.owner.session.request(route.method, world.web.url + filled(route.path, "1"),
                                             timeout=30,
                                             headers={"X-Csrf-Token": world.owner.token()}
                                             if route == CALLS[5] else {})
        assert answer.status_code == 401, route


# ---- who may what ----

OWNERS_ALONE = re.compile(r"/admin/(users|settings|audit)(/|$)")
EVERYBODYS = re.compile(r"/admin/(account(/.*)?|logout)$")


def least_role(route):
    """What a route ought to ask for, by its path and method: not read from its flags."""
    if OWNERS_ALONE.match(route.path):
        return "owner"
    if "export" in route.path:
        return "owner"  # and editors to whom an owner gave that right
    if route.method == "POST":
        return "viewer" if EVERYBODYS.match(route.path) else "editor"
    return None  # a page to look at: a viewer's, or an editor's where it is a form


def test_each_page_is_for_those_whose_role_it_is(world):
    tokens = {one: one.token() for one in (world.viewer, world.editor)}
    for route in PAGES:
        path = filled(route.path, "987654", "nothing")
        began = time.monotonic()
        stranger = send(Visitor(world.web), route, path, {"csrf": "0" * 32})
        assert stranger.status_code == 303 and \
            stranger.headers["Location"].split("?")[0] == "/admin/login", route
        assert time.monotonic() - began < 4, route  # nobody waits for the rest of a form that was refused
        # Those end the session, and who guesses passwords is kept waiting.
        if re.search("logout|sessions/end|password|codes/off", route.path):
            continue
        least = least_role(route)
        for visitor, level in ((world.viewer, 0), (world.editor, 1)):
            answer = send(visitor, route, path, {"csrf": tokens[visitor]})
            needed = {"owner": 2, "editor": 1, "viewer": 0}.get(least)
            if needed is None:
                assert answer.status_code in ((200, 303, 404, 422, 403) if level == 0
                                              else (200, 303, 404, 422)), (route, answer)
            elif level < needed:
                assert answer.status_code == 403, (route, level, answer.status_code)
            else:
                assert answer.status_code != 403, (route, level, answer.status_code)
            assert answer.status_code < 500, (route, answer.status_code)


PERSONAL = re.compile(r"/api/v1/(lists|attributes|imports|events)(/|$)"
                      r"|/(contacts|members|explain|export)(/|$)")
KEEPERS = re.compile(r"/api/v1/(users|audit)(/|$)")
LOOKS_BY_POST = {"/api/v1/segments/count", "/api/v1/templates/{}/preview"}


def allowed_scopes(route):
    """What a call ought to ask for: people's data `contacts`, what only looks never more than `read`."""
    if PERSONAL.search(route.path):
        return {"contacts"}
    if KEEPERS.match(route.path):
        return set()  # `admin` alone
    if route.method == "GET" or route.path in LOOKS_BY_POST:
        return {"read", "send"}
    return {"send", "admin"}


def test_each_call_is_for_keys_of_its_scope(world):
    assert len({(one.method, one.path) for one in ROUTES}) == len(ROUTES), "a route stands twice"
    for route in CALLS:
        path = filled(route.path, "987654", "nothing")
        if not route.scopes:
            assert route.path == "/api/v1/openapi.json"
            continue
        for key in (None, "x", world.everything[:-1], world.everything.swapcase(), world.everything + "0"):
            answer = world.web.call(route.method, path, key)
            assert answer.status == 401, (route, key, answer)
        may = {scope for scope in SCOPES
               if world.web.call(route.method, path, world.keys[scope]).status != 403}
        assert "admin" in may and may - {"admin"} <= allowed_scopes(route), (route, may)
        if PERSONAL.search(route.path) or route.method == "GET" and not KEEPERS.match(route.path):
            assert may - {"admin"}, (route, "nobody but who may everything")


def test_a_key_without_contacts_sees_nobody_by_a_preview_or_a_test(world):
    call = world.web.call
    made = call("POST", "/api/v1/templates", world.keys["send"],
                {"name": "Look", "subject": "s", "html": "<p>{{email}} {{unsubscribe_url}}</p>"})
    assert made.status == 201, made
    where = f"/api/v1/templates/{made.json['id']}"
    for body in ({}, {"contact": 1}):
        seen = call("POST", where + "/preview", world.everything, body)
        assert seen.status == 200 and b"r1@reader.test" in seen.body, seen
        seen = call("POST", where + "/preview", world.keys["read"], body)
        assert b"reader.test" not in seen.body and seen.status == (403 if body else 200), seen
        for path in (where, "/api/v1/mailings/1"):
            tried = call("POST", path + "/test", world.keys["send"], {"to": ["x@shop.test"], **body})
            assert tried.status == (403 if body else 202) and b"reader.test" not in tried.body, (path, tried)


# ---- tokens ----

PLACES = {"track": "/t/c/{}/1", "unsubscribe": "/u/{}", "preferences": "/p/{}", "view": "/v/{}",
          "confirm": "/f/confirm/{}", "address": "/p/address/{}", "data": "/p/data/{}"}
SHOWS = {"track": 302, "unsubscribe": 200, "preferences": 200, "data": 200, "confirm": 200}


def answer_to(world, session, path, method="GET", **more):
    answer = session.request(method, world.web.url + path, allow_redirects=False, timeout=30, **more)
    return answer.status_code, answer.headers.get("Location"), answer.content


def reader(world):
    session = requests.Session()
    session.verify, session.trust_env = world.web.certificate, False
    return session


def test_a_token_is_good_for_its_purpose_alone(world):
    session = reader(world)
    for kind, place in PLACES.items():
        nothing = answer_to(world, session, place.format("A" * 40))
        assert nothing[0] == 404
        for other, token in world.tokens.items():
            got = answer_to(world, session, place.format(token))
            if other == kind:
                assert got[0] == SHOWS.get(kind, 404), (kind, got)
            else:
                assert got == nothing, (kind, other)
        for other, token in world.tokens.items():
            if other != kind and kind not in ("track", "view"):
                posted = answer_to(world, session, place.format(token), "POST", data={"what": "everything"})
                assert posted[0] in (404, 405, 422), (kind, other, posted[0])
    for other, token in world.tokens.items():  # neither in a field
        if other != "undo":
            assert answer_to(world, session, f"/u/{world.tokens['unsubscribe']}", "POST",
                             data={"undo": token})[0] == 404, other
        if other != "fill":
            answer = answer_to(world, session, "/f/news", "POST",
                               data={"email": "x@shop.test", "consent": "1", "token": token, "website": ""})
            assert answer[0] == 422 or b"token" in answer[2], (other, answer)
    assert "x@shop.test" not in world.web.call("GET", "/api/v1/contacts", world.everything).body.decode()


def test_a_token_with_one_bit_changed_is_worth_nothing(world):
    session = reader(world)
    for kind in SHOWS:
        token = world.tokens[kind]
        raw = bytearray(base64.urlsafe_b64decode(token + "=" * (-len(token) % 4)))
        for at in range(len(raw)):
            changed = bytearray(raw)
            changed[at] ^= 1 << CODES.randrange(8)
            forged = base64.urlsafe_b64encode(changed).decode().rstrip("=")
            assert answer_to(world, session, PLACES[kind].format(forged))[0] == 404, (kind, at)
        for forged in (token[:-1], token + "A", token + "=", token.swapcase(), token * 2, f"%00{token}",
                       token + "%00", token + "/", "%20" + token, token.replace("A", "%41") + "%0a"):
            assert answer_to(world, session, PLACES[kind].format(forged))[0] in (400, 404), (kind, forged)


def test_a_session_is_its_cookie_and_nothing_near_it(world):
    cookie = next(one.value for one in world.owner.session.cookies if one.name == "__Host-session")
    forged = [cookie[:-1], cookie + "0", cookie.upper(), cookie[::-1], "0" * len(cookie), "", cookie + " x",
              hex(int(cookie, 16) ^ 1)[2:]]
    for value in forged:
        answer = requests.get(world.web.url + "/admin/account", verify=world.web.certificate, timeout=30,
                              headers={"Cookie": f"__Host-session={value}"}, allow_redirects=False)
        assert answer.status_code == 303, value
    for name in ("session", "__Host-Session", "__host-session", "__Secure-session"):
        answer = requests.get(world.web.url + "/admin/account", verify=world.web.certificate, timeout=30,
                              headers={"Cookie": f"{name}={cookie}"}, allow_redirects=False)
        assert answer.status_code == 303, name


def test_a_link_that_invites_counts_once_and_only_as_it_was_made(world):
    visitor = Visitor(world.web)
    path = visitor.invitation("new@shop.test", "viewer")
    token = path.rsplit("/", 1)[1]
    for forged in (token[:-1], token[:-1] + ("0" if token[-1] != "0" else "1"), token + "0",
                   "0" * len(token)):
        assert visitor.get(f"/admin/welcome/{forged}").status == 404, forged
    page = visitor.get(path).send(path, password=PASSWORD, again=PASSWORD, role="4", email="owner@shop.test")
    assert page.path == "/admin/login"
    visitor.sign_in("new@shop.test")
    assert visitor.get("/admin/users").status == 403  # what else was in the form is nothing
    assert visitor.get(path).status == 404


# ---- sessions ----

def session_cookie(visitor):
    return next((one for one in visitor.session.cookies if one.name == "__Host-session"), None)


def test_signing_in_makes_a_session_that_nobody_knew_before(world):
    visitor = Visitor(world.web)
    planted = "ab" * 16
    visitor.session.cookies.set("__Host-session", planted, domain="127.0.0.1", path="/", secure=True)
    page = visitor.sign_in("viewer@shop.test")
    values = [one.value for one in visitor.session.cookies if one.name == "__Host-session"]
    assert page.path == "/admin" and any(one != planted for one in values)
    stranger = requests.get(world.web.url + "/admin", verify=world.web.certificate, timeout=30,
                            headers={"Cookie": f"__Host-session={planted}"}, allow_redirects=False)
    assert stranger.status_code == 303
    # Signing in again ends the session that one had: none is left that nobody knows of any more.
    again = Visitor(world.web)
    again.sign_in("viewer@shop.test")
    first = session_cookie(again).value
    again.sign_in("viewer@shop.test")
    assert session_cookie(again).value != first
    old = requests.get(world.web.url + "/admin", verify=world.web.certificate, timeout=30,
                       headers={"Cookie": f"__Host-session={first}"}, allow_redirects=False)
    assert old.status_code == 303


def test_cookies_are_for_our_server_alone(world):
    visitor = Visitor(world.web)
    visitor.sign_in("viewer@shop.test")
    visitor.post("/admin/look", {"theme": "dark", "language": "en", "next": "/admin"})
    assert len(list(visitor.session.cookies)) >= 3
    for cookie in visitor.session.cookies:
        assert cookie.secure and cookie.has_nonstandard_attr("HttpOnly"), cookie
        assert cookie.get_nonstandard_attr("SameSite") == "Lax" and cookie.path == "/", cookie
        assert not cookie.domain_specified, cookie


def test_a_role_that_is_taken_away_is_gone_at_once(world):
    visitor = Visitor(world.web).become("was@shop.test", "editor")
    token = visitor.token()
    assert visitor.get("/admin/contacts/new").status == 200
    page = world.owner.get("/admin/users")
    link = next(one for one in page.links if re.fullmatch(r"/admin/users/\d+", one)
                and "was@shop.test" in world.owner.get(one).text)
    world.owner.get(link).send(link, role="1", **{"do": "save"})
    assert visitor.post("/admin/lists", {"csrf": token, "name": "x", "title": "x"}).status == 403
    world.owner.get(link).send(link, **{"do": "delete"})
    assert visitor.get("/admin").path == "/admin/login"


# ---- places that somebody else chose ----

EVIL_PLACES = ("https://evil.test", "//evil.test", "///evil.test", "/\\evil.test", "\\\\evil.test",
               "/admin@evil.test",
               "/%09/evil.test", "/admin\t//evil.test", "javascript:alert(1)", "data:text/html,x",
               "/admin.evil.test",
               "/admin:80@evil.test", "https:evil.test", "/admin\r\nSet-Cookie: a=b", "/admin\nX: y",
               "\x00/admin",
               "http://127.0.0.1:1/admin", "/adminx", "ＨＴＴＰＳ://evil.test",
               "/admin/\r\nLocation: https://evil.test")


def test_nobody_is_led_elsewhere(world):
    def is_ours(place):
        target = urllib.parse.urlsplit(urllib.parse.urljoin(world.web.url, place))
        return target.netloc == urllib.parse.urlsplit(world.web.url).netloc and place.startswith("/") and \
            not place.startswith("//") and not re.search(r"[\\\s\x00-\x1f]", place)

    visitor = Visitor(world.web)
    visitor.sign_in("viewer@shop.test")
    for place in EVIL_PLACES:
        answer = visitor.post("/admin/look", {"next": place, "theme": "dark"}, allow_redirects=False).answer
        if answer.status_code == 400 and "\0" in place:
            continue
        assert is_ours(answer.headers["Location"]), (place, answer.headers["Location"])
        assert "X" not in answer.headers and "a=b" not in str(answer.headers), place
        for path in ("/admin/login?next=", "/admin/login/code?next="):
            page = Visitor(world.web).get(path + urllib.parse.quote(place, safe=""))
            assert page.path.startswith("/admin/login")
        gone = requests.get(world.web.url + "/admin/contacts?x=" + urllib.parse.quote(place), timeout=30,
                            verify=world.web.certificate, allow_redirects=False)
        assert gone.status_code == 400 or is_ours(gone.headers["Location"]), place
    for place in EVIL_PLACES[:4]:
        again = Visitor(world.web)
        page = again.get("/admin/login?next=" + urllib.parse.quote(place, safe=""))
        form = page.form("/admin/login")
        answer = again.post("/admin/login", {**form.fields, "email": "viewer@shop.test", "password": PASSWORD,
                                             "next": place}, allow_redirects=False).answer
        assert answer.status_code == 303 and is_ours(answer.headers["Location"]), place


def test_another_host_name_in_a_request_is_in_no_link_of_ours(world):
    signed_in = {"Cookie": f"__Host-session={session_cookie(world.owner).value}"}
    for headers in ({"Host": "evil.test"}, {"Host": "evil.test:1", "X-Forwarded-Host": "evil.test"},
                    {"X-Forwarded-Host": "evil.test", "Forwarded": "host=evil.test", "X-Host": "evil.test"}):
        for path in ("/f/news", f"/u/{world.tokens['unsubscribe']}", "/a/", "/a/rss", "/admin/login",
                     "/admin",
                     f"/p/{world.tokens['preferences']}", "/api/v1/openapi.json", "/nothing"):
            answer = requests.get(world.web.url + path, headers={**headers, **signed_in}, timeout=30,
                                  verify=world.web.certificate, allow_redirects=False)
            assert "evil.test" not in answer.text and "evil.test" not in str(answer.headers), (headers, path)
    page = world.owner.get("/admin/users")
    form = page.form("/admin/users").fields
    made = world.owner.post("/admin/users", {**form, "email": "inv@shop.test", "name": "I", "role": "1"},
                            headers={"Host": "evil.test", **signed_in})
    assert "https://news.courier.example/admin/welcome/" in made.text and "evil.test" not in made.text


TRAVERSALS = ("..", "../..", "..%2f..%2f..%2fetc%2fpasswd", "%2e%2e%2f%2e%2e%2fetc%2fpasswd",
              "..%5c..%5cweb.log",
              "....//", "%2fetc%2fpasswd", "..;/", "%c0%ae%c0%ae%c0%af", "%252e%252e%252f", "own.pem%00.css",
              "keys", ".%2e/keys", "audience%2fdata.mdb", "1%2f..%2f..%2fsettings")


def test_no_path_leads_to_a_file_that_is_not_for_that(world):
    key = {"Authorization": f"Bearer {world.everything}"}
    for route in ROUTES:
        if "{}" not in route.path or route.method != "GET":
            continue
        for evil in TRAVERSALS:
            answer = raw_get(world, filled(route.path, evil, "1"), world.owner.session.cookies, key)
            assert answer[9:10] in (b"2", b"3", b"4"), (route, evil, answer[:60])
            assert b"root:" not in answer and b"BEGIN" not in answer, (route, evil)


def raw_get(world, path, cookies, headers):
    """As it is written: clients tidy paths up."""
    jar = "; ".join(f"{one.name}={one.value}" for one in cookies)
    head = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    return raw(world,
               f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\nCookie: {jar}\r\n{head}\r\n"
               .encode())


# ---- what answers have in their heads ----

def test_pages_are_in_nobodys_frame_and_in_nobodys_cache(world):
    for route in ROUTES:
        if route.method != "GET" or route.path.startswith(("/t/", "/i/")) or route.path == "/a":
            continue
        token = world.tokens["data" if "/p/data" in route.path else "unsubscribe" if "/u/" in route.path else
                             "preferences"]
        path = filled(route.path, token if "PUBLIC" in route.flags else "1", "1")
        path = path.replace(f"/f/{token}", "/f/news")
        key = world.keys["contacts" if "CONTACTS" in route.scopes else "admin"]
        headers = {"Authorization": f"Bearer {key}"} if route.scopes else {}
        answer = world.owner.session.get(world.web.url + path, timeout=30, headers=headers,
                                         allow_redirects=False)
        assert answer.status_code in (200, 303, 404, 405, 422, 409), (route, answer.status_code)
        assert answer.headers["X-Content-Type-Options"] == "nosniff", route
        assert "Server" not in answer.headers, route
        if not route.path.startswith("/assets/"):
            # The archive alone is the same for everybody.
            assert answer.headers["Cache-Control"] == "no-store" or \
                route.path.startswith(("/a/", "/f/")), route
        kind = answer.headers.get("Content-Type", "")
        if kind.startswith("text/html"):
            policy = answer.headers["Content-Security-Policy"]
            assert "frame-ancestors" in policy or policy.startswith("sandbox"), (route, policy)
            assert "unsafe-inline" not in policy.split("style-src")[0] and "unsafe-eval" not in policy, route
            assert "charset=utf-8" in kind.lower(), route
            assert "Referrer-Policy" in answer.headers, route
