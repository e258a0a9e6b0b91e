/*
 * Any words as a DHCP server's, in lines NAME=VALUE as udhcpc has them in its environment. Whoever
 * is on the link can send them: what comes of them is an address of a host, routes and servers
 * within their limits, and a domain that can stand in a line of resolv.conf.
 */
#include "base/check.h"
#include "base/text.h"
#include "init/network_wanted.h"

#include <string.h>

#define LINES_HEAD 0
#define NOW_MS 1000000ull

static const struct slice known_lines[] = {
	SLICE("ip=192.0.2.10\n"),
	SLICE("ip=127.0.0.1\n"),
	SLICE("mask=24\n"),
	SLICE("mask=0\n"),
	SLICE("router=192.0.2.1 192.0.2.2\n"),
	SLICE("staticroutes=10.0.0.0/8 192.0.2.1 0.0.0.0/0 192.0.2.254\n"),
	SLICE("staticroutes=10.0.0.0/33 192.0.2.1 ::/0 ::1\n"),
	SLICE("dns=192.0.2.53 192.0.2.54 224.0.0.1\n"),
	SLICE("domain=example.jp\n"),
	SLICE("domain=a nameserver 192.0.2.66\n"),
	SLICE("ntpsrv=192.0.2.123\n"),
	SLICE("lease=3600\n"),
	SLICE("lease=4294967295\n"),
	SLICE("mtu=1400\n"),
	SLICE("mtu=68\n"),
	SLICE("serverid=192.0.2.1\n"),
	SLICE(" 10.1.0.0/16 192.0.2.3"),
	SLICE(" 192.0.2.4"),
};

#include "line_mutator.h"

int LLVMFuzzerTestOneInput(const u8 *data, size_t size);

static void check_host(const struct net_address *address)
{
	ASSERT(address->family == 4 && address->ip[0] != 0 && address->ip[0] < 224);
}

static void check_lease(const struct network_lease *lease)
{
	check_host(&lease->address.address);
	ASSERT(lease->address.address.ip[0] != 127);
	ASSERT(lease->address.bits >= 1 && lease->address.bits <= 32);
	if (lease->router.family != 0)
		check_host(&lease->router);
	ASSERT(lease->route_count <= NETWORK_LEASE_ROUTES_MAX);
	for (size_t i = 0; i < lease->route_count; i++) {
		ASSERT(lease->routes[i].to.address.family == 4 && lease->routes[i].to.bits <= 32);
		ASSERT(lease->routes[i].gateway.family == 4);
		ASSERT(lease->routes[i].gateway.ip[0] < 224);
	}
	ASSERT(lease->resolver_count <= NETWORK_LEASE_SERVERS_MAX);
	for (size_t i = 0; i < lease->resolver_count; i++)
		check_host(&lease->resolvers[i]);
	ASSERT(lease->ntp_count <= NETWORK_LEASE_SERVERS_MAX);
	for (size_t i = 0; i < lease->ntp_count; i++)
		check_host(&lease->ntp[i]);
	ASSERT(strcspn(lease->domain, " \t\r\n#;/") == strlen(lease->domain));
	ASSERT(lease->mtu == 0 || (lease->mtu >= 1280 && lease->mtu <= 9216));
	ASSERT(lease->until_ms >= NOW_MS + 30000 &&
	       lease->until_ms <= NOW_MS + 366ull * 86400 * 1000);
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	struct slice text = { (const char *)data, size };
	struct network_lease lease;
	struct error error = { "" };
	json_t *words = json_object();

	ASSERT(words != NULL);
	while (text.ptr) {
		struct slice value = slice_split(&text, '\n');
		struct slice name = slice_split(&value, '=');
		json_t *word = value.ptr ? json_stringn(value.ptr, value.len) : NULL;

		/* What is no text is no word: jansson refuses it (init/dhcp_event.c). */
		if (word && json_object_setn_new(words, name.ptr, name.len, word) != 0)
			continue;
	}
	if (network_lease_read(&lease, "eth0", words, NOW_MS, &error))
		check_lease(&lease);
	else
		ASSERT(strncmp(error.text, "network.dhcp: ", 14) == 0);
	json_decref(words);
	return 0;
}
