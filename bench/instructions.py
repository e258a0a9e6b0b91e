#!/usr/bin/python3
"""make bench-instructions: instructions a message, by callgrind: a figure that no neighbour disturbs.

valgrind (3.19) holds its one lock while a thread waits in io_uring_enter, so the sender itself, which has
several threads, stands still under it. What runs is bench/path.c: the product's own queue, composing,
signing and SMTP client in one thread, against a peer of fixed bytes; two sizes, and the difference counts.
"""
import os
import re
import shutil
import subprocess
import sys
import tempfile

from harness import TOP
from session import say

PATH = os.path.join(TOP, "build/bench/path")
FEW, MANY = 2048, 4096
COMPOSING = "composing 8 KB with three fields"
PARTS = {
    "queue: put, take, lease, delete, log": ["store"],
    COMPOSING: ["compose"],
    "SMTP client, BDAT": ["client"],
    "all three: an unsigned message": ["store", "compose", "client"],
}
SIGNED = "an RSA-2048 signature by OpenSSL without AVX-512 (valgrind has none), with the hashes"


def count(parts, messages, key=None):
    directory = tempfile.mkdtemp(prefix="path.", dir="/dev/shm" if os.path.isdir("/dev/shm") else None)
    try:
        if key:
            shutil.copy(key, os.path.join(directory, "key.pem"))
        out = subprocess.run(
            ["valgrind", "--tool=callgrind", f"--callgrind-out-file={directory}/out", PATH, directory,
             str(messages), *parts], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    finally:
        shutil.rmtree(directory)
    found = re.search(r"I +refs: +([0-9,]+)", out.stdout)
    if out.returncode != 0 or not found:
        sys.exit(f"instructions: {out.stdout}")
    return int(found[1].replace(",", ""))


def per_message(parts, few=FEW, many=MANY, key=None):
    return (count(parts, many, key) - count(parts, few, key)) / (many - few)


def figures():
    found = {name: per_message(parts) for name, parts in PARTS.items()}
    # The same key in both: making one takes as long as chance will have it.
    with tempfile.TemporaryDirectory() as directory:
        key = os.path.join(directory, "key.pem")
        subprocess.run(["openssl", "genrsa", "-out", key, "2048"], check=True, stderr=subprocess.DEVNULL)
        found[SIGNED] = per_message(["compose", "sign"], 64, 128, key) - found[COMPOSING]
    return found


def measure(session, _arguments):
    if not shutil.which("valgrind"):
        say("  valgrind is not here: no instructions")
        return
    session.keep("instructions", {"per_message": figures(), "about": (
        "Counted by callgrind in bench/path.c, which is the sender's own code without kernel, threads and "
        "timers\n(valgrind 3.19 stands still in io_uring). They do not depend on the machine's mood: "
        "`make bench-instructions`.")})


if __name__ == "__main__":
    for name, value in figures().items():
        print(f"{value:>12,.0f}  {name}")
