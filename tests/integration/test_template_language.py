"""Conditions, loops and blocks of random templates, against an evaluator of their own in Python.

Templates are lists of tokens; Python runs the tokens, the product runs their source, in every charset and
encoding, and the email package reads what it sent. Signatures of all are verified by dkimpy.
"""

import email
import email.header
import html
import os
import random
import re
import subprocess

import dkim
import pytest

from test_message_roundtrip import Cases, decoded, find_driver

COUNT = int(os.environ.get("MESSAGE_CASES", "400")) // 2
COLUMNS = ["name", "note", "age", "tags", "rows"]
JAPANESE = "日本語かなカナ漢字、。"
WIDE = JAPANESE + "öß€😀①髙"
PLAIN = "abc xyz.,-=?_%+;:!. "


# ---- values ----

def varint(number):
    out = bytearray()
    while number >= 0x80:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    out.append(number)
    return bytes(out)


def pack(value):
    """As src/message/list_value.h says."""
    if isinstance(value, list):
        packed = [pack(item) for item in value]
        return b"\xfd" + b"".join(varint(len(p)) + p for p in packed)
    if isinstance(value, dict):
        packed = [part for key, item in value.items() for part in (key.encode(), pack(item))]
        return b"\xfe" + b"".join(varint(len(p)) + p for p in packed)
    return value.encode()


def words(rng, alphabet, most):
    text = "".join(rng.choice(alphabet) for _ in range(rng.randrange(most)))
    return rng.choice(["", text, text, ".", ".x", "From ", "a" * 80]) if most > 20 else text


def make_values(rng, alphabet):
    tags = [words(rng, alphabet, 8) for _ in range(rng.randrange(4))]
    rows = [{"title": words(rng, alphabet, 10), "tags": tags[:rng.randrange(3)]}
            for _ in range(rng.randrange(4))]
    return {"name": rng.choice(["", "x", "Ann", words(rng, alphabet, 30)]),
            "note": words(rng, alphabet, 40) + rng.choice(["", "\n.\n", "\nb"]),
            "age": rng.choice(["", "5", "20", "1,200", "-3.5", "many"]),
            "tags": tags, "rows": rows}


def number(text):
    found = re.fullmatch(r"[+-]?(\d+|\d{1,3}(,\d{3})+)(\.\d+)?", text)
    return float(text.replace(",", "")) if found else None


# ---- conditions: (source, evaluation) ----

def make_test(rng):
    kind = rng.randrange(6)
    field = rng.choice(["name", "note", "age", "tags"])
    if kind == 0:
        return field, lambda v: bool(v[field])
    if kind == 1:
        return f"{field} empty", lambda v: not v[field]
    if kind == 2:
        sign = rng.choice(["=", "!=", "<", "<=", ">", ">="])
        right = rng.choice([0, 5, 20, -3.5, 1200])

        def compare(v):
            left = number(v["age"])
            if left is None:
                return sign == "!="
            return {"=": left == right, "!=": left != right, "<": left < right, "<=": left <= right,
                    ">": left > right, ">=": left >= right}[sign]
        return f"age {sign} {right}", compare
    if kind == 3:
        sign = rng.choice(["=", "!=", "<", ">"])
        right = rng.choice(["x", "Ann", "", "日"])
        return f'name {sign} "{right}"', lambda v: {
            "=": v["name"] == right, "!=": v["name"] != right, "<": v["name"].encode() < right.encode(),
            ">": v["name"].encode() > right.encode()}[sign]
    if kind == 4:
        return 'tags contains "a"', lambda v: "a" in v["tags"]
    return 'name|upper contains "N"', lambda v: "N" in v["name"].upper()


def make_condition(rng, depth=0):
    kind = rng.randrange(6) if depth < 3 else 0
    if kind < 3:
        return make_test(rng)
    left, left_run = make_condition(rng, depth + 1)
    if kind == 3:
        return f"not ({left})", lambda v: not left_run(v)
    right, right_run = make_condition(rng, depth + 1)
    if kind == 4:
        return f"({left}) and ({right})", lambda v: left_run(v) and right_run(v)
    return f"({left} or {right})" if "and" not in left + right else f"({left}) or ({right})", \
        lambda v: left_run(v) or right_run(v)


# ---- templates ----

def make_text(rng, alphabet, lines):
    parts = []
    for _ in range(rng.randrange(1, 4)):
        parts.append(rng.choice(["", "", " ", words(rng, alphabet + PLAIN, 30), ".", "From "]))
        parts.append(rng.choice(["\n", "\n", " \n ", ""]) if lines else "")
    return "".join(parts)


