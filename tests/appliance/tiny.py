"""Systems of a few lines, for tests of what happens before a system runs: firmware, GRUB, slots."""
import gzip
import io
import pathlib
import stat
import subprocess
import sys

from machine import TOP, kernel, layout

sys.path.insert(0, str(TOP / "kernel-config"))
import guest  # noqa: E402

INIT = """#!/bin/busybox sh
b=/bin/busybox
$b mount -t proc none /proc
$b mount -t devtmpfs none /dev
exec </dev/console >/dev/console 2>&1
echo "system {name} runs: $($b cat /proc/cmdline)"
{act}
"""
ACTS = {
    # Does what it is told on the serial line.
    "obeys": "while read word; do case $word in reboot|poweroff) $b $word -f;; *) $word;; esac; done",
    "panics": "exit 1",
}
DISKS = "$b grep -E ' (vd|sd|nvme)' /proc/partitions"


def rootfs(path, name, act):
    archive = guest.Archive()
    for folder in ("/proc", "/dev"):
        archive.add(folder, stat.S_IFDIR | 0o755, b"")
    archive.add_program(guest.BUSYBOX)
    archive.add("/init", stat.S_IFREG | 0o755, INIT.format(name=name, act=act).encode())
    whole = io.BytesIO()
    archive.write(whole)
    path.write_bytes(gzip.compress(whole.getvalue(), 1, mtime=0))
    return path


def image(path, rootfs_path, **files):
    """An image of the product's own making around a system of ours. `files`: those of ESP.PATH for it."""
    words = [f"--file={name}={source}" for name, source in files.items()]
    subprocess.run([TOP / "appliance/image", "--kernel", kernel(), "--rootfs", rootfs_path, *words, path],
                   check=True, stdout=subprocess.DEVNULL)
    return pathlib.Path(path)


def variables(**values):
    return layout.environment_block({"good": "a", "try": "", "tries": "0", "pending": "0"} | values)
