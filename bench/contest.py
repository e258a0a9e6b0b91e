#!/usr/bin/python3
"""One measurement of one sender: the job, from handing it over to the sink's last acceptance.

usage: bench/contest.py NAME [--count N] [--size BYTES] [--world plain|providers] [...]

Everybody is measured alike: in mount, process and network namespaces of their own, with the same sink,
list and text, and CPU seconds of all their processes counted by a cgroup. Prints one JSON line. All
recipients must arrive once and a sample of the signatures must verify (by dkimpy), or it fails.
"""
import argparse
import json
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import time

from harness import SINK, TOP
from job import PROVIDERS, PORT, Job, deliverable_count, read_providers
from noise import Group, Watch
from peers.exim import Exim
from peers.haraka import Haraka
from peers.nodemailer import Nodemailer
from peers.opensmtpd import OpenSMTPD
from peers.ours import Ours
from peers.postfix import Postfix

PEERS = {peer.name: peer for peer in (Ours, Postfix, Exim, OpenSMTPD, Haraka, Nodemailer)}
SAMPLE = 30


class World:
    """The sink, in the namespace of the measurement."""

    def __init__(self, directory, spec, count):
        self.ledger = directory / "ledger"
        self.saved = directory / "saved"
        self.saved.mkdir()
        options = ["--profile", PROVIDERS] if spec["world"] == "providers" else []
        if spec["starttls"]:
            options.append("--starttls")
        self.process = subprocess.Popen(
            [SINK, "--listen", f"127.0.0.1:{PORT}", "--ledger", self.ledger, "--no-hash", "--save",
             self.saved, "--save-every", str(max(1, count // SAMPLE)), "--seed", "1", *options],
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
        """address -> seconds since 1970 of every acceptance."""
        found = {}
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


def judge(result, spec, peer, arrivals):
    wanted = result["expected"]
    result["duplicates"] = sum(len(times) - 1 for times in arrivals.values())
    good = len(arrivals) == wanted or not result["complete"]
    if result["malformed"] or (peer.name == Ours.name and result["violations"]):
        good = False
    if spec["sign"]:
        verified, of = result["verified"]
        good &= verified == of and of > 0
    result["good"] = good
    return result


def measure(spec, directory, group):
    providers = read_providers() if spec["world"] == "providers" else []
    kind = PEERS[spec["peer"]]
    count = max(1, int(spec["count"] * (1 if spec["interval_ms"] else kind.share)))
    job = Job(str(directory / "job"), count, spec["size"], providers, not spec["same_for_all"])
    own = Group("peer", group)
    peer = kind(directory / "peer", job, own, {"sign": spec["sign"], **spec["options"]})
    peer.prepare()
    world = World(directory, spec, count)
    peer.start()
    peer.wait_ready()
    wanted = deliverable_count(job.addresses, providers) if providers else count
    watch = Watch(group)
    cpu = own.cpu_seconds()
    started, epoch = time.monotonic(), time.time()
    feeder = peer.submit(spec["interval_ms"])
    complete = wait_for_all(world, wanted, spec["seconds"])
    watch.pause()
    getattr(feeder, "join", getattr(feeder, "wait", None))()
    totals = world.totals()
    peer.stop()
    world.end()
    cpu = own.cpu_seconds() - cpu
    arrivals = world.arrivals()
    seconds = totals["last_at"] - started
    handed = peer.times() if spec["interval_ms"] else {}
    return judge({
        "peer": peer.name, "title": peer.title, "version": peer.version(), "queue": peer.queue,
        "count": count, "expected": wanted, "complete": complete, "arrived": len(arrivals),
        "bytes": round(totals["bytes"] / max(1, totals["messages"])), "seconds": round(seconds, 4),
        "rate": round(len(arrivals) / seconds, 1), "cpu_seconds": round(cpu, 3),
        "per_cpu_second": round(len(arrivals) / cpu, 1) if cpu else 0,
        "latency": percentiles([times[0] - handed.get(address, epoch)
                                for address, times in arrivals.items()]),
        "verified": verify(world.saved, job.record) if spec["sign"] else None,
        "noise": watch.end(), "options": spec["options"],
        **{name: totals[name] for name in ("connections", "max_concurrent", "rejected", "deferred",
                                           "turned_away", "throttled", "malformed", "violations",
                                           "unfinished")},
    }, spec, peer, arrivals)


def inside(spec):
    directory = pathlib.Path(spec["directory"])
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
    group = Group(f"hikyaku-bench-{spec['name']}")
    group.enter()
    print(json.dumps(measure(spec, directory, group)), flush=True)


def run(peer, directory, count=10_000, size=8192, world="plain", sign=True, same_for_all=False,
        starttls=False, interval_ms=0, seconds=300, options=None, quiet=False):
    """The figures of one measurement, or None when it failed; "good" says whether they may count."""
    directory = os.path.abspath(os.path.join(directory, peer))
    shutil.rmtree(directory, ignore_errors=True)
    os.makedirs(directory)
    PEERS[peer].fetch()
    name = str(os.getpid())
    spec = {"peer": peer, "directory": directory, "count": count, "size": size, "world": world,
            "sign": sign, "same_for_all": same_for_all, "starttls": starttls, "name": name,
            "interval_ms": interval_ms, "seconds": seconds, "options": options or {}}
    out = subprocess.run(
        ["unshare", "--mount", "--propagation", "private", "--pid", "--fork", "--kill-child",
         "--mount-proc", "--net", "/usr/bin/python3", __file__, "--inside", json.dumps(spec)],
        stdout=subprocess.PIPE, stderr=subprocess.DEVNULL if quiet else None, text=True)
    group = Group(f"hikyaku-bench-{name}")
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
    parser.add_argument("--seconds", type=float, default=300, help="give up after so long")
    parser.add_argument("--option", action="append", default=[], metavar="NAME=VALUE",
                        help="of the peer: an attribute of its class")
    parser.add_argument("--directory", default=os.path.join(TOP, "build/bench/contest"))
    a = parser.parse_args()
    options = {}
    for option in a.option:
        name, _, value = option.partition("=")
        options[name] = json.loads(value) if value[:1] in "0123456789tf[{" else value
    result = run(a.peer, a.directory, a.count, a.size, a.world, not a.unsigned, a.same_for_all,
                 a.starttls, a.interval_ms, a.seconds, options)
    print(json.dumps(result))
    sys.exit(0 if result and result["good"] else 1)


if __name__ == "__main__":
    main()
