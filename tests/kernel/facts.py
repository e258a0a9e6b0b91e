#!/usr/bin/python3
"""Inside a guest: what its kernel can do, tried out, as one JSON object on a line of its own.

usage: facts.py DISK-SIZE...    sizes (bytes) of disks whose first and last blocks are to be read
"""
import ctypes
import errno
import glob
import json
import os
import pathlib
import socket
import struct
import subprocess
import sys
import time

BUSYBOX = "/bin/busybox"
LIBC = ctypes.CDLL(None, use_errno=True)
# Numbers of system calls, x86-64.
UNSHARE, KEXEC_LOAD, BPF, USERFAULTFD, IO_URING_SETUP, LANDLOCK_CREATE_RULESET = 272, 246, 321, 323, 425, 444
IORING_SETUP_SINGLE_ISSUER, IORING_SETUP_DEFER_TASKRUN = 1 << 12, 1 << 13
NOBODY = 65534


def text(path):
    """A file's words, or None."""
    try:
        return pathlib.Path(path).read_text(encoding="utf-8", errors="replace").strip("\n\0 ")
    except OSError:
        return None


def syscall(number, *words):
    """What the call returned, or the name of its error."""
    got = LIBC.syscall(number, *(ctypes.c_long(w) if isinstance(w, int) else w for w in words))
    return got if got >= 0 else errno.errorcode[ctypes.get_errno()]


def busybox(*words):
    done = subprocess.run([BUSYBOX, *words], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                          check=False)
    return done.returncode, done.stdout


def as_nobody(function):
    """What it returns in a process without any rights."""
    read, write = os.pipe()
    if os.fork() == 0:
        os.setgroups([])
        os.setgid(NOBODY)
        os.setuid(NOBODY)
        os.write(write, json.dumps(function()).encode())
        os._exit(0)
    os.close(write)
    os.wait()
    return json.loads(os.read(read, 4096))


def driver_of(device):
    return os.path.basename(os.path.realpath(f"{device}/driver"))


# ---- disks ----

def controller_of(name):
    """The driver of the nearest PCI device above a disk; of virtio's disks virtio's own."""
    path = pathlib.Path(f"/sys/block/{name}").resolve()
    for above in path.parents:
        if (above / "vendor").exists() and (above / "class").exists():
            return driver_of(above)
    return None


def disks():
    found = []
    for name in sorted(os.listdir("/sys/block")):
        size = int(text(f"/sys/block/{name}/size")) * 512
        if size:
            found.append({"name": name, "size": size, "driver": controller_of(name),
                          "readable": ends_readable(f"/dev/{name}", size)})
    return found


def ends_readable(device, size):
    """The test has written the disk's size there."""
    with open(device, "rb", buffering=0) as file:
        first = file.read(512)
        file.seek(size - 512)
        return all(int.from_bytes(block[:8], "big") == size for block in (first, file.read(512)))


def partitions():
    """Names of the partition table, and whether their file systems mount."""
    found = {}
    for entry in glob.glob("/sys/class/block/*/partition"):
        words = dict(line.split("=", 1) for line in text(f"{os.path.dirname(entry)}/uevent").splitlines())
        found[words["PARTNAME"]] = {kind: mounted(words["DEVNAME"], kind) for kind in ("vfat", "ext4")}
    return found


def mounted(name, kind):
    """Whether a file that was written into it is there after a second mount."""
    for attempt in range(2):
        code, said = busybox("mount", "-t", kind, f"/dev/{name}", "/mnt")
        if code:
            return said
        if not attempt:
            pathlib.Path("/mnt/a name that is long").write_text(kind, encoding="ascii")
        words = text("/mnt/a name that is long")
        os.sync()
        busybox("umount", "/mnt")
    return words == kind


# ---- network ----

def lease(interface):
    """Whether DHCP has an address for it; packet sockets and their filters are what this tries."""
    busybox("ip", "link", "set", interface, "up")
    code, said = busybox("udhcpc", "-i", interface, "-n", "-q", "-f", "-t", "8", "-T", "1", "-s", BUSYBOX)
    return code == 0 and "lease of" in said or said


def interfaces():
    found = {}
    for name in os.listdir("/sys/class/net"):
        if os.path.exists(f"/sys/class/net/{name}/device"):
            driver = driver_of(f"/sys/class/net/{name}/device")
            found[name] = {"driver": driver, "lease": lease(name)}
    return found


def vlan_and_bond(parent):
    made = [busybox("ip", "link", "add", "link", parent, "name", "v10", "type", "vlan", "id", "10")[0] == 0]
    try:
        pathlib.Path("/sys/class/net/bonding_masters").write_text("+bond7", encoding="ascii")
        made.append(text("/sys/class/net/bond7/bonding/mode"))
    except OSError as error:
        made.append(str(error))
    return made


