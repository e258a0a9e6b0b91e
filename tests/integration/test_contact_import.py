"""Imports and the sender's list of suppressed addresses; dry runs; what spreadsheets write and read."""

import csv
import io
import json
import signal
import subprocess
from urllib.parse import quote

import pytest

import sender as sender_module
from sender import wait_until
from test_contacts import Desk
from web_host import WebHost


@pytest.fixture(scope="module")
def host(tmp_path_factory):
    sender_module.build()
    with sender_module.Sender(tmp_path_factory.mktemp("import") / "sender", keys=("ed25519",)) as sender:
        with WebHost(sender.start(), rate=0) as web:
            yield web


@pytest.fixture(scope="module")
def desk(host):
    return Desk(host)


def suppressed(host, address):
    """By the sender itself."""
    shown = host.sender.run("suppression", "show", address, "--json", check=False)
    return shown.returncode == 0 and '"active":true' in shown.stdout.replace(" ", "")


def test_who_is_suppressed_at_the_sender_comes_in_as_such(host, desk):
    host.sender.run("suppression", "add", "left@s.test", "--reason", "unsubscribe")
    host.sender.run("suppression", "add", "hurt@s.test", "--reason", "complaint")
    data = b"email\nleft@s.test\nhurt@s.test\nfine@s.test\n"
    made = desk.bring(data).json
    desk.plan(made)
    tried = desk.act(made["id"], "try")
    done = desk.act(made["id"], "run")
    assert done["counts"] == tried["counts"]
    assert (done["counts"]["suppressed"], done["counts"]["added"], done["counts"]["stopped"]) == (2, 3, 2)
    states = {name: desk.contact(f"{name}@s.test")["state"] for name in ("left", "hurt", "fine")}
    assert states == {"left": "unsubscribed", "hurt": "complained", "fine": "active"}
    assert {(row["line"], row["kind"]) for row in desk.report(made["id"])} == {
        ("2", "stopped"), ("3", "stopped")}

    # Undone, the sender's list is what it was.
    assert desk.act(made["id"], "undo")["counts"]["undone"] == 3
    assert suppressed(host, "left@s.test") and suppressed(host, "hurt@s.test")

    skipped = desk.load(data, suppressed="skip")
    assert (skipped["counts"]["bad"], skipped["counts"]["added"]) == (2, 1)
    assert [row["kind"] for row in desk.report(skipped["id"])] == ["suppressed", "suppressed"]
    assert desk.call("GET", "contacts/left@s.test").status == 404

    # By a new consent who had unsubscribed comes back, at the sender, too; who complained does not.
    consent = {"renews": True, "source": "店頭", "date": "2026-01-01T00:00:00Z"}
    desk.load(data, consent=consent)
    assert desk.contact("left@s.test")["state"] == "active"
    assert desk.contact("hurt@s.test")["state"] == "complained"
    wait_until(lambda: not suppressed(host, "left@s.test"), "the sender to hear of it")
    assert suppressed(host, "hurt@s.test")


def test_a_column_of_states_is_told_the_sender_and_taken_back(host, desk):
    data = "email,状態\nout@t.test,配信停止\nin@t.test,有効\nodd@t.test,不達\n".encode()
    made = desk.bring(data).json
    assert [c["suggestion"]["target"] for c in made["columns"]] == ["email", "state"]
    desk.plan(made)
    done = desk.act(made["id"], "run")
    assert done["counts"]["stopped"] == 2 and done["counts"]["reports"] == 0
    assert desk.contact("out@t.test")["state"] == "unsubscribed"
    assert desk.contact("odd@t.test")["state"] == "bounced"
    wait_until(lambda: suppressed(host, "out@t.test"), "the sender to hear of it")
    assert not suppressed(host, "in@t.test")
    desk.act(made["id"], "undo")
    wait_until(lambda: not suppressed(host, "out@t.test"), "the sender to hear that it was undone")

    bad = desk.load("email,状態\nx@t.test,たぶん\n".encode(), columns=[{"target": "email"}, {"target": "state"}])
    assert [(row["kind"], row["taken"]) for row in desk.report(bad["id"])] == [("value-bad", "yes")]
    twice = desk.bring(b"email,a,b\nx@t.test,active,active\n").json
    answer = desk.call("POST", f"imports/{twice['id']}/plan", {"columns": [
        {"target": "email"}, {"target": "state"}, {"target": "state"}]})
    assert (answer.status, answer.json["pointer"]) == (422, "/columns")
    desk.call("POST", f"imports/{twice['id']}/cancel")


