"""What stops a campaign's start: what DNS does not say of the domain, what the review finds in the mail."""

import pathlib
import re
import socket
import sys
import urllib.request

import pytest

import sender as sender_module
from hostile import Hostile
from ports import free_port
from sender import wait_until
from visitor import Visitor
from web_host import WebHost

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "console"))

from name_server import NameServer  # noqa: E402

DOMAIN = "courier.example"
SPF = f"{DOMAIN}. IN TXT \"v=spf1 ip4:127.0.0.1 -all\""


class World:
    """A host whose domain's DNS is ours to write."""

    def __init__(self, folder, is_sender_away=False):
        self.is_sender_away = is_sender_away  # which tells the domains' keys and addresses
        self.names = NameServer()
        self.metrics = free_port()
        self.server = Hostile(lambda talk: talk.serve())
        self.sender = sender_module.Sender(folder / "sender", keys=("ed25519",),
                                           extra=self.names.options(DOMAIN))
        self.sender.addresses = [("127.0.0.1", f"mail.{DOMAIN}")]

    def __enter__(self):
        self.server.__enter__()
        self.sender.route("*", self.server.port)
        self.nobody_vouches()
        self.sender.start()
        if self.is_sender_away:
            self.sender.stop()
        self.web = WebHost(self.sender, url=f"https://news.{DOMAIN}",
                           metrics=f"127.0.0.1:{self.metrics}", **{"check-identity": True}).start()
        self.key = self.web.key("shop", "--scope", "send,read,admin,contacts")
        self.owner = Visitor(self.web).become()
        page = self.owner.get("/admin/settings").send("/admin/settings", **{
            "sender-name": "Shop K.K.", "sender-address": "1-2-3 Kanda, Tokyo",
            "sender-contact": "help@shop.test"})
        assert page.status == 200, page.text
        assert self.call("POST", "/contacts", {"email": "ann@shop.test", "state": "active"}).status == 201
        return self

    def __exit__(self, *how):
        self.web.__exit__(*how)
        self.sender.close()
        self.server.__exit__(*how)
        self.names.close()

    def call(self, method, path, body=None):
        return self.web.call(method, "/api/v1" + path, self.key, body)

    def nobody_vouches(self):
        self.names.records = {(DOMAIN, "MX"): [f"10 mail.{DOMAIN}."]}

    def dkim_vouches(self):
        for name, record in self.sender.dns_records.items():
            self.names.records[(name, "TXT")] = [f'"{record}"']

    def mailing(self, **more):
        """A draft without a fault, but for what is given."""
        made = self.call("POST", "/mailings", {
            "name": "News", "from": f"Shop <shop@{DOMAIN}>", "subject": "News", "preheader": "All of it",
            "text": "Hello\n{{unsubscribe_url}}\nShop K.K., 1-2-3 Kanda, Tokyo, help@shop.test\n", **more})
        assert made.status == 201, made
        return f"/mailings/{made.json['id']}"

    def sequence(self, name):
        """A draft with one step, without a fault."""
        self.call("POST", "/lists", {"name": "steps", "title": "Steps"})
        made = self.call("POST", "/sequences", {"name": name, "from": f"Shop <shop@{DOMAIN}>",
                                                "start": "list", "list": 1})
        assert made.status == 201, made
        where = f"/sequences/{made.json['id']}"
        step = {"subject": "One", "text": "Hello\n{{unsubscribe_url}}\n"
                                          "Shop K.K., 1-2-3 Kanda, Tokyo, help@shop.test\n"}
        assert self.call("POST", where + "/steps", step).status == 201
        return where

    def audit(self, action):
        """What the audit log has of that action."""
        return [one["object"] for one in self.call("GET", "/audit").json["entries"]
                if one["action"] == action]

    def schedule(self, where, *override):
        return self.call("POST", where + "/schedule", {"override": list(override)} if override else None)

    def state(self, where):
        return self.call("GET", where).json

    def settled(self, where, *states):
        return wait_until(lambda: self.state(where)["state"] in states and self.state(where), states)

    def checked(self):
        """What it says once it was asked anew."""
        before = self.call("GET", "/identity").json["domains"]
        assert self.call("POST", "/identity/check").status == 202

        def look():
            now = self.call("GET", "/identity").json["domains"]
            return now if now and now != before else None

        return wait_until(look, "a check of the identity")[0]


