"""OpenSMTPD with filter-dkimsign."""
import os

from peers.peer import Peer, debian_version

CONFIG = """\
{filter}
{limits}
listen on 127.0.0.1 port {port} hostname mta.{domain} {use}
{actions}
"""
FILTER = 'filter "dkimsign" proc-exec "filter-dkimsign -a rsa-sha256 -c relaxed/relaxed -d {domain} ' \
    '-s s1 -k {key}" user opensmtpd group opensmtpd'


class OpenSMTPD(Peer):
    name = "opensmtpd"
    title = "OpenSMTPD + filter-dkimsign"
    queue = "synced to disk"
    packages = ("opensmtpd", "opensmtpd-filter-dkimsign", "libopensmtpd0", "libevent-2.1-7",
                "libdb5.3")
    share = 0.2
    sessions = 8

    def version(self):
        return (f"OpenSMTPD {debian_version(self.tree, 'opensmtpd')}, filter-dkimsign "
                f"{debian_version(self.tree, 'opensmtpd-filter-dkimsign')}")

    def configure(self):
        work = self.directory / "work"
        (self.directory / "var/lib/opensmtpd/empty").mkdir(parents=True)
        (self.directory / "var/spool/smtpd").mkdir(parents=True, mode=0o711)
        (self.directory / "var/run").symlink_to("/run")
        key = work / "key.pem"
        key.write_bytes(open(self.job.key, "rb").read())
        os.chown(key, 64993, 64993)
        key.chmod(0o600)
        limits, actions = [], []
        most = str(4 * self.concurrency)
        for name, value in (("max-conn-per-host", self.concurrency),
                            ("max-conn-per-route", self.concurrency),
                            ("max-conn-per-source", most), ("max-conn-per-connector", most),
                            ("max-conn-per-relay", self.concurrency), ("max-conn-per-domain", most),
                            ("conn-delay-host", 0), ("conn-delay-route", 0),
                            ("conn-delay-source", 0), ("conn-delay-connector", 0),
                            ("conn-delay-relay", 0), ("conn-delay-domain", 0),
                            ("session-transaction-delay", 0), ("session-mail-max", 100000)):
            limits.append(f"mta limit {name} {value}")
        for name, domains, address, provider in self.destinations():
            actions.append(f'action "{name}" relay host "smtp://{address}:25"')
            if domains is None:
                actions.append(f'match from any for any action "{name}"')
                continue
            actions.append("match from any for domain { %s } action \"%s\"" %
                           (", ".join(f'"{domain}"' for domain in domains), name))
            if provider.connections:
                for domain in domains:
                    limits.append(f"mta limit for domain {domain} max-conn-per-relay "
                                  f"{provider.connections}")
        (work / "smtpd.conf").write_text(CONFIG.format(
            domain="bench.example", port=self.port, limits="\n".join(limits),
            filter=FILTER.format(domain="bench.example", key=key) if self.sign else "",
            use='filter "dkimsign"' if self.sign else "", actions="\n".join(actions)))

    def start(self):
        self.serve("/usr/sbin/smtpd", "-d", "-f", self.directory / "work/smtpd.conf", log="smtpd")
