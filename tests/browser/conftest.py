"""
Pages in a real browser: Chromium, driven by drive.mjs. A test brings the service up and runs a scenario, a
file NAME.mjs beside it with `export default async (tester) => { ... }`; pictures of it are in build/browser/.
"""

import os
import pathlib
import subprocess
import sys

import pytest

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parents[1]
sys.path.insert(0, str(HERE.parent / "integration"))
MODULES = ROOT / "build" / "browser-modules"
SHOTS = ROOT / "build" / "browser"


@pytest.fixture(scope="session")
def programs():
    import sender as sender_module
    sender_module.build()


@pytest.fixture
def sender_in(programs, tmp_path):
    import sender as sender_module
    made = []

    def make(name="sender", **options):
        made.append(sender_module.Sender(tmp_path / name, **options))
        return made[-1]

    yield make
    for one in made:
        one.close()


@pytest.fixture
def web(sender_in):
    """The service with an owner, owner@shop.test."""
    from visitor import Visitor
    from web_host import WebHost
    with WebHost(sender_in(keys=("ed25519", "rsa")).start()) as one:
        one.owner = Visitor(one).become("owner@shop.test")
        yield one


def run_scenario(web, name, **environment):
    """NAME.mjs against that host, as its owner."""
    from visitor import PASSWORD
    SHOTS.mkdir(parents=True, exist_ok=True)
    done = subprocess.run(
        ["node", str(HERE / "drive.mjs"), str(HERE / f"{name}.mjs")], text=True, timeout=80,
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        env=os.environ | {"HIKYAKU_URL": web.url, "HIKYAKU_EMAIL": "owner@shop.test",
                          "HIKYAKU_PASSWORD": PASSWORD, "HIKYAKU_SHOTS": str(SHOTS),
                          "HIKYAKU_MODULES": str(MODULES)} | environment)
    assert done.returncode == 0, done.stdout


@pytest.fixture
def drive(web):
    """drive("NAME"): the scenario NAME.mjs."""
    def run(name, **environment):
        run_scenario(web, name, **environment)

    return run


@pytest.fixture
def drive_at():
    """drive_at(web, "NAME"): the same against another host."""
    return run_scenario
