"""The control protocol, spoken from outside (src/control/README.md): frames of JSON on a unix socket."""
import json
import socket
import struct

REQUEST, REPLY, ITEM, ERROR = 1, 4, 5, 6


class Refused(Exception):
    """The sender answered with an ERROR; `code` is its word for programs."""

    def __init__(self, answer):
        super().__init__(answer.get("error", "?"))
        self.code = answer.get("code")


class Link:
    """One connection. OSError or EOFError when the sender dies in the middle."""

    def __init__(self, path):
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.settimeout(60)
        try:
            self.socket.connect(path)
        except OSError:
            self.socket.close()
            raise
        self.file = self.socket.makefile("rb")

    def close(self):
        self.file.close()
        self.socket.close()

    def _frame(self):
        head = self.file.read(5)
        if len(head) < 5:
            raise EOFError("the sender closed the connection")
        size, kind = struct.unpack(">IB", head)
        body = self.file.read(size)
        if len(body) < size:
            raise EOFError("the sender closed the connection")
        return kind, json.loads(body)

    def ask(self, command, **arguments):
        """The items and the reply."""
        body = json.dumps({"command": command, **arguments}).encode()
        self.socket.sendall(struct.pack(">IB", len(body), REQUEST) + body)
        items = []
        while True:
            kind, answer = self._frame()
            if kind == ITEM:
                items.append(answer)
            elif kind == REPLY:
                return items, answer
            else:
                raise Refused(answer)

    def report(self, campaign, outcomes=None):
        """All pages of campaign.report."""
        arguments = {"name": campaign, "limit": 5000}
        if outcomes:
            arguments["outcomes"] = outcomes
        rows = []
        while True:
            items, page = self.ask("campaign.report", **arguments)
            rows += items
            if not page.get("more"):
                return rows
            arguments["after"] = page["next"]
