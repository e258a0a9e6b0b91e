#include "base/crypto.h"

#include <errno.h>
#include <limits.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/bio.h>
#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>

#define RSA_BITS_MIN 1024 /* RFC 8301 section 3.2: verifiers take nothing smaller */
#define RSA_BITS_MAX (CRYPTO_SIGNATURE_MAX * 8)
#define ED25519_PUBLIC_SIZE 32
#define ED25519_BITS 256

struct crypto_key {
	EVP_PKEY *pkey;
	u64 id;
	enum crypto_algorithm algorithm;
	u32 bits;
	u32 signature_size;
};

struct crypto_signer {
	EVP_PKEY *pkey;
	EVP_PKEY_CTX *rsa;
	EVP_MD_CTX *ed25519;
	size_t signature_size;
};

/*
 * OpenSSL's own words for what went wrong, in brackets behind ours. When memory ran out it often
 * has others, as for a broken key, or none: then errno tells, which who begins has set to 0.
 */
static bool refuse(struct error *error, const char *what)
{
	unsigned long code = ERR_peek_last_error();
	const char *reason = code ? ERR_reason_error_string(code) : NULL;

	ERR_clear_error();
	if (errno == ENOMEM)
		return error_set(error, "out of memory");
	if (reason)
		return error_set(error, "%s (%s)", what, reason);
	return error_set(error, "%s", what);
}

void crypto_signer_close(struct crypto_signer *signer)
{
	if (!signer)
		return;
	EVP_PKEY_CTX_free(signer->rsa);
	EVP_MD_CTX_free(signer->ed25519);
	EVP_PKEY_free(signer->pkey);
	free(signer);
}

/*
 * The key is duplicated: OpenSSL keeps RSA's blinding values and Montgomery contexts inside the
 * key behind locks, and threads that share one key wait for each other there.
 */
static struct crypto_signer *open_signer(const struct crypto_key *key, struct error *error)
{
	struct crypto_signer *signer = calloc(1, sizeof(*signer));
	bool ok;

	if (!signer) {
		error_set(error, "out of memory");
		return NULL;
	}
	signer->signature_size = key->signature_size;
	signer->pkey = EVP_PKEY_dup(key->pkey);
	ok = signer->pkey != NULL;
	if (ok && key->algorithm == CRYPTO_ED25519) {
		signer->ed25519 = EVP_MD_CTX_new();
		ok = signer->ed25519 && EVP_DigestSignInit(signer->ed25519, NULL, NULL, NULL,
							   signer->pkey) == 1;
	} else if (ok) {
		signer->rsa = EVP_PKEY_CTX_new(signer->pkey, NULL);
		ok = signer->rsa && EVP_PKEY_sign_init(signer->rsa) == 1 &&
		     EVP_PKEY_CTX_set_rsa_padding(signer->rsa, RSA_PKCS1_PADDING) == 1 &&
		     EVP_PKEY_CTX_set_signature_md(signer->rsa, EVP_sha256()) == 1;
	}
	if (ok)
		return signer;
	refuse(error, "the private key cannot sign");
	crypto_signer_close(signer);
	return NULL;
}

static bool digest_verifies(EVP_PKEY *pkey, enum crypto_algorithm algorithm, const u8 *digest,
			    const u8 *signature, size_t len)
{
	EVP_PKEY_CTX *rsa = NULL;
	EVP_MD_CTX *ed25519 = NULL;
	bool ok = false;

	if (algorithm == CRYPTO_ED25519) {
		ed25519 = EVP_MD_CTX_new();
		ok = ed25519 && EVP_DigestVerifyInit(ed25519, NULL, NULL, NULL, pkey) == 1 &&
		     EVP_DigestVerify(ed25519, signature, len, digest, SHA256_SIZE) == 1;
	} else {
		rsa = EVP_PKEY_CTX_new(pkey, NULL);
		ok = rsa && EVP_PKEY_verify_init(rsa) == 1 &&
		     EVP_PKEY_CTX_set_rsa_padding(rsa, RSA_PKCS1_PADDING) == 1 &&
		     EVP_PKEY_CTX_set_signature_md(rsa, EVP_sha256()) == 1 &&
		     EVP_PKEY_verify(rsa, signature, len, digest, SHA256_SIZE) == 1;
	}
	EVP_MD_CTX_free(ed25519);
	EVP_PKEY_CTX_free(rsa);
	return ok;
}

/*
 * A damaged key file can still parse. One signature checked with the public half is cheaper than a
 * campaign that nobody can verify.
 */
static bool key_proves_itself(const struct crypto_key *key, struct error *error)
{
	static const u8 digest[SHA256_SIZE] = { 1, 2, 3 };
	u8 signature[CRYPTO_SIGNATURE_MAX];
	struct crypto_signer *signer = open_signer(key, error);
	size_t len;

	if (!signer)
		return false;
	len = crypto_sign_digest(signer, digest, signature);
	crypto_signer_close(signer);
	if (len == 0 || !digest_verifies(key->pkey, key->algorithm, digest, signature, len))
		return refuse(error, "the private key does not fit its own public key");
	return true;
}

