"""The machine is lost with its disk: a backup makes another one go on."""
import pytest

from operation import TEMPLATE, Operation, is_signed


@pytest.fixture(scope="module", name="lost")
def make_lost(tmp_path_factory):
    """A machine at work, which is gone by now; the sinks of its mail still stand."""
    operation = Operation(tmp_path_factory.mktemp("lost"))
    yield operation
    operation.close()


@pytest.fixture(scope="module", name="other")
def make_other(tmp_path_factory):
    operation = Operation(tmp_path_factory.mktemp("other"))
    yield operation
    operation.close()


def test_a_new_machine_goes_on_from_the_backup_of_the_lost_one(lost, other):
    addresses = [f"reader{i}@slow.example" for i in range(400)]
    lost.machine.start()
    lost.wait_for_login()
    record = lost.configure()
    lost.create("spring", ["first@shop.example"])
    lost.wait_done("spring")
    lost.create("summer", addresses)
    lost.wait(lambda: lost.status("summer")["delivered"] > 50, "some to be sent", every=0.1)
    for path, text in (("index.html", "<p>ようこそ</p>"), ("news/index.html", "<p>ニュース</p>")):
        lost.ssh("pages", "put", path, stdin=text)
    said = lost.ssh("backup").stdout
    name = said.split("/data/backup/")[1].split(".backup")[0] + ".backup"
    backup = lost.ssh("file", "get", name, stdin=b"").stdout
    lost.machine.cut()
    before = set(lost.slow_sink.recipients())

    other.machine.start()
    other.wait_for_login()
    other.ssh("file", "put", name, stdin=backup)
    assert "next start" in other.ssh("restore", f"/data/backup/{name}").stdout
    other.restart()
    # By the key that it was installed with, not by that of the lost one.
    other.wait_for_login()
    other.wait_for_sender()
    # What was sent after the backup would be sent again: the operator says when it goes on.
    assert other.status("spring")["state"] == "done"
    summer = other.status("summer")
    assert summer["state"] == "paused" and 50 < summer["delivered"] <= len(before)
    other.ssh("campaign", "resume", "summer")
    other.wait_done("summer")
    assert set(lost.slow_sink.recipients()) == set(addresses)
    other.wait(lambda: other.page()[1] == "<p>ようこそ</p>", "the customer's pages")
    assert other.page("/news/")[1] == "<p>ニュース</p>"
    # The same key signs, so the record in DNS is still the right one.
    other.ssh("file", "put", "news.eml", stdin=TEMPLATE)
    other.create("autumn", ["second@shop.example"])
    other.wait_done("autumn")
    mails = lost.saved_mails()
    assert len(mails) == 2 and all(is_signed(mail, record) for mail in mails)


def test_a_backup_that_was_changed_is_refused(lost, other):
    listed = other.ssh("file", "list").stdout.split()
    name = next(word for word in listed if word.endswith(".backup"))
    changed = bytearray(other.ssh("file", "get", name, stdin=b"").stdout)
    changed[len(changed) // 2] ^= 1
    other.ssh("file", "put", "changed.backup", stdin=bytes(changed))
    refused = other.ssh("restore", "/data/backup/changed.backup", check=False)
    assert refused.returncode == 1 and refused.stderr + refused.stdout
