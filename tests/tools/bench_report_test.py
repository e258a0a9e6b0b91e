"""The bench's pages, when senders did not do what was asked for."""

import json
import pathlib
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "bench"))
import plot  # noqa: E402
import report  # noqa: E402


def run(peer, rate, good=True, arrived=1000):
    """The figures of one measurement, as bench/contest.py makes them."""
    return {"peer": peer, "title": peer.title(), "version": f"{peer} 1.0", "queue": "none",
            "count": 1000, "expected": 1000, "complete": good, "arrived": arrived, "good": good,
            "duplicates": 0, "malformed": 0, "rate": rate, "sending_rate": rate, "bytes": 8192,
            "cpu_seconds": 2.0, "per_cpu_second": rate * 2, "import_seconds": 0.1, "resident_mib": 20.0,
            "latency": {"p50": 1.0, "p95": 2.0, "p99": 3.0, "max": 4.0} if arrived else {},
            "curve": [i / 10 for i in range(arrived // 20)], "connections": 5, "turned_away": 0,
            "throttled": 0, "deferred": 0, "noise": {"why": "", "foreign": 0.0}}


def nothing(peer):
    return run(peer, 0, good=False, arrived=0)


def pages(tmp_path, **parts):
    data = {"parts": parts, "machine": {"cores": 2, "cpu": "x", "ifma": False, "memory_gib": 4,
                                        "kernel": "6.1"},
            "commit": "c", "started": "2026-01-01 00:00", "load": 0.0, "minutes": 1, "best": 1.0,
            "calibration_first": 1.0, "calibration_last": 1.0,
            "settings": {name: 1 for name in ("rounds", "count", "world_count", "signed", "unsigned",
                                              "peers", "parts")}}
    report.write(data, tmp_path / "RESULTS.md")
    plot.write(data, tmp_path / "results.svg")
    return (tmp_path / "RESULTS.md").read_text(), (tmp_path / "results.svg").read_text()


def row(page, part, title):
    """The cells of a sender's row in a part of the page."""
    section = page.partition(f"## {part}\n")[2].partition("\n## ")[0]
    line, = [line for line in section.splitlines() if line.startswith(f"| {title} |")]
    return [cell.strip() for cell in line.strip("|").split("|")]


def test_a_sender_that_delivered_nothing_is_said_so(tmp_path):
    rounds = [[run("hikyaku", 100), nothing("exim"), run("postfix", 10)]]
    page, drawn = pages(tmp_path, peers=rounds, world=rounds, latency=rounds[0], nosync=rounds[0])
    assert row(page, "The same job", "Exim")[3:] == ["**delivered nothing**", *["-"] * 5]
    assert row(page, "The same job", "Postfix")[3:5] == ["10", "**10.0**"]
    assert row(page, "Among receivers with limits", "Exim")[1:4] == \
        ["**delivered nothing**", "- / - / -", "-"]
    assert row(page, "One mail at a time", "Exim")[1:] == ["**delivered nothing**", *["-"] * 4]
    assert row(page, "How much is the disk", "Exim")[1:] == ["**delivered nothing**", "-"]
    assert "- Exim: delivered nothing" in page
    assert drawn.count("delivered nothing") == 3


def test_a_run_that_failed_counts_in_no_median_and_no_ratio(tmp_path):
    rounds = [[run("hikyaku", 100), run("postfix", 10)],
              [run("hikyaku", 900, good=False, arrived=900), run("postfix", 10)],
              [run("hikyaku", 120), run("postfix", 1, good=False, arrived=999)]]
    page, _ = pages(tmp_path, peers=rounds)
    assert row(page, "The same job", "Hikyaku")[3] == "110 (100-120)"
    assert row(page, "The same job", "Postfix")[3:5] == ["10 (10-10)", "**10.0**"]
    assert "- Hikyaku: 900 of 1,000 arrived in time" in page


def test_a_sender_whose_runs_all_failed_has_no_figure(tmp_path):
    page, _ = pages(tmp_path, peers=[[run("hikyaku", 100), run("exim", 50, good=False)]])
    assert row(page, "The same job", "Exim")[3:] == ["**not what was asked for**", *["-"] * 5]


def test_ours_may_fail_too(tmp_path):
    ours = nothing("hikyaku")
    cell = {"size": 8192, "sign": False, "durability": "full", "starttls": False, "workers": 2,
            "runs": [ours]}
    limits = [{"sign_1": 1.0, "sign_2": 2.0, "bare": {"8192": {"messages_per_second": 5.0}}}]
    growth = [{"sign": True, "count": count, "run": ours if count > 10 else run("hikyaku", 9)}
              for count in (10, 20)]
    page, _ = pages(tmp_path, peers=[[ours, run("exim", 5)]], world=[[ours]], latency=[ours],
                    nosync=[ours], matrix=[cell], limits=limits, growth=growth,
                    share=[{"limit": 1.0, "ours": ours}])
    assert row(page, "The same job", "Exim")[3:5] == ["5", "**-**"]
    assert "share of OpenSSL's rate" not in page
    assert "20 to 10" not in page


def test_no_page_is_written_from_an_older_run(tmp_path):
    old = tmp_path / "results.json"
    old.write_text(json.dumps({"parts": {}}))
    script = f"""
import runpy, sys
sys.path.insert(0, {str(ROOT / "bench")!r})
import os, session
os.geteuid = lambda: 0
def breaks_off(*_):
    raise SystemExit("it cannot be measured")
session.Session = breaks_off
sys.argv = ["run-bench", "--directory", {str(tmp_path / "run")!r}, "--data", {str(old)!r},
            "--results", {str(tmp_path / "pages")!r}]
runpy.run_path({str(ROOT / "bench/run-bench")!r}, run_name="__main__")
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True,
                          stdin=subprocess.DEVNULL)
    assert done.returncode == 1 and "nothing has been measured" in done.stderr
    assert not old.exists() and not (tmp_path / "pages").exists()

