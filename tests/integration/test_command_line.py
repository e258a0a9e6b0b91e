"""The command line client against a small fake sender: what it sends, shows and exits with."""

import json
import os
import pathlib
import re
import socket
import subprocess
import threading
import time

import pytest

from fake_sender import ERROR, ITEM, REPLY, FakeSender, frame

ROOT = pathlib.Path(__file__).resolve().parents[2]
pytestmark = pytest.mark.binary
PROGRAM = os.environ.get("HIKYAKU", str(ROOT / "build" / "san" / "hikyaku"))
OK, FAILED, USAGE, NO_DAEMON = 0, 1, 2, 3

TEMPLATE = b"From: News <news@example.jp>\r\nSubject: Hi {{name}}\r\n\r\nHello {{name}}\r\n"


@pytest.fixture(scope="session", autouse=True)
def program():
    if "HIKYAKU" not in os.environ:
        subprocess.run(["make", "-s", "VARIANT=san", "all"], cwd=ROOT, check=True)


@pytest.fixture
def sender(tmp_path):
    fake = FakeSender(tmp_path / "send.sock")
    yield fake
    fake.close()


def run(*words, socket_path=None, stdin=None, timeout=60):
    command = [PROGRAM, *map(str, words)]
    if socket_path:
        command += ["--socket", str(socket_path)]
    return subprocess.run(
        command, input=stdin, stdin=None if stdin is not None else subprocess.DEVNULL,
        capture_output=True, timeout=timeout,
    )


def text(result):
    return result.stdout.decode(), result.stderr.decode()


@pytest.fixture
def files(tmp_path):
    (tmp_path / "news.eml").write_bytes(TEMPLATE)
    (tmp_path / "list.csv").write_bytes(
        "email,name,city\r\n"
        "ann@example.com,Ann,Kyoto\r\n"
        "bob@example.net,Bob,\r\n"
        "not an address,X,Y\r\n"
        "ANN@example.com,Again,Z\r\n"
        "yuki@example.org,雪,札幌\r\n".encode()
    )
    return tmp_path


def create(files, sender, *more, **kwargs):
    return run(
        "campaign", "create", "--name", "spring", "--customer", "example.jp",
        "--template", files / "news.eml", "--recipients", files / "list.csv", *more,
        socket_path=sender.path, **kwargs,
    )


# ---- connecting ----


def test_without_a_daemon_the_exit_code_is_three_and_the_way_to_start_it_is_told(tmp_path):
    path = tmp_path / "none.sock"
    result = run("status", socket_path=path)
    assert result.returncode == NO_DAEMON
    assert text(result) == (
        "", f"hikyaku: no daemon listens on {path}; start it with `hikyaku send`\n")


def test_a_socket_that_a_dead_daemon_left_is_told_apart(tmp_path):
    path = tmp_path / "stale.sock"
    old = socket.socket(socket.AF_UNIX)
    old.bind(str(path))
    old.close()
    result = run("status", socket_path=path)
    assert result.returncode == NO_DAEMON
    assert "left over from a daemon that is gone" in text(result)[1]


def test_a_socket_without_permission_is_told_apart(sender):
    os.chmod(sender.path, 0o600)
    os.chmod(os.path.dirname(sender.path), 0o755)
    if os.geteuid() != 0:
        pytest.skip("needs root to become somebody else")
    readable = os.path.dirname(sender.path)
    while readable != "/":
        os.chmod(readable, os.stat(readable).st_mode | 0o5)
        if readable == "/tmp":
            break
        readable = os.path.dirname(readable)
    result = subprocess.run(
        ["setpriv", "--reuid", "65534", "--clear-groups", PROGRAM, "status", "--socket",
         sender.path],
        capture_output=True, stdin=subprocess.DEVNULL, timeout=60, env={"ASAN_OPTIONS": "detect_leaks=0"})
    assert result.returncode == FAILED
    assert "no permission for" in text(result)[1]


def test_a_path_too_long_for_a_socket_is_refused_not_cut(tmp_path):
    result = run("status", socket_path=tmp_path / ("x" * 120))
    assert result.returncode == FAILED
    assert "is not a control socket" in text(result)[1]