/* Takes pkey over, also when it fails. */
static struct crypto_key *key_wrap(EVP_PKEY *pkey, struct error *error)
{
	static _Atomic u64 last_id;
	struct crypto_key *key = NULL;
	int type = EVP_PKEY_get_base_id(pkey);
	u32 bits = (u32)EVP_PKEY_get_bits(pkey);

	if (bits == 0) {
		refuse(error, "the key has no size");
		goto fail;
	}
	if (type != EVP_PKEY_RSA && type != EVP_PKEY_ED25519) {
		error_set(error, "the key is neither RSA nor Ed25519");
		goto fail;
	}
	if (type == EVP_PKEY_RSA && (bits < RSA_BITS_MIN || bits > RSA_BITS_MAX)) {
		error_set(error, "an RSA key of %u bits is not supported (%d to %d are)", bits,
			  RSA_BITS_MIN, RSA_BITS_MAX);
		goto fail;
	}
	key = malloc(sizeof(*key));
	if (!key) {
		error_set(error, "out of memory");
		goto fail;
	}
	*key = (struct crypto_key){
		.pkey = pkey,
		.id = atomic_fetch_add_explicit(&last_id, 1, memory_order_relaxed) + 1,
		.algorithm = type == EVP_PKEY_RSA ? CRYPTO_RSA : CRYPTO_ED25519,
		.bits = type == EVP_PKEY_RSA ? bits : ED25519_BITS,
		.signature_size = (u32)EVP_PKEY_get_size(pkey),
	};
	if (key_proves_itself(key, error))
		return key;
fail:
	free(key);
	EVP_PKEY_free(pkey);
	return NULL;
}

struct crypto_key *crypto_key_generate(enum crypto_algorithm algorithm, u32 bits,
				       struct error *error)
{
	EVP_PKEY *pkey = NULL;
	EVP_PKEY_CTX *ctx = NULL;
	bool ok;

	if (algorithm == CRYPTO_RSA && (bits < RSA_BITS_MIN || bits > RSA_BITS_MAX)) {
		error_set(error, "an RSA key needs %d to %d bits, not %u", RSA_BITS_MIN,
			  RSA_BITS_MAX, bits);
		return NULL;
	}
	errno = 0;
	ctx = EVP_PKEY_CTX_new_id(algorithm == CRYPTO_RSA ? EVP_PKEY_RSA : EVP_PKEY_ED25519, NULL);
	ok = ctx && EVP_PKEY_keygen_init(ctx) == 1;
	if (ok && algorithm == CRYPTO_RSA)
		ok = EVP_PKEY_CTX_set_rsa_keygen_bits(ctx, (int)bits) == 1;
	ok = ok && EVP_PKEY_keygen(ctx, &pkey) == 1;
	EVP_PKEY_CTX_free(ctx);
	if (!ok) {
		refuse(error, "the key could not be made");
		return NULL;
	}
	return key_wrap(pkey, error);
}

/* Called when the PEM is encrypted: notes that, and gives no password. */
static int on_password(char *out, int size, int writing, void *asked)
{
	(void)out;
	(void)size;
	(void)writing;
	*(bool *)asked = true;
	return -1;
}

struct crypto_key *crypto_key_from_pem(struct slice pem, struct error *error)
{
	bool asked = false;
	EVP_PKEY *pkey = NULL;
	BIO *bio;

	if (pem.len == 0 || pem.len > INT_MAX) {
		error_set(error, "no private key in it");
		return NULL;
	}
	errno = 0;
	bio = BIO_new_mem_buf(pem.ptr, (int)pem.len);
	if (bio)
		pkey = PEM_read_bio_PrivateKey(bio, NULL, on_password, &asked);
	BIO_free(bio);
	if (!pkey) {
		refuse(error, asked ? "the private key is encrypted with a password"
				    : "no PEM private key in it");
		return NULL;
	}
	return key_wrap(pkey, error);
}

bool crypto_key_to_pem(const struct crypto_key *key, struct buf *out)
{
	BIO *bio = BIO_new(BIO_s_secmem()); /* wiped when freed, unlike a plain memory BIO */
	char *text;
	long len;
	bool ok;

	ok = bio && PEM_write_bio_PKCS8PrivateKey(bio, key->pkey, NULL, NULL, 0, NULL, NULL) == 1;
	len = ok ? BIO_get_mem_data(bio, &text) : 0;
	if (ok)
		buf_add(out, text, (size_t)len);
	BIO_free(bio);
	ERR_clear_error();
	return ok && !out->failed;
}

