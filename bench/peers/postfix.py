"""Postfix with OpenDKIM as its milter."""
import os
import shutil
import subprocess

from peers.peer import QUIET, RETRY_SECONDS, Peer, debian_version, wait_until

MASTER_CF = """\
127.0.0.1:{port} inet n - n - {smtpd} smtpd
pickup unix n - n 60 1 pickup
cleanup unix n - n - 0 cleanup
qmgr unix n - n {queue_run} 1 qmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
verify unix - - n - 1 verify
flush unix n - n 1000? 0 flush
proxymap unix - - n - - proxymap
proxywrite unix - - n - 1 proxymap
showq unix n - n - - showq
error unix - - n - - error
retry unix - - n - - error
discard unix - - n - - discard
anvil unix - - n - 1 anvil
scache unix - - n - 1 scache
"""

MAIN_CF = """\
compatibility_level = 3.6
queue_directory = {dir}/work/queue
data_directory = {dir}/work/data
meta_directory = {dir}/work/conf
command_directory = /usr/sbin
daemon_directory = /usr/lib/postfix/sbin
shlib_directory = /usr/lib/postfix
mail_owner = postfix
setgid_group = postdrop
myhostname = mta.{domain}
mydestination =
mynetworks = 127.0.0.0/8
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
alias_maps =
alias_database =
local_recipient_maps =
transport_maps = texthash:{dir}/work/conf/transport
disable_dns_lookups = yes
smtp_dns_support_level = disabled
smtpd_peername_lookup = no
smtpd_relay_restrictions = permit_mynetworks, reject
smtpd_client_connection_count_limit = 0
smtpd_client_connection_rate_limit = 0
smtpd_error_sleep_time = 0
smtpd_tls_security_level = none
smtp_tls_security_level = none
smtputf8_enable = no
receive_override_options = no_address_mappings, no_header_body_checks, no_unknown_recipient_checks
disable_mime_input_processing = yes
disable_mime_output_conversion = yes
local_header_rewrite_clients =
in_flow_delay = 0
default_process_limit = {processes}
max_use = 100000
qmgr_message_active_limit = 100000
qmgr_message_recipient_limit = 100000
default_destination_concurrency_limit = {concurrency}
initial_destination_concurrency = {concurrency}
smtp_connection_cache_destinations = {destinations}
smtp_connection_cache_time_limit = 30s
smtp_connection_reuse_time_limit = 3600s
minimal_backoff_time = {retry}s
maximal_backoff_time = {retry}s
queue_run_delay = {queue_run}s
message_size_limit = 0
notify_classes =
"""

MILTER_CF = """\
smtpd_milters = unix:{dir}/work/opendkim.sock
milter_protocol = 6
milter_default_action = tempfail
"""

OPENDKIM_CONF = """\
Domain {domain}
Selector s1
KeyFile {key}
Socket local:{dir}/work/opendkim.sock
Canonicalization relaxed/relaxed
SignatureAlgorithm rsa-sha256
OversignHeaders From
Mode s
Syslog no
UMask 000
RequireSafeKeys no
"""


class Postfix(Peer):
    name = "postfix"
    title = "Postfix + OpenDKIM"
    queue = "synced to disk"
    packages = ("postfix", "opendkim", "libopendkim11", "libmilter1.0.1", "libvbr2", "librbl1",
                "libopendbx1", "libmemcached11", "libunbound8", "liblua5.3-0")
    sessions = 100

    def version(self):
        return (f"Postfix {debian_version(self.tree, 'postfix')}, "
                f"OpenDKIM {debian_version(self.tree, 'opendkim')}")

    def configure(self):
        work = self.directory / "work"
        self.conf = work / "conf"
        for path in (self.conf, work / "queue", work / "data"):
            path.mkdir()
        os.chown(work / "data", 64990, 64990)
        for path in (self.tree / "etc/postfix").iterdir():
            if path.is_file():
                shutil.copy2(path, self.conf)
        places = self.destinations()
        values = {
            "dir": self.directory, "domain": "bench.example", "key": self.job.key, "port": self.port,
            "smtpd": self.sessions + 2, "concurrency": self.concurrency,
            "processes": 2 * self.sessions + 20 + sum(self.connections(p[3]) for p in places),
            "destinations": " ".join(f"[{address}]:25" for _, _, address, _ in places),
            "retry": RETRY_SECONDS, "queue_run": RETRY_SECONDS if self.job.providers else 300,
        }
        main, master, transport = MAIN_CF, MASTER_CF, ""
        if self.sign:
            main += MILTER_CF
        for name, domains, address, provider in places:
            count = self.connections(provider)
            master += f"smtp-{name} unix - - n - {count} smtp\n"
            main += (f"smtp-{name}_destination_concurrency_limit = {count}\n"
                     f"smtp-{name}_initial_destination_concurrency = {min(count, 20)}\n")
            for domain in domains or ["*"]:
                transport += f"{domain} smtp-{name}:[{address}]:25\n"
        (self.conf / "transport").write_text(transport)
        (self.conf / "main.cf").write_text(main.format(**values))
        (self.conf / "master.cf").write_text(master.format(**values))
        (work / "opendkim.conf").write_text(OPENDKIM_CONF.format(**values))

    def start(self):
        if self.sign:
            self.serve("/usr/sbin/opendkim", "-f", "-x", self.directory / "work/opendkim.conf")
            wait_until("OpenDKIM", (self.directory / "work/opendkim.sock").exists)
        self.serve("/usr/sbin/postfix", "-c", self.conf, "start-fg")

    def stop(self):
        subprocess.run(["/usr/sbin/postfix", "-c", self.conf, "stop"], check=True, **QUIET)
        super().stop()
