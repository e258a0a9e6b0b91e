"""The appliance as its console sees it, in a folder of the test."""

import os
import pathlib
import subprocess

from fake_init import REPLY, FakeInit, FakeSender, frame
from terminal import Terminal, environment

ROOT = pathlib.Path(__file__).resolve().parents[2]
PROGRAM = os.environ.get("HIKYAKU", str(ROOT / "build" / "san" / "hikyaku"))

CONFIG = """data = "{folder}"
control = "{folder}/send.sock"
customer "example.jp" {{
	address "any" {{ ehlo = "mail.example.jp" }}
	dkim "s2026" {{ key = "{folder}/example.jp.s2026.pem" }}
}}
"""


class Appliance:
    """An appliance as its console sees it: an init, a sender, a folder of settings."""

    def __init__(self, folder):
        self.folder = folder
        self.etc = folder / "etc"
        self.etc.mkdir()
        (self.etc / "hikyaku.conf").write_text(CONFIG.format(folder=folder))
        self.init = FakeInit(folder / "init.sock")
        self.sender = FakeSender(folder / "send.sock")
        self.sender.answers["status"] = frame(REPLY, {})
        self.environment = environment(HIKYAKU_INIT=folder / "init.sock", HIKYAKU_ETC=self.etc)
        self.terminals = []

    def console(self, rows=24, columns=80, **more):
        """A console on a terminal, at its first prompt."""
        terminal = self.terminal(["console"], rows, columns, **more)
        terminal.prompt()
        return terminal

    def terminal(self, words, rows=24, columns=80, **more):
        terminal = Terminal([PROGRAM, *words], self.environment | more, rows, columns)
        self.terminals.append(terminal)
        return terminal

    def run(self, line, stdin=b"", **more):
        """One command as ssh gives it: (exit code, standard output, standard error)."""
        done = subprocess.run([PROGRAM, "console", "-c", line], env=self.environment | more,
                              input=stdin, capture_output=True, timeout=60)
        return done.returncode, done.stdout.decode(), done.stderr.decode()

    def close(self):
        for terminal in self.terminals:
            terminal.close()
        self.init.close()
        self.sender.close()
