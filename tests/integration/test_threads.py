"""The threads of the sender under everything that happens to it at once, for ThreadSanitizer to look at.

`tests/run-all tsan` (`make tsan`) runs these with build/tsan/hikyaku: a report of a race fails the test, also
when the sender was killed afterwards. They hold for any other build of the sender, too.
"""

import contextlib
import itertools
import os
import random
import signal
import threading
import time

import pytest

from sender import Refused, end_process

pytestmark = [
    pytest.mark.threads,
    pytest.mark.skipif(os.geteuid() != 0, reason="network namespaces are made by root"),
]

PLAIN, TLS, MX = "20.2.0.1", "20.2.0.2", "20.2.0.3"
RECORDS = f"""\
mx1 A {MX}
mx2 A {MX}
post MX 10 mx1
post MX 20 mx2
other MX 10 mx2
null MX 0 .
"""
DOMAINS = ("plain.example", "tls.example", "post.mail.example", "other.mail.example")
DEAD = ("null.mail.example", "gone.mail.example")


@pytest.fixture(autouse=True)
def no_reports(tmp_path, monkeypatch):
    """What ThreadSanitizer says goes to files of its own, which outlive a kill."""
    options = os.environ.get("TSAN_OPTIONS", "")
    monkeypatch.setenv("TSAN_OPTIONS", f"{options}:log_path={tmp_path}/race".lstrip(":"))
    yield
    reports = [path.read_text(errors="replace") for path in tmp_path.glob("race.*")]
    assert not reports, "\n".join(reports)[:20000]


@pytest.fixture
def world(network, sender_in, sink_with):
    """A sender of four workers, and receivers by relay, by relay with STARTTLS and by MX."""
    network.address(*(f"{one}/32" for one in (PLAIN, TLS, MX)))
    network.zone("mail.example", RECORDS, signed=True)
    network.serve()
    trouble = ("--reject-percent", 3, "--defer-percent", 5, "--close-after-dot-percent", 1)
    sinks = [sink_with(*trouble, host=PLAIN, port=25, prefix=network.inside),
             sink_with(*trouble, "--starttls", host=TLS, port=25, prefix=network.inside),
             sink_with("--starttls", host=MX, port=25, prefix=network.inside)]
    sender = sender_in(keys=("rsa", "ed25519"), prefix=network.inside)
    sender.settings["dns"] = network.dns_options()
    sender.settings["queue"] |= {"in-doubt-delay": "100ms", "in-flight": 512}
    sender.top |= {"workers": 4, "log": "warn"}  # what is written to a log is an order of threads, too
    sender.default_site |= {"sessions": 12, "depth": 4, "messages-per-session": 20, "idle": "200ms"}
    sender.route("plain.example", f"{PLAIN}:25")
    sender.route("tls.example", f"{TLS}:25")
    sender.sinks = sinks
    return sender


def recipients(count, alive=DOMAINS):
    """By turns at each domain, and a few that cannot be reached."""
    live = [f"reader{i}@{domain}" for i, domain in zip(range(count), itertools.cycle(alive))]
    return live + [f"nobody{i}@{domain}" for domain in DEAD for i in range(3)]


@contextlib.contextmanager
def meanwhile(*tasks):
    """Each task again and again in a thread of its own; its errors are raised at the end."""
    over = threading.Event()
    errors = []

    def repeat(task):
        try:
            while not over.is_set():
                task()
        except Exception as error:  # noqa: BLE001: told by the thread that waits
            errors.append(error)

    threads = [threading.Thread(target=repeat, args=(task,)) for task in tasks]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        over.set()
        for thread in threads:
            thread.join()
    if errors:
        raise errors[0]


def test_a_campaign_that_is_watched_from_all_sides_ends_without_a_race(world):
    world.start()
    names = ("first", "second")
    for name in names:
        world.create(name, recipients(600))

    def look():
        for words in (("status",), ("queue", "list"), ("campaign", "status")):
            world.items(*words)
        world.items("queue", "show", "reader1@tls.example")
        world.report("first", "deferred")

    with meanwhile(world.metrics_page, look, lambda: world.metrics_page(openmetrics=True)):
        for name in names:
            world.wait(name)
    for name in names:
        status = world.check_sums(name)
        assert status["delivered"] > status["total"] * .9
    assert world.stop() == 0


def test_orders_come_while_mail_goes_out(world):
    world.start()
    world.create("kept", recipients(600))
    world.create("dropped", recipients(600))

    def order():
        with contextlib.suppress(Refused):  # it may be over
            world.run("campaign", "pause", "kept")
            world.run("campaign", "resume", "kept")

    with meanwhile(order, world.metrics_page):
        world.wait("dropped", lambda s: s["delivered"] > 100)
        world.run("campaign", "cancel", "dropped")
        world.wait("dropped")
        world.wait("kept", lambda s: s["delivered"] > 300)
    with contextlib.suppress(Refused):
        world.run("campaign", "resume", "kept")
    world.wait("kept")
    for name in ("kept", "dropped"):
        world.check_sums(name)
    assert world.stop() == 0


def end(world, how):
    """In the middle of the work: gently, at once, or by a kill."""
    if how == "killed":
        world.kill()
        return
    world.process.send_signal(signal.SIGTERM)
    if how == "at once" and world.is_alive():
        time.sleep(random.uniform(0, .02))
        world.process.send_signal(signal.SIGTERM)
    assert end_process(world.process) == 0


def test_the_sender_ends_in_any_way_in_the_middle_of_its_work(world):
    world.start()
    world.create("news", recipients(1500))
    for how in ("gently", "at once", "killed") * 3:
        before = world.status("news")
        if before["state"] == "done":
            break
        enough = before["delivered"] + 40
        world.wait("news", lambda s, n=enough: s["delivered"] > n or s["state"] == "done")
        end(world, how)
        world.start()
    world.wait("news")
    world.check_sums("news")
    assert world.stop() == 0


def test_the_newsletter_service_under_many_at_once(sender_in):
    """Reads, changes, an import, pages, opens that are not ours, a restart; four callers at a time."""
    from visitor import Visitor
    from web_host import WebHost
    sender = sender_in(keys=("ed25519",)).start()
    with WebHost(sender, workers=3, rate=0) as web:
        key = web.key("shop", "--scope", "send,read,admin,contacts")
        owner = Visitor(web).become("owner@shop.test")
        rows = "email,name\n" + "".join(f"p{i}@shop{i % 7}.test,Name {i}\n" for i in range(3000))

        def bring():
            made = web.call("POST", "/api/v1/imports", key, raw=rows.encode(),
                            headers={"Content-Type": "text/csv"})
            where = f"/api/v1/imports/{made.json['id']}"
            web.call("POST", where + "/plan", key, {"columns": [{"target": "email"}, {"target": "ignore"}]})
            web.call("POST", where + "/run", key)

        def call(number):
            for i in range(12):
                answer = web.call("POST", "/api/v1/contacts", key, {"email": f"c{number}-{i}@shop.test"})
                assert answer.status == 201, answer
                assert web.call("GET", "/api/v1/contacts?limit=50", key).status == 200
                web.call("GET", "/t/o/AAAA", key)

        threads = [threading.Thread(target=call, args=(number,), daemon=True) for number in range(3)]
        threads.append(threading.Thread(target=bring, daemon=True))
        for thread in threads:
            thread.start()
        for _ in range(5):
            assert owner.get("/admin").status == 200
            assert owner.get("/admin/contacts").status == 200
        for thread in threads:
            thread.join(60)
            assert not thread.is_alive()
        assert web.call("GET", "/api/v1/contacts?limit=1", key).status == 200
