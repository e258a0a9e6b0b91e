#!/usr/bin/python3
"""The part of the bench that needs a kernel of our own (kernel-config, profile `test`): kernel TLS, and a
ring that looks into the card's queue by itself (NAPI busy polling).

Where KVM works: rates and CPU time. Where the guest is emulated, time means nothing; then QEMU counts
instructions (-icount, one a nanosecond), which no neighbour disturbs, and the guest's CPU time *is* that
count, its kernel's work included. An instruction is not a cycle: what is copied by `rep movs` counts one for
eight bytes, and a step of AES one.
"""
import argparse
import json
import os
import statistics
import subprocess
import sys

import encrypting
from harness import PROGRAM, SINK, TOP
from report_text import table
from session import say
from ways import BARE_CLIENT, send, sink

sys.path.insert(0, os.path.join(TOP, "kernel-config"))
import guest  # noqa: E402

KERNEL = os.path.join(TOP, "build/kernel/test")
WORK = os.path.join(TOP, "build/bench/guest")
PORT = 2525
SIZES = (8192, 102400)
SESSIONS = ["--sessions", "16"]
PLAIN, MEMORY, IN_KERNEL = "in the clear", "TLS 1.3 by OpenSSL, memory BIO", "TLS 1.3 by the kernel"
WAYS = {PLAIN: [], MEMORY: ["--tls", "memory"], IN_KERNEL: ["--tls", "kernel"]}
SLEEPS = "the ring sleeps until the card calls"
CARD_WAYS = {SLEEPS: [], "it looks into the queue for 50 us first": ["--napi", "50"]}
HOST = "10.0.2.2"  # as QEMU's user-mode network calls it


def inside(a):
    """In the guest; the figures are the last line."""
    found = []
    for size in SIZES:
        runs = {way: [] for way in WAYS}
        with sink("127.0.0.1", [], "--starttls"):
            for _ in range(a.rounds):
                for way, options in WAYS.items():
                    runs[way].append(send([], "127.0.0.1", size, [*SESSIONS, *options], a.messages))
        found += [{"over": "loopback", "size": size, "way": way, "runs": values}
                  for way, values in runs.items()]
    subprocess.run([guest.BUSYBOX, "ifconfig", "eth0", "10.0.2.15"], check=True)
    runs = {way: [] for way in CARD_WAYS}
    for _ in range(a.rounds):
        for way, options in CARD_WAYS.items():
            runs[way].append(send([], HOST, SIZES[0], [*SESSIONS, *options], a.messages, a.port))
    found += [{"over": "virtio-net", "size": SIZES[0], "way": way, "runs": values}
              for way, values in runs.items()]
    whole = encrypting.measure(a.rounds, a.messages // 4)
    print(json.dumps({"kvm": guest.is_kvm(), "kernel": os.uname().release, "found": found, "whole": whole}),
          flush=True)


def run(rounds, messages):
    """The figures, or SystemExit."""
    kvm = guest.accelerator() == "kvm"
    listener = subprocess.Popen([SINK, "--listen", f"127.0.0.1:{PORT}", "--quiet"],
                                stdout=subprocess.DEVNULL)
    # One processor: instructions are counted in one thread. Copies by eight bytes, not by one.
    counting = [] if kvm else ["-icount", "shift=0,sleep=off"]
    cpu = "max" if kvm else "max,-erms,-fsrm"
    try:
        code, out = guest.run(
            KERNEL, [PROGRAM, SINK, BARE_CLIENT, "/usr/bin/env"],
            [os.path.join(TOP, "bench"), os.path.join(TOP, "kernel-config/guest.py"),
             "/etc/ssl/openssl.cnf", "/etc/nsswitch.conf"],
            ["/usr/bin/python3", os.path.join(TOP, "bench/in_guest.py"), "--inside", "--rounds", rounds,
             "--messages", messages, "--port", PORT],
            cpus=2 if kvm else 1, cpu=cpu, clock="", directory=WORK,
            arguments=[*counting, "-netdev", "user,id=net", "-device", "virtio-net-pci,netdev=net"])
    finally:
        listener.terminate()
        listener.wait()
    if code != 0:
        sys.exit(out.decode(errors="replace")[-2000:] + "\n" + guest.explain(WORK))
    return json.loads(out.decode().splitlines()[-1])


def section(data):
    rows = []
    for one in data["found"]:
        base = next(o for o in data["found"] if (o["over"], o["size"]) == (one["over"], one["size"]))
        rate = statistics.median(x[0] / y[0] for x, y in zip(one["runs"], base["runs"]))
        cpu = statistics.median(x[1] for x in one["runs"])
        ratio = statistics.median(x[1] / y[1] for x, y in zip(one["runs"], base["runs"]))
        if data["kvm"]:
            rows.append([one["over"], f"{one['size'] // 1024} KB", one["way"], f"{cpu:.1f} us",
                         f"{ratio:.2f}", f"{rate:.2f}"])
        elif one["over"] == "loopback":
            rows.append([one["over"], f"{one['size'] // 1024} KB", one["way"], f"{cpu * 1000:,.0f}",
                         f"{ratio:.2f}"])
    words = "under KVM: CPU time of the client a message; its ratio and that of the rate to the first way"
    if not data["kvm"]:
        words = ("emulated, so times mean nothing and are not shown: instructions of the client a message,\n"
                 "those of its kernel included, and their ratio to the first way. Busy polling went through, "
                 "and has\nno figure here")
    heads = ["over", "size", "way", "CPU" if data["kvm"] else "instructions", "ratio"] + \
        (["rate"] if data["kvm"] else [])
    what, units = ("CPU time", ()) if data["kvm"] else ("instructions", (1000, "instructions"))
    return (f"## In a guest\n\nThe bare client, one thread, 16 sessions, Linux {data['kernel']} of "
            f"`kernel-config/`, {words}.\n\n" + table(heads, rows) +
            "\nThe whole sender over STARTTLS, unsigned, one worker, 16 sessions, `tls-kernel` never and "
            f"always, by turns:\n{what} of its process for a message, and the ratio, smallest and largest "
            "beside it.\n\n" +
            encrypting.rows(data["whole"], *units))


def measure(s, a):
    if not os.path.exists(KERNEL):
        say("  left out: there is no kernel for it (make kernel-test)")
        return
    s.keep("guest", run(a.ways_rounds, a.guest_messages))


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--messages", type=int, default=4000, help="of 8 KB, of one way")
    parser.add_argument("--port", type=int, default=PORT)
    parser.add_argument("--inside", action="store_true", help=argparse.SUPPRESS)
    a = parser.parse_args()
    if a.inside:
        inside(a)
    else:
        print(section(run(a.rounds, a.messages)))


if __name__ == "__main__":
    main()
