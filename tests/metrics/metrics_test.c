#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/text.h"
#include "metrics/fixture.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <pthread.h>
#include <string.h>

static struct metrics *open_metrics(u32 workers)
{
	struct metrics *metrics = metrics_open(workers);

	assert_non_null(metrics);
	return metrics;
}

static const char *expose(const struct metrics *metrics, bool openmetrics, struct buf *out)
{
	buf_init(out, METRICS_EXPOSITION_MAX);
	metrics_expose(metrics, openmetrics, out);
	assert_false(out->failed);
	return buf_text(out);
}

static void assert_has(const char *page, const char *line)
{
	if (!strstr(page, line))
		fail_msg("the page lacks: %s", line);
}

static void assert_lacks(const char *page, const char *text)
{
	const char *at = strstr(page, text);

	if (at)
		fail_msg("the page has: %.80s", at);
}

static u32 count_of(const char *page, const char *text)
{
	u32 count = 0;

	for (; (page = strstr(page, text)); page += strlen(text))
		count++;
	return count;
}

/* ---- slots ---- */

static void a_pair_keeps_its_slot(void **state)
{
	struct metrics *metrics = open_metrics(1);
	u32 a = metrics_route_slot(metrics, "192.0.2.1", "a.test");
	u32 b = metrics_route_slot(metrics, "192.0.2.2", "a.test");
	u32 c = metrics_route_slot(metrics, "192.0.2.1", "b.test");

	(void)state;
	assert_true(a != b && b != c && a != c && a != METRICS_OTHER);
	assert_int_equal(metrics_route_slot(metrics, "192.0.2.1", "a.test"), a);
	assert_int_equal(metrics_route_slot(metrics, "192.0.2.1", "b.test"), c);
	assert_int_equal(metrics_route_count(metrics), 4);
	assert_string_equal(metrics_route_source(metrics, b), "192.0.2.2");
	assert_string_equal(metrics_route_site(metrics, c), "b.test");
	metrics_close(metrics);
}

static void where_one_name_ends_matters(void **state)
{
	struct metrics *metrics = open_metrics(1);

	(void)state;
	assert_int_not_equal(metrics_route_slot(metrics, "ab", "c"),
			     metrics_route_slot(metrics, "a", "bc"));
	assert_int_not_equal(metrics_route_slot(metrics, "", "x"),
			     metrics_route_slot(metrics, "x", ""));
	metrics_close(metrics);
}

static void a_million_names_take_the_slots_there_are(void **state)
{
	struct metrics *metrics = open_metrics(1);
	char site[64];
	u32 first[METRICS_ROUTES_MAX];

	(void)state;
	for (u32 i = 0; i < 1000000; i++) {
		u32 slot;

		fixture_name_site(site, sizeof(site), i);
		slot = metrics_route_slot(metrics, "192.0.2.1", site);
		if (i < METRICS_ROUTES_MAX - 1)
			first[i] = slot;
		assert_int_equal(slot, i < METRICS_ROUTES_MAX - 1 ? i + 1 : METRICS_OTHER);
	}
	assert_int_equal(metrics_route_count(metrics), METRICS_ROUTES_MAX);
	for (u32 i = 0; i < METRICS_ROUTES_MAX - 1; i++) {
		fixture_name_site(site, sizeof(site), i);
		assert_int_equal(metrics_route_slot(metrics, "192.0.2.1", site), first[i]);
	}
	metrics_close(metrics);
}

static void names_that_look_the_same_share_a_slot(void **state)
{
	struct metrics *metrics = open_metrics(1);
	u32 slot = metrics_route_slot(metrics, "192.0.2.1", "\xff.test");

	(void)state;
	assert_int_equal(metrics_route_slot(metrics, "192.0.2.1", "\xfe.test"), slot);
	assert_int_equal(metrics_route_slot(metrics, "192.0.2.1", "\xef\xbf\xbd.test"), slot);
	assert_string_equal(metrics_route_site(metrics, slot), "\xef\xbf\xbd.test");
	/* A site that somebody named like the slot for all others. */
	assert_int_equal(metrics_route_slot(metrics, "other", "other"), METRICS_OTHER);
	metrics_close(metrics);
}

