/*
 * One question after another to the same validating resolver that mail goes by (libunbound, with
 * the options of mx.h): for diagnostics and the check of our own identity, where waiting does no
 * harm. Delivery itself asks by mx.h.
 */
#ifndef DNS_QUESTION_H
#define DNS_QUESTION_H

#include "base/buf.h"
#include "base/error.h"
#include "base/net_address.h"
#include "base/types.h"
#include "dns/mx.h"

#define QUESTION_RECORDS_MAX 64
#define QUESTION_NAME_SIZE 256

enum question_status {
	QUESTION_OK,        /* records are there */
	QUESTION_NO_DATA,   /* the name exists, without such records */
	QUESTION_NO_DOMAIN, /* NXDOMAIN */
	QUESTION_FAILED,    /* no server answers, or not usefully */
	QUESTION_TIMEOUT,   /* nothing was known when the time was over */
	QUESTION_BOGUS,     /* DNSSEC says that the answer is forged or broken */
};

struct question_record {
	const u8 *bytes; /* rdata in wire form, names uncompressed */
	size_t len;
};

struct question_answer {
	enum question_status status;
	bool secure; /* DNSSEC-validated; also of absence */
	u32 ttl_s;
	char name[QUESTION_NAME_SIZE]; /* that the records belong to: behind CNAMEs; no final dot */
	char why[256];                 /* of BOGUS and FAILED: a sentence, or "" */
	size_t count;                  /* of records that are kept; more are left out */
	struct question_record records[QUESTION_RECORDS_MAX];
	struct buf store; /* of the records' bytes */
};

struct question_asker;

/* As mx_resolver_open: texts of params must live as long. NULL with the error set. */
struct question_asker *question_open(const struct mx_params *params,
				     struct error *error) MUST_CHECK;
void question_close(struct question_asker *asker); /* NULL is fine */

/*
 * Asks and waits, at most timeout_ms. Fills in *answer in every case; question_answer_done frees
 * it. `name` is ASCII, with or without final dot.
 */
void question_ask(struct question_asker *asker, const char *name, u16 type, u32 timeout_ms,
		  struct question_answer *answer);
void question_answer_done(struct question_answer *answer);

/*
 * Whoever answers the questions of protocol code (spf.h, dmarc.h), which frees the answer. As
 * question_ask it fills in *answer in every case.
 */
typedef void question_source(void *arg, const char *name, u16 type, struct question_answer *answer);

/* One that asks `asker` and waits for so long; its argument is this. */
struct question_within {
	struct question_asker *asker;
	u32 timeout_ms;
};
void question_ask_within(void *within, const char *name, u16 type, struct question_answer *answer);

/* The first PTR name of the address in `name`, lower case, "" when there is none. */
enum question_status question_find_ptr(question_source *ask, void *arg, const char *address,
				       char name[QUESTION_NAME_SIZE]);
/* True when the name has that address (A or AAAA by the address's family). */
bool question_has_address(question_source *ask, void *arg, const char *name, const char *address);

/* "ok", "no such records", "no such name", "no answer", "bogus" for people. */
const char *question_status_text(enum question_status status);

/* "10.2.0.192.in-addr.arpa", or below ip6.arpa. */
#define QUESTION_REVERSE_SIZE 80
void question_reverse(char out[QUESTION_REVERSE_SIZE], const struct net_address *address);

#endif
