#!/usr/bin/python3
"""How fast mail is taken in: `hikyaku receive` beside Postfix's smtpd, both durable, in one run.

usage: bench/inbound.py [--messages N] [--sessions N] [--size BYTES] [--rounds N]     as root

Postfix's own smtp-source feeds both in turn over loopback, with spools on the same disk. Postfix keeps
what it takes in its hold queue: smtpd, cleanup and their fsync count, a queue manager's work does not;
our files stay in the spool likewise. Printed are messages a second and CPU seconds for 1,000 messages
(of the server and its children, smtp-source apart), the median of the rounds, and the ratios. Run it when
nothing else runs: the load of the machine at the beginning is printed, too.
"""

import argparse
import os
import pathlib
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "tests" / "integration"))

from ports import free_port  # noqa: E402

PROGRAM = os.environ.get("HIKYAKU", str(ROOT / "build/host/hikyaku"))
RECIPIENT = "bounce-abc123@courier.example"
DAEMONS = "/usr/lib/postfix/sbin"

OURS = """\
customer "courier.example" {{ address "any" {{ ehlo = "mail.courier.example" }} sign = false }}
receive {{
	listen = {{"127.0.0.1:{port}"}}
	hostname = "mx.courier.example"
	spool = "{folder}/spool"
	spool-free = "0"
	connections-per-client = 2000
}}
"""
MASTER_CF = """\
127.0.0.1:{port} inet n - n - {processes} smtpd
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
showq unix n - n - - showq
error unix - - n - - error
retry unix - - n - - error
discard unix - - n - - discard
anvil unix - - n - 1 anvil
proxymap unix - - n - - proxymap
"""
MAIN_CF = """\
compatibility_level = 3.6
queue_directory = {folder}/queue
data_directory = {folder}/data
command_directory = /usr/sbin
daemon_directory = {daemons}
mail_owner = postfix
setgid_group = postdrop
myhostname = mx.courier.example
mydestination =
relay_domains = courier.example
mynetworks = 127.0.0.0/8
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
alias_maps =
alias_database =
maillog_file = {folder}/log
maillog_file_prefixes = {folder}
smtpd_peername_lookup = no
smtpd_recipient_restrictions = check_recipient_access static:HOLD, permit_mynetworks, reject
smtpd_relay_restrictions =
smtpd_client_connection_count_limit = 0
smtpd_client_connection_rate_limit = 0
smtpd_error_sleep_time = 0
smtpd_tls_security_level = none
in_flow_delay = 0
default_process_limit = {processes}
max_use = 100000
receive_override_options = no_address_mappings, no_header_body_checks, no_unknown_recipient_checks
disable_mime_input_processing = yes
local_header_rewrite_clients =
"""


def wait_for(port):
    end = time.monotonic() + 30
    while True:
        try:
            with socket.create_connection(("127.0.0.1", port), timeout=5) as connection:
                if connection.recv(3) == b"220":
                    return
        except OSError:
            if time.monotonic() > end:
                raise
        time.sleep(0.05)


def start_ours(folder, port, _):
    (folder / "conf").write_text(OURS.format(port=port, folder=folder))
    return subprocess.Popen([PROGRAM, "receive", "--config", str(folder / "conf")], stdin=subprocess.DEVNULL,
                            stdout=subprocess.DEVNULL, stderr=open(folder / "log", "wb"))


def start_postfix(folder, port, sessions):
    conf, queue, data = folder / "conf", folder / "queue", folder / "data"
    for one in (conf, queue, data):
        one.mkdir()
    shutil.chown(data, "postfix", "postfix")
    values = {"port": port, "folder": folder, "daemons": DAEMONS, "processes": sessions + 10}
    (conf / "main.cf").write_text(MAIN_CF.format(**values))
    (conf / "master.cf").write_text(MASTER_CF.format(**values))
    # It makes its queue's folders itself; their owners are the program's business.
    for name, owner in (("active", "postfix"), ("bounce", "postfix"), ("corrupt", "postfix"),
                        ("defer", "postfix"), ("deferred", "postfix"), ("flush", "postfix"),
                        ("hold", "postfix"), ("incoming", "postfix"), ("private", "postfix"),
                        ("saved", "postfix"), ("trace", "postfix"), ("pid", "root"), ("public", "postfix"),
                        ("maildrop", "postfix")):
        (queue / name).mkdir()
        shutil.chown(queue / name, owner)
    return subprocess.Popen([f"{DAEMONS}/master", "-c", str(conf), "-d"], stdin=subprocess.DEVNULL,
                            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def taken(name, folder):
    where = folder / ("spool/new" if name == "hikyaku" else "queue/hold")
    return sum(1 for path in where.rglob("*") if path.is_file())


def cpu_of_tree(pid):
    """CPU seconds of a process, of those that it started, and of those that they have waited for."""
    ticks = 0
    for task in pathlib.Path(f"/proc/{pid}/task").iterdir():
        for child in (task / "children").read_text().split():
            ticks += cpu_of_tree(child) * os.sysconf("SC_CLK_TCK")
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (ticks + sum(map(int, fields[11:15]))) / os.sysconf("SC_CLK_TCK")


def measure(name, start, options, folder):
    """(messages a second, CPU seconds for 1,000 messages)"""
    folder.mkdir(mode=0o755)
    port = free_port()
    # What others left for the disk is not this one's to write.
    os.sync()
    process = start(folder, port, options.sessions)
    try:
        wait_for(port)
        cpu = -cpu_of_tree(process.pid)
        started = time.monotonic()
        subprocess.run(["/usr/sbin/smtp-source", "-d", "-s", str(options.sessions),
                        "-m", str(options.messages), "-l", str(options.size),
                        "-f", "a@sender.test", "-t", RECIPIENT, f"127.0.0.1:{port}"],
                       check=True, stdout=subprocess.DEVNULL, timeout=600)
        seconds = time.monotonic() - started
        cpu += cpu_of_tree(process.pid)
        there = taken(name, folder)
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait()
    assert there == options.messages, f"{name} has {there} of {options.messages} messages"
    return options.messages / seconds, cpu * 1000 / options.messages


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--messages", type=int, default=5000)
    parser.add_argument("--sessions", type=int, default=20)
    parser.add_argument("--size", type=int, default=4000)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    base = ROOT / "build/bench/inbound"
    base.mkdir(parents=True, exist_ok=True)
    load = os.getloadavg()[0]
    servers = {"postfix": start_postfix, "hikyaku": start_ours}
    results = {name: [] for name in servers}
    # Folders go at the very end: removing thousands of files keeps the journal busy.
    with tempfile.TemporaryDirectory(dir=base) as at:
        os.chmod(at, 0o755)
        for number in range(options.rounds):
            for name, start in servers.items():
                results[name].append(measure(name, start, options, pathlib.Path(at, f"{name}{number}")))
    print(f"{options.messages} messages of {options.size} bytes, {options.sessions} sessions, "
          f"{options.rounds} rounds; load {load:.1f} on {os.cpu_count()} cores")
    medians = {}
    for name, rounds in results.items():
        medians[name] = [statistics.median(column) for column in zip(*rounds)]
        each = ", ".join(f"{rate:,.0f}" for rate, _ in rounds)
        print(f"{name:8} {medians[name][0]:8,.0f} messages/s ({each})   "
              f"{medians[name][1]:.3f} CPU s for 1,000 messages")
    print(f"ratio    {medians['hikyaku'][0] / medians['postfix'][0]:8.1f} times the messages/s, "
          f"1/{medians['postfix'][1] / medians['hikyaku'][1]:.1f} of the CPU")


if __name__ == "__main__":
    main()
