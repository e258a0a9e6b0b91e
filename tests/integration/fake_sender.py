"""A small sender for tests of the command line client: speaks the control protocol, keeps no queue.

What it answers is scripted by the test; what it was asked is kept in `requests` and `imports`.
"""

import json
import os
import socket
import struct
import threading

REQUEST, DATA, END, REPLY, ITEM, ERROR = range(1, 7)
PAYLOAD_MAX = 1 << 20


def frame(kind, payload):
    if not isinstance(payload, bytes):
        payload = json.dumps(payload).encode()
    return struct.pack(">IB", len(payload), kind) + payload


def unpack_rows(batch):
    rows, at = [], 0
    while at < len(batch):
        fields = []
        for _ in range(2):
            (size,) = struct.unpack_from(">H", batch, at)
            fields.append(batch[at + 2 : at + 2 + size])
            assert len(fields[-1]) == size
            at += 2 + size
        rows.append((fields[0].decode(), unpack_values(fields[1])))
    return rows


def unpack_values(packed):
    values, at = [], 0
    while at < len(packed):
        size = shift = 0
        while True:
            byte = packed[at]
            at += 1
            size |= (byte & 127) << shift
            shift += 7
            if byte < 128:
                break
        values.append(packed[at : at + size].decode())
        at += size
    return values


class FakeSender:
    """`answers` maps a command to frames (bytes), or to a function of the request giving them."""

    def __init__(self, path):
        self.path = str(path)
        self.answers = {}
        self.requests = []
        self.imports = []
        self.task_input = None
        # For campaign.create: what to do when so many bytes of rows have come: ("refuse", text),
        # ("close",) or ("items", n); None: nothing special.
        self.trouble = None
        self.trouble_at = 0
        self.on_request = lambda request: None
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(self.path)
        self.listener.listen(16)
        self.thread = threading.Thread(target=self._accept, daemon=True)
        self.thread.start()

    def close(self):
        self.listener.shutdown(socket.SHUT_RDWR)
        self.thread.join()
        self.listener.close()
        os.unlink(self.path)

    def _accept(self):
        while True:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    @staticmethod
    def _read(stream):
        head = stream.read(5)
        if len(head) < 5:
            return None, b""
        size, kind = struct.unpack(">IB", head)
        assert size <= PAYLOAD_MAX
        return kind, stream.read(size)

    def _serve(self, connection):
        stream = connection.makefile("rb")
        try:
            while True:
                kind, payload = self._read(stream)
                if kind is None:
                    return
                if kind != REQUEST:
                    return
                request = json.loads(payload)
                self.requests.append(request)
                self.on_request(request)
                if request["command"] == "campaign.create" and "campaign.create" not in self.answers:
                    if not self._import(connection, stream, request):
                        return
                    continue
                if request.get("input"):
                    self.task_input = self._read_input(stream)
                answer = self.answers[request["command"]]
                connection.sendall(answer(request) if callable(answer) else answer)
                if request["command"] == "stop":
                    return
        except (BrokenPipeError, ConnectionResetError):
            pass
        finally:
            connection.close()

    def _read_input(self, stream):
        got = b""
        while True:
            kind, payload = self._read(stream)
            if kind != DATA:
                assert kind == END
                return got
            got += payload

    def _import(self, connection, stream, request):
        got = {"request": request, "parts": {}, "rows": [], "ended": False, "batches": []}
        self.imports.append(got)
        bytes_of_rows = 0
        while True:
            kind, payload = self._read(stream)
            if kind is None:
                return False
            if kind == END:
                got["ended"] = True
                break
            assert kind == DATA
            tag, rest = payload[0], payload[1:]
            if tag == 5:
                got["batches"].append(len(rest))
                got["rows"] += unpack_rows(rest)
                bytes_of_rows += len(rest)
            else:
                got["parts"][tag] = got["parts"].get(tag, b"") + rest
            if self.trouble and bytes_of_rows >= self.trouble_at:
                trouble, self.trouble = self.trouble, None
                if trouble[0] == "items":
                    for number in range(trouble[1]):
                        connection.sendall(
                            frame(ITEM, {"address": f"a{number}@x.example", "reason": "no\x1b[2J"})
                        )
                    continue
                if trouble[0] == "refuse":
                    connection.sendall(frame(ERROR, {"error": trouble[1], "code": "refused-content"}))
                return False
        domains = {address.rsplit("@", 1)[1] for address, _ in got["rows"]}
        connection.sendall(
            frame(REPLY, {"id": 7, "total": len(got["rows"]), "domains": len(domains)})
        )
        return True
