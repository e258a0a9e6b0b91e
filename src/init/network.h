/* The network of PID 1. For the moment only the interface: nothing is configured. */
#ifndef INIT_NETWORK_H
#define INIT_NETWORK_H

#include "base/appliance.h"

#include <jansson.h>

struct network;

struct network *network_new(struct error *error) MUST_CHECK;
int network_fd(const struct network *network);
void network_run(struct network *network, u64 now_ms);
u64 network_next_ms(const struct network *network);
/* appliance is borrowed for the call. */
bool network_configure(struct network *network, const struct appliance *appliance, u64 now_ms,
		       struct error *error) MUST_CHECK;
json_t *network_json(const struct network *network);
/* The command network.dhcp of the control socket. */
bool network_dhcp_event(struct network *network, const json_t *request, u64 now_ms,
			struct error *error) MUST_CHECK;
/* Names of interfaces that want a DHCP client; borrowed until the next call that changes it. */
u32 network_dhcp_wanted(const struct network *network, const char **names, u32 max);
/* An address that is not loopback's, usable. */
bool network_is_up(const struct network *network);

#endif
