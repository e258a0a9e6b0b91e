/*
 * What sequence_run.h and audience_enrolment.h promise: who enters by what, what moves on and what
 * is to go then, once, in an audience on the disk, by a clock of the test's.
 */
#include "store/audience_fixture.h"

#include "base/calendar.h"
#include "base/text.h"
#include "campaign/sequence_run.h"
#include "store/audience_attribute.h"
#include "store/audience_campaign.h"
#include "store/audience_campaign_count.h"
#include "store/audience_contact.h"
#include "store/audience_list.h"
#include "store/audience_segment.h"
#include "store/audience_step_mail.h"

#define HOUR 3600000ull
#define DAY (24 * HOUR)
#define MOST 50

static u64 now_ms;
static u32 sequence;
static u32 steps[4];
static u16 list;
static u16 birthday;

/* ---- what there is ---- */

static u64 day_ms(const char *text)
{
	i32 day;

	assert_true(calendar_parse(slice_of(text), &day));
	return (u64)day * DAY;
}

static u32 add_step(void)
{
	struct audience_campaign campaign = { .state = AUDIENCE_CAMPAIGN_STEP,
					      .flags = AUDIENCE_CAMPAIGN_OF_STEP };

	must(audience_campaign_add(txn, &campaign));
	return campaign.id;
}

static int set_up(void **state)
{
	struct audience_list kept = { .name = SLICE("news") };
	struct attribute attribute = { .type = ATTRIBUTE_DATE, .name = SLICE("birthday") };

	if (audience_fixture_setup_writing(state) != 0)
		return -1;
	now_ms = day_ms("2026-12-01") + 9 * HOUR;
	sequence = 0;
	must(audience_list_add(txn, &kept));
	list = kept.id;
	must(attribute_add(txn, &attribute));
	birthday = attribute.id;
	for (u32 i = 0; i < array_count(steps); i++)
		steps[i] = add_step();
	return 0;
}

static struct audience_sequence sequence_like(enum audience_sequence_start start)
{
	return (struct audience_sequence){
		.id = sequence,
		.state = AUDIENCE_SEQUENCE_RUNNING,
		.start = start,
		.list = start == AUDIENCE_SEQUENCE_BY_LIST ? list : 0,
		.attribute = start >= AUDIENCE_SEQUENCE_BY_DATE ? birthday : 0,
		.version = 1,
		.looked_contact = UINT32_MAX,
		.of = { [SEQUENCE_NAME] = SLICE("Welcome"), [SEQUENCE_ZONE] = SLICE("Asia/Tokyo") },
	};
}

static void put(struct audience_sequence *kept)
{
	must(audience_sequence_put(txn, kept));
	sequence = kept->id;
}

/* At once, and two days later. */
static void put_welcome(void)
{
	struct audience_sequence kept = sequence_like(AUDIENCE_SEQUENCE_BY_LIST);

	kept.step_count = 2;
	kept.steps[0] = (struct sequence_step){ .id = steps[0], .at_minute = SEQUENCE_ANY_TIME };
	kept.steps[1] = (struct sequence_step){ .id = steps[1],
						.days = 2,
						.at_minute = SEQUENCE_ANY_TIME };
	put(&kept);
}

static struct contact person(char *address, u32 number, struct buf *lists, struct buf *values,
			     enum member_state state, const char *born)
{
	buf_init(lists, 100);
	buf_init(values, 100);
	if (state != 0)
		contact_add_member(lists, SLICE_NONE, &(struct contact_member){ list, state, 1 });
	if (born)
		contact_put_value(values, birthday, slice_of(born));
	snprintf(address, 32, "p%u@reader.test", number);
	return (struct contact){ .state = CONTACT_ACTIVE,
				 .created_ms = now_ms,
				 .changed_ms = now_ms,
				 .address = slice_of(address),
				 .lists = buf_slice(lists),
				 .values = buf_slice(values) };
}

