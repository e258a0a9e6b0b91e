/*
 * Orders to rows at rest, and the erasing of broken-off imports: slices of a bounded size in each turn,
 * to their end after a crash as well. Counted, not timed; but the longest turn is printed, and ROWS in
 * the environment makes the queue larger.
 */
#include "delivery/planner_parts.h"

#include "base/log.h"
#include "base/remove_tree.h"
#include "base/text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define ROWS 18003 /* more than one turn looks at */
#define HOUR_MS (3600 * MS_PER_S)
#define BATCH 4096
#define TURNS_MAX 100000

struct fixture {
	char dir[64];
	struct config config;
	struct metrics *metrics;
	struct planner *planner;
	u64 now_ns;
	u64 longest_ns; /* of all turns */
	u32 rows;
};

static void must(enum store_result result)
{
	assert_int_equal(result, STORE_OK);
}

/* ---- a planner without workers: nothing is sent while its campaigns rest ---- */

static void open_planner(struct fixture *f)
{
	struct planner_params params = { .config = &f->config, .metrics = f->metrics, .seed = 1 };
	struct error error = { "" };

	f->planner = planner_open(&params, &error);
	if (!f->planner)
		fail_msg("%s", error.text);
}

static void turn(struct fixture *f)
{
	u64 began = clock_mono_ns();

	f->now_ns += NS_PER_S;
	planner_turn(f->planner, f->now_ns, clock_wall_ms());
	assert_false(planner_is_broken(f->planner));
	f->longest_ns = max_u64(f->longest_ns, clock_mono_ns() - began);
}

static struct queue_stats stats_of(struct fixture *f)
{
	struct queue_stats stats;

	must(queue_stats(planner_queue(f->planner), &stats));
	return stats;
}

/* Id 0: there is none. */
static struct queue_campaign campaign_of(struct fixture *f, const char *name)
{
	struct queue_campaign campaign = { 0 };
	struct error error;

	if (!planner_campaign_find(f->planner, slice_of(name), &campaign, &error))
		campaign.id = 0;
	return campaign;
}

static struct planner_intake *import_begin(struct fixture *f, const char *name)
{
	struct planner_source source = {
		.headers = SLICE("From: A <news@a.example>\nSubject: hi\n"), .text = SLICE("Hello.\n")
	};
	struct queue_campaign campaign = { .doubt_policy = DOUBT_HOLD, .expire_after_ms = HOUR_MS };
	struct planner_intake *intake;
	struct buf options;
	struct error error = { "" };

	buf_init(&options, 4096);
	planner_options_pack(&(struct planner_options){ 0 }, &options);
	source.options = buf_slice(&options);
	snprintf(campaign.name, sizeof(campaign.name), "%s", name);
	snprintf(campaign.customer, sizeof(campaign.customer), "a.example");
	intake = planner_intake_begin(f->planner, &campaign, &source, &error);
	if (!intake)
		fail_msg("%s", error.text);
	buf_done(&options);
	return intake;
}

static void import_add(struct planner_intake *intake, u32 first, u32 count)
{
	static char addresses[BATCH][32];
	static struct planner_recipient batch[BATCH];
	struct error error = { "" };

	for (u32 done = 0; done < count;) {
		u32 n = 0;

		for (; n < BATCH && done < count; n++, done++) {
			snprintf(addresses[n], 32, "u%u@d.example", first + done);
			batch[n] = (struct planner_recipient){ .address = slice_of(addresses[n]) };
		}
		if (!planner_intake_add(intake, batch, n, &error))
			fail_msg("%s", error.text);
	}
}

/* A campaign with `rows` more than its one of the import, all at `place`; paused. */
static void put_campaign(struct fixture *f, const char *name, enum row_place place, u32 rows)
{
	struct planner_intake *intake = import_begin(f, name);
	struct queue_row row = { .ref = { .place = place }, .attempts = 1, .first_ms = 1000 };
	struct queue_campaign campaign;
	struct queue *queue = planner_queue(f->planner);
	struct error error;
	u64 now = f->planner->time.due_ms;
	char address[64];

	import_add(intake, 0, 1);
	assert_true(planner_intake_finish(intake, &campaign, &error));
	for (u32 i = 1; i <= rows; i++) {
		if (i % 8192 == 1)
			must(queue_begin(queue));
		snprintf(address, sizeof(address), "u%u@d%u.example", i, i % 3);
		row.address = slice_of(address);
		row.ref.id = (struct row_id){ campaign.id, 1, i + 1 };
		row.ref.due_ms = place == ROW_DEFERRED ? now + HOUR_MS + i : 0;
		must(queue_row_put(queue, &row));
		campaign.total++;
		campaign.deferred += place == ROW_DEFERRED;
		campaign.held += place == ROW_DOUBT;
		if (i % 8192 == 0 || i == rows) {
			campaign.state = CAMPAIGN_PAUSED;
			must(queue_campaign_put(queue, &campaign));
			must(queue_commit(queue));
			while (stats_of(f).map_size < 4 * stats_of(f).pages_used * 4096)
				assert_true(queue_grow(queue));
		}
	}
}

