"""The part of the bench that tries other ways to send: what the product does without is measured here.

The bare client sends the same text in each way, over loopback and between two namespaces joined by a
virtual cable; ways take turns, and the first one, which is the product's, is what the others are compared
with.
"""
import contextlib
import json
import os
import statistics
import subprocess
import time

from harness import SINK, TOP
from report_text import spread, table
from session import say

BARE_CLIENT = os.path.join(TOP, "build/bench/bare_client")
SIZES = (8192, 51200, 102400)
BASE = "copied, text and commands in one send, BDAT"
WAYS = {
    BASE: ["--mode", "bdat"],
    "DATA, the text and the next message's commands in one send": ["--mode", "data"],
    "DATA, the text alone": ["--mode", "plain"],
    "a reply awaited after each command": ["--mode", "steps"],
    "zero copy (SENDMSG_ZC)": ["--mode", "bdat", "--zero-copy"],
    "DATA, the text alone, zero copy (SEND_ZC)": ["--mode", "plain", "--zero-copy"],
    "DATA, the text alone, zero copy, registered buffer": ["--mode", "plain", "--registered"],
    "a kernel thread submits (SQPOLL)": ["--mode", "bdat", "--sqpoll"],
    "text on a huge page": ["--mode", "bdat", "--huge"],
    "8 sessions": ["--mode", "bdat", "--sessions", "8"],
    "1,000 sessions": ["--mode", "bdat", "--sessions", "1000"],
}
NAMES = ("hikyaku-ways-a", "hikyaku-ways-b")
CABLE = (("hkwa", "10.90.0.1"), ("hkwb", "10.90.0.2"))


def ip(*words):
    subprocess.run(["ip", *words], check=True)


@contextlib.contextmanager
def cable():
    """Two namespaces and a virtual cable; the prefixes that run a command in each."""
    def remove():
        for name in NAMES:
            subprocess.run(["ip", "netns", "delete", name], stderr=subprocess.DEVNULL)

    remove()
    try:
        for name in NAMES:
            ip("netns", "add", name)
        ip("link", "add", CABLE[0][0], "netns", NAMES[0], "type", "veth", "peer", "name", CABLE[1][0],
           "netns", NAMES[1])
        for name, (device, address) in zip(NAMES, CABLE):
            ip("-n", name, "address", "add", address + "/24", "dev", device)
            ip("-n", name, "link", "set", device, "up")
        yield [["ip", "netns", "exec", name] for name in NAMES]
    finally:
        remove()


@contextlib.contextmanager
def sink(address, prefix, *options):
    process = subprocess.Popen([*prefix, SINK, "--listen", f"{address}:2525", "--quiet", *options],
                               stdout=subprocess.DEVNULL)
    time.sleep(0.3)
    try:
        yield
    finally:
        process.terminate()
        process.wait()


def send(prefix, address, size, options, messages, port=2525):
    out = subprocess.run([*prefix, BARE_CLIENT, "--to", f"{address}:{port}", "--messages",
                          str(max(2000, messages * 8192 // size)), "--size", str(size), *options],
                         stdout=subprocess.PIPE, text=True, check=True).stdout
    figures = json.loads(out)
    return figures["messages_per_second"], figures["cpu_us_per_message"]


def measure_over(name, address, client, server, a):
    found = []
    for size in SIZES:
        runs = {way: [] for way in WAYS}
        with sink(address, server):
            for _ in range(a.ways_rounds):
                for way, options in WAYS.items():
                    runs[way].append(send(client, address, size, options, a.ways_messages))
        found += [{"over": name, "size": size, "way": way, "runs": values}
                  for way, values in runs.items()]
        best = max(WAYS, key=lambda way: statistics.median(rate for rate, _ in runs[way]))
        say(f"  {name}, {size // 1024} KB: the fastest is: {best}")
    return found


def measure(s, a):
    found = measure_over("loopback", "127.0.0.1", [], [], a)
    with cable() as (client, server):
        found += measure_over("virtual cable", CABLE[1][1], client, server, a)
    s.keep("ways", found)


def section(found):
    """Ratios to the first way, round by round: rate, and CPU for a message (less is better)."""
    rows = []
    for way in WAYS:
        row = [way]
        for over in ("loopback", "virtual cable"):
            for size in SIZES:
                cells = [one for one in found if one["over"] == over and one["size"] == size]
                mine = next(one["runs"] for one in cells if one["way"] == way)
                base = next(one["runs"] for one in cells if one["way"] == BASE)
                if way == BASE:
                    row.append(f"{spread([rate for rate, _ in base])}/s, "
                               f"{statistics.median(cpu for _, cpu in base):.1f} us")
                    continue
                rate = statistics.median(x[0] / y[0] for x, y in zip(mine, base))
                cpu = statistics.median(x[1] / y[1] for x, y in zip(mine, base))
                row.append(f"{rate:.2f}, {cpu:.2f}")
        rows.append(row)
    heads = [f"{over}, {size // 1024} KB" for over in ("loopback", "virtual cable") for size in SIZES]
    return ("## Other ways to send\n\nThe bare client, one thread, 64 sessions unless said otherwise. First "
            "row: messages a second, CPU time of the\nclient a message. Other rows: times the first row's "
            "rate, times its CPU time.\n\n" + table(["way", *heads], rows))
