"""`campaign start` on the appliance: not for mail that neither SPF nor DKIM vouches for."""

import pytest

from fake_init import ITEM, REPLY, frame
from identity_world import publish_all, replace

pytestmark = pytest.mark.binary

CAMPAIGN = {"id": 7, "name": "spring", "customer": "example.jp", "state": "running", "total": 10,
            "delivered": 0}


@pytest.fixture
def sender(appliance):
    ready = frame(ITEM, CAMPAIGN | {"state": "ready"})
    appliance.sender.answers["campaign.status"] = ready + frame(REPLY, {})
    appliance.sender.answers["campaign.start"] = frame(REPLY, CAMPAIGN)
    return appliance.sender


def started(sender):
    return [request for request in sender.requests if request["command"] == "campaign.start"]


def test_what_is_vouched_for_starts_without_a_word(appliance, names, sender):
    publish_all(names)
    code, out, err = appliance.run("campaign start spring")
    assert (code, out, err) == (0, 'campaign 7 "spring" is running: 0 of 10 sent\n', "")
    assert len(started(sender)) == 1
    code, out, _ = appliance.run("campaign start spring --json")
    assert code == 0 and out.count("\n") == 1 and '"running"' in out


@pytest.mark.parametrize("name", ["example.jp", "s2026._domainkey.example.jp"])
def test_one_of_spf_and_dkim_is_enough(appliance, names, sender, name):
    publish_all(names)
    replace(names, name, "TXT")
    assert appliance.run("campaign start spring")[0] == 0


def nobody_vouches(names):
    publish_all(names)
    replace(names, "example.jp", "TXT", '"v=spf1 -all"')
    replace(names, "s2026._domainkey.example.jp", "TXT")


def test_what_nobody_vouches_for_does_not_start(appliance, names, sender):
    nobody_vouches(names)
    code, out, err = appliance.run("campaign start spring")
    assert (code, out) == (1, "") and started(sender) == []
    assert err.startswith("mail of example.jp would not align, and receivers refuse it: ")
    assert "SPF 20.0.2.10: fail, matched: -all" in err and "DKIM s2026: no such name" in err
    assert "--override-identity" in err
    code, _, err = appliance.run("campaign start spring --json")
    assert code == 1 and err.startswith("{") and started(sender) == []


def test_an_override_starts_it_and_is_logged(appliance, names, sender):
    nobody_vouches(names)
    code, out, err = appliance.run("campaign start spring --override-identity",
                                   HIKYAKU_WHO="ssh 192.0.2.7 ops@example")
    assert (code, err) == (0, "") and "is running" in out and len(started(sender)) == 1
    notes = [text for _, text in appliance.init.logged]
    assert notes[0] == "campaign start spring --override-identity"
    assert notes[1].startswith("a campaign of example.jp starts although its mail would not align: SPF 20.0")


def test_an_override_without_need_is_no_matter(appliance, names, sender):
    publish_all(names)
    assert appliance.run("campaign start spring --override-identity")[0] == 0
    assert [text for _, text in appliance.init.logged] == ["campaign start spring --override-identity"]


def test_no_answer_of_dns_is_no_consent(appliance, names, sender):
    publish_all(names)
    names.silent |= {"example.jp", "s2026._domainkey.example.jp"}
    code, _, err = appliance.run("campaign start spring")
    assert code == 1 and "temperror, no answer in time" in err and started(sender) == []


def test_create_with_start_is_refused_before_anything_is_made(appliance, names, sender, tmp_path):
    nobody_vouches(names)
    (tmp_path / "news.eml").write_text("From: a@example.jp\r\nSubject: x\r\n\r\nHello\r\n")
    (tmp_path / "list.csv").write_text("email\na@example.com\n")
    code, _, err = appliance.run(
        f"campaign create --name spring --customer example.jp --template {tmp_path}/news.eml "
        f"--recipients {tmp_path}/list.csv --start")
    assert code == 1 and "would not align" in err and sender.requests == []


def test_a_campaign_that_is_not_there_is_told_as_ever(appliance, names, sender):
    sender.answers["campaign.status"] = sender.answers["campaign.start"] = frame(
        6, {"error": "there is no campaign spring", "code": "not-found"})
    code, _, err = appliance.run("campaign start spring")
    assert code != 0 and "there is no campaign spring" in err and started(sender) == []
