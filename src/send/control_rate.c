#include "send/control_rate.h"

#include "base/clock.h"

#include <string.h>

void rate_sample(struct control_rate *rate, const struct metrics *metrics, u64 now_ns)
{
	u64 *slots = rate->by_slot[rate->count % RATE_SLOTS];
	u32 count = metrics_route_count(metrics);
	struct metrics_route sum;
	u64 total = 0;

	memset(slots, 0, sizeof(rate->by_slot[0]));
	for (u32 i = 0; i < count; i++) {
		metrics_route_sum(metrics, i, &sum);
		slots[i] = sum.delivered;
		total += sum.delivered;
	}
	rate->at_ns[rate->count % RATE_TOTALS] = now_ns;
	rate->delivered[rate->count % RATE_TOTALS] = total;
	rate->count++;
}

static double per_second(u64 messages, u64 ns)
{
	return ns > 0 ? (double)messages * (double)NS_PER_S / (double)ns : 0;
}

double rate_total(const struct control_rate *rate, u32 seconds)
{
	u64 last = (rate->count - 1) % RATE_TOTALS;
	u64 first;

	if (rate->count < 2)
		return 0;
	first = (rate->count - 1 - min_u64(min_u64(seconds, RATE_TOTALS - 1), rate->count - 1)) %
		RATE_TOTALS;
	return per_second(rate->delivered[last] - rate->delivered[first],
			  rate->at_ns[last] - rate->at_ns[first]);
}

double rate_site(const struct control_rate *rate, const struct metrics *metrics, const char *site)
{
	u32 count = metrics_route_count(metrics);
	u64 back = min_u64(RATE_SLOTS - 1, rate->count ? rate->count - 1 : 0);
	u64 messages = 0;
	u64 last;
	u64 first;

	if (back == 0)
		return 0;
	last = rate->count - 1;
	first = last - back;
	for (u32 i = 0; i < count; i++) {
		if (strcmp(metrics_route_site(metrics, i), site) == 0)
			messages += rate->by_slot[last % RATE_SLOTS][i] -
				    rate->by_slot[first % RATE_SLOTS][i];
	}
	return per_second(messages,
			  rate->at_ns[last % RATE_TOTALS] - rate->at_ns[first % RATE_TOTALS]);
}
