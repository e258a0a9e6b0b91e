"""No room: on the disk, to the last block, and in the queue's map."""

import collections
import json
import re
import resource
import time

import pytest

from sender import Refused, wait_until
from small_disk import SmallDisk

pytestmark = pytest.mark.patience

SIZE = "24m"
SMALL = {"in-flight": 512, "map-size-max": "256M"}  # 1 MiB is set aside


@pytest.fixture
def on_disk(sender_in):
    """Makes senders whose data lies on a disk of its own: (sender, disk)."""
    why_not = SmallDisk.why_not()
    if why_not:
        pytest.skip(f"no mount namespace here: {why_not}")
    made = []

    def make(size=SIZE, name="sender"):
        courier = sender_in(name)
        courier.settings["queue"].update(SMALL)
        disk = SmallDisk(courier.data, size)
        courier.prefix = list(disk.prefix)
        made.append((courier, disk))
        return courier, disk

    yield make
    for courier, disk in made:
        courier.close()
        disk.close()


def addresses(count, domains=5):
    return [f"u{i}@d{i % domains}.example" for i in range(count)]


def lacks_room(courier):
    return courier.ask("status")["queue"]["lacks_room"]


def refused_create(courier, name, recipients=("ann@d.example",)):
    with pytest.raises(Refused) as refusal:
        courier.create(name, recipients)
    return json.loads(refusal.value.errors)


def check_it_answers(courier):
    """Whatever is full: commands that only look, and the metrics, work; imports are refused."""
    assert courier.ask("status")["queue"]["lacks_room"]
    assert "NO ROOM" in courier.run("status").stdout
    assert courier.metric("hikyaku_lacks_room") == 1
    assert courier.run("campaign", "status").returncode == 0
    refusal = refused_create(courier, "other")
    assert refusal["code"] == "full" and str(courier.data) in refusal["error"], refusal


def stop_in_time(courier):
    began = time.monotonic()
    assert courier.stop(seconds=60) == 0
    assert time.monotonic() - began < 45


def each_once(sink, recipients):
    assert sorted(sink.recipients()) == sorted(recipients)


# ---- the first start ----

def test_a_first_start_without_room_ends_at_once_and_says_what_it_needs(on_disk):
    courier, disk = on_disk()
    disk.fill()
    courier.start(wait=False)
    assert courier.process.wait(timeout=30) == 75
    sentence = courier.log().strip()
    assert "\n" not in sentence and str(courier.data) in sentence, sentence
    needed = int(re.search(r"(\d+) bytes are needed, 0 are free", sentence)[1])
    disk.free()
    # What it asks for is enough, and not much more than it takes.
    disk.fill()
    with open(disk.other, "r+b") as out:
        out.truncate(disk.other.stat().st_size - needed)
    courier.start()
    assert disk.free_bytes() < needed
    assert courier.stop() == 0


# ---- a start on a full disk ----

def test_on_a_full_disk_it_starts_and_goes_on_when_there_is_room(on_disk, sink_with):
    courier, disk = on_disk()
    sink = sink_with()
    courier.route("*", sink.port)
    courier.start()
    everybody = addresses(2000)
    courier.create("news", everybody, start=False)
    assert courier.stop() == 0
    disk.compact()
    disk.fill()
    courier.start()
    wait_until(lambda: lacks_room(courier), "want of room after the start")
    check_it_answers(courier)
    stop_in_time(courier)
    courier.start()
    wait_until(lambda: lacks_room(courier), "want of room after the start")
    check_it_answers(courier)
    disk.free()
    wait_until(lambda: not lacks_room(courier), "the sender to see the room")
    courier.run("campaign", "start", "news")
    assert courier.wait("news")["delivered"] == 2000
    each_once(sink, everybody)
    courier.create("other", ["ann@d.example"])
    assert courier.wait("other")["delivered"] == 1


# ---- the disk fills up while mail goes out ----

def sending(on_disk, sink_with, count=5000):
    """Every deferral is noted in the delivery log: so the work needs room, and more of it."""
    courier, disk = on_disk()
    sink = sink_with("--delay-ms", "5-10", "--defer-percent", "50")
    courier.route("*", sink.port)
    courier.start()
    everybody = addresses(count)
    courier.create("news", everybody)
    courier.wait("news", lambda s: s["delivered"] > 300)
    return courier, disk, sink, everybody


def stands_still(courier):
    """Nothing is under way and nothing goes out for a second. Pages that are freed let a little through."""
    before = courier.status("news")["delivered"]
    if not lacks_room(courier) or courier.ask("status")["queue"]["in_flight"] > 0:
        return False
    time.sleep(1)
    return lacks_room(courier) and courier.status("news")["delivered"] == before


