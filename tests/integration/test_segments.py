"""Segments over the interface for programs: kept, counted, explained, and what is wrong with them."""

import pytest

from web_host import WebHost

API = "/api/v1/segments"
TEXT = "state = active and (opened within 30 days or created within 7 days)"


@pytest.fixture
def web(sender_in):
    with WebHost(sender_in(keys=("ed25519",)).start()) as one:
        yield one


@pytest.fixture
def key(web):
    return web.key("shop", "--scope", "send,read,contacts")


def test_segments_are_kept_changed_counted_and_forgotten(web, key):
    made = web.call("POST", API, key, {"name": "新しい人", "text": TEXT})
    assert made.status == 201, made
    assert made.json == {"id": 1, "version": 1}
    kept = web.call("GET", f"{API}/1", key).json
    assert (kept["name"], kept["text"], kept["by"]) == ("新しい人", TEXT, "api shop")
    assert kept["condition"]["all"][0] == {"test": "state", "op": "=", "value": "active"}

    # Its tree is its text in other words.
    other = web.call("POST", API, key, {"name": "copy", "condition": kept["condition"]})
    assert other.status == 201, other
    assert web.call("GET", f"{API}/2", key).json["text"] == TEXT
    again = web.call("POST", API, key, {"name": "COPY", "text": "everyone"})
    assert (again.status, again.json["pointer"]) == (409, "/name")

    changed = web.call("PATCH", f"{API}/2", key, {"text": "never opened", "version": 1})
    assert changed.json == {"id": 2, "version": 2}
    late = web.call("PATCH", f"{API}/2", key, {"name": "x", "version": 1})
    assert (late.status, late.json["pointer"]) == (409, "/version")
    listed = web.call("GET", f"{API}?limit=1", key).json
    assert [one["id"] for one in listed["segments"]] == [1] and listed["more"]
    listed = web.call("GET", f"{API}?after=1", key).json
    assert [(one["name"], one["text"]) for one in listed["segments"]] == [("copy", "not opened")]
    assert not listed["more"]

    nobody = {"count": 0, "exact": True, "margin": 0, "seen": 0, "total": 0}
    assert web.call("GET", f"{API}/1/count", key).json == nobody
    assert web.call("POST", f"{API}/count", key, {"text": "everyone"}).json == nobody
    assert web.call("GET", f"{API}/1/members", key).json == {"members": [], "after": None}
    assert web.call("GET", f"{API}/1/explain/ann%40shop.test", key).status == 404

    assert web.call("DELETE", f"{API}/2", key).status == 204
    for path in "2", "2/count", "2/members", "2/explain/1", "0", "x":
        assert web.call("GET", f"{API}/{path}", key).status == 404, path
    assert web.call("DELETE", f"{API}/2", key).status == 404
    assert web.call("PATCH", f"{API}/2", key, {"name": "x"}).status == 404


MISTAKES = [
    ({"text": "everyone"}, "/name", "a segment has a name"),
    ({"name": "a"}, "/text", "a text or a condition"),
    ({"name": "a", "text": "state = gone"}, "/text", "column 1: gone is no state"),
    ({"name": "a", "text": "sent 東京"}, "/text", "column 6: this character"),
    ({"name": "a", "text": "in list \"vip\""}, "/text", "there is no list \"vip\""),
    ({"name": "a", "text": "everyone", "condition": {}}, "/condition", "not both"),
    ({"name": "a", "condition": {"all": [{"test": "mood"}]}}, "/condition/all/0/test", "no such test"),
    ({"name": "a", "condition": {"not": {"test": "state", "op": "=", "value": "x"}}}, "/condition/not",
     "no state"),
    ({"name": "a", "condition": []}, "/condition", "object"),
    ({"name": "a", "text": "everyone", "colour": 1}, "/colour", "no field"),
    ({"name": "n" * 201, "text": "everyone"}, "/name", "too long"),
]


def test_what_is_wrong_is_pointed_at(web, key):
    for body, pointer, words in MISTAKES:
        answer = web.call("POST", API, key, body)
        assert (answer.status, answer.json["pointer"]) == (422, pointer), answer
        assert words in answer.json["detail"], answer
    assert web.call("GET", API, key).json == {"segments": [], "more": False}
    reader = web.key("reader", "--scope", "read")
    assert web.call("POST", API, reader, {"name": "a", "text": "everyone"}).status == 403
    assert web.call("GET", f"{API}/1/count?wait=x", reader).status == 400
