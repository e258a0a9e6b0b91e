"""Boot partition and data volume on disks of a guest, under the appliance's kernel and through power cuts."""
import pathlib
import subprocess
import sys

import pytest

import tiny
from machine import GIB, TOP, kernel

sys.path.insert(0, str(TOP / "kernel-config"))
import guest  # noqa: E402

DRIVER = TOP / "build/host/tests/init/volume_many"
PROGRAMS = (DRIVER, "/sbin/mke2fs", "/sbin/e2fsck")
GUEST_S = 120  # one start and what is done then, emulated on a busy host
OPEN = f"{DRIVER} vda /mnt/boot /mnt/data"
CLOSE = "$b umount /mnt/data; /sbin/e2fsck -f -n /dev/vda3"  # and nothing is to be found fault with
NOW = "$b reboot -n -f; $b sleep 60"  # without a sync: as a power cut


@pytest.fixture(scope="session", name="image")
def make_image(tmp_path_factory):
    folder = tmp_path_factory.mktemp("volume")
    return tiny.image(folder / "image.img", tiny.rootfs(folder / "rootfs", "none"))


@pytest.fixture(name="disk")
def make_disk(image, tmp_path):
    path = tmp_path / "disk.img"
    subprocess.run(["cp", "--sparse=always", image, path], check=True)
    resize(path, GIB)
    return path


def resize(path, size):
    with open(path, "r+b") as disk:
        disk.truncate(size)


def run(tmp_path, script, *disks):
    """Runs a script with the disks as vda, vdb...; its code (None: cut off) and its words."""
    arguments = []
    for number, path in enumerate(disks):
        arguments += ["-drive", f"file={path},format=raw,if=none,id=d{number},cache=writeback",
                      "-device", f"virtio-blk-pci,drive=d{number}"]
    script = f"b={guest.BUSYBOX}; $b mkdir -p /mnt/boot /mnt/data; {script}"
    code, words = guest.run(pathlib.Path(kernel()).parent, PROGRAMS, (), ["/bin/sh", "-c", script],
                            python=False, memory="512M", seconds=GUEST_S, directory=tmp_path / "guest",
                            arguments=arguments)
    return code, words.decode(errors="replace")


def must(tmp_path, script, *disks):
    code, words = run(tmp_path, f"set -e; {script}", *disks)
    assert code == 0, words + guest.explain(tmp_path / "guest")
    return words


def has_sound_table(disk):
    result = subprocess.run(["sgdisk", "-v", disk], capture_output=True, text=True, check=True)
    return "No problems found" in result.stdout


def test_the_first_start_makes_it_and_a_larger_disk_is_filled(tmp_path, disk):
    words = must(tmp_path, f"""{OPEN}
        $b test -s /mnt/boot/a/kernel
        $b grep -q '/mnt/boot vfat ro,nosuid,nodev,noexec' /proc/mounts
        $b grep -q '/mnt/data ext4 rw,nosuid,nodev,noexec,noatime' /proc/mounts
        $b echo kept >/mnt/data/etc/x
        $b df -m /mnt/data | $b tail -1
        {CLOSE}""", disk)
    assert "device: /dev/vda3\n" in words
    assert "/dev/vda3 was formatted\n" in words
    assert has_sound_table(disk)

    resize(disk, 5 * GIB)
    words = must(tmp_path, f"""{OPEN}
        $b grep -q kept /mnt/data/etc/x
        $b df -m /mnt/data | $b tail -1
        {CLOSE}
        {OPEN}""", disk)
    assert "its file system grew from 924 to 5020 MiB" in words
    size = int(next(line for line in words.splitlines() if line.startswith("/dev/vda3 ")).split()[1])
    assert 4700 < size <= 5020
    assert words.endswith("device: /dev/vda3\nnote: \nerror: \n")  # the second time there was nothing to do
    assert has_sound_table(disk)


@pytest.mark.parametrize("delay_ms", [30, 200, 1000])
def test_a_power_cut_at_the_first_start_leaves_it_to_the_next(tmp_path, disk, delay_ms):
    code, _ = run(tmp_path, f"{OPEN} & $b usleep {delay_ms}000; {NOW}", disk)
    assert code is None
    must(tmp_path, f"{OPEN}; $b touch /mnt/data/etc/x; {CLOSE}", disk)
    assert has_sound_table(disk)


def test_what_was_synced_outlives_a_power_cut(tmp_path, disk):
    code, words = run(tmp_path, f"""{OPEN}
        i=0
        while [ $i -lt 100 ]; do
            $b echo $i >/mnt/data/etc/f$i; i=$((i + 1))
        done
        $b sync
        ( while :; do $b dd if=/dev/zero of=/mnt/data/etc/more bs=64k count=500 2>/dev/null; done ) &
        $b sleep 1; {NOW}""", disk)
    assert code is None
    words = must(tmp_path, f"""{OPEN}
        i=0
        while [ $i -lt 100 ]; do
            $b grep -qx $i /mnt/data/etc/f$i; i=$((i + 1))
        done
        {CLOSE}""", disk)
    assert "formatted" not in words


def test_without_its_first_table_the_disk_is_known_by_the_second(tmp_path, disk):
    must(tmp_path, f"{OPEN}; $b echo kept >/mnt/data/etc/x; $b umount /mnt/data", disk)
    with open(disk, "r+b") as file:
        file.seek(512)
        file.write(bytes(33 * 512))
    words = must(tmp_path, f"""{OPEN}
        $b grep -q kept /mnt/data/etc/x
        $b test -s /mnt/boot/a/kernel
        {CLOSE}""", disk)
    assert "the partition table of vda was put in order" in words
    assert has_sound_table(disk)
