"""The bill of materials: SPDX 2.3 by its rules, and true."""
import base64
import json
import re
import stat
import subprocess

import pytest

from conftest import BUILT, TOP

DIGESTS = {"SHA256": r"[0-9a-f]{64}", "SHA512": r"[0-9a-f]{128}"}
PLACE = "etc/hikyaku/sbom.spdx.json"
ID = re.compile(r"SPDXRef-[A-Za-z0-9.-]+")
# What the specification requires of a document and of a package; more than that is ours.
DOCUMENT = {"spdxVersion": "SPDX-2.3", "dataLicense": "CC0-1.0", "SPDXID": "SPDXRef-DOCUMENT"}
PACKAGE = {"SPDXID", "name", "downloadLocation", "filesAnalyzed", "licenseConcluded", "licenseDeclared",
           "copyrightText", "versionInfo", "checksums"}
PACKAGE_MORE = {"supplier", "sourceInfo", "licenseComments", "externalRefs"}
LICENCES = {
    "Apache-2.0", "BSD-2-Clause", "BSD-3-Clause", "GPL-2.0-only", "GPL-2.0-or-later", "GPL-3.0-or-later",
    "ISC", "curl", "LGPL-2.1-or-later", "LGPL-3.0-or-later", "MIT", "MPL-2.0", "OLDAP-2.8",
    "X11-distribute-modifications-variant", "Zlib", "LicenseRef-public-domain",
}
RELATIONS = {"DESCRIBES", "CONTAINS", "STATIC_LINK", "RUNTIME_DEPENDENCY_OF"}
# Which part each file is from; a file that is not named here is our own text.
FROM = {
    "bin/hikyaku": "hikyaku", "sbin/busybox": "busybox", "sbin/dropbear": "dropbear",
    "sbin/lighttpd": "lighttpd",
    "sbin/mke2fs": "e2fsprogs", "sbin/e2fsck": "e2fsprogs", "sbin/resize2fs": "e2fsprogs",
    "etc/ssl/cert.pem": "ca-certificates", "usr/share/dns/root.key": "dns-root-data",
}
# Versions as the programs hold them in their bytes.
TOLD = {
    "bin/hikyaku": {"openssl": "\0{}\0", "unbound": "\0{}\0"},
    "sbin/lighttpd": {"lighttpd": "lighttpd/{}", "openssl": "\0{}\0", "zlib": "\0{}\0"},
    "sbin/dropbear": {"dropbear": "SSH-2.0-dropbear_{}"},
    "sbin/busybox": {"busybox": "BusyBox v{} "},
    "sbin/mke2fs": {"e2fsprogs": "EXT2FS Library version {}"},
}


@pytest.fixture(scope="module")
def bill(entries):
    return json.loads(entries[PLACE].data)


@pytest.fixture(scope="module")
def parts(bill):
    return {part["name"]: part for part in bill["packages"]}


def related(bill, kind):
    """Pairs of names that stand in a relationship."""
    names = {part["SPDXID"]: part["name"] for part in bill["packages"]} | {"SPDXRef-DOCUMENT": "DOCUMENT"}
    return {(names[r["spdxElementId"]], names[r["relatedSpdxElement"]]) for r in bill["relationships"]
            if r["relationshipType"] == kind}


def built():
    """(name, version, sum) of each library, as the sysroot tells what it was built from."""
    text = (TOP / "build/sysroot/share/packages.list").read_text()
    return [line.split() for line in text.splitlines()]


def test_it_lies_beside_the_image_as_it_is_inside(entries):
    assert (BUILT / "sbom.spdx.json").read_bytes() == entries[PLACE].data


def test_the_document_has_what_spdx_requires(bill):
    assert DOCUMENT.items() <= bill.items()
    assert set(bill) == {*DOCUMENT, "name", "documentNamespace", "creationInfo", "packages", "relationships",
                         "hasExtractedLicensingInfos"}
    assert re.fullmatch(r"https://[\w./-]+", bill["documentNamespace"])
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", bill["creationInfo"]["created"])
    assert bill["creationInfo"]["created"] > "2024"
    for creator in bill["creationInfo"]["creators"]:
        assert re.fullmatch(r"(Tool|Organization): \S.*", creator)


def test_every_package_has_what_spdx_requires(bill):
    ids = [part["SPDXID"] for part in bill["packages"]]
    assert len(set(ids)) == len(ids)
    for part in bill["packages"]:
        assert PACKAGE <= set(part) <= PACKAGE | PACKAGE_MORE, part["name"]
        assert ID.fullmatch(part["SPDXID"])
        assert part["filesAnalyzed"] is False
        checksum, = part["checksums"]
        assert re.fullmatch(DIGESTS[checksum["algorithm"]], checksum["checksumValue"])
        for reference in part.get("externalRefs", ()):
            assert reference["referenceCategory"] == "PACKAGE-MANAGER"
            assert reference["referenceType"] == "purl"
            assert re.fullmatch(r"pkg:deb/debian/[a-z0-9.+-]+@[\w.~%-]+\?arch=(source|all|amd64)|"
                                r"pkg:npm/[a-z0-9.-]+@[0-9.]+", reference["referenceLocator"]), part["name"]