static void a_name_beyond_the_limit_is_counted_under_other(void **state)
{
	struct metrics *metrics = open_metrics(1);
	char name[METRICS_NAME_MAX + 2];

	(void)state;
	memset(name, 'x', sizeof(name) - 1);
	name[METRICS_NAME_MAX + 1] = '\0';
	assert_int_equal(metrics_route_slot(metrics, "192.0.2.1", name), METRICS_OTHER);
	assert_int_equal(metrics_route_slot(metrics, name, "a.test"), METRICS_OTHER);
	name[METRICS_NAME_MAX] = '\0';
	assert_int_equal(metrics_route_slot(metrics, "192.0.2.1", name), 1);
	assert_int_equal(metrics_route_slot(metrics, name, name), 2);
	assert_int_equal(strlen(metrics_route_site(metrics, 2)), METRICS_NAME_MAX);
	/* 86 bad bytes are 258 bytes when cleaned. */
	memset(name, '\xff', 86);
	name[86] = '\0';
	assert_int_equal(metrics_route_slot(metrics, "192.0.2.1", name), METRICS_OTHER);
	metrics_close(metrics);
}

static void the_sum_is_that_of_all_threads(void **state)
{
	struct metrics *metrics = open_metrics(3);
	struct metrics_route sum;

	(void)state;
	for (u32 i = 0; i < 3; i++) {
		metric_add(&metrics_worker(metrics, i)->routes[5].bytes, 10 + i);
		metric_add(&metrics_worker(metrics, i)->routes[5].tls_resumed, 1);
	}
	metric_add(&metrics_planner(metrics)->routes[5].delivered, 7);
	metrics_route_sum(metrics, 5, &sum);
	assert_int_equal(sum.bytes, 33);
	assert_int_equal(sum.tls_resumed, 3);
	assert_int_equal(sum.delivered, 7);
	metrics_route_sum(metrics, 4, &sum);
	assert_int_equal(sum.bytes, 0);
	metrics_close(metrics);
}

static void every_class_of_replies_has_its_label_from_the_start(void **state)
{
	struct metrics *metrics = open_metrics(1);
	char line[80];
	struct buf out;

	(void)state;
	metric_add(&metrics_planner(metrics)->replies[SMTP_CLASS_RATE], 7);
	expose(metrics, false, &out);
	for (u32 i = SMTP_CLASS_UNKNOWN; i < SMTP_CLASS_COUNT; i++) {
		snprintf(line, sizeof(line), "\nhikyaku_replies_total{class=\"%s\"} %u\n",
			 smtp_class_name(i), i == SMTP_CLASS_RATE ? 7 : 0);
		if (!strstr(buf_text(&out), line))
			fail_msg("the page lacks %s", line);
	}
	assert_null(strstr(buf_text(&out), "class=\"\""));
	buf_done(&out);
	metrics_close(metrics);
}

static void blocks_begin_on_cache_lines(void **state)
{
	struct metrics *metrics = open_metrics(3);

	(void)state;
	for (u32 i = 0; i < 3; i++)
		assert_int_equal((uintptr_t)metrics_worker(metrics, i) % CACHE_LINE, 0);
	assert_int_equal((uintptr_t)metrics_planner(metrics) % CACHE_LINE, 0);
	metrics_close(metrics);
}

/* ---- histograms ---- */

static u32 bucket_of(u64 ns)
{
	struct metrics_histogram h = { 0 };

	metric_observe(&h, ns);
	assert_int_equal(h.count, 1);
	assert_int_equal(h.sum_ns, ns);
	for (u32 i = 0; i < METRICS_BUCKETS; i++) {
		if (h.buckets[i])
			return i;
	}
	fail();
	return 0;
}

