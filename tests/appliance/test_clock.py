"""The machine's clock: wrong at power-on, set by a time server, and never back behind the last run."""

import json
import os
import pathlib
import shutil
import signal
import subprocess
import time

import pytest

from machine import Machine, qemu
from operation import IMAGE, OUTSIDE

WRONG = "2021-05-05T00:00:00"
CHRONY = """\
local stratum 8
allow 127.0.0.1
bindaddress 127.0.0.1
cmdport 0
bindcmdaddress /
pidfile {folder}/pid
driftfile {folder}/drift
"""


class TimeServer:
    """A real one, at loopback's port for time; the guest knows it as the host."""

    def __init__(self, folder):
        config = folder / "chrony.conf"
        config.write_text(CHRONY.format(folder=folder))
        # -x: this machine's own clock is not touched.
        self.process = subprocess.Popen([shutil.which("chronyd") or "/usr/sbin/chronyd", "-x", "-d", "-U",
                                         "-u", "root", "-f", config],
                                        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        first = self.process.stdout.readline()
        assert "starting" in first, first

    def close(self):
        self.process.send_signal(signal.SIGTERM)
        self.process.wait()
        self.process.stdout.close()


@pytest.fixture
def installed(tmp_path):
    if os.geteuid():
        pytest.skip("the port for time is root's")
    key = tmp_path / "operator"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", key], check=True)
    config = (f'hostname = "clock.example"\nntp = {{"{OUTSIDE}"}}\n'
              f'ssh {{ keys = {{"{key.with_suffix(".pub").read_text().strip()}"}} }}\n')
    machine = Machine(IMAGE, files={"/hikyaku/appliance.conf": config.encode()}, forward=(qemu.SSH_PORT,))
    machine.options["clock"] = WRONG
    machine.key = pathlib.Path(key)
    yield machine
    machine.end()


def ask(machine, *words):
    return machine.ssh(*words, key=machine.key).stdout


def clock_of(machine):
    return json.loads(ask(machine, "time", "--json"))


def test_a_wrong_clock_is_set_and_stays_ahead_of_what_it_was(installed, tmp_path):
    server = TimeServer(tmp_path)
    try:
        installed.start().wait_for_login(installed.key)
        # Between a client's questions lie minutes.
        installed.wait(lambda: clock_of(installed)["synced"], "a clock that is set", seconds=600, every=1)
        shown = clock_of(installed)["time_ms"] / 1000
        assert abs(time.time() - shown) < 30
    finally:
        server.close()
    installed.press_power()
    installed.wait_off()
    # Without a battery and without a time server it goes on from where it was.
    installed.start().wait_for_login(installed.key)
    assert "the clock was behind" in ask(installed, "logs", "--service", "init", "--lines", "100")
    assert clock_of(installed)["time_ms"] / 1000 >= shown
