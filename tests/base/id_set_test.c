/* A set of hashes. */
#include "base/id_set.h"

#include "base/fail_alloc.h"
#include "base/random.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void what_was_added_is_there_and_nothing_else(void **state)
{
	struct id_set set = { 0 };
	struct random in;
	struct random out;

	(void)state;
	random_seed(&in, 1);
	random_seed(&out, 2);
	assert_false(id_set_has(&set, 0));
	assert_true(id_set_add(&set, 0));
	assert_true(id_set_has(&set, 0));
	for (u32 i = 0; i < 100000; i++)
		assert_true(id_set_add(&set, random_u64(&in)));
	assert_int_equal(set.count, 100001);
	random_seed(&in, 1);
	for (u32 i = 0; i < 100000; i++) {
		u64 id = random_u64(&in);

		assert_true(id_set_has(&set, id));
		assert_true(id_set_add(&set, id));
		assert_false(id_set_has(&set, random_u64(&out)));
	}
	assert_int_equal(set.count, 100001);
	id_set_done(&set);
	assert_false(id_set_has(&set, 0));
}

static void without_memory_nothing_is_added_or_lost(void **state)
{
	struct id_set set = { 0 };
	u64 id = 1;

	(void)state;
	fail_alloc(1);
	assert_false(id_set_add(&set, 7));
	assert_true(fail_alloc_end());
	assert_false(id_set_has(&set, 7));
	while (set.size == 0 || set.count * 4 < set.size * 3)
		assert_true(id_set_add(&set, id++ * 0x9e3779b97f4a7c15ull));
	fail_alloc(1);
	assert_false(id_set_add(&set, 7));
	assert_true(fail_alloc_end());
	for (u64 i = 1; i < id; i++)
		assert_true(id_set_has(&set, i * 0x9e3779b97f4a7c15ull));
	assert_true(id_set_add(&set, 7));
	id_set_done(&set);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_was_added_is_there_and_nothing_else),
		cmocka_unit_test(without_memory_nothing_is_added_or_lost),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
