"""Contacts by the interface for programs: lists, attributes, imports of real files, exports, erasing."""

import csv
import io
import os
import pathlib
import random
import signal
import time
import urllib.parse

import pytest

from sender import wait_until
from web_host import WebHost

QUIET = ("uploaded", "tried", "done", "cancelled", "failed", "undone")


@pytest.fixture
def web(sender_in):
    with WebHost(sender_in(keys=("ed25519",)).start(), rate=0) as one:
        yield one


class Desk:
    """Calls with a key of the scope contacts."""

    def __init__(self, web):
        self.web = web
        self.key = web.key("shop", "--scope", "contacts")

    def call(self, method, path, body=None, **more):
        return self.web.call(method, f"/api/v1/{path}", self.key, body, **more)

    def bring(self, data, name="a.csv"):
        return self.call("POST", "imports?name=" + urllib.parse.quote(name), raw=data,
                         headers={"Content-Type": "text/csv"})

    def wait(self, number):
        wait_until(lambda: self.call("GET", f"imports/{number}").json["state"] in QUIET, "the import")
        return self.call("GET", f"imports/{number}").json

    def act(self, number, what):
        answer = self.call("POST", f"imports/{number}/{what}")
        assert answer.status == 202, answer
        return self.wait(number)

    def plan(self, made, **more):
        columns = [column["suggestion"] for column in made["columns"]]
        answer = self.call("POST", f"imports/{made['id']}/plan", {"columns": columns, **more})
        assert answer.status == 200, answer
        return answer.json

    def load(self, data, **more):
        made = self.bring(data).json
        self.plan(made, **more)
        return self.act(made["id"], "run")

    def report(self, number):
        text = self.call("GET", f"imports/{number}/report").body.decode("utf-8-sig")
        return list(csv.DictReader(io.StringIO(text)))

    def contact(self, address):
        return self.call("GET", f"contacts/{address}").json


@pytest.fixture
def desk(web):
    return Desk(web)


def test_a_contact_is_made_changed_found_and_forgotten(desk):
    assert desk.call("POST", "lists", {"name": "news", "title": "お知らせ"}).status == 201
    assert desk.call("POST", "lists", {"name": "NEWS"}).status == 409
    assert desk.call("POST", "attributes", {"name": "rank", "type": "choice",
                                            "choices": ["金", "銀"]}).status == 201
    assert desk.call("POST", "attributes", {"name": "born", "type": "date"}).status == 201
    ann = {"email": "Ann@Shop.test", "values": {"rank": "金", "born": "令和元年5月1日"},
           "lists": {"news": "active"}}
    made = desk.call("POST", "contacts", ann)
    assert made.status == 201 and made.json["values"] == {"rank": "金", "born": "2019-05-01"}
    assert desk.call("POST", "contacts", ann).status == 409
    assert desk.call("POST", "contacts", {**ann, "upsert": True}).status == 200
    bad = desk.call("PATCH", "contacts/ann@shop.test", {"values": {"rank": "銅"}})
    assert bad.status == 422 and bad.json["pointer"] == "/values/rank"
    assert desk.call("POST", "contacts", {"email": "no address"}).json["pointer"] == "/email"
    assert desk.call("POST", "contacts", {"email": "b@x.test", "values": {"no": 1}}).status == 422
    assert [c["email"] for c in desk.call("GET", "contacts?email=ann").json["contacts"]] == ["Ann@shop.test"]
    assert len(desk.call("GET", "contacts?text=" + urllib.parse.quote("金")).json["contacts"]) == 1
    assert len(desk.call("GET", "contacts?list=news&state=active").json["contacts"]) == 1
    assert desk.call("GET", "lists/news").json["members"] == {"active": 1, "pending": 0, "left": 0}

    # Who left comes back by a new consent alone.
    path = made.headers["Location"].removeprefix("/api/v1/")
    assert desk.call("PATCH", path, {"state": "unsubscribed"}).status == 200
    assert desk.call("PATCH", path, {"state": "active"}).status == 409
    assert desk.call("PATCH", path, {"state": "active", "consent": {"source": "店頭"}}).status == 200
    kinds = [event["kind"] for event in desk.call("GET", f"{path}/history").json["events"]]
    assert kinds[:3] == ["consent", "changed", "unsubscribed"] and kinds[-1] == "created"
    assert desk.call("GET", f"{path}/export").json["history"]

    assert desk.call("DELETE", path).status == 204
    assert desk.call("GET", path).status == 404
    assert desk.call("POST", "contacts", {"email": "ann@shop.test"}).status == 409
    assert desk.call("GET", "lists/news").json["members"]["active"] == 0
    assert desk.call("DELETE", "lists/news").status == 204


