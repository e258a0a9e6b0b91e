"""The sender's control socket, through the command line, while mail goes out."""

import json
import subprocess

from sender import wait_until


def addresses(count, domains=7):
    return [f"u{i}@d{i % domains}.example" for i in range(count)]


def running(sender_in, sink_with, recipients, **site):
    sender, sink = sender_in(), sink_with()
    sender.default_site.update(site)
    sender.route("*", sink.port)
    sender.start()
    sender.create("news", recipients)
    return sender


def test_a_report_of_a_running_campaign_misses_nobody(sender_in, sink_with):
    everybody = addresses(20000)
    sender = running(sender_in, sink_with, everybody)
    live = 0
    while sender.status("news")["state"] == "running":
        reported = {line["address"] for line in sender.report("news")}
        assert reported == set(everybody)
        live += 1
    assert live > 0
    sender.check_sums("news")


def test_status_follows_a_campaign_to_its_end(sender_in, sink_with):
    sender = running(sender_in, sink_with, addresses(3000))
    sender.wait("news")
    status = sender.ask("status")
    assert status["state"] == "running"
    assert status["totals"]["delivered"] == 3000
    assert status["queue"]["waiting"] == status["queue"]["in_flight"] == 0
    assert status["campaigns"]["done"] == 1
    assert sum(site["queued"] for site in status["sites"]) == 0
    # Counters are looked at once a second.
    wait_until(lambda: sender.ask("status")["rates"]["1m"] > 0, "a rate")


def test_the_rate_of_a_campaign_is_that_of_now(sender_in, sink_with):
    sender = running(sender_in, sink_with, addresses(5000), rate=100)
    wait_until(lambda: sender.status("news")["rate"] > 10, "a rate")
    sender.run("campaign", "pause", "news")
    assert sender.status("news")["rate"] == 0
    assert sender.ask("campaign", "resume", "news")["rate"] == 0
    wait_until(lambda: sender.status("news")["rate"] > 10, "a rate after the pause")
    sender.run("campaign", "cancel", "news")
    assert sender.wait("news")["rate"] == 0


def test_rows_of_a_site_that_is_suspended_wait_until_it_is_resumed(sender_in, sink_with):
    sender = running(sender_in, sink_with, addresses(20000), sessions=1, depth=1)
    said = sender.run("queue", "suspend", "d1.example").stdout
    # All mail goes to one relay here: that is who has the pause, and the operator is told so.
    assert " is suspended: mail for d1.example and for every other domain" in said
    wait_until(lambda: sender.ask("status")["queue"]["in_flight"] == 0, "workers to be idle")
    before = sender.status("news")
    site, = sender.items("queue", "list")[:1]
    assert site["state"] == "suspended"
    assert site["queued"] == before["queued"] > 0
    assert sender.status("news")["delivered"] == before["delivered"]
    sender.run("queue", "resume", "d1.example")
    wait_until(lambda: sender.status("news")["delivered"] > before["delivered"], "mail to go on")


def test_stop_waits_until_the_queue_is_closed_and_another_may_start(sender_in, sink_with):
    everybody = addresses(20000)
    sender = running(sender_in, sink_with, everybody)
    for _ in range(3):
        sender.run("stop", "--wait")
        assert sender.process.wait(timeout=60) == 0
        sender.start(write=False)
    assert sender.wait("news")["delivered"] == len(everybody)
    sender.check_sums("news")


def test_many_clients_at_once_are_all_served(sender_in, sink_with):
    sender = running(sender_in, sink_with, addresses(20000))
    command = [sender.program, "campaign", "report", "news", "--json", "--config",
               str(sender.config)]
    clients = [subprocess.Popen(command, stdout=subprocess.PIPE, stdin=subprocess.DEVNULL)
               for _ in range(8)]
    for client in clients:
        out, _ = client.communicate(timeout=120)
        assert client.returncode == 0
        assert len({json.loads(line)["address"] for line in out.splitlines()}) == 20000
    sender.wait("news")