static void reopen(struct fixture *f)
{
	planner_close(f->planner);
	open_planner(f);
}

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));
	const char *rows = getenv("ROWS");
	struct error error;
	char text[512];

	log_set_level(LOG_LEVEL_ERROR);
	f->rows = ROWS;
	assert_true(!rows || slice_to_u32(slice_of(rows), &f->rows));
	f->now_ns = clock_mono_ns();
	snprintf(f->dir, sizeof(f->dir), "%.30s/hikyaku-sweep-XXXXXX",
		 getenv("TMPDIR") ? getenv("TMPDIR") : "/tmp");
	assert_non_null(mkdtemp(f->dir));
	snprintf(text, sizeof(text),
		 "data = \"%s\"\nqueue { map-size-max = \"4G\" in-flight = 16 log-keep = \"30d\" }\n"
		 "retry { schedule = { \"1d\" } }\n"
		 "customer \"a.example\" { address \"any\" { ehlo = \"mail.a.example\" } sign = false }\n"
		 "route \"*\" { relay = \"127.0.0.1:1\" }\n",
		 f->dir);
	if (!config_parse(&f->config, slice_of(text), "test", &error))
		fail_msg("%s", error.text);
	f->metrics = metrics_open(1);
	open_planner(f);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	if (getenv("ROWS"))
		print_message("longest turn: %.1f ms\n", (double)f->longest_ns / 1e6);
	planner_close(f->planner);
	metrics_close(f->metrics);
	config_free(&f->config);
	remove_tree(f->dir);
	free(f);
	return 0;
}

static bool is_over(const struct planner_sweep *sweep)
{
	struct planner_sweep_status status;

	planner_sweep_look(sweep, &status);
	return status.is_over;
}

static u64 count_of(const struct planner_sweep *sweep)
{
	struct planner_sweep_status status;

	planner_sweep_look(sweep, &status);
	return status.count;
}

/* Turns until it is over; no turn may change or look at more than a slice. */
static u32 carry_out(struct fixture *f, struct planner_sweep *sweep)
{
	struct planner_sweep_status before = { 0 };
	struct planner_sweep_status after;
	u32 turns = 0;

	planner_sweep_look(sweep, &before);
	while (!before.is_over) {
		struct queue_stats then = stats_of(f);

		turn(f);
		assert_true(++turns < TURNS_MAX);
		planner_sweep_look(sweep, &after);
		assert_true(after.count - before.count <= SWEEP_ROWS);
		assert_true(after.looked - before.looked <= SWEEP_LOOKS);
		assert_true(then.deferred_rows <= stats_of(f).deferred_rows + SWEEP_ROWS);
		assert_true(stats_of(f).log_rows - then.log_rows <= SWEEP_ROWS);
		before = after;
	}
	return turns;
}

/* ---- slices ---- */

static void rows_are_given_up_a_slice_at_a_time(void **state)
{
	struct fixture *f = *state;
	struct planner_filter filter = { .domain = SLICE("d1.example") };
	struct planner_sweep *sweep;
	struct error error;
	u32 turns;

	put_campaign(f, "news", ROW_DEFERRED, f->rows);
	reopen(f);
	sweep = planner_bounce(f->planner, &filter, &error);
	turns = carry_out(f, sweep);
	assert_int_equal(count_of(sweep), (f->rows + 2) / 3);
	assert_true(turns > count_of(sweep) / SWEEP_ROWS);
	assert_int_equal(campaign_of(f, "news").failed, count_of(sweep));
	assert_int_equal(stats_of(f).deferred_rows, f->rows - count_of(sweep));
	assert_int_equal(stats_of(f).log_rows, count_of(sweep));
	planner_sweep_leave(sweep);
	filter.domain = SLICE_NONE;
	sweep = planner_bounce(f->planner, &filter, &error);
	carry_out(f, sweep);
	assert_int_equal(stats_of(f).deferred_rows, 0);
	assert_int_equal(campaign_of(f, "news").failed, f->rows);
	planner_sweep_leave(sweep);
}

