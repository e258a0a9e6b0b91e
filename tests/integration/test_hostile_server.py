"""Servers that do everything wrong, one for each case, all at once in one campaign.

Every case has recipients at a domain of its own, whose mail goes to a server with the case's script.
Afterwards the sender still runs, every recipient ended where it must, and the sums are right. Who
misbehaves does so on its first connections, so a case shows, too, that a receiver's fit is got over.
"""

import dataclasses
import json
import re
import time
import typing

import pytest

from hostile import Hostile, folder_certificate, polite
from sender import wait_until

pytestmark = [pytest.mark.binary, pytest.mark.patience]

RECIPIENTS = 3


@dataclasses.dataclass
class Case:
    scripts: tuple
    check: typing.Callable = None   # further checks: (server, lines of the report)
    outcome: str = "delivered"
    code: int = None                # of the final line
    copies: int = 1                 # that the server accepted, for each recipient
    attempts: int = None            # exactly so many, where it can be known
    words: str = None               # the reply in the report has them


CASES = {}


def case(name, *scripts, **expected):
    CASES[name] = Case(scripts, **expected)


def greets(data, then="drain"):
    def script(talk):
        talk.send(data)
        getattr(talk, then)()
    return script


# ---- replies as they should not be cut ----

def in_bytes(talk):
    talk.piece = 1
    talk.serve(greeting="220-hostile.test\r\n220-policy: none\r\n220\r\n")


def in_bytes_slowly(talk):
    talk.piece, talk.pause = 1, 0.02
    talk.serve()


def ehlo_once(server, _):
    for talk in server.talks:
        assert sum(c.startswith("EHLO") for c in talk.commands) == 1


case("bytewise", in_bytes, check=ehlo_once)
case("slowly", in_bytes_slowly)
case("cut-greeting", lambda talk: (
    talk.send("22"), time.sleep(.1), talk.send("0-mx ES"), time.sleep(.1), talk.send("MTP\r"),
    time.sleep(.1), talk.send("\n220-234 not a code\r\n220"), time.sleep(.1),
    talk.serve(greeting="\r\n")), check=ehlo_once)
case("bare-lf", lambda talk: talk.serve(
    greeting="220 hostile\n", ehlo="250-hostile\n250 8BITMIME\n", mail="250 ok\n", dot="250 ok\n"))
case("many-lines", lambda talk: talk.serve(
    ehlo="".join(f"250-X-FEATURE-{i} {'x' * 900}\r\n" for i in range(200)) + "250 8BITMIME\r\n"))

# ---- no SMTP at all; then, on the next connection, some ----

case("http", greets("HTTP/1.1 400 Bad Request\r\n\r\n"), polite)
case("binary", greets(bytes(range(256)) * 40), polite)
case("long-line", greets("220-" + "x" * 1_000_000 + "\r\n220 y\r\n"), polite)
case("endless-reply", lambda talk: [talk.send("220-more\r\n" * 1000) for _ in range(10000)], polite)
case("nul", greets("220 a\0b\r\n", "close"), polite)
case("code-changes", greets("220-one\r\n554 two\r\n"), polite)
case("code-999", lambda talk: talk.serve(mail="999 what\r\n"), polite)
case("silent-close", lambda talk: talk.close(), polite)
case("silent-reset", lambda talk: talk.reset(), polite)
case("greeting-421", greets("421 4.3.2 busy\r\n", "close"), polite)
case("greeting-554", greets("554 5.7.1 no service for you\r\n", "close"), polite)

# ---- wrong codes in the middle ----

case("mail-354", lambda talk: talk.serve(mail="354 go\r\n"), polite)
case("data-250", lambda talk: talk.serve(data="250 ok\r\n"), polite)
case("rcpt-354", lambda talk: talk.serve(rcpt="354 go\r\n"), polite)
case("mail-552", lambda talk: talk.serve(mail="552 5.3.4 too big\r\n"),
     outcome="failed", code=552, copies=0, attempts=1, words="too big")
case("dot-554", lambda talk: talk.serve(dot="554 5.7.1 spam\r\n"),
     outcome="failed", code=554, copies=0, attempts=1, words="5.7.1 spam")
case("rcpt-450", lambda talk: talk.serve(rcpt=once_each(talk, "450 4.2.0 greylisted\r\n")),
     attempts=2)
