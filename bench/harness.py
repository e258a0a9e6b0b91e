"""The sender and the sink as benches and the sample run use them: started, asked, measured, ended."""
import atexit
import json
import os
import signal
import subprocess
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
TOP = os.path.dirname(HERE)
PROGRAM = os.environ.get("HIKYAKU", os.path.join(TOP, "build/host/hikyaku"))
SINK = os.path.join(TOP, "build/bench/sink")


class Child:
    """A process with its output in a file; ended by SIGTERM, at the latest when we end."""

    def __init__(self, command, log):
        self.log = log
        with open(log, "wb") as out:
            self.process = subprocess.Popen(command, stdout=out, stderr=subprocess.STDOUT)
        self.pid = self.process.pid
        atexit.register(self.process.kill)

    def is_running(self):
        return self.process.poll() is None

    def end(self):
        if self.is_running():
            self.process.send_signal(signal.SIGTERM)
        self.process.wait(timeout=90)

    def status_kib(self, field):
        with open(f"/proc/{self.pid}/status") as status:
            for line in status:
                if line.startswith(field + ":"):
                    return int(line.split()[1])
        return 0

    def resident_kib(self):
        return self.status_kib("VmRSS")

    def anonymous_kib(self):
        """Without the pages of files, the store's among them, which the kernel takes back at will."""
        return self.status_kib("RssAnon")


class Sink(Child):
    """bench/sink; its figures come as a JSON line when it ends."""

    def __init__(self, directory, port, *options):
        super().__init__([SINK, "--listen", f"127.0.0.1:{port}", "--quiet", *options],
                         os.path.join(directory, "sink.log"))

    def figures(self):
        self.end()
        with open(self.log) as out:
            return json.loads(out.read().splitlines()[-1])


def make_key(path, domain, program):
    """Returns the DNS record."""
    made = subprocess.run([program, "keys", "new", "--domain", domain, "--selector", "s1", "--out",
                           path, "--json"], stdout=subprocess.PIPE, text=True, check=True)
    return json.loads(made.stdout)["record"]


def write_config(directory, port, domain, site, workers=0, queue="", sign=True, routes=None):
    """
    One customer, and every domain's mail goes to the sink, or where `routes` says. Speed is measured, not
    what receivers teach: a sender that was told to slow down would do so.
    """
    path = os.path.join(directory, "hikyaku.conf")
    identity = f'dkim "s1" {{ key = "{directory}/{domain}.s1.pem" }}' if sign else "sign = false"
    routes = routes or f'route "*" {{ relay = "127.0.0.1:{port}" }}\n'
    with open(path, "w") as out:
        out.write(f"""data = "{directory}/data"
control = "{directory}/send.sock"
workers = {workers}
metrics {{ listen = "127.0.0.1:9641" }}
queue {{ {queue} }}
customer "{domain}" {{
	address "any" {{ ehlo = "mail.{domain}" }}
	{identity}
	unsubscribe-url = "https://{domain}/u/{{{{_token}}}}"
	unsubscribe-mailto = "unsubscribe-{{{{_token}}}}@{domain}"
}}
site "default" {{ adaptive = false  {site} }}
{routes}""")
    return path


class Sender(Child):
    """`hikyaku send` and the commands that talk to it."""

    def __init__(self, directory, config, program=PROGRAM, pause=0.05):
        self.config = config
        self.program = program
        super().__init__([program, "send", "--config", config],
                         os.path.join(directory, "send.log"))
        for _ in range(int(10 / pause)):
            if self.command("status", "--json", check=False).returncode == 0:
                return
            if not self.is_running():
                break
            time.sleep(pause)
        sys.exit(f"the sender did not start: see {self.log}")

    def command(self, *words, check=True):
        result = subprocess.run([self.program, *words, "--config", self.config],
                                stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        if check and result.returncode != 0:
            sys.exit(f"hikyaku {' '.join(words)}: {result.stderr.strip() or result.stdout.strip()}")
        return result

    def ask(self, *words):
        """The first answer as a dictionary; a closing line may follow it."""
        return json.loads(self.command(*words, "--json").stdout.splitlines()[0])

    def wait_for(self, name, each=None, pause=0.25):
        """Until the campaign is done; `each` sees every state on the way."""
        while True:
            campaign = self.ask("campaign", "status", name)
            if each:
                each(campaign)
            if campaign["state"] == "done":
                return campaign
            if not self.is_running():
                sys.exit(f"the sender ended: see {self.log}")
            time.sleep(pause)
