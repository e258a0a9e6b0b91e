#!/usr/bin/python3
"""The bill of materials, as SPDX 2.3 in JSON: what is inside, from which source, under which licence.

usage: rootfs/sbom.py ROOTFS_BILL OUT     the disk image's: the root file system's, and what boots it

Packages of ../packages are told by `packages/build describe`; their licences are those that the machine
readable debian/copyright of each source names. What pages have from npm is told by its lock file, which has
the sums that npm checks. Nothing in it depends on where or when it was made.
"""
import base64
import datetime
import email.utils
import functools
import gzip
import hashlib
import json
import pathlib
import re
import subprocess
import sys
import urllib.parse

BUILD = pathlib.Path(__file__).resolve().parent / "packages/build"
NPM_LOCK = BUILD.parents[2] / "src/web/vendor/package-lock.json"
HEADERS = "linux-headers"  # the kernel's source: compiled against, and what the kernel is built from
BOOT_LOADER = ("grub-pc-bin", "grub-efi-amd64-bin")  # as this machine has them installed
NAMESPACE = "https://hikyaku.invalid/spdx/"  # a name, not an address

COMPRESSIONS = {".xz": "xz", ".gz": "gzip", ".bz2": "bzip2"}

# Debian's short names of licences, as far as our parts use them, and SPDX's.
LICENCES = {
    "Apache-2.0": "Apache-2.0", "BSD-2-clause": "BSD-2-Clause", "BSD-3-clause": "BSD-3-Clause",
    "BSD-3-Clause": "BSD-3-Clause", "BSD-2-Clause": "BSD-2-Clause", "curl": "curl",
    "Expat": "MIT", "MIT": "MIT",
    "GPL-2": "GPL-2.0-only", "GPL-2+": "GPL-2.0-or-later", "GPL-2.0+": "GPL-2.0-or-later",
    "GPL-3": "GPL-3.0-only", "GPL-3+": "GPL-3.0-or-later", "ISC": "ISC", "LGPL-2": "LGPL-2.0-only",
    "LGPL-2+": "LGPL-2.0-or-later", "LGPL-2.1": "LGPL-2.1-only", "LGPL-2.1+": "LGPL-2.1-or-later",
    "LGPL-3+": "LGPL-3.0-or-later", "MPL-2.0": "MPL-2.0", "OpenLDAP-2.8": "OLDAP-2.8", "Zlib": "Zlib",
    "zlib": "Zlib", "X11": "X11", "MIT-X11": "X11", "CC0": "CC0-1.0", "CC0-1.0": "CC0-1.0",
}


# Where Debian's file is not machine readable, or says less of what we use than it could.
STATED = {
    "busybox": "GPL-2.0-only",
    "grub-pc-bin": "GPL-3.0-or-later",
    "grub-efi-amd64-bin": "GPL-3.0-or-later",
    "dns-root-data": "LicenseRef-public-domain",
    "libidn2": "LGPL-3.0-or-later OR GPL-2.0-or-later",
    "qrencode": "LGPL-2.1-or-later",
    "ncurses": "X11-distribute-modifications-variant",
    "tzdata": "LicenseRef-public-domain",
    "unbound": "BSD-3-Clause",
    "ca-certificates": "MPL-2.0",
}
PUBLIC_DOMAIN = {"licenseId": "LicenseRef-public-domain", "name": "public domain",
                 "extractedText": "Its authors, or the body that publishes it, claim no rights in it."}


def packages_build(*words):
    """Lines that packages/build prints for a command."""
    result = subprocess.run([BUILD, *words], check=True, stdout=subprocess.PIPE, text=True)
    return [pathlib.Path(line) if line.startswith("/") else line for line in result.stdout.splitlines()]


