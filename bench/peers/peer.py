"""What the peers have in common: where their programs come from, how they are started and fed.

A peer runs in the namespaces that bench/contest.py made for it, as root like in life. Debian's packages
are downloaded and unpacked below ~/.cache/hikyaku, never installed, and laid over /usr; what comes from
npm is installed there by the lock file in npm/. README.md beside this file says how each one is tuned.
"""
import hashlib
import os
import pathlib
import shutil
import socket
import subprocess
import sys
import time

from job import SINK_ADDRESS

HERE = pathlib.Path(__file__).resolve().parent
TOP = HERE.parents[1]
CACHE = pathlib.Path(os.environ.get("HIKYAKU_CACHE",
                                    pathlib.Path.home() / ".cache" / "hikyaku")) / "bench" / "peers"
INJECT = TOP / "build/bench/inject"
NOSYNC = TOP / "build/bench/nosync.so"
USERS = (("postfix", 64990), ("postdrop", 64991), ("Debian-exim", 64992), ("opensmtpd", 64993),
         ("opensmtpq", 64994))
QUIET = {"stdin": subprocess.DEVNULL, "stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
RETRY_SECONDS = 5  # where the providers ask for a retry; it stands for minutes


def unpack(packages):
    """The folder with these packages unpacked; downloaded at the first use."""
    tree = CACHE / ("debs-" + hashlib.sha256(" ".join(packages).encode()).hexdigest()[:12])
    if not (tree / "complete").exists():
        shutil.rmtree(tree, ignore_errors=True)
        (tree / "debs").mkdir(parents=True)
        subprocess.run(["apt-get", "-q", "-o", "DPkg::Lock::Timeout=600", "-o",
                        "APT::Sandbox::User=root", "download", *packages], cwd=tree / "debs",
                       check=True, **QUIET)
        for package in sorted((tree / "debs").glob("*.deb")):
            subprocess.run(["dpkg", "-x", package, tree], check=True)
        (tree / "complete").touch()
    return tree


def npm_folder():
    """The folder with what npm/package-lock.json names, node among it; installed at the first use."""
    lock = (HERE / "npm/package-lock.json").read_bytes()
    folder = CACHE / ("npm-" + hashlib.sha256(lock).hexdigest()[:12])
    if not (folder / "complete").exists():
        if not shutil.which("npm"):
            sys.exit("npm is missing: Haraka and Nodemailer cannot be installed")
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        for name in ("package.json", "package-lock.json"):
            shutil.copy(HERE / "npm" / name, folder)
        subprocess.run(["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--omit=optional"],
                       cwd=folder, check=True, **QUIET)
        (folder / "complete").touch()
    return folder


def debian_version(tree, package):
    name = next((tree / "debs").glob(f"{package}_*.deb")).name
    return name.split("_")[1].replace("%3a", ":").rpartition(":")[2]


def wait_until(what, condition, seconds=30):
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            sys.exit(f"{what}: waited {seconds} s in vain")
        time.sleep(0.02)


def answers(port, greeting=b""):
    """Whether somebody listens there, and greets so."""
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=5) as connection:
            return connection.recv(len(greeting)) == greeting if greeting else True
    except OSError:
        return False


class Peer:
    name = ""
    title = ""
    queue = ""             # what a message is when it has been taken: "synced to disk", ...
    packages = ()          # Debian's, with those they need and a machine may lack
    npm = False
    share = 1.0            # of the list that a slow one gets, so that a run ends
    port = 2600            # where it takes mail
    sessions = 50          # of the injector
    concurrency = 50       # connections to the sink
    sign = True
    nosync = False         # fsync does nothing, to see what it costs

    def __init__(self, directory, job, group, options):
        self.directory = pathlib.Path(directory)
        self.job = job
        self.group = group          # the cgroup whose CPU counts
        self.servers = []
        self.tree, self.node_modules = self.fetch()
        for name, value in options.items():
            setattr(self, name, value)

    @classmethod
    def fetch(cls):
        """Its programs; from the network only at the first call, which is to come from outside."""
        return (unpack(cls.packages) if cls.packages else None,
                npm_folder() / "node_modules" if cls.npm else None)

    def version(self):
        return ""

    def prepare(self):
        """Files and mounts; the namespace is ours alone."""
        for name in ("etc", "var", "work"):
            (self.directory / name).mkdir(parents=True)
        for name, width in (("passwd", 7), ("group", 4)):
            mine = {user for user, _ in USERS}
            lines = [line for line in pathlib.Path("/etc", name).read_text().splitlines(True)
                     if line.partition(":")[0] not in mine]
            for user, number in USERS:
                fields = [user, "x", str(number), str(number), "", "/", "/usr/sbin/nologin"]
                lines.append(":".join(fields if width == 7 else fields[:3] + [""]) + "\n")
            (self.directory / "etc" / name).write_text("".join(lines))
        if self.nosync:
            shutil.copy(NOSYNC, self.directory / "etc/nosync.so")
            (self.directory / "etc/ld.so.preload").write_text("/etc/nosync.so\n")
        self.configure()
        if self.tree:
            self.mount("-t", "overlay", "overlay", "-o", f"ro,lowerdir={self.tree}/usr:/usr", "/usr")
        self.mount("-t", "overlay", "overlay", "-o", f"ro,lowerdir={self.directory}/etc:/etc", "/etc")
        self.mount("--bind", self.directory / "var", "/var")
        self.mount("-t", "tmpfs", "tmpfs", "/run")

    @staticmethod
    def mount(*words):
        subprocess.run(["mount", *map(str, words)], check=True)

    def destinations(self):
        """(name, domains, address, provider) of every place that mail goes to; domains None: all."""
        if not self.job.providers:
            return [("sink", None, SINK_ADDRESS, None)]
        return [(p.name, p.domains, p.address, p) for p in self.job.providers]

    def connections(self, provider):
        """How many at once where `provider` has a limit."""
        return provider.connections or self.concurrency if provider else self.concurrency

    def launch(self, *command, log=None, **more):
        """A process whose CPU counts."""
        streams = dict(QUIET)
        if log:
            streams["stdout"] = streams["stderr"] = open(self.directory / f"work/{log}.log", "wb")
        return subprocess.Popen([str(word) for word in command], preexec_fn=self.group.enter,
                                start_new_session=True, **(streams | more))

    def serve(self, *command, **more):
        self.servers.append(self.launch(*command, **more))

    def wait_ready(self):
        wait_until(self.title, lambda: answers(self.port, b"220"))

    def submit(self, interval_ms=0):
        """Starts handing the list over; a process that ends when all is taken."""
        return subprocess.Popen(
            [INJECT, "--to", f"127.0.0.1:{self.port}", "--template", self.job.message, "--recipients",
             self.job.recipients, "--from", self.job.sender, "--sessions", str(self.sessions),
             "--interval-ms", str(interval_ms), "--times", self.directory / "work/times"])

    def times(self):
        """address -> seconds since 1970 when it was handed over; nothing when that was broken off."""
        path = self.directory / "work/times"
        lines = path.read_text().splitlines() if path.exists() else []
        return {line.split()[0]: float(line.split()[1]) for line in lines}

    def more(self):
        """Further figures, asked for when all has arrived."""
        return {}

    def stop(self):
        for server in self.servers:
            server.terminate()
        for server in self.servers:
            server.wait(timeout=60)
