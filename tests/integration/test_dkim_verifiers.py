"""Messages signed by the product are verified by three programs that share no code with it or with
each other: dkimpy, Mail::DKIM and OpenDKIM (libopendkim). None of them asks the real DNS."""

import os
import pathlib
import random
import re
import subprocess

import dkim
import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
MAIL_DKIM = ROOT / "tests/integration/dkim_verify/mail_dkim.pl"
SIGN_MANY = ROOT / "build/host/tests/dkim/sign_many"
COUNT = 2400
SEED = 20261125
SAMPLE = 150  # messages that faults are planted in


@pytest.fixture(scope="module")
def signed(tmp_path_factory):
    """Folder with COUNT messages, keys.txt and what the verifiers need of it. SIGN_MANY in the
    environment names a generator that was built otherwise (static, with sanitizers)."""
    generator = os.environ.get("SIGN_MANY")
    if not generator:
        generator = str(SIGN_MANY)
        subprocess.run(["make", "-s", "VARIANT=host", str(SIGN_MANY.relative_to(ROOT))],
                       cwd=ROOT, check=True)
    folder = tmp_path_factory.mktemp("dkim")
    subprocess.run([generator, str(folder), str(COUNT), str(SEED)], check=True)
    records = dict(line.split("\t") for line in (folder / "keys.txt").read_text().splitlines())
    (folder / "opendkim.keys").write_text("".join(f"{n} {r}\n" for n, r in records.items()))
    (folder / "opendkim.conf").write_text(
        f"Mode v\nSyslog no\nTestPublicKeys {folder}/opendkim.keys\n")
    messages = {path.stem: path.read_bytes() for path in sorted(folder.glob("*.eml"))}
    assert len(messages) == COUNT
    return Signed(folder, records, messages)


class Signed:
    def __init__(self, folder, records, messages):
        self.folder = folder
        self.records = records
        self.messages = messages


def split_fields(message):
    """Header fields with their folds and line ends, and the body with the empty line before it."""
    header, _, body = message.partition(b"\r\n\r\n")
    return re.findall(rb"[^\r\n]+\r\n(?:[ \t][^\r\n]*\r\n)*", header + b"\r\n"), b"\r\n" + body


def is_signature(field):
    return field.lower().startswith(b"dkim-signature:")


def one_signature_each(name, message):
    """A message with two signatures becomes two messages with one, since some verifiers are content
    when any signature is good. A signature does not cover the other one."""
    fields, body = split_fields(message)
    signatures = [field for field in fields if is_signature(field)]
    rest = [field for field in fields if not is_signature(field)]
    for number, signature in enumerate(signatures):
        kind = "rsa" if b"a=rsa-sha256" in signature else "ed25519"
        yield f"{name}-{number}-{kind}", b"".join([signature, *rest]) + body


# Each verifier: {file stem: bytes} -> {file stem: True, False, or None where it cannot judge}.

def with_dkimpy(signed, messages, folder):
    def lookup(name, timeout=5):
        return signed.records.get(name.decode().rstrip(".").lower(), "").encode()

    def good(message):
        try:
            return dkim.verify(message, dnsfunc=lookup)
        except dkim.DKIMException:
            return False

    return {name: good(message) for name, message in messages.items()}


def with_mail_dkim(signed, messages, folder):
    listing = "".join(f"{name}.eml\n" for name in messages)
    run = subprocess.run(["/usr/bin/perl", str(MAIL_DKIM), str(signed.folder / "keys.txt")],
                         input=listing, cwd=folder, capture_output=True, text=True, check=True)
    results = dict(line.split("\t") for line in run.stdout.splitlines())
    assert len(results) == len(messages), run.stderr
    meaning = {"pass": True, "unsupported": None}
    return {name: meaning.get(results[f"{name}.eml"], False) for name in messages}


def with_opendkim(signed, messages, folder):
    names = list(messages)
    results = {}
    for at in range(0, len(names), 400):
        files = ",".join(f"{name}.eml" for name in names[at:at + 400])
        run = subprocess.run(
            ["/usr/sbin/opendkim", "-x", str(signed.folder / "opendkim.conf"), "-v", "-t", files],
            cwd=folder, capture_output=True, text=True)
        for line in (run.stdout + run.stderr).splitlines():
            match = re.match(r"opendkim: (\S+)\.eml: verification \(.*\) (succeeded|failed)", line)
            if match:
                results[match[1]] = match[2] == "succeeded"
    assert results.keys() == messages.keys(), "OpenDKIM judges every message"
    return results


