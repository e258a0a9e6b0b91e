"""`hikyaku receive` among real clients: Python's, swaks, Postfix's smtp-source, bytes on a bare socket."""

import contextlib
import os
import pathlib
import select
import shutil
import signal
import smtplib
import socket
import ssl
import subprocess
import threading

import pytest

import sender as sender_module
from ports import free_port
from sender import wait_until

CONFIG = """\
customer "courier.example" {{
	address "any" {{ ehlo = "mail.courier.example" }}
	sign = false
	unsubscribe-mailto = "leave-{{{{_token}}}}@courier.example"
}}
customer "other.example" {{
	address "any" {{ ehlo = "mail.other.example" }}
	sign = false
	bounce = "ret"
}}
receive {{
	listen = {{"127.0.0.1:{port}"}}
	hostname = "mx.courier.example"
	spool = "{folder}/spool"
	spool-free = "0"
	{options}
}}
"""
BOUNCE = "bounce-abc123@courier.example"


class Receiver:
    def __init__(self, folder, options=""):
        self.folder = pathlib.Path(folder)
        self.port = free_port()
        self.log_path = self.folder / "log"
        config = self.folder / "hikyaku.conf"
        config.write_text(CONFIG.format(port=self.port, folder=self.folder, options=options))
        self.command = [sender_module.PROGRAM, "receive", "--config", str(config)]
        self.process = None

    def start(self):
        with open(self.log_path, "ab") as log:
            self.process = subprocess.Popen(self.command, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        ready = self.log().count("event=ready")
        wait_until(lambda: self.process.poll() is not None or self.log().count("event=ready") > ready)
        assert self.process.poll() is None, self.log()
        return self

    def log(self):
        return self.log_path.read_text(errors="replace") if self.log_path.exists() else ""

    def end(self, how=signal.SIGTERM):
        self.process.send_signal(how)
        return self.process.wait(timeout=60)

    def messages(self):
        """(envelope lines, content) of each message in the spool."""
        found = []
        for path in sorted((self.folder / "spool" / "new").iterdir()):
            envelope, _, content = path.read_bytes().partition(b"\n\n")
            found.append((envelope.decode().split("\n"), content))
        return found

    def parts(self):
        return list((self.folder / "spool" / "tmp").iterdir())

    def client(self):
        return smtplib.SMTP("127.0.0.1", self.port, local_hostname="client.test", timeout=30)

    def raw(self):
        connection = socket.create_connection(("127.0.0.1", self.port), timeout=30)
        stream = connection.makefile("rb")
        assert stream.readline() == b"220 mx.courier.example ESMTP\r\n"
        return connection, stream


def say(connection, stream, text, replies=1):
    """Sends and returns the last lines of so many replies."""
    connection.sendall(text)
    return [reply(stream) for _ in range(replies)]


def reply(stream):
    while True:
        line = stream.readline()
        if line[3:4] != b"-":
            return line.decode().rstrip("\r\n")


def mail_to(connection, stream, address=BOUNCE, sender=""):
    return say(connection, stream, f"MAIL FROM:<{sender}>\r\nRCPT TO:<{address}>\r\n".encode(), 2)


def open_data(connection, stream):
    say(connection, stream, b"EHLO c\r\n")
    say(connection, stream, f"MAIL FROM:<>\r\nRCPT TO:<{BOUNCE}>\r\nDATA\r\n".encode(), 3)


@pytest.fixture
def receiver_with(programs, tmp_path):
    made = []

    def make(options=""):
        folder = tmp_path / f"receiver{len(made)}"
        folder.mkdir()
        made.append(Receiver(folder, options))
        return made[-1].start()

    yield make
    for one in made:
        if one.process.poll() is None:
            one.end(signal.SIGKILL)
        print(f"---- {one.log_path}\n{one.log()[-20000:]}")


def without_received(content):
    """The message behind our own header field, which has two continuation lines."""
    lines = content.split(b"\r\n")
    assert lines[0].startswith(b"Received: from ") and lines[2].startswith(b"\t"), lines[:3]
    return b"\r\n".join(lines[3:])


def test_a_message_is_spooled_as_it_came(receiver_with):
    receiver = receiver_with()
    text = b"Subject: bounce\r\n\r\n.\r\n..x\r\n.y\r\n" + "日本語\r\n".encode() + b"z" * 5000 + b"\r\n"
    with receiver.client() as client:
        assert client.sendmail("", [BOUNCE, "ret@other.example"], text, ["BODY=8BITMIME"]) == {}
        client.sendmail("ann@x.test", "leave-t0ken@courier.example", b"x\r\n")
    (envelope, content), (second, _) = receiver.messages()
    assert envelope == ["client 127.0.0.1", "hello client.test", "from ", f"to {BOUNCE}",
                        "to ret@other.example"]
    assert without_received(content) == text
    assert content.startswith(b"Received: from client.test ([127.0.0.1])\r\n\tby mx.courier.example with "
                              b"ESMTP id ")
    assert second[2:] == ["from ann@x.test", "to leave-t0ken@courier.example"]
    assert receiver.parts() == []
    assert receiver.end() == 0


@pytest.mark.parametrize("address", [
    "postmaster", "PostMaster@mx.courier.example", "postmaster@courier.example",
    "abuse@other.example", "bounce@courier.example", "BOUNCE-x@Courier.Example",
    "@r.test:bounce-x@courier.example", "leave-x@courier.example", "ret-a=b@other.example"])
def test_what_is_ours_is_taken(receiver_with, address):
    connection, stream = receiver_with().raw()
    assert say(connection, stream, b"HELO c\r\n")[0].startswith("250")
    assert mail_to(connection, stream, address)[1] == "250 2.1.5 ok"


@pytest.mark.parametrize("address", [
    "ann@courier.example", "bounce-x@evil.example", "bounce-x@courier.example.evil.example",
    "bounce-x%evil.example@mx.courier.example", "evil.example!bounce-x@mx.courier.example",
    "\"bounce-x@evil.example\"@courier.example", "bounce-@courier.example", "bouncer@courier.example",
    "bounce-x@[127.0.0.1]", "@courier.example:bounce-x@evil.example", "ret@courier.example",
    "leave-@courier.example", "x@mx.courier.example", "abuse@mx.courier.example", "root",
    "bounce-x@xcourier.example", "bounce-x@sub.courier.example"])
def test_nothing_is_relayed(receiver_with, address):
    connection, stream = receiver_with().raw()
    say(connection, stream, b"EHLO c\r\n")
    assert mail_to(connection, stream, address, "postmaster@courier.example")[1][:3] in ("550", "501")
    assert say(connection, stream, b"DATA\r\n") == ["554 5.5.1 no valid recipients"]


def test_smuggled_messages_do_not_arrive(receiver_with):
    receiver = receiver_with()
    evil = b"MAIL FROM:<evil@x.test>\r\nRCPT TO:<postmaster>\r\nDATA\r\nevil\r\n.\r\n"
    for end in (b"\n.\n", b"\n.\r\n", b"\r\n.\n", b"\r.\r", b"\r\n.\r", b"\r\n.\r\r\n"):
        connection, stream = receiver.raw()
        open_data(connection, stream)
        connection.sendall(b"text" + end + evil)
        assert stream.read() == b"550 5.6.0 bare CR or LF in the content\r\n"
    assert receiver.messages() == [] and receiver.parts() == []


def secure(connection):
    """The connection and its stream behind a handshake; the certificate is nobody's."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    inside = context.wrap_socket(connection)
    return inside, inside.makefile("rb")


def send_and_hear(connection, wire, lines):
    """Writes and reads at once, in one thread: two may not use one TLS connection in Python."""
    connection.setblocking(False)
    heard, at = b"", 0
    while heard.count(b"\n") < lines:
        select.select([connection], [connection] if at < len(wire) else [], [], 30)
        with contextlib.suppress(BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError):
            if at < len(wire):
                at += connection.send(wire[at:at + 65536])
        with contextlib.suppress(BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError):
            part = connection.recv(65536)
            assert part, heard
            heard += part
    return heard.decode().split("\r\n")[:-1]


@pytest.mark.parametrize("tls", [False, True])
def test_pipelined_chunks_wait_for_the_disk_and_none_is_lost(receiver_with, tls):
    receiver = receiver_with()
    connection, stream = receiver.raw()
    say(connection, stream, b"EHLO c\r\n")
    if tls:
        assert say(connection, stream, b"STARTTLS\r\n") == ["220 2.0.0 go on"]
        connection, stream = secure(connection)
        say(connection, stream, b"EHLO c\r\n")
    body = (b"0123456789abcdef" * 64 + b"\r\n") * 300
    messages = 60

    wire = b""
    for i in range(messages):
        content = b"Subject: %04d\r\n\r\n" % i + body
        wire += f"MAIL FROM:<>\r\nRCPT TO:<{BOUNCE}>\r\nBDAT {len(content)} LAST\r\n".encode() + content
    answers = send_and_hear(connection, wire, 3 * messages)
    assert answers == ["250 2.1.0 ok", "250 2.1.5 ok", "250 2.0.0 taken"] * messages
    assert sorted(without_received(content) for _, content in receiver.messages()) == \
        [b"Subject: %04d\r\n\r\n" % i + body for i in range(messages)]


def test_starttls_is_offered_and_used(receiver_with):
    receiver = receiver_with()
    with receiver.client() as client:
        client.ehlo()
        assert client.has_extn("starttls")
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        assert client.starttls(context=context)[0] == 220
        client.ehlo()
        assert not client.has_extn("starttls")
        client.sendmail("", BOUNCE, b"Subject: x\r\n\r\n" + b"y" * 500000 + b"\r\n")
    assert b" with ESMTPS id " in receiver.messages()[0][1]


def test_nothing_is_carried_into_tls(receiver_with):
    receiver = receiver_with()
    connection, stream = receiver.raw()
    say(connection, stream, b"EHLO c\r\n")
    connection.sendall(b"STARTTLS\r\nMAIL FROM:<evil@x.test>\r\n")
    assert stream.read() == b"220 2.0.0 go on\r\n554 5.5.0 bytes behind STARTTLS\r\n"
    # Half a transaction before, and a peer that has no TLS in mind.
    connection, stream = receiver.raw()
    say(connection, stream, b"EHLO c\r\n")
    mail_to(connection, stream)
    say(connection, stream, b"STARTTLS\r\n")
    inside, inner = secure(connection)
    assert say(inside, inner, b"DATA\r\n") == ["503 5.5.1 MAIL first"]
    connection, stream = receiver.raw()
    say(connection, stream, b"EHLO c\r\n")
    say(connection, stream, b"STARTTLS\r\n")
    connection.sendall(b"RSET\r\n")
    assert b"250" not in stream.read()
    assert receiver.end() == 0


def test_the_operators_certificate_is_shown(receiver_with, tmp_path):
    pem = tmp_path / "mx.pem"
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256",
                    "-nodes", "-subj", "/CN=mx.courier.example",
                    "-addext", "subjectAltName=DNS:mx.courier.example",
                    "-keyout", tmp_path / "key", "-out", tmp_path / "crt"], check=True, capture_output=True)
    pem.write_bytes((tmp_path / "crt").read_bytes() + (tmp_path / "key").read_bytes())
    receiver = receiver_with(f'tls-certificate = "{pem}"')
    with smtplib.SMTP("127.0.0.1", receiver.port, local_hostname="c.test", timeout=30) as client:
        client._host = "mx.courier.example"
        assert client.starttls(context=ssl.create_default_context(cafile=tmp_path / "crt"))[0] == 220
    pem.write_bytes((tmp_path / "crt").read_bytes())
    receiver.end()
    done = subprocess.run(receiver.command, capture_output=True, text=True, timeout=30)
    assert done.returncode == 1
    assert done.stderr == f"hikyaku: {pem}: no private key that fits the certificate\n"


def test_what_is_too_large_is_refused_and_read(receiver_with):
    receiver = receiver_with('message-max = "64K"')
    with receiver.client() as client:
        with pytest.raises(smtplib.SMTPSenderRefused):
            client.sendmail("", BOUNCE, b"x" * 70000 + b"\r\n")
        client.rset()
        client.mail("")
        client.rcpt(BOUNCE)
        assert client.data(b"x\r\n" * 30000)[0] == 552
        client.sendmail("", BOUNCE, b"fits\r\n")
    # Beyond what is read for nothing the reply still arrives.
    connection, stream = receiver.raw()
    open_data(connection, stream)
    connection.sendall(b"x" * 400000)
    assert stream.read() == b"552 5.3.4 message too large\r\n"
    assert len(receiver.messages()) == 1 and receiver.parts() == []


def test_a_full_spool_says_come_again(receiver_with):
    receiver = receiver_with('spool-max = "1M"\n\tmessage-max = "1M"')
    with receiver.client() as client:
        for _ in range(3):
            client.sendmail("", BOUNCE, b"x" * 998 + b"\r\n" + (b"x" * 998 + b"\r\n") * 299)
        with pytest.raises(smtplib.SMTPSenderRefused) as refused:
            client.sendmail("", BOUNCE, (b"x" * 998 + b"\r\n") * 300)
        assert refused.value.smtp_code == 452
        # Without SIZE it shows while it comes.
        client.rset()
        client.mail("")
        client.rcpt(BOUNCE)
        assert client.data((b"x" * 998 + b"\r\n") * 300)[0] == 452
        client.sendmail("", BOUNCE, b"small\r\n")
    assert len(receiver.messages()) == 4 and receiver.parts() == []


def test_clients_have_their_share_of_connections(receiver_with):
    receiver = receiver_with("connections-per-client = 3")
    held = [receiver.raw() for _ in range(3)]
    with socket.create_connection(("127.0.0.1", receiver.port), timeout=30) as more:
        assert more.recv(100) == b""
    with socket.create_connection(("127.0.0.1", receiver.port), 30, ("127.0.0.2", 0)) as other:
        assert other.recv(100).startswith(b"220")
    say(*held[0], b"QUIT\r\n")
    held[0][1].close()
    held[0][0].close()

    def comes_in():
        with socket.create_connection(("127.0.0.1", receiver.port), timeout=30) as again:
            return again.recv(100).startswith(b"220")

    wait_until(comes_in, "a place")


def test_hundreds_of_idle_connections_disturb_nobody(receiver_with):
    receiver = receiver_with("connections-per-client = 2000")
    held = [receiver.raw() for _ in range(400)]
    for connection, _ in held[:200]:
        connection.sendall(b"EHLO half a li")
    with receiver.client() as client:
        assert client.sendmail("", BOUNCE, b"x\r\n") == {}
    for connection, stream in held:
        stream.close()
        connection.close()
    assert receiver.end() == 0


def test_who_never_reads_holds_little_and_disturbs_nobody(receiver_with):
    receiver = receiver_with("connections-per-client = 100")
    flood = f"RCPT TO:<{BOUNCE}>\r\n".encode() * 20000
    held = [receiver.raw() for _ in range(20)]
    for connection, stream in held:
        say(connection, stream, b"EHLO c\r\n")
        connection.sendall(b"MAIL FROM:<>\r\n")
        connection.setblocking(False)
    for _ in range(50):
        for connection, _ in held:
            try:
                connection.send(flood)
            except BlockingIOError:
                pass
    with receiver.client() as client:
        assert client.sendmail("", BOUNCE, b"x\r\n") == {}
    pages = int(pathlib.Path(f"/proc/{receiver.process.pid}/statm").read_text().split()[1])
    assert pages * 4096 < 200 << 20
    for connection, stream in held:
        stream.close()
        connection.close()
    assert receiver.end() == 0


def test_who_speaks_first_is_sent_away(receiver_with):
    receiver = receiver_with()
    connection, stream = receiver.raw()
    connection.sendall(b"EHLO c\r\nMAIL FROM:<>\r\n")
    answers = stream.read().decode().split("\r\n")
    assert answers[-2] == "554 5.5.0 spoke before it was asked"


def test_sigterm_ends_at_the_borders_of_messages(receiver_with):
    receiver = receiver_with()
    idle_connection, idle = receiver.raw()
    connection, stream = receiver.raw()
    open_data(connection, stream)
    connection.sendall(b"half\r\n")
    wait_until(receiver.parts, "the first half")
    receiver.process.send_signal(signal.SIGTERM)
    assert idle.read() == b"421 4.3.2 going away\r\n"
    idle_connection.close()
    connection.sendall(b"whole\r\n.\r\n")
    assert stream.read() == b"250 2.0.0 taken\r\n421 4.3.2 going away\r\n"
    connection.close()
    stream.close()
    assert receiver.process.wait(timeout=30) == 0
    assert [without_received(content) for _, content in receiver.messages()] == [b"half\r\nwhole\r\n"]


def test_a_second_sigterm_breaks_off(receiver_with):
    receiver = receiver_with()
    connection, stream = receiver.raw()
    open_data(connection, stream)
    connection.sendall(b"half\r\n")
    wait_until(receiver.parts, "the first half")
    receiver.process.send_signal(signal.SIGTERM)
    wait_until(lambda: "event=stopping" in receiver.log(), "stopping")
    receiver.process.send_signal(signal.SIGTERM)
    assert receiver.process.wait(timeout=30) == 0
    assert receiver.messages() == [] and receiver.parts() == []


def test_after_kill_every_message_that_was_taken_is_there(receiver_with):
    receiver = receiver_with()
    taken = []

    def load(name):
        number = 0
        while True:
            try:
                with receiver.client() as client:
                    for _ in range(50):
                        number += 1
                        subject = f"{name}-{number}"
                        text = f"Subject: {subject}\r\n\r\n".encode() + b"y" * 3000 + b"\r\n"
                        client.sendmail("", BOUNCE, text)
                        taken.append(subject)
            except (OSError, smtplib.SMTPException):
                return

    for round in range(5):
        threads = [threading.Thread(target=load, args=(f"{round}.{i}",)) for i in range(4)]
        for thread in threads:
            thread.start()
        before = len(taken)
        wait_until(lambda: len(taken) > before + 40 + 37 * round, "load")
        receiver.end(signal.SIGKILL)
        for thread in threads:
            thread.join()
        receiver.start()
    assert receiver.parts() == []
    there = {}
    for _, content in receiver.messages():
        text = without_received(content)
        there[text.split(b"\r\n")[0].decode()[9:]] = text
    assert set(taken) <= set(there)
    assert {len(text) - len(subject) for subject, text in there.items()} == {len("Subject: \r\n\r\n") + 3002}


def test_other_peoples_clients(receiver_with):
    receiver = receiver_with("connections-per-client = 100")
    if shutil.which("swaks"):
        done = subprocess.run(["swaks", "--server", f"127.0.0.1:{receiver.port}", "--from", "<>",
                               "--to", BOUNCE, "--pipeline", "--tls", "--body", "hello\n.\n..\n"],
                              capture_output=True, text=True, timeout=60)
        assert done.returncode == 0, done.stdout
        assert b"hello\r\n.\r\n..\r\n" in receiver.messages()[-1][1]
    before = len(receiver.messages())
    source = shutil.which("smtp-source", path=os.environ["PATH"] + ":/usr/sbin")
    if source:
        subprocess.run([source, "-s", "20", "-m", "300", "-l", "20000", "-f", "a@x.test", "-t", BOUNCE,
                        f"127.0.0.1:{receiver.port}"], check=True, timeout=120)
        assert len(receiver.messages()) == before + 300
    assert receiver.parts() == []


def test_our_sender_delivers_to_our_receiver(receiver_with, sender_in):
    receiver = receiver_with("connections-per-client = 100")
    sender = sender_in(keys=("ed25519",))
    sender.route("*", receiver.port)
    sender.start()
    ours = [f"bounce-{i}@courier.example" for i in range(500)]
    others = [f"reader{i}@courier.example" for i in range(50)]
    sender.create("news", ours + others)
    status = sender.wait("news")
    assert (status["delivered"], status["failed"]) == (500, 50), status
    messages = receiver.messages()
    assert sorted(envelope[3] for envelope, _ in messages) == sorted(f"to {address}" for address in ours)
    for envelope, content in messages:
        assert envelope[2].startswith("from bounce-") and b" with ESMTPS id " in content
        assert b"DKIM-Signature:" in content and b"\n" not in content.replace(b"\r\n", b"")
    assert receiver.parts() == []


def test_without_its_section_there_is_no_such_role(programs, tmp_path):
    config = tmp_path / "hikyaku.conf"
    config.write_text('customer "a.example" { address "any" { ehlo = "m.a.example" } sign = false }\n')
    done = subprocess.run([sender_module.PROGRAM, "receive", "--config", str(config)],
                          capture_output=True, text=True, timeout=30)
    assert done.returncode == 1
    assert done.stderr == f'hikyaku: {config}: no section "receive"\n'