def tls():
    """Whether a connected socket takes to the kernel's TLS, with each of TLS 1.3's ciphers."""
    found = {}
    for name, cipher, key in (("AES-128-GCM", 51, 16), ("AES-256-GCM", 52, 32),
                              ("CHACHA20-POLY1305", 54, 32)):
        with socket.create_server(("127.0.0.1", 0)) as server, \
                socket.create_connection(server.getsockname()) as client:
            try:
                client.setsockopt(socket.IPPROTO_TCP, 31, b"tls\0")
                iv, salt = (12, 0) if cipher == 54 else (8, 4)
                client.setsockopt(282, 1, struct.pack("=HH", 0x0304, cipher) + bytes(iv + key + salt + 8))
                found[name] = True
            except OSError as error:
                found[name] = str(error)
    return found


# ---- the rest ----

def ring():
    parameters = struct.pack("=II I", 8, 0, IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN)
    got = syscall(IO_URING_SETUP, 8, ctypes.create_string_buffer(parameters, 120))
    return got if isinstance(got, str) else got >= 0


def cgroup_controllers():
    if busybox("mount", "-t", "cgroup2", "none", "/mnt")[0]:
        return []
    words = text("/mnt/cgroup.controllers").split()
    pathlib.Path("/mnt/cgroup.subtree_control").write_text(" ".join(f"+{w}" for w in words), encoding="ascii")
    os.mkdir("/mnt/role")
    files = [name for name in ("memory.max", "memory.pressure", "pids.max", "cpu.weight", "cpu.max", "io.max")
             if os.path.exists(f"/mnt/role/{name}")]
    busybox("umount", "/mnt")
    return files


def pressed(device, seconds=5):
    """Whether the power button's event comes; the test presses it when it reads this line."""
    with open(device, "rb", buffering=0) as file:
        os.set_blocking(file.fileno(), False)
        print("press", flush=True)
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            for _, _, kind, code, value in struct.iter_unpack("=qqHHi", file.read(24 * 16) or b""):
                if (kind, code, value) == (1, 116, 1):  # EV_KEY, KEY_POWER
                    return True
            time.sleep(0.05)
    return False


def inputs():
    return {text(f"{d}/device/name"): f"/dev/input/{os.path.basename(d)}"
            for d in glob.glob("/sys/class/input/event*")}


def watchdogs():
    return [text(f"{d}/identity") for d in sorted(glob.glob("/sys/class/watchdog/*"))]


def is_terminal(path):
    try:
        return os.isatty(os.open(path, os.O_RDWR | os.O_NOCTTY))
    except OSError as error:
        return str(error)


def main():
    busybox("mount", "-t", "securityfs", "none", "/sys/kernel/security")
    busybox("mount", "-t", "devpts", "none", "/dev/pts")
    cards = interfaces()
    keys = inputs()
    facts = {
        "disks": disks(), "interfaces": cards, "partitions": partitions(),
        "vlan_and_bond": vlan_and_bond(next(iter(cards))) if cards else None,
        "tls": tls(), "ring": as_nobody(ring), "cgroup": cgroup_controllers(),
        "congestion": text("/proc/sys/net/ipv4/tcp_congestion_control"),
        "queue": text("/proc/sys/net/core/default_qdisc"),
        "landlock": syscall(LANDLOCK_CREATE_RULESET, 0, 0, 1),
        "lsm": text("/sys/kernel/security/lsm"), "lockdown": text("/sys/kernel/security/lockdown"),
        "absent": {"kexec": syscall(KEXEC_LOAD, 0, 0, 0, 0), "bpf": syscall(BPF, 0, 0, 0),
                   "userfaultfd": syscall(USERFAULTFD, 0), "user namespace": syscall(UNSHARE, 0x10000000)},
        "files": [p for p in ("/dev/mem", "/dev/port", "/dev/kmem", "/proc/kcore", "/proc/sysrq-trigger",
                              "/proc/config.gz", "/sys/kernel/debug/tracing") if os.path.exists(p)],
        "log as nobody": as_nobody(lambda: LIBC.klogctl(3, ctypes.create_string_buffer(64), 64)),
        "inputs": list(keys), "watchdogs": watchdogs(), "clock": time.time(),
        "rtc": text("/sys/class/rtc/rtc0/name"), "product": text("/sys/class/dmi/id/product_name"),
        "terminals": {t: is_terminal(t) for t in ("/dev/tty1", "/dev/ttyS0", "/dev/ptmx")},
        "efi": os.path.exists("/sys/firmware/efi"),
        "console": text("/sys/class/vtconsole/vtcon1/name") or text("/sys/class/vtconsole/vtcon0/name"),
        "pressed": pressed(keys["Power Button"]) if "Power Button" in keys else None,
    }
    print(json.dumps(facts), flush=True)


if __name__ == "__main__":
    main()