case("dot-451", lambda talk: talk.serve(dot=once_each(talk, "451 4.3.0 later\r\n")), attempts=2)


def once_each(talk, answer):
    """Answers so for the first time that a recipient comes, whichever connection it is."""
    seen = talk.server.__dict__.setdefault("seen", set())

    def ask(argument):
        key = argument if isinstance(argument, str) else argument.recipients
        if key in seen:
            return None
        seen.add(key)
        return answer
    return ask


# ---- EHLO and extensions ----

case("helo-502", lambda talk: talk.serve(ehlo="502 5.5.1 no EHLO here\r\n"))
case("helo-500", lambda talk: talk.serve(ehlo="500 what\r\n"))
case("bare", lambda talk: talk.serve(features=()))
case("ehlo-421", lambda talk: talk.serve(ehlo="421 4.3.2 no\r\n"), polite)
case("chunking", lambda talk: talk.serve(features=("CHUNKING", "PIPELINING", "8BITMIME")),
     check=lambda server, _: [m.by for m in server.accepted] == ["BDAT"] * RECIPIENTS or
     pytest.fail("CHUNKING was offered and not used"))
case("size-100", lambda talk: talk.serve(features=("SIZE 100",)),
     outcome="failed", copies=0, attempts=1,
     check=lambda server, _: server.taken == [] or pytest.fail("sent although too large"))
case("size-nonsense", lambda talk: talk.serve(features=("SIZE lots", "", "PIPELINING ", "-")))

# ---- closes at each stage ----

for verb in ("ehlo", "mail", "rcpt", "data", "quit"):
    case(f"close-at-{verb}", lambda talk, verb=verb: talk.serve(**{verb: lambda _: talk.close()}),
         polite)
    case(f"reset-at-{verb}", lambda talk, verb=verb: talk.serve(**{verb: lambda _: talk.reset()}),
         polite)


def closes_in_content(talk):
    def data(_):
        talk.send("354 go\r\n")
        talk.octets(100)
        talk.reset()
    talk.serve(data=data)


# The client may have given out its last byte by then, so a second copy is due, but only one is taken.
case("reset-in-content", closes_in_content, polite)

# ---- 421 at any moment ----

for verb in ("mail", "rcpt", "data", "dot"):
    case(f"421-at-{verb}", lambda talk, verb=verb: talk.serve(
        **{verb: lambda _: (talk.send("421 4.3.2 going down\r\n"), talk.close())}), polite)
case("421-behind-250", lambda talk: talk.serve(
    dot=lambda m: (talk.server.accepted.append(m),
                   talk.send("250 ok\r\n421 4.4.2 idle\r\n"), talk.close())), polite)


# ---- in doubt: the message came in whole and nothing was said ----

def identical(server, _):
    for i in range(RECIPIENTS):
        copies = [m.content for m in server.taken if f"r{i}@" in m.recipients[0]]
        assert len(copies) >= 1 and len(set(copies)) == 1, "a copy differs from the first"
    assert len(server.taken) > RECIPIENTS, "what was in doubt was not sent again"


case("close-after-dot", lambda talk: talk.serve(dot=lambda _: talk.close()), polite,
     check=identical)
case("reset-after-dot", lambda talk: talk.serve(dot=lambda _: talk.reset()), polite,
     check=identical)
case("nonsense-after-dot", lambda talk: talk.serve(dot="what is this\r\n"), polite,
     check=identical)
case("close-after-bdat", lambda talk: talk.serve(
    features=("CHUNKING", "PIPELINING", "8BITMIME"), dot=lambda _: talk.close()),
    lambda talk: talk.serve(features=("CHUNKING", "PIPELINING", "8BITMIME")), check=identical)

# ---- pipelining ----


def lone_dot(server, lines):
    assert server.taken and all(m.content == b"" for m in server.taken), "content was sent to nobody"


case("rcpt-550-data-354", lambda talk: talk.serve(rcpt="550 5.1.1 no such user\r\n",
                                                  data="354 go\r\n", dot="554 no recipients\r\n"),
     outcome="failed", code=550, copies=0, attempts=1, words="no such user", check=lone_dot)
