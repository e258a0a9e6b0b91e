/*
 * Reading and verifying DKIM signatures (RFC 6376 section 6, RFC 8463): bytes and a public key in,
 * a verdict out; where the key comes from (DNS, or our own files in the self-test) is the caller's
 * matter. Everything in a message is a stranger's: sizes are bounded, nothing is trusted.
 */
#ifndef DKIM_VERIFY_H
#define DKIM_VERIFY_H

#include "base/crypto.h"
#include "base/error.h"
#include "base/types.h"
#include "dkim/canon.h"

#define DKIM_VERIFY_NAMES_MAX 256   /* in h= */
#define DKIM_VERIFY_FIELDS_MAX 1000 /* of a message */

/* A DKIM-Signature field. Slices are of the message. */
struct dkim_signature {
	struct slice value; /* raw, behind the colon, with its folds */
	enum crypto_algorithm algorithm;
	enum dkim_canon header_canon;
	enum dkim_canon body_canon;
	struct slice domain;   /* d= */
	struct slice selector; /* s= */
	struct slice names;    /* h=, raw */
	u8 body_hash[SHA256_SIZE];
	u8 bytes[CRYPTO_SIGNATURE_MAX];
	size_t len;
};

/*
 * The `number`-th (from 0) DKIM-Signature of a message in wire form (CRLF, no dot-stuffing), from
 * the top. False without a sentence (error->text is "") when there are not so many; with one when
 * the field is no valid signature. l= is refused: what it leaves unsigned is anybody's.
 */
bool dkim_signature_find(struct slice message, u32 number, struct dkim_signature *signature,
			 struct error *error) MUST_CHECK;

/* False: the sentence says what does not agree, body, header or key. */
bool dkim_signature_verify(const struct dkim_signature *signature, struct slice message,
			   const struct crypto_public_key *key, struct error *error) MUST_CHECK;

#endif
