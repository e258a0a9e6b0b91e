"""The receivers of the tests themselves: what one of them says it took, it took."""

import subprocess
import sys

import pytest

# In a process of its own, as it is stopped: what waits on a closed file is asked again by the file's number.
STORY = """
import os, smtplib, subprocess, sys, time
sys.path.insert(0, {where!r})
from hostile import Hostile
from inbound import Box
old = {kind}()
number = old.listener.fileno()
time.sleep(0.1)  # its thread waits now
old.close()
with Hostile() as new:
    assert new.listener.fileno() == number
    subprocess.run(["sh", "-c", f"kill -STOP {{os.getpid()}}; sleep 0.1; kill -CONT {{os.getpid()}}"])
    time.sleep(0.1)
    for turn in range(4):  # who waits on one listener is woken in turn
        with smtplib.SMTP("127.0.0.1", new.port, timeout=10) as client:
            client.sendmail("a@one.test", ["b@two.test"], "Subject: x\\r\\n\\r\\nx\\r\\n")
    print(len(new.accepted))
"""


@pytest.mark.parametrize("kind", ["Hostile", "Box"])
def test_a_closed_receiver_takes_no_mail_of_the_next_one(kind):
    where = __file__.rsplit("/", 1)[0]
    done = subprocess.run([sys.executable, "-c", STORY.format(where=where, kind=kind)], text=True,
                          capture_output=True, timeout=60)
    assert (done.stdout, done.returncode) == ("4\n", 0), done
