/* What audience_sequence.h, audience_enrolment.h and audience_step_mail.h promise of what is kept. */
#include "store/audience_fixture.h"

#include "store/audience_campaign.h"
#include "store/audience_enrolment.h"
#include "store/audience_step_mail.h"

static struct audience_sequence sample(void)
{
	struct audience_sequence s = {
		.state = AUDIENCE_SEQUENCE_PAUSED,
		.start = AUDIENCE_SEQUENCE_YEARLY,
		.tracks = true,
		.list = 3,
		.attribute = 4,
		.exit_segment = 5,
		.late_hours = 6,
		.version = 7,
		.created_ms = 8,
		.changed_ms = 9,
		.started_ms = 10,
		.swept = 11,
		.looked_due_ms = 12,
		.looked_contact = 13,
		.step_count = SEQUENCE_STEPS_MAX,
	};

	for (u32 i = 0; i < s.step_count; i++)
		s.steps[i] = (struct sequence_step){ i + 1, -(i32)i, i * 2, (i32)i - 1, 127, i };
	for (u32 i = 0; i < SEQUENCE_TEXTS; i++)
		s.of[i] = SLICE("text");
	return s;
}

static void a_sequence_comes_back_as_it_was_kept(void **state)
{
	struct audience_sequence kept = sample();
	struct audience_sequence back;

	(void)state;
	must(audience_sequence_put(txn, &kept));
	must(audience_commit(txn));
	must(audience_begin_read(txn));
	must(audience_sequence_get(txn, kept.id, &back));
	for (u32 i = 0; i < SEQUENCE_TEXTS; i++)
		assert_true(slice_equal(kept.of[i], back.of[i]));
	memcpy(back.of, kept.of, sizeof(back.of));
	for (u32 i = 0; i < kept.step_count; i++) {
		assert_int_equal(back.steps[i].id, kept.steps[i].id);
		assert_int_equal(back.steps[i].days, kept.steps[i].days);
		assert_int_equal(back.steps[i].hours, kept.steps[i].hours);
		assert_int_equal(back.steps[i].at_minute, kept.steps[i].at_minute);
		assert_int_equal(back.steps[i].weekdays, kept.steps[i].weekdays);
		assert_int_equal(back.steps[i].segment, kept.steps[i].segment);
	}
	assert_int_equal(back.state, kept.state);
	assert_int_equal(back.start, kept.start);
	assert_true(back.tracks);
	assert_int_equal(back.list, 3);
	assert_int_equal(back.attribute, 4);
	assert_int_equal(back.exit_segment, 5);
	assert_int_equal(back.late_hours, 6);
	assert_int_equal(back.version, 7);
	assert_int_equal(back.created_ms, 8);
	assert_int_equal(back.changed_ms, 9);
	assert_int_equal(back.started_ms, 10);
	assert_int_equal(back.swept, 11);
	assert_int_equal(back.looked_due_ms, 12);
	assert_int_equal(back.looked_contact, 13);
	must_be(STORE_NOT_FOUND, audience_sequence_after(txn, kept.id, &back));
}

static void what_a_sequence_uses_is_found_by_its_name(void **state)
{
	struct audience_sequence kept = sample();

	(void)state;
	kept.of[SEQUENCE_NAME] = SLICE("Welcome");
	must(audience_sequence_put(txn, &kept));
	assert_true(slice_equal(audience_sequence_using_list(txn, 3), SLICE("Welcome")));
	assert_true(slice_equal(audience_sequence_using_attribute(txn, 4), SLICE("Welcome")));
	assert_true(slice_equal(audience_sequence_using_segment(txn, 5), SLICE("Welcome")));
	assert_true(slice_equal(audience_sequence_using_segment(txn, 59), SLICE("Welcome")));
	assert_null(audience_sequence_using_list(txn, 9).ptr);
	assert_null(audience_sequence_using_segment(txn, 60).ptr);
	kept.state = AUDIENCE_SEQUENCE_ARCHIVED;
	must(audience_sequence_put(txn, &kept));
	assert_null(audience_sequence_using_list(txn, 3).ptr);
}

static void put_enrolment(u32 sequence, u32 contact, enum sequence_state state, u32 step,
			  u64 due_ms)
{
	struct audience_enrolment e = { .sequence = sequence,
					.contact = contact,
					.entered_ms = 1,
					.at = { .state = state,
						.base_ms = 2,
						.day = -5,
						.step = step,
						.due_ms = due_ms,
						.done_count = 2,
						.done = { { 1, -1 }, { 2, 20000 } } } };

	must(enrolment_put(txn, &e));
}

