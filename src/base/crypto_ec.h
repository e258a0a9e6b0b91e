/*
 * Keys on the curve P-256: what an account at a certificate authority signs its requests with
 * (ES256, RFC 7518 section 3.4), and what a server's certificate is for. Immutable; one thread at a
 * time.
 */
#ifndef BASE_CRYPTO_EC_H
#define BASE_CRYPTO_EC_H

#include "base/buf.h"
#include "base/types.h"

#define CRYPTO_EC_NUMBER 32			/* bytes of a coordinate */
#define CRYPTO_EC_SIGNATURE (2 * CRYPTO_EC_NUMBER) /* R and S, one behind the other */

struct crypto_ec; /* a private key */

/* A new one; NULL: no memory. */
struct crypto_ec *crypto_ec_make(void);
/* The first private key of that PEM text. NULL: there is none of that curve, or no memory. */
struct crypto_ec *crypto_ec_read(struct slice pem);
void crypto_ec_free(struct crypto_ec *key); /* NULL is fine */
/* Appends it as PEM (PKCS#8), unencrypted. */
bool crypto_ec_write(const struct crypto_ec *key, struct buf *out) MUST_CHECK;

/* The public key's coordinates, big-endian (RFC 7518 section 6.2.1). */
bool crypto_ec_point(const struct crypto_ec *key, u8 x[CRYPTO_EC_NUMBER],
		     u8 y[CRYPTO_EC_NUMBER]) MUST_CHECK;
/* Signs the text's SHA-256. */
bool crypto_ec_sign(const struct crypto_ec *key, struct slice text,
		    u8 signature[CRYPTO_EC_SIGNATURE]) MUST_CHECK;
/*
 * Appends, as DER, the request for a certificate for these host names (PKCS#10, RFC 2986), which
 * stand among its alternative names alone (RFC 8555 section 7.4).
 */
bool crypto_ec_request(const struct crypto_ec *key, const char *const *names, size_t count,
		       struct buf *out) MUST_CHECK;

#endif
