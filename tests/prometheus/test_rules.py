"""Each alert rings when it is to, and is silent before: judged by `promtool test rules`."""

import json
import re
import subprocess

import pytest

import files

MACHINE = 'job="hikyaku",instance="mail1:9641"'


def series(name, values, **labels):
    return {"series": name + "{" + ",".join([MACHINE, *(f'{k}="{v}"' for k, v in labels.items())]) + "}",
            "values": values}


def messages(site="big.example", **values):
    """Counters of one site; an outcome that is not named stays 0."""
    return [series("hikyaku_messages_total", values.get(outcome, "0+0x600"), outcome=outcome, site=site,
                   source="192.0.2.10")
            for outcome in ("delivered", "failed", "deferred", "in_doubt")]


def sessions(opened, failed, site="big.example"):
    return [series("hikyaku_sessions_opened_total", opened, site=site, source="192.0.2.10"),
            series("hikyaku_sessions_failed_total", failed, site=site, source="192.0.2.10",
                   reason="connect")]


def data(used, available):
    return [series("hikyaku_data_bytes", used, state="used"),
            series("hikyaku_data_bytes", available, state="available")]


def queue(running="1+0x600", lane="0+0x600", committed="0+0x600"):
    return [series("hikyaku_campaigns_running", running), series("hikyaku_rows_committed_total", committed),
            series("hikyaku_queue_rows", lane, state="lane"),
            series("hikyaku_queue_rows", "0+0x600", state="leased"),
            series("hikyaku_queue_rows", "5+0x600", state="deferred")]


