"""Mail through real receivers: Postfix, Exim and OpenSMTPD take it, put it into maildirs, and what
stands there is judged by verifiers and readers that share nothing with the sender."""

import collections
import email
import email.policy
import os
import re
import signal
import subprocess

import dkim
import pytest

from peers.exim import Exim
from peers.opensmtpd import OpenSMTPD
from peers.postfix import Postfix
from ports import free_port
from sender import ROOT, Sender, end_process, wait_until

pytestmark = [
    pytest.mark.binary,
    pytest.mark.skipif(os.geteuid() != 0, reason="mail servers want to be started by root"),
]

MAIL_DKIM = ROOT / "tests/integration/dkim_verify/mail_dkim.pl"
EACH = 100  # recipients at each of the three domains
UNKNOWN = "nobody"

NAMES = ["佐藤", "Ann Lee", "鈴木一郎", "José", "", "髙橋"]
HEADERS = """\
From: "飛脚 Courier" <news@courier.example>
Reply-To: 編集部 <editors@courier.example>
Subject: {{name | default: "読者"}}さんへ：今週のお知らせ — this week's letter, with a subject of some length
"""
TEXT = """\
{{name | default: "読者"}}さん、こんにちは。

飛脚は手紙を運びます。長い行もそのまま届きます：{{name}}あいうえおかきくけこさしすせそたちつてとなにぬねの
.
..two dots begin this line
From here on it is English. Trailing space stays so: \n
Tel: +81-3-0000-0000
"""
HTML = """\
<html><body><p>{{name | default: "読者"}}さん、<b>こんにちは</b>。</p>
<p><a href="https://courier.example/読む?n={{name}}">Read more</a></p></body></html>
"""


def rows(domain, count=EACH):
    people = [(f"reader{i}@{domain}", NAMES[i % len(NAMES)]) for i in range(count - 2)]
    # OpenSMTPD finds no mailbox for a quoted local part, whatever its table of users says.
    odd = "reader.odd" if domain.startswith("opensmtpd") else "a..b"
    return people + [(f"{UNKNOWN}@{domain}", "Nobody"), (f"{odd}@{domain}", "Odd")]


def verify(sender, message):
    """Verifies every signature of a message; how many there are."""
    checker = dkim.DKIM(message)
    count = sum(name.lower() == b"dkim-signature" for name, _ in checker.headers)

    def lookup(name, timeout=5):
        return sender.dns_records[name.decode().rstrip(".")].encode()

    for index in range(count):
        assert dkim.DKIM(message).verify(idx=index, dnsfunc=lookup), message.decode(errors="replace")
    return count


@pytest.fixture
def peer(tmp_path):
    """Makes and starts servers."""
    made = []

    def make(kind, *args, **options):
        made.append(kind(tmp_path, *args, **options))
        return made[-1].start()

    yield make
    for one in made:
        one.close()
        print(f"---- {one.name}\n{one.log()[-10000:]}")


# ---- one campaign to three servers ----

Run = collections.namedtuple("Run", "sender peers status lines mails")


@pytest.fixture(scope="module")
def run(programs, tmp_path_factory):
    directory = tmp_path_factory.mktemp("servers")
    users = [address.partition("@")[0] for address, _ in rows("opensmtpd.example")
             if UNKNOWN not in address]
    peers = {}
    sender = Sender(directory / "sender", keys=("rsa", "ed25519"))
    sender.default_site |= {"sessions": 4, "messages-per-session": 10}
    try:
        peers["postfix"] = Postfix(directory, "postfix.example").start()
        peers["exim"] = Exim(directory, "exim.example").start()
        peers["opensmtpd"] = OpenSMTPD(directory, "opensmtpd.example", users=users).start()
        for one in peers.values():
            sender.route(one.domain, one.relay)
        sender.start()
        everybody = [row for one in peers.values() for row in rows(one.domain)]
        sender.create("news", everybody, headers=HEADERS, text=TEXT, html=HTML)
        status = sender.wait("news")
        mails = {name: one.wait_for(EACH - 1) for name, one in peers.items()}
        yield Run(sender, peers, status, sender.report_by_address("news"), mails)
    finally:
        sender.close()
        for one in peers.values():
            one.close()
            print(f"---- {one.name}\n{one.log()[-6000:]}")
        print(sender.log()[-10000:])