case("rcpt-550-data-554", lambda talk: talk.serve(rcpt="550 5.1.1 no such user\r\n",
                                                  data="554 no valid recipients\r\n"),
     outcome="failed", code=550, copies=0, attempts=1, words="no such user")
case("rcpt-550-dot-250", lambda talk: talk.serve(rcpt="550 5.1.1 no such user\r\n",
                                                 data="354 go\r\n", dot="250 ok, empty\r\n"),
     outcome="failed", code=550, copies=None, attempts=1)
case("extra-250", lambda talk: talk.serve(dot=lambda _: "250 ok\r\n250 ok again\r\n"), polite,
     copies=None)

# ---- TLS ----

TLS = ("STARTTLS", "PIPELINING", "8BITMIME")


def tls(talk):
    talk.serve(features=TLS)


def all_by_tls(server, _):
    assert all(m.tls for m in server.accepted)


def none_by_tls(server, _):
    assert not any(m.tls for m in server.accepted)


def injects(talk):
    talk.serve(features=TLS, starttls=lambda _: (
        talk.send("220 go\r\n250-evil\r\n250-SIZE 1\r\n250 CHUNKING\r\n"), talk.start_tls(), "")[-1],
        mail=lambda _: talk.server.errors.append("the session went on behind injected plaintext"))


def injects_half_a_line(talk):
    talk.serve(features=TLS, starttls=lambda _: (
        talk.send("220 go\r\n250-XEV"), talk.start_tls(), "")[-1],
        mail=lambda _: talk.server.errors.append("the session went on behind injected plaintext"))


def one_starttls(server, _):
    all_by_tls(server, _)
    for talk in server.talks:
        assert talk.commands.count("STARTTLS") == 1
        assert all(m.by == "DATA" for m in server.accepted), "a feature from before TLS was used"


case("tls", tls, check=all_by_tls)
case("tls-injected", injects, tls, check=all_by_tls)
case("tls-injected-half", injects_half_a_line, tls, check=all_by_tls)
case("tls-garbage", lambda talk: talk.serve(
    features=TLS, starttls=lambda _: (talk.send("220 go\r\n"), talk.octets(5),
                                      talk.send(b"\x16\x03garbage" * 99), talk.drain())), tls,
    check=none_by_tls)
case("tls-close", lambda talk: talk.serve(
    features=TLS, starttls=lambda _: (talk.send("220 go\r\n"), talk.close())), tls,
    check=none_by_tls)
case("tls-refused", lambda talk: talk.serve(features=TLS, starttls="454 4.7.0 not now\r\n"),
     check=none_by_tls)
case("tls-offered-again", lambda talk: talk.serve(
    features=("STARTTLS", "CHUNKING", "SIZE 10"), tls_features=("STARTTLS", "8BITMIME")),
    check=one_starttls)
case("tls-then-close", lambda talk: talk.serve(
    features=TLS, mail=lambda _: talk.close()), tls, check=all_by_tls)

# ---- words that are weapons ----

EVIL = b"550 5.7.1 \x1b[31mred\x07\x9b2J \xff\xfe caf\xe9 \xe3\x81 \xe2\x80\xae\rHeader: x\0%s%n\r\n"
case("evil-words", lambda talk: talk.serve(rcpt=lambda _: (talk.send(EVIL), "")[-1]),
     outcome="failed", code=550, copies=0, attempts=1, words="red")
case("japanese-words", lambda talk: talk.serve(rcpt="550 5.1.1 そのような利用者はいません\r\n"),
     outcome="failed", code=550, copies=0, words="そのような利用者はいません")


# ---- the run ----

class Run:
    def __init__(self, sender, servers, lines, status):
        self.sender = sender
        self.servers = servers
        self.lines = lines
        self.status = status


@pytest.fixture(scope="module")
def run(programs, tmp_path_factory):
    from sender import Sender
    directory = tmp_path_factory.mktemp("hostile")
    certificate = folder_certificate(directory)
    servers = {name: Hostile(*c.scripts, certificate=certificate) for name, c in CASES.items()}
    sender = Sender(directory / "sender", keys=("ed25519",))
    sender.top["workers"] = 1
    sender.default_site["sessions"] = 1
    for name, server in servers.items():
        sender.route(f"{name}.test", server.port)
    try:
        sender.start()
        sender.create("hostile", [f"r{i}@{name}.test" for name in CASES for i in range(RECIPIENTS)])
        try:
            status = sender.wait("hostile", seconds=150)
        except AssertionError:
            print(sender.run("queue", "list", "--rows").stdout)
            status = sender.status("hostile")
        yield Run(sender, servers, sender.report_by_address("hostile"), status)
    finally:
        sender.close()
        for server in servers.values():
            server.close()
        print(sender.log()[-20000:])


