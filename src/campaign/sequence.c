#include "campaign/sequence.h"

#include "base/check.h"
#include "campaign/local_day.h"

#include <string.h>

#define HOUR_MS (3600 * MS_PER_S)
#define DAY_MS (24 * HOUR_MS)
#define DAY_MINUTES 1440
#define LATE_HOURS_BY_DATE 24

/* ---- checking ---- */

static bool check_step(const struct sequence *sequence, u32 index, struct error *error)
{
	const struct sequence_step *step = &sequence->steps[index];
	const struct sequence_step *before = index > 0 ? step - 1 : NULL;
	bool by_moment = sequence->start == SEQUENCE_BY_MOMENT;
	i32 least = by_moment ? 0 : -SEQUENCE_DAYS_MAX;

	if (step->id == 0)
		return error_set(error, "step %u has no id", index + 1);
	for (u32 i = 0; i < index; i++) {
		if (sequence->steps[i].id == step->id)
			return error_set(error, "step %u has the id of step %u", index + 1, i + 1);
	}
	if (step->days < least || step->days > SEQUENCE_DAYS_MAX)
		return error_set(error, "step %u: days are from %d to %d", index + 1, least,
				 SEQUENCE_DAYS_MAX);
	if (step->hours > (by_moment ? SEQUENCE_HOURS_MAX : 0))
		return error_set(error, by_moment ? "step %u waits for too many hours" :
						    "step %u: around a date hours do not count",
				 index + 1);
	if (step->at_minute < SEQUENCE_ANY_TIME || step->at_minute >= DAY_MINUTES)
		return error_set(error, "step %u: there is no such time of day", index + 1);
	if (step->weekdays > 127)
		return error_set(error, "step %u: there is no such weekday", index + 1);
	if (!by_moment && before &&
	    (step->days < before->days ||
	     (step->days == before->days && step->at_minute < before->at_minute)))
		return error_set(error, "step %u comes before step %u", index + 1, index);
	return true;
}

bool sequence_check(const struct sequence *sequence, struct error *error)
{
	if (sequence->step_count == 0 || sequence->step_count > SEQUENCE_STEPS_MAX)
		return error_set(error, "a sequence has 1 to %d steps", SEQUENCE_STEPS_MAX);
	for (u32 i = 0; i < sequence->step_count; i++) {
		if (!check_step(sequence, i, error))
			return false;
	}
	return true;
}

/* ---- when a step is due ---- */

static bool is_weekday(const struct sequence_step *step, i32 day)
{
	/* 1970-01-01 was a Thursday. */
	u32 weekday = (u32)(((day + 4) % 7 + 7) % 7);

	return step->weekdays == 0 || (step->weekdays >> weekday & 1);
}

static u64 moment_of(const struct sequence *sequence, i32 day, u32 second_of_day)
{
	struct calendar_date date = calendar_date_of(day);
	struct clock_date local = { .year = (u32)date.year,
				    .month = date.month,
				    .day = date.day,
				    .hour = second_of_day / 3600,
				    .minute = second_of_day / 60 % 60,
				    .second = second_of_day % 60 };

	return day < 0 ? 0 : time_zone_moment(sequence->zone, &local);
}

static u64 due_by_date(const struct sequence *sequence, const struct sequence_step *step, i32 about)
{
	i32 day = about + step->days;

	while (!is_weekday(step, day))
		day++;
	return moment_of(sequence, day, step->at_minute > 0 ? (u32)step->at_minute * 60 : 0);
}

static u64 due_by_moment(const struct sequence *sequence, const struct sequence_step *step,
			 u64 base_ms)
{
	u64 least_ms = base_ms + step->hours * HOUR_MS;
	bool has_time = step->at_minute != SEQUENCE_ANY_TIME;
	struct clock_date local;
	u32 second;
	u64 due_ms;
	i32 day;

	if (step->days == 0 && !has_time && step->weekdays == 0)
		return least_ms;
	time_zone_local(sequence->zone, least_ms, &local);
	day = local_day(sequence->zone, least_ms) + step->days;
	second = has_time ? (u32)step->at_minute * 60 :
			    local.hour * 3600 + local.minute * 60 + local.second;
	/* Today only if that time is still to come. What is cut off below a second is no past. */
	do {
		while (!is_weekday(step, day))
			day++;
		due_ms = moment_of(sequence, day++, second);
	} while (due_ms + MS_PER_S <= least_ms);
	return max_u64(due_ms, least_ms);
}

static u64 due_of(const struct sequence *sequence, const struct sequence_enrolment *enrolment,
		  const struct sequence_step *step)
{
	return sequence->start == SEQUENCE_BY_MOMENT ?
		       due_by_moment(sequence, step, enrolment->base_ms) :
		       due_by_date(sequence, step, enrolment->day);
}

/* 0: it is never too late. */
static u64 late_ms(const struct sequence *sequence)
{
	if (sequence->late_hours == 0 && sequence->start != SEQUENCE_BY_MOMENT)
		return LATE_HOURS_BY_DATE * HOUR_MS;
	return sequence->late_hours * HOUR_MS;
}

/* ---- what was had ---- */

static i32 again_days(const struct sequence *sequence)
{
	return sequence->start == SEQUENCE_YEARLY ? SEQUENCE_AGAIN_YEARLY : SEQUENCE_AGAIN_DAYS;
}

static bool is_done(const struct sequence *sequence, const struct sequence_enrolment *enrolment,
		    const struct sequence_step *step)
{
	for (u32 i = 0; i < enrolment->done_count; i++) {
		const struct sequence_done *done = &enrolment->done[i];

		if (done->id == step->id && (sequence->start == SEQUENCE_BY_MOMENT ||
					     enrolment->day - done->day < again_days(sequence)))
			return true;
	}
	return false;
}

