#include "delivery/retry.h"

#include "base/check.h"
#include "base/clock.h"

#define ROUTE_FIRST_MS (15 * 1000)
#define ROUTE_MAX_MS (15 * 60 * 1000)

static const struct config_retry_class *class_of(const struct config_retry *retry, u32 class)
{
	return &retry->classes[class < SMTP_CLASS_COUNT ? class : SMTP_CLASS_UNKNOWN];
}

/*
 * The wait that begins at that age. Waits vary: when half of one is over its turn is over, too,
 * lest each that was a little short should come twice.
 */
static u64 scheduled(const struct config_durations *schedule, const struct retry_row *row)
{
	u64 begins = 0;
	size_t at = 0;

	while (at + 1 < schedule->count && at + 1 < row->attempts &&
	       row->age_ms >= begins + schedule->ms[at] / 2) {
		begins += schedule->ms[at];
		at++;
	}
	return schedule->ms[at];
}

u64 retry_wait_ms(const struct config_retry *retry, const struct retry_row *row,
		  struct random *random)
{
	const struct config_durations *schedule = &class_of(retry, row->class)->schedule;
	u64 wait;
	u64 named;

	ASSERT(schedule->count > 0);
	wait = random_jitter(random, scheduled(schedule, row), retry->jitter_percent);
	if (row->named_ms > 0) {
		named = min_u64(max_u64(row->named_ms, RETRY_NAMED_MIN_MS), RETRY_NAMED_MAX_MS);
		named += random_below(random, named / 100 * retry->jitter_percent + 1);
		if (named > wait || row->attempts <= RETRY_NAMED_QUICK_MAX)
			wait = named;
	}
	return max_u64(wait, MS_PER_S);
}

u64 retry_longest_ms(const struct config_retry *retry)
{
	u64 longest = RETRY_NAMED_MAX_MS;

	for (size_t class = 0; class < array_count(retry->classes); class++) {
		const struct config_durations *schedule = &retry->classes[class].schedule;

		for (size_t i = 0; i < schedule->count; i++)
			longest = max_u64(longest, schedule->ms[i]);
	}
	return longest + longest / 100 * retry->jitter_percent;
}

u64 retry_expire_ms(const struct config_retry *retry, u32 class, u64 own_ms)
{
	const u64 expire = class_of(retry, class)->expire_ms;

	return expire > 0 ? min_u64(expire, own_ms) : own_ms;
}

u64 retry_route_wait_ms(u32 failures, struct random *random)
{
	u32 doublings = min_u32(failures > 0 ? failures - 1 : 0, 10);

	return random_jitter(random, min_u64((u64)ROUTE_FIRST_MS << doublings, ROUTE_MAX_MS), 20);
}
