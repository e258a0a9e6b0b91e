"""The kernels of the image among the devices that QEMU has: what they are to do is tried in a guest.

HIKYAKU_KERNEL names the profile's folder, build/kernel/guest if nothing is said. Of the devices that only
`metal` drives, those that QEMU imitates are tried when it is build/kernel/metal.
"""
import os
import pathlib
import time

import pytest

import machine
from machine import network

KERNEL = pathlib.Path(os.environ.get("HIKYAKU_KERNEL", machine.TOP / "build/kernel/guest"))
IS_METAL = "\nprofile metal\n" in "\n" + (KERNEL / "about").read_text(encoding="ascii")
metal = pytest.mark.skipif(not IS_METAL, reason="a device that only `metal` drives")
OVMF = "/usr/share/ovmf/OVMF.fd"


@pytest.fixture(scope="module", params=["BIOS", "UEFI"])
def virtual(request, tmp_path_factory):
    """A machine of virtio's devices, as CI boots it."""
    folder = tmp_path_factory.mktemp("virtual")
    devices = [*machine.partitioned(folder, 160).arguments("virtio-blk-pci,drive=DISK"),
               *machine.Disk(folder, 17).arguments("virtio-scsi-pci", "scsi-hd,drive=DISK"),
               *network(0, "virtio-net-pci"), "-device", "qemu-xhci", "-device", "usb-kbd",
               "-device", "VGA", "-device", "i6300esb"]
    if request.param == "UEFI":
        devices += ["-bios", OVMF]
    found, said = machine.facts(KERNEL, devices, directory=folder)
    found["firmware"], found["said"] = request.param, said
    return found


def disk_of(found, mib):
    return [(d["driver"], d["readable"]) for d in found["disks"] if d["size"] == mib << 20]


def test_the_serial_line_has_the_kernels_words(virtual):
    assert "Linux version 6.12" in virtual["said"] and "Run /bin/busybox as init" in virtual["said"]


def test_the_firmware_is_the_one_that_booted(virtual):
    assert virtual["efi"] == (virtual["firmware"] == "UEFI")


def test_the_boot_partition_and_the_data_volume_mount_by_their_names(virtual):
    assert virtual["partitions"]["hikyaku-esp"]["vfat"] is True
    assert virtual["partitions"]["hikyaku-data"]["ext4"] is True


def test_disks_of_virtio_scsi_are_read_to_their_ends(virtual):
    assert disk_of(virtual, 17) == [("virtio-pci", True)]


def test_the_network_gives_an_address_by_dhcp(virtual):
    assert virtual["interfaces"] == {"eth0": {"driver": "virtio_net", "lease": True}}


def test_vlans_and_bonds_can_be_made(virtual):
    assert virtual["vlan_and_bond"] == [True, "balance-rr 0"]


def test_connections_are_paced_by_bbr_and_fq(virtual):
    assert (virtual["congestion"], virtual["queue"]) == ("bbr", "fq")


def test_the_kernel_encrypts_by_the_ciphers_of_tls_1_3(virtual):
    assert virtual["tls"] == {"AES-128-GCM": True, "AES-256-GCM": True, "CHACHA20-POLY1305": True}


def test_a_role_without_rights_makes_the_senders_ring(virtual):
    assert virtual["ring"] is True


def test_a_roles_memory_processes_processor_and_disk_have_limits(virtual):
    assert virtual["cgroup"] == ["memory.max", "memory.pressure", "pids.max", "cpu.weight", "cpu.max",
                                 "io.max"]


def test_landlock_guards_files_and_ports(virtual):
    assert virtual["landlock"] >= 4  # of its interface; since 4 it knows TCP
    assert {"landlock", "lockdown", "yama"} <= set(virtual["lsm"].split(","))


def test_not_even_root_reaches_the_kernel(virtual):
    assert "[confidentiality]" in virtual["lockdown"]
    assert virtual["files"] == []
    assert virtual["absent"] == {"kexec": "ENOSYS", "bpf": "ENOSYS", "userfaultfd": "ENOSYS",
                                 "user namespace": "EINVAL"}


def test_the_kernels_log_is_for_root(virtual):
    assert virtual["log as nobody"] == -1


def test_screen_and_serial_line_are_terminals(virtual):
    assert virtual["terminals"] == {"/dev/tty1": True, "/dev/ttyS0": True, "/dev/ptmx": True}
    assert "frame buffer" in virtual["console"] if virtual["efi"] else "VGA" in virtual["console"]


def test_keyboards_and_the_power_button_are_heard(virtual):
    assert "QEMU QEMU USB Keyboard" in virtual["inputs"]
    assert any("AT " in name and "keyboard" in name for name in virtual["inputs"])
    assert virtual["pressed"] is True


def test_a_watchdog_of_the_machine_comes_before_the_kernels_own(virtual):
    assert virtual["watchdogs"][-1] == "Software Watchdog" and len(virtual["watchdogs"]) == 3


def test_the_clock_is_that_of_the_machine(virtual):
    assert abs(virtual["clock"] - time.time()) < 3600 and "rtc_cmos" in virtual["rtc"]
    assert virtual["product"]


# ---- devices of metal and of other hypervisors ----

DISKS = {
    "AHCI": (21, "ahci", ["ide-hd,drive=DISK,bus=ide.0"]),
    "NVMe": (22, "nvme", ["nvme,drive=DISK,serial=22"]),
    "MegaRAID": (23, "megaraid_sas", ["megasas-gen2,id=m", "scsi-hd,drive=DISK,bus=m.0"]),
    "PVSCSI": (24, "vmw_pvscsi", ["pvscsi,id=p", "scsi-hd,drive=DISK,bus=p.0"]),
    "USB": (25, "xhci_hcd", ["qemu-xhci", "usb-storage,drive=DISK"]),
    "PIIX": (26, "ata_piix", ["piix3-ide,id=i", "ide-hd,drive=DISK,bus=i.0"]),
}
CARDS = {"e1000": "e1000", "e1000e": "e1000e", "vmxnet3": "vmxnet3", "virtio-net-pci": "virtio_net"}


@pytest.fixture(scope="module")
def crowd(tmp_path_factory):
    """A machine with every kind of disk and card at once."""
    folder = tmp_path_factory.mktemp("crowd")
    devices = []
    for mib, _, words in DISKS.values():
        devices += machine.Disk(folder, mib).arguments(*words)
    for number, card in enumerate(CARDS):
        devices += network(number, card)
    return machine.facts(KERNEL, devices, directory=folder)[0]


@metal
@pytest.mark.parametrize("kind", DISKS)
def test_a_disk_is_read_to_its_end(crowd, kind):
    mib, driver, _ = DISKS[kind]
    assert disk_of(crowd, mib) == [(driver, True)]


@metal
@pytest.mark.parametrize("card", CARDS)
def test_a_card_gets_an_address(crowd, card):
    assert [i["lease"] for i in crowd["interfaces"].values() if i["driver"] == CARDS[card]] == [True]
