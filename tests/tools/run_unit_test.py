"""What tests/run-unit counts, with programs that print what cmocka prints."""

import pathlib
import subprocess

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
GOOD = "1..2\nok 1 - a\nok 2 - b\n"


def run_unit(folder, programs):
    """Programs take the names of real tests: one without a source is left out."""
    for name, (output, code) in programs.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"#!/bin/sh\ncat <<'END'\n{output}END\n{code}\n")
        path.chmod(0o755)
    return subprocess.run([ROOT / "tests/run-unit", folder], capture_output=True, text=True,
                          stdin=subprocess.DEVNULL)


@pytest.mark.parametrize("output, code, passed, failed", [
    (GOOD, "", 2, 0),
    (GOOD + "1..1\nok 1 - c\n", "", 3, 0),
    ("1..2\nok 1 - a\nnot ok 2 - b broke\n", "exit 1", 1, 1),
    ("1..2\nok 1 - a\nnot ok 2 # SKIP b\n", "", 1, 0),
    ("1..2\nok 1 - a\n", "kill -SEGV $$", 1, 1),
    ("1..2\nok 1 - a\n", "", 1, 1),
    (GOOD, "exit 1", 2, 1),
    ("", "", 0, 1),
    ("1..2\nok 1 - a\n" + "ok 1 - a\nok 2 - b\n", "", 2, 0),
], ids=["all-pass", "two-groups", "one-fails", "one-skipped", "crash", "plan-not-finished",
        "error-at-the-end", "no-tests", "lines-of-a-forked-child"])
def test_counts_are_what_the_program_did(tmp_path, output, code, passed, failed):
    result = run_unit(tmp_path, {"base/csv_test": (output, code)})
    assert result.stdout.splitlines()[-1] == f"unit: {passed} passed, {failed} failed"
    assert result.returncode == (1 if failed else 0)


def test_sums_cover_all_programs_and_failures_show_their_output(tmp_path):
    result = run_unit(tmp_path, {
        "base/csv_test": (GOOD, ""),
        "smtp/reply_test": ("1..1\nnot ok 1 - x\n# what went wrong\n", "exit 1"),
        "smtp/removed_long_ago_test": (GOOD, "exit 1"),
    })
    assert result.stdout.splitlines()[-1] == "unit: 2 passed, 1 failed"
    assert "    # what went wrong" in result.stdout.splitlines()
    assert result.returncode == 1


def test_a_folder_without_programs_does_not_pass(tmp_path):
    assert run_unit(tmp_path, {}).returncode != 0
