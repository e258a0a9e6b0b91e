"""The wizard of the first start, answered on an 80x24 terminal."""

import base64
import struct

import pytest

from fake_init import RECORD

pytestmark = pytest.mark.binary

SSH_KEY = "ssh-ed25519 " + base64.b64encode(
    struct.pack(">I11sI32s", 11, b"ssh-ed25519", 32, bytes(range(32)))).decode() + " ops@example.jp"
FINGERPRINT = "SHA256:ZkAslGjFiUHdGf/WUL8rQvkib4PTvQatUV0OUQSncCA"  # as ssh-keygen -l says


@pytest.fixture
def blank(appliance):
    """An appliance that was never told anything."""
    (appliance.etc / "hikyaku.conf").unlink()
    return appliance


def begin(appliance, **more):
    console = appliance.terminal(["console"], **more)
    answer(console, "Enter begins: ", "")
    console.prompt("Host name: ")
    return console


def answer(console, question, text):
    console.prompt(question)
    console.type(text + "\r")


def answer_interfaces(console):
    answer(console, "eth0: dhcp, static or none [dhcp]: ", "")
    answer(console, "eth1: dhcp, static or none [none]: ", "")


def test_without_a_data_volume_that_is_told_and_nothing_is_asked(blank):
    blank.init.data |= {"size": 0, "used": 0, "available": 0, "state": "none", "note": "vda: no room"}
    console = blank.terminal(["console"])
    screen = console.prompt()
    assert "NO DATA VOLUME THAT CAN BE WRITTEN: vda: no room.\n" in screen
    assert "Enter begins" not in screen
    assert "data      none: vda: no room\n" in blank.run("status")[1]


def test_the_questions_lead_to_settings_a_key_and_records(blank):
    console = begin(blank)
    answer(console, "Host name: ", "mail.example.jp")
    answer(console, "Mail domain [example.jp]: ", "")
    answer_interfaces(console)
    answer(console, "Time zone [UTC]: ", "Asia/Tok\t")
    console.wait("Asia/Tokyo")
    answer(console, "ssh public key: ", SSH_KEY)
    console.wait(f"Its fingerprint is {FINGERPRINT}.")
    answer(console, "DKIM selector [s2026]: ", "s1")
    answer(console, "Certificate from Let's Encrypt [no]: ", "yes")
    screen = console.prompt("(yes, or back): ")
    assert "  host name     mail.example.jp\n  mail domain   example.jp\n" in screen
    assert f"  ssh key       {FINGERPRINT}\n  DKIM selector s1\n" in screen
    assert "  certificate   from Let's Encrypt\n" in screen
    assert not (blank.etc / "appliance.conf").exists()
    console.type("yes\r")
    console.wait("The machine is set up.")
    console.prompt()
    settings = (blank.etc / "appliance.conf").read_text()
    assert 'hostname = "mail.example.jp"' in settings and 'time-zone = "Asia/Tokyo"' in settings
    assert SSH_KEY in settings
    sender = (blank.etc / "hikyaku.conf").read_text()
    assert 'customer "example.jp" {' in sender
    assert 'address "any" { ehlo = "mail.example.jp" }' in sender
    assert 'web {\n\turl = "https://mail.example.jp"' in sender
    assert 'textfiles = "/run/hikyaku/metrics"' in sender
    assert 'dkim "s1" { key = "/data/send/keys/example.jp.s1.pem" }' in sender
    assert "acme = true" in sender and 'acme-contact = "postmaster@example.jp"' in sender
    tasks = [r for r in blank.init.requests if r["command"] == "task.run"]
    assert tasks[0]["name"] == "keys-new"
    assert tasks[0]["arguments"] == ["--domain", "example.jp", "--selector", "s1", "--out",
                                     "/data/send/keys/example.jp.s1.pem"]
    assert "network.apply" in [r["command"] for r in blank.init.requests]
    starts = [r for r in blank.init.requests if r["command"] == "service.start"]
    assert [r["name"] for r in starts] == ["send"]
    shown = console.bytes.decode().replace("\r\n", "\n")
    assert "mail.example.jp. IN A 192.0.2.10\nmail.example.jp. IN AAAA 2001:db8::10\n" in shown
    assert 'example.jp. IN TXT "v=spf1 ip4:192.0.2.10 ip6:2001:db8::10 -all"\n' in shown
    assert f"form:\n{RECORD}\n" in shown


@pytest.mark.parametrize("question, bad, says", [
    ("Host name: ", "mail", "It needs its domain, too"),
    ("Host name: ", "mail.exa mple.jp", "host name"),
    ("Mail domain [example.jp]: ", "-x-", "domain"),
    ("Time zone [UTC]: ", "Asia/Nowhere", "There is no time zone Asia/Nowhere."),
    ("ssh public key: ", "ssh-ed25519 AAAA", "a public key such as"),
    ("ssh public key: ", "ssh-rsa\x01", "a public key such as"),
    ("DKIM selector [s2026]: ", "a.b/c", "A selector has letters"),
    ("Certificate from Let's Encrypt [no]: ", "perhaps", "It is yes or no."),
])
def test_a_wrong_answer_is_told_and_asked_for_again(blank, question, bad, says):
    console = begin(blank)
    for asked, text in [("Host name: ", "mail.example.jp"), ("Mail domain [example.jp]: ", ""),
                        (None, None), ("Time zone [UTC]: ", ""), ("ssh public key: ", "none"),
                        ("DKIM selector [s2026]: ", ""), ("Certificate from Let's Encrypt [no]: ", "")]:
        if asked == question:
            break
        if asked is None:
            answer_interfaces(console)
        else:
            answer(console, asked, text)
    answer(console, question, bad)
    console.wait(says)
    console.prompt(question)


