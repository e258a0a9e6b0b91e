/*
 * One life of the sender, in a child process of its own: planner and workers are opened, turned in a
 * random order while the clock jumps from event to event, and end as the world has planned.
 */
#include "sim.h"

#include "base/log.h"
#include "base/text.h"
#include "delivery/lease.h"
#include "delivery/path.h"
#include "metrics/metrics.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define CHECK_NS (20 * NS_PER_S)
#define STOP_NS (30 * NS_PER_S)          /* the patience of the role, then at once */
#define STOP_END_NS (120 * NS_PER_S)
#define HEALED_NS (12 * 3600 * NS_PER_S) /* in which all work must have come to its end */
#define MEANWHILE_TURNS 40 /* of workers during one commit */
#define RATES_MAX 256
#define HAND_OUT_MS 5000 /* at most between the sender's decision to try a row and its being lent */

struct life life;

/* ---- watching leases ---- */

/* Token bucket of a route, kept here from what is handed out and nothing else. */
static struct rate {
	char key[300];
	double level;
	u64 at_ns;
} rates[RATES_MAX];

static struct rate *rate_of(const char *key)
{
	for (u32 i = 0; i < RATES_MAX; i++) {
		if (!rates[i].key[0])
			snprintf(rates[i].key, sizeof(rates[i].key), "%s", key);
		if (strcmp(rates[i].key, key) == 0)
			return &rates[i];
	}
	sim_fail("more than %d routes", RATES_MAX);
}

static bool lent[SIM_RECIPIENTS_MAX]; /* with a worker now */

static void watch_rate(const struct path *path)
{
	const char *host = path_text(path, path->hosts[0]);
	const struct config_site *limits = config_site_of(&life.config, slice_of(host));
	struct rate *rate = rate_of(path_text(path, path->key));
	const double per_s = limits->rate_per_s;
	double gained = (double)(life.turn_ns - rate->at_ns) / 1e9 * per_s;

	if (per_s <= 0)
		return;
	rate->level = rate->level > gained ? rate->level - gained : 0;
	rate->at_ns = life.turn_ns;
	rate->level += 1;
	if (rate->level > 1 + (per_s / 10 > 1 ? per_s / 10 : 1))
		sim_fail("route %s: more leases than %u a second", path_text(path, path->site),
			 limits->rate_per_s);
}

static void watch_due(u32 index, u64 due_ms)
{
	struct sim_recipient *r = &world->recipients[index];

	if (due_ms > planner_due_now(life.planner))
		sim_fail("recipient %u was lent before its time", index);
	/* Without a restart of the machine in between, what was to be waited is waited in true time. */
	if (r->put_due_ms == due_ms && life.turn_ns - r->put_ns < (r->put_wait_ms - 1) * NS_PER_MS)
		sim_fail("recipient %u was to wait %llu ms and was lent after %llu", index,
			 (unsigned long long)r->put_wait_ms,
			 (unsigned long long)((life.turn_ns - r->put_ns) / NS_PER_MS));
	r->lent_wall_ms = planner_wall_of_due(life.planner, due_ms);
}

void life_watch_deferral(const struct queue_row *row)
{
	struct sim_recipient *r = &world->recipients[check_recipient_of(row->address)];
	u64 now_ms;

	r->put_due_ms = 0;
	if (row->ref.place != ROW_DEFERRED)
		return;
	if (r->first_ns == 0)
		r->first_ns = world->mono_ns;
	/* Before the sender is open nobody can ask for its time. */
	if (!life.planner)
		return;
	now_ms = planner_due_now(life.planner);
	if (row->ref.due_ms < now_ms)
		sim_fail("a row is put off into the past");
	r->put_due_ms = row->ref.due_ms;
	/* The turn's time, which the sender counts from: a disk that stalls in it takes its own. */
	r->put_ns = life.turn_ns;
	r->put_wait_ms = max_u64(row->ref.due_ms - now_ms, 1);
}

void life_watch_log(const struct queue_log_entry *entry)
{
	u32 index;
	u64 age_ms;

	if (entry->outcome != LOG_EXPIRED)
		return;
	index = check_recipient_of(entry->address);
	age_ms = (world->mono_ns - world->recipients[index].first_ns) / NS_PER_MS;
	if (age_ms + HAND_OUT_MS < world->campaigns[world->recipients[index].campaign].expire_ms)
		sim_fail("recipient %u expired after %llu s", index, (unsigned long long)age_ms / 1000);
}

