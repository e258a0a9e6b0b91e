/* What sequence_text.h promises: texts of forms and programs, and the field that is wrong. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/text.h"
#include "campaign/sequence_text.h"

#include <string.h>

static struct sequence_texts texts;
static struct audience_sequence sequence;
static struct error error;

static void give(enum sequence_field field, const char *value)
{
	texts.of[field] = slice_of(value);
	texts.given |= 1u << field;
}

static int set_up(void **state)
{
	(void)state;
	memset(&texts, 0, sizeof(texts));
	memset(&sequence, 0, sizeof(sequence));
	give(SEQUENCE_FIELD_NAME, "Welcome");
	give(SEQUENCE_FIELD_START, "list");
	give(SEQUENCE_FIELD_LIST, "3");
	give(SEQUENCE_FIELD_FROM, "Shop <shop@shop.example>");
	return 0;
}

static void assert_wrong(enum sequence_field field, const char *value)
{
	enum sequence_field wrong = SEQUENCE_FIELDS;

	set_up(NULL);
	give(field, value);
	assert_false(sequence_texts_read(&texts, &sequence, &wrong, &error));
	assert_string_equal(sequence_field_name(wrong), sequence_field_name(field));
	assert_true(error.text[0]);
}

static void a_whole_sequence_is_read(void **state)
{
	enum sequence_field wrong;

	(void)state;
	give(SEQUENCE_FIELD_ZONE, "Asia/Tokyo");
	give(SEQUENCE_FIELD_DAYS, "mon-fri");
	give(SEQUENCE_FIELD_HOURS, "09:00-18:00");
	give(SEQUENCE_FIELD_EXIT, "9");
	give(SEQUENCE_FIELD_LATE_HOURS, "48");
	give(SEQUENCE_FIELD_TRACK, "no");
	assert_true(sequence_texts_read(&texts, &sequence, &wrong, &error));
	assert_int_equal(sequence.start, AUDIENCE_SEQUENCE_BY_LIST);
	assert_int_equal(sequence.list, 3);
	assert_int_equal(sequence.exit_segment, 9);
	assert_int_equal(sequence.late_hours, 48);
	assert_false(sequence.tracks);
	assert_true(slice_equal(sequence.of[SEQUENCE_ZONE], SLICE("Asia/Tokyo")));
}

static void what_is_not_given_stays_as_it_is(void **state)
{
	enum sequence_field wrong;

	(void)state;
	assert_true(sequence_texts_read(&texts, &sequence, &wrong, &error));
	memset(&texts, 0, sizeof(texts));
	give(SEQUENCE_FIELD_LIST, "4");
	assert_true(sequence_texts_read(&texts, &sequence, &wrong, &error));
	assert_true(slice_equal(sequence.of[SEQUENCE_NAME], SLICE("Welcome")));
	assert_int_equal(sequence.list, 4);
}

static void each_wrong_field_is_named(void **state)
{
	(void)state;
	assert_wrong(SEQUENCE_FIELD_NAME, "");
	assert_wrong(SEQUENCE_FIELD_NAME, "two\nlines");
	assert_wrong(SEQUENCE_FIELD_START, "moon");
	assert_wrong(SEQUENCE_FIELD_LIST, "0");
	assert_wrong(SEQUENCE_FIELD_LIST, "65536");
	assert_wrong(SEQUENCE_FIELD_LIST, "-1");
	assert_wrong(SEQUENCE_FIELD_EVENT, "-order");
	assert_wrong(SEQUENCE_FIELD_EVENT, "order paid");
	assert_wrong(SEQUENCE_FIELD_ZONE, "Asia/Edo");
	assert_wrong(SEQUENCE_FIELD_FROM, "");
	assert_wrong(SEQUENCE_FIELD_DAYS, "someday");
	assert_wrong(SEQUENCE_FIELD_HOURS, "nine");
	assert_wrong(SEQUENCE_FIELD_EXIT, "x");
	assert_wrong(SEQUENCE_FIELD_LATE_HOURS, "8761");
	assert_wrong(SEQUENCE_FIELD_TRACK, "maybe");
}

static void each_start_needs_what_it_is_about(void **state)
{
	static const struct {
		const char *start;
		enum sequence_field needs;
	} rows[] = {
		{ "list", SEQUENCE_FIELD_LIST },
		{ "event", SEQUENCE_FIELD_EVENT },
		{ "date", SEQUENCE_FIELD_ATTRIBUTE },
		{ "yearly", SEQUENCE_FIELD_ATTRIBUTE },
	};

	(void)state;
	for (size_t i = 0; i < array_count(rows); i++) {
		enum sequence_field wrong = SEQUENCE_FIELDS;

		set_up(NULL);
		give(SEQUENCE_FIELD_START, rows[i].start);
		give(SEQUENCE_FIELD_LIST, "");
		assert_false(sequence_texts_read(&texts, &sequence, &wrong, &error));
		assert_int_equal(wrong, rows[i].needs);
	}
}

static bool read_step(enum step_field field, const char *value, struct sequence_step *step)
{
	struct step_texts given = { .given = 1u << field };
	enum step_field wrong = STEP_FIELDS;
	bool ok;

	given.of[field] = slice_of(value);
	*step = (struct sequence_step){ .id = 1 };
	ok = step_texts_read(&given, step, &wrong, &error);
	if (!ok)
		assert_int_equal(wrong, field);
	return ok;
}

static void a_step_is_read_and_written_back(void **state)
{
	struct sequence_step step;
	struct buf out;

	(void)state;
	buf_init(&out, 100);
	assert_true(read_step(STEP_FIELD_WAIT_DAYS, "-7", &step));
	assert_int_equal(step.days, -7);
	assert_true(read_step(STEP_FIELD_WAIT_HOURS, "8760", &step));
	assert_int_equal(step.hours, 8760);
	assert_true(read_step(STEP_FIELD_AT, "", &step));
	assert_int_equal(step.at_minute, SEQUENCE_ANY_TIME);
	assert_true(read_step(STEP_FIELD_AT, "23:59", &step));
	sequence_add_at(step.at_minute, &out);
	assert_true(slice_equal(buf_slice(&out), SLICE("23:59")));
	buf_reset(&out);
	assert_true(read_step(STEP_FIELD_WEEKDAYS, "sat,sun,mon", &step));
	sequence_add_weekdays(step.weekdays, &out);
	assert_true(slice_equal(buf_slice(&out), SLICE("mon,sat,sun")));
	assert_true(read_step(STEP_FIELD_WEEKDAYS, "mon-sun", &step));
	assert_int_equal(step.weekdays, 0);
	buf_done(&out);
}

static void a_wrong_step_is_refused(void **state)
{
	static const struct {
		enum step_field field;
		const char *value;
	} rows[] = {
		{ STEP_FIELD_WAIT_DAYS, "3651" },     { STEP_FIELD_WAIT_DAYS, "--1" },
		{ STEP_FIELD_WAIT_DAYS, "1.5" },      { STEP_FIELD_WAIT_HOURS, "8761" },
		{ STEP_FIELD_WAIT_HOURS, "-1" },      { STEP_FIELD_AT, "24:00" },
		{ STEP_FIELD_AT, "9:00" },	      { STEP_FIELD_AT, "09:60" },
		{ STEP_FIELD_WEEKDAYS, "xyz" },	      { STEP_FIELD_SEGMENT, "all" },
		{ STEP_FIELD_SUBJECT, "two\nlines" }, { STEP_FIELD_TEMPLATE, "x" },
	};
	struct sequence_step step;

	(void)state;
	for (size_t i = 0; i < array_count(rows); i++) {
		if (read_step(rows[i].field, rows[i].value, &step))
			fail_msg("%s is taken", rows[i].value);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(a_whole_sequence_is_read, set_up),
		cmocka_unit_test_setup(what_is_not_given_stays_as_it_is, set_up),
		cmocka_unit_test(each_wrong_field_is_named),
		cmocka_unit_test(each_start_needs_what_it_is_about),
		cmocka_unit_test(a_step_is_read_and_written_back),
		cmocka_unit_test(a_wrong_step_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
