#include "base/crypto.h"

#include <limits.h>
#include <stdlib.h>

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>

#define RSA_BITS_MIN 1024
#define RSA_BITS_MAX 4096

struct crypto_public_key {
	EVP_PKEY *pkey;
};

/* Takes pkey's reference; one that was refused (error set) is freed. */
static struct crypto_public_key *own(EVP_PKEY *pkey, bool is_taken, struct error *error)
{
	struct crypto_public_key *key = is_taken ? malloc(sizeof(*key)) : NULL;

	if (key)
		key->pkey = pkey;
	else
		EVP_PKEY_free(pkey);
	if (is_taken && !key)
		error_set(error, "out of memory");
	return key;
}

struct crypto_public_key *crypto_public_key_from_pem(struct slice pem, struct error *error)
{
	EVP_PKEY *pkey = NULL;
	BIO *bio = NULL;
	bool is_taken = true;

	if (pem.len > 0 && pem.len <= INT_MAX)
		bio = BIO_new_mem_buf(pem.ptr, (int)pem.len);
	if (bio)
		pkey = PEM_read_bio_PUBKEY(bio, NULL, NULL, NULL);
	BIO_free(bio);
	ERR_clear_error();
	if (!pkey)
		is_taken = error_set(error, "no PEM public key in it");
	else if (EVP_PKEY_get_base_id(pkey) != EVP_PKEY_ED25519)
		is_taken = error_set(error, "the public key is not Ed25519");
	return own(pkey, is_taken, error);
}

struct crypto_public_key *crypto_public_key_from_dkim(enum crypto_algorithm algorithm,
						      struct slice bytes, struct error *error)
{
	const u8 *at = (const u8 *)bytes.ptr;
	EVP_PKEY *pkey;
	bool is_taken = true;

	if (algorithm == CRYPTO_ED25519)
		pkey = EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, NULL, at, bytes.len);
	else
		pkey = d2i_PUBKEY(NULL, &at, (long)min_size(bytes.len, LONG_MAX));
	ERR_clear_error();
	if (!pkey)
		is_taken = error_set(error, "no public key in it");
	else if (algorithm == CRYPTO_RSA && EVP_PKEY_get_base_id(pkey) != EVP_PKEY_RSA)
		is_taken = error_set(error, "the public key is not RSA");
	else if (algorithm == CRYPTO_RSA &&
		 (EVP_PKEY_get_bits(pkey) < RSA_BITS_MIN || EVP_PKEY_get_bits(pkey) > RSA_BITS_MAX))
		is_taken = error_set(error, "the public key has %d bits", EVP_PKEY_get_bits(pkey));
	return own(pkey, is_taken, error);
}

void crypto_public_key_free(struct crypto_public_key *key)
{
	if (!key)
		return;
	EVP_PKEY_free(key->pkey);
	free(key);
}

bool crypto_verify(const struct crypto_public_key *key, struct slice message,
		   const u8 signature[CRYPTO_ED25519_SIGNATURE])
{
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	bool ok;

	ok = ctx && EVP_DigestVerifyInit(ctx, NULL, NULL, NULL, key->pkey) == 1 &&
	     EVP_DigestVerify(ctx, signature, CRYPTO_ED25519_SIGNATURE, (const u8 *)message.ptr,
			      message.len) == 1;
	EVP_MD_CTX_free(ctx);
	ERR_clear_error();
	return ok;
}

static bool verify_rsa(EVP_PKEY *pkey, const u8 digest[SHA256_SIZE], const u8 *signature,
		       size_t len)
{
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new(pkey, NULL);
	bool ok;

	ok = ctx && EVP_PKEY_verify_init(ctx) == 1 &&
	     EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_PKCS1_PADDING) == 1 &&
	     EVP_PKEY_CTX_set_signature_md(ctx, EVP_sha256()) == 1 &&
	     EVP_PKEY_verify(ctx, signature, len, digest, SHA256_SIZE) == 1;
	EVP_PKEY_CTX_free(ctx);
	ERR_clear_error();
	return ok;
}

bool crypto_verify_digest(const struct crypto_public_key *key, const u8 digest[SHA256_SIZE],
			  const u8 *signature, size_t len)
{
	if (EVP_PKEY_get_base_id(key->pkey) == EVP_PKEY_RSA)
		return verify_rsa(key->pkey, digest, signature, len);
	return len == CRYPTO_ED25519_SIGNATURE &&
	       crypto_verify(key, (struct slice){ (const char *)digest, SHA256_SIZE }, signature);
}
