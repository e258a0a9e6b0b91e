"""The appliance's console on an 80x24 terminal: typing, completion, help, pages, Ctrl-C, the end."""

import json
import os
import signal
import subprocess

import pytest

from console_world import PROGRAM
from fake_init import frame, ITEM, RECORD, REPLY, status

pytestmark = pytest.mark.binary

CAMPAIGNS = b"".join(
    frame(ITEM, {"id": at, "name": name, "state": "running", "total": 5})
    for at, name in enumerate(["spring", "spring sale", "autumn"], 1)
) + frame(REPLY, {"count": 3})


# ---- one command ----


def test_what_became_of_an_order_is_told_and_not_what_was_there_before(appliance):
    def said(line):
        return appliance.run(line)[:2]

    assert said("service kill send") == (0, "send is running, process 101\n")
    assert said("service stop send") == (0, "send is stopped\n")
    assert said("service start send") == (0, "send is running, process 102\n")
    assert said("service start dropbear") == (0, "dropbear is running, process 72\n")
    appliance.init.answers["service.start"] = appliance.init._service("starting", "backing-off")
    assert said("service start ntp") == \
        (1, "ntp is backing-off: it ended with exited with 1; `logs ntp` tells more\n")


def test_a_command_of_ssh_runs_and_its_exit_code_is_that_of_the_console(appliance):
    code, out, err = appliance.run("service restart send")
    assert (code, out, err) == (0, "send is running, process 101\n", "")
    code, out, err = appliance.run("service restart nothing")
    assert (code, out, err) == (1, "", "there is no service nothing\n")
    code, out, err = appliance.run("servise list")
    assert (code, out) == (2, "")
    assert err == 'unknown command "servise"; did you mean "service"?\nTry `help`.\n'


def test_a_login_shell_is_called_by_its_name(appliance, tmp_path):
    for name in ("console", "-console"):
        link = tmp_path / name
        link.symlink_to(PROGRAM)
        done = subprocess.run([name, "-c", "version"], executable=link, capture_output=True,
                              env=appliance.environment, timeout=60)
        assert (done.returncode, done.stdout) == (0, b"hikyaku 0.1.0\n")


@pytest.mark.parametrize("line", ["/bin/sh", "sh -c id", "scp -t /tmp", "!id", "version | cat",
                                  "version; id", "$(id)", "sftp-server"])
def test_nothing_is_a_way_to_another_program(appliance, line):
    code, out, _ = appliance.run(line)
    assert code == 2 and out == ""


def test_commands_of_the_appliance_say_on_another_host_that_they_are(appliance):
    appliance.environment["HIKYAKU_INIT"] = "/nowhere/init.sock"
    for line in ("service list", "logs", "reboot"):
        code, out, err = appliance.run(line)
        name = line if line != "logs" else "logs"
        assert (code, out) == (3, "")
        assert err == (f"`{name}` is a command of the appliance, and this is none: no init listens on "
                       "/nowhere/init.sock\n")


def test_who_asks_goes_along_and_every_line_is_logged(appliance):
    appliance.run("service restart send", SSH_CONNECTION="192.0.2.7 50022 192.0.2.10 22",
                  SSH_PUBKEYINFO="ops@example")
    request = [r for r in appliance.init.requests if r["command"] == "service.restart"][0]
    assert request["who"] == "ssh 192.0.2.7 ops@example"
    assert appliance.init.logged == [("ssh 192.0.2.7 ops@example", "service restart send")]


def test_lines_from_a_pipe_run_without_prompts(appliance):
    done = subprocess.run([PROGRAM, "console"], env=appliance.environment, timeout=60,
                          input=b"version\nservice restart nothing\n", capture_output=True)
    assert done.stdout == b"hikyaku 0.1.0\n"
    assert done.stderr == b"there is no service nothing\n"
    assert done.returncode == 1


def test_logs_are_told_with_service_and_without_the_time_twice(appliance):
    code, out, _ = appliance.run("logs --service send")
    assert code == 0
    assert out == (
        '2026-11-30 01:02:03 send      warn delivery event="site backs off" site=example.com code=421\n'
        '2026-11-30 01:02:04 send      error store event="disk is full" left=0\n')
    assert appliance.init.requests[-1]["lines"] == 200


def test_times_are_in_the_time_zone_of_the_machine_and_status_names_it(appliance):
    assert "2026-11-30 10:02:03 send" in appliance.run("logs --service send", TZ="Asia/Tokyo")[1]
    assert " JST, in step" in appliance.run("time", TZ="Asia/Tokyo")[1]
    assert " UTC, in step" in appliance.run("status")[1]
    appliance.run("logs --lines 5")
    assert appliance.init.requests[-1]["lines"] == 5