static void looking_in_vain_takes_slices_too(void **state)
{
	struct fixture *f = *state;
	struct planner_filter filter = { .address = SLICE("nobody@d1.example") };
	struct planner_sweep *sweep;
	struct error error;

	put_campaign(f, "news", ROW_DEFERRED, f->rows);
	reopen(f);
	sweep = planner_retry(f->planner, &filter, &error);
	assert_true(carry_out(f, sweep) > f->rows / SWEEP_LOOKS);
	assert_int_equal(count_of(sweep), 0);
	planner_sweep_leave(sweep);
}

static u64 due_rows(struct fixture *f)
{
	struct queue *queue = planner_queue(f->planner);
	struct row_ref at = { .place = ROW_DEFERRED };
	struct queue_row row;
	u64 count = 0;

	must(queue_begin(queue));
	while (queue_row_next(queue, &at, f->planner->time.due_ms, &row) == STORE_OK) {
		at = row.ref;
		count++;
	}
	queue_abort(queue);
	return count;
}

static void all_rows_become_due_and_each_is_met_once(void **state)
{
	struct fixture *f = *state;
	struct planner_sweep *sweep;
	struct error error;

	put_campaign(f, "news", ROW_DEFERRED, f->rows);
	reopen(f);
	sweep = planner_retry(f->planner, &(struct planner_filter){ 0 }, &error);
	assert_true(carry_out(f, sweep) > f->rows / SWEEP_ROWS);
	assert_int_equal(count_of(sweep), f->rows);
	assert_int_equal(stats_of(f).deferred_rows, f->rows);
	assert_int_equal(due_rows(f), f->rows);
	planner_sweep_leave(sweep);
}

static void held_rows_are_settled_a_slice_at_a_time(void **state)
{
	struct fixture *f = *state;
	struct planner_sweep *sweep;
	struct error error;

	put_campaign(f, "news", ROW_DOUBT, f->rows);
	reopen(f);
	sweep = planner_doubt_settle(f->planner, &(struct planner_filter){ 0 }, true, &error);
	assert_true(carry_out(f, sweep) > f->rows / SWEEP_ROWS);
	assert_int_equal(stats_of(f).doubt_rows, 0);
	assert_int_equal(stats_of(f).deferred_rows, f->rows);
	assert_int_equal(campaign_of(f, "news").held, 0);
	assert_int_equal(campaign_of(f, "news").deferred, f->rows);
	planner_sweep_leave(sweep);
}

static void a_short_order_does_not_wait_for_a_long_one(void **state)
{
	struct fixture *f = *state;
	struct planner_filter one = { .address = SLICE("u18000@d0.example") };
	struct planner_sweep *all;
	struct planner_sweep *few;
	struct error error;
	u32 turns = 0;

	put_campaign(f, "news", ROW_DEFERRED, ROWS);
	reopen(f);
	all = planner_bounce(f->planner, &(struct planner_filter){ .campaign = 1 }, &error);
	few = planner_retry(f->planner, &one, &error);
	while (!is_over(few)) {
		turn(f);
		assert_true(++turns < 8);
	}
	assert_int_equal(count_of(few), 1);
	assert_false(is_over(all));
	planner_sweep_leave(few);
	planner_sweep_leave(all);
}

static void an_order_that_nobody_waits_for_goes_on(void **state)
{
	struct fixture *f = *state;
	struct error error;

	put_campaign(f, "news", ROW_DEFERRED, ROWS);
	reopen(f);
	planner_sweep_leave(planner_bounce(f->planner, &(struct planner_filter){ 0 }, &error));
	for (u32 i = 0; i < ROWS / SWEEP_ROWS + 2; i++)
		turn(f);
	assert_int_equal(campaign_of(f, "news").failed, ROWS);
}

/* ---- cut short ---- */