# One sample a minute. The alert, what happens, a minute when it is silent, one when it rings.
RINGS = [
    ("HikyakuDown", [series("up", "1+0x30 0+0x30")], 30, 40),
    ("HikyakuNotScraped", [{"series": 'up{job="other"}', "values": "1+0x60"}], 5, 15),
    ("HikyakuRestarting", [series("hikyaku_ring_turns_total", "0+9x30 0+9x5 0+9x5", worker="0")], 33, 40),
    ("HikyakuQueueNotMoving", queue(lane="500+0x60", committed="0+50x20 1000+0x60"), 30, 45),
    ("HikyakuRetriesLate", [series("hikyaku_queue_oldest_due_seconds", "0+60x60")], 30, 40),
    ("HikyakuCommitsSlow", [series("hikyaku_commit_seconds_bucket", "0+60x20 1200+0x60", le="0.004"),
                            series("hikyaku_commit_seconds_bucket", "0+60x20 1200+0x60", le="2.097152"),
                            series("hikyaku_commit_seconds_bucket", "0+60x90", le="4.194304"),
                            series("hikyaku_commit_seconds_bucket", "0+60x90", le="+Inf")], 20, 60),
    ("HikyakuSignaturesRefused", [series("hikyaku_signatures_refused_total", "0+0x30 1+0x30")], 30, 32),
    ("HikyakuDnsFailing", [series("hikyaku_dns_lookups_total", "0+10x90"),
                           series("hikyaku_dns_failures_total", "0+1x20 20+8x70")], 20, 60),
    ("HikyakuDeferralsHigh", messages(delivered="0+90x20 1800+10x90", deferred="0+10x20 200+90x90"), 20, 60),
    ("HikyakuBounceRateHigh", messages(delivered="0+95x60 5700+80x90", failed="0+1x60 60+20x90"), 60, 90),
    ("HikyakuBounceRateVeryHigh", messages(delivered="0+95x60 5700+60x90", failed="0+5x60 300+40x90"),
     60, 80),
    ("HikyakuWarmUpHeld", [series("hikyaku_warmup_held", "0+0x10 1+0x60", source="192.0.2.11",
                                  receiver="gmail")], 15, 30),
    ("HikyakuInDoubtGrowing", messages(delivered="0+95x90", in_doubt="0+0x30 0+2x60"), 35, 60),
    ("HikyakuInDoubtWaits", [series("hikyaku_queue_rows", "0+0x10 3+0x500", state="in_doubt")], 360, 380),
    ("HikyakuSessionsFail", sessions("0+10x20 200+1x90", "0+1x20 20+9x90"), 20, 70),
    ("HikyakuServiceDown", [series("hikyaku_service_up", "1+0x10 0+0x30", service="ssh")], 12, 17),
    ("HikyakuServiceRestarting", [series("hikyaku_service_restarts_total", "0+0x30 1+0x5 2+0x5 3+0x30",
                                         service="send")], 33, 50),
    ("HikyakuMachineMetricsMissing", [series("up", "1+0x90"), series("hikyaku_info", "1+0x20 stale",
                                                                     version="1", slot="a")], 25, 40),
    ("HikyakuStoreFull", [series("hikyaku_lacks_room", "0+0x10 1+0x30")], 10, 14),
    ("HikyakuDiskNearlyFull", data("50+1x60", "50-1x60"), 40, 55),
    ("HikyakuDiskFilling", data("55+0x180 55+0.1x300", "45+0x180 45-0.1x300"), 180, 360),
    ("HikyakuDataReadOnly", [series("hikyaku_data_writable", "1+0x10 0+0x30")], 10, 14),
    ("HikyakuMemoryLow", [series("hikyaku_memory_bytes", "100+0x90", state="total"),
                          series("hikyaku_memory_bytes", "50+0x10 5+0x90", state="available")], 15, 30),
    ("HikyakuIdentityNotAligned", [series("hikyaku_identity_aligned", "1+0x10 0+0x30", domain="example.jp")],
     10, 14),
    ("HikyakuClockUnsynced", [series("hikyaku_clock_synced", "1+0x10 0+0x90")], 30, 50),
    ("HikyakuClockStepped", [series("hikyaku_clock_steps_total", "0+0x10 1+0x10 3+0x60")], 15, 25),
    ("HikyakuLogLinesLost", [series("hikyaku_log_lost_lines_total", "0+0x10 5+9x60")], 10, 30),
    ("HikyakuCertificateEnding", [series("hikyaku_certificate_expires_seconds", "2000000+0x20 1000000+0x60",
                                         host="www.example.jp", kind="acme")], 40, 55),
    ("HikyakuCertificateNotRenewed", [series("hikyaku_certificate_renewal_failures", "0+1x90")], 30, 40),
    ("HikyakuHookSuspended", [series("hikyaku_hook_suspended", "0+0x10 1+0x30", hook="crm")], 14, 20),
    ("HikyakuHookBehind", [series("hikyaku_hook_waiting_entries", "5+0x10 5000+9x150", hook="crm"),
                           series("hikyaku_hook_posted_events_total", "0+9x10 90+0x150", hook="crm")],
     60, 120),
    ("HikyakuHookLostEntries", [series("hikyaku_hook_lost_entries_total", "0+0x10 50+0x60", hook="crm")],
     10, 14),
    ("HikyakuForwardFailed", [series("hikyaku_forwards_failed_total", "0+0x10 1+0x120")], 10, 14),
]

