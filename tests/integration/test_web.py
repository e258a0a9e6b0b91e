"""The interface for programs, behind a real lighttpd: what programs send arrives, and what they hear."""

import base64
import email
import email.policy
import http.client
import json
import os
import pathlib
import re
import socket
import struct
import subprocess
import threading
import time

import dkim
import jsonschema
import pytest
import requests

from hostile import Hostile
from ports import free_port
from sender import ROOT, wait_until
from web_host import WebHost

ANN, BOB = "ann@shop.test", "bob@shop.test"


@pytest.fixture
def sender(sender_in, server):
    one = sender_in(keys=("ed25519", "rsa"))
    one.route("*", server.port)
    return one.start()


@pytest.fixture
def web(sender):
    with WebHost(sender) as one:
        yield one


@pytest.fixture
def key(web):
    return web.key("shop", "--scope", "send,read")


def mail(*to, **more):
    return {"from": "飛脚ストア <shop@courier.example>", "subject": "ご注文 {{code}}",
            "text": "{{code}}\n", "to": list(to) or [{"address": ANN, "values": {"code": "A1"}}], **more}


def arrived(server, count):
    wait_until(lambda: len(server.accepted) >= count, f"{count} mails")
    return {m.recipients[0]: email.message_from_bytes(m.content, policy=email.policy.default)
            for m in server.accepted}


def over(web, key, location):
    """What became of a mail, once all of it is over."""
    def look():
        state = web.call("GET", location, key).json
        return state if state["state"] != "waiting" else None

    return wait_until(look, "the end of a mail")


def verified(sender, content):
    records = {f"{name}.".encode(): text.encode() for name, text in sender.dns_records.items()}
    verifier = dkim.DKIM(content)
    return all(verifier.verify(idx=i, dnsfunc=lambda name, timeout=5: records.get(name)) for i in range(2)) \
        and b"d=courier.example" in content


PDF = bytes(range(256)) * 300
PNG = b"\x89PNG\r\n\x1a\n" + bytes(100)


def test_python_sends_japanese_mail_with_attachments_to_many_with_their_own_values(web, key, server, sender):
    people = [{"address": f"reader{i}@shop{i % 5}.test", "name": f"山田 {i}郎", "values": {"code": i}}
              for i in range(200)]
    body = mail(*people, reply_to={"address": "help@courier.example", "name": "窓口, 係"},
                html='<p>{{name}}様</p><img src="cid:logo@shop">', headers={"X-Order": "{{code}}"},
                attachments=[{"filename": "請求書 2026年.pdf", "content_type": "application/pdf",
                              "content": base64.b64encode(PDF).decode()},
                             {"content_id": "logo@shop", "content_type": "image/png",
                              "content": base64.b64encode(PNG).decode()}])
    answer = requests.post(f"{web.url}/api/v1/messages", timeout=60, json=body, verify=web.certificate,
                           headers={"Authorization": f"Bearer {key}"})
    assert answer.status_code == 202 and answer.json()["accepted"] == 200
    got = arrived(server, 200)
    for i, person in enumerate(people):
        one = got[person["address"]]
        assert one["subject"] == f"ご注文 {i}" and one["x-order"] == str(i)
        assert one["to"] == f"山田 {i}郎 <{person['address']}>"
        assert one["from"] == "飛脚ストア <shop@courier.example>"
        assert one["reply-to"].addresses[0].display_name == "窓口, 係"
        related, pdf = one.iter_parts()
        texts, png = related.iter_parts()
        plain, html = texts.iter_parts()
        assert plain.get_content().strip() == str(i) and f"山田 {i}郎様" in html.get_content()
        assert pdf.get_filename() == "請求書 2026年.pdf" and pdf.get_content() == PDF
        assert png["content-id"] == "<logo@shop>" and png.get_content() == PNG
    assert all(verified(sender, m.content) for m in server.accepted[::20])
    assert len(server.accepted) == len({m.recipients[0] for m in server.accepted}) == 200
    state = over(web, key, answer.headers["Location"])
    assert state["state"] == "delivered" and state["delivered"] == state["recipients"] == 200


