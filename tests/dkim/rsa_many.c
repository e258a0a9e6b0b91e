/*
 * rsa_many BITS MESSAGES KEYS: signs random digests in batches and one by one with OpenSSL and
 * compares them byte for byte. Prints what was compared; any difference ends it with 1.
 */
#include "dkim/rsa_batch.h"

#include "base/random.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct pair {
	struct crypto_key *key;
	struct crypto_signer *alone;
	struct rsa_batch_key *prepared;
};

static bool pair_make(struct pair *pair, u32 bits)
{
	pair->key = crypto_key_generate(CRYPTO_RSA, bits, NULL);
	pair->alone = pair->key ? crypto_signer_open(pair->key, NULL) : NULL;
	pair->prepared = pair->key ? rsa_batch_key_make(pair->key) : NULL;
	return pair->alone && pair->prepared;
}

static void pair_drop(struct pair *pair)
{
	rsa_batch_key_free(pair->prepared);
	crypto_signer_close(pair->alone);
	crypto_key_free(pair->key);
}

/* Eight messages with eight keys of many. */
static bool compare(struct rsa_batch *batch, struct pair *pairs, size_t count, struct random *random)
{
	u8 digest[RSA_BATCH_MAX][SHA256_SIZE];
	u8 signature[RSA_BATCH_MAX][CRYPTO_SIGNATURE_MAX];
	u8 expected[CRYPTO_SIGNATURE_MAX];
	struct rsa_batch_item items[RSA_BATCH_MAX];
	struct pair *with[RSA_BATCH_MAX];

	for (u32 i = 0; i < RSA_BATCH_MAX; i++) {
		with[i] = &pairs[random_below(random, count)];
		for (u32 j = 0; j < SHA256_SIZE; j++)
			digest[i][j] = (u8)random_u64(random);
		items[i] = (struct rsa_batch_item){ with[i]->prepared, digest[i], signature[i] };
	}
	if (rsa_batch_sign(batch, items, RSA_BATCH_MAX) != (1 << RSA_BATCH_MAX) - 1)
		return false;
	for (u32 i = 0; i < RSA_BATCH_MAX; i++) {
		size_t len = crypto_sign_digest(with[i]->alone, digest[i], expected);

		if (len == 0 || memcmp(signature[i], expected, len) != 0)
			return false;
	}
	return true;
}

int main(int argc, char **argv)
{
	struct rsa_batch *batch = rsa_batch_open(RSA_BATCH_IFMA);
	u32 bits = argc == 4 ? (u32)strtoul(argv[1], NULL, 10) : 0;
	u64 messages = argc == 4 ? strtoull(argv[2], NULL, 10) : 0;
	size_t count = argc == 4 ? strtoul(argv[3], NULL, 10) : 0;
	struct pair *pairs = count ? calloc(count, sizeof(*pairs)) : NULL;
	struct random random;
	u64 done = 0;
	bool same = true;

	if (!pairs) {
		fprintf(stderr, "usage: rsa_many BITS MESSAGES KEYS\n");
		return 2;
	}
	if (!batch) {
		printf("this processor has no AVX-512 IFMA: nothing to compare\n");
		free(pairs);
		return 0;
	}
	random_seed(&random, bits);
	for (size_t i = 0; same && i < count; i++)
		same = pair_make(&pairs[i], bits);
	for (; same && done < messages; done += RSA_BATCH_MAX)
		same = compare(batch, pairs, count, &random);
	printf("RSA-%u, %zu keys: %llu signatures %s OpenSSL's\n", bits, count,
	       (unsigned long long)done, same ? "are bit for bit" : "compared, then one differed from");
	for (size_t i = 0; i < count; i++)
		pair_drop(&pairs[i]);
	free(pairs);
	rsa_batch_close(batch);
	return !same;
}
