"""The appliance in QEMU, for tests: its serial line, its power, its disk from outside.

A machine emulated on a busy host is slow: waits are long, and end as soon as what they wait for is there.
"""
import json
import os
import pathlib
import re
import select
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import time

TOP = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(TOP / "appliance"))
import disk as layout  # noqa: E402
import qemu  # noqa: E402

START_S = 120  # power-on to a word of the system's; firmware and emulation included
GIB = 1 << 30
ESCAPE = re.compile(rb"\x1b\[[0-9;?=]*[A-Za-z]")


class Machine:
    """One disk and what runs from it. `start` is power-on, `cut` pulls the plug."""

    def __init__(self, image, *, size=2 * GIB, files=None, firmware="bios", bus="virtio", memory=512,
                 forward=None, screen=False, directory=None):
        # Names of sockets are short.
        self.directory = pathlib.Path(directory or tempfile.mkdtemp(prefix="hikyaku-"))
        self.disk = self.directory / "disk.img"
        self.options = {"firmware": firmware, "bus": bus, "memory": memory, "screen": screen}
        self.forward = {}
        if forward is not None:
            self.forward = {there: qemu.free_port() for there in forward}
            self.options["forward"] = {here: there for there, here in self.forward.items()}
        qemu.make_disk(image, self.disk, size, files)
        self.process = self.serial = self.monitor = self.reader = None
        self.heard = b""
        self.read_to = 0  # what wait_for has passed
        self.news = threading.Condition()

    # ---- power ----

    def start(self):
        command = qemu.command(self.disk, self.directory, **self.options)
        paths = {name: self.directory / f"{name}.socket" for name in ("serial", "monitor")}
        for path in paths.values():
            path.unlink(missing_ok=True)
        command += ["-chardev", f"socket,id=serial,path={paths['serial']},server=on,wait=on",
                    "-serial", "chardev:serial",
                    "-chardev", f"socket,id=monitor,path={paths['monitor']},server=on,wait=off",
                    "-mon", "chardev=monitor,mode=control"]
        with open(self.directory / "qemu.log", "ab") as log:
            self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        self.serial = self.connect(paths["serial"])
        self.monitor = self.connect(paths["monitor"]).makefile("rw", encoding="utf-8", newline="\n")
        json.loads(self.monitor.readline())
        self.ask("qmp_capabilities")
        self.reader = threading.Thread(target=self.read, args=(self.serial,), daemon=True)
        self.reader.start()
        return self

    def connect(self, path):
        end = time.monotonic() + 30
        while True:
            peer = socket.socket(socket.AF_UNIX)
            try:
                peer.connect(str(path))
                return peer
            except OSError:
                peer.close()
                if self.process.poll() is not None or time.monotonic() > end:
                    raise AssertionError(
                        "QEMU did not start: " +
                        (self.directory / "qemu.log").read_text(errors="replace")) from None
                time.sleep(0.05)

    def ask(self, command, **arguments):
        """A command of QEMU's monitor; its answer."""
        self.monitor.write(json.dumps({"execute": command, "arguments": arguments}) + "\n")
        self.monitor.flush()
        while True:
            answer = json.loads(self.monitor.readline())
            if "error" in answer:
                raise AssertionError(f"{command}: {answer['error']}")
            if "return" in answer:
                return answer["return"]

    def press_power(self):
        self.ask("system_powerdown")

    def wait_off(self, seconds=60):
        """Until it has switched itself off."""
        try:
            self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            raise AssertionError(f"not off after {seconds} s; {self.last_words()}") from None
        self.forget()

    def cut(self):
        """As a power cut: what was not synced is gone."""
        if self.process and self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        self.forget()

    def forget(self):
        if self.reader:
            self.reader.join(10)
        for end in (self.serial, self.monitor):
            if end:
                end.close()
        self.process = self.serial = self.monitor = self.reader = None

    def end(self):
        self.cut()
        shutil.rmtree(self.directory, ignore_errors=True)

    # ---- the serial line ----

    def read(self, serial):
        while True:
            try:
                ready, _, _ = select.select([serial], [], [], 1)
                data = serial.recv(65536) if ready else None
            except (OSError, ValueError):
                return
            if data == b"":
                return
            if data:
                with self.news:
                    self.heard += data
                    self.news.notify_all()

    def wait_for(self, pattern, seconds=START_S):
        """
        Until the serial line has said what matches, behind what was waited for before; escapes of the
        terminal are left out. Returns the match.
        """
        wanted = re.compile(pattern.encode() if isinstance(pattern, str) else pattern)
        end = time.monotonic() + seconds
        with self.news:
            while True:
                text = ESCAPE.sub(b"", self.heard[self.read_to:])
                if match := wanted.search(text):
                    self.read_to = self.behind(match.end())
                    return match
                left = end - time.monotonic()
                if left <= 0 or (self.process.poll() is not None and not self.reader.is_alive()):
                    raise AssertionError(f"{pattern!r} was not said in {seconds} s; {self.last_words()}")
                self.news.wait(min(left, 1))

    def behind(self, at):
        """The place in what was heard that stands `at` bytes behind `read_to`, escapes not counted."""
        place = self.read_to
        while at > 0:
            if escape := ESCAPE.match(self.heard, place):
                place = escape.end()
            else:
                place += 1
                at -= 1
        return place

    def pass_by(self):
        """What was said until now is not waited for any more."""
        with self.news:
            self.read_to = len(self.heard)

    def said(self, text):
        """Whether the serial line has said that at any time."""
        return text.encode() in ESCAPE.sub(b"", self.heard)

    def last_words(self):
        text = ESCAPE.sub(b"", self.heard[-4000:]).decode(errors="replace").replace("\r", "")
        return f"the serial line's last words:\n{text}"

    def type(self, text):
        self.serial.sendall(text.encode())

    def send(self, line):
        self.type(line + "\r")

    # ---- ssh ----

    def ssh_command(self, words, key, seconds):
        return ["ssh", "-F", "/dev/null", "-i", str(key), "-p", str(self.forward[qemu.SSH_PORT]),
                "-o", "IdentitiesOnly=yes", "-o", "BatchMode=yes", "-o", "StrictHostKeyChecking=accept-new",
                "-o", f"UserKnownHostsFile={self.directory / 'known_hosts'}", "-o", "LogLevel=ERROR",
                "-o", f"ConnectTimeout={seconds}", "admin@127.0.0.1", *map(str, words)]

    def ssh(self, *words, key, stdin=None, check=True, seconds=120):
        """One command of the console's; the CompletedProcess, with text unless `stdin` is bytes."""
        result = subprocess.run(
            self.ssh_command(words, key, seconds), input=stdin, text=not isinstance(stdin, bytes),
            timeout=seconds, check=False, stdin=subprocess.DEVNULL if stdin is None else None,
            capture_output=True)
        if check and result.returncode != 0:
            raise AssertionError(f"ssh {' '.join(map(str, words))}: exit {result.returncode}: "
                                 f"{result.stderr or result.stdout}")
        return result

    def lets_in(self, key):
        """Whether a command by ssh is answered now."""
        try:
            return self.ssh("version", key=key, check=False, seconds=20).returncode == 0
        except subprocess.TimeoutExpired:
            return False

    def wait_for_login(self, key):
        """Behind a start: until a command by ssh is answered."""
        # Who calls before there is a network is taken by QEMU, and never answered.
        self.wait_for(r"\] data")
        self.wait(lambda: self.lets_in(key), "ssh")

    def wait(self, condition, what, seconds=180, every=0.5, story=None):
        """Until it is true: its value. `story` has more to say when it does not come."""
        end = time.monotonic() + seconds
        while not (value := condition()):
            if time.monotonic() > end:
                raise AssertionError(f"{what}: not in {seconds} s; {(story or self.last_words)()}")
            time.sleep(every)
        return value

    def open_ssh(self, *words, key):
        """One command whose standard input stays open."""
        return subprocess.Popen(self.ssh_command(words, key, 60), stdin=subprocess.PIPE,
                                stdout=subprocess.PIPE, stderr=subprocess.STDOUT)

    # ---- the disk, while it is off ----

    def esp(self):
        return layout.Esp(self.disk)

    def variables(self):
        """GRUB's, as they stand on the disk."""
        text = self.esp().read("/grub/grubenv")
        assert len(text) == 1024 and text.startswith(b"# GRUB Environment Block\n")
        return dict(line.split("=", 1) for line in text.decode().splitlines() if "=" in line)


def kernel():
    """The bzImage that tests start: virtio only."""
    return os.environ.get("HIKYAKU_GUEST_KERNEL", TOP / "build/kernel/guest/bzImage")
