#include "base/check.h"
#include "base/text.h"
#include "campaign/local_day.h"
#include "campaign/segment_match.h"
#include "campaign/segment_run_parts.h"
#include "campaign/segment_words.h"
#include "message/address.h"

#include <stdlib.h>

#define DAY_MS (24 * 3600 * 1000ll)

/* ---- ranges: what a test of a time means at this moment ---- */

static struct segment_range range_between(i64 from, i64 to)
{
	return (struct segment_range){ from, to };
}

/* Of a day's first and last unit. SEGMENT_IS_NOT has the day itself: it is what must not be. */
static struct segment_range range_by_day(enum segment_operator op, i64 first, i64 last)
{
	switch (op) {
	case SEGMENT_LESS:
		return range_between(INT64_MIN, first - 1);
	case SEGMENT_AT_MOST:
		return range_between(INT64_MIN, last);
	case SEGMENT_AT_LEAST:
		return range_between(first, INT64_MAX);
	case SEGMENT_MORE:
		return range_between(last + 1, INT64_MAX);
	default:
		return range_between(first, last);
	}
}

static struct segment_range range_of_moment(const struct segment_run *run,
					    const struct segment_node *test)
{
	i64 now_ms = (i64)run->clock.now_ms;
	i64 ago_ms = now_ms - (i64)test->days * DAY_MS;
	i32 day;

	if (test->op == SEGMENT_EVER)
		return range_between(INT64_MIN, INT64_MAX);
	/* What lies ahead by a clock that was set has just been. */
	if (test->op == SEGMENT_WITHIN)
		return range_between(ago_ms, INT64_MAX);
	if (test->op == SEGMENT_OLDER)
		return range_between(INT64_MIN, ago_ms - 1);
	ASSERT(calendar_parse(test->values[0], &day));
	return range_by_day(test->op, (i64)local_day_begins_ms(run->clock.zone, day),
			    (i64)local_day_begins_ms(run->clock.zone, day + 1) - 1);
}

static struct segment_range range_of_date(const struct segment_run *run,
					  const struct segment_node *test)
{
	i64 today = run->today;
	i32 day;

	switch (test->op) {
	case SEGMENT_WITHIN:
		return range_between(today - test->days, today);
	case SEGMENT_WITHIN_NEXT:
		return range_between(today, today + test->days);
	case SEGMENT_OLDER:
		return range_between(INT64_MIN, today - test->days - 1);
	case SEGMENT_EMPTY:
	case SEGMENT_ANNIVERSARY:
	case SEGMENT_THIS_MONTH:
		return range_between(0, 0); /* not asked for */
	default:
		ASSERT(calendar_parse(test->values[0], &day));
		return range_by_day(test->op, day, day);
	}
}

struct segment_run *segment_run_open(const struct segment *segment,
				     const struct segment_clock *clock,
				     const struct segment_facts *facts)
{
	struct segment_run *run = calloc(1, sizeof(*run));

	ASSERT(segment->program);
	if (!run)
		return NULL;
	run->segment = segment;
	run->facts = facts;
	run->clock = *clock;
	run->today = local_day(clock->zone, clock->now_ms);
	for (u32 i = 0; i < segment->program->step_count; i++) {
		const struct segment_node *test = segment->program->steps[i].test;

		if (segment_is_moment(test->subject))
			run->ranges[i] = range_of_moment(run, test);
		else if (test->type == SEGMENT_DATE)
			run->ranges[i] = range_of_date(run, test);
	}
	return run;
}

void segment_run_close(struct segment_run *run)
{
	free(run);
}

/* ---- times ---- */

static u64 list_moment(const struct segment_node *test, const struct contact *contact)
{
	enum member_state wanted = test->subject == SEGMENT_MEMBER ? MEMBER_ACTIVE :
				   test->subject == SEGMENT_LEFT   ? MEMBER_LEFT :
								     MEMBER_PENDING;
	struct contact_member member;

	if (!contact_find_member(contact->lists, (u16)test->id, &member) || member.state != wanted)
		return 0;
	/* Of an entry without a time it is known all the same that it is there. */
	return max_u64((u64)member.since_s * 1000, 1);
}

static u64 campaign_moment(struct segment_run *run, const struct segment_node *test, u32 contact)
{
	struct activity activity;

	run->facts->activity(run->facts->owner, test->id, contact, &activity);
	if (test->subject == SEGMENT_SENT)
		return (u64)activity.of[ACTIVITY_SENT] * 1000;
	if (test->subject == SEGMENT_OPENED)
		return (u64)activity.of[ACTIVITY_LAST_OPEN] * 1000;
	if (test->link > 0 && !activity_has_link(&activity, test->link))
		return 0;
	return (u64)activity.of[ACTIVITY_LAST_CLICK] * 1000;
}

static u64 behaviour_moment(struct segment_run *run, const struct segment_node *test, u32 contact)
{
	enum behaviour_field field = test->subject == SEGMENT_SENT   ? BEHAVIOUR_LAST_SENT :
				     test->subject == SEGMENT_OPENED ? BEHAVIOUR_LAST_OPEN :
								       BEHAVIOUR_LAST_CLICK;

	if (test->id > 0)
		return campaign_moment(run, test, contact);
	if (run->behaviour_of != contact) {
		run->facts->behaviour(run->facts->owner, contact, &run->behaviour);
		run->behaviour_of = contact;
	}
	return (u64)run->behaviour.of[field] * 1000;
}

