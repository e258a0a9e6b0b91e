"""Fixtures of tests that run the sender: see sender.py."""

import pytest

import sender as sender_module


@pytest.fixture(scope="session")
def programs():
    """The sender and the sink, built."""
    sender_module.build()


@pytest.fixture
def sender_in(programs, tmp_path):
    """Makes senders below tmp_path; arguments as of sender.Sender. pytest shows the log if it fails."""
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
