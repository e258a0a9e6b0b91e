"""Servers that fall silent or drip, each at another moment of the dialogue, all at once in one campaign.

The first connection to each meets the silence, all further ones a polite server. The session must end
when its time is over and no sooner than the whole of a reply had its time; what was not sent in full is
deferred and arrives later, what was sent in full is in doubt.
"""

import dataclasses
import socket
import threading
import time

import pytest

from hostile import Hostile, folder_certificate, polite
from sender import Sender, wait_until

pytestmark = [pytest.mark.binary, pytest.mark.patience]

RECIPIENTS = 3
TLS = ("STARTTLS", "PIPELINING", "8BITMIME")
CHUNKING = ("CHUNKING", "PIPELINING", "8BITMIME")
# Long enough for a polite server on a machine that has much else to do.
TIMEOUTS = {f"{stage}-timeout": "3s" for stage in
            ("greeting", "ehlo", "tls", "mail", "rcpt", "data", "block", "dot", "quit")}


@dataclasses.dataclass
class Case:
    script: object
    stage: str              # as the log of deliveries names it
    outcome: str = "deferred"
    then: object = polite


CASES = {}


def case(name, script, stage, **more):
    CASES[name] = Case(script, stage, **more)


def until_freed(talk, act):
    """Acts until the client ends the connection; how long that took is kept."""
    started = time.monotonic()
    try:
        act()
    finally:
        talk.server.freed = time.monotonic() - started


def silent(talk):
    until_freed(talk, talk.drain)


def drips(talk, start=b"", again=b"250-and so on\r\n"):
    def act():
        talk.send(start)
        while True:
            for at in range(len(again)):
                time.sleep(0.1)
                talk.send(again[at:at + 1])
    until_freed(talk, act)


def at(verb, act=silent, **serve):
    """Serves up to a verb, where it acts instead of an answer."""
    return lambda talk: talk.serve(**{verb: lambda _: act(talk)}, **serve)


def tls(act):
    return lambda talk: talk.serve(features=TLS, starttls=lambda _: (talk.send("220 go\r\n"), act(talk)))


case("greeting", silent, "greeting")
case("greeting-drip", lambda talk: drips(talk, again=b"220-and so on\r\n"), "greeting")
case("ehlo", at("ehlo"), "ehlo")
case("ehlo-drip", at("ehlo", drips), "ehlo")
case("helo", at("helo", ehlo="502 no\r\n"), "helo")
case("starttls", at("starttls", features=TLS), "starttls")
case("mail", at("mail"), "mail")
case("mail-drip", at("mail", drips), "mail")
case("rcpt", at("rcpt"), "rcpt")
case("rcpt-drip", at("rcpt", drips), "rcpt")
case("data", at("data"), "data")
case("data-drip", at("data", lambda talk: drips(talk, again=b"354-and so on\r\n")), "data")
case("one-by-one", at("rcpt", features=("8BITMIME",)), "rcpt")

# An opportunistic session does without TLS then; nobody waits for another attempt.
case("tls", tls(silent), "tls", outcome="in clear")
case("tls-drip", tls(lambda talk: (talk.octets(5), drips(talk, b"\x16\x03\x03\x40\x00", b"\2"))), "tls",
     outcome="in clear")

case("dot", at("dot"), "dot", outcome="in doubt")
case("dot-drip", at("dot", drips), "dot", outcome="in doubt")
case("bdat", at("dot", features=CHUNKING), "dot", outcome="in doubt")
# Pipelined in one flight with its content: the whole of it is gone when MAIL is not answered.
case("bdat-mail", at("mail", features=CHUNKING), "mail", outcome="in doubt")

# The message is through by then.
case("quit", at("quit"), "quit", outcome="delivered")
case("rset", at("rset", rcpt="550 5.1.1 nobody\r\n"), "rset", outcome="failed",
     then=lambda talk: talk.serve(rcpt="550 5.1.1 nobody\r\n"))


@dataclasses.dataclass
class Run:
    sender: Sender
    servers: dict
    lines: dict
    deferrals: list
    doubts: set


@pytest.fixture(scope="module")
def run(programs, tmp_path_factory):
    directory = tmp_path_factory.mktemp("timeouts")
    certificate = folder_certificate(directory)
    servers = {name: Hostile(c.script, c.then, certificate=certificate) for name, c in CASES.items()}
    sender = Sender(directory / "sender", keys=("ed25519",))
    sender.top["workers"] = 1
    sender.default_site |= {"sessions": 1, "idle": "0s", **TIMEOUTS}
    for name, server in servers.items():
        server.freed = None
        sender.route(f"{name}.test", server.port)
    try:
        sender.start()
        sender.create("slow", [f"r{i}@{name}.test" for name in CASES for i in range(RECIPIENTS)])
        sender.wait("slow", seconds=150)
        wait_until(lambda: sender.ask("status")["sessions"]["open"] == 0, "sessions to be freed")
        yield Run(sender, servers, sender.report_by_address("slow"), sender.report("slow", "deferred"),
                  {line["address"] for line in sender.report("slow", "in-doubt")})
    finally:
        sender.close()
        for server in servers.values():
            server.close()
        print(sender.log()[-20000:])


