"""The disk of the appliance, byte by byte: GUID partition table, GRUB for both kinds of firmware, the ESP.

Nothing here needs root, loop devices or mounts, and nothing depends on when or where it runs: all GUIDs,
serial numbers and times are fixed. README.md tells the layout.
"""
import os
import pathlib
import re
import struct
import subprocess
import tempfile
import uuid
import zlib

HERE = pathlib.Path(__file__).resolve().parent
SECTOR = 512
MIB = 1 << 20

# ---- the partition table (UEFI 2.10, section 5) ----

DISK_GUID = "6869b6b9-616b-4b75-8001-000000000000"
BIOS_BOOT = "21686148-6449-6e6f-744e-656564454649"
EFI_SYSTEM = "c12a7328-f81f-11d2-ba4b-00a0c93ec93b"
ENTRIES, ENTRY_SIZE = 128, 128
TABLE_SECTORS = ENTRIES * ENTRY_SIZE // SECTOR

CORE_START, CORE_SECTORS = MIB // SECTOR, MIB // SECTOR
ESP_START, ESP_SECTORS = CORE_START + CORE_SECTORS, 96 * MIB // SECTOR
# Behind the ESP only the second copy of the table, up to a whole MiB: tools like it round.
DISK_SECTORS = ESP_START + ESP_SECTORS + MIB // SECTOR

PARTITIONS = (
    # type, GUID, name, first sector, sectors
    (BIOS_BOOT, "6869b6b9-616b-4b75-8001-000000000001", "hikyaku-boot", CORE_START, CORE_SECTORS),
    (EFI_SYSTEM, "6869b6b9-616b-4b75-8001-000000000002", "hikyaku-esp", ESP_START, ESP_SECTORS),
)


def table_entries():
    entries = b""
    for kind, guid, name, first, sectors in PARTITIONS:
        entries += struct.pack("<16s16sQQQ72s", uuid.UUID(kind).bytes_le, uuid.UUID(guid).bytes_le,
                               first, first + sectors - 1, 0, name.encode("utf-16-le"))
    return entries.ljust(ENTRIES * ENTRY_SIZE, b"\0")


def table_header(here, other, entries_at, entries):
    def pack(crc):
        return struct.pack("<8sIIIIQQQQ16sQIII", b"EFI PART", 0x10000, 92, crc, 0, here, other,
                           2 + TABLE_SECTORS, DISK_SECTORS - TABLE_SECTORS - 2,
                           uuid.UUID(DISK_GUID).bytes_le, entries_at, ENTRIES, ENTRY_SIZE,
                           zlib.crc32(entries))
    return pack(zlib.crc32(pack(0))).ljust(SECTOR, b"\0")


def write_table(out):
    entries = table_entries()
    last = DISK_SECTORS - 1
    out.seek(SECTOR)
    out.write(table_header(1, last, 2, entries) + entries)
    out.seek((last - TABLE_SECTORS) * SECTOR)
    out.write(entries + table_header(last, 1, last - TABLE_SECTORS, entries))


# ---- GRUB ----

# `(,gpt2)` is the second partition of whatever disk GRUB was loaded from: nothing is searched for, so that
# a second disk with an image on it changes nothing.
GRUB_PREFIX = "(,gpt2)/grub"
MODULES = "part_gpt fat normal linux loadenv test echo serial terminal sleep configfile reboot ls".split()
PLATFORM_MODULES = {
    "i386-pc": ["biosdisk"],
    # The kernel gets its screen from GRUB: without a mode set there is none under UEFI.
    "x86_64-efi": ["efi_gop", "efi_uga", "video", "all_video"],
}
# Places in boot.img and in diskboot.img, the first sector of core.img (GRUB's boot.h, "GRUB_BOOT_MACHINE").
BOOT_KERNEL_SECTOR = 0x5C    # u64: where core.img begins
BOOT_DRIVE_CHECK = 0x66      # a jump around the test for floppies, or two nops: no drive number is mistrusted
BOOT_CODE_END = 440          # what follows is the partition table's
BLOCK_LIST = SECTOR - 12     # u64 first sector, u16 sectors, u16 segment: the rest of core.img


