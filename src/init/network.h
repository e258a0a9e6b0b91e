/*
 * The network of the machine, kept as appliance.conf wants it: links, addresses, routes, IPv6
 * settings and /run/resolv.conf. By rtnetlink; nothing here waits. One descriptor to poll for
 * reading and one moment to wake up for:
 *
 *   network_settings();                                       once, before anything is up
 *   network = network_new(&error);
 *   network_configure(network, &appliance, now_ms, &error);   again whenever the file changed
 *   poll(network_fd(network)) until network_next_ms(network); network_run(network, now_ms);
 *
 * What the kernel refuses is logged and asked again after a while. Times are of the monotonic
 * clock, in ms.
 *
 * DHCP is udhcpc's, a process for each interface that the supervisor keeps running; its program
 * /sbin/dhcp-event brings what it hears to the control socket as `network.dhcp`.
 */
#ifndef INIT_NETWORK_H
#define INIT_NETWORK_H

#include "base/appliance.h"
#include "base/error.h"
#include "base/net_address.h"

#include <jansson.h>

#define NETWORK_RESOLV_CONF "/run/resolv.conf"

struct network;

/* NULL with the error set. Before the first network_configure links only go up. */
struct network *network_new(struct error *error) MUST_CHECK;
void network_free(struct network *network); /* the network stays as it is; NULL is fine */

int network_fd(const struct network *network);
void network_run(struct network *network, u64 now_ms);
u64 network_next_ms(const struct network *network); /* UINT64_MAX: only when the fd is readable */

/*
 * What is wanted from now on; the appliance may be freed afterwards. network_run, whose moment is
 * at once then, does the rest, and removes what is no longer wanted. False: no memory, and what was
 * wanted stays.
 */
bool network_configure(struct network *network, const struct appliance *appliance, u64 now_ms,
		       struct error *error) MUST_CHECK;

/* A link with a carrier has an address by which others can be reached. */
bool network_is_up(const struct network *network);

/*
 * `interfaces`, `resolvers`, `ntp` (of leases), `hostname`, `up`: the answer to network.show. NULL:
 * no memory.
 */
json_t *network_json(const struct network *network, u64 now_ms);

/* ---- DHCP ---- */

/* The interfaces that udhcpc is to run for; how many. Borrowed until the next network_run. */
u32 network_dhcp_wanted(const struct network *network, const char **names, u32 max);
/* Time servers that leases name, the first lease's first; how many of at most `max`. */
u32 network_time_servers(const struct network *network, char (*out)[NET_ADDRESS_TEXT_SIZE],
			 u32 max);
/*
 * The command `network.dhcp`: `event` (bound, renew, deconfig, nak, leasefail), `interface`, and
 * udhcpc's words (init/dhcp_event.h). A lease that is still good outlives a restart of udhcpc.
 * False: refused, and the sentence says why.
 */
bool network_dhcp_event(struct network *network, const json_t *request, u64 now_ms,
			struct error *error) MUST_CHECK;

/* ---- settings ---- */

/* Those of the kernel that a sender of mail wants, before any interface is up. */
void network_settings(void);

#endif
