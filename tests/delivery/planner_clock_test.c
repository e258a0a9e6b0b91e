/*
 * The planner on a clock that the test sets: restarts and steps of the wall clock between a row's
 * deferral and its next attempt. The campaign is paused, so that rows wait in memory and nothing is
 * sent.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/log.h"
#include "base/remove_tree.h"
#include "base/text.h"
#include "delivery/planner_parts.h"
#include "store/row_values.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define HOUR_MS (3600 * MS_PER_S)
#define YEAR_MS (365 * 24 * HOUR_MS)
#define NOW_MS 1800000000000ull /* 2027 */
#define DELAY_MS (15 * 60 * MS_PER_S)
#define LONGEST_MS (4 * HOUR_MS / 100 * 120) /* of the schedule, with its jitter */

/* In place of base/clock.c. */
static u64 mono_ns;
static u64 wall_ms;

u64 clock_mono_ns(void)
{
	return mono_ns;
}

u64 clock_wall_ms(void)
{
	return wall_ms;
}

/* Nobody finds room in the queue for a setting, and it may not grow. */
static bool is_full;

enum store_result __real_queue_setting_put(struct queue *queue, struct slice name,
					   struct slice value);
enum store_result __wrap_queue_setting_put(struct queue *queue, struct slice name,
					   struct slice value);
bool __real_queue_grow(struct queue *queue);
bool __wrap_queue_grow(struct queue *queue);

enum store_result __wrap_queue_setting_put(struct queue *queue, struct slice name,
					   struct slice value)
{
	return is_full ? STORE_FULL : __real_queue_setting_put(queue, name, value);
}

bool __wrap_queue_grow(struct queue *queue)
{
	return !is_full && __real_queue_grow(queue);
}

static void pass(u64 ms)
{
	mono_ns += ms * NS_PER_MS;
	wall_ms += ms;
}

static struct {
	char dir[64];
	struct config config;
	struct metrics *metrics;
	struct planner *planner;
	u32 campaign;
} the;

/* ---- lives of the planner ---- */

static void start(void)
{
	struct error error = { "" };
	struct planner_params params = { .config = &the.config, .seed = 1 };

	the.metrics = params.metrics = metrics_open(1);
	the.planner = planner_open(&params, &error);
	if (!the.planner)
		fail_msg("%s", error.text);
}

static void stop(void)
{
	planner_close(the.planner);
	metrics_close(the.metrics);
	the.planner = NULL;
}

static void turn(void)
{
	planner_turn(the.planner, clock_mono_ns(), clock_wall_ms());
	assert_false(planner_is_broken(the.planner));
}

/* The machine dies: the monotonic clock begins anew, and the journal says nothing. */
static void reboot(u64 to_wall_ms)
{
	char path[128];

	stop();
	mono_ns = 7 * NS_PER_S;
	wall_ms = to_wall_ms;
	snprintf(path, sizeof(path), "%s/data/journal", the.dir);
	assert_int_equal(unlink(path), 0);
	start();
}

static void import(void)
{
	struct queue_campaign campaign = { .name = "spring",
					   .customer = "a.example",
					   .doubt_policy = DOUBT_RESEND,
					   .expire_after_ms = 72 * HOUR_MS };
	struct planner_recipient ann = { .address = SLICE("ann@x.example") };
	struct planner_source source = { .headers = SLICE("From: A <n@a.example>\nSubject: hi\n"),
					 .text = SLICE("hi\n") };
	struct planner_intake *intake;
	struct error error = { "" };
	struct buf options;

	buf_init(&options, 4096);
	planner_options_pack(&(struct planner_options){ 0 }, &options);
	source.options = buf_slice(&options);
	intake = planner_intake_begin(the.planner, &campaign, &source, &error);
	if (!intake || !planner_intake_add(intake, &ann, 1, &error) ||
	    !planner_intake_finish(intake, &campaign, &error) ||
	    !planner_campaign_start(the.planner, campaign.id, &error) ||
	    !planner_campaign_pause(the.planner, campaign.id, &error))
		fail_msg("%s", error.text);
	buf_done(&options);
	the.campaign = campaign.id;
}