SERVERS = ("postfix", "exim", "opensmtpd")


@pytest.mark.parametrize("server", SERVERS)
def test_everybody_gets_the_mail_once(run, server):
    domain = run.peers[server].domain
    expected = [address for address, _ in rows(domain, EACH) if not address.startswith(UNKNOWN)]
    found = [mail.recipient.replace('"', "") for mail in run.mails[server]]
    assert sorted(found) == sorted(expected)
    assert len({mail.field("Message-ID") for mail in run.mails[server]}) == EACH - 1


def test_the_report_agrees_with_what_arrived(run):
    assert run.status["total"] == 3 * EACH and run.status["delivered"] == 3 * (EACH - 1)
    assert run.status["failed"] == 3 and run.status["doubts"] == 0
    run.sender.check_sums("news")


@pytest.mark.parametrize("server", ("postfix", "exim"))
def test_an_address_with_odd_dots_arrives_in_quotes(run, server):
    domain = run.peers[server].domain
    assert sum(mail.recipient in (f'"a..b"@{domain}', f"a..b@{domain}")
               for mail in run.mails[server]) == 1
    line = [line for address, line in run.lines.items() if "a..b" in address and domain in address]
    assert [one["outcome"] for one in line] == ["delivered"]


@pytest.mark.parametrize("server, code, words", [
    ("postfix", "5.1.1", "User unknown in virtual mailbox table"),
    ("exim", "", "no such user here"),
])
def test_an_unknown_user_is_reported_with_the_words_of_the_server(run, server, code, words):
    line = run.lines[f"{UNKNOWN}@{run.peers[server].domain}"]
    assert line["outcome"] == "failed" and line["code"] == 550 and line["attempts"] == 1
    assert words in line["reply"] and line["enhanced"] == code
    assert str(run.peers[server].port) in line["host"]


@pytest.mark.parametrize("server", SERVERS)
def test_both_signatures_of_every_mail_verify(run, server):
    for mail in run.mails[server]:
        assert verify(run.sender, mail.wire) == 2


def test_a_second_verifier_agrees(run, tmp_path):
    """Mail::DKIM on ten mails of each server, on the RSA signature."""
    (tmp_path / "keys.txt").write_text("".join(f"{n}\t{r}\n"
                                               for n, r in run.sender.dns_records.items()))
    names = []
    for server, mails in run.mails.items():
        for number, mail in enumerate(mails[:10]):
            fields = re.split(rb"\r\n(?![ \t])", mail.wire.partition(b"\r\n\r\n")[0])
            kept = [field for field in fields if b"a=ed25519" not in field]
            assert len(kept) == len(fields) - 1
            names.append(f"{server}{number}.eml")
            (tmp_path / names[-1]).write_bytes(
                b"\r\n".join(kept) + b"\r\n\r\n" + mail.wire.partition(b"\r\n\r\n")[2])
    result = subprocess.run(["/usr/bin/perl", str(MAIL_DKIM), "keys.txt"], cwd=tmp_path, check=True,
                            input="\n".join(names) + "\n", capture_output=True, text=True)
    assert result.stdout.splitlines() == [f"{name}\tpass" for name in names]


