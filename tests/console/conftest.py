import os
import subprocess

import pytest

from console_world import ROOT, Appliance


@pytest.fixture(scope="session", autouse=True)
def program():
    if "HIKYAKU" not in os.environ:
        subprocess.run(["make", "-s", "VARIANT=san", "all"], cwd=ROOT, check=True)


@pytest.fixture
def appliance(tmp_path):
    made = Appliance(tmp_path)
    yield made
    made.close()
