"""Systems of one small program, for tests of what happens before a system runs: firmware, GRUB, slots."""
import gzip
import io
import pathlib
import stat
import subprocess
import sys
import tempfile

from machine import TOP, kernel, layout

sys.path.insert(0, str(TOP / "kernel-config"))
import guest  # noqa: E402


def rootfs(path, name, panics=False):
    """A root file system that says its name first, and then obeys, or panics."""
    with tempfile.NamedTemporaryFile() as program:
        subprocess.run(["gcc", "-static", "-O1", f'-DNAME="{name}"', f"-DPANICS={int(panics)}", "-o",
                        program.name, TOP / "tests/appliance/tiny_init.c"], check=True)
        archive = guest.Archive()
        for folder in ("/proc", "/dev"):
            archive.add(folder, stat.S_IFDIR | 0o755, b"")
        archive.add("/init", stat.S_IFREG | 0o755, pathlib.Path(program.name))
        whole = io.BytesIO()
        archive.write(whole)
    path.write_bytes(gzip.compress(whole.getvalue(), 6, mtime=0))
    return path


def image(path, rootfs_path, **files):
    """An image of the product's own making around a system of ours. `files`: PATH on the ESP -> file."""
    words = [f"--file={name}={source}" for name, source in files.items()]
    subprocess.run([TOP / "appliance/image", "--kernel", kernel(), "--rootfs", rootfs_path, *words, path],
                   check=True, stdout=subprocess.DEVNULL)
    return pathlib.Path(path)


def variables(**values):
    return layout.environment_block({"good": "a", "try": "", "tries": "0", "pending": "0"} | values)