@pytest.mark.parametrize("server", SERVERS)
def test_words_arrive_as_they_were_written(run, server):
    names = dict(rows(run.peers[server].domain))
    for mail in run.mails[server]:
        parsed = email.message_from_bytes(mail.wire, policy=email.policy.default)
        name = names[mail.recipient.replace('"', "")] or "読者"
        assert parsed["Subject"] == (f"{name}さんへ：今週のお知らせ — this week's letter, with a "
                                     "subject of some length")
        assert str(parsed["To"]).replace('"', "") == mail.recipient.replace('"', "")
        assert parsed["From"].addresses[0].display_name == "飛脚 Courier"
        text = parsed.get_body(("plain",)).get_content().replace("\r\n", "\n")
        assert text.startswith(f"{name}さん、こんにちは。\n")
        assert "\n.\n..two dots begin this line\n" in text
        html = parsed.get_body(("html",)).get_content()
        assert f"<p>{name}さん、<b>こんにちは</b>。</p>" in html
        assert parsed.defects == [] and "List-Unsubscribe" in parsed


@pytest.mark.parametrize("server", SERVERS)
def test_bounces_would_come_back_to_an_address_of_each_recipient(run, server):
    senders = [mail.sender for mail in run.mails[server]]
    assert all(re.fullmatch(r"bounce-[a-z0-9]+@courier\.example", one) for one in senders)
    assert len(set(senders)) == len(senders)


@pytest.mark.parametrize("server, used", [("postfix", True), ("exim", True), ("opensmtpd", False)])
def test_tls_is_used_where_it_is_offered(run, server, used):
    for mail in run.mails[server]:
        assert bool(re.search(r"with esmtps", mail.received[0], re.IGNORECASE)) == used


def test_tls_sessions_are_resumed(run):
    """Ten messages a session, so there are some ten sessions to each server."""
    relay = run.peers["postfix"].relay
    resumed = run.sender.metric("hikyaku_sessions_tls_resumed_total", site=relay)
    opened = run.sender.metric("hikyaku_sessions_tls_total", site=relay)
    assert opened >= 10 and resumed >= 1  # those opened together have nothing to resume
    assert any("resumed 1" in mail.received[0] for mail in run.mails["exim"])


def test_the_name_of_the_customer_is_said_in_the_greeting(run):
    assert all("mail.courier.example" in mail.received[0]
               for mails in run.mails.values() for mail in mails)


# ---- what servers ask for ----

def test_greylisted_recipients_are_deferred_and_delivered_later(sender_in, peer):
    postfix = peer(Postfix, "grey.example", more=["max_use = 1"],
                   access="/^reader[0-4]@/ 450 4.2.0 greylisted, come back later")
    sender = sender_in(keys=("ed25519",))
    sender.default_site |= {"idle": "0s", "sessions": 2}
    sender.route("*", postfix.relay)
    sender.start()
    sender.create("news", [f"reader{i}@grey.example" for i in range(10)])
    status = sender.wait("news", lambda s: s["deferred"] == 5 and s["delivered"] == 5)
    row = sender.items("queue", "show", "reader1@grey.example")[0]
    assert "greylisted, come back later" in row["reply"] or "greylisted" in row["history"][0]["reply"]
    postfix.set_access("")
    status = sender.wait("news")
    assert status["delivered"] == 10 and status["deferrals"] >= 5
    assert all(sender.report_by_address("news")[f"reader{i}@grey.example"]["attempts"] >= 2
               for i in range(5))


def test_a_message_over_the_limit_of_the_server_fails_here(sender_in, peer):
    """SIZE is known from EHLO: nothing is sent, and the report says why."""
    postfix = peer(Postfix, "small.example", more=["message_size_limit = 2000"])
    sender = sender_in(keys=("ed25519",))
    sender.route("*", postfix.relay)
    sender.start()
    sender.create("news", ["reader1@small.example"], text="A long letter.\n" * 500)
    assert sender.wait("news")["failed"] == 1
    line = sender.report("news")[0]
    assert line["code"] == 552 and "larger than the host takes" in line["reply"], line
    assert line["attempts"] <= 1
    assert sender.stop() == 0
    commands = wait_until(lambda: re.findall(r"disconnect .* ehlo=2 (.*)commands=", postfix.log()),
                          "the end of the session in Postfix's log")
    assert not any("mail=" in one or "data=" in one or "bdat=" in one for one in commands)


