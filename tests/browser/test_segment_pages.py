"""Segments in a real browser."""


def test_a_segment_is_written_and_looked_at(drive):
    drive("segments")
