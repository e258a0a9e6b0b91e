"""The sender's control socket, spoken by hand: frames of control/frame.h, commands of its README."""

import json
import socket
import struct

REQUEST, DATA, END, REPLY, ITEM, ERROR = range(1, 7)
WHOLE, HEADERS, TEXT, HTML, ROWS, RECIPIENTS = range(1, 7)
NEVER, SUCCESS, FAILURE, DELAY = 1, 2, 4, 8


class ControlError(Exception):
    def __init__(self, answer):
        super().__init__(f"{answer['code']}: {answer['error']}")
        self.code = answer["code"]


class Link:
    def __init__(self, path):
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.settimeout(60)
        self.socket.connect(path)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()

    def put(self, kind, payload=b""):
        self.socket.sendall(struct.pack(">IB", len(payload), kind) + payload)

    def take(self, count):
        data = b""
        while len(data) < count:
            more = self.socket.recv(count - len(data))
            if not more:
                raise ConnectionError("the sender closed the connection")
            data += more
        return data

    def answer(self):
        while True:
            size, kind = struct.unpack(">IB", self.take(5))
            payload = json.loads(self.take(size))
            if kind == ERROR:
                raise ControlError(payload)
            if kind == REPLY:
                return payload

    def ask(self, command, **arguments):
        self.put(REQUEST, json.dumps({"command": command, **arguments}).encode())
        return self.answer()

    def letter(self, key, customer, whole, recipients, wait=True, **more):
        """`recipients`: addresses, or (address, notify, orcpt)."""
        self.put(REQUEST, json.dumps({
            "command": "letter.send", "key": key, "customer": customer, "literal": True,
            "source": {"kind": "whole", "whole": len(whole)}, **more}).encode())
        for at in range(0, len(whole), 500000):
            self.put(DATA, bytes([WHOLE]) + whole[at:at + 500000])
        self.put(DATA, bytes([RECIPIENTS]) + b"".join(recipient(r) for r in recipients))
        self.put(END)
        return self.answer() if wait else None


def recipient(what):
    address, notify, orcpt = (what, 0, "") if isinstance(what, str) else what
    counted = [struct.pack(">H", len(b)) + b for b in (address.encode(), orcpt.encode(), b"")]
    return bytes([notify]) + b"".join(counted)