def test_answers_are_json_where_json_is_asked_for(appliance):
    code, out, _ = appliance.run("service list --json")
    assert code == 0
    assert [json.loads(line)["name"] for line in out.splitlines()] == ["send", "dropbear", "ntp"]
    code, out, _ = appliance.run("--json time")
    assert json.loads(out)["source"] == "ntp.nict.jp"


# ---- the terminal ----


def test_a_line_is_edited_and_remembered(appliance):
    console = appliance.console()
    console.type("vsion\x1b[D\x1b[D\x1b[D\x1b[Der")
    console.wait("> version")
    console.type("\x15")  # the line is dropped
    assert "hikyaku 0.1.0" in console.run("version")
    console.type("\x1b[A")
    console.prompt("> version")
    console.type("\x15exit\r")
    assert console.wait_end() == 0
    assert (appliance.etc / "console-history").read_text() == "version\nexit\n"
    again = appliance.console()
    again.type("\x10\x10")  # from another session
    again.prompt("> version")


def test_secrets_and_lines_with_a_blank_in_front_are_not_kept(appliance):
    console = appliance.console()
    console.run(" version")
    console.run("version https://me:secret@example.com/x")
    console.run("version x://y/ a@b")
    console.type("exit\r")
    console.wait_end()
    assert (appliance.etc / "console-history").read_text() == "version x://y/ a@b\nexit\n"


def test_tab_completes_commands_options_and_names(appliance):
    appliance.sender.answers["campaign.status"] = CAMPAIGNS
    console = appliance.console()
    console.type("cam\t")
    console.prompt("> campaign ")
    console.type("sta\t")
    console.type("tu\t")
    console.prompt("> campaign status ")
    console.type("s\t")
    console.prompt("> campaign status spring")
    console.type("\t")
    console.wait("  spring sale  running")
    console.type('\x15campaign status "spring s\t')
    console.prompt('> campaign status "spring sale" ')
    console.type("\x15service stop d\t")
    console.prompt("> service stop dropbear ")
    console.type("\x15logs --li\t")
    console.prompt("> logs --lines ")


def test_daemons_that_do_not_answer_have_no_names_and_nothing_is_said(appliance):
    appliance.environment["HIKYAKU_INIT"] = "/nowhere"
    console = appliance.console()
    console.type("service stop \t\t")
    console.type("x")
    screen = console.prompt("> service stop x")
    assert "nowhere" not in screen and "daemon" not in screen


def test_a_question_mark_tells_what_may_stand_there_and_the_line_stays(appliance):
    console = appliance.console()
    console.clear()
    console.type("queue ?")
    console.wait("  doubt    messages that may have arrived")
    assert console.prompt("> queue ").split("\n")[-1].endswith("> queue")
    console.type("list x?")
    console.prompt("> queue list x?")
    console.type("\x15")
    assert "usage: queue doubt list|resend|drop" in console.run("help queue doubt")


def test_long_output_stops_at_a_full_screen_and_goes_on_by_keys(appliance):
    console = appliance.console()
    console.clear()
    console.type("help\r")
    screen = console.wait("-- more --")
    assert screen.split("\n")[-1].startswith("-- more --")
    assert "campaign create" in screen
    assert len(screen.split("\n")) == 24
    first = screen.split("\n")[0]
    console.type("\r")
    console.wait("-- more --")
    while console.screen().split("\n")[0] == first:
        console._take(0.05)
    console.type("q")
    screen = console.prompt()
    assert "-- more --" not in screen and "  exit " not in screen


def test_ctrl_c_ends_the_command_and_not_the_console(appliance):
    console = appliance.console()
    console.type("logs -f\r")
    console.wait("disk is full")
    console.type("\x03")
    console.prompt()
    console.type("half a line")
    console.prompt("half a line")
    console.type("\x03")
    console.wait("half a line^C")
    assert "hikyaku 0.1.0" in console.run("version")


def test_ctrl_z_and_ctrl_backslash_do_nothing(appliance):
    console = appliance.console()
    console.type("logs -f\r")
    console.wait("disk is full")
    console.type("\x1a\x1c\x03")
    console.prompt()
    assert "hikyaku 0.1.0" in console.run("version")


@pytest.mark.parametrize("keys", ["exit\r", "logout\r", "\x04"])
def test_the_session_ends(appliance, keys):
    console = appliance.console()
    console.type(keys)
    assert console.wait_end() == 0


