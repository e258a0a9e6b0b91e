"""The sink judges every run, so it is itself judged here: against Python's SMTP client and by
bytes on a bare socket."""

import hashlib
import json
import pathlib
import random
import signal
import smtplib
import socket
import ssl
import subprocess
import time

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
SINK = ROOT / "build" / "bench" / "sink"
BARE_CLIENT = ROOT / "build" / "bench" / "bare_client"


@pytest.fixture(scope="session", autouse=True)
def programs():
    subprocess.run(
        ["make", "-s", "-f", "bench/bench.mk", str(SINK.relative_to(ROOT)),
         str(BARE_CLIENT.relative_to(ROOT))], cwd=ROOT, check=True)


class Sink:
    def __init__(self, *args):
        self.process = subprocess.Popen(
            [str(SINK), "--listen", "127.0.0.1:0", *args], text=True,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        ready = self.process.stderr.readline()
        assert ready.startswith("listening "), ready
        self.port = int(ready.split()[1].rpartition(":")[2])

    def client(self, ehlo=True):
        client = smtplib.SMTP("127.0.0.1", self.port, local_hostname="client.test", timeout=20)
        if ehlo:
            client.ehlo()
        return client

    def totals_now(self):
        self.process.send_signal(signal.SIGUSR1)
        return json.loads(self.process.stdout.readline())

    def end(self):
        self.process.send_signal(signal.SIGTERM)
        out, _ = self.process.communicate(timeout=20)
        assert self.process.returncode == 0
        return json.loads(out.splitlines()[-1])


@pytest.fixture
def sink_with():
    started = []

    def start(*args):
        started.append(Sink(*args))
        return started[-1]

    yield start
    for sink in started:
        if sink.process.poll() is None:
            sink.process.kill()
        sink.process.wait()


class Wire:
    """A client of bytes."""

    def __init__(self, sink, ehlo=True, host="127.0.0.1", greeting=220):
        self.socket = socket.create_connection((host, sink.port), timeout=20)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.file = self.socket.makefile("rb")
        assert self.code() == greeting
        if ehlo and greeting == 220:
            self.send(b"EHLO client.test\r\n")
            assert self.code() == 250

    def send(self, data):
        self.socket.sendall(data)

    def code(self):
        while True:
            line = self.file.readline()
            if not line:
                return None
            assert line.endswith(b"\r\n")
            if line[3:4] == b" ":
                return int(line[:3])

    def codes(self, count):
        return [self.code() for _ in range(count)]

    def ask(self, line):
        self.send(line + b"\r\n")
        return self.code()


def stuff(message):
    lines = message.split(b"\r\n")
    return b"\r\n".join(b"." + line if line.startswith(b".") else line for line in lines)


def wait_for(directory, count):
    end = time.monotonic() + 20
    while time.monotonic() < end:
        found = sorted(directory.glob("*.eml"), key=lambda path: int(path.stem.split("-")[-1]))
        if len(found) >= count:
            return found
        time.sleep(0.01)
    raise AssertionError("the messages were not saved")


def send_data(wire, message, pieces=None):
    assert wire.ask(b"MAIL FROM:<a@sender.test>") == 250
    assert wire.ask(b"RCPT TO:<b@receiver.test>") == 250
    assert wire.ask(b"DATA") == 354
    for piece in pieces or [stuff(message) + b".\r\n"]:
        wire.send(piece)
    assert wire.code() == 250


def test_takes_mail_from_pythons_client(sink_with, tmp_path):
    sink = sink_with("--save", str(tmp_path))
    with sink.client() as client:
        client.sendmail("a@sender.test", ["b@receiver.test", "c@receiver.test"],
                        "Subject: hello\n\n.one dot\n..two\n.\nend\n")
    saved, = wait_for(tmp_path, 1)
    assert saved.read_bytes() == b"Subject: hello\r\n\r\n.one dot\r\n..two\r\n.\r\nend\r\n"
    envelope = saved.with_suffix(".env").read_text().splitlines()
    assert envelope[:3] == ["from a@sender.test", "to b@receiver.test", "to c@receiver.test"]
    totals = sink.end()
    assert (totals["messages"], totals["recipients"], totals["malformed"]) == (1, 2, 0)
    assert totals["violations"] == 0
    assert totals["bytes"] == saved.stat().st_size


DOTTED = b"Subject: x\r\n\r\n.\r\n..\r\n.a\r\n\r\n.\r.\r\nlast.\r\n"


def test_end_of_data_is_found_at_every_split(sink_with, tmp_path):
    sink = sink_with("--save", str(tmp_path))
    message = b".first\r\n\r\n.\r\n..\r\nend.\r\n"
    wire_form = stuff(message) + b".\r\n"
    wire = Wire(sink)
    cuts = range(1, len(wire_form))
    for cut in cuts:
        send_data(wire, message, [wire_form[:cut], wire_form[cut:]])
    for path in wait_for(tmp_path, len(cuts)):
        assert path.read_bytes() == message
    assert sink.end()["malformed"] == 0


def test_end_of_data_is_found_byte_by_byte(sink_with, tmp_path):
    sink = sink_with("--save", str(tmp_path))
    wire = Wire(sink)
    wire_form = stuff(DOTTED) + b".\r\n"
    send_data(wire, DOTTED, [wire_form[i:i + 1] for i in range(len(wire_form))])
    saved, = wait_for(tmp_path, 1)
    assert saved.read_bytes() == DOTTED
    assert sink.end()["malformed"] == 1  # for its bare CR


@pytest.mark.parametrize("before", [15, 16, 62, 63, 64, 65, 127, 128, 4094, 4095, 32766, 32767])
def test_dots_at_block_edges_are_read_right(sink_with, tmp_path, before):
    sink = sink_with("--save", str(tmp_path))
    filler = b"x" * (before % 100) + b"\r\n" if before >= 2 else b""
    filler = (b"y" * 98 + b"\r\n") * ((before - len(filler)) // 100) + filler
    message = filler + b".b\r\n" + b"a.\r\n"
    wire = Wire(sink)
    send_data(wire, message)
    saved, = wait_for(tmp_path, 1)
    assert saved.read_bytes() == message
    assert sink.end()["malformed"] == 0


def test_an_empty_message_is_a_message(sink_with, tmp_path):
    sink = sink_with("--save", str(tmp_path))
    send_data(Wire(sink), b"", [b".\r\n"])
    saved, = wait_for(tmp_path, 1)
    assert saved.read_bytes() == b""


@pytest.mark.parametrize("end", [b"\n.\n", b"\n.\r\n", b"\r.\r", b"\r\n.\n", b"\r.\r\n"])
def test_only_crlf_dot_crlf_ends_data(sink_with, tmp_path, end):
    sink = sink_with("--save", str(tmp_path))
    wire = Wire(sink)
    assert wire.ask(b"MAIL FROM:<a@sender.test>") == 250
    assert wire.ask(b"RCPT TO:<b@receiver.test>") == 250
    assert wire.ask(b"DATA") == 354
    wire.send(b"x" + end + b"NOOP\r\n.\r\n")
    assert wire.code() == 250
    wire.socket.settimeout(0.2)
    with pytest.raises(TimeoutError):
        wire.file.readline()
    assert sink.end()["malformed"] == 1


@pytest.mark.parametrize("message, malformed", [
    (b"a" * 998 + b"\r\n", 0),
    (b"a" * 999 + b"\r\n", 1),
    (b"b\r\n" * 50 + b"a" * 998 + b"\r\n" + b"b\r\n", 0),
    (b"b\r\n" * 50 + b"a" * 999 + b"\r\n" + b"b\r\n", 1),
    (b"." + b"a" * 997 + b"\r\n", 0),
    (b"x\0\r\n", 1),
    (b"x\ny\r\n", 1),
    (b"x\ry\r\n", 1),
    (b"x" * 61 + b"\r\n" + b"y" * 62 + b"\r\nz\r\n", 0),
    ("かな\r\n".encode(), 0),
])
def test_malformed_text_is_counted(sink_with, message, malformed):
    sink = sink_with()
    wire = Wire(sink)
    send_data(wire, message)
    assert wire.ask(b"MAIL FROM:<a@sender.test>") == 250
    assert wire.ask(b"RCPT TO:<b@receiver.test>") == 250
    wire.send(b"BDAT %d LAST\r\n" % len(message) + message)
    assert wire.code() == 250
    totals = sink.end()
    assert (totals["messages"], totals["malformed"]) == (2, 2 * malformed)


def test_chunks_are_counted_not_searched(sink_with, tmp_path):
    sink = sink_with("--save", str(tmp_path))
    wire = Wire(sink)
    message = b"Subject: x\r\n\r\n.\r\n.\r\nQUIT\r\n" + bytes(range(1, 10)) + b"\r\n"
    wire.send(b"MAIL FROM:<a@sender.test>\r\nRCPT TO:<b@receiver.test>\r\n"
              b"BDAT 7\r\n" + message[:7] + b"BDAT 0\r\n"
              b"BDAT %d LAST\r\n" % (len(message) - 7) + message[7:] + b"NOOP\r\n")
    assert wire.codes(6) == [250] * 6
    saved, = wait_for(tmp_path, 1)
    assert saved.read_bytes() == message
    assert "by BDAT" in saved.with_suffix(".env").read_text()
    assert sink.end()["violations"] == 0


def test_chunks_survive_every_split(sink_with, tmp_path):
    sink = sink_with("--save", str(tmp_path))
    wire = Wire(sink)
    flight = (b"MAIL FROM:<a@sender.test>\r\nRCPT TO:<b@receiver.test>\r\n"
              b"BDAT 3\r\na\r\nBDAT 3 LAST\r\nb\r\n")
    for cut in range(1, len(flight)):
        wire.send(flight[:cut])
        wire.send(flight[cut:])
        assert wire.codes(4) == [250] * 4
    for path in wait_for(tmp_path, len(flight) - 1):
        assert path.read_bytes() == b"a\r\nb\r\n"


def test_a_refused_chunk_is_skipped(sink_with):
    sink = sink_with("--reject-percent", "100")
    wire = Wire(sink)
    wire.send(b"MAIL FROM:<a@sender.test>\r\nRCPT TO:<b@receiver.test>\r\n"
              b"BDAT 6 LAST\r\nQUIT\r\nNOOP\r\n")
    assert wire.codes(4) == [250, 550, 554, 250]
    assert sink.end()["messages"] == 0


def test_starttls_protects_and_forgets(sink_with):
    sink = sink_with("--starttls")
    client = sink.client()
    assert client.has_extn("starttls")
    client.starttls(context=ssl._create_unverified_context())
    assert client.docmd("MAIL FROM:<a@sender.test>")[0] == 503  # EHLO again first
    client.ehlo()
    assert not client.has_extn("starttls") and client.has_extn("chunking")
    for size in (10, 100_000):
        client.sendmail("a@sender.test", "b@receiver.test", "x\r\n" * size)
    client.quit()
    totals = sink.end()
    assert (totals["tls_sessions"], totals["messages"], totals["tls_failed"]) == (1, 2, 0)


def test_input_behind_starttls_never_reaches_the_session(sink_with):
    wire = Wire(sink_with("--starttls"))
    wire.send(b"STARTTLS\r\nNOOP\r\n")
    assert wire.codes(2) == [554, None]


def test_a_certificate_can_be_given(sink_with, tmp_path):
    cert, key = tmp_path / "c.pem", tmp_path / "k.pem"
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
                    "ec_paramgen_curve:P-256", "-nodes", "-keyout", key, "-out", cert, "-days",
                    "2", "-subj", "/CN=mx.test", "-addext", "subjectAltName=IP:127.0.0.1"],
                   check=True, stderr=subprocess.DEVNULL)
    sink = sink_with("--starttls", "--cert", str(cert), "--key", str(key))
    client = sink.client()
    client.starttls(context=ssl.create_default_context(cafile=str(cert)))
    assert client.noop()[0] == 250