static void a_bound_belongs_to_its_bucket(void **state)
{
	(void)state;
	assert_int_equal(bucket_of(0), 0);
	for (u32 i = 0; i + 1 < METRICS_BUCKETS; i++) {
		assert_int_equal(bucket_of(METRICS_BUCKET_NS << i), i);
		assert_int_equal(bucket_of((METRICS_BUCKET_NS << i) + 1), i + 1);
	}
	assert_int_equal(bucket_of(UINT64_MAX), METRICS_BUCKETS - 1);
}

static void buckets_add_up_in_seconds(void **state)
{
	struct metrics *metrics = open_metrics(2);
	struct buf out;
	const char *page;

	(void)state;
	metric_observe(&metrics_worker(metrics, 0)->connect, 64000);
	metric_observe(&metrics_worker(metrics, 1)->connect, 64001);
	metric_observe(&metrics_worker(metrics, 1)->connect, 3600ull * 1000000000);
	page = expose(metrics, false, &out);
	assert_has(page, "# TYPE hikyaku_connect_seconds histogram\n");
	assert_has(page, "\nhikyaku_connect_seconds_bucket{le=\"0.000064\"} 1\n"
			 "hikyaku_connect_seconds_bucket{le=\"0.000128\"} 2\n");
	assert_has(page, "\nhikyaku_connect_seconds_bucket{le=\"536.870912\"} 2\n"
			 "hikyaku_connect_seconds_bucket{le=\"+Inf\"} 3\n"
			 "hikyaku_connect_seconds_sum 3600.000128001\n"
			 "hikyaku_connect_seconds_count 3\n");
	assert_has(page, "\nhikyaku_commit_seconds_sum 0\nhikyaku_commit_seconds_count 0\n");
	buf_done(&out);
	metrics_close(metrics);
}

/* ---- the page ---- */

static void a_route_with_nothing_counted_is_left_out(void **state)
{
	struct metrics *metrics = open_metrics(2);
	u32 used = metrics_route_slot(metrics, "192.0.2.1", "used.test");
	struct buf out;
	const char *page;

	(void)state;
	metrics_route_slot(metrics, "192.0.2.1", "idle.test");
	page = expose(metrics, false, &out);
	assert_lacks(page, "site=");
	buf_done(&out);

	metric_add(&metrics_worker(metrics, 1)->routes[used].sessions_failed[METRICS_FAIL_TLS], 1);
	page = expose(metrics, false, &out);
	assert_lacks(page, "idle.test");
	assert_lacks(page, "site=\"other\"");
	assert_has(page, "\nhikyaku_sessions_failed_total{source=\"192.0.2.1\",site=\"used.test\","
			 "reason=\"tls\"} 1\n");
	/* What stands at 0 beside it is shown, so that its first step up is seen. */
	assert_has(page, "\nhikyaku_messages_total{source=\"192.0.2.1\",site=\"used.test\","
			 "outcome=\"in_doubt\"} 0\n");
	buf_done(&out);
	metrics_close(metrics);
}

static void webhooks_are_told_by_name(void **state)
{
	struct metrics *metrics = open_metrics(1);
	struct metrics_reader *readers = metrics_planner(metrics)->readers;
	const char *page;
	struct buf out;

	(void)state;
	readers[1] = (struct metrics_reader){ .name = "crm", .is_used = 1, .waiting = 5,
					      .posted = 700, .failed = 3, .lost = 2, .suspended = 1 };
	readers[2] = (struct metrics_reader){ .name = "gone", .waiting = 5 };
	page = expose(metrics, false, &out);
	assert_has(page, "\nhikyaku_hook_waiting_entries{hook=\"crm\"} 5\n");
	assert_has(page, "\nhikyaku_hook_posted_events_total{hook=\"crm\"} 700\n");
	assert_has(page, "\nhikyaku_hook_failed_posts_total{hook=\"crm\"} 3\n");
	assert_has(page, "\nhikyaku_hook_lost_entries_total{hook=\"crm\"} 2\n");
	assert_has(page, "\nhikyaku_hook_suspended{hook=\"crm\"} 1\n");
	assert_lacks(page, "gone");
	buf_done(&out);
	metrics_close(metrics);
}

