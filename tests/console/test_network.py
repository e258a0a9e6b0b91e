"""`network ...`: settings are written, applied, tried by whoever might be cut off, and taken back."""

import base64
import struct
import subprocess
import time

import pytest

from console_world import PROGRAM

pytestmark = pytest.mark.binary

SSH = {"SSH_CONNECTION": "192.0.2.7 50022 192.0.2.10 22"}
SSH_KEY = "ssh-ed25519 " + base64.b64encode(
    struct.pack(">I11sI32s", 11, b"ssh-ed25519", 32, bytes(range(32)))).decode() + " ops"
STATIC = "network set eth0 method=static addresses=192.0.2.10/24,2001:db8::10/64 gateway=192.0.2.1"


def settings(appliance):
    path = appliance.etc / "appliance.conf"
    return path.read_text() if path.exists() else None


def applied(appliance):
    return sum(r["command"] == "network.apply" for r in appliance.init.requests)


def test_the_network_is_shown(appliance):
    code, out, _ = appliance.run("network show")
    assert code == 0
    assert out == (
        "eth0      up, 1000 Mbit/s, driver virtio_net, MAC 52:54:00:12:34:56, MTU 1500\n"
        "          static: 192.0.2.10/24 2001:db8::10/64 fe80::5054:ff:fe12:3456/64\n"
        "          not used, another machine has: 2001:db8::11/64\n"
        "          gateway 192.0.2.1\n"
        "eth1      no carrier, driver e1000e, MAC 52:54:00:12:34:57, MTU 1500\n"
        "          dhcp:\n"
        "resolvers 192.0.2.53\n")


def test_options_are_set_and_lists_grow(appliance):
    assert appliance.run(STATIC)[0] == 0
    assert appliance.run("network set eth0 addresses+=192.0.2.11/24")[0] == 0
    assert appliance.run("network set hostname=mail.example.jp ntp=ntp.nict.jp,192.0.2.1")[0] == 0
    assert appliance.run("network set --new vlan eth0.10 parent=eth0 id=10")[0] == 0
    assert appliance.run(f'network set ssh keys+="{SSH_KEY}"')[0] == 0
    text = settings(appliance)
    assert 'addresses = {"192.0.2.10/24", "2001:db8::10/64", "192.0.2.11/24"}' in text
    assert 'hostname = "mail.example.jp"' in text and 'ntp = {"ntp.nict.jp", "192.0.2.1"}' in text
    assert 'vlan "eth0.10" {' in text and "\tid = 10\n" in text and 'ops"' in text
    assert applied(appliance) == 0
    assert appliance.run("network remove eth0.10")[0] == 0
    assert "vlan" not in settings(appliance)


@pytest.mark.parametrize("line, says", [
    ("network set eth0 method=fast", "method"),
    ("network set eth0 addresses=192.0.2.10", "prefix length"),
    ("network set eth0 gateway=192.0.2.1 addresses=198.51.100.1/24 method=static", "gateway"),
    ("network set nonsense=1", "nonsense"),
    ("network set eth0", "say what"),
    ("network set --new vlan parent=eth0", "needs the name"),
    ("network set a b", "is not OPTION=VALUE"),
    ("network remove eth7", 'no interface "eth7"'),
    ("network revert", "nothing was changed"),
    ("network adopt", "no backup with settings was restored here"),
    ("network confirm", "no settings wait"),
])
def test_what_is_wrong_is_refused_and_nothing_written(appliance, line, says):
    code, out, err = appliance.run(line)
    assert code in (1, 2) and out == ""
    assert says in err
    assert settings(appliance) is None


def test_what_was_set_is_taken_back_by_revert(appliance):
    appliance.run("network set hostname=one.example.jp")
    appliance.run("network apply")
    first = settings(appliance)
    appliance.run("network set hostname=two.example.jp")
    appliance.run(STATIC)
    assert "not applied" in appliance.run("network show")[1]
    assert appliance.run("network revert")[0] == 0
    assert settings(appliance) == first
    assert "not applied" not in appliance.run("network show")[1]


def test_settings_of_a_restored_backup_are_adopted_like_those_that_are_set(appliance):
    appliance.run("network set hostname=new.example.jp")
    appliance.run("network apply")
    mine = settings(appliance)
    (appliance.etc / "appliance.conf.restored").write_text(mine.replace("new.example.jp", "old.example.jp"))
    assert appliance.run("network adopt")[0] == 0
    assert 'hostname = "old.example.jp"' in settings(appliance)
    assert appliance.run("network revert")[0] == 0
    assert settings(appliance) == mine


def test_at_the_machine_settings_count_at_once(appliance):
    appliance.run(STATIC)
    assert appliance.run("network apply")[0] == 0
    assert applied(appliance) == 1
    assert appliance.run("network revert")[0] == 1


def test_over_ssh_a_name_needs_no_trial(appliance):
    appliance.run("network set hostname=mail.example.jp", **SSH)
    code, out, _ = appliance.run("network apply", **SSH)
    assert code == 0 and "Do they work?" not in out


def test_over_ssh_a_yes_keeps_the_settings(appliance):
    appliance.run(STATIC, **SSH)
    console = appliance.console(**SSH)
    console.type("network apply\r")
    console.wait("Do they work?")
    console.type("yes\r")
    console.prompt()
    assert "192.0.2.10/24" in settings(appliance)
    assert appliance.run("network revert")[0] == 1


def test_over_ssh_silence_brings_the_settings_from_before_back(appliance):
    code, out, _ = appliance.run(STATIC, **SSH)
    code, out, _ = appliance.run("network apply --trial 1s", **SSH)
    assert code == 1 and "the settings from before are back" in out
    assert settings(appliance) is None
    assert applied(appliance) == 2


def test_a_session_that_is_cut_off_brings_them_back_all_the_same(appliance):
    appliance.run(STATIC, **SSH)
    console = appliance.console(**SSH)
    console.type("network apply --trial 2s\r")
    console.wait("Do they work?")
    console.child.close(force=False)
    end = time.monotonic() + 20
    while settings(appliance) is not None:
        assert time.monotonic() < end
        time.sleep(0.05)
    end = time.monotonic() + 20
    while applied(appliance) < 2:
        assert time.monotonic() < end
        time.sleep(0.05)


def test_another_session_confirms(appliance):
    appliance.run(STATIC, **SSH)
    waiting = subprocess.Popen([PROGRAM, "console", "-c", "network apply --trial 60s"],
                               env=appliance.environment | SSH, stdout=subprocess.PIPE,
                               stdin=subprocess.DEVNULL)
    for line in waiting.stdout:
        if b"in another session" in line:
            break
    assert appliance.run("network confirm", **SSH)[0] == 0
    assert waiting.wait(20) == 0
    waiting.stdout.close()
    assert "192.0.2.10/24" in settings(appliance)


def test_an_interface_is_completed(appliance):
    console = appliance.console()
    console.type("network set e\t")
    console.prompt("> network set eth")
    console.type("\t")
    console.wait("  eth1  dhcp")
    console.type("0 ad\t")
    console.prompt("> network set eth0 addresses=")
