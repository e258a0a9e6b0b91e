"""Segments over the interface for programs: kept, counted, explained, and what is wrong with them."""

import pytest

from visitor import Visitor
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
    ({"name": "a", "text": "not (sent and " * 6 + "not (clicked or opened)" + ")" * 6}, "/text",
     "nested too deeply"),
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


def test_a_person_writes_a_segment_in_rows_and_as_text(web):
    visitor = Visitor(web).become()
    page = visitor.get("/admin/segments")
    assert page.status == 200 and "There are no segments yet" in page.text
    assert "/admin/segments/new" in page.links
    page = visitor.get("/admin/segments/new")

    # Rows come and go at the server; what was filled in stays.
    page = page.send("/admin/segments", do="add", add="state", name="Readers")
    page = page.send("/admin/segments", do="add", add="opened")
    form = page.form("/admin/segments").fields
    assert (form["what.0"], form["what.1"], form["name"]) == ("state", "opened", "Readers")
    rows = {"op.0": "=", "value.0": "active", "op.1": "within", "value.1": "many"}
    page = page.send("/admin/segments", do="save", **rows)
    assert page.status == 422 and "the days is a whole number" in page.text
    page = page.send("/admin/segments", do="count", **{"value.1": "30", "not.1": "1"})
    assert page.status == 200 and "Contacts: 0" in page.text
    page = page.send("/admin/segments", do="add", add="domain")
    page = page.send("/admin/segments", do="remove.2")
    assert "what.2" not in page.form("/admin/segments").fields
    page = page.send("/admin/segments", do="text")
    text = "state = active and not opened within 30 days"
    assert page.form("/admin/segments").fields["text"].strip() == text
    page = page.send("/admin/segments", do="save", name="")
    assert page.status == 422 and "A segment has a name" in page.text
    page = page.send("/admin/segments", do="save", name="読者 <b>")
    assert page.path == "/admin/segments/1" and "Saved." in page.text and text in page.text
    assert "読者 <b>" in page.text

    page = visitor.get("/admin/segments/1/edit")
    fields = page.form("/admin/segments/1").fields
    assert (fields["mode"], fields["what.1"], fields["value.1"], fields["not.1"]) == \
        ("rows", "opened", "30", "1")
    page = page.send("/admin/segments/1", do="text")
    page = page.send("/admin/segments/1", do="save", text="opened or (clicked and prefecture = 1)")
    assert page.status == 422 and "At character 24: there is no attribute" in page.text
    page = page.send("/admin/segments/1", do="rows", text="opened or (clicked and sent)")
    assert page.status == 422 and "written as text" in page.text
    page = page.send("/admin/segments/1", do="save")
    assert page.path == "/admin/segments/1" and "opened or (clicked and sent)" in page.text

    # Somebody else's change is not lost.
    late = visitor.get("/admin/segments/1/edit")
    visitor.get("/admin/segments/1/edit").send("/admin/segments/1", do="save", text="sent")
    page = late.send("/admin/segments/1", do="save", text="clicked")
    assert page.status == 422 and "Somebody has changed it" in page.text
    assert "There is no such contact" in visitor.get("/admin/segments/1?who=ann%40shop.test").text
    japanese = Visitor(web, "ja").become("mori@shop.test", "viewer")
    page = japanese.get("/admin/segments/1")
    assert "該当する連絡先" in page.text and "/admin/segments/1/edit" not in page.links
    assert japanese.get("/admin/segments/1/edit").status == 403

    page = visitor.get("/admin/segments/1").send("/admin/segments/1/delete")
    assert page.path == "/admin/segments" and "The segment is deleted" in page.text
    for path in "1", "1/edit", "x", "0":
        assert visitor.get(f"/admin/segments/{path}").status == 404, path


def test_contacts_are_found_counted_and_explained(web, key):
    def call(method, path, body=None, status=(200, 201)):
        answer = web.call(method, path, key, body)
        assert answer.status in status, answer
        return answer.json if answer.body else None

    call("POST", "/api/v1/attributes", {"name": "prefecture", "type": "text"})
    call("POST", "/api/v1/attributes", {"name": "points", "type": "number"})
    call("POST", "/api/v1/lists", {"name": "vip", "title": "VIP"})
    people = [("ann", "東京", 120, "active"), ("bob", "大阪", 80, "active"), ("cho", "東京", 7, "left"),
              ("dan", "東京", 500, None)]
    for name, prefecture, points, vip in people:
        call("POST", "/api/v1/contacts", {
            "email": f"{name}@shop.test", "values": {"prefecture": prefecture, "points": points},
            "lists": {"vip": vip} if vip else {}, "consent": {"source": "shop"}})
    text = "prefecture = \"東京\" and points > 100 and not in list \"vip\""
    assert call("POST", API, {"name": "rich", "text": text}) == {"id": 1, "version": 1}
    assert call("GET", f"{API}/1/count")["count"] == 1
    members = call("GET", f"{API}/1/members")["members"]
    assert [one["email"] for one in members] == ["dan@shop.test"]
    assert call("POST", f"{API}/count", {"text": "left list \"vip\" within 1 days"})["count"] == 1
    assert call("POST", f"{API}/count", {"text": "consent within 1 days and state = active"})["count"] == 4

    why = call("GET", f"{API}/1/explain/ann%40shop.test")
    assert not why["held"]
    assert [(part["held"], part.get("found")) for part in why["condition"]["all"]][:2] == \
        [(True, "東京"), (True, "120")]
    last = why["condition"]["all"][2]
    assert not last["held"] and last["not"]["held"] and last["not"]["text"] == "in list \"vip\""
    assert call("GET", f"{API}/1/explain/4")["held"]

    table = web.call("GET", f"{API}/1/export?encoding=cp932", key)
    assert table.status == 200, table
    rows = table.body.decode("cp932").splitlines()
    assert len(rows) == 2 and rows[1].startswith("dan@shop.test,"), rows
    assert "東京" in rows[1]

    # Other names, the same segment; without the attribute it says so.
    lists = call("GET", "/api/v1/lists")["lists"]
    call("PATCH", f"/api/v1/lists/{lists[0]['id']}", {"name": "gold"})
    assert call("GET", f"{API}/1")["text"].endswith("not in list \"gold\"")
    call("DELETE", "/api/v1/attributes/points", status=(200, 202, 204))
    broken = call("GET", f"{API}/1")
    assert broken["condition"] is None and "there is no attribute #2" in broken["problem"]
    for path in "count", "members", "explain/1", "export":
        assert web.call("GET", f"{API}/1/{path}", key).status == 409, path
    assert web.call("GET", f"{API}/9/export", key).status == 404