def test_node_and_curl_send(web, key, server):
    script = """
        const [url, key, body] = process.argv.slice(1);
        const headers = {"Authorization": `Bearer ${key}`, "Content-Type": "application/json; charset=utf-8"};
        const answer = await fetch(url, {method: "POST", body, headers});
        console.log(answer.status, await answer.text());"""
    url, body = f"{web.url}/api/v1/messages", json.dumps(mail(), ensure_ascii=False)
    node = subprocess.run(["node", "--input-type=module", "-e", script, url, key, body],
                          capture_output=True, text=True, timeout=60, check=True,
                          env={**os.environ, "NODE_EXTRA_CA_CERTS": web.certificate})
    assert node.stdout.startswith("202 ")
    curl = subprocess.run(["curl", "-sS", "--cacert", web.certificate, "--fail-with-body", url, "-H",
                           f"Authorization: Bearer {key}", "--json", body.replace(ANN, BOB)],
                          capture_output=True, text=True, timeout=60)
    assert json.loads(curl.stdout)["accepted"] == 1, curl
    assert set(arrived(server, 2)) == {ANN, BOB}


def test_the_same_call_again_is_one_mail_also_when_the_sender_was_killed(web, key, server, sender):
    once = {"Idempotency-Key": "order 1"}
    first = web.call("POST", "/api/v1/messages", key, mail(), once)
    sender.kill()

    def is_away():  # the kernel takes the socket of a killed process down at its leisure: 504 until then
        answer = web.call("POST", "/api/v1/messages", key, mail(), once)
        assert answer.status in (503, 504) and answer.headers["Retry-After"]
        return answer.status == 503 and "nothing was done" in answer.json["detail"]

    wait_until(is_away, "the end of the sender")
    sender.start()
    again = web.call("POST", "/api/v1/messages", key, mail(), once)
    assert again.status == first.status == 202 and again.json["id"] == first.json["id"]
    assert (first.json["known"], again.json["known"]) == (False, True)
    other = web.call("POST", "/api/v1/messages", key, mail(BOB, text="x", subject="x"),
                     {"Idempotency-Key": "order 2"})
    assert other.json["id"] != first.json["id"]
    # A key that is used for something else by mistake is told.
    wrong = web.call("POST", "/api/v1/messages", key, mail(BOB), {"Idempotency-Key": "order 2"})
    assert wrong.status == 422 and "Idempotency-Key" in wrong.json["detail"]
    assert set(arrived(server, 2)) == {ANN, BOB}
    time.sleep(0.3)
    assert len(server.accepted) == 2


def frame(kind, value):
    body = json.dumps(value).encode()
    return struct.pack(">IB", len(body), kind) + body


@pytest.mark.parametrize("said, status, wait", [
    (b"", 504, True), (b"\0\0", 504, True), (b"\xff" * 5, 504, True), (frame(4, [1]), 504, True),
    (frame(6, {"error": "no room", "code": "full"}), 503, True),
    (frame(6, {"error": "broken", "code": "failed"}), 503, True),
    (frame(6, {"error": "not so", "code": "refused-content"}), 422, False),
    (frame(5, {"x": 1}) + frame(4, {"id": "1.1", "known": False, "recipients": 1}), 202, False)])
def test_whatever_the_sender_says_is_told_as_what_it_means(sender_in, said, status, wait):
    sender = sender_in(keys=("ed25519",))

    def serve(listener):
        link, _ = listener.accept()
        with link:
            link.recv(1 << 20)
            link.sendall(said)

    with WebHost(sender) as web, socket.socket(socket.AF_UNIX) as listener:
        listener.bind(sender.socket)
        listener.listen()
        thread = threading.Thread(target=serve, args=[listener])
        thread.start()
        answer = web.call("POST", "/api/v1/messages", web.key("shop"), mail())
        thread.join()
        assert answer.status == status and bool(answer.headers["Retry-After"]) == wait, answer