def test_the_socket_comes_from_the_configuration(sender, tmp_path):
    sender.answers["stop"] = frame(REPLY, {"sessions": 0})
    example = (ROOT / "src/send/hikyaku.conf.example").read_text()
    conf = tmp_path / "hikyaku.conf"
    conf.write_text(example.replace("/run/hikyaku/send.sock", sender.path))
    result = run("stop", "--config", conf)
    assert (result.returncode, text(result)) == (OK, ("stopping\n", ""))


def test_a_bad_configuration_is_named_with_its_line(tmp_path):
    conf = tmp_path / "bad.conf"
    conf.write_text('data = "/data"\nworkres = 3\n')
    for words in (["status"], ["check"]):
        result = run(*words, "--config", conf)
        assert result.returncode == FAILED
        assert f"{conf}:2" in text(result)[1]


# ---- the command line itself ----


@pytest.mark.parametrize(
    "words, hint",
    [
        (["campain", "create"], 'did you mean "campaign"?'),
        (["campaign", "craete"], 'did you mean "campaign create"?'),
        (["queue", "rety"], 'did you mean "queue retry"?'),
        (["statsu"], 'did you mean "status"?'),
        (["status", "--wacht"], "did you mean --watch?"),
        (["campaign", "create", "--recipient", "x"], "did you mean --recipients?"),
        (["campaign", "report", "x", "--outcome", "failde"], "did you mean failed?"),
        (["status", "-w"], "options begin with --"),
        (["status", "--interval", "soon"], "is not a duration such as"),
        (["status", "--interval"], "--interval needs a value"),
        (["status", "--watch=1"], "--watch takes no value"),
        (["campaign", "start"], "something is missing: hikyaku campaign start ID|NAME"),
        (["campaign", "start", "a", "b"], 'too many words: "b"'),
        (["queue", "retry"], "say which: one of --campaign, --domain, --address, --all"),
        (["queue", "retry", "--all", "--domain", "x.example"], "say which"),
        (["queue", "bounce"], "say which"),
        (["queue", "doubt", "lits"], "is not one of list, resend, drop"),
        (["queue", "suspend"], "name one domain, or one site"),
        (["campaign", "create", "--name", "x"], "--customer is needed"),
        (["campaign", "create", "--name", "x", "--name", "y"], "--name is given twice"),
        (["keys", "new", "--domain", "../x", "--selector", "s"], "have letters, digits"),
        (["keys", "new", "--domain", "x.jp", "--selector", "s", "--bits", "1024"], "2048 to 4096"),
        (["--sokcet", "x", "status"], "did you mean --socket?"),
    ],
)
def test_a_wrong_command_line_exits_two_and_says_what_was_meant(words, hint):
    result = run(*words)
    assert result.returncode == USAGE
    assert result.stdout == b""
    assert hint in text(result)[1]


def test_help_is_there_at_every_level_and_has_an_example():
    whole = text(run("--help"))[0]
    commands = [line.split("  ")[1] for line in whole.split("A first campaign")[0].splitlines()
                if line.startswith("  ")]
    assert "campaign create" in commands and "version" in commands
    for command in commands:
        result = run(*command.split(), "--help")
        out, err = text(result)
        assert (result.returncode, err) == (OK, "")
        assert out.startswith(f"usage: hikyaku {command}")
        assert "Example" in out
        assert re.search(rf"  (hikyaku|ssh admin@\S+) {command}", out.split("Example", 1)[1])
        assert max(len(line) for line in out.splitlines()) <= 80
    for group in ("campaign", "queue", "keys"):
        assert f"{group} " in text(run(group, "--help"))[0]
        assert run(group).returncode == USAGE
    assert run().returncode == USAGE


def test_global_options_may_stand_anywhere(sender):
    sender.answers["stop"] = frame(REPLY, {"sessions": 2})
    before = run("--json", "--socket", sender.path, "stop")
    behind = run("stop", f"--socket={sender.path}", "--json")
    for result in (before, behind):
        assert (result.returncode, json.loads(result.stdout)) == (OK, {"sessions": 2})


