"""One sender with its own data, configuration, receiver and ledgers; every choice comes from a seed."""
import itertools
import json
import os
import pathlib
import random
import re
import shutil
import signal
import subprocess
import tempfile
import threading
import time

import journal_file
import judge
import power_cut
from control_link import Link

TOP = pathlib.Path(__file__).resolve().parents[2]
SINK = TOP / "build/bench/sink"
POWER_SHIM = TOP / "build/crash/power_shim.so"
READY_SECONDS = 60
REST_SECONDS = 180

HEADERS = """From: "News" <news@courier.example>
To: "{{name|default:"reader"}}" <{{email}}>
Subject: {{name|default:"reader"}}, here is the news
"""
TEXT = 'Good morning, {{name|default:"reader"}}.\r\n' + "This is what there is to tell.\r\n" * 20
HTML = '<p>Good morning, {{name|default:"reader"}}.</p>' + "<p>This is what there is.</p>\n" * 20


class Failure(Exception):
    """The run itself went wrong: the sender ended by itself, or nothing moves any more."""


def make_power_cut(kind, data, directory):
    if kind == "flakey":
        import flakey  # of use in a guest alone
        return flakey.FlakeyCut(data)
    return power_cut.PowerCut(data, directory / "power.log", POWER_SHIM)


class Choices:
    """What differs from world to world."""

    def __init__(self, seed):
        r = random.Random(seed)
        self.domains = r.choice((1, 7, 40, 300))
        self.policy = r.choice(("resend", "resend", "hold"))
        self.commit_interval = r.choice(("0ms", "1ms", "5ms", "50ms"))
        self.durability = r.choice(("full", "full", "relaxed"))
        self.in_flight = r.choice((16, 256, 2048))
        self.workers = r.choice((1, 2))
        self.doubt_delay = r.choice(("0s", "50ms", "300ms", "1s"))
        self.sessions = r.choice((2, 8, 32))
        self.depth = r.choice((1, 4, 8))
        self.messages_per_session = r.choice((3, 50, 1000))
        self.sink = ["--delay-ms", r.choice(("1-4", "2-10", "5-40"))]
        for option, values in (("--defer-percent", (0, 2, 10)), ("--reject-percent", (0, 2)),
                               ("--close-after-dot-percent", (0, 0, 2))):
            value = r.choice(values)
            if value:
                self.sink += [option, str(value)]
        for option, chance in (("--starttls", .15), ("--no-chunking", .3), ("--no-pipelining", .15)):
            if r.random() < chance:
                self.sink.append(option)
        if r.random() < .2:
            self.sink += ["--max-messages", "7"]
        self.spoil_percent = r.choice((0, 10, 40))

    def __str__(self):
        return " ".join(f"{k}={' '.join(v) if isinstance(v, list) else v}"
                        for k, v in vars(self).items())


class Mailing:
    """A campaign as the harness knows it."""

    def __init__(self, world, number, count):
        self.name = f"c{number}"
        self.id = None
        self.asked = False      # its start was asked for
        self.started = False    # ... and answered
        self.importing = None   # the command line client at work
        self.created = False    # its good answer was seen
        self.resent = False     # held rows were released once
        self.rows = [[f"{self.name}r{i}@d{d}.example" for i in range(d, count, world.choices.domains)]
                     for d in range(min(world.choices.domains, count))]
        self.recipients = list(itertools.chain(*self.rows))
        self.csv = world.directory / f"{self.name}.csv"
        self.csv.write_text("email,name\n" + "".join(f"{a},{a[:8]}\n" for a in self.recipients))

    def address(self, domain, seq):
        return self.rows[domain - 1][seq - 1]


