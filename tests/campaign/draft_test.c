/* What people may say of a campaign, and what it means. */
#include "base/text.h"
#include "campaign/draft.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static struct draft good_draft(void)
{
	struct draft draft = { 0 };

	draft.of[DRAFT_NAME] = SLICE("December");
	draft.of[DRAFT_FROM] = SLICE("Shop <shop@shop.example>");
	draft.of[DRAFT_SUBJECT] = SLICE("News");
	draft.of[DRAFT_TEXT] = SLICE("Hello.\n");
	return draft;
}

static u64 utc(const char *text)
{
	u64 ms;

	assert_true(clock_parse_rfc3339(slice_of(text), &ms));
	return ms;
}

static struct draft_plan plan_of(const struct draft *draft)
{
	struct draft_plan plan;
	enum draft_field field;

	if (draft_check(draft, &plan, &field) != DRAFT_GOOD)
		fail_msg("%s", draft_field_name(field));
	return plan;
}

static void a_plain_draft_goes_at_once_to_all_and_is_counted(void **state)
{
	struct draft draft = good_draft();
	struct draft_plan plan = plan_of(&draft);

	(void)state;
	assert_int_equal(plan.start_ms, 0);
	assert_int_equal(plan.deadline_ms, 0);
	assert_int_equal(plan.per_hour, 0);
	assert_true(plan.tracks);
	assert_false(plan.is_archived);
	assert_int_equal(draft_pass_count(&plan), 1);
}

static void what_is_wrong_is_told_with_its_field(void **state)
{
	static const struct {
		enum draft_field field;
		const char *value;
		enum draft_problem problem;
		enum draft_field told;
	} rows[] = {
		{ DRAFT_NAME, " ", DRAFT_MISSING, DRAFT_NAME },
		{ DRAFT_SUBJECT, "", DRAFT_MISSING, DRAFT_SUBJECT },
		{ DRAFT_SUBJECT, "a\r\nBcc: x@y.example", DRAFT_CONTROL, DRAFT_SUBJECT },
		{ DRAFT_TEXT, "", DRAFT_NO_CONTENT, DRAFT_TEXT },
		{ DRAFT_TEMPLATE, "3", DRAFT_TWO_CONTENTS, DRAFT_TEMPLATE },
		{ DRAFT_TEMPLATE, "x", DRAFT_NO_NUMBER, DRAFT_TEMPLATE },
		{ DRAFT_LIST, "0", DRAFT_NO_NUMBER, DRAFT_LIST },
		{ DRAFT_EXCLUDE, "1,,2", DRAFT_NO_NUMBER, DRAFT_EXCLUDE },
		{ DRAFT_TRACK, "maybe", DRAFT_NO_WORD, DRAFT_TRACK },
		{ DRAFT_AT, "tomorrow", DRAFT_NO_TIME, DRAFT_AT },
		{ DRAFT_ZONE, "Asia/Edo", DRAFT_NO_ZONE, DRAFT_ZONE },
		{ DRAFT_HOURS, "9-18", DRAFT_NO_WINDOW, DRAFT_HOURS },
		{ DRAFT_DAYS, "someday", DRAFT_NO_WINDOW, DRAFT_DAYS },
		{ DRAFT_ZONE_ATTRIBUTE, "zone", DRAFT_MISSING, DRAFT_AT },
		{ DRAFT_PER_HOUR, "1234567890", DRAFT_TOO_LONG, DRAFT_PER_HOUR },
	};

	(void)state;
	for (size_t i = 0; i < array_count(rows); i++) {
		struct draft draft = good_draft();
		struct draft_plan plan;
		enum draft_field field;

		draft.of[rows[i].field] = slice_of(rows[i].value);
		assert_int_equal(draft_check(&draft, &plan, &field), rows[i].problem);
		assert_int_equal(field, rows[i].told);
		assert_true(draft_problem_words(rows[i].problem, false)[0]);
		assert_true(draft_problem_words(rows[i].problem, true)[0]);
	}
}

static void times_are_by_the_clock_of_the_zone(void **state)
{
	struct draft draft = good_draft();
	struct draft_plan plan;
	enum draft_field field;

	(void)state;
	draft.of[DRAFT_AT] = SLICE("2026-12-01 09:00");
	draft.of[DRAFT_ZONE] = SLICE("Asia/Tokyo");
	draft.of[DRAFT_DEADLINE] = SLICE("2026-12-01 21:00");
	plan = plan_of(&draft);
	assert_int_equal(plan.start_ms, utc("2026-12-01T00:00:00Z"));
	assert_int_equal(plan.deadline_ms, utc("2026-12-01T12:00:00Z"));
	draft.of[DRAFT_DEADLINE] = SLICE("2026-12-01 09:00");
	assert_int_equal(draft_check(&draft, &plan, &field), DRAFT_BEFORE_START);
}

