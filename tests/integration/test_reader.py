"""Readers of mail behind a real lighttpd: opens, clicks, unsubscribing; what is not to be believed."""

import http.client
import re
import socket
import subprocess
import urllib.parse

import pytest

from sender import ROOT, end_process, wait_until
from web_host import WebHost

READER_MANY = ROOT / "build/host/tests/web/reader_many"
BROWSER = "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:128.0) Gecko/20100101 Firefox/128.0"
ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"


@pytest.fixture(scope="session")
def reader_many(programs):
    subprocess.run(["make", "-s", "-C", ROOT, str(READER_MANY.relative_to(ROOT))], check=True)
    return READER_MANY


class Reader:
    def __init__(self, tokens):
        self.track, self.unsubscribe, self.unsubscribe_list, self.preferences = tokens.split()


class World:
    """`web` with contacts that got a campaign, and requests that their readers make."""

    def __init__(self, sender, program, **settings):
        self.program = program
        self.web = WebHost(sender, **settings)
        self.folder = self.web.directory / "audience"
        made = subprocess.run([program, "make", self.folder, "8"], capture_output=True, text=True,
                              check=True)
        self.readers = [Reader(line) for line in made.stdout.splitlines()]

    def ask(self, method, path, body=None, **headers):
        """One request, no redirect followed; header names with _ for -."""
        link = http.client.HTTPSConnection("127.0.0.1", self.web.port, context=self.web.context,
                                           timeout=30)
        head = {"User-Agent": BROWSER}
        head.update((name.replace("_", "-"), value) for name, value in headers.items())
        link.request(method, path, body=body, headers=head)
        answer = link.getresponse()
        answer.text = answer.read().decode(errors="replace")
        link.close()
        return answer

    def post(self, path, fields, **headers):
        return self.ask("POST", path, urllib.parse.urlencode(fields),
                        Content_Type="application/x-www-form-urlencoded", **headers)

    def known(self, number):
        """What the store has of a contact, once `web` has ended."""
        if self.web.web.poll() is None:
            assert end_process(self.web.web) == 0, self.web.log()
        shown = subprocess.run([self.program, "show", self.folder, str(number)], capture_output=True,
                               text=True, check=True)
        pairs = (line.split("=") for line in shown.stdout.splitlines())
        return {name: int(value) for name, value in pairs}


@pytest.fixture
def sender(sender_in):
    return sender_in().start()


@pytest.fixture
def world(sender, reader_many):
    one = World(sender, reader_many)
    with one.web:
        yield one


def test_opens_and_clicks_are_answered_and_counted_as_what_they_are(world):
    one, two = world.readers[:2]
    for agent in (BROWSER, "Mozilla/5.0", ""):
        answer = world.ask("GET", f"/t/o/{one.track}", User_Agent=agent)
        assert answer.status == 200 and answer.getheader("content-type") == "image/gif"
        assert answer.getheader("cache-control") == "no-store"
        assert answer.text.startswith("GIF89a") and answer.getheader("set-cookie") is None
    assert world.ask("HEAD", f"/t/o/{one.track}").status == 200
    answer = world.ask("GET", f"/t/c/{two.track}/1")
    assert (answer.status, answer.getheader("location")) == (302, "https://shop.test/sale?a=1&b=2#top")
    assert answer.getheader("referrer-policy") == "no-referrer"
    answer = world.ask("GET", f"/t/c/{two.track}/2")
    assert answer.getheader("location") == \
        "https://shop.test/%E6%A3%AE%20%E5%A4%AA%E9%83%8E?who=r2%40reader.test&x="
    for number in range(3, 6):  # somebody's scanner
        assert world.ask("HEAD", f"/t/c/{two.track}/{number}").status == 302
    for number in range(3, 8):
        world.ask("GET", f"/t/c/{world.readers[2].track}/{number}")
    first = world.known(1)
    assert first["opens"] == 1 and first["machine_opens"] == 2, first
    second = world.known(2)
    assert (second["clicks"], second["links"], second["machine_clicks"]) == (2, 3, 0), second
    third = world.known(3)
    assert (third["clicks"], third["links"], third["machine_clicks"]) == (0, 0, 5), third
    assert (first["all_clicks"], first["all_machine_opens"]) == (2, 2)


