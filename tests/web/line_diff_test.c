/* What line_diff.h promises. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/text.h"
#include "web/line_diff.h"

#include <stdio.h>
#include <string.h>

static struct arena arena;
static struct line_diff diff;
static char shown[4096];

static void compare(const char *before, const char *after)
{
	static const char signs[] = { [LINE_SAME] = ' ', [LINE_GONE] = '-', [LINE_NEW] = '+' };
	size_t at = 0;

	arena_done(&arena);
	arena_init(&arena, 4096, 64u << 20);
	assert_true(line_diff_make(slice_of(before), slice_of(after), &arena, &diff));
	shown[0] = '\0';
	for (size_t i = 0; i < diff.count; i++)
		at += (size_t)snprintf(shown + at, sizeof(shown) - at, "%c%.*s\n",
				       signs[diff.rows[i].kind], SLICE_FMT(diff.rows[i].line));
}

static void what_stays_goes_and_comes_is_told_apart(void **state)
{
	static const struct {
		const char *before;
		const char *after;
		const char *shown;
	} cases[] = {
		{ "", "", "" },
		{ "a\nb\n", "a\nb\n", " a\n b\n" },
		{ "a\nb\nc", "a\nx\nc", " a\n-b\n+x\n c\n" },
		{ "a\nb\nc\nd", "a\nc\nd\ne", " a\n-b\n c\n d\n+e\n" },
		{ "", "a\nb", "+a\n+b\n" },
		{ "a\nb", "", "-a\n-b\n" },
		{ "a\n\nb", "a\nb", " a\n-\n b\n" },
		{ "x\na\nb\nc\ny", "x\nc\na\nb\ny", " x\n+c\n a\n b\n-c\n y\n" },
		{ "a\na\na", "a\na", " a\n a\n-a\n" },
		{ "a", "a\n", " a\n" }, /* a line end at the end is not a line */
	};

	(void)state;
	for (size_t i = 0; i < array_count(cases); i++) {
		compare(cases[i].before, cases[i].after);
		assert_string_equal(shown, cases[i].shown);
		assert_int_equal(diff.differs, strpbrk(shown, "-+") != NULL);
	}
}

/* Both texts can be made of the rows again, whatever they are; and few lines change. */
static void rows_are_both_texts(void **state)
{
	static char before[20000], after[20000], again[20000];
	u32 seed = 7;

	(void)state;
	for (u32 round = 0; round < 200; round++) {
		for (u32 side = 0; side < 2; side++) {
			char *text = side ? after : before;
			size_t at = 0;

			seed = seed * 1664525 + 1013904223;
			for (u32 lines = seed >> 16 & 31; lines > 0; lines--) {
				seed = seed * 1664525 + 1013904223;
				text[at++] = (char)('a' + (seed >> 24 & 3));
				text[at++] = '\n';
			}
			text[at] = '\0';
		}
		compare(before, after);
		for (u32 side = 0; side < 2; side++) {
			enum line_diff_kind other = side ? LINE_GONE : LINE_NEW;
			size_t at = 0;

			for (size_t i = 0; i < diff.count; i++) {
				if (diff.rows[i].kind == other)
					continue;
				again[at++] = diff.rows[i].line.ptr[0];
				again[at++] = '\n';
			}
			again[at] = '\0';
			assert_string_equal(again, side ? after : before);
		}
	}
}

static void what_is_too_large_to_compare_went_and_came(void **state)
{
	static char before[20000], after[20000];

	(void)state;
	for (size_t i = 0; i < 5000; i++) {
		memcpy(before + 2 * i, "a\n", 3);
		memcpy(after + 2 * i, i % 2 ? "a\n" : "b\n", 3);
	}
	arena_done(&arena);
	arena_init(&arena, 4096, 64u << 20);
	assert_true(line_diff_make(slice_of(before), slice_of(after), &arena, &diff));
	assert_int_equal(diff.count, 4999 + 4999 + 1); /* the last line is the same */
	assert_int_equal(diff.rows[0].kind, LINE_GONE);
	assert_int_equal(diff.rows[4999].kind, LINE_NEW);
	assert_int_equal(diff.rows[9998].kind, LINE_SAME);
}

static void an_arena_that_is_full_is_told(void **state)
{
	struct arena small;

	(void)state;
	arena_init(&small, 64, 64);
	assert_false(line_diff_make(SLICE("a\nb\nc"), SLICE("d\ne\nf"), &small, &diff));
	arena_done(&small);
}

static int finish(void **state)
{
	(void)state;
	arena_done(&arena);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_stays_goes_and_comes_is_told_apart),
		cmocka_unit_test(rows_are_both_texts),
		cmocka_unit_test(what_is_too_large_to_compare_went_and_came),
		cmocka_unit_test(an_arena_that_is_full_is_told),
	};

	arena_init(&arena, 4096, 64u << 20);
	return cmocka_run_group_tests(tests, NULL, finish);
}
