#include "console/command_table.h"

/* Of the web server and of the machine; in the order of help, as command_table.c has it. */
const struct command command_machine_rows[] = {
	{ "pages", "put", pages_put_run, COMMAND_SCREEN, "a file of your own web pages", "PATH",
	  "What comes by standard input is served under the machine's name at /PATH, at\n"
	  "once. As long as there is no index.html, the appliance shows a page of its own.\n"
	  "\n"
	  "Examples, from the administrator's own machine:\n"
	  "  ssh admin@mail.example.jp pages put index.html <index.html\n"
	  "  cd site && find . -type f | while read f; do \\\n"
	  "      ssh admin@mail.example.jp pages put \"$f\" <\"$f\"; done" },
	{ "pages", "list", pages_list_run, 0, "files of your own web pages", "",
	  "Example:\n"
	  "  hikyaku pages list" },
	{ "pages", "remove", pages_remove_run, 0, "take a file of them away", "PATH",
	  "A folder goes with its last file.\n"
	  "\n"
	  "Example:\n"
	  "  hikyaku pages remove old/index.html" },
	{ "certificate", "show", certificate_show_run, 0, "what the web server shows of itself", "",
	  "Whose certificate it is, for which names and how long; and when one is got from\n"
	  "an authority (acme in hikyaku.conf), how that goes.\n"
	  "\n"
	  "Example:\n"
	  "  hikyaku certificate show" },
	{ "certificate", "put", certificate_put_run, COMMAND_SCREEN,
	  "a certificate of your own", "",
	  "By standard input: the certificate, those that lead to its root, and its key, as\n"
	  "PEM in one piece. It goes where `certificate` of section www says, and is shown\n"
	  "to visitors a moment later; nobody is cut off.\n"
	  "\n"
	  "Example, from the administrator's own machine:\n"
	  "  cat fullchain.pem privkey.pem >www.pem\n"
	  "  ssh admin@mail.example.jp certificate put <www.pem" },
	{ "network", "show", network_show_run, COMMAND_APPLIANCE,
	  "interfaces, addresses, resolvers", "",
	  "What the network is at the moment.\n"
	  "\n"
	  "Example:\n"
	  "  hikyaku network show" },
	{ "network", "set", network_set_run, COMMAND_APPLIANCE, "change settings, not yet in force",
	  "[INTERFACE] OPTION=VALUE ...",
	  "Without an interface: hostname, domain, time-zone, ntp, resolvers, console-log,\n"
	  "data-disk, web-server. Of an interface: method (dhcp, static, none), ipv6\n"
	  "(auto, static, off), addresses, gateway, gateway6, mtu, match-mac; of a VLAN\n"
	  "also parent and id, of a bond members and mode. Of `ssh`: keys, listen. Items\n"
	  "of lists are separated by commas; OPTION+=ITEM adds one. What is written\n"
	  "counts from `hikyaku network apply` on.\n"
	  "\n"
	  "Examples:\n"
	  "  hikyaku network set eth0 method=static addresses=192.0.2.10/24 \\\n"
	  "      gateway=192.0.2.1\n"
	  "  hikyaku network set eth0 addresses+=192.0.2.11/24\n"
	  "  hikyaku network set --new vlan eth0.10 parent=eth0 id=10 method=dhcp\n"
	  "  hikyaku network set ssh keys+=\"ssh-ed25519 AAAA... ops@example.jp\"" },
	{ "network", "remove", network_remove_run, COMMAND_APPLIANCE,
	  "take an interface out of the settings", "INTERFACE",
	  "Example:\n"
	  "  hikyaku network remove eth0.10" },
	{ "network", "apply", network_apply_run, COMMAND_APPLIANCE | COMMAND_SCREEN,
	  "put the settings in force", "",
	  "Over ssh, a change that might cut off your session is on trial: unless you say\n"
	  "yes within 60 seconds, there or by `hikyaku network confirm` in a new session,\n"
	  "the settings from before come back.\n"
	  "\n"
	  "Example:\n"
	  "  hikyaku network apply" },
	{ "network", "confirm", network_confirm_run, COMMAND_APPLIANCE,
	  "keep the settings that are on trial", "",
	  "For a session at the new address, when the change cut off the old one.\n"
	  "\n"
	  "Example:\n"
	  "  hikyaku network confirm" },
	{ "network", "adopt", network_adopt_run, COMMAND_APPLIANCE,
	  "take the settings of a restored backup", "",
	  "A restored machine keeps its own network and ssh keys. This takes those of the\n"
	  "backup instead, as `network set` would; `network apply` makes them count.\n"
	  "\n"
	  "Example:\n"
	  "  hikyaku network adopt" },
	{ "network", "revert", network_revert_run, COMMAND_APPLIANCE,
	  "back to the settings that count", "",
	  "Takes back what was set and not applied.\n"
	  "\n"
	  "Example:\n"
	  "  hikyaku network revert" },
	{ "service", "list", service_list_run, COMMAND_APPLIANCE, "what runs, since when", "",
	  "Every service of the appliance with its state: starting, running, backing-off\n"
	  "(ended by itself and is started again after a while), stopped, failed.\n"
	  "\n"
	  "Example:\n"
	  "  hikyaku service list" },
	{ "service", "restart", service_restart_run, COMMAND_APPLIANCE,
	  "end a service and start it again", "SERVICE",
	  "The service may finish what it has begun; nothing of the queue is lost.\n"
	  "\n"
	  "Example:\n"
	  "  hikyaku service restart send" },
	{ "service", "kill", service_kill_run, COMMAND_APPLIANCE,
	  "end a service that hangs, at once", "SERVICE",
	  "For a service that does not answer, and that a restart waits for. It is started\n"
	  "again after a moment. Messages that the sender had under way are in doubt\n"
	  "afterwards where the receiver may have taken them (`queue doubt list`).\n"
	  "\n"
	  "Example:\n"
	  "  hikyaku service kill send" },
	{ "service", "stop", service_stop_run, COMMAND_APPLIANCE, "end a service", "SERVICE",
	  "It stays stopped until `hikyaku service start` or the machine's next start.\n"
	  "\n"
	  "Example:\n"
	  "  hikyaku service stop send" },
	{ "service", "start", service_start_run, COMMAND_APPLIANCE, "start a stopped service",
	  "SERVICE",
	  "Example:\n"
	  "  hikyaku service start send" },
	{ NULL, "logs", logs_run, COMMAND_APPLIANCE, "what the services said", "[SERVICE]",
	  "Lines of the log, oldest first. With -f (--follow) new ones as they come,\n"
	  "until Ctrl-C.\n"
	  "\n"
	  "Examples:\n"
	  "  hikyaku logs\n"
	  "  hikyaku logs send --lines 50\n"
	  "  hikyaku logs -f" },
	{ NULL, "time", time_run, COMMAND_APPLIANCE, "the clock, and whether it is in step", "",
	  "Example:\n"
	  "  hikyaku time" },
	{ NULL, "setup", setup_run, COMMAND_APPLIANCE | COMMAND_SCREEN,
	  "questions of the first start, anew", "",
	  "Host name, network, domain, time zone, ssh key and DKIM key, question by\n"
	  "question; then the DNS records to publish. It begins by itself on the machine's\n"
	  "own consoles until the machine is set up.\n"
	  "\n"
	  "Example:\n"
	  "  hikyaku setup" },
	{ NULL, "upgrade", upgrade_command_run, COMMAND_APPLIANCE | COMMAND_SCREEN,
	  "take a new version in", "FILE|URL",
	  "Checks the bundle's signature and version and writes it beside the system that\n"
	  "runs; the next start tries it, and comes back to this one by itself if it does\n"
	  "not work. The bundle is a file, - for standard input, or comes from a web\n"
	  "server: who signed it counts, not where it lies.\n"
	  "\n"
	  "Examples:\n"
	  "  upgrade https://www.example.jp/hikyaku-1.2.bundle\n"
	  "  ssh admin@mail.example.jp upgrade - <hikyaku-1.2.bundle\n"
	  "  hikyaku upgrade /data/backup/hikyaku-1.2.bundle" },
	{ NULL, "backup", backup_run, COMMAND_APPLIANCE | COMMAND_SCREEN,
	  "copy settings, keys and queue", "",
	  "Into one file below /data/backup, beside a sender that goes on. It holds private\n"
	  "keys: keep it as you keep those. `file get` brings it out, by ssh.\n"
	  "\n"
	  "Example:\n"
	  "  hikyaku backup" },
	{ NULL, "restore", restore_run, COMMAND_APPLIANCE | COMMAND_SCREEN, "bring a backup back",
	  "FILE",
	  "Checks it, and puts it in place at the next start. Campaigns that ran are paused\n"
	  "then, for what was sent after the backup would be sent again. The machine's own\n"
	  "network and ssh keys stay (`network adopt` takes the backup's).\n"
	  "\n"
	  "Example:\n"
	  "  hikyaku restore /data/backup/mail-2026-11-30.backup" },
	{ NULL, "reboot", reboot_run, COMMAND_APPLIANCE | COMMAND_SCREEN, "restart the machine", "",
	  "Sessions end behind the message they are sending; the queue goes on after the\n"
	  "start. On a terminal it asks first.\n"
	  "\n"
	  "Example:\n"
	  "  hikyaku reboot --yes" },
	{ NULL, "poweroff", poweroff_run, COMMAND_APPLIANCE | COMMAND_SCREEN,
	  "switch the machine off", "",
	  "As `hikyaku reboot`, but the machine stays off.\n"
	  "\n"
	  "Example:\n"
	  "  hikyaku poweroff" },
	{ NULL, "version", version_run, 0, "the version of this program", "",
	  "Example:\n"
	  "  hikyaku version" },
};

const size_t command_machine_count = array_count(command_machine_rows);