def test_version_needs_no_daemon():
    assert text(run("version"))[0].startswith("hikyaku ")
    assert "version" in json.loads(run("version", "--json").stdout)


# ---- campaign create ----


def test_create_sends_template_and_clean_rows_and_names_each_refused_one(files, sender):
    result = create(files, sender)
    out, err = text(result)
    assert result.returncode == OK, err
    (got,) = sender.imports
    assert got["request"] == {
        "command": "campaign.create", "name": "spring", "customer": "example.jp",
        "source": {"kind": "whole", "name": str(files / "news.eml"), "whole": len(TEMPLATE)},
        "columns": ["name", "city"], "charset": "utf-8", "encoding": "auto",
        "doubt_policy": "resend", "kind": "bulk", "require_unsubscribe": True,
    }
    assert got["parts"] == {1: TEMPLATE}
    assert got["rows"] == [
        ("ann@example.com", ["Ann", "Kyoto"]), ("bob@example.net", ["Bob"]),
        ("yuki@example.org", ["雪", "札幌"]),
    ]
    assert got["ended"]
    lines = err.splitlines()
    assert len(lines) == 2
    assert lines[0].startswith("line 4: ") and lines[1].startswith("line 5: ")
    assert "3 recipients at 3 domains imported" in out
    assert "2 rows refused, 1 of them duplicates" in out
    assert "hikyaku campaign start 7" in out


def test_create_passes_every_option_on_and_starts(files, sender):
    sender.answers["campaign.start"] = frame(
        REPLY, {"id": 7, "name": "spring", "state": "running", "total": 3, "delivered": 0})
    for name in ("head", "text", "html"):
        (files / name).write_text(f"{name}\n")
    result = run(
        "campaign", "create", "--name", "spring", "--customer", "example.jp", "--headers",
        files / "head", "--text", files / "text", "--html", files / "html", "--recipients", "-",
        "--delimiter", "semicolon", "--hold-in-doubt", "--expire", "3d", "--charset",
        "iso-2022-jp", "--encoding", "8bit", "--no-unsubscribe", "--unsubscribe-mailto",
        "u-{{_token}}@example.jp", "--start",
        socket_path=sender.path, stdin=b"name;email\nAnn;ann@example.com\n",
    )
    assert result.returncode == OK, result.stderr
    (got,) = sender.imports
    request = got["request"]
    assert request["source"] == {
        "kind": "parts", "name": str(files / "head"), "headers": 5, "text": 5, "html": 5}
    assert got["parts"] == {2: b"head\n", 3: b"text\n", 4: b"html\n"}
    assert got["rows"] == [("ann@example.com", ["Ann"])]
    assert request["expire_ms"] == 3 * 24 * 3600 * 1000
    assert request["doubt_policy"] == "hold"
    assert (request["charset"], request["encoding"]) == ("iso-2022-jp", "8bit")
    assert request["require_unsubscribe"] is False
    assert request["unsubscribe_mailto"] == "u-{{_token}}@example.jp"
    assert sender.requests[1] == {"command": "campaign.start", "id": 7}
    assert 'campaign 7 "spring" is running: 0 of 3 sent' in text(result)[0]


def test_create_writes_refused_rows_to_a_file_that_no_spreadsheet_runs(files, sender):
    (files / "list.csv").write_text(
        'email,name\n=cmd|calc@example.com,x\nok@example.com,y\n"=1+1 ""q"", z",w\n')
    result = create(files, sender, "--rejects", files / "rejects.csv")
    assert result.returncode == OK
    assert result.stderr == b""
    written = (files / "rejects.csv").read_bytes().decode()
    assert written.startswith("line,reason\r\n")
    assert os.stat(files / "rejects.csv").st_mode & 0o077 == 0
    for line in written.splitlines()[1:]:
        number, reason = line.split(",", 1)
        assert number.isdigit()
        assert reason.lstrip('"')[:1] not in "=+-@"


