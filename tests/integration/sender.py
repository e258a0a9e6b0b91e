"""Runs the sender as its operator would: a configuration, keys, the daemon, the command line.

    with Sender(tmp_path) as sender, Sink() as sink:
        sender.route("*", sink.port)
        sender.start()
        sender.create("news", ["ann@shop.example"])
        assert sender.wait("news")["delivered"] == 1

Everything lies below the folder that is given, but for the control socket, whose path must be short.
HIKYAKU names the program; without it build/host/hikyaku is built and used. As a fixture: `sender_in`
and `sink_with` of conftest.py, which end everything and show the logs of a test that failed.
"""

import contextlib
import csv
import fcntl
import json
import os
import pathlib
import shutil
import signal
import subprocess
import tempfile
import time
import urllib.request

from ports import free_port

ROOT = pathlib.Path(__file__).resolve().parents[2]
PROGRAM = os.environ.get("HIKYAKU", str(ROOT / "build" / "host" / "hikyaku"))
SINK = ROOT / "build" / "bench" / "sink"
DONE = ("done", "cancelled")

HEADERS = """\
From: 飛脚ニュース <news@courier.example>
Subject: {{name | default: "読者"}}さんへ、今週のお知らせ
"""
TEXT = """\
{{name | default: "読者"}}さん、こんにちは。

Hello {{name | default: "reader"}}, this is the weekly letter.
.
A line that is a dot stands above this one.
"""


