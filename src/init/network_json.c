/* The network as network.show tells it. */
#include "init/network_private.h"

#include "base/text.h"
#include "init/kernel_file.h"

#include <linux/if_addr.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* Megabits a second, 0 when nobody knows. */
static u32 speed_of(const char *interface)
{
	char path[64];
	char text[16];
	u32 speed;

	snprintf(path, sizeof(path), "/sys/class/net/%s/speed", interface);
	return slice_to_u32(kernel_file_read(path, text, sizeof(text)), &speed) ? speed : 0;
}

/* The hardware's, or the kind of what is none. */
static void driver_of(const struct network_link *link, char out[32])
{
	char target[256];
	char path[64];
	ssize_t len;
	char *name;

	snprintf(path, sizeof(path), "/sys/class/net/%s/device/driver", link->name);
	len = readlink(path, target, sizeof(target) - 1);
	target[len > 0 ? len : 0] = '\0';
	name = strrchr(target, '/');
	slice_copy(out, 32, slice_of(name ? name + 1 : link->kind));
}

static void add_text(json_t *array, const char *text)
{
	json_array_append_new(array, json_string(text));
}

static void add_addresses(const struct network *network, u32 index, json_t *object)
{
	json_t *addresses = json_array();
	json_t *duplicates = json_array();

	for (size_t i = 0; i < network->state.address_count; i++) {
		const struct network_address *address = &network->state.addresses[i];
		char text[NET_PREFIX_TEXT_SIZE];

		if (address->index != index)
			continue;
		net_prefix_format(text, &address->prefix);
		add_text(address->flags & IFA_F_DADFAILED ? duplicates : addresses, text);
	}
	json_object_set_new(object, "addresses", addresses);
	json_object_set_new(object, "duplicates", duplicates);
}

/* The best default route of that family by the link. */
static void add_gateway(const struct network *network, u32 index, u8 family, const char *name,
			json_t *object)
{
	const struct network_route *best = NULL;
	char text[NET_ADDRESS_TEXT_SIZE] = "";

	for (size_t i = 0; i < network->state.route_count; i++) {
		const struct network_route *route = &network->state.routes[i];

		if (route->index == index && route->to.bits == 0 &&
		    route->gateway.family == family && (!best || route->metric < best->metric))
			best = route;
	}
	if (best)
		net_address_format(text, &best->gateway, false);
	json_object_set_new(object, name, json_string(text));
}

static const char *method_of(const struct network *network, const struct network_link *link)
{
	static const char *const methods[] = { "dhcp", "static", "none" };
	const struct network_interface *interface =
		network_wanted_named(&network->wanted, link->name);

	if (link->master != 0)
		return "member";
	if (interface)
		return methods[interface->method];
	if (network->configured && network->wanted.interface_count == 0 &&
	    network_is_ethernet(link))
		return "dhcp";
	return "none";
}

static const char *ipv6_of(const struct network_known_link *known)
{
	static const char *const words[] = { "off", "auto", "static", "off" };

	return words[known->ipv6];
}

static const struct network_lease *find_lease(const struct network *network, const char *name)
{
	for (size_t i = 0; i < network->lease_count; i++) {
		if (strcmp(network->leases[i].interface, name) == 0)
			return &network->leases[i];
	}
	return NULL;
}

static json_t *interface_json(const struct network *network, const struct network_known_link *known,
			      u64 now_ms)
{
	const struct network_link *link = &known->link;
	const struct network_lease *lease = find_lease(network, link->name);
	json_t *object = json_object();
	char driver[32];
	char mac[18];

	snprintf(mac, sizeof(mac), "%02x:%02x:%02x:%02x:%02x:%02x", link->mac[0], link->mac[1],
		 link->mac[2], link->mac[3], link->mac[4], link->mac[5]);
	driver_of(link, driver);
	json_object_set_new(object, "name", json_string(link->name));
	json_object_set_new(object, "mac", json_string(mac));
	json_object_set_new(object, "driver", json_string(driver));
	json_object_set_new(object, "up", json_boolean(link->flags & IFF_UP));
	json_object_set_new(object, "carrier", json_boolean(known->carrier));
	json_object_set_new(object, "speed",
			    json_integer(known->carrier ? speed_of(link->name) : 0));
	json_object_set_new(object, "mtu", json_integer(link->mtu));
	json_object_set_new(object, "method", json_string(method_of(network, link)));
	json_object_set_new(object, "ipv6", json_string(ipv6_of(known)));
	add_addresses(network, link->index, object);
	add_gateway(network, link->index, 4, "gateway", object);
	add_gateway(network, link->index, 6, "gateway6", object);
	json_object_set_new(object, "lease_ms",
			    json_integer(lease && lease->until_ms > now_ms
						 ? (json_int_t)(lease->until_ms - now_ms)
						 : 0));
	return object;
}

json_t *network_json(const struct network *network, u64 now_ms)
{
	char servers[NETWORK_NAME_SERVERS_MAX][NETWORK_NAME_SERVER_SIZE];
	size_t count = network_name_servers(network, servers);
	json_t *interfaces = json_array();
	json_t *resolvers = json_array();
	json_t *ntp = json_array();

	for (size_t i = 0; i < network->state.link_count; i++) {
		const struct network_known_link *known = &network->state.links[i];

		if (!(known->link.flags & IFF_LOOPBACK))
			json_array_append_new(interfaces, interface_json(network, known, now_ms));
	}
	for (size_t i = 0; i < count; i++)
		add_text(resolvers, servers[i]);
	for (size_t i = 0; i < network->lease_count; i++) {
		for (size_t k = 0; k < network->leases[i].ntp_count; k++) {
			char text[NET_ADDRESS_TEXT_SIZE];

			net_address_format(text, &network->leases[i].ntp[k], false);
			add_text(ntp, text);
		}
	}
	return json_pack("{s:o, s:o, s:o, s:s, s:b}", "interfaces", interfaces, "resolvers",
			 resolvers, "ntp", ntp, "hostname", network->wanted.hostname, "up",
			 network_is_up(network));
}