def test_pages_of_many_contacts_meet_each_once(desk):
    rows = ["email,name"] + [f"p{n:04d}@d{n % 7}.test,n{n}" for n in range(2500)]
    assert desk.load("\n".join(rows).encode())["counts"]["added"] == 2500
    for query in ("limit=700", "email=p1&limit=300", "text=n24&limit=1000"):
        seen, cursor = [], ""
        while cursor is not None:
            answer = desk.call("GET", f"contacts?{query}&cursor={urllib.parse.quote(cursor)}").json
            seen += [c["email"] for c in answer["contacts"]]
            cursor = answer["next"]
        wanted = [row.split(",")[0] for row in rows[1:]
                  if ("email" not in query or row.startswith("p1"))
                  and ("text" not in query or "n24" in row.split(",")[1] or "n24" in row.split("@")[0])]
        assert sorted(seen) == sorted(wanted)


TABLE = [["メールアドレス", "氏名", "生年月日", "年齢"],
         ["ann@x.test", "森 鷗外", "令和8年11月30日", "12"],
         ["bob@x.test", "改行\r\nあり", "2026/1/2", "１，２３４"],
         ["a..b@docomo.example", "表\"引用\"", "", ""]]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp932", "euc_jp", "iso2022_jp", "utf-16",
                                      "utf-16-le"])
def test_a_file_of_any_encoding_comes_in(desk, encoding):
    out = io.StringIO()
    table = [[cell.replace("鷗", "鴎") for cell in row] for row in TABLE]
    csv.writer(out, delimiter="\t" if encoding == "utf-16" else ",").writerows(table)
    made = desk.bring(out.getvalue().encode(encoding)).json
    assert [c["suggestion"]["target"] for c in made["columns"]] == ["email", "new", "new", "new"]
    assert [c["suggestion"].get("type") for c in made["columns"]] == [None, "text", "date", "number"]
    desk.plan(made)
    done = desk.act(made["id"], "run")
    assert done["state"] == "done" and done["counts"]["added"] == 3 and done["counts"]["bad"] == 0
    assert done["counts"]["odd"] == 1
    bob = desk.contact("bob@x.test")["values"]
    assert bob == {"column_2": "改行\r\nあり", "column_3": "2026-01-02", "column_4": "1234"}
    assert desk.contact("a..b@docomo.example")["values"] == {"column_2": "表\"引用\""}


def test_what_is_wrong_is_told_by_line_and_costs_no_other_row(desk):
    data = ("email,born,vip\n"
            "ann@x.test,2026-02-30,yes\n"
            "not an address,2026-01-01,no\n"
            "ANN@x.test,,\n"
            "short@x.test\n"
            "bob@x.test,2026-01-01,no\n")
    desk.call("POST", "attributes", {"name": "born", "type": "date"})
    desk.call("POST", "attributes", {"name": "vip", "type": "yes-no"})
    made = desk.bring(data.encode()).json
    desk.plan(made)
    tried = desk.act(made["id"], "try")
    assert tried["state"] == "tried" and tried["counts"]["added"] == 2
    assert desk.call("GET", "contacts").json["contacts"] == []
    done = desk.act(made["id"], "run")
    assert done["counts"] == {**tried["counts"]}
    assert [(r["line"], r["kind"], r["taken"], r["column"]) for r in desk.report(made["id"])] == [
        ("2", "value-bad", "yes", "born"), ("3", "address-bad", "no", "email"),
        ("4", "duplicate", "no", "email"), ("5", "row-width", "no", "")]
    japanese = desk.call("GET", f"imports/{made['id']}/report?language=ja").body.decode("utf-8-sig")
    assert "存在しない日付です" in japanese
    assert desk.call("POST", f"imports/{made['id']}/run").status == 409


def test_an_import_is_undone_but_for_who_changed_since(desk):
    desk.load(b"email,name\nold@x.test,before\n")
    second = desk.load(b"email,name\nold@x.test,after\nnew@x.test,n\nkeep@x.test,k\n")
    assert second["counts"]["updated"] == 1 and second["counts"]["added"] == 2
    assert desk.call("PATCH", "contacts/keep@x.test", {"values": {"name": "mine"}}).status == 200
    undone = desk.act(second["id"], "undo")
    assert undone["state"] == "undone"
    assert (undone["counts"]["undone"], undone["counts"]["kept"]) == (2, 1)
    assert desk.contact("old@x.test")["values"] == {"name": "before"}
    assert desk.call("GET", "contacts/new@x.test").status == 404
    assert desk.contact("keep@x.test")["values"] == {"name": "mine"}


