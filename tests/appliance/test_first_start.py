"""An appliance that was told nothing: the wizard on the serial line, then its operator by ssh."""
import subprocess

import pytest

from machine import Machine, qemu
from operation import IMAGE

QUESTIONS = [
    ("Enter begins: ", ""),
    ("Host name: ", "mail.courier.example"),
    (r"Mail domain \[courier.example\]: ", ""),
    (r"eth0: dhcp, static or none \[dhcp\]: ", "static"),
    (r"2001:db8::10/64\): ", "10.0.2.15/24"),
    (r"Gateway \(IPv4, or none\) \[none\]: ", "10.0.2.2"),
    (r"advertisements\) \[none\]: ", ""),
    (r"Name servers \[none\]: ", ""),
    (r"Time zone \[UTC\]: ", "Asia/Tok\t"),
]


@pytest.fixture(scope="module", name="first_start")
def make_first_start(tmp_path_factory):
    """The machine, its operator's key, and what the wizard printed at the end."""
    folder = tmp_path_factory.mktemp("first")
    key = folder / "operator"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "ops", "-f", key], check=True)
    machine = Machine(IMAGE, forward=(qemu.SSH_PORT,), size=1 << 30)
    machine.start()
    try:
        for question, answer in [*QUESTIONS,
                                 ("ssh public key: ", key.with_suffix(".pub").read_text().strip()),
                                 (r"DKIM selector \[s\d+\]: ", "s1"),
                                 (r"Certificate from Let's Encrypt \[no\]: ", ""),
                                 (r"\(yes, or back\): ", "yes")]:
            machine.wait_for(question)
            machine.send(answer)
        records = machine.wait_for(r"(?s)These records have to be published.*The machine is set up\.")
        machine.wait_for(r"mail\.courier\.example> ")
        yield machine, key, records[0].decode().replace("\r", "")
    finally:
        machine.end()


def test_the_records_to_publish_are_told(first_start):
    _, _, records = first_start
    assert "mail.courier.example. IN A 10.0.2.15\n" in records
    assert 'courier.example. IN TXT "v=spf1 ip4:10.0.2.15 ' in records
    assert 's1._domainkey.courier.example. IN TXT "v=DKIM1; k=rsa; p=MII' in records


def test_the_key_that_was_pasted_lets_its_owner_in(first_start):
    machine, key, _ = first_start
    seen = []

    def has_settled():
        # The address that a lease gave goes before the same one comes for good, and the sender starts.
        if machine.lets_in(key):
            seen.append(machine.ssh("status", key=key).stdout)
        return seen and "eth0 10.0.2.15/24" in seen[-1] and "The sender does not answer" not in seen[-1]

    machine.wait(has_settled, "address and sender", story=lambda: seen[-1:])
    status = seen[-1]
    assert status.startswith("mail.courier.example ") and " JST, " in status
    assert max(map(len, status.splitlines())) <= 80 and len(status.splitlines()) <= 24


def test_who_typed_what_is_in_the_log(first_start):
    machine, key, _ = first_start
    machine.ssh("version", key=key)
    log = machine.ssh("logs", key=key).stdout
    assert " of=keys-new user=100 who=ttyS0" in log
    assert "event=typed user=100 who=\"ssh 10.0.2.2 ops\"" in log and "line=version" in log


def test_tools_that_need_the_sandbox_to_let_them_work(first_start):
    machine, key, _ = first_start
    assert "1 of 1 answered" in machine.ssh("ping", "127.0.0.1", "--count", "1", key=key).stdout
    assert "is fine: 1 customer, 1 DKIM key" in machine.ssh("check", key=key).stdout
    assert 'customer "courier.example"' in machine.ssh("config", "show", key=key).stdout
    dig = machine.ssh("dig", "10.0.2.15", key=key, check=False)
    assert dig.stdout.startswith("no such name")


def test_settings_that_nobody_confirms_are_taken_back(first_start):
    machine, key, _ = first_start
    machine.ssh("network", "set", "eth0", "mtu=1400", key=key)
    applied = machine.ssh("network", "apply", "--trial", "2s", key=key, check=False)
    assert applied.returncode == 1 and "the settings from before are back" in applied.stdout
    # What is shown is what is so: while it was tried, and afterwards.
    assert applied.stdout.index("MTU 1400") < applied.stdout.rindex("MTU 1500")
    assert "MTU 1500" in machine.ssh("network", "show", key=key).stdout


def test_there_is_no_way_to_another_program(first_start):
    machine, key, _ = first_start
    for words in (["/bin/hikyaku", "version"], ["sh"], ["/sbin/busybox", "ntpd"]):
        assert machine.ssh(*words, key=key, check=False).returncode == 2
