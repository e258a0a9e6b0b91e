"""An appliance at work, as its operator and the receivers of its mail see it."""
import contextlib
import http.client
import json
import os
import pathlib
import socket
import ssl
import subprocess
import sys
import time
import urllib.request

import dkim
import requests.adapters

from machine import TOP, Machine, layout, qemu

sys.path[:0] = [str(TOP / "tests/integration"), str(TOP / "tests/crash")]
import judge  # noqa: E402
import sender  # noqa: E402
import visitor  # noqa: E402

IMAGE = pathlib.Path(os.environ.get("HIKYAKU_IMAGE", TOP / "build/image/hikyaku-guest.img"))
DOMAIN = "courier.example"
HOST = f"mail.{DOMAIN}"
HTTP_PORT, HTTPS_PORT = 80, 443
# The host's loopback, as the guest sees it.
OUTSIDE = "10.0.2.2"
STATIC = f"hikyaku.address=10.0.2.15/24 hikyaku.gateway={OUTSIDE} hikyaku.dns=10.0.2.3"

CONFIG = """data = "/data/send"
control = "/run/hikyaku/send.sock"
metrics {{ listen = "0.0.0.0:9641" textfiles = "/run/hikyaku/metrics" }}
queue {{ in-doubt-delay = "1s" }}
retry {{ schedule = {{"2s"}} jitter = 0 expire = "1h" }}
customer "courier.example" {{
	address "any" {{ ehlo = "mail.courier.example" }}
	dkim "s1" {{ key = "/data/send/keys/courier.example.s1.pem" }}
	unsubscribe-url = "https://courier.example/u/{{{{_token}}}}"
}}
site "default" {{ sessions = 4 rate = 40 tls-kernel = "always" }}
web {{ url = "https://mail.courier.example" }}
{more}
route "slow.example" {{ relay = "{outside}:{slow_port}" }}
route "*" {{ relay = "{outside}:{port}" }}
"""
TEMPLATE = """From: Courier <news@courier.example>
Subject: {{name | default: "読者"}}さんへ
Content-Type: text/plain; charset=utf-8

こんにちは、{{name | default: "読者"}}さん。
"""


class ByName(requests.adapters.HTTPAdapter):
    """The machine has to show a certificate for its name, which no name server of this host knows."""

    def init_poolmanager(self, *words, **options):
        super().init_poolmanager(*words, server_hostname=HOST, assert_hostname=HOST, **options)


class Person(visitor.Visitor):
    """Somebody at a browser who sees the machine's pages; `run` is the operator's console."""

    def __init__(self, url, certificate, run=None):
        self.url, self.certificate, self.run = url, certificate, run
        super().__init__(self)
        self.session.mount("https://", ByName())
        self.session.headers["Host"] = HOST

    def invitation(self, email, role="owner"):
        return self.run("web-user", "add", email, "--role", role).stdout.strip()


