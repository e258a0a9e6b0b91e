"""One appliance from its first start through campaigns, a power cut and upgrades; each test goes on from
where the one before it ended."""
import contextlib
import random

import pytest

import tiny
from machine import GIB, TOP
from operation import HOST, Operation, bundle, is_signed, partition_bytes

ROOTFS = TOP / "build/rootfs/rootfs.cpio.zst"


@pytest.fixture(scope="module", name="operation")
def make_operation(tmp_path_factory):
    operation = Operation(tmp_path_factory.mktemp("operation"), size=2 * GIB)
    yield operation
    operation.close()


@pytest.fixture(scope="module", name="record")
def configured(operation):
    """The appliance sends from here on: the DNS record of its key."""
    operation.machine.start()
    operation.wait_for_login()
    return operation.configure()


def test_it_installs_itself_and_lets_its_operator_in(operation, record):
    assert record.startswith("v=DKIM1")
    status = operation.ssh("status").stdout
    assert status.startswith(HOST)
    # Whole, but for the boot partition and the copies of the table.
    assert partition_bytes(operation.machine.disk, 3) > 2 * GIB - (101 << 20)


def test_a_campaign_arrives_with_signatures_that_verify(operation, record):
    addresses = [f"reader{i}@shop{i % 7}.example" for i in range(60)]
    operation.create("spring", addresses)
    assert operation.wait_done("spring")["delivered"] == 60
    assert operation.complaints("spring", addresses, operation.sink) == []
    mails = operation.saved_mails()
    assert len(mails) == 60
    for mail in mails:
        assert is_signed(mail, record)


def test_prometheus_finds_sender_and_machine_on_one_page(operation, record):
    assert slot(operation) == "a"
    page = operation.metrics()
    assert any(line.startswith("hikyaku_service_up") or "hikyaku_service" in line
               for line in page.splitlines())


def test_a_power_cut_in_mid_campaign_loses_nobody(operation, record):
    addresses = [f"reader{i}@slow.example" for i in range(700)]
    operation.create("summer", addresses)
    for _ in range(2):
        sent = operation.status("summer")["delivered"]
        operation.wait(lambda: operation.status("summer")["delivered"] > sent + random.randrange(20, 150),
                       "some to be sent", every=0.1)
        operation.machine.cut()
        operation.machine.start()
        operation.wait_for_login()
        operation.wait_for_sender()
    operation.wait_done("summer")
    assert operation.complaints("summer", addresses, operation.slow_sink) == []


def upgrade(operation, content):
    return operation.ssh("upgrade", "-", stdin=content, seconds=300).stdout.decode()


def slot(operation):
    def shown():
        # The machine's part of the page comes a little after the sender's.
        with contextlib.suppress(OSError):
            return next((line.split('slot="')[1][0] for line in operation.metrics().splitlines()
                         if line.startswith("hikyaku_info")), None)
    return operation.wait(shown, "a slot on the page")


def test_a_bundle_that_was_changed_is_refused(operation, record, tmp_path):
    content = bytearray(bundle(tmp_path / "new.bundle", ROOTFS, "9.0.1"))
    content[-1] ^= 1
    done = operation.ssh("upgrade", "-", stdin=bytes(content), check=False, seconds=300)
    assert done.returncode == 1 and b"damaged" in done.stdout + done.stderr
    content[100] ^= 1
    done = operation.ssh("upgrade", "-", stdin=bytes(content), check=False, seconds=300)
    assert done.returncode == 1 and b"not signed" in done.stdout + done.stderr


def test_an_upgrade_is_tried_and_becomes_good(operation, record, tmp_path):
    said = upgrade(operation, bundle(tmp_path / "new.bundle", ROOTFS, "9.0.1"))
    assert "version 9.0.1, signed by test" in said
    operation.restart()
    operation.wait_until_good()
    assert slot(operation) == "b"
    # What was sent before is known to the new one, and it sends.
    assert operation.status("summer")["state"] == "done"
    operation.create("autumn", ["reader@shop.example"])
    assert operation.wait_done("autumn")["delivered"] == 1


def test_an_older_bundle_needs_a_word(operation, record, tmp_path):
    old = bundle(tmp_path / "old.bundle", ROOTFS, "9.0.0")
    done = operation.ssh("upgrade", "-", stdin=old, check=False, seconds=300)
    assert done.returncode == 1 and b"older than the 9.0.1" in done.stdout + done.stderr


def test_a_bad_upgrade_is_followed_by_the_good_system(operation, record, tmp_path):
    bad = tiny.rootfs(tmp_path / "bad", "bad", panics=True)
    upgrade(operation, bundle(tmp_path / "bad.bundle", bad, "9.1.0"))
    operation.restart()
    operation.machine.wait_for("system bad runs")
    operation.wait_for_login()
    operation.wait_for_sender()
    assert slot(operation) == "b"
    operation.wait_until_said("did not come up", "logs", "init")


def test_a_power_cut_in_an_upgrade_harms_nothing(operation, record, tmp_path):
    content = bundle(tmp_path / "new.bundle", ROOTFS, "9.2.0")
    for share in (0.3, 0.8):
        ssh = operation.machine.open_ssh("upgrade", "-", key=operation.key)
        ssh.stdin.write(content[:int(len(content) * share)])
        ssh.stdin.flush()
        operation.machine.cut()
        ssh.kill()
        ssh.communicate()
        operation.machine.start()
        operation.wait_for_login()
        operation.wait_for_sender()
        assert slot(operation) == "b"
    upgrade(operation, content)
    operation.restart()
    operation.wait_until_good()
    assert slot(operation) == "a"


def test_the_power_button_ends_it_in_order(operation, record):
    operation.machine.press_power()
    operation.machine.wait_off()
    assert operation.machine.variables() == {"good": "a", "try": "", "tries": "0", "pending": "0"}
