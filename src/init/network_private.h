/* Private to network*.c: the whole of it. */
#ifndef INIT_NETWORK_PRIVATE_H
#define INIT_NETWORK_PRIVATE_H

#include "init/network.h"
#include "init/network_plan.h"

#define NETWORK_LEASES_MAX APPLIANCE_INTERFACES_MAX

struct network {
	int fd;
	char *input;
	struct buf output;
	struct network_state state;
	struct network_wanted wanted;
	struct network_attempts attempts;
	struct network_lease leases[NETWORK_LEASES_MAX];
	size_t lease_count;
	bool configured;
	bool dirty;	 /* something changed since the last plan */
	u32 dump;	 /* which of the dumps is under way; NETWORK_DUMPS: none */
	bool again;	 /* the dump was changed under way */
	u32 dump_sequence;
	u32 unanswered;
	u64 plan_ms; /* next plan, if nothing happens */
	u64 dump_ms; /* next look at everything */
	u64 now_ms;  /* of the last run */
	char dhcp[NETWORK_LEASES_MAX][IFNAMSIZ];
	size_t dhcp_count;
	char resolv_conf[2048]; /* as it was last written */
};

void network_write_settings(const struct network_plan *plan);
void network_write_resolvers(struct network *network);
struct network_lease *network_lease_of(struct network *network, const char *interface);
void network_lease_drop(struct network *network, struct network_lease *lease, const char *why);

/* Name servers in the order in which they are asked, as resolv.conf has them; how many. */
#define NETWORK_NAME_SERVERS_MAX 3 /* more are not looked at by libc */
#define NETWORK_NAME_SERVER_SIZE (NET_ADDRESS_TEXT_SIZE + IFNAMSIZ + 1)
size_t network_name_servers(const struct network *network,
			    char out[NETWORK_NAME_SERVERS_MAX][NETWORK_NAME_SERVER_SIZE]);

#endif
