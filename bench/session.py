"""One run of the bench: measures, repeats what was disturbed, and keeps everything in a JSON file."""
import json
import os
import platform
import subprocess
import time

import contest
from harness import TOP
from noise import calibrate, verdict

TRIES = 3


def say(text):
    print(f"{time.strftime('%H:%M:%S')}  {text}", flush=True)


def machine():
    with open("/proc/cpuinfo") as info:
        text = info.read()
    model = next(line.split(":", 1)[1].strip() for line in text.split("\n")
                 if line.startswith("model name"))
    return {"cpu": model, "cores": os.cpu_count(), "kernel": platform.release(),
            "ifma": "avx512ifma" in text,
            "memory_gib": round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30)}


def commit():
    out = subprocess.run(["git", "-C", TOP, "describe", "--always", "--dirty"], stdout=subprocess.PIPE,
                         text=True).stdout.strip()
    return out or "unknown"


class Session:
    def __init__(self, directory, results, tries=TRIES):
        self.directory = directory
        self.results = results
        self.tries = tries
        self.best = calibrate(1.0)  # signatures a second of the machine at its quietest
        self.data = {"machine": machine(), "commit": commit(), "parts": {}, "settings": {},
                     "started": time.strftime("%Y-%m-%d %H:%M"), "load": os.getloadavg()[0],
                     "calibration_first": self.best}

    def measure(self, peer, **wanted):
        """The least disturbed of at most `tries` measurements; ends the bench when it cannot be done."""
        kept = None
        for _ in range(self.tries):
            result = contest.run(peer, self.directory, **wanted)
            if result is None:
                raise SystemExit(f"{peer} cannot be measured: see {self.directory}/{peer}")
            noise = result["noise"]
            self.best = max(self.best, noise["before"], noise["after"])
            noise["why"] = verdict(noise, self.best)
            noise["sum"] = noise["foreign"] + noise["steal"] + abs(
                1 - min(noise["before"], noise["after"]) / self.best)
            if kept is None or (result["good"], -noise["sum"]) > (kept["good"], -kept["noise"]["sum"]):
                kept = result
            # One that has not made it in its time will not the next time.
            if not noise["why"] and (result["good"] or not result["complete"]):
                break
        say(f"  {kept['title']:28} {kept['rate']:>9,.0f}/s, {kept['per_cpu_second']:>8,.0f} a CPU second"
            + ("" if kept["good"] else ", NOT WHAT WAS ASKED FOR")
            + (f"  (disturbed: {kept['noise']['why']})" if kept["noise"]["why"] else ""))
        return kept

    def keep(self, part, value):
        """After each part, so that a run that is cut short has something to show."""
        self.data["parts"][part] = value
        self.data["calibration_last"] = calibrate(1.0)
        self.data["best"] = max(self.best, self.data["calibration_last"])
        self.data["minutes"] = round((time.time() - time.mktime(time.strptime(
            self.data["started"], "%Y-%m-%d %H:%M"))) / 60)
        os.makedirs(os.path.dirname(self.results), exist_ok=True)
        with open(self.results + ".part", "w") as out:
            json.dump(self.data, out, indent=1)
        os.rename(self.results + ".part", self.results)