def test_a_line_that_drops_ends_console_and_command(appliance):
    console = appliance.console()
    console.type("logs -f\r")
    console.wait("disk is full")
    console.child.close(force=False)  # the master goes away: SIGHUP
    assert not console.child.isalive()
    assert console.child.signalstatus == signal.SIGHUP


@pytest.mark.parametrize("term", ["vt100", "xterm-256color", "no-such-terminal", "dumb", ""])
def test_every_terminal_is_good_enough(appliance, term):
    console = appliance.console(TERM=term)
    console.type("version\r")
    console.wait("\nhikyaku 0.1.0\n")
    console.type("exit\r")
    assert console.wait_end() == 0
    assert b"No entry" not in console.bytes and b"using dumb" not in console.bytes


def test_a_change_of_size_keeps_the_line(appliance):
    console = appliance.console()
    console.type("service")
    console.prompt("> service")
    console.resize(30, 120)
    console.type(" list x")
    console.wait("service list x")


def test_the_status_fits_one_screen(appliance):
    appliance.sender.answers["status"] = frame(REPLY, {
        "version": "0.1", "state": "running", "uptime_ms": 5000, "pid": 71,
        "rates": {"1m": 120.0, "5m": 80.5, "15m": 3.2},
        "totals": {"delivered": 1234567, "failed": 12, "deferred": 345, "in_doubt": 1},
        "queue": {"waiting": 1000000, "deferred": 345, "in_flight": 77, "held": 1,
                  "map_used": 1 << 30, "map_max": 64 << 30},
        "sessions": {"open": 120, "busy": 99, "idle": 21},
        "campaigns": {"running": 2, "paused": 1, "ready": 0, "done": 17}, "sites": []})
    console = appliance.console()
    lines = console.run("status").split("\n")
    assert len(lines) <= 22
    assert lines[0].startswith("mail.example.jp ") and lines[0].endswith("slot a, up 2 h 1 min")
    assert "network   eth0 192.0.2.10/24 2001:db8::10/64; eth1 (no carrier)" in lines
    assert "data      2.0 GiB of 30.0 GiB used, open" in lines
    assert "services  send, dropbear, ntp BACKING-OFF (restarted 3)" in lines
    assert "sent      120/s (1 min), 81/s (5 min), 3.2/s (15 min)" in lines
    assert "queue     1,000,000 waiting, 345 deferred, 77 in flight, 1 held" in lines
    assert any("error store event=\"disk is full\"" in line for line in lines)
    assert not any("service started" in line for line in lines)


def test_a_sender_that_was_never_set_up_is_told_from_one_that_is_silent(appliance):
    os.rename(appliance.folder / "send.sock", appliance.folder / "gone")
    assert "The sender does not answer." in appliance.run("status")[1]
    waiting = status() | {"services": [{"name": "send", "state": "waiting", "pid": 0, "restarts": 0,
                                        "since_ms": 1000, "last_exit": "never"}]}
    appliance.init.answers["system.status"] = lambda request: frame(REPLY, waiting)
    assert "The sender waits for its configuration: `setup`." in appliance.run("status")[1]
    os.rename(appliance.folder / "gone", appliance.folder / "send.sock")


def test_a_restart_asks_a_person_and_not_a_script(appliance):
    console = appliance.console()
    console.type("reboot\r")
    console.prompt("Type yes to go on: ")
    console.type("no\r")
    console.wait("nothing was done")
    assert "system.reboot" not in [r["command"] for r in appliance.init.requests]
    assert appliance.run("reboot")[0] == 0
    assert "system.reboot" in [r["command"] for r in appliance.init.requests]


# ---- the sender's configuration, and tasks ----


def test_a_configuration_goes_out_and_comes_back_checked(appliance):
    code, text, _ = appliance.run("config show")
    assert code == 0 and text == (appliance.etc / "hikyaku.conf").read_text()
    code, _, err = appliance.run("config replace -", stdin=text.replace("ehlo", "helo").encode())
    assert code == 1 and "hikyaku.conf:4" in err
    assert (appliance.etc / "hikyaku.conf").read_text() == text
    code, out, err = appliance.run("config replace -", stdin=b"workers = 2\n" + text.encode())
    assert (code, err) == (0, "") and "service restart send" in out
    assert (appliance.etc / "hikyaku.conf").read_text() == "workers = 2\n" + text


