"""Which address of which host gets the mail: IPv4 and IPv6, preferences, dead hosts, signed zones, and
hosts that change while mail is under way. The sender asks a real name server (nsd) in a namespace."""

import os
import re

import pytest

from network import SILENT4, SILENT6
from peers.exim import Exim
from sender import wait_until

pytestmark = [
    pytest.mark.patience,
    pytest.mark.binary,
    pytest.mark.skipif(os.geteuid() != 0, reason="network namespaces are made by root"),
]

V4, V6 = "20.1.0.1", "2a00:1::1"    # hosts that answer...
DEAF4, DEAF6 = "20.1.0.2", "2a00:1::2"  # ...and that refuse connections
OWN4, OWN6 = "20.9.0.9", "2a00:9::9"
HOSTS = f"""\
both A {V4}
both AAAA {V6}
four A {V4}
six AAAA {V6}
deaf6 A {V4}
deaf6 AAAA {DEAF6}
silent6 A {V4}
silent6 AAAA {SILENT6}
deaf4 A {DEAF4}
deaf4 AAAA {V6}
silent A {SILENT4}
""" + "".join(f"{name}.at MX 10 {name}\n"
              for name in ("both", "four", "six", "deaf6", "silent6", "deaf4"))


@pytest.fixture
def world(network, sender_in, sink_with):
    """A sender, and a receiver on each of V4 and V6 that keeps a ledger."""

    class World:
        def __init__(self):
            network.address(*(f"{one}/32" for one in (V4, DEAF4, OWN4)),
                            *(f"{one}/128" for one in (V6, DEAF6, OWN6)))
            network.silent_addresses()
            self.network = network
            self.four = sink_with(host=V4, port=25, prefix=network.inside)
            self.six = sink_with(host=V6, port=25, prefix=network.inside)
            self.sender = sender_in(sign=False, prefix=network.inside)
            self.sender.default_site |= {"connect-timeout": "2s", "sessions": 4}

        def start(self, records=HOSTS, **options):
            network.zone("mail.example", records, **options)
            network.serve()
            self.sender.settings["dns"] = network.dns_options()
            self.sender.start()
            return self.sender

        def send(self, name, *hosts, each=10):
            """A campaign to `each` readers at the domain of each host."""
            self.sender.create(name, [f"reader{i}@{host}.at.mail.example"
                                      for host in hosts for i in range(each)])

        def count(self, sink, domain):
            return sum(one.endswith(f"@{domain}") for one in sink.recipients())

    return World()


# ---- families ----

def test_ipv6_is_preferred_where_a_host_has_both(world):
    sender = world.start()
    world.send("news", "both", "four", "six")
    assert sender.wait("news")["delivered"] == 30
    domains = {sink: sorted({one.partition("@")[2] for one in sink.recipients()})
               for sink in (world.four, world.six)}
    assert domains[world.four] == ["four.at.mail.example"]
    assert domains[world.six] == ["both.at.mail.example", "six.at.mail.example"]
    hosts = {line["address"]: line["host"] for line in sender.report("news")}
    assert f"six.mail.example [{V6}]" in hosts["reader0@six.at.mail.example"]
    assert f"four.mail.example [{V4}]" in hosts["reader0@four.at.mail.example"]


@pytest.mark.parametrize("host, heard", [("deaf6", "four"), ("silent6", "four"), ("deaf4", "six")])
def test_the_other_family_takes_over_when_one_cannot_be_reached(world, host, heard):
    sender = world.start()
    world.send("news", host, each=40)
    status = sender.wait("news")
    assert status["delivered"] == 40 and status["deferrals"] == 0
    assert len(getattr(world, heard).recipients()) == 40


@pytest.mark.parametrize("own, host, heard, other", [
    (OWN4, "both", "four", "six"), (OWN6, "both", "six", "four")])
def test_a_customer_with_one_family_uses_no_other(world, own, host, heard, other):
    world.sender.addresses = [(own, "mail.courier.example")]
    sender = world.start()
    world.send("news", host, other)
    status = sender.wait("news", lambda s: s["delivered"] == 10 and s["deferred"] == 10)
    assert len(getattr(world, heard).recipients()) == 10
    assert getattr(world, other).totals()["connections"] == 0
    row = sender.items("queue", "show", f"reader0@{other}.at.mail.example")[0]
    assert "no source address of the customer fits" in str(row)
    assert status["failed"] == 0


def test_each_family_has_its_source_address_and_name(world, tmp_path):
    """Seen by a receiver that writes down who comes."""
    world.six.close()
    exim = Exim(tmp_path, "at.mail.example", host=V6, port=25, prefix=world.network.inside).start()
    try:
        world.sender.addresses = [(OWN4, "four.courier.example"), (OWN6, "six.courier.example")]
        world.start()
        world.send("news", "both", "four", each=5)
        assert world.sender.wait("news")["delivered"] == 10
        mails = exim.wait_for(5)
        assert all(re.search(rf"from six\.courier\.example \(\[{OWN6}\]\)", mail.received[0])
                   for mail in mails), mails[0].received
        assert len(world.four.recipients()) == 5
    finally:
        exim.close()


def test_without_a_way_to_ipv6_mail_goes_by_ipv4_at_once(world):
    """A host without IPv6: the kernel refuses, nobody waits."""
    world.network.run("ip", "-6", "address", "flush", "dev", "v0")
    world.network.run("ip", "-6", "address", "del", f"{V6}/128", "dev", "lo")
    world.sender.default_site["connect-timeout"] = "5m"
    sender = world.start()
    world.send("news", "both", "silent6")
    status = sender.wait("news")
    assert status["delivered"] == 20 and status["deferrals"] == 0


