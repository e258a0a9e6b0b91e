"""From power-on to the first word of a system: firmware, disks, slots that fail."""
import pytest

import tiny
from machine import GIB, Machine, kernel

# Sooner than what is shipped waits; the last word counts.
QUICK = b"append panic=1\n"


@pytest.fixture(scope="session", name="systems")
def make_systems(tmp_path_factory):
    """Root file systems by name: each says its name first."""
    folder = tmp_path_factory.mktemp("systems")
    return {
        "old": tiny.rootfs(folder / "old", "old"),
        "new": tiny.rootfs(folder / "new", "new"),
        "panics": tiny.rootfs(folder / "panics", "panics", panics=True),
    }


@pytest.fixture(scope="session", name="image")
def make_image(systems, tmp_path_factory):
    return tiny.image(tmp_path_factory.mktemp("image") / "image.img", systems["old"])


@pytest.fixture(name="machines")
def machine_maker():
    made = []

    def make(*arguments, **options):
        made.append(Machine(*arguments, **options))
        return made[-1].start()

    yield make
    for machine in made:
        machine.end()


def command_line(machine, system):
    """The kernel's, as the system of that name said it."""
    return machine.wait_for(rf"system {system} runs: ([^\r\n]*)\r")[1].decode()


def switch_off(machine):
    machine.send("poweroff")
    machine.wait_off()


@pytest.mark.parametrize("firmware", ["bios", "uefi"])
def test_either_firmware_starts_the_good_slot_without_a_menu(machines, image, firmware):
    machine = machines(image, firmware=firmware)
    words = command_line(machine, "old")
    assert "hikyaku.slot=a" in words.split()
    assert "console=ttyS0,115200" in words.split()
    assert not machine.said("slot b")
    switch_off(machine)
    assert machine.variables() == {"good": "a", "try": "", "tries": "0", "pending": "1"}


@pytest.mark.parametrize("bus", ["nvme", "ahci"])
def test_disks_of_servers_start_it_as_well(machines, image, bus):
    machine = machines(image, bus=bus)
    machine.wait_for("system old runs")


@pytest.mark.parametrize("gib", [1, 64])
def test_the_image_starts_from_a_disk_of_any_size(machines, image, gib):
    machine = machines(image, size=gib * GIB)
    machine.wait_for(rf" {gib * GIB // 1024} vda\r")
    machine.wait_for(r" 1024 vda1\r")
    machine.wait_for(r" 98304 vda2\r")


def test_words_from_the_esp_reach_the_kernel_whole(machines, image):
    machine = machines(image, files={
        "/hikyaku/cmdline": b"append hikyaku.hostname=m1 \"hikyaku.ssh-key=ssh-ed25519 AAAA a b\""})
    words = command_line(machine, "old")
    assert ' hikyaku.hostname=m1 "hikyaku.ssh-key=ssh-ed25519 AAAA a b"' in words


def test_a_file_of_words_that_is_nonsense_does_not_keep_it_from_starting(machines, image):
    machine = machines(image, files={"/hikyaku/cmdline": b"hostname=x }{ \"\n"})
    assert "hikyaku.slot=a" in command_line(machine, "old")


def with_trial(path, systems, rootfs, kernel_path=None, **variables):
    """An image whose slot a is good, and slot b on trial."""
    block = path.with_suffix(".env")
    block.write_bytes(tiny.variables(**{"try": "b", "tries": "1"} | variables))
    return tiny.image(path, systems["old"], **{
        "/b/kernel": kernel_path or kernel(), "/b/rootfs": systems.get(rootfs, rootfs),
        "/grub/grubenv": block})


def test_a_slot_on_trial_is_started_once(machines, systems, tmp_path):
    machine = machines(with_trial(tmp_path / "image.img", systems, "new"))
    assert "hikyaku.slot=b" in command_line(machine, "new")
    machine.send("reboot")
    # Nobody called the trial well: a menu, and then what was good before.
    machine.wait_for("slot b")
    machine.wait_for("system old runs")
    switch_off(machine)
    assert machine.variables() == {"good": "a", "try": "b", "tries": "0", "pending": "1"}


def test_as_many_tries_are_had_as_are_given(machines, systems, tmp_path):
    machine = machines(with_trial(tmp_path / "image.img", systems, "panics", tries="2"),
                       files={"/hikyaku/cmdline": QUICK})
    machine.wait_for("system panics runs")
    machine.wait_for("system panics runs")
    machine.wait_for("system old runs")


def test_a_slot_on_trial_whose_init_panics_is_followed_by_the_good_one(machines, systems, tmp_path):
    machine = machines(with_trial(tmp_path / "image.img", systems, "panics"),
                       files={"/hikyaku/cmdline": QUICK})
    machine.wait_for("system panics runs")
    machine.wait_for("system old runs")


@pytest.mark.parametrize("damage", ["kernel is cut off", "kernel is noise", "rootfs is noise"])
def test_a_damaged_slot_is_followed_by_the_good_one(machines, systems, tmp_path, damage):
    bad = tmp_path / "bad"
    noise = bytes(i * i % 251 for i in range(100000))
    bad.write_bytes(open(kernel(), "rb").read()[:20000] if damage == "kernel is cut off" else noise)
    if damage == "rootfs is noise":
        source = with_trial(tmp_path / "image.img", systems, bad)
    else:
        source = with_trial(tmp_path / "image.img", systems, "new", bad)
    machine = machines(source, files={"/hikyaku/cmdline": QUICK})
    machine.wait_for("system old runs")
    assert not machine.said("system new runs")


def test_a_good_slot_that_is_gone_is_followed_by_the_other(machines, systems, tmp_path):
    machine = machines(with_trial(tmp_path / "image.img", systems, "new", **{"try": "", "tries": "0"}))
    switch_off_when(machine, "system old runs")
    machine.esp().run("mdel", "-i", machine.esp().drive, "::/a/kernel")
    machine.start()
    machine.wait_for("system new runs")


def switch_off_when(machine, words):
    machine.wait_for(words)
    switch_off(machine)


def test_the_menu_starts_the_slot_that_is_chosen(machines, systems, tmp_path):
    machine = machines(with_trial(tmp_path / "image.img", systems, "new",
                                  **{"try": "", "tries": "0", "pending": "1"}))
    machine.wait_for("slot b")
    machine.type("\x0e\r")  # Ctrl-N: one line down
    machine.wait_for("system new runs")
