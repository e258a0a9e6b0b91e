"""Messages composed from random templates and values, read back by Python's email package.

The cases are made here, composed by tests/message/compose_many.c, and compared with what a plain
substitution in Python gives. dkimpy verifies both signatures of each message.
"""

import email
import email.policy
import html
import os
import pathlib
import random
import re
import subprocess
import urllib.parse

import dkim
import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
COUNT = int(os.environ.get("MESSAGE_CASES", "400"))
COLUMNS = ["name", "note", "link"]
JAPANESE = "日本語かなカナ漢字、。特別なお知らせ会員様〜ー（株）ΑБ"
LATIN = "abc xyz.,-=?_<>&\"'%{}+;:!"
WIDE = JAPANESE + "öüéß€😀👨‍👩‍👧𠮷①髙" + LATIN
HOSTILE = [".", "..", ".\n.", "From ", "From x\nFrom y", "=", "==?utf-8?q?x?=", "=?UTF-8?B?YQ==?=",
           "--", "\n", "\r\n.\r\n", "\r", " ", "\t", "  end  ", "<script>", "&amp;", "{{name}}",
           "a" * 100, "a" * 3000, "x" * 75, "x" * 76, "x" * 77]


def find_driver():
    folder = pathlib.Path(os.environ.get("MESSAGE_BUILD", ROOT / "build" / "host"))
    if "MESSAGE_BUILD" not in os.environ:
        subprocess.run(["make", "-s", "-C", ROOT, "build/host/tests/message/compose_many"],
                       check=True)
        return folder / "tests" / "message" / "compose_many"
    return folder / "compose_many"


def random_text(rng, alphabet, most, lines):
    parts = []
    for _ in range(rng.randrange(0, 6)):
        if rng.random() < 0.25:
            piece = rng.choice(HOSTILE)
        else:
            piece = "".join(rng.choice(alphabet) for _ in range(rng.randrange(0, most)))
        parts.append(piece)
    text = "".join(parts)
    if not lines:
        text = re.sub(r"[\r\n]", " ", text)
    return text


def random_template(rng, alphabet, lines, fields):
    """A list of ("text", literal) and ("field", name, filter)."""
    pieces = []
    for _ in range(rng.randrange(1, 9)):
        literal = lines_of(random_text(rng, alphabet, 60, lines))
        if not lines:
            # Encoded words in a template's own header fields are decoded; values never are.
            literal = literal.replace("=?", "")
        pieces.append(("text", re.sub("{{+|{$", "", literal)))
        if fields and rng.random() < 0.7:
            name = rng.choice(COLUMNS)
            pieces.append(("field", name, rng.choice(["", "", "", "upper", "default"])))
    return pieces


def source_of(pieces):
    out = ""
    for piece in pieces:
        if piece[0] == "text":
            out += piece[1]
        else:
            filters = {"": "", "upper": "|upper",
                       "default": '|default:"お客様 \\"x\\""'}[piece[2]]
            out += "{{" + piece[1] + filters + "}}"
    return out


def value_of(piece, values):
    value = values[piece[1]]
    if piece[2] == "upper":
        value = "".join(c.upper() if len(c.upper()) == 1 else c for c in value)
    if piece[2] == "default" and not value:
        value = 'お客様 "x"'
    return value


def expand(pieces, values, escape=lambda v: v):
    return "".join(p[1] if p[0] == "text" else escape(value_of(p, values))
                   for p in pieces)


def lines_of(text):
    return text.replace("\r\n", "\n").replace("\r", "\n")


def escape_html(value):
    return html.escape(value).replace("&#x27;", "&#39;")


class Cases:
    def __init__(self):
        self.data = bytearray()

    def put(self, key, value=b""):
        raw = value if isinstance(value, bytes) else value.encode()
        self.data += f"{key} {len(raw)}\n".encode() + raw + b"\n"