def test_recipients_are_refused_and_deferred_at_the_given_rate(sink_with):
    sink = sink_with("--reject-percent", "20", "--defer-percent", "30", "--seed", "7")
    wire = Wire(sink)
    assert wire.ask(b"MAIL FROM:<a@sender.test>") == 250
    wire.send(b"RCPT TO:<b@receiver.test>\r\n" * 1000)
    codes = wire.codes(1000)
    counts = {code: codes.count(code) for code in set(codes)}
    assert set(counts) == {250, 451, 550}
    assert 150 < counts[550] < 250 and 190 < counts[451] < 290
    totals = sink.end()
    assert (totals["rejected"], totals["deferred"]) == (counts[550], counts[451])


def test_closing_after_the_dot_gives_no_reply_and_is_on_the_doubt_ledger(sink_with, tmp_path):
    ledger, doubt = tmp_path / "ledger", tmp_path / "doubt"
    sink = sink_with("--close-after-dot-percent", "100", "--ledger", str(ledger),
                     "--doubt-ledger", str(doubt))
    wire = Wire(sink)
    assert wire.ask(b"MAIL FROM:<a@sender.test>") == 250
    assert wire.ask(b"RCPT TO:<b@receiver.test>") == 250
    assert wire.ask(b"DATA") == 354
    wire.send(b"Message-ID: <m@sender.test>\r\n\r\nx\r\n.\r\n")
    assert wire.code() is None
    totals = sink.end()
    assert (totals["messages"], totals["closed_after_dot"]) == (0, 1)
    assert ledger.read_text() == ""
    assert doubt.read_text().split()[3:5] == ["b@receiver.test", "<m@sender.test>"]


