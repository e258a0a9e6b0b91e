#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "web/repeat.h"

#include <stdio.h>
#include <string.h>

static struct repeats repeats;
static const u8 one[SHA256_SIZE] = { 1 };
static const u8 other[SHA256_SIZE] = { 1, [SHA256_SIZE - 1] = 1 };

static void a_key_that_comes_with_another_body_is_seen(void **state)
{
	(void)state;
	repeats_init(&repeats);
	assert_false(repeats_differ(&repeats, "a", one));
	repeats_note(&repeats, "a", one);
	assert_false(repeats_differ(&repeats, "a", one));
	assert_true(repeats_differ(&repeats, "a", other));
	assert_false(repeats_differ(&repeats, "b", other));
}

static void it_forgets_and_is_never_wrong_about_what_it_knows(void **state)
{
	u32 known = 0;
	char id[REPEAT_ID_SIZE];

	(void)state;
	repeats_init(&repeats);
	for (u32 i = 0; i < 4 * REPEATS_MAX; i++) {
		snprintf(id, sizeof(id), "id%u", i);
		repeats_note(&repeats, id, i % 2 ? one : other);
	}
	for (u32 i = 0; i < 4 * REPEATS_MAX; i++) {
		snprintf(id, sizeof(id), "id%u", i);
		assert_false(repeats_differ(&repeats, id, i % 2 ? one : other));
		known += repeats_differ(&repeats, id, i % 2 ? other : one);
	}
	assert_true(known > REPEATS_MAX / 2 && known <= REPEATS_MAX);
}

static void an_id_that_is_too_long_is_not_known(void **state)
{
	char id[REPEAT_ID_SIZE + 1];

	(void)state;
	repeats_init(&repeats);
	memset(id, 'x', sizeof(id) - 1);
	id[sizeof(id) - 1] = '\0';
	repeats_note(&repeats, id, one);
	assert_false(repeats_differ(&repeats, id, other));
	id[REPEAT_ID_SIZE - 1] = '\0';
	assert_false(repeats_differ(&repeats, id, other));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_key_that_comes_with_another_body_is_seen),
		cmocka_unit_test(it_forgets_and_is_never_wrong_about_what_it_knows),
		cmocka_unit_test(an_id_that_is_too_long_is_not_known),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
