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

/*
 * What was found, for whoever says it in another language than English. Where the reason is another
 * room's (dkim_fault, dmarc_fault), a row has that one's name.
 */
enum identity_finding {
	IDENTITY_NO_ADDRESS,
	IDENTITY_NO_KEY,
	/* DNS has no such thing, or does not tell. */
	IDENTITY_DNS_NO_RECORD,
	IDENTITY_DNS_NO_NAME,
	IDENTITY_DNS_FAILED,
	IDENTITY_DNS_TIMEOUT,
	IDENTITY_DNS_BOGUS,
	/* The PTR's name {1}, of the address {2}; EHLO says {3}. */
	IDENTITY_PTR,
	IDENTITY_PTR_OTHER,
	IDENTITY_PTR_UNCONFIRMED,
	IDENTITY_PTR_OTHER_UNCONFIRMED,
	/* {1} has the address, or not. */
	IDENTITY_EHLO,
	IDENTITY_EHLO_LACKS,
	/* A block list: what it says {1}, or of how many addresses {1}. */
	IDENTITY_LIST_CLEAN,
	IDENTITY_LIST_LISTED,
	IDENTITY_LIST_TEST_POINT,
	IDENTITY_LIST_REFUSES,
	IDENTITY_LIST_STRANGE,
	IDENTITY_LIST_SILENT,
	IDENTITY_LIST_NOT_ASKED,
	/* In enum spf_result's order; its reason is of the term {1}, in the record of {2}. */
	IDENTITY_SPF_PASS,
	IDENTITY_SPF_FAIL,
	IDENTITY_SPF_SOFTFAIL,
	IDENTITY_SPF_NEUTRAL,
	IDENTITY_SPF_NONE,
	IDENTITY_SPF_TEMPERROR,
	IDENTITY_SPF_PERMERROR,
	IDENTITY_KEY,
	IDENTITY_KEY_ON_TRIAL,
	/* The policy {1} of {2}, alignment {3} and {4}; {5}: a tag that does not count. */
	IDENTITY_DMARC,
	IDENTITY_DMARC_IGNORED,
	IDENTITY_DMARC_NONE,
	IDENTITY_DMARC_SEVERAL,
	IDENTITY_DMARC_SILENT,
	IDENTITY_ALIGNED_BOTH,
	IDENTITY_ALIGNED_DKIM,
	IDENTITY_ALIGNED_SPF,
	IDENTITY_ALIGNED_NOT,
	/* {1} hosts. */
	IDENTITY_MX,
	IDENTITY_MX_NULL,
	IDENTITY_MX_ADDRESS,
	IDENTITY_MX_NOTHING,
	IDENTITY_MTA_STS,
	IDENTITY_MTA_STS_NONE,
	IDENTITY_FINDINGS,
};
const char *identity_finding_name(enum identity_finding finding); /* "ptr-other" */

/* What to do, beside publishing a record; {1} as those of the finding. */
enum identity_advice {
	IDENTITY_ADVICE_NONE,
	IDENTITY_ADVICE_PTR,       /* ask the provider for the PTR */
	IDENTITY_ADVICE_REPLACE,   /* the record that is there */
	IDENTITY_ADVICE_RESOLVER,  /* of one's own, for a block list */
	IDENTITY_ADVICE_LIST_SAYS, /* {2}: the list's own words */
	IDENTITY_ADVICE_LIST_ASK,
	IDENTITY_ADVICE_ALIGN, /* SPF's record, or DKIM's */
	IDENTITY_ADVICES,
};
const char *identity_advice_name(enum identity_advice advice); /* "ptr"; NONE: NULL */

#define IDENTITY_DETAILS 5

/* All texts live as long as the call; those of others are printable. */
struct identity_row {
	const char *what; /* "SPF 192.0.2.10" */
	enum identity_verdict verdict;
	const char *code;                      /* of what was found */
	const char *reason;                    /* why: spf_reason_name's; NULL: none */
	const char *details[IDENTITY_DETAILS]; /* {1} to {5}; NULL: no more */
	const char *found;                     /* all that in English */
	/* What to do about it; nothing whenever it passed. */
	const char *record; /* to publish, a line of a zone file; NULL: none */
	enum identity_advice advice;
	const char *advice_text; /* in English, several lines at most (LF and two blanks between) */
};
/* Record and advice in English, in lines. Rows that one record would mend have the same. */
void identity_add_publish(const struct identity_row *row, struct buf *out);

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
	void (*tell)(void *arg, const struct identity_row *row);
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

void identity_tell(struct identity_check *check, const struct identity_row *row);
/* The same of a finding that needs no more words. */
void identity_tell_plain(struct identity_check *check, const char *what,
			 enum identity_verdict verdict, enum identity_finding finding,
			 const char *found);
/* Of an answer without records. */
enum identity_finding identity_finding_of(enum question_status status);
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
