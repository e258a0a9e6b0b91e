/* Ciphertext on its way out: order, what stands still, and whose memory it is. */
#include "base/fail_alloc.h"
#include "io/cipher.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

static char text[CIPHER_BLOCK];

static void fill_text(void)
{
	for (size_t i = 0; i < sizeof(text); i++)
		text[i] = (char)(i * 2654435761u >> 11);
}

static void what_is_added_while_something_is_under_way_waits_behind_it(void **state)
{
	struct cipher_pool pool = { 0 };
	struct cipher cipher;
	struct slice out;

	(void)state;
	fill_text();
	cipher_init(&cipher, &pool);
	assert_int_equal(cipher_next(&cipher).len, 0);
	assert_true(cipher_add(&cipher, text, 10));
	assert_true(cipher_add(&cipher, text + 10, 20));
	out = cipher_next(&cipher);
	assert_int_equal(out.len, 30);
	assert_true(cipher_add(&cipher, text + 30, 30000));
	/* What is under way stands where it stood. */
	assert_ptr_equal(cipher_next(&cipher).ptr, out.ptr);
	assert_int_equal(cipher_next(&cipher).len, 30);
	assert_memory_equal(out.ptr, text, 30);
	cipher_sent(&cipher, 12);
	assert_ptr_equal(cipher_next(&cipher).ptr, out.ptr + 12);
	assert_int_equal(cipher_next(&cipher).len, 18);
	cipher_sent(&cipher, 18);
	out = cipher_next(&cipher);
	assert_int_equal(out.len, 30000);
	assert_memory_equal(out.ptr, text + 30, 30000);
	cipher_sent(&cipher, 30000);
	assert_int_equal(cipher_next(&cipher).len, 0);
	cipher_done(&cipher);
	cipher_pool_done(&pool);
}

static void one_that_has_nothing_under_way_holds_no_memory_and_blocks_are_used_by_turns(void **state)
{
	struct cipher_pool pool = { 0 };
	struct cipher ciphers[3];
	struct slice first, out;

	(void)state;
	for (u32 i = 0; i < 3; i++)
		cipher_init(&ciphers[i], &pool);
	for (u32 i = 0; i < 3; i++) {
		assert_true(cipher_add(&ciphers[i], text, 9000));
		out = cipher_next(&ciphers[i]);
		if (i == 0)
			first = out;
		assert_ptr_equal(out.ptr, first.ptr);
		cipher_sent(&ciphers[i], out.len);
		assert_null(ciphers[i].going.ptr);
		assert_null(ciphers[i].ready.ptr);
		assert_int_equal(pool.count, 1);
	}
	/* A command or a handshake is not worth a block. */
	assert_true(cipher_add(&ciphers[0], text, 100));
	assert_int_equal(pool.count, 1);
	for (u32 i = 0; i < 3; i++)
		cipher_done(&ciphers[i]);
	cipher_pool_done(&pool);
}

static void what_a_peer_never_reads_ends_at_a_limit_and_nothing_goes_then(void **state)
{
	struct cipher_pool pool = { 0 };
	struct cipher cipher;
	u32 added = 0;

	(void)state;
	cipher_init(&cipher, &pool);
	while (cipher_add(&cipher, text, 16384))
		added++;
	assert_int_equal(added, 16);
	assert_true(cipher_has_failed(&cipher));
	assert_false(cipher_add(&cipher, text, 1));
	assert_int_equal(cipher_next(&cipher).len, 0);
	cipher_done(&cipher);
	assert_int_equal(pool.count, 0); /* it had grown: no block any more */
	cipher_pool_done(&pool);
}

static void without_memory_it_fails_and_says_so(void **state)
{
	struct cipher_pool pool = { 0 };
	struct cipher cipher;
	struct slice out;

	(void)state;
	cipher_init(&cipher, &pool);
	/* The block fails, the buffer's own try does not. */
	fail_alloc(1);
	assert_true(cipher_add(&cipher, text, 9000));
	assert_true(fail_alloc_end());
	out = cipher_next(&cipher);
	assert_int_equal(out.len, 9000);
	fail_alloc(1);
	assert_false(cipher_add(&cipher, text, 100));
	assert_true(fail_alloc_end());
	assert_true(cipher_has_failed(&cipher));
	cipher_sent(&cipher, 9000);
	assert_int_equal(cipher_next(&cipher).len, 0);
	cipher_done(&cipher);
	cipher_pool_done(&pool);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_added_while_something_is_under_way_waits_behind_it),
		cmocka_unit_test(one_that_has_nothing_under_way_holds_no_memory_and_blocks_are_used_by_turns),
		cmocka_unit_test(what_a_peer_never_reads_ends_at_a_limit_and_nothing_goes_then),
		cmocka_unit_test(without_memory_it_fails_and_says_so),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
