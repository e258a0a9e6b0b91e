#!/usr/bin/python3
"""Imports of contacts by `hikyaku web`: rows a second and memory, without a web server before it.

usage: bench/importing.py [--rows N] [--program FILE]      one line for each step

Rows have an address of one of 5,000 domains in no order, a name, a number, a date of a Japanese era and
a yes or no, in Shift_JIS. Steps: the upload, the dry run, the import into an empty audience, the same
file again (nothing to change), and undoing. Memory is RssAnon: pages of the data file that are mapped
are the page cache's. A sender is asked which addresses are suppressed, as always. The folder goes away
afterwards.
"""

import argparse
import json
import pathlib
import random
import re
import shutil
import socket
import subprocess
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[1]
CONFIG = """data = "{0}"
control = "{0}/control.sock"
customer "courier.example" {{ sign = false
	address "127.0.0.1" {{ ehlo = "mx.courier.example" }} }}
web {{
	listen = "{0}/web.sock"
	api-keys = "{0}/keys"
	audience = "{0}/audience"
	rate = 0
}}
"""


def ask(path, method, target, key, body=b"", kind="application/json"):
    """One SCGI request; the answer's JSON."""
    fields = {"CONTENT_LENGTH": str(len(body)), "SCGI": "1", "REQUEST_METHOD": method,
              "REQUEST_URI": target, "REMOTE_ADDR": "127.0.0.1", "HTTPS": "on",
              "HTTP_AUTHORIZATION": f"Bearer {key}", "CONTENT_TYPE": kind}
    head = b"".join(name.encode() + b"\0" + value.encode() + b"\0" for name, value in fields.items())
    with socket.socket(socket.AF_UNIX) as s:
        s.connect(str(path))
        s.sendall(str(len(head)).encode() + b":" + head + b"," + body)
        answer = b"".join(iter(lambda: s.recv(1 << 20), b""))
    status, body = int(re.search(rb"Status: (\d+)", answer)[1]), answer.partition(b"\r\n\r\n")[2]
    assert status < 300, answer
    return json.loads(body)


def table(rows):
    chance = random.Random(1)
    lines = ["メールアドレス,氏名,年齢,誕生日,会員"]
    for n in range(rows):
        lines.append(f"user{chance.randrange(10**9):09}.{n}@d{chance.randrange(5000)}.example,森 {n},"
                     f"{chance.randrange(90)},令和{chance.randrange(1, 8)}年{chance.randrange(1, 13)}月3日,"
                     f"{chance.choice('○×')}")
    return "\r\n".join(lines).encode("cp932")


class Bench:
    def __init__(self, folder, program, rows):
        self.folder, self.rows = folder, rows
        config = folder / "hikyaku.conf"
        config.write_text(CONFIG.format(folder))
        said = subprocess.run([program, "api-key", "add", "bench", "--scope", "contacts", "--config", config],
                              check=True, capture_output=True, text=True)
        self.key = said.stdout.strip()
        self.sender = subprocess.Popen([program, "send", "--config", config], stderr=subprocess.DEVNULL)
        self.web = subprocess.Popen([program, "web", "--config", config], stderr=subprocess.DEVNULL)
        while not (folder / "web.sock").exists() or not (folder / "control.sock").exists():
            assert self.web.poll() is None and self.sender.poll() is None
            time.sleep(0.02)

    def ask(self, method, target, body=b"", kind="application/json"):
        return ask(self.folder / "web.sock", method, f"/api/v1/{target}", self.key, body, kind)

    def say(self, step, began):
        seconds = time.monotonic() - began
        status = pathlib.Path(f"/proc/{self.web.pid}/status").read_text()
        memory = int(re.search(r"RssAnon:\s+(\d+)", status)[1]) // 1024
        print(f"{step:10} {seconds:7.2f} s {self.rows / seconds:10,.0f} rows/s  {memory:5} MiB", flush=True)

    def bring(self, data):
        began = time.monotonic()
        made = self.ask("POST", "imports?name=bench.csv", data, "text/csv")
        self.say("upload", began)
        columns = [column["suggestion"] for column in made["columns"]]
        plan = json.dumps({"columns": columns, "update": "filled"}).encode()
        self.ask("POST", f"imports/{made['id']}/plan", plan)
        return made["id"]

    def act(self, number, what, step):
        began = time.monotonic()
        self.ask("POST", f"imports/{number}/{what}")
        while (state := self.ask("GET", f"imports/{number}"))["state"] in ("trying", "running", "undoing"):
            time.sleep(0.02)
        self.say(step, began)
        return state["counts"]


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--program", default=str(ROOT / "build" / "host" / "hikyaku"))
    options = parser.parse_args()
    folder = pathlib.Path(tempfile.mkdtemp(prefix="hikyaku-importing-"))
    data = table(options.rows)
    bench = Bench(folder, options.program, options.rows)
    try:
        first = bench.bring(data)
        assert bench.act(first, "try", "dry run")["added"] == options.rows
        assert bench.act(first, "run", "import")["added"] == options.rows
        second = bench.bring(data)
        assert bench.act(second, "run", "again")["same"] == options.rows
        assert bench.act(first, "undo", "undo")["undone"] == options.rows
    finally:
        for process in (bench.web, bench.sender):
            process.terminate()
            process.wait()
        shutil.rmtree(folder)


if __name__ == "__main__":
    main()
