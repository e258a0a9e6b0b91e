/*
 * A client of RFC 8555 (ACME): a certificate for host names from an authority, proved by pages that
 * it fetches from port 80 (http-01, section 8.3). Answers in, requests out; it neither connects nor
 * waits. What the authority says is bounded and checked: names of challenges become file names.
 *
 *	while ((next = acme_next(acme, &request)) is none of DONE, FAILED)
 *		ASK: make the request, acme_take its answer. PUBLISH: put up acme_challenge.
 *		WAIT: acme_wait_ms.
 */
#ifndef WEB_ACME_H
#define WEB_ACME_H

#include "base/crypto_ec.h"
#include "base/error.h"
#include "base/types.h"

#define ACME_ANSWER_MAX (256u << 10) /* bytes of an answer's body */
#define ACME_NAMES_MAX 100	     /* of one certificate; as many as public authorities take */

struct acme_wish {
	const char *directory; /* URL */
	const char *contact;   /* mailbox; NULL: none */
	const char *const *names;
	size_t name_count;		  /* 1..ACME_NAMES_MAX */
	const struct crypto_ec *account; /* who asks; is made an account when it is none yet */
	const struct crypto_ec *key;	  /* what the certificate is for */
};

enum acme_method { ACME_GET, ACME_HEAD, ACME_POST };

/* Lives until the next call. */
struct acme_request {
	enum acme_method method;
	const char *url;
	struct slice body; /* of a POST: application/jose+json */
};

struct acme_answer {
	u32 status;	       /* of HTTP */
	struct slice nonce;    /* Replay-Nonce; empty: there is no such field */
	struct slice location; /* Location; likewise */
	u64 retry_after_s;     /* 0: not said */
	struct slice body;
};

enum acme_next { ACME_ASK, ACME_PUBLISH, ACME_WAIT, ACME_DONE, ACME_FAILED };

struct acme;

/* The wish is borrowed until acme_close. NULL: no memory, or a wish for nothing. */
struct acme *acme_open(const struct acme_wish *wish);
void acme_close(struct acme *acme); /* NULL is fine */

/* What is to be done; the request only with ACME_ASK. */
enum acme_next acme_next(struct acme *acme, struct acme_request *request) MUST_CHECK;
/* The answer to the last request. */
void acme_take(struct acme *acme, const struct acme_answer *answer);

/*
 * After ACME_PUBLISH: at /.well-known/acme-challenge/TOKEN of the name there has to be `text` from
 * now on. The token has letters, digits, '-' and '_' alone and is at most 128 bytes.
 */
void acme_challenge(const struct acme *acme, const char **token, const char **text);
u64 acme_wait_ms(const struct acme *acme); /* after ACME_WAIT */
/* After ACME_DONE: certificate and those that lead to its root, PEM; dies with acme. */
struct slice acme_chain(const struct acme *acme);
/* After ACME_FAILED: a sentence, with what the authority says of it. */
const struct error *acme_trouble(const struct acme *acme);
/* How long it wants to be left alone after a failure, seconds; 0: it did not say. */
u64 acme_rest_s(const struct acme *acme);

#endif