static void a_warm_up_is_told_by_address_and_receiver(void **state)
{
	struct metrics *metrics = open_metrics(1);
	struct metrics_warmup *warmups = metrics_planner(metrics)->warmups;
	const u32 used = metrics_route_slot(metrics, "192.0.2.1", "gmail");
	const char *page;
	struct buf out;

	(void)state;
	metrics_route_slot(metrics, "192.0.2.1", "idle");
	warmups[used] = (struct metrics_warmup){ .step = 3, .quota = 225, .sent = 17, .is_held = 1 };
	page = expose(metrics, false, &out);
	assert_has(page, "\nhikyaku_warmup_day{source=\"192.0.2.1\",receiver=\"gmail\"} 3\n");
	assert_has(page, "\nhikyaku_warmup_quota{source=\"192.0.2.1\",receiver=\"gmail\"} 225\n");
	assert_has(page, "\nhikyaku_warmup_sent{source=\"192.0.2.1\",receiver=\"gmail\"} 17\n");
	assert_has(page, "\nhikyaku_warmup_held{source=\"192.0.2.1\",receiver=\"gmail\"} 1\n");
	assert_has(page, "\nhikyaku_warmup_done{source=\"192.0.2.1\",receiver=\"gmail\"} 0\n");
	assert_lacks(page, "idle");
	buf_done(&out);
	metrics_close(metrics);
}

static void sessions_are_told_by_what_was_demanded_and_what_came_of_it(void **state)
{
	struct metrics *metrics = open_metrics(2);
	struct buf out;
	const char *page;

	(void)state;
	for (u32 i = 0; i < 2; i++) {
		u64(*security)[METRICS_SECURITIES] = metrics_worker(metrics, i)->security;

		metric_add(&security[METRICS_POLICY_DANE][METRICS_SECURITY_CERTIFICATE], 3 + i);
		metric_add(&security[METRICS_POLICY_VERIFY][METRICS_SECURITY_TLS], 1);
		metric_add(&metrics_worker(metrics, i)->tls_outcomes[TLS_OUTCOME_EXPIRED], 2);
		metric_add(&metrics_worker(metrics, i)->tls_kernel[METRICS_KERNEL_CIPHER], 1 + i);
		metric_add(&metrics_worker(metrics, i)->tls_messages[1], 4);
	}
	page = expose(metrics, false, &out);
	assert_has(page, "\nhikyaku_tls_sessions_total{policy=\"dane\",result=\"certificate\"} 7\n");
	assert_has(page, "\nhikyaku_tls_sessions_total{policy=\"verify\",result=\"ok\"} 2\n");
	assert_has(page, "\nhikyaku_tls_sessions_total{policy=\"never\",result=\"plaintext\"} 0\n");
	assert_has(page, "\nhikyaku_tls_outcomes_total{result=\"certificate-expired\"} 4\n");
	assert_has(page, "\nhikyaku_tls_outcomes_total{result=\"ok\"} 0\n");
	assert_has(page, "\nhikyaku_tls_kernel_sessions_total{result=\"cipher\"} 3\n");
	assert_has(page, "\nhikyaku_tls_kernel_sessions_total{result=\"left\"} 0\n");
	assert_has(page, "\nhikyaku_tls_messages_total{by=\"kernel\"} 8\n");
	assert_has(page, "\nhikyaku_tls_messages_total{by=\"process\"} 0\n");
	buf_done(&out);
	metrics_close(metrics);
}

static void label_values_are_escaped(void **state)
{
	struct metrics *metrics = open_metrics(1);
	u32 slot = metrics_route_slot(metrics, "a\\b", "\"\n\\");
	struct buf out;

	(void)state;
	metric_add(&metrics_worker(metrics, 0)->routes[slot].bytes, 9);
	assert_has(expose(metrics, false, &out), "\nhikyaku_message_bytes_total"
						 "{source=\"a\\\\b\",site=\"\\\"\\n\\\\\"} 9\n");
	buf_done(&out);
	metrics_close(metrics);
}

