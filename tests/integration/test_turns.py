"""Whose mail goes first at a receiver that takes only so much: a whole sender, a real receiver."""

import pytest

pytestmark = pytest.mark.binary


def people(count, name):
    return [f"{name}{i}@example.net" for i in range(count)]


@pytest.fixture
def sink(sink_with):
    return sink_with()


@pytest.fixture
def world(sender_in, sink):
    sender = sender_in()
    sender.default_site |= {"rate": 100, "adaptive": False}
    sender.route("*", sink.port)
    return sender.start()


def delivered(world):
    return {line["name"]: line["delivered"] for line in world.items("campaign", "status") if "name" in line}


def test_transactional_mail_overtakes_a_newsletter_that_is_under_way(world, sink):
    world.create("news", people(5000, "n"))
    world.wait("news", lambda status: status["delivered"] >= 20)
    world.create("codes", people(50, "c"), "--kind", "transactional")
    assert world.wait("codes")["delivered"] == 50
    assert world.status("news")["state"] == "running"
    taken = [recipient.startswith("c") for recipient in sink.recipients()]
    first, last = taken.index(True), len(taken) - taken[::-1].index(True)
    # The newsletter has its eighth of the turns meanwhile, and what was out already.
    assert taken[first:last].count(True) == 50 and taken[first:last].count(False) < 30
    world.run("campaign", "cancel", "news")


def test_two_newsletters_share_what_a_receiver_takes(world):
    world.create("large", people(5000, "l"))
    world.create("small", people(2000, "s"))
    before = delivered(world)
    world.wait("small", lambda status: status["delivered"] >= before["small"] + 100)
    now = delivered(world)
    assert abs((now["large"] - before["large"]) - (now["small"] - before["small"])) <= 40
    for name in before:
        world.run("campaign", "cancel", name)
