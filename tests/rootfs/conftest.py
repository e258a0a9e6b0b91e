"""What tests of the root file system share: its archive, and the archive unpacked, in its own network."""
import importlib.machinery
import importlib.util
import os
import pathlib
import shutil
import stat
import subprocess
import sys

import pytest

TOP = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(TOP / "rootfs"))
import cpio  # noqa: E402

BUILT = TOP / "build/rootfs"
PROGRAM = TOP / "build/static/hikyaku"
SETGID, NET_BIND_SERVICE, NET_BROADCAST, NET_RAW = 6, 10, 11, 13  # capabilities
WAIT_S = 60


def builder():
    """rootfs/build as a module."""
    loader = importlib.machinery.SourceFileLoader("rootfs_build", str(TOP / "rootfs/build"))
    module = importlib.util.module_from_spec(importlib.util.spec_from_loader(loader.name, loader))
    loader.exec_module(module)
    return module


@pytest.fixture(scope="session")
def packed():
    """The packed archive, made anew if anything in it has changed."""
    subprocess.run(["make", "--no-print-directory", "rootfs"], cwd=TOP, check=True, stdin=subprocess.DEVNULL,
                   stdout=subprocess.DEVNULL)
    return BUILT / "rootfs.cpio.zst"


@pytest.fixture(scope="session")
def unpacked(packed):
    """The archive's bytes."""
    return subprocess.run(["zstd", "-dcq", "--long=27", packed], check=True, stdout=subprocess.PIPE).stdout


@pytest.fixture(scope="session")
def entries(unpacked):
    return {name: entry for name, entry, *_ in cpio.read(unpacked)}


class Guest:
    """The root file system below `root`, in a network namespace where only loopback is."""

    count = 0

    def __init__(self, directory, entries):
        Guest.count += 1
        self.name = f"hkroot{os.getpid()}-{Guest.count}"
        self.root, self.state = directory / "root", directory / "state"
        self.running = []
        for name, entry in sorted(entries.items()):
            self.unpack(self.root / name, entry)
        for name in ("run", "data"):
            (self.state / name).mkdir(parents=True)
        subprocess.run(["ip", "netns", "add", self.name], check=True)
        subprocess.run(["ip", "-n", self.name, "link", "set", "lo", "up"], check=True)
        self.inside = ["ip", "netns", "exec", self.name]

    @staticmethod
    def unpack(path, entry):
        path.parent.mkdir(parents=True, exist_ok=True)
        if stat.S_ISDIR(entry.mode):
            path.mkdir(exist_ok=True)
        elif stat.S_ISLNK(entry.mode):
            path.symlink_to(os.fsdecode(entry.data))
        elif stat.S_ISREG(entry.mode):
            path.write_bytes(entry.data)
        # Devices are mounted over.
        if not stat.S_ISLNK(entry.mode) and path.exists():
            path.chmod(stat.S_IMODE(entry.mode))

    def folder(self, path, user, mode=0o755):
        """A folder below /run or /data, owned by a user's number."""
        made = self.state / path.lstrip("/")
        made.mkdir(parents=True)
        os.chown(made, user, user)
        made.chmod(mode)
        return made

    def command(self, user, *words, capabilities=()):
        numbers = ",".join(map(str, capabilities)) or "-"
        return [*self.inside, sys.executable, str(TOP / "tests/rootfs/enter.py"), str(self.root),
                str(self.state), user, numbers, *words]

    def run(self, user, *words):
        """Runs a program to its end; the result of subprocess.run, with stdout and stderr in one text."""
        return subprocess.run(self.command(user, *words), text=True, timeout=WAIT_S, check=False,
                              stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)

    def start(self, user, *words, capabilities=()):
        """Starts a service of the appliance; its messages go to the log that is returned."""
        return self.begin(self.command(user, *words, capabilities=capabilities))

    def serve(self, *words):
        """Starts a program of this machine in the guest's network."""
        return self.begin([*self.inside, *words])

    def begin(self, command):
        log = self.state / f"log{len(self.running)}"
        with open(log, "wb") as out:
            self.running.append(subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=out, stderr=out))
        return log

    def client(self, *words, **options):
        """Runs a program of this machine in the guest's network, to its end."""
        options = {"stdin": subprocess.DEVNULL} | options
        return subprocess.run([*self.inside, *words], text=True, timeout=WAIT_S, check=False,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, **options)

    def close(self):
        for process in self.running:
            process.terminate()
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        subprocess.run(["ip", "netns", "del", self.name], check=True)
        shutil.rmtree(self.root)


@pytest.fixture
def guest(tmp_path, entries):
    made = Guest(tmp_path, entries)
    yield made
    made.close()
    for log in made.state.glob("log*"):
        print(f"---- {log.name}\n{log.read_text(errors='replace')}")
