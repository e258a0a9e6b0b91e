#!/usr/bin/python3
"""Runs one program inside an unpacked root file system as the appliance's init does: the root read-only,
devices and state mounted, user and capabilities of its service. To be run by root in a mount namespace
of its own.

usage: enter.py ROOT STATE USER CAPABILITIES COMMAND...

STATE/run and STATE/data become /run and /data. USER is a name of the root's own /etc/passwd;
CAPABILITIES are numbers with commas between, or `-`.
"""
import ctypes
import os
import stat
import subprocess
import sys

LIBC = ctypes.CDLL(None, use_errno=True)
PR_SET_KEEPCAPS, PR_SET_NO_NEW_PRIVS, PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE = 8, 38, 47, 2
CAPABILITY_VERSION = 0x20080522
DEVICES = {"null": (1, 3), "zero": (1, 5), "random": (1, 8), "urandom": (1, 9), "tty": (5, 0), "ptmx": (5, 2)}


def mount(*words):
    subprocess.run(["mount", *words], check=True)


def mount_all(root, state):
    mount("--bind", root, root)
    mount("-o", "remount,bind,ro", root)
    for name in ("run", "data"):
        mount("--bind", f"{state}/{name}", f"{root}/{name}")
    mount("-t", "proc", "proc", f"{root}/proc")
    mount("-t", "tmpfs", "-o", "mode=0755", "dev", f"{root}/dev")
    for name, numbers in DEVICES.items():
        path = f"{root}/dev/{name}"
        os.mknod(path, stat.S_IFCHR | 0o666, os.makedev(*numbers))
        os.chmod(path, 0o666)
    os.mkdir(f"{root}/dev/pts")
    mount("-t", "devpts", "-o", "newinstance,ptmxmode=0666,mode=0620", "devpts", f"{root}/dev/pts")
    os.remove(f"{root}/dev/ptmx")
    os.symlink("pts/ptmx", f"{root}/dev/ptmx")


def rows(path):
    with open(path, encoding="ascii") as file:
        return [line.rstrip("\n").split(":") for line in file]


def user_of(root, name):
    """(uid, gid, groups) by the root's own files."""
    uid, gid = next((int(row[2]), int(row[3])) for row in rows(f"{root}/etc/passwd") if row[0] == name)
    return uid, gid, [int(row[2]) for row in rows(f"{root}/etc/group") if name in row[3].split(",")]


def check(result, what):
    if result != 0:
        raise OSError(ctypes.get_errno(), what)


def become(uid, gid, groups, capabilities):
    check(LIBC.prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0), "keep capabilities")
    os.setgroups(groups)
    os.setresgid(gid, gid, gid)
    os.setresuid(uid, uid, uid)
    bits = sum(1 << number for number in capabilities)
    header = (ctypes.c_uint32 * 2)(CAPABILITY_VERSION, 0)
    # Effective, permitted, inheritable; twice, for the numbers from 32 up.
    data = (ctypes.c_uint32 * 6)(bits, bits, bits, 0, 0, 0)
    check(LIBC.capset(header, data), "set capabilities")
    for number in capabilities:
        check(LIBC.prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, number, 0, 0), "pass capabilities on")
    check(LIBC.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), "no new privileges")


def main():
    root, state, user, capabilities = sys.argv[1:5]
    mount_all(root, state)
    # Afterwards Python finds no more of itself.
    uid, gid, groups = user_of(root, user)
    os.chroot(root)
    os.chdir("/")
    become(uid, gid, groups, [int(word) for word in capabilities.split(",") if word != "-"])
    os.umask(0o022)
    os.execve(sys.argv[5], sys.argv[5:], {"PATH": "/bin:/sbin"})


if __name__ == "__main__":
    main()
