/* Which name servers there are, and the file that libc reads them from. */
#include "init/network_private.h"

#include "base/durable.h"
#include "base/log.h"
#include "base/text.h"

#include <stdio.h>
#include <string.h>

struct name_servers {
	char (*out)[NETWORK_NAME_SERVER_SIZE];
	size_t count;
};

static void add(struct name_servers *servers, const struct net_address *address, const char *link)
{
	char text[NETWORK_NAME_SERVER_SIZE];
	char plain[NET_ADDRESS_TEXT_SIZE];

	net_address_format(plain, address, false);
	snprintf(text, sizeof(text), "%s%s%s", plain, link ? "%" : "", link ? link : "");
	for (size_t i = 0; i < servers->count; i++) {
		if (strcmp(servers->out[i], text) == 0)
			return;
	}
	if (servers->count < NETWORK_NAME_SERVERS_MAX)
		slice_copy(servers->out[servers->count++], NETWORK_NAME_SERVER_SIZE,
			   slice_of(text));
}

/* Those that are configured; else those of leases, then of routers where they are listened to. */
size_t network_name_servers(const struct network *network,
			    char out[NETWORK_NAME_SERVERS_MAX][NETWORK_NAME_SERVER_SIZE])
{
	struct name_servers servers = { .out = out };

	for (size_t i = 0; i < network->wanted.resolver_count; i++)
		add(&servers, &network->wanted.resolvers[i], NULL);
	if (servers.count > 0)
		return servers.count;
	for (size_t i = 0; i < network->lease_count; i++) {
		const struct network_lease *lease = &network->leases[i];

		for (size_t k = 0; k < lease->resolver_count; k++)
			add(&servers, &lease->resolvers[k], NULL);
	}
	for (size_t i = 0; i < network->state.advertised_count; i++) {
		const struct network_advertised *item = &network->state.advertised[i].advertised;
		const struct network_known_link *known =
			network_state_link(&network->state, item->index);
		bool local = item->address.ip[0] == 0xfe && (item->address.ip[1] & 0xc0) == 0x80;

		if (known && known->ipv6 == NETWORK_IPV6_AUTO)
			add(&servers, &item->address, local ? known->link.name : NULL);
	}
	return servers.count;
}

static const char *domain_of(const struct network *network)
{
	if (network->wanted.domain[0] != '\0')
		return network->wanted.domain;
	for (size_t i = 0; i < network->lease_count; i++) {
		if (network->leases[i].domain[0] != '\0')
			return network->leases[i].domain;
	}
	return NULL;
}

void network_write_resolvers(struct network *network)
{
	char servers[NETWORK_NAME_SERVERS_MAX][NETWORK_NAME_SERVER_SIZE];
	size_t count = network_name_servers(network, servers);
	const char *domain = domain_of(network);
	char text[sizeof(network->resolv_conf)] = "# Made by init of appliance.conf and leases.\n";
	size_t len = strlen(text);
	struct error error;

	if (domain)
		len += (size_t)snprintf(text + len, sizeof(text) - len, "search %s\n", domain);
	for (size_t i = 0; i < count; i++)
		len += (size_t)snprintf(text + len, sizeof(text) - len, "nameserver %s\n",
					servers[i]);
	if (strcmp(text, network->resolv_conf) == 0)
		return;
	if (!durable_replace(NETWORK_RESOLV_CONF, (struct slice){ text, len }, 0644, &error))
		log_warn("network", "resolvers", "error=%s", error.text);
	/* Also after a failure: it would come again with every packet. */
	memcpy(network->resolv_conf, text, sizeof(text));
}
