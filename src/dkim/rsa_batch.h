/*
 * RSA signatures (RSASSA-PKCS1-v1_5 with SHA-256, RFC 8017 section 8.2.1) up to eight at a time,
 * on processors with AVX-512 IFMA about twice as fast as one after the other by OpenSSL; the bytes
 * are the same. For keys of two equally long primes and the public exponent 65537 (which OpenSSL
 * and practically everybody makes), 1024 to 4096 bits; all other keys, and all keys on other
 * processors, are left to OpenSSL.
 *
 * Side channels: no branch and no address depends on secret numbers (a memory checker that takes
 * secrets for uninitialized runs over it in the tests), exponents have a fixed number of steps,
 * tables are read whole. There is no blinding: it hides what the bases of exponentiation do to the
 * time that they take, and here that time is the same for all; besides, the bases are padded hashes
 * of mails that the sender composes. Each signature is checked with the public exponent before
 * anybody sees it; one that does not verify (a fault of the processor) is refused.
 */
#ifndef DKIM_RSA_BATCH_H
#define DKIM_RSA_BATCH_H

#include "base/crypto.h"

#define RSA_BATCH_MAX 8
/* Fewer than these are sooner done one by one. */
#define RSA_BATCH_WORTHWHILE 3
#define RSA_BATCH_GROUPS 4

enum rsa_batch_code {
	RSA_BATCH_IFMA,	   /* none where the processor has no AVX-512 IFMA */
	RSA_BATCH_PORTABLE /* slower than OpenSSL: for tests */
};

struct rsa_batch; /* one thread's working memory, some 180 KB */

/* NULL: the processor cannot, or out of memory. */
struct rsa_batch *rsa_batch_open(enum rsa_batch_code code);
void rsa_batch_close(struct rsa_batch *batch); /* wipes; NULL is fine */

struct rsa_batch_key; /* immutable */

/* The key prepared; it needs `key` no more afterwards. NULL: not for batches, or out of memory. */
struct rsa_batch_key *rsa_batch_key_make(const struct crypto_key *key);
void rsa_batch_key_free(struct rsa_batch_key *key); /* wipes; NULL is fine */
/* Keys of the same group can be in one batch; below RSA_BATCH_GROUPS. */
u32 rsa_batch_key_group(const struct rsa_batch_key *key);

struct rsa_batch_item {
	const struct rsa_batch_key *key;
	const u8 *digest; /* SHA256_SIZE */
	u8 *signature;	  /* out: as long as the key's modulus */
};

/*
 * Signs 1..RSA_BATCH_MAX items whose keys are of one group. Returns a bit for each item that was
 * signed; the signatures of the others are not touched.
 */
u32 rsa_batch_sign(struct rsa_batch *batch, const struct rsa_batch_item *items, u32 count);

#endif