class Package:
    """One package of packages/, as `describe` tells it."""

    def __init__(self, line):
        (self.name, self.source, self.kind, self.version, self.sum, self.role, needs,
         self.folder) = line.split("\t")
        self.needs = needs.split()

    @functools.cached_property
    def file(self):
        return sorted(pathlib.Path(self.folder).glob("*.dsc" if self.kind == "source" else "*.deb"))[0]

    def text(self, what):
        """A file that Debian adds to the source, copyright or changelog; empty when there is none."""
        if self.kind == "deb":
            folder = "*/usr/share/doc/" + self.file.name.split("_")[0] + "/"
            names = [f"{folder}{what}", f"{folder}{what}.Debian.gz", f"{folder}{what}.gz"]
            data = first_of_tar(["dpkg-deb", "--fsys-tarfile", self.file], names)
        else:
            tars = sorted(pathlib.Path(self.folder).glob("*.debian.tar.*"))
            data = first_of_tar(["cat", tars[0]], [f"debian/{what}"],
                                f"--{COMPRESSIONS[tars[0].suffix]}")
        if data[:2] == b"\x1f\x8b":
            data = gzip.decompress(data)
        return data.decode(errors="replace")

    @functools.cached_property
    def licences(self):
        """(of the source as a whole, of single files in it), in Debian's words; empty when not told."""
        told = []
        for stanza in re.split(r"\n\s*\n", self.text("copyright")):
            # A field's value may begin on the next line, indented.
            fields = dict(re.findall(r"(?m)^(Files|License):\s*(.*)$", stanza))
            if fields.get("Files") and fields.get("License"):
                told.append((fields["Files"], fields["License"]))
        whole = next((licence for files, licence in told if files.split()[0] == "*"), "")
        others = sorted({licence for files, licence in told} - {whole})
        return whole, others

    @functools.cached_property
    def time(self):
        """When Debian made this version, in seconds."""
        match = re.search(r"(?m)^ -- .*>  (.*)$", self.text("changelog"))
        return int(email.utils.parsedate_to_datetime(match[1]).timestamp()) if match else 0

    def purl(self):
        arch = "source" if self.kind == "source" else self.file.stem.rpartition("_")[2]
        version = urllib.parse.quote(self.version, safe="~.-")
        return f"pkg:deb/debian/{self.source}@{version}?arch={arch}"


def first_of_tar(command, names, *options):
    """The first of `names` in the archive that a command prints; reads no further than that."""
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as process:
        found = subprocess.run(["tar", "--extract", "--to-stdout", "--occurrence=1", "--wildcards",
                                *options, *names], stdin=process.stdout, stdout=subprocess.PIPE,
                               stderr=subprocess.DEVNULL, check=False).stdout
        process.stdout.close()
        process.kill()
    return found


def expression(debian):
    """An SPDX expression for a licence field of Debian's, or NOASSERTION."""
    parts = re.split(r" (and|or) ", debian.replace(",", ""))
    known = [LICENCES.get(word) if i % 2 == 0 else word.upper() for i, word in enumerate(parts)]
    return " ".join(known) if all(known) else "NOASSERTION"


def spdx_id(name):
    return "SPDXRef-" + re.sub(r"[^A-Za-z0-9.-]", "-", name)


def of_package(package, name=None):
    whole, others = package.licences
    told = f"Debian calls the licence of the source {whole or '(not machine readable)'}"
    if others:
        told += "; of some files in it " + ", ".join(others)
    return {
        "SPDXID": spdx_id(name or package.name),
        "name": name or package.name,
        "versionInfo": package.version,
        "supplier": "Organization: Debian",
        "downloadLocation": "NOASSERTION",
        "filesAnalyzed": False,
        "checksums": [{"algorithm": "SHA256", "checksumValue": package.sum}],
        "sourceInfo": f"the checksum is that of {package.file.name}",
        "licenseConcluded": "NOASSERTION",
        "licenseDeclared": STATED.get(package.name) or expression(whole),
        "licenseComments": told,
        "copyrightText": "NOASSERTION",
        "externalRefs": [{"referenceCategory": "PACKAGE-MANAGER", "referenceType": "purl",
                          "referenceLocator": package.purl()}],
    }


