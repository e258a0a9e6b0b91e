#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "base/text.h"
#include "web/form.h"

static struct form form;

static enum form_result parse(const char *text)
{
	form_done(&form);
	form_init(&form);
	return form_parse(&form, slice_of(text));
}

static void has(const char *name, const char *value)
{
	struct slice found = form_get(&form, name);

	assert_non_null(found.ptr);
	assert_int_equal(found.len, strlen(value));
	assert_memory_equal(found.ptr, value, found.len);
}

static void fields_are_decoded_as_browsers_encode_them(void **state)
{
	(void)state;
	assert_int_equal(parse("a=1&b=%E6%A3%AE+x%2By&c&=d&e=&f=%3D%26=%25&&"), FORM_OK);
	has("a", "1");
	has("b", "\xe6\xa3\xae x+y");
	has("c", "");
	has("", "d");
	has("e", "");
	has("f", "=&=%");
	assert_int_equal(form.count, 6);
	assert_null(form_get(&form, "g").ptr);
	assert_true(form_has(&form, "c"));
	assert_false(form_has(&form, "A"));
}

static void what_is_no_form_is_refused(void **state)
{
	static const char *const bad[] = { "a=%",  "a=%1",    "a=%zz",    "a=%00", "%00=a",
					   "a=\xff", "a=%E6%A3", "%C0%80=x", "a=%ED%A0%80" };

	(void)state;
	for (size_t i = 0; i < array_count(bad); i++)
		assert_int_equal(parse(bad[i]), FORM_BAD);
}

static void there_is_an_end_to_fields(void **state)
{
	char text[2 * (FORM_FIELDS_MAX + 1) + 1];

	(void)state;
	for (size_t i = 0; i < FORM_FIELDS_MAX + 1; i++)
		memcpy(text + 2 * i, "x&", 2);
	text[2 * FORM_FIELDS_MAX] = '\0';
	assert_int_equal(parse(text), FORM_OK);
	text[2 * FORM_FIELDS_MAX] = 'x';
	text[2 * FORM_FIELDS_MAX + 1] = '\0';
	assert_int_equal(parse(text), FORM_TOO_MUCH);
}

static void text_loses_the_white_space_around_it(void **state)
{
	u64 number = 7;

	(void)state;
	assert_int_equal(parse("a=+%0D%0A+b+c%09&n=+12+&e=++&m=-1"), FORM_OK);
	assert_true(slice_equal(form_text(&form, "a"), SLICE("b c")));
	assert_true(slice_equal(form_text(&form, "none"), SLICE("")));
	assert_true(form_number(&form, "n", &number));
	assert_int_equal(number, 12);
	assert_true(form_number(&form, "e", &number));
	assert_true(form_number(&form, "none", &number));
	assert_int_equal(number, 12);
	assert_false(form_number(&form, "m", &number));
	assert_false(form_number(&form, "a", &number));
}

static void a_name_may_come_more_than_once(void **state)
{
	u32 at = 0;

	(void)state;
	assert_int_equal(parse("list=1&x=0&list=2&list=3"), FORM_OK);
	assert_true(slice_equal(form_next(&form, "list", &at), SLICE("1")));
	assert_true(slice_equal(form_next(&form, "list", &at), SLICE("2")));
	assert_true(slice_equal(form_next(&form, "list", &at), SLICE("3")));
	assert_null(form_next(&form, "list", &at).ptr);
}

static const char *moment_of(const char *text)
{
	static char kept[64];
	char query[64];
	char moment[FORM_MOMENT_SIZE];

	snprintf(query, sizeof(query), "at=%s", text);
	assert_int_equal(parse(query), FORM_OK);
	assert_true(slice_copy(kept, sizeof(kept), form_moment(&form, "at", moment)));
	return kept;
}

static void a_moment_is_read_as_browsers_send_it_and_as_people_type_it(void **state)
{
	(void)state;
	assert_string_equal(moment_of("2026-12-01T09:00"), "2026-12-01 09:00");
	assert_string_equal(moment_of("2026-12-01T09:00:00"), "2026-12-01 09:00");
	assert_string_equal(moment_of("+2026-12-01+09:00+"), "2026-12-01 09:00");
	assert_string_equal(moment_of(""), "");
	/* What it does not understand is told by who checks it. */
	assert_string_equal(moment_of("2026-12-01T09:00:30"), "2026-12-01T09:00:30");
	assert_string_equal(moment_of("tomorrow"), "tomorrow");
	assert_string_equal(moment_of("20261-2-01T09:00"), "20261-2-01T09:00");
	assert_int_equal(form_moment(&form, "nowhere", (char[FORM_MOMENT_SIZE]){ 0 }).len, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(fields_are_decoded_as_browsers_encode_them),
		cmocka_unit_test(what_is_no_form_is_refused),
		cmocka_unit_test(there_is_an_end_to_fields),
		cmocka_unit_test(text_loses_the_white_space_around_it),
		cmocka_unit_test(a_name_may_come_more_than_once),
		cmocka_unit_test(a_moment_is_read_as_browsers_send_it_and_as_people_type_it),
	};
	int failed = cmocka_run_group_tests(tests, NULL, NULL);

	form_done(&form);
	return failed;
}