void crypto_key_free(struct crypto_key *key)
{
	if (!key)
		return;
	EVP_PKEY_free(key->pkey); /* OpenSSL wipes the numbers */
	free(key);
}

u64 crypto_key_id(const struct crypto_key *key)
{
	return key->id;
}

enum crypto_algorithm crypto_key_algorithm(const struct crypto_key *key)
{
	return key->algorithm;
}

u32 crypto_key_bits(const struct crypto_key *key)
{
	return key->bits;
}

size_t crypto_key_signature_size(const struct crypto_key *key)
{
	return key->signature_size;
}

bool crypto_key_public(const struct crypto_key *key, struct buf *out)
{
	size_t len = ED25519_PUBLIC_SIZE;
	unsigned char *to;
	char *room;
	int der;

	if (key->algorithm == CRYPTO_ED25519) {
		room = buf_reserve(out, len);
		if (!room || EVP_PKEY_get_raw_public_key(key->pkey, (u8 *)room, &len) != 1)
			return false;
		buf_advance(out, len);
		return true;
	}
	der = i2d_PUBKEY(key->pkey, NULL);
	room = der > 0 ? buf_reserve(out, (size_t)der) : NULL;
	to = (unsigned char *)room;
	if (!room || i2d_PUBKEY(key->pkey, &to) != der)
		return false;
	buf_advance(out, (size_t)der);
	return true;
}

/* A parameter's number as big-endian bytes. Its length in bits; 0 if it is absent or too long. */
static u32 number(const EVP_PKEY *pkey, const char *name, u8 *out, u32 size)
{
	BIGNUM *bn = NULL;
	u32 bits = 0;

	if (EVP_PKEY_get_bn_param(pkey, name, &bn) == 1 && BN_bn2binpad(bn, out, (int)size) >= 0)
		bits = (u32)BN_num_bits(bn);
	BN_clear_free(bn);
	return bits;
}

static bool read_numbers(const EVP_PKEY *pkey, struct crypto_rsa_numbers *out)
{
	const u32 size = out->prime_size;
	u8 exponent[sizeof(u64)];
	u8 third[CRYPTO_SIGNATURE_MAX / 2];

	if (number(pkey, OSSL_PKEY_PARAM_RSA_FACTOR3, third, sizeof(third)) > 0)
		return false;
	out->prime_bits = number(pkey, OSSL_PKEY_PARAM_RSA_FACTOR1, out->p, size);
	if (out->prime_bits == 0 ||
	    number(pkey, OSSL_PKEY_PARAM_RSA_FACTOR2, out->q, size) != out->prime_bits ||
	    number(pkey, OSSL_PKEY_PARAM_RSA_EXPONENT1, out->exponent_p, size) == 0 ||
	    number(pkey, OSSL_PKEY_PARAM_RSA_EXPONENT2, out->exponent_q, size) == 0 ||
	    number(pkey, OSSL_PKEY_PARAM_RSA_COEFFICIENT1, out->q_inverse, size) == 0 ||
	    number(pkey, OSSL_PKEY_PARAM_RSA_N, out->modulus, out->modulus_size) == 0 ||
	    number(pkey, OSSL_PKEY_PARAM_RSA_E, exponent, sizeof(exponent)) == 0)
		return false;
	for (size_t i = 0; i < sizeof(exponent); i++)
		out->exponent = out->exponent << 8 | exponent[i];
	return true;
}

bool crypto_key_rsa_numbers(const struct crypto_key *key, struct crypto_rsa_numbers *out)
{
	bool ok;

	memset(out, 0, sizeof(*out));
	if (key->algorithm != CRYPTO_RSA || key->signature_size % 2 != 0)
		return false;
	out->modulus_size = key->signature_size;
	out->prime_size = key->signature_size / 2;
	ok = read_numbers(key->pkey, out);
	ERR_clear_error();
	if (!ok)
		explicit_bzero(out, sizeof(*out));
	return ok;
}

struct crypto_signer *crypto_signer_open(const struct crypto_key *key, struct error *error)
{
	errno = 0;
	return open_signer(key, error);
}

size_t crypto_sign_digest(struct crypto_signer *signer, const u8 digest[SHA256_SIZE],
			  u8 out[CRYPTO_SIGNATURE_MAX])
{
	size_t len = CRYPTO_SIGNATURE_MAX;
	bool ok;

	if (signer->rsa)
		ok = EVP_PKEY_sign(signer->rsa, out, &len, digest, SHA256_SIZE) == 1;
	else /* an EdDSA context is used up by one signature: make it new, in its own memory */
		ok = EVP_DigestSignInit(signer->ed25519, NULL, NULL, NULL, signer->pkey) == 1 &&
		     EVP_DigestSign(signer->ed25519, out, &len, digest, SHA256_SIZE) == 1;
	if (ok && len == signer->signature_size)
		return len;
	ERR_clear_error();
	return 0;
}
