"""A real certificate authority that speaks ACME (RFC 8555), on loopback: pebble, from Debian.

    with Pebble(folder, http_port, {"www.shop.test": "127.0.0.1"}) as pebble:
        www = {"acme-directory": pebble.directory, "acme-ca-file": pebble.ca_file}

It refuses nonces at random, as it does by itself, and looks up names at a server of its own.
"""

import json
import os
import pathlib
import socket
import subprocess
import sys

from authority import Authority
from ports import free_port
from sender import end_process, wait_until

sys.path.append(str(pathlib.Path(__file__).resolve().parents[1] / "console"))
from name_server import NameServer  # noqa: E402


class Pebble:
    def __init__(self, folder, http_port, hosts):
        self.folder = pathlib.Path(folder)
        self.folder.mkdir()
        authority = Authority(self.folder, "pebble's own")
        chain, key = authority.issue("localhost")
        self.ca_file = str(authority.certificate)
        self.port = free_port()
        self.directory = f"https://localhost:{self.port}/dir"
        self.names = NameServer()
        for name, address in hosts.items():
            self.names.add(name, "A", address)
        self.config = self.folder / "pebble.json"
        self.config.write_text(json.dumps({"pebble": {
            "listenAddress": f"127.0.0.1:{self.port}", "managementListenAddress": f"127.0.0.1:{free_port()}",
            "certificate": str(chain), "privateKey": str(key), "httpPort": http_port, "tlsPort": free_port(),
            "ocspResponderURL": "", "externalAccountBindingRequired": False}}))
        self.log_path = self.folder / "pebble.log"
        self.process = None

    def __enter__(self):
        with open(self.log_path, "ab") as log:
            self.process = subprocess.Popen(
                ["pebble", "-config", str(self.config), "-dnsserver", f"127.0.0.1:{self.names.port}"],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                env={**os.environ, "PEBBLE_VA_NOSLEEP": "1", "PEBBLE_WFE_NONCEREJECT": "20"})
        wait_until(self.answers, "pebble")
        return self

    def answers(self):
        assert self.process.poll() is None, self.log()
        try:
            with socket.create_connection(("127.0.0.1", self.port), timeout=1):
                return True
        except OSError:
            return False

    def log(self):
        return self.log_path.read_text(errors="replace")

    def __exit__(self, *_):
        end_process(self.process)
        self.names.close()
        print(f"---- {self.log_path}\n{self.log()[-6000:]}")