def test_a_connection_takes_only_so_many_messages(sink_with):
    wire = Wire(sink_with("--max-messages", "2"))
    send_data(wire, b"x\r\n")
    send_data(wire, b"x\r\n")
    assert wire.ask(b"MAIL FROM:<a@sender.test>\r\nRCPT TO:<b@receiver.test>") == 421
    assert wire.code() is None


def test_the_ledger_line_is_there_before_the_reply(sink_with, tmp_path):
    ledger = tmp_path / "ledger"
    sink = sink_with("--ledger", str(ledger))
    wire = Wire(sink)
    message = b"Subject: x\r\nmessage-id:\r\n <id-%d@sender.test>\r\n\r\n.x\r\n"
    for number in range(300):
        text = message % number
        wire.send(b"MAIL FROM:<a@sender.test>\r\nRCPT TO:<b@receiver.test>\r\n"
                  b'RCPT TO:<"c d"@receiver.test>\r\nDATA\r\n')
        assert wire.codes(4) == [250, 250, 250, 354]
        wire.send(stuff(text) + b".\r\n")
        assert wire.code() == 250
        lines = ledger.read_text().splitlines()
        assert len(lines) == 2 * (number + 1)
        epoch_ms, session, seq, rcpt, message_id, digest = lines[-1].split(" ")
        assert abs(int(epoch_ms) / 1000 - time.time()) < 60
        assert session.count("-") == 2 and int(seq) == number + 1
        assert rcpt == '"c\\x20d"@receiver.test'
        assert message_id == f"<id-{number}@sender.test>"
        assert digest == hashlib.sha256(text).hexdigest()


