"""The operator's side of a run: campaigns over the control protocol, without a process for each."""
import json
import struct

from control_link import REQUEST, REPLY, ITEM, Link, Refused

DATA, END = 2, 3
TAGS = {"headers": 2, "text": 3, "html": 4}
ROWS = 5
PATIENCE_SECONDS = 30


def frame(kind, body):
    return struct.pack(">IB", len(body), kind) + body


def pack_row(address, values):
    packed = b"".join(bytes([len(v)]) + v for v in values)  # each below 128 bytes
    address = address.encode()
    return struct.pack(">H", len(address)) + address + struct.pack(">H", len(packed)) + packed


class OperatorLink(Link):
    def __init__(self, path):
        super().__init__(path)
        self.socket.settimeout(PATIENCE_SECONDS)

    def create(self, name, customer, parts, columns, rows):
        """The reply; Refused, OSError or EOFError when there is no campaign, or nobody knows."""
        request = {"command": "campaign.create", "name": name, "customer": customer,
                   "columns": columns,
                   "source": {"kind": "parts", "name": name, **{k: len(v) for k, v in parts.items()}}}
        data = [frame(REQUEST, json.dumps(request).encode())]
        data += [frame(DATA, bytes([TAGS[k]]) + v) for k, v in parts.items()]
        data.append(frame(DATA, bytes([ROWS]) + b"".join(pack_row(*row) for row in rows)))
        data.append(frame(END, b""))
        self.socket.sendall(b"".join(data))
        while True:
            kind, answer = self._frame()
            if kind == REPLY:
                return answer
            if kind != ITEM:
                raise Refused(answer)
