"""What a release is called and made of: the text beside it in its slot, which is signed in a bundle.

src/init/upgrade_bundle.h has the format, and reads it.
"""
import hashlib
import pathlib
import re

TOP = pathlib.Path(__file__).resolve().parents[1]


def version_of_source():
    text = (TOP / "src/base/version.h").read_text(encoding="ascii")
    return re.search(r'#define HIKYAKU_VERSION "([^"]+)"', text)[1]


def text_of(version, kernel, rootfs):
    """`kernel`, `rootfs`: paths."""
    lines = ["hikyaku release 1", f"version {version}"]
    for name, path in (("kernel", kernel), ("rootfs", rootfs)):
        data = pathlib.Path(path).read_bytes()
        lines.append(f"{name} {len(data)} {hashlib.sha256(data).hexdigest()}")
    return ("\n".join(lines) + "\n").encode()
