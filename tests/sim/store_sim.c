/*
 * Faults of the store, taken over at the link (--wrap): now and then a transaction finds no room, at any
 * write or at its commit, as a full map or disk does it; and around a commit the sender may die.
 */
#include "sim.h"

#include "store/queue_table.h"

enum store_result __real_queue_commit(struct queue *queue);
enum store_result __wrap_queue_commit(struct queue *queue);
enum store_result __real_queue_row_put(struct queue *queue, const struct queue_row *row);
enum store_result __wrap_queue_row_put(struct queue *queue, const struct queue_row *row);
enum store_result __real_queue_row_move(struct queue *queue, const struct row_ref *from,
					const struct queue_row *row);
enum store_result __wrap_queue_row_move(struct queue *queue, const struct row_ref *from,
					const struct queue_row *row);
enum store_result __real_queue_log_add(struct queue *queue, const struct queue_log_entry *entry);
enum store_result __wrap_queue_log_add(struct queue *queue, const struct queue_log_entry *entry);
enum store_result __real_queue_campaign_put(struct queue *queue, const struct queue_campaign *c);
enum store_result __wrap_queue_campaign_put(struct queue *queue, const struct queue_campaign *c);

/* Dooms the transaction as the store itself does it: everything after this says STORE_FULL. */
static void maybe_full(struct queue *queue, u32 one_in)
{
	if (!world->store_faults || world->healed)
		return;
	if (one_in > world->store_faults && sim_below(one_in / world->store_faults) > 0)
		return;
	queue->txn.doomed = STORE_FULL;
	world->full++;
	sim_trace("full", 0, 0);
}

enum store_result __wrap_queue_row_put(struct queue *queue, const struct queue_row *row)
{
	maybe_full(queue, 400);
	return __real_queue_row_put(queue, row);
}

enum store_result __wrap_queue_row_move(struct queue *queue, const struct row_ref *from,
					const struct queue_row *row)
{
	life_watch_deferral(row);
	maybe_full(queue, 400);
	return __real_queue_row_move(queue, from, row);
}

enum store_result __wrap_queue_log_add(struct queue *queue, const struct queue_log_entry *entry)
{
	life_watch_log(entry);
	maybe_full(queue, 400);
	return __real_queue_log_add(queue, entry);
}

enum store_result __wrap_queue_campaign_put(struct queue *queue, const struct queue_campaign *c)
{
	maybe_full(queue, 100);
	return __real_queue_campaign_put(queue, c);
}

/* The moments right before and right behind a commit are the ones that matter most. */
enum store_result __wrap_queue_commit(struct queue *queue)
{
	enum store_result result;

	sim_step();
	life_meanwhile();
	sim_commit_step();
	maybe_full(queue, world->mono_ns < world->no_room_until_ns ? 1 : 60);
	result = __real_queue_commit(queue);
	sim_trace("commit", result, 0);
	sim_step();
	sim_commit_step();
	return result;
}

bool store_sim_in_transaction(const struct queue *queue)
{
	return queue->txn.mdb != NULL;
}