static void assert_count(u32 sequence, enum sequence_state state, u64 wanted)
{
	u64 count;

	must(enrolment_count(txn, sequence, state, &count));
	assert_int_equal(count, wanted);
}

static void an_enrolment_comes_back_and_stands_where_it_is_due(void **state)
{
	struct enrolment_place place = { 0, 0 };
	struct audience_enrolment e;
	u64 waiting;

	(void)state;
	put_enrolment(1, 10, SEQUENCE_WAITING, 7, 500);
	put_enrolment(1, 11, SEQUENCE_WAITING, 7, 300);
	put_enrolment(1, 12, SEQUENCE_THROUGH, 0, SEQUENCE_NEVER);
	put_enrolment(2, 10, SEQUENCE_WAITING, 8, 100);
	put_enrolment(1, 10, SEQUENCE_WAITING, 9, 200);
	must(enrolment_get(txn, 1, 10, &e));
	assert_int_equal(e.at.day, -5);
	assert_int_equal(e.at.done_count, 2);
	assert_int_equal(e.at.done[0].day, -1);
	assert_int_equal(e.at.done[1].id, 2);
	must(enrolment_next(txn, 1, &place, &place));
	assert_int_equal(place.contact, 10);
	assert_int_equal(place.due_ms, 200);
	must(enrolment_next(txn, 1, &place, &place));
	assert_int_equal(place.contact, 11);
	must(enrolment_next(txn, 1, &place, &place));
	assert_int_equal(place.contact, 12);
	must_be(STORE_NOT_FOUND, enrolment_next(txn, 1, &place, &place));
	assert_count(1, SEQUENCE_WAITING, 2);
	assert_count(1, SEQUENCE_THROUGH, 1);
	must(enrolment_count_for(txn, 7, &waiting));
	assert_int_equal(waiting, 1);
}

static void an_erased_contact_is_in_no_sequence(void **state)
{
	struct enrolment_place place = { 0, 0 };
	struct audience_enrolment e;

	(void)state;
	put_enrolment(1, 10, SEQUENCE_WAITING, 7, 500);
	put_enrolment(2, 10, SEQUENCE_LEFT, 0, SEQUENCE_NEVER);
	put_enrolment(2, 11, SEQUENCE_WAITING, 7, 500);
	must(enrolments_erase(txn, 10));
	must_be(STORE_NOT_FOUND, enrolment_of_contact(txn, 10, 0, &e));
	must_be(STORE_NOT_FOUND, enrolment_next(txn, 1, &place, &place));
	must(enrolment_of_contact(txn, 11, 0, &e));
	assert_count(1, SEQUENCE_WAITING, 0);
	assert_count(2, SEQUENCE_LEFT, 0);
	assert_count(2, SEQUENCE_WAITING, 1);
}

static void numbers_of_a_step_rise_also_when_nothing_waits(void **state)
{
	struct audience_campaign campaign = { .state = AUDIENCE_CAMPAIGN_STEP };
	struct step_mail mail;

	(void)state;
	must(audience_campaign_add(txn, &campaign));
	must(step_mail_add(txn, campaign.id, 5));
	must(step_mail_add(txn, campaign.id, 6));
	must(step_mail_after(txn, campaign.id, 1, &mail));
	assert_int_equal(mail.number, 2);
	assert_int_equal(mail.contact, 6);
	must(step_mail_delete(txn, campaign.id, 1));
	must(step_mail_delete(txn, campaign.id, 2));
	must_be(STORE_NOT_FOUND, step_mail_after(txn, campaign.id, 0, &mail));
	campaign.cursor = 2;
	must(audience_campaign_put(txn, &campaign));
	must(step_mail_add(txn, campaign.id, 7));
	must(step_mail_after(txn, campaign.id, 0, &mail));
	assert_int_equal(mail.number, 3);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		audience_writing_test(a_sequence_comes_back_as_it_was_kept),
		audience_writing_test(what_a_sequence_uses_is_found_by_its_name),
		audience_writing_test(an_enrolment_comes_back_and_stands_where_it_is_due),
		audience_writing_test(an_erased_contact_is_in_no_sequence),
		audience_writing_test(numbers_of_a_step_rise_also_when_nothing_waits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
