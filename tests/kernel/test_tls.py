"""Mail whose encryption the kernel takes over from the sender, in a guest that has the image's kernel.

What fails and how the sender goes on is tried by conn_kernel_test on any machine; here it runs where sockets
really change hands.
"""
import json
import sys

import pytest

import machine
from machine import TOP
from test_kernel import KERNEL

sys.path.insert(0, str(TOP / "tests/integration"))
import sender  # noqa: E402

TEST = "build/host/tests/io/conn_kernel_test"
STORY = TOP / "tests/integration/kernel_tls.py"


def run(folder, programs, files, command, **options):
    code, out = machine.guest.run(KERNEL, programs, files, command, seconds=machine.SECONDS, directory=folder,
                                  **options)
    out = out.decode(errors="replace")
    assert code == 0, machine.guest.explain(folder) + "\n" + out[-3000:]
    return out


def test_a_connections_encryption_changes_hands(tmp_path):
    sender.make("VARIANT=host", TEST)
    out = run(tmp_path, [TOP / TEST], [], [TOP / TEST], python=False, memory="512M")
    assert "[  PASSED  ] 10 test(s)." in out and "SKIPPED" not in out, out


@pytest.fixture(scope="module")
def story(tmp_path_factory):
    sender.build()
    out = run(tmp_path_factory.mktemp("story"), [sender.PROGRAM, sender.SINK, "/usr/bin/env"],
              [STORY, TOP / "tests/integration/sender.py", TOP / "tests/integration/ports.py",
               "/etc/ssl/openssl.cnf", "/etc/nsswitch.conf"],
              ["/usr/bin/python3", STORY, "/tmp/story"])
    return json.loads(out.splitlines()[-1])


def test_from_the_first_large_message_on_the_kernel_encrypts(story):
    (small, large), arrived = story["auto"]
    assert small == {"process": 12, "delivered": 12}
    assert large == {"on": 2, "process": 12, "kernel": 12, "delivered": 12}
    assert arrived == [12, 12]


def test_or_from_the_beginning_on_or_never(story):
    assert story["always"] == [[{"on": 2, "kernel": 12, "delivered": 12}], [12]]
    assert story["never"] == [[{"process": 3, "delivered": 3}], [3]]


def test_a_receiver_that_wants_new_keys_gets_all_by_sessions_of_the_process(story):
    (first, second), arrived = story["new keys"]
    assert first["delivered"] == 12 and first["kernel"] + first["process"] == 12, first
    assert 1 <= first["left"] <= first["on"] <= 2, first
    # From then on the kernel is not asked there.
    assert second["process"] == first["process"] + 6 and second["kernel"] == first["kernel"], second
    assert arrived == [12, 6]