def test_the_ledger_outlives_a_kill(sink_with, tmp_path):
    ledger = tmp_path / "ledger"
    ledger.write_text("1 cut-short")
    for _ in range(2):
        sink = sink_with("--ledger", str(ledger))
        wire = Wire(sink)
        acknowledged = 0
        wire.send(b"MAIL FROM:<a@sender.test>\r\nRCPT TO:<b@receiver.test>\r\n"
                  b"BDAT 3 LAST\r\nx\r\n" * 500)
        while acknowledged < 200:
            assert wire.codes(3) == [250] * 3
            acknowledged += 1
        before = len(ledger.read_text().splitlines())
        sink.process.kill()
        sink.process.wait()
        assert before >= acknowledged
    lines = ledger.read_text().splitlines()
    assert lines[0] == "1 cut-short" and len(lines) > 400


def test_every_kth_message_is_saved_byte_for_byte(sink_with, tmp_path):
    sink = sink_with("--save", str(tmp_path), "--save-every", "3")
    wire = Wire(sink)
    chooser = random.Random(1)
    messages = []
    for number in range(9):
        lines = [bytes(chooser.choice(b".ab ") for _ in range(chooser.randrange(300)))
                 for _ in range(chooser.randrange(1, 400))]
        messages.append(b"%d\r\n" % number + b"".join(line + b"\r\n" for line in lines))
        send_data(wire, messages[-1])
    saved = wait_for(tmp_path, 3)
    assert [path.read_bytes() for path in saved] == messages[2::3]
    assert not list(tmp_path.glob("*.part"))


