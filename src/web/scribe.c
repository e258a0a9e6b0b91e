#include "web/scribe.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/thread.h"
#include "io/ring.h"

#include <errno.h>
#include <stdlib.h>

#define BATCH_MAX 1000 /* orders in one transaction */

struct scribe {
	struct meter_scribe *meter;
	struct audience_txn *txn;
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t wakes; /* orders are there, or it is to stop */
	struct list inbox;
	bool stops;
};

/* ---- what is done ---- */

static void hand_back(struct scribe_order *order)
{
	struct scribe_desk *desk = order->desk;

	pthread_mutex_lock(&desk->lock);
	list_push_back(&desk->done, &order->node);
	/* Within the lock: a desk is not closed before it has seen its last order. */
	if (desk->ring)
		ring_wake(desk->ring);
	else
		pthread_cond_signal(&desk->is_done);
	pthread_mutex_unlock(&desk->lock);
}

static void fail(struct scribe *scribe, struct scribe_order *order, enum store_result result)
{
	metric_add(&scribe->meter->failed, 1);
	order->result = result == STORE_NOT_FOUND ? STORE_FAILED : result;
	error_set(&order->error, "%s", audience_error_text(scribe->txn));
}

/* ---- applying ---- */

/*
 * All of `batch` in one transaction. False: it is gone; *culprit is the order that spoilt it, or
 * NULL when that was the commit.
 */
static bool apply_all(struct scribe *scribe, struct list *batch, struct scribe_order **culprit,
		      enum store_result *result)
{
	u64 began_ns = clock_mono_ns();

	*culprit = NULL;
	*result = audience_begin(scribe->txn);
	if (*result != STORE_OK)
		return false;
	list_for_each (node, batch) {
		struct scribe_order *order = list_entry(node, struct scribe_order, node);

		*result = order->apply(order, scribe->txn);
		if (*result != STORE_OK) {
			*culprit = order;
			audience_abort(scribe->txn);
			return false;
		}
	}
	*result = audience_commit(scribe->txn);
	metric_observe(&scribe->meter->commit, clock_mono_ns() - began_ns);
	return *result == STORE_OK;
}

/* Who spoils a transaction gets a second try by himself: it may have been too much together. */
static void apply_alone(struct scribe *scribe, struct scribe_order *order)
{
	struct scribe_order *culprit;
	enum store_result result;
	struct list alone;

	list_init(&alone);
	list_push_back(&alone, &order->node);
	if (apply_all(scribe, &alone, &culprit, &result))
		order->result = STORE_OK;
	else
		fail(scribe, order, result);
	list_unlink(&order->node);
	hand_back(order);
}

static void fail_all(struct scribe *scribe, struct list *batch, enum store_result result)
{
	struct list *node;

	while ((node = list_pop_front(batch))) {
		struct scribe_order *order = list_entry(node, struct scribe_order, node);

		fail(scribe, order, result);
		hand_back(order);
	}
}

static void apply_batch(struct scribe *scribe, struct list *batch)
{
	struct scribe_order *culprit;
	enum store_result result;
	struct list *node;

	while (!list_is_empty(batch)) {
		if (apply_all(scribe, batch, &culprit, &result))
			break;
		log_error("web", "what is to be kept was not", "reason=%s",
			  audience_error_text(scribe->txn));
		if (result == STORE_FAILED && !culprit) {
			fail_all(scribe, batch, result);
			return;
		}
		/* The commit says not whose fault it was: each by itself, then. */
		if (!culprit)
			culprit = list_entry(batch->next, struct scribe_order, node);
		list_unlink(&culprit->node);
		apply_alone(scribe, culprit);
	}
	while ((node = list_pop_front(batch))) {
		struct scribe_order *order = list_entry(node, struct scribe_order, node);

		order->result = STORE_OK;
		hand_back(order);
	}
}

/* ---- the thread ---- */

