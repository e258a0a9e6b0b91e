/*
 * Private to src/dns/: what the resolver is made of. Names of MX hosts, the cache of answers in a
 * packed form, and the context of libunbound.
 */
#ifndef DNS_MX_PARTS_H
#define DNS_MX_PARTS_H

#include "base/list.h"
#include "dns/mx.h"

/* As RFC 1035 section 3.2, RFC 3596 and RFC 6698 number them. */
enum {
	RR_CLASS_IN = 1,
	RR_TYPE_A = 1,
	RR_TYPE_MX = 15,
	RR_TYPE_TXT = 16,
	RR_TYPE_AAAA = 28,
	RR_TYPE_TLSA = 52,
};

#define MX_NAME_MAX 253 /* RFC 1035 section 2.3.4: 255 octets in wire form */

/* MX rdata in wire form, uncompressed (RFC 1035 section 3.3.9); false when it is malformed. */
bool mx_record_read(struct mx_record *record, const void *rdata, size_t len) MUST_CHECK;

enum mx_name {
	MX_NAME_HOST,  /* worth a query */
	MX_NAME_ROOT,  /* "." of a null MX */
	MX_NAME_LOCAL, /* localhost and below */
	MX_NAME_UNFIT, /* an IP address, or no host name: bytes other than letters, digits, '-', '_'
			*/
};
enum mx_name mx_name_kind(const char *name);

/*
 * The domain as it is asked for: lower case, no final dot, 1..253 bytes in labels of 1..63 letters,
 * digits, '-' and '_', not an IP address. False for anything else.
 */
bool mx_domain_normalise(char out[256], struct slice domain) MUST_CHECK;

#define MX_CACHE_BUCKETS 16384

/* By name, the longest unused goes first. */
struct mx_cache {
	struct mx_entry **buckets;
	struct list by_use; /* longest unused first */
	u64 seed;	    /* so that nobody can aim at one bucket */
	u32 count;
	u32 count_max;
	size_t bytes;
	size_t bytes_max;
};

bool mx_cache_init(struct mx_cache *cache, u64 seed, u32 count_max, size_t bytes_max) MUST_CHECK;
void mx_cache_done(struct mx_cache *cache);
/* Borrowed until the next call; NULL when it is not there or its time is over. */
struct mx_entry *mx_cache_find(struct mx_cache *cache, const char *name, u64 now_ns);
/* Takes a reference of its own; an older entry of the name goes. */
void mx_cache_put(struct mx_cache *cache, struct mx_entry *entry);

struct ub_ctx;
/*
 * With every option of params set, finalised, its thread at work: waits for that, milliseconds, or
 * some seconds when it does not come. NULL with the error set.
 */
struct ub_ctx *mx_context_open(const struct mx_params *params, struct error *error) MUST_CHECK;
/*
 * Asks what its thread answers by itself, without a server: ub_process sets *alive then. Returns an
 * error of libunbound's, or 0. A thread that is there answers long before the patience is over.
 */
int mx_context_ask_life(struct ub_ctx *ctx, bool *alive) MUST_CHECK;
#define MX_LIFE_PATIENCE_NS (5 * NS_PER_S)
/*
 * Ends it, from a thread of its own: libunbound waits for its thread, which after a failure may be
 * gone, or deaf. Returns when that is done, or after `patience_ns`; what takes longer is left
 * behind.
 */
void mx_context_close(struct ub_ctx *ctx, u64 patience_ns);

#endif
