"""The parts of the bench that ask how far it goes: sessions, fairness, long queues, restarts."""
import os
import re
import shutil
import subprocess
import time
import urllib.request

from harness import Sender, Sink, write_config
from job import Job
from session import say

CUSTOMER = "bench.example"
CROWD_SITES = 5          # receivers of the crowd, each with a fifth of the sessions
CROWD_MESSAGES = 8       # of a session, on average
BYSTANDER = 100          # recipients of the campaign that comes while the crowd is busy
METRICS = 9641


def prepare(s, name, count, **wanted):
    """A folder with a job and its key, as write_config wants it."""
    directory = os.path.join(s.directory, name)
    shutil.rmtree(directory, ignore_errors=True)
    job = Job(os.path.join(directory, "job"), count, **wanted)
    os.link(job.key, os.path.join(directory, f"{CUSTOMER}.s1.pem"))
    return directory, job


def create(sender, name, job, recipients=None):
    started = time.monotonic()
    sender.command("campaign", "create", "--name", name, "--customer", CUSTOMER, "--template",
                   job.template, "--recipients", recipients or job.list)
    return time.monotonic() - started


# ---- sessions ----

def sessions_of(s, count, starttls):
    """Memory of sessions that wait: a sink that answers late, and many sessions."""
    directory, job = prepare(s, "sessions", count * 12)
    tls = "opportunistic" if starttls else "never"
    config = write_config(directory, 2525, CUSTOMER,
                          f'sessions = {count}  messages-per-session = 100000  depth = 1  idle = "60s"  '
                          f'tls = "{tls}"', 2, "in-flight = 65536")
    sink = Sink(directory, 2525, "--delay-ms", "50-500", *(["--starttls"] if starttls else []))
    sender = Sender(directory, config)
    create(sender, "bench", job)
    before = sender.resident_kib()
    sender.command("campaign", "start", "bench")
    most, most_open, state = 0, 0, ""
    while state != "done":
        state = sender.ask("campaign", "status", "bench")["state"]
        now_open = sender.ask("status")["sessions"]["open"]
        if now_open >= most_open:
            most_open, most = now_open, max(most, sender.resident_kib())
        time.sleep(0.2)
    sender.end()
    seen = sink.figures()
    each = (most - before) / max(most_open, 1)
    say(f"  {most_open:,} sessions open at once{' (STARTTLS)' if starttls else ''}, {each:.2f} KiB each")
    return {"wanted": count, "open": most_open, "seen": seen["max_concurrent"], "kib_each": each,
            "before_mib": before / 1024, "most_mib": most / 1024, "tls_sessions": seen["tls_sessions"]}


def sessions(s, a):
    s.keep("sessions", {**sessions_of(s, a.sessions, False), "tls": sessions_of(s, a.sessions, True)})


PACE_SESSIONS = 500
PACE_DELAY_MS = (50, 500)
PACE_SECONDS = 10


def pace(s, a):
    """Few sessions at a receiver that waits: the time of a transaction is the bound (see cost.py)."""
    directory, job = prepare(s, "pace", PACE_SESSIONS * 60)
    config = write_config(directory, 2525, CUSTOMER, f"sessions = {PACE_SESSIONS}  depth = 1  "
                          "messages-per-session = 100000", 2)
    sink = Sink(directory, 2525, "--delay-ms", "{}-{}".format(*PACE_DELAY_MS))
    sender = Sender(directory, config)
    create(sender, "bench", job)
    sender.command("campaign", "start", "bench")
    while sender.ask("status")["sessions"]["open"] < PACE_SESSIONS:
        time.sleep(0.1)
    counts = []
    for _ in range(2):
        counts.append((sender.ask("campaign", "status", "bench")["delivered"], time.monotonic()))
        time.sleep(PACE_SECONDS if len(counts) == 1 else 0)
    sender.process.kill()
    sender.process.wait()
    sink.end()
    rate = (counts[1][0] - counts[0][0]) / (counts[1][1] - counts[0][1])
    say(f"  {PACE_SESSIONS} sessions at a receiver that waits: {rate:,.0f}/s")
    s.keep("pace", {"sessions": PACE_SESSIONS, "delay_ms": PACE_DELAY_MS, "rate": rate})


# ---- a crowd of sessions at slow receivers, and somebody who comes by ----

def accepted_by_site():
    """site -> messages accepted so far, from the sender's metrics."""
    with urllib.request.urlopen(f"http://127.0.0.1:{METRICS}/metrics") as page:
        text = page.read().decode()
    found = {}
    for site, value in re.findall(
            r'^hikyaku_messages_total\{[^}]*site="([^"]*)",outcome="delivered"\} (\d+)', text, re.M):
        found[site] = found.get(site, 0) + int(value)
    return found


def jain(values):
    """1: all have the same; 1/n: one has everything."""
    return sum(values) ** 2 / (len(values) * sum(v * v for v in values)) if any(values) else 0


