"""Exim with its own DKIM signing."""
import os

from peers.peer import RETRY_SECONDS, Peer, debian_version

CONFIG = r"""
primary_hostname = mta.{domain}
spool_directory = {dir}/work/spool
log_file_path = {dir}/work/exim-%slog
pid_file_path = {dir}/work/spool/exim.pid
daemon_smtp_ports = {port}
local_interfaces = 127.0.0.1
disable_ipv6 = true
tls_advertise_hosts =
acl_smtp_rcpt = accept
acl_smtp_data = accept
host_lookup =
helo_try_verify_hosts =
rfc1413_query_timeout = 0s
smtp_enforce_sync = false
smtp_accept_max = {accept}
smtp_accept_max_per_host = {accept}
smtp_accept_queue = 0
smtp_accept_queue_per_connection = 0
smtp_accept_reserve = 0
smtp_connect_backlog = 500
split_spool_directory = true
message_logs = false
log_selector = -all
write_rejectlog = false
deliver_drop_privilege = true
queue_only = {queue_only}
queue_run_max = {runners}
remote_max_parallel = 1
keep_environment =
add_environment = <; PATH=/bin:/usr/bin
bounce_return_message = false
ignore_bounce_errors_after = 0s

begin routers
all:
  driver = manualroute
  domains = *
  transport = ${{lookup{{$domain}}lsearch*{{{dir}/work/transports}}}}
  route_data = ${{lookup{{$domain}}lsearch*{{{dir}/work/routes}}}}
  self = send
  no_verify

begin transports
{transports}
begin retry
* * F,1h,{retry}s
"""

TRANSPORT = r"""
{name}:
  driver = smtp
  port = 25
  hosts_avoid_tls = *
  hosts_try_fastopen = !*
  allow_localhost
  connection_max_messages = {messages}
  {sign}
"""

SIGN = r"""dkim_domain = {domain}
  dkim_selector = s1
  dkim_private_key = {key}
  dkim_canon = relaxed
"""


class Exim(Peer):
    name = "exim"
    title = "Exim"
    queue = "synced to disk"
    packages = ("exim4-daemon-light", "exim4-base", "libidn12", "libgnutls-dane0", "libunbound8",
                "libevent-2.1-7", "libnsl2", "libpcre2-8-0", "libdb5.3")
    share = 0.2
    sessions = 4
    queue_only = False
    runners = 4

    def version(self):
        return f"Exim {debian_version(self.tree, 'exim4-daemon-light')}"

    def configure(self):
        work = self.directory / "work"
        key = work / "key.pem"
        key.write_bytes(open(self.job.key, "rb").read())
        # Exim drops its rights for a configuration at any other place than the one built in.
        conf = self.directory / "etc/exim4"
        for folder in (conf, work / "spool"):
            folder.mkdir()
        routes, transports, sections = "", "", ""
        sign = SIGN.format(domain="bench.example", key=key) if self.sign else ""
        for place, domains, address, provider in self.destinations():
            name = place.replace("-", "_")
            for domain in domains or ["*"]:
                routes += f"{domain}: {address}\n"
                transports += f"{domain}: {name}\n"
            most = provider.messages if provider and provider.messages else 10000
            sections += TRANSPORT.format(name=name, messages=most, sign=sign)
        (work / "routes").write_text(routes)
        (work / "transports").write_text(transports)
        for path in (work, work / "spool", key):
            os.chown(path, 64992, 64992)
        (conf / "exim4.conf").write_text(CONFIG.format(
            dir=self.directory, domain="bench.example", port=self.port, accept=self.sessions + 10,
            queue_only=str(self.queue_only).lower(), runners=self.runners, transports=sections,
            retry=RETRY_SECONDS))

    def start(self):
        again = self.queue_only or self.job.providers
        self.serve("/usr/sbin/exim4", "-bdf", *(["-q1s"] if again else []), log="exim")
