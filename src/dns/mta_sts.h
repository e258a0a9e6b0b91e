/*
 * MTA-STS (RFC 8461): the TXT record that announces a policy, the policy, and what is known of a
 * domain's policy over time. Bytes and a clock in, decisions out; sts_fetch.h brings the bytes.
 */
#ifndef DNS_MTA_STS_H
#define DNS_MTA_STS_H

#include "base/buf.h"
#include "base/types.h"

#define STS_TXT_PREFIX "_mta-sts." /* in front of the domain: where the TXT record is */
#define STS_HOST_PREFIX "mta-sts." /* and whom the policy is fetched from */
#define STS_ID_SIZE 33
#define STS_BODY_MAX 65536         /* bytes of a policy file (section 3.3 suggests it) */
#define STS_MX_BYTES_MAX 2048      /* of all patterns of a policy */
#define STS_AGE_MAX_S 31557600u    /* section 3.2: what says more counts as this */
#define STS_REFRESH_MS (86400ull * 1000)   /* a policy that is used is fetched anew so often */
#define STS_RETRY_MS (300ull * 1000)       /* after a fetch that failed (section 3.3) */

enum sts_mode { STS_NONE, STS_TESTING, STS_ENFORCE };

struct sts_policy {
	enum sts_mode mode;
	u32 max_age_s;
	u32 mx_len;
	char mx[STS_MX_BYTES_MAX]; /* patterns in lower case, each with its NUL */
};

enum sts_txt {
	STS_TXT_OTHER,  /* not about MTA-STS */
	STS_TXT_BROKEN, /* it is, but says nothing that can be used */
	STS_TXT_GOOD,
};
/*
 * One TXT record, its strings put together (section 3.1). A domain announces a policy when exactly
 * one of its records is not OTHER, and that is GOOD.
 */
enum sts_txt sts_txt_read(char id[STS_ID_SIZE], struct slice txt);

/* The body of a policy file (section 3.2); false: it is none. */
bool sts_policy_read(struct sts_policy *policy, struct slice body) MUST_CHECK;
/* Section 4.1: `*.` in front of a pattern stands for one label. The host in lower case. */
bool sts_policy_allows(const struct sts_policy *policy, const char *host);

/* What is known of a domain. Times are the caller's, in ms; they never go backwards. */
struct sts_entry {
	char id[STS_ID_SIZE]; /* that the policy was announced with; "": there never was one */
	u64 fetched_ms;
	u64 tried_ms; /* last fetch, whatever came of it */
	struct sts_policy policy;
};
/* Its policy counts: it was fetched, and its time is not over. */
bool sts_entry_is_alive(const struct sts_entry *entry, u64 now_ms);
/*
 * The policy is to be fetched: it is announced by an id (not "") that is new, or it is about to
 * grow old; and the last try was not just now. NULL: nothing is known.
 */
bool sts_entry_is_old(const struct sts_entry *entry, const char *id, u64 now_ms);
void sts_entry_fetched(struct sts_entry *entry, const char *id, const struct sts_policy *policy,
		       u64 now_ms);
/* What was known is kept (section 5.1); a zeroed entry is one of which nothing was. */
void sts_entry_failed(struct sts_entry *entry, u64 now_ms);

/* As text, for keeping. */
#define STS_ENTRY_TEXT_MAX (STS_MX_BYTES_MAX + 256)
void sts_entry_write(const struct sts_entry *entry, struct buf *out);
bool sts_entry_read(struct sts_entry *entry, struct slice text) MUST_CHECK;

#endif
