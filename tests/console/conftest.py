import os
import subprocess

import pytest

from console_world import ROOT, Appliance
from identity_world import CUSTOMER, ZONES
from name_server import NameServer


@pytest.fixture(scope="session", autouse=True)
def program():
    if "HIKYAKU" not in os.environ:
        subprocess.run(["make", "-s", "VARIANT=san", "all"], cwd=ROOT, check=True)


@pytest.fixture
def appliance(tmp_path):
    made = Appliance(tmp_path)
    yield made
    made.close()


@pytest.fixture
def names(appliance):
    """A name server that the configuration's customer and one block list are asked of."""
    server = NameServer()
    (appliance.etc / "hikyaku.conf").write_text(
        f'control = "{appliance.folder}/send.sock"\n' +
        server.options(*ZONES).replace("}\n}", '}\n\tblock-lists = {"list.example.net"}\n}') +
        CUSTOMER.format())
    server.add("2.0.0.127.list.example.net", "A", "127.0.0.2")
    yield server
    server.close()
