"""What is in the archive, and what must never be."""
import datetime
import hashlib
import io
import os
import re
import stat
import subprocess
import zoneinfo

import pytest

from conftest import BUILT, PROGRAM, TOP, builder, cpio

FOLDERS = """bin boot data dev etc etc/hikyaku etc/hikyaku/release-keys etc/ssl proc run sbin sys tmp usr
    usr/share usr/share/dns usr/share/www usr/share/zoneinfo""".split()
PROGRAMS = """bin/hikyaku sbin/busybox sbin/dropbear sbin/e2fsck sbin/lighttpd sbin/mke2fs
    sbin/resize2fs""".split()
LINKS = {
    "init": "bin/hikyaku", "bin/console": "hikyaku", "sbin/dhcp-event": "../bin/hikyaku",
    "sbin/poweroff": "../bin/hikyaku", "sbin/reboot": "../bin/hikyaku",
    "sbin/dropbearkey": "dropbear", "etc/resolv.conf": "../run/resolv.conf",
    "etc/localtime": "../run/localtime",
}
FILES = """etc/group etc/hikyaku/sbom.spdx.json etc/hosts etc/os-release etc/passwd
    etc/shells etc/ssl/cert.pem usr/share/dns/root.key usr/share/www/index.html""".split()
DEVICES = {"dev/console": (5, 1), "dev/null": (1, 3)}
ZONES = "usr/share/zoneinfo/"
KEYS = re.compile(r"etc/hikyaku/release-keys/[\w.-]+\.pem")


def kinds(entries):
    """The names outside the time zones, by what they are."""
    found = {"folder": set(), "file": set(), "link": {}, "device": {}}
    for name, entry in entries.items():
        if name.startswith(ZONES) or KEYS.fullmatch(name):
            continue
        if stat.S_ISDIR(entry.mode):
            found["folder"].add(name)
        elif stat.S_ISLNK(entry.mode):
            found["link"][name] = os.fsdecode(entry.data)
        elif stat.S_ISCHR(entry.mode):
            found["device"][name] = entry.numbers
        else:
            assert stat.S_ISREG(entry.mode), name
            found["file"].add(name)
    return found


def test_the_archive_holds_what_is_meant_to_be_there_and_nothing_else(entries):
    found = kinds(entries)
    assert found["folder"] == set(FOLDERS)
    assert found["file"] == {*PROGRAMS, *FILES}
    assert found["link"] == LINKS
    assert found["device"] == DEVICES
    zones = {name for name in entries if name.startswith(ZONES)}
    assert {ZONES + "Asia/Tokyo", ZONES + "Europe/Berlin", ZONES + "Etc/UTC"} <= zones


def test_another_build_elsewhere_gives_the_same_bytes(packed, tmp_path):
    environment = os.environ | {"TZ": "Asia/Tokyo", "LC_ALL": "C"}
    keys = TOP / "appliance/release-keys"
    subprocess.run(["sh", "-c", 'umask 077; exec "$@"', "sh", TOP / "rootfs/build",
                    *(["--keys", keys] if keys.exists() else []), PROGRAM, tmp_path], cwd=tmp_path,
                   check=True, env=environment, stdout=subprocess.DEVNULL)
    for name in ("rootfs.cpio.zst", "sbom.spdx.json"):
        first, second = ((folder / name).read_bytes() for folder in (BUILT, tmp_path))
        assert hashlib.sha256(first).hexdigest() == hashlib.sha256(second).hexdigest(), name


def test_no_path_of_this_machine_is_inside(unpacked):
    for path in (str(TOP), os.environ["HOME"] + "/"):
        assert path.encode() not in unpacked, path


def test_nothing_is_a_script_and_every_program_is_one_of_those_meant(entries):
    for name, entry in entries.items():
        if stat.S_ISREG(entry.mode):
            assert not entry.data.startswith(b"#!"), name
            assert (entry.data[:4] == b"\x7fELF") == (name in PROGRAMS), name
            assert bool(entry.mode & 0o111) == (name in PROGRAMS), name


def test_all_belongs_to_root_and_nobody_else_can_write_it(unpacked):
    seen = 0
    for name, entry, uid, gid, mtime in cpio.read(unpacked):
        assert (uid, gid, mtime) == (0, 0, cpio.MTIME), name
        assert not entry.mode & (stat.S_ISUID | stat.S_ISGID | stat.S_ISVTX), name
        if not stat.S_ISLNK(entry.mode) and name != "dev/null":
            assert not entry.mode & 0o022, name
        seen += 1
    assert seen > 100


@pytest.mark.parametrize("name", PROGRAMS)
def test_a_program_is_static_relocatable_hardened_and_stripped(entries, tmp_path, name):
    path = tmp_path / "program"
    path.write_bytes(entries[name].data)
    told = subprocess.run(["readelf", "-hldSW", path], check=True, stdout=subprocess.PIPE, text=True).stdout
    assert "INTERP" not in told and "NEEDED" not in told
    assert re.search(r"Type: +DYN ", told), "not position independent"
    assert "GNU_RELRO" in told and "BIND_NOW" in told
    assert re.search(r"GNU_STACK .* RW +0x", told), "the stack can be executed"
    assert ".symtab" not in told and ".debug" not in told


