/*
 * The sender's own time. The wall clock may be set by minutes or years at any moment (NTP, an
 * operator, a clock chip that lost its battery), so nothing that decides about mail goes by it:
 *
 *   due_ms   what due times are compared with. Goes as fast as the monotonic clock. Time while the
 *            sender was off counts too: exactly within one boot of the machine; across boots as
 *            the wall clock tells it, but never less than nothing and never more than
 *            `longest_ms` (after that all rows are due in any case).
 *   age_ms   what the ages of rows and log entries are measured with. Counts only what the
 *            monotonic clock vouches for: the sender's running, and its being off within one boot.
 *            Time during which the machine was off is not counted, since only the wall clock could
 *            tell it: a row may live longer than it should, never shorter.
 *   wall_ms  what people and receivers read (Date, the delivery log). The wall clock as it is,
 *            unless it says less than CLOCK_EARLIEST_MS: then nobody ever set it, and time goes on
 *            from what was last believed.
 *
 * All three begin with the wall clock of the first start, and part only when it is set or the
 * machine is off. Pure.
 */
#ifndef DELIVERY_TIMEKEEPER_H
#define DELIVERY_TIMEKEEPER_H

#include "base/buf.h"
#include "base/types.h"

#define TIMEKEEPER_BOOT_SIZE 36

struct timekeeper {
	u64 due_ms;
	u64 age_ms;
	u64 wall_ms;
	u64 clock_ms;  /* the wall clock as it was read */
	u64 start_ns;  /* monotonic */
	u64 passed_ms; /* since then */
	u8 boot[TIMEKEEPER_BOOT_SIZE];
};

/*
 * A new start. `note` is what timekeeper_note wrote last, in this boot or an earlier one;
 * SLICE_NONE or what does not parse: the first start of all. Returns by how many ms the wall clock
 * is off what was to be expected: set while the sender was off (same boot), or behind the last run
 * (another boot; there only negative, for being ahead is what it should be). 0: as it should be.
 */
i64 timekeeper_start(struct timekeeper *t, struct slice note,
		     const u8 boot[TIMEKEEPER_BOOT_SIZE], u64 now_ns, u64 clock_ms, u64 longest_ms);
/*
 * Time goes on. Returns by how many ms the wall clock was set since the last call; 0: it was not
 * (by less than a second is not seen, and does not matter).
 */
i64 timekeeper_turn(struct timekeeper *t, u64 now_ns, u64 clock_ms);
/* What the next start must know, as text, added to `out`. */
#define TIMEKEEPER_NOTE_MAX 128
void timekeeper_note(const struct timekeeper *t, struct buf *out);

/* A due time as the wall clock will show it. */
u64 timekeeper_wall_of_due(const struct timekeeper *t, u64 due_ms);

#endif
