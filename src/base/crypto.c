/*
 * OpenSSL 3 wants hashes behind EVP, whose contexts live on the heap and cannot be copied by
 * assignment. A midstate that is plain data is worth more to us than the newer interface, so this
 * one file uses the deprecated SHA256_* functions; they reach the same assembly (SHA-NI, AVX).
 */
#define OPENSSL_SUPPRESS_DEPRECATED

#include "base/crypto.h"

#include <assert.h>
#include <string.h>

#include <openssl/crypto.h>
#include <openssl/sha.h>

#define SHA256_BLOCK 64

static_assert(sizeof(SHA256_CTX) == sizeof(((struct sha256 *)0)->state),
	      "struct sha256 must hold OpenSSL's state exactly");
static_assert(_Alignof(SHA256_CTX) <= _Alignof(struct sha256), "and be aligned for it");
static_assert(SHA256_DIGEST_LENGTH == SHA256_SIZE, "both name the size of a SHA-256 digest");

static SHA256_CTX *sha256_state(struct sha256 *h)
{
	return (SHA256_CTX *)(void *)h->state;
}

void sha256_init(struct sha256 *h)
{
	SHA256_Init(sha256_state(h));
}

void sha256_add(struct sha256 *h, const void *bytes, size_t len)
{
	if (len > 0)
		SHA256_Update(sha256_state(h), bytes, len);
}

void sha256_finish(struct sha256 *h, u8 out[SHA256_SIZE])
{
	SHA256_Final(out, sha256_state(h));
}

/* RFC 2104: H((K ^ opad) || H((K ^ ipad) || text)). */
void hmac_sha256(u8 out[SHA256_SIZE], const void *key, size_t key_len, const void *bytes,
		 size_t len)
{
	u8 block[SHA256_BLOCK] = { 0 };
	struct sha256 h;

	sha256_init(&h);
	if (key_len > SHA256_BLOCK) {
		sha256_add(&h, key, key_len);
		sha256_finish(&h, block);
	} else if (key_len > 0) {
		memcpy(block, key, key_len);
	}
	for (size_t i = 0; i < SHA256_BLOCK; i++)
		block[i] ^= 0x36;
	sha256_init(&h);
	sha256_add(&h, block, sizeof(block));
	sha256_add(&h, bytes, len);
	sha256_finish(&h, out);
	for (size_t i = 0; i < SHA256_BLOCK; i++)
		block[i] ^= 0x36 ^ 0x5c;
	sha256_init(&h);
	sha256_add(&h, block, sizeof(block));
	sha256_add(&h, out, SHA256_SIZE);
	sha256_finish(&h, out);
	OPENSSL_cleanse(block, sizeof(block));
	OPENSSL_cleanse(&h, sizeof(h));
}

bool crypto_equal(const void *a, const void *b, size_t len)
{
	return CRYPTO_memcmp(a, b, len) == 0;
}