def addresses(name):
    return [f"r{i}@{name}.test" for i in range(RECIPIENTS)]


def deferred_once(run, name, lines):
    server, case_ = run.servers[name], CASES[name]
    words = [line["reply"] for line in run.deferrals if line["address"] in lines]
    assert words == [f"timed out ({case_.stage})"] * RECIPIENTS
    assert all(line["attempts"] == 2 for line in lines.values())
    assert not run.doubts & lines.keys()
    for address in lines:
        assert len(server.taken_for(address)) == len(server.accepted_for(address)) == 1


def in_doubt(run, name, lines):
    """The first at least; what had no time to follow it in full was never sent."""
    server = run.servers[name]
    assert f"r0@{name}.test" in run.doubts
    for address in lines:
        copies = server.taken_for(address)
        assert len(server.accepted_for(address)) == 1 and len({m.content for m in copies}) == 1
        assert len(copies) == 1 or address in run.doubts


def in_clear(run, name, lines):
    assert all(line["attempts"] == 1 for line in lines.values())
    assert len(run.servers[name].accepted) == RECIPIENTS
    assert not any(message.tls for message in run.servers[name].accepted)


def delivered(run, name, lines):
    assert all(line["attempts"] == 1 for line in lines.values())
    assert all(len(run.servers[name].accepted_for(address)) == 1 for address in lines)


def failed(run, name, lines):
    assert all(line["code"] == 550 for line in lines.values())
    assert min(line["attempts"] for line in lines.values()) == 1
    assert run.servers[name].taken == []


CHECKS = {"deferred": deferred_once, "in doubt": in_doubt, "in clear": in_clear,
          "delivered": delivered, "failed": failed}


@pytest.mark.parametrize("name", CASES)
def test_a_silent_server_costs_its_time_and_no_more(run, name):
    outcome = CASES[name].outcome
    server = run.servers[name]
    lines = {address: run.lines[address] for address in addresses(name)}
    assert server.errors == []
    assert {line["outcome"] for line in lines.values()} == {"failed" if outcome == "failed" else "delivered"}
    CHECKS[outcome](run, name, lines)
    # Not sooner than its time was over; and over it was, though the machine may have been slow.
    assert server.freed is not None, "the session was not ended"
    assert 2.9 < server.freed


def test_the_sums_are_right_and_the_failures_are_counted(run):
    run.sender.check_sums("slow")
    counted = run.sender.metric("hikyaku_sessions_failed_total", reason="timeout")
    assert counted == len([c for c in CASES.values() if c.outcome != "delivered"])


# ---- content that a server does not take ----

def small_window(server):
    """Before any connection: what the kernel takes in for us is to be little."""
    server.listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    return server


def content(act):
    return at("data", lambda talk: (talk.send("354 go\r\n"), act(talk)))


def reads_slowly(talk):
    while talk.socket.recv(512):
        time.sleep(0.05)


def stalls(talk):
    talk.server.done.wait()


@pytest.mark.parametrize("act, limits", [
    (stalls, {"block-timeout": "3s"}),
    (reads_slowly, {"block-timeout": "60s", "message-timeout": "10s"}),
], ids=["stalls", "drips"])
def test_content_that_is_not_taken_is_deferred(sender_in, act, limits):
    sender = sender_in(keys=("ed25519",))
    with small_window(Hostile(content(act), polite)) as server:
        server.done = threading.Event()
        sender.default_site |= {"sessions": 1, "idle": "0s", **limits}
        sender.route("*", server.port)
        sender.start()
        sender.create("big", ["ann@big.test"], text="a line of a long text\n" * 400_000)
        status = sender.wait("big")
        line = sender.report_by_address("big")["ann@big.test"]
        assert (status["delivered"], line["attempts"], sender.report("big", "in-doubt")) == (1, 2, [])
        assert [d["reply"] for d in sender.report("big", "deferred")] == ["timed out (body)"]
        assert sender.metric("hikyaku_sessions_failed_total", reason="timeout") == 1
        wait_until(lambda: sender.ask("status")["sessions"]["open"] == 0, "the sessions to be freed")
        server.done.set()
        assert len(server.taken) == len(server.accepted) == 1 and server.errors == []