def test_nobody_who_left_or_was_erased_comes_back_by_a_file_alone(desk):
    desk.load(b"email\nleft@x.test\ngone@x.test\nhurt@x.test\n")
    desk.call("PATCH", "contacts/left@x.test", {"state": "unsubscribed"})
    desk.call("PATCH", "contacts/hurt@x.test", {"state": "complained"})
    desk.call("DELETE", "contacts/gone@x.test")
    again = desk.load(b"email\nleft@x.test\ngone@x.test\nhurt@x.test\n")
    assert (again["counts"]["stopped"], again["counts"]["erased"]) == (2, 1)
    consent = {"renews": True, "source": "event", "date": "2026-01-01T00:00:00Z", "text": "yes"}
    renewed = desk.load(b"email\nleft@x.test\ngone@x.test\nhurt@x.test\n", consent=consent)
    assert (renewed["counts"]["updated"], renewed["counts"]["added"]) == (1, 1)
    assert desk.contact("left@x.test")["state"] == "active"
    assert desk.contact("hurt@x.test")["state"] == "complained"


def test_an_export_comes_back_as_it_was(desk):
    desk.call("POST", "lists", {"name": "news"})
    desk.call("POST", "attributes", {"name": "memo", "type": "text"})
    desk.call("POST", "attributes", {"name": "owes", "type": "number"})
    memos = ["=1+1", "+81", "-x", "@a", "'=q", "''", "a,b", "c\"d", "e\nf", "森①髙", " g"]
    for n, memo in enumerate(memos):
        assert desk.call("POST", "contacts", {"email": f"p{n}@x.test", "lists": {"news": "active"},
                                              "values": {"memo": memo, "owes": -n}}).status == 201
    for encoding, codec in (("utf-8", "utf-8-sig"), ("cp932", "cp932")):
        exported = desk.call("GET", f"contacts/export?list=news&encoding={encoding}")
        assert exported.status == 200
        rows = list(csv.DictReader(io.StringIO(exported.body.decode(codec), newline="")))
        assert len(rows) == len(memos) and rows[1]["memo"] == "'+81" and rows[1]["owes"] == "-1"
        assert not any(row["memo"][0] in "=+-@" for row in rows)
        made = desk.bring(exported.body).json
        assert [c["suggestion"]["target"] for c in made["columns"]] == [
            "email", "state", "ignore", "ignore", "attribute", "attribute", "list"]
        desk.plan(made, update="overwrite")
        assert desk.act(made["id"], "try")["counts"]["same"] == len(memos)


def test_kill_9_at_any_moment_and_each_of_400000_rows_is_done_once(desk, web):
    rows, chance = 400_000, random.Random(1)
    line = "user{n}@d{d}.example,\"森\r\n鴎外 {n} ｶﾅ～①髙﨑ソ\",{n}\r\n"
    data = "email,氏名,番号\r\n" + "".join(line.format(n=n, d=n % 977) for n in range(rows))
    made = desk.bring(data.encode("cp932")).json
    desk.plan(made)
    assert desk.call("POST", f"imports/{made['id']}/run").status == 202
    kills = 0
    while desk.call("GET", f"imports/{made['id']}").json["state"] == "running":
        time.sleep(chance.uniform(0.05, 0.9))
        if kills < 4:
            os.kill(web.web.pid, signal.SIGKILL)
            web.web.wait()
            pathlib.Path(web.socket).unlink(missing_ok=True)
            web.start_web()
            kills += 1
    done = desk.call("GET", f"imports/{made['id']}").json
    assert done["state"] == "done" and kills > 0
    assert done["counts"]["rows"] == done["counts"]["added"] == rows and done["counts"]["reports"] == 0
    assert desk.contact("user399999@d406.example")["values"]["column_2"] == "森\r\n鴎外 399999 ｶﾅ～①髙﨑ソ"
    # All of it comes out as it came in, in whatever order.
    columns = urllib.parse.quote("email,column_2,column_3")
    exported = desk.call("GET", f"contacts/export?encoding=cp932&columns={columns}").body.decode("cp932")
    both = [list(csv.reader(io.StringIO(text, newline="")))[1:] for text in (exported, data)]
    assert sorted(both[0]) == sorted(both[1])
    uploads = pathlib.Path(web.directory, "audience", "uploads")
    assert list(uploads.iterdir()) == []