VERIFIERS = {"dkimpy": with_dkimpy, "Mail::DKIM": with_mail_dkim, "OpenDKIM": with_opendkim}


def judge(signed, messages, folder):
    folder.mkdir(exist_ok=True)
    for name, message in messages.items():
        (folder / f"{name}.eml").write_bytes(message)
    return {verifier: verify(signed, messages, folder) for verifier, verify in VERIFIERS.items()}


def test_every_signature_verifies_with_three_foreign_verifiers(signed, tmp_path, capsys):
    singles = {}
    for name, message in signed.messages.items():
        singles.update(one_signature_each(name, message))
    results = judge(signed, singles, tmp_path / "good")
    assert [name for verdicts in results.values() for name, verdict in verdicts.items()
            if verdict is False] == []
    counts = {}
    for verifier, verdicts in results.items():
        verified = {name.partition("-")[0] for name, verdict in verdicts.items() if verdict}
        counts[verifier] = len(verified)
        unable = {name.rpartition("-")[2] for name, verdict in verdicts.items() if verdict is None}
        assert unable <= {"ed25519"}, "only Ed25519 may be unknown to a verifier"
        with capsys.disabled():
            by_kind = {kind: sum(1 for name, verdict in verdicts.items()
                                 if verdict and name.endswith(kind)) for kind in ("rsa", "ed25519")}
            print(f"\n{verifier}: {by_kind['rsa']} RSA and {by_kind['ed25519']} Ed25519 signatures"
                  + (" (this version does not know Ed25519)" if unable else ""), end="")
    with capsys.disabled():
        print("\nverified by " + ", ".join(f"{name} {count}" for name, count in counts.items()))
    # Each message of the generator carries at least one RSA signature.
    assert counts == dict.fromkeys(VERIFIERS, COUNT)


def test_both_signatures_of_one_message_verify_side_by_side(signed):
    def lookup(name, timeout=5):
        return signed.records.get(name.decode().rstrip(".").lower(), "").encode()

    doubles = [message for message in signed.messages.values()
               if sum(map(is_signature, split_fields(message)[0])) == 2]
    assert len(doubles) > COUNT // 4
    for message in doubles[:300]:
        for index in range(2):
            assert dkim.DKIM(message).verify(idx=index, dnsfunc=lookup)


def change_byte(text, at):
    return text[:at] + bytes([text[at] ^ 1]) + text[at + 1:]


def fault_in_body(fields, body, pick):
    letters = [at for at, byte in enumerate(body) if chr(byte).isalnum()]
    if not letters:
        return fields, body + b"x\r\n"
    return fields, change_byte(body, pick.choice(letters))


def fault_in_signed_field(fields, body, pick):
    at = next(i for i, field in enumerate(fields) if field.lower().startswith(b"from:"))
    letter = pick.randrange(fields[at].index(b"news@"), fields[at].index(b"@"))
    return [*fields[:at], change_byte(fields[at], letter), *fields[at + 1:]], body


def fault_in_timestamp(fields, body, pick):
    return [re.sub(rb"t=1700000000", b"t=1700000001", field) for field in fields], body


def fault_from_above(fields, body, pick):
    return [b"From: Evil <evil@news.example>\r\n", *fields], body


def fault_from_below(fields, body, pick):
    return [*fields, b"from: Evil <evil@news.example>\r\n"], body


def fault_added_subject(fields, body, pick):
    return [b"Subject: another\r\n", *fields], body


FAULTS = [fault_in_body, fault_in_signed_field, fault_in_timestamp, fault_from_above,
          fault_from_below, fault_added_subject]


@pytest.mark.parametrize("fault", FAULTS)
def test_a_planted_fault_makes_all_verifiers_fail(signed, tmp_path, fault):
    pick = random.Random(SEED)
    singles = {}
    for name in pick.sample(sorted(signed.messages), SAMPLE):
        singles.update(one_signature_each(name, signed.messages[name]))
    broken = {}
    for name, message in singles.items():
        fields, body = fault(*split_fields(message), pick)
        broken[name] = b"".join(fields) + body
        assert broken[name] != message
    for verifier, verdicts in judge(signed, broken, tmp_path / "broken").items():
        assert [name for name, verdict in verdicts.items() if verdict] == [], verifier
        assert sum(verdict is False for verdict in verdicts.values()) >= SAMPLE