@pytest.mark.parametrize("name", CASES)
def test_every_recipient_ends_where_it_must(run, name):
    expected, server = CASES[name], run.servers[name]
    lines = [run.lines[f"r{i}@{name}.test"] for i in range(RECIPIENTS)]
    assert server.errors == []
    assert [line["outcome"] for line in lines] == [expected.outcome] * RECIPIENTS, lines
    for i, line in enumerate(lines):
        address = f"r{i}@{name}.test"
        if expected.copies is not None:
            assert len(server.accepted_for(address)) == expected.copies
        if expected.code is not None:
            assert line["code"] == expected.code
        if expected.attempts is not None:
            assert line["attempts"] == expected.attempts
        if expected.words is not None:
            assert expected.words in line["reply"]
    if expected.check:
        expected.check(server, lines)


def test_the_sender_lives_and_its_sums_are_right(run):
    assert run.sender.is_alive()
    assert run.status["total"] == len(CASES) * RECIPIENTS
    run.sender.check_sums("hostile")
    assert run.status["state"] == "done"


def test_words_of_a_server_cannot_reach_a_terminal(run):
    """Neither the log nor what the command line prints has control bytes of a receiver."""
    shown = run.sender.run("campaign", "report", "hostile").stdout
    shown += run.sender.run("queue", "show", "r0@evil-words.test").stdout + run.sender.log()
    assert not re.search(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]", shown)
    for line in run.sender.run("campaign", "report", "hostile", "--json").stdout.splitlines():
        json.loads(line)


def test_what_is_in_doubt_is_listed_in_the_report(run):
    doubts = {line["address"] for line in run.sender.report("hostile", "in-doubt")}
    for name in ("close-after-dot", "reset-after-dot", "close-after-bdat"):
        for message in run.servers[name].taken:
            if message not in run.servers[name].accepted:
                assert message.recipients[0] in doubts


# ---- cases that need a campaign of their own ----

def hold_run(sender_in, script):
    server = Hostile(script, polite)
    sender = sender_in(keys=("ed25519",))
    sender.top["workers"] = 1
    sender.default_site["sessions"] = 1
    sender.route("*", server.port)
    sender.start()
    sender.create("held", ["ann@hold.test", "bob@hold.test"], "--hold-in-doubt")
    return server, sender


def closes_on_the_first(talk):
    talk.serve(dot=lambda _: talk.close())


def test_a_held_campaign_lists_what_is_in_doubt_and_waits(sender_in):
    server, sender = hold_run(sender_in, closes_on_the_first)
    with server:
        status = sender.wait("held", lambda s: s["held"] >= 1 and s["queued"] == 0)
        doubts = sender.items("queue", "doubt", "list")
        assert len(doubts) == status["held"] == len(server.taken) - len(server.accepted)
        for doubt in doubts:
            assert server.taken_for(doubt["address"]) and not server.accepted_for(doubt["address"])
        assert sender.items("queue", "show", doubts[0]["address"])[0]["state"] == "held"
        sender.check_sums("held")


def test_held_messages_are_sent_again_on_command_with_the_same_bytes(sender_in):
    server, sender = hold_run(sender_in, closes_on_the_first)
    with server:
        sender.wait("held", lambda s: s["held"] >= 1 and s["queued"] == 0)
        address = sender.items("queue", "doubt", "list")[0]["address"]
        sender.run("queue", "doubt", "resend", "--all")
        status = sender.wait("held")
        assert status["delivered"] == 2 and status["held"] == 0
        assert len({m.content for m in server.taken_for(address)}) == 1
        assert len(server.taken_for(address)) == 2 and len(server.accepted_for(address)) == 1
        sender.check_sums("held")