def test_links_lead_to_what_is_there_or_to_what_init_makes(entries):
    for name, target in LINKS.items():
        there = os.path.normpath(os.path.join(os.path.dirname(name), target))
        assert there in entries or there.startswith("run/"), name


def test_users_are_those_of_the_services_and_only_the_operator_has_a_shell(entries):
    rows = [line.split(":") for line in entries["etc/passwd"].data.decode().splitlines()]
    numbers = {row[0]: int(row[2]) for row in rows}
    assert numbers == {"root": 0, "admin": 100, "send": 101, "web": 102, "receive": 103, "www": 104,
                       "ntp": 105, "dhcp": 106, "hook": 107}
    assert [row[0] for row in rows if row[6].encode() in entries["etc/shells"].data.split()] == ["admin"]
    rows = [line.split(":") for line in entries["etc/group"].data.decode().splitlines()]
    groups = {row[0]: row[2:] for row in rows}
    assert groups["hikyaku"] == ["110", "admin,send,web,receive,www,hook"]
    assert all(groups[name] == [str(number), ""] for name, number in numbers.items())


# What each zone's clock shows at two instants, the second beyond all tables, by rule alone.
CLOCKS = {
    "Asia/Tokyo": ("2026-01-15T09:00", "2055-07-01T09:00"),
    "Europe/Berlin": ("2026-01-15T01:00", "2055-07-01T02:00"),
    "America/New_York": ("2026-01-14T19:00", "2055-06-30T20:00"),
}
ASK_MUSL = r"""
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
int main(int argc, char **argv)
{
	time_t at = atoll(argv[argc - 1]);
	struct tm tm;
	char text[32];

	if (!localtime_r(&at, &tm) || !strftime(text, sizeof(text), "%Y-%m-%dT%H:%M", &tm))
		return 1;
	puts(text);
	return 0;
}
"""


@pytest.mark.parametrize("zone", CLOCKS)
def test_time_zones_are_right_as_the_c_library_reads_them(entries, tmp_path, zone):
    (tmp_path / "zone").write_bytes(entries[ZONES + zone].data)
    (tmp_path / "ask.c").write_text(ASK_MUSL)
    subprocess.run([TOP / "build/sysroot/bin/musl-gcc", "-o", tmp_path / "ask", tmp_path / "ask.c"],
                   check=True)
    for day, shown in zip(((2026, 1, 15), (2055, 7, 1)), CLOCKS[zone]):
        at = datetime.datetime(*day, tzinfo=datetime.timezone.utc)
        told = subprocess.run([tmp_path / "ask", str(int(at.timestamp()))], check=True, text=True,
                              env={"TZ": str(tmp_path / "zone")}, stdout=subprocess.PIPE).stdout
        assert told.strip() == shown
        other = at.astimezone(zoneinfo.ZoneInfo.from_file(io.BytesIO(entries[ZONES + zone].data)))
        assert other.strftime("%Y-%m-%dT%H:%M") == shown


def test_certificates_and_the_root_key_are_whole(entries):
    bundle = entries["etc/ssl/cert.pem"].data.decode("ascii")
    count = bundle.count("-----BEGIN CERTIFICATE-----\n")
    assert 100 < count == bundle.count("-----END CERTIFICATE-----\n")
    read = subprocess.run(["openssl", "storeutl", "-noout", "-certs", "/dev/stdin"], input=bundle, text=True,
                          check=True, stdout=subprocess.PIPE).stdout
    assert f"Total found: {count}" in read
    keys = entries["usr/share/dns/root.key"].data.decode("ascii")
    assert re.findall(r"(?m)^\. IN DNSKEY 257 3 8 .* ; keytag (\d+)$", keys) == ["20326", "38696"]


def test_more_than_the_budget_is_an_error(entries, capsys):
    build = builder()

    class Small:
        class contents:
            budgets = {"unpacked": 1000, "packed": 100}
        entries = {"etc": cpio.Entry.folder(), "etc/a": cpio.Entry.file(b"a" * 900, 0o644)}
        part = {"etc": "tree", "etc/a": "tree"}

    assert build.table(Small, b"a" * 1000, b"a" * 100)
    assert not build.table(Small, b"a" * 1001, b"a" * 100)
    assert not build.table(Small, b"a" * 1000, b"a" * 101)
    assert "of the budget of 1,000" in capsys.readouterr().out


def test_a_line_that_is_not_understood_names_its_place(tmp_path):
    build = builder()
    (tmp_path / "contents").write_text("dir /bin\n\nfile /bin/x\n")
    with pytest.raises(SystemExit, match=r"contents:3: not understood"):
        build.Contents(tmp_path / "contents")
