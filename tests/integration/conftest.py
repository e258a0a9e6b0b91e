"""Fixtures of tests that run the sender: see sender.py."""

import pytest

import network as network_module
import sender as sender_module
from hostile import Hostile, polite


def pytest_collection_modifyitems(items):
    """Tests that run a sender are repeated with the static binary."""
    for item in items:
        if "sender_in" in getattr(item, "fixturenames", ()):
            item.add_marker("binary")


@pytest.fixture(scope="session")
def programs():
    """The sender and the sink, built."""
    sender_module.build()


@pytest.fixture
def sender_in(programs, tmp_path):
    """Makes senders below tmp_path; arguments as of sender.Sender. Their logs show on failure."""
    made = []

    def make(name="sender", **options):
        made.append(sender_module.Sender(tmp_path / name, **options))
        return made[-1]

    yield make
    for one in made:
        one.close()
        print(f"---- {one.log_path}\n{one.log()[-20000:]}")


@pytest.fixture
def sink_with(programs):
    """Makes sinks; arguments as of sender.Sink."""
    made = []

    def make(*args, **options):
        made.append(sender_module.Sink(*args, **options))
        return made[-1]

    yield make
    for one in made:
        one.close()


@pytest.fixture
def server():
    """A receiver that takes all that comes; it has what it accepted."""
    with Hostile(polite) as one:
        yield one


@pytest.fixture
def network(tmp_path):
    """A namespace with a name server, see network.py; for root only."""
    with network_module.Network(tmp_path) as one:
        yield one
