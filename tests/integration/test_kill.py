"""The sender is killed at random moments of real campaigns; nobody is lost, every copy is on the list."""

import os
import pathlib
import socket
import subprocess
import sys

import pytest

import sender

pytestmark = pytest.mark.patience

CRASH = pathlib.Path(__file__).resolve().parents[1] / "crash"
sys.path.insert(0, str(CRASH))
import journal_file  # noqa: E402
import judge  # noqa: E402

KILLS = int(os.environ.get("KILLS", "150"))
POWER_CUTS = int(os.environ.get("POWER_CUTS", "80"))


@pytest.mark.binary
def test_no_kill_loses_a_recipient_or_hides_a_copy(tmp_path):
    sender.build()
    run = subprocess.run([CRASH / "kill_run", "--kills", str(KILLS), "--recipients", "1500", "--verbose",
                          "--program", sender.PROGRAM, "--directory", tmp_path],
                         stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    print(run.stdout)
    assert run.returncode == 0, run.stdout[-6000:]


def cut_power(tmp_path, cuts, *more, **environment):
    """Of every file: what was synced, and of the rest any part (tests/crash/power_cut.py)."""
    subprocess.run(["make", "-s", "VARIANT=host", "build/host/hikyaku", "build/crash/power_shim.so"],
                   cwd=sender.ROOT, check=True)
    return subprocess.run([CRASH / "kill_run", "--power", "--kills", str(cuts), "--recipients", "1500",
                           "--verbose", "--program", sender.ROOT / "build/host/hikyaku", "--directory",
                           tmp_path, *more], env={**os.environ, **environment}, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True, check=False)


def test_no_power_cut_loses_a_recipient_or_hides_a_copy(tmp_path):
    sender.build()
    run = cut_power(tmp_path, POWER_CUTS)
    print(run.stdout)
    assert run.returncode == 0, run.stdout[-6000:]


def test_a_disk_that_lies_about_its_syncs_is_noticed(tmp_path):
    """Otherwise the test above would hold whatever the sender does."""
    sender.build()
    run = cut_power(tmp_path, 60, "--seed", "1", POWER_LIE="1")
    assert run.returncode == 1, run.stdout[-6000:]
    assert "LOST" in run.stdout or "COPY" in run.stdout or "cannot be read" in run.stdout


def write_large_list(path):
    with open(path, "w", encoding="ascii") as out:
        out.write("email,name\n")
        for domain in range(50):
            out.writelines(f"reader{i:08d}@domain{domain}.example,Reader number {i} of the large list\n"
                           for i in range(60000))


def test_a_queue_that_fills_its_map_starts_again_after_a_crash(sender_in, tmp_path):
    """A file beyond the first map is opened at its own size: what recovery notes needs more."""
    silent = socket.create_server(("127.0.0.1", 0), backlog=2000)
    courier = sender_in(sign=False)
    courier.settings["queue"].update({"map-size-max": "8G", "in-doubt-delay": "1h"})
    courier.default_site.update({"sessions": 1000, "depth": 8, "connect-timeout": "60s",
                                 "adaptive": False})
    courier.route("*", silent.getsockname()[1])
    courier.start()
    (tmp_path / "head").write_text("From: News <news@courier.example>\nSubject: x\n")
    (tmp_path / "text").write_text("hello\n")
    write_large_list(tmp_path / "large.csv")
    courier.run("campaign", "create", "--name", "large", "--customer", "courier.example", "--headers",
                tmp_path / "head", "--text", tmp_path / "text", "--recipients", tmp_path / "large.csv")
    courier.kill()
    courier.start()
    courier.run("campaign", "start", "large")
    sender.wait_until(lambda: courier.ask("status")["queue"]["in_flight"] > 10000, "leases")
    courier.kill()
    journal_file.spoil(courier.data / "journal", "removed")
    courier.start()
    status = courier.status("large")
    silent.close()
    assert status["doubts"] > 10000 and status["queued"] == status["total"] == 3_000_000, status


# The judge itself: it must see each kind of wrong, or the run above says nothing.

ANN = "ann@a.example"
BOB = "bob@b.example"


def entry(address, outcome, time_ms=1000):
    return {"address": address, "outcome": outcome, "time_ms": time_ms}


def copy(message_id="<1@x>", sha256="aa", answered=True):
    return judge.Copy(1000, "s", "1", message_id, sha256, answered)


def complaints_of(final, copies, doubts=(), doubt_count=None, deferral_count=0, **counters):
    count = dict.fromkeys(("delivered", "failed", "cancelled", "held", "queued"), 0)
    for row in final:
        count[row["outcome"]] += 1
    state = {"name": "c", "total": 2, **count, "deferrals": deferral_count,
             "doubts": len(doubts) if doubt_count is None else doubt_count, **counters}
    return " ".join(judge.Campaign([ANN, BOB], state, final, list(doubts), [], copies).judge())


BOTH = [entry(ANN, "delivered"), entry(BOB, "failed")]


def test_the_judge_is_content_with_what_adds_up():
    assert complaints_of(BOTH, {ANN: [copy()]}) == ""


def test_the_judge_sees_a_recipient_that_is_nowhere():
    assert f"LOST {BOB}" in complaints_of(BOTH[:1], {ANN: [copy()]})


def test_the_judge_sees_mail_that_never_arrived():
    assert f"FALSE {ANN}" in complaints_of(BOTH, {})
    assert f"FALSE {ANN}" in complaints_of(BOTH, {ANN: [copy(answered=False)]})


def test_the_judge_sees_a_copy_that_is_on_no_list():
    twice = {ANN: [copy(), copy()]}
    assert f"COPY {ANN}" in complaints_of(BOTH, twice)
    assert complaints_of(BOTH, twice, [entry(ANN, "in-doubt")]) == ""
    assert f"COPY {ANN}" in complaints_of(BOTH, {ANN: [copy()] * 3}, [entry(ANN, "in-doubt")])


def test_the_judge_sees_copies_that_differ():
    doubts = [entry(ANN, "in-doubt")]
    assert "differ in sha256" in complaints_of(BOTH, {ANN: [copy(), copy(sha256="bb")]}, doubts)
    assert "differ in message_id" in complaints_of(BOTH, {ANN: [copy(), copy("<2@x>")]}, doubts)


def test_the_judge_sees_mail_that_arrived_and_is_called_failed():
    assert f"UNLISTED {BOB}" in complaints_of(BOTH, {ANN: [copy()], BOB: [copy()]})


def test_the_judge_sees_counters_that_do_not_fit_the_log():
    assert "counter delivered" in complaints_of(BOTH, {ANN: [copy()]}, delivered=2)
    assert "counter doubts" in complaints_of(BOTH, {ANN: [copy()]}, doubt_count=1)
    assert "counter deferrals" in complaints_of(BOTH, {ANN: [copy()]}, deferral_count=1)


def test_the_judge_sees_mail_that_was_out_at_a_kill_and_never_in_doubt():
    at = 100_000
    assert "DOUBT" in judge.judge_doubts([(at, ANN)], [], [])[0]
    assert "DOUBT" in judge.judge_doubts([(at, ANN)], [entry(ANN, "in-doubt", at - 1)], [])[0]
    assert not judge.judge_doubts([(at, ANN)], [entry(ANN, "in-doubt", at + 1)], [])
    assert not judge.judge_doubts([(at, ANN)], [], [entry(ANN, "delivered", at - 1)])


def test_a_ledger_line_that_was_cut_short_is_no_line(tmp_path):
    path = tmp_path / "ledger"
    path.write_text(f"1 s 1 {ANN} <1@x> aa\n2 s 2 {BOB} <2@x> b")
    assert list(judge.read_ledger(path, True)) == [ANN]


def test_a_journal_of_another_layout_says_nothing(tmp_path):
    path = tmp_path / "journal"
    path.write_bytes(b"hkyjrnl1" + bytes(4096))
    assert journal_file.read(path) == []
    assert journal_file.read(tmp_path / "none") == []