def test_what_is_accepted_is_sent_by_a_sender_that_is_killed_at_once(sender_in, server):
    sender = sender_in(keys=("ed25519",))
    with Hostile(lambda talk: talk.drain()) as silent, WebHost(sender) as web:
        sender.route("*", silent.port)
        sender.start()  # waits for a greeting
        plain = mail(ANN, BOB, subject="x", text="x")
        answer = web.call("POST", "/api/v1/messages", web.key("shop"), plain)
        assert answer.status == 202
        sender.kill()
        sender.routes.clear()
        sender.route("*", server.port)
        sender.start()
        assert set(arrived(server, 2)) == {ANN, BOB}


def test_what_became_of_each_recipient_is_told_in_pages(sender_in):
    def some(talk):
        talk.serve(rcpt=lambda line: "550 5.1.1 nobody here\r\n" if "bob" in line else
                   "450 4.2.2 full\r\n" if "full" in line else None)

    sender = sender_in(keys=("ed25519",))
    with Hostile(some) as server, WebHost(sender) as web:
        sender.route("shop.test", server.port)
        sender.route("slow.test", "127.0.0.1:1")
        sender.start()
        key = web.key("shop")
        sent = web.call("POST", "/api/v1/messages", key,
                        mail(ANN, BOB, "full@shop.test", "eve@slow.test", subject="x", text="x"))
        where = sent.headers["Location"] + "/recipients"

        def states():
            return [r["state"] for r in web.call("GET", where, key).json["recipients"]]

        wait_until(lambda: states() == ["delivered", "failed", "deferred", "deferred"], "four states")
        page = web.call("GET", f"{where}?limit=3", key).json
        assert [r["number"] for r in page["recipients"]] == [1, 2, 3] and page["more"] is True
        assert [r["address"] for r in page["recipients"]] == [ANN, BOB, "full@shop.test"]
        bob = page["recipients"][1]
        assert (bob["code"], bob["enhanced"], bob["class"]) == (550, "5.1.1", "bad-mailbox")
        last = web.call("GET", f"{where}?after={page['next']}&limit=3", key).json
        assert [r["number"] for r in last["recipients"]] == [4] and last["more"] is False
        assert web.call("GET", f"{where}?after=x", key).status == 400
        assert web.call("GET", "/api/v1/messages/nobody/recipients", key).status == 404