def test_no_link_leads_where_its_author_did_not_want(world):
    token = world.readers[0].track
    evil = ["https://evil.test", "//evil.test", "%2f%2fevil.test", "0", "-1", "13",
            "1%0d%0aLocation:%20https://evil.test",
            "1/https://evil.test", "1?url=https://evil.test", "1%00", "18446744073709551617", "01x",
            "@evil.test",
            "1;https://evil.test", "\\evil.test", "../../c/x/1", "4294967297"]
    for number in evil:
        answer = world.ask("GET", f"/t/c/{token}/{number}")
        place = answer.getheader("location")
        assert place is None or place.startswith("https://shop.test/"), (number, answer.status, place)
        assert answer.status in (302, 400, 404), (number, answer.status)
    for path in ("/t/c//1", "/t/c/1", f"/t/c/{token}", f"/t/c/{token}/", f"/t/c/x{token}/1"):
        assert world.ask("GET", path).status == 404, path


def test_a_changed_token_is_worth_nothing(world):
    reader = world.readers[0]
    for at in range(len(reader.unsubscribe)):
        other = ALPHABET[(ALPHABET.index(reader.unsubscribe[at]) + 1 + at % 62) % 64]
        forged = reader.unsubscribe[:at] + other + reader.unsubscribe[at + 1:]
        answer = world.ask("POST", f"/u/{forged}", "List-Unsubscribe=One-Click")
        assert answer.status == 404, forged
        assert world.ask("GET", f"/t/c/{reader.track[:at] + other + reader.track[at + 1:]}/1").status \
            in ((302,) if reader.track[at] == other else (404,))
    # One purpose's token is none for another, and nobody's is like everybody's.
    refusals = {world.ask(method, f"/u/{token}").text for method in ("GET", "POST")
                for token in (reader.track, reader.preferences, "A", "x" * 58, "x" * 400)}
    assert len(refusals) == 1
    known = world.known(1)
    assert known["state"] == 2 and known["history"] == 0, known


MULTIPART = ('--b\r\nContent-Disposition: form-data; name="List-Unsubscribe"\r\n\r\nOne-Click\r\n--b--\r\n',
             "multipart/form-data; boundary=b")


BODIES = [MULTIPART,
          ("List-Unsubscribe=One-Click", "application/x-www-form-urlencoded"),
          ("List-Unsubscribe=One-Click", "text/plain"),
          ("", None),
          (iter([b"List-Unsub", b"scribe=One-Click"]), "application/x-www-form-urlencoded"),  # chunked
          ("List-Unsubscribe=One-Click", "application/x-www-form-urlencoded; charset=UTF-8"),
          ("%00%ff&&==", "application/x-www-form-urlencoded")]


def test_one_click_unsubscribes_whatever_the_body_is(world, sender):
    for reader, (body, kind) in zip(world.readers, BODIES):
        for _ in range(2):  # twice is once
            answer = world.ask("POST", f"/u/{reader.unsubscribe}", body,
                               **({"Content_Type": kind} if kind else {}))
            assert answer.status == 200, (kind, answer.text)
            assert answer.getheader("location") is None and answer.getheader("set-cookie") is None
    last = f"r{len(BODIES)}@reader.test"
    wait_until(lambda: last in sender.run("suppression", "list").stdout, "the sender's word")
    for number in range(1, len(BODIES) + 1):
        known = world.known(number)
        assert (known["state"], known["history"], known["unsubscribed"]) == (4, 1, 1), (number, known)
    assert known["all_unsubscribed"] == len(BODIES)
    assert world.known(8)["state"] == 2