static void every_family_has_help_and_type_once(void **state)
{
	struct metrics *metrics = open_metrics(FIXTURE_WORKERS);
	struct buf out;
	struct slice rest;
	const char *page;
	char comment[160];
	u32 samples = 0;

	(void)state;
	fixture_fill(metrics, 1000);
	page = expose(metrics, false, &out);
	rest = (struct slice){ out.ptr, out.len };
	while (rest.len > 0) {
		struct slice line = slice_split(&rest, '\n');
		size_t len = strcspn(line.ptr, "{ ");

		if (line.ptr[0] == '#')
			continue;
		samples++;
		for (u32 i = 0; i < 3; i++) {
			static const char *const parts[] = { "_bucket", "_sum", "_count" };
			size_t part = strlen(parts[i]);

			if (len > part && memcmp(line.ptr + len - part, parts[i], part) == 0)
				len -= part;
		}
		snprintf(comment, sizeof(comment), "# HELP %.*s ", (int)len, line.ptr);
		assert_int_equal(count_of(page, comment), 1);
		snprintf(comment, sizeof(comment), "# TYPE %.*s ", (int)len, line.ptr);
		assert_int_equal(count_of(page, comment), 1);
	}
	assert_true(samples > 4000);
	buf_done(&out);
	metrics_close(metrics);
}

static void openmetrics_names_families_without_total(void **state)
{
	struct metrics *metrics = open_metrics(1);
	struct buf out;
	const char *page = expose(metrics, true, &out);

	(void)state;
	assert_has(page, "# TYPE hikyaku_signatures counter\nhikyaku_signatures_total 0\n");
	assert_has(page, "# TYPE hikyaku_build info\nhikyaku_build_info{version=");
	assert_has(page, "# UNIT hikyaku_commit_seconds seconds\n");
	assert_int_equal(count_of(page, "# EOF\n"), 1);
	assert_memory_equal(out.ptr + out.len - 6, "# EOF\n", 6);
	buf_done(&out);

	page = expose(metrics, false, &out);
	assert_has(page, "# TYPE hikyaku_signatures_total counter\nhikyaku_signatures_total 0\n");
	assert_has(page, "# TYPE hikyaku_build_info gauge\n");
	assert_lacks(page, "# EOF");
	assert_lacks(page, "# UNIT");
	buf_done(&out);
	metrics_close(metrics);
}

static void the_longest_page_fits(void **state)
{
	struct metrics *metrics = open_metrics(256);
	char source[METRICS_NAME_MAX + 1];
	char site[METRICS_NAME_MAX + 1];
	struct buf out;

	(void)state;
	/* Every byte of a name doubles, every counter has all its digits. */
	memset(source, '"', sizeof(source) - 1);
	memset(site, '\\', sizeof(site) - 1);
	source[METRICS_NAME_MAX] = site[METRICS_NAME_MAX] = '\0';
	memset(metrics_planner(metrics), 0xff, sizeof(struct metrics_planner));
	for (u32 i = 0; i < METRICS_READERS_MAX; i++)
		snprintf(metrics_planner(metrics)->readers[i].name, 64, "%063u", i);
	for (u32 i = 0; i < 256; i++) {
		source[0] = (char)('a' + i % 16);
		source[1] = (char)('a' + i / 16);
		metrics_route_slot(metrics, source, site);
		memset(metrics_worker(metrics, i)->routes + METRICS_ROUTES_MAX, 0xff,
		       sizeof(struct metrics_worker) - sizeof(metrics_worker(metrics, i)->routes));
	}
	assert_int_equal(metrics_route_count(metrics), METRICS_ROUTES_MAX);
	expose(metrics, true, &out);
	assert_true(out.len > METRICS_EXPOSITION_MAX / 2);
	buf_done(&out);
	metrics_close(metrics);
}

static void a_buffer_that_is_too_small_is_told(void **state)
{
	struct metrics *metrics = open_metrics(1);
	struct buf out;

	(void)state;
	buf_init(&out, 2000);
	metrics_expose(metrics, false, &out);
	assert_true(out.failed);
	buf_done(&out);
	metrics_close(metrics);
}

