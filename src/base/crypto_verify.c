#include "base/crypto.h"

#include <limits.h>
#include <stdlib.h>

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>

struct crypto_public_key {
	EVP_PKEY *pkey;
};

struct crypto_public_key *crypto_public_key_from_pem(struct slice pem, struct error *error)
{
	struct crypto_public_key *key = NULL;
	EVP_PKEY *pkey = NULL;
	BIO *bio = NULL;

	if (pem.len > 0 && pem.len <= INT_MAX)
		bio = BIO_new_mem_buf(pem.ptr, (int)pem.len);
	if (bio)
		pkey = PEM_read_bio_PUBKEY(bio, NULL, NULL, NULL);
	BIO_free(bio);
	ERR_clear_error();
	if (!pkey) {
		error_set(error, "no PEM public key in it");
		return NULL;
	}
	if (EVP_PKEY_get_base_id(pkey) != EVP_PKEY_ED25519)
		error_set(error, "the public key is not Ed25519");
	else if (!(key = malloc(sizeof(*key))))
		error_set(error, "out of memory");
	if (!key) {
		EVP_PKEY_free(pkey);
		return NULL;
	}
	key->pkey = pkey;
	return key;
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