# ---- preferences ----

def test_a_dead_best_host_is_left_for_the_next_and_remembered(world):
    world.sender.default_site |= {"messages-per-session": 1, "sessions": 3}
    sender = world.start(HOSTS + "dead.at MX 10 silent\ndead.at MX 20 four\n")
    world.send("news", "dead", each=200)
    status = sender.wait("news")
    assert status["delivered"] == 200 and status["deferrals"] == 0
    assert len(world.four.recipients()) == 200
    # Two hundred sessions, perhaps one for a message that another took, and the dead host was tried
    # by the first few only.
    assert 200 <= sender.metric("hikyaku_sessions_opened_total") <= 203
    assert 1 <= sender.metric("hikyaku_sessions_failed_total") <= 10


def test_equal_hosts_share_the_mail_and_worse_ones_get_none(world, sink_with):
    addresses = [f"20.1.1.{i}" for i in range(1, 5)]
    world.network.address(*(f"{one}/32" for one in addresses))
    sinks = [sink_with(host=one, port=25, prefix=world.network.inside) for one in addresses]
    records = "".join(f"e{i} A {one}\nequal.at MX {10 if i < 3 else 20} e{i}\n"
                      for i, one in enumerate(addresses))
    world.sender.default_site |= {"messages-per-session": 5, "sessions": 6}
    sender = world.start(records)
    world.send("news", "equal", each=300)
    assert sender.wait("news")["delivered"] == 300
    counts = [len(sink.recipients()) for sink in sinks]
    assert counts[3] == 0 and sum(counts) == 300
    assert all(count >= 50 for count in counts[:3]), counts


def test_when_every_host_is_dead_mail_waits_and_then_goes(world, sink_with):
    sender = world.start(HOSTS + f"all.at MX 10 silent\nall.at MX 20 deaf\ndeaf A {DEAF4}\n")
    world.send("news", "all", each=5)
    sender.wait("news", lambda s: s["deferrals"] > 0)
    late = sink_with(host=DEAF4, port=25, prefix=world.network.inside)
    assert sender.wait("news")["delivered"] == 5
    assert len(late.recipients()) == 5


# ---- hosts that change while mail is under way ----

def test_mail_under_way_goes_by_what_dns_says_now(world):
    """Three domains, each with a rate that makes its mail last longer than an answer of DNS (30 s at
    least): one moves to another host, one says that it takes no mail any more, and the name server of
    one falls silent."""
    network, sender = world.network, world.sender
    sender.default_site |= {"rate": 12}
    for name, server in (("moves", "127.0.0.1"), ("ends", "127.0.0.1"), ("silent", "127.0.0.2")):
        network.zone(f"{name}.example", f"@ MX 10 mx\nmx A {V4}\n", ttl=30, server=server)
    network.serve()
    sender.settings["dns"] = network.dns_options()
    sender.start()
    each = 540
    sender.create("news", [f"reader{i}@{name}.example" for name in ("moves", "ends", "silent")
                           for i in range(each)])
    sender.wait("news", lambda s: s["delivered"] > 60)
    moved = f"@ MX 10 mx\n@ MX 20 mx2\nmx AAAA {V6}\nmx2 A {V4}\n"
    network.zone("moves.example", moved, ttl=30)
    network.zone("ends.example", "@ MX 0 .\n", ttl=30)
    network.stop_serving("127.0.0.2")
    wait_until(lambda: world.count(world.six, "moves.example") > 0, "mail at the new host")
    before = world.count(world.four, "moves.example")
    status = sender.wait("news")
    assert status["deferrals"] == 0
    # At the old host not one after the first at the new one, but for those that were lent.
    old = world.count(world.four, "moves.example")
    assert old <= before + 12 and before < each - 60
    assert old + world.count(world.six, "moves.example") == each
    ended = sender.report("news", "failed")
    assert {(line["code"], line["enhanced"], line["class"]) for line in ended} == {
        (556, "5.1.10", "bad-mailbox")}
    assert len(ended) > 60 and len(ended) + world.count(world.four, "ends.example") == each
    assert world.count(world.four, "silent.example") == each
    assert sender.metric("hikyaku_dns_stale_total") >= 1


# ---- signed zones ----

def test_mail_follows_a_secure_answer(world):
    sender = world.start(signed=True)
    world.send("news", "both", "four", "six")
    assert sender.wait("news")["delivered"] == 30
    assert len(world.six.recipients()) == 20 and len(world.four.recipients()) == 10


def test_a_forged_answer_moves_no_mail(world):
    """What does not validate is as good as no answer: deferred, nobody is dialled."""
    network, sender = world.network, world.sender
    records = HOSTS + f"target A {V4}\ntarget.at MX 10 target\n"
    network.zone("mail.example", records, signed=True)
    network.tamper("mail.example", "MX\t10 four.", "MX\t10 six.")
    network.tamper("mail.example", f"target.mail.example.\t600\tIN\tA\t{V4}",
                   f"target.mail.example.\t600\tIN\tA\t{DEAF4}")
    network.serve()
    sender.settings["dns"] = network.dns_options()
    sender.start()
    world.send("news", "four", "target", "six")
    sender.wait("news", lambda s: s["delivered"] == 10 and s["deferred"] == 20)
    for name in ("four", "target"):
        row = sender.items("queue", "show", f"reader0@{name}.at.mail.example")[0]
        assert "DNSSEC validation failed" in str(row)
    assert world.four.totals()["connections"] == 0
    assert world.count(world.six, "six.at.mail.example") == 10
    # The zone is mended, and so is its mail.
    network.zone("mail.example", records, signed=True)
    assert sender.wait("news")["delivered"] == 30
    assert len(world.four.recipients()) == 20