static u32 add_person(enum member_state state, const char *born)
{
	static u32 number;
	char address[32];
	struct buf lists;
	struct buf values;
	struct contact contact = person(address, ++number, &lists, &values, state, born);

	must(contact_add(txn, &contact, slice_of(address)));
	buf_done(&lists);
	buf_done(&values);
	return contact.id;
}

static void change_person(u32 id, enum contact_state state, enum member_state member,
			  const char *born)
{
	char address[32];
	struct buf lists;
	struct buf values;
	struct contact before;
	struct contact contact = person(address, 0, &lists, &values, member, born);

	must(contact_get(txn, id, &before));
	contact.id = id;
	contact.state = state;
	contact.address = before.address;
	must(contact_put(txn, &before, &contact));
	buf_done(&lists);
	buf_done(&values);
}

/* ---- what is asked ---- */

static u32 run(void)
{
	struct sequence_ran ran = { .has_more = true };
	u32 sent = 0;

	for (u32 i = 0; i < 1000 && ran.has_more; i++) {
		must(sequence_run(txn, sequence, now_ms, MOST, &ran));
		if (ran.is_paused)
			fail_msg("%s", ran.error.text);
		assert_true(ran.looked <= MOST + MOST);
		sent += ran.sent;
	}
	assert_false(ran.has_more);
	return sent;
}

static u32 mails_of(u32 step, u32 contact)
{
	struct step_mail mail = { 0 };
	u32 count = 0;

	while (step_mail_after(txn, step, mail.number, &mail) == STORE_OK)
		count += contact == 0 || mail.contact == contact;
	return count;
}

static u64 count_in(enum sequence_state state)
{
	u64 count;

	must(enrolment_count(txn, sequence, state, &count));
	return count;
}

static struct audience_enrolment enrolment_of(u32 contact)
{
	struct audience_enrolment enrolment;

	must(enrolment_get(txn, sequence, contact, &enrolment));
	return enrolment;
}

/* ---- entering and leaving ---- */

static void who_joins_the_list_enters_and_gets_step_after_step(void **state)
{
	u64 waiting;
	u32 ann;

	(void)state;
	put_welcome();
	ann = add_person(MEMBER_ACTIVE, NULL);
	add_person(0, NULL);
	assert_int_equal(run(), 1);
	assert_int_equal(mails_of(steps[0], ann), 1);
	must(enrolment_count_for(txn, steps[1], &waiting));
	assert_int_equal(waiting, 1);
	now_ms += 2 * DAY - 1000;
	assert_int_equal(run(), 0);
	now_ms += 1000;
	assert_int_equal(run(), 1);
	assert_int_equal(mails_of(steps[1], ann), 1);
	assert_int_equal(count_in(SEQUENCE_THROUGH), 1);
	assert_int_equal(count_in(SEQUENCE_WAITING), 0);
}

static void who_has_not_confirmed_enters_when_he_does(void **state)
{
	struct audience_enrolment enrolment;
	u32 ann;

	(void)state;
	put_welcome();
	ann = add_person(MEMBER_PENDING, NULL);
	assert_int_equal(enrolment_get(txn, sequence, ann, &enrolment), STORE_NOT_FOUND);
	change_person(ann, CONTACT_ACTIVE, MEMBER_ACTIVE, NULL);
	assert_int_equal(run(), 1);
}

static void an_import_starts_nothing_unless_it_says_so(void **state)
{
	u32 ann;

	(void)state;
	put_welcome();
	enrolment_set_quiet(txn, true);
	ann = add_person(MEMBER_ACTIVE, NULL);
	enrolment_set_quiet(txn, false);
	add_person(MEMBER_ACTIVE, NULL);
	assert_int_equal(run(), 1);
	assert_int_equal(mails_of(steps[0], ann), 0);
}

