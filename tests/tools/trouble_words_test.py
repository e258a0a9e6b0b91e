"""What the rooms below the pages refuse with has Japanese words: src/web/trouble_words.c is held against
the sentences of the sources, both ways."""
import pathlib
import re

import pytest

SOURCES = pathlib.Path(__file__).resolve().parents[2] / "src"
# Whose sentences come to pages. What of the web room's own words is in both languages already is not here.
FILES = sorted({
    *(SOURCES / "message").glob("*.c"),
    *(path for path in (SOURCES / "campaign").glob("segment*.c") if path.name != "segment_words.c"),
    *(SOURCES / "campaign").glob("issue*.c"),
    *(SOURCES / name for name in ("base/csv.c", "campaign/mail_image.c", "campaign/sequence.c",
                                  "campaign/sequence_run.c", "campaign/wrap_links.c")),
    *(SOURCES / "web").glob("page_*.c"),
    *(SOURCES / "web" / f"{name}.c" for name in (
        "answer", "call_order", "call_upload", "campaign_rows", "contact_change", "contact_export",
        "contact_export_read", "draft_fill", "form_edit", "image_change", "import_order", "import_preview",
        "mailing_order", "mailing_preview", "mailing_segment", "mailing_start", "noun", "noun_change",
        "segment_export", "segment_order", "segment_rows", "sequence_json", "sequence_order",
        "sequence_order_step", "sequence_start", "setting_order", "template_call", "template_preview",
        "user_order")),
})
TOKEN = re.compile(r"""/\*.*?\*/|//[^\n]*|'(?:\\.|[^'\\])'|"(?:\\.|[^"\\])*"|\w+|\s+|.""", re.S)
REFUSES = re.compile(r"(error_set|error_prefix|\w*refuse\w*|REFUSE|impossible|take_argument)$", re.I)
DIRECTIVE = re.compile(r"%(?:\.\*|[0-9]+)?(?:ll|z)?[a-zA-Z0-9]*?[sudXx]")
ESCAPES = {'\\"': '"', "\\n": "\n", "\\t": "\t", "\\r": "\r", "\\\\": "\\"}


def tokens_of(text):
    """Without comments and white space; strings that stand side by side are one."""
    found = []
    for token in TOKEN.findall(text):
        if token.isspace() or token.startswith(("/*", "//")):
            continue
        if token.startswith('"') and found and found[-1].startswith('"'):
            found[-1] = found[-1][:-1] + token[1:]
        else:
            found.append(token)
    return found


def text_of(literal):
    return re.sub(r'\\.', lambda escape: ESCAPES.get(escape.group(), escape.group()), literal[1:-1])


def sentences_of(path):
    """What is given to the functions that refuse."""
    tokens = tokens_of(path.read_text())
    for at, token in enumerate(tokens):
        if token in ("return", "=") and re.match(r'"[a-z]+ [a-z]+ [a-z]', tokens[at + 1]):
            yield text_of(tokens[at + 1])
        if not REFUSES.match(token) or tokens[at + 1:at + 2] != ["("]:
            continue
        depth = 0
        for inner in tokens[at + 1:]:
            depth += (inner == "(") - (inner == ")")
            if depth == 0:
                break
            if inner.startswith('"') and re.search(r"[a-z]{2} [a-z]", DIRECTIVE.sub("", inner)):
                yield text_of(inner)


def words():
    rows = re.findall(r'\{ ((?:"(?:\\.|[^"\\])*"\s*)+),\s*((?:"(?:\\.|[^"\\])*"\s*)+)\}',
                      (SOURCES / "web/trouble_words.c").read_text())
    return [tuple(text_of(tokens_of(side)[0]) for side in row) for row in rows]


def pattern_of(english):
    return re.compile("".join(".*" if re.fullmatch(r"\{[1-5]\}", part) else re.escape(part)
                              for part in re.split(r"(\{[1-5]\})", english)), re.S)


@pytest.fixture(scope="module")
def patterns():
    return [pattern_of(english) for english, _ in words()]


def is_known(sentence, patterns):
    """As trouble.c finds it, with something in the place of each value; with what else a function adds."""
    shown = DIRECTIVE.sub("Xx", sentence)
    for text in (shown, shown + ' "Xx"'):
        while text:
            if any(pattern.fullmatch(text) for pattern in patterns):
                return True
            text = text.partition(": ")[2]
    return False


@pytest.mark.parametrize("path", FILES, ids=lambda path: f"{path.parent.name}/{path.name}")
def test_every_sentence_that_refuses_has_its_words(path, patterns):
    unknown = [sentence for sentence in sentences_of(path) if not is_known(sentence, patterns)]
    assert not unknown, f"{path} refuses with what trouble_words.c does not know: {unknown}"


def test_every_pattern_is_of_a_sentence_that_there_is():
    strings = "\n".join(text_of(token) for path in SOURCES.glob("*/*.c") if path.name != "trouble_words.c"
                        for token in tokens_of(path.read_text()) if token.startswith('"'))
    unused = []
    for english, _ in words():
        parts = [part.strip(' ":') for part in re.split(r"\{[1-5]\}", english)]
        if not all(part in strings for part in parts):
            unused.append(english)
    assert len(words()) > 200 and not unused, unused
