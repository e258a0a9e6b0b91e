"""Certificates as mail servers have them, and the TLSA records that go with them.

    root = Authority(folder, "root")
    certificate, key = root.issue("mx.mail.example")
    record = tlsa(certificate, 3, 1, 1)
"""

import hashlib
import subprocess


def openssl(*words, text=None):
    return subprocess.run(["openssl", *map(str, words)], check=True, input=text,
                          capture_output=True).stdout


def self_signed(folder, name, days=2):
    """(certificate, key) of a server that asked nobody."""
    certificate, key = folder / f"{name}.pem", folder / f"{name}.key"
    openssl("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", days, "-subj", f"/CN={name}",
            "-keyout", key, "-out", certificate)
    return certificate, key


class Authority:
    def __init__(self, folder, name):
        self.folder = folder
        self.certificate, self.key = folder / f"{name}.pem", folder / f"{name}.key"
        openssl("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", 2, "-subj",
                f"/CN=Authority {name}", "-addext", "basicConstraints=critical,CA:TRUE",
                "-keyout", self.key, "-out", self.certificate)

    def issue(self, *names):
        """(chain, key): a certificate for the names, with that of the authority behind it."""
        chain, key = self.folder / f"{names[0]}.pem", self.folder / f"{names[0]}.key"
        request = openssl("req", "-new", "-newkey", "rsa:2048", "-nodes", "-subj",
                          f"/CN={names[0]}", "-keyout", key)
        extensions = self.folder / f"{names[0]}.ext"
        extensions.write_text("subjectAltName=" + ",".join(f"DNS:{name}" for name in names))
        leaf = openssl("x509", "-req", "-days", 2, "-CA", self.certificate, "-CAkey", self.key,
                       "-set_serial", abs(hash(names)), "-extfile", extensions, text=request)
        chain.write_bytes(leaf + self.certificate.read_bytes())
        return chain, key


def tlsa(certificate, usage, selector, matching):
    """What stands in the zone behind TLSA."""
    data = openssl("x509", "-in", certificate, "-outform", "DER")
    if selector == 1:
        data = openssl("pkey", "-pubin", "-outform", "DER",
                       text=openssl("x509", "-in", certificate, "-noout", "-pubkey"))
    if matching:
        data = {1: hashlib.sha256, 2: hashlib.sha512}[matching](data).digest()
    return f"{usage} {selector} {matching} {data.hex()}"
