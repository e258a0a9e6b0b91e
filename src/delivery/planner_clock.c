/*
 * The planner's time: see timekeeper.h. What the next start must know of it is written with every
 * recovery, with commits of the work every ten seconds, and once a minute while rows wait.
 */
#include "delivery/planner_parts.h"

#include "base/log.h"

#define NOTE_NAME SLICE("clock")
#define NOTE_NS (10 * NS_PER_S)
#define NOTE_IDLE_NS (60 * NS_PER_S)
#define DATE_AHEAD_MS (3600 * MS_PER_S)

_Static_assert(TIMEKEEPER_BOOT_SIZE == JOURNAL_BOOT_SIZE, "both are the kernel's boot id");

u64 planner_longest_wait_ms(const struct planner *planner)
{
	u64 longest = max_u64(retry_longest_ms(&planner->config->retry), POSTPONE_MS * 2);

	return max_u64(longest, planner->config->queue.in_doubt_delay_ms);
}

static void tell_start(struct planner *planner)
{
	metric_set(&planner->m->started_s,
		   (planner->time.wall_ms - planner->time.passed_ms) / MS_PER_S);
}

static void tell_step(struct planner *planner, i64 step_ms)
{
	if (step_ms == 0)
		return;
	metric_add(&planner->m->clock_steps, 1);
	log_warn("delivery", "the wall clock was set: no row becomes due or older by that",
		 "by_s=%lld", (long long)(step_ms / (i64)MS_PER_S));
	tell_start(planner);
}

static void tell_unset(const struct planner *planner)
{
	if (planner->time.clock_ms < CLOCK_EARLIEST_MS)
		log_warn("delivery", "the wall clock was never set: time goes on from the last run",
			 "");
}

bool planner_clock_open(struct planner *planner, u64 wall_ms, struct error *error)
{
	struct slice note = SLICE_NONE;
	enum store_result result;
	i64 step;

	if (!planner_begin(planner, error))
		return false;
	result = queue_setting_get(planner->queue, NOTE_NAME, &note);
	if (result == STORE_NOT_FOUND)
		note = SLICE_NONE;
	else if (result != STORE_OK)
		error_set(error, "the queue: %s", queue_error_text(planner->queue));
	step = timekeeper_start(&planner->time, note, journal_boot(planner->journal),
				planner->now_ns, wall_ms, planner_longest_wait_ms(planner));
	queue_abort(planner->queue);
	tell_start(planner);
	tell_step(planner, step);
	tell_unset(planner);
	return result == STORE_OK || result == STORE_NOT_FOUND;
}

void planner_clock_turn(struct planner *planner, u64 now_ns, u64 wall_ms)
{
	planner->now_ns = now_ns;
	tell_step(planner, timekeeper_turn(&planner->time, now_ns, wall_ms));
}

bool planner_clock_note(struct planner *planner)
{
	struct buf text;
	bool ok;

	/* What others need the last room for does not fail for this. */
	planner->noting = planner->careful == 0 &&
			  (planner->noted_ns == 0 ||
			   planner->now_ns - planner->noted_ns >= NOTE_NS);
	if (!planner->noting)
		return true;
	buf_init(&text, TIMEKEEPER_NOTE_MAX);
	timekeeper_note(&planner->time, &text);
	ok = !text.failed && planner_store_ok(planner, queue_setting_put(planner->queue, NOTE_NAME,
									 buf_slice(&text)));
	buf_done(&text);
	return ok;
}

void planner_clock_noted(struct planner *planner)
{
	if (planner->noting)
		planner->noted_ns = max_u64(planner->now_ns, 1);
	planner->noting = false;
}

bool planner_clock_is_stale(const struct planner *planner)
{
	return planner->careful == 0 && planner->now_ns - planner->noted_ns >= NOTE_IDLE_NS;
}

u64 planner_since_of(const struct planner *planner, const struct queue_row *row)
{
	return row->since_ms ? row->since_ms : planner->time.age_ms;
}

u64 planner_age_of(const struct planner *planner, u64 since_ms)
{
	return planner->time.age_ms > since_ms ? planner->time.age_ms - since_ms : 0;
}

u64 planner_date_of(const struct queue_row *row, u64 wall_ms)
{
	const bool wrong = row->first_ms > wall_ms && row->first_ms - wall_ms > DATE_AHEAD_MS;

	/* Whole seconds: the Date field has no more, and a resend must be the same bytes. */
	if (row->first_ms == 0 || (wrong && !(row->flags & ROW_WAS_IN_DOUBT)))
		return wall_ms / MS_PER_S * MS_PER_S;
	return row->first_ms;
}

u64 planner_due_now(const struct planner *planner)
{
	return planner->time.due_ms;
}

u64 planner_deadline_of_wall(const struct planner *planner, u64 wall_ms)
{
	const u64 wall_now = planner->time.wall_ms;

	return wall_ms > wall_now ? planner->time.age_ms + (wall_ms - wall_now) : 0;
}

u64 planner_wall_of_deadline(const struct planner *planner, u64 deadline_ms)
{
	/* When the clock was set since, one that is long over may lie before its beginning. */
	const u64 shown = planner->time.wall_ms + deadline_ms;

	return deadline_ms && shown > planner->time.age_ms ? shown - planner->time.age_ms : 0;
}

u64 planner_wall_of_due(const struct planner *planner, u64 due_ms)
{
	return due_ms ? timekeeper_wall_of_due(&planner->time, due_ms) : 0;
}