/* In a child that ends without closing anything, after `turns` turns. */
static void crash_after(struct fixture *f, u32 turns, void (*order)(struct fixture *f))
{
	int status;
	pid_t child;

	planner_close(f->planner);
	child = fork();
	if (child == 0) {
		open_planner(f);
		order(f);
		for (u32 i = 0; i < turns; i++)
			turn(f);
		_exit(0);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
	open_planner(f);
}

static void bounce_all(struct fixture *f)
{
	struct error error;

	assert_non_null(planner_bounce(f->planner, &(struct planner_filter){ 0 }, &error));
}

static void retry_some(struct fixture *f)
{
	struct planner_filter filter = { .campaign = 1, .domain = SLICE("d2.example") };
	struct error error;

	assert_non_null(planner_retry(f->planner, &filter, &error));
}

static void cancel(struct fixture *f)
{
	struct error error;

	assert_non_null(planner_campaign_cancel(f->planner, 1, &error));
}

static void turn_until_rest(struct fixture *f)
{
	const struct planner *p = f->planner;
	u32 turns = 0;

	while (planner_may_sweep(p) || planner_may_erase(p) || planner_may_activate(p) ||
	       !list_is_empty(&p->doomed)) {
		turn(f);
		assert_true(++turns < TURNS_MAX);
	}
}

static void an_order_goes_on_after_a_crash(void **state)
{
	struct fixture *f = *state;

	put_campaign(f, "news", ROW_DEFERRED, ROWS);
	crash_after(f, 3, bounce_all);
	assert_true(stats_of(f).deferred_rows > 0 && stats_of(f).log_rows == 3 * SWEEP_ROWS);
	turn_until_rest(f);
	assert_int_equal(stats_of(f).deferred_rows, 0);
	assert_int_equal(stats_of(f).log_rows, ROWS);
	assert_int_equal(campaign_of(f, "news").failed, ROWS);
	/* Once and for all: what comes later is safe from it. */
	put_campaign(f, "later", ROW_DEFERRED, 10);
	reopen(f);
	turn_until_rest(f);
	assert_int_equal(stats_of(f).deferred_rows, 10);
}

static void an_order_keeps_what_it_was_meant_for_over_a_crash(void **state)
{
	struct fixture *f = *state;

	put_campaign(f, "news", ROW_DEFERRED, ROWS);
	crash_after(f, 1, retry_some);
	turn_until_rest(f);
	assert_int_equal(due_rows(f), ROWS / 3);
}

static void a_cancelled_campaign_is_cancelled_to_its_end_after_a_crash(void **state)
{
	struct fixture *f = *state;

	put_campaign(f, "news", ROW_DEFERRED, ROWS);
	crash_after(f, 2, cancel);
	assert_true(campaign_of(f, "news").cancelled < ROWS);
	turn_until_rest(f);
	assert_int_equal(campaign_of(f, "news").cancelled, ROWS + 1);
	assert_true(campaign_of(f, "news").finished_ms > 0);
}

/* ---- imports ---- */

static u64 rows_left(struct fixture *f)
{
	return stats_of(f).lane_rows;
}

static void a_broken_import_is_gone_at_once_and_erased_a_slice_at_a_time(void **state)
{
	struct fixture *f = *state;
	struct planner_intake *intake = import_begin(f, "news");
	struct queue_campaign campaign;
	struct error error;
	u32 turns = 0;

	/* Deferred rows of others are not looked through. */
	put_campaign(f, "old", ROW_DEFERRED, 10);
	import_add(intake, 0, f->rows);
	planner_intake_abort(intake);
	assert_false(planner_campaign_find(f->planner, SLICE("news"), &campaign, &error));
	/* The name is free, though its rows are still there. */
	assert_int_equal(rows_left(f), f->rows + 1);
	intake = import_begin(f, "news");
	import_add(intake, 0, 5);
	while (rows_left(f) > 6) {
		u64 before = rows_left(f);

		turn(f);
		assert_true(before - rows_left(f) <= ERASE_RECORDS);
		assert_true(++turns < TURNS_MAX);
	}
	assert_true(turns >= f->rows / ERASE_RECORDS);
	turn_until_rest(f);
	assert_true(planner_intake_finish(intake, &campaign, &error));
	assert_int_equal(campaign_of(f, "news").total, 5);
	assert_int_equal(rows_left(f), 6);
}

static void import_and_abort(struct fixture *f)
{
	struct planner_intake *intake = import_begin(f, "news");

	import_add(intake, 0, ROWS);
	planner_intake_abort(intake);
}

static void erasing_goes_on_after_a_crash(void **state)
{
	struct fixture *f = *state;

	crash_after(f, 2, import_and_abort);
	assert_true(rows_left(f) > 0 && rows_left(f) < ROWS);
	assert_int_equal(campaign_of(f, "news").id, 0);
	turn_until_rest(f);
	assert_int_equal(rows_left(f), 0);
	reopen(f);
	turn_until_rest(f);
	assert_int_equal(campaign_of(f, "news").id, 0);
}

#define sweep_test(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		sweep_test(rows_are_given_up_a_slice_at_a_time),
		sweep_test(looking_in_vain_takes_slices_too),
		sweep_test(all_rows_become_due_and_each_is_met_once),
		sweep_test(held_rows_are_settled_a_slice_at_a_time),
		sweep_test(a_short_order_does_not_wait_for_a_long_one),
		sweep_test(an_order_that_nobody_waits_for_goes_on),
		sweep_test(an_order_goes_on_after_a_crash),
		sweep_test(an_order_keeps_what_it_was_meant_for_over_a_crash),
		sweep_test(a_cancelled_campaign_is_cancelled_to_its_end_after_a_crash),
		sweep_test(a_broken_import_is_gone_at_once_and_erased_a_slice_at_a_time),
		sweep_test(erasing_goes_on_after_a_crash),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
