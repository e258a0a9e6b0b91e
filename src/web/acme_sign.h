/*
 * How requests to a certificate authority are signed: JSON Web Signatures with ES256 (RFC 7515, RFC
 * 7518 section 3.4), as RFC 8555 section 6.2 asks for. Pure.
 */
#ifndef WEB_ACME_SIGN_H
#define WEB_ACME_SIGN_H

#include "base/buf.h"
#include "base/crypto_ec.h"

#define ACME_THUMBPRINT 43 /* bytes of a SHA-256 in base64url */

/* Appends base64url without padding (RFC 7515 section 2). */
void acme_base64(struct buf *out, const void *bytes, size_t len);
/* Whether it has that alphabet's characters alone, 1 to max of them. */
bool acme_is_base64(struct slice text, size_t max);

/* Of the account's public key (RFC 7638), with a NUL. */
bool acme_thumbprint(const struct crypto_ec *account, char out[ACME_THUMBPRINT + 1]) MUST_CHECK;

struct acme_envelope {
	const char *url;
	const char *nonce;
	const char *account_url; /* NULL: the key itself says who asks */
	struct slice payload;	 /* empty: "POST as GET" (section 6.3) */
};
/* Appends the signed request. False: no memory, or no room. */
bool acme_sign(const struct crypto_ec *account, const struct acme_envelope *envelope,
	       struct buf *out) MUST_CHECK;

#endif