def make_tokens(rng, alphabet, lines, depth=0, item=()):
    tokens = []
    for _ in range(rng.randrange(1, 5)):
        tokens.append(("text", make_text(rng, alphabet, lines)))
        kind = rng.randrange(10) if depth < 3 else 0
        if kind < 4:
            tokens.append(("field", rng.choice(["name", "age", *item] if not lines else
                                               ["name", "note", "age", *item])))
        elif kind < 7:
            source, run = make_condition(rng)
            tokens.append(("if", "#if " + source, run))
            tokens += make_tokens(rng, alphabet, lines, depth + 1, item)
            if rng.random() < 0.4:
                source, run = make_condition(rng)
                tokens.append(("elif", "#elif " + source, run))
                tokens += make_tokens(rng, alphabet, lines, depth + 1, item)
            if rng.random() < 0.5:
                tokens.append(("else", "#else"))
                tokens += make_tokens(rng, alphabet, lines, depth + 1, item)
            tokens.append(("end", "/if"))
        elif kind < 9 and lines and depth < 2:
            of_rows = rng.random() < 0.5
            name = f"l{depth}"
            tokens.append(("each", f"#each {'rows' if of_rows else 'tags'} as {name}",
                           "rows" if of_rows else "tags", name))
            inner = (name + ".title",) if of_rows else (name, "this")
            tokens += make_tokens(rng, alphabet, lines, depth + 1,
                                  (*[i for i in item if i != "this"], *inner, "_index"))
            if rng.random() < 0.3:
                tokens.append(("else", "#else"))
                tokens += make_tokens(rng, alphabet, lines, depth + 1, item)
            tokens.append(("end", "/each"))
    return tokens


def merged(tokens):
    out = []
    for token in tokens:
        if token[0] == "text" and out and out[-1][0] == "text":
            out[-1] = ("text", out[-1][1] + token[1])
        elif token[0] != "text" or token[1]:
            out.append(token)
    return out


def source_of(tokens):
    return "".join(t[1] if t[0] == "text" else "{{" + t[1] + "}}" for t in tokens)


def without_lonely_lines(tokens):
    """A tag alone on its line takes the line with it."""
    texts = [t[1] if t[0] == "text" else None for t in tokens]
    front = [0] * len(tokens)
    back = [0] * len(tokens)
    for i, token in enumerate(tokens):
        if token[0] in ("text", "field"):
            continue
        before = texts[i - 1] if i > 0 else ""
        after = texts[i + 1] if i + 1 < len(tokens) else ""
        if before is None or after is None:
            continue
        left = re.search(r"(^|\n)([ \t]*)\Z" if i <= 1 else r"(\n)([ \t]*)\Z", before)
        right = re.match(r"[ \t]*(\n|\Z)" if i + 2 >= len(tokens) else r"[ \t]*\n", after)
        if left and right:
            if i > 0:
                back[i - 1] = len(left[2])
            if i + 1 < len(tokens):
                front[i + 1] = right.end()
    return [("text", t[1][front[i]:max(front[i], len(t[1]) - back[i])]) if t[0] == "text" else t
            for i, t in enumerate(tokens)]


def clauses(tokens, at):
    """[(heading token, its tokens)...] of what opens at `at`, and where it ends."""
    found = []
    head, start, depth = tokens[at], at + 1, 0
    for i in range(at + 1, len(tokens)):
        kind = tokens[i][0]
        if kind in ("if", "each"):
            depth += 1
        elif kind == "end" and depth > 0:
            depth -= 1
        elif kind in ("elif", "else", "end") and depth == 0:
            found.append((head, tokens[start:i]))
            head, start = tokens[i], i + 1
            if kind == "end":
                return found, i
    raise AssertionError("no end")


def run(tokens, values, escape, scope):
    out, at = "", 0
    while at < len(tokens):
        token = tokens[at]
        if token[0] == "text":
            out += token[1]
        elif token[0] == "field":
            name, _, member = token[1].partition(".")
            value = scope.get(name, values.get(name))
            out += escape(value[member] if member else value)
        elif token[0] == "if":
            parts, at = clauses(tokens, at)
            for head, inner in parts:
                if head[0] == "else" or head[2](values):
                    out += run(inner, values, escape, scope)
                    break
        else:
            parts, at = clauses(tokens, at)
            for index, item in enumerate(values[token[2]]):
                inner = {**scope, token[3]: item, "this": item, "_index": str(index + 1)}
                out += run(parts[0][1], values, escape, inner)
            if not values[token[2]] and len(parts) > 1:
                out += run(parts[1][1], values, escape, scope)
        at += 1
    return out


