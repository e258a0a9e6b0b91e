"""Webhooks and the delivery log: real posts over TLS to a receiver that fails, is slow, comes back and is
killed, as are the hook and the sender; nothing is missing, the order is kept, every signature holds."""

import base64
import hmac
import json
import pathlib
import signal
import subprocess
import sys
import time

import pytest

from authority import Authority
from ports import free_port
from sender import PROGRAM, ROOT, Refused, Sender, Sink, build, end_process, wait_until

HERE = pathlib.Path(__file__).resolve().parent


class Receiver:
    def __init__(self, folder, authority, chain, key):
        self.folder = folder / "receiver"
        self.folder.mkdir()
        self.roots, self.chain, self.key = authority.certificate, chain, key
        self.port = free_port()
        self.url = f"https://localhost:{self.port}/hikyaku?v=1"
        self.process = None
        self.mode("200")
        self.start()

    def start(self):
        (self.folder / "ready").unlink(missing_ok=True)
        self.process = subprocess.Popen(
            [sys.executable, HERE / "hook_receiver.py", str(self.port), self.folder, self.chain, self.key],
            stdin=subprocess.DEVNULL)
        wait_until(lambda: (self.folder / "ready").exists(), "the receiver")

    def mode(self, text):
        new = self.folder / "mode.new"
        new.write_text(text)
        new.rename(self.folder / "mode")

    def posts(self):
        path = self.folder / "posts"
        lines = path.read_text().split("\n")[:-1] if path.exists() else []
        return [json.loads(line) for line in lines]

    def events(self):
        """Of the posts that were answered 2xx, or at least read."""
        bodies = [json.loads(post["body"]) for post in self.posts()]
        return [event for body in bodies for event in body["data"].get("events", [])]

    def kill(self):
        end_process(self.process, signal.SIGKILL)


class Hook:
    """The role, as a process."""

    def __init__(self, sender):
        self.sender = sender
        self.process = None
        self.log_path = sender.directory / "hook.log"
        self.start()

    def start(self):
        with open(self.log_path, "ab") as log:
            self.process = subprocess.Popen([PROGRAM, "hook", "--config", str(self.sender.config)],
                                            stdin=subprocess.DEVNULL, stdout=log, stderr=log)

    def log(self):
        return self.log_path.read_text()

    def of(self, name="crm"):
        return next((hook for hook in self.sender.items("hook", "list") if hook["name"] == name), None)


def secrets_of(path):
    return [line for line in path.read_text().split("\n") if line]


def manual_code():
    """The five lines of the manual, as a receiver would copy them."""
    text = (ROOT / "src/send/hikyaku.conf.5").read_text()
    return text.partition("\nimport base64, hmac\n")[2].partition("\n.Ed")[0]


def is_signed(post, secret, code=manual_code()):
    names = {"headers": {name.lower(): value for name, value in post["headers"].items()},
             "body": post["body"].encode(), "secret": secret, "base64": base64, "hmac": hmac}
    exec(code, names)  # pylint: disable=exec-used
    return names["ok"]


@pytest.fixture(scope="module")
def certificate(tmp_path_factory):
    build()
    authority = Authority(tmp_path_factory.mktemp("authority"), "root")
    return authority, *authority.issue("localhost")


@pytest.fixture
def world(tmp_path, certificate):
    receiver = Receiver(tmp_path, *certificate)
    secret = tmp_path / "crm.secret"
    secret.write_text("whsec_" + base64.b64encode(bytes(range(32))).decode() + "\n"
                      "whsec_" + base64.b64encode(bytes(24)).decode() + "\n")
    with Sink() as sink:
        sender = Sender(tmp_path / "sender", keys=("ed25519",), extra=f"""
            hook "crm" {{
                url = "{receiver.url}" secret-file = "{secret}" ca-file = "{receiver.roots}"
                events = {{"delivered", "failed"}} batch = 40 allow-private = true
                timeout = "1s" retry = "100ms"
            }}
            """)
        sender.receiver, sender.secret = receiver, secret
        sender.route("*", sink.port)
        sender.start()
        sender.hook = Hook(sender)
        wait_until(sender.hook.of, "the hook to be known")
        yield sender
        for process in (sender.hook.process, receiver.process):
            if process.poll() is None:
                end_process(process, signal.SIGKILL)
        sender.close()
        print(sender.hook.log()[-5000:])
        print(sender.log()[-5000:])


def addresses(prefix, count):
    return [f"{prefix}{i}@shop{i % 3}.example" for i in range(count)]


def is_up_to_date(sender):
    hook = sender.hook.of()
    return hook["waiting"] == 0 and hook


def logged(sender):
    return [entry["number"] for entry in sender.items("log", "export", "--outcome", "delivered,failed")]


def check(sender):
    """Every entry that was asked for came, in order; copies are the same; all are signed twice."""
    posts = [post for post in sender.receiver.posts() if json.loads(post["body"])["type"] == "delivery.batch"]
    first, second = secrets_of(sender.secret)
    seen, bodies = [], {}
    for post in posts:
        assert is_signed(post, first) and is_signed(post, second)
        assert not is_signed(post, "whsec_" + base64.b64encode(b"wrong" * 5).decode())
        body = json.loads(post["body"])
        numbers = [event["number"] for event in body["data"]["events"]]
        assert numbers == sorted(numbers) and 0 < len(numbers) <= 40
        headers = {name.lower(): value for name, value in post["headers"].items()}
        assert bodies.setdefault(headers["webhook-id"], numbers) == numbers
        seen += [number for number in numbers if number not in set(seen)]
    assert seen == sorted(seen)
    assert seen == logged(sender)