WRONG = [
    ({"from": "x"}, "/from"), ({"from": None}, "/from"), ({"from": {"name": "x"}}, "/from"),
    ({"from": "a@elsewhere.example"}, "/from"),
    ({"from": {"address": "a@courier.example", "nam": "x"}}, "/from/nam"),
    ({"subject": "a\nBcc: b@c.example"}, "/subject"), ({"subject": 5}, "/subject"),
    ({"subject": "{{nobody}}"}, "/subject"), ({"text": "line\n{{code"}, "/text"),
    ({"html": "<p>{{ code | shout }}"}, "/html"), ({"text": "", "html": None}, "/text"),
    ({"to": []}, "/to"), ({"to": "a@b.example"}, "/to"), ({"to": [ANN, BOB, "bob@"]}, "/to/2"),
    ({"to": [{"address": ANN}, {"address": "a@b"}]}, "/to/1/address"),
    ({"to": [{"name": "x"}]}, "/to/0/address"),
    ({"to": [{"address": ANN, "values": {"a b": "x"}}]}, "/to/0/values/a b"),
    ({"to": [{"address": ANN, "values": {"a": {"b": "c"}}}]}, "/to/0/values/a"),
    ({"to": [{"address": ANN, "adress": "x"}]}, "/to/0/adress"),
    ({"to": [{"address": ANN, "values": {"code": "a\nb"}}]}, "/to"),
    ({"headers": {"Bcc": "x@y.example"}}, "/headers/Bcc"), ({"headers": {"X-A": "a\r\nb"}}, "/headers/X-A"),
    ({"headers": {"X A": "b"}}, "/headers/X A"), ({"headers": {"Received": "b"}}, "/headers"),
    ({"headers": {"a/b": "b"}}, "/headers/a~1b"),
    ({"attachments": [{"filename": "a", "content": "%"}]}, "/attachments/0/content"),
    ({"attachments": [{"filename": "../a", "content": "QUJD"}]}, "/attachments/0/filename"),
    ({"attachments": [{"filename": "a", "content": "QUJD", "content_type": "text"}]},
     "/attachments/0/content_type"),
    ({"attachments": [{"filename": "a", "content": "QUJD", "content_type": "message/rfc822"}]},
     "/attachments/0/content_type"),
    ({"list_unsubscribe": {"url": "<x>"}}, "/list_unsubscribe/url"),
    ({"expire_s": 5}, "/expire_s"), ({"expire_s": -1}, "/expire_s"),
    ({"deadline": "tomorrow"}, "/deadline"), ({"deadline": "2026-01-01T00:00:00Z"}, "/deadline"),
    ({"subjekt": "x"}, "/subjekt"),
]


def test_what_is_wrong_is_named_and_nothing_of_it_is_sent(web, key, server):
    for change, pointer in WRONG:
        answer = web.call("POST", "/api/v1/messages", key, {**mail(), **change})
        assert answer.status == 422, (change, answer)
        assert answer.headers["Content-Type"] == "application/problem+json"
        assert answer.json["pointer"] == pointer, (change, answer)
        assert answer.json["status"] == 422 and len(answer.json["detail"]) > 5
    time.sleep(0.2)
    assert server.taken == []


def test_calls_that_may_not_be_made_are_told_why(web, key, sender):
    messages = "/api/v1/messages"
    reader, admin = web.key("reader", "--scope", "read"), web.key("boss", "--scope", "admin")
    for wrong in (None, "hk_guess", key[:-1]):
        answer = web.call("POST", messages, wrong, mail())
        assert answer.status == 401 and answer.headers["WWW-Authenticate"].startswith("Bearer")
    assert web.call("POST", messages, reader, mail()).status == 403
    assert web.call("POST", "/api/v1/campaigns/x/start", key).status == 403
    assert web.call("POST", messages, admin, mail()).status == 202
    assert web.call("PUT", messages, key, mail()).status == 405
    assert "POST" in web.call("GET", messages, key).headers["Allow"]
    assert web.call("GET", "/api/v1/nothing", key).status == 404
    assert web.call("GET", "/api/v1/messages/nothing", key).status == 404
    assert web.call("POST", messages, key, raw=b"{").status == 400
    assert web.call("POST", messages, key, raw=b'{"to": 1, "to": 2}').status == 400
    assert web.call("POST", messages, key, raw=b"[]").status == 400
    assert web.call("POST", messages, key, mail(), {"Content-Type": "text/plain"}).status == 415
    assert web.call("POST", messages, key, mail(), {"Idempotency-Key": "x" * 256}).status == 400
    sender.run("api-key", "remove", "shop")
    assert web.call("POST", messages, key, mail()).status == 401


