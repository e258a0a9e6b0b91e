"""A Prometheus with the shipped rules scrapes a real sender, beside which init's page stands: what rules and
dashboard ask for is there."""

import re
import shutil
import subprocess
import time

import pytest

import files
import sender as senders
from sender_link import Link
from prometheus import Prometheus


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    senders.build()
    directory = tmp_path_factory.mktemp("prometheus")
    pages = directory / "pages"
    pages.mkdir()
    shutil.copy(files.INIT_PAGE, pages)
    # As the web server's keeper writes it, but for the time.
    (pages / "www.prom").write_text("".join(
        f"# HELP {name} x\n# TYPE {name} gauge\n{name}{labels} {value}\n" for name, labels, value in (
            ("hikyaku_certificate_expires_seconds", '{host="mail.example.jp",kind="acme"}',
             int(time.time() + 80 * 86400)),
            ("hikyaku_certificate_trusted", "", 1), ("hikyaku_certificate_renewal_failures", "", 0))))
    with senders.Sink("--reject-percent", "20", "--defer-percent", "20") as sink, \
            senders.Sender(directory / "sender") as sender:
        sender.metrics["textfiles"] = str(pages)
        sender.settings["retry"] = {"schedule": ["1h"], "jitter": 0, "expire": "2h"}
        sender.addresses = [("127.0.0.1", "mail.courier.example")]
        sender.default_site["warm-up-first"] = 1000
        sender.route("*", sink.port)
        sender.start()
        sender.run("warmup", "start", "127.0.0.1")
        with Link(sender.socket) as link:
            link.ask("reader.put", name="crm")
        prometheus = Prometheus(directory, f"127.0.0.1:{sender.metrics_port}")
        try:
            sender.create("news", [f"r{i}@shop.example" for i in range(60)])
            sender.wait("news", lambda status: status["queued"] == status["deferred"])
            # Two scrapes with all outcomes in them, for rates.
            senders.wait_until(lambda: prometheus.has_seen("hikyaku_messages_total"),
                               "Prometheus to have scraped", every=.3)
            yield sender, prometheus
        finally:
            prometheus.close()


def test_every_series_that_an_alert_asks_for_is_there(world):
    _, prometheus = world
    for rule in files.alerts():
        assert files.selectors(rule["expr"]), rule["alert"]
        for selector in files.selectors(rule["expr"]):
            assert prometheus.query(selector), f"{rule['alert']}: nothing has {selector}"


def test_every_panel_of_the_dashboard_shows_something(world):
    _, prometheus = world
    for expr in files.dashboard_expressions():
        for selector in files.selectors(expr):
            assert prometheus.query(selector), f"nothing has {selector}"
        found = prometheus.query(expr)
        assert found or "resets(" in expr, expr


def test_rules_are_evaluated_without_errors_and_ring_for_a_sender_that_is_gone(world):
    sender, prometheus = world

    def state(name):
        rule = prometheus.rules().get(name)
        return rule and rule["health"] != "unknown" and rule

    for rule in files.alerts():
        judged = senders.wait_until(lambda name=rule["alert"]: state(name), rule["alert"])
        assert (judged["health"], judged.get("lastError", "")) == ("ok", ""), judged
        assert judged["state"] == "inactive", judged
    sender.stop()
    senders.wait_until(lambda: state("HikyakuDown")["state"] == "pending", "an alert")
    alert = state("HikyakuDown")["alerts"][0]
    assert alert["annotations"]["summary"].startswith(f"127.0.0.1:{sender.metrics_port} does not answer")


def test_the_page_of_the_machine_that_is_tested_here_is_what_init_writes():
    names = set(re.findall(r"^# TYPE (\w+)", files.INIT_PAGE.read_text(), re.M))
    assert names == files.machine_metrics()


def test_what_a_runbook_says_to_type_exists():
    """Each command's own help; words in capitals stand for the operator's."""
    senders.build()
    commands = {command for rule in files.alerts()
                for command in re.findall(r"`([a-z][^`]*)`", rule["annotations"]["runbook"])}
    assert len(commands) > 10
    for command in commands:
        words = re.sub(r"\{\{.*?\}\}", "x", command).split()
        shown = subprocess.run([senders.PROGRAM, *words, "--help"], capture_output=True, text=True,
                               check=False)
        assert shown.returncode == 0 and "usage: hikyaku " in shown.stdout, f"{command}: {shown.stderr}"
        for option in (word for word in words if word.startswith("--")):
            assert option in shown.stdout, f"{command}: {option}"
