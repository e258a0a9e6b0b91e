"""QEMU as the appliance's machine: the command line, ports on loopback, disks that are copies.

For `make boot` and for the tests. KVM where the processor helps with it, else emulation.
"""
import os
import pathlib
import random
import shutil
import socket
import sys

import disk

TOP = pathlib.Path(__file__).resolve().parents[1]
sys.path.insert(0, str(TOP / "kernel-config"))
import guest  # noqa: E402

OVMF_CODE = "/usr/share/OVMF/OVMF_CODE_4M.fd"
OVMF_VARIABLES = "/usr/share/OVMF/OVMF_VARS_4M.fd"
SSH_PORT, METRICS_PORT = 22, 9641

accelerator = guest.accelerator


def make_disk(image, path, size, files=None):
    """
    The image on a disk of `size` bytes, as dd would leave it there. It takes as much room as was written.
    `files` go onto its ESP. An emulated machine's kernel is told of a clock that can be trusted.
    """
    with open(image, "rb") as source, open(path, "wb") as out:
        end = source.seek(0, os.SEEK_END)
        at = 0
        while at < end:
            try:
                start = source.seek(at, os.SEEK_DATA)
            except OSError:
                break  # nothing but holes
            at = source.seek(start, os.SEEK_HOLE)
            source.seek(start)
            out.seek(start)
            left = at - start
            while left > 0:
                data = source.read(min(left, disk.MIB))
                out.write(data)
                left -= len(data)
        out.truncate(max(size, end))
    files = dict(files or {})
    if accelerator() == "tcg":
        words = files.get("/hikyaku/cmdline", b"append").decode().strip()
        files["/hikyaku/cmdline"] = f"{words} {guest.EMULATED_CLOCK}\n".encode()
    esp = disk.Esp(path)
    esp.folders.add("/hikyaku")
    for name, content in files.items():
        esp.add(name, content)
    return esp


def free_port(wanted=0):
    """
    `wanted` when nobody has it, else any: a port of loopback, of those that the kernel gives to nobody by
    itself between this choice and QEMU's start.
    """
    for port in (*([wanted] if wanted else []), *random.sample(range(10240, 32768), 100)):
        with socket.socket() as s:
            s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                s.bind(("127.0.0.1", port))
                return port
            except OSError:
                continue
    raise RuntimeError("no port is free on loopback")


def command(path, directory, *, firmware="bios", memory=512, cpus=2, forward=None, bus="virtio",
            disks=(), screen=False, clock=None):
    """
    QEMU's command line up to the serial line, which the caller adds. `forward`: {port here: port there}.
    `bus`: virtio, nvme, ahci. `disks`: paths of further ones. `clock`: what the machine's clock says at
    power-on, if not the right time. In `directory` stand the firmware's variables.
    """
    words = ["qemu-system-x86_64", "-accel", accelerator(), "-M", "q35", "-cpu", "max", "-smp", str(cpus),
             "-m", str(memory), "-nodefaults", "-no-user-config", "-display", "none",
             "-device", "virtio-rng-pci"]
    if clock:
        words += ["-rtc", f"base={clock}"]
    if screen:
        words += ["-vga", "std"]
    if firmware == "uefi":
        variables = pathlib.Path(directory, "uefi-variables.fd")
        if not variables.exists():
            shutil.copyfile(OVMF_VARIABLES, variables)
        words += ["-drive", f"if=pflash,unit=0,readonly=on,format=raw,file={OVMF_CODE}",
                  "-drive", f"if=pflash,unit=1,format=raw,file={variables}"]
    devices = {"virtio": "virtio-blk-pci", "nvme": "nvme,serial=hikyaku", "ahci": "ide-hd"}
    for at, file in enumerate((path, *disks)):
        words += ["-drive", f"if=none,id=disk{at},format=raw,file={file}",
                  "-device", f"{devices[bus if at == 0 else 'virtio']},drive=disk{at}" +
                  (",bootindex=0" if at == 0 else "")]
    if forward is not None:
        rules = "".join(f",hostfwd=tcp:127.0.0.1:{here}-:{there}" for here, there in forward.items())
        words += ["-netdev", f"user,id=net{rules}", "-device", "virtio-net-pci,netdev=net,romfile="]
    return words
