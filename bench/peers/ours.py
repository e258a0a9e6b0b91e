"""Our own sender, run and measured like the others."""
import pathlib
import subprocess
import threading
import time

from harness import PROGRAM
from peers.peer import Peer, RETRY_SECONDS, wait_until


class Ours(Peer):
    name = "hikyaku"
    title = "hikyaku"
    queue = "synced to disk"
    workers = 0
    durability = "full"
    tls = "never"
    program = PROGRAM

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
queue {{ durability = "{self.durability}" }}
retry {{ schedule = {{"{RETRY_SECONDS}s"}} }}
dns {{ allow-destinations = {{"127.0.0.0/8"}} }}
customer "bench.example" {{
	address "any" {{ ehlo = "mta.bench.example" }}
	{key}
	unsubscribe-url = "https://bench.example/u/{{{{_token}}}}"
	unsubscribe-mailto = "unsubscribe-{{{{_token}}}}@bench.example"
}}
site "default" {{ sessions = 64  messages-per-session = 100000  idle = "60s"  tls = "{self.tls}" }}
"""
        for name, domains, address, provider in self.destinations():
            if provider:
                limits = (f"sessions = {self.connections(provider)}  rate = {provider.rate}  "
                          f"messages-per-session = {provider.messages or 100000}")
                text += f'site "{name}" {{ mx = {{"{address}"}} {limits}  tls = "{self.tls}" }}\n'
            for domain in domains or ["*"]:
                text += f'route "{domain}" {{ relay = "{address}:2525" }}\n'
        self.config.write_text(text)

    def command(self, *words):
        return [self.program, *map(str, words), "--config", self.config]

    def start(self):
        self.serve(*self.command("send"), log="send")

    def wait_ready(self):
        wait_until(self.title, lambda: subprocess.run(
            [str(w) for w in self.command("status", "--json")], stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL).returncode == 0)

    def create(self, name, recipients):
        return self.launch(*self.command(
            "campaign", "create", "--name", name, "--customer", "bench.example", "--template",
            self.job.template, "--recipients", recipients, "--start"), log=f"create.{name}")

    def submit(self, interval_ms=0):
        if not interval_ms:
            return self.create("bench", self.job.list)
        return self.launch_slowly(interval_ms)

    def launch_slowly(self, interval_ms):
        """One campaign for each recipient: what a single mail costs today."""
        lines = pathlib.Path(self.job.list).read_text().splitlines()
        times = []

        def work():
            started = time.monotonic()
            for i, line in enumerate(lines[1:]):
                path = self.directory / f"work/one.{i}.csv"
                path.write_text(f"{lines[0]}\n{line}\n")
                time.sleep(max(0, started + i * interval_ms / 1000 - time.monotonic()))
                times.append(f"{line.split(',')[0]} {time.time():.6f} 0\n")
                self.create(f"one{i}", path).wait()
            (self.directory / "work/times").write_text("".join(times))

        thread = threading.Thread(target=work)
        thread.start()
        return thread