def crowd_list(job, path, count):
    """By site in order, as a list sorted by domain is: the sender alone can make it fair."""
    with open(path, "w") as out:
        out.write("email,number\n")
        for site in range(CROWD_SITES):
            for i in range(count // CROWD_SITES):
                out.write(f"reader{i}@shop{i % 500}.g{site}.example,{i}\n")
    return path


def bystander(sender, directory, job):
    """Seconds that a small campaign to a quick receiver takes beside the crowd."""
    path = os.path.join(directory, "bystander.csv")
    with open(path, "w") as out:
        out.write("email,number\n" + "".join(f"r{i}@quick.example,{i}\n" for i in range(BYSTANDER)))
    create(sender, "bystander", job, path)
    started = time.monotonic()
    sender.command("campaign", "start", "bystander")
    sender.wait_for("bystander", pause=0.02)
    return time.monotonic() - started


def crowd(s, a):
    """Slow receivers that hold all the sessions they are given; what each gets of the sender."""
    directory, job = prepare(s, "crowd", 1)
    each = a.crowd // CROWD_SITES
    relays = "".join(f'route "*.g{k}.example" {{ relay = "127.0.0.{k + 1}:2525" }}\n'
                     for k in range(CROWD_SITES))
    relays += 'route "quick.example" { relay = "127.0.0.9:2526" }\n'
    config = write_config(directory, 2525, CUSTOMER, f'sessions = {each}  depth = 1  idle = "60s"  '
                          "messages-per-session = 100000", 3, f"in-flight = {a.crowd + 20000}",
                          routes=relays)
    sink = Sink(directory, 2525, "--addresses", str(CROWD_SITES), "--processes", "4", "--delay-ms",
                "2000-4000")
    quick_directory = os.path.join(directory, "quick")
    os.makedirs(quick_directory)
    quick = Sink(quick_directory, 2526, "--addresses", "9")
    sender = Sender(directory, config)
    create(sender, "bench", job, crowd_list(job, os.path.join(directory, "crowd.csv"),
                                            a.crowd * CROWD_MESSAGES))
    before = sender.resident_kib()
    started = time.monotonic()
    sender.command("campaign", "start", "bench")
    most, most_open, full, fair, waited, state = 0, 0, None, None, None, ""
    while state != "done":
        campaign = sender.ask("campaign", "status", "bench")
        state = campaign["state"]
        now_open = sender.ask("status")["sessions"]["open"]
        if now_open >= most_open:
            most_open, most = now_open, max(most, sender.resident_kib())
        if full is None and now_open >= a.crowd * 0.99:
            full = time.monotonic() - started
        if fair is None and campaign["delivered"] >= campaign["total"] / 2:
            fair = jain([v for site, v in accepted_by_site().items() if "2525" in site])
            waited = bystander(sender, directory, job)
        time.sleep(0.2)
    seconds = time.monotonic() - started
    sender.end()
    quick.end()
    seen = sink.figures()
    kib = (most - before) / max(most_open, 1)
    say(f"  {most_open:,} sessions open at once after {full or 0:.1f} s, {kib:.2f} KiB each; Jain's index "
        f"{fair:.4f}; a campaign of {BYSTANDER} beside them in {1000 * waited:.0f} ms")
    s.keep("crowd", {"wanted": a.crowd, "open": most_open, "full_seconds": full, "kib_each": kib,
                     "before_mib": before / 1024, "most_mib": most / 1024, "jain": fair,
                     "bystander_seconds": waited, "bystander": BYSTANDER, "sites": CROWD_SITES,
                     "seen": seen["max_concurrent"], "messages": seen["messages"],
                     "violations": seen["violations"], "malformed": seen["malformed"],
                     "rate": seen["messages"] / seconds})


# ---- long queues ----

def backlog_run(s, name, count, *sink_options):
    directory, job = prepare(s, name, count, personal=False)
    config = write_config(directory, 2525, CUSTOMER, "sessions = 64  messages-per-session = 100000", 2,
                          'map-size-max = "64G"', sign=False)
    return directory, job, config, Sink(directory, 2525, *sink_options), Sender(directory, config)


def throughput(s, count):
    """One campaign of so many, unsigned: the queue is what is measured."""
    directory, job, _, sink, sender = backlog_run(s, "long", count)
    imported = create(sender, "bench", job)
    started = time.monotonic()
    sender.command("campaign", "start", "bench")
    answered = time.monotonic() - started
    most = 0
    while sender.ask("campaign", "status", "bench")["state"] != "done":
        most = max(most, sender.anonymous_kib())
        time.sleep(0.02 if count < 100_000 else 0.5)
    sender.end()
    seen = sink.figures()
    shutil.rmtree(directory)
    rate = count / (seen["last_at"] - started)
    say(f"  {count:>10,} recipients: {rate:,.0f}/s, import {imported:.2f} s, start answered in "
        f"{1000 * answered:.0f} ms, {most / 1024:.0f} MiB of its own")
    return {"count": count, "rate": rate, "import_seconds": imported, "start_seconds": answered,
            "own_mib": most / 1024, "arrived": seen["messages"]}


def restart(s, a):
    """A queue of deferred records: how soon a sender that starts on it answers, and sends."""
    directory, job, config, sink, sender = backlog_run(s, "deferred", a.deferred,
                                                       "--defer-percent", "100")
    create(sender, "bench", job)
    started = time.monotonic()
    sender.command("campaign", "start", "bench")
    while sender.ask("campaign", "status", "bench")["deferred"] < a.deferred:
        time.sleep(0.5)
    rate = a.deferred / (time.monotonic() - started)
    sender.process.kill()  # the hardest start: leases and the journal are to be settled, too
    sender.process.wait()
    sink.end()
    sink = Sink(directory, 2525)
    started = time.monotonic()
    sender = Sender(directory, config, pause=0.005)
    answers = time.monotonic() - started
    waited = bystander(sender, directory, job)
    own = sender.anonymous_kib()
    sender.end()
    sink.end()
    shutil.rmtree(directory)
    say(f"  {a.deferred:,} deferred at {rate:,.0f}/s; started again: answers after {1000 * answers:.0f} ms, "
        f"{BYSTANDER} other mails {1000 * waited:.0f} ms later, {own / 1024:.0f} MiB of its own")
    return {"count": a.deferred, "rate": rate, "answers_seconds": answers, "bystander": BYSTANDER,
            "bystander_seconds": waited, "own_mib": own / 1024}


def backlog(s, a):
    runs = [throughput(s, count) for count in (a.small, a.huge, a.small)]
    s.keep("backlog", {"runs": runs, "restart": restart(s, a)})
