"""Requests to the web role, too large, too slow or oddly encoded: refused in words, and nobody waits."""

import gzip
import random
import socket
import time

from security_world import raw, reader_many, world  # noqa: F401: fixtures
from sender import wait_until

CODES = random.Random(6)


def test_what_is_too_large_is_refused_and_costs_nothing(world):
    key, call = world.everything, world.web.call
    deep = b'{"name":' * 5000 + b"1" + b"}" * 5000
    wide = b'{"name": [' + b"1," * 400000 + b"1]}"
    for body in (deep, b"[" * 200000, wide, b'{"name":"' + b"x" * 3000000 + b'"}',
                 b'{"' + b"n" * 1000000 + b'":1}'):
        for path in ("segments", "contacts", "mailings", "forms", "lists", "messages"):
            answer = call("POST", f"/api/v1/{path}", key, raw=body)
            assert answer.status in (400, 413, 422), (path, body[:20], answer)
            assert len(answer.body) < 2000, (path, answer.body[:300])
    owner = world.owner
    token = owner.token()
    many = [("csrf", token)] + [(f"f{i}", "x") for i in range(600)]
    assert owner.post("/admin/lists", many).status == 413
    assert owner.post("/admin/lists", {"csrf": token, "title": "x" * (3 << 20)}).status == 413
    long = owner.post("/admin/lists", {"csrf": token, "name": "n" * 100000, "title": "x" * 100000})
    assert long.status == 422
    for path in ("/admin/contacts?query=" + "x" * 10000, "/admin/" + "x" * 10000, "/f/" + "%41" * 3000):
        assert owner.get(path).status in (200, 400, 404, 414, 422, 431), path[:30]
    assert b" 4" in raw(world, b"GET /admin HTTP/1.1\r\nHost: x\r\nX: " + b"y" * 40000 + b"\r\n\r\n")[:13]
    assert b" 4" in raw(world, b"GET /" + b"y" * 40000 + b" HTTP/1.1\r\nHost: x\r\n\r\n")[:13]


def test_bodies_in_odd_encodings_are_refused_or_read_as_what_they_are(world):
    key, call = world.everything, world.web.call
    good = b'{"name": "odd", "title": "Odd"}'
    for body in (gzip.compress(good), good.decode().encode("utf-16"), good.decode().encode("utf-32"),
                 b"\xef\xbb\xbf" + good, b'{"name": "a\xff", "title": "x"}',
                 b'{"name": "\\ud800", "title": "x"}',
                 b'{"name": "a\\u0000", "title": "x"}', b'{"name": "a\x00"}',
                 b'{"name": "\xc0\xaf", "title": "x"}',
                 b'{"name": "\xed\xa0\x80", "title": "x"}', b'{"name": "a", "name": "b", "title": "x"}', b"",
                 b"null",
                 b'"x"', b"NaN", b'{"name": 1e400, "title": "x"}', good + b"x"):
        answer = call("POST", "/api/v1/lists", key, raw=body)
        assert answer.status in (400, 422), (body, answer)
        assert answer.json["detail"], body
    for kind in ("text/plain", "application/xml", "multipart/form-data", "application/x-www-form-urlencoded"):
        assert call("POST", "/api/v1/lists", key, raw=good,
                    headers={"Content-Type": kind}).status == 415, kind
    coded = call("POST", "/api/v1/lists", key, raw=gzip.compress(good), headers={"Content-Encoding": "gzip"})
    assert coded.status in (400, 415), coded
    token = world.owner.token()
    for fields in (b"csrf=%s&name=%%ff&title=x", b"csrf=%s&name=%%00&title=x", b"csrf=%s&name=\xff&title=x",
                   b"csrf=%s&name=%%ed%%a0%%80&title=x"):
        answer = world.owner.session.post(world.web.url + "/admin/lists", data=fields % token.encode(),
                                          timeout=30,
                                          headers={"Content-Type": "application/x-www-form-urlencoded"})
        assert answer.status_code == 400, fields
    names = [one["name"] for one in call("GET", "/api/v1/lists", key).json["lists"]]
    assert names == ["news", "shop"]


def test_archives_and_programs_are_no_files_of_customers(world):
    key = world.everything
    bomb = gzip.compress(b"a@shop.test,x\n" * 2000000)
    for body in (bomb, b"PK\x03\x04" + CODES.randbytes(5000), b"\x7fELF" + CODES.randbytes(5000),
                 CODES.randbytes(5000),
                 b"\x00" * 100000, b"%PDF-1.7\n" + CODES.randbytes(2000)):
        made = world.web.call("POST", "/api/v1/imports", key, raw=body, headers={"Content-Type": "text/csv"})
        if made.status == 201:
            where = f"/api/v1/imports/{made.json['id']}"
            shown = world.web.call("GET", where + "/preview", key)
            assert shown.status in (200, 422) and len(shown.body) < 200000, shown
        else:
            assert made.status in (400, 415, 422), made
    assert world.web.web.poll() is None


def test_who_says_little_and_slowly_keeps_nobody_waiting(world):
    slow = []
    try:
        for i in range(40):
            link = world.web.context.wrap_socket(
                socket.create_connection(("127.0.0.1", world.web.port), timeout=30,
                                         source_address=(f"127.0.9.{i // 10 + 1}", 0)),
                server_hostname="127.0.0.1")
            link.sendall([b"POST /api/v1/lists HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n"
                          b"Content-Type: application/json\r\nAuthorization: Bearer "
                          + world.everything.encode() + b"\r\n\r\n{",
                          b"GET /admin HT",
                          b"POST /u/" + world.tokens["unsubscribe"].encode()
                          + b" HTTP/1.1\r\nHost: x\r\nContent-Length: 60000\r\n\r\nx"][i % 3])
            slow.append(link)
        began = time.monotonic()
        for _ in range(10):
            assert world.web.call("GET", "/api/v1/lists", world.everything).status == 200
        assert time.monotonic() - began < 5
    finally:
        for link in slow:
            link.close()
    assert world.web.call("GET", "/api/v1/contacts/8", world.everything).json["state"] == "active"


def test_the_role_is_still_the_same_process(world):
    """Last of all: nothing above made it fall."""
    assert world.web.web.poll() is None and "signal" not in world.web.log()
    wait_until(world.web.answers, "the web server")
