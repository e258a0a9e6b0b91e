"""What a machine may find after it lost its power, made of what power_shim.c wrote down.

Durable is what was written before a sync of its file began that came to an end (or by a write with
O_DSYNC that did), and names (files made, moved, removed) before such a sync of their folder. Of everything
else the disk may have any part: here each sector of 512 bytes is there or not, in one of several moods.
"""
import os
import shutil
import struct

CREATE, WRITE, SIZE, EXTEND, SYNC, DONE, RENAME, REMOVE, DIRECTORY = range(1, 10)
RECORD = struct.Struct("=IIQQQ")  # op, number, inode, offset, len
SECTOR = 512


class Step:
    def __init__(self, op, number, inode, offset, data):
        self.op, self.number, self.inode, self.offset, self.data = op, number, inode, offset, data
        self.durable = False


def read_log(path):
    with open(path, "rb") as file:
        log = file.read()
    steps, at = [], 0
    while at + RECORD.size <= len(log):
        op, number, inode, offset, size = RECORD.unpack_from(log, at)
        at += RECORD.size
        steps.append(Step(op, number, inode, offset, log[at:at + size]))
        at += size
    return steps


def mark_durable(steps, folder_of):
    """`folder_of`: inode -> path, of folders."""
    ended = {step.number for step in steps if step.op == DONE}
    for at, step in enumerate(steps):
        if step.op == WRITE and step.number in ended:
            step.durable = True
        if step.op != SYNC or step.number not in ended:
            continue
        folder = folder_of.get(step.inode)
        for before in steps[:at]:
            if folder is not None and before.op in (CREATE, RENAME, REMOVE, DIRECTORY):
                before.durable |= any(os.path.dirname(name) == folder for name in names_of(before))
            elif before.op in (WRITE, SIZE, EXTEND) and before.inode == step.inode:
                before.durable = True


def names_of(step):
    return [name.decode() for name in step.data.split(b"\0")]


class Disk:
    """Files below a folder, as they were when a life of the sender began."""

    def __init__(self, directory):
        self.directory = directory
        self.files = {}    # inode -> bytearray
        self.names = {}    # path -> inode
        self.folders = {"": 0}  # path -> inode
        for folder, _, files in os.walk(directory):
            place = os.path.relpath(folder, directory)
            self.folders["" if place == "." else place] = os.stat(folder).st_ino
            for name in files:
                path = os.path.join(folder, name)
                inode = os.stat(path).st_ino
                self.names[os.path.relpath(path, directory)] = inode
                with open(path, "rb") as file:
                    self.files[inode] = bytearray(file.read())

    def apply(self, step, keep):
        """`keep`: whether a sector is there."""
        if step.op in (WRITE, SIZE, EXTEND):
            self.apply_bytes(self.files.setdefault(step.inode, bytearray()), step, keep)
        elif not keep():
            return
        elif step.op == CREATE:
            self.names[names_of(step)[0]] = step.inode
            self.files.setdefault(step.inode, bytearray())
        elif step.op == DIRECTORY:
            self.folders[names_of(step)[0]] = 0
        elif step.op == REMOVE:
            self.names.pop(names_of(step)[0], None)
            self.folders.pop(names_of(step)[0], None)
        elif step.op == RENAME:
            old, new = names_of(step)
            self.names.pop(old, None)
            self.names[new] = step.inode

    @staticmethod
    def apply_bytes(file, step, keep):
        if step.op == WRITE:
            at = 0
            while at < len(step.data):
                end = min(len(step.data), (step.offset + at) // SECTOR * SECTOR + SECTOR - step.offset)
                if keep():
                    start = step.offset + at
                    if len(file) < start:
                        file.extend(bytes(start - len(file)))
                    file[start:step.offset + end] = step.data[at:end]
                at = end
        elif keep():
            if step.op == SIZE:
                del file[step.offset:]
            file.extend(bytes(max(0, step.offset - len(file))))

    def write(self):
        shutil.rmtree(self.directory, ignore_errors=True)
        for folder in sorted(self.folders):
            os.makedirs(os.path.join(self.directory, folder), mode=0o700, exist_ok=True)
        for name, inode in self.names.items():
            if os.path.dirname(name) not in self.folders:
                continue
            path = os.path.join(self.directory, name)
            with open(path, "wb", opener=lambda p, flags: os.open(p, flags, 0o600)) as file:
                file.write(self.files[inode])


class PowerCut:
    """One life of a sender: begin() before it starts, strike() kills it, cut() when it is dead."""

    def __init__(self, directory, log, shim):
        self.directory = str(directory)
        self.log = str(log)
        self.shim = shim

    def prefix(self):
        return ["env", f"LD_PRELOAD={self.shim}", f"POWER_DIR={self.directory}", f"POWER_LOG={self.log}"]

    def begin(self):
        if os.path.exists(self.log):
            os.unlink(self.log)
        self.disk = Disk(self.directory)

    @staticmethod
    def strike(process):
        process.kill()

    def end(self):
        pass

    def cut(self, random):
        """Puts what the disk has in the files' place. How many bytes of those written are not there."""
        if not os.path.exists(self.log):
            return 0
        steps = read_log(self.log)
        folders = {inode: path for path, inode in self.disk.folders.items()}
        for folder, _, _ in os.walk(self.directory):  # those made in this life
            place = os.path.relpath(folder, self.directory)
            folders[os.stat(folder).st_ino] = "" if place == "." else place
        mark_durable(steps, folders)
        mood = random.choice(("nothing", "everything", "few", "half", "most", "until"))
        share = {"nothing": 0, "everything": 1, "few": .1, "half": .5, "most": .9, "until": 1}[mood]
        until = random.randrange(len(steps) + 1) if mood == "until" else len(steps)
        lost = 0
        for at, step in enumerate(steps):
            if step.op in (SYNC, DONE):
                continue
            likely = 1 if step.durable else share if at < until else 0
            kept = []

            def keep():
                kept.append(random.random() < likely)
                return kept[-1]

            self.disk.apply(step, keep)
            lost += kept.count(False) if step.op == WRITE else 0
        self.disk.write()
        return lost