static int setup(void **state)
{
	char text[512];
	struct error error;

	(void)state;
	log_set_fd(open("/dev/null", O_WRONLY | O_CLOEXEC));
	mono_ns = 100 * NS_PER_S;
	wall_ms = NOW_MS;
	snprintf(the.dir, sizeof(the.dir), "/tmp/hikyaku-clock-XXXXXX");
	if (!mkdtemp(the.dir))
		return -1;
	snprintf(text, sizeof(text),
		 "data = \"%s/data\"\n"
		 "queue { in-flight = 16 commit-interval = \"0ms\" in-doubt-delay = \"15m\" }\n"
		 "retry { schedule = {\"5m\", \"4h\"} jitter = 20 }\n"
		 "customer \"a.example\" { address \"any\" { ehlo = \"m.a.example\" }\n"
		 "sign = false bounce = \"b\" }\n",
		 the.dir);
	if (!config_parse(&the.config, slice_of(text), "test", &error)) {
		fprintf(stderr, "%s\n", error.text);
		return -1;
	}
	start();
	import();
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	if (the.planner)
		stop();
	config_free(&the.config);
	remove_tree(the.dir);
	return 0;
}

/* ---- the one row ---- */

static void must(enum store_result result)
{
	assert_int_equal(result, STORE_OK);
}

static struct row_ref deferred_at(u64 due_ms)
{
	return (struct row_ref){ .id = { the.campaign, 1, 1 },
				 .place = ROW_DEFERRED,
				 .due_ms = due_ms };
}

static void defer(u64 due_ms)
{
	struct queue *queue = planner_queue(the.planner);
	struct row_ref from = { .id = { the.campaign, 1, 1 }, .place = ROW_LANE };
	struct queue_campaign campaign;
	struct queue_row row;

	must(queue_begin(queue));
	must(queue_row_get(queue, &from, &row));
	row.ref = deferred_at(due_ms);
	row.attempts = 1;
	row.first_ms = NOW_MS;
	row.since_ms = NOW_MS;
	must(queue_row_move(queue, &from, &row));
	must(queue_campaign_get(queue, the.campaign, &campaign));
	campaign.deferred = 1;
	must(queue_campaign_put(queue, &campaign));
	must(queue_commit(queue));
	the.planner->next_due_ms = 0;
}

/* As before a death: lent, and nothing is known of what became of it. */
static void lend(u64 due_ms)
{
	struct queue *queue = planner_queue(the.planner);
	const struct row_ref ref = deferred_at(due_ms);

	must(queue_begin(queue));
	must(queue_lease_put(queue, 1, wall_ms, &ref, 1));
	must(queue_commit(queue));
}

/* The deferred row; fails when it is gone. */
static struct queue_row only_row(void)
{
	struct queue *queue = planner_queue(the.planner);
	struct row_ref at = { .place = ROW_DEFERRED };
	struct queue_row row;
	struct queue_row other;

	must(queue_begin(queue));
	must(queue_row_next(queue, &at, UINT64_MAX, &row));
	assert_int_equal(queue_row_next(queue, &row.ref, UINT64_MAX, &other), STORE_NOT_FOUND);
	queue_abort(queue);
	return row;
}

static bool was_taken(u64 due_ms)
{
	return planner_due_cursor(the.planner).due_ms >= due_ms;
}

/* ---- tests ---- */

static void recovery_keeps_a_row_whose_new_due_time_is_its_old_one(void **state)
{
	const u64 due_ms = planner_due_now(the.planner) + DELAY_MS;
	struct queue_campaign campaign = { 0 };
	struct error error;

	(void)state;
	defer(due_ms);
	lend(due_ms);
	reboot(NOW_MS - HOUR_MS);
	assert_int_equal(only_row().ref.due_ms, due_ms);
	assert_true(planner_campaign_find(the.planner, SLICE("spring"), &campaign, &error));
	assert_int_equal(campaign.doubts, 1);
	assert_int_equal(campaign.deferred, 1);
}

static void a_damaged_slot_of_the_journal_keeps_nobody_from_starting(void **state)
{
	static const u32 places[] = { 0, ROW_DOUBT, ROW_DOUBT + 1, UINT32_MAX };
	struct row_ref row = { .id = { the.campaign, 1, 1 }, .place = ROW_LANE };
	struct journal *journal;
	struct queue_row found;
	struct error error;
	char path[128];

	(void)state;
	stop();
	snprintf(path, sizeof(path), "%s/data/journal", the.dir);
	journal = journal_open(path, 16, &error);
	assert_non_null(journal);
	for (u32 i = 0; i < array_count(places); i++) {
		struct journal_slot *slot = journal_slot(journal, i);

		slot->ref = row;
		slot->ref.place = places[i];
		atomic_store(&slot->state, JOURNAL_DOT_SENT);
	}
	journal_close(journal);
	start();
	must(queue_begin(planner_queue(the.planner)));
	must(queue_row_get(planner_queue(the.planner), &row, &found));
	queue_abort(planner_queue(the.planner));
}