def test_create_counts_addresses_with_dots_at_odd_places(files, sender):
    (files / "list.csv").write_text("email\na..b@docomo.example\nab.@docomo.example\nab@docomo.example\n")
    result = create(files, sender)
    assert result.returncode == OK
    assert [row[0] for row in sender.imports[0]["rows"]] == [
        '"a..b"@docomo.example', '"ab."@docomo.example', "ab@docomo.example"]
    assert "2 addresses are no plain ones (dots at odd places) and go in quotes" in text(result)[0]


def test_create_with_json_says_everything_in_json(files, sender):
    result = create(files, sender, "--json")
    assert json.loads(result.stdout) == {
        "id": 7, "total": 3, "domains": 3, "quoted": 0, "refused": 2, "duplicates": 1}
    refused = [json.loads(line) for line in result.stderr.splitlines()]
    assert [line["refused_line"] for line in refused] == [4, 5]


def test_a_list_without_a_good_row_creates_nothing(files, sender):
    (files / "list.csv").write_text("email\nnobody\n")
    result = create(files, sender)
    assert result.returncode == FAILED
    assert "no row can be mailed; nothing was created" in text(result)[1]
    time.sleep(0)
    assert not any(got["ended"] for got in sender.imports)


@pytest.mark.parametrize(
    "content, words",
    [
        (b"name,city\nAnn,Kyoto\n", "email"),
        (b"", "no row that names the columns"),
        (b"email,name\nann@example.com,\x82\xa0\x82\xa2\n", "not UTF-8"),
    ],
)
def test_a_list_that_cannot_be_read_is_refused_with_its_name(files, sender, content, words):
    (files / "list.csv").write_bytes(content)
    result = create(files, sender)
    assert result.returncode == FAILED
    assert str(files / "list.csv") in text(result)[1] and words in text(result)[1]
    assert not any(got["ended"] for got in sender.imports)


def test_missing_and_empty_files_are_named_before_the_daemon_is_asked(files, sender):
    (files / "news.eml").write_bytes(b"")
    assert "news.eml is empty" in text(create(files, sender))[1]
    (files / "news.eml").unlink()
    assert "cannot read" in text(create(files, sender))[1]
    (files / "news.eml").write_bytes(TEMPLATE)
    (files / "list.csv").unlink()
    assert "cannot read" in text(create(files, sender))[1]
    assert sender.requests == []


def many(files, count):
    with open(files / "list.csv", "w") as out:
        out.write("email,name\n")
        for number in range(count):
            out.write(f"person{number}@d{number % 50}.example,{'x' * 60}\n")


def test_a_large_list_arrives_whole_in_frames_within_the_limit(files, sender):
    many(files, 100_000)
    result = create(files, sender)
    assert result.returncode == OK
    (got,) = sender.imports
    assert len(got["rows"]) == 100_000
    assert got["rows"][99_999][0] == "person99999@d49.example"
    assert max(got["batches"]) < 1 << 20 and len(got["batches"]) > 10
    assert "100,000 recipients at 50 domains" in text(result)[0]


def test_a_refusal_in_the_middle_stops_the_import_with_the_daemons_reason(files, sender):
    many(files, 100_000)
    sender.trouble, sender.trouble_at = ("refuse", "news.eml:2: unknown field {{nmae}}"), 300_000
    result = create(files, sender)
    assert result.returncode == FAILED
    assert text(result)[1] == "hikyaku: news.eml:2: unknown field {{nmae}}\n"
    assert result.stdout == b""


def test_a_refusal_of_the_request_is_heard_though_rows_are_under_way(files, sender):
    many(files, 100_000)
    sender.answers["campaign.create"] = frame(
        ERROR, {"error": "a campaign is named spring already", "code": "conflict"})
    result = create(files, sender, "--json")
    assert result.returncode == FAILED
    assert json.loads(result.stderr) == {
        "error": "a campaign is named spring already", "code": "conflict"}


def test_a_daemon_that_dies_in_the_middle_is_an_error_not_a_success(files, sender):
    many(files, 100_000)
    sender.trouble, sender.trouble_at = ("close",), 300_000
    result = create(files, sender)
    assert result.returncode == FAILED
    assert "daemon" in text(result)[1]


