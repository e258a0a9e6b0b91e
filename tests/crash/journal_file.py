"""Reads and damages the in-doubt journal from outside, as its header src/store/journal.h describes it."""
import os
import struct

FREE, LEASED, DOT_SENT, ANSWERED = range(4)
HEAD = struct.Struct("=8sII36s")
HEAD_SIZE = 4096
SLOT = struct.Struct("=IHHIIIIQ32x")  # state, code, verdict, campaign, domain, seq, place, due, date + host
assert SLOT.size == 64


def read(path):
    """[(state, campaign id, domain, seq)] of the slots in use; empty for a file that says nothing."""
    try:
        with open(path, "rb") as file:
            data = file.read()
    except FileNotFoundError:
        return []
    if len(data) < HEAD_SIZE:
        return []
    _, slot_size, count, boot = HEAD.unpack_from(data)
    if slot_size != SLOT.size or not boot.strip(b"\0"):
        return []
    end = HEAD_SIZE + min(count, (len(data) - HEAD_SIZE) // SLOT.size) * SLOT.size
    return [(state, campaign, domain, seq) for state, _, _, campaign, domain, seq, _, _
            in SLOT.iter_unpack(data[HEAD_SIZE:end]) if state != FREE]


def spoil(path, how):
    """What a machine that lost its power may find: nothing, another boot's file, half a file."""
    if how == "removed":
        if os.path.exists(path):
            os.unlink(path)
        return
    try:
        with open(path, "r+b") as file:
            if how == "cut":
                file.truncate(HEAD_SIZE // 2)
            else:  # another boot's
                file.seek(HEAD.size - 36)
                file.write(b"00000000-0000-0000-0000-000000000000")
    except FileNotFoundError:
        pass
