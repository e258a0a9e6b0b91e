/*
 * Warm-up: how much a source address that is new to a receiver may send there, day by day.
 * Decisions only; the planner tells what was lent, what was answered, and the time.
 *
 * The plan has steps. A day at step n has first x growth^(n-1) messages; a day that brought answers
 * to at least half of them, and was not bad, leads to the next step, and one with `target` messages
 * is the last: from then on the plan limits nothing. Days with little mail stay where they are, a
 * day that was bad is repeated, one that was very bad ends at once and goes back a step, and so
 * does each week in which nothing was sent.
 *
 * What is common practice (there is no standard): published plans begin with 50 to 200 messages a
 * day and roughly double (Twilio SendGrid's begins 50, 100, 500, 1000, and has hourly limits; it
 * lets what is over them go by other addresses, and calls an address cold again after 30 days of
 * silence; Amazon SES takes 45 days). Gmail's guidelines for senders ask for slow growth, less when
 * mail is refused or put off, complaints below 0.1 % and never 0.3 %; Yahoo and Microsoft publish
 * no numbers and ask for the same.
 *
 * A day is one of the clock of due times (timekeeper.h), so a wall clock that is set moves nothing;
 * an hour has at most a sixth of its day's bulk mail. Counts hold over restarts when what
 * warmup_pack writes is stored with what was lent.
 */
#ifndef DELIVERY_WARMUP_H
#define DELIVERY_WARMUP_H

#include "base/buf.h"
#include "base/types.h"

#define WARMUP_UNLIMITED UINT32_MAX
#define WARMUP_NEVER UINT64_MAX
#define WARMUP_STEPS_MAX 1000

/* Of one receiver. */
struct warmup_plan {
	u32 first;          /* messages of the first day; at least 1 */
	u32 growth_percent; /* of the day before; more than 100 */
	u32 target;         /* a day, at the end; at least 1 */
};

enum warmup_state {
	WARMUP_RISING,
	WARMUP_HELD,    /* this day will be repeated */
	WARMUP_STOPPED, /* nothing more today; a step back tomorrow */
	WARMUP_DONE,
	WARMUP_STATES,
};
/* "rising", "held", "stopped", "done" */
const char *warmup_state_name(enum warmup_state state);

/* Why the step is not a higher one. */
enum warmup_why {
	WARMUP_WHY_NOT,     /* it rises */
	WARMUP_WHY_FEW,     /* the day before brought less than half of what it might */
	WARMUP_WHY_REFUSED, /* for who we are, or for too much */
	WARMUP_WHY_COMPLAINTS,
	WARMUP_WHY_SILENCE, /* nothing was sent for weeks */
	WARMUP_WHYS,
};

struct warmup {
	u32 step; /* from 1 */
	u64 day;  /* number of the day under way */
	u64 hour; /* likewise */
	u32 sent; /* lent in that day */
	u32 hour_sent;
	u32 answers; /* of that day, that say something about us */
	u32 refused; /* of them: refused for who we are, or for too much */
	u32 complaints;
	u32 why_count; /* what was refused or complained about, of how many: for people */
	u32 why_of;
	u8 state; /* enum warmup_state */
	u8 why;   /* enum warmup_why */
};

/* At that step (1..WARMUP_STEPS_MAX), in the day of `due_ms`. */
void warmup_begin(struct warmup *warmup, u32 step, u64 due_ms);
/*
 * Time goes on: days that are over are judged. `may_rise` false: the operator keeps it where it is.
 * True when a day was judged.
 */
bool warmup_turn(struct warmup *warmup, const struct warmup_plan *plan, bool may_rise, u64 due_ms);
/* Messages of a day at that step. */
u32 warmup_quota(const struct warmup_plan *plan, u32 step);
/*
 * Messages that may be lent now, after warmup_turn. Bulk mail leaves `reserve_percent` of the day
 * to other mail, and is spread over it.
 */
u32 warmup_room(const struct warmup *warmup, const struct warmup_plan *plan, bool is_bulk,
		u32 reserve_percent) MUST_CHECK;
/* When there will be more, by the clock of due times; WARMUP_NEVER: there is room. */
u64 warmup_next_ms(const struct warmup *warmup, const struct warmup_plan *plan, bool is_bulk,
		   u32 reserve_percent) MUST_CHECK;
void warmup_lent(struct warmup *warmup, u32 count);
void warmup_returned(struct warmup *warmup, u32 count); /* came back without having been tried */
/* A message was taken, or refused for who we are or for too much. True: the state has changed. */
bool warmup_answered(struct warmup *warmup, bool is_refused);
bool warmup_complained(struct warmup *warmup);
/* One step ahead, by the operator's order; what was bad today is forgotten. */
void warmup_skip(struct warmup *warmup, const struct warmup_plan *plan);

/* Days to the end when all goes well, the one under way included; 0: it is done. */
u32 warmup_days_left(const struct warmup *warmup, const struct warmup_plan *plan);
/* A sentence; empty when it rises. */
void warmup_explain(const struct warmup *warmup, struct buf *out);

#define WARMUP_PACKED_MAX 256
void warmup_pack(const struct warmup *warmup, struct buf *out);
/* False, with nothing taken up, for anything else than that text. */
bool warmup_unpack(struct warmup *warmup, struct slice text) MUST_CHECK;

#endif