def test_items_that_come_while_rows_go_out_do_not_block_either_end(files, sender):
    many(files, 100_000)
    sender.trouble, sender.trouble_at = ("items", 30_000), 100_000
    result = create(files, sender, "--rejects", files / "rejects.csv")
    assert result.returncode == OK
    assert len((files / "rejects.csv").read_text().splitlines()) == 30_001
    assert "30,000 rows refused" in text(result)[0]


# ---- other commands ----

CAMPAIGN = {
    "id": 7, "name": "spring", "customer": "example.jp", "state": "running", "total": 1234567,
    "delivered": 1000000, "failed": 4567, "expired": 67, "cancelled": 0, "queued": 230000,
    "deferred": 1200, "held": 0, "deferrals": 1500, "doubts": 3, "domains": 900, "rate": 2345.6,
    "created_ms": 1795575600000, "started_ms": 1795575600000, "finished_ms": 1795575792000,
}


def test_campaigns_are_shown_as_an_aligned_table(sender):
    wide = dict(CAMPAIGN, id=8, name="春の便り", total=5)
    sender.answers["campaign.status"] = (
        frame(ITEM, CAMPAIGN) + frame(ITEM, wide) + frame(REPLY, {"count": 2}))
    out, err = text(run("campaign", "status", socket_path=sender.path))
    assert err == ""
    head, first, second = out.splitlines()
    assert head.split() == "id name state total sent failed queued held rate".split()
    assert first.split() == [
        "7", "spring", "running", "1,234,567", "1,000,000", "4,567", "230,000", "0", "2,346/s"]
    # Wide characters take two columns: the state stands below the other one.
    assert second.index("running") + 4 == first.index("running")
    assert "command" in sender.requests[0] and len(sender.requests[0]) == 1


def test_one_campaign_is_shown_in_full_and_named_by_id_or_name(sender):
    sender.answers["campaign.status"] = frame(ITEM, CAMPAIGN) + frame(REPLY, {"count": 1})
    out, _ = text(run("campaign", "status", "spring", socket_path=sender.path))
    run("campaign", "status", "7", socket_path=sender.path)
    assert [r.get("name") for r in sender.requests] == ["spring", None]
    assert sender.requests[1]["id"] == 7
    assert "took          3 min 12 s" in out
    # 230,000 recipients at 2345.6 a second.
    assert re.search(r"^time left +1 min 38 s$", out, re.M), out
    assert "1,234,567" in out


@pytest.mark.parametrize("verb", ["start", "pause", "resume", "cancel"])
def test_state_changes_name_the_campaign_and_show_the_new_state(sender, verb):
    sender.answers[f"campaign.{verb}"] = frame(REPLY, CAMPAIGN)
    result = run("campaign", verb, "spring", socket_path=sender.path)
    assert sender.requests == [{"command": f"campaign.{verb}", "name": "spring"}]
    assert text(result)[0] == 'campaign 7 "spring" is running: 1,000,000 of 1,234,567 sent\n'


def report_page(request):
    start = int(request.get("after", "0"))
    end = min(start + min(request["limit"], 2), 5)
    items = [
        {"number": n, "time_ms": 1795575600000 + n, "outcome": "failed", "code": 550,
         "class": "bad-mailbox", "address": f"r{n}@example.com", "attempts": 1, "host": "mx [192.0.2.1]",
         "reply": "5.1.1 \x1b]0;owned\x07 no\u202e"} for n in range(start, end)]
    return b"".join(frame(ITEM, item) for item in items) + frame(
        REPLY, {"count": len(items), "more": end < 5, "next": str(end)})


def test_a_report_follows_the_pages_to_the_end(sender):
    sender.answers["campaign.report"] = report_page
    result = run("campaign", "report", "spring", "--outcome", "failed,expired",
                 "--json", socket_path=sender.path)
    rows = [json.loads(line) for line in result.stdout.splitlines()]
    assert [row["number"] for row in rows] == [0, 1, 2, 3, 4]
    assert sender.requests[0]["outcomes"] == ["failed", "expired"]
    assert [r.get("after") for r in sender.requests] == [None, "2", "4"]


