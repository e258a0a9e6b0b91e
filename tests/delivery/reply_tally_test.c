/* Shapes of replies, and the tally of those that no pattern knew. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/random.h"
#include "base/text.h"
#include "delivery/reply_tally.h"

#include <stdio.h>
#include <string.h>

/* ---- shapes ---- */

static void check_shape(const char *text, const char *expected)
{
	char shape[SMTP_REPLY_SHAPE_MAX];
	size_t len = smtp_reply_shape(shape, slice_of(text));

	if (!slice_equal((struct slice){ shape, len }, slice_of(expected)))
		fail_msg("\"%s\" has the shape \"%.*s\", not \"%s\"", text, (int)len, shape,
			 expected);
}

static void what_differs_from_reply_to_reply_is_no_part_of_a_shape(void **state)
{
	(void)state;
	check_shape("Not today", "not today");
	check_shape("5.7.1 Not  today", "not today");
	check_shape("5.7.1 Not / 5.7.1 today", "not today");
	check_shape("<kim@one.example>: Not today", "<address> not today");
	check_shape("Not from [192.0.2.9] today, 2001:db8::9!", "not from <number> today <number>");
	check_shape("See https://one.example/?ip=192.0.2.9.", "see <url>");
	check_shape("mx.one.example says no", "<host> says no");
	check_shape("says no. abcdefghijklmnopqrstuvwxyz (4XyZ12)", "says no <id> <number>");
	check_shape("at 10:15:20 12 Nov 2026", "at <number> nov <number>");
	check_shape("!! ... ??", "");
	check_shape("", "");
	check_shape("\xe6\x8b\x92\xe5\x90\xa6\xe3\x81\x95\xe3\x82\x8c\xe3\x81\xbe\xe3\x81\x97"
		    "\xe3\x81\x9f\xe7\x90\x86\xe7\x94\xb1",
		    "\xe6\x8b\x92\xe5\x90\xa6\xe3\x81\x95\xe3\x82\x8c\xe3\x81\xbe\xe3\x81\x97"
		    "\xe3\x81\x9f\xe7\x90\x86\xe7\x94\xb1");
}

static void a_long_shape_ends_with_a_whole_word(void **state)
{
	char text[400];
	char shape[SMTP_REPLY_SHAPE_MAX];
	size_t len;

	(void)state;
	for (size_t i = 0; i < sizeof(text); i++)
		text[i] = i % 9 == 8 ? ' ' : (char)('a' + i % 9);
	len = smtp_reply_shape(shape, (struct slice){ text, sizeof(text) });
	assert_true(len <= SMTP_REPLY_SHAPE_MAX && len > SMTP_REPLY_SHAPE_MAX - 9);
	assert_memory_equal(shape + len - 8, "abcdefgh", 8);
}

/* ---- the tally ---- */

static void note(struct reply_tally *tally, u16 code, const char *text)
{
	const struct reply_sample sample = { .code = code, .enhanced = { code / 100, 7, 1 },
					     .class = SMTP_CLASS_POLICY, .wall_ms = 1000 + code,
					     .text = slice_of(text),
					     .host = SLICE("mx.one.example") };

	reply_tally_note(tally, &sample);
}

static void replies_of_one_shape_are_counted_together(void **state)
{
	struct reply_tally tally = { 0 };
	const struct reply_shape *all[REPLY_TALLY_MAX];

	(void)state;
	note(&tally, 550, "Rare");
	note(&tally, 550, "Not today, kim@one.example (id 17)");
	note(&tally, 550, "5.7.1 not today, ann@two.example (id 18)");
	note(&tally, 450, "Not today, ann@two.example (id 19)");
	assert_int_equal(reply_tally_sort(&tally, all), 3);
	assert_int_equal(tally.total, 4);
	assert_int_equal(all[0]->count, 2);
	assert_int_equal(all[0]->over, 0);
	assert_int_equal(all[0]->code, 550);
	assert_int_equal(all[0]->class, SMTP_CLASS_POLICY);
	assert_int_equal(all[0]->last_ms, 1550);
	assert_memory_equal(all[0]->enhanced, ((u16[]){ 5, 7, 1 }), 6);
	assert_true(slice_equal((struct slice){ all[0]->shape, all[0]->shape_len },
				SLICE("not today <address> id <number>")));
	/* The example is the last one. */
	assert_memory_equal(all[0]->example, "5.7.1 not today, ann", 20);
	assert_memory_equal(all[0]->host, "mx.one.example", 14);
	assert_int_equal(all[1]->count, 1);
	assert_int_equal(all[2]->count, 1);
}

static void what_comes_often_is_kept_however_much_else_comes(void **state)
{
	static const char letters[] = "abcdefghijklmnopqrstuvwxyz";
	static struct reply_tally tally;
	const struct reply_shape *all[REPLY_TALLY_MAX];
	struct random random;
	char text[32];
	u64 often = 0;
	u64 sum = 0;

	(void)state;
	random_seed(&random, 3);
	for (u32 i = 0; i < 20000; i++) {
		if (i % 10 == 0) {
			note(&tally, 550, "the usual words");
			often++;
		}
		for (u32 j = 0; j < 8; j++)
			text[j] = letters[random_below(&random, 26)];
		text[8] = '\0';
		note(&tally, 554, text);
	}
	assert_int_equal(reply_tally_sort(&tally, all), REPLY_TALLY_MAX);
	assert_memory_equal(all[0]->shape, "the usual words", all[0]->shape_len);
	assert_true(all[0]->count >= often && all[0]->count - all[0]->over <= often);
	for (u32 i = 0; i < REPLY_TALLY_MAX; i++) {
		sum += all[i]->count;
		assert_true(i == 0 || all[i]->count <= all[i - 1]->count);
	}
	assert_int_equal(sum, tally.total);
}

static void long_texts_and_names_are_cut(void **state)
{
	static char text[1000];
	struct reply_tally tally = { 0 };
	struct reply_sample sample = { .code = 550, .text = { text, sizeof(text) },
				       .host = { text, sizeof(text) } };

	(void)state;
	memset(text, 'x', sizeof(text));
	reply_tally_note(&tally, &sample);
	assert_int_equal(tally.shapes[0].example_len, REPLY_EXAMPLE_MAX);
	assert_int_equal(tally.shapes[0].host_len, REPLY_HOST_MAX);
	assert_memory_equal(tally.shapes[0].shape, "<id>", tally.shapes[0].shape_len);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_differs_from_reply_to_reply_is_no_part_of_a_shape),
		cmocka_unit_test(a_long_shape_ends_with_a_whole_word),
		cmocka_unit_test(replies_of_one_shape_are_counted_together),
		cmocka_unit_test(what_comes_often_is_kept_however_much_else_comes),
		cmocka_unit_test(long_texts_and_names_are_cut),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
