"""How quiet the machine is: what else ran, and whether the processor kept its speed."""
import json
import os
import subprocess
import time

from harness import TOP

SIGN_LIMIT = os.path.join(TOP, "build/bench/sign_limit")
TICKS = os.sysconf("SC_CLK_TCK")
FOREIGN_MOST = 0.04    # of the machine's CPU time, used by others
SLOWER_MOST = 0.10     # of the calibration loop, between before and after, or below the run's best


class Group:
    """A cgroup (version 2), so that the CPU of children of children counts, too."""

    def __init__(self, name, parent=None):
        self.path = os.path.join(parent.path if parent else self.top(), name)
        os.makedirs(self.path, exist_ok=True)

    @staticmethod
    def top():
        with open("/proc/mounts") as mounts:
            for line in mounts:
                if line.split()[2] == "cgroup2":
                    return line.split()[1]
        raise OSError("no cgroup2 file system is mounted")

    def enter(self):
        """Moves the process that calls this; for Popen's preexec_fn."""
        with open(os.path.join(self.path, "cgroup.procs"), "w") as procs:
            procs.write("0")

    def cpu_seconds(self):
        with open(os.path.join(self.path, "cpu.stat")) as stat:
            return int(stat.readline().split()[1]) / 1e6

    @classmethod
    def sweep(cls, prefix):
        """Removes those that killed measurements have left; one that is in use stays."""
        for name in os.listdir(cls.top()):
            if name.startswith(prefix):
                for path in (os.path.join(cls.top(), name, "peer"), os.path.join(cls.top(), name)):
                    try:
                        os.rmdir(path)
                    except OSError:
                        pass

    def remove(self):
        for _ in range(100):
            try:
                os.rmdir(self.path)
                return
            except OSError:
                time.sleep(0.05)


def machine_cpu():
    """CPU seconds of everybody: (busy, stolen by the host)."""
    with open("/proc/stat") as stat:
        ticks = [int(field) for field in stat.readline().split()[1:]]
    # user nice system idle iowait irq softirq steal
    return (sum(ticks[:3]) + sum(ticks[5:7])) / TICKS, ticks[7] / TICKS


def calibrate(seconds=0.15):
    """RSA signatures a second on all cores at once: a loop that knows nothing but the processor."""
    out = subprocess.run([SIGN_LIMIT, "--threads", str(os.cpu_count()), "--seconds", str(seconds),
                          "--only", "rsa"], stdout=subprocess.PIPE, text=True, check=True).stdout
    return json.loads(out)["rsa_2048"]["signatures_per_second"]


class Watch:
    """Around one measurement: `with` nothing, `end` gives what disturbed it."""

    def __init__(self, group):
        self.group = group
        self.before = calibrate()
        self.load = os.getloadavg()[0]
        self.busy, self.stolen = machine_cpu()
        self.own = group.cpu_seconds()
        self.started = time.monotonic()

    def pause(self):
        """The measured part is over."""
        busy, stolen = machine_cpu()
        whole = (time.monotonic() - self.started) * os.cpu_count()
        own = self.group.cpu_seconds() - self.own
        self.foreign = max(0.0, busy - self.busy - own) / whole
        self.steal = (stolen - self.stolen) / whole

    def end(self):
        return {"before": self.before, "after": calibrate(), "load": self.load,
                "foreign": round(self.foreign, 4), "steal": round(self.steal, 4)}


def verdict(one, best):
    """Why a measurement is disturbed; empty: it is not."""
    why = []
    if one["foreign"] > FOREIGN_MOST:
        why.append(f"others used {one['foreign']:.0%} of the CPU")
    if one["steal"] > FOREIGN_MOST:
        why.append(f"the host took {one['steal']:.0%}")
    slow = 1 - min(one["before"], one["after"]) / max(best, one["before"], one["after"])
    if slow > SLOWER_MOST:
        why.append(f"the processor was {slow:.0%} slower")
    return ", ".join(why)
