"""The image as a file: judged by the tools that others use on disks, and byte by byte."""
import hashlib
import os
import struct
import subprocess

import pytest

from machine import TOP, layout

KERNEL = bytes(i * 7 % 253 for i in range(300_001))
ROOTFS = bytes(i * 11 % 247 for i in range(200_003))


@pytest.fixture(name="parts")
def make_parts(tmp_path):
    """Any two files make an image; none of these tests starts it."""
    (tmp_path / "kernel").write_bytes(KERNEL)
    (tmp_path / "rootfs").write_bytes(ROOTFS)
    return tmp_path


def make_image(parts, name="image.img", *words, **environment):
    subprocess.run([TOP / "appliance/image", "--kernel", parts / "kernel", "--rootfs", parts / "rootfs",
                    *words, parts / name], check=True, stdout=subprocess.PIPE, env=os.environ | environment)
    return parts / name


def said(*words):
    return subprocess.run(words, check=True, text=True, stdout=subprocess.PIPE).stdout


def sha256(path):
    return hashlib.sha256(path.read_bytes()).hexdigest()


def test_two_builds_are_the_same_bytes_whenever_and_wherever(parts):
    first = make_image(parts)
    os.utime(parts / "kernel", (1, 1))
    second = make_image(parts, "second.img", TZ="Asia/Tokyo", LC_ALL="C")
    assert sha256(first) == sha256(second)


def test_the_partition_table_is_sound_in_both_copies(parts):
    image = make_image(parts)
    assert "No problems found" in said("sgdisk", "-v", image)
    table = said("sgdisk", "-p", image)
    assert "hikyaku-boot" in table and "hikyaku-esp" in table
    # The first copy gone: what is left is the one at the end.
    with open(image, "r+b") as file:
        file.seek(layout.SECTOR)
        file.write(bytes(33 * layout.SECTOR))
    assert "hikyaku-esp" in said("sgdisk", "-p", image)


def test_the_boot_partition_is_sound_fat32_with_what_belongs_on_it(parts, tmp_path):
    image = make_image(parts)
    esp = tmp_path / "esp"
    with open(image, "rb") as file:
        file.seek(layout.ESP_START * layout.SECTOR)
        esp.write_bytes(file.read(layout.ESP_SECTORS * layout.SECTOR))
    checked = said("fsck.vfat", "-n", "-v", esp)
    assert "FATs, 32 bit entries" in checked, checked
    assert layout.Esp(image).read("/a/kernel") == KERNEL
    assert layout.Esp(image).read("/a/rootfs") == ROOTFS
    assert layout.Esp(image).read("/a/release").decode().splitlines()[2:] == [
        f"kernel {len(KERNEL)} {hashlib.sha256(KERNEL).hexdigest()}",
        f"rootfs {len(ROOTFS)} {hashlib.sha256(ROOTFS).hexdigest()}"]
    assert said("grub-editenv", write(tmp_path / "block", layout.Esp(image).read("/grub/grubenv")),
                "list").split() == ["good=a", "try=", "tries=0", "pending=0"]


def write(path, content):
    path.write_bytes(content)
    return path


def test_it_takes_little_of_the_disk_that_it_is_built_on(parts):
    image = make_image(parts)
    assert image.stat().st_size == 99 << 20
    assert image.stat().st_blocks * 512 < 5 << 20


def test_files_for_an_installation_come_along(parts):
    write(parts / "my.conf", b'hostname = "m1"\n')
    image = make_image(parts, "image.img", f"--file=/hikyaku/appliance.conf={parts / 'my.conf'}")
    assert layout.Esp(image).read("/hikyaku/appliance.conf") == b'hostname = "m1"\n'


def test_every_format_holds_the_same_disk_and_has_its_sum(parts):
    image = make_image(parts)
    sums = []
    for _ in range(2):
        subprocess.run([TOP / "appliance/formats", image], check=True, stdout=subprocess.DEVNULL)
        sums.append((parts / "image.sha256sums").read_text())
    assert sums[0] == sums[1]
    assert len(sums[0].splitlines()) == 4
    subprocess.run(["sha256sum", "-c", "--quiet", "image.sha256sums"], check=True, cwd=parts)
    for name in ("image.qcow2", "image.vmdk"):
        assert "Images are identical" in said("qemu-img", "compare", "-f", "raw", image, parts / name)
    assert 'createType="streamOptimized"' in (parts / "image.vmdk").read_bytes()[:4096].decode("latin-1")
    assert subprocess.run(["gzip", "-dc", parts / "image.raw.gz"], check=True,
                          stdout=subprocess.PIPE).stdout == image.read_bytes()


def test_a_bundle_is_what_its_format_says_and_openssl_verifies_it(parts):
    key, path = parts / "keys/release.pem", parts / "new.bundle"
    for words in (["key", key], ["make", "--kernel", parts / "kernel", "--rootfs", parts / "rootfs",
                                 "--version", "1.2.3", "--key", key, path]):
        subprocess.run([TOP / "appliance/bundle", *words], check=True, stdout=subprocess.DEVNULL)
    assert key.stat().st_mode & 0o777 == 0o600
    bundle = path.read_bytes()
    magic, length, signature = struct.unpack_from(">8sI64s", bundle)
    text = bundle[76:76 + length]
    assert magic == b"HKYBNDL1" and text.startswith(b"hikyaku release 1\nversion 1.2.3\n")
    assert bundle[76 + length:] == KERNEL + ROOTFS
    public = subprocess.run([TOP / "appliance/bundle", "public", key], check=True,
                            stdout=subprocess.PIPE).stdout
    assert "Verified" in said(
        "openssl", "pkeyutl", "-verify", "-rawin", "-pubin", "-inkey", write(parts / "public.pem", public),
        "-in", write(parts / "text", text), "-sigfile", write(parts / "signature", signature))


def test_a_key_is_never_made_over_another(parts):
    key = write(parts / "release.pem", b"mine")
    subprocess.run([TOP / "appliance/bundle", "key", key], check=True)
    assert key.read_bytes() == b"mine"
