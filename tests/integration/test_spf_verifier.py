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
    "a single label has no policy": (
        "pass", "4.3: not a multi-label domain name: check_host() immediately returns the result none"),
    "an EHLO of one label has none": ("pass", "4.3, the same"),
    "a sender without local part is postmaster": (
        "fail l=postmaster s=@exp.example.com o=exp.example.com",
        "4.3: if the sender has no local-part, substitute the string postmaster for the local-part"),
    "a sender that is a domain is postmaster there": (
        "fail l=postmaster s=exp.example.com o=exp.example.com", "4.3, the same"),
    "the last at sign counts": ("none", "RFC 5321 4.1.2: a domain holds no at sign, a local part may"),
    "an unknown modifier may be there twice": (
        "permerror", "6: redirect and exp must not appear more than once; others MUST be ignored"),
    "no answer about the address matches nothing": (
        "temperror", "5.5: a DNS error while doing the PTR RR lookup: this mechanism fails to match"),
    "no answer about one of its names skips that one": (
        "temperror", "5.5: a DNS error while doing an A RR lookup: that domain name is skipped"),
    "no parts at all are an error": ("fail", "7.3: if a DIGIT is specified, the value MUST be nonzero"),
    "what is too long loses labels on its left": (
        "fail", "7.3: removing successive domain labels until the total length does not exceed 253"),
    "the three escapes": ("fail", "7.1: %% is a macro-expand wherever it stands, also at the end"),
    "letters and transformers in upper case": ("fail", "RFC 5234 2.3: ABNF strings are case insensitive"),
    "one r is enough": ("fail", '7.1: transformers = *DIGIT [ "r" ]'),
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
    """(result, explanation, whether it found too little) of pyspf; its explanation is else "DEFAULT"."""

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
    shown = "" if result != "fail" or explanation == "DEFAULT" else explanation
    return result, shown, "Void lookup limit" in explanation or "trivial recursion" in explanation


def ours(spf_many, path):
    out = subprocess.run([spf_many, str(path)], stdout=subprocess.PIPE, text=True, check=True).stdout
    return [line.split("|", 3)[1:] for line in out.splitlines()]


def test_another_implementation_comes_to_the_same(spf_many):
    cases = parse(CASES.read_text())
    answers = ours(spf_many, CASES)
    assert len(answers) == len(cases) > 200
    different = {}
    for (zone, (what, sender, helo, address, result, _)), (our_result, our_text, _) in zip(cases, answers):
        their_result, their_text, _ = theirs(zone, sender, helo, address)
        assert our_result == result, what
        if (our_result, our_text.lower()) != (their_result, their_text.lower()):
            different[what] = f"{their_result} {their_text}".strip()
    assert different == {what: said for what, (said, _) in OTHERWISE.items()}


# ---- made up ----

HOSTS = [f"{host}.example.{top}" for host in ("a", "b", "mx.a", "c-d") for top in ("com", "org")] + [
    "example.com", "deep.er.a.example.com"]
ADDRESSES = ("192.0.2.1", "192.0.2.2", "198.51.100.7", "2001:db8::1", "2001:db8:0:1::2")
SPECS = ("%{d}", "%{o2}", "%{i}.%{d}", "%{ir}.%{v}.example.com", "%{l1r-}.a.example.com", "%{h}",
         "%{p}.example.com", "%{L}.%{d1r}.example.com", "x.%{d2}", "foo..example.com", "museum", "%{z}",
         "a%b.example.com", "%{d}.", "%%.example.com", "1.2.3.4", "", "%{s+}.example.org", "%{d3r}.com")


def make_name(rng):
    return rng.choice(HOSTS) if rng.random() < 0.75 else rng.choice(SPECS)


def make_length(rng):
    return rng.choice(["", "", "", "/24", "/16//48", "//64", "/33", "//129", "/", "/08", "/0"])


def make_term(rng):
    kind = rng.randrange(12)
    if kind < 2:
        return rng.choice("+-~?") + "all"
    qualifier = rng.choice(["", "", "", "-", "~", "?", "+"])
    if kind == 2:
        length = rng.choice(["", "", "/24", "/32", "/33", "//3", "/0"])
        return f"{qualifier}ip4:{rng.choice(ADDRESSES[:3])}{length}"
    if kind == 3:
        length = rng.choice(["", "", "/64", "/128", "/129", "/0"])
        return f"{qualifier}ip6:{rng.choice(ADDRESSES[3:])}{length}"
    if kind < 7:
        name = rng.choice(["", ":" + make_name(rng)])
        return qualifier + rng.choice(["a", "mx", "A", "Mx"]) + name + make_length(rng)
    if kind == 7:
        return qualifier + "ptr" + rng.choice(["", ":" + make_name(rng), ":example.org"])
    if kind == 8:
        return f"{qualifier}exists:{make_name(rng)}"
    if kind == 9:
        return f"{qualifier}include:{make_name(rng)}"
    return rng.choice(["redirect=" + make_name(rng), "exp=" + make_name(rng), f"x{rng.random()}=%{{d}}",
                       "foo=%(", "moo", "all:x"])


def make_zone(rng):
    lines = []
    for name in HOSTS:
        if rng.random() < 0.05:
            lines.append(f"{name} FAIL {rng.choice(['TXT', 'MX'])}")
        if rng.random() < 0.85:
            terms = " ".join(make_term(rng) for _ in range(rng.randrange(1, 5)))
            lines.append(f'{name} TXT "v=spf1 {terms}"')
        if rng.random() < 0.03:
            lines.append(f'{name} TXT "v=spf1 -all"')
        lines += [f"{name} {'AAAA' if ':' in ip else 'A'} {ip}" for ip in ADDRESSES if rng.random() < 0.4]
        lines += [f"{name} MX {10 + n} {rng.choice(HOSTS)}" for n in range(rng.randrange(3))]
    for ip in ADDRESSES:
        reverse = ipaddress.ip_address(ip).reverse_pointer
        lines += [f"{reverse} PTR {host}" for host in rng.sample(HOSTS, rng.randrange(4))]
    return lines


def test_what_is_made_up_comes_to_the_same(spf_many, tmp_path):
    rng = random.Random(7208)
    text = []
    for number in range(MADE_UP):
        if number % 4 == 0:
            text += [f"zone {number}", *make_zone(rng)]
        sender = rng.choice(["foo", "a-b", "x+y.z"]) + "@" + rng.choice(HOSTS)
        text.append(f"case {number} | {sender} | {rng.choice(HOSTS)} | {rng.choice(ADDRESSES)} | any")
    (tmp_path / "cases").write_text("\n".join(text) + "\n")
    answers = ours(spf_many, tmp_path / "cases")
    results, apart = set(), 0
    for (zone, (what, sender, helo, address, *_)), (result, _, why) in zip(
            parse("\n".join(text)), answers, strict=True):
        their_result, _, is_their_limit = theirs(zone, sender, helo, address)
        results.add(result)
        # It asks about all hosts of an "mx" before it looks at the first, and anew for each "ptr": the limit
        # of questions that find nothing comes earlier. It refuses "include" of oneself without trying.
        if is_their_limit and result != their_result:
            apart += 1
            continue
        assert result == their_result, (what, sender, address, why)
    assert apart < MADE_UP / 50
    assert results == {"pass", "fail", "softfail", "neutral", "none", "temperror", "permerror"}