def of_ours(name, version, content):
    return {
        "SPDXID": spdx_id(name), "name": name, "versionInfo": version, "downloadLocation": "NOASSERTION",
        "filesAnalyzed": False, "licenseConcluded": "NOASSERTION", "licenseDeclared": "NOASSERTION",
        "copyrightText": "NOASSERTION",
        "checksums": [{"algorithm": "SHA256", "checksumValue": hashlib.sha256(content).hexdigest()}],
    }


def of_npm(name, entry):
    """A package of npm that is built into the program, by its entry of the lock file."""
    algorithm, _, digest = entry["integrity"].partition("-")
    return {
        "SPDXID": spdx_id(f"npm-{name}"), "name": name, "versionInfo": entry["version"],
        "downloadLocation": "NOASSERTION", "filesAnalyzed": False, "licenseConcluded": "NOASSERTION",
        "licenseDeclared": entry["license"], "copyrightText": "NOASSERTION",
        "checksums": [{"algorithm": algorithm.upper(), "checksumValue": base64.b64decode(digest).hex()}],
        "sourceInfo": "the checksum is that of npm's archive",
        "externalRefs": [{"referenceCategory": "PACKAGE-MANAGER", "referenceType": "purl",
                          "referenceLocator": f"pkg:npm/{urllib.parse.quote(name)}@{entry['version']}"}],
    }


def npm_packages():
    """Entries of the lock file by name, but for the one that is ours."""
    entries = json.loads(NPM_LOCK.read_bytes())["packages"]
    return {path.removeprefix("node_modules/"): entry for path, entry in entries.items() if path}


def relation(what, kind, other):
    return {"spdxElementId": spdx_id(what), "relationshipType": kind, "relatedSpdxElement": spdx_id(other)}


def needs_of(name, packages):
    """All that a package was built with, and what that was built with."""
    found = set()
    waiting = list(packages[name].needs)
    while waiting:
        need = waiting.pop()
        if need not in found:
            found.add(need)
            waiting += packages[need].needs
    return found


def document(name, version, parts, relations, time):
    created = datetime.datetime.fromtimestamp(time, datetime.timezone.utc)
    return finished(name, version, {
        "spdxVersion": "SPDX-2.3",
        "dataLicense": "CC0-1.0",
        "SPDXID": "SPDXRef-DOCUMENT",
        "name": f"{name}-{version}",
        "creationInfo": {"created": created.strftime("%Y-%m-%dT%H:%M:%SZ"),
                         "creators": ["Organization: hikyaku", "Tool: rootfs-build"],
                         "comment": "The time is that of the newest part, so that the same parts give the "
                                    "same document."},
        "hasExtractedLicensingInfos": [PUBLIC_DOMAIN],
        "packages": parts,
        "relationships": relations,
    })


def finished(name, version, bill):
    """The document's bytes, its name of the whole world made from its content."""
    digest = hashlib.sha256(json.dumps(bill, sort_keys=True).encode()).hexdigest()
    bill["documentNamespace"] = f"{NAMESPACE}{name}-{version}-{digest[:32]}"
    return json.dumps(bill, indent=1, sort_keys=True).encode() + b"\n"


def known_packages():
    return {package.name: package for package in map(Package, packages_build("describe"))}