def test_keys_and_checks_are_tasks_on_the_appliance(appliance):
    appliance.run("keys new --domain example.jp --selector s3")
    assert appliance.init.requests[-1]["name"] == "keys-new"
    assert appliance.init.requests[-1]["arguments"] == ["--domain", "example.jp", "--selector", "s3"]
    code, out, _ = appliance.run("--json check")
    assert code == 0 and "is fine" in out
    assert appliance.init.requests[-1]["arguments"] == ["--json"]
    assert "usage: keys new" in appliance.run("keys new --help")[1]
    appliance.init.tasks["check"] = (["hikyaku: no good\x1b[2J"], 1)
    code, out, _ = appliance.run("check")
    assert (code, out) == (1, "hikyaku: no good\\x1b[2J\n")


def test_an_upgrade_reads_its_bundle_from_standard_input_or_a_file(appliance, tmp_path):
    bundle = bytes(range(256)) * 8000
    code, out, err = appliance.run("upgrade -", stdin=bundle)
    assert (code, err) == (0, "")
    assert out == ("signature good, version 0.2\nslot b written\n"
                   "The new system is tried at the next start: `reboot`.\n")
    assert appliance.init.task_input == bundle
    (tmp_path / "bundle").write_bytes(bundle[:70000])
    assert appliance.run(f"upgrade --allow-downgrade {tmp_path}/bundle")[0] == 0
    assert appliance.init.task_input == bundle[:70000]
    assert appliance.init.requests[-1]["arguments"] == ["--allow-downgrade", "-"]
    code, _, err = appliance.run("upgrade /nowhere/bundle")
    assert code == 1 and "/nowhere/bundle" in err


def test_records_are_split_as_dns_wants_them(appliance):
    code, out, _ = appliance.run("records")
    assert code == 0
    line = [line for line in out.splitlines() if "._domainkey." in line][0]
    name, strings = line.split(" IN TXT ")
    assert name == "s2026._domainkey.example.jp."
    parts = strings[1:-1].split('" "')
    assert "".join(parts) == RECORD
    assert [len(part) for part in parts] == [255, len(RECORD) - 255]
    assert RECORD in out.splitlines()


# ---- top ----


SITES = [
    {"site": "gmail.com", "queued": 1200, "deferred": 3, "sessions": 10, "rate": 55.5, "state": "open"},
    {"site": "docomo.ne.jp", "queued": 5000, "deferred": 0, "sessions": 2, "rate": 1.5,
     "state": "backing-off"},
    {"site": "x" * 60, "queued": 1, "deferred": 0, "sessions": 0, "rate": 0, "state": "open"},
]


def test_top_shows_sites_in_the_order_that_keys_ask_for(appliance):
    appliance.sender.answers["status"] = frame(REPLY, {"rates": {"1m": 57.0}, "totals": {"delivered": 9}})
    appliance.sender.answers["queue.list"] = \
        b"".join(frame(ITEM, site) for site in SITES) + frame(REPLY, {"count": 3, "more": False})
    console = appliance.console()
    console.type("top --interval 200ms\r")
    screen = console.wait("docomo.ne.jp", "gmail.com", "x" * 28).split("\n")
    assert all(len(line) <= 80 for line in screen)
    assert [line.split()[0] for line in screen[5:8]] == ["docomo.ne.jp", "gmail.com", "x" * 28]
    assert screen[5] == "docomo.ne.jp                      5,000         0        2   1.5/s  backing-off"
    console.type("r")
    while "gmail.com" not in console.screen().split("\n")[5]:
        console._take(0.05)
    console.resize(10, 60)
    console.type("q")
    console.prompt()
    assert "hikyaku 0.1.0" in console.run("version")
    console.type("top\r")
    console.wait("gmail.com")
    console.type("\x03")
    console.prompt()
    assert "hikyaku 0.1.0" in console.run("version")


def test_top_sends_little_over_a_slow_line(appliance):
    appliance.sender.answers["status"] = frame(REPLY, {})
    appliance.sender.answers["queue.list"] = b"".join(
        frame(ITEM, {"site": f"site{at}.example", "queued": at, "state": "open"})
        for at in range(100)) + frame(REPLY, {"count": 100, "more": False})
    console = appliance.console()
    console.type("top --interval 100ms\r")
    console.wait("site99.example")
    for _ in range(3):
        before, asked = len(console.bytes), len(appliance.sender.requests)
        while len(appliance.sender.requests) < asked + 2:
            console._take(0.02)
    # A full screen of 24 rows is at most 1,920 bytes: a sixth of a second at 115,200 bit/s.
    assert len(console.bytes) - before < 3 * 2000
