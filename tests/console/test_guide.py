"""What the operator's guide says to type exists."""

import re
import subprocess

import pytest

from console_world import PROGRAM, ROOT, environment

GUIDE = (ROOT / "appliance/README.md").read_text()
GROUPS = ("campaign", "config", "file", "keys", "network", "queue", "service", "site")
SINGLE = ("backup", "check", "connect", "dig", "logs", "ping", "reboot", "records", "restore", "status",
          "upgrade")


def commands():
    """The words that name a command: in lines to copy, and in the text."""
    found = re.findall(r"^    .*?ssh admin@\S+ ([a-z]+(?: [a-z]+)?)", GUIDE, re.M)
    for words in re.findall(r"`([a-z]+(?: [^`]+)?)`", GUIDE):
        if words.split()[0] in GROUPS + SINGLE:
            found.append(words)
    return sorted({" ".join(words.split()[:2 if words.split()[0] in GROUPS else 1]) for words in found})


@pytest.mark.parametrize("words", commands())
def test_a_command_of_the_guide_exists(words):
    shown = subprocess.run([PROGRAM, *words.split(), "--help"], env=environment(), capture_output=True,
                           text=True, timeout=60)
    assert shown.returncode == 0 and f"usage: hikyaku {words}" in shown.stdout, shown.stderr


def test_the_guide_names_enough_of_them():
    assert len(commands()) > 20
