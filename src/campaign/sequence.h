/*
 * Step mail: messages that follow one another for each contact by itself, from a moment that it
 * entered (a subscription, an event) or around a date that is kept of it (a birthday each year, the
 * end of a contract once). What is to be done now and when to look again is all that is decided
 * here; who keeps enrolments (store) and who sends does it in one transaction with the new state,
 * so each step goes to each contact once.
 *
 * What it means that a running sequence is edited: steps have an identity (`id`), which is never
 * used again, and enrolments know which ones they have had. A contact waits for the first step
 * behind all that it has had, in the order of now, by the wait of now. So: a new step behind that
 * place is for it, too; one before that place is not; a step that is moved is not sent again; a
 * step that is deleted is left out, and the wait for the next one counts from the one before. Who
 * has been through stays through. After an edit, waiting enrolments are to be looked at anew.
 *
 * Waits of days are days of the calendar in the sequence's zone: a step "3 days later at 9:00"
 * comes at 9:00 over every change of summer time. A local time that is skipped comes as much later,
 * one that comes twice is meant the first time (time_zone.h). Hours are hours.
 *
 * The wall clock may be set: nothing is sent again for that; what waited from a moment that now
 * lies more than a day ahead waits from now; and before the clock was ever set nothing is done.
 */
#ifndef CAMPAIGN_SEQUENCE_H
#define CAMPAIGN_SEQUENCE_H

#include "base/error.h"
#include "campaign/time_zone.h"
#include "store/audience_enrolment.h"

#define SEQUENCE_DAYS_MAX 3650
#define SEQUENCE_HOURS_MAX 8760
#define SEQUENCE_ANY_TIME (-1)

enum sequence_start {
	SEQUENCE_BY_MOMENT,
	SEQUENCE_BY_DATE, /* once; again for a date that is SEQUENCE_AGAIN_DAYS later, or more */
	SEQUENCE_YEARLY,  /* on the date's anniversaries (base/calendar.h has 29 February) */
};
#define SEQUENCE_AGAIN_DAYS 28
#define SEQUENCE_AGAIN_YEARLY 300 /* a birthday that is corrected is no second one */

struct sequence {
	enum sequence_start start;
	const struct time_zone *zone;
	u32 exit_segment; /* who is in it leaves; 0: nobody does for that */
	/* A step that could not be sent for longer is passed by. 0: never; by date: 24. */
	u32 late_hours;
	u32 step_count;
	struct sequence_step steps[SEQUENCE_STEPS_MAX]; /* by date: in the order of their days */
};

/* What is known of the contact now. */
struct sequence_contact {
	bool is_reachable; /* active, and in the list if it is about one: else it leaves */
	bool has_date;
	i32 date; /* calendar.h */
	bool (*is_in)(void *owner, u32 segment);
	void *owner;
};

/* False and a sentence. */
bool sequence_check(const struct sequence *sequence, struct error *error) MUST_CHECK;

/* Entered at that moment; sequence_advance says what comes of it. */
void sequence_enter(struct sequence_enrolment *enrolment, u64 now_ms);
/* Who left comes back, and goes on behind what it has had. */
void sequence_return(struct sequence_enrolment *enrolment, u64 now_ms);

enum sequence_act {
	SEQUENCE_WAIT, /* until enrolment->due_ms */
	SEQUENCE_SEND, /* *step, now; then ask again */
	SEQUENCE_PASS, /* *step is not sent, by its condition or for being late; then ask again */
	SEQUENCE_OVER, /* through, or left: enrolment->state */
};

/* What is to be done at `now_ms`; the enrolment is what it is then. The sequence is checked. */
enum sequence_act sequence_advance(const struct sequence *sequence,
				   const struct sequence_contact *contact, u64 now_ms,
				   struct sequence_enrolment *enrolment, u32 *step) MUST_CHECK;

#endif