static void note_done(struct sequence_enrolment *enrolment, u32 id)
{
	u32 kept = 0;

	/* One entry for each step, the newest last. */
	for (u32 i = 0; i < enrolment->done_count; i++) {
		if (enrolment->done[i].id != id)
			enrolment->done[kept++] = enrolment->done[i];
	}
	if (kept == SEQUENCE_DONE_MAX) {
		kept--;
		memmove(enrolment->done, enrolment->done + 1, kept * sizeof(*enrolment->done));
	}
	enrolment->done[kept] = (struct sequence_done){ id, enrolment->day };
	enrolment->done_count = kept + 1;
}

/* The first one behind all that were had. NULL: there is none. */
static const struct sequence_step *next_step(const struct sequence *sequence,
					     const struct sequence_enrolment *enrolment)
{
	u32 next = 0;

	for (u32 i = 0; i < sequence->step_count; i++) {
		if (is_done(sequence, enrolment, &sequence->steps[i]))
			next = i + 1;
	}
	return next < sequence->step_count ? &sequence->steps[next] : NULL;
}

/* ---- which day it is about ---- */

/* The first anniversary of which a step is left that is not over. */
static i32 anniversary_of(const struct sequence *sequence,
			  const struct sequence_enrolment *enrolment, i32 born, u64 now_ms)
{
	const struct sequence_step *last = &sequence->steps[sequence->step_count - 1];
	struct calendar_date date = calendar_date_of(born);
	struct sequence_enrolment then = *enrolment;
	/* Days may be counted from one that is years away. */
	i32 year = calendar_date_of(local_day(sequence->zone, now_ms)).year -
		   SEQUENCE_DAYS_MAX / 365 - 1;

	year = year < date.year ? date.year : year;
	for (i32 y = year;; y++) {
		then.day = calendar_anniversary(&date, y);
		if (due_by_date(sequence, last, then.day) + late_ms(sequence) >= now_ms &&
		    next_step(sequence, &then))
			return then.day;
	}
}

static i32 day_of(const struct sequence *sequence, const struct sequence_contact *contact,
		  const struct sequence_enrolment *enrolment, u64 now_ms)
{
	if (sequence->start == SEQUENCE_YEARLY)
		return anniversary_of(sequence, enrolment, contact->date, now_ms);
	return contact->date;
}

/* ---- advancing ---- */

static enum sequence_act leave(struct sequence_enrolment *enrolment, enum sequence_state state)
{
	enrolment->state = state;
	enrolment->step = 0;
	enrolment->due_ms = SEQUENCE_NEVER;
	return SEQUENCE_OVER;
}

static enum sequence_act wait(struct sequence_enrolment *enrolment, u32 step, u64 due_ms)
{
	enrolment->step = step;
	enrolment->due_ms = due_ms;
	return SEQUENCE_WAIT;
}

void sequence_enter(struct sequence_enrolment *enrolment, u64 now_ms)
{
	*enrolment = (struct sequence_enrolment){ .state = SEQUENCE_WAITING,
						  .base_ms = now_ms,
						  .due_ms = now_ms };
}

void sequence_return(struct sequence_enrolment *enrolment, u64 now_ms)
{
	enrolment->state = SEQUENCE_WAITING;
	enrolment->base_ms = now_ms;
	enrolment->due_ms = now_ms;
}

/* Whether who is through begins again: for another date. */
static bool begins_again(const struct sequence *sequence, const struct sequence_contact *contact,
			 const struct sequence_enrolment *enrolment)
{
	return enrolment->state == SEQUENCE_THROUGH && sequence->start == SEQUENCE_BY_DATE &&
	       contact->has_date && contact->date - enrolment->day >= SEQUENCE_AGAIN_DAYS;
}

enum sequence_act sequence_advance(const struct sequence *sequence,
				   const struct sequence_contact *contact, u64 now_ms,
				   struct sequence_enrolment *enrolment, u32 *step)
{
	const struct sequence_step *next;
	bool is_late;
	u64 due_ms;

	ASSERT(sequence->step_count > 0 && sequence->step_count <= SEQUENCE_STEPS_MAX);
	if (now_ms < CLOCK_EARLIEST_MS)
		return SEQUENCE_WAIT;
	if (begins_again(sequence, contact, enrolment))
		enrolment->state = SEQUENCE_WAITING;
	if (enrolment->state != SEQUENCE_WAITING)
		return SEQUENCE_OVER;
	if (!contact->is_reachable ||
	    (sequence->exit_segment > 0 && contact->is_in(contact->owner, sequence->exit_segment)))
		return leave(enrolment, SEQUENCE_LEFT);
	if (enrolment->base_ms > now_ms + DAY_MS)
		enrolment->base_ms = now_ms;
	if (sequence->start != SEQUENCE_BY_MOMENT) {
		if (!contact->has_date)
			return wait(enrolment, 0, SEQUENCE_NEVER);
		enrolment->day = day_of(sequence, contact, enrolment, now_ms);
	}
	next = next_step(sequence, enrolment);
	if (!next)
		return leave(enrolment, SEQUENCE_THROUGH);
	due_ms = due_of(sequence, enrolment, next);
	if (now_ms < due_ms)
		return wait(enrolment, next->id, due_ms);
	is_late = late_ms(sequence) > 0 && now_ms - due_ms > late_ms(sequence);
	note_done(enrolment, next->id);
	enrolment->base_ms = now_ms;
	enrolment->step = 0;
	enrolment->due_ms = now_ms;
	*step = next->id;
	if (is_late || (next->segment > 0 && !contact->is_in(contact->owner, next->segment)))
		return SEQUENCE_PASS;
	return SEQUENCE_SEND;
}