/* False: it is to stop, and nothing is left. */
static bool take_batch(struct scribe *scribe, struct list *batch)
{
	struct list *node = NULL;
	u32 count = 0;

	pthread_mutex_lock(&scribe->lock);
	while (list_is_empty(&scribe->inbox) && !scribe->stops)
		pthread_cond_wait(&scribe->wakes, &scribe->lock);
	while (count < BATCH_MAX && (node = list_pop_front(&scribe->inbox))) {
		list_push_back(batch, node);
		count++;
	}
	pthread_mutex_unlock(&scribe->lock);
	metric_add(&scribe->meter->orders, count);
	return count > 0;
}

static void *scribe_run(void *argument)
{
	struct scribe *scribe = argument;
	struct list batch;

	list_init(&batch);
	while (take_batch(scribe, &batch))
		apply_batch(scribe, &batch);
	return NULL;
}

struct scribe *scribe_open(struct audience *audience, struct meter_scribe *meter,
			   struct error *error)
{
	struct scribe *scribe = calloc(1, sizeof(*scribe));
	int code;

	if (!scribe) {
		error_set(error, "no memory for the thread that writes");
		return NULL;
	}
	scribe->meter = meter;
	list_init(&scribe->inbox);
	pthread_mutex_init(&scribe->lock, NULL);
	pthread_cond_init(&scribe->wakes, NULL);
	scribe->txn = audience_txn_open(audience);
	code = scribe->txn ? thread_start(&scribe->thread, scribe_run, scribe) : ENOMEM;
	if (code == 0)
		return scribe;
	error_set_errno(error, code, "the thread that writes cannot be started");
	audience_txn_close(scribe->txn);
	free(scribe);
	return NULL;
}

void scribe_close(struct scribe *scribe)
{
	if (!scribe)
		return;
	pthread_mutex_lock(&scribe->lock);
	scribe->stops = true;
	pthread_cond_signal(&scribe->wakes);
	pthread_mutex_unlock(&scribe->lock);
	pthread_join(scribe->thread, NULL);
	audience_txn_close(scribe->txn);
	pthread_cond_destroy(&scribe->wakes);
	pthread_mutex_destroy(&scribe->lock);
	free(scribe);
}

/* ---- desks ---- */

void scribe_desk_init(struct scribe_desk *desk, struct scribe *scribe, struct ring *ring)
{
	desk->scribe = scribe;
	desk->ring = ring;
	pthread_mutex_init(&desk->lock, NULL);
	pthread_cond_init(&desk->is_done, NULL);
	list_init(&desk->done);
}

void scribe_desk_done(struct scribe_desk *desk)
{
	pthread_cond_destroy(&desk->is_done);
	pthread_mutex_destroy(&desk->lock);
}

void scribe_give(struct scribe_desk *desk, struct scribe_order *order)
{
	struct scribe *scribe = desk->scribe;

	order->desk = desk;
	pthread_mutex_lock(&scribe->lock);
	list_push_back(&scribe->inbox, &order->node);
	pthread_cond_signal(&scribe->wakes);
	pthread_mutex_unlock(&scribe->lock);
}

void scribe_desk_run(struct scribe_desk *desk)
{
	struct list *node;

	for (;;) {
		pthread_mutex_lock(&desk->lock);
		node = list_pop_front(&desk->done);
		pthread_mutex_unlock(&desk->lock);
		if (!node)
			return;
		list_entry(node, struct scribe_order, node)->done(
			list_entry(node, struct scribe_order, node));
	}
}

/* ---- waiting ---- */

enum store_result scribe_do(struct scribe *scribe, struct scribe_order *order)
{
	struct scribe_desk desk;

	scribe_desk_init(&desk, scribe, NULL);
	scribe_give(&desk, order);
	pthread_mutex_lock(&desk.lock);
	while (list_is_empty(&desk.done))
		pthread_cond_wait(&desk.is_done, &desk.lock);
	pthread_mutex_unlock(&desk.lock);
	scribe_desk_done(&desk);
	return order->result;
}
