"""Files that come and go by ssh."""

import pytest

pytestmark = pytest.mark.binary


@pytest.fixture(name="files")
def make_files(appliance):
    folder = appliance.folder / "files"
    folder.mkdir()
    appliance.environment["HIKYAKU_FILES"] = str(folder)
    return folder


def test_a_file_comes_in_and_goes_out_byte_by_byte(appliance, files):
    content = bytes(range(256)) * 1000
    code, out, _ = appliance.run("file put list.csv", content)
    assert code == 0 and "256000 bytes are in" in out
    assert (files / "list.csv").read_bytes() == content
    appliance.run("file put news.eml", b"From: a@b\n\nhello\n")
    assert appliance.run("file get news.eml")[:2] == (0, "From: a@b\n\nhello\n")
    assert appliance.run("file list")[1] == "        256000  list.csv\n            17  news.eml\n"


def test_a_second_one_of_that_name_takes_the_place_of_the_first(appliance, files):
    appliance.run("file put list.csv", b"first, and longer")
    appliance.run("file put list.csv", b"second")
    assert (files / "list.csv").read_bytes() == b"second"
    assert [path.name for path in files.iterdir()] == ["list.csv"]


def test_a_file_goes(appliance, files):
    appliance.run("file put list.csv", b"x")
    assert appliance.run("file remove list.csv")[0] == 0
    assert not list(files.iterdir())
    code, _, errors = appliance.run("file remove list.csv")
    assert code == 1 and "No such file" in errors


@pytest.mark.parametrize("name", ["../etc/hikyaku.conf", "/tmp/x", ".hidden", "a/b", "-x", "", "n" * 129])
def test_what_is_no_plain_name_is_refused(appliance, files, name):
    for command in ("put", "get", "remove"):
        code, _, errors = appliance.run(f"file {command} -- '{name}'", b"x")
        assert code == 2, errors
    assert not list(files.iterdir())


def test_a_link_is_not_followed(appliance, files):
    (files / "out").symlink_to(appliance.etc / "hikyaku.conf")
    code, out, _ = appliance.run("file get out")
    assert code == 1 and out == ""