u64 segment_run_moment(struct segment_run *run, const struct segment_node *test,
		       const struct contact *contact)
{
	switch (test->subject) {
	case SEGMENT_CREATED:
		return contact->created_ms;
	case SEGMENT_CHANGED:
		return contact->changed_ms;
	case SEGMENT_CONSENT:
		return run->facts->consent_ms(run->facts->owner, contact->id);
	case SEGMENT_SENT:
	case SEGMENT_OPENED:
	case SEGMENT_CLICKED:
		return behaviour_moment(run, test, contact->id);
	default:
		return list_moment(test, contact);
	}
}

static bool is_within(i64 time, const struct segment_range *range)
{
	return time >= range->from && time <= range->to;
}

static bool test_moment(struct segment_run *run, const struct segment_step *step,
			const struct contact *contact)
{
	const struct segment_range *range =
		&run->ranges[step - run->segment->program->steps];
	u64 moment_ms = segment_run_moment(run, step->test, contact);

	if (step->test->op == SEGMENT_IS_NOT)
		return moment_ms == 0 || !is_within((i64)moment_ms, range);
	return moment_ms > 0 && is_within((i64)moment_ms, range);
}

/* ---- values ---- */

static bool is_anniversary(const struct segment_run *run, const struct segment_node *test, i32 day)
{
	struct calendar_date date = calendar_date_of(day);
	struct calendar_date today = calendar_date_of(run->today);
	i32 next = calendar_anniversary(&date, today.year);

	if (test->op == SEGMENT_THIS_MONTH)
		return date.month == today.month && day <= next;
	if (next < run->today)
		next = calendar_anniversary(&date, today.year + 1);
	/* What is still to come has no anniversary before it. */
	return day <= next && next - run->today <= (i32)test->days;
}

static bool test_date(const struct segment_run *run, const struct segment_step *step,
		      struct slice value)
{
	const struct segment_range *range =
		&run->ranges[step - run->segment->program->steps];
	i32 day;
	bool is_there = value.ptr && calendar_parse(value, &day);

	if (step->test->op == SEGMENT_IS_NOT)
		return !is_there || !is_within(day, range);
	if (!is_there)
		return false;
	if (step->test->op == SEGMENT_ANNIVERSARY || step->test->op == SEGMENT_THIS_MONTH)
		return is_anniversary(run, step->test, day);
	return is_within(day, range);
}

static bool compare_number(const struct segment_node *test, struct slice value)
{
	int order = segment_number_order(value, test->values[0]);

	switch (test->op) {
	case SEGMENT_IS:
		return order == 0;
	case SEGMENT_IS_NOT:
		return order != 0;
	case SEGMENT_LESS:
		return order < 0;
	case SEGMENT_AT_MOST:
		return order <= 0;
	case SEGMENT_AT_LEAST:
		return order >= 0;
	case SEGMENT_MORE:
		return order > 0;
	default:
		for (u32 i = 0; i < test->value_count; i++) {
			if (segment_number_order(value, test->values[i]) == 0)
				return true;
		}
		return false;
	}
}

static bool test_text(struct segment_run *run, const struct segment_step *step, struct slice value)
{
	struct slice wanted = step->values[0];
	struct slice folded;

	ASSERT(value.len <= sizeof(run->folded));
	folded = (struct slice){ run->folded, segment_fold(run->folded, value) };
	switch (step->test->op) {
	case SEGMENT_IS:
		return slice_equal(folded, wanted);
	case SEGMENT_IS_NOT:
		return !slice_equal(folded, wanted);
	case SEGMENT_CONTAINS:
		return memmem(folded.ptr, folded.len, wanted.ptr, wanted.len) != NULL;
	case SEGMENT_BEGINS:
		return slice_has_prefix(folded, wanted);
	case SEGMENT_ENDS:
		return folded.len >= wanted.len &&
		       slice_equal(slice_from(folded, folded.len - wanted.len), wanted);
	default:
		return bsearch(&folded, step->values, step->value_count, sizeof(folded),
			       slice_order) != NULL;
	}
}

static bool test_attribute(struct segment_run *run, const struct segment_step *step,
			   const struct contact *contact)
{
	const struct segment_node *test = step->test;
	struct slice value = contact_find_value(contact->values, (u16)test->id);

	if (test->op == SEGMENT_EMPTY)
		return !value.ptr;
	if (test->type == SEGMENT_DATE)
		return test_date(run, step, value);
	if (!value.ptr)
		return test->op == SEGMENT_IS_NOT;
	if (test->type == SEGMENT_NUMBER)
		return compare_number(test, value);
	if (test->type == SEGMENT_YES_NO) {
		bool is_yes = slice_equal(value, SLICE("1"));
		bool wants_yes = slice_equal(test->values[0], SLICE("yes"));

		return (is_yes == wants_yes) == (test->op == SEGMENT_IS);
	}
	return test_text(run, step, value);
}

/* ---- steps ---- */

bool segment_run_test(struct segment_run *run, const struct segment_step *step,
		      const struct contact *contact)
{
	switch (step->test->subject) {
	case SEGMENT_STATE:
		return step->states >> contact->state & 1;
	case SEGMENT_EMAIL:
		return test_text(run, step, contact->address);
	case SEGMENT_DOMAIN:
		return test_text(run, step, address_wire_domain(contact->address));
	case SEGMENT_ATTRIBUTE:
		return test_attribute(run, step, contact);
	default:
		return test_moment(run, step, contact);
	}
}

bool segment_run_holds(struct segment_run *run, const struct contact *contact)
{
	const struct segment_program *program = run->segment->program;
	u16 at = program->begin;

	run->behaviour_of = 0;
	while (at < SEGMENT_FAILS) {
		const struct segment_step *step = &program->steps[at];

		at = segment_run_test(run, step, contact) ? step->yes : step->no;
	}
	return at == SEGMENT_HOLDS;
}