def test_an_import_waits_for_the_sender_and_says_so(host, desk):
    host.sender.run("suppression", "add", "late@w.test", "--reason", "unsubscribe")
    made = desk.bring(b"email\nlate@w.test\n").json
    desk.plan(made)
    host.sender.stop()
    assert desk.call("POST", f"imports/{made['id']}/run").status == 202
    where = f"imports/{made['id']}"
    wait_until(lambda: "waits for the sender" in (desk.call("GET", where).json["problem"] or ""),
               "the import to say what it waits for")
    host.sender.start(write=False)
    done = desk.wait(made["id"])
    assert (done["state"], done["problem"], done["counts"]["suppressed"]) == ("done", None, 1)


def test_a_dry_run_leaves_nothing_but_its_report(desk):
    before = desk.call("GET", "attributes").json
    made = desk.bring("email,色,size\nann@dry.test,赤,12\nbob@dry.test,青,x\n".encode()).json
    desk.plan(made, columns=[{"target": "email"}, {"target": "new", "name": "colour", "type": "text",
                                                   "label_ja": "色"},
                             {"target": "new", "name": "size", "type": "number"}])
    tried = desk.act(made["id"], "try")
    assert tried["counts"]["added"] == 2 and tried["counts"]["values_bad"] == 1
    assert tried["plan"]["columns"][1] == {"name": "色", "target": "new", "attribute": "colour",
                                           "type": "text", "label_ja": "色"}
    assert desk.call("GET", "attributes").json == before
    assert desk.call("GET", "contacts?email=ann@dry").json["contacts"] == []
    done = desk.act(made["id"], "run")
    assert done["counts"] == tried["counts"]
    assert done["plan"]["columns"][1] == {"name": "色", "target": "attribute", "attribute": "colour"}
    assert desk.contact("ann@dry.test")["values"] == {"colour": "赤", "size": "12"}
    # Who made an attribute of that name meanwhile has made it for the import, too.
    again = desk.bring(b"email,shoe\neve@dry.test,7\n").json
    desk.plan(again, columns=[{"target": "email"}, {"target": "new", "name": "shoe", "type": "text"}])
    assert desk.call("POST", "attributes", {"name": "Shoe", "type": "number"}).status == 201
    assert desk.act(again["id"], "try")["counts"]["added"] == 1
    desk.act(again["id"], "run")
    assert desk.contact("eve@dry.test")["values"] == {"Shoe": "7"}


# What Excel in Japan writes: half-width kana, NEC's and IBM's characters, two signs for the wave dash in use.
JAPANESE = ["ｶﾀｶﾅ ﾊﾝｶｸ", "①②Ⅳ㈱㍉", "髙橋 﨑山 德", "～から", "∥－￠￡￢", "改行\r\nあり", "カンマ,\"引用\"", "'=1+1", "表示能力ソ"]


def test_a_file_of_excel_comes_back_byte_for_byte(desk):
    out = io.StringIO()
    rows = [["email", "kana_memo", "state"]]
    rows += [[f"x{n}@excel.test", cell, "active"] for n, cell in enumerate(JAPANESE)]
    csv.writer(out).writerows(rows)
    data = out.getvalue().encode("cp932")
    assert desk.call("POST", "attributes", {"name": "kana_memo", "type": "text"}).status == 201
    done = desk.load(data)
    assert (done["encoding"], done["counts"]["added"], done["counts"]["reports"]) == (
        "shift_jis", len(JAPANESE), 0)
    where = "contacts/export?encoding=cp932&columns=email,kana_memo,state&segment=" + quote(
        'email contains "@excel.test"')
    exported = desk.call("GET", where).body
    assert list(csv.reader(io.StringIO(exported.decode("cp932"), newline=""))) == rows
    assert desk.call("GET", where + "&check=1").json == {"contacts": len(JAPANESE), "replaced": 0,
                                                         "examples": []}
    again = desk.load(exported, update="overwrite")
    assert again["counts"]["same"] == len(JAPANESE)


def test_what_shift_jis_lacks_is_counted_and_no_other_encoding_lacks_anything(desk):
    desk.call("POST", "attributes", {"name": "note", "type": "text"})
    notes = ["絵文字😀", "波〜ダッシュ", "한국어", "𠮷野家", "=cmd|'/c calc'!A0"]
    data = "email,note\n" + "".join(f"n{n}@odd.test,{note}\n" for n, note in enumerate(notes))
    desk.load(data.encode())
    chosen = "columns=email,note&segment=" + quote('email ends "@odd.test"')
    for name, codec in (("utf-8", "utf-8-sig"), ("utf-16", "utf-16")):
        body = desk.call("GET", f"contacts/export?encoding={name}&{chosen}").body
        text = io.StringIO(body.decode(codec), newline="")
        table = list(csv.reader(text, delimiter="\t" if name == "utf-16" else ","))
        assert [row[1] for row in table[1:]] == [*notes[:4], "'" + notes[4]]
        assert desk.load(body, update="overwrite")["counts"]["same"] == len(notes)
    check = desk.call("GET", f"contacts/export?encoding=cp932&check=1&{chosen}").json
    assert (check["contacts"], check["replaced"]) == (5, 5)
    assert [one["cell"] for one in check["examples"]] == [notes[0], notes[2], notes[3]]
    body = desk.call("GET", f"contacts/export?encoding=cp932&{chosen}").body
    assert body.decode("cp932").splitlines()[1] == "n0@odd.test,絵文字?"


