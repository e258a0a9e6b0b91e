/*
 * What became of TLS with the hosts of one recipient domain on one day (UTC), as RFC 8460 section 4
 * reports it: per policy that was applied the sessions that were as it wants, and those that were
 * not, by what was wrong and where. And how far the report about it has come. Pure.
 */
#ifndef DELIVERY_TLS_TALLY_H
#define DELIVERY_TLS_TALLY_H

#include "base/buf.h"
#include "base/net_address.h"
#include "base/tls_outcome.h"
#include "base/types.h"
#include "dns/tlsrpt.h"

#define TLS_POLICIES_MAX 4       /* of a day; what comes under others is counted with the last */
#define TLS_DETAILS_MAX 24       /* kinds of failures told apart; others by their outcome only */
#define TLS_STRINGS_MAX 4096     /* bytes of a policy's text */
#define TLS_HOSTS_MAX 2048       /* bytes of its patterns of hosts */
#define TLS_REASON_SIZE 80
#define TLS_TALLY_TEXT_MAX 65000 /* bytes of a whole one as text */

enum tls_policy_type { TLS_POLICY_NONE, TLS_POLICY_TLSA, TLS_POLICY_STS, TLS_POLICY_TYPES };
const char *tls_policy_type_name(u32 type); /* "no-policy-found", "tlsa", "sts" */

/* One failure, or several of a kind. */
struct tls_failure {
	u8 outcome;
	u64 count;
	struct net_address source;   /* family 0: the kernel chose it */
	struct net_address receiver; /* family 0: none was talked to */
	const char *host;            /* its name; "": none */
	const char *reason;          /* a few words, or ""; a line end in them becomes a space */
};

struct tls_detail {
	u64 count;
	u8 policy; /* index */
	u8 outcome;
	struct net_address source;
	struct net_address receiver;
	char host[256];
	char reason[TLS_REASON_SIZE];
};

struct tls_policy {
	u8 type;
	u64 successes;
	char *strings; /* the policy's text, each line behind an LF */
	char *hosts;   /* MX patterns, likewise */
};

struct tls_tally {
	char rua[TLSRPT_RUA_SIZE];
	u32 policy_count;
	struct tls_policy policies[TLS_POLICIES_MAX];
	u32 detail_count;
	struct tls_detail *details;
	size_t bytes; /* of memory behind pointers */
	/* Of the report; times by the wall clock. */
	u8 told;     /* bit n: the nth place of `rua` has it, or will never */
	u8 tries;    /* rounds that left some place without */
	u64 next_ms; /* of the next round; 0: none has been */
};

void tls_tally_init(struct tls_tally *tally); /* empty; allocates nothing */
void tls_tally_done(struct tls_tally *tally);

/*
 * The policy with this text; it is added when it is new. `strings` and `hosts` are lines that end
 * with LF, in printable ASCII; cut behind a line when they are too long. -1: no memory.
 */
int tls_tally_policy(struct tls_tally *tally, enum tls_policy_type type, struct slice strings,
		     struct slice hosts) MUST_CHECK;
/* False: no memory; nothing was counted. */
bool tls_tally_failed(struct tls_tally *tally, u32 policy,
		      const struct tls_failure *failure) MUST_CHECK;
u64 tls_tally_failures(const struct tls_tally *tally, u32 policy); /* of all outcomes */
bool tls_tally_is_empty(const struct tls_tally *tally);
bool tls_tally_is_told(const struct tls_tally *tally); /* no place waits for the report */

/* As text, for keeping. Reading: false when it is damaged, or no memory; `tally` is initialised. */
void tls_tally_write(const struct tls_tally *tally, struct buf *out);
bool tls_tally_read(struct tls_tally *tally, struct slice text) MUST_CHECK;

#endif