static void who_leaves_the_list_leaves_and_goes_on_when_he_comes_back(void **state)
{
	u32 ann;

	(void)state;
	put_welcome();
	ann = add_person(MEMBER_ACTIVE, NULL);
	run();
	change_person(ann, CONTACT_ACTIVE, MEMBER_LEFT, NULL);
	run();
	assert_int_equal(enrolment_of(ann).at.state, SEQUENCE_LEFT);
	now_ms += 5 * DAY;
	assert_int_equal(run(), 0);
	change_person(ann, CONTACT_ACTIVE, MEMBER_ACTIVE, NULL);
	assert_int_equal(run(), 0);
	now_ms += 2 * DAY;
	assert_int_equal(run(), 1);
	assert_int_equal(mails_of(steps[0], ann), 1);
	assert_int_equal(mails_of(steps[1], ann), 1);
}

static void who_unsubscribes_bounces_or_is_erased_gets_nothing_more(void **state)
{
	struct contact contact;
	u32 ann;
	u32 ben;

	(void)state;
	put_welcome();
	ann = add_person(MEMBER_ACTIVE, NULL);
	ben = add_person(MEMBER_ACTIVE, NULL);
	run();
	change_person(ann, CONTACT_UNSUBSCRIBED, MEMBER_ACTIVE, NULL);
	must(contact_get(txn, ben, &contact));
	must(contact_erase(txn, ben, contact.address));
	run();
	now_ms += 30 * DAY;
	assert_int_equal(run(), 0);
	assert_int_equal(count_in(SEQUENCE_LEFT), 1);
	assert_int_equal(count_in(SEQUENCE_WAITING) + count_in(SEQUENCE_THROUGH), 0);
	assert_int_equal(enrolment_get(txn, sequence, ben, &(struct audience_enrolment){ 0 }),
			 STORE_NOT_FOUND);
}

static void what_is_paused_takes_people_in_and_sends_nothing(void **state)
{
	struct audience_sequence kept;

	(void)state;
	put_welcome();
	must(audience_sequence_get(txn, sequence, &kept));
	kept.state = AUDIENCE_SEQUENCE_PAUSED;
	must(audience_sequence_put(txn, &kept));
	add_person(MEMBER_ACTIVE, NULL);
	assert_int_equal(run(), 0);
	must(audience_sequence_get(txn, sequence, &kept));
	kept.state = AUDIENCE_SEQUENCE_RUNNING;
	must(audience_sequence_put(txn, &kept));
	assert_int_equal(run(), 1);
}

static void outside_of_the_hours_of_sending_everybody_waits(void **state)
{
	struct audience_sequence kept;

	(void)state;
	put_welcome();
	must(audience_sequence_get(txn, sequence, &kept));
	kept.of[SEQUENCE_HOURS] = SLICE("09:00-17:00"); /* in Tokyo, where it is 18:00 */
	must(audience_sequence_put(txn, &kept));
	add_person(MEMBER_ACTIVE, NULL);
	assert_int_equal(run(), 0);
	now_ms += 15 * HOUR;
	assert_int_equal(run(), 1);
}

/* ---- conditions ---- */

static u32 add_segment(const char *text)
{
	static u32 count;
	char name[16];
	struct audience_segment segment = { .version = 1, .text = slice_of(text) };

	snprintf(name, sizeof(name), "s%u", ++count);
	segment.name = slice_of(name);
	must(audience_segment_add(txn, &segment));
	return segment.id;
}

static void who_does_not_meet_the_condition_is_passed_by(void **state)
{
	struct audience_sequence kept;
	u64 passed;
	u32 ann;
	u32 ben;

	(void)state;
	put_welcome();
	must(audience_sequence_get(txn, sequence, &kept));
	kept.steps[0].segment = add_segment("birthday is empty");
	must(audience_sequence_put(txn, &kept));
	ann = add_person(MEMBER_ACTIVE, "1990-05-05");
	ben = add_person(MEMBER_ACTIVE, NULL);
	run();
	assert_int_equal(mails_of(steps[0], ann), 0);
	assert_int_equal(mails_of(steps[0], ben), 1);
	must(campaign_count_get(txn, steps[0], CAMPAIGN_PASSED_BY, 0, &passed));
	assert_int_equal(passed, 1);
	now_ms += 2 * DAY;
	assert_int_equal(run(), 2);
}

