"""`hikyaku web` behind `hikyaku www`, which keeps a real lighttpd, on loopback; and what calls them.

    with WebHost(sender) as web:
        key = web.key("shop", "--scope", "send,read")
        answer = web.call("POST", "/api/v1/messages", key, {...})
        assert answer.status == 202, answer.json
"""

import json
import pathlib
import socket
import ssl
import subprocess
import urllib.error
import urllib.request

from ports import free_port
from sender import end_process, wait_until

LIGHTTPD = "/usr/sbin/lighttpd"


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
    """
    `settings` are options of the configuration's section web, `www` those of its section www; an option that
    is None is left out.
    """

    def __init__(self, sender, www=None, **settings):
        self.sender = sender
        self.directory = sender.directory / "web"
        self.directory.mkdir(exist_ok=True)
        self.socket = f"{sender.short}/web.sock"
        self.port, self.plain_port = free_port(), free_port()
        self.url = f"https://127.0.0.1:{self.port}"
        self.certificate = str(self.directory / "own.crt")
        self.context = None
        self.log_path = self.directory / "web.log"
        self.front_log_path = self.directory / "www.log"
        self.before = sender.extra
        self.sections = {
            "web": {"listen": self.socket, "api-keys": str(self.directory / "keys"),
                    "audience": str(self.directory / "audience"),
                    "invitations": str(self.directory / "invitations"),
                    "check-identity": False, **settings},
            "www": {"listen": [f"127.0.0.1:{self.plain_port}"], "listen-tls": [f"127.0.0.1:{self.port}"],
                    "site": str(self.directory / "site"), "folder": str(self.directory / "data"),
                    "run": f"{sender.short}/www", "server": LIGHTTPD,
                    "certificate": str(self.directory / "own.pem"), **(www or {})}}
        self.write_config()
        self.web = None
        self.front = None

    def write_config(self):
        def value(one):
            return "{" + ", ".join(map(json.dumps, one)) + "}" if isinstance(one, list) else json.dumps(one)

        text = ""
        for name, options in self.sections.items():
            lines = [f"\t{key} = {value(one)}" for key, one in options.items() if one is not None]
            text += f"{name} {{\n" + "\n".join(lines) + "\n}\n"
        self.sender.extra = self.before + text
        self.sender.write_config()

    def start(self):
        self.start_web()
        self.make_certificate()
        self.start_front()
        return self

    def make_certificate(self, name="127.0.0.1"):
        """A certificate of the operator's own, its key before it in one file."""
        pem = self.directory / "own.pem"
        made = subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
                               "ec_paramgen_curve:P-256", "-nodes",
                               "-subj", f"/CN={name}", "-addext", "subjectAltName=IP:127.0.0.1",
                               "-keyout", "-"], check=True, capture_output=True, stdin=subprocess.DEVNULL)
        text = made.stdout.decode()
        pathlib.Path(self.certificate).write_text(text[text.index("-----BEGIN CERTIFICATE"):])
        new = pem.with_suffix(".new")
        new.write_text(text)
        new.rename(pem)
        self.context = ssl.create_default_context(cafile=self.certificate)

    def start_front(self, host="127.0.0.1"):
        with open(self.front_log_path, "ab") as log:
            self.front = subprocess.Popen([self.sender.program, "www", "--host", host, "--config",
                                           str(self.sender.config)],
                                          stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        wait_until(self.answers, "the web server")

    def start_web(self):
        with open(self.log_path, "ab") as log:
            self.web = subprocess.Popen(
                [self.sender.program, "web", "--config", str(self.sender.config)],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        wait_until(lambda: pathlib.Path(self.socket).exists() or self.web.poll() is not None, "hikyaku web")
        assert self.web.poll() is None, self.log()

    def answers(self):
        assert self.front.poll() is None, self.front_log()
        try:
            with socket.create_connection(("127.0.0.1", self.port), timeout=1):
                return True
        except OSError:
            return False

    def front_log(self):
        return self.front_log_path.read_text(errors="replace")

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
        for process in (self.front, self.web):
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
        for path in (self.log_path, self.front_log_path):
            if path.exists():
                print(f"---- {path}\n{path.read_text(errors='replace')[-8000:]}")