@pytest.mark.parametrize("query, word", [("columns=email,nothing", "nothing"), ("list=none", "list"),
                                         ("encoding=latin1", "utf-16"), ("segment=state", "column")])
def test_an_export_that_cannot_be_says_why(desk, query, word):
    answer = desk.call("GET", "contacts/export?" + query)
    assert answer.status == 422 and word in answer.json["detail"]


# P14, and what users of other products met with Excel's files (knadh/listmonk#65, decidim/decidim#7780).
SPREADSHEETS = {
    "a mark": b"\xef\xbb\xbfemail,name\r\nann@x.test,Ann\r\n",
    "a mark and quotes": b"\xef\xbb\xbf\"email\",\"name\"\r\n\"ann@x.test\",\"Ann\"\r\n",
    "UTF-16": "\ufeffemail,name\r\nann@x.test,Ann\r\n".encode("utf-16-le"),
    "UTF-16, the other order": "\ufeffemail,name\r\nann@x.test,Ann\r\n".encode("utf-16-be"),
    "UTF-16 with tabs": "\ufeffemail\tname\r\nann@x.test\tAnn\r\n".encode("utf-16-le"),
    "CR alone": b"email,name\rann@x.test,Ann\r",
    "LF alone, no end": b"email,name\nann@x.test,Ann",
    "commas at the end": b"email,name,,\r\nann@x.test,Ann,,\r\n",
    "semicolons": b"email;name\r\nann@x.test;Ann\r\n",
}


@pytest.mark.parametrize("kind", SPREADSHEETS)
def test_p14_a_spreadsheet_s_file_loses_neither_its_first_column_nor_its_first_row(desk, kind):
    done = desk.load(SPREADSHEETS[kind])
    assert (done["state"], done["counts"]["added"], done["counts"]["bad"]) == ("done", 1, 0)
    assert desk.contact("ann@x.test")["values"] == {"name": "Ann"}
    desk.act(done["id"], "undo")
    assert desk.call("GET", "contacts/ann@x.test").status == 404


def test_a_semicolon_does_not_split_what_commas_separate(desk):
    done = desk.load("email,memo\r\nsemi@x.test,a;b;c\r\n".encode())
    assert done["counts"]["added"] == 1 and desk.contact("semi@x.test")["values"] == {"memo": "a;b;c"}


# P13, EC-CUBE/ec-cube#1325, KumoCorp/kumomta#77: addresses that could be had until 2009 and are in use.
def test_p13_carrier_addresses_are_contacts_of_their_own_in_either_spelling(host, desk):
    odd = ["a..b@docomo.example", "ab.@docomo.example", ".ab@au.example"]
    host.sender.run("suppression", "add", '"ab."@docomo.example', "--reason", "unsubscribe")
    table = ["email", "ab@docomo.example", *odd, '"""a..b""@docomo.example"']
    done = desk.load("\n".join(table).encode())
    assert (done["counts"]["added"], done["counts"]["odd"], done["counts"]["duplicates"]) == (4, 3, 1)
    assert {row["kind"] for row in desk.report(done["id"])} == {"address-odd", "duplicate", "stopped"}
    states = [desk.contact(quote(address))["state"] for address in ("ab@docomo.example", *odd)]
    assert states == ["active", "active", "unsubscribed", "active"]
    exported = desk.call("GET", "contacts/export?columns=email&segment=" + quote('domain = "docomo.example"'))
    again = desk.load(exported.body)
    assert again["counts"]["same"] == 3 and again["counts"]["added"] == 0


# ---- the command line ----

def contacts(host, *words, **more):
    return host.sender.run("contacts", *words, **more)


def keys_left(host):
    return [line.split()[0] for line in host.sender.run("api-key", "list").stdout.splitlines()
            if line.startswith("console-")]