def test_a_huge_body_is_refused_before_it_is_kept(world):
    link = world.web.context.wrap_socket(socket.create_connection(("127.0.0.1", world.web.port)),
                                         server_hostname="127.0.0.1")
    link.sendall(f"POST /u/{world.readers[0].unsubscribe} HTTP/1.1\r\nHost: x\r\n"
                 f"Content-Length: {10 << 20}\r\n\r\n".encode())
    assert b" 413 " in link.recv(100)
    link.close()
    assert world.known(1)["state"] == 2


def test_the_page_changes_nothing_until_its_button_is_pressed_and_that_can_be_undone(world, sender):
    reader = world.readers[0]
    page = world.ask("GET", f"/u/{reader.unsubscribe_list}", Accept_Language="ja")
    assert page.status == 200 and "お知らせ" in page.text and "r***@reader.test" in page.text
    assert "r1@reader.test" not in page.text
    assert world.ask("HEAD", f"/u/{reader.unsubscribe_list}").status == 200
    left = world.post(f"/u/{reader.unsubscribe_list}", {"csrf": ""})
    assert left.status == 200
    wait_until(lambda: "news" in sender.run("suppression", "list").stdout, "the sender's word")
    undo = re.search(r'name="undo" value="([^"]+)"', left.text).group(1)
    other = world.readers[1]
    assert world.post(f"/u/{other.unsubscribe}", {"undo": undo}).status == 404  # another one's
    assert world.post(f"/u/{reader.unsubscribe_list}", {"undo": undo}).status == 200
    wait_until(lambda: "news" not in sender.run("suppression", "list").stdout, "the sender's other word")
    assert world.post(f"/u/{other.unsubscribe_list}", {"what": "everything"}).status == 200
    known = world.known(1)
    assert (known["state"], known["list1"], known["list2"], known["history"]) == (2, 2, 2, 2), known
    assert (known["unsubscribed"], known["all_unsubscribed"]) == (0, 1)
    known = world.known(2)
    assert (known["state"], known["list1"]) == (4, 2), known


def test_people_choose_what_they_get(world, sender):
    reader = world.readers[0]
    page = world.ask("GET", f"/p/{reader.preferences}", Accept_Language="en")
    assert page.status == 200 and "r***@reader.test" in page.text and "&lt;b&gt;Shop &amp; more" in page.text
    assert page.text.count(" checked") == 2 and 'value="森 太郎"' in page.text
    path, shown = f"/p/{reader.preferences}", [("shown", "1"), ("shown", "2"), ("shown", "99")]
    saved = world.post(path, [*shown, ("list", "2"), ("list", "99"), ("a1", "Taro <x>")])
    assert saved.status == 200 and saved.text.count(" checked") == 1 and "Taro &lt;x&gt;" in saved.text
    wait_until(lambda: "news" in sender.run("suppression", "list").stdout, "the sender's word")
    assert world.post(path, [*shown, ("a1", "\x01")]).status == 422
    assert world.post(f"/p/{reader.unsubscribe}", shown).status == 404
    assert world.ask("POST", f"/u/{reader.unsubscribe}").status == 200
    out = world.ask("GET", path, Accept_Language="en")
    assert " checked" not in out.text and "unsubscribed from everything" in out.text
    assert world.post(path, [*shown, ("list", "1"), ("a1", "")]).status == 200
    known = world.known(1)
    assert (known["state"], known["list1"], known["list2"]) == (2, 2, 3), known


def test_who_unsubscribes_while_the_sender_is_away_is_told_to_it_later(world, sender):
    sender.stop()
    assert world.ask("POST", f"/u/{world.readers[0].unsubscribe}").status == 200
    end_process(world.web.web)
    sender.start()
    world.web.start_web()
    wait_until(lambda: "r1@reader.test" in sender.run("suppression", "list").stdout, "the sender's word")


def test_what_has_no_page_of_its_own_is_refused(world):
    token = world.readers[0].unsubscribe
    for method, path in (("PUT", f"/u/{token}"), ("DELETE", f"/u/{token}"), ("POST", f"/t/o/{token}"),
                         ("POST", f"/t/c/{token}/1")):
        assert world.ask(method, path).status == 405, (method, path)
