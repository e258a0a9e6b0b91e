"""Disks in a guest of kernel-config's profile `test`: disks of memory, and the device mapper above them.

The device mapper is spoken to by its ioctls, so that a mark in a log of writes costs microseconds and not
a process.
"""
import fcntl
import glob
import os
import struct
import subprocess

BUSYBOX = "/bin/busybox"
SECTOR = 512

# linux/dm-ioctl.h
HEAD = struct.Struct("=3I 2I I i 3I Q 128s 129s 7x")
CREATE, REMOVE, SUSPEND, LOAD, MESSAGE = 3, 4, 6, 9, 14
SUSPENDED, SKIP_LOCKFS, NOFLUSH = 1 << 1, 1 << 10, 1 << 11


def control(command, name, body=b"", flags=0, targets=0):
    size = HEAD.size + len(body)
    buffer = bytearray(HEAD.pack(4, 0, 0, size, HEAD.size, targets, 0, flags, 0, 0, 0, name.encode(), b"")
                       + body)
    with open("/dev/mapper/control", "rb+", buffering=0) as file:
        fcntl.ioctl(file, 0xC0000000 | HEAD.size << 16 | 0xFD << 8 | command, buffer)
    return HEAD.unpack_from(buffer)[10]


class Mapped:
    """A device of the mapper with one target over its whole length."""

    def __init__(self, name, sectors, table):
        self.name, self.sectors = name, sectors
        device = control(CREATE, name)
        self.path = f"/dev/dm-{(device & 0xff) | (device >> 12 & 0xfff00)}"
        self.load(table)
        self.resume()

    def load(self, table):
        """Becomes true at the next resume()."""
        kind, words = table.split(" ", 1)
        words = words.encode() + b"\0"
        words += bytes(-len(words) % 8)
        spec = struct.pack("=QQiI16s", 0, self.sectors, 0, 40 + len(words), kind.encode())
        control(LOAD, self.name, spec + words, targets=1)

    def suspend(self):
        """No write gets below it from here on; those that come wait. The file system is not asked."""
        control(SUSPEND, self.name, flags=SUSPENDED | SKIP_LOCKFS | NOFLUSH)

    def resume(self):
        control(SUSPEND, self.name)

    def message(self, words):
        control(MESSAGE, self.name, struct.pack("=Q", 0) + words.encode() + b"\0")

    def remove(self):
        control(REMOVE, self.name)


class Memory:
    """One of the disks of memory, ours until release()."""

    def __init__(self, least_bytes):
        for path in sorted(glob.glob("/dev/ram*")):
            self.lock = open(f"/run/{os.path.basename(path)}", "wb")
            try:
                fcntl.flock(self.lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                self.lock.close()
                continue
            with open(f"/sys/block/{os.path.basename(path)}/size", encoding="ascii") as file:
                self.sectors = int(file.read())
            if self.sectors * SECTOR < least_bytes:
                raise OSError(f"{path} is too small: see ramdisk_size of the guest")
            self.path = path
            return
        raise OSError("no disk of memory is free")

    def release(self):
        self.lock.close()


def run(*words):
    done = subprocess.run(words, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    if done.returncode:
        raise OSError(f"{' '.join(map(str, words))}: {done.stdout.strip()}")


def make_ext4(device, size):
    # A small journal, so that a short run goes round it.
    run("/sbin/mke2fs", "-q", "-F", "-t", "ext4", "-b", "4096", "-J", "size=4", "-E",
        "nodiscard,lazy_itable_init=0,lazy_journal_init=0", device,
        f"{size // 1024}k")


def mount(device, directory, options="rw"):
    os.makedirs(directory, exist_ok=True)
    run(BUSYBOX, "mount", "-t", "ext4", "-o", options, device, directory)


def unmount(directory):
    run(BUSYBOX, "umount", directory)
