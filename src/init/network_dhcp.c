/* Leases: what the DHCP client tells. */
#include "init/network_private.h"

#include "base/log.h"
#include "base/text.h"

#include <string.h>

struct network_lease *network_lease_of(struct network *network, const char *interface)
{
	for (size_t i = 0; i < network->lease_count; i++) {
		if (strcmp(network->leases[i].interface, interface) == 0)
			return &network->leases[i];
	}
	return NULL;
}

void network_lease_drop(struct network *network, struct network_lease *lease, const char *why)
{
	char text[NET_PREFIX_TEXT_SIZE];
	size_t at = (size_t)(lease - network->leases);

	net_prefix_format(text, &lease->address);
	log_warn("network", "lease dropped", "interface=%s address=%s why=%s", lease->interface,
		 text, why);
	memmove(lease, lease + 1, (--network->lease_count - at) * sizeof(*lease));
	network->dirty = true;
}

static bool take_lease(struct network *network, const char *interface, const json_t *request,
		       u64 now_ms, struct error *error)
{
	struct network_lease *known = network_lease_of(network, interface);
	char text[NET_PREFIX_TEXT_SIZE];
	struct network_lease lease;

	if (!network_lease_read(&lease, interface, request, now_ms, error))
		return false;
	if (!known && network->lease_count == NETWORK_LEASES_MAX)
		return error_set(error, "network.dhcp: more than %d leases", NETWORK_LEASES_MAX);
	if (!known)
		known = &network->leases[network->lease_count++];
	*known = lease;
	network->dirty = true;
	net_prefix_format(text, &lease.address);
	log_info("network", "lease", "interface=%s address=%s seconds=%llu", interface, text,
		 (unsigned long long)((lease.until_ms - now_ms) / 1000));
	return true;
}

u32 network_time_servers(const struct network *network, char (*out)[NET_ADDRESS_TEXT_SIZE], u32 max)
{
	u32 count = 0;

	for (size_t i = 0; i < network->lease_count; i++) {
		const struct network_lease *lease = &network->leases[i];

		for (size_t k = 0; k < lease->ntp_count && count < max; k++)
			net_address_format(out[count++], &lease->ntp[k], false);
	}
	return count;
}

static bool is_client(const struct network *network, const char *interface)
{
	for (size_t i = 0; i < network->dhcp_count; i++) {
		if (strcmp(network->dhcp[i], interface) == 0)
			return true;
	}
	return false;
}

/*
 * `deconfig` comes whenever the client starts: an address that was leased for longer is kept then,
 * and asked for again. When a lease is over we know by ourselves.
 */
bool network_dhcp_event(struct network *network, const json_t *request, u64 now_ms,
			struct error *error)
{
	const char *event = json_string_value(json_object_get(request, "event"));
	const char *interface = json_string_value(json_object_get(request, "interface"));
	struct network_lease *known;

	if (!event || !interface)
		return error_set(error, "network.dhcp: needs \"event\" and \"interface\"");
	if (!is_client(network, interface))
		return error_set(error, "network.dhcp: no client is wanted for \"%.40s\"",
				 interface);
	known = network_lease_of(network, interface);
	if (strcmp(event, "bound") == 0 || strcmp(event, "renew") == 0)
		return take_lease(network, interface, request, now_ms, error);
	if (strcmp(event, "nak") == 0) {
		if (known)
			network_lease_drop(network, known, "the server took it back");
		return true;
	}
	if (strcmp(event, "leasefail") == 0) {
		log_warn("network", "no lease", "interface=%s", interface);
		return true;
	}
	return strcmp(event, "deconfig") == 0 ||
	       error_set(error, "network.dhcp: unknown event \"%.40s\"", event);
}
