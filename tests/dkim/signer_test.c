/* Which signatures are made together, and that none is mistaken for another. */
#include "dkim/plan.h"
#include "dkim/sign.h"

#include "base/random.h"
#include "base/text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define KEYS 70 /* more than a signer keeps */
#define WORKS 200

static struct dkim_key keys[KEYS];
static struct dkim_plan *plans[KEYS];

static const struct dkim_field fields[] = {
	{ SLICE("From"), SLICE(" a@news.example") },
	{ SLICE("To"), SLICE_NONE },
};

static int make_keys(void **state)
{
	(void)state;
	for (u32 i = 0; i < KEYS; i++) {
		const struct dkim_key *const list[] = { &keys[i] };
		struct dkim_plan_params params = { .keys = list,
						   .key_count = 1,
						   .from_domain = SLICE("news.example"),
						   .fields = fields,
						   .field_count = array_count(fields),
						   .body_canon = DKIM_RELAXED };
		/* Three kinds: two lengths of RSA, which are different groups, and none. */
		bool rsa = i % 5 != 4;

		keys[i] = (struct dkim_key){ .domain = "news.example", .selector = "s" };
		keys[i].private_key = crypto_key_generate(rsa ? CRYPTO_RSA : CRYPTO_ED25519,
							  i % 5 == 0 ? 1536 : 1024, NULL);
		plans[i] = dkim_plan_make(&params, NULL);
		if (!keys[i].private_key || !plans[i])
			return -1;
	}
	return 0;
}

static int drop_keys(void **state)
{
	(void)state;
	for (u32 i = 0; i < KEYS; i++) {
		dkim_plan_free(plans[i]);
		crypto_key_free(keys[i].private_key);
	}
	return 0;
}

static void assert_signed(const struct dkim_work *work)
{
	const struct crypto_key *key = work->plan->signatures[0].key->private_key;
	struct crypto_signer *signer = crypto_signer_open(key, NULL);
	u8 expected[CRYPTO_SIGNATURE_MAX];
	size_t len;

	assert_non_null(signer);
	len = crypto_sign_digest(signer, work->digest[0], expected);
	assert_int_equal(work->signature_len[0], len);
	assert_memory_equal(work->signature[0], expected, len);
	crypto_signer_close(signer);
}

static void sign_and_compare(struct dkim_signer *signer, u32 count, u32 first_key, u32 key_count)
{
	static struct dkim_work work[WORKS];
	struct dkim_work *works[WORKS];
	struct buf header;

	buf_init(&header, 65536);
	for (u32 i = 0; i < count; i++) {
		struct slice to = SLICE(" b@x.test");
		u8 body[SHA256_SIZE];

		random_bytes(body, sizeof(body));
		works[i] = &work[i];
		buf_reset(&header);
		assert_true(dkim_prepare(&work[i], plans[(first_key + i) % key_count], &to, 1, body,
					 1790000000, &header));
	}
	assert_true(dkim_sign(signer, works, count));
	for (u32 i = 0; i < count; i++)
		assert_signed(&work[i]);
	assert_int_equal(dkim_signer_take_refused(signer), 0);
	buf_done(&header);
}

static void any_number_of_messages_may_be_signed_together(void **state)
{
	struct dkim_signer *signer = dkim_signer_open();

	(void)state;
	for (u32 count = 0; count <= 20; count++)
		sign_and_compare(signer, count, 1, 2);
	dkim_signer_close(signer);
}

static void more_keys_than_a_signer_keeps_may_be_in_one_batch(void **state)
{
	struct dkim_signer *signer = dkim_signer_open();

	(void)state;
	for (u32 round = 0; round < 3; round++)
		sign_and_compare(signer, WORKS, round * 7, KEYS);
	dkim_signer_close(signer);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(any_number_of_messages_may_be_signed_together),
		cmocka_unit_test(more_keys_than_a_signer_keeps_may_be_in_one_batch),
	};

	return cmocka_run_group_tests(tests, make_keys, drop_keys);
}