void life_watch_lease(const struct lease *lease)
{
	const u32 index = check_recipient_of(lease->address);

	if (store_sim_in_transaction(planner_queue(life.planner)))
		sim_fail("recipient %u was lent before the commit that says so", index);
	if (lent[index])
		sim_fail("recipient %u was lent while it was lent already", index);
	lent[index] = true;
	if (lease->ref.place == ROW_DOUBT)
		sim_fail("recipient %u was lent while it was held in doubt", index);
	if (lease->ref.place == ROW_DEFERRED)
		watch_due(index, lease->ref.due_ms);
	if (world->recipients[index].first_ns == 0)
		world->recipients[index].first_ns = world->mono_ns;
	for (u32 i = 0; i < world->campaign_count; i++) {
		if (world->campaigns[i].id != lease->ref.id.campaign)
			continue;
		if (life.paused[i] || life.cancelled[i])
			sim_fail("a row of campaign %u was lent while it was %s", i,
				 life.paused[i] ? "paused" : "cancelled");
	}
	for (u32 i = 0; i < life.suspended_count; i++) {
		if (strcmp(life.suspended[i], path_text(lease->path, lease->path->site)) == 0)
			sim_fail("a row was lent to %s, which is suspended", life.suspended[i]);
	}
	check_destination(index, lease->path);
	watch_rate(lease->path);
	sim_trace("lease", lease->ref.id.domain, lease->ref.id.seq);
}

void life_watch_return(const struct lease *lease)
{
	const u32 index = check_recipient_of(lease->address);

	lent[index] = false;
	world->recipients[index].lent_wall_ms = 0;
}

/* ---- open ---- */

static void wake_planner(void *context)
{
	(void)context;
	life.planner_wake = true;
}

static void open_workers(void)
{
	struct error error = { "" };
	u32 leases = 1;

	while (leases < life.config.queue.in_flight)
		leases *= 2;
	for (u32 i = 0; i < world->worker_count; i++) {
		struct worker_params params = { .index = i,
						.sessions_max = SIM_CONNS_MAX,
						.leases_max = leases,
						.seed = sim_below(UINT64_MAX),
						.metrics = metrics_worker(life.metrics, i),
						.notify = wake_planner };

		life.workers[i] = worker_open(&params, &error);
		if (!life.workers[i])
			sim_fail("worker: %s", error.text);
		life.rings[i] = ring_sim_last_opened();
	}
	planner_set_workers(life.planner, life.workers);
	life.workers_open = true;
}

/* Without room in the store the start goes on later; once it is over, nothing may be unknown. */
static void check_recovered(void)
{
	if (life.recovered || planner_is_recovering(life.planner))
		return;
	life.recovered = true;
	check_store(true);
}

static void open_sender(void)
{
	struct error error = { "" };
	struct planner_params params = { .config = &life.config,
					 .worker_count = world->worker_count,
					 .seed = sim_below(UINT64_MAX) };

	resolver_sim_forget();
	if (!config_parse(&life.config, slice_of(world->config_text), "sim", &error))
		sim_fail("configuration: %s", error.text);
	life.metrics = metrics_open(world->worker_count);
	params.metrics = life.metrics;
	life.planner = planner_open(&params, &error);
	if (!life.planner)
		sim_fail("the sender does not start: %s", error.text);
	check_recovered();
	if (!life.recovered && (world->healed || !(world->store_faults || world->small_store)))
		sim_fail("there is room, and the sender does not note what the last life left");
	open_workers();
	operator_read_state();
	operator_import();
}

/* ---- turns ---- */

static bool turn_worker(u32 index)
{
	u64 at;

	if (ring_sim_is_idle(life.rings[index], &at) && at > world->mono_ns)
		return false;
	worker_turn(life.workers[index], UINT64_MAX);
	return true;
}

void life_meanwhile(void)
{
	const u64 slow = sim_below(8) ? 3 * NS_PER_MS : 40 * NS_PER_MS;

	if (!life.workers_open)
		return;
	for (u64 turns = sim_below(4) ? 0 : sim_below(MEANWHILE_TURNS); turns > 0; turns--) {
		world->mono_ns += 1000 + sim_below(slow);
		net_advance();
		turn_worker((u32)sim_below(world->worker_count));
	}
}

static bool turn_planner(void)
{
	if (!life.planner_wake && life.planner_at > world->mono_ns)
		return false;
	life.planner_wake = false;
	/* What the planner decides counts from here, whenever its commit lets the leases go. */
	life.turn_ns = clock_mono_ns();
	planner_turn(life.planner, life.turn_ns, clock_wall_ms());
	check_recovered();
	if (planner_is_broken(life.planner))
		sim_fail("the queue broke: %s", queue_error_text(planner_queue(life.planner)));
	life.planner_at = world->mono_ns + planner_wait_ns(life.planner, sim_mono_ns());
	return true;
}

