"""One receiving world and the runs in it: a sender in which something fails, then one that goes on."""
import difflib
import json
import os
import pathlib
import re
import shutil
import signal
import socket
import subprocess
import time

import judge
import status
from control_link import Link, Refused
from names import Names

TOP = pathlib.Path(__file__).resolve().parents[2]
WORK = pathlib.Path("/tmp/hk-nth")
SINK = TOP / "build/bench/sink"
CUSTOMER = "courier.example"
SANITIZER_EXIT, INJECTOR_EXIT = 99, 98
READY_SECONDS = 30
PATIENCE_SECONDS = 30  # with one answer
STOP_SECONDS = 60   # its own patience is 30
STILL_SECONDS = 45  # without progress, and not backing off: stuck
LOST_SECONDS = 100  # with tries alone, which end nowhere: three questions to a name server take so long
TRY_SECONDS = 3     # of one command in a life in which one thing fails: it waits for room a second
TRIES = 10          # at least: on a machine that is busy one may take as long

# Of the sender's start, its log, and a CRASH.
CLEAR_WORDS = re.compile(r"^hikyaku: .| error \w+ event=|: cannot go on: ")

PARTS = {
    "headers": """From: "News" <news@courier.example>
To: "{{name|default:"reader"}}" <{{email}}>
Subject: {{name|default:"reader"}}, 今週のお知らせ
""".encode(),
    "text": ('Good morning, {{name|default:"reader"}} in {{city}}.\r\n'
             + "This is what there is to tell.\r\n" * 20).encode(),
    "html": ('<p>Good morning, {{name|default:"reader"}} in {{city}}.</p>'
             + "<p>This is what there is.</p>\n" * 20).encode(),
}
COLUMNS = ["name", "city"]
# The domain, how many of the recipients, and whether its mail can arrive.
DOMAINS = (("plain.example", 7, True), ("tls.example", 6, True), ("post.example", 5, True),
           ("gone.post.example", 1, False), ("null.post.example", 1, False))
# For a run of every allocation: each TLS session makes 2,000 that repeat what the first one did.
FEW = (("plain.example", 5, True), ("tls.example", 2, True), ("post.example", 1, True),
       ("gone.post.example", 1, False), ("null.post.example", 1, False))

CONFIG = """
data = "{dir}/data"
control = "{dir}/s"
workers = 2
metrics {{ listen = "{net}.9:9641" }}
dns {{
	stub-zones = {{"post.example {net}.53@53"}}
	allow-destinations = {{"127.0.0.0/8"}}
	ipv6 = false
}}
queue {{ map-size-max = "1G"  commit-interval = "1ms"  in-flight = 64  in-doubt-delay = "100ms" }}
retry {{ schedule = {{"1s"}}  jitter = 0  expire = "1h" }}
customer "{customer}" {{
	address "any" {{ ehlo = "mail.courier.example" }}
	dkim "r" {{ key = "{keys}/rsa.pem" }}
	dkim "e" {{ key = "{keys}/ed25519.pem" }}
	unsubscribe-url = "https://courier.example/u/{{{{_token}}}}"
	unsubscribe-mailto = "unsubscribe-{{{{_token}}}}@courier.example"
}}
site "default" {{ sessions = 4  depth = 4  messages-per-session = 3  idle = "200ms" }}
route "plain.example" {{ relay = "{net}.1:2525" }}
route "tls.example" {{ relay = "{net}.2:2525" }}
"""


def normalised(message):
    """What must be the same in every run: tokens, names, dates and signatures taken out."""
    message = re.sub(rb"(?m)^(DKIM-Signature): [^\r]*\r\n(?:[ \t][^\r]*\r\n)*", rb"\1\r\n", message)
    message = re.sub(rb"(?m)^(Date): [^\r]*", rb"\1", message)
    message = re.sub(rb"[0-9a-v]{45}", b"TOKEN", message)
    message = re.sub(rb"(?m)^(Message-ID: <TOKEN)\.\d+@", rb"\1.ID@", message)
    # Behind the tokens, which are random: in one of some millions stands what looks like a name.
    return re.sub(rb"c\d\dn\d{6}r", b"NAMEr", message)


