"""A power cut in the block layer, by dm-flakey below ext4; for worlds that live in a guest."""
import os

import block

SIZE = 64 << 20


class FlakeyCut:
    """
    From strike() on nothing that is written gets below the file system: neither what the kernel would
    have written later nor what a sync is waiting for. cut() mounts again what the disk has; ext4 replays
    its journal.
    """

    def __init__(self, directory):
        self.directory = str(directory)
        self.disk = block.Memory(SIZE)
        block.make_ext4(self.disk.path, SIZE)
        target = f"flakey {self.disk.path} 0"
        self.keeps, self.drops = f"{target} 3600 0", f"{target} 0 3600 1 drop_writes"
        self.mapped = block.Mapped(f"flakey-{os.path.basename(self.disk.path)}", SIZE // block.SECTOR,
                                   self.keeps)
        self.mounted = False

    def prefix(self):
        return []

    def begin(self):
        if not self.mounted:
            block.mount(self.mapped.path, self.directory)
            self.mounted = True

    def strike(self, process):
        """The disk first: what the sender says after that moment, it says without one."""
        self.mapped.suspend()
        self.written = self.sectors_written()
        process.kill()
        self.mapped.load(self.drops)
        self.mapped.resume()

    def cut(self, random):
        """How many sectors were written and lost."""
        del random  # the moment is the only choice
        block.unmount(self.directory)
        lost = self.sectors_written() - self.written
        self.mapped.load(self.keeps)
        self.mapped.suspend()
        self.mapped.resume()
        block.mount(self.mapped.path, self.directory)
        return lost

    def sectors_written(self):
        with open(f"/sys/block/{os.path.basename(self.mapped.path)}/stat", encoding="ascii") as file:
            return int(file.read().split()[6])

    def end(self):
        if self.mounted:
            block.unmount(self.directory)
            self.mounted = False
        self.mapped.remove()
        self.disk.release()
