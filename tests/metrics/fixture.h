/* A registry with every counter moved, and sites by the worst names that a site can have. */
#ifndef TESTS_METRICS_FIXTURE_H
#define TESTS_METRICS_FIXTURE_H

#include "metrics/metrics.h"

#include <stdio.h>

#define FIXTURE_WORKERS 3

static const char *const fixture_ugly[] = {
	"\"\n\\", "\\n", "{le=\"1\"} 1\n# EOF", "\xff\xfe.test", "\xed\xa0\x80", "日本.example", "",
	" ", "\r\n", "a\tb", "#", "\xc3", "\x7f\x01",
};

static inline void fixture_name_site(char *to, size_t size, u64 number)
{
	snprintf(to, size, "%s%llu", fixture_ugly[number % array_count(fixture_ugly)],
		 (unsigned long long)number);
}

static inline void fixture_count(struct metrics_route *route, u64 seed)
{
	u64 *words = (u64 *)route;

	for (size_t i = 0; i < sizeof(*route) / sizeof(u64); i++)
		metric_add(&words[i], seed + i);
}

static inline void fixture_fill(struct metrics *metrics, u64 names)
{
	struct metrics_planner *planner = metrics_planner(metrics);
	char site[64];

	for (u64 i = 0; i < names; i++) {
		fixture_name_site(site, sizeof(site), i);
		fixture_count(&metrics_worker(metrics, i % FIXTURE_WORKERS)
				       ->routes[metrics_route_slot(
					       metrics, i % 2 ? "192.0.2.1" : "2001:db8::1", site)],
			      i % 100 + 1);
	}
	for (u64 i = 0; i < 40; i++) {
		metric_observe(&metrics_worker(metrics, i % FIXTURE_WORKERS)->connect,
			       1000ull << i);
		metric_observe(&planner->commit, 1000ull << i);
	}
	metric_set(&planner->oldest_due_ms, 90061007);
	metric_set(&planner->started_s, 1700000000);
	metric_set(&planner->map_bytes, UINT64_MAX);
}

#endif
