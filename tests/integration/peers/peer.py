"""Real mail servers as receivers: what Postfix, Exim and OpenSMTPD have in common here.

Their Debian packages conflict with each other and with what a machine may run, so they are downloaded
and unpacked below ~/.cache/hikyaku, never installed, and run in namespaces of their own (inside.sh).
They listen on the loopback of the test, as root like in life, and put mail into maildirs below the
test's folder. When the outermost process ends the kernel ends all others, whatever they do.
"""

import contextlib
import email.utils
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import time

from ports import free_port
from sender import end_process, wait_until

HERE = pathlib.Path(__file__).resolve().parent
CACHE = pathlib.Path(os.environ.get("HIKYAKU_CACHE",
                                    pathlib.Path.home() / ".cache" / "hikyaku")) / "peers"
USERS = (("postfix", 64990), ("postdrop", 64991), ("Debian-exim", 64992), ("opensmtpd", 64993),
         ("opensmtpq", 64994), ("vmail", 64995))
VMAIL = 64995


def unpack(name, packages):
    """The folder with these packages unpacked; downloaded at the first use."""
    tree = CACHE / name
    if (tree / "complete").exists():
        return tree
    downloads = CACHE / f"{name}.debs"
    shutil.rmtree(tree, ignore_errors=True)
    shutil.rmtree(downloads, ignore_errors=True)
    downloads.mkdir(parents=True)
    subprocess.run(["apt-get", "-q", "-o", "APT::Sandbox::User=root", "download", *packages],
                   cwd=downloads, check=True, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
    for package in sorted(downloads.glob("*.deb")):
        subprocess.run(["dpkg", "-x", str(package), str(tree)], check=True)
    shutil.rmtree(downloads)
    (tree / "complete").touch()
    return tree


def make_certificate(directory, host):
    """A self-made certificate: (certificate, key)."""
    certificate, key = directory / "cert.pem", directory / "key.pem"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj",
         f"/CN={host}", "-keyout", str(key), "-out", str(certificate)],
        check=True, stdin=subprocess.DEVNULL, capture_output=True)
    return certificate, key


class Mail:
    """One delivered message: the bytes as they stand in the maildir, and the envelope."""

    def __init__(self, content):
        self.content = content
        self.lines = content.split(b"\n\n")[0].split(b"\n")

    def field(self, name):
        """The first header field of this name, unfolded; None if there is none."""
        value = None
        for line in self.lines:
            if value is not None:
                if line[:1] not in (b" ", b"\t"):
                    break
                value += line
            elif line.lower().startswith(name.lower().encode() + b":"):
                value = line[len(name) + 1:]
        return None if value is None else value.decode().strip()

    @property
    def sender(self):
        return self.field("Return-path").strip("<>")

    @property
    def recipient(self):
        return self.field("Delivered-To") or self.field("Envelope-to")

    @property
    def received(self):
        """The Received fields, as one text each: the topmost first."""
        found, current = [], None
        for line in self.lines:
            if line[:1] in (b" ", b"\t"):
                if current is not None:
                    current += line
                continue
            if current is not None:
                found.append(current.decode())
            current = line if line.lower().startswith(b"received:") else None
        return found + ([current.decode()] if current is not None else [])

    @property
    def wire(self):
        """As it came over SMTP, with the fields that the server put on top."""
        return self.content.replace(b"\n", b"\r\n")

    def id(self):
        return email.utils.unquote(self.field("Message-ID"))


class Peer:
    """A server: subclasses say what is in its configuration and how it is run."""

    name = ""
    packages = ()

    def __init__(self, directory, domain, host="127.0.0.1", port=None, prefix=(), tls=True):
        self.directory = pathlib.Path(directory) / self.name
        self.domain = domain
        self.host = host
        self.port = port or free_port(host)
        self.prefix = list(prefix)
        self.tree = unpack(self.name, self.packages)
        self.log_path = self.directory / "log"
        self.mail = self.directory / "mail"
        self.process = None
        for part in ("etc", "var/spool", "var/lib", "var/mail", "var/tmp", "run", "mail"):
            (self.directory / part).mkdir(parents=True)
        for folder in (self.directory, *self.directory.parents):
            if folder != folder.parent and str(folder).startswith("/tmp/"):
                folder.chmod(folder.stat().st_mode | 0o055)
        os.chown(self.mail, VMAIL, VMAIL)
        self.add_users()
        self.certificate, self.key = (make_certificate(self.directory, f"mx.{domain}")
                                      if tls else (None, None))

    def add_users(self):
        for file, line in (("passwd", "{0}:x:{1}:{1}::{2}:/usr/sbin/nologin\n"),
                           ("group", "{0}:x:{1}:\n")):
            # A machine may have users of these names, with other numbers.
            names = {name for name, _ in USERS}
            kept = [old for old in pathlib.Path("/etc", file).read_text().splitlines(True)
                    if old.partition(":")[0] not in names]
            added = [line.format(name, number, self.mail) for name, number in USERS]
            (self.directory / "etc" / file).write_text("".join(kept + added))

    def configure(self):
        raise NotImplementedError

    def command(self):
        raise NotImplementedError

    def start(self):
        self.configure()
        with open(self.log_path, "ab") as log:
            self.process = subprocess.Popen(
                [*self.prefix, "unshare", "--mount", "--propagation", "private", "--pid", "--fork",
                 "--kill-child", "--mount-proc", str(HERE / "inside.sh"), str(self.directory),
                 str(self.tree), *map(str, self.command())],
                stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT,
                start_new_session=True)
        wait_until(self.answers, f"{self.name} to listen", 60)
        return self

    def answers(self):
        if self.process.poll() is not None:
            raise AssertionError(f"{self.name} ended at its start: {self.log()[-2000:]}")
        if self.prefix:  # in a network namespace: asked from within
            shell = f"exec 3<>/dev/tcp/{self.host}/{self.port}; head -c 3 <&3"
            result = subprocess.run([*self.prefix, "timeout", "5", "bash", "-c", shell],
                                    capture_output=True)
            return result.stdout == b"220"
        with contextlib.suppress(OSError):
            with socket.create_connection((self.host, self.port), timeout=5) as connection:
                return connection.recv(3) == b"220"
        return False

    def close(self):
        """Ends the server and all its processes: the first of its process namespace goes first."""
        if self.process and self.process.poll() is None:
            end_process(self.process, signal.SIGKILL)
        self.process = None
        # Its children die with their namespace; their sockets are gone a moment later.
        time.sleep(0.05)

    def log(self):
        return self.log_path.read_text(errors="replace") if self.log_path.exists() else ""

    @property
    def relay(self):
        shown = f"[{self.host}]" if ":" in self.host else self.host
        return f"{shown}:{self.port}"

    def mails(self):
        """All that was delivered so far."""
        return [Mail(path.read_bytes()) for path in sorted(self.mail.glob("**/new/*"))]

    def wait_for(self, count, seconds=60):
        """Servers queue what they take; this waits until so many messages are delivered."""
        wait_until(lambda: sum(1 for _ in self.mail.glob("**/new/*")) >= count,
                   f"{count} messages at {self.name}", seconds)
        return self.mails()