def make_case(rng, cases, number):
    japanese = number % 5 == 4
    alphabet = JAPANESE + LATIN if japanese else rng.choice([WIDE, WIDE, LATIN, JAPANESE])
    fields = rng.random() < 0.8
    subject = random_template(rng, alphabet, False, fields)
    text = random_template(rng, alphabet, True, fields)
    text_html = random_template(rng, alphabet.translate({ord(c): None for c in "<>"}), True, fields)
    text_html = [("text", re.sub("[<>]|{+", "", p[1])) if p[0] == "text" else p
                 for p in text_html]
    shape = rng.choice(["text", "html", "both", "whole"])
    values = {name: random_text(rng, alphabet, 40, False) for name in COLUMNS}
    body_values = {name: random_text(rng, alphabet, 400, True) for name in COLUMNS}
    # Header fields take values without line ends only: a case has fields in the body or there.
    in_body = rng.random() < 0.5
    if in_body:
        values = body_values
        subject = [p for p in subject if p[0] == "text"]
    cases.put("reset")
    for name in COLUMNS:
        cases.put("column", name)
    cases.put("charset", "japanese" if japanese else "utf-8")
    cases.put("encoding", rng.choice(["auto", "8bit"]))
    cases.put("eightbit", rng.choice("01"))
    head = "From: 飛脚 太郎 <info@example.jp>\r\nSubject: " + source_of(subject) + "\r\n"
    if shape == "whole":
        end = rng.choice(["\n", "\r\n"])
        whole = head + ("Content-Type: multipart/mixed; boundary=outer\n\n"
                        "--outer\nContent-Type: text/plain\n\n" + source_of(text) +
                        "\n--outer\nContent-Type: text/html; charset=utf-8\n"
                        "Content-Disposition: inline; filename=\"説明.html\"\n\n" +
                        source_of(text_html) +
                        "\n--outer\nContent-Type: application/octet-stream; name=x.bin\n"
                        "Content-Transfer-Encoding: base64\n\nAAEC/w==\n--outer--\n")
        cases.put("whole", whole.replace("\r\n", "\n").replace("\n", end))
    else:
        cases.put("headers", head)
        if shape in ("text", "both"):
            cases.put("text", source_of(text))
        if shape in ("html", "both"):
            cases.put("html", source_of(text_html))
    cases.put("address", "taro@example.net")
    for name in COLUMNS:
        cases.put("value", values[name])
    cases.put("token", f"t{number}")
    cases.put("campaign", "spring")
    cases.put("date-ms", str(1_700_000_000_000 + number * 1000))
    cases.put("compose", str(number))
    return {"shape": shape, "subject": expand(subject, values), "japanese": japanese,
            "text": lines_of(expand(text, values)), "values": values,
            "html": lines_of(expand(text_html, values, escape_html)),
            "has_text": bool(source_of(text)), "has_html": bool(source_of(text_html))}


@pytest.fixture(scope="module")
def composed(tmp_path_factory):
    folder = tmp_path_factory.mktemp("composed")
    rng = random.Random(int(os.environ.get("MESSAGE_SEED", "7")))
    cases = Cases()
    expected = [make_case(rng, cases, number) for number in range(COUNT)]
    (folder / "cases").write_bytes(cases.data)
    (folder / "out").mkdir()
    subprocess.run([find_driver(), folder / "cases", folder / "out"], check=True)
    return folder / "out", expected


def each(composed):
    folder, expected = composed
    for number, case in enumerate(expected):
        path = folder / f"{number}.eml"
        if path.exists():
            yield number, case, path.read_bytes(), (folder / f"{number}.wire").read_bytes()


def test_most_cases_can_be_composed_and_refusals_have_a_reason(composed):
    folder, expected = composed
    refused = [(folder / f"{n}.err").read_text() for n in range(len(expected))
               if (folder / f"{n}.err").exists()]
    allowed = ["998 octets", "begin with a dot"]
    for text in refused:
        assert any(reason in text for reason in allowed), text
    assert len(refused) < len(expected) // 10


def test_line_ends_and_line_lengths_obey_the_standard(composed):
    for number, _, message, _ in each(composed):
        assert b"\r" not in message.replace(b"\r\n", b""), number
        assert b"\n" not in message.replace(b"\r\n", b""), number
        assert b"\0" not in message
        lines = message.split(b"\r\n")
        assert lines[-1] == b"", number
        assert max(map(len, lines)) <= 998, number
        head = message.split(b"\r\n\r\n")[0].split(b"\r\n")
        for line in head:
            assert line.strip(), number
            assert len(line) <= 78 or re.fullmatch(rb"(\S+: ?|\s+)\S+", line), (number, line)
            if b"=?" in line and b"?=" in line:
                assert len(line) <= 76, (number, line)


def test_stuffed_and_unstuffed_forms_differ_by_the_dots_alone(composed):
    for number, _, message, wire in each(composed):
        stuffed = b"\r\n".join(b"." + line if line.startswith(b".") else line
                               for line in message.split(b"\r\n"))
        assert wire == stuffed, number


def test_quoted_printable_lines_are_short_and_safe(composed):
    seen = 0
    for number, _, message, _ in each(composed):
        for part in email.message_from_bytes(message).walk():
            if part.get("Content-Transfer-Encoding") == "quoted-printable":
                seen += 1
                for line in re.split(r"\r?\n", part.get_payload()):
                    assert len(line) <= 76, (number, line)
                    assert not line.startswith((".", "From ")), (number, line)
                    assert not line.endswith((" ", "\t")), (number, line)
    assert seen > 50


def decoded(part):
    charset = part.get_content_charset() or "utf-8"
    return part.get_payload(decode=True).decode(charset).replace("\r\n", "\n")


