"""Faults that are planted on purpose go with the sources: each still changes the file it names."""

import pathlib
import re
import subprocess

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
MUTANTS = sorted((ROOT / "tests/sim/mutants.d").glob("*.sed"))


def test_there_are_mutants():
    assert MUTANTS


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda path: path.stem)
def test_a_mutant_changes_its_source(mutant):
    text = mutant.read_text()
    source = ROOT / re.search(r"^#file (\S+)$", text, re.MULTILINE)[1]
    assert re.search(r"^#why \S", text, re.MULTILINE)
    changed = subprocess.run(["sed", "-E", "-f", mutant, source], capture_output=True, check=True)
    assert changed.stdout != source.read_bytes()