def make(*targets):
    """Builds what is missing; several test runs at once do not build at the same time."""
    (ROOT / "build").mkdir(exist_ok=True)
    with open(ROOT / "build" / ".tests.lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        subprocess.run(["make", "-s", *targets], cwd=ROOT, check=True, stdin=subprocess.DEVNULL)


def build():
    if "HIKYAKU" not in os.environ:
        make("VARIANT=host", "build/host/hikyaku")
    make("-f", "bench/bench.mk", "build/bench/sink")


def wait_until(condition, what="it", seconds=60, every=0.02):
    """The first true value of `condition`. The limit is for what hangs, not for what is slow; `what` may
    be asked for the words then."""
    end = time.monotonic() + seconds
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > end:
            raise AssertionError(f"waited {seconds} s in vain for {what() if callable(what) else what}")
        time.sleep(every)


def end_process(process, how=signal.SIGTERM, seconds=60):
    """Ends a process that was started here and gives its exit code."""
    if process.poll() is None:
        process.send_signal(how)
    try:
        return process.wait(timeout=seconds)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
        raise


class Refused(AssertionError):
    """A command that failed: `code` is the exit code, `errors` what it said."""

    def __init__(self, words, result):
        super().__init__(f"hikyaku {' '.join(map(str, words))}: exit {result.returncode}: "
                         f"{result.stderr.strip() or result.stdout.strip()}")
        self.code = result.returncode
        self.errors = result.stderr


class Sender:
    def __init__(self, directory, domain="courier.example", keys=("rsa",), program=PROGRAM,
                 prefix=(), extra="", sign=True):
        self.directory = pathlib.Path(directory)
        self.directory.mkdir(parents=True, exist_ok=True)
        self.program = str(program)
        self.prefix = list(map(str, prefix))  # e.g. ip netns exec NAME
        self.domain = domain
        self.config = self.directory / "hikyaku.conf"
        self.data = self.directory / "data"
        self.log_path = self.directory / "send.log"
        self.short = tempfile.mkdtemp(prefix="hk-")
        self.socket = f"{self.short}/send.sock"
        self.metrics_port = free_port()
        self.routes = []   # (pattern, relay)
        self.sites = []    # text of site sections
        self.settings = {  # sections of options; change before start()
            "queue": {"commit-interval": "2ms", "in-doubt-delay": "1s", "map-size-max": "1G"},
            "retry": {"schedule": ["1s"], "jitter": 0, "expire": "1h"},
        }
        self.default_site = {"sessions": 8, "connect-timeout": "10s"}
        self.customer = {"unsubscribe-url": f"https://{domain}/u/{{{{_token}}}}",
                         "unsubscribe-mailto": f"unsubscribe-{{{{_token}}}}@{domain}"}
        self.addresses = [("any", f"mail.{domain}")]
        self.top = {"workers": 2, "log": "debug"}
        self.metrics = {"listen": f"127.0.0.1:{self.metrics_port}"}
        self.extra = extra  # further text of the configuration
        self.sign = sign
        self.dns_records = {}  # name of a key record -> its text
        self.keys = []         # (selector, file)
        self.process = None
        if sign:
            for type_ in keys:
                self.make_key(type_)

    # ---- configuration ----

    def make_key(self, type_="rsa"):
        selector = f"{type_[:3]}{len(self.keys)}"
        path = self.directory / f"{self.domain}.{selector}.pem"
        result = subprocess.run(
            [self.program, "keys", "new", "--domain", self.domain, "--selector", selector,
             "--type", type_, "--out", str(path), "--json"],
            capture_output=True, text=True, check=True, stdin=subprocess.DEVNULL)
        record = json.loads(result.stdout)["record"]
        self.dns_records[f"{selector}._domainkey.{self.domain}"] = record
        self.keys.append((selector, path))

    def route(self, pattern, port_or_relay):
        """Mail for domains of this pattern goes to a port of 127.0.0.1 or to ADDRESS:PORT."""
        relay = port_or_relay if isinstance(port_or_relay, str) else f"127.0.0.1:{port_or_relay}"
        self.routes.append((pattern, relay))

    def site(self, name, **options):
        """Limits of a site; underscores stand for hyphens. The site of a relay has its name."""
        words = " ".join(f"{k.replace('_', '-')} = {value_text(v)}" for k, v in options.items())
        self.sites.append(f'site "{name}" {{ {words} }}')

    def config_text(self):
        lines = [f'data = "{self.data}"', f'control = "{self.socket}"',
                 *(f"{k} = {value_text(v)}" for k, v in self.top.items())]
        for name, options in {"metrics": self.metrics, **self.settings}.items():
            lines += [f"{name} {{", *(f"\t{k} = {value_text(v)}" for k, v in options.items()), "}"]
        lines.append(f'customer "{self.domain}" {{')
        lines += [f'\taddress "{ip}" {{ ehlo = "{ehlo}" }}' for ip, ehlo in self.addresses]
        lines += [f'\tdkim "{selector}" {{ key = "{path}" }}' for selector, path in self.keys]
        if not self.sign:
            lines.append("\tsign = false")
        lines += [f"\t{k} = {value_text(v)}" for k, v in self.customer.items()]
        lines.append("}")
        words = " ".join(f"{k} = {value_text(v)}" for k, v in self.default_site.items())
        lines += [f'site "default" {{ {words} }}', *self.sites]
        lines += [f'route "{pattern}" {{ relay = "{relay}" }}' for pattern, relay in self.routes]
        return "\n".join(lines) + "\n" + self.extra

    def write_config(self):
        self.config.write_text(self.config_text())

    # ---- the daemon ----

    def start(self, wait=True, write=True):
        assert self.process is None or self.process.poll() is not None
        if write:
            self.write_config()
        self.data.mkdir(exist_ok=True)
        with open(self.log_path, "ab") as log:
            self.process = subprocess.Popen(
                [*self.prefix, self.program, "send", "--config", str(self.config)],
                stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT)
        if wait:
            wait_until(self.is_up, "the sender to be ready")
        return self

    def is_up(self):
        if self.process.poll() is not None:
            raise AssertionError(f"the sender ended with {self.process.returncode} at its start:\n"
                                 + self.log()[-3000:])
        # After a kill -9 the kernel takes the ring of the old process down at its leisure, and its
        # socket with it: who answers must be the new one.
        with contextlib.suppress(Refused):
            return self.ask("status")["pid"] == self.process.pid
        return False

    def stop(self, seconds=60):
        """SIGTERM; the exit code, which is 0 for a clean end."""
        return end_process(self.process, seconds=seconds)

    def kill(self):
        return end_process(self.process, signal.SIGKILL)

    def is_alive(self):
        return self.process is not None and self.process.poll() is None

    def log(self):
        return self.log_path.read_text(errors="replace") if self.log_path.exists() else ""

    def close(self):
        """Ends the daemon, whatever state it is in."""
        try:
            if self.is_alive():
                with contextlib.suppress(subprocess.TimeoutExpired):
                    end_process(self.process, seconds=40)
        finally:
            shutil.rmtree(self.short, ignore_errors=True)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    # ---- the command line ----

    def run(self, *words, check=True, stdin=None, timeout=120):
        """One command as it is; the CompletedProcess with text."""
        command = [self.program, *map(str, words), "--config", str(self.config)]
        result = subprocess.run(command, input=stdin, timeout=timeout, capture_output=True,
                                text=True, errors="surrogateescape",
                                stdin=subprocess.DEVNULL if stdin is None else None)
        if check and result.returncode != 0:
            raise Refused(words, result)
        return result

    def items(self, *words):
        """The JSON lines that a command prints."""
        return [json.loads(line) for line in self.run(*words, "--json").stdout.splitlines()]

    def ask(self, *words):
        """The first JSON line that a command prints."""
        return self.items(*words)[0]

    def write_list(self, recipients, columns=("email", "name"), name="list.csv"):
        """Recipients are addresses, or tuples in the order of the columns."""
        path = self.directory / name
        with open(path, "w", encoding="utf-8", newline="") as out:
            writer = csv.writer(out)
            writer.writerow(columns)
            for row in recipients:
                writer.writerow([row, *[""] * (len(columns) - 1)] if isinstance(row, str) else row)
        return path

    def create(self, name, recipients, *options, headers=HEADERS, text=TEXT, html=None,
               columns=("email", "name"), start=True):
        """Makes a campaign of a list of recipients; the answer, with id and total."""
        parts = {"headers": headers.replace("courier.example", self.domain), "text": text,
                 "html": html}
        words = []
        for part, content in parts.items():
            if content is not None:
                path = self.directory / f"{name}.{part}"
                path.write_text(content, encoding="utf-8")
                words += [f"--{part}", path]
        return self.ask("campaign", "create", "--name", name, "--customer", self.domain, *words,
                        "--recipients", self.write_list(recipients, columns, f"{name}.csv"),
                        *(["--start"] if start else []), *options)

    def status(self, campaign):
        return self.ask("campaign", "status", campaign)

    def wait(self, campaign, condition=None, seconds=120):
        """The campaign's status once it is over, or once `condition(status)` is true."""
        last = {}

        def holds():
            last.update(self.status(campaign))
            return condition(last) if condition else last["state"] in DONE

        try:
            wait_until(holds, f"campaign {campaign}", seconds, every=0.05)
        except AssertionError as error:
            raise AssertionError(f"{error}: {last}") from None
        return last

    def report(self, campaign, *outcomes):
        """Lines of the report; with `outcomes`, of these only."""
        words = ["--outcome", ",".join(outcomes)] if outcomes else []
        return self.items("campaign", "report", campaign, *words)

    def report_by_address(self, campaign):
        """One line for each recipient; fails if one has two."""
        lines = {}
        for line in self.report(campaign):
            assert line["address"] not in lines, f"{line['address']} is reported twice"
            lines[line["address"]] = line
        return lines

    def check_sums(self, campaign):
        """Whatever happened: every recipient is counted once, and the report says the same."""
        status = self.status(campaign)
        parts = ("delivered", "failed", "cancelled", "queued", "held")
        assert sum(status[part] for part in parts) == status["total"], status
        if status["state"] in DONE:
            outcomes = [line["outcome"] for line in self.report_by_address(campaign).values()]
            # What expired is part of failed.
            counts = {part: outcomes.count(part) for part in parts}
            counts["failed"] += outcomes.count("expired")
            assert counts == {part: status[part] for part in parts}
        return status

    def metrics_page(self, openmetrics=False):
        accept = "application/openmetrics-text; version=1.0.0" if openmetrics else "text/plain"
        url = f"http://127.0.0.1:{self.metrics_port}/metrics"
        if self.prefix:  # its loopback may be another one
            return subprocess.run([*self.prefix, "curl", "-sf", "-H", f"Accept: {accept}", url],
                                  check=True, capture_output=True, text=True, timeout=20).stdout
        request = urllib.request.Request(url, headers={"Accept": accept})
        with urllib.request.urlopen(request, timeout=20) as answer:
            return answer.read().decode()

    def metric(self, name, **labels):
        """The sum of all samples of a metric that have these labels."""
        wanted = [f'{key}="{value}"' for key, value in labels.items()]
        total = 0.0
        for line in self.metrics_page().splitlines():
            full, _, value = line.rpartition(" ")
            if full.partition("{")[0] == name and all(label in full for label in wanted):
                total += float(value)
        return total


def value_text(value):
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (list, tuple)):
        return "{" + ", ".join(map(value_text, value)) + "}"
    if isinstance(value, int):
        return str(value)
    return '"' + str(value).replace("\\", "\\\\").replace('"', '\\"') + '"'