def test_postfix_with_and_without_chunking_and_pipelining(sender_in, peer):
    ports = {name: free_port() for name in ("both", "pipelining", "chunking", "none")}
    discard = {"both": "silent-discard", "pipelining": "chunking", "chunking": "pipelining",
               "none": "chunking,pipelining"}
    domains = ", ".join(f"{name}.example" for name in ports)
    postfix = peer(Postfix, "postfix.example", more=[f"virtual_mailbox_domains = {domains}"],
                   listeners=[(f"127.0.0.1:{port}", f"-o syslog_name=port-{name} "
                               f"-o smtpd_discard_ehlo_keywords={discard[name]}")
                              for name, port in ports.items()])
    sender = sender_in(keys=("ed25519",))
    sender.default_site |= {"idle": "0s", "sessions": 2}
    for name, port in ports.items():
        sender.route(f"{name}.example", port)
    sender.start()
    sender.create("news", [f"reader{i}@{name}.example" for name in ports for i in range(20)])
    assert sender.wait("news")["delivered"] == 80
    mails = postfix.wait_for(80)
    assert len({mail.recipient for mail in mails}) == 80
    assert all(verify(sender, mail.wire) == 1 for mail in mails)
    wait_until(lambda: all(re.search(rf"port-{name}/smtpd.* disconnect .*(data|bdat)=\d+",
                                     postfix.log()) for name in ports), "Postfix's log")
    for name in ports:
        ended = " ".join(re.findall(rf"port-{name}/smtpd.* disconnect (.*)", postfix.log()))
        assert (" bdat=" in ended) == (name in ("both", "chunking")), ended
        assert (" data=" in ended) == (name in ("pipelining", "none")), ended
    assert "improper command pipelining" not in postfix.log()


def test_mail_goes_over_ipv6(sender_in, peer):
    exim = peer(Exim, "six.example", host="::1")
    sender = sender_in(keys=("ed25519",))
    sender.route("*", exim.relay)
    sender.start()
    sender.create("news", [f"reader{i}@six.example" for i in range(20)])
    assert sender.wait("news")["delivered"] == 20
    mails = exim.wait_for(20)
    assert all("[::1]" in mail.received[0] for mail in mails)
    assert all(verify(sender, mail.wire) == 1 for mail in mails)
    assert "::1" in sender.report("news")[0]["host"]


# ---- the whole way, with the DNS ----

ZONE = """\
mx1	A	127.0.0.2
mx2	A	127.0.0.3
dead	A	127.0.0.4
one	MX	10 mx1
same	MX	10 mx1
second	MX	10 dead
second	MX	20 mx2
rude	A	127.0.0.5
dumb	A	127.0.0.6
passed-rude	MX	10 rude
passed-rude	MX	20 mx2
passed-dumb	MX	10 dumb
passed-dumb	MX	20 mx2
implicit	A	127.0.0.2
alias	CNAME	one
null	MX	0 .
null	A	127.0.0.2
nohost	TXT	"nothing here"
private	MX	10 inner
inner	A	10.0.0.5
inner	A	192.168.1.1
inner	A	169.254.169.254
loop	MX	10 loopback
loopback	A	127.0.0.9
text	MX	10 10.0.0.5.
localhost-mx	MX	10 localhost.
partly	MX	10 half
half	A	10.0.0.5
half	A	127.0.0.2
"""
FORBIDDEN = ("10.0.0.5", "192.168.1.1", "169.254.169.254", "127.0.0.9")
DELIVERED = {"one", "same", "second", "implicit", "alias", "partly"}
FAILED = {"null": (556, "5.1.10"), "absent": (550, "5.1.2"), "nohost": (550, "5.4.4"),
          "private": (550, "5.4.6"), "loop": (550, "5.4.6"), "localhost-mx": (550, "5.4.6"),
          "text": (550, None)}

@pytest.fixture
def world(network):
    """A name server, and addresses that must never be dialled: they are there, so that dialling them
    would succeed and show. Gives the words that run a program inside."""
    network.address(*(f"{address}/32" for address in FORBIDDEN[:3]))
    network.zone("mail.example", ZONE)
    network.serve()
    return network.inside