/* One of those that have something to do, by lot; false: nobody has. */
static bool turn_somebody(void)
{
	const u32 actors = world->worker_count + 1;
	const u32 first = (u32)sim_below(actors);

	for (u32 i = 0; i < actors; i++) {
		const u32 actor = (first + i) % actors;

		if (actor < world->worker_count ? turn_worker(actor) : turn_planner())
			return true;
	}
	return false;
}

static void jump(void)
{
	u64 next = min_u64(net_next(), life.planner_at);
	u64 at;

	for (u32 i = 0; i < world->worker_count; i++) {
		ring_sim_is_idle(life.rings[i], &at);
		next = min_u64(next, at);
	}
	next = min_u64(next, resolver_sim_next());
	next = min_u64(next, min_u64(life.next_command_ns, life.next_check_ns));
	if (world->has_letters)
		next = min_u64(next, life.next_letter_ns);
	world->mono_ns = max_u64(world->mono_ns, next);
}

static void step(void)
{
	world->mono_ns += 1000 + sim_below(200000);
	net_advance();
	if (resolver_sim_is_ready()) {
		planner_resolver_ready(life.planner);
		life.planner_wake = true;
	}
	if (!turn_somebody())
		jump();
	if (world->has_letters && world->mono_ns >= life.next_letter_ns)
		bringer_turn();
	if (world->mono_ns >= life.next_check_ns) {
		life.next_check_ns = world->mono_ns + CHECK_NS;
		check_store(false);
		check_connections();
	}
}

/* ---- ends ---- */

static bool workers_are_finished(void)
{
	for (u32 i = 0; i < world->worker_count; i++) {
		if (!worker_is_finished(life.workers[i]))
			return false;
	}
	return true;
}

static void stop_workers(bool at_once)
{
	for (u32 i = 0; i < world->worker_count; i++)
		worker_stop(life.workers[i], at_once);
}

/* Without room for them results stay in the journal, and the next life notes them. */
static bool may_end(void)
{
	if (planner_is_stuck(life.planner) &&
	    (world->healed || !(world->small_store || world->store_faults)))
		sim_fail("there is room, and results are not committed");
	return planner_is_quiet(life.planner) || planner_is_stuck(life.planner);
}

/* As the role does it: gently, after a while at once; then every lease is back and everything closes. */
static void stop_cleanly(void)
{
	const u64 began = world->mono_ns;
	bool at_once = false;

	sim_trace("stop", 0, 0);
	planner_stop(life.planner);
	stop_workers(false);
	life.planner_wake = true;
	while (!may_end() || !workers_are_finished()) {
		step();
		if (!at_once && world->mono_ns - began > STOP_NS) {
			stop_workers(true);
			at_once = true;
		}
		if (world->mono_ns - began > STOP_END_NS)
			sim_fail("a clean stop does not come to its end");
	}
	check_store(false);
	sim_trace("stopped", planner_is_quiet(life.planner), 0);
	for (u32 i = 0; i < world->worker_count; i++)
		worker_close(life.workers[i]);
	planner_close(life.planner);
	metrics_close(life.metrics);
	config_free(&life.config);
	_exit(SIM_STOPPED);
}

/* Nothing fails any more: everything must be settled in time. */
static void finish(void)
{
	const u64 began = world->mono_ns;
	bool done = false;

	while (!done) {
		step();
		if (world->mono_ns >= life.next_command_ns) {
			operator_heal();
			done = operator_is_done();
		}
		if (world->mono_ns - began > HEALED_NS)
			operator_fail_unfinished();
	}
	world->finished = true;
	stop_cleanly();
}

static void live(void)
{
	while (world->mono_ns < world->chaos_end_ns) {
		step();
		if (world->mono_ns >= life.next_command_ns)
			operator_command();
		if (world->mono_ns >= world->stop_at_ns)
			stop_cleanly();
	}
	/* Many worlds get well while the sender lives: what it forgot shows only then. */
	if (world->small_store || (!world->store_faults && sim_below(2)))
		_exit(SIM_DIED);
	sim_heal();
	while (!life.recovered)
		step();
	operator_import();
	finish();
}

void life_run(void)
{
	int null = open("/dev/null", O_WRONLY | O_CLOEXEC);

	alarm(120);
	log_set_fd(world->verbose ? 2 : null);
	/* Always the same lines: each of them reads the clock, and that is a step of the world. */
	log_set_level(LOG_LEVEL_DEBUG);
	sim_trace("life", world->life, world->steps_left);
	open_sender();
	life.next_command_ns = world->mono_ns + sim_below(20 * NS_PER_S);
	life.next_letter_ns = world->mono_ns;
	if (world->healed)
		finish();
	live();
	_exit(SIM_STOPPED);
}