class Operation:
    """A machine that was installed without hands, its operator's key, and sinks for its mail."""

    def __init__(self, directory, image=IMAGE, network=STATIC, **options):
        self.directory = pathlib.Path(directory)
        self.key = self.directory / "operator"
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "ops", "-f", self.key],
                       check=True)
        (self.directory / "mail").mkdir()
        subprocess.run(["make", "-s", "-f", "bench/bench.mk", "build/bench/sink"], cwd=TOP, check=True)
        self.sink = sender.Sink("--save", self.directory / "mail", "--save-every", "1")
        self.slow_sink = sender.Sink()
        words = (f'append hikyaku.hostname={HOST} {network} '
                 f'"hikyaku.ssh-key={self.key.with_suffix(".pub").read_text().strip()}"')
        self.machine = Machine(image, files={"/hikyaku/cmdline": words.encode()},
                               forward=(qemu.SSH_PORT, qemu.METRICS_PORT, HTTP_PORT, HTTPS_PORT),
                               **options)

    def close(self):
        self.machine.end()
        self.sink.close()
        self.slow_sink.close()

    # ---- by ssh ----

    def ssh(self, *words, **options):
        return self.machine.ssh(*words, key=self.key, **options)

    def ask(self, *words):
        """The JSON lines of an answer."""
        return [json.loads(line) for line in self.ssh(*words, "--json").stdout.splitlines()]

    def wait_for_login(self):
        self.machine.wait_for_login(self.key)

    def lets_in(self):
        return self.machine.lets_in(self.key)

    def wait(self, condition, what, **options):
        return self.machine.wait(condition, what, story=self.story, **options)

    def wait_until_said(self, text, *words):
        """Until a command's answer has that text, since what it tells of takes its time; the answer."""
        def answer():
            said = self.ssh(*words).stdout
            return said if text in said else None
        return self.wait(answer, f"{text!r} from {' '.join(words)}")

    def story(self):
        """What the machine has to say, for whom it failed."""
        told = [self.machine.last_words()]
        for words in (["service", "list"], ["logs", "init"], ["logs", "send"]):
            try:
                told.append("\n".join(self.ssh(*words, check=False, seconds=30).stdout.splitlines()[-25:]))
            except subprocess.TimeoutExpired:
                told.append(f"{words}: no answer")
        return "\n".join(told)

    def restart(self):
        self.ssh("reboot", "--yes", check=False)
        # The start's own words: the old system answers until it ends.
        self.machine.wait_for("Booting")

    def wait_until_good(self):
        self.wait_for_login()
        self.wait_for_sender()
        self.wait(lambda: "good" in self.stages(), "a good slot")

    def stages(self):
        """Of this start, those that are over."""
        return [stage["name"] for stage in self.ask("status")[0]["system"]["stages"]]

    def sender_answers(self):
        return self.ssh("campaign", "status", check=False).returncode == 0

    def wait_for_sender(self):
        self.wait(self.sender_answers, "the sender")

    # ---- the sender ----

    def config(self, more=""):
        return CONFIG.format(outside=OUTSIDE, port=self.sink.port, slow_port=self.slow_sink.port, more=more)

    def configure(self, more=""):
        """A key, a configuration; the DNS record of the key."""
        self.ssh("config", "replace", "-", stdin=self.config(more))
        made = self.ssh("keys", "new", "--domain", DOMAIN, "--selector", "s1", "--json").stdout
        self.ssh("service", "restart", "send", check=False)
        self.wait_for_sender()
        self.ssh("file", "put", "news.eml", stdin=TEMPLATE)
        return json.loads(made)["record"]

    def create(self, name, addresses):
        rows = "email,name\n" + "".join(f"{address},\n" for address in addresses)
        self.ssh("campaign", "create", "--name", name, "--customer", DOMAIN, "--template",
                 "/data/backup/news.eml", "--recipients", "-", "--start", "--override-identity", stdin=rows)

    def status(self, name):
        return self.ask("campaign", "status", name)[0]

    def wait_done(self, name, seconds=300):
        return self.wait(lambda: (s := self.status(name))["state"] == "done" and s, name, seconds=seconds)

    def complaints(self, name, addresses, sink):
        """What does not add up: of the report, the counters, and what the receiver wrote down."""
        reports = [self.ask("campaign", "report", name, *words) for words in
                   ([], ["--outcome", "in-doubt"], ["--outcome", "deferred"])]
        copies = judge.read_ledger(sink.directory / "ledger", True)
        for address, more in judge.read_ledger(sink.directory / "doubt", False).items():
            copies[address] += more
        copies = {address: rows for address, rows in copies.items() if address in set(addresses)}
        return judge.Campaign(addresses, self.status(name), *reports, copies).judge()

    def metrics(self):
        url = f"http://127.0.0.1:{self.machine.forward[qemu.METRICS_PORT]}/metrics"
        with urllib.request.urlopen(url, timeout=60) as answer:
            return answer.read().decode()

    def certificate(self):
        """What the web server shows of itself, PEM."""
        return ssl.get_server_certificate(("127.0.0.1", self.machine.forward[HTTPS_PORT]), timeout=60)

    def page(self, path="/", method="GET", key=None, body=None):
        """
        By TLS, from a server that is asked for by its name and has to show a certificate for it. With `key`
        a call of a program, `body` as JSON.
        """
        context = ssl.create_default_context(cadata=self.certificate())
        plain = socket.create_connection(("127.0.0.1", self.machine.forward[HTTPS_PORT]), timeout=60)
        peer = http.client.HTTPSConnection(HOST)
        peer.sock = context.wrap_socket(plain, server_hostname=HOST)
        headers = {"Authorization": f"Bearer {key}", "Content-Type": "application/json"} if key else {}
        peer.request(method, path, body=None if body is None else json.dumps(body), headers=headers)
        answer = peer.getresponse()
        return answer.status, answer.read().decode()

    def person(self):
        path = self.directory / "pages.crt"
        path.write_text(self.certificate())
        return Person(f"https://127.0.0.1:{self.machine.forward[HTTPS_PORT]}", str(path), self.ssh)

    def wait_for_pages(self):
        def answers():
            with contextlib.suppress(OSError, http.client.HTTPException):
                return self.page()[0] == 200
        self.wait(answers, "pages")

    def saved_mails(self):
        return [path.read_bytes() for path in sorted((self.directory / "mail").glob("*.eml"))]


def is_signed(mail, record):
    """Whether its signature verifies by that record of the sender's key."""
    return dkim.verify(mail, dnsfunc=lambda name, timeout=5: record.encode()
                       if name.rstrip(b".") == f"s1._domainkey.{DOMAIN}".encode() else None)


def bundle(path, rootfs, version, kernel=None, key=TOP / "build/appliance-test/release.pem"):
    subprocess.run([TOP / "appliance/bundle", "make", "--kernel", kernel or
                    TOP / "build/kernel/guest/bzImage", "--rootfs", rootfs, "--version", version,
                    "--key", key, path], check=True, stdout=subprocess.DEVNULL)
    return path.read_bytes()


def partition_bytes(disk, number):
    """Of a partition, as its table says."""
    with open(disk, "rb") as file:
        file.seek(2 * layout.SECTOR + (number - 1) * layout.ENTRY_SIZE + 32)
        first, last = (int.from_bytes(file.read(8), "little") for _ in range(2))
    return (last - first + 1) * layout.SECTOR
