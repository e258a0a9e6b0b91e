"""SPF beside another implementation, pyspf: the cases of tests/dns/spf_cases.txt, and records and zones made
up from a seed. Both see the same zones; neither asks a network."""

import ipaddress
import os
import pathlib
import random
import re
import subprocess

import pytest
import spf

ROOT = pathlib.Path(__file__).resolve().parents[2]
CASES = ROOT / "tests/dns/spf_cases.txt"
SPF_MANY = ROOT / "build/host/tests/dns/spf_many"
MADE_UP = 3000

# Where pyspf does something else, and the words of RFC 7208 that decide.
OTHERWISE = {
}


@pytest.fixture(scope="module")
def spf_many():
    program = os.environ.get("SPF_MANY")
    if not program:
        program = str(SPF_MANY)
        subprocess.run(["make", "-s", "VARIANT=host", str(SPF_MANY.relative_to(ROOT))], cwd=ROOT, check=True)
    return program


def strings(text):
    """The strings of a TXT as bytes."""
    return tuple(re.sub(rb"\\x(..)", lambda hexed: bytes([int(hexed[1], 16)]), part.encode())
                 for part in re.findall(r'"([^"]*)"', text))


def parse(text):
    """Cases, each with the zone that it goes by: name -> [(type, value)]."""
    zone, cases = {}, []
    for line in text.splitlines():
        if not line or line.startswith("#"):
            continue
        if line.startswith("zone "):
            zone = {}
        elif line.startswith("case "):
            fields = [field.strip() for field in line[5:].split("|")] + [""]
            cases.append((zone, fields[:6]))
        else:
            name, kind, *rest = line.split(" ", 2)
            value = rest[0] if rest else ""
            if kind == "TXT":
                value = strings(value)
            elif kind == "MX":
                value = (int(value.split()[0]), value.split()[1])
            elif kind == "AAAA":
                value = ipaddress.IPv6Address(value).packed
            zone.setdefault(name.lower(), []).append((kind, value))
    return cases


def theirs(zone, sender, helo, address):
    """(result, explanation) of pyspf; without an explanation it gives "DEFAULT"."""

    def look_up(name, kind, *_):
        for known, value in zone.get(name.lower().rstrip("."), []):
            if known == "FAIL" and value in ("", kind):
                raise spf.TempError("no answer")
            if known == kind:
                yield (name, kind), value

    spf.DNSLookup = look_up
    asked = spf.query(address, sender, helo, receiver="unknown", strict=True)
    asked.set_default_explanation("DEFAULT")
    result, _, explanation = asked.check()
    return result, "" if result != "fail" or explanation == "DEFAULT" else explanation


def ours(spf_many, path):
    out = subprocess.run([spf_many, str(path)], stdout=subprocess.PIPE, text=True, check=True).stdout
    return [line.split("|", 3)[1:] for line in out.splitlines()]


def test_another_implementation_comes_to_the_same(spf_many):
    cases = parse(CASES.read_text())
    answers = ours(spf_many, CASES)
    assert len(answers) == len(cases) > 200
    different = {}
    for (zone, (what, sender, helo, address, result, _)), (our_result, our_text, _) in zip(cases, answers):
        their_result, their_text = theirs(zone, sender, helo, address)
        assert our_result == result, what
        if (our_result, our_text.lower()) != (their_result, their_text.lower()):
            different[what] = f"{their_result} {their_text}".strip()
    assert different == {what: said for what, (said, _) in OTHERWISE.items()}