# A host that greets and then drops or ignores every message: it is up, and nothing gets through.
USELESS = """\
import sys, threading
sys.path.insert(0, sys.argv[1])
from hostile import Hostile
Hostile(lambda talk: talk.serve(mail=lambda _: talk.close()), host="127.0.0.5", port=25)
Hostile(lambda talk: talk.serve(mail=lambda _: talk.drain()), host="127.0.0.6", port=25)
print("listening", flush=True)
threading.Event().wait()
"""


def test_a_useless_mail_exchanger_is_passed_over_for_the_next(world, sender_in, sink_with):
    useless = subprocess.Popen([*world, "/usr/bin/python3", "-c", USELESS,
                                str(ROOT / "tests/integration")],
                               stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True)
    try:
        assert useless.stdout.readline() == "listening\n"
        second = sink_with(host="127.0.0.3", port=25, prefix=world)
        sender = sender_in(keys=("ed25519",), prefix=world)
        sender.settings["dns"] = {"stub-zones": ["mail.example 127.0.0.1@53"], "ipv6": False,
                                  "allow-destinations": ["127.0.0.0/8"]}
        sender.default_site["mail-timeout"] = "1s"
        sender.start()
        everybody = [f"reader{i}@passed-{name}.mail.example" for name in ("rude", "dumb")
                     for i in range(20)]
        sender.create("news", everybody)
        status = sender.wait("news")
        assert (status["deferrals"], sender.report("news", "deferred")) == (0, [])
        assert sorted(second.recipients()) == sorted(everybody)
        assert all(line["attempts"] == 1 for line in sender.report("news"))
    finally:
        end_process(useless, signal.SIGKILL)
        useless.stdout.close()


def test_mail_goes_where_the_dns_says_and_nowhere_else(world, sender_in, peer, sink_with):
    others = [option for address in FORBIDDEN[1:] for option in ("--listen", f"{address}:25")]
    never = sink_with(*others, host=FORBIDDEN[0], port=25, prefix=world)
    second = sink_with(host="127.0.0.3", port=25, prefix=world)
    everywhere = [f"{name}.mail.example" for name in sorted(DELIVERED)]
    exim = peer(Exim, "mail.example", host="127.0.0.2", port=25, prefix=world)
    sender = sender_in(keys=("ed25519",), prefix=world)
    sender.settings["dns"] = {
        "stub-zones": ["mail.example 127.0.0.1@53"], "ipv6": False,
        "allow-destinations": ["127.0.0.2/32", "127.0.0.3/32", "127.0.0.4/32"]}
    sender.default_site["connect-timeout"] = "5s"
    sender.start()
    sender.create("news", [f"reader1@{name}.mail.example" for name in sorted(DELIVERED | set(FAILED))])
    status = sender.wait("news")
    lines = sender.report_by_address("news")
    for name in DELIVERED:
        assert lines[f"reader1@{name}.mail.example"]["outcome"] == "delivered", lines
    for name, (code, enhanced) in FAILED.items():
        line = lines[f"reader1@{name}.mail.example"]
        assert line["outcome"] == "failed" and line["code"] == code, line
        assert enhanced is None or line["enhanced"] == enhanced, line
        assert line["reply"] != ""
    assert status["delivered"] == len(DELIVERED) and status["failed"] == len(FAILED)
    assert never.totals()["connections"] == 0
    assert second.recipients() == ["reader1@second.mail.example"]
    mails = exim.wait_for(len(DELIVERED) - 1)
    assert sorted(mail.recipient for mail in mails) == sorted(
        f"reader1@{name}" for name in everywhere if not name.startswith("second."))
    sites = {site["site"] for site in sender.items("queue", "list") if "site" in site}
    assert "mx1.mail.example" in sites  # one site for the domains that share it
    assert "mx1.mail.example [127.0.0.2]" in lines["reader1@one.mail.example"]["host"]