static void a_wall_clock_set_back_makes_no_row_wait_longer(void **state)
{
	static const u64 walls[] = { NOW_MS - HOUR_MS, NOW_MS - 5 * YEAR_MS, 0 };
	const u64 due_ms = planner_due_now(the.planner) + HOUR_MS;

	(void)state;
	defer(due_ms);
	turn();
	for (size_t i = 0; i < array_count(walls); i++) {
		wall_ms = walls[i];
		pass(HOUR_MS / 4);
		turn();
		assert_false(was_taken(due_ms));
	}
	assert_true(planner_wait_ns(the.planner, mono_ns) <= HOUR_MS / 4 * NS_PER_MS);
	pass(HOUR_MS / 4);
	turn();
	assert_true(was_taken(due_ms));
}

static void a_wall_clock_set_ahead_makes_no_row_due(void **state)
{
	const u64 due_ms = planner_due_now(the.planner) + HOUR_MS;

	(void)state;
	defer(due_ms);
	turn();
	wall_ms += 10 * YEAR_MS;
	pass(HOUR_MS - 1);
	turn();
	assert_false(was_taken(due_ms));
	assert_int_equal(planner_wall_of_due(the.planner, due_ms), wall_ms + 1);
	pass(1);
	turn();
	assert_true(was_taken(due_ms));
}

static void steps_of_the_wall_clock_are_counted_and_move_the_start_time(void **state)
{
	struct metrics_planner *m = metrics_planner(the.metrics);

	(void)state;
	assert_int_equal(metric_get(&m->started_s), NOW_MS / MS_PER_S);
	pass(2000);
	turn();
	assert_int_equal(metric_get(&m->clock_steps), 0);
	pass(2000);
	wall_ms += YEAR_MS;
	turn();
	assert_int_equal(metric_get(&m->clock_steps), 1);
	assert_int_equal(metric_get(&m->started_s), (NOW_MS + YEAR_MS) / MS_PER_S);
	pass(2000);
	turn();
	assert_int_equal(metric_get(&m->clock_steps), 1);
}

static void rows_that_lie_too_far_ahead_are_tried_after_the_longest_wait(void **state)
{
	const u64 due_ms = planner_due_now(the.planner) + 50 * YEAR_MS;

	(void)state;
	defer(due_ms);
	turn();
	turn();
	assert_false(was_taken(due_ms));
	pass(LONGEST_MS - 1);
	turn();
	assert_false(was_taken(due_ms));
	pass(1);
	turn();
	assert_true(was_taken(due_ms));
}

static void a_restart_counts_the_time_between_though_the_wall_clock_was_set(void **state)
{
	const u64 due_ms = planner_due_now(the.planner) + HOUR_MS;

	(void)state;
	defer(due_ms);
	turn();
	stop();
	pass(HOUR_MS - MS_PER_S);
	wall_ms = 0;
	start();
	turn();
	assert_false(was_taken(due_ms));
	pass(MS_PER_S);
	turn();
	assert_true(was_taken(due_ms));
}

static void a_machine_that_was_off_long_finds_its_rows_due_and_as_old_as_they_were(void **state)
{
	const u64 due_ms = planner_due_now(the.planner) + HOUR_MS;

	(void)state;
	defer(due_ms);
	turn();
	reboot(NOW_MS + 20 * YEAR_MS);
	turn();
	assert_true(was_taken(due_ms));
	assert_int_equal(the.planner->time.age_ms, NOW_MS);
}

/* Time that was lived is noted also when nothing else is to be written. */
static void an_idle_sender_loses_little_time_by_a_power_cut(void **state)
{
	const u64 begin_ms = the.planner->time.age_ms;

	(void)state;
	defer(planner_due_now(the.planner) + 3 * HOUR_MS);
	for (u64 s = 0; s < 3600; s++) {
		pass(MS_PER_S);
		turn();
	}
	reboot(0);
	assert_in_range(the.planner->time.age_ms - begin_ms, HOUR_MS - 62 * MS_PER_S, HOUR_MS);
	assert_in_range(planner_due_now(the.planner) - begin_ms, HOUR_MS - 62 * MS_PER_S, HOUR_MS);
}