def test_totals_are_printed_on_request(sink_with):
    sink = sink_with()
    wire = Wire(sink)
    assert sink.totals_now()["messages"] == 0
    send_data(wire, b"four\r\n")
    totals = sink.totals_now()
    assert (totals["messages"], totals["bytes"], totals["concurrent"]) == (1, 6, 1)
    other = Wire(sink)
    other.ask(b"QUIT")
    assert other.code() is None
    totals = sink.end()
    assert (totals["connections"], totals["max_concurrent"]) == (2, 2)


def test_extensions_can_be_hidden(sink_with):
    client = sink_with("--no-chunking", "--no-pipelining").client()
    assert not client.has_extn("chunking") and not client.has_extn("pipelining")
    assert client.has_extn("size") and client.has_extn("8bitmime")
    assert client.has_extn("smtputf8") and client.has_extn("enhancedstatuscodes")


@pytest.mark.parametrize("line, code", [
    (b"MAIL FROM:<a@b.test> SIZE=10 BODY=8BITMIME", 250),
    (b"MAIL FROM:<>", 250),
    (b"mail from:<a@b.test>", 250),
    (b"MAIL FROM:a@b.test", 501),
    (b"MAIL FROM: <a@b.test>", 501),
    (b"MAIL FROM:<a@b.test> RET=HDRS", 555),
    ("MAIL FROM:<é@b.test>".encode(), 553),
    ("MAIL FROM:<é@b.test> SMTPUTF8".encode(), 250),
    (b"RCPT TO:<a@b.test>", 503),
    (b"DATA", 503),
    (b"VRFY a", 252),
    (b"NOOP", 250),
    (b"RSET", 250),
    (b"XYZZY", 500),
    (b"STARTTLS", 503),
])
def test_commands_are_judged(sink_with, line, code):
    sink = sink_with()
    assert Wire(sink).ask(line) == code
    assert sink.end()["violations"] == (1 if code >= 500 else 0)


def test_early_input_is_a_violation(sink_with):
    sink = sink_with("--no-pipelining")
    wire = Wire(sink)
    wire.send(b"MAIL FROM:<a@b.test>\r\nRCPT TO:<a@b.test>\r\n")
    assert wire.codes(2) == [250, 250]
    assert sink.end()["violations"] == 1


def test_answers_are_delayed_and_keep_their_order(sink_with):
    sink = sink_with("--delay-ms", "60-120")
    start = time.monotonic()
    wire = Wire(sink)
    assert time.monotonic() - start >= 0.12
    wire.send(b"MAIL FROM:<a@b.test>\r\nRCPT TO:<a@b.test>\r\nVRFY x\r\nDATA\r\n")
    assert wire.codes(4) == [250, 250, 252, 354]
    wire.send(b"x\r\n.\r\nQUIT\r\n")
    assert wire.codes(3) == [250, 221, None]


def test_many_processes_and_addresses_serve_as_one(sink_with, tmp_path):
    ledger = tmp_path / "ledger"
    sink = sink_with("--processes", "3", "--addresses", "4", "--ledger", str(ledger))
    run = subprocess.run(
        [str(BARE_CLIENT), "--to", f"127.0.0.1:{sink.port}", "--addresses", "4", "--messages",
         "3000", "--sessions", "300", "--size", "1000"], check=True, capture_output=True)
    assert json.loads(run.stdout)["messages"] == 3000
    totals = sink.end()
    assert (totals["connections"], totals["max_concurrent"]) == (300, 300)
    lines = [line.split(" ") for line in ledger.read_text().splitlines()]
    assert len({line[3] for line in lines}) == len(lines) == totals["recipients"] == 3000
    assert {len(line) for line in lines} == {6}
    assert len({line[5] for line in lines}) == 1