def strip_end(text):
    # A body always ends with a line end, one more than its text when a value at its end has one.
    return text.rstrip("\n")


def test_subject_reads_back_as_it_was_written(composed):
    for number, case, message, _ in each(composed):
        parsed = email.message_from_bytes(message, policy=email.policy.default)
        got = str(email.header.make_header(email.header.decode_header(
            re.sub(r"\r?\n", "", email.message_from_bytes(message)["Subject"]))))
        assert got.strip(" \t") == case["subject"].strip(" \t"), number
        assert parsed["From"].addresses[0].display_name == "飛脚 太郎"
        assert parsed["Message-ID"] == f"<t{number}.spring@example.jp>"


def test_encoded_words_decode_alone(composed):
    words = 0
    for number, _, message, _ in each(composed):
        for word in re.findall(rb"=\?[^? ]+\?[BQ]\?[^? ]*\?=", message.split(b"\r\n\r\n")[0]):
            assert len(word) <= 75, number
            raw, charset = email.header.decode_header(word.decode())[0]
            raw.decode(charset)
            words += 1
    assert words > 100


def test_texts_read_back_as_they_were_written(composed):
    for number, case, message, _ in each(composed):
        parts = [p for p in email.message_from_bytes(message).walk() if not p.is_multipart()]
        texts = [decoded(p) for p in parts if p.get_content_type() == "text/plain"]
        htmls = [decoded(p) for p in parts if p.get_content_type() == "text/html"]
        if case["shape"] == "whole":
            assert [strip_end(t) for t in texts] == [strip_end(case["text"])], number
            assert parts[-1].get_payload(decode=True) == b"\x00\x01\x02\xff"
            assert parts[1].get_filename() == "説明.html"
        elif case["shape"] == "text" or (case["shape"] == "both" and case["has_text"]):
            assert strip_end(texts[0]) == strip_end(case["text"]), number
        if case["shape"] == "whole" or (case["shape"] != "text" and case["has_html"]):
            assert strip_end(htmls[0]) == strip_end(case["html"]), number


def test_both_signatures_verify(composed):
    folder, _ = composed
    records = dict(line.split(" ", 1) for line in (folder / "dns").read_text().splitlines())

    def dns(name, timeout=5):
        return records[name.decode() if isinstance(name, bytes) else name].encode()

    verified = 0
    for number, _, message, _ in each(composed):
        verifier = dkim.DKIM(message)
        for index in range(2):
            assert verifier.verify(idx=index, dnsfunc=dns), number
        verified += 1
    print(f"verified by dkimpy {verified}")
    assert verified > COUNT // 2


def test_a_changed_byte_breaks_the_signature(composed):
    folder, _ = composed
    records = dict(line.split(" ", 1) for line in (folder / "dns").read_text().splitlines())

    def dns(name, timeout=5):
        return records[name.decode() if isinstance(name, bytes) else name].encode()

    for number, _, message, _ in each(composed):
        for changed in (message.replace(b"\r\nSubject:", b"\r\nSubject: x", 1), message + b"x\r\n",
                        b"From: evil@example.org\r\n" + message):
            assert not dkim.verify(changed, dnsfunc=dns), number
        if number > 20:
            break


def test_values_in_urls_and_attributes_cannot_break_out(tmp_path):
    cases = Cases()
    evil = "\"><img src=x onerror=1> &x=1#?'日本"
    cases.put("reset")
    cases.put("column", "x")
    cases.put("headers", "From: info@example.jp\nSubject: x\n")
    cases.put("html", "<a href=\"https://u.test/?q={{x}}&amp;r=1\" title='{{x}}'>{{x}}</a>")
    cases.put("unsubscribe-url", "https://example.jp/u/{{_token}}?c={{x}}")
    cases.put("address", "a@example.net")
    cases.put("value", evil)
    cases.put("token", "abc")
    cases.put("date-ms", "1700000000000")
    cases.put("compose", "one")
    (tmp_path / "cases").write_bytes(cases.data)
    subprocess.run([find_driver(), tmp_path / "cases", tmp_path], check=True)
    message = email.message_from_bytes((tmp_path / "one.eml").read_bytes())
    body = decoded(message)
    found = re.fullmatch(r"<a href=\"https://u.test/\?q=([^\"&]*)&amp;r=1\" "
                         r"title='([^'<>]*)'>([^<>]*)</a>\n", body)
    assert found, body
    assert urllib.parse.unquote(found[1]) == evil
    assert html.unescape(found[2]) == evil and html.unescape(found[3]) == evil
    assert message["List-Unsubscribe"] == "<https://example.jp/u/abc?c=" + urllib.parse.quote(
        evil, safe="") + ">"
    assert message["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
