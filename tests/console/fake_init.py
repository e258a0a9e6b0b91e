"""A small init for tests of the console: speaks the control protocol, supervises nothing.

It answers as `src/init` does, from tables; what it was asked is kept in `requests`. Alone it serves
until it is ended: fake_init.py SOCKET
"""

import json
import pathlib
import sys
import threading

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "integration"))

from fake_sender import ERROR, ITEM, REPLY, FakeSender, frame  # noqa: E402

SERVICES = [
    {"name": "send", "state": "running", "pid": 71, "restarts": 0, "since_ms": 7_200_000,
     "last_exit": ""},
    {"name": "dropbear", "state": "running", "pid": 72, "restarts": 0, "since_ms": 7_200_000,
     "last_exit": ""},
    {"name": "ntp", "state": "backing-off", "pid": 0, "restarts": 3, "since_ms": 5_000,
     "last_exit": "exited with 1"},
]
DATA = {"device": "/dev/vda3", "size": 30 << 30, "used": 2 << 30, "available": 28 << 30,
        "state": "open", "note": ""}
INTERFACES = [
    {"name": "eth0", "mac": "52:54:00:12:34:56", "driver": "virtio_net", "carrier": True, "speed": 1000,
     "mtu": 1500, "addresses": ["192.0.2.10/24", "2001:db8::10/64", "fe80::5054:ff:fe12:3456/64"],
     "duplicates": ["2001:db8::11/64"], "method": "static", "gateway": "192.0.2.1", "lease_ms": 0},
    {"name": "eth1", "mac": "52:54:00:12:34:57", "driver": "e1000e", "carrier": False, "speed": 0,
     "mtu": 1500, "addresses": [], "method": "dhcp", "gateway": "", "lease_ms": 0},
]
FIRST_LINE_MS = 1_796_000_523_000  # 2026-11-30T01:02:03Z
LINES = [
    ("init", "2026-11-30T01:02:03.004Z info init event=\"service started\" name=send"),
    ("send", "2026-11-30T01:02:04.005Z warn delivery event=\"site backs off\" site=example.com code=421"),
    ("ntp", "ntpd: bad address 'ntp.example'"),
    ("send", "2026-11-30T01:02:05.006Z error store event=\"disk is full\" left=0"),
]
RECORD = "v=DKIM1; k=rsa; p=" + "MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8A" * 12
TASKS = {
    "keys-new": (["file      /data/send/keys/example.jp.s2026.pem (rsa, 2048 bits)"], 0),
    "keys-show": ([json.dumps({"file": "/data/send/keys/example.jp.s2026.pem", "domain": "example.jp",
                               "selector": "s2026", "type": "rsa", "bits": 2048, "record": RECORD})], 0),
    "upgrade": (["signature good, version 0.2", "slot b written"], 0),
    "check": (["/data/etc/hikyaku.conf is fine: 1 customer, 1 DKIM key"], 0),
}


def status(services=SERVICES):
    return {
        "hostname": "mail.example.jp", "version": "0.1", "slot": "a", "trial": False,
        "uptime_ms": 7_263_000,
        "stages": [{"name": "init", "at_ms": 900}, {"name": "ready", "at_ms": 1700}],
        "services": services,
        "data": DATA,
        "memory": {"total": 512 << 20, "available": 400 << 20}, "load": [0.1, 0.05, 0.01],
        "network": INTERFACES, "clock": {"synced": True, "offset_us": -120, "source": "ntp.nict.jp"},
    }


class FakeInit(FakeSender):
    """`tasks` maps a task's name to (lines, exit code), or to a function of its arguments."""

    def __init__(self, path):
        super().__init__(path)
        self.tasks = dict(TASKS)
        self.logged = []
        self.services = [dict(service) for service in SERVICES]
        self.steps = {}  # of a service: the states that it will have
        self.last_pid = 100
        self.data = dict(DATA)
        self.new_lines = threading.Event()
        self.answers = {
            "system.status": self._status,
            "system.reboot": frame(REPLY, {}),
            "system.poweroff": frame(REPLY, {}),
            "service.restart": self._service("running"),
            "service.kill": self._service("backing-off", "running"),
            "service.start": self._service("running"),
            "service.stop": self._service("stopping", "stopped"),
            "log.read": self._log,
            "log.write": self._write,
            "identity.note": frame(REPLY, {}),
            "network.show": lambda request: frame(REPLY, self._network()),
            "network.apply": lambda request: frame(REPLY, self._network()),
            "task.run": self._task,
        }

    @staticmethod
    def _network():
        return {"interfaces": INTERFACES, "resolvers": ["192.0.2.53"], "hostname": "mail.example.jp"}

    def _status(self, _):
        """A service goes one step of what was ordered each time that somebody looks."""
        for service in self.services:
            if steps := self.steps.get(service["name"]):
                before, state = service["state"], steps.pop(0)
                begins = state == "starting" or (state == "running" and before != "starting")
                self.last_pid += begins
                service |= {"state": state, "restarts": service["restarts"] + begins,
                            "pid": self.last_pid if state in ("starting", "running") else 0}
        return frame(REPLY, status(self.services) | {"data": self.data})

    def _service(self, *steps):
        def answer(request):
            for service in self.services:
                if service["name"] == request["name"]:
                    is_there = request["command"] == "service.start" and service["pid"] > 0
                    self.steps[service["name"]] = [] if is_there else list(steps)
                    return frame(REPLY, service)
            return frame(ERROR, {"error": f"there is no service {request['name']}", "code": "not-found"})
        return answer

    @staticmethod
    def _log(request):
        lines = [line for line in LINES if request.get("service") in (None, line[0])]
        lines = lines[-request.get("lines", 200):]
        items = b"".join(frame(ITEM, {"time_ms": FIRST_LINE_MS + 1000 * at, "service": service,
                                      "line": line})
                         for at, (service, line) in enumerate(lines))
        # A log that is followed has no end: no REPLY.
        return items + (b"" if request.get("follow") else frame(REPLY, {"count": len(lines)}))

    def _write(self, request):
        self.logged.append((request["who"], request["text"]))
        return frame(REPLY, {})

    def _task(self, request):
        task = self.tasks.get(request["name"])
        if task is None:
            return frame(ERROR, {"error": f"there is no task {request['name']}", "code": "not-found"})
        lines, code = task(request.get("arguments", [])) if callable(task) else task
        return b"".join(frame(ITEM, {"line": line, "stream": "stdout"}) for line in lines) + \
            frame(REPLY, {"exit": code})


if __name__ == "__main__":
    FakeInit(sys.argv[1])
    threading.Event().wait()
