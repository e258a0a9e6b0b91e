#!/usr/bin/python3
"""How many opens and clicks a second `hikyaku web` answers, and keeps: directly and behind lighttpd.

usage: bench/tracking.py [--contacts N] [--requests N] [--clients N]

Half are pictures, half are links of a campaign, each reader's own; whoever asks is a browser. Three ways, one
after the other: by SCGI as a web server does it (a connection each: bench/scgi_load.c), by HTTP/1.1 and by
HTTP/2 over TLS through the appliance's web server (h2load, of nghttp2-client), and HTTP/1.1 once more while
200 clients send a byte a second. Then what was kept is counted: every answer's event must be there, or be
counted as dropped. The load generator runs on the same cores.
"""

import argparse
import os
import pathlib
import re
import shutil
import socket
import ssl
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request

ROOT = pathlib.Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "tests" / "integration"))

from ports import free_port  # noqa: E402
from sender import Sender  # noqa: E402
from web_host import WebHost  # noqa: E402

READER_MANY = ROOT / "build/host/tests/web/reader_many"
SCGI_LOAD = ROOT / "build/bench/scgi_load"
AGENT = "user-agent: Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0"
SLOW_CLIENTS = 200


def memory_kib(pid):
    text = pathlib.Path(f"/proc/{pid}/status").read_text()
    return int(re.search(r"VmRSS:\s+(\d+)", text)[1])


def cpu_s(pid):
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def counted(port, name):
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=10) as page:
        found = re.search(rf"^{name}_total (\d+)", page.read().decode(), re.M)
    return int(found[1])


class Slow:
    """Clients that send a request's head byte by byte, encrypted as the others' are."""

    def __init__(self, port):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        self.links = [context.wrap_socket(socket.create_connection(("127.0.0.1", port)))
                      for _ in range(SLOW_CLIENTS)]
        self.lost = set()
        self.stops = threading.Event()
        self.thread = threading.Thread(target=self.run)
        self.thread.start()

    def run(self):
        for byte in b"GET /t/o/" + b"x" * 10000:
            for link in self.links:
                try:
                    link.send(bytes([byte]))
                except OSError:
                    self.lost.add(link)
            if self.stops.wait(1):
                return

    def close(self):
        self.stops.set()
        self.thread.join()
        for link in self.links:
            link.close()


def h2load(web, uris, requests, clients, *options):
    out = subprocess.run(["h2load", "-n", str(requests), "-c", str(clients), "-t", "1", "-H", AGENT, *options,
                          "--log-file", str(uris) + ".log", "-i", str(uris)], capture_output=True, text=True,
                         check=True).stdout
    rate = float(re.search(r"([\d.]+) req/s", out)[1])
    bad = requests - int(re.search(r"(\d+) succeeded", out)[1])
    with open(str(uris) + ".log", encoding="ascii") as log:
        times = sorted(int(line.split("\t")[2]) for line in log)
    os.unlink(str(uris) + ".log")
    return rate, bad, times[len(times) // 2] / 1e3, times[len(times) * 99 // 100] / 1e3, times[-1] / 1e3


def scgi(web, paths, requests, clients):
    out = subprocess.run([SCGI_LOAD, web.socket, paths, str(requests), str(clients)], capture_output=True,
                         text=True, check=True).stdout
    return tuple(float(word) for word in out.split())


def measure(folder, options):
    sender = Sender(folder / "sender")
    sender.top["log"] = "info"
    metrics = free_port()
    web = WebHost(sender, metrics=f"127.0.0.1:{metrics}")
    made = subprocess.run([READER_MANY, "make", web.directory / "audience", str(options.contacts)],
                          capture_output=True, text=True, check=True).stdout
    paths = []
    for i, line in enumerate(made.splitlines()):
        token = line.split()[0]
        paths += [f"/t/o/{token}", f"/t/c/{token}/{1 + i % 12}"]
    (folder / "paths").write_text("\n".join(paths) + "\n")
    uris = folder / "uris"
    uris.write_text("".join(f"{web.url}{path}\n" for path in paths))
    n, c = options.requests, options.clients
    print(f"load before: {os.getloadavg()[0]:.1f}; {os.cpu_count()} cores; {options.contacts} contacts; "
          f"{n} requests, {c} clients at once")
    print(f"{'way':24} {'req/s':>8} {'bad':>5} {'p50 ms':>8} {'p99 ms':>8} {'max ms':>8} {'web CPU us':>11}")
    with sender, web:
        pid = web.web.pid
        before = memory_kib(pid)

        def show(name, run):
            used = cpu_s(pid)
            rate, bad, *times = run()
            print(f"{name:24} {rate:8.0f} {bad:5.0f} {times[0]:8.2f} {times[1]:8.2f} {times[2]:8.2f} "
                  f"{(cpu_s(pid) - used) / n * 1e6:11.1f}", flush=True)

        show("SCGI, directly", lambda: scgi(web, folder / "paths", n, c))
        show("lighttpd, HTTP/1.1", lambda: h2load(web, uris, n, c, "--h1"))
        show("lighttpd, HTTP/2", lambda: h2load(web, uris, n, c, "-m", "8"))
        slow = Slow(web.port)
        show(f"... and {SLOW_CLIENTS} slow", lambda: h2load(web, uris, n, c, "--h1"))
        slow.close()
        if slow.lost:
            print(f"{len(slow.lost)} of the slow clients were turned away")
        time.sleep(1)
        kept = counted(metrics, "hikyaku_web_reactions")
        dropped = counted(metrics, "hikyaku_web_reactions_dropped")
        print(f"events: {kept} kept, {dropped} dropped, of {4 * n}; memory of web: {before} KiB before, "
              f"{memory_kib(pid)} KiB after")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--contacts", type=int, default=50000)
    parser.add_argument("--requests", type=int, default=100000)
    parser.add_argument("--clients", type=int, default=64)
    options = parser.parse_args()
    if not shutil.which("h2load"):
        sys.exit("h2load is missing: apt-get install nghttp2-client")
    targets = [str(one.relative_to(ROOT)) for one in (READER_MANY, SCGI_LOAD)] + ["build/host/hikyaku"]
    subprocess.run(["make", "-s", "-C", ROOT, *targets], check=True)
    folder = pathlib.Path(tempfile.mkdtemp(prefix="hk-tracking-"))
    try:
        measure(folder, options)
    finally:
        shutil.rmtree(folder)


if __name__ == "__main__":
    main()
