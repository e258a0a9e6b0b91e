"""A person with a browser without script: follows links, fills in forms, keeps cookies.

    visitor = Visitor(web)
    visitor.become("owner@shop.test")          # by an invitation of the host's console
    page = visitor.get("/admin/settings")
    page = page.send("/admin/settings", **{"sender-name": "Shop"})
    assert page.status == 200 and "Shop" in page.text
"""

import html.parser
import itertools
import urllib.parse

import requests
import requests.adapters

PASSWORD = "three words and more"


class Form:
    def __init__(self, attributes):
        self.action = attributes.get("action", "")
        self.method = attributes.get("method", "get")
        self.is_upload = attributes.get("enctype") == "multipart/form-data"
        self.fields = {}
        self.buttons = []


class Reader(html.parser.HTMLParser):
    """Forms with what they would send, links, headings, and text."""

    def __init__(self, text):
        super().__init__(convert_charrefs=True)
        self.forms, self.links, self.words, self.tags = [], [], [], []
        self.form = self.select = self.area = None
        self.feed(text)
        self.close()

    def handle_starttag(self, tag, attrs):
        at = dict(attrs)
        self.tags.append((tag, at))
        if tag == "form":
            self.form = Form(at)
            self.forms.append(self.form)
        elif tag == "a":
            self.links.append(at.get("href", ""))
        if not self.form:
            return
        if tag == "input" and at.get("type") in ("checkbox", "radio"):
            if "checked" in at:
                self.form.fields[at["name"]] = at.get("value", "on")
        elif tag == "input" and "name" in at:
            self.form.fields[at["name"]] = at.get("value", "")
        elif tag == "select":
            self.select = at["name"]
            self.form.fields.setdefault(self.select, "")
        elif tag == "option" and self.select and ("selected" in at or not self.form.fields[self.select]):
            self.form.fields[self.select] = at.get("value", "")
        elif tag == "textarea":
            self.area = at["name"]
            self.form.fields[self.area] = ""
            self.is_first = True
        elif tag == "button" and "name" in at:
            self.form.buttons.append((at["name"], at.get("value", "")))

    def handle_endtag(self, tag):
        if tag == "form":
            self.form = None
        elif tag == "select":
            self.select = None
        elif tag == "textarea":
            self.area = None

    def handle_data(self, data):
        if self.area:
            # As browsers do, without the line break behind the tag.
            self.form.fields[self.area] += data[1:] if self.is_first and data[0] == "\n" else data
            self.is_first = False
        elif data.strip():
            self.words.append(data.strip())


class Page:
    def __init__(self, visitor, answer):
        self.visitor = visitor
        self.answer = answer
        self.status = answer.status_code
        self.path = urllib.parse.urlsplit(answer.url).path
        self.reader = Reader(answer.text) if "html" in answer.headers.get("Content-Type", "") else None

    @property
    def text(self):
        return " ".join(self.reader.words) if self.reader else self.answer.text

    @property
    def links(self):
        return self.reader.links

    def form(self, action):
        found = [one for one in self.reader.forms if one.action == action]
        assert found, (action, [one.action for one in self.reader.forms], self.text)
        return found[0]

    def send(self, action, files=None, **fields):
        """Fills in the form with that action; None takes a field out."""
        form = self.form(action)
        values = {**form.fields, **fields}
        values = {name: value for name, value in values.items() if value is not None}
        return self.visitor.post(form.action, values, files)


class FromAddress(requests.adapters.HTTPAdapter):
    """Connections that come from an address of loopback's own network."""

    def __init__(self, address):
        self.address = address
        super().__init__()

    def init_poolmanager(self, *args, **more):
        super().init_poolmanager(*args, source_address=(self.address, 0), **more)


class Visitor:
    """Each comes from an address of his own: who guesses wrong keeps nobody else waiting."""

    numbers = itertools.count(10)

    def __init__(self, web, language="en"):
        self.web = web
        self.session = requests.Session()
        self.session.trust_env = False  # it would put other authorities before ours
        number = next(self.numbers)
        self.session.mount("https://", FromAddress(f"127.0.{1 + number // 200}.{number % 200 + 1}"))
        self.session.verify = web.certificate
        self.session.headers["Accept-Language"] = language

    def get(self, path, **more):
        return Page(self, self.session.get(self.web.url + path, timeout=30, **more))

    def post(self, path, fields, files=None, **more):
        return Page(self, self.session.post(self.web.url + path, data=fields, files=files, timeout=30,
                                            **more))

    def token(self):
        """What our forms carry."""
        return self.get("/admin/account").form("/admin/account").fields["csrf"]

    def invitation(self, email, role="owner"):
        return self.web.sender.run("web-user", "add", email, "--role", role).stdout.strip()

    def sign_in(self, email, password=PASSWORD):
        return self.get("/admin/login").send("/admin/login", email=email, password=password)

    def become(self, email="owner@shop.test", role="owner"):
        """A user made by the host's console, signed in."""
        path = self.invitation(email, role)
        page = self.get(path).send(path, password=PASSWORD, again=PASSWORD)
        assert page.status == 200, page.text
        page = self.sign_in(email)
        assert page.status in (200, 404), (page.status, page.text)
        return self
