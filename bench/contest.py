#!/usr/bin/python3
"""One measurement of one sender: the job, from handing it over to the sink's last acceptance.

usage: bench/contest.py NAME [--count N] [--size BYTES] [--world plain|providers] [...]

Everybody is measured alike: in mount, process and network namespaces of their own, with the same sink,
list and text, and CPU seconds of all their processes counted by a cgroup. Prints one JSON line. All
recipients must arrive once and a sample of the signatures must verify (by dkimpy), or it fails.
"""
import argparse
import ctypes
import json
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import time

from harness import SINK, TOP
from job import PORT, PROVIDERS, SINK_ADDRESS, Job, deliverable_count, read_providers
from noise import Group, Watch
from peers.exim import Exim
from peers.haraka import Haraka
from peers.nodemailer import Nodemailer
from peers.opensmtpd import OpenSMTPD
from peers.ours import Ours
from peers.postfix import Postfix

PEERS = {peer.name: peer for peer in (Ours, Postfix, Exim, OpenSMTPD, Haraka, Nodemailer)}
SAMPLE = 30
GROUP = "hikyaku-bench-"
TOTALS = ("connections", "max_concurrent", "rejected", "deferred", "turned_away", "throttled",
          "malformed", "violations", "unfinished", "tls_sessions", "tls_resumed")
DEFAULTS = {"count": 10_000, "size": 8192, "world": "plain", "sign": True, "same_for_all": False,
            "starttls": False, "interval_ms": 0, "seconds": 180, "options": {}, "ledger": True,
            "sink_cpu": None, "sink_options": []}


