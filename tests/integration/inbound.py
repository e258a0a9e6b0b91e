"""A sender with the role that takes mail in beside it, on one configuration, and a receiver that notes
envelopes: what a campaign's recipients got, to be answered as their hosts would."""

import email
import email.policy
import re
import signal
import smtplib
import socket
import subprocess
import threading
import urllib.request

from ports import free_port
from sender import end_process, wait_until


class Box:
    """Takes all mail: (envelope sender, recipient, content) of each message."""

    def __init__(self):
        self.mails = []
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=64)
        self.port = self.listener.getsockname()[1]
        self.thread = threading.Thread(target=self.accept, daemon=True)
        self.thread.start()

    def accept(self):
        while True:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self.serve, args=(connection,), daemon=True).start()

    def serve(self, connection):
        with connection, connection.makefile("rb") as stream:
            connection.sendall(b"220 box\r\n")
            sender, to = "", []
            for line in stream:
                verb = line[:4].upper()
                if verb == b"MAIL":
                    sender, to = re.search(rb"<(.*?)>", line)[1].decode(), []
                elif verb == b"RCPT":
                    to.append(re.search(rb"<(.*?)>", line)[1].decode())
                elif verb == b"DATA":
                    connection.sendall(b"354 go\r\n")
                    content = b""
                    while (line := stream.readline()) != b".\r\n":
                        content += line.removeprefix(b".")
                    self.mails += [(sender, one, content) for one in to]
                elif verb == b"QUIT":
                    connection.sendall(b"221 bye\r\n")
                    return
                connection.sendall(b"250 ok\r\n")

    def close(self):
        # A thread that still waits on the number of a closed file may be woken to take what is meant for
        # the next listener of that number: mail of a later test.
        self.listener.shutdown(socket.SHUT_RDWR)
        self.thread.join()
        self.listener.close()

    def mail_of(self, address, number=0):
        """(envelope sender, parsed message) of the mail that an address got."""
        wait_until(lambda: len([m for m in self.mails if m[1] == address]) > number, f"mail for {address}")
        sender, _, content = [mail for mail in self.mails if mail[1] == address][number]
        return sender, email.message_from_bytes(content, policy=email.policy.SMTP)


class Receiver:
    """`hikyaku receive` on the sender's configuration; before sender.start()."""

    def __init__(self, sender, options=""):
        self.sender = sender
        self.port = free_port()
        self.metrics_port = free_port()
        self.spool = sender.directory / "spool"
        self.log_path = sender.directory / "receive.log"
        self.process = None
        sender.extra += (f'receive {{ listen = {{"127.0.0.1:{self.port}"}} hostname = "mx.{sender.domain}" '
                         f'spool = "{self.spool}" spool-free = "0" connections-per-client = 200 '
                         f'metrics = "127.0.0.1:{self.metrics_port}" {options} }}\n')

    def start(self):
        ready = self.log().count("event=ready")
        with open(self.log_path, "ab") as log:
            self.process = subprocess.Popen(
                [self.sender.program, "receive", "--config", str(self.sender.config)],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        wait_until(lambda: self.process.poll() is not None or self.log().count("event=ready") > ready)
        assert self.process.poll() is None, self.log()
        return self

    def log(self):
        return self.log_path.read_text(errors="replace") if self.log_path.exists() else ""

    def kill(self):
        return end_process(self.process, signal.SIGKILL)

    def close(self):
        if self.process and self.process.poll() is None:
            end_process(self.process)

    def files(self, folder="new"):
        return list((self.spool / folder).iterdir())

    def bring(self, to, text, sender=""):
        """A host brings a message."""
        content = text if isinstance(text, bytes) else text.encode().replace(b"\n", b"\r\n")
        with smtplib.SMTP("127.0.0.1", self.port, local_hostname="peer.test", timeout=30) as client:
            assert client.sendmail(sender, to, content) == {}

    def bring_all(self, messages):
        """(to, text) of each, in one session."""
        with smtplib.SMTP("127.0.0.1", self.port, local_hostname="peer.test", timeout=30) as client:
            for to, text in messages:
                assert client.sendmail("", to, text.encode().replace(b"\n", b"\r\n")) == {}

    def wait_read(self):
        wait_until(lambda: not self.files(), "the spool to be read")

    def metrics(self):
        with urllib.request.urlopen(f"http://127.0.0.1:{self.metrics_port}/metrics", timeout=20) as answer:
            return answer.read().decode()

    def metric(self, name, **labels):
        wanted = "".join(f'{key}="{value}"' for key, value in labels.items())
        for line in self.metrics().splitlines():
            full, _, value = line.rpartition(" ")
            if full.partition("{")[0] == name and wanted in full:
                return float(value)
        raise AssertionError(f"no metric {name} {labels}")


def dsn(recipient, status="5.1.1", action="failed", words="550 5.1.1 no such user", of=""):
    """What a host writes about a message that it could not deliver."""
    return f"""From: MAILER-DAEMON@mx.peer.test
To: whoever
Subject: Undelivered Mail
MIME-Version: 1.0
Content-Type: multipart/report; report-type=delivery-status; boundary=b

--b

Sorry.
--b
Content-Type: message/delivery-status

Reporting-MTA: dns; mx.peer.test

Final-Recipient: rfc822; {recipient}
Action: {action}
Status: {status}
Diagnostic-Code: smtp; {words}

--b
Content-Type: text/rfc822-headers

Message-ID: <{of}>
--b--
"""


def arf(message, kind="abuse"):
    """What a mailbox provider writes about a message that was called so."""
    return f"""From: fbl@provider.test
To: whoever
Subject: complaint
MIME-Version: 1.0
Content-Type: multipart/report; report-type=feedback-report; boundary=b

--b

A complaint.
--b
Content-Type: message/feedback-report

Feedback-Type: {kind}
User-Agent: SomeFBL/1.0
Version: 1

--b
Content-Type: message/rfc822

From: {message["From"]}
To: redacted@provider.test
Message-ID: {message["Message-ID"]}
Subject: x

x
--b--
"""