def scgi_head(**names):
    """A request without a body, as a web server brings it."""
    names = {"CONTENT_LENGTH": "0", "SCGI": "1", **names}
    head = "".join(f"{name}\0{value}\0" for name, value in names.items())
    return f"{len(head)}:{head},".encode()


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    sender_module.build()
    with World(tmp_path_factory.mktemp("start")) as one:
        yield one


def row(result, check):
    return next(one for one in result["checks"] if one["check"].startswith(check))


def test_dns_is_asked_at_the_start_and_when_somebody_wants_it(world):
    [first] = wait_until(lambda: world.call("GET", "/identity").json["domains"], "the first check")
    assert first["domain"] == DOMAIN and not first["aligned"] and first["failed"] >= 3
    assert row(first, "SPF 127.0.0.1")["publish"] == SPF
    name, record = next(iter(world.sender.dns_records.items()))
    assert row(first, "DKIM")["result"] == "fail"
    assert row(first, "DKIM")["publish"] == f'{name}. IN TXT "{record}"'
    assert row(first, "MX")["result"] == "pass" and "publish" not in row(first, "MX")

    world.dkim_vouches()
    second = world.checked()
    assert second["aligned"] and row(second, "DKIM")["result"] == "pass", second
    assert row(second, "SPF 127.0.0.1")["result"] == "fail"
    with urllib.request.urlopen(f"http://127.0.0.1:{world.metrics}/metrics") as page:
        lines = page.read().decode().splitlines()
    assert f'hikyaku_web_identity_aligned{{domain="{DOMAIN}"}} 1' in lines
    assert any(line.startswith("hikyaku_web_identity_checked_timestamp_seconds{") for line in lines)
    # Since when it says so: what is as it was keeps its moment.
    assert row(first, "DKIM")["since_ms"] == first["checked_ms"]
    assert row(second, "SPF 127.0.0.1")["since_ms"] == first["checked_ms"]
    assert row(second, "DKIM")["since_ms"] == second["checked_ms"]


def test_a_mail_that_the_law_forbids_does_not_start(world):
    world.dkim_vouches()
    where = world.mailing(text="Hello, nobody says who we are.\n")
    refused = world.schedule(where)
    assert refused.status == 422 and refused.json["override"] == ["findings"], refused
    found = [one["problem"] for one in refused.json["findings"]]
    assert "The body has no link to unsubscribe by." in found
    assert "The sender's postal address is not in the body: 1-2-3 Kanda, Tokyo." in found
    assert all(one["part"] and one["advice"] for one in refused.json["findings"])
    assert "no link to unsubscribe by" in refused.json["detail"] and "identity" not in refused.json
    assert world.state(where)["state"] == "draft"

    # Who says so starts it all the same; the log has what he has been told.
    for wrong in ({"override": ["findigns"]}, {"override": "findings"}, {"overide": []}):
        answer = world.call("POST", where + "/schedule", wrong)
        assert answer.status == 422 and answer.json["pointer"].startswith("/over"), answer
    assert world.schedule(where, "identity").status == 422
    assert world.schedule(where, "findings").status == 200
    world.settled(where, "done")
    log = world.owner.get("/admin/audit").text
    assert "started a campaign in spite of what was found" in log, log[200:1500]
    assert re.search(rf"mailing {where[10:]}: findings: .*The sender's name is not in the body", log), log


def test_a_mail_without_fault_starts_without_a_word(world):
    world.dkim_vouches()
    where = world.mailing()
    answer = world.schedule(where)
    assert answer.status == 200, answer
    world.settled(where, "done")


def test_mail_that_nobody_vouches_for_does_not_start(world):
    world.nobody_vouches()
    assert not world.checked()["aligned"]
    where = world.mailing()
    refused = world.schedule(where)
    assert refused.status == 422 and refused.json["override"] == ["identity"], refused
    assert row(refused.json["identity"], "SPF 127.0.0.1")["publish"] == SPF
    assert f"receivers would refuse mail of {DOMAIN}: SPF 127.0.0.1: none" in refused.json["detail"]

    # As soon as the record is there it starts: what was known before refuses nobody.
    world.names.records[(DOMAIN, "TXT")] = ['"v=spf1 ip4:127.0.0.1 -all"']
    answer = world.schedule(where)
    assert answer.status == 200, answer
    world.settled(where, "done")