def test_a_report_tells_the_class_of_a_refusal(sender):
    sender.answers["campaign.report"] = report_page
    lines = text(run("campaign", "report", "spring", socket_path=sender.path))[0].splitlines()
    assert lines[0].split() == ["time", "outcome", "address", "code", "class", "tries", "host", "reply"]
    assert "550  bad-mailbox" in lines[1]


def test_unknown_replies_are_listed(sender):
    item = {"count": 1200, "over": 3, "last_ms": 1795575600000, "code": 450, "enhanced": "4.7.1",
            "class": "policy", "host": "mx.x.example", "shape": "hm <number>", "reply": "4.7.1 Hm 17"}
    sender.answers["queue.unknown"] = frame(ITEM, item) + frame(REPLY, {"count": 1, "total": 1201})
    out, _ = text(run("queue", "unknown", socket_path=sender.path))
    assert "1,200   450  policy" in out and "mx.x.example  4.7.1 Hm 17" in out
    assert sender.requests[0] == {"command": "queue.unknown"}
    out, _ = text(run("queue", "unknown", "--json", socket_path=sender.path))
    assert json.loads(out) == item


def test_a_report_stops_at_the_limit(sender):
    sender.answers["campaign.report"] = report_page
    result = run("campaign", "report", "spring", "--limit", "3", socket_path=sender.path)
    assert len(text(result)[0].splitlines()) == 1 + 3


def test_text_of_peers_cannot_drive_the_terminal(sender):
    sender.answers["campaign.report"] = report_page
    out = run("campaign", "report", "spring", socket_path=sender.path).stdout
    assert b"\x1b" not in out and b"\x07" not in out and "\u202e".encode() not in out
    assert b"\\x1b]0;owned\\x07 no\\u{202e}" in out


def test_the_progress_of_a_long_command_is_no_part_of_its_answer(sender):
    sender.answers["queue.bounce"] = (
        frame(ITEM, {"progress": {"looked": 16000, "count": 2000}}) +
        frame(ITEM, {"progress": {"looked": 90000, "count": 9000}}) + frame(REPLY, {"count": 12345}))
    command = ("queue", "bounce", "--domain", "x.example")
    out, err = text(run(*command, socket_path=sender.path))
    assert out == "12,345 recipients given up\n" and err == ""
    out, err = text(run(*command, "--json", socket_path=sender.path))
    assert json.loads(out) == {"count": 12345} and err == ""


def test_queue_commands_send_what_was_picked(sender):
    for command in ("retry", "bounce", "suspend", "resume", "doubt"):
        sender.answers[f"queue.{command}"] = frame(REPLY, {"count": 1200})
    path = {"socket_path": sender.path}
    assert text(run("queue", "retry", "--all", **path))[0] == "1,200 recipients due now\n"
    run("queue", "bounce", "--campaign", "7", "--domain", "x.example", **path)
    run("queue", "suspend", "x.example", **path)
    run("queue", "resume", "--site", "gmail.com", **path)
    run("queue", "doubt", "resend", "--campaign", "spring", **path)
    assert sender.requests == [
        {"command": "queue.retry", "all": True},
        {"command": "queue.bounce", "campaign": "7", "domain": "x.example"},
        {"command": "queue.suspend", "domain": "x.example"},
        {"command": "queue.resume", "site": "gmail.com"},
        {"command": "queue.doubt", "campaign": "spring", "action": "resend"},
    ]


