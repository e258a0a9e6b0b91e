/*
 * rsa_secrets_many BITS [leak]: for a run under valgrind's memcheck. The secret words of keys count
 * as uninitialized, so every branch and every address that depends on them, at any number of steps,
 * is reported. With `leak` one branch on a secret is added: the check itself must notice.
 */
#include "dkim/rsa_batch.h"
#include "dkim/rsa_lanes.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <valgrind/memcheck.h>

static void fill(struct rsa_lanes *lanes, const struct rsa_batch_key *key)
{
	u64 *words = (u64 *)lanes->key;
	u64 *message = (u64 *)lanes->message;

	memset(lanes, 0, sizeof(*lanes));
	lanes->k = key->k;
	lanes->prime_bits = key->prime_bits;
	for (size_t i = 0; i < RSA_KEY_WORDS(key->k) * RSA_LANES; i++)
		words[i] = key->words[i / RSA_LANES];
	/* Any number below the modulus. */
	for (size_t i = 0; i < (2 * key->k - 2) * RSA_LANES; i++)
		message[i] = (i * 0x9e3779b97f4a7c15ull) & RSA_LIMB_MASK;
	VALGRIND_MAKE_MEM_UNDEFINED(lanes->key, RSA_KEY_MODULUS(key->k) * sizeof(lanes->key[0]));
}

int main(int argc, char **argv)
{
	u32 bits = argc > 1 ? (u32)strtoul(argv[1], NULL, 10) : 0;
	struct crypto_key *key = crypto_key_generate(CRYPTO_RSA, bits, NULL);
	struct rsa_batch_key *prepared = key ? rsa_batch_key_make(key) : NULL;
	struct rsa_lanes *lanes = aligned_alloc(64, sizeof(*lanes));
	u32 good;

	if (!prepared || !lanes)
		return 2;
	fill(lanes, prepared);
	if (argc > 2 && ((u64 *)lanes->key)[0] & 2)
		puts("leak");
	good = rsa_lanes_sign_portable(lanes);
	VALGRIND_MAKE_MEM_DEFINED(&good, sizeof(good));
	printf("lanes signed: %u\n", (u32)__builtin_popcount(good));
	free(lanes);
	rsa_batch_key_free(prepared);
	crypto_key_free(key);
	return good != 0xff;
}