def test_held_messages_are_dropped_on_command(sender_in):
    server, sender = hold_run(sender_in, closes_on_the_first)
    with server:
        held = sender.wait("held", lambda s: s["held"] >= 1 and s["queued"] == 0)["held"]
        sender.run("queue", "doubt", "drop", "--campaign", "held")
        status = sender.wait("held")
        assert status["held"] == 0 and status["failed"] == held
        assert sender.run("queue", "doubt", "list", "--json").stdout == ""
        sender.check_sums("held")


def test_a_421_that_waits_on_an_idle_session_harms_no_message(sender_in):
    """The server hangs up while nothing is on its way; the next message goes at once."""
    quiet = []

    def hangs_up(talk):
        def dot(message):
            talk.server.accepted.append(message)
            talk.send("250 ok\r\n")
            quiet.append(1)
            time.sleep(0.5)
            talk.send("421 4.4.2 idle too long\r\n")
            talk.close()
        talk.serve(dot=dot)

    sender = sender_in(keys=("ed25519",))
    with Hostile(hangs_up, polite) as server:
        sender.default_site |= {"sessions": 1, "idle": "60s"}
        sender.top["workers"] = 1
        sender.route("*", server.port)
        sender.start()
        sender.create("one", ["ann@idle.test"])
        sender.wait("one")
        wait_until(lambda: server.talks[0].socket.fileno() < 0, "the server to hang up")
        sender.create("two", ["bob@idle.test"])
        assert sender.wait("two")["deferrals"] == 0
        assert sender.report("two")[0]["attempts"] == 1
        assert server.connections == 2


def test_required_tls_never_falls_back(sender_in, tmp_path):
    certificate = folder_certificate(tmp_path)
    sender = sender_in(keys=("ed25519",))
    garbage = CASES["tls-garbage"].scripts[0]
    with Hostile(polite) as plain, Hostile(garbage, tls, certificate=certificate) as broken:
        sender.default_site |= {"sessions": 1, "tls": "required"}
        sender.top["workers"] = 1
        sender.route("plain.test", plain.port)
        sender.route("broken.test", broken.port)
        sender.start()
        sender.create("secret", ["ann@plain.test", "bob@broken.test"])
        status = sender.wait("secret", lambda s: s["delivered"] == 1, seconds=90)
        assert plain.taken == [] and [m.tls for m in broken.accepted] == [True]
        assert status["queued"] == 1
        row = sender.items("queue", "show", "ann@plain.test")[0]
        assert row["state"] == "deferred"


def test_many_sessions_that_fail_at_once_count_as_one_failure(sender_in):
    """A receiver that was away for a moment is tried again soon, however many sessions met it."""
    sender = sender_in(keys=("ed25519",))
    with Hostile(*[lambda talk: talk.close()] * 16, polite) as server:
        # All at once, and not slowly at first.
        sender.default_site |= {"sessions": 16, "adaptive": False}
        sender.route("*", server.port)
        sender.start()
        sender.create("news", [f"r{i}@away.test" for i in range(200)])
        status = sender.wait("news", seconds=100)
        assert status["delivered"] == 200 == len(server.accepted)
        assert max(line["attempts"] for line in sender.report("news")) <= 4


def test_a_receiver_whose_tls_is_broken_gets_the_mail_in_the_clear_at_once(sender_in):
    """No attempt is counted, nothing waits."""
    broken = CASES["tls-close"].scripts[0]
    sender = sender_in(keys=("ed25519",))
    with Hostile(broken) as server:
        sender.route("*", server.port)
        sender.start()
        sender.create("news", [f"r{i}@broken.test" for i in range(50)])
        status = sender.wait("news")
        assert status["delivered"] == 50 and status["deferrals"] == 0
        assert not any(message.tls for message in server.accepted)


def test_an_address_is_not_said_as_a_server_name(sender_in, tmp_path):
    """RFC 6066 section 3; GnuTLS refuses the handshake for it."""
    said = []
    sender = sender_in(keys=("ed25519",))
    with Hostile(tls, certificate=folder_certificate(tmp_path)) as server:
        server.on_server_name = lambda socket, name, context: said.append(name)
        sender.route("*", server.port)
        sender.start()
        sender.create("news", ["ann@shop.test"])
        sender.wait("news")
        assert server.accepted[0].tls and set(said) == {None}
