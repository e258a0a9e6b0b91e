/* Settings of the kernel, below /proc/sys/net. */
#include "init/network_private.h"

#include "base/log.h"
#include "init/kernel_file.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

static const struct {
	const char *path;
	const char *value;
} settings[] = {
	/* Pacing by the queue, and a congestion control that a lost packet does not stop: receivers
	   are far, and a session is short. The queue first: BBR asks it to pace. */
	{ "core/default_qdisc", "fq" },
	{ "ipv4/tcp_congestion_control", "bbr" },
	/* A session stays open between messages and need not begin slowly with each. */
	{ "ipv4/tcp_slow_start_after_idle", "0" },
	/* Paths on which "too big" gets lost would stop at the first large message. */
	{ "ipv4/tcp_mtu_probing", "1" },
	/* One source address has so many sessions to one host at a time; ports of closed ones wait
	   for a minute unless the peer's time stamps tell old packets from new. */
	{ "ipv4/ip_local_port_range", "10240 65535" },
	{ "ipv4/tcp_tw_reuse", "1" },
	{ "ipv4/tcp_fin_timeout", "15" },
	/* Bursts of bounces and of clicks. */
	{ "core/somaxconn", "4096" },
	{ "ipv4/tcp_max_syn_backlog", "4096" },
	/* The most that a socket may have; what it begins with stays small, as there are thousands.
	 */
	{ "core/rmem_max", "4194304" },
	{ "core/wmem_max", "4194304" },
	{ "ipv4/tcp_rmem", "4096 65536 4194304" },
	{ "ipv4/tcp_wmem", "4096 16384 4194304" },
	/* The address of a network's other addresses may go without taking these along. */
	{ "ipv4/conf/all/promote_secondaries", "1" },
	{ "ipv4/conf/default/promote_secondaries", "1" },
	/* Neighbours learn at once who has an address now. */
	{ "ipv4/conf/all/arp_notify", "1" },
	{ "ipv4/conf/default/arp_notify", "1" },
	/* Two links in one network: each answers for its own addresses only. */
	{ "ipv4/conf/all/arp_ignore", "1" },
	{ "ipv4/conf/all/arp_announce", "2" },
	/* Sources that no route of ours leads to are forged. */
	{ "ipv4/conf/all/rp_filter", "2" },
	/* Nobody on the link may bend our routes. */
	{ "ipv4/conf/all/accept_redirects", "0" },
	{ "ipv4/conf/default/accept_redirects", "0" },
	{ "ipv4/conf/all/secure_redirects", "0" },
	{ "ipv4/conf/all/send_redirects", "0" },
	{ "ipv4/conf/default/send_redirects", "0" },
	{ "ipv4/conf/all/accept_source_route", "0" },
	{ "ipv6/conf/all/accept_redirects", "0" },
	{ "ipv6/conf/default/accept_redirects", "0" },
	/* Routers are listened to only where that is configured. */
	{ "ipv6/conf/default/accept_ra", "0" },
	{ "ipv6/conf/default/autoconf", "0" },
	/* DNS has the address: it must not change, so it is made of the MAC address. */
	{ "ipv6/conf/default/addr_gen_mode", "0" },
	{ "ipv6/conf/default/use_tempaddr", "0" },
};

static bool write_setting(const char *path, const char *value)
{
	char whole[128];

	snprintf(whole, sizeof(whole), "/proc/sys/net/%s", path);
	return kernel_file_write(whole, value);
}

void network_settings(void)
{
	for (size_t i = 0; i < array_count(settings); i++) {
		if (!write_setting(settings[i].path, settings[i].value))
			log_warn("network", "setting", "name=%s value=%s error=%s",
				 settings[i].path, settings[i].value, strerror(errno));
	}
}

static const struct {
	const char *name;
	const char *automatic;
	const char *fixed; /* with addresses of our own; NULL: as automatic */
} ipv6_settings[] = {
	/* Before the link has its first address, which the last line may give it. */
	{ "addr_gen_mode", "0", NULL }, { "use_tempaddr", "0", NULL }, { "accept_ra", "1", "0" },
	{ "autoconf", "1", "0" },	{ "disable_ipv6", "0", NULL },
};

static void write_ipv6(const char *interface, const char *name, const char *value)
{
	char path[96];

	snprintf(path, sizeof(path), "ipv6/conf/%s/%s", interface, name);
	if (!write_setting(path, value) && errno != ENOENT)
		log_warn("network", "setting", "name=%s value=%s error=%s", path, value,
			 strerror(errno));
}

void network_write_settings(const struct network_plan *plan)
{
	for (size_t i = 0; i < plan->setting_count; i++) {
		const struct network_setting *setting = &plan->settings[i];

		if (setting->ipv6 == NETWORK_IPV6_OFF) {
			write_ipv6(setting->interface, "disable_ipv6", "1");
			continue;
		}
		for (size_t k = 0; k < array_count(ipv6_settings); k++) {
			const char *value = ipv6_settings[k].automatic;

			if (setting->ipv6 == NETWORK_IPV6_STATIC && ipv6_settings[k].fixed)
				value = ipv6_settings[k].fixed;
			write_ipv6(setting->interface, ipv6_settings[k].name, value);
		}
	}
}