def test_a_refused_call_does_not_cost_the_connection_of_the_next_one(web, key):
    body = json.dumps(mail()).encode()
    connection = http.client.HTTPSConnection("127.0.0.1", web.port, timeout=30, context=web.context)
    for path, bearer, status in (("/api/v1/messages", "wrong", 401), ("/api/v1/nothing", key, 404),
                                 ("/api/v1/openapi.json", key, 405), ("/admin/login", key, 403)):
        connection.putrequest("POST", path)
        for name, value in (("Authorization", f"Bearer {bearer}"), ("Content-Type", "application/json"),
                            ("Origin", "https://evil.test"), ("Content-Length", str(len(body)))):
            connection.putheader(name, value)
        connection.endheaders()
        here = connection.sock
        time.sleep(0.1)  # its head is judged by now
        connection.send(body)
        answer = connection.getresponse()
        assert (answer.status, bool(answer.read())) == (status, True), path
        assert connection.sock is here, path
    connection.request("GET", "/api/v1/openapi.json")
    assert connection.getresponse().status == 200 and connection.sock is here


def test_a_key_of_one_customer_is_for_that_one_alone(sender_in, server):
    sender = sender_in(keys=("ed25519",))
    other = 'customer "other.example" { sign = false\n address "any" { ehlo = "mail.other.example" } }\n'
    sender.extra += other
    sender.route("*", server.port)
    with WebHost(sender) as web:
        sender.start(write=False)
        key = web.key("theirs", "--customer", "other.example", "--scope", "admin")
        answer = web.call("POST", "/api/v1/messages", key, mail())
        assert answer.status == 403 and answer.json["pointer"] == "/from"
        assert web.call("POST", "/api/v1/messages", key, mail(**{"from": "a@other.example"})).status == 202
        sender.create("news", [ANN], start=False)
        assert web.call("GET", "/api/v1/campaigns", key).json == {"campaigns": []}
        assert web.call("POST", "/api/v1/campaigns/news/start", key).status == 404
        assert sender.status("news")["state"] == "ready"
        added = web.call("POST", "/api/v1/suppressions", key,
                         {"addresses": [BOB], "customer": "courier.example"})
        assert added.status == 403
        assert web.call("POST", "/api/v1/suppressions", key, {"addresses": [BOB]}).status == 200
        shown = web.call("GET", f"/api/v1/suppressions/{BOB}", key).json["suppressions"]
        assert [s["customer"] for s in shown] == ["other.example"]


def test_bodies_and_calls_are_bounded(sender_in):
    sender = sender_in(keys=("ed25519",)).start()
    with WebHost(sender, **{"body-max": "64K", "rate": 5}) as web:
        key = web.key("shop")
        long = web.call("POST", "/api/v1/messages", key, mail(text="x" * 70000))
        assert long.status == 413
        assert web.call("POST", "/api/v1/messages", key, mail(text="x" * 60000)).status == 202
        answers = [web.call("POST", "/api/v1/messages", key, {}) for _ in range(20)]
        late = [a for a in answers if a.status == 429]
        assert late and all(int(a.headers["Retry-After"]) >= 1 for a in late)
        time.sleep(1.1)
        assert web.call("POST", "/api/v1/messages", key, {}).status == 422
        other = web.key("crm")
        assert web.call("POST", "/api/v1/messages", other, {}).status == 422


def test_a_campaign_is_made_started_and_watched(web, key, server):
    admin = web.key("boss", "--scope", "admin")
    body = {**mail(*({"address": f"r{i}@shop.test", "values": {"code": i}} for i in range(50)), ANN, ANN),
            "name": "春", "list": "weekly"}
    web.call("POST", "/api/v1/suppressions", key, {"addresses": [ANN], "reason": "unsubscribe"})
    made = web.call("POST", "/api/v1/campaigns", key, body)
    assert made.status == 201 and made.json["total"] == 50
    assert [r["address"] for r in made.json["rejected"]] == [ANN, ANN]
    assert web.call("POST", "/api/v1/campaigns", key, body).status == 409
    shown = web.call("GET", made.headers["Location"], key).json
    assert shown["state"] == "ready" and shown["list"] == "weekly"
    assert server.taken == []
    assert web.call("POST", f"{made.headers['Location']}/start", admin).json["state"] == "running"
    wait_until(lambda: web.call("GET", made.headers["Location"], key).json["state"] == "done", "the end")
    assert len(arrived(server, 50)) == 50
    assert web.call("POST", f"{made.headers['Location']}/pause", admin).status == 409
    assert web.call("DELETE", f"/api/v1/suppressions/{ANN}", admin).status == 204
    shown = web.call("GET", f"/api/v1/suppressions/{ANN}", key).json["suppressions"]
    assert [s["active"] for s in shown] == [False]