def test_licences_are_names_that_spdx_knows(bill):
    extracted = {info["licenseId"] for info in bill["hasExtractedLicensingInfos"]}
    for part in bill["packages"]:
        if "externalRefs" not in part:
            continue  # our own
        for word in re.split(r" (?:AND|OR) ", part["licenseDeclared"]):
            assert word in LICENCES, f"{part['name']}: {part['licenseDeclared']}"
            assert not word.startswith("LicenseRef-") or word in extracted


def test_relationships_are_between_what_is_in_the_document(bill):
    ids = {part["SPDXID"] for part in bill["packages"]} | {"SPDXRef-DOCUMENT"}
    for relation in bill["relationships"]:
        assert set(relation) == {"spdxElementId", "relationshipType", "relatedSpdxElement"}
        assert {relation["spdxElementId"], relation["relatedSpdxElement"]} <= ids
        assert relation["relationshipType"] in RELATIONS
    assert related(bill, "DESCRIBES") == {("DOCUMENT", "hikyaku-rootfs")}
    named = {name for kind in RELATIONS for pair in related(bill, kind) for name in pair}
    assert named >= {part["name"] for part in bill["packages"]}


def test_every_file_that_is_not_our_own_is_from_a_part_that_is_named(entries, bill):
    contained = {name for whole, name in related(bill, "CONTAINS") if whole == "hikyaku-rootfs"}
    for name, entry in entries.items():
        if name.startswith("usr/share/zoneinfo/"):
            assert "tzdata" in contained
        elif entry.data[:4] == b"\x7fELF" or name in FROM:
            assert FROM[name] in contained, name
        elif stat.S_ISREG(entry.mode) and name != PLACE and not name.startswith("etc/hikyaku/release-keys/"):
            assert (TOP / "rootfs/tree" / name).exists(), name
    assert contained == {*FROM.values(), "tzdata"}


def test_what_pages_have_from_npm_is_named_with_the_sum_that_npm_checks(bill, parts):
    locked = json.loads((TOP / "src/web/vendor/package-lock.json").read_text())["packages"]
    entries = {path.split("/", 1)[1]: entry for path, entry in locked.items() if path}
    assert {name for whole, name in related(bill, "CONTAINS") if whole == "hikyaku"} == set(entries) != set()
    for name, entry in entries.items():
        digest = bytes.fromhex(parts[name]["checksums"][0]["checksumValue"])
        assert "sha512-" + base64.b64encode(digest).decode() == entry["integrity"]
        assert (parts[name]["versionInfo"], parts[name]["licenseDeclared"]) == (entry["version"], "MIT")


def test_every_library_of_the_sysroot_is_named_and_said_to_be_linked(bill):
    linked = {name for program, name in related(bill, "STATIC_LINK") if program == "hikyaku"}
    listed = {name for name, _, _ in built()}
    assert linked == listed - {"linux-headers"}
    assert {"musl", "openssl", "zlib"} <= {name for program, name in related(bill, "STATIC_LINK")
                                           if program == "lighttpd"}


def test_versions_and_sums_are_those_that_were_built_from(parts):
    lines = (TOP / "rootfs/packages/versions.lock").read_text().splitlines()
    locked = {line.split()[0]: line.split()[1:] for line in lines if not line.startswith("#")}
    for name, version, digest in built():
        part = parts["linux" if name == "linux-headers" else name]
        assert (part["versionInfo"], part["checksums"][0]["checksumValue"]) == (version, digest)
    assert parts["linux"]["versionInfo"].startswith(locked["linux-headers"][0].rpartition(".")[0])


@pytest.mark.parametrize("name", TOLD)
def test_versions_are_those_that_the_programs_tell(entries, parts, name):
    for part, told in TOLD[name].items():
        stated = re.match(r"(?:\d+:)?(?:.*really)?([\d.]+)", parts[part]["versionInfo"])[1]
        assert told.format(stated).encode() in entries[name].data, part


def test_the_image_has_the_kernel_and_the_boot_loader_too(bill):
    subprocess.run(["make", "--no-print-directory", "sbom"], cwd=TOP, check=True, stdout=subprocess.DEVNULL)
    image = json.loads((BUILT / "image.spdx.json").read_bytes())
    assert related(image, "DESCRIBES") == {("DOCUMENT", "hikyaku-image")}
    assert related(image, "CONTAINS") - related(bill, "CONTAINS") == {
        ("hikyaku-image", name) for name in ("hikyaku-rootfs", "linux", "grub-pc-bin", "grub-efi-amd64-bin")}
    ids = [part["SPDXID"] for part in image["packages"]]
    assert len(set(ids)) == len(ids) == len(bill["packages"]) + 3
    for part in image["packages"]:
        assert PACKAGE - {"checksums"} <= set(part) <= PACKAGE | PACKAGE_MORE, part["name"]
    assert image["documentNamespace"] != bill["documentNamespace"]