def test_a_sequence_asks_dns_as_a_campaign_does(world):
    world.nobody_vouches()
    assert not world.checked()["aligned"]
    where = world.sequence("Welcome")
    refused = world.call("POST", where + "/start")
    assert refused.status == 422 and refused.json["pointer"] == "/from", refused
    assert f"receivers would refuse mail of {DOMAIN}: SPF 127.0.0.1: none" in refused.json["detail"]
    assert refused.json["override"] == ["identity"] and "findings" not in refused.json
    assert row(refused.json["identity"], "SPF 127.0.0.1")["record"] == SPF
    assert world.call("POST", where + "/start?override=findings").status == 422
    assert world.call("POST", where + "/start?override=findings,identity").json["state"] == "running"
    assert world.call("POST", where + "/pause").status == 200
    # The log has what stood in the way, not what was asked for.
    told = world.audit("sequence.override")
    assert [text.partition(": SPF 127.0.0.1: none")[0] for text in told] == \
        [f"sequence {where[11:]}: identity of {DOMAIN}"], told

    # What was known before refuses nobody; nor is anybody kept by a domain that has become right.
    world.dkim_vouches()
    answer = world.call("POST", where + "/start")
    assert answer.status == 200 and answer.json["state"] == "running", answer
    assert world.audit("sequence.override") == told


@pytest.mark.parametrize("order", ["campaign", "sequence"])
def test_who_goes_while_dns_is_asked_has_started_nothing(world, order):
    world.nobody_vouches()
    assert not world.checked()["aligned"]
    where = world.mailing() if order == "campaign" else world.sequence("Left")
    world.names.silent.add(DOMAIN)
    try:
        with socket.socket(socket.AF_UNIX) as gone:
            gone.connect(world.web.socket)
            path = f"/api/v1{where}/{'schedule' if order == 'campaign' else 'start'}"
            gone.sendall(scgi_head(REQUEST_METHOD="POST", REQUEST_URI=path, HTTPS="on",
                                   REMOTE_ADDR="192.0.2.7", HTTP_AUTHORIZATION=f"Bearer {world.key}"))
            gone.settimeout(1)
            with pytest.raises(TimeoutError):
                gone.recv(1)
    finally:
        world.names.silent.clear()
    world.dkim_vouches()
    assert world.checked()["aligned"]
    assert world.state(where)["state"] == "draft"
    # Nor is anything left of it that would be in the way of who asks again.
    answer = world.schedule(where) if order == "campaign" else world.call("POST", where + "/start")
    assert answer.status == 200, answer


def test_while_dns_cannot_be_asked_nothing_starts_unless_somebody_says_so(tmp_path):
    with World(tmp_path, is_sender_away=True) as world:
        campaign, sequence = world.mailing(), world.sequence("Welcome")
        why = f"receivers would refuse mail of {DOMAIN}: DNS could not be asked"
        for refused in (world.schedule(campaign), world.call("POST", sequence + "/start")):
            assert refused.status == 422 and refused.json["override"] == ["identity"], refused
            assert refused.json["detail"] == why and "identity" not in refused.json
        page = f"/admin/sequences/{sequence[11:]}"
        stopped = world.owner.get(page).send(page + "/start")
        assert f"What DNS says of {DOMAIN} could not be found out just now." in stopped.text
        assert "Done." in stopped.send(page + "/start").text
        assert world.audit("sequence.override") == \
            [f"sequence {sequence[11:]}: identity of {DOMAIN}: DNS could not be asked"]


def test_a_person_sees_what_stops_it_and_may_go_on(world):
    world.nobody_vouches()
    assert not world.checked()["aligned"]
    where = world.mailing(text="Hello\n")
    page = f"/admin/campaigns/{where[10:]}"
    order = page + "/schedule"
    stopped = world.owner.get(page).send(order)
    assert stopped.status == 422 and "Nothing was sent." in stopped.text
    assert "The body has no link to unsubscribe by." in stopped.text and SPF in stopped.text
    assert "SPF 127.0.0.1" in stopped.text and page + "/edit" in stopped.links
    assert stopped.send(order, override="findings").status == 422
    # What he agreed to is what he saw.
    assert world.call("PATCH", where, {"text": "Hallo\n"}).status == 200
    again = world.owner.post(order, {**stopped.reader.forms[-1].fields, "override": ["findings", "identity"]})
    assert again.status == 422
    done = world.owner.post(order, {**again.reader.forms[-1].fields, "override": ["findings", "identity"]})
    assert "Done." in done.text
    world.settled(where, "done")
    # It is a campaign like any other.
    assert page in world.owner.get("/admin/campaigns").links
    assert int(where[10:]) in [one["id"] for one in world.call("GET", "/mailings").json["mailings"]]
    log = world.owner.get("/admin/audit").text
    assert f"mailing {where[10:]}: findings: " in log
    viewer = Visitor(world.web).become("viewer@shop.test", "viewer")
    refused = viewer.post(order, {"csrf": viewer.token(), "override": ["findings", "identity"]})
    assert refused.status == 403