# What must wake nobody: the machine works, or somebody wants it so.
SILENT = {
    "a sender that is busy": [
        series("up", "1+0x120"), series("hikyaku_info", "1+0x120", version="1", slot="a"),
        series("hikyaku_ring_turns_total", "0+9x120", worker="0"),
        *queue(lane="5000-10x120", committed="0+10x120"), *sessions("0+10x120", "0+1x120"),
        *messages(delivered="0+500x120", failed="0+10x120", deferred="0+50x120",
                  in_doubt="0+0x60 0+1x5 5+0x60"),
        series("hikyaku_service_up", "1+0x120", service="send"), *data("50+0x120", "50+0x120"),
        series("hikyaku_clock_synced", "0+0x10 1+0x120"), series("hikyaku_data_writable", "1+0x120")],
    "a night without campaigns": [
        series("up", "1+0x120"), *queue(running="0+0x120", lane="0+0x120"), *messages(),
        *sessions("0+0x120", "0+0x120"),
        series("hikyaku_dns_lookups_total", "7+0x120"), series("hikyaku_dns_failures_total", "3+0x120")],
    "a campaign whose last recipients are deferred": queue(lane="0+0x120"),
    "a paused campaign": queue(running="0+0x120", lane="5000+0x120"),
    "one start after an upgrade": [
        series("up", "1+0x20 0+0x1 1+0x100"),
        series("hikyaku_ring_turns_total", "0+9x20 0+9x100", worker="0"),
        series("hikyaku_service_restarts_total", "0+0x20 1+0x100", service="send")],
    "a receiver that refuses five of ten test mails": messages(delivered="0+0x60 5+0x60",
                                                                failed="0+0x60 5+0x60"),
    "a small site that is down": sessions("0+0x120", "0+1x60 60+0x60"),
    "half of a large disk used, filling slowly": data("50+0.01x400", "50-0.01x400"),
    "a webhook that is behind, and comes on": [
        series("hikyaku_hook_waiting_entries", "90000-9x120", hook="crm"),
        series("hikyaku_hook_posted_events_total", "0+900x120", hook="crm"),
        series("hikyaku_hook_lost_entries_total", "7+0x120", hook="crm"),
        series("hikyaku_hook_suspended", "0+0x120", hook="crm")],
    "a host without init's page": [series("up", "1+0x120"),
                                   series("hikyaku_build_info", "1+0x120", version="1")],
}


def judge(folder, given, wanted):
    """`wanted`: [(minute, matchers of ALERTS, labels of those that ring)]."""
    tests = {"rule_files": [str(files.RULES)], "evaluation_interval": "1m", "tests": [{
        "interval": "1m", "input_series": given, "promql_expr_test": [{
            "expr": f'count by (alertname) (ALERTS{{alertstate="firing"{matchers}}})',
            "eval_time": f"{minute}m",
            "exp_samples": [{"labels": f'{{alertname="{name}"}}', "value": 1} for name in names],
        } for minute, matchers, names in wanted]}]}
    path = folder / "rules_test.yml"
    path.write_text(json.dumps(tests))  # JSON is YAML
    done = subprocess.run(["promtool", "test", "rules", path], text=True, check=False,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize("name,given,silent,rings", RINGS, ids=[ring[0] for ring in RINGS])
def test_an_alert_rings_in_time_and_not_before(tmp_path, name, given, silent, rings):
    only = f',alertname="{name}"'
    judge(tmp_path, given, [(silent, only, []), (rings, only, [name])])


@pytest.mark.parametrize("given", SILENT.values(), ids=SILENT)
def test_nobody_is_woken_by(tmp_path, given):
    # Without `up` in the series the machine counts as not scraped; that has a test of its own.
    others = ',alertname!="HikyakuNotScraped"'
    judge(tmp_path, given, [(minute, others, []) for minute in range(5, 121, 5)])


def test_every_alert_is_tested_here():
    assert [ring[0] for ring in RINGS] == [rule["alert"] for rule in files.alerts()]


def test_promtool_finds_nothing_wrong():
    for command, path in (("rules", files.RULES), ("config", files.CONFIG)):
        done = subprocess.run(["promtool", "check", command, path], text=True, check=False,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        assert done.returncode == 0 and "WARNING" not in done.stdout, done.stdout


def test_whoever_is_woken_is_told_what_to_type():
    for rule in files.alerts():
        assert rule["labels"]["severity"] in ("page", "ticket"), rule["alert"]
        assert set(rule["annotations"]) == {"summary", "runbook"}, rule["alert"]
        assert re.search(r"`[a-z]", rule["annotations"]["runbook"]), rule["alert"]
        assert len(rule["annotations"]["summary"]) < 130, rule["alert"]
