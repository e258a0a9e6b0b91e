#!/usr/bin/python3
"""Runs one command of this host in a machine of its own, under the kernel that kernel-config builds.

The root file system is an initramfs of the named programs, the libraries that ldd names for them, files
and folders, all at the places that they have here. Memory is the only disk. The command's output arrives
through a port of its own, the kernel's words in a file; its exit code is ours. By hand:

    kernel-config/guest.py --kernel build/kernel/test --program /bin/busybox -- /bin/busybox uname -a
"""
import argparse
import os
import pathlib
import re
import shlex
import stat
import subprocess
import sys
import tempfile
import threading

# An emulated processor stands still whenever its host is busy, so clocks that are calibrated by counting
# come out wrong by any factor. This one has a frequency that is written down, and nobody counts whether its
# interrupts come in time.
EMULATED_CLOCK = "clocksource=hpet tsc=unstable nolapic_timer no_timer_check"
TOP = pathlib.Path(__file__).resolve().parents[1]
BUSYBOX = "/bin/busybox"
EXIT = re.compile(rb"guest: exit (\d+)\n")

# Given to the shell by name: not every kernel of ours starts scripts.
INIT = f"""b={BUSYBOX}
$b mount -t proc none /proc
$b mount -t sysfs none /sys
$b mount -t devtmpfs none /dev
$b mkdir -p /dev/shm /dev/pts
$b mount -t tmpfs none /dev/shm
# The port comes when the host has named it.
tries=0
while [ $tries -lt 200 ] && ! $b grep -qsx words /sys/class/virtio-ports/*/name; do
	$b usleep 50000
	tries=$((tries + 1))
done
for port in /sys/class/virtio-ports/*; do
	[ "$($b cat $port/name)" = words ] && exec >/dev/${{port##*/}} 2>&1
done
$b ifconfig lo 127.0.0.1 up
export PATH=/usr/bin:/bin:/usr/sbin:/sbin HOME=/root PYTHONDONTWRITEBYTECODE=1
. /command
code=$?
$b echo "guest: exit $code"
$b sync
$b poweroff -f
"""


# ---- what is in it ----

def libraries_of(program):
    """What ldd names; nothing for a static program or a script."""
    out = subprocess.run(["ldd", program], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
                         text=True).stdout
    return re.findall(r"(/\S+) \(0x", out)


def python_files():
    """Debian's python3 with its own modules, without its tests and whatever else is installed."""
    program = os.path.realpath("/usr/bin/python3")
    modules = pathlib.Path("/usr/lib", os.path.basename(program))
    left_out = ("test", "__pycache__", "idlelib", "lib2to3", "tkinter", "ensurepip", "distutils",
                "pydoc_data", "dist-packages")
    found = [program]
    for folder, folders, files in os.walk(modules):
        folders[:] = [f for f in folders if f not in left_out and not f.startswith("config-")]
        found += [os.path.join(folder, f) for f in files]
    return found


class Archive:
    """A cpio archive ("newc") as the kernel unpacks it."""

    def __init__(self):
        self.entries = {}  # path -> (mode, bytes or path of the source)

    def add(self, path, mode, content):
        parent = os.path.dirname(path)
        if parent not in ("", "/") and parent not in self.entries:
            self.add(parent, stat.S_IFDIR | 0o755, b"")
        self.entries[path] = (mode, content)

    def add_file(self, path):
        """A file of this host, or a folder and all in it, at its own place; links are followed."""
        path = os.path.abspath(path)
        if os.path.isdir(path):
            for folder, _, files in os.walk(path):
                for name in files:
                    self.add_file(os.path.join(folder, name))
            return
        self.add(path, stat.S_IFREG | stat.S_IMODE(os.stat(path).st_mode), pathlib.Path(path))

    def add_program(self, path):
        self.add_file(path)
        for library in libraries_of(path):
            self.add_file(library)

    def write(self, out):
        for at, (path, (mode, content)) in enumerate([*self.entries.items(), ("TRAILER!!!", (0, b""))]):
            data = content.read_bytes() if isinstance(content, pathlib.Path) else content
            name = path.lstrip("/").encode() + b"\0"
            head = b"070701" + b"".join(b"%08X" % n for n in (
                at + 1, mode, 0, 0, 1, 0, len(data), 0, 0, 0, 0, len(name), 0))
            out.write(head + name + bytes(-(len(head) + len(name)) % 4) + data + bytes(-len(data) % 4))