def escape_html(value):
    return html.escape(value).replace("&#x27;", "&#39;")


# ---- cases ----

def make_case(rng, cases, index):
    japanese = index % 4 == 3
    alphabet = JAPANESE if japanese else rng.choice([WIDE, PLAIN])
    values = make_values(rng, alphabet)
    end = [("text", ".")]
    text = merged(make_tokens(rng, alphabet, True) + end)
    page = merged(make_tokens(rng, alphabet, True) + end)
    subject = merged([("text", "s")] + make_tokens(rng, alphabet, False) + end)
    if "\n" in values["note"]:
        subject = [t for t in subject if t != ("field", "note")]
    cases.put("reset")
    for name in COLUMNS:
        cases.put("column", name)
    cases.put("charset", "japanese" if japanese else "utf-8")
    cases.put("encoding", rng.choice(["auto", "8bit"]))
    cases.put("eightbit", rng.choice("01"))
    cases.put("headers", "From: info@example.jp\nSubject: " + source_of(subject) + "\n")
    cases.put("text", source_of(text))
    cases.put("html", source_of(page))
    cases.put("address", "taro@example.net")
    for name in COLUMNS:
        cases.put("value", pack(values[name]) if values[name] else b"")
    cases.put("token", f"t{index}")
    cases.put("date-ms", str(1_700_000_000_000 + index * 1000))
    cases.put("compose", str(index))
    return {"text": run(without_lonely_lines(text), values, str, {}),
            "html": run(without_lonely_lines(page), values, escape_html, {}),
            "subject": run(subject, values, str, {})}


@pytest.fixture(scope="module")
def composed(tmp_path_factory):
    folder = tmp_path_factory.mktemp("composed")
    rng = random.Random(int(os.environ.get("MESSAGE_SEED", "11")))
    cases = Cases()
    expected = [make_case(rng, cases, index) for index in range(COUNT)]
    (folder / "cases").write_bytes(cases.data)
    (folder / "out").mkdir()
    subprocess.run([find_driver(), folder / "cases", folder / "out"], check=True)
    return folder / "out", expected


def each(composed):
    folder, expected = composed
    for index, case in enumerate(expected):
        path = folder / f"{index}.eml"
        if path.exists():
            yield index, case, path.read_bytes()


def test_what_is_refused_has_a_reason(composed):
    folder, expected = composed
    refused = [(folder / f"{n}.err").read_text() for n in range(len(expected))
               if (folder / f"{n}.err").exists()]
    for text in refused:
        assert "998 octets" in text or "begin with a dot" in text, text
    assert len(refused) < len(expected) // 20


def test_texts_are_what_the_language_says(composed):
    seen = 0
    for index, case, message in each(composed):
        parts = [p for p in email.message_from_bytes(message).walk() if not p.is_multipart()]
        assert decoded(parts[0]).rstrip("\n") == case["text"].rstrip("\n"), index
        assert decoded(parts[1]).rstrip("\n") == case["html"].rstrip("\n"), index
        seen += 1
    assert seen > COUNT // 2


def test_subjects_are_what_the_language_says(composed):
    for index, case, message in each(composed):
        got = str(email.header.make_header(email.header.decode_header(
            re.sub(r"\r?\n", "", email.message_from_bytes(message)["Subject"]))))
        assert got.strip(" \t") == case["subject"].strip(" \t"), index


def test_lines_are_short_and_safe(composed):
    for index, _, message in each(composed):
        assert b"\n" not in message.replace(b"\r\n", b""), index
        assert max(map(len, message.split(b"\r\n"))) <= 998, index
        for part in email.message_from_bytes(message).walk():
            if part.get("Content-Transfer-Encoding") == "quoted-printable":
                for line in re.split(r"\r?\n", part.get_payload()):
                    assert len(line) <= 76 and not line.startswith((".", "From ")), (index, line)
                    assert not line.endswith((" ", "\t")), (index, line)


def test_signatures_verify(composed):
    folder, _ = composed
    records = dict(line.split(" ", 1) for line in (folder / "dns").read_text().splitlines())

    def dns(name, timeout=5):
        return records[name.decode() if isinstance(name, bytes) else name].encode()

    for index, _, message in each(composed):
        assert dkim.DKIM(message).verify(idx=0, dnsfunc=dns), index