class World:
    def __init__(self, options, seed, directory):
        self.options = options
        self.seed = seed
        self.random = random.Random(seed * 7919 + 1)
        self.choices = Choices(seed)
        self.directory = pathlib.Path(directory)
        self.data = self.directory / "data"
        self.power = None
        if options.power:
            self.choices.durability = "full"  # "relaxed" may lose what it answered
            self.power = make_power_cut(options.power, self.data, self.directory)
        self.short = tempfile.mkdtemp(prefix="hk-")
        self.socket = f"{self.short}/s"
        self.log = self.directory / "send.log"
        self.process = self.sink = None
        self.ready_s = 0.1
        self.complaints = []
        self.maybe_taken = set()  # addresses that may be missing in the ledger by the harness's doing
        self.expected = []      # (kill time, address): to be found in doubt
        self.count = dict.fromkeys(("kills", "early", "in_flight", "spoiled", "dots", "copies", "doubts",
                                    "imports_cut", "imports_unanswered", "recipients", "lost_sectors"), 0)
        shutil.rmtree(self.directory, ignore_errors=True)
        self.directory.mkdir(parents=True)
        self.mailings = [Mailing(self, i, options.recipients) for i in range(options.campaigns)]
        self.pending = list(self.mailings)

    # ---- set-up ----

    def prepare(self):
        self.prepare_files()
        self.start_sink()

    def prepare_files(self):
        for name, text in (("headers", HEADERS), ("text", TEXT), ("html", HTML)):
            (self.directory / name).write_text(text)
        subprocess.run([self.options.program, "keys", "new", "--domain", "courier.example", "--selector",
                        "s1", "--type", "ed25519", "--out", str(self.directory / "key.pem")],
                       check=True, stdout=subprocess.DEVNULL)

    def start_sink(self):
        sink_log = self.directory / "sink.log"
        with open(sink_log, "wb") as out:
            self.sink = subprocess.Popen(
                [SINK, "--listen", "127.0.0.1:0", "--seed", str(self.seed), "--ledger",
                 self.directory / "ledger", "--doubt-ledger", self.directory / "doubt",
                 *self.choices.sink, *self.options.sink_args], stderr=out,
                stdout=open(self.directory / "sink.json", "wb"))
        end = time.monotonic() + READY_SECONDS
        while not (match := re.search(r"listening \S+:(\d+)", sink_log.read_text())):
            if self.sink.poll() is not None or time.monotonic() > end:
                raise Failure(f"the sink does not listen: {sink_log.read_text()}")
            time.sleep(.005)
        self.write_config(int(match[1]))

    def write_config(self, port):
        c = self.choices
        # An address of 127/8 of its own: worlds run side by side.
        own = f"127.{os.getpid() % 250 + 1}.{self.seed % 250 + 1}.{self.random.randrange(1, 250)}"
        (self.directory / "hikyaku.conf").write_text(f"""
data = "{self.data}"
control = "{self.socket}"
workers = {c.workers}
metrics {{ listen = "{own}:9641" }}
queue {{
	map-size-max = "1G"
	commit-interval = "{c.commit_interval}"
	durability = "{c.durability}"
	in-flight = {c.in_flight}
	in-doubt-delay = "{c.doubt_delay}"
}}
retry {{ schedule = {{"1s"}}  jitter = 20  expire = "1d" }}
customer "courier.example" {{
	address "any" {{ ehlo = "mail.courier.example" }}
	dkim "s1" {{ key = "{self.directory}/key.pem" }}
	unsubscribe-url = "https://courier.example/u/{{{{_token}}}}"
	unsubscribe-mailto = "unsubscribe-{{{{_token}}}}@courier.example"
}}
site "default" {{
	sessions = {c.sessions}
	depth = {c.depth}
	messages-per-session = {c.messages_per_session}
}}
route "*" {{ relay = "127.0.0.1:{port}" }}
""")

    # ---- lives of the sender ----

    def start(self):
        prefix = self.options.prefix
        if self.power:
            self.power.begin()
            prefix = [*prefix, *self.power.prefix()]
        with open(self.log, "ab") as out:
            self.process = subprocess.Popen(
                [*prefix, self.options.program, "send", "--config",
                 self.directory / "hikyaku.conf"], stdout=out, stderr=out, stdin=subprocess.DEVNULL)

    def connect(self, seconds=READY_SECONDS):
        """A link as soon as the sender listens; None when it was killed before."""
        started = time.monotonic()
        while True:
            try:
                link = Link(self.socket)
                link.ask("campaign.status")
                self.ready_s += ((time.monotonic() - started) - self.ready_s) * .2
                return link
            except (OSError, EOFError):
                pass
            if self.process.poll() is not None:
                self.must_be_killed()
                return None
            if time.monotonic() - started > seconds:
                raise Failure("the sender does not come up")
            time.sleep(.001)

    def must_be_killed(self):
        if self.process.wait() != -signal.SIGKILL or not self.killing:
            raise Failure(f"the sender ended by itself with {self.process.returncode}")

    def kill_after(self, seconds):
        """Kills from a thread of its own, whatever the harness and the sender are doing then."""
        def strike():
            if not self.struck.wait(seconds):
                self.killing = True
                self.killed_ms = time.time_ns() // 1_000_000
                if self.power:
                    self.power.strike(self.process)
                    # What the sender did meanwhile was before the cut.
                    self.killed_ms = time.time_ns() // 1_000_000
                else:
                    self.process.kill()

        self.struck.clear()
        self.killer = threading.Thread(target=strike)
        self.killer.start()

    def life(self):
        """From one start to the kill. True: everything is at rest, and the sender is still there."""
        early = self.random.random() < .35
        self.struck = threading.Event()
        self.killing = False
        self.start()
        rest = False
        if early:
            self.kill_after(self.random.uniform(0, self.ready_s * 1.3))
        link = self.connect()
        try:
            if link and not early:
                self.kill_after(self.options.pace *
                                self.random.uniform(0, self.random.choice((.01, .05, .15, .4))))
            rest = link is not None and self.work(link)
        except (OSError, EOFError):
            pass
        finally:
            if rest:
                self.struck.set()
            self.killer.join()
            if link:
                link.close()
        if rest and not self.killing:
            return True
        self.process.wait()
        self.after_kill(early)
        return False

    def after_kill(self, early):
        self.must_be_killed()
        self.count["kills"] += 1
        self.count["early"] += early
        for mailing in self.mailings:
            if mailing.importing:
                self.end_import(mailing)
        slots = journal_file.read(self.data / "journal")
        spoiled = bool(self.power) or self.random.random() * 100 < self.choices.spoil_percent
        if self.power:
            self.lose_power()
        elif spoiled:
            journal_file.spoil(self.data / "journal",
                               self.random.choice(("removed", "cut", "other boot")))
        self.count["spoiled"] += spoiled
        self.count["in_flight"] += bool(slots)
        self.count["dots"] += sum(state == journal_file.DOT_SENT for state, *_ in slots)
        names = {m.id: m for m in self.mailings}
        # A kill during the start may come when the queue is mended already and the journal is still
        # that of the life before: its rows that never were sent are settled then, not in doubt.
        all_may_be_out = spoiled and not early
        for state, campaign, domain, seq in slots:
            if all_may_be_out or state == journal_file.DOT_SENT:
                self.expected.append((self.killed_ms, names[campaign].address(domain, seq)))

    def lose_power(self):
        """What the disk has of what was written takes its place."""
        self.count["lost_sectors"] += self.power.cut(self.random)
        self.check_store()

    def check_store(self):
        """Of another boot is the journal; the store's own tool reads every page."""
        journal_file.spoil(self.data / "journal", "other boot")
        if not (self.data / "queue/data.mdb").exists():
            return
        read = subprocess.run(["mdb_dump", "-a", self.data / "queue"], stdout=subprocess.DEVNULL,
                              stderr=subprocess.PIPE, text=True)
        if "does not contain multiple databases" in read.stderr:  # made, and nothing committed yet
            read = subprocess.run(["mdb_dump", self.data / "queue"], stdout=subprocess.DEVNULL,
                                  stderr=subprocess.PIPE, text=True)
        if read.returncode != 0:
            self.complaints.append(f"the store cannot be read after a power cut: {read.stderr.strip()}")

    # ---- what the operator does meanwhile ----

    def begin_import(self, mailing):
        d = self.directory
        mailing.importing = subprocess.Popen(
            [self.options.program, "campaign", "create", "--name", mailing.name, "--customer",
             "courier.example", "--headers", d / "headers", "--text", d / "text", "--html", d / "html",
             "--recipients", mailing.csv, "--socket", self.socket, "--json",
             *(["--hold-in-doubt"] if self.choices.policy == "hold" else [])],
            stdout=subprocess.DEVNULL, stderr=open(d / "create.log", "ab"))

    def end_import(self, mailing):
        mailing.created = mailing.importing.wait(timeout=60) == 0
        mailing.importing = None
        self.count["imports_cut"] += not mailing.created

    def settle_import(self, mailing, states):
        """All of a campaign exists or nothing; all of it when the client was told so."""
        there = states.get(mailing.name)
        if mailing.created and not there:
            self.complaints.append(f"LOST {mailing.name}: its creation was acknowledged")
        if there and there["state"] != "ready" and not mailing.asked:
            self.complaints.append(f"{mailing.name} is {there['state']} though never started")
        if there and there["total"] != len(mailing.recipients):
            self.complaints.append(f"{mailing.name} exists with {there['total']} of "
                                   f"{len(mailing.recipients)} recipients")
        if there:
            mailing.id = there["id"]
            self.count["imports_unanswered"] += not mailing.created
            self.pending.remove(mailing)

    def states(self, link):
        return {c["name"]: c for c in link.ask("campaign.status")[0]}

    def work(self, link):
        """Imports, starts, releases, looks on; until the kill (an exception) or rest (True)."""
        # A slow world (few sessions, slow answers) may take long; one that stands still may not.
        seen, end = None, 0
        while True:
            states = self.states(link)
            ends = [s["delivered"] + s["failed"] + s["held"] for s in states.values()]
            if ends != seen:
                seen, end = ends, time.monotonic() + REST_SECONDS
            elif time.monotonic() > end:
                break
            if self.pending:
                states = self.go_on_importing(link, states)
            for mailing in self.mailings:
                if mailing in self.pending:
                    continue
                state = states.get(mailing.name)
                if not state:
                    raise Failure(f"LOST campaign {mailing.name}")
                if state["state"] == "ready":
                    if mailing.started:
                        raise Failure(f"{mailing.name} is ready again after it was started")
                    mailing.asked = True
                    link.ask("campaign.start", name=mailing.name)
                # The answer of an earlier start may have been lost in a kill.
                mailing.started = True
            if not self.pending and self.is_at_rest(link, states):
                return True
            time.sleep(.005)
        raise Failure(f"nothing comes to rest: {json.dumps(self.states(link))}")

    def go_on_importing(self, link, states):
        """The states, which are others when an import has ended."""
        mailing = self.pending[0]
        if mailing.importing:
            if mailing.importing.poll() is None:
                return states
            self.end_import(mailing)
            if not mailing.created:
                raise Failure(f"create: {(self.directory / 'create.log').read_text()[-500:]}")
            states = self.states(link)
        self.settle_import(mailing, states)
        queued = sum(s["queued"] for s in states.values() if s["state"] == "running")
        if mailing in self.pending and queued < self.options.recipients // 2:
            self.begin_import(mailing)
        return states

    def is_at_rest(self, link, states):
        for mailing in self.mailings:
            state = states[mailing.name]
            if not mailing.started or state["state"] == "ready" or state["queued"] > 0:
                return False
        for mailing in self.mailings:
            if self.choices.policy == "hold" and not mailing.resent:
                # Held and never sent again: not one copy may exist so far.
                self.judge(link, mailing, copies_allowed=False)
                mailing.resent = True
                if states[mailing.name]["held"]:
                    link.ask("queue.doubt", action="resend", campaign=mailing.name)
                    return False
        return True

    # ---- judgement ----

    def judge(self, link, mailing, copies_allowed=True):
        counters = self.states(link)[mailing.name]
        final, doubts, deferrals = (link.report(mailing.name, o)
                                    for o in (None, ["in-doubt"], ["deferred"]))
        copies = judge.read_ledger(self.directory / "ledger", True)
        for address, more in judge.read_ledger(self.directory / "doubt", False).items():
            copies[address] += more
        copies = {a: c for a, c in copies.items() if a.startswith(mailing.name + "r")}
        campaign = judge.Campaign(mailing.recipients, counters, final, doubts, deferrals, copies,
                                  self.maybe_taken)
        self.complaints += campaign.judge()
        own = set(mailing.recipients)
        self.complaints += judge.judge_doubts(
            [e for e in self.expected if e[1] in own], doubts,
            [row for row in final + deferrals + doubts if "time_ms" in row])
        if not copies_allowed and campaign.extra_copies:
            self.complaints.append(f"{mailing.name}: {campaign.extra_copies} copies though all are held")
        return campaign

    def finish(self):
        """The last life, which nobody kills: all must come to rest, be right, and end in order."""
        self.killing = False
        if self.process is None or self.process.poll() is not None:
            self.start()
        link = self.connect()
        try:
            self.work(link)
            for mailing in self.mailings:
                campaign = self.judge(link, mailing)
                self.count["copies"] += campaign.extra_copies
                self.count["doubts"] += len(campaign.doubts)
                self.count["recipients"] += len(campaign.recipients)
        except (OSError, EOFError):
            self.process.wait()
            self.must_be_killed()
        finally:
            link.close()
        self.process.terminate()
        if self.process.wait(timeout=60) != 0:
            self.complaints.append(f"SIGTERM: exit code {self.process.returncode}")
        self.sink.terminate()
        self.sink.wait(timeout=60)
        totals = json.loads((self.directory / "sink.json").read_text().splitlines()[-1])
        for wrong in ("malformed", "violations"):
            if totals[wrong]:
                self.complaints.append(f"the receiver counted {totals[wrong]} {wrong}")
        self.complaints += [f"log: {line.strip()}" for line in open(self.log, errors="replace")
                            if re.search(r"\blevel=error\b|\berror:|Sanitizer|assert", line)][:20]

    def run(self, kills):
        """Up to `kills` kills; then, or when all is at rest, the judgement."""
        self.prepare()
        while self.count["kills"] < kills and not self.life():
            pass
        self.finish()

    def end(self):
        for process in (self.process, self.sink, *(m.importing for m in self.mailings)):
            if process and process.poll() is None:
                process.kill()
                process.wait()
        if self.power:
            self.power.end()
        shutil.rmtree(self.short, ignore_errors=True)
