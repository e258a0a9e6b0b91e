"""Submission: users hand in mail by other people's clients, and it arrives signed, as it was written."""

import base64
import contextlib
import email.message
import email.policy
import json
import os
import pathlib
import shutil
import signal
import smtplib
import socket
import ssl
import subprocess
import time
import urllib.request

import dkim
import pytest

from peers.postfix import Postfix
from ports import free_port
from sender import PROGRAM, ROOT, end_process, wait_until

USER, PASSWORD = "shop", "correct horse"
SHOP, EVIL = "shop@courier.example", "evil@courier.example"


class Office:
    """A sender, `hikyaku receive` with submission ports beside it, and a sink that keeps mail."""

    def __init__(self, sender, sink, options="", hostname="mx.courier.example"):
        self.sender, self.sink = sender, sink
        self.port, self.tls_port, self.clear_port = free_port(), free_port(), free_port()
        self.metrics_port = free_port()
        self.folder = sender.directory
        self.spool = self.folder / "submitted"
        self.log_path = self.folder / "receive.log"
        sender.route("*", sink.port)
        sender.extra += f"""
receive {{
	listen = {{"127.0.0.1:{free_port()}"}}
	hostname = "{hostname}"
	spool = "{self.folder}/spool"
	spool-free = "0"
	connections-per-client = 100
	metrics = "127.0.0.1:{self.metrics_port}"
}}
submission {{
	listen = {{"127.0.0.1:{self.port}"}}
	listen-tls = {{"127.0.0.1:{self.tls_port}"}}
	listen-clear = {{"127.0.0.1:{self.clear_port}"}}
	users = "{self.folder}/users"
	spool = "{self.spool}"
	{options}
}}
"""
        sender.write_config()
        self.process = None
        self.user("add", USER, "--from", f"{SHOP},orders@courier.example", "--ask", stdin=PASSWORD + "\n")

    def metrics(self):
        """Of submission, by name and label."""
        with urllib.request.urlopen(f"http://127.0.0.1:{self.metrics_port}/metrics", timeout=20) as answer:
            lines = answer.read().decode().splitlines()
        return {name.removeprefix("hikyaku_submission_"): int(value)
                for name, _, value in (line.rpartition(" ") for line in lines)
                if name.startswith("hikyaku_submission_")}

    def user(self, *words, stdin=None):
        return self.sender.run("user", *words, stdin=stdin)

    def start(self):
        ready = self.log().count("event=ready")
        with open(self.log_path, "ab") as log:
            self.process = subprocess.Popen([PROGRAM, "receive", "--config", str(self.sender.config)],
                                            stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        wait_until(lambda: self.process.poll() is not None or self.log().count("event=ready") > ready)
        assert self.process.poll() is None, self.log()
        return self

    def log(self):
        return self.log_path.read_text(errors="replace") if self.log_path.exists() else ""

    def end(self, how=signal.SIGTERM):
        return end_process(self.process, how)

    def client(self, login=True):
        client = smtplib.SMTP("127.0.0.1", self.port, local_hostname="laptop.test", timeout=30)
        client.starttls(context=anybody())
        client.ehlo()
        if login:
            client.login(USER, PASSWORD)
        return client

    def waiting(self):
        return sorted((self.spool / "new").iterdir())

    def delivered(self, count):
        """The contents of so many messages in the sink."""
        wait_until(lambda: len(self.sink.rows()) >= count, f"{count} messages")
        assert len(self.sink.rows()) == count, self.sink.rows()
        return [path.read_bytes() for path in sorted(self.sink.saved.glob("*.eml"))]

    def verified(self, content):
        names = {name.encode() + b".": record.encode() for name, record in self.sender.dns_records.items()}
        assert dkim.verify(content, dnsfunc=lambda name, timeout=5: names.get(name)), content
        signature = content.split(b"\r\n\r\n")[0].partition(b"DKIM-Signature:")[2]
        assert b"d=courier.example;" in signature
        return content


def anybody():
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


@pytest.fixture
def office_with(sender_in, sink_with, tmp_path):
    made = []

    def make(options="", start=True):
        sink = sink_with("--save", str(tmp_path / "mail"))
        sink.saved = tmp_path / "mail"
        office = Office(sender_in(keys=("ed25519",)), sink, options)
        made.append(office)
        if start:
            office.sender.start()
        return office.start()

    (tmp_path / "mail").mkdir()
    yield make
    for office in made:
        if office.process.poll() is None:
            office.end(signal.SIGKILL)
        print(f"---- {office.log_path}\n{office.log()[-20000:]}")


def a_mail(**fields):
    mail = email.message.EmailMessage(policy=email.policy.SMTP.clone(max_line_length=76))
    mail["From"], mail["To"] = f"Shop <{SHOP}>", "ann@reader.test"
    mail["Subject"] = "Order {{number}}"
    for name, value in fields.items():
        mail[name.replace("_", "-")] = value
    mail.set_content("Dear {{name}},\r\n.\r\nyours\r\n")
    return mail


def raw(office, port=None, tls=True, source="127.0.0.1"):
    """A dialogue on a bare socket, after STARTTLS and EHLO unless told otherwise."""
    connection = socket.create_connection(("127.0.0.1", port or office.port), 30, (source, 0))
    stream = connection.makefile("rb")
    assert stream.readline().startswith(b"220 ")
    if tls:
        say(connection, stream, b"EHLO c\r\n")
        assert say(connection, stream, b"STARTTLS\r\n") == "220 2.0.0 go on"
        connection = anybody().wrap_socket(connection)
        stream = connection.makefile("rb")
        say(connection, stream, b"EHLO c\r\n")
    return connection, stream


def say(connection, stream, text):
    connection.sendall(text)
    while True:
        line = stream.readline()
        if line[3:4] != b"-":
            return line.decode().rstrip("\r\n")


def plain(user, password, authorize=""):
    return base64.b64encode(f"{authorize}\0{user}\0{password}".encode())


def test_mail_arrives_as_it_was_written_and_is_signed(office_with):
    office = office_with()
    mail = a_mail(Message_ID="<1@courier.example>", Date="Mon, 30 Nov 2026 10:00:00 +0900",
                  Bcc="secret@reader.test")
    with office.client() as client:
        client.send_message(mail, to_addrs=["ann@reader.test", "secret@reader.test"])
    first, second = office.delivered(2)
    written = bytes(mail).replace(b"Bcc: secret@reader.test\r\n", b"")
    for content in (first, second):
        office.verified(content)
        head, _, body = content.partition(b"\r\n\r\n")
        assert body == written.partition(b"\r\n\r\n")[2] and b"{{name}}" in body
        fields = head.partition(b"\r\nReceived: by mx.courier.example with ESMTPSA id ")[2]
        assert sorted(fields.split(b"\r\n")[2:]) == sorted(written.partition(b"\r\n\r\n")[0].split(b"\r\n"))
        assert b"127.0.0.1" not in head and b"laptop" not in head and b"secret" not in head
    assert sorted(office.sink.recipients()) == ["ann@reader.test", "secret@reader.test"]
    wait_until(lambda: office.waiting() == [], "an empty spool")
    assert office.end() == 0


def test_what_a_client_leaves_out_is_added(office_with):
    office = office_with()
    with office.client() as client:
        client.sendmail(SHOP, "ann@reader.test", f"From: {SHOP}\r\nSubject: x\r\n\r\nhello\r\n")
    (content,) = office.delivered(1)
    mail = email.message_from_bytes(office.verified(content), policy=email.policy.default)
    assert mail["Date"] and mail["Message-ID"].endswith("@courier.example>")
    assert mail["To"] == "undisclosed-recipients:;"


def test_nobody_sends_as_somebody_else(office_with):
    office = office_with(start=False)
    cases = [
        (EVIL, SHOP, "shop may not send as evil@courier.example"),
        ("shop@other.example", SHOP, "shop may not send as shop@other.example"),
        (SHOP, EVIL, "From: shop may not write as evil@courier.example"),
        (SHOP, "shop@other.example", "From: shop may not write as shop@other.example"),
        (SHOP, f"{SHOP}, {EVIL}", "message:1: From: it must be one address"),
        (SHOP, f"a <{SHOP}> <{EVIL}>", "From: shop may not write as evil"),
        (SHOP, f"{SHOP} ({EVIL})", "message:1: From"),
        (SHOP, f"{SHOP}\r\nFrom: {EVIL}", "message:2: From: the field is given twice"),
    ]
    with office.client() as client:
        for sender, author, words in cases:
            with pytest.raises((smtplib.SMTPSenderRefused, smtplib.SMTPDataError)) as refused:
                client.sendmail(sender, "ann@reader.test", f"From: {author}\r\nX: x\r\n\r\nx\r\n")
            assert refused.value.smtp_code == 550 and words in refused.value.smtp_error.decode()
        # Another case, and one's own second address.
        client.rset()
        client.sendmail("Shop@Courier.Example", "x@reader.test", "From: Orders@courier.example\r\n\r\nx\r\n")
    assert len(office.waiting()) == 1


def test_bad_content_is_refused_where_it_is_wrong(office_with):
    office = office_with(start=False)
    head = f"From: {SHOP}\r\nSubject: x\r\n"
    cases = {
        "": "message:1: there is no From field",
        head + "no field\r\n\r\nx\r\n": "message:3: a header field needs a name and a colon",
        head + "Subject: y\r\n\r\nx\r\n": "message:3: Subject: the field is given twice",
        head + "Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\nx\r\n":
            "message:3: the multipart has no closing boundary line",
        head + "Content-Type: text/plain\r\nContent-Transfer-Encoding: 7bit\r\n\r\n" + "x" * 1000 + "\r\n":
            "message:6: the line is over 998 octets",
        head + "X: y\r\n" * 60 + "\r\nx\r\n": "62 header fields, 56 are possible",
        head + "Received: x\r\n" * 31 + "\r\nx\r\n": "5.4.6 the message goes in circles",
    }
    with office.client() as client:
        for content, words in cases.items():
            client.mail(SHOP)
            client.rcpt("ann@reader.test")
            code, text = client.data(content)
            assert code == 550 and words in text.decode(), (content, text)
    assert office.waiting() == [] and list((office.spool / "tmp").iterdir()) == []


def test_many_who_guess_hold_nobody_up(office_with):
    office = office_with(start=False)
    guessing = [raw(office) for _ in range(40)]
    started = time.monotonic()
    for i, (connection, _) in enumerate(guessing):
        connection.sendall(b"AUTH PLAIN " + plain(f"user{i}", "guess") + b"\r\n")
    with socket.create_connection(("127.0.0.1", office.port), timeout=30) as other:
        assert other.recv(100).startswith(b"220")
    assert time.monotonic() - started < 1
    assert guessing[0][1].readline() == b"535 5.7.8 wrong name or password\r\n"
    assert time.monotonic() - started > 1
    wait_until(lambda: office.log().count('event="authentication failed" client=127.0.0.1 user=user') >= 10)
    connection, stream = raw(office)
    answer = say(connection, stream, b"AUTH PLAIN " + plain(USER, PASSWORD) + b"\r\n")
    assert answer == "421 4.7.0 too many wrong passwords, come again in ten minutes"
    # Others are not to blame.
    connection, stream = raw(office, source="127.0.0.2")
    assert say(connection, stream, b"AUTH PLAIN " + plain(USER, PASSWORD) + b"\r\n").startswith("235")
    for connection, _ in guessing:
        connection.close()


def test_users_change_while_it_runs(office_with):
    office = office_with(start=False)
    made = office.user("add", "ann@courier.example").stdout
    password = made.partition("password  ")[2].split()[0]
    assert password not in (office.folder / "users").read_text()
    assert (office.folder / "users").stat().st_mode & 0o777 == 0o600
    with office.client(login=False) as client:
        client.login("ann@courier.example", password)
        client.sendmail("ann@courier.example", "x@reader.test", b"From: ann@courier.example\r\n\r\nx\r\n")
    assert office.user("list").stdout.splitlines()[1:] == [
        f"shop                 courier.example  {SHOP},orders@courier.example",
        "ann@courier.example  courier.example  ann@courier.example"]
    office.user("remove", "ann@courier.example")
    connection, stream = raw(office)
    assert say(connection, stream, b"AUTH PLAIN " + plain("ann@courier.example", password) + b"\r\n") == \
        "535 5.7.8 wrong name or password"
    with pytest.raises(AssertionError, match="no user"):
        office.user("passwd", "ann@courier.example")
    # A damaged file leaves those who are known.
    (office.folder / "users").write_text("nonsense\n")
    with office.client() as client:
        client.noop()
    assert "users:1: name, customer, addresses and password are needed" in office.log()


def test_before_tls_there_is_no_password(office_with):
    office = office_with(start=False)
    connection, stream = raw(office, tls=False)
    assert say(connection, stream, b"AUTH PLAIN " + plain(USER, PASSWORD) + b"\r\n") == \
        "538 5.7.11 STARTTLS first"
    assert say(connection, stream, b"MAIL FROM:<a@b.test>\r\n") == "530 5.7.0 STARTTLS first"
    assert say(connection, stream, b"EHLO c\r\n").startswith("250 ")
    connection.sendall(b"STARTTLS\r\nAUTH PLAIN " + plain(USER, PASSWORD) + b"\r\n")
    assert stream.readline() + stream.readline() == \
        b"220 2.0.0 go on\r\n554 5.5.0 bytes behind STARTTLS\r\n"
    connection, stream = raw(office)
    assert say(connection, stream, b"MAIL FROM:<" + SHOP.encode() + b">\r\n") == "530 5.7.0 AUTH first"
    assert say(connection, stream, b"RCPT TO:<x@reader.test>\r\n").startswith("503")
    assert say(connection, stream, b"DATA\r\n").startswith("503")
    assert say(connection, stream, b"AUTH CRAM-MD5\r\n").startswith("504")
    assert say(connection, stream, b"AUTH PLAIN " + plain(USER, PASSWORD, "ann") + b"\r\n").startswith("535")
    assert say(connection, stream, b"AUTH PLAIN " + plain(USER, PASSWORD) + b"\r\n").startswith("235")
    assert say(connection, stream, b"AUTH PLAIN " + plain(USER, PASSWORD) + b"\r\n").startswith("503")
    # Where nobody listens it may be said in the clear; a handshake that never comes disturbs nobody.
    quiet = socket.create_connection(("127.0.0.1", office.tls_port), timeout=30)
    quiet.sendall(b"EHLO c\r\n")
    connection, stream = raw(office, office.clear_port, tls=False)
    assert say(connection, stream, b"EHLO c\r\n").startswith("250 ")
    assert say(connection, stream, b"AUTH PLAIN " + plain(USER, PASSWORD) + b"\r\n").startswith("235")
    quiet.close()


def test_smuggled_mail_does_not_go_out(office_with):
    office = office_with(start=False)
    evil = (f"MAIL FROM:<{SHOP}>\r\nRCPT TO:<x@reader.test>\r\nDATA\r\n"
            f"From: {EVIL}\r\n\r\nevil\r\n.\r\n").encode()
    for end in (b"\n.\n", b"\n.\r\n", b"\r\n.\n", b"\r.\r", b"\r\n.\r\r\n"):
        connection, stream = raw(office)
        say(connection, stream, b"AUTH PLAIN " + plain(USER, PASSWORD) + b"\r\n")
        for line in (f"MAIL FROM:<{SHOP}>", "RCPT TO:<x@reader.test>", "DATA"):
            say(connection, stream, line.encode() + b"\r\n")
        connection.sendall(b"From: " + SHOP.encode() + b"\r\n\r\ntext" + end + evil)
        assert stream.readline() == b"550 5.6.0 bare CR or LF in the content\r\n"
    assert office.waiting() == []


def test_wishes_of_the_envelope_are_kept(office_with):
    office = office_with()
    with office.client() as client:
        client.mail(SHOP, ["RET=HDRS", "ENVID=order+3D17"])
        client.rcpt("ann@reader.test", ["NOTIFY=SUCCESS,FAILURE", "ORCPT=rfc822;Ann+2B@reader.test"])
        client.rcpt("bob@reader.test", ["NOTIFY=NEVER"])
        client.rcpt("cid@reader.test")
        assert client.data(bytes(a_mail()))[0] == 250
    contents = office.delivered(4)
    notice, = [mail for mail in map(email.message_from_bytes, contents) if mail["From"].count("postmaster")]
    _, status, original = notice.get_payload()
    whole, *recipients = status.get_payload()
    assert whole["Original-Envelope-Id"] == "order=17" and len(recipients) == 1
    assert recipients[0]["Action"] == "relayed"
    assert recipients[0]["Original-Recipient"].replace(" ", "") == "rfc822;Ann+@reader.test"
    assert original.get_content_type() == "text/rfc822-headers"
    assert SHOP in office.sink.recipients()


def test_extensions_of_smtp(office_with):
    office = office_with()
    connection, stream = raw(office)
    say(connection, stream, b"AUTH PLAIN " + plain(USER, PASSWORD) + b"\r\n")
    eight = (f"From: {SHOP}\r\nSubject: 8\r\nMIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\n"
             "Content-Transfer-Encoding: 8bit\r\n\r\n飛脚 {{x}}\r\n.\r\n").encode()
    utf8 = f"From: 店 <{SHOP}>\r\nTo: 用户@reader.test\r\nSubject: 飛脚\r\n\r\nx\r\n".encode()
    wire = f"MAIL FROM:<{SHOP}> BODY=8BITMIME\r\nRCPT TO:<ann@reader.test>\r\n".encode()
    wire += b"BDAT 20\r\n" + eight[:20] + b"BDAT %d LAST\r\n" % (len(eight) - 20) + eight[20:]
    wire += f"MAIL FROM:<{SHOP}> SMTPUTF8\r\nRCPT TO:<用户@reader.test>\r\n".encode()
    wire += b"BDAT %d LAST\r\n" % len(utf8) + utf8 + b"QUIT\r\n"
    connection.sendall(wire)
    answers = [stream.readline()[:3].decode() for _ in range(8)]
    assert answers == ["250", "250", "250", "250", "250", "250", "250", "221"]
    first, second = sorted((office.verified(content) for content in office.delivered(2)),
                           key=lambda content: b"Subject: 8" not in content)
    assert first.endswith(eight.partition(b"\r\n\r\n")[2]) and b"Content-Transfer-Encoding: 8bit" in first
    mail = email.message_from_bytes(second, policy=email.policy.default)
    assert mail["Subject"] == "飛脚" and mail["From"].addresses[0].display_name == "店"
    assert sorted(office.sink.recipients()) == ["ann@reader.test", "用户@reader.test"]


def test_a_user_has_so_many_recipients_in_an_hour(office_with):
    office = office_with("per-hour = 5", start=False)
    with office.client() as client:
        everybody = [f"r{i}@reader.test" for i in range(8)]
        refused = client.sendmail(SHOP, everybody, f"From: {SHOP}\r\n\r\nx\r\n")
        assert {code for code, _ in refused.values()} == {450} and len(refused) == 3
    assert office.waiting()[0].read_text().count("\nto ") == 5


def test_mail_waits_for_a_sender_that_is_away(office_with):
    office = office_with(start=False)
    with office.client() as client:
        for i in range(20):
            client.sendmail(SHOP, f"r{i}@reader.test", f"From: {SHOP}\r\nSubject: {i}\r\n\r\nx\r\n")
    assert len(office.waiting()) == 20 and 'event="mail waits for the sender"' in office.log()
    office.end(signal.SIGKILL)
    office.sender.start()
    office.start()
    office.delivered(20)
    wait_until(lambda: office.waiting() == [], "an empty spool")


def test_kills_lose_nothing_and_send_nothing_twice(office_with):
    office = office_with()
    taken = []
    for round in range(3):
        with contextlib.suppress(smtplib.SMTPException, OSError):
            with office.client() as client:
                for i in range(15):
                    number = f"{round}-{i}"
                    client.sendmail(SHOP, f"r{number}@reader.test",
                                    f"From: {SHOP}\r\nSubject: {number}\r\n\r\nx\r\n")
                    taken.append(f"r{number}@reader.test")
                    if i == 5 + 3 * round:
                        (office.end if round != 1 else office.sender.kill)(
                            *([signal.SIGKILL] if round != 1 else []))
        if not office.sender.is_alive():
            office.sender.start()
        if office.process.poll() is not None:
            office.start()
    wait_until(lambda: office.waiting() == [], "an empty spool")
    wait_until(lambda: set(taken) <= set(office.sink.recipients()), "all that was taken")
    there = office.sink.recipients()
    assert len(there) == len(set(there)), there


def test_what_the_sender_refuses_is_kept_and_whoever_handed_it_in_is_told(office_with):
    office = office_with(start=False)
    with office.client() as client:
        client.sendmail(SHOP, "ann@reader.test", f"From: {SHOP}\r\nSubject: x\r\n\r\nx\r\n")
    (path,) = office.waiting()
    path.write_bytes(path.read_bytes().replace(b"customer courier.example", b"customer nobody.example"))
    office.sender.start()
    wait_until(lambda: (office.spool / "bad" / path.name).exists(), "the refusal")
    assert office.waiting() == [] and 'event="the sender refuses a message"' in office.log()
    numbers = office.metrics()
    assert (numbers["messages_total"], numbers["bad_total"], numbers["waits"]) == (1, 1, 0), numbers
    assert numbers['sign_ins_total{result="good"}'] == 1
    notice = email.message_from_bytes(office.delivered(1)[0])
    assert office.sink.recipients() == [SHOP]
    assert notice.get_content_type() == "multipart/report" and notice["From"].endswith("@courier.example>")
    words, status = notice.get_payload()[:2]
    assert "nobody.example" in words.get_payload(decode=True).decode()
    fields = status.get_payload()[1]
    assert (fields["Final-Recipient"], fields["Action"]) == ("rfc822; ann@reader.test", "failed"), fields


def test_other_peoples_clients(office_with, tmp_path):
    office = office_with()
    count = 0
    for port, tls, mechanism in ((office.port, "--tls", "PLAIN"), (office.tls_port, "--tlsc", "LOGIN")):
        done = subprocess.run(
            ["swaks", "--server", f"127.0.0.1:{port}", tls, "--auth", mechanism, "--auth-user", USER,
             "--auth-password", PASSWORD, "--from", SHOP, "--to", "ann@reader.test", "--pipeline",
             "--h-Subject", "日本語", "--body", "swaks {{x}}\n.\n"], capture_output=True, text=True,
            timeout=60)
        assert done.returncode == 0, done.stdout
        count += 1
    if nodemailer(tmp_path):
        script = tmp_path / "send.js"
        script.write_text(NODEMAILER % {"port": office.port, "user": USER, "password": PASSWORD,
                                        "from": SHOP})
        done = subprocess.run(["node", str(script)], cwd=tmp_path, capture_output=True, text=True, timeout=60)
        assert done.returncode == 0, done.stderr
        count += 1
    contents = [office.verified(content) for content in office.delivered(count)]
    assert sum(b"swaks {{x}}\r\n.\r\n" in content for content in contents) == 2
    if count == 3:
        (mail,) = [email.message_from_bytes(content, policy=email.policy.default) for content in contents
                   if b"nodemailer" in content]
        assert mail["Subject"] == "ご注文 {{n}}"
        assert mail.get_body(("plain",)).get_content() == "本文 nodemailer\r\n"
        (attached,) = mail.iter_attachments()
        assert attached.get_filename() == "領収書.bin" and attached.get_content() == bytes(range(256)) * 50


NODEMAILER = """
const transport = require("nodemailer").createTransport({host: "127.0.0.1", port: %(port)d, requireTLS: true,
  tls: {rejectUnauthorized: false}, auth: {user: "%(user)s", pass: "%(password)s"}});
const bytes = Buffer.alloc(12800, Buffer.from(Array.from({length: 256}, (_, i) => i)));
transport.sendMail({from: "店 <%(from)s>", to: "ann@reader.test", subject: "ご注文 {{n}}",
  text: "本文 nodemailer\\n", html: "<p>{{html}}</p>",
  attachments: [{filename: "領収書.bin", content: bytes}]}).then(() => process.exit(0),
  (error) => { console.error(error); process.exit(1); });
"""


def nodemailer(folder):
    """Whether Node and Nodemailer are there, or could be had: the version that benches know."""
    if not shutil.which("node") or not shutil.which("npm"):
        return False
    lock = json.loads((ROOT / "bench/peers/npm/package-lock.json").read_text())
    version = lock["packages"]["node_modules/nodemailer"]["version"]
    home = ROOT / "build" / "npm"
    if not (home / "node_modules" / "nodemailer").exists():
        home.mkdir(parents=True, exist_ok=True)
        done = subprocess.run(["npm", "install", "--silent", "--ignore-scripts", "--no-audit", "--no-fund",
                               f"nodemailer@{version}"], cwd=home, capture_output=True, timeout=120)
        if done.returncode != 0:
            return False
    with contextlib.suppress(FileExistsError):
        pathlib.Path(folder / "node_modules").symlink_to(home / "node_modules")
    return True


class Branch(Postfix):
    """A Postfix of a branch office: all of its mail goes out through us, signed in."""

    packages = ("postfix", "libsasl2-modules")

    def __init__(self, directory, office):
        super().__init__(directory, "branch.test", more=[
            "mynetworks = 127.0.0.0/8", "smtpd_relay_restrictions = permit_mynetworks, reject",
            "smtpd_recipient_restrictions = permit_mynetworks, reject", "disable_dns_lookups = yes",
            f"relayhost = [127.0.0.1]:{office.port}", "smtp_tls_security_level = encrypt",
            "smtp_sasl_auth_enable = yes", "smtp_sasl_security_options = noanonymous",
            f"smtp_sasl_password_maps = inline:{{ {{ [127.0.0.1]:{office.port} = {USER}:{PASSWORD} }} }}"])

    def configure(self):
        super().configure()
        with open(self.directory / "conf" / "master.cf", "a") as master:
            master.write("smtp unix - - n - 5 smtp\n")


@pytest.mark.skipif(os.geteuid() != 0, reason="mail servers want to be started by root")
def test_a_postfix_relays_through_us(office_with, tmp_path):
    office = office_with()
    branch = Branch(tmp_path / "branch", office)
    try:
        branch.start()
        with smtplib.SMTP("127.0.0.1", branch.port, timeout=30) as client:
            for i in range(20):
                client.sendmail(SHOP, [f"r{i}@reader.test", f"s{i}@reader.test"],
                                f"From: {SHOP}\r\nSubject: {i}\r\n\r\n{{{{x}}}}\r\n.\r\n")
        for content in office.delivered(40):
            assert office.verified(content).endswith(b"\r\n\r\n{{x}}\r\n.\r\n")
        everybody = sorted(f"{letter}{i}@reader.test" for i in range(20) for letter in "rs")
        assert sorted(office.sink.recipients()) == everybody
    finally:
        branch.close()
        print(f"---- {branch.name}\n{branch.log()[-6000:]}")
