"""Archives in the "new" cpio format that the kernel unpacks: the same entries give the same bytes.

Owner and group of everything are root, every time is the same, inode numbers count up from 1, and
entries stand in the order of their names, so folders come before what is in them.
"""
import os
import stat

MTIME = 1  # not 0, which some tools show as "no time"
BLOCK = 512


class Entry:
    """One name in the archive. `data` is a file's content or a link's target, as bytes."""

    def __init__(self, mode, data=b"", numbers=(0, 0)):
        self.mode = mode
        self.data = data
        self.numbers = numbers

    @classmethod
    def folder(cls, mode=0o755):
        return cls(stat.S_IFDIR | mode)

    @classmethod
    def file(cls, data, mode):
        return cls(stat.S_IFREG | mode, data)

    @classmethod
    def link(cls, target):
        return cls(stat.S_IFLNK | 0o777, os.fsencode(target))

    @classmethod
    def node(cls, mode, major, minor):
        return cls(stat.S_IFCHR | mode, numbers=(major, minor))


def padded(data):
    return data + bytes(-len(data) % 4)


def record(number, name, entry, links=1):
    name = os.fsencode(name) + b"\0"
    fields = (number, entry.mode, 0, 0, links, MTIME, len(entry.data), 0, 0, *entry.numbers, len(name), 0)
    header = b"070701" + b"".join(b"%08X" % field for field in fields)
    return padded(header + name) + padded(entry.data)


def write(entries):
    """The archive of `entries`, a dictionary of names without a leading slash."""
    out = [record(number, name, entries[name], 2 if stat.S_ISDIR(entries[name].mode) else 1)
           for number, name in enumerate(sorted(entries), 1)]
    # The end's number is 0, and its count of links 1.
    data = b"".join(out) + record(0, "TRAILER!!!", Entry(0))
    return data + bytes(-len(data) % BLOCK)


def read(data):
    """Yields (name, entry, uid, gid, mtime) of every entry."""
    at = 0
    while True:
        assert data[at:at + 6] == b"070701", f"no entry at {at}"
        fields = [int(data[at + 6 + 8 * i:at + 14 + 8 * i], 16) for i in range(13)]
        name_at = at + 110
        data_at = name_at + fields[11] + (-(110 + fields[11])) % 4
        name = os.fsdecode(data[name_at:name_at + fields[11] - 1])
        if name == "TRAILER!!!":
            return
        content = data[data_at:data_at + fields[6]]
        yield name, Entry(fields[1], content, (fields[9], fields[10])), fields[2], fields[3], fields[5]
        at = data_at + fields[6] + -fields[6] % 4