@pytest.mark.parametrize("mode", ["bdat", "data", "plain", "steps"])
def test_the_bare_client_speaks_correctly(sink_with, tmp_path, mode):
    sink = sink_with("--save", str(tmp_path), "--save-every", "100")
    run = subprocess.run(
        [str(BARE_CLIENT), "--to", f"127.0.0.1:{sink.port}", "--messages", "1000", "--sessions",
         "7", "--mode", mode, "--size", "5000"], check=True, capture_output=True)
    assert json.loads(run.stdout)["messages"] == 1000
    for path in wait_for(tmp_path, 10):
        assert path.stat().st_size == 5000
    totals = sink.end()
    assert (totals["messages"], totals["recipients"], totals["bytes"]) == (1000, 1000, 5_000_000)
    assert (totals["malformed"], totals["violations"]) == (0, 0)


@pytest.fixture
def provider_with(sink_with, tmp_path):
    """A sink with one provider, on 127.0.2.1, and a way to talk to it."""
    def start(options):
        profile = tmp_path / "profile"
        profile.write_text(f"# the only one\n\nstrict 127.0.2.1 {options}\n")
        sink = sink_with("--profile", str(profile))
        return sink, lambda **more: Wire(sink, host="127.0.2.1", **more)

    return start


def hand_over(wire, address):
    """The codes of RCPT and, where that was good, of the message."""
    wire.ask(b"MAIL FROM:<a@b.test>")
    code = wire.ask(b"RCPT TO:<" + address + b">")
    if code != 250:
        wire.ask(b"RSET")
        return [code]
    wire.ask(b"DATA")
    return [code, wire.ask(b"x\r\n.")]


def test_a_provider_limits_connections_and_its_neighbours_do_not(provider_with):
    sink, connect = provider_with("connections=1")
    first = connect()
    assert connect(greeting=421).code() is None
    Wire(sink).ask(b"NOOP")
    first.send(b"QUIT\r\n")
    assert first.codes(2) == [221, None]
    connect()
    assert sink.end()["turned_away"] == 1


def test_a_provider_limits_messages_in_a_connection(provider_with):
    _, connect = provider_with("messages=2")
    wire = connect()
    assert [hand_over(wire, b"x@y.test") for _ in range(2)] == [[250, 250]] * 2
    assert wire.ask(b"MAIL FROM:<a@b.test>") == 421


def test_a_provider_limits_the_rate_and_ends_the_connection(provider_with):
    sink, connect = provider_with("rate=3")
    wire = connect()
    # A second's worth may come at once.
    wire.send(b"MAIL FROM:<a@b.test>\r\nRSET\r\n" * 4)
    assert wire.codes(8) == [250] * 6 + [421, None]
    assert sink.end()["throttled"] == 1


def test_a_provider_does_not_know_some_addresses_whenever_it_is_asked(provider_with):
    sink, connect = provider_with("unknown=50 refused=50")
    wire = connect()
    addresses = [b"reader%d@y.test" % i for i in range(40)]
    codes = [hand_over(wire, address) for address in addresses]
    assert [hand_over(wire, address) for address in addresses] == codes
    assert {tuple(code) for code in codes} == {(550,), (250, 554), (250, 250)}
    totals = sink.end()
    assert totals["messages"] == 2 * codes.count([250, 250])
    assert totals["rejected"] == 80 - totals["messages"]


def test_a_greylisting_provider_takes_the_address_later(provider_with):
    sink, connect = provider_with("greylist=100 greylist-ms=150")
    wire = connect()
    assert hand_over(wire, b"x@y.test") == [451]
    assert hand_over(wire, b"x@y.test") == [451]
    time.sleep(0.2)
    assert hand_over(wire, b"x@y.test") == [250, 250]
    assert hand_over(wire, b"z@y.test") == [451]
    assert sink.end()["deferred"] == 3


def test_a_provider_answers_one_thing_after_the_other(provider_with):
    _, connect = provider_with("delay-ms=40-40 accept-ms=90-90")
    start = time.monotonic()
    wire = connect()
    wire.send(b"MAIL FROM:<a@b.test>\r\nRCPT TO:<a@b.test>\r\nBDAT 3 LAST\r\nx\r\n"
              b"MAIL FROM:<a@b.test>\r\n")
    assert wire.codes(4) == [250] * 4
    assert time.monotonic() - start >= 5 * 0.04 + 0.09
