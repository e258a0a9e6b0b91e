"""Who encrypts what goes out over STARTTLS, on this machine: kernel_tls.py has the story."""

import pathlib

import pytest

import kernel_tls
from kernel_tls import LARGE, SMALL

ULPS = pathlib.Path("/proc/sys/net/ipv4/tcp_available_ulp")
HAS = ULPS.exists() and "tls" in ULPS.read_text(encoding="ascii").split()
RESULT, BY = ("on", "kernel") if HAS else ("missing", "process")


@pytest.mark.parametrize("choice, text, tried", [
    ("auto", SMALL, False), ("auto", LARGE, True), ("always", SMALL, True), ("never", LARGE, False)],
    ids=["auto, small", "auto, large", "always", "never"])
def test_mail_arrives_whoever_encrypts_and_it_is_counted_who_did(programs, tmp_path, choice, text, tried):
    found, arrived = kernel_tls.play(tmp_path, choice, [(text, 6)])
    by = BY if tried else "process"
    assert found == [{"delivered": 6, by: 6} | ({RESULT: 2} if tried else {})]
    assert arrived == [6]


def test_a_receiver_that_wants_new_keys_gets_its_mail_once(programs, tmp_path):
    found, arrived = kernel_tls.play(tmp_path, "always", [(SMALL, 12)], kernel_tls.NEW_KEYS)
    assert found[0]["delivered"] == 12 and arrived == [12]
