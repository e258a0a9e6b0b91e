"""
Text of people who mean harm, put into every field there is: of the forms of all pages, as they stand in the
pages, and of the interface's calls, by the examples of src/web/API.md and the members of openapi.json.
Whatever of it is believed to be markup, script, a header field or a formula has the name of MARK.
"""

import csv
import io
import json
import re
import xml.etree.ElementTree

import html5lib

from sender import ROOT
from test_api_examples import examples, path_of

MARK = "zq9"
VALUES = (
    f'"><{MARK} onclick={MARK}()>\'--></title></textarea></option></style></script><script>{MARK}()</script>',
    f"' onmouseover={MARK}() {MARK}=1 x='<img src=x onerror={MARK}()>",
    f"javascript:{MARK}()//<{MARK}>",
    f"data:text/html,<script>{MARK}()</script>",
    f"a\r\nX-{MARK}: 1\r\n\r\n<{MARK}>",
    f"=cmd|' /C {MARK}'!A0",
    f"@{MARK}+<!--<{MARK}>]]></item><{MARK}>&lt;{MARK}&gt;&#60;{MARK}&#62;",
    f"\u202e\u2066<{MARK}>\u2028\u0085\x0b{MARK}",
    "{{%s}}{{%s|raw}}{{{%s}}}{{>%s}}{{#each %s}}" % ((MARK,) * 5),
    f"\ufffe<{MARK}>\U0010fffe" + "x" * 100000 + f"<{MARK}>",
)
# What would end what the test needs, or go on for ever.
LEFT_ALONE = re.compile(r"logout|password|codes|erase|delete|sessions|/end|welcome|login|/cancel|/undo"
                        r"|/archive|/look")
NOT_TEXT = {"csrf", "token", "proof", "website", "next"}


class Document:
    """openapi.json: which members of a body are texts."""

    def __init__(self):
        self.whole = json.loads((ROOT / "src/web/openapi.json").read_text())

    def resolved(self, schema):
        while "$ref" in schema:
            schema = self.whole["components"]["schemas"][schema["$ref"].rsplit("/", 1)[1]]
        return schema

    def texts(self, method, path):
        """Names of members of that call's body that may be any text."""
        for pattern, calls in self.whole["paths"].items():
            if re.fullmatch(re.sub(r"\{\w+\}", "[^/]+", pattern), path) and method.lower() in calls:
                content = calls[method.lower()].get("requestBody", {}).get("content", {})
                schema = self.resolved(content.get("application/json", {}).get("schema", {}))
                return [name for name, one in schema.get("properties", {}).items()
                        if "string" in str(self.resolved(one).get("type")) and "enum" not in one]
        return []


def leaves(value, path=()):
    """Places of all texts in a body."""
    if isinstance(value, str):
        yield path
    elif isinstance(value, dict):
        for name in value:
            yield from leaves(value[name], path + (name,))
    elif isinstance(value, list):
        for i, one in enumerate(value):
            yield from leaves(one, path + (i,))


def changed(body, path, text):
    copy = json.loads(json.dumps(body))
    at = copy
    for step in path[:-1]:
        at = at[step]
    at[path[-1]] = text
    return copy


def fill_by_calls(world, dice, each):
    """Makes what the document's examples make, then tries `each` values in every text of theirs."""
    document, said = Document(), 0
    for command, _, _ in examples():
        method, path = path_of(command)
        path = path.split("?")[0]
        found = re.search(r"--json '(.*)'", command, re.S)
        if found:
            body = json.loads(found[1])
            world.web.call(method, path, world.everything, body)
            for place in list(leaves(body)) + [(name,) for name in document.texts(method, path)]:
                for text in dice.sample(VALUES, each):
                    answer = world.web.call(method, path, world.everything, changed(body, place, text))
                    assert answer.status < 500, (method, path, place, text[:60], answer)
                    assert len(answer.body) < 1 << 20 and b"\r\nX-" not in answer.body
                    said += 1
        elif method == "POST" and "--data-binary" not in command and "start" not in path:
            world.web.call(method, path, world.everything)
    return said


def forms_of(visitor, paths):
    for path in paths:
        page = visitor.get(path)
        for form in page.reader.forms if page.reader else []:
            if form.method == "post" and not LEFT_ALONE.search(form.action):
                yield path, form