def test_a_disk_that_fills_up_while_mail_goes_out_pauses_it(on_disk, sink_with):
    courier, disk, sink, everybody = sending(on_disk, sink_with, 10000)
    disk.fill()
    wait_until(lambda: lacks_room(courier), "want of room")
    check_it_answers(courier)
    # What was under way is noted: in the reserve.
    wait_until(lambda: stands_still(courier), "standing still")
    before = courier.check_sums("news")
    assert before["state"] == "running" and 300 < before["delivered"] < len(everybody)
    disk.free()
    assert courier.wait("news")["delivered"] == len(everybody)
    assert courier.status("news")["doubts"] == 0
    each_once(sink, everybody)


def limit_files(courier, size):
    """No write to a file gets anywhere any more: not even pages that are free can be used."""
    resource.prlimit(courier.process.pid, resource.RLIMIT_FSIZE, (size, resource.RLIM_INFINITY))


def starve(courier):
    limit_files(courier, 0)
    wait_until(lambda: lacks_room(courier), "a commit without room")


def test_results_without_any_room_are_noted_when_there_is_some(on_disk, sink_with):
    courier, _, sink, everybody = sending(on_disk, sink_with)
    starve(courier)
    check_it_answers(courier)
    time.sleep(2)
    limit_files(courier, resource.RLIM_INFINITY)
    assert courier.wait("news")["delivered"] == len(everybody)
    assert courier.check_sums("news")["doubts"] == 0
    each_once(sink, everybody)


def test_results_without_any_room_do_not_hold_up_the_end_and_are_not_lost(on_disk, sink_with):
    courier, disk, sink, everybody = sending(on_disk, sink_with)
    starve(courier)
    stop_in_time(courier)
    # No room to note what the journal says either: it waits, answers, and ends when it is told.
    disk.compact()
    disk.fill()
    for _ in range(2):
        courier.start()
        assert courier.ask("status")["state"] == "recovering"
        check_it_answers(courier)
        for words in (("campaign", "pause", "news"), ("queue", "retry", "--all")):
            with pytest.raises(Refused, match="no room"):
                courier.run(*words)
        stop_in_time(courier)
    courier.start()
    disk.free()
    assert courier.wait("news")["delivered"] == len(everybody)
    # The receivers' answers are in the journal: nothing is in doubt, nothing goes twice.
    assert courier.check_sums("news")["doubts"] == 0
    each_once(sink, everybody)


def test_a_kill_on_a_full_disk_leaves_every_possible_copy_on_the_list(on_disk, sink_with):
    courier, disk, sink, everybody = sending(on_disk, sink_with)
    starve(courier)
    courier.kill()
    disk.compact()
    disk.fill()
    courier.start()
    assert courier.ask("status")["state"] == "recovering"
    disk.free()
    assert courier.wait("news")["delivered"] == len(everybody)
    copies = collections.Counter(sink.recipients()) - collections.Counter(everybody)
    assert not collections.Counter(everybody) - collections.Counter(sink.recipients())
    assert set(copies) <= {line["address"] for line in courier.report("news", "in-doubt")}


# ---- the map ----

def test_a_queue_that_fills_its_map_pauses_and_goes_on_with_a_larger_one(sender_in, sink_with):
    courier = sender_in()
    sink = sink_with()
    courier.settings["queue"].update({"in-flight": 64, "map-size-max": "2M"})
    courier.route("*", sink.port)
    courier.start()
    lists = []
    # Small lists until no more is taken: then nine tenths are used.
    while True:
        name = f"n{len(lists)}"
        recipients = [f"{name}u{i}@d{i % 3}.example" for i in range(2500)]
        try:
            courier.create(name, recipients, start=False)
        except Refused as refusal:
            assert json.loads(refusal.errors)["code"] == "full"
            break
        lists.append(recipients)
    assert len(lists) > 2
    # The delivery log needs more than rows give back: it comes to a rest before the end.
    for i in range(len(lists)):
        courier.run("campaign", "start", f"n{i}")
    wait_until(lambda: lacks_room(courier), "want of room")
    check_it_answers(courier)
    stop_in_time(courier)
    courier.start()
    wait_until(lambda: lacks_room(courier), "want of room after the start")
    check_it_answers(courier)
    stop_in_time(courier)
    courier.settings["queue"]["map-size-max"] = "64M"
    courier.start()
    for i, recipients in enumerate(lists):
        assert courier.wait(f"n{i}")["delivered"] == len(recipients)
        assert courier.status(f"n{i}")["doubts"] == 0
    each_once(sink, [address for recipients in lists for address in recipients])