def test_it_is_said_in_japanese(world):
    world.nobody_vouches()
    where = world.mailing(text="Hello\n")
    person = Visitor(world.web, "ja").become("mori@shop.test", "editor")
    page = f"/admin/campaigns/{where[10:]}"
    stopped = person.get(page).send(page + "/schedule")
    assert "まだ配信されていません" in stopped.text and "本文に配信停止のリンクがありません。" in stopped.text
    assert f"{DOMAIN} のメールは SPF でも DKIM でも" in stopped.text
    assert "SPF 127.0.0.1 none：SPFレコードがありません" in stopped.text and SPF in stopped.text
    english = [word for word in ("no such", "published", "vouch", "record") if word in stopped.text]
    assert not english, english
    # So is what DNS says of the domain, and what is to be done about it.
    page = person.get("/admin/dns").text
    for found in ("その名前はDNSにありません", "のアドレスが登録されていません", "SPFレコードがありません",
                  "レコードがありません", "返信・エラーメールの受信サーバー：1台",
                  "公開アドレスがないため確認していません",
                  "SPF も DKIM もこのドメインを認証していません",
                  "上の SPF または DKIM のレコードを登録してください",
                  f"アドレス 127.0.0.1 の逆引き（PTR）を mail.{DOMAIN} に設定するよう"):
        assert found in page, found
    english = [word for word in ("no such", "published", "vouch", "address", "provider", "mail that")
               if word in page]
    assert not english, english
    # What lacks a record can be copied as it is, without a word beside it.
    where = world.sequence("Japanese")
    order = f"/admin/sequences/{where[11:]}"
    stopped = person.get(order).send(order + "/start")
    assert "まだ開始されていません" in stopped.text and "SPF 127.0.0.1 none：SPFレコードがありません" in stopped.text


def test_the_page_shows_what_dns_says_beside_each_record(world):
    owner = world.owner
    viewer = Visitor(world.web).become("vi@shop.test", "viewer")

    def look():
        """Asked anew by the button, looked at until it is done."""
        page = owner.get("/admin/dns").send("/admin/dns")
        assert page.path == "/admin/dns" and "asked=" in page.answer.url
        asked = page.answer.url.removeprefix(world.web.url)
        return wait_until(lambda: (lambda now: now if "being asked" not in now.text else None)(
            owner.get(asked)), "an answer of DNS")

    world.nobody_vouches()
    page = look()
    name, record = next(iter(world.sender.dns_records.items()))
    selector = name.partition(".")[0]
    assert f"{record} Copy signature (DKIM) fails" in page.text
    assert "who may send (SPF) fails" in page.text and f"{DOMAIN}. IN TXT" in page.text
    assert "receivers refuse it" in page.text
    assert re.search(rf"DKIM {selector} the key that signs is published fails "
                     r"\d{4}-\d\d-\d\d \d\d:\d\d", page.text)
    assert f"Receivers refuse mail of {DOMAIN}" in owner.get("/admin").text

    world.dkim_vouches()
    page = look()
    assert f"{record} Copy signature (DKIM) passes" in page.text and "is yours" in page.text
    assert re.search(rf"DKIM {selector} the key \S+ \S+ is published passes", page.text)
    assert "MX replies and bounces come back passes" in page.text
    assert f"DNS lacks something for {DOMAIN}" in owner.get("/admin").text

    page = viewer.get("/admin/dns")
    assert "signature (DKIM) passes" in page.text and "Check now" not in page.text
    assert viewer.post("/admin/dns", {"csrf": viewer.token()}).status == 403