/* Else the next start would take the time since another boot for time that went by. */
static void a_start_that_waited_for_room_notes_its_time_as_any(void **state)
{
	u64 due_ms;

	(void)state;
	is_full = true;
	reboot(NOW_MS + HOUR_MS);
	assert_true(planner_is_recovering(the.planner));
	is_full = false;
	pass(2 * MS_PER_S);
	turn();
	assert_false(planner_is_recovering(the.planner));
	due_ms = planner_due_now(the.planner) + HOUR_MS;
	defer(due_ms);
	wall_ms += 10 * YEAR_MS;
	stop();
	start();
	turn();
	assert_false(was_taken(due_ms));
	pass(HOUR_MS);
	turn();
	assert_true(was_taken(due_ms));
}

static void the_log_is_kept_when_the_wall_clock_jumps_ahead(void **state)
{
	struct queue *queue = planner_queue(the.planner);
	struct queue_log_entry entry = { .wall_ms = wall_ms,
					 .age_ms = the.planner->time.age_ms,
					 .outcome = LOG_DELIVERED,
					 .id = { the.campaign, 1, 1 },
					 .address = SLICE("ann@x.example") };

	(void)state;
	must(queue_begin(queue));
	must(queue_log_add(queue, &entry));
	must(queue_log_add(queue, &entry));
	must(queue_commit(queue));
	wall_ms += 10 * YEAR_MS;
	for (u32 i = 0; i < 300; i++) {
		pass(MS_PER_S);
		turn();
	}
	must(queue_begin(queue));
	entry.number = 0;
	must(queue_log_next(queue, 0, &entry));
	assert_int_equal(entry.number, 1);
	queue_abort(queue);
	/* By its real age it goes. */
	pass(31 * 24 * HOUR_MS);
	turn();
	must(queue_begin(queue));
	must(queue_log_next(queue, 0, &entry));
	assert_int_equal(entry.number, 2);
	queue_abort(queue);
}

static void a_date_ahead_of_the_clock_is_given_anew_when_nobody_can_have_a_copy(void **state)
{
	struct queue_row row = { .first_ms = 0 };

	(void)state;
	assert_int_equal(planner_date_of(&row, NOW_MS + 1234), NOW_MS + 1000);
	row.first_ms = NOW_MS - YEAR_MS;
	assert_int_equal(planner_date_of(&row, NOW_MS), NOW_MS - YEAR_MS);
	row.first_ms = NOW_MS + HOUR_MS;
	assert_int_equal(planner_date_of(&row, NOW_MS), NOW_MS + HOUR_MS);
	row.first_ms = NOW_MS + YEAR_MS;
	assert_int_equal(planner_date_of(&row, NOW_MS), NOW_MS);
	row.flags = ROW_WAS_IN_DOUBT;
	assert_int_equal(planner_date_of(&row, NOW_MS), NOW_MS + YEAR_MS);
}

#define clock_test(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		clock_test(recovery_keeps_a_row_whose_new_due_time_is_its_old_one),
		clock_test(a_damaged_slot_of_the_journal_keeps_nobody_from_starting),
		clock_test(a_wall_clock_set_back_makes_no_row_wait_longer),
		clock_test(a_wall_clock_set_ahead_makes_no_row_due),
		clock_test(steps_of_the_wall_clock_are_counted_and_move_the_start_time),
		clock_test(rows_that_lie_too_far_ahead_are_tried_after_the_longest_wait),
		clock_test(a_restart_counts_the_time_between_though_the_wall_clock_was_set),
		clock_test(a_machine_that_was_off_long_finds_its_rows_due_and_as_old_as_they_were),
		clock_test(an_idle_sender_loses_little_time_by_a_power_cut),
		clock_test(a_start_that_waited_for_room_notes_its_time_as_any),
		clock_test(the_log_is_kept_when_the_wall_clock_jumps_ahead),
		clock_test(a_date_ahead_of_the_clock_is_given_anew_when_nobody_can_have_a_copy),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
