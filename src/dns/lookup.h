/*
 * Private to src/dns/: one name on its way through libunbound. The MX query first, then the address
 * queries of the hosts, then the TLSA queries of those that are secure, then the answer for all who
 * wait; or, when its time is over, what is known.
 */
#ifndef DNS_LOOKUP_H
#define DNS_LOOKUP_H

#include "base/list.h"
#include "dns/mx_parts.h"

/* MX, twice TXT, A and AAAA of the policy's host; A, AAAA and twice TLSA of each mail host. */
#define LOOKUP_QUERIES_MAX (5 + 4 * MX_HOSTS_MAX)
/* In the place of a mail host's index: what concerns MTA-STS, and the TXT about TLS reports. */
#define LOOKUP_POLICY_HOST MX_HOSTS_MAX
#define LOOKUP_REPORTS (MX_HOSTS_MAX + 1)

struct query {
	struct lookup *lookup;
	int id; /* libunbound's, while pending */
	bool pending;
	u8 type;
	u8 host; /* index into lookup->hosts, or one of those above */
};

/* Both address families of one host; merged by turns when all is there. */
struct host {
	size_t record; /* index into found.records */
	size_t count[2];
	struct net_address addresses[2][MX_HOST_ADDRESSES_MAX];
	char canonical[256]; /* behind CNAMEs; "": there were none */
	bool tlsa_by_alias;  /* nothing at the canonical name: TLSA records of the name itself */
};

enum lookup_stage {
	LOOKUP_MX,
	LOOKUP_ADDRESSES,
	LOOKUP_TLSA,       /* of canonical names */
	LOOKUP_TLSA_ALIAS, /* of the names themselves, where they are aliases without */
};

/* One name on its way, stage by stage. */
struct lookup {
	struct list running; /* of the resolver, oldest first */
	struct list step;    /* of the resolver, while all queries of a stage are done */
	struct list waiters;
	struct mx_resolver *resolver;
	char name[256];
	bool addresses_only; /* of the name itself, whatever its MX */
	u64 deadline_ns;
	u8 stage; /* enum lookup_stage: whose answers are waited for */
	u32 pending;
	u32 query_count;
	u32 host_count;
	struct mx_found found;
	struct host hosts[MX_HOSTS_MAX];
	struct query queries[LOOKUP_QUERIES_MAX];
};

/* One call of mx_lookup, until its answer is taken. */
struct waiter {
	struct list list;
	u64 cookie;
	struct mx_entry *answer;
};

struct mx_resolver {
	struct ub_ctx *ctx;
	int epoll_fd;
	int timer_fd; /* the oldest lookup's deadline */
	int wake_fd;  /* an answer was there at once */
	u64 armed_ns;
	struct mx_params params; /* allowed and own are copies */
	u64 timeout_ns;
	u64 alive_by_ns; /* when libunbound's thread must have said that it lives; 0: not asked */
	bool is_alive;	 /* and it has */
	struct random random;
	struct mx_cache cache;
	struct list running;
	struct list steps;
	struct list ready; /* waiters with their answers */
	u32 waiter_count;
	struct mx_counters counters;
};

/* NULL: too many, out of memory, or libunbound refuses. Lists it as running. */
struct lookup *lookup_start(struct mx_resolver *r, const char *name, bool addresses_only,
			    u64 now_ns);
/* The running lookup of that name, for its mail; or NULL. */
struct lookup *lookup_find(const struct mx_resolver *r, const char *name);
/* Whatever libunbound's callbacks (from ub_process) have made possible. */
void lookup_run_steps(struct mx_resolver *r, u64 now_ns);
/* Cancels what is pending and answers from what is there. */
void lookup_give_up(struct lookup *lookup, u64 now_ns);

#endif
