"""tests/STANDARDS.md and tests/SERVICE.md name tests that are there."""

import pathlib
import re

import pytest

TESTS = pathlib.Path(__file__).resolve().parents[1]
NAMED = re.compile(r"`([a-z_]+/[a-z0-9_/-]+?)(?:: ([a-z0-9_]+))?`")


def named(document):
    """(file, test or "") of every proof that a table gives."""
    for line in (TESTS / document).read_text().splitlines():
        cells = line.split("|")
        if len(cells) < 4 or line.startswith("|---"):
            continue
        yield from NAMED.findall(cells[-2])


def is_there(file, test):
    if file.startswith("smtp/transcripts/"):
        return (TESTS / f"{file}.smtp").exists()
    for path, form in ((TESTS / f"{file}.c", rf"^static void {test}\("),
                       (TESTS / f"{file}.py", rf"^def {test}\(")):
        if path.exists():
            return re.search(form, path.read_text(), re.MULTILINE) is not None
    return False


@pytest.mark.parametrize("document", ["STANDARDS.md", "SERVICE.md"])
def test_every_test_that_stands_for_a_feature_exists(document):
    proofs = list(named(document))
    assert len(proofs) > 100
    assert [f"{file}: {test}" for file, test in proofs if not is_there(file, test)] == []


def test_every_feature_has_a_proof_or_says_that_it_has_none():
    rows = [line for line in (TESTS / "STANDARDS.md").read_text().splitlines()
            if line.startswith("| ") and not line.startswith(("| RFC", "| what", "| case"))]
    assert [row for row in rows if not NAMED.search(row.split("|")[-2]) and "not there yet" not in row] == []