def fill_by_forms(world, dice, each):
    """Each field of each form of each page: sent once with each of a few values."""
    visitor, said, known = world.owner, 0, set()
    for path, form in forms_of(visitor, walk(visitor)):
        names = [name for name in form.fields if name not in NOT_TEXT]
        if (re.sub(r"\d+", "N", form.action), tuple(names)) in known:
            continue
        known.add((re.sub(r"\d+", "N", form.action), tuple(names)))
        for name in names:
            for text in dice.sample(VALUES, each):
                files = {"file": (text[:200], text.encode(), "text/csv")} if form.is_upload else None
                page = visitor.post(form.action, {**form.fields, name: text}, files, allow_redirects=False)
                assert page.status < 500, (path, form.action, name, text[:60], page.status)
                check(page.answer, (path, form.action, name, text[:60]))
                said += 1
    return said


def walk(visitor, start="/admin", most=250):
    """Paths of pages that links lead to, each kind a few times."""
    found, todo, kinds = [], [start], {}
    while todo and len(found) < most:
        path = todo.pop(0)
        kind = re.sub(r"\d+|=[^&]*", "N", path)
        if path in found or kinds.get(kind, 0) >= 12 or not path.startswith(("/admin", "/f/", "/a/", "/v/")):
            continue
        kinds[kind] = kinds.get(kind, 0) + 1
        found.append(path)
        page = visitor.get(path)
        if page.reader:
            frames = [at.get("src", "") for tag, at in page.reader.tags if tag == "iframe"]
            todo += [link.split("#")[0] for link in page.links + frames]
    return found


# ---- what is made of it ----

def check(answer, where):
    """One answer: nobody's text became markup, script, a header field or a formula."""
    kind = answer.headers.get("Content-Type", "").split(";")[0]
    assert not [name for name in answer.headers if MARK in name.lower()], (where, answer.headers)
    assert answer.headers.get("X-Content-Type-Options") == "nosniff", where
    assert not re.search(r"[\r\n]", str(answer.headers.get("Location", ""))), where
    if kind == "text/html":
        check_page(answer, where)
    elif kind == "text/csv":
        check_table(answer, where)
    elif kind.endswith("xml"):
        tree = xml.etree.ElementTree.fromstring(answer.content)
        assert not [one for one in tree.iter() if MARK in str(one.tag)], where
    elif kind.endswith("json"):
        json.loads(answer.content)


def check_page(answer, where):
    policy = answer.headers.get("Content-Security-Policy", "")
    if policy.startswith("sandbox"):
        # An author's own markup: it may look as it likes, and do nothing.
        assert "allow-scripts" not in policy and "allow-same-origin" not in policy, where
        assert "script-src" not in policy or "script-src 'none'" in policy, where
        return
    assert "unsafe" not in policy and "default-src 'none'" in policy, (where, policy)
    tree = html5lib.parse(answer.content, transport_encoding="utf-8", namespaceHTMLElements=False)
    for one in tree.iter():
        if not isinstance(one.tag, str):
            assert MARK not in str(one.text), (where, "a comment")
            continue
        assert MARK not in one.tag, (where, one.tag)
        for name, value in one.attrib.items():
            assert MARK not in name and not name.startswith("on") and name != "style", (where, one.tag, name)
            if name in ("href", "src", "action", "formaction", "poster", "data", "srcdoc"):
                scheme = re.sub(r"[\x00-\x20]", "", value).lower()
                assert not scheme.startswith(("javascript:", "vbscript:", "data:text")), (where, name, value)
                assert name != "srcdoc", where
        if one.tag in ("script", "style"):
            assert not (one.text or "").strip() and \
                (one.get("src") or "").startswith(("/assets/", "/f/")), (where, one.tag)
        assert one.tag not in ("img", "object", "embed", "base") or one.get("src", "").startswith("/"), \
            (where, one.tag, one.attrib)


def check_table(answer, where):
    charset = re.search(r"charset=([\w-]+)", answer.headers["Content-Type"])[1].lower()
    text = answer.content.decode({"shift_jis": "cp932", "utf-8": "utf-8-sig"}.get(charset, charset))
    for row in csv.reader(io.StringIO(text, newline="")):
        for cell in row:
            assert not cell.startswith(("=", "@", "\t", "\r")), (where, cell[:40])
            assert not cell.startswith(("+", "-")) or re.fullmatch(r"[+-][\d.,]+", cell), (where, cell[:40])
