#!/usr/bin/python3
"""Postfix with OpenDKIM as a peer: messages a second, end to end, to the sink.

Everything is private: Debian's packages are downloaded and unpacked, not installed, and shown to
a mount, process and network namespace of its own as an overlay on /usr. Configuration, queue and
data stand under --dir, and with the namespace all processes end. Must run as root (Postfix does).

The figure runs from the first injection to the last message that the sink accepts; injection
over SMTP and delivery overlap. CPU seconds are those of Postfix and OpenDKIM with all their
processes; the injector's are shown apart. Prints one JSON line.

The tuning follows Postfix's TUNING_README, QSHAPE_README, CONNECTION_CACHE_README and
MILTER_README and opendkim.conf(5). Postfix syncs each message to the disk before it answers 250.
"""

import argparse
import json
import os
import pathlib
import resource
import shutil
import signal
import subprocess
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
CACHE = pathlib.Path.home() / ".cache" / "hikyaku" / "bench" / "debs"
PACKAGES = [
    "postfix", "opendkim", "libopendkim11", "libmilter1.0.1", "libvbr2", "librbl1",
    "libopendbx1", "libmemcached11", "libunbound8", "liblua5.3-0",
]
POSTFIX_ID, POSTDROP_ID = 64990, 64991
SMTP_PORT, SINK_PORT = 2600, 2525

MASTER_CF = """\
127.0.0.1:{smtp_port} inet n - n - {smtpd} smtpd
pickup unix n - n 60 1 pickup
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
verify unix - - n - 1 verify
flush unix n - n 1000? 0 flush
proxymap unix - - n - - proxymap
proxywrite unix - - n - 1 proxymap
smtp unix - - n - {concurrency} smtp
relay unix - - n - {concurrency} smtp
showq unix n - n - - showq
error unix - - n - - error
retry unix - - n - - error
discard unix - - n - - discard
anvil unix - - n - 1 anvil
scache unix - - n - 1 scache
"""

MAIN_CF = """\
compatibility_level = 3.6
queue_directory = {dir}/queue
data_directory = {dir}/data
meta_directory = {dir}/conf
command_directory = /usr/sbin
daemon_directory = /usr/lib/postfix/sbin
shlib_directory = /usr/lib/postfix
mail_owner = postfix
setgid_group = postdrop
myhostname = mta.sender.test
mydestination =
mynetworks = 127.0.0.0/8
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
relayhost = [127.0.0.1]:{sink_port}
alias_maps =
alias_database =
local_recipient_maps =
disable_dns_lookups = yes
smtp_dns_support_level = disabled
smtpd_peername_lookup = no
smtpd_relay_restrictions = permit_mynetworks, reject
smtpd_client_connection_count_limit = 0
smtpd_client_connection_rate_limit = 0
smtpd_error_sleep_time = 0
smtpd_tls_security_level = none
smtp_tls_security_level = none
smtputf8_enable = no
receive_override_options = no_address_mappings, no_header_body_checks, no_unknown_recipient_checks
disable_mime_input_processing = yes
disable_mime_output_conversion = yes
local_header_rewrite_clients =
in_flow_delay = 0
default_process_limit = {processes}
max_use = 100000
qmgr_message_active_limit = 100000
qmgr_message_recipient_limit = 100000
default_destination_concurrency_limit = {concurrency}
smtp_destination_concurrency_limit = {concurrency}
initial_destination_concurrency = {concurrency}
smtp_connection_cache_destinations = [127.0.0.1]:{sink_port}
smtp_connection_cache_time_limit = 30s
smtp_connection_reuse_time_limit = 3600s
minimal_backoff_time = 1s
message_size_limit = 0
notify_classes =
"""

MILTER_CF = """\
smtpd_milters = unix:{dir}/opendkim.sock
milter_protocol = 6
milter_default_action = tempfail
"""

OPENDKIM_CONF = """\
Domain sender.test
Selector bench
KeyFile {dir}/bench.private
Socket local:{dir}/opendkim.sock
Canonicalization relaxed/relaxed
SignatureAlgorithm rsa-sha256
OversignHeaders From
Mode s
Syslog no
UMask 000
RequireSafeKeys no
"""


def run(*command, **more):
    return subprocess.run([str(word) for word in command], check=True, **more)


def parse():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--messages", type=int, default=10000)
    parser.add_argument("--size", type=int, default=8192, help="bytes of text, without header")
    parser.add_argument("--no-dkim", action="store_true")
    parser.add_argument("--sessions", type=int, default=100, help="of the injector")
    parser.add_argument("--concurrency", type=int, default=50, help="connections to the sink")
    parser.add_argument("--seconds-max", type=float, default=600)
    parser.add_argument("--sample", type=int, default=50, help="signatures to verify")
    parser.add_argument("--dir", type=pathlib.Path,
                        default=ROOT / "build" / "bench" / "peers" / "postfix")
    parser.add_argument("--inside", action="store_true", help=argparse.SUPPRESS)
    return parser.parse_args()


