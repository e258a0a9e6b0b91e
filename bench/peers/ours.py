"""Our own sender, run and measured like the others."""
import os
import pathlib
import subprocess
import time

from harness import PROGRAM, TOP
from job import PORT, SINK_ADDRESS, ZONE
from peers.peer import QUIET, RETRY_SECONDS, Peer, answers, wait_until

REPEAT = pathlib.Path(TOP) / "build/bench/repeat"
NSD = """\
server:
	ip-address: 127.0.0.1@53
	zonesdir: "{dir}"
	database: ""
	username: ""
	chroot: ""
	pidfile: "{dir}/nsd.pid"
	xfrdfile: "{dir}/nsd.xfrd"
	zonelistfile: "{dir}/nsd.list"
	server-count: 1
remote-control:
	control-enable: no
zone:
	name: {zone}
	zonefile: world.zone
"""


class Ours(Peer):
    name = "hikyaku"
    title = "hikyaku"
    queue = "synced to disk"
    workers = 0
    durability = "full"
    commit_interval = "5ms"
    tls = "never"
    depth = 4
    messages = 100000      # of a session
    pinned = False         # each worker on a core of its own
    environment = ()       # NAME=VALUE
    import_first = False   # the campaign starts when it is imported
    cpu = None             # all of it on this core
    program = PROGRAM
    sending_at = None

    def version(self):
        words = subprocess.run([self.program, "version"], stdout=subprocess.PIPE, text=True,
                               check=True).stdout.split()
        return " ".join(words[:2])

    def configure(self):
        work = self.directory / "work"
        self.config = work / "hikyaku.conf"
        key = f'dkim "s1" {{ key = "{self.job.key}" }}' if self.sign else "sign = false"
        text = f"""data = "{work}/data"
control = "{work}/send.sock"
workers = {self.workers}
metrics {{ listen = "127.0.0.1:9641" }}
queue {{ durability = "{self.durability}"  commit-interval = "{self.commit_interval}" }}
retry {{ schedule = {{"{RETRY_SECONDS}s"}} }}
dns {{ stub-zones = {{"{ZONE} 127.0.0.1@53"}}  allow-destinations = {{"127.0.0.0/8"}}  ipv6 = false }}
customer "bench.example" {{
	address "any" {{ ehlo = "mta.bench.example" }}
	{key}
	unsubscribe-url = "https://bench.example/u/{{{{_token}}}}"
	unsubscribe-mailto = "unsubscribe-{{{{_token}}}}@bench.example"
}}
site "default" {{ sessions = 64  messages-per-session = {self.messages}  depth = {self.depth}
	idle = "60s"  tls = "{self.tls}" }}
"""
        for provider in self.job.providers:
            limits = (f"sessions = {self.connections(provider)}  rate = {provider.rate}  "
                      f"messages-per-session = {provider.messages or 100000}")
            text += (f'site "{provider.name}" {{ mx = {{"mx.{provider.name}.{ZONE}"}}  {limits}  '
                     f'tls = "{self.tls}" }}\n')
        if not self.job.providers:
            text += f'route "*" {{ relay = "{SINK_ADDRESS}:{PORT}" }}\n'
        self.config.write_text(text)

    def command(self, *words):
        return [self.program, *map(str, words), "--config", self.config]

    def serve_names(self):
        """The providers' mail exchangers, by a real name server; its CPU is not the sender's."""
        work = self.directory / "work"
        zone = [f"$ORIGIN {ZONE}.", "$TTL 600", "@ SOA ns hostmaster 1 7200 3600 1209600 60", "@ NS ns",
                "ns A 127.0.0.1"]
        for provider in self.job.providers:
            zone.append(f"mx.{provider.name} A {provider.address}")
            zone += [f"{domain}. MX 10 mx.{provider.name}" for domain in provider.domains]
        (work / "world.zone").write_text("\n".join(zone) + "\n")
        (work / "nsd.conf").write_text(NSD.format(dir=work, zone=ZONE))
        self.names = subprocess.Popen(["/usr/sbin/nsd", "-d", "-c", work / "nsd.conf"], **QUIET)
        wait_until("nsd", lambda: answers(53))

    def start(self):
        if self.job.providers:
            self.serve_names()
        pin = [] if self.cpu is None else ["taskset", "-c", self.cpu]
        self.serve("env", *self.environment, *pin, *self.command("send"), log="send")

    def wait_ready(self):
        wait_until(self.title, lambda: subprocess.run(
            [str(w) for w in self.command("status", "--json")], stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL).returncode == 0)
        if self.pinned:
            self.pin_workers()

    def pin_workers(self):
        cores = sorted(os.sched_getaffinity(0))
        for task in pathlib.Path(f"/proc/{self.servers[0].pid}/task").iterdir():
            name, _, index = (task / "comm").read_text().strip().partition("-")
            if name == "worker":
                os.sched_setaffinity(int(task.name), {cores[int(index) % len(cores)]})

    def creation(self, name, recipients, *more):
        return self.command("campaign", "create", "--name", name, "--customer", "bench.example",
                            "--template", self.job.template, "--recipients", recipients, *more)

    def create(self, name, recipients, *more):
        return self.launch(*self.creation(name, recipients, *more), log=f"create.{name}")

    def submit(self, interval_ms=0):
        if interval_ms:
            return self.launch_slowly(interval_ms)
        if not self.import_first:
            return self.create("bench", self.job.list, "--start")
        started = time.monotonic()
        self.create("bench", self.job.list).wait()
        self.sending_at = time.monotonic()
        self.import_seconds = self.sending_at - started
        return self.launch(*self.command("campaign", "start", "bench"))

    def more(self):
        status = pathlib.Path(f"/proc/{self.servers[0].pid}/status").read_text()
        resident = next(line for line in status.splitlines() if line.startswith("VmRSS:"))
        found = {"resident_mib": round(int(resident.split()[1]) / 1024, 1)}
        if self.sending_at:
            found |= {"sending_at": self.sending_at, "import_seconds": round(self.import_seconds, 3)}
        return found

    def launch_slowly(self, interval_ms):
        """One campaign for each recipient: what a single mail costs today."""
        head, *lines = pathlib.Path(self.job.list).read_text().splitlines()
        self.singles = [line.split(",")[0] for line in lines]
        for i, line in enumerate(lines):
            (self.directory / f"work/one.{i}.csv").write_text(f"{head}\n{line}\n")
        return self.launch(REPEAT, len(lines), interval_ms, self.directory / "work/times",
                           *self.creation("one{}", self.directory / "work/one.{}.csv", "--start"),
                           log="repeat")

    def times(self):
        lines = (self.directory / "work/times").read_text().splitlines()
        return {self.singles[int(line.split()[0])]: float(line.split()[1]) for line in lines}
