"""A receiver of webhooks over TLS, as a process of its own.

    python3 hook_receiver.py PORT FOLDER CHAIN KEY

What it takes is a line of FOLDER/posts before it answers: {"status", "path", "headers", "body"}. FOLDER/mode
says how it answers, read anew at each post: a status, and behind it words: "slow" (after 3 s), "long" (1 MB
of body), "to=URL" (Location).
"""

import http.server
import json
import pathlib
import ssl
import sys
import time


class Answer(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self):
        folder = self.server.folder
        words = (folder / "mode").read_text().split()
        status = int(words[0])
        body = self.rfile.read(int(self.headers["Content-Length"]))
        with open(folder / "posts", "a") as posts:
            json.dump({"status": status, "path": self.path, "headers": dict(self.headers),
                       "body": body.decode()}, posts)
            posts.write("\n")
        if "slow" in words:
            time.sleep(3)
        text = b"x" * (1 << 20) if "long" in words else b"thanks"
        self.send_response(status)
        for word in words[1:]:
            if word.startswith("to="):
                self.send_header("Location", word[3:])
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def log_message(self, *_):
        pass


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True
    allow_reuse_address = True


def main():
    port, folder, chain, key = sys.argv[1:]
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(chain, key)
    server = Server(("127.0.0.1", int(port)), Answer)
    server.folder = pathlib.Path(folder)
    server.socket = context.wrap_socket(server.socket, server_side=True,
                                        do_handshake_on_connect=False)
    (server.folder / "ready").write_text("")
    server.serve_forever()


if __name__ == "__main__":
    main()
