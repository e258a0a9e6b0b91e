"""A disk of its own size for a sender's data: a tmpfs in a mount namespace that ends with the test.

    disk = SmallDisk(sender.data, "48m")
    sender.prefix = disk.prefix       # the sender sees the disk, nobody else does
    disk.fill()                       # to the last block
    disk.free()

What lies on it is seen at `disk.path`. SmallDisk.why_not() says why it cannot be had here.
"""

import ctypes
import os
import pathlib
import subprocess

SCRIPT = 'mount -t tmpfs -o "size=$1,mode=755" none "$2" && echo ready && exec sleep infinity'
UNSHARE = ("unshare", "--mount", "--propagation", "private", "--")


class SmallDisk:
    @staticmethod
    def why_not():
        try:
            result = subprocess.run([*UNSHARE, "mount", "-t", "tmpfs", "none", "/mnt"], check=False,
                                    capture_output=True, text=True)
        except FileNotFoundError as error:
            return str(error)
        return result.stderr.strip() if result.returncode else ""

    def __init__(self, directory, size):
        pathlib.Path(directory).mkdir(parents=True, exist_ok=True)
        self.process = subprocess.Popen([*UNSHARE, "sh", "-c", SCRIPT, "sh", size, str(directory)],
                                        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True)
        assert self.process.stdout.readline() == "ready\n"
        pid = self.process.pid
        self.prefix = ("nsenter", "--mount", "--target", str(pid), "--")
        self.path = pathlib.Path(f"/proc/{pid}/root{directory}")
        self.other = self.path / "other"

    def fill(self):
        """Takes every block that is left."""
        with open(self.other, "ab", buffering=0) as out:
            for size in (1 << 20, 4096):
                try:
                    while out.write(bytes(size)):
                        pass
                except OSError:
                    pass
        assert self.free_bytes() == 0

    def free(self):
        self.other.unlink(missing_ok=True)

    def free_bytes(self):
        fs = os.statvfs(self.path)
        return fs.f_bavail * fs.f_frsize

    def compact(self):
        """
        Leaves the queue no block but those in use: neither its reserve nor free pages, as a file
        system does it that can set nothing aside. No sender may run.
        """
        queue = self.path / "queue"
        copy = self.path / "compact"
        copy.mkdir()
        lmdb = ctypes.CDLL("liblmdb.so.0")
        env = ctypes.c_void_p()
        assert lmdb.mdb_env_create(ctypes.byref(env)) == 0
        assert lmdb.mdb_env_open(env, os.fsencode(queue), 0, 0o600) == 0
        assert lmdb.mdb_env_copy2(env, os.fsencode(copy), 1) == 0
        lmdb.mdb_env_close(env)
        os.rename(copy / "data.mdb", queue / "data.mdb")
        copy.rmdir()

    def close(self):
        self.process.kill()
        self.process.wait()
        self.process.stdout.close()