class World:
    """The sink, in the namespace of the measurement."""

    def __init__(self, directory, spec, count):
        self.ledger = directory / "ledger"
        self.saved = directory / "saved"
        self.saved.mkdir()
        options = list(spec["sink_options"])
        if spec["world"] == "providers":
            options += ["--profile", PROVIDERS]
        if spec["starttls"]:
            options.append("--starttls")
        if spec["ledger"]:
            options += ["--ledger", self.ledger, "--no-hash"]
        pin = [] if spec["sink_cpu"] is None else ["taskset", "-c", str(spec["sink_cpu"])]
        self.process = subprocess.Popen(
            [*pin, SINK, "--listen", f"{SINK_ADDRESS}:{PORT}", "--save", self.saved, "--save-every",
             str(max(1, count // SAMPLE)), "--seed", "1", *options],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        if not self.process.stderr.readline().startswith("listening"):
            sys.exit("the sink did not start")

    def totals(self):
        self.process.send_signal(signal.SIGUSR1)
        return json.loads(self.process.stdout.readline())

    def end(self):
        self.process.terminate()
        out, errors = self.process.communicate()
        if self.process.returncode != 0:
            sys.exit(f"the sink failed: {errors}")
        return json.loads(out.splitlines()[-1])

    def arrivals(self):
        """address -> seconds since 1970 of every acceptance; nothing without a ledger."""
        found = {}
        if not self.ledger.exists():
            return found
        with open(self.ledger) as lines:
            for line in lines:
                fields = line.split(" ")
                found.setdefault(fields[3], []).append(int(fields[0]) / 1000)
        return found


def percentiles(values):
    values = sorted(values)
    if not values:
        return {}
    return {name: round(values[min(len(values) - 1, int(share * len(values)))], 4)
            for name, share in (("p50", .5), ("p95", .95), ("p99", .99), ("max", 1))}


def curve(times, wanted):
    """Seconds by which each fiftieth of what was wanted had arrived."""
    times = sorted(times)
    return [round(times[k], 3) for k in (max(1, -(-wanted * i // 50)) - 1 for i in range(1, 51))
            if k < len(times)]


def verify(saved, record):
    """How many of the saved messages have a valid signature, of how many."""
    import dkim
    text = open(record, "rb").read().strip()
    messages = [path.read_bytes() for path in sorted(saved.glob("*.eml"))[:SAMPLE]]
    good = sum(dkim.verify(message, dnsfunc=lambda name, timeout=5: text) for message in messages)
    return good, len(messages)


def wait_for_all(world, wanted, seconds):
    """True when the sink has accepted them before the time was over."""
    end = time.monotonic() + seconds
    while world.totals()["recipients"] < wanted:
        if time.monotonic() > end:
            return False
        time.sleep(0.02)
    return True


def judge(result, spec):
    """Whether the figures may count: everything arrived, once, well formed and with a good signature."""
    good = result["complete"] and result["arrived"] == result["expected"]
    good &= not result["malformed"] and not result["duplicates"]
    if result["peer"] == Ours.name and spec["world"] == "plain":
        good &= not result["violations"]
    if spec["sign"]:
        verified, of = result["verified"]
        good &= verified == of and of > 0
    if spec["starttls"]:
        good &= result["tls_sessions"] > 0
    return good


class Run:
    """One measurement inside its namespaces."""

    def __init__(self, spec, directory, group):
        self.spec = spec
        self.providers = read_providers() if spec["world"] == "providers" else []
        kind = PEERS[spec["peer"]]
        self.count = max(1, int(spec["count"] * (1 if spec["interval_ms"] else kind.share)))
        self.job = Job(str(directory / "job"), self.count, spec["size"], self.providers,
                       not spec["same_for_all"])
        self.group = group
        self.own = Group("peer", group)
        options = {"sign": spec["sign"], **spec["options"]}
        self.peer = kind(directory / "peer", self.job, self.own, options)
        self.peer.prepare()
        self.world = World(directory, spec, self.count)

    def go(self):
        self.peer.start()
        self.peer.wait_ready()
        wanted = (deliverable_count(self.job.addresses, self.providers) if self.providers
                  else self.count)
        watch = Watch(self.group)
        cpu = self.own.cpu_seconds()
        started, epoch = time.monotonic(), time.time()
        feeder = self.peer.submit(self.spec["interval_ms"])
        complete = wait_for_all(self.world, wanted, self.spec["seconds"])
        watch.pause()
        if not complete:
            feeder.terminate()
        feeder.wait()
        totals = self.world.totals()
        more = self.peer.more()
        self.peer.stop()
        self.world.end()
        cpu = self.own.cpu_seconds() - cpu
        seconds = totals["last_at"] - started if totals["recipients"] else 0
        result = {"peer": self.peer.name, "title": self.peer.title, "version": self.peer.version(),
                  "queue": self.peer.queue, "size": self.spec["size"], "options": self.spec["options"],
                  "count": self.count, "expected": wanted, "complete": complete,
                  "seconds": round(seconds, 4), "cpu_seconds": round(cpu, 3), "noise": watch.end(),
                  **more, **{name: totals[name] for name in TOTALS}}
        self.add_arrivals(result, totals, epoch)
        arrived = result["arrived"]
        result["rate"] = round(arrived / seconds, 1) if arrived else 0
        result["per_cpu_second"] = round(arrived / cpu, 1) if cpu else 0
        if "sending_at" in more:
            result["sending_rate"] = (round(arrived / (totals["last_at"] - more["sending_at"]), 1)
                                      if arrived else 0)
        result["good"] = judge(result, self.spec)
        return result

    def add_arrivals(self, result, totals, epoch):
        """`epoch`: when the job was handed over, unless that was done one by one."""
        handed = self.peer.times() if self.spec["interval_ms"] else {}
        arrivals = self.world.arrivals()
        result["arrived"] = len(arrivals) if self.spec["ledger"] else totals["recipients"]
        result["bytes"] = round(totals["bytes"] / max(1, totals["messages"]))
        result["duplicates"] = sum(len(times) - 1 for times in arrivals.values())
        waits = [times[0] - handed.get(address, epoch) for address, times in arrivals.items()]
        result["latency"] = percentiles(waits)
        result["curve"] = curve(waits, result["expected"])
        result["verified"] = verify(self.world.saved, self.job.record) if self.spec["sign"] else None


def inside(spec):
    directory = pathlib.Path(spec["directory"])
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
    group = Group(GROUP + spec["name"])
    group.enter()
    print(json.dumps(Run(spec, directory, group).go()), flush=True)


def die_with_parent():
    """For preexec_fn: the namespaces end when whoever measures is killed."""
    ctypes.CDLL(None).prctl(1, signal.SIGKILL, 0, 0, 0)  # PR_SET_PDEATHSIG


def run(peer, directory, **wanted):
    """The figures of one measurement, or None when it failed; "good" says whether they may count.

    `wanted` replaces what DEFAULTS has."""
    directory = os.path.abspath(os.path.join(directory, peer))
    shutil.rmtree(directory, ignore_errors=True)
    os.makedirs(directory)
    PEERS[peer].fetch()
    Group.sweep(GROUP)
    name = str(os.getpid())
    spec = {**DEFAULTS, **wanted, "peer": peer, "directory": directory, "name": name}
    out = subprocess.run(
        ["unshare", "--mount", "--propagation", "private", "--pid", "--fork", "--kill-child",
         "--mount-proc", "--net", "/usr/bin/python3", __file__, "--inside", json.dumps(spec)],
        stdout=subprocess.PIPE, preexec_fn=die_with_parent, text=True)
    group = Group(GROUP + name)
    Group("peer", group).remove()
    group.remove()
    if out.returncode != 0 or not out.stdout.strip():
        return None
    return json.loads(out.stdout.splitlines()[-1])


def main():
    if sys.argv[1:2] == ["--inside"]:
        inside(json.loads(sys.argv[2]))
        return
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("peer", choices=PEERS)
    parser.add_argument("--count", type=int, default=10_000)
    parser.add_argument("--size", type=int, default=8192)
    parser.add_argument("--world", choices=("plain", "providers"), default="plain")
    parser.add_argument("--unsigned", action="store_true")
    parser.add_argument("--same-for-all", action="store_true", help="no personal text in the body")
    parser.add_argument("--starttls", action="store_true")
    parser.add_argument("--interval-ms", type=int, default=0)
    parser.add_argument("--no-ledger", action="store_true", help="no latencies, a cheaper sink")
    parser.add_argument("--seconds", type=float, default=180, help="give up after so long")
    parser.add_argument("--option", action="append", default=[], metavar="NAME=VALUE",
                        help="of the peer: an attribute of its class")
    parser.add_argument("--directory", default=os.path.join(TOP, "build/bench/contest"))
    a = parser.parse_args()
    options = {}
    for option in a.option:
        name, _, value = option.partition("=")
        options[name] = json.loads(value) if value[:1] in "0123456789tf[{" else value
    result = run(a.peer, a.directory, count=a.count, size=a.size, world=a.world,
                 sign=not a.unsigned, same_for_all=a.same_for_all, starttls=a.starttls,
                 interval_ms=a.interval_ms, seconds=a.seconds, options=options,
                 ledger=not a.no_ledger)
    print(json.dumps(result))
    sys.exit(0 if result and result["good"] else 1)


if __name__ == "__main__":
    main()