static void a_condition_that_cannot_be_asked_pauses_the_sequence(void **state)
{
	struct audience_sequence kept;
	struct sequence_ran ran;

	(void)state;
	put_welcome();
	must(audience_sequence_get(txn, sequence, &kept));
	kept.steps[1].segment = 77;
	must(audience_sequence_put(txn, &kept));
	add_person(MEMBER_ACTIVE, NULL);
	must(sequence_run(txn, sequence, now_ms, MOST, &ran));
	assert_true(ran.is_paused);
	assert_int_equal(ran.sent, 0);
	must(audience_sequence_get(txn, sequence, &kept));
	assert_int_equal(kept.state, AUDIENCE_SEQUENCE_PAUSED);
	assert_true(kept.of[SEQUENCE_REASON].len > 0);
}

/* ---- around a date ---- */

static void put_birthdays(void)
{
	struct audience_sequence kept = sequence_like(AUDIENCE_SEQUENCE_YEARLY);

	kept.step_count = 2;
	kept.steps[0] = (struct sequence_step){ .id = steps[0], .days = -7, .at_minute = 540 };
	kept.steps[1] = (struct sequence_step){ .id = steps[1], .at_minute = 540 };
	put(&kept);
}

/* Everybody's once a year, the 29th of February on the 28th in years without one. */
static void years_of_birthdays_bring_each_step_once_a_year(void **state)
{
	enum { PEOPLE = 120 };
	u32 people[PEOPLE];
	u32 leap;

	(void)state;
	leap = add_person(0, "2000-02-29");
	for (u32 i = 0; i < PEOPLE; i++) {
		char born[CALENDAR_TEXT_SIZE];

		calendar_format(born, (i32)(i * 37));
		people[i] = add_person(0, born);
	}
	now_ms = day_ms("2027-01-01") - 9 * HOUR;
	put_birthdays();
	while (now_ms < day_ms("2030-01-01") - 9 * HOUR) {
		run();
		if (now_ms == day_ms("2027-02-28"))
			assert_int_equal(mails_of(steps[1], leap), 1);
		if (now_ms == day_ms("2028-02-28"))
			assert_int_equal(mails_of(steps[1], leap), 1);
		if (now_ms == day_ms("2028-02-29"))
			assert_int_equal(mails_of(steps[1], leap), 2);
		now_ms += 3 * HOUR;
	}
	assert_int_equal(mails_of(steps[1], leap), 3);
	for (u32 i = 0; i < PEOPLE; i++) {
		if (mails_of(steps[1], people[i]) != 3 || mails_of(steps[0], people[i]) < 3 ||
		    mails_of(steps[0], people[i]) > 4)
			fail_msg("%u: %u and %u", i, mails_of(steps[0], people[i]),
				 mails_of(steps[1], people[i]));
	}
	assert_int_equal(count_in(SEQUENCE_WAITING), PEOPLE + 1);
}

static void a_date_that_comes_or_changes_later_counts_at_once(void **state)
{
	u32 ann;

	(void)state;
	put_birthdays();
	run();
	ann = add_person(0, NULL);
	change_person(ann, CONTACT_ACTIVE, 0, "1990-12-20");
	run();
	assert_int_equal(enrolment_of(ann).at.due_ms, day_ms("2026-12-13"));
	change_person(ann, CONTACT_ACTIVE, 0, "1990-12-25");
	run();
	assert_int_equal(enrolment_of(ann).at.due_ms, day_ms("2026-12-18"));
	change_person(ann, CONTACT_ACTIVE, 0, NULL);
	run();
	assert_int_equal(enrolment_of(ann).at.due_ms, SEQUENCE_NEVER);
}

/* ---- edits ---- */