def scgi(web, body=b"", length=None, **names):
    """A request as a web server would bring it; the answer's bytes."""
    pairs = {"CONTENT_LENGTH": str(len(body) if length is None else length), "SCGI": "1", **names}
    head = b"".join(f"{k}\0{v}\0".encode() for k, v in pairs.items())
    with socket.socket(socket.AF_UNIX) as s:
        s.settimeout(20)
        s.connect(web.socket)
        s.sendall(b"%d:%s," % (len(head), head) + body)
        return b"".join(iter(lambda: s.recv(65536), b""))


def test_a_key_that_came_in_the_clear_is_not_served(web, key):
    request = {"REQUEST_METHOD": "GET", "REQUEST_URI": "/api/v1/campaigns",
               "HTTP_AUTHORIZATION": f"Bearer {key}", "REMOTE_ADDR": "192.0.2.7"}
    assert scgi(web, **request).startswith(b"Status: 403 ")
    assert scgi(web, **request, HTTPS="on").startswith(b"Status: 200 ")
    assert scgi(web, **{**request, "REMOTE_ADDR": "127.0.0.1"}).startswith(b"Status: 200 ")


def test_plain_http_is_sent_to_https(web, key):
    plain = http.client.HTTPConnection("127.0.0.1", web.plain_port, timeout=20)
    plain.request("GET", "/api/v1/campaigns", headers={"Authorization": f"Bearer {key}"})
    answer = plain.getresponse()
    assert answer.status == 301 and answer.headers["Location"].startswith("https://")
    plain.close()
    assert "path=/api/v1/campaigns " not in web.log()


@pytest.mark.skipif(os.geteuid() != 0, reason="needs another user")
def test_the_role_s_user_may_not_stop_the_sender(sender_in):
    sender = sender_in(keys=("ed25519",))
    sender.extra += 'web { user = "nobody" }\n'
    sender.start()
    os.chmod(sender.socket, 0o666)
    os.chmod(sender.short, 0o755)

    def ask(user, command):
        script = ("import sys; sys.path.insert(0, sys.argv[1]); import control_link\n"
                  "try: print(control_link.Link(sys.argv[2]).ask(sys.argv[3]))\n"
                  "except control_link.Refused as refused: print('refused', refused.code)")
        words = ["/usr/bin/python3", "-c", script, str(ROOT / "tests" / "crash"), sender.socket, command]
        return subprocess.run(words, user=user, capture_output=True, text=True, timeout=60).stdout

    assert ask("nobody", "stop") == ask("nobody", "site.list") == "refused forbidden\n"
    assert "refused" not in ask("nobody", "campaign.status")
    assert "refused" not in ask("root", "status")
    assert sender.is_alive() and "it is not for this user" in sender.log()


def test_what_is_no_scgi_and_who_says_nothing_stop_nobody_else(web, key):
    idle = [socket.socket(socket.AF_UNIX) for _ in range(40)]
    for s in idle:
        s.connect(web.socket)
        s.sendall(b"70:CONTENT")
    with socket.socket(socket.AF_UNIX) as s:
        s.settimeout(20)
        s.connect(web.socket)
        s.sendall(b"GET / HTTP/1.1\r\n\r\n")
        assert s.recv(100) == b""
    assert web.call("GET", "/api/v1/campaigns", key).status == 200
    for s in idle:
        s.close()


