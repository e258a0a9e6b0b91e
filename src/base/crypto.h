/*
 * The product's view of cryptography: SHA-256 with copyable midstates, HMAC, and private keys.
 * With io/tls.c the only place that names OpenSSL. Contexts are per thread; keys are immutable
 * after loading and may be shared.
 */
#ifndef BASE_CRYPTO_H
#define BASE_CRYPTO_H

#include "base/buf.h"
#include "base/error.h"
#include "base/types.h"

#define SHA256_SIZE 32
#define CRYPTO_SIGNATURE_MAX 512 /* RSA-4096 */

/* A running hash; plain data: assigning it copies the midstate. 112 bytes are OpenSSL's state. */
struct sha256 {
	_Alignas(8) u8 state[112];
};

void sha256_init(struct sha256 *h);
void sha256_add(struct sha256 *h, const void *bytes, size_t len);
void sha256_finish(struct sha256 *h, u8 out[SHA256_SIZE]); /* h is used up */

void hmac_sha256(u8 out[SHA256_SIZE], const void *key, size_t key_len, const void *bytes,
		 size_t len);
/*
 * HKDF-Expand-Label with an empty context (RFC 8446 section 7.1): `len` bytes of key material, at
 * most the hash's length, from a secret as long as the hash. `label` without "tls13 ", up to 16
 * bytes. False: no memory.
 */
enum crypto_hash { CRYPTO_SHA256, CRYPTO_SHA384 };
#define CRYPTO_HASH_MAX 48
size_t crypto_hash_size(enum crypto_hash hash); /* bytes */
bool crypto_expand_label(enum crypto_hash hash, const u8 *secret, const char *label, u8 *out,
			 size_t len) MUST_CHECK;
/* Compares in constant time. */
bool crypto_equal(const void *a, const void *b, size_t len);

enum crypto_algorithm { CRYPTO_RSA, CRYPTO_ED25519 };

struct crypto_key; /* a private key */

/* RSA: bits 1024-4096; Ed25519: bits ignored. NULL and a sentence on failure. */
struct crypto_key *crypto_key_generate(enum crypto_algorithm algorithm, u32 bits,
				       struct error *error);
/*
 * Reads an unencrypted PEM private key (PKCS#8 or PKCS#1), RSA of 1024-4096 bits or Ed25519. A
 * trial signature must verify. The sentence does not name the file.
 */
struct crypto_key *crypto_key_from_pem(struct slice pem, struct error *error);
bool crypto_key_to_pem(const struct crypto_key *key, struct buf *out);
void crypto_key_free(struct crypto_key *key); /* NULL is fine */

/* A number that no other key of this process ever has: tells a new key at an old address. */
u64 crypto_key_id(const struct crypto_key *key);
enum crypto_algorithm crypto_key_algorithm(const struct crypto_key *key);
u32 crypto_key_bits(const struct crypto_key *key);
/* Bytes of a signature: 64 for Ed25519, bits/8 (rounded up) for RSA. */
size_t crypto_key_signature_size(const struct crypto_key *key);
/*
 * The public key as DKIM publishes it: RSA as SubjectPublicKeyInfo DER (RFC 6376 section 3.6.1),
 * Ed25519 as its 32 raw bytes (RFC 8463 section 4).
 */
bool crypto_key_public(const struct crypto_key *key, struct buf *out);

/*
 * The numbers of an RSA private key (RFC 8017 section 3.2), each big-endian and filled up with
 * zeros in front: the modulus to modulus_size bytes, the others to prime_size. Secret: the caller
 * wipes it.
 */
struct crypto_rsa_numbers {
	u64 exponent; /* the public one */
	u32 modulus_size;
	u32 prime_size; /* half of modulus_size */
	u32 prime_bits; /* of both primes */
	u8 modulus[CRYPTO_SIGNATURE_MAX];
	u8 p[CRYPTO_SIGNATURE_MAX / 2];
	u8 q[CRYPTO_SIGNATURE_MAX / 2];
	u8 exponent_p[CRYPTO_SIGNATURE_MAX / 2]; /* d mod p - 1 */
	u8 exponent_q[CRYPTO_SIGNATURE_MAX / 2];
	u8 q_inverse[CRYPTO_SIGNATURE_MAX / 2]; /* 1 / q mod p */
};

/*
 * False, with nothing in *out, for a key that is not RSA, has more than two primes, primes of
 * different length, or no numbers for the Chinese remainder theorem.
 */
bool crypto_key_rsa_numbers(const struct crypto_key *key, struct crypto_rsa_numbers *out);

/* One thread's reusable signing context; allocates at open, not per signature where avoidable. */
struct crypto_signer;