/* ---- threads ---- */

struct writing {
	struct metrics *metrics;
	u32 worker;
	_Atomic bool *stop;
	u64 rounds;
};

static void *write_counters(void *argument)
{
	struct writing *w = argument;
	struct metrics_worker *m = metrics_worker(w->metrics, w->worker);

	for (; !atomic_load(w->stop); w->rounds++) {
		metric_observe(&m->connect, w->rounds % 1000 * 1000);
		metric_add(&m->routes[w->rounds % METRICS_ROUTES_MAX].delivered, 1);
	}
	return NULL;
}

static void *name_routes(void *argument)
{
	struct writing *w = argument;
	char site[32];

	for (; !atomic_load(w->stop); w->rounds++) {
		snprintf(site, sizeof(site), "s%llu.test", (unsigned long long)w->rounds);
		metrics_route_slot(w->metrics, "192.0.2.1", site);
	}
	return NULL;
}

static u64 number_behind(const char *page, const char *name)
{
	const char *at = strstr(page, name);

	assert_non_null(at);
	return strtoull(at + strlen(name), NULL, 10);
}

static void a_page_made_while_others_write_is_consistent(void **state)
{
	struct metrics *metrics = open_metrics(2);
	_Atomic bool stop = false;
	struct writing w[3] = { { metrics, 0, &stop, 0 }, { metrics, 1, &stop, 0 },
				{ metrics, 0, &stop, 0 } };
	struct metrics_route sum;
	pthread_t threads[3];
	u64 last = 0;
	u64 total = 0;

	(void)state;
	for (u32 i = 0; i < 3; i++)
		assert_int_equal(pthread_create(&threads[i], NULL,
						i < 2 ? write_counters : name_routes, &w[i]),
				 0);
	for (u32 i = 0; i < 40; i++) {
		struct buf out;
		const char *page = expose(metrics, i % 2, &out);
		u64 count = number_behind(page, "\nhikyaku_connect_seconds_count ");

		assert_int_equal(number_behind(page, "connect_seconds_bucket{le=\"+Inf\"} "),
				 count);
		assert_true(count >= last);
		last = count;
		buf_done(&out);
	}
	atomic_store(&stop, true);
	for (u32 i = 0; i < 3; i++)
		pthread_join(threads[i], NULL);
	for (u32 slot = 0; slot < METRICS_ROUTES_MAX; slot++) {
		metrics_route_sum(metrics, slot, &sum);
		total += sum.delivered;
	}
	assert_int_equal(total, w[0].rounds + w[1].rounds);
	metrics_close(metrics);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_pair_keeps_its_slot),
		cmocka_unit_test(where_one_name_ends_matters),
		cmocka_unit_test(a_million_names_take_the_slots_there_are),
		cmocka_unit_test(names_that_look_the_same_share_a_slot),
		cmocka_unit_test(a_name_beyond_the_limit_is_counted_under_other),
		cmocka_unit_test(the_sum_is_that_of_all_threads),
		cmocka_unit_test(every_class_of_replies_has_its_label_from_the_start),
		cmocka_unit_test(blocks_begin_on_cache_lines),
		cmocka_unit_test(a_bound_belongs_to_its_bucket),
		cmocka_unit_test(buckets_add_up_in_seconds),
		cmocka_unit_test(a_route_with_nothing_counted_is_left_out),
		cmocka_unit_test(webhooks_are_told_by_name),
		cmocka_unit_test(a_warm_up_is_told_by_address_and_receiver),
		cmocka_unit_test(sessions_are_told_by_what_was_demanded_and_what_came_of_it),
		cmocka_unit_test(label_values_are_escaped),
		cmocka_unit_test(every_family_has_help_and_type_once),
		cmocka_unit_test(openmetrics_names_families_without_total),
		cmocka_unit_test(the_longest_page_fits),
		cmocka_unit_test(a_buffer_that_is_too_small_is_told),
		cmocka_unit_test(a_page_made_while_others_write_is_consistent),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
