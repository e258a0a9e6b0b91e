"""A person at the console: keys in, and the screen as an 80x24 terminal shows it."""

import os
import pathlib
import time

import pexpect
import pyte

ROWS, COLUMNS = 24, 80


class Terminal:
    """Runs a program on a pty; `screen()` is what somebody would see, without trailing blanks."""

    def __init__(self, command, environment, rows=ROWS, columns=COLUMNS):
        self.child = pexpect.spawn(command[0], [str(word) for word in command[1:]], env=environment,
                                   dimensions=(rows, columns), timeout=20, encoding=None)
        self.child.delaybeforesend = None
        self.emulator = pyte.Screen(columns, rows)
        self.stream = pyte.ByteStream(self.emulator)
        self.bytes = b""

    def close(self):
        self.child.close(force=True)

    def _take(self, seconds):
        try:
            got = self.child.read_nonblocking(65536, seconds)
        except pexpect.TIMEOUT:
            return True
        except pexpect.EOF:
            return False
        self.bytes += got
        self.stream.feed(got)
        return True

    def screen(self):
        return "\n".join(line.rstrip() for line in self.emulator.display).rstrip()

    def wait(self, *texts, seconds=20):
        """Waits until every one of `texts` stands on the screen, and returns the screen.

        A screen arrives in pieces: name what is drawn last among them.
        """
        end = time.monotonic() + seconds
        while missing := [text for text in texts if text not in self.screen()]:
            if not self._take(0.05) or time.monotonic() > end:
                missing = [text for text in missing if text not in self.screen()]
                assert not missing, f"no {missing} on the screen:\n{self.screen()}"
        return self.screen()

    def prompt(self, prompt="> ", seconds=20):
        """Waits until the cursor stands behind such a text, and returns the screen."""
        end = time.monotonic() + seconds
        while not self.cursor_line().endswith(prompt):
            assert self._take(0.05) and time.monotonic() < end, \
                f"no {prompt!r} at the cursor:\n{self.screen()}"
        return self.screen()

    def cursor_line(self):
        """The line with the cursor, up to it."""
        cursor = self.emulator.cursor
        return self.emulator.display[cursor.y][:cursor.x]

    def type(self, text):
        self.child.send(text)

    def run(self, line):
        """A whole command on a clean screen; returns what it showed, without prompts."""
        self.clear()
        self.type(line + "\r")
        self.wait(line)
        shown = self.prompt()
        return shown.split("\n", 1)[1].rsplit("\n", 1)[0] if shown.count("\n") > 1 else ""

    def clear(self):
        self.prompt()
        self.type("\x0c")
        end = time.monotonic() + 10
        while self.emulator.cursor.y != 0 or len(self.screen().split("\n")) > 1:
            assert self._take(0.05) and time.monotonic() < end, self.screen()

    def wait_end(self, seconds=20):
        """Waits for the program's end; its exit code, or minus the signal."""
        end = time.monotonic() + seconds
        while self._take(0.05):
            assert time.monotonic() < end, f"it goes on:\n{self.screen()}"
        self.child.wait()
        return self.child.exitstatus if self.child.signalstatus is None else -self.child.signalstatus

    def resize(self, rows, columns):
        self.child.setwinsize(rows, columns)
        self.emulator.resize(rows, columns)


def environment(**more):
    """Of a console: nothing of the tests' own but what is needed."""
    leaks = pathlib.Path(__file__).with_name("leaks.suppressions")
    return {"PATH": "/nowhere", "TERM": "vt100", "HOME": "/nowhere", "TZ": "UTC",
            "LSAN_OPTIONS": f"suppressions={leaks}:print_suppressions=0",
            **{name: value for name, value in os.environ.items() if name.startswith("ASAN_")},
            **{name: str(value) for name, value in more.items()}}