struct crypto_signer *crypto_signer_open(const struct crypto_key *key, struct error *error);
void crypto_signer_close(struct crypto_signer *signer);
/*
 * Signs a SHA-256 digest: RSASSA-PKCS1-v1_5 (RFC 8017) or PureEdDSA over the 32 digest bytes (as
 * RFC 8463 section 3 asks). Returns the length, or 0 on failure.
 */
size_t crypto_sign_digest(struct crypto_signer *signer, const u8 digest[SHA256_SIZE],
			  u8 out[CRYPTO_SIGNATURE_MAX]);

/*
 * Public keys of others, which signed whole messages with Ed25519 (RFC 8032): what `openssl pkeyutl
 * -sign -rawin` makes. Immutable; may be shared.
 */
#define CRYPTO_ED25519_SIGNATURE 64
struct crypto_public_key;

/* Reads a PEM SubjectPublicKeyInfo ("BEGIN PUBLIC KEY"). The sentence does not name the file. */
struct crypto_public_key *crypto_public_key_from_pem(struct slice pem, struct error *error);
/*
 * A public key as DKIM publishes it, see crypto_key_public. RSA: 1024 to 4096 bits (RFC 8301
 * section 3.2).
 */
struct crypto_public_key *crypto_public_key_from_dkim(enum crypto_algorithm algorithm,
						      struct slice bytes, struct error *error);
void crypto_public_key_free(struct crypto_public_key *key); /* NULL is fine */
/* False also when memory ran out. */
bool crypto_verify(const struct crypto_public_key *key, struct slice message,
		   const u8 signature[CRYPTO_ED25519_SIGNATURE]) MUST_CHECK;

/*
 * Whether a signature as crypto_sign_digest makes it fits the digest: RSASSA-PKCS1-v1_5 or Ed25519,
 * as the key is. False also when memory ran out.
 */
bool crypto_verify_digest(const struct crypto_public_key *key, const u8 digest[SHA256_SIZE],
			  const u8 *signature, size_t len) MUST_CHECK;

/*
 * What a server shows as long as nobody else vouches for it: a fresh P-256 key and a certificate
 * for `host` that it signs itself (RFC 5280), valid from a day before now_ms for ten years; key and
 * certificate as PEM behind what is in *out. False, with errno: no memory.
 */
bool crypto_certificate_make(const char *host, u64 now_ms, struct buf *out) MUST_CHECK;
/*
 * Whether that PEM text has a certificate that is for `host` and valid at now_ms, and its key.
 * False also when memory ran out.
 */
bool crypto_certificate_serves(struct slice pem, const char *host, u64 now_ms) MUST_CHECK;

#define CRYPTO_NAME_SIZE 128
/* What is to be known of a server's certificate before it is shown to anybody. */
struct crypto_certificate {
	u64 from_s; /* since 1970: valid from and until */
	u64 until_s;
	bool has_key;		       /* its private key stands in the same text */
	bool is_own;		       /* nobody else vouches for it */
	char issuer[CRYPTO_NAME_SIZE]; /* common name or organisation, printable ASCII; cut */
};
/* Reads the first certificate of a PEM text. False: there is none, or no memory. */
bool crypto_certificate_read(struct slice pem, struct crypto_certificate *out) MUST_CHECK;
/* Whether the first certificate of the text is for that host, whatever the time. */
bool crypto_certificate_is_for(struct slice pem, const char *host) MUST_CHECK;

/*
 * Passwords of people and programs, kept so that who steals the file still has to guess them
 * (scrypt, RFC 7914): about 80 ms and 32 MiB for each guess, and for each of these calls.
 */
#define CRYPTO_PASSWORD_TEXT 192 /* bytes of what is kept, with a NUL: $scrypt$ln=15,r=8,p=1$... */
enum crypto_password { CRYPTO_PASSWORD_RIGHT, CRYPTO_PASSWORD_WRONG, CRYPTO_PASSWORD_NO_MEMORY };

/* Appends what is kept of the password. False: no memory. */
bool crypto_password_keep(struct slice password, struct buf *out) MUST_CHECK;
bool crypto_password_is_kept(struct slice kept); /* whether it is such a text */
/* A text that is none is wrong for every password. */
enum crypto_password crypto_password_check(struct slice kept, struct slice password) MUST_CHECK;

/*
 * The code of six digits that an app shows for that secret (RFC 6238, with HMAC-SHA-1), where a
 * step is CRYPTO_TOTP_STEP_MS of the wall clock. False: no memory.
 */
#define CRYPTO_TOTP_STEP_MS 30000u
bool crypto_totp(const u8 *secret, size_t len, u64 step, u32 *code) MUST_CHECK;

/* Keyed hash for tables and deduplication (not for tokens): SipHash-2-4, 64 and 128 bits. */
u64 siphash64(const u8 key[16], const void *bytes, size_t len);
void siphash128(u8 out[16], const u8 key[16], const void *bytes, size_t len);

#endif