static void after_an_edit_all_who_wait_are_looked_at_anew(void **state)
{
	enum { PEOPLE = 3 * MOST + 7 };
	struct audience_sequence kept;
	u32 people[PEOPLE];

	(void)state;
	put_welcome();
	for (u32 i = 0; i < PEOPLE; i++)
		people[i] = add_person(MEMBER_ACTIVE, NULL);
	run();
	must(audience_sequence_get(txn, sequence, &kept));
	kept.steps[1].days = 9;
	kept.looked_due_ms = 0;
	kept.looked_contact = 0;
	must(audience_sequence_put(txn, &kept));
	now_ms += HOUR;
	run();
	for (u32 i = 0; i < PEOPLE; i++)
		assert_int_equal(enrolment_of(people[i]).at.due_ms, now_ms - HOUR + 9 * DAY);
	must(audience_sequence_get(txn, sequence, &kept));
	assert_int_equal(kept.looked_contact, UINT32_MAX);
	assert_false(sequence_is_due(txn, &kept, now_ms));
}

/* ---- what dies between ---- */

/* Each batch is lost as often as the dice say, by a transaction that is not kept, or by a restart. */
static void whatever_transaction_is_lost_nothing_is_sent_twice_or_left_out(void **state)
{
	enum { PEOPLE = 4 * MOST };
	struct sequence_ran ran = { .has_more = true };
	u32 dice = 1;

	(void)state;
	put_welcome();
	for (u32 i = 0; i < PEOPLE; i++)
		add_person(MEMBER_ACTIVE, NULL);
	must(audience_commit(txn));
	for (u32 rounds = 0; rounds < 400; rounds++) {
		must(audience_begin(txn));
		must(sequence_run(txn, sequence, now_ms, 17, &ran));
		dice = dice * 1103515245 + 12345;
		if (dice >> 16 & 1) {
			must(audience_commit(txn));
		} else if (dice >> 17 & 1) {
			audience_abort(txn);
		} else {
			audience_fixture_close();
			audience_fixture_open();
		}
		now_ms += HOUR;
	}
	must(audience_begin(txn));
	assert_int_equal(mails_of(steps[0], 0), PEOPLE);
	assert_int_equal(mails_of(steps[1], 0), PEOPLE);
	assert_int_equal(count_in(SEQUENCE_THROUGH), PEOPLE);
	for (u32 i = 1; i <= PEOPLE; i++) {
		assert_int_equal(mails_of(steps[0], i), 1);
		assert_int_equal(mails_of(steps[1], i), 1);
	}
}

static void when_the_sender_takes_nothing_nobody_moves_on(void **state)
{
	struct audience_sequence kept;

	(void)state;
	put_welcome();
	for (u32 i = 0; i < SEQUENCE_AHEAD_MAX + 1; i++)
		must(step_mail_add(txn, steps[1], 1));
	add_person(MEMBER_ACTIVE, NULL);
	must(audience_sequence_get(txn, sequence, &kept));
	assert_false(sequence_is_due(txn, &kept, now_ms));
	assert_int_equal(run(), 0);
	must(step_mail_delete(txn, steps[1], SEQUENCE_AHEAD_MAX + 1));
	assert_int_equal(run(), 1);
}

#define sequence_test(name) cmocka_unit_test_setup_teardown(name, set_up, audience_fixture_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		sequence_test(who_joins_the_list_enters_and_gets_step_after_step),
		sequence_test(who_has_not_confirmed_enters_when_he_does),
		sequence_test(an_import_starts_nothing_unless_it_says_so),
		sequence_test(who_leaves_the_list_leaves_and_goes_on_when_he_comes_back),
		sequence_test(who_unsubscribes_bounces_or_is_erased_gets_nothing_more),
		sequence_test(what_is_paused_takes_people_in_and_sends_nothing),
		sequence_test(outside_of_the_hours_of_sending_everybody_waits),
		sequence_test(who_does_not_meet_the_condition_is_passed_by),
		sequence_test(a_condition_that_cannot_be_asked_pauses_the_sequence),
		sequence_test(years_of_birthdays_bring_each_step_once_a_year),
		sequence_test(a_date_that_comes_or_changes_later_counts_at_once),
		sequence_test(after_an_edit_all_who_wait_are_looked_at_anew),
		sequence_test(whatever_transaction_is_lost_nothing_is_sent_twice_or_left_out),
		sequence_test(when_the_sender_takes_nothing_nobody_moves_on),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
