"""The interface for programs: `hikyaku web` behind a real lighttpd on loopback, and what calls it.

    with WebHost(sender) as web:
        key = web.key("shop", "--scope", "send,read")
        answer = web.call("POST", "/api/v1/messages", key, {...})
        assert answer.status == 202, answer.json
"""

import json
import pathlib
import re
import socket
import ssl
import subprocess
import urllib.error
import urllib.request

from sender import ROOT, end_process, free_port, wait_until

LIGHTTPD = "/usr/sbin/lighttpd"
CONFIG = ROOT / "rootfs" / "tree" / "etc" / "lighttpd.conf"  # the appliance's own


def has_h2_module():
    said = subprocess.run([LIGHTTPD, "-v"], capture_output=True, text=True, check=True).stdout
    return tuple(map(int, re.match(r"lighttpd/1\.(\d+)\.(\d+)", said).groups())) >= (4, 72)


class Answer:
    def __init__(self, status, headers, body):
        self.status = status
        self.headers = headers
        self.body = body

    @property
    def json(self):
        return json.loads(self.body)

    def __repr__(self):
        return f"{self.status} {self.body[:500]!r}"


class WebHost:
    """`settings` are options of the configuration's section web."""

    def __init__(self, sender, **settings):
        self.sender = sender
        self.directory = sender.directory / "web"
        self.directory.mkdir(exist_ok=True)
        self.socket = f"{sender.short}/web.sock"
        self.port, self.plain_port = free_port(), free_port()
        self.url = f"https://127.0.0.1:{self.port}"
        self.certificate = str(self.directory / "server.pem.crt")
        self.context = None
        self.log_path = self.directory / "web.log"
        options = {"listen": self.socket, "api-keys": str(self.directory / "keys"),
                   "audience": str(self.directory / "audience"), **settings}
        lines = [f"\t{name} = {json.dumps(value)}" for name, value in options.items()]
        sender.extra += "web {\n" + "\n".join(lines) + "\n}\n"
        sender.write_config()
        self.web = None
        self.lighttpd = None

    def config_text(self):
        """The appliance's configuration with the folders and ports of a test."""
        text = CONFIG.read_text()
        for old, new in (("/run/hikyaku/web.sock", self.socket), ("/data/www", str(self.directory)),
                         ("/run/www", str(self.directory)), ("/usr/share/www", str(self.directory)),
                         ('"[::]:443"', f'"127.0.0.1:{self.port}"'), ('"[::]"', '"127.0.0.1"'),
                         ("server.port = 80", f"server.port = {self.plain_port}"),
                         ('server.v4mapped = "enable"', ""),
                         # Before 1.4.72 HTTP/2 is a part of the server itself.
                         *([] if has_h2_module() else [(' "mod_h2",', "")])):
            assert old in text, old
            text = text.replace(old, new)
        return text

    def start(self):
        self.start_web()
        pem = self.directory / "server.pem"
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256",
                        "-nodes", "-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1",
                        "-keyout", pem, "-out", self.certificate],
                       check=True, capture_output=True, stdin=subprocess.DEVNULL)
        pem.write_text(pem.read_text() + pathlib.Path(self.certificate).read_text())
        self.context = ssl.create_default_context(cafile=self.certificate)
        config = self.directory / "lighttpd.conf"
        config.write_text(self.config_text())
        with open(self.directory / "lighttpd.log", "ab") as log:
            self.lighttpd = subprocess.Popen([LIGHTTPD, "-D", "-f", str(config)],
                                             stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        wait_until(self.answers, "the web server")
        return self

    def start_web(self):
        with open(self.log_path, "ab") as log:
            self.web = subprocess.Popen(
                [self.sender.program, "web", "--config", str(self.sender.config)],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        wait_until(lambda: pathlib.Path(self.socket).exists() or self.web.poll() is not None, "hikyaku web")
        assert self.web.poll() is None, self.log()

    def answers(self):
        assert self.lighttpd.poll() is None, (self.directory / "lighttpd.log").read_text()
        try:
            with socket.create_connection(("127.0.0.1", self.port), timeout=1):
                return True
        except OSError:
            return False

    def log(self):
        return self.log_path.read_text(errors="replace")

    def key(self, name, *options):
        return self.sender.run("api-key", "add", name, *options).stdout.strip()

    def call(self, method, path, key=None, body=None, headers=None, raw=None):
        """One request; `body` is sent as JSON, `raw` as it is."""
        data = raw if raw is not None else None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self.url + path, data=data, method=method)
        if data is not None:
            request.add_header("Content-Type", "application/json")
        if key:
            request.add_header("Authorization", f"Bearer {key}")
        for name, value in (headers or {}).items():
            request.remove_header(name.capitalize())
            request.add_header(name, value)
        try:
            with urllib.request.urlopen(request, timeout=60, context=self.context) as answer:
                return Answer(answer.status, answer.headers, answer.read())
        except urllib.error.HTTPError as error:
            with error:
                return Answer(error.code, error.headers, error.read())

    def close(self):
        for process in (self.lighttpd, self.web):
            if process:
                end_process(process)

    def __enter__(self):
        try:
            return self.start()
        except BaseException:
            self.close()
            raise

    def __exit__(self, *_):
        self.close()
        print(f"---- {self.log_path}\n{self.log()[-8000:]}")