def test_queue_list_shows_sites_or_rows_and_how_to_go_on(sender):
    now = int(time.time() * 1000)
    site = {"site": "gmail.com", "queued": 12000, "deferred": 30, "sessions": 20, "rate": 0.25,
            "next_ms": now + 3600_000 + 5000, "state": "backing-off", "reason": "421 rate limited"}
    row = {"address": "a@x.example", "campaign": "spring", "due_ms": 1, "attempts": 2,
           "code": 451, "reason": "greylisted"}
    sender.answers["queue.list"] = lambda request: (
        frame(ITEM, row if request.get("rows") else site)
        + frame(REPLY, {"count": 1, "more": True, "next": "abc"}))
    out, _ = text(run("queue", "list", socket_path=sender.path))
    assert "gmail.com  12,000" in out and "0.2/s" in out and "1 h" in out
    out, _ = text(run("queue", "list", "--rows", "--domain", "x.example", socket_path=sender.path))
    assert "now" in out and "greylisted" in out and "--after abc" in out
    assert sender.requests[1] == {
        "command": "queue.list", "domain": "x.example", "limit": 1000, "rows": True}
    listed = run("queue", "list", "--json", socket_path=sender.path).stdout.splitlines()
    assert [json.loads(line) for line in listed] == [
        site, {"count": 1, "more": True, "next": "abc"}]


def test_queue_show_tells_the_history_and_fails_for_strangers(sender):
    found = {"address": "a@x.example", "campaign": "spring", "state": "deferred", "attempts": 1,
             "due_ms": 1795575600000, "host": "mx", "reply": "451 later",
             "history": [{"time_ms": 1795575600000, "outcome": "deferred", "host": "mx",
                          "code": 451, "reply": "later"}]}
    sender.answers["queue.show"] = frame(ITEM, found) + frame(REPLY, {"count": 1})
    out, _ = text(run("queue", "show", "a@x.example", socket_path=sender.path))
    assert "deferred  mx  451 later" in out
    sender.answers["queue.show"] = frame(REPLY, {"count": 0})
    assert run("queue", "show", "b@x.example", socket_path=sender.path).returncode == FAILED


STATUS = {
    "version": "0.1.0", "pid": 42, "state": "running", "uptime_ms": 93_784_000,
    "rates": {"1m": 4321.0, "5m": 4000, "15m": 0}, "totals": {"delivered": 1000000},
    "sessions": {"open": 64, "busy": 60, "idle": 4},
    "queue": {"waiting": 5000, "map_used": 1536 << 20, "map_max": 64 << 30, "nearly_full": True},
    "campaigns": {"running": 1},
    "sites": [{"site": "default", "queued": 5000, "sessions": 64, "rate": 4321, "state": "open"}],
}


def test_status_shows_units_and_watch_asks_again(sender):
    sender.answers["status"] = frame(REPLY, STATUS)
    out, _ = text(run("status", socket_path=sender.path))
    assert "is running, up 1 d 2 h, process 42" in out
    assert "4,321/s (1 min)" in out
    assert "1.5 GiB of at most 64.0 GiB: NEARLY FULL" in out
    result = run("status", "--watch", "--interval", "100ms", "--rounds", "3", "--json",
                 socket_path=sender.path)
    assert [json.loads(line) for line in result.stdout.splitlines()] == [STATUS] * 3


def test_stop_can_wait_for_the_end(sender):
    sender.answers["stop"] = frame(REPLY, {"sessions": 3})
    assert text(run("stop", "--wait", socket_path=sender.path))[0] == "stopped\n"


def test_nonsense_from_the_daemon_is_an_error(sender):
    for nonsense in (b"HTTP/1.1 200 OK\r\n\r\n", frame(REPLY, b"not json"), frame(REPLY, b"[]"),
                     frame(1, {"command": "status"}), frame(ITEM, {}) * 3):
        sender.answers["stop"] = nonsense
        result = run("stop", socket_path=sender.path)
        assert result.returncode == FAILED
        assert "daemon" in text(result)[1]


def test_a_reader_that_goes_away_ends_a_long_report(sender):
    sender.answers["campaign.report"] = lambda request: frame(
        ITEM, {"address": "a@x.example"}) * 5000 + frame(
        REPLY, {"count": 5000, "more": True, "next": "1"})
    process = subprocess.Popen(
        [PROGRAM, "campaign", "report", "x", "--json", "--socket", sender.path],
        stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    process.stdout.readline()
    process.stdout.close()
    assert process.wait(timeout=60) == FAILED
