"""What the injector tells (struct inject_status of inject.h), and where a program counter lies."""
import bisect
import collections
import os
import re
import struct
import subprocess

KINDS = ("alloc", "call", "ring")
FRAMES = 40
HEAD = struct.Struct("=3Q Q Q I i I I")
TRACE = struct.Struct("=Q I I")
SIZE = HEAD.size + FRAMES * 8
TRACES_MAX = 1 << 20

Status = collections.namedtuple("Status", "count failed site what error frames traced")

# The system calls of inject_call.c, by number.
CALLS = {
    0: "read", 1: "write", 2: "open", 3: "close", 4: "stat", 5: "fstat", 6: "lstat", 7: "poll", 9: "mmap",
    10: "mprotect", 17: "pread64", 18: "pwrite64", 20: "writev", 21: "access", 22: "pipe", 23: "select",
    25: "mremap", 26: "msync", 35: "nanosleep", 41: "socket", 42: "connect", 44: "sendto", 45: "recvfrom",
    46: "sendmsg", 47: "recvmsg", 49: "bind", 50: "listen", 51: "getsockname", 53: "socketpair",
    54: "setsockopt", 55: "getsockopt", 56: "pthread_create", 72: "fcntl", 73: "flock", 74: "fsync",
    75: "fdatasync", 77: "ftruncate", 82: "rename", 83: "mkdir", 87: "unlink", 89: "readlink", 90: "chmod",
    137: "statfs", 138: "fstatfs", 213: "epoll_create", 217: "getdents64", 230: "clock_nanosleep",
    232: "epoll_wait", 233: "epoll_ctl", 257: "openat", 262: "newfstatat", 269: "faccessat",
    270: "pselect6", 271: "ppoll", 281: "epoll_pwait", 283: "timerfd_create", 285: "fallocate",
    286: "timerfd_settime", 289: "signalfd4", 290: "eventfd2", 291: "epoll_create1", 293: "pipe2",
    296: "pwritev", 302: "prlimit64", 318: "getrandom", 332: "statx", 425: "io_uring_setup",
    426: "io_uring_enter", 427: "io_uring_register", 439: "faccessat2",
}
OPCODES = {6: "poll", 9: "send", 13: "accept", 16: "connect", 19: "close", 22: "read", 27: "receive",
           256: "multishot ends"}
WAYS = {-1: "short", -2: "end of file"}


def read(path):
    with open(path, "rb") as file:
        data = file.read(SIZE)
    *count, failed, site, what, error, depth, traced = HEAD.unpack_from(data)
    frames = struct.unpack_from(f"={FRAMES}Q", data, HEAD.size)[:depth]
    return Status(dict(zip(KINDS, count)), failed, site, what, error, frames, traced)


def read_trace(path):
    """[(kind, what, site)] of a counting run, in order; the n-th of a kind has number n."""
    traced = min(read(path).traced, TRACES_MAX)
    with open(path, "rb") as file:
        file.seek(SIZE)
        data = file.read(traced * TRACE.size)
    return [(KINDS[kind], what, site) for site, what, kind in TRACE.iter_unpack(data)]


def describe(kind, status):
    """"call fdatasync: Input/output error"."""
    if kind == "alloc":
        return "an allocation"
    name = (CALLS if kind == "call" else OPCODES).get(status.what, str(status.what))
    return f"{name}: {WAYS.get(status.error) or os.strerror(status.error)}"


def library_name(path):
    """"libunbound", of whatever version and by whichever of its names."""
    return re.match(r"[^.+]*", os.path.basename(path))[0]


class Modules:
    """Addresses to names, for processes without address randomisation: all have the same map."""

    def __init__(self, program):
        self.program = str(program)
        self.starts, self.modules = [], []

    def learn(self, maps):
        """From the text of /proc/PID/maps."""
        first = {}
        rows = []
        for line in maps.splitlines():
            fields = line.split()
            if len(fields) < 6 or not fields[5].startswith("/"):
                continue
            start, end = (int(x, 16) for x in fields[0].split("-"))
            base = first.setdefault(fields[5], start)
            rows.append((start, end, base, fields[5]))
        rows.sort()
        self.starts = [row[0] for row in rows]
        self.modules = rows

    def _place(self, address):
        at = bisect.bisect_right(self.starts, address) - 1
        if at < 0 or address >= self.modules[at][1]:
            return None
        return self.modules[at][3], address - self.modules[at][2]

    def library(self, frames):
        """The library that made the call that failed; None when the program itself did."""
        for address in frames:
            place = self._place(address - 1)
            name = library_name(place[0]) if place else ""
            if name != library_name(self.program):
                if name not in ("libc", "libpthread", "libasan", "ld-linux-x86-64"):
                    return name or None
            elif not self._is_ours(place):
                return None
        return None

    def _is_ours(self, place):
        """Whether it lies in the injector."""
        out = subprocess.run(["addr2line", "-e", place[0], hex(place[1])], capture_output=True, text=True,
                             check=False).stdout
        return "tests/nth/" in out

    def names(self, frames):
        """A line for each frame; those of the program with file and line."""
        lines = []
        for address in frames:
            place = self._place(address - 1)
            if not place:
                lines.append(hex(address))
                continue
            module, offset = place
            out = subprocess.run(["addr2line", "-f", "-e", module, hex(offset)], capture_output=True,
                                 text=True, check=False).stdout.split("\n")
            where = os.path.basename(out[1]) if len(out) > 1 and not out[1].startswith("??") else \
                os.path.basename(module)
            lines.append(f"{out[0]} {where}" if out[0] != "??" else f"{where}+{offset:#x}")
        return lines