def unpack(tree):
    """Downloads what the cache lacks and unpacks it all to `tree`."""
    CACHE.mkdir(parents=True, exist_ok=True)
    for package in PACKAGES:
        if not list(CACHE.glob(f"{package}_*.deb")):
            run("apt-get", "-q", "-o", "DPkg::Lock::Timeout=600", "-o",
                "APT::Sandbox::User=root", "download", package, cwd=CACHE,
                stdout=subprocess.DEVNULL)
        newest = max(CACHE.glob(f"{package}_*.deb"), key=lambda path: path.stat().st_mtime)
        run("dpkg", "-x", newest, tree)


def add_users(directory):
    """The users that Postfix insists on, for this namespace only."""
    for name, line in (
            ("passwd", f"postfix:x:{POSTFIX_ID}:{POSTFIX_ID}::/:/usr/sbin/nologin\n"),
            ("group", f"postfix:x:{POSTFIX_ID}:\npostdrop:x:{POSTDROP_ID}:\n")):
        # Where Postfix is installed it has users of these names already, with other numbers.
        others = [other for other in pathlib.Path("/etc", name).read_text().splitlines(True)
                  if other.partition(":")[0] not in ("postfix", "postdrop")]
        copy = directory / name
        copy.write_text("".join(others) + line)
        run("mount", "--bind", copy, f"/etc/{name}")


def configure(args):
    directory = args.dir
    conf = directory / "conf"
    for path in (conf, directory / "queue", directory / "data", directory / "saved"):
        path.mkdir(parents=True)
    os.chown(directory / "data", POSTFIX_ID, POSTFIX_ID)
    for path in (directory / "tree/etc/postfix").iterdir():
        if path.is_file():
            shutil.copy2(path, conf)
    values = {
        "dir": directory, "smtp_port": SMTP_PORT, "sink_port": SINK_PORT,
        "smtpd": args.sessions + 2, "concurrency": args.concurrency,
        "processes": 2 * (args.sessions + args.concurrency) + 20,
    }
    main = MAIN_CF if args.no_dkim else MAIN_CF + MILTER_CF
    (conf / "main.cf").write_text(main.format(**values))
    (conf / "master.cf").write_text(MASTER_CF.format(**values))
    (directory / "opendkim.conf").write_text(OPENDKIM_CONF.format(**values))
    key = directory / "bench.private"
    run("openssl", "genrsa", "-traditional", "-out", key, "2048", stderr=subprocess.DEVNULL)
    return conf


def wait_for(what, condition, seconds=20):
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            sys.exit(f"postfix_opendkim: {what}: waited {seconds} s in vain")
        time.sleep(0.02)


def answers(port):
    import socket
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=5) as connection:
            return connection.recv(3) == b"220"
    except OSError:
        return False


