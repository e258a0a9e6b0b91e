/*
 * The planner's own side of TLS reports (RFC 8460): for planner*.c only.
 *
 * Today's tallies are in memory; those that changed are written to the queue's settings by the
 * work's transactions, every ten seconds and at the end: what a crash loses is that. Earlier days
 * are in the store alone, until their reports are out.
 */
#ifndef DELIVERY_PLANNER_TLS_H
#define DELIVERY_PLANNER_TLS_H

#include "delivery/letter.h"
#include "delivery/planner_parts.h"
#include "delivery/tls_report.h"
#include "delivery/tls_tally.h"
#include "dns/sts_fetch.h"

#define TLS_DOMAINS_MAX 8192           /* of a day */
#define TLS_BYTES_MAX (32u << 20)      /* of all tallies in memory */
#define TLS_WRITE_NS (10 * NS_PER_S)
#define TLS_SENDS_MAX 16               /* reports on their way at once */
#define TLS_SPREAD_MS (4 * 3600 * 1000ull) /* after the end of a day reports go within this */
#define TLS_PREFIX "tlsrpt/"
#define TLS_NAME_SIZE (sizeof(TLS_PREFIX) + 8 + 256)

/* What a domain that wants reports is counted under. */
struct tls_wish {
	u8 bit;  /* 1 to LEASE_TLS_BITS: see struct lease */
	u8 type; /* enum tls_policy_type; then the policy's lines */
	struct slice strings;
	struct slice hosts;
	const char *rua;
	char bytes[];
};

/* A domain today. */
struct tls_day {
	struct list dirty; /* in tls->dirty or ->writing, or linked to itself */
	struct tls_tally tally;
	char name[];
};

enum tls_send_state {
	TLS_SEND_FREE,
	TLS_SEND_READY,    /* the next place's turn */
	TLS_SEND_LETTER,   /* it waits until the letter is kept, */
	TLS_SEND_ADDRESS,  /* for addresses, */
	TLS_SEND_POST,     /* for the host's answer */
	TLS_SEND_OVER,     /* what came of it is to be written */
};

/* A report on its way to its places, one after another. */
struct tls_send {
	struct planner *planner;
	u8 state;
	bool is_written;     /* by the transaction under way */
	u64 day;
	u32 place;           /* in rua */
	u32 missed;          /* places that are to be tried again */
	struct slice rest;   /* of rua */
	struct tlsrpt_uri uri;
	struct tls_tally tally;
	struct buf body;
	struct buf address;
	struct letter_recipient recipient;
	struct letter_wait wait;
	char key[LETTER_KEY_MAX + 1];
	char domain[256];
};

struct planner_tls {
	u64 day; /* that is counted */
	struct map days; /* struct tls_day by name */
	struct list dirty;
	struct list writing; /* by the transaction under way */
	u64 write_ns;        /* when what is dirty is to be written; 0: nothing is */
	size_t bytes;
	u32 bits;            /* given out */
	bool is_waiting;     /* earlier days may have reports that are not out */
	bool found_waiting;  /* by the look through them that is under way */
	bool is_at_once;     /* the operator: reports of earlier days do not wait for their hour */
	u64 look_ns;         /* when they are looked through next */
	char looked[TLS_NAME_SIZE]; /* the last one looked at */
	struct sts_fetcher *fetcher; /* posts; NULL until it is wanted */
	u32 posts;
	struct tls_send sends[TLS_SENDS_MAX];
};

/* ---- planner_tls.c ---- */
bool planner_tls_open(struct planner *planner, struct error *error);
void planner_tls_close(struct planner *planner); /* writes what is dirty */
/* DNS has answered, within a transaction. `policy`: its MTA-STS policy that counts, or NULL. */
void planner_tls_answered(struct planner *planner, struct domain *domain,
			  const struct mx_answer *answer, const struct sts_policy *policy);
/* A policy that is announced could not be had. */
void planner_tls_not_fetched(struct planner *planner, const struct domain *domain,
			     const struct sts_fetched *fetched);
/* What the lease tells. */
void planner_tls_count(struct planner *planner, const struct lease *lease);
void planner_tls_write(struct planner *planner); /* within the turn's transaction */
void planner_tls_committed(struct planner *planner, bool ok);
bool planner_tls_has_work(const struct planner *planner);
u64 planner_tls_wait_ns(const struct planner *planner); /* at most so long may be slept */
u64 planner_tls_day(const struct planner *planner); /* today, by the believed wall clock */
void planner_tls_name(char out[TLS_NAME_SIZE], u64 day, const char *domain);
/* False: not such a name. */
bool planner_tls_name_read(struct slice name, u64 *day, struct slice *domain);

/* ---- planner_tls_send.c ---- */
void planner_tls_send(struct planner *planner); /* outside of transactions, once in a turn */
/* The resolver's answer to mx_lookup_addresses with that cookie. */
void planner_tls_addresses(struct planner *planner, u64 cookie, const struct mx_answer *answer);
void planner_tls_send_write(struct planner *planner); /* within the turn's transaction */
void planner_tls_send_committed(struct planner *planner, bool ok);
bool planner_tls_send_has_work(const struct planner *planner);
void planner_tls_send_close(struct planner *planner);

#endif
