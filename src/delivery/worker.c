#include "delivery/worker.h"

#include "base/check.h"
#include "base/clock.h"
#include "base/log.h"
#include "delivery/worker_parts.h"

#include <pthread.h>
#include <stdlib.h>

#define TLS_SESSIONS_MAX 4096
#define BUFFER_SIZE 2048
#define BUFFERS 1024
#define RING_ENTRIES 4096

static bool open_parts(struct worker *worker, struct error *error)
{
	const struct worker_params *p = &worker->params;
	struct ring_params rp = { .entries = RING_ENTRIES,
				  .files = p->sessions_max,
				  .buffers = BUFFERS,
				  .buffer_size = BUFFER_SIZE };
	struct tls_params tp = { .sessions_max = TLS_SESSIONS_MAX };

	if (!spsc_init(&worker->inbox, p->leases_max) || !spsc_init(&worker->outbox, p->leases_max))
		return error_set(error, "out of memory for the queues of worker %u", p->index);
	worker->ring = ring_open(&rp, error);
	if (!worker->ring)
		return false;
	worker->tls = tls_context_open(&tp, error);
	if (!worker->tls)
		return false;
	worker->signer = dkim_signer_open();
	if (!worker->signer)
		return error_set(error, "out of memory for the signer of worker %u", p->index);
	return true;
}

struct worker *worker_open(const struct worker_params *params, struct error *error)
{
	struct worker *worker = calloc(1, sizeof(*worker));

	if (!worker) {
		error_set(error, "out of memory for worker %u", params->index);
		return NULL;
	}
	worker->params = *params;
	worker->now_ns = clock_mono_ns();
	map_init(&worker->routes);
	list_init(&worker->routes_all);
	list_init(&worker->routes_idle);
	list_init(&worker->runnable);
	list_init(&worker->starving);
	list_init(&worker->sessions_all);
	list_init(&worker->hungry);
	list_init(&worker->dirty);
	list_init(&worker->undelivered);
	timer_wheel_init(&worker->wheel, worker->now_ns);
	random_seed(&worker->random, params->seed);
	if (!open_parts(worker, error)) {
		worker_close(worker);
		return NULL;
	}
	return worker;
}

void worker_close(struct worker *worker)
{
	if (!worker)
		return;
	worker_routes_free(worker);
	drafts_release(worker);
	session_free_all(worker);
	dkim_signer_close(worker->signer);
	tls_context_close(worker->tls);
	ring_close(worker->ring);
	spsc_done(&worker->inbox);
	spsc_done(&worker->outbox);
	free(worker);
}

void worker_decided(struct worker *worker, struct lease *lease)
{
	draft_drop(worker, lease);
	worker->held--;
	worker->notify_planner = true;
	if (!list_is_empty(&worker->undelivered) || !spsc_push(&worker->outbox, lease))
		list_push_back(&worker->undelivered, &lease->node);
}

static void push_undelivered(struct worker *worker)
{
	while (!list_is_empty(&worker->undelivered)) {
		struct list *node = worker->undelivered.next;
		struct list *next = node->next;
		struct list *prev = node->prev;

		/* Off the list first: once pushed, the lease is the planner's. */
		list_unlink(node);
		if (!spsc_push(&worker->outbox, list_entry(node, struct lease, node))) {
			list_insert_before(next == node ? prev : next, node);
			return;
		}
	}
}

static void take_leases(struct worker *worker)
{
	struct lease *lease;

	while ((lease = spsc_pop(&worker->inbox))) {
		struct worker_route *route;

		worker->held++;
		list_init(&lease->node);
		route = worker->stopping ? NULL : worker_route_of(worker, lease);
		if (!route) {
			lease->verdict = SMTP_VERDICT_UNSENT;
			worker_decided(worker, lease);
			continue;
		}
		worker_route_add(worker, route, lease, false);
	}
}

static void run_routes(struct worker *worker)
{
	struct list *node;

	while ((node = list_pop_front(&worker->runnable)))
		worker_route_run(worker, list_entry(node, struct worker_route, due));
}

static void settle_sessions(struct worker *worker)
{
	struct list *node;

	while ((node = list_pop_front(&worker->dirty)))
		session_settle(list_entry(node, struct session, dirty));
}

/* Gives back what no session has begun, and tells the sessions; also those opened meanwhile. */
static void act_on_stop(struct worker *worker)
{
	u32 stop = atomic_load_explicit(&worker->stop, memory_order_acquire);

	if (stop == worker->stopping)
		return;
	worker->stopping = stop;
	list_for_each(node, &worker->routes_all) {
		worker_route_return(worker, list_entry(node, struct worker_route, all));
	}
	sessions_stop(worker, stop == 2);
}

static void publish(struct worker *worker)
{
	struct metrics_worker *m = worker->params.metrics;
	struct ring_stats stats;

	ring_stats(worker->ring, &stats);
	metric_set(&m->leases_held, worker->held);
	metric_set(&m->ring_turns, stats.turns);
	metric_set(&m->ring_completions, stats.completions);
	metric_set(&m->ring_submissions, stats.submissions);
	metric_set(&m->ring_in_flight, stats.in_flight);
	metric_set(&m->ring_no_buffers, stats.no_buffers);
}

static u64 wait_for(struct worker *worker, u64 timeout_ns)
{
	u64 next = timer_wheel_next(&worker->wheel);

	if (!spsc_is_empty(&worker->inbox) || !list_is_empty(&worker->hungry) ||
	    !list_is_empty(&worker->runnable) || !list_is_empty(&worker->dirty))
		return 0;
	if (!list_is_empty(&worker->undelivered))
		timeout_ns = min_u64(timeout_ns, NS_PER_MS);
	if (next != UINT64_MAX)
		timeout_ns = min_u64(timeout_ns, next > worker->now_ns ? next - worker->now_ns : 0);
	return timeout_ns;
}

void worker_turn(struct worker *worker, u64 timeout_ns)
{
	ring_turn(worker->ring, wait_for(worker, timeout_ns));
	worker->now_ns = clock_mono_ns();
	timer_wheel_advance(&worker->wheel, worker->now_ns);
	push_undelivered(worker);
	take_leases(worker);
	act_on_stop(worker);
	run_routes(worker);
	drafts_run(worker);
	settle_sessions(worker);
	if (worker->notify_planner) {
		worker->notify_planner = false;
		worker->params.notify(worker->params.context);
	}
	publish(worker);
}

bool worker_is_finished(const struct worker *worker)
{
	/* What was given before the stop is in the inbox by now: this turn may have missed it. */
	return worker->stopping > 0 && worker->sessions == 0 && worker->held == 0 &&
	       spsc_is_empty(&worker->inbox) && list_is_empty(&worker->undelivered);
}

bool worker_give(struct worker *worker, struct lease *lease)
{
	return spsc_push(&worker->inbox, lease);
}

struct lease *worker_take_back(struct worker *worker)
{
	return spsc_pop(&worker->outbox);
}

void worker_wake(struct worker *worker)
{
	ring_wake(worker->ring);
}

void worker_stop(struct worker *worker, bool at_once)
{
	atomic_store_explicit(&worker->stop, at_once ? 2 : 1, memory_order_release);
	ring_wake(worker->ring);
}
