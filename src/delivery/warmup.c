#include "delivery/warmup.h"

#include "base/text.h"

#define HOUR_MS (3600 * 1000ull)
#define DAY_MS (24 * HOUR_MS)
#define SPREAD 6            /* an hour has a sixth of the day... */
#define HOUR_MIN 20         /* ...but not less than this */
#define IDLE_DAYS 7         /* without any mail: a step back */
#define REFUSED_MIN 3       /* fewer are chance */
#define HELD_PER_MILLE 30   /* refused, of what was answered */
#define STOPPED_PER_MILLE 100
#define COMPLAINTS_MIN 2
#define COMPLAINTS_HELD_PER_MILLE 1 /* of what was taken: Gmail's 0.1 and 0.3 % */
#define COMPLAINTS_STOPPED_PER_MILLE 3

static const char *const state_names[WARMUP_STATES] = {
	[WARMUP_RISING] = "rising",
	[WARMUP_HELD] = "held",
	[WARMUP_STOPPED] = "stopped",
	[WARMUP_DONE] = "done",
};

const char *warmup_state_name(enum warmup_state state)
{
	return state_names[state];
}

void warmup_begin(struct warmup *warmup, u32 step, u64 due_ms)
{
	*warmup = (struct warmup){ .step = step, .day = due_ms / DAY_MS, .hour = due_ms / HOUR_MS };
}

u32 warmup_quota(const struct warmup_plan *plan, u32 step)
{
	double quota = plan->first;

	for (u32 i = 1; i < step && quota < plan->target; i++)
		quota = quota * plan->growth_percent / 100;
	return quota < plan->target ? (u32)quota : plan->target;
}

/* ---- days ---- */

static void back(struct warmup *warmup, u32 steps)
{
	warmup->step -= min_u32(steps, warmup->step - 1);
}

static void explain(struct warmup *warmup, enum warmup_why why, u32 count, u32 of)
{
	warmup->why = (u8)why;
	warmup->why_count = count;
	warmup->why_of = of;
}

static void judge_day(struct warmup *warmup, const struct warmup_plan *plan, bool may_rise)
{
	const u32 quota = warmup_quota(plan, warmup->step);

	if (warmup->state == WARMUP_STOPPED) {
		back(warmup, 1);
	} else if (warmup->state == WARMUP_HELD) {
		return;
	} else if ((u64)warmup->answers * 2 < quota) {
		explain(warmup, WARMUP_WHY_FEW, warmup->answers, quota);
	} else if (quota >= plan->target) {
		warmup->state = WARMUP_DONE;
		explain(warmup, WARMUP_WHY_NOT, 0, 0);
	} else if (may_rise && warmup->step < WARMUP_STEPS_MAX) {
		warmup->step++;
		explain(warmup, WARMUP_WHY_NOT, 0, 0);
	}
}

bool warmup_turn(struct warmup *warmup, const struct warmup_plan *plan, bool may_rise, u64 due_ms)
{
	const u64 day = due_ms / DAY_MS;
	const u64 hour = due_ms / HOUR_MS;
	u64 weeks;

	if (hour > warmup->hour) {
		warmup->hour = hour;
		warmup->hour_sent = 0;
	}
	if (day <= warmup->day || warmup->state == WARMUP_DONE)
		return false;
	weeks = (day - warmup->day - 1) / IDLE_DAYS;
	judge_day(warmup, plan, may_rise);
	if (weeks > 0 && warmup->state != WARMUP_DONE) {
		back(warmup, (u32)min_u64(weeks, WARMUP_STEPS_MAX));
		explain(warmup, WARMUP_WHY_SILENCE, 0, 0);
	}
	if (warmup->state != WARMUP_DONE)
		warmup->state = WARMUP_RISING;
	warmup->day = day;
	warmup->sent = warmup->answers = warmup->refused = warmup->complaints = 0;
	return true;
}

/* ---- room ---- */

static u32 part_of(u32 quota, bool is_bulk, u32 reserve_percent)
{
	return is_bulk ? quota - (u32)((u64)quota * reserve_percent / 100) : quota;
}

static u32 left_today(const struct warmup *warmup, u32 quota)
{
	return warmup->state == WARMUP_STOPPED ? 0 : quota - min_u32(quota, warmup->sent);
}

static u32 left_this_hour(const struct warmup *warmup, u32 quota)
{
	const u32 most = quota / SPREAD > HOUR_MIN ? quota / SPREAD : HOUR_MIN;

	return most - min_u32(most, warmup->hour_sent);
}

u32 warmup_room(const struct warmup *warmup, const struct warmup_plan *plan, bool is_bulk,
		u32 reserve_percent)
{
	u32 quota;

	if (warmup->state == WARMUP_DONE)
		return WARMUP_UNLIMITED;
	quota = part_of(warmup_quota(plan, warmup->step), is_bulk, reserve_percent);
	if (!is_bulk)
		return left_today(warmup, quota);
	return min_u32(left_today(warmup, quota), left_this_hour(warmup, quota));
}

u64 warmup_next_ms(const struct warmup *warmup, const struct warmup_plan *plan, bool is_bulk,
		   u32 reserve_percent)
{
	u32 quota;

	if (warmup_room(warmup, plan, is_bulk, reserve_percent) > 0)
		return WARMUP_NEVER;
	quota = part_of(warmup_quota(plan, warmup->step), is_bulk, reserve_percent);
	return left_today(warmup, quota) > 0 ? (warmup->hour + 1) * HOUR_MS :
					       (warmup->day + 1) * DAY_MS;
}

void warmup_lent(struct warmup *warmup, u32 count)
{
	warmup->sent += min_u32(count, UINT32_MAX - warmup->sent);
	warmup->hour_sent += min_u32(count, UINT32_MAX - warmup->hour_sent);
}

