"""A machine with the devices that a test names, under a kernel of ours, and what its guest finds."""
import json
import pathlib
import socket
import subprocess
import sys
import tempfile

TOP = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(TOP / "kernel-config"))
import guest  # noqa: E402

MIB = 1 << 20
SECTOR = 512
SECONDS = 600  # emulated, on a machine that many others use; alone it takes a twentieth
FACTS = TOP / "tests/kernel/facts.py"


class Disk:
    """An empty disk, known by its size, which stands in its first and in its last block."""

    def __init__(self, folder, mib):
        self.mib, self.size, self.path = mib, mib * MIB, pathlib.Path(folder, f"disk-{mib}")
        with open(self.path, "wb") as file:
            for at in (0, self.size - SECTOR):
                file.seek(at)
                file.write(self.size.to_bytes(8, "big").ljust(SECTOR, b"\0"))

    def arguments(self, *devices):
        """For QEMU: the disk and what it hangs on; DISK in a device stands for the drive."""
        found = ["-drive", f"file={self.path},format=raw,if=none,id=disk{self.mib},cache=unsafe"]
        for device in devices:
            found += ["-device", device.replace("DISK", f"disk{self.mib}")]
        return found


def partitioned(folder, mib):
    """A disk with the names and file systems of the image's: the boot partition, and the data volume."""
    disk = Disk(folder, mib)
    half = mib // 2
    for command in (
            ["sgdisk", "-o", "-n", f"1:1M:{half - 1}M", "-c", "1:hikyaku-esp", "-t", "1:ef00",
             "-n", f"2:{half}M:{mib - 2}M", "-c", "2:hikyaku-data", disk.path],
            ["mkfs.vfat", "-F", "32", "-n", "HIKYAKU", f"--offset={MIB // SECTOR}", disk.path,
             str((half - 2) * 1024)],
            ["mke2fs", "-q", "-F", "-t", "ext4", "-E", f"offset={half * MIB}", disk.path, f"{half - 4}M"]):
        subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=True)
    return disk


def network(number, device):
    return ["-netdev", f"user,id=net{number},restrict=on", "-device", f"{device},netdev=net{number}"]


class PowerButton:
    """Takes the guest's lines; presses the button when it asks for that."""

    def __init__(self, path):
        self.path, self.lines = path, []

    def write(self, line):
        if line == b"press\n":
            self.press()
        self.lines.append(line)

    def flush(self):
        pass

    def press(self):
        with socket.socket(socket.AF_UNIX) as to:
            to.settimeout(10)
            to.connect(str(self.path))
            with to.makefile("rw", encoding="ascii") as words:
                for command in ("qmp_capabilities", "system_powerdown"):
                    words.write(json.dumps({"execute": command}) + "\n")
                    words.flush()
                while '"return": {}' in (line := words.readline()) or "QMP" in line:
                    pass


def facts(kernel, devices, *, seconds=SECONDS, directory):
    """What facts.py finds in a machine with these devices, and what the kernel said on its serial line."""
    with tempfile.TemporaryDirectory() as short:  # a socket's path is
        button = PowerButton(f"{short}/qmp")
        code, heard = guest.run(
            kernel, ["/usr/bin/env"], [FACTS], ["/usr/bin/python3", FACTS], memory="512M", seconds=seconds,
            directory=directory, out=button,
            arguments=["-qmp", f"unix:{button.path},server=on,wait=off", *devices])
    said = pathlib.Path(directory, "console.log").read_text(errors="replace")
    lines = heard.decode(errors="replace").splitlines()
    assert code == 0 and lines, guest.explain(directory) + "\n" + "\n".join(lines[-30:])
    return json.loads(lines[-1]), said
