"""The control protocol, spoken from outside (src/control/README.md): frames of JSON on a unix socket."""
import json
import socket
import struct

REQUEST, DATA, END, REPLY, ITEM, ERROR = range(1, 7)
PART_TAGS = {"headers": 2, "text": 3, "html": 4}  # of DATA
ROWS_TAG = 5


class Refused(Exception):
    """The sender answered with an ERROR; `code` is its word for programs."""

    def __init__(self, answer):
        super().__init__(answer.get("error", "?"))
        self.code = answer.get("code")


def frame(kind, body):
    return struct.pack(">IB", len(body), kind) + body


def pack_row(address, values):
    packed = b"".join(bytes([len(v)]) + v for v in values)  # each below 128 bytes
    address = address.encode()
    return struct.pack(">H", len(address)) + address + struct.pack(">H", len(packed)) + packed


class Link:
    """One connection. OSError or EOFError when the sender dies in the middle."""

    def __init__(self, path, patience_seconds=60):
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.settimeout(patience_seconds)
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

    def _answer(self):
        """The items and the reply."""
        items = []
        while True:
            kind, answer = self._frame()
            if kind == ITEM:
                items.append(answer)
            elif kind == REPLY:
                return items, answer
            else:
                raise Refused(answer)

    def ask(self, command, **arguments):
        """The items and the reply."""
        self.socket.sendall(frame(REQUEST, json.dumps({"command": command, **arguments}).encode()))
        return self._answer()

    def create(self, name, customer, parts, columns, rows):
        """
        A campaign of `parts` ("headers", "text", "html": bytes) and of `rows`, (address, [value]).
        Refused, OSError or EOFError when there is none, or nobody knows.
        """
        request = {"command": "campaign.create", "name": name, "customer": customer,
                   "columns": columns,
                   "source": {"kind": "parts", "name": name, **{k: len(v) for k, v in parts.items()}}}
        data = [frame(REQUEST, json.dumps(request).encode())]
        data += [frame(DATA, bytes([PART_TAGS[k]]) + v) for k, v in parts.items()]
        data.append(frame(DATA, bytes([ROWS_TAG]) + b"".join(pack_row(*row) for row in rows)))
        data.append(frame(END, b""))
        self.socket.sendall(b"".join(data))
        return self._answer()

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
