"""Fragments of the kernel's configuration: what kernel-config/build takes for a wish."""

import pathlib
import re
import subprocess

ROOT = pathlib.Path(__file__).resolve().parents[2]
CONFIG = ROOT / "kernel-config"


def wishes(tmp_path, text):
    """What kernel-config/build makes of a fragment, or its complaint."""
    (tmp_path / "one.config").write_text(text)
    script = (CONFIG / "build").read_text()
    start = script.index("wishes_of()")
    function = script[start:script.index("\n}\n", start) + 3]
    done = subprocess.run(["bash", "-c", function + 'wishes_of "$@"', "-", tmp_path / "one.config"],
                          capture_output=True, text=True, check=False)
    return done.returncode, done.stderr or done.stdout


def test_a_wish_has_a_value_and_a_reason(tmp_path):
    assert wishes(tmp_path, "# words\n\nNET=y # sockets\nVT=n # no screen\n") == \
        (0, "CONFIG_NET=y\n# CONFIG_VT is not set\n")
    assert wishes(tmp_path, "NET=y\n")[0] == 1
    assert wishes(tmp_path, "NET # sockets\n")[0] == 1


def test_a_wish_is_made_once(tmp_path):
    assert "wished for" in wishes(tmp_path, "NET=y # sockets\nNET=n # none\n")[1]


def test_every_profile_has_its_fragments_and_each_wish_is_made_once(tmp_path):
    profiles = [line.split() for line in (CONFIG / "profiles").read_text().splitlines()
                if line and not line.startswith("#")]
    assert profiles
    for _, *fragments in profiles:
        code, out = wishes(tmp_path, "".join((CONFIG / f"{f}.config").read_text() for f in fragments))
        assert code == 0, out
        assert re.search("^CONFIG_IO_URING=y$", out, re.MULTILINE)
