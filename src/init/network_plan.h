/*
 * What has to be asked of the kernel so that the network becomes what is wanted: a comparison of
 * `wanted` and the leases with what the kernel told, and messages for what differs. Nothing here
 * reads or waits. The plan is made anew whenever something changed; what depends on an answer (a
 * link must be there before it gets an address) comes with the next.
 *
 * The machine's network belongs to init: links, addresses and routes that are not wanted go, except
 * what the kernel makes by itself (link-local and advertised addresses where IPv6 is `auto`).
 */
#ifndef INIT_NETWORK_PLAN_H
#define INIT_NETWORK_PLAN_H

#include "init/network_wanted.h"

#define NETWORK_ATTEMPTS_MAX 512
#define NETWORK_SETTINGS_MAX 64
#define NETWORK_WHAT_SIZE 112

/* Metrics of default routes: one more for each interface behind the first; leases lose to static.
 */
#define NETWORK_METRIC_STATIC 100
#define NETWORK_METRIC_DHCP 200

/* One thing that was asked for, by the hash of its message. */
struct network_attempt {
	u64 hash; /* 0: unused */
	u32 sequence;
	u32 count; /* in a row */
	u64 last_ms;
	u64 until_ms; /* not again before */
	bool told;    /* its failure was logged */
	char what[NETWORK_WHAT_SIZE];
};

/* What was asked lately, so that what fails, or changes nothing, is not asked in a circle. */
struct network_attempts {
	struct network_attempt items[NETWORK_ATTEMPTS_MAX];
	u32 sequence; /* of the last message */
};

struct network_setting {
	char interface[IFNAMSIZ];
	enum network_ipv6 ipv6;
};

struct network_plan {
	const struct network_wanted *wanted;
	struct network_state *state;
	const struct network_lease *leases;
	size_t lease_count;
	struct network_attempts *attempts;
	u64 now_ms;
	/* Out: */
	struct buf *messages;
	u32 message_count;
	struct network_setting settings[NETWORK_SETTINGS_MAX]; /* to be written before them */
	size_t setting_count;
	u64 again_ms; /* when something that was held back is due; UINT64_MAX: nothing */
	/* Of the making: */
	struct network_planned *planned;
	size_t planned_count;
	struct network_address *addresses;
	size_t address_count;
	size_t address_max;
	struct network_route *routes;
	size_t route_count;
	struct network_rule *rules;
	size_t rule_count;
};

/* False: no memory; what was made is still right. network_plan_done in either case. */
bool network_plan_make(struct network_plan *plan) MUST_CHECK;
void network_plan_done(struct network_plan *plan);
/* Before anything is known to be wanted: links go up, as their talk with switches takes seconds. */
void network_plan_early(struct network_plan *plan);

/* The kernel's answer: 0 or an errno value. NULL: the message was none of these. */
struct network_attempt *network_attempt_answer(struct network_attempts *attempts, u32 sequence,
					       i32 code, u64 now_ms);

/* ---- private to network_plan*.c ---- */

/* A link that is to carry something, and what. */
struct network_planned {
	struct network_known_link *known;
	const struct network_interface *interface;
	const struct network_lease *lease; /* or NULL */
	u32 rank;			   /* of its default routes */
};

/* Ends the message that began there; it is taken back when its like was asked for too often. */
bool network_plan_ask(struct network_plan *plan, size_t begin, const char *fmt, ...)
	PRINTF_LIKE(3, 4);
/* Names, VLANs, bonds. True: something was asked for that the rest has to wait for. */
bool network_plan_links(struct network_plan *plan);
/* Addresses and routes of the planned links. */
bool network_plan_addresses(struct network_plan *plan);
/*
 * A source address leaves by the link that has it: tables and rules for the links beside the one
 * whose default route is the best. Behind the wanted addresses and routes. False: no memory.
 */
bool network_plan_sources(struct network_plan *plan);
void network_plan_rules(struct network_plan *plan, bool add);
bool network_is_ethernet(const struct network_link *link);

#endif
