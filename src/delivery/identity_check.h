/*
 * The identity check: whether DNS says of us what receivers look for, with the record to publish
 * for what it does not. It asks DNS by a function of the caller's, and tells row by row what it
 * found: the console prints it (`check identity`), the newsletter service keeps it
 * (web/identity.h). identity_check.c puts it together, identity_check_host.c looks at the addresses
 * that mail leaves from, identity_check_domain.c at the records of the domain.
 */
#ifndef DELIVERY_IDENTITY_CHECK_H
#define DELIVERY_IDENTITY_CHECK_H

#include "base/buf.h"
#include "base/config.h"
#include "dns/question.h"
#include "dns/records.h"

#define IDENTITY_ADDRESSES_MAX 64
#define IDENTITY_KEYS_MAX (2 * CONFIG_DKIM_MAX)
#define IDENTITY_TIMEOUT_MS 5000 /* of each question; without a network there are many such waits  \
				  */

enum identity_verdict {
	IDENTITY_PASS,
	IDENTITY_INFO, /* worth knowing, and no fault */
	IDENTITY_WARN,
	IDENTITY_FAIL,
};
const char *identity_verdict_name(enum identity_verdict verdict); /* "pass", "fail" */

struct identity_key {
	char name[340]; /* s2026._domainkey.example.jp */
	char *record;   /* "v=DKIM1; ..." */
};

struct identity_check {
	/* The caller's: */
	const struct records *records;
	const struct identity_key *keys;
	size_t key_count;
	const struct config_list *block_lists; /* NULL: none is asked */
	question_source *ask;
	void *ask_arg;
	/*
	 * One row: of what, "SPF 192.0.2.10", and a sentence; text of others in it is printable.
	 * `publish` is what to do about it, several lines at most (LF and two blanks between them);
	 * NULL: nothing, also whenever it passed. Rows that one record would mend have the same.
	 */
	void (*tell)(void *arg, const char *what, enum identity_verdict verdict, const char *found,
		     const char *publish);
	void *tell_arg;
	/* What came of it: */
	u32 failed;
	bool is_aligned; /* SPF or DKIM vouches for the domain's mail: without that it may not go */
	/* Found on the way, for alignment. */
	bool is_spf_passed; /* by all addresses */
	bool is_key_published[IDENTITY_KEYS_MAX];
};

/* Everything. */
void identity_check_all(struct identity_check *check);
/* SPF, DKIM and DMARC: what `is_aligned` is made of. */
void identity_check_alignment(struct identity_check *check);

/* ---- for the parts ---- */

void identity_tell(struct identity_check *check, const char *what, enum identity_verdict verdict,
		   const char *found, const char *publish);
void identity_ask(struct identity_check *check, const char *name, u16 type,
		  struct question_answer *answer);
/* The TXT of a name that begins with `begin` (NULL: the first one), in `out`. */
enum question_status identity_find_txt(struct identity_check *check, const char *name,
				       const char *begin, struct buf *out);

/* PTR, forward-confirmed, and the EHLO name, for one address. */
void identity_check_address(struct identity_check *check, const char *address);
/* What block lists say of the addresses. */
void identity_check_block_lists(struct identity_check *check);

void identity_check_spf(struct identity_check *check);
/* SPF of the EHLO name, from the first address. */
void identity_check_ehlo(struct identity_check *check);
void identity_check_key(struct identity_check *check, size_t index);
/* The DMARC policy, and whether mail of ours passes it; behind SPF and keys. */
void identity_check_dmarc(struct identity_check *check);
void identity_check_mx(struct identity_check *check);
void identity_check_mta_sts(struct identity_check *check);

#endif
