"""OpenSMTPD as a receiver. Without TLS: the package of Debian 12 offers it and fails every handshake
("EVP lib"), whatever the key."""

from peers.peer import Peer

CONFIG = """\
{pki}
table users file:{dir}/users
listen on {host} port {port} {tls} hostname mx.{domain}
action "deliver" maildir "{dir}/mail/all" virtual <users>
match from any for domain "{domain}" action "deliver"
"""


class OpenSMTPD(Peer):
    name = "opensmtpd"
    packages = ("opensmtpd", "libevent-2.1-7", "libdb5.3")

    def __init__(self, directory, domain, users=(), tls=False, **options):
        """`users` are the local-parts that have a mailbox."""
        super().__init__(directory, domain, tls=tls, **options)
        self.users = list(users)

    def configure(self):
        (self.directory / "var/lib/opensmtpd/empty").mkdir(parents=True)
        spool = self.directory / "var/spool/smtpd"
        spool.mkdir(mode=0o711)
        (self.directory / "var/run").symlink_to("/run")
        (self.directory / "users").write_text(
            "".join(f"{user}@{self.domain}: vmail\n" for user in self.users))
        pki = ""
        if self.key:
            self.key.chmod(0o600)
            pki = (f'pki mx.{self.domain} cert "{self.certificate}"\n'
                   f'pki mx.{self.domain} key "{self.key}"')
        (self.directory / "smtpd.conf").write_text(CONFIG.format(
            dir=self.directory, domain=self.domain, port=self.port, host=self.host, pki=pki,
            tls=f"tls pki mx.{self.domain}" if self.key else ""))

    def command(self):
        return ["/usr/sbin/smtpd", "-d", "-f", self.directory / "smtpd.conf"]