def grub_image(platform):
    """GRUB's own image for one firmware, with the modules that grub.cfg uses."""
    kind = {"i386-pc": "i386-pc", "x86_64-efi": "x86_64-efi"}[platform]
    with tempfile.NamedTemporaryFile() as file:
        subprocess.run(["grub-mkimage", "-O", kind, "-o", file.name, "-p", GRUB_PREFIX,
                        *MODULES, *PLATFORM_MODULES[platform]], check=True)
        return pathlib.Path(file.name).read_bytes()


def grub_boot_sector():
    """boot.img, told where core.img is, with the protective entry over the whole disk."""
    boot = bytearray(pathlib.Path("/usr/lib/grub/i386-pc/boot.img").read_bytes())
    struct.pack_into("<Q", boot, BOOT_KERNEL_SECTOR, CORE_START)
    boot[BOOT_DRIVE_CHECK:BOOT_DRIVE_CHECK + 2] = b"\x90\x90"
    boot[BOOT_CODE_END:] = struct.pack(
        "<IHB3sB3sII48sH", 0, 0, 0, bytes((0, 2, 0)), 0xEE, b"\xff\xff\xff", 1, DISK_SECTORS - 1, b"",
        0xAA55)
    if len(boot) != SECTOR:
        raise ValueError(f"boot.img of {len(boot)} bytes")
    return bytes(boot)


def grub_core():
    """core.img for its partition: its first sector loads the rest, which follows it."""
    core = bytearray(grub_image("i386-pc"))
    if len(core) > CORE_SECTORS * SECTOR:
        raise ValueError(f"core.img of {len(core)} bytes does not fit its partition")
    struct.pack_into("<Q", core, BLOCK_LIST, CORE_START + 1)
    return bytes(core)


def environment_block(values):
    """What GRUB calls its environment block: exactly 1024 bytes, read by it and written in place."""
    text = "# GRUB Environment Block\n" + "".join(f"{k}={v}\n" for k, v in values.items())
    return text.encode().ljust(1024, b"#")


# ---- the ESP ----

ESP_LABEL = "HIKYAKU"
ESP_SERIAL = "48494b59"
# No time zone and no build: what FAT can say first, rounded to a day that is one everywhere.
ESP_TIME = "631152000"  # 1990-01-01


class Esp:
    """A FAT32 file system inside of the image, filled by mtools."""

    def __init__(self, image):
        self.drive = f"{image}@@{ESP_START * SECTOR}"
        self.folders = set()

    def run(self, *command, **options):
        environment = {"PATH": os.environ["PATH"], "SOURCE_DATE_EPOCH": ESP_TIME, "TZ": "UTC",
                       "MTOOLS_SKIP_CHECK": "1", "MTOOLSRC": "/dev/null", "LC_ALL": "C.UTF-8"}
        return subprocess.run(command, check=True, env=environment, **options)

    def format(self):
        # Clusters of 1 KiB: with larger ones there were too few of them for what must be FAT32.
        self.run("mformat", "-i", self.drive, "-F", "-c", "2", "-h", "64", "-s", "32",
                 "-T", str(ESP_SECTORS), "-H", str(ESP_START), "-N", ESP_SERIAL, "-v", ESP_LABEL, "::")

    def add_folder(self, folder):
        if folder in ("", "/") or folder in self.folders:
            return
        self.add_folder(os.path.dirname(folder))
        self.run("mmd", "-i", self.drive, f"::{folder}")
        self.folders.add(folder)

    def add(self, path, content):
        """`content`: bytes, or the path of a file."""
        self.add_folder(os.path.dirname(path))
        with tempfile.NamedTemporaryFile() as file:
            if isinstance(content, bytes):
                file.write(content)
            else:
                file.write(pathlib.Path(content).read_bytes())
            file.flush()
            os.utime(file.name, (int(ESP_TIME), int(ESP_TIME)))
            self.run("mcopy", "-m", "-o", "-i", self.drive, file.name, f"::{path}")

    def read(self, path):
        return self.run("mtype", "-i", self.drive, f"::{path}", stdout=subprocess.PIPE).stdout

    def free(self):
        """Bytes."""
        text = self.run("mdir", "-i", self.drive, "::", stdout=subprocess.PIPE, text=True).stdout
        digits = re.search(r"([\d ]+) bytes free", text)[1]
        return int(digits.replace(" ", ""))