/* 9:00 everywhere: Auckland is first, Honolulu last. */
static void by_each_contacts_own_clock_the_east_goes_first(void **state)
{
	static const struct {
		const char *zone;
		const char *at;
	} rows[] = {
		{ "Pacific/Kiritimati", "2026-11-30T19:00:00Z" },
		{ "Pacific/Auckland", "2026-11-30T20:00:00Z" },
		{ "Asia/Tokyo", "2026-12-01T00:00:00Z" },
		{ "Asia/Kathmandu", "2026-12-01T03:15:00Z" },
		{ "Europe/Berlin", "2026-12-01T08:00:00Z" },
		{ "America/New_York", "2026-12-01T14:00:00Z" },
		{ "Pacific/Honolulu", "2026-12-01T19:00:00Z" },
		{ "Pacific/Pago_Pago", "2026-12-01T20:00:00Z" },
	};
	struct draft draft = good_draft();
	struct draft_plan plan;
	u32 last = 0;

	(void)state;
	draft.of[DRAFT_AT] = SLICE("2026-12-01 09:00");
	draft.of[DRAFT_ZONE] = SLICE("Asia/Tokyo");
	draft.of[DRAFT_ZONE_ATTRIBUTE] = SLICE("zone");
	plan = plan_of(&draft);
	for (size_t i = 0; i < array_count(rows); i++) {
		struct time_zone zone;
		u32 pass;

		assert_true(time_zone_find(slice_of(rows[i].zone), &zone));
		pass = draft_pass_of(&plan, &zone);
		assert_int_equal(draft_pass_ms(&plan, pass), utc(rows[i].at));
		assert_true(pass >= last && pass < draft_pass_count(&plan));
		last = pass;
	}
}

static void two_subjects_are_tried_on_some_evenly(void **state)
{
	struct draft draft = good_draft();
	struct draft_plan plan;
	enum draft_field field;
	u32 got[3] = { 0 };

	(void)state;
	draft.of[DRAFT_SUBJECT_B] = SLICE("Other news");
	plan = plan_of(&draft);
	assert_int_equal(plan.ab_share, 20);
	assert_int_equal(plan.ab_ms, 4 * 3600 * 1000);
	assert_int_equal(draft_pass_count(&plan), 2);
	for (u32 i = 1; i <= 100000; i++)
		got[draft_variant_of(&plan, 7, i)]++;
	assert_in_range(got[0], 79000, 81000);
	assert_in_range(got[DRAFT_VARIANT_A], 9500, 10500);
	assert_in_range(got[DRAFT_VARIANT_B], 9500, 10500);
	/* Who was asked in one campaign need not be in the next. */
	got[0] = 0;
	for (u32 i = 1; i <= 100000; i++)
		got[0] += draft_variant_of(&plan, 7, i) > 0 && draft_variant_of(&plan, 8, i) > 0;
	assert_in_range(got[0], 3500, 4500);
	draft.of[DRAFT_AB_SHARE] = SLICE("100");
	plan = plan_of(&draft);
	assert_int_equal(draft_pass_count(&plan), 1);
	draft.of[DRAFT_AB_SHARE] = SLICE("101");
	assert_int_equal(draft_check(&draft, &plan, &field), DRAFT_NO_NUMBER);
	draft.of[DRAFT_AB_SHARE] = SLICE("");
	draft.of[DRAFT_TRACK] = SLICE("no");
	assert_int_equal(draft_check(&draft, &plan, &field), DRAFT_AB_UNCOUNTED);
	draft.of[DRAFT_TRACK] = SLICE("");
	draft.of[DRAFT_AB_BY] = SLICE("taste");
	assert_int_equal(draft_check(&draft, &plan, &field), DRAFT_NO_MEASURE);
}

static void a_record_has_all_fields_and_damage_is_seen(void **state)
{
	struct draft draft = good_draft();
	struct draft back;
	struct buf bytes;

	(void)state;
	draft.of[DRAFT_DEADLINE] = SLICE("2026-12-01 21:00");
	buf_init(&bytes, 4096);
	draft_pack(&draft, &bytes);
	assert_true(draft_unpack(buf_slice(&bytes), &back));
	for (u32 i = 0; i < DRAFT_FIELDS; i++) {
		enum draft_field field;

		assert_true(slice_equal(draft.of[i], back.of[i]));
		assert_true(draft_field_find(slice_of(draft_field_name(i)), &field));
		assert_int_equal(field, i);
	}
	assert_null(draft_field_name(DRAFT_FIELDS));
	assert_false(draft_unpack(slice_first(buf_slice(&bytes), bytes.len - 1), &back));
	buf_done(&bytes);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_plain_draft_goes_at_once_to_all_and_is_counted),
		cmocka_unit_test(what_is_wrong_is_told_with_its_field),
		cmocka_unit_test(times_are_by_the_clock_of_the_zone),
		cmocka_unit_test(by_each_contacts_own_clock_the_east_goes_first),
		cmocka_unit_test(two_subjects_are_tried_on_some_evenly),
		cmocka_unit_test(a_record_has_all_fields_and_damage_is_seen),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
