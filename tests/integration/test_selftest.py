"""The self-test: a message for each customer, through the sender's whole real way and back to us."""

import os
import subprocess

import pytest


def selftest(sender):
    return subprocess.run([*sender.prefix, sender.program, "selftest", "--config", str(sender.config)],
                          capture_output=True, text=True, timeout=120)


@pytest.fixture
def sender(sender_in):
    one = sender_in(keys=("rsa", "ed25519"))
    one.start()
    return one


def test_every_signature_of_what_arrives_is_verified(sender):
    result = selftest(sender)
    assert result.returncode == 0, result.stdout + result.stderr
    assert result.stdout.startswith(f"{sender.domain}: delivered, 2 signatures verify, ")


def test_a_route_for_everybody_does_not_take_it_elsewhere(sender_in, sink_with):
    one, sink = sender_in(), sink_with()
    one.route("*", sink.port)
    one.start()
    assert selftest(one).returncode == 0
    assert sink.totals()["connections"] == 0


def test_a_key_that_was_replaced_under_a_running_sender_is_noticed(sender):
    selector, path = sender.keys[0]
    os.rename(path, f"{path}.old")
    subprocess.run([sender.program, "keys", "new", "--domain", sender.domain, "--selector", selector,
                    "--out", str(path)], check=True, capture_output=True)
    result = selftest(sender)
    assert result.returncode == 1
    assert (f"{sender.domain}: selector {selector}: the header is not what was signed, or by another key"
            in result.stdout)


def test_without_a_sender_it_says_so(sender_in):
    one = sender_in()
    one.write_config()
    result = selftest(one)
    assert result.returncode == 1
    assert "no daemon listens" in result.stderr
