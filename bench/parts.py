"""The parts of the bench. Each measures one question and hands its figures to the session."""
import json
import os
import subprocess
import time

from contest import PEERS
from harness import TOP, Sink
from noise import SIGN_LIMIT
from session import say

BARE_CLIENT = os.path.join(TOP, "build/bench/bare_client")
OTHERS = [name for name in PEERS if name != "hikyaku"]


def sign_limit(threads, seconds, cpu=None):
    pin = [] if cpu is None else ["taskset", "-c", str(cpu)]
    out = subprocess.run([*pin, SIGN_LIMIT, "--threads", str(threads), "--seconds", str(seconds),
                          "--only", "rsa"], stdout=subprocess.PIPE, text=True, check=True).stdout
    return json.loads(out)["rsa_2048"]["signatures_per_second"]


def bare_client(directory, size, messages):
    """Messages a second and CPU of a client that does nothing but hand over; one thread."""
    os.makedirs(directory, exist_ok=True)
    sink = Sink(directory, 2525)
    time.sleep(0.2)
    out = subprocess.run([BARE_CLIENT, "--to", "127.0.0.1:2525", "--messages", str(messages), "--size",
                          str(size), "--sessions", "64", "--mode", "bdat"],
                         stdout=subprocess.PIPE, text=True, check=True).stdout
    sink.figures()
    return json.loads(out)


def limits(s, a):
    """What the machine gives when nothing is in the way."""
    found = []
    for n in range(a.rounds):
        one = {"sign_1": sign_limit(1, a.seconds), "sign_2": sign_limit(2, a.seconds), "bare": {}}
        for size in (8192, 51200, 102400):
            one["bare"][size] = bare_client(s.directory, size, a.unsigned * 8192 // size)
        found.append(one)
        say(f"  OpenSSL {one['sign_1']:,.0f}/s on one core, {one['sign_2']:,.0f}/s on two; bare client "
            + ", ".join(f"{v['messages_per_second']:,.0f}/s ({k // 1024} KB)"
                        for k, v in one["bare"].items()))
    s.keep("limits", found)


def peers_of(a):
    return [name for name in OTHERS if name in a.peers.split(",")]


def against_peers(s, a, part, **wanted):
    """Rounds in which ours and the others alternate, so that what disturbs one disturbs all."""
    rounds = []
    for n in range(a.rounds if part == "peers" else a.world_rounds):
        say(f"{part}, round {n + 1}")
        one = [s.measure("hikyaku", **wanted)]
        for k, name in enumerate(peers_of(a)):
            one.append(s.measure(name, **wanted))
            if k == len(peers_of(a)) // 2 and part == "peers":
                one.append(s.measure("hikyaku", **wanted))
        rounds.append(one)
        s.keep(part, rounds)


def peers(s, a):
    against_peers(s, a, "peers", count=a.count)


def world(s, a):
    against_peers(s, a, "world", count=a.world_count, world="providers", seconds=a.world_seconds)


def latency(s, a):
    """One mail every 50 ms: how long until the sink has it."""
    found = []
    for name in ["hikyaku", *peers_of(a)]:
        found.append(s.measure(name, count=a.singles, interval_ms=50))
        s.keep("latency", found)


def nosync(s, a):
    """How much of everybody's figure is the disk: fsync made to do nothing."""
    found = []
    for name in ["hikyaku", *[p for p in peers_of(a) if PEERS[p].queue == "synced to disk"]]:
        found.append(s.measure(name, count=a.count, options={"nosync": True}))
        s.keep("nosync", found)


def matrix(s, a):
    """Ours in all its ways."""
    found = []
    for size in a.sizes:
        for sign in (True, False):
            for durability in ("full", "relaxed"):
                for starttls in (False, True):
                    for workers in (1, 2):
                        count = (a.signed if sign else a.unsigned) * 8192 // max(size, 8192)
                        count = max(count, a.least)
                        options = {"durability": durability, "workers": workers, "import_first": True,
                                   "tls": "opportunistic" if starttls else "never"}
                        cell = [s.measure("hikyaku", count=count, size=size, sign=sign, ledger=False,
                                          starttls=starttls, options=options)
                                for _ in range(a.matrix_rounds)]
                        found.append({"size": size, "sign": sign, "durability": durability,
                                      "starttls": starttls, "workers": workers, "runs": cell})
        s.keep("matrix", found)


INTERVALS_MS = (0, 1, 2, 5, 10, 20, 50)


def sync_ms(directory, tries=100):
    """How long the disk takes to sync a page that was just written: median, and the slowest tenth."""
    path = os.path.join(directory, "sync")
    times = []
    with open(path, "wb", buffering=0) as file:
        for _ in range(tries):
            file.write(bytes(4096))
            started = time.monotonic()
            os.fdatasync(file.fileno())
            times.append(1000 * (time.monotonic() - started))
    os.unlink(path)
    times.sort()
    return times[tries // 2], times[tries * 9 // 10]


def commits(s, a):
    """How long results should wait for others before they are synced together."""
    found = {"sync_ms": sync_ms(s.directory), "runs": []}
    for _ in range(2):
        for interval in INTERVALS_MS:
            options = {"workers": 2, "import_first": True, "commit_interval": f"{interval}ms"}
            run = s.measure("hikyaku", count=a.unsigned, sign=False, ledger=False, same_for_all=True,
                            options=options)
            found["runs"].append({"interval_ms": interval, "run": run})
    s.keep("commits", found)


def share(s, a):
    """One core for the sender, the other for the sink: how much of OpenSSL's own rate is left."""
    found = []
    for n in range(a.rounds):
        limit = sign_limit(1, a.seconds, cpu=0)
        ours = s.measure("hikyaku", count=a.signed, sink_cpu=1, ledger=False,
                         options={"workers": 1, "cpu": 0, "import_first": True})
        found.append({"limit": limit, "ours": ours})
    s.keep("share", found)


def growth(s, a):
    """A long queue beside a short one; text that is the same for all, so that nothing hides the queue."""
    found = []
    for sign in (True, False):
        for count in (a.small, a.large, a.small):
            run = s.measure("hikyaku", count=count, sign=sign, ledger=False, same_for_all=True,
                            options={"workers": 2, "import_first": True})
            found.append({"sign": sign, "count": count, "run": run})
    s.keep("growth", found)