def test_nothing_is_missing_after_kills_of_hook_sender_and_receiver(world):
    receiver, hook = world.receiver, world.hook
    world.create("one", addresses("a", 300))
    wait_until(lambda: len(receiver.events()) >= 40, "the first posts")
    end_process(hook.process, signal.SIGKILL)
    hook.start()
    world.create("two", addresses("b", 300))
    wait_until(lambda: len(receiver.events()) >= 400, "posts after the hook's end")
    world.kill()
    world.start(write=False)
    receiver.kill()
    world.create("three", addresses("c", 200))
    world.wait("three")
    receiver.start()
    wait_until(lambda: is_up_to_date(world), "the hook to be up to date")
    for name in ("one", "two", "three"):
        world.wait(name)
    wait_until(lambda: is_up_to_date(world), "the hook to be up to date")
    check(world)
    assert world.hook.of()["posted"] >= 800
    # A clean end is one, and what it took is not posted again.
    count = len(receiver.posts())
    assert end_process(hook.process) == 0
    hook.start()
    time.sleep(0.7)
    assert len(receiver.posts()) == count


def test_a_receiver_that_fails_is_slow_or_redirects_gets_all_of_it_later(world):
    receiver = world.receiver
    receiver.mode("500")
    world.create("one", addresses("a", 100))
    world.wait("one")
    wait_until(lambda: world.hook.of()["failing_ms"] > 0, "a failure to be known")
    assert world.hook.of()["note"] == "it answered 500"
    receiver.mode("200 slow")
    wait_until(lambda: "imed out" in world.hook.of()["note"], "a post to take too long")
    receiver.mode(f"308 to=https://localhost:{receiver.port}/elsewhere")
    wait_until(lambda: world.hook.of()["note"] == "it answered 308", "a redirect")
    receiver.mode("204 long")
    wait_until(lambda: is_up_to_date(world), "the hook to be up to date", 20)
    assert world.hook.of()["failing_ms"] == 0
    assert world.hook.of()["failed"] >= 3
    assert {post["path"] for post in receiver.posts()} == {"/hikyaku?v=1"}
    check(world)


def test_a_hook_is_suspended_by_410_tested_and_resumed(world):
    receiver = world.receiver
    receiver.mode("410")
    world.create("one", addresses("a", 50))
    world.wait("one")
    wait_until(lambda: world.hook.of()["suspended_ms"] > 0, "the suspension")
    assert "suspended" in world.run("hook", "list").stdout
    with pytest.raises(Refused, match="410"):
        world.run("hook", "test", "crm")
    receiver.mode("200")
    assert world.run("hook", "secret", "crm").stdout == world.secret.read_text()
    assert "crm took it: it answered 200" in world.run("hook", "test", "crm").stdout
    assert json.loads(receiver.posts()[-1]["body"])["type"] == "test"
    assert is_signed(receiver.posts()[-1], secrets_of(world.secret)[1])
    world.run("hook", "resume", "crm")
    wait_until(lambda: is_up_to_date(world), "the hook to be up to date")
    check(world)
    count = len(receiver.events())
    world.run("hook", "resume", "crm", "--after", "0")
    wait_until(lambda: len(receiver.events()) == count + 50, "everything again")
    check(world)
    with pytest.raises(Refused, match="no reader named"):
        world.run("hook", "test", "nobody")
    # Metrics tell of it.
    wait_until(lambda: world.metric("hikyaku_hook_posted_events_total", hook="crm") >= 100, "the metrics")
    assert world.metric("hikyaku_hook_failed_posts_total", hook="crm") >= 1
    assert world.metric("hikyaku_hook_waiting_entries", hook="crm") == 0
    assert world.metric("hikyaku_hook_suspended", hook="crm") == 0


def test_an_address_that_is_not_public_is_not_connected_to(world):
    end_process(world.hook.process)
    world.config.write_text(world.config.read_text().replace("allow-private = true", ""))
    world.hook.start()
    world.create("one", addresses("a", 3))
    wait_until(lambda: "not public" in world.hook.of()["note"], "the refusal")
    assert world.receiver.posts() == []


def test_the_log_is_shown_exported_and_followed(world):
    world.create("one", addresses("a", 30))
    world.wait("one")
    entries = world.items("log", "export")
    assert [entry["number"] for entry in entries] == list(range(1, 31))
    assert world.items("log", "export", "--after", "20") == entries[20:]
    mine = world.items("log", "show", "--recipient", "a7@shop1.example")
    assert [entry["address"] for entry in mine] == ["a7@shop1.example"]
    assert mine[0]["campaign"] == "one" and mine[0]["customer"] == world.domain
    assert mine[0]["tls"] in ("none", "TLSv1.2", "TLSv1.3") and mine[0]["bytes"] > 100
    assert world.items("log", "show", "--message", mine[0]["message"]) == mine
    newest = world.items("log", "show", "--limit", "5")
    assert [entry["number"] for entry in newest] == [26, 27, 28, 29, 30]
    turned = world.items("log", "show", "--limit", "5", "--reverse")
    assert [entry["number"] for entry in turned] == [30, 29, 28, 27, 26]
    assert world.items("log", "show", "--until", "2020-01-01") == []
    assert len(world.items("log", "show", "--since", "1h", "--outcome", "delivered")) == 30
    assert "a7@shop1.example" in world.run("log", "show", "--domain", "shop1.example").stdout
    with subprocess.Popen([PROGRAM, "log", "show", "--follow", "--json", "--limit", "1", "--config",
                           world.config], stdout=subprocess.PIPE, text=True) as follower:
        assert json.loads(follower.stdout.readline())["number"] == 30
        world.create("two", ["later@shop1.example"])
        assert json.loads(follower.stdout.readline())["address"] == "later@shop1.example"
        follower.terminate()
