"""Postfix as a receiver."""

import os

from peers.peer import VMAIL, Peer

MASTER_CF = """\
{listen} inet n - n - 40 smtpd
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
tlsmgr unix - - n 1000? 1 tlsmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
proxymap unix - - n - - proxymap
error unix - - n - - error
retry unix - - n - - error
virtual unix - n n - - virtual
anvil unix - - n - 1 anvil
postlog unix-dgram n - n - 1 postlogd
{listeners}
"""

MAIN_CF = """\
compatibility_level = 3.6
queue_directory = {dir}/queue
data_directory = {dir}/data
meta_directory = {dir}/conf
command_directory = /usr/sbin
daemon_directory = /usr/lib/postfix/sbin
shlib_directory = /usr/lib/postfix
maillog_file = {dir}/maillog
maillog_file_prefixes = {dir}
mail_owner = postfix
setgid_group = postdrop
myhostname = mx.{domain}
mydestination =
mynetworks =
inet_interfaces = all
inet_protocols = all
alias_maps =
alias_database =
smtpd_peername_lookup = no
smtp_dns_support_level = disabled
smtpd_error_sleep_time = 0
smtpd_client_connection_count_limit = 0
smtpd_client_connection_rate_limit = 0
smtpd_tls_security_level = {tls_level}
smtpd_tls_cert_file = {certificate}
smtpd_tls_key_file = {key}
smtpd_tls_received_header = yes
smtpd_tls_session_cache_database = btree:{dir}/data/sessions
virtual_mailbox_domains = {domain}
virtual_mailbox_base = {dir}/mail
virtual_mailbox_maps = regexp:{dir}/conf/mailboxes
virtual_uid_maps = static:{vmail}
virtual_gid_maps = static:{vmail}
smtpd_relay_restrictions = reject_unauth_destination
smtpd_recipient_restrictions = check_recipient_access regexp:{dir}/conf/access
smtputf8_enable = yes
in_flow_delay = 0
"""

# Mail for these local-parts has a mailbox; whatever else is an unknown user.
MAILBOXES = r"""
/^(reader[0-9]+|a\.\.b|"a\.\.b")@/ all/
"""


class Postfix(Peer):
    name = "postfix"
    packages = ("postfix",)

    def __init__(self, directory, domain, more=(), access="", listeners=(), **options):
        """`more` are further lines of main.cf, `access` those of the recipients' access table,
        `listeners` (address:port, options) of further servers."""
        super().__init__(directory, domain, **options)
        self.more = list(more)
        self.listeners = list(listeners)
        self.access = access

    def configure(self):
        conf = self.directory / "conf"
        for part in ("conf", "queue", "data"):
            (self.directory / part).mkdir(exist_ok=True)
        os.chown(self.directory / "data", 64990, 64990)
        listen = f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"
        values = {"dir": self.directory, "domain": self.domain, "listen": listen, "vmail": VMAIL,
                  "listeners": "\n".join(f"{at} inet n - n - 40 smtpd {options}"
                                         for at, options in self.listeners),
                  "tls_level": "may" if self.key else "none",
                  "certificate": self.certificate or "", "key": self.key or ""}
        (conf / "main.cf").write_text(self.main(values))
        (conf / "master.cf").write_text(MASTER_CF.format(**values))
        (conf / "mailboxes").write_text(MAILBOXES)
        self.set_access(self.access)
        for name in ("postfix-files", "dynamicmaps.cf"):
            source = self.tree / "etc/postfix" / name
            (conf / name).write_bytes(source.read_bytes() if source.exists() else b"")

    def main(self, values):
        """
        What `more` sets stands nowhere else. Each process warns of a name that stands twice; with a few of
        these the socket of Postfix's log is full before the process that reads it has begun, and that one
        wants to warn, too: nothing ever starts.
        """
        own = {line.partition("=")[0].strip() for line in self.more}
        lines = [line for line in MAIN_CF.format(**values).splitlines()
                 if line.partition("=")[0].strip() not in own]
        return "\n".join([*lines, *self.more, ""])

    def set_access(self, text):
        """New lines of the recipients' access table; server processes made from now on obey them."""
        self.access = text
        (self.directory / "conf" / "access").write_text(text + "\n")

    def command(self):
        return ["/usr/sbin/postfix", "-c", self.directory / "conf", "start-fg"]

    def log(self):
        path = self.directory / "maillog"
        return super().log() + (path.read_text(errors="replace") if path.exists() else "")
