#include "delivery/retry.h"

#include "base/check.h"
#include "base/clock.h"

#define ROUTE_FIRST_MS (15 * 1000)
#define ROUTE_MAX_MS (15 * 60 * 1000)

u64 retry_wait_ms(const struct config_retry *retry, u32 attempts, struct random *random)
{
	size_t at = attempts > 0 ? attempts - 1 : 0;
	u64 wait;

	ASSERT(retry->schedule.count > 0);
	if (at >= retry->schedule.count)
		at = retry->schedule.count - 1;
	wait = random_jitter(random, retry->schedule.ms[at], retry->jitter_percent);
	return max_u64(wait, MS_PER_S);
}

u64 retry_longest_ms(const struct config_retry *retry)
{
	u64 longest = MS_PER_S;

	for (size_t i = 0; i < retry->schedule.count; i++) {
		const u64 wait = retry->schedule.ms[i];

		longest = max_u64(longest, wait + wait / 100 * retry->jitter_percent);
	}
	return longest;
}

u64 retry_route_wait_ms(u32 failures, struct random *random)
{
	u32 doublings = min_u32(failures > 0 ? failures - 1 : 0, 10);

	return random_jitter(random, min_u64((u64)ROUTE_FIRST_MS << doublings, ROUTE_MAX_MS), 20);
}
