"""What a disk may have at each moment of a log of writes: made-up logs, so that no guest is needed."""

import pathlib
import random
import sys

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests/crash"))
import write_log  # noqa: E402
from write_log import FLUSH, FUA, MARK, Cut  # noqa: E402

SIZE = 4096


def made_of(path, *entries):
    """`entries`: (flags, sector, bytes or words)."""
    body = b""
    for flags, sector, data in entries:
        words = data.encode() if flags & MARK else b""
        data = b"" if flags & MARK else data
        head = write_log.ENTRY.pack(sector, len(data) // 512, flags, len(words)) + words
        body += head + bytes(512 - len(head)) + data
    head = write_log.SUPER.pack(write_log.MAGIC, write_log.VERSION, len(entries), 512)
    path.write_bytes(head + bytes(512 - len(head)) + body)
    return write_log.Log(path)


@pytest.fixture(name="log")
def two_writes_of_two_sectors_before_the_second_flush(tmp_path):
    return made_of(tmp_path / "log", (0, 0, b"a" * 512), (FLUSH, 0, b""), (MARK, 0, "0"),
                   (FUA, 1, b"f" * 512), (0, 2, b"b" * 1024), (0, 4, b"c" * 1024), (FLUSH, 0, b""))


def sectors(image):
    return "".join(chr(image[at]) if image[at] else "." for at in range(0, SIZE, 512))


def disk(log, at, mood, seed=1):
    image, lost = write_log.Replay(log, SIZE).cut(Cut(at, mood), random.Random(seed))
    return sectors(image), lost


def test_behind_a_flush_everything_before_it_is_there(log):
    assert disk(log, 1, "all") == ("a.......", 0)
    assert disk(log, 6, "all") == ("afbbcc..", 0)


def test_a_write_past_the_cache_is_there_without_a_flush(log):
    assert disk(log, 2, "all") == ("a.......", 0)
    assert disk(log, 3, "all") == ("af......", 0)


def test_just_before_a_flush_what_waits_for_it_may_be_missing(log):
    assert disk(log, 6, "none") == ("af......", 4)


def test_any_sector_of_what_waits_may_be_there(log):
    seen = {disk(log, 6, "half", seed)[0] for seed in range(400)}
    assert len(seen) == 16
    assert all(one.startswith("af") for one in seen)


def test_a_torn_write_has_those_before_it_and_none_behind_it(log):
    seen = {disk(log, 6, "torn", seed)[0] for seed in range(400)}
    assert seen == {"af......", "afb.....", "af.b....", "afbb....", "afbbc...", "afbb.c..", "afbbcc.."}


def test_every_moment_is_offered_from_the_first_mark_on(log):
    cuts = log.cuts(2)
    assert [cut.at for cut in cuts if cut.mood == "all"] == [2, 3, 6]
    assert sorted(cut.mood for cut in cuts if cut.at == 6) == ["all", "few", "half", "most", "none", "torn"]


def test_one_disk_goes_through_many_cuts_as_many_disks_would(log):
    replay = write_log.Replay(log, SIZE)
    for cut in (Cut(2, "all"), Cut(3, "all"), Cut(6, "none"), Cut(6, "half"), Cut(6, "all")):
        image, _ = replay.cut(cut, random.Random(7))
        assert sectors(image) == disk(log, cut.at, cut.mood, 7)[0]


def test_a_log_of_something_else_is_refused(tmp_path):
    (tmp_path / "log").write_bytes(bytes(4096))
    with pytest.raises(OSError):
        write_log.Log(tmp_path / "log")
