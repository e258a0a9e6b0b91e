#!/usr/bin/python3
"""What the appliance takes to be there and to do nothing: bytes of the image, times of a start, memory.

usage: bench/appliance.py [IMAGE...]     (build/image/hikyaku.img and hikyaku-guest.img, those that are there)

Each image is installed without hands on a machine of QEMU's with 512 MiB and one with 1 GiB, given a
sender that is configured, and started once more; that second start is measured. The bars stand beside
the figures. On a machine that is emulated times are many times those of a real one, and only their
shares tell something.
"""
import pathlib
import sys
import tempfile
import time

TOP = pathlib.Path(__file__).resolve().parents[1]
sys.path[:0] = [str(TOP / "tests/appliance")]
import operation  # noqa: E402
from machine import qemu  # noqa: E402

MIB = 1 << 20
IMAGES = ("hikyaku.img", "hikyaku-guest.img")
MEMORIES = (512, 1024)
SETTLE_S = 20  # services have started by then, and what they only needed for that is given back
BARS = {"image": 32, "ready": 2.0, "memory": 64}


def stored_mib(image):
    return image.stat().st_blocks * 512 / MIB


def measure(image, memory):
    """(stages in seconds by name, MiB used, MiB in all)"""
    with tempfile.TemporaryDirectory() as folder:
        world = operation.Operation(folder, image, memory=memory)
        try:
            world.machine.start()
            world.wait_for_login()
            world.configure()
            world.machine.press_power()
            world.machine.wait_off()
            world.machine.start()
            world.wait_for_login()
            world.wait_for_sender()
            time.sleep(SETTLE_S)
            system = world.ask("status")[0]["system"]
        finally:
            world.close()
    stages = {stage["name"]: stage["at_ms"] / 1000 for stage in system["stages"]}
    total, available = (system["memory"][name] for name in ("total", "available"))
    return stages, (total - available) / MIB, total / MIB


def main():
    images = [pathlib.Path(path) for path in sys.argv[1:]] or \
        [path for path in (TOP / "build/image" / name for name in IMAGES) if path.exists()]
    if not images:
        sys.exit("no image is built: make image")
    print(f"machine: {qemu.accelerator()}, 2 processors")
    print(f"{'image':20} {'stored MiB':>10} {'memory':>7} {'used MiB':>9}  start, seconds")
    for image in images:
        for memory in MEMORIES:
            stages, used, total = measure(image, memory)
            shown = " ".join(f"{name} {at:.2f}" for name, at in stages.items())
            print(f"{image.name:20} {stored_mib(image):10.1f} {total:7.0f} {used:9.1f}  {shown}", flush=True)
    print(f"{'bars':20} {BARS['image']:10} {'':7} {BARS['memory']:9}  ready {BARS['ready']} (KVM)")


if __name__ == "__main__":
    main()
