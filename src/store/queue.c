#include "store/queue.h"

#include "base/text.h"
#include "store/queue_table.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct env_table tables[TABLE_COUNT] = {
	[TABLE_SETTING] = { "setting", { 0 }, true },
	[TABLE_CAMPAIGN] = { "campaign", { 4 }, false },
	[TABLE_BLOB] = { "blob", { 4 }, true },
	[TABLE_LANE] = { "lane", { 4, 4 }, false },
	[TABLE_ROW] = { "row", { 4, 4, 4 }, false },
	[TABLE_DEFERRED] = { "deferred", { 8, 4, 4, 4 }, false },
	[TABLE_DOUBT] = { "doubt", { 4, 4, 4 }, false },
	[TABLE_LEASE] = { "lease", { 8, 2 }, false },
	[TABLE_LOG] = { "log", { 8 }, false },
	[TABLE_LOG_INDEX] = { "log_index", { 8 }, false },
	[TABLE_SUPPRESSION] = { "suppression", { 8, 8 }, false },
	[TABLE_LETTER] = { "letter", { 4, 4 }, false },
	[TABLE_LETTER_KEY] = { "letter-key", { 0 }, true },
	[TABLE_RECIPIENT] = { "recipient", { 4, 4, 4 }, false },
	[TABLE_REPORT] = { "report", { 0 }, true },
};

/* 2: rows and log entries may tell their age by a clock of its own. 1 is read as it is. */
static const struct env_shape shape = {
	.noun = "queue",
	.tables = tables,
	.table_count = TABLE_COUNT,
	.format_major = 2,
	.format_minor = 0,
};

const char *queue_error_text(const struct queue *queue)
{
	return queue->txn.error;
}

u64 queue_room_needed(const struct store_params *params)
{
	return env_room_needed(params);
}

struct queue *queue_open(const struct store_params *params, struct error *error)
{
	struct queue *queue = calloc(1, sizeof(*queue));

	if (!queue) {
		error_set(error, "queue %s: out of memory", params->path);
		return NULL;
	}
	env_txn_init(&queue->txn, &queue->env);
	if (env_open(&queue->env, &shape, params, error))
		return queue;
	queue_close(queue);
	return NULL;
}

void queue_close(struct queue *queue)
{
	if (!queue)
		return;
	if (queue->txn.mdb)
		queue_abort(queue);
	env_close(&queue->env);
	free(queue);
}

/* ---- transactions ---- */

static void forget_cached(struct queue *queue)
{
	queue->log_last_known = false;
	queue->log_tail.known = false;
	if (queue->erase.in_transaction)
		queue->erase = (struct erase_state){ 0 };
}

bool queue_is_broken(const struct queue *queue)
{
	return queue->env.broken;
}

enum store_result queue_begin(struct queue *queue)
{
	queue->erase.in_transaction = false;
	return env_begin(&queue->txn);
}

enum store_result queue_commit(struct queue *queue)
{
	enum store_result result = env_commit(&queue->txn);

	if (result != STORE_OK)
		forget_cached(queue);
	return result;
}

void queue_abort(struct queue *queue)
{
	if (!queue->txn.mdb)
		return;
	env_abort(&queue->txn);
	/* Who only read has nothing that would not be so any more. */
	if (queue->txn.written || queue->erase.in_transaction)
		forget_cached(queue);
}

/* ---- size ---- */

bool queue_grow(struct queue *queue)
{
	return env_grow(&queue->txn);
}

enum store_result queue_stats(struct queue *queue, struct queue_stats *stats)
{
	struct env_stats all;
	int rc = env_stats(&queue->env, &all);
	const MDB_stat *log = &all.tables[TABLE_LOG];
	const MDB_stat *index = &all.tables[TABLE_LOG_INDEX];

	if (rc != MDB_SUCCESS) {
		snprintf(queue->txn.error, sizeof(queue->txn.error), "%s: statistics: %s",
			 queue->env.name, mdb_strerror(rc));
		return STORE_FAILED;
	}
	*stats = (struct queue_stats){
		.map_size = all.map_size,
		.page_size = all.page_size,
		.pages_used = all.pages_used,
		.pages_free = all.pages_free,
		.lane_rows = all.tables[TABLE_ROW].ms_entries,
		.deferred_rows = all.tables[TABLE_DEFERRED].ms_entries,
		.doubt_rows = all.tables[TABLE_DOUBT].ms_entries,
		.log_rows = log->ms_entries,
		.log_pages = log->ms_branch_pages + log->ms_leaf_pages + log->ms_overflow_pages +
			     index->ms_branch_pages + index->ms_leaf_pages +
			     index->ms_overflow_pages,
	};
	return STORE_OK;
}

bool queue_has_room(struct queue *queue, const struct queue_stats *stats)
{
	return env_has_room(&queue->env, stats->pages_used, stats->pages_free);
}

void queue_describe_room(const struct queue *queue, struct error *text)
{
	env_describe_room(&queue->env, text);
}

bool queue_is_nearly_full(const struct queue *queue)
{
	return env_is_nearly_full(&queue->env);
}
