#include "delivery/timekeeper.h"

#include "base/clock.h"
#include "base/text.h"

#include <stdio.h>
#include <string.h>

#define STEP_MS 1000 /* the two clocks are read one after the other: less may be the reading */

struct note {
	u64 now_ns;
	u64 due_ms;
	u64 age_ms;
	u64 wall_ms;
	struct slice boot;
};

static bool take_number(struct slice *rest, u64 *number)
{
	return rest->ptr && slice_to_u64(slice_split(rest, ' '), number);
}

static bool read_note(struct slice text, struct note *note)
{
	struct slice rest = text;

	note->boot = slice_first(rest, TIMEKEEPER_BOOT_SIZE);
	if (text.len <= TIMEKEEPER_BOOT_SIZE || text.ptr[TIMEKEEPER_BOOT_SIZE] != ' ')
		return false;
	rest = slice_from(rest, TIMEKEEPER_BOOT_SIZE + 1);
	return take_number(&rest, &note->now_ns) && take_number(&rest, &note->due_ms) &&
	       take_number(&rest, &note->age_ms) && take_number(&rest, &note->wall_ms) &&
	       !rest.ptr;
}

static i64 judge_step(i64 step)
{
	return step >= STEP_MS || step <= -STEP_MS ? step : 0;
}

static bool is_set(u64 clock_ms)
{
	return clock_ms >= CLOCK_EARLIEST_MS;
}

static i64 go_on_in_boot(struct timekeeper *t, const struct note *note)
{
	const u64 passed = (t->start_ns - note->now_ns) / NS_PER_MS;
	const u64 expected = note->wall_ms + passed;

	t->due_ms = note->due_ms + passed;
	t->age_ms = note->age_ms + passed;
	t->wall_ms = is_set(t->clock_ms) ? t->clock_ms : expected;
	return judge_step((i64)(t->clock_ms - expected));
}

static i64 go_on_in_another_boot(struct timekeeper *t, const struct note *note, u64 longest_ms)
{
	const i64 away = (i64)(t->clock_ms - note->wall_ms);

	t->due_ms = note->due_ms + (away > 0 ? min_u64((u64)away, longest_ms) : 0);
	t->age_ms = note->age_ms;
	t->wall_ms = is_set(t->clock_ms) ? t->clock_ms : note->wall_ms;
	return away < 0 ? judge_step(away) : 0;
}

i64 timekeeper_start(struct timekeeper *t, struct slice text,
		     const u8 boot[TIMEKEEPER_BOOT_SIZE], u64 now_ns, u64 clock_ms, u64 longest_ms)
{
	struct note note;

	*t = (struct timekeeper){ .clock_ms = clock_ms, .start_ns = now_ns };
	memcpy(t->boot, boot, TIMEKEEPER_BOOT_SIZE);
	if (!read_note(text, &note)) {
		t->wall_ms = max_u64(clock_ms, CLOCK_EARLIEST_MS);
		t->due_ms = t->age_ms = t->wall_ms;
		return 0;
	}
	/* A monotonic clock that ran back is not the one that was noted, whatever the boot. */
	if (memcmp(note.boot.ptr, boot, TIMEKEEPER_BOOT_SIZE) == 0 && now_ns >= note.now_ns)
		return go_on_in_boot(t, &note);
	return go_on_in_another_boot(t, &note, longest_ms);
}

i64 timekeeper_turn(struct timekeeper *t, u64 now_ns, u64 clock_ms)
{
	const u64 passed = now_ns > t->start_ns ? (now_ns - t->start_ns) / NS_PER_MS : 0;
	const u64 gone = passed > t->passed_ms ? passed - t->passed_ms : 0;
	const i64 step = (i64)(clock_ms - t->clock_ms - gone);

	t->passed_ms += gone;
	t->due_ms += gone;
	t->age_ms += gone;
	t->wall_ms = is_set(clock_ms) ? clock_ms : t->wall_ms + gone;
	t->clock_ms = clock_ms;
	return judge_step(step);
}

void timekeeper_note(const struct timekeeper *t, struct buf *out)
{
	char text[TIMEKEEPER_NOTE_MAX];
	const u64 now_ns = t->start_ns + t->passed_ms * NS_PER_MS;
	const int len = snprintf(text, sizeof(text), " %llu %llu %llu %llu",
				 (unsigned long long)now_ns, (unsigned long long)t->due_ms,
				 (unsigned long long)t->age_ms, (unsigned long long)t->wall_ms);

	buf_add(out, t->boot, TIMEKEEPER_BOOT_SIZE);
	buf_add(out, text, (size_t)len);
}

u64 timekeeper_wall_of_due(const struct timekeeper *t, u64 due_ms)
{
	const i64 ahead = (i64)(due_ms - t->due_ms);

	if (ahead < 0 && t->clock_ms <= (u64)-ahead)
		return 1;
	return t->clock_ms + (u64)ahead;
}
