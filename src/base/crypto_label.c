#include "base/crypto.h"

#include "base/check.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <string.h>

#define PREFIX "tls13 "
#define LABEL_MAX 16

size_t crypto_hash_size(enum crypto_hash hash)
{
	return hash == CRYPTO_SHA384 ? 48 : SHA256_SIZE;
}

/* One block of HKDF-Expand (RFC 5869 section 2.3) is as long as the hash: that is enough here. */
bool crypto_expand_label(enum crypto_hash hash, const u8 *secret, const char *label, u8 *out,
			 size_t len)
{
	const EVP_MD *md = hash == CRYPTO_SHA384 ? EVP_sha384() : EVP_sha256();
	const size_t size = crypto_hash_size(hash);
	const size_t label_len = strlen(label);
	u8 info[2 + 1 + sizeof(PREFIX) + LABEL_MAX + 1 + 1];
	u8 block[CRYPTO_HASH_MAX];
	size_t at = 0;
	bool made;

	ASSERT(len <= size && label_len <= LABEL_MAX);
	info[at++] = 0;
	info[at++] = (u8)len;
	info[at++] = (u8)(sizeof(PREFIX) - 1 + label_len);
	memcpy(info + at, PREFIX, sizeof(PREFIX) - 1);
	at += sizeof(PREFIX) - 1;
	memcpy(info + at, label, label_len);
	at += label_len;
	info[at++] = 0; /* the context is empty */
	info[at++] = 1; /* the number of the block */
	made = HMAC(md, secret, (int)size, info, at, block, NULL) != NULL;
	if (made)
		memcpy(out, block, len);
	explicit_bzero(block, sizeof(block));
	return made;
}