def of_rootfs(archive, ours, version):
    """The document for what is in an Archive of `build`, as bytes."""
    packages = known_packages()
    inside = [part for part in dict.fromkeys(archive.part.values()) if part in packages]
    libraries = [name for name, package in packages.items() if package.role == "library" and name != HEADERS]
    linked = {name: needs_of(name, packages) - {HEADERS} for name in inside}
    # With what is built into a library: libpsl has the public suffix list inside.
    linked[ours] = set(libraries).union(*(needs_of(name, packages) for name in libraries)) - {HEADERS}
    wanted = sorted(set(inside).union(*linked.values()))
    packages_build("fetch", *wanted, HEADERS)
    root = f"{ours}-rootfs"
    parts = [of_ours(root, version, archive.content("tree")), of_ours(ours, version, archive.content(ours)),
             of_package(packages[HEADERS], "linux")]
    parts += [of_package(packages[name]) for name in wanted]
    npm = npm_packages()
    parts += [of_npm(name, npm[name]) for name in sorted(npm)]
    relations = [relation("DOCUMENT", "DESCRIBES", root)]
    relations += [relation(root, "CONTAINS", name) for name in sorted([ours, *inside])]
    relations += [relation(ours, "CONTAINS", f"npm-{name}") for name in sorted(npm)]
    for name in sorted(linked):
        relations += [relation(name, "STATIC_LINK", need) for need in sorted(linked[name])]
    relations.append(relation("linux", "RUNTIME_DEPENDENCY_OF", root))
    return document(root, version, parts, relations,
                    max(packages[name].time for name in [*wanted, HEADERS]))


def of_installed(name):
    """A binary package of this machine's Debian; its sum is told by the index that it came from."""
    version = subprocess.run(["dpkg-query", "-W", "-f=${Version}", name], check=True, stdout=subprocess.PIPE,
                             text=True).stdout
    index = subprocess.run(["apt-cache", "show", f"{name}={version}"], stdout=subprocess.PIPE, text=True,
                           stderr=subprocess.DEVNULL, check=False).stdout
    digest = re.search(r"(?m)^SHA256: ([0-9a-f]{64})$", index)
    part = {
        "SPDXID": spdx_id(name), "name": name, "versionInfo": version, "supplier": "Organization: Debian",
        "downloadLocation": "NOASSERTION", "filesAnalyzed": False, "licenseConcluded": "NOASSERTION",
        "licenseDeclared": STATED[name], "copyrightText": "NOASSERTION",
        "externalRefs": [{"referenceCategory": "PACKAGE-MANAGER", "referenceType": "purl",
                          "referenceLocator": f"pkg:deb/debian/{name}@"
                                              f"{urllib.parse.quote(version, safe='~.-')}?arch=amd64"}],
    }
    if digest:
        part["checksums"] = [{"algorithm": "SHA256", "checksumValue": digest[1]}]
        part["sourceInfo"] = "the checksum is that of the binary package"
    else:
        part["sourceInfo"] = "the index that the package came from is no longer here: no checksum"
    return part


def of_image(bill):
    """The document for a disk image, from that of its root file system."""
    root = bill["relationships"][0]["relatedSpdxElement"]
    version = next(part["versionInfo"] for part in bill["packages"] if part["SPDXID"] == root)
    name = "hikyaku-image"
    image = {"SPDXID": spdx_id(name), "name": name, "versionInfo": version, "downloadLocation": "NOASSERTION",
             "filesAnalyzed": False, "licenseConcluded": "NOASSERTION", "licenseDeclared": "NOASSERTION",
             "copyrightText": "NOASSERTION"}
    relations = [relation("DOCUMENT", "DESCRIBES", name)]
    relations += [relation(name, "CONTAINS", part) for part in ("hikyaku-rootfs", "linux", *BOOT_LOADER)]
    del bill["documentNamespace"]
    return finished(name, version, bill | {
        "name": f"{name}-{version}",
        "packages": [image, *bill["packages"], *map(of_installed, BOOT_LOADER)],
        "relationships": [*relations, *bill["relationships"][1:]],
    })


def main():
    if len(sys.argv) != 3:
        sys.exit("usage: rootfs/sbom.py ROOTFS_BILL OUT")
    bill = json.loads(pathlib.Path(sys.argv[1]).read_bytes())
    pathlib.Path(sys.argv[2]).write_bytes(of_image(bill))


if __name__ == "__main__":
    main()