def test_a_static_network_is_asked_for_and_checked(blank):
    console = begin(blank)
    answer(console, "Host name: ", "mail.example.jp")
    answer(console, "Mail domain [example.jp]: ", "")
    answer(console, "eth0: dhcp, static or none [dhcp]: ", "static")
    answer(console, "Addresses (192.0.2.10/24,2001:db8::10/64): ", "192.0.2.10")
    console.wait("prefix length")
    answer(console, "Addresses (192.0.2.10/24,2001:db8::10/64): ", "192.0.2.10/24,2001:db8::10/64")
    answer(console, "Gateway (IPv4, or none) [none]: ", "198.51.100.1")
    answer(console, "[none]: ", "")
    answer(console, "eth1: dhcp, static or none [none]: ", "")
    console.wait("gateway")  # cannot be reached: from the beginning
    answer(console, "eth0: dhcp, static or none [static]: ", "")
    answer(console, "Addresses (192.0.2.10/24,2001:db8::10/64): ", "192.0.2.10/24,2001:db8::10/64")
    answer(console, "Gateway (IPv4, or none) [none]: ", "192.0.2.1")
    answer(console, "advertisements) [none]: ", "")
    answer(console, "eth1: dhcp, static or none [none]: ", "")
    answer(console, "Name servers [none]: ", "192.0.2.53")
    answer(console, "Time zone [UTC]: ", "")
    answer(console, "ssh public key: ", "none")
    answer(console, "DKIM selector [s2026]: ", "")
    answer(console, "Certificate from Let's Encrypt [no]: ", "")
    screen = console.prompt("(yes, or back): ")
    assert "                192.0.2.10/24 2001:db8::10/64\n                gateway 192.0.2.1" in screen
    console.type("yes\r")
    console.wait("The machine is set up.")
    sender = (blank.etc / "hikyaku.conf").read_text()
    assert 'address "192.0.2.10" { ehlo = "mail.example.jp" }\n\taddress "2001:db8::10"' in sender
    assert "acme" not in sender
    settings = (blank.etc / "appliance.conf").read_text()
    assert 'gateway = "192.0.2.1"' in settings and 'resolvers = {"192.0.2.53"}' in settings


def test_back_goes_back_and_what_was_said_is_the_default(blank):
    console = begin(blank)
    answer(console, "Host name: ", "mail.example.jp")
    answer(console, "Mail domain [example.jp]: ", "back")
    answer(console, "Host name [mail.example.jp]: ", "back")
    console.wait("This is the first question.")
    answer(console, "Host name [mail.example.jp]: ", "mx.example.net")
    console.prompt("Mail domain [example.net]: ")


@pytest.mark.parametrize("keys", ["\x03", "quit\r", "\x04"])
def test_broken_off_nothing_is_changed_and_it_begins_anew(blank, keys):
    console = begin(blank)
    answer(console, "Host name: ", "mail.example.jp")
    console.prompt("Mail domain [example.jp]: ")
    console.type(keys)
    console.wait("Nothing was changed.")
    console.prompt("> ")
    assert not (blank.etc / "appliance.conf").exists()
    console.type("setup\r")
    console.prompt("Host name: ")


def test_a_second_console_does_not_ask_as_well(blank):
    first = begin(blank)
    second = blank.terminal(["console"])
    answer(second, "Enter begins: ", "")
    second.wait("setup is under way on another console")
    second.prompt("> ")
    first.type("\x03")
    first.prompt("> ")
    second.type("setup\r")
    second.prompt("Host name: ")


def test_nobody_has_the_questions_before_somebody_presses_enter(blank):
    first = blank.terminal(["console"])
    first.prompt("Enter begins: ")
    begin(blank)
    first.type("\x03")
    first.prompt("> ")


def test_what_is_set_up_is_not_asked_again_nor_is_a_session_of_ssh(appliance, blank):
    blank.terminal(["console"], SSH_CONNECTION="192.0.2.7 1 192.0.2.10 22").prompt("> ")
    (blank.etc / "appliance.conf").write_text('hostname = "mail.example.jp"\n')
    blank.terminal(["console"]).prompt("> ")


def test_a_configuration_that_is_there_stays(appliance):
    before = (appliance.etc / "hikyaku.conf").read_text()
    console = appliance.console()
    console.type("setup\r")
    answer(console, "Host name: ", "mail.example.jp")
    answer(console, "Mail domain [example.jp]: ", "")
    answer_interfaces(console)
    answer(console, "Time zone [UTC]: ", "")
    answer(console, "ssh public key: ", "none")
    answer(console, "DKIM selector [s2026]: ", "")
    answer(console, "Certificate from Let's Encrypt [no]: ", "")
    answer(console, "(yes, or back): ", "yes")
    console.wait("The machine is set up.")
    assert b"is there already and stays as it is." in console.bytes  # scrolled away by now
    assert (appliance.etc / "hikyaku.conf").read_text() == before
