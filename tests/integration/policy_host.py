"""A host of MTA-STS policies: HTTPS at one address, with an answer for each name that is asked for.

    python3 policy_host.py ADDRESS:PORT FOLDER

FOLDER/NAME.pem and NAME.key are the certificate for NAME (any other name gets that of `default`);
FOLDER/NAME.json says what it answers: {"status", "type", "body", "location", "wait"}. Read anew at each
request; each is a line of FOLDER/asked. What is posted becomes FOLDER/NAME.posted-1, -2 and so on, its head
a line of FOLDER/posts.
"""

import http.server
import json
import pathlib
import ssl
import sys
import threading
import time


class Answer(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        folder = self.server.folder
        name = self.headers.get("Host", "").partition(":")[0]
        with open(folder / "asked", "a") as asked:
            asked.write(f"{name} {self.path}\n")
        said = json.loads((folder / f"{name}.json").read_text())
        time.sleep(said.get("wait", 0))
        body = said.get("body", "").encode()
        self.send_response(said.get("status", 200))
        self.send_header("Content-Type", said.get("type", "text/plain"))
        self.send_header("Content-Length", str(len(body)))
        if "location" in said:
            self.send_header("Location", said["location"])
        self.end_headers()
        self.wfile.write(body)

    def do_POST(self):
        folder = self.server.folder
        name = self.headers.get("Host", "").partition(":")[0]
        body = self.rfile.read(int(self.headers["Content-Length"]))
        said = folder / f"{name}.json"
        status = json.loads(said.read_text()).get("status", 200) if said.exists() else 200
        with self.server.posting, open(folder / "posts", "a") as posts:
            if status < 300:
                number = len(list(folder.glob(f"{name}.posted-*"))) + 1
                part = folder / f"{name}.part"
                part.write_bytes(body)
                part.rename(folder / f"{name}.posted-{number}")
            posts.write(f"{name} {self.path} {self.headers['Content-Type']} {status}\n")
        self.send_response(status)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_):
        pass


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, at, folder):
        self.folder = folder
        self.posting = threading.Lock()
        super().__init__(at, Answer)

    def context_of(self, name):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.folder / f"{name}.pem", self.folder / f"{name}.key")
        return context

    def choose(self, connection, name, _):
        if name and (self.folder / f"{name}.pem").exists():
            connection.context = self.context_of(name)

    def finish_request(self, request, client_address):
        context = self.context_of("default")
        context.sni_callback = self.choose
        try:
            with context.wrap_socket(request, server_side=True) as secured:
                super().finish_request(secured, client_address)
        except OSError:
            pass  # the client went away, or refused the certificate


def main():
    host, _, port = sys.argv[1].rpartition(":")
    server = Server((host, int(port)), pathlib.Path(sys.argv[2]))
    threading.Thread(target=server.serve_forever).start()
    print(f"listening {server.server_address[1]}", flush=True)


if __name__ == "__main__":
    main()
