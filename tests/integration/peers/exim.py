"""Exim (exim4-daemon-light) as a receiver."""

import os

from peers.peer import Peer

CONFIG = r"""
primary_hostname = mx.{domain}
domainlist ours = {domain} : *.{domain}
spool_directory = {dir}/spool
log_file_path = {dir}/exim-%slog
pid_file_path = {dir}/spool/exim.pid
daemon_smtp_ports = {port}
local_interfaces = <; {host}
{tls}
acl_smtp_rcpt = rcpt
acl_smtp_data = data
smtp_accept_max = 100
smtp_accept_queue_per_connection = 0
smtp_accept_reserve = 0
queue_only = false
host_lookup =
rfc1413_query_timeout = 0s
smtp_enforce_sync = true
received_header_text = Received: from $sender_helo_name ([$sender_host_address]) by \
  $primary_hostname with $received_protocol \
  ${{if def:tls_in_cipher_std{{tls $tls_in_cipher_std resumed $tls_in_resumption\n\t}}}}\
  (Exim $version_number) id $message_exim_id for $received_for
{more}

begin acl
rcpt:
  deny message = no such user here
       condition = ${{if match{{$local_part}}{{\N^(reader[0-9]+|a\.\.b)$\N}}{{no}}{{yes}}}}
  accept domains = +ours
  deny message = relay not permitted
data:
  accept

begin routers
all:
  driver = accept
  domains = +ours
  transport = maildir

begin transports
maildir:
  driver = appendfile
  directory = {dir}/mail/all
  maildir_format
  create_directory
  delivery_date_add
  envelope_to_add
  return_path_add
  user = vmail
  group = vmail
"""


class Exim(Peer):
    name = "exim"
    packages = ("exim4-daemon-light", "exim4-base", "libidn12", "libgnutls-dane0", "libunbound8",
                "libevent-2.1-7", "libnsl2", "libpcre2-8-0", "libdb5.3")

    def __init__(self, directory, domain, more=(), **options):
        """`more` are further lines of the main section."""
        super().__init__(directory, domain, **options)
        self.more = list(more)

    def configure(self):
        # Exim drops its rights for a configuration at any other place than the one built in.
        conf = self.directory / "etc" / "exim4"
        spool = self.directory / "spool"
        for folder in (conf, spool):
            folder.mkdir(exist_ok=True)
        os.chown(spool, 64992, 64992)
        os.chown(self.directory, 64992, 64992)  # the logs
        tls = "tls_advertise_hosts ="
        if self.key:
            os.chown(self.key, 64992, 64992)
            tls = (f"tls_advertise_hosts = *\ntls_certificate = {self.certificate}\n"
                   f"tls_privatekey = {self.key}")
        (conf / "exim4.conf").write_text(CONFIG.format(
            dir=self.directory, domain=self.domain, port=self.port, host=self.host, tls=tls,
            more="\n".join(self.more)))

    def command(self):
        return ["/usr/sbin/exim4", "-bdf", "-q5s"]

    def log(self):
        return super().log() + "".join(path.read_text(errors="replace")
                                       for path in sorted(self.directory.glob("exim-*log")))