def test_the_document_says_what_is_so(web, key, server):
    """Every route of the program is in it, with statuses that were seen above; answers fit the schemas."""
    document = web.call("GET", "/api/v1/openapi.json").json
    source = (ROOT / "src" / "web" / "route.c").read_text()
    routes = {(method.lower(), path) for method, path in re.findall(r'\{ "([A-Z]+)", "(/api/[^"]+)"', source)}
    described = {(method, re.sub(r"\{\w+\}", "{}", path))
                 for path, methods in document["paths"].items() for method in methods}
    assert routes == described and len(routes) > 10

    def check(name, value):
        schema = {"$ref": f"#/components/schemas/{name}", "components": document["components"]}
        jsonschema.Draft202012Validator(schema).validate(value)

    ahead = time.strftime("%Y-%m-%dT%H:%M:%S+00:00", time.gmtime(time.time() + 600))
    body = mail({"address": ANN, "name": "x", "values": {"code": 1}}, BOB, expire_s=3600, deadline=ahead,
                attachments=[{"filename": "a", "content": "QUJD"}])
    check("Message", body)
    sent = web.call("POST", "/api/v1/messages", key, body)
    check("Accepted", sent.json)
    state = web.call("GET", sent.headers["Location"], key).json
    check("MessageState", state)
    assert 580_000 < state["expire_ms"] <= 600_000
    recipients = web.call("GET", sent.headers["Location"] + "/recipients", key)
    check("Recipients", recipients.json)
    assert len(recipients.json["recipients"]) == 2
    check("Problem", web.call("POST", "/api/v1/messages", key, {}).json)
    campaign = {**mail(), "name": "news", "deadline": ahead}
    check("NewCampaign", campaign)
    check("CampaignMade", web.call("POST", "/api/v1/campaigns", key, campaign).json)
    check("Campaigns", web.call("GET", "/api/v1/campaigns", key).json)
    check("Campaign", web.call("GET", "/api/v1/campaigns/news", key).json)
    check("Count", web.call("POST", "/api/v1/suppressions", key, {"addresses": [ANN]}).json)
    check("Suppressions", web.call("GET", "/api/v1/suppressions", key).json)
    for schema, wrong in (("Message", {**body, "subjekt": 1}), ("Recipient", {"address": 1}),
                          ("Attachment", {"filename": "a"})):
        with pytest.raises(jsonschema.ValidationError):
            check(schema, wrong)


def test_stopping_finishes_calls_and_takes_the_socket_away(web, key):
    assert web.call("GET", "/api/v1/campaigns", key).status == 200
    web.web.terminate()
    assert web.web.wait(timeout=30) == 0
    assert not pathlib.Path(web.socket).exists()
    assert web.call("GET", "/api/v1/campaigns", key).status == 503


def test_the_page_of_metrics_counts_calls_and_passes_promtool(sender):
    port = free_port()
    with WebHost(sender, metrics=f"127.0.0.1:{port}") as web:
        key = web.key("shop", "--scope", "send,read")
        for _ in range(3):
            assert web.call("GET", "/api/v1/campaigns", key).status == 200
        assert web.call("GET", "/api/v1/campaigns", "hk_wrong").status == 401
        page = requests.get(f"http://127.0.0.1:{port}/metrics", timeout=5).text
    checked = subprocess.run(["promtool", "check", "metrics"], input=page, text=True, capture_output=True,
                             check=False)
    assert checked.returncode == 0, checked.stdout + checked.stderr
    assert 'hikyaku_web_answers_total{kind="api",status="2xx"} 3\n' in page
    assert 'hikyaku_web_answers_total{kind="api",status="4xx"} 1\n' in page
    assert 'hikyaku_web_answer_seconds_count{kind="api"} 4\n' in page
    assert 'hikyaku_contacts{state="active"} 0\n' in page
    used = re.search(r"^hikyaku_audience_bytes (\d+)$", page, re.MULTILINE)
    assert 0 < int(used[1]) < 1 << 20
