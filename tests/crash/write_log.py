"""Reads what dm-log-writes wrote down, and makes of it what the disk may have had at any moment.

The log has writes in the order in which they were safe: a flush stands behind the writes that had ended
when it began, a write with FUA where it ended, a mark where it was set. So behind a flush all before it
is on the disk, and just before it of the writes since the flush before any part (those with FUA apart).
"""
import collections
import os
import struct

SUPER = struct.Struct("<QQQI")
ENTRY = struct.Struct("<QQQQ")
MAGIC, VERSION = 0x6A736677736872, 1
FLUSH, FUA, DISCARD, MARK, METADATA = 1, 2, 4, 8, 16
SECTOR = 512

Entry = collections.namedtuple("Entry", "flags sector count data_at words")  # `data_at`: in the log
Cut = collections.namedtuple("Cut", "at mood")  # `at`: number of the entry

# Of the writes before a flush: none, all up to one which is torn, or a share of all sectors.
SHARES = {"none": 0, "few": .1, "half": .5, "most": .9}


class Log:
    def __init__(self, path):
        self.file = os.open(path, os.O_RDONLY)
        magic, version, count, self.sector = SUPER.unpack(os.pread(self.file, SUPER.size, 0))
        if magic != MAGIC or version != VERSION:
            raise OSError(f"{path}: no log of writes")
        self.entries = []
        at = self.sector
        for _ in range(count):
            sector, size, flags, data_len = ENTRY.unpack(os.pread(self.file, ENTRY.size, at))
            words = os.pread(self.file, data_len, at + ENTRY.size) if flags & MARK else b""
            self.entries.append(Entry(flags, sector, size, at + self.sector, words.decode()))
            at += self.sector
            if not flags & (DISCARD | MARK):
                at += size * self.sector

    def close(self):
        os.close(self.file)

    def data(self, entry):
        return os.pread(self.file, entry.count * self.sector, entry.data_at)

    def count(self, flag):
        return sum(bool(entry.flags & flag) for entry in self.entries)

    def waiting(self, at):
        """The numbers of the writes that the flush at `at` makes safe."""
        found = []
        for number in range(at - 1, -1, -1):
            flags = self.entries[number].flags
            if flags & FLUSH:
                break
            if not flags & (FUA | MARK):
                found.append(number)
        return found[::-1]

    def flushes_before(self, at, count):
        """The number of the entry that is so many flushes before."""
        flushes = [n for n in range(at) if self.entries[n].flags & FLUSH]
        return flushes[-count] if len(flushes) >= count else 0

    def cuts(self, first):
        """Every moment at which the disk may be told apart from the one before, from entry `first` on."""
        found = []
        for at in range(first, len(self.entries)):
            flags = self.entries[at].flags
            if flags & (FLUSH | FUA | MARK):
                found.append(Cut(at, "all"))
            if flags & FLUSH and self.waiting(at):
                found += [Cut(at, mood) for mood in (*SHARES, "torn")]
        return found


class Replay:
    """A disk that goes through the log, forwards."""

    def __init__(self, log, size):
        self.log, self.image, self.done = log, bytearray(size), 0

    def apply(self, image, number, keep=lambda: True):
        """How many sectors were not kept."""
        entry = self.log.entries[number]
        if entry.flags & (MARK | DISCARD):
            return 0  # what was discarded may still be there
        start, data, lost = entry.sector * self.log.sector, self.log.data(entry), 0
        for at in range(0, len(data), SECTOR):
            if keep():
                image[start + at:start + at + SECTOR] = data[at:at + SECTOR]
            else:
                lost += 1
        return lost

    def cut(self, cut, random):
        """The disk at `cut`, which may not lie before an earlier one, and how many sectors it lost."""
        waiting = [] if cut.mood == "all" else self.log.waiting(cut.at)
        # Whatever is safe by then; marks between them have no bytes.
        safe = waiting[0] if waiting else cut.at + 1
        while self.done < safe:
            self.apply(self.image, self.done)
            self.done += 1
        image = bytearray(self.image)
        for number in range(safe, cut.at):
            if number not in waiting:
                self.apply(image, number)
        if cut.mood == "torn":
            torn = random.choice(waiting) if waiting else 0
            share = {number: 1 if number < torn else 0 for number in waiting} | {torn: .5}
        else:
            share = dict.fromkeys(waiting, SHARES.get(cut.mood))
        return image, sum(self.apply(image, number, lambda: random.random() < share[number])
                          for number in waiting)