class Sink:
    """bench/sink with ledgers; arguments as of its command line, `prefix` as of Sender."""

    def __init__(self, *args, host="127.0.0.1", port=0, prefix=()):
        self.directory = pathlib.Path(tempfile.mkdtemp(prefix="hk-sink-"))
        self.saved = self.directory / "mail"
        self.saved.mkdir()
        shown = f"[{host}]" if ":" in host else host
        self.process = subprocess.Popen(
            [*map(str, prefix), str(SINK), "--listen", f"{shown}:{port}", "--ledger",
             str(self.directory / "ledger"),
             "--doubt-ledger", str(self.directory / "doubt"), *map(str, args)],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        ready = self.process.stderr.readline()
        assert ready.startswith("listening "), ready
        self.port = int(ready.split()[1].rpartition(":")[2])
        self.relay = f"{shown}:{self.port}"

    def totals(self):
        self.process.send_signal(signal.SIGUSR1)
        return json.loads(self.process.stdout.readline())

    def rows(self, ledger="ledger"):
        """(recipient, Message-ID, hash) of every line of a ledger."""
        path = self.directory / ledger
        if not path.exists():
            return []
        fields = [line.split(" ") for line in path.read_text().splitlines()]
        return [tuple(f[3:6]) for f in fields if len(f) == 6]

    def recipients(self, ledger="ledger"):
        return [row[0] for row in self.rows(ledger)]

    def close(self):
        if self.process.poll() is None:
            end_process(self.process)
        self.process.stdout.close()
        self.process.stderr.close()
        shutil.rmtree(self.directory, ignore_errors=True)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()