void warmup_returned(struct warmup *warmup, u32 count)
{
	/* Those that were lent before the day or the hour began stay counted there. */
	warmup->sent -= min_u32(count, warmup->sent);
	warmup->hour_sent -= min_u32(count, warmup->hour_sent);
}

/* ---- answers ---- */

static bool is_share(u32 part, u32 of, u32 per_mille)
{
	return (u64)part * 1000 >= (u64)of * per_mille;
}

/* Only ever to a worse state within a day. */
static bool worsen(struct warmup *warmup, enum warmup_state state, enum warmup_why why, u32 count,
		   u32 of)
{
	const bool is_worse = state > warmup->state;

	if (state < warmup->state)
		return false;
	warmup->state = (u8)state;
	explain(warmup, why, count, of);
	return is_worse;
}

bool warmup_answered(struct warmup *warmup, bool is_refused)
{
	if (warmup->state == WARMUP_DONE || warmup->answers == UINT32_MAX)
		return false;
	warmup->answers++;
	if (!is_refused)
		return false;
	warmup->refused++;
	if (warmup->refused < REFUSED_MIN ||
	    !is_share(warmup->refused, warmup->answers, HELD_PER_MILLE))
		return false;
	return worsen(warmup,
		      is_share(warmup->refused, warmup->answers, STOPPED_PER_MILLE) ?
			      WARMUP_STOPPED :
			      WARMUP_HELD,
		      WARMUP_WHY_REFUSED, warmup->refused, warmup->answers);
}

bool warmup_complained(struct warmup *warmup)
{
	const u32 taken = warmup->answers - warmup->refused;

	if (warmup->state == WARMUP_DONE || warmup->complaints == UINT32_MAX)
		return false;
	warmup->complaints++;
	if (warmup->complaints < COMPLAINTS_MIN ||
	    !is_share(warmup->complaints, taken, COMPLAINTS_HELD_PER_MILLE))
		return false;
	return worsen(warmup,
		      is_share(warmup->complaints, taken, COMPLAINTS_STOPPED_PER_MILLE) ?
			      WARMUP_STOPPED :
			      WARMUP_HELD,
		      WARMUP_WHY_COMPLAINTS, warmup->complaints, taken);
}

void warmup_skip(struct warmup *warmup, const struct warmup_plan *plan)
{
	if (warmup->state == WARMUP_DONE)
		return;
	warmup->answers = warmup->refused = warmup->complaints = 0;
	explain(warmup, WARMUP_WHY_NOT, 0, 0);
	if (warmup_quota(plan, warmup->step) >= plan->target) {
		warmup->state = WARMUP_DONE;
		return;
	}
	warmup->state = WARMUP_RISING;
	warmup->step = min_u32(warmup->step + 1, WARMUP_STEPS_MAX);
}

/* ---- for people ---- */

u32 warmup_days_left(const struct warmup *warmup, const struct warmup_plan *plan)
{
	u32 days = 0;

	if (warmup->state == WARMUP_DONE)
		return 0;
	for (u32 step = warmup->step; step <= WARMUP_STEPS_MAX; step++) {
		days++;
		if (warmup_quota(plan, step) >= plan->target)
			break;
	}
	return days;
}

void warmup_explain(const struct warmup *warmup, struct buf *out)
{
	switch ((enum warmup_why)warmup->why) {
	case WARMUP_WHY_FEW:
		buf_add_format(out, "the last day sent %u of %u", warmup->why_count,
			       warmup->why_of);
		break;
	case WARMUP_WHY_REFUSED:
		buf_add_format(out, "%u of %u messages were refused for who we are",
			       warmup->why_count, warmup->why_of);
		break;
	case WARMUP_WHY_COMPLAINTS:
		buf_add_format(out, "%u complaints for %u messages", warmup->why_count,
			       warmup->why_of);
		break;
	case WARMUP_WHY_SILENCE:
		buf_add_text(out, "nothing was sent for a week or more");
		break;
	default:
		break;
	}
}

/* ---- over restarts ---- */

void warmup_pack(const struct warmup *warmup, struct buf *out)
{
	buf_add_format(out, "%u %llu %llu %u %u %u %u %u %u %u %u %u", warmup->step,
		       (unsigned long long)warmup->day, (unsigned long long)warmup->hour,
		       warmup->sent, warmup->hour_sent, warmup->answers, warmup->refused,
		       warmup->complaints, warmup->why_count, warmup->why_of, warmup->state,
		       warmup->why);
}

bool warmup_unpack(struct warmup *warmup, struct slice text)
{
	struct warmup w = { 0 };
	u32 state = 0;
	u32 why = 0;
	u32 *const fields[] = { &w.sent,      &w.hour_sent, &w.answers, &w.refused,
				&w.complaints, &w.why_count, &w.why_of,  &state,    &why };

	if (!slice_to_u32(slice_split(&text, ' '), &w.step) || !text.ptr ||
	    !slice_to_u64(slice_split(&text, ' '), &w.day) || !text.ptr ||
	    !slice_to_u64(slice_split(&text, ' '), &w.hour))
		return false;
	for (size_t i = 0; i < array_count(fields); i++) {
		if (!text.ptr || !slice_to_u32(slice_split(&text, ' '), fields[i]))
			return false;
	}
	if (text.ptr || w.step < 1 || w.step > WARMUP_STEPS_MAX || state >= WARMUP_STATES ||
	    why >= WARMUP_WHYS || w.refused > w.answers || w.day > UINT64_MAX / DAY_MS - 1 ||
	    w.hour > UINT64_MAX / HOUR_MS - 1)
		return false;
	w.state = (u8)state;
	w.why = (u8)why;
	*warmup = w;
	return true;
}
