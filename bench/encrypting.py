"""The whole sender over STARTTLS, the kernel encrypting or not: what a message costs it.

In a guest (in_guest.py), or on any machine whose kernel has TLS: bench/encrypting.py. Unsigned, so that the
ratio is of sending and not of signatures.
"""
import argparse
import os
import shutil
import statistics
import sys
import tempfile
import time
import urllib.request

import harness
from report_text import table

SIZES = (8192, 102400)
CHOICES = ("never", "always")  # as tls-kernel has it
SITE = 'sessions = 16 messages-per-session = {per_session} tls = "required" tls-kernel = "{choice}"'
DOMAIN = "bench.example"
HEADER = f"From: News <news@{DOMAIN}>\nSubject: The week's news\n\n"
LINE = "What the tea fields and the old roads look like this week, and where to go on Sunday.\n"


def cpu_ns(pid):
    """Of all its threads, by the scheduler's clock (clock_getcpuclockid): ticks are too coarse."""
    return time.clock_gettime_ns(~pid << 3 | 2)


def campaign(sender, directory, name, size, count):
    paths = {part: os.path.join(directory, f"{name}.{part}") for part in ("headers", "text", "recipients")}
    with open(paths["headers"], "w") as out:
        out.write(HEADER)
    with open(paths["text"], "w") as out:
        out.write(LINE * (size // len(LINE)))
    with open(paths["recipients"], "w") as out:
        out.write("email\n" + "".join(f"{name}-{i}@shop.example\n" for i in range(count)))
    words = [word for part, path in paths.items() for word in (f"--{part}", path)]
    sender.command("campaign", "create", "--name", name, "--customer", DOMAIN, "--start", *words)
    return sender.wait_for(name, pause=1.0)


def kernel_messages():
    with urllib.request.urlopen("http://127.0.0.1:9641/metrics") as page:
        return sum(float(line.split()[-1]) for line in page.read().decode().splitlines()
                   if line.startswith('hikyaku_tls_messages_total{by="kernel"}'))


def measure_one(choice, size, count, per_session):
    """CPU time of a message, us; the sessions are open before the clock starts."""
    directory = tempfile.mkdtemp(prefix="hk-enc-")
    sink = harness.Sink(directory, 2526, "--starttls", "--no-hash")
    try:
        site = SITE.format(choice=choice, per_session=per_session)
        config = harness.write_config(directory, 2526, DOMAIN, site, workers=1, sign=False)
        os.mkdir(os.path.join(directory, "data"))
        sender = harness.Sender(directory, config)
        campaign(sender, directory, "first", size, 64)
        before = cpu_ns(sender.pid)
        done = campaign(sender, directory, "second", size, count)
        spent = cpu_ns(sender.pid) - before
        by_kernel = kernel_messages()
        sender.end()
        if done["delivered"] != count or by_kernel != (count + 64 if choice == "always" else 0):
            sys.exit(f"tls-kernel = {choice}: {done['delivered']} of {count} delivered, "
                     f"{by_kernel:.0f} messages encrypted by the kernel")
    finally:
        sink.end()
        shutil.rmtree(directory)
    return spent / count / 1000


def measure(rounds, messages, sizes=SIZES, per_session=100000):
    """Rounds of (choice, size) by turns; `messages` of 8 KB, fewer of larger ones."""
    found = {size: {choice: [] for choice in CHOICES} for size in sizes}
    for _ in range(rounds):
        for size in sizes:
            for choice in CHOICES:
                count = max(100, messages * SIZES[0] // size)
                found[size][choice].append(measure_one(choice, size, count, per_session))
    return [{"size": size, **runs} for size, runs in found.items()]


def rows(found, scale=1, unit="us"):
    out = []
    for one in found:
        never, always = (one[choice] for choice in CHOICES)
        ratios = [b / a for a, b in zip(never, always)]
        out.append([f"{one['size'] // 1024} KB", f"{statistics.median(never) * scale:,.0f} {unit}",
                    f"{statistics.median(always) * scale:,.0f} {unit}",
                    f"{statistics.median(ratios):.2f} ({min(ratios):.2f}-{max(ratios):.2f})"])
    return table(["size", "the process encrypts", "the kernel does", "kernel / process"], out)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--messages", type=int, default=2000, help="of 8 KB")
    parser.add_argument("--sizes", type=int, nargs="+", default=SIZES)
    parser.add_argument("--per-session", type=int, default=100000, help="messages")
    a = parser.parse_args()
    print(rows(measure(a.rounds, a.messages, a.sizes, a.per_session)))


if __name__ == "__main__":
    main()
