/*
 * What the parts of `check identity` share: check_identity.c prints and puts together, check_host.c
 * looks at the addresses that mail leaves from, check_domain.c at the records of the domain.
 */
#ifndef CONSOLE_CHECK_IDENTITY_H
#define CONSOLE_CHECK_IDENTITY_H

#include "base/buf.h"
#include "console/human.h"
#include "console/identity.h"
#include "console/lookup.h"

#include <jansson.h>

#define CHECK_TIMEOUT_MS 5000 /* of each question; without a network there are many such waits */

enum verdict {
	VERDICT_PASS,
	VERDICT_INFO, /* worth knowing, and no fault */
	VERDICT_WARN,
	VERDICT_FAIL,
};

struct check {
	const struct console *console;
	bool is_quiet; /* nothing is printed */
	const struct identity *identity;
	struct lookup_dns dns;
	struct table table;
	struct buf publish; /* what to do about it, line by line */
	json_t *list;
	u32 failed;
	/* Found on the way, for alignment. */
	bool is_spf_passed; /* by all addresses */
	bool is_key_published[IDENTITY_KEYS_MAX];
	bool is_aligned;
};

/*
 * Whether a campaign of the customer with that domain may start: on the appliance, only if SPF or
 * DKIM would vouch for its mail. CONSOLE_OK, or what to exit with; the reason has been said. When
 * it is overridden it may, and init's log has why it should not.
 */
int check_identity_before_start(const struct console *console, const char *domain,
				bool is_overridden);

/* One row. `publish` (NULL: nothing to do) is told below the table, unless it passed. */
void check_tell(struct check *check, const char *what, enum verdict verdict, const char *found,
		const char *publish);

/* A question_source; its argument is the check. */
void check_ask(void *arg, const char *name, u16 type, struct question_answer *answer);

/* The TXT of a name that begins with `begin` (NULL: the first one), in `out`. */
enum question_status check_find_txt(struct check *check, const char *name, const char *begin,
				    struct buf *out);

/* Appends a TXT record as a line of a zone file. */
void check_publish_txt(struct buf *out, const char *name, struct slice value);

/* PTR, forward-confirmed, and the EHLO name, for one address. */
void check_host_address(struct check *check, const char *address);
/* What block lists say of the addresses. */
void check_host_block_lists(struct check *check);

void check_domain_spf(struct check *check);
/* SPF of the EHLO name, from the first address. */
void check_domain_ehlo(struct check *check);
void check_domain_key(struct check *check, size_t index);
/* The DMARC policy, and whether mail of ours passes it; behind SPF and keys. */
void check_domain_dmarc(struct check *check);
void check_domain_mx(struct check *check);
void check_domain_mta_sts(struct check *check);

#endif
