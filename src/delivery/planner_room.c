/*
 * Room in the store. Ahead of need: while half of the reserve cannot be had, nothing new is lent
 * and no import begins, so that what is under way finds room for its results. When a transaction
 * found none all the same: smaller ones, once a second, until one comes to be. Nothing of this
 * needs a restart, nor does it keep the process from ending: results that were never committed
 * stand in the journal.
 */
#include "delivery/planner_parts.h"

#include "base/durable.h"
#include "base/log.h"
#include "store/room.h"

#include <errno.h>
#include <stdio.h>
#include <sys/stat.h>

#define RESERVE_LEAST (1ull << 20)
#define RESERVE_PER_LEASE 512 /* a row at its new place and a log entry */
#define RESERVE_SHARE 16      /* at most this part of the map */
#define TOKEN_KEY_BYTES 4096
#define CAREFUL_ROWS 256 /* of the first transaction after one that found no room */
#define FULL_RETRY_NS NS_PER_S

void planner_store_params(const struct config *config, char path[PLANNER_PATH_MAX],
			  struct store_params *params)
{
	const u64 map_max = config->queue.map_size_max;
	const u64 wanted =
		max_u64((u64)config->queue.in_flight * RESERVE_PER_LEASE, RESERVE_LEAST);

	snprintf(path, PLANNER_PATH_MAX, "%s/queue", config->data);
	*params = (struct store_params){
		.path = path,
		.map_size = min_u64(PLANNER_FIRST_MAP, map_max),
		.map_size_max = map_max,
		.reserve = min_u64(wanted, map_max / RESERVE_SHARE),
		.relaxed = config->queue.durability == CONFIG_DURABILITY_RELAXED,
	};
}

bool planner_room_check(const struct config *config, struct error *error)
{
	char path[PLANNER_PATH_MAX];
	struct store_params params;
	struct stat st;
	u64 needed;

	planner_store_params(config, path, &params);
	needed = queue_room_needed(&params);
	snprintf(path, sizeof(path), "%s/journal", config->data);
	needed += journal_room_needed(path, config->queue.in_flight);
	snprintf(path, sizeof(path), "%s/token.key", config->data);
	if (stat(path, &st) != 0)
		needed += TOKEN_KEY_BYTES;
	if (!durable_folder(config->data, NULL) && room_is_lacking(errno))
		return error_set(error, "%s: no room for this folder: %llu bytes are needed",
				 config->data, (unsigned long long)needed);
	return room_check(config->data, needed, error);
}

/* ---- while it runs ---- */

static void show(struct planner *planner)
{
	metric_set(&planner->m->lacks_room, planner_lacks_room(planner));
}

void planner_room_measure(struct planner *planner, const struct queue_stats *stats)
{
	bool short_of_room = !queue_has_room(planner->queue, stats);
	struct error error;

	show(planner);
	if (short_of_room == planner->short_of_room)
		return;
	planner->short_of_room = short_of_room;
	planner->must_work = true;
	show(planner);
	queue_describe_room(planner->queue, &error);
	if (short_of_room) {
		metric_add(&planner->m->store_full, 1);
		log_warn("delivery", "the queue is short of room: nothing new is sent", "room=%s",
			 error.text);
	} else {
		log_info("delivery", "the queue has room again", "room=%s", error.text);
	}
}

u32 planner_limit(const struct planner *planner, u32 rows)
{
	return planner->careful ? min_u32(planner->careful, rows) : rows;
}

void planner_room_lacked(struct planner *planner)
{
	if (planner->careful == 0) {
		metric_add(&planner->m->store_full, 1);
		log_warn("delivery", "the queue is full: results wait for room", "reason=%s",
			 queue_error_text(planner->queue));
	}
	/* Down to a single row nothing found room: only somebody else can make some. */
	planner->is_stuck = planner->careful == 1;
	planner->careful = planner->careful ? (planner->careful + 3) / 4 : CAREFUL_ROWS;
	planner->full_until_ns = planner->now_ns + FULL_RETRY_NS;
	show(planner);
}

void planner_room_found(struct planner *planner)
{
	planner->is_stuck = false;
	if (planner->careful == 0)
		return;
	planner->careful *= 4;
	if (planner->careful < TURN_RESULTS_MAX)
		return;
	planner->careful = 0;
	log_info("delivery", "the queue has room for results again", "");
}

void planner_room_unasked(struct planner *planner)
{
	planner->is_stuck = false;
	planner->careful = 0;
}

bool planner_lacks_room(const struct planner *planner)
{
	return planner->recovering || planner->short_of_room || planner->careful > 0;
}

bool planner_may_settle(const struct planner *planner)
{
	return !planner->short_of_room || planner_leases_out(planner) == 0;
}

bool planner_is_stuck(const struct planner *planner)
{
	return planner->is_stuck && planner->result_count > 0 &&
	       planner_leases_out(planner) == planner->result_count;
}

bool planner_takes_orders(const struct planner *planner, struct error *error)
{
	struct error room;

	if (!planner->recovering)
		return true;
	queue_describe_room(planner->queue, &room);
	return error_set(error, "no room to note what the last run left, before any change: %s",
			 room.text);
}

bool planner_takes_recipients(const struct planner *planner, struct error *error)
{
	struct error room;

	if (!planner_takes_orders(planner, error))
		return false;
	if (!planner->short_of_room && !queue_is_nearly_full(planner->queue))
		return true;
	queue_describe_room(planner->queue, &room);
	return error_set(error, "no room for new recipients, the last tenth is for results: %s",
			 room.text);
}
