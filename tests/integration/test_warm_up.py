"""New source addresses: a whole sender with two addresses on loopback, one of them in its warm-up, and what
an operator sees and orders."""

import pytest

from sender import Refused

pytestmark = pytest.mark.binary

OLD, NEW = "127.0.0.1", "127.0.0.2"


@pytest.fixture
def sink(sink_with):
    return sink_with()


@pytest.fixture
def world(sender_in, sink):
    sender = sender_in()
    sender.addresses = [(NEW, "new.courier.example")]
    sender.default_site |= {"warm-up-first": 60, "reserve": 0}
    sender.route("*", sink.port)
    return sender


def people(count, first=0):
    return [f"p{i}@example.net" for i in range(first, first + count)]


def at_receiver(sender):
    """The line of the one receiver, that is everybody without a rule of his own."""
    lines = [line for line in sender.items("warmup", "show") if line.get("receiver")]
    assert [line["receiver"] for line in lines] == ["default"]
    return lines[0]


def test_a_warm_up_holds_back_shows_how_far_it_is_and_ends_by_order(world, sink):
    world.start()
    world.run("warmup", "start", NEW)
    world.create("news", people(200))
    world.wait("news", lambda status: status["delivered"] >= 20)
    line = at_receiver(world)
    # A first hour of a first day.
    assert (line["day"], line["quota"], line["sent"], line["state"]) == (1, 60, 20, "rising")
    assert world.metric("hikyaku_warmup_quota", source=NEW, receiver="default") == 60
    text = world.run("warmup", "show").stdout
    assert NEW in text and "everybody else" in text
    assert "day 1: 20 of 60" in world.run("site", "show", "default").stdout
    # Mail that somebody waits for has the rest of the day, not of the hour.
    world.create("codes", people(30, first=1000), "--kind", "transactional")
    assert world.wait("codes")["delivered"] == 30
    assert world.status("news")["delivered"] == 20
    world.kill()
    world.start()
    assert at_receiver(world)["sent"] == 50
    world.run("warmup", "stop", NEW)
    assert world.wait("news")["delivered"] == 200
    assert len(sink.recipients()) == len(set(sink.recipients())) == 230
    world.check_sums("news")


def test_what_is_over_goes_by_the_address_that_is_known(world, sink):
    world.addresses.append((OLD, "old.courier.example"))
    world.start()
    world.run("warmup", "start", NEW)
    world.create("news", people(200))
    assert world.wait("news", seconds=20)["delivered"] == 200
    assert at_receiver(world)["sent"] == 20
    assert len(set(sink.recipients())) == 200


def test_orders_about_what_is_not_there_are_refused(world):
    world.start()
    with pytest.raises(Refused, match="no customer has the source address"):
        world.run("warmup", "start", "192.0.2.200")
    with pytest.raises(Refused, match="is in no warm-up"):
        world.run("warmup", "pause", NEW)
    assert "no source address is in its warm-up" in world.run("warmup", "show").stdout
