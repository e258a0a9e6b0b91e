/*
 * Writes the exposition of a registry with every counter moved to standard output, for programs that
 * read such pages to judge: `expose_many text|openmetrics NAMES`, NAMES pairs being asked for, among
 * them the worst that a site can be called.
 */
#include "base/check.h"
#include "metrics/metrics.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const ugly[] = {
	"\"\n\\", "\\n", "{le=\"1\"} 1\n# EOF", "\xff\xfe.test", "\xed\xa0\x80", "日本.example", "",
	" ", "\r\n", "a\tb", "#", "\xc3", "\x7f\x01",
};

static void name_site(char *to, size_t size, u64 number)
{
	snprintf(to, size, "%s%llu", ugly[number % array_count(ugly)], (unsigned long long)number);
}

static void count_route(struct metrics_route *route, u64 seed)
{
	u64 *words = (u64 *)route;

	for (size_t i = 0; i < sizeof(*route) / sizeof(u64); i++)
		metric_add(&words[i], seed + i);
}

static void fill(struct metrics *metrics, u64 names)
{
	struct metrics_planner *planner = metrics_planner(metrics);
	char site[64];

	for (u64 i = 0; i < names; i++) {
		name_site(site, sizeof(site), i);
		count_route(&metrics_worker(metrics, i % 3)->routes[metrics_route_slot(
				    metrics, i % 2 ? "192.0.2.1" : "2001:db8::1", site)],
			    i % 100 + 1);
	}
	for (u64 i = 0; i < 40; i++) {
		metric_observe(&metrics_worker(metrics, i % 3)->connect, 1000ull << i);
		metric_observe(&planner->commit, 1000ull << i);
	}
	metric_set(&planner->oldest_due_ms, 90061007);
	metric_set(&planner->started_s, 1700000000);
	metric_set(&planner->map_bytes, UINT64_MAX);
}

int main(int argc, char **argv)
{
	struct metrics *metrics = metrics_open(3);
	struct buf out;

	if (argc != 3 || !metrics) {
		fprintf(stderr, "usage: expose_many text|openmetrics NAMES\n");
		return 2;
	}
	fill(metrics, strtoull(argv[2], NULL, 10));
	buf_init(&out, METRICS_EXPOSITION_MAX);
	metrics_expose(metrics, strcmp(argv[1], "openmetrics") == 0, &out);
	ASSERT(!out.failed);
	fwrite(out.ptr, 1, out.len, stdout);
	buf_done(&out);
	metrics_close(metrics);
	return 0;
}
