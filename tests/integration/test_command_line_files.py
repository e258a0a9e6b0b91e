"""The command line client where no sender is needed: keys, check, and its manuals."""

import json
import os
import re
import subprocess

import pytest

from test_command_line import FAILED, OK, PROGRAM, ROOT, program, run, text  # noqa: F401

pytestmark = pytest.mark.binary


# ---- keys and check: files only ----


@pytest.fixture
def config(tmp_path):
    conf = tmp_path / "hikyaku.conf"
    conf.write_text(f"""
data = "{tmp_path}"
customer "example.jp" {{
  address "192.0.2.10" {{ ehlo = "mail.example.jp" }}
  dkim "s2026" {{ key = "{tmp_path}/keys/example.jp.s2026.pem" }}
}}
site "default" {{ sessions = 20 }}
""")
    return conf


@pytest.mark.parametrize("kind, size", [("rsa", 1 << 8), ("ed25519", 40)])
def test_a_new_key_is_private_published_and_never_overwritten(tmp_path, kind, size):
    path = tmp_path / "k.pem"
    words = ["keys", "new", "--domain", "example.jp", "--selector", "s1", "--type", kind, "--out",
             path]
    result = run(*words, "--json")
    assert result.returncode == OK, result.stderr
    shown = json.loads(result.stdout)
    assert path.stat().st_mode & 0o777 == 0o600
    assert shown["record"].startswith("v=DKIM1;") and len(shown["record"]) > size
    assert shown["zone"].startswith("s1._domainkey.example.jp.")
    before = path.read_bytes()
    assert run(*words).returncode == FAILED
    assert path.read_bytes() == before
    again = run("keys", "show", "--file", path, "--domain", "example.jp", "--selector", "s1")
    assert shown["record"] in text(again)[0]


def test_check_names_what_is_wrong_with_a_key_and_is_content_with_a_good_one(config, tmp_path):
    result = run("check", "--config", config)
    assert result.returncode == FAILED
    assert "s2026" in text(result)[1] and "example.jp.s2026.pem" in text(result)[1]
    made = run("keys", "new", "--config", config, "--domain", "example.jp", "--selector", "s2026")
    assert made.returncode == OK, made.stderr
    assert (tmp_path / "keys/example.jp.s2026.pem").exists()
    result = run("check", "--config", config)
    assert (result.returncode, result.stderr) == (OK, b"")
    assert "is fine: 1 customer, 1 DKIM key" in text(result)[0]
    os.chmod(tmp_path / "keys/example.jp.s2026.pem", 0o644)
    assert run("check", "--config", config).returncode == FAILED
    os.chmod(tmp_path / "keys/example.jp.s2026.pem", 0o600)
    shown = run("keys", "show", "--config", config)
    assert "name      s2026._domainkey.example.jp" in text(shown)[0]


def test_check_warns_of_a_queue_that_a_power_cut_may_set_back_and_goes_on(config):
    conf = config.read_text()
    assert run("keys", "new", "--config", config, "--domain", "example.jp", "--selector",
               "s2026").returncode == OK
    config.write_text(conf + 'queue { durability = "relaxed" }\n')
    result = run("check", "--config", config)
    assert result.returncode == OK and "is fine" in text(result)[0]
    assert "warning: queue: durability: relaxed" in text(result)[1]
    shown = json.loads(run("check", "--config", config, "--json").stdout)
    assert shown["ok"] and "durability" in shown["warnings"][0]
    config.write_text(conf)
    assert json.loads(run("check", "--config", config, "--json").stdout)["warnings"] == []


# ---- the manual ----

MANUALS = ["src/console/hikyaku.1", "src/console/hikyaku-console.8",
           "src/send/hikyaku-send.8", "src/send/hikyaku.conf.5",
           "src/init/appliance.conf.5", "src/web/hikyaku-web.8"]


@pytest.mark.parametrize("path", MANUALS)
def test_manuals_are_well_formed(path):
    result = subprocess.run(
        ["mandoc", "-Tlint", "-Wstyle", path], cwd=ROOT, capture_output=True, text=True)
    # References among them are not installed where the tests run.
    complaints = [line for line in result.stdout.splitlines() if "manual not found" not in line]
    assert complaints == []


def test_the_manual_names_every_command_and_option():
    plain = "".join(subprocess.run(
        f"mandoc -Tascii src/console/{name} | col -bx", shell=True, cwd=ROOT, check=True,
        capture_output=True, text=True).stdout for name in ("hikyaku.1", "hikyaku-console.8"))
    manual = " ".join(plain.split())
    whole = text(run("--help"))[0].split("A first campaign")[0]
    commands = [line.split("  ")[1] for line in whole.splitlines() if line.startswith("  ")]
    assert "network apply" in commands and "version" in commands
    for command in commands:
        group, _, verb = command.rpartition(" ")
        assert group in manual and verb in manual
        for line in text(run(*command.split(), "--help"))[0].splitlines():
            if line.startswith("  --"):
                assert line.split()[0] in manual, (command, line)


def test_the_manual_of_the_configuration_names_every_option_of_the_example():
    manual = (ROOT / "src/send/hikyaku.conf.5").read_text()
    for line in (ROOT / "src/send/hikyaku.conf.example").read_text().splitlines():
        words = line.strip().lstrip("# ").split()
        if len(words) > 2 and words[1] == "=" and not line.startswith("# "):
            assert words[0] in manual, line


def test_the_manual_of_the_appliance_names_every_option_of_its_table():
    manual = (ROOT / "src/init/appliance.conf.5").read_text()
    table = (ROOT / "src/base/appliance_table.c").read_text()
    names = re.findall(r'ROW\(appliance\w*, \w+, "([a-z0-9-]+)"', table)
    assert len(names) > 15
    for name in names:
        assert re.search(rf"^\.It Cm (.* , |){name}( ,|$)", manual, re.M), name