class Trouble(Exception):
    """The run came to its end here: a complaint."""


class Result:
    """Of one run: what failed, how the sender took it, and what was wrong with that."""

    def __init__(self, plan):
        self.plan = plan          # (kind, first, length, seed), or None for a counting run
        self.status = status.Status({}, 0, 0, 0, 0, (), 0)
        self.ended = False        # the sender ended by itself
        self.said = ""            # its last words then
        self.excused = ""         # "leak in libcrypto.so.3": the library's own, which ran out of memory
        self.waited = False       # rows were left to the next life: their route was backing off
        self.maps = ""
        self.complaints = []
        self.log = ""
        self.seconds = 0.0
        self.clean_seconds = 0.0


class Job:
    def __init__(self, options, number):
        self.options = options
        self.net = f"127.{number + 1}.0"
        self.directory = WORK / str(number)
        self.directory.mkdir()
        self.config = self.directory / "hikyaku.conf"
        self.config.write_text(CONFIG.format(dir=self.directory, net=self.net, customer=CUSTOMER,
                                             keys=options.keys))
        self.domains = FEW if options.few else DOMAINS
        self.number = number
        self.runs = 0
        self.mail = self.directory / "mail"
        self.mail.mkdir()
        self.names = Names(f"{self.net}.53", f"{self.net}.25")
        self.sinks = {}
        self.start_sinks()
        self.reference = {}  # recipient without the run's name -> envelope and message
        self.modules = status.Modules(options.program)
        self.modules.learn(self.run(None, learns=True).maps)

    def start_sinks(self):
        """Those that are not there."""
        for name, listen, *more in (
                ("plain", f"{self.net}.1:2525", "--close-after-dot-percent", "6"),
                ("tls", f"{self.net}.2:2525", "--listen", f"{self.net}.25:25", "--starttls")):
            if name not in self.sinks or self.sinks[name].poll() is not None:
                self.sinks[name] = self.start_sink(name, listen, *more)

    def start_sink(self, name, listen, *more):
        log = self.directory / f"{name}.log"
        with open(log, "wb") as out:
            sink = subprocess.Popen(
                [SINK, "--listen", listen, "--seed", "7", "--reject-percent", "10", "--defer-percent",
                 "10", "--ledger", self.directory / f"{name}.ledger", "--doubt-ledger",
                 self.directory / f"{name}.doubt", "--save", self.mail, *more],
                stdout=subprocess.DEVNULL, stderr=out)
        end = time.monotonic() + READY_SECONDS
        while "listening" not in log.read_text():
            if sink.poll() is not None or time.monotonic() > end:
                raise Trouble(f"the sink does not listen: {log.read_text()}")
            time.sleep(.005)
        return sink

    # ---- one run ----

    def run(self, plan, learns=False):
        """Again when a sink ended meanwhile: somebody killed it, and what was seen says nothing."""
        while True:
            result = self.run_once(plan, learns)
            if all(sink.poll() is None for sink in self.sinks.values()):
                return result

    def run_once(self, plan, learns):
        started = time.monotonic()
        self.runs += 1
        result = Result(plan)
        self.result = result
        self.name = f"c{self.number:02}n{self.runs:06}"  # of one length in all runs
        self.recipients, self.dead = [], set()
        for domain, count, alive in self.domains:
            more = [f"{self.name}r{i}@{domain}" for i in range(count)]
            self.recipients += more
            if not alive:
                self.dead.update(more)
        self.created = self.started = False
        shutil.rmtree(self.directory / "data", ignore_errors=True)
        (self.directory / "data").mkdir()
        for file in self.mail.iterdir():
            file.unlink()
        self.log = self.directory / "send.log"
        self.log.write_bytes(b"")
        self.process = None
        try:
            self.start_sinks()
            self.faulty_life(plan)
            clean = time.monotonic()
            self.clean_life()
            result.clean_seconds = time.monotonic() - clean
            self.judge_mail(learns)
        except Trouble as trouble:
            result.complaints.append(str(trouble))
        except (OSError, EOFError, Refused) as error:
            result.complaints.append(f"RESTART the clean life: {error!r}")
        finally:
            if self.process and self.process.poll() is None:
                self.process.kill()
                self.process.wait()
        result.seconds = time.monotonic() - started
        if result.complaints:
            result.log = self.log.read_text(errors="replace")
        return result

    def start(self, program, environment):
        self.life_log = self.log.stat().st_size
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen([program, "send", "--config", self.config], stdout=log,
                                            stderr=log, stdin=subprocess.DEVNULL,
                                            env={**os.environ, **environment})

    def faulty_life(self, plan):
        result = self.result
        path = self.directory / "status"
        path.write_bytes(bytes(status.SIZE))
        self.start(self.options.program, {
            "NTH": ":".join(map(str, plan)) if plan else "count", "NTH_STATUS": str(path),
            "ASAN_OPTIONS": f"exitcode={SANITIZER_EXIT}:allocator_may_return_null=1:"
                            "malloc_context_size=12:quarantine_size_mb=8",
            "LSAN_OPTIONS": f"exitcode={SANITIZER_EXIT}",
            "UBSAN_OPTIONS": "print_stacktrace=1", **self.options.certificates})
        try:
            self.live()
        except (OSError, EOFError, Refused) as error:
            if self.process.poll() is None and self.waits_for_end(.5) is None:
                raise Trouble(f"HANG the sender does not answer: {error!r}") from error
        finally:
            result.status = status.read(path)
        self.judge_end(self.stop())
        result.status = status.read(path)
        if not plan:
            result.trace = status.read_trace(path)

    def clean_life(self):
        with open(self.log, "ab") as log:
            log.write(b"---- started again, nothing fails\n")
        self.start(self.options.clean_program, {})
        if not self.is_there():
            raise Trouble(f"RESTART the sender does not start again: {self.last_words()}")
        self.live(clean=True)
        self.judge()
        code = self.stop()
        if code != 0:
            raise Trouble(f"RESTART the clean life ends with {code}: {self.last_words()}")

    def last_words(self):
        with open(self.log, "rb") as file:
            file.seek(self.life_log)
            lines = file.read().decode(errors="replace").strip().splitlines()
        return lines[-1] if lines else ""

    # ---- the operator's work ----

    def link(self):
        return Link(f"{self.directory}/s", PATIENCE_SECONDS)

    def connect(self):
        """None: the sender ended."""
        end = time.monotonic() + READY_SECONDS
        while True:
            try:
                return self.link()
            except OSError:
                pass
            if self.process.poll() is not None:
                return None
            if time.monotonic() > end:
                raise Trouble("HANG the sender is up and nobody listens")
            time.sleep(.003)

    def is_there(self):
        """Whether the new process answers: the kernel takes the rings of one that ended down at leisure."""
        end = time.monotonic() + READY_SECONDS
        while link := self.connect():
            try:
                if link.ask("status")[1]["pid"] == self.process.pid:
                    return True
            except (OSError, EOFError):
                pass
            finally:
                link.close()
            if time.monotonic() > end:
                raise Trouble("RESTART the new sender does not answer")
            time.sleep(.005)
        return False

    def ask(self, what, clean=False):
        """
        `what` of a link. In a life in which something fails it is tried again, over a new connection;
        None when the sender ended.
        """
        end = time.monotonic() + TRY_SECONDS
        tries = 0
        while True:
            tries += 1
            link = self.connect()
            if not link:
                return None
            try:
                return what(link)
            except (OSError, EOFError, Refused) as error:
                if isinstance(error, TimeoutError):
                    raise Trouble("HANG a command is not answered") from error
                if self.waits_for_end(.05) is not None:
                    return None
                if clean or (time.monotonic() > end and tries >= TRIES):
                    raise
            finally:
                link.close()

    def waits_for_end(self, seconds):
        try:
            return self.process.wait(timeout=seconds)
        except subprocess.TimeoutExpired:
            return None

    def campaign(self, link):
        found = [c for c in link.ask("campaign.status")[0] if c["name"] == self.name]
        return found[0] if found else {}

    def bring_up(self, link):
        """Imports and starts, unless that is done; the campaign's state."""
        state = self.campaign(link)
        if not state and self.created:
            raise Trouble("LOST the campaign: its creation was acknowledged")
        if not state:
            rows = [(a, [f"読者{i}".encode(), b"Kyoto"]) for i, a in enumerate(self.recipients)]
            link.create(self.name, CUSTOMER, PARTS, COLUMNS, rows)
            self.created = True
            state = self.campaign(link)
        if state["total"] != len(self.recipients):
            raise Trouble(f"IMPORT {state['total']} of {len(self.recipients)} recipients exist")
        if state["state"] == "ready":
            if self.started:
                raise Trouble("LOST the start: it was acknowledged")
            link.ask("campaign.start", name=self.name)
            self.started = True
        return state

    def look_around(self, link):
        """What else an operator asks; once in each life."""
        for command in ("status", "queue.list"):
            link.ask(command)
        link.ask("queue.show", address=self.recipients[0])
        link.report(self.name)

    def live(self, clean=False):
        """Until everybody is served; or the sender ended; or what is left waits for a route."""
        if self.ask(self.bring_up, clean) is None:
            return
        seen, still = None, time.monotonic()
        served, since = None, still
        while True:
            state = self.ask(self.campaign, clean)
            if state is None:
                return
            if state["queued"] + state["held"] == 0:
                break
            facts = [state[k] for k in ("delivered", "failed", "deferrals", "doubts", "deferred")]
            now = time.monotonic()
            if facts != seen:
                seen, still = facts, now
            elif now - still > 1.5 and not clean and self.backs_off():
                self.result.waited = True
                return
            elif now - still > STILL_SECONDS:
                raise Trouble(f"STUCK nothing moves: {json.dumps(state)}")
            if state["queued"] + state["held"] != served:
                served, since = state["queued"] + state["held"], now
            elif now - since > LOST_SECONDS:
                self.result.status = status.read(self.directory / "status")
                library = not clean and self.modules.library(self.result.status.frames)
                if not library:
                    raise Trouble(f"STUCK it tries and gets nowhere: {json.dumps(state)}")
                self.result.excused = f"no answer from {library}"
                return
            time.sleep(.025)
        self.ask(self.look_around, clean)
        if not self.scrape() and not (not clean and self.scrape()) and self.process.poll() is None:
            raise Trouble("METRICS the page does not come")

    def backs_off(self):
        sites = self.ask(lambda link: link.ask("queue.list")[0])
        return not sites or any(site["state"] == "backing-off" for site in sites)

    def scrape(self):
        try:
            with socket.create_connection((f"{self.net}.9", 9641), timeout=10) as s:
                s.sendall(b"GET /metrics HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
                data = b""
                while more := s.recv(65536):
                    data += more
            return data.startswith(b"HTTP/1.1 200")
        except OSError:
            return False

    # ---- the end of a life ----

    def stop(self):
        if self.process.poll() is None:
            if not self.result.maps and not self.result.plan:
                self.result.maps = pathlib.Path(f"/proc/{self.process.pid}/maps").read_text()
            self.process.send_signal(signal.SIGTERM)
        else:
            self.result.ended = True
        code = self.waits_for_end(STOP_SECONDS)
        if code is None:
            raise Trouble(f"HANG it does not end\n{self.threads()}")
        return code

    def threads(self):
        """Where each thread of the sender stands, if there is a debugger."""
        if not shutil.which("gdb"):
            return "(with gdb installed, its threads would stand here)"
        out = subprocess.run(["gdb", "-p", str(self.process.pid), "-batch", "-ex", "thread apply all bt"],
                             capture_output=True, text=True, check=False)
        files = subprocess.run(["ls", "-l", f"/proc/{self.process.pid}/fd"], capture_output=True, text=True,
                               check=False)
        queues = subprocess.run(["ss", "-xanp"], capture_output=True, text=True, check=False)
        return out.stdout[-6000:] + files.stdout + "\n".join(
            line for line in queues.stdout.splitlines() if f"pid={self.process.pid}," in line)

    def judge_end(self, code):
        """How the sender with the fault ended."""
        with open(self.log, "rb") as file:
            file.seek(self.life_log)
            text = file.read().decode(errors="replace")
        bad = re.search(r"(ERROR: (Address|Leak)Sanitizer|runtime error|broken promise).*", text)
        self.result.said = self.last_words()
        if code < 0 or code == SANITIZER_EXIT or bad:
            kind = "LEAK" if bad and "Leak" in bad[0] else "CRASH"
            library = self.library_to_blame(text, kind)
            if library:
                self.result.excused = f"{kind.lower()} in {library}"
            else:
                self.result.complaints.append(f"{kind} exit {code}: {bad[0] if bad else ''}")
        elif code == INJECTOR_EXIT:
            raise Trouble(f"the injector: {self.result.said}")
        elif code != 0 and not CLEAR_WORDS.search(self.result.said):
            self.result.complaints.append(f"SILENT exit {code}, last words: {self.result.said!r}")
        elif code == 0 and self.result.ended:
            self.result.complaints.append("SILENT it ended by itself, with exit code 0")

    def library_to_blame(self, text, kind):
        """
        The library inside which something failed, if it is also where all that was lost was allocated,
        or what crashed. Nobody outside can free or check that.
        """
        library = self.modules.library(self.result.status.frames)
        if not library:
            return None
        if kind == "CRASH":
            places = re.findall(r"^SUMMARY: AddressSanitizer: SEGV \((\S+?)\+", text, re.M)
            places += re.findall(r"attempting double-free.*\n +#0 .*\n +#1 \S+ (?:in \S+ )?\((\S+?)\+", text)
            # Of libraries, libconfuse alone has assertions compiled in.
            places += ["libconfuse"] * ("Assertion `cfg_" in text)
        else:
            places = [re.search(r"\n +#\d+ \S+ +(?:in (?!__interceptor|\w+ tests/nth/)\S+ )?\(?(\S+?)[+:]",
                                block) for block in re.split(r"^(?:Ind|D)irect leak", text, flags=re.M)[1:]]
            places = [place and place[1] for place in places]
        same = places and all(place and status.library_name(place) == library for place in places)
        return library if same else None

    # ---- judgement ----

    def copies(self):
        """address -> [judge.Copy] of this run."""
        copies = {}
        for path, answered in [(self.directory / f"{name}.{kind}", kind == "ledger")
                               for name in ("plain", "tls") for kind in ("ledger", "doubt")]:
            for address, more in judge.read_ledger(path, answered).items():
                if address.startswith(self.name + "r"):
                    copies.setdefault(address, []).extend(more)
        return copies

    def judge(self):
        link = self.link()
        try:
            state = self.campaign(link)
            final, doubts, deferrals = (link.report(self.name, outcomes)
                                        for outcomes in (None, ["in-doubt"], ["deferred"]))
        finally:
            link.close()
        campaign = judge.Campaign(self.recipients, state, final, doubts, deferrals, self.copies())
        self.result.complaints += campaign.judge()
        for row in final:
            refused = row["outcome"] == "failed" and row.get("code", 0) >= 500
            if row["address"] in self.dead and not refused:
                self.result.complaints.append(f"OUTCOME {row['address']} cannot arrive: {row}")
            elif row["outcome"] != "delivered" and not refused:
                self.result.complaints.append(f"OUTCOME nobody refused {row['address']}: {row}")

    def judge_mail(self, learns):
        """Every message that came is, but for what must differ, the one that a run without a fault sends."""
        for path in self.mail.glob("*.eml"):
            envelope = path.with_suffix(".env").read_bytes()
            facts = dict(line.split(b" ", 1) for line in envelope.splitlines())
            key = normalised(facts[b"to"])
            mail = normalised(facts[b"from"]), normalised(path.read_bytes())
            if learns:
                self.reference[key] = mail
            elif mail != self.reference.setdefault(key, mail):
                self.result.complaints.append(f"MESSAGE {facts[b'to'].decode()} got another one:\n"
                                              + "\n".join(difference(self.reference[key], mail))[:1000])
        if learns and self.result.complaints:
            raise Trouble("\n".join(self.result.complaints))


def difference(wanted, got):
    """The first lines that differ."""
    return difflib.unified_diff(*(b"\n".join(mail).decode(errors="replace").splitlines()
                                  for mail in (wanted, got)), "wanted", "got", lineterm="", n=1)