def test_an_operator_imports_tries_undoes_and_exports(host, desk, tmp_path):
    desk.call("POST", "lists", {"name": "shop"})
    desk.call("POST", "attributes", {"name": "rank", "type": "text"})
    table = tmp_path / "customers.csv"
    table.write_bytes("メール,名前,Rank,メモ\r\nann@op.test,森,金,a\r\nnobody,x,y,z\r\n".encode("cp932"))
    words = ("import", table, "--list", "shop", "--map", "名前=new:op_name,Rank=rank,*=ignore,#1=email")
    tried = contacts(host, *words, "--dry-run")
    assert "1  added" in tried.stdout and "1  refused" in tried.stdout and "contacts run" in tried.stdout
    assert desk.call("GET", "contacts/ann@op.test").status == 404
    done = json.loads(contacts(host, *words, "--json").stdout)
    assert (done["state"], done["counts"]["added"], done["counts"]["bad"]) == ("done", 1, 1)
    assert desk.contact("ann@op.test")["values"] == {"op_name": "森", "rank": "金"}
    assert "customers.csv" in contacts(host, "list-imports").stdout
    assert "address-bad" in contacts(host, "report", done["id"]).stdout
    assert json.loads(contacts(host, "status", done["id"], "--json").stdout)["state"] == "done"

    exported = contacts(host, "export", "--list", "shop", "--segment", 'rank = "金"', "--columns",
                        "email,op_name")
    assert exported.stdout.lstrip("\ufeff") == "email,op_name\nann@op.test,森\n"
    assert "no column nothing" in contacts(host, "export", "--columns", "nothing", check=False).stderr
    desk.load("email,op_note\nemoji@cli.test,絵😀文字🎉\n".encode())
    old = host.sender.run("contacts", "export", "--segment", 'domain = "cli.test"', "--columns", "op_note",
                          "--encoding", "cp932")
    assert "2 characters" in old.stderr

    assert "undone" in contacts(host, "undo", done["id"]).stdout
    assert desk.call("GET", "contacts/ann@op.test").status == 404
    again = contacts(host, "undo", done["id"], check=False)
    assert again.returncode == 1 and "nothing to be undone" in again.stderr
    assert keys_left(host) == []


def test_a_file_comes_by_a_pipe_and_goes_when_the_plan_is_wrong(host, desk):
    done = contacts(host, "import", "-", "--json", stdin="email\npipe@op.test\n")
    assert json.loads(done.stdout)["counts"]["added"] == 1 and desk.contact("pipe@op.test")
    for words, why in ((("--list", "none"), "no such list (/lists/0)"),
                       (("--map", "x=email"), 'no column "x"'),
                       (("--map", "#1=ignore"), "one column is the address"),
                       (("--consent", "shop", "--consent-date", "never"), "/consent/date")):
        failed = contacts(host, "import", "-", *words, stdin="email\nbad@op.test\n", check=False)
        assert failed.returncode in (1, 2) and why in failed.stderr, failed
    newest = desk.call("GET", "imports").json["imports"][0]
    assert newest["state"] == "cancelled"
    assert desk.call("GET", "contacts/bad@op.test").status == 404
    assert keys_left(host) == []


def test_control_c_leaves_an_import_that_goes_on_and_can_be_cancelled(host, desk, tmp_path):
    table = tmp_path / "many.csv"
    table.write_text("email,n\n" + "".join(f"m{n}@many.test,{n}\n" for n in range(300_000)))
    command = [host.sender.program, "contacts", "import", str(table), "--config", str(host.sender.config)]
    one = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    wait_until(lambda: any(i["state"] == "running" for i in desk.call("GET", "imports").json["imports"]),
               "the import to run")
    one.send_signal(signal.SIGINT)
    _, said = one.communicate(timeout=60)
    assert one.returncode == 1 and "goes on without you" in said, said
    number = desk.call("GET", "imports").json["imports"][0]["id"]
    state = desk.call("GET", f"imports/{number}").json["state"]
    assert state in ("running", "done")
    if state == "running":
        assert "cancelled" in contacts(host, "cancel", number).stdout
    assert desk.wait(number)["state"] in ("cancelled", "done")
    contacts(host, "undo", number)
    assert desk.call("GET", "contacts?email=m1").json["contacts"] == []
    assert keys_left(host) == []


def test_without_the_newsletter_service_the_exit_code_is_three(sender_in):
    host = WebHost(sender_in(keys=("ed25519",)))
    failed = contacts(host, "list-imports", check=False)
    assert failed.returncode == 3 and "hikyaku web" in failed.stderr
    assert keys_left(host) == []


def test_of_keys_that_are_made_at_once_none_is_lost(host):
    names = [f"at-once-{n}" for n in range(8)]
    command = [host.sender.program, "api-key", "add", "--config", str(host.sender.config)]
    made = [subprocess.Popen([*command, name], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            for name in names]
    assert [one.wait(timeout=60) for one in made] == [0] * 8
    listed = host.sender.run("api-key", "list").stdout
    assert all(name in listed for name in names)