def start_sink(args):
    sink = subprocess.Popen(
        [ROOT / "build/bench/sink", "--listen", f"127.0.0.1:{SINK_PORT}", "--ledger",
         args.dir / "ledger", "--save", args.dir / "saved", "--save-every",
         str(max(1, args.messages // args.sample))],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    if not sink.stderr.readline().startswith("listening"):
        sys.exit("postfix_opendkim: the sink did not start")
    return sink


def totals(sink):
    sink.send_signal(signal.SIGUSR1)
    return json.loads(sink.stdout.readline())


def tree_cpu(pid):
    """CPU seconds of a process, of those under it and of those it waited for."""
    tick = os.sysconf("SC_CLK_TCK")
    fields, children = {}, {}
    for path in pathlib.Path("/proc").glob("[0-9]*/stat"):
        try:
            rest = path.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        number = int(path.parent.name)
        fields[number] = sum(int(field) for field in rest[11:15]) / tick
        children.setdefault(int(rest[1]), []).append(number)
    todo, total = [pid], 0.0
    while todo:
        pid = todo.pop()
        total += fields.get(pid, 0)
        todo += children.get(pid, [])
    return total


def verify_sample(args):
    """How many of the saved messages have a valid signature of ours."""
    import dkim
    public = run("openssl", "rsa", "-in", args.dir / "bench.private", "-pubout", "-outform",
                 "DER", capture_output=True).stdout
    import base64
    record = b"v=DKIM1; k=rsa; p=" + base64.b64encode(public)
    good = total = 0
    for path in (args.dir / "saved").glob("*.eml"):
        message = path.read_bytes()
        total += 1
        good += (b" c=relaxed/relaxed; d=sender.test;\r\n\ts=bench;" in message
                 and dkim.verify(message, dnsfunc=lambda name, timeout=5: record))
    return good, total


def reap(process):
    """Waits for a process and gives its CPU seconds."""
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    return usage.ru_utime + usage.ru_stime


def reap_all(seconds=30):
    """Waits for everything in this process namespace, orphans too, and gives the CPU seconds."""
    cpu, end = 0.0, time.monotonic() + seconds
    while True:
        try:
            pid, _, usage = os.wait4(-1, os.WNOHANG)
        except ChildProcessError:
            return cpu
        if pid:
            cpu += usage.ru_utime + usage.ru_stime
        elif time.monotonic() > end:
            sys.exit("postfix_opendkim: processes are left that do not end")
        else:
            time.sleep(0.02)


def measure(args, conf):
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL,
             "stdin": subprocess.DEVNULL}
    sink = start_sink(args)
    servers = []
    if not args.no_dkim:
        servers.append(subprocess.Popen(
            ["/usr/sbin/opendkim", "-f", "-x", args.dir / "opendkim.conf"], **quiet))
        wait_for("OpenDKIM", (args.dir / "opendkim.sock").exists)
    postfix = subprocess.Popen(["/usr/sbin/postfix", "-c", conf, "start-fg"], **quiet)
    servers.append(postfix)
    wait_for("Postfix", lambda: answers(SMTP_PORT))
    cpu = -sum(tree_cpu(server.pid) for server in servers)

    start = time.monotonic()
    injector = subprocess.Popen(
        ["/usr/sbin/smtp-source", "-d", "-N", "-s", str(args.sessions), "-m",
         str(args.messages), "-l", str(args.size), "-f", "bench@sender.test", "-t",
         "user@receiver.test", f"127.0.0.1:{SMTP_PORT}"], **quiet)
    injector_cpu = reap(injector)
    injected = time.monotonic()
    if injector.returncode != 0:
        sys.exit("postfix_opendkim: the injector failed")
    wait_for("the last message", lambda: totals(sink)["recipients"] >= args.messages,
             args.seconds_max)
    result = totals(sink)

    sink.terminate()
    sink.communicate()
    run("/usr/sbin/postfix", "-c", conf, "stop", **quiet)
    for server in servers:
        if server is not postfix:
            server.terminate()
    cpu += reap_all()
    seconds = result["last_at"] - start
    return {
        "peer": "postfix" if args.no_dkim else "postfix+opendkim",
        "messages": result["messages"],
        "bytes_per_message": round(result["bytes"] / result["messages"]),
        "seconds": round(seconds, 3),
        "messages_per_second": round(result["messages"] / seconds, 1),
        "injection_seconds": round(injected - start, 3),
        "cpu_seconds": round(cpu, 2),
        "cpu_ms_per_message": round(1000 * cpu / result["messages"], 3),
        "injector_cpu_seconds": round(injector_cpu, 2),
        "sink_connections": result["connections"],
        "malformed": result["malformed"],
        "sessions": args.sessions, "concurrency": args.concurrency,
    }


def inside(args):
    run("mount", "-t", "overlay", "overlay", "-o", f"lowerdir={args.dir}/tree/usr:/usr", "/usr")
    run("ip", "link", "set", "lo", "up")
    add_users(args.dir)
    conf = configure(args)
    result = measure(args, conf)
    recipients = {line.split(" ")[3] for line in (args.dir / "ledger").read_text().splitlines()}
    result["distinct_recipients"] = len(recipients)
    failed = len(recipients) != args.messages
    if not args.no_dkim:
        good, total = verify_sample(args)
        result["signatures_verified"] = f"{good} of {total}"
        failed |= good != total or total == 0
    print(json.dumps(result), flush=True)
    return 1 if failed else 0


def main():
    args = parse()
    args.dir = args.dir.resolve()
    if args.inside:
        sys.exit(inside(args))
    if os.geteuid() != 0:
        sys.exit("postfix_opendkim: must run as root")
    resource.setrlimit(resource.RLIMIT_NOFILE, (resource.getrlimit(resource.RLIMIT_NOFILE)[1],) * 2)
    run("make", "-s", "-f", "bench/bench.mk", "build/bench/sink", cwd=ROOT)
    shutil.rmtree(args.dir, ignore_errors=True)
    args.dir.mkdir(parents=True)
    unpack(args.dir / "tree")
    sys.exit(subprocess.run(
        ["unshare", "--mount", "--propagation", "private", "--pid", "--fork", "--kill-child",
         "--mount-proc", "--net", "/usr/bin/python3", __file__, *sys.argv[1:],
         "--inside"]).returncode)


if __name__ == "__main__":
    main()