def make_archive(path, programs, files, command, python):
    archive = Archive()
    for folder in ("/proc", "/sys", "/dev", "/tmp", "/run", "/root", "/etc", "/mnt"):
        archive.add(folder, stat.S_IFDIR | 0o755, b"")
    # The kernel opens it before devtmpfs is there.
    archive.add("/script", stat.S_IFREG | 0o644, INIT.encode())
    archive.add("/command", stat.S_IFREG | 0o644,
                f"cd {shlex.quote(str(TOP))}\n{shlex.join(map(str, command))}\n".encode())
    archive.add("/etc/passwd", stat.S_IFREG | 0o644, b"root:x:0:0:root:/root:/bin/sh\n")
    archive.add("/etc/hosts", stat.S_IFREG | 0o644, b"127.0.0.1 localhost\n")
    archive.add(str(TOP), stat.S_IFDIR | 0o755, b"")
    archive.add_program(BUSYBOX)
    archive.add("/bin/sh", stat.S_IFLNK | 0o777, BUSYBOX.encode())
    if python:
        for file in python_files():
            if file.endswith(".so") or "/bin/" in file:
                archive.add_program(file)
            else:
                archive.add_file(file)
        archive.add("/usr/bin/python3", stat.S_IFLNK | 0o777, os.path.realpath("/usr/bin/python3").encode())
    for program in programs:
        archive.add_program(program)
    for file in files:
        archive.add_file(file)
    with open(path, "wb") as out:
        archive.write(out)


# ---- how it runs ----

def accelerator():
    """
    KVM where the processor helps, else emulation. A KVM that has no help (nested without hardware)
    opens as well, but interprets a kernel that was not made for it, and slowly.
    """
    with open("/proc/cpuinfo", encoding="ascii", errors="replace") as file:
        helps = re.search(r"^flags\s*:.*\b(vmx|svm)\b", file.read(), re.MULTILINE)
    return "kvm" if helps and os.access("/dev/kvm", os.R_OK | os.W_OK) else "tcg"


def run(kernel, programs, files, command, *, python=True, memory="2G", cpus=2, cpu="max", clock=None,
        seconds=3600, directory=TOP / "build/guest", append="", arguments=(), out=None):
    """
    The command's exit code and output (bytes). The output is also written to `out` as it comes. The
    kernel's own words are in `directory`/console.log. None: it did not end, or not in order. `clock`: words
    for the kernel instead of EMULATED_CLOCK.
    """
    if clock is None:
        clock = "" if accelerator() == "kvm" else EMULATED_CLOCK
    directory = pathlib.Path(directory)
    directory.mkdir(parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile(dir=directory, prefix="initramfs-") as archive:
        make_archive(archive.name, programs, files, command, python)
        process = subprocess.Popen(
            ["qemu-system-x86_64", "-accel", accelerator(), "-M", "q35", "-cpu", cpu, "-smp", str(cpus),
             "-m", memory, "-nodefaults", "-no-user-config", "-display", "none", "-no-reboot",
             "-kernel", os.path.join(kernel, "bzImage"), "-initrd", archive.name,
             "-append", f"console=ttyS0 loglevel=7 panic=-1 rdinit={BUSYBOX} {clock} {append} -- sh /script",
             "-serial", f"file:{directory}/console.log",
             "-device", "virtio-rng-pci", "-device", "virtio-serial-pci",
             "-chardev", "stdio,id=words,signal=off", "-device", "virtserialport,chardev=words,name=words",
             *arguments],
            # An end of the input would close the port.
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=open(directory / "qemu.log", "wb"))
        limit = threading.Timer(seconds, process.kill)
        limit.start()
        try:
            heard, code = [], None
            for line in process.stdout:
                if end := EXIT.fullmatch(line):
                    code = int(end[1])
                    continue
                heard.append(line)
                if out:
                    out.write(line)
                    out.flush()
            process.wait()
        finally:
            limit.cancel()
            process.kill()
            process.wait()
    return code, b"".join(heard)


def explain(directory=TOP / "build/guest"):
    """What there is to say of a guest that did not end in order."""
    words = [f"the guest did not end in order; see {directory}/console.log, qemu.log"]
    for name in ("qemu.log", "console.log"):
        text = pathlib.Path(directory, name).read_text(errors="replace") if \
            pathlib.Path(directory, name).exists() else ""
        words += [f"  {line}" for line in text.splitlines()[-12:]]
    return "\n".join(words)


def is_kvm():
    """Inside a guest: whether the processor is real."""
    try:
        with open("/sys/devices/system/clocksource/clocksource0/available_clocksource",
                  encoding="ascii") as file:
            return "kvm-clock" in file.read()
    except FileNotFoundError:
        return False


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--kernel", default=TOP / "build/kernel/test")
    parser.add_argument("--program", action="append", default=[], help="with the libraries it wants")
    parser.add_argument("--file", action="append", default=[], help="or a folder")
    parser.add_argument("--python", action="store_true", help="with python3 and its modules")
    parser.add_argument("--memory", default="2G")
    parser.add_argument("--seconds", type=int, default=600)
    parser.add_argument("--append", default="", help="to the kernel's command line")
    parser.add_argument("command", nargs="+")
    a = parser.parse_args()
    code, _ = run(a.kernel, a.program, a.file, a.command, python=a.python, memory=a.memory,
                  seconds=a.seconds, append=a.append, out=sys.stdout.buffer)
    if code is None:
        sys.exit(explain())
    sys.exit(code)


if __name__ == "__main__":
    main()
