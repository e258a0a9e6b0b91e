"""Hosts that take connections and never greet hold few of the places for sessions being opened."""
import contextlib
import socket

import pytest

from sender import wait_until

pytestmark = pytest.mark.binary

HOSTS = 24
EACH = 200  # leases for each of them: more sessions than a worker opens at once, if all were opened


@contextlib.contextmanager
def hosts_that_never_greet():
    """The kernel takes connections for them; nobody ever answers."""
    with contextlib.ExitStack() as stack:
        listeners = []
        for n in range(HOSTS):
            listener = stack.enter_context(socket.socket())
            listener.bind((f"127.0.9.{n + 1}", 0))
            listener.listen(4096)
            listeners.append("%s:%d" % listener.getsockname())
        yield listeners


def connections():
    """Established connections to those hosts, from the client's side."""
    with open("/proc/net/tcp") as table:
        rows = [line.split() for line in table][1:]
    return sum(remote[2:8] == "09007F" and state == "01" for _, _, remote, state, *_ in rows)


def test_other_mail_goes_out_while_many_hosts_never_greet(sender_in, sink_with):
    sink = sink_with()
    with hosts_that_never_greet() as relays:
        sender = sender_in()
        sender.top["workers"] = 1
        sender.default_site |= {"sessions": EACH, "adaptive": False}
        sender.default_site["greeting-timeout"] = "5m"
        sender.settings["queue"]["in-flight"] = 2 * HOSTS * EACH
        for n, relay in enumerate(relays):
            sender.route(f"silent{n}.example", relay)
        sender.route("*", sink.port)
        sender.start()
        sender.create("silent", [f"u{i}@silent{n}.example" for n in range(HOSTS) for i in range(EACH)])
        # All that may be opened is being opened: 32 to each host, and no more as none answers.
        wait_until(lambda: connections() >= 32 * HOSTS, "connections to every host")
        sender.create("lively", [f"u{i}@lively.example" for i in range(500)])
        assert sender.wait("lively")["delivered"] == 500
        assert connections() == 32 * HOSTS
        assert sender.status("silent")["delivered"] == 0
        sender.kill()


def test_a_few_mails_open_no_more_sessions_than_they_are_while_others_keep_the_worker_busy(
        sender_in, sink_with):
    crowd, quick = sink_with("--delay-ms", "1-3"), sink_with()
    sender = sender_in(sign=False)
    sender.top["workers"] = 1
    sender.default_site |= {"sessions": 1000, "messages-per-session": 100000}
    sender.settings["queue"]["in-flight"] = 8000
    sender.route("quick.example", quick.port)
    sender.route("*", crowd.port)
    sender.start()
    sender.create("crowd", [f"u{i}@crowd.example" for i in range(100_000)])
    wait_until(lambda: crowd.totals()["concurrent"] == 1000, "the crowd's sessions")
    sender.create("few", [f"u{i}@quick.example" for i in range(60)])
    assert sender.wait("few")["delivered"] == 60
    assert quick.totals()["connections"] <= 60
    sender.run("campaign", "cancel", "crowd")
