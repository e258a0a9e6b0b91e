/*
 * What a worker knows of the addresses of a path: which to dial next, which are down. Pure: no I/O,
 * the caller brings the time.
 *
 * RFC 5321 section 5.1: the best preference that has an address which is not down; among equal
 * hosts each in turn; of one host its IPv6 addresses before the IPv4 ones, each in turn. An address
 * that could not be reached is down for 10 s, then twice as long, up to 10 min; after that one
 * session tries it while the others go on elsewhere. One that opens sessions and then drops what it
 * is given, three times in a row, is down likewise. What is known of an address holds wherever the
 * path lists it, and when a new path lists it again.
 */
#ifndef DELIVERY_TARGETS_H
#define DELIVERY_TARGETS_H

#include "base/random.h"
#include "delivery/path.h"

struct target_state {
	u64 down_until_ns;
	u16 trying;   /* sessions to it that are being opened while it has failures */
	u8 failures;  /* in a row */
	u8 useless;   /* sessions in a row that were open and lost every message unanswered */
	bool no_tls;  /* its handshake failed: plaintext from now on */
	bool no_kernel; /* it wants keys changed: TLS is made in the process from now on */
};

struct targets {
	struct path *path; /* one reference; NULL before the first targets_take */
	u32 next_host;     /* rotates among equals */
	u8 next_address[PATH_HOSTS_MAX];
	struct target_state states[PATH_TARGETS_MAX]; /* as path->targets */
};

/* `first`: any number; which of equal hosts comes first. */
void targets_init(struct targets *targets, u32 first);
void targets_done(struct targets *targets);
/* The path from now on. */
void targets_take(struct targets *targets, struct path *path);

/* The one to dial; -1: all are down, or being tried. */
i32 targets_choose(struct targets *targets, u64 now_ns);
/* Its index; -1: the path does not list it. Ports do not count. */
i32 targets_find(const struct targets *targets, const struct net_address *address);
/* May be dialled now, though another might be better. */
bool targets_is_up(const struct targets *targets, u32 target, u64 now_ns);

/*
 * A session to it is being opened; true when that is a try of one that failed before. The end of
 * every such try is told by targets_tried. The path may have changed meanwhile.
 */
bool targets_try(struct targets *targets, u32 target);
void targets_tried(struct targets *targets, const struct net_address *address);
/* Could not be reached, or would not talk. Those that fail together count as one failure. */
void targets_failed(struct targets *targets, const struct net_address *address, u64 now_ns,
		    struct random *random);
/* A session is open. What was useless before must show more than that. */
void targets_worked(struct targets *targets, const struct net_address *address);
/* An open session lost what it was given. True: so did the ones before, which is a failure. */
bool targets_useless(struct targets *targets, const struct net_address *address);
/* It answered to a message. */
void targets_useful(struct targets *targets, const struct net_address *address);
void targets_no_tls(struct targets *targets, const struct net_address *address);
void targets_no_kernel(struct targets *targets, const struct net_address *address);

#endif
