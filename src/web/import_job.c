#include "web/import_job.h"

#include "base/check.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/text.h"
#include "campaign/import_apply.h"
#include "campaign/import_reader.h"
#include "store/audience_audit.h"
#include "web/import_batch.h"
#include "web/import_file.h"
#include "web/import_suppressed.h"
#include "web/teller.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#define UNDO_MAX 2000	/* contacts of one order */
#define CLEAR_MAX 10000 /* reports of one order */
#define FULL_PAUSE_MS 5000
#define AWAY_PAUSE_MS 1000
#define UNTOLD_PAUSE_MS 100
#define SAYS_AFTER 3 /* looks */
/* What is kept of people who are in an import, besides the contacts, goes after this. */
#define KEPT_MS (30ull * 86400 * MS_PER_S)
/* A file that was brought and lies there goes after this: it is full of people, too. */
#define UNUSED_MS (7ull * 86400 * MS_PER_S)

/* What an order of the job is to do. */
enum import_act {
	ACT_CLEAR, /* reports of the run before */
	ACT_ROWS,
	ACT_UNDO,
	ACT_END,
	ACT_WAIT,   /* tells that the sender is waited for */
	ACT_FORGET, /* of an old one: findings, and how contacts were */
	ACT_DISCARD, /* the file of one that nobody goes on with */
};

struct import_job {
	struct job job;
	struct scribe_order order;
	u32 id;
	const char *audience;
	enum import_act act;
	enum import_state state; /* that the record must have */
	enum import_state end;	 /* that it gets */
	u64 position;		 /* that the record must have */
	bool is_over;		 /* the order found the record in another state, or all is done */
	struct error problem;	 /* of IMPORT_FAILED, or what it waits for */
	struct asker asker;
	struct import_apply apply;
	struct import_batch batch;
	struct import_source source;
	struct import_map map;
	char room[IMPORT_ROOM_SIZE];
};

/* ---- orders ---- */

static enum store_result apply_clear(struct import_job *job, struct audience_txn *txn)
{
	bool left;
	enum store_result result = import_clear(txn, job->id, false, CLEAR_MAX, &left);

	job->is_over = !left;
	return result;
}

static enum store_result apply_rows(struct import_job *job, struct audience_txn *txn)
{
	const struct import_batch *batch = &job->batch;
	enum store_result result = import_apply_begin(&job->apply, txn);

	for (size_t i = 0; i < batch->count && result == STORE_OK; i++)
		result = import_apply_row(&job->apply, txn, &batch->rows[i]);
	job->apply.import.position = job->position + batch->events;
	job->apply.import.problem = SLICE_NONE;
	return result;
}

static enum store_result apply_undo(struct import_job *job, struct audience_txn *txn)
{
	enum store_result result = STORE_OK;
	u32 contact = (u32)job->position;

	for (u32 i = 0; i < UNDO_MAX && result == STORE_OK; i++)
		result = import_undo_next(&job->apply, txn, &contact);
	job->apply.import.position = contact;
	job->is_over = result == STORE_NOT_FOUND;
	return job->is_over ? STORE_OK : result;
}

static void end(struct import_job *job)
{
	struct import *import = &job->apply.import;

	import->state = job->end;
	import->ended_ms = job->apply.now_ms;
	if (job->end == IMPORT_FAILED)
		import->problem = slice_of(job->problem.text);
	/* After a dry run, whatever came of it, something else may be tried with the file. */
	if (job->state == IMPORT_RUNNING)
		import->file = SLICE_NONE;
}

/* As if somebody had pressed the button for it. */
static enum store_result apply_discard(struct import_job *job, struct audience_txn *txn)
{
	struct import *import = &job->apply.import;
	struct audit_entry entry = { .at_ms = job->apply.now_ms,
				     .who = SLICE("hikyaku"),
				     .action = SLICE("import.discard") };
	char object[32];

	snprintf(object, sizeof(object), "import %u", import->id);
	entry.object = slice_of(object);
	import->state = IMPORT_CANCELLED;
	import->ended_ms = job->apply.now_ms;
	import->file = SLICE_NONE;
	return audit_add(txn, &entry);
}

static enum store_result apply_order(struct scribe_order *order, struct audience_txn *txn)
{
	struct import_job *job = container_of(order, struct import_job, order);
	struct import_apply *apply = &job->apply;
	enum store_result result = import_get(txn, job->id, &apply->import);
	bool left = false;

	job->is_over = true;
	if (result == STORE_NOT_FOUND)
		return STORE_OK;
	if (result != STORE_OK)
		return result;
	if (apply->import.state != job->state || apply->import.position != job->position)
		return STORE_OK;
	if (!import_keep(&apply->import, job->room))
		return STORE_FAILED;
	job->is_over = false;
	apply->now_ms = clock_wall_ms();
	switch (job->act) {
	case ACT_CLEAR:
		return apply_clear(job, txn);
	case ACT_ROWS:
		result = apply_rows(job, txn);
		break;
	case ACT_UNDO:
		result = apply_undo(job, txn);
		break;
	case ACT_END:
		end(job);
		break;
	case ACT_WAIT:
		apply->import.problem = slice_of(job->problem.text);
		break;
	case ACT_DISCARD:
		result = apply_discard(job, txn);
		break;
	case ACT_FORGET:
		result = import_clear(txn, job->id, true, CLEAR_MAX, &left);
		apply->import.is_cleared = !left;
		job->is_over = !left;
		break;
	}
	return result == STORE_OK ? import_put(txn, &apply->import) : result;
}

/* Until it is done, for room may come back. False: the job ends here; a later start goes on. */
static bool write_order(struct import_job *job, enum import_act act)
{
	for (;;) {
		enum store_result result;

		job->act = act;
		job->order.apply = apply_order;
		if (audience_has_room(job_audience(&job->job))) {
			result = job_write(&job->job, &job->order);
			if (result == STORE_OK)
				return true;
			if (result != STORE_FULL) {
				log_error("web", "an import stands still", "import=%u reason=%s",
					  job->id, job->order.error.text);
				return false;
			}
		}
		log_warn("web", "an import waits for room", "import=%u", job->id);
		if (!job_pause(&job->job, FULL_PAUSE_MS))
			return false;
	}
}

/* ---- reading the file ---- */

static bool load_map(struct import_job *job, struct audience_txn *reader, struct arena *arena)
{
	enum store_result result = audience_begin_read(reader);

	if (result == STORE_OK)
		result = import_map_load(&job->map, reader, &job->apply.import, arena);
	if (result == STORE_NOT_FOUND)
		error_set(&job->problem, "no column is said to have the addresses");
	else if (result != STORE_OK)
		error_set(&job->problem, "%s", audience_error_text(reader));
	audience_abort(reader);
	return result == STORE_OK;
}

/* One of several looks at whether the sender is there again. False: it ends here. */
static bool wait_for_sender(struct import_job *job, u32 looks, u32 pause_ms, const char *why)
{
	/* At first it may be a matter of a moment. */
	if (looks == SAYS_AFTER) {
		error_set(&job->problem, "waits for the sender, which knows the addresses that "
			  "are suppressed: %s", why);
		if (!write_order(job, ACT_WAIT) || job->is_over)
			return false;
	}
	return job_pause(&job->job, pause_ms);
}

/* False: it ends here. */
static bool wait_for_teller(struct import_job *job, struct audience_txn *reader)
{
	struct import_untold untold = { 0 };

	for (u32 looks = 0; !import_untold_is_told(&untold, reader); looks++) {
		teller_wake();
		if (!wait_for_sender(job, looks, UNTOLD_PAUSE_MS, "it was not told all yet"))
			return false;
	}
	return true;
}

/* False: it ends here. */
static bool ask_suppressed(struct import_job *job)
{
	struct error why = { "" };

	for (u32 looks = 0; !import_suppressed_ask(&job->asker, &job->batch, &why); looks++) {
		if (!wait_for_sender(job, looks, AWAY_PAUSE_MS, why.text))
			return false;
	}
	return true;
}

/* Batch by batch to the end of the file. False: it ends here, and the record stays as it is. */
static bool run_batches(struct import_job *job)
{
	struct import_batch *batch = &job->batch;

	for (;;) {
		enum import_batch_result result;

		if (job_should_stop(&job->job))
			return false;
		result = import_batch_fill(batch, &job->source, job->position, &job->problem);
		if (result == IMPORT_BATCH_BAD) {
			job->end = IMPORT_FAILED;
			return true;
		}
		if (batch->events > 0) {
			if (!ask_suppressed(job) || !write_order(job, ACT_ROWS) || job->is_over)
				return false;
			teller_wake();
			job->position += batch->events;
		}
		if (result == IMPORT_BATCH_LAST)
			return true;
	}
}

static bool read_file(struct import_job *job, struct audience_txn *reader)
{
	const struct import *import = &job->apply.import;
	char path[UPLOAD_PATH_MAX];
	struct arena arena;
	bool goes_on = true;

	arena_init(&arena, 65536, 16u << 20);
	job->end = IMPORT_FAILED;
	if (load_map(job, reader, &arena) && import_file_path(path, job->audience, import->file) &&
	    import_source_open(&job->source, path, import, &job->map, &job->problem)) {
		job->end = job->state == IMPORT_TRYING ? IMPORT_TRIED : IMPORT_DONE;
		goes_on = run_batches(job);
		import_source_close(&job->source);
	}
	arena_done(&arena);
	return goes_on;
}

static void run_rows(struct import_job *job, struct audience_txn *reader)
{
	char file[IMPORT_FILE_NAME_SIZE];

	job->apply.is_dry = job->state == IMPORT_TRYING;
	slice_copy(file, sizeof(file), job->apply.import.file);
	if (job->position == 0) {
		do {
			if (!write_order(job, ACT_CLEAR))
				return;
		} while (!job->is_over);
	}
	if (!wait_for_teller(job, reader) || !read_file(job, reader) ||
	    !write_order(job, ACT_END) || job->is_over)
		return;
	if (job->state == IMPORT_RUNNING)
		import_file_delete(job->audience, slice_of(file));
}

static void run_undo(struct import_job *job)
{
	job->end = IMPORT_UNDONE;
	do {
		if (job_should_stop(&job->job) || !write_order(job, ACT_UNDO))
			return;
		/* The record of one that was found in another state has another position, too. */
		job->position = job->apply.import.position;
		teller_wake();
	} while (!job->is_over);
	if (write_order(job, ACT_END))
		log_info("web", "an import is undone", "import=%u", job->id);
}

/* ---- old ones ---- */

static bool is_to_be_forgotten(const struct import *import, u64 now_ms)
{
	return !import->is_cleared && import->ended_ms > 0 &&
	       import->ended_ms + KEPT_MS < now_ms && import->file.len == 0;
}

static bool is_unused(const struct import *import, u64 now_ms)
{
	u64 last_ms = max_u64(max_u64(import->created_ms, import->began_ms), import->ended_ms);

	return import->file.len > 0 && last_ms + UNUSED_MS < now_ms &&
	       (import->state == IMPORT_UPLOADED || import->state == IMPORT_TRIED ||
		import->state == IMPORT_FAILED);
}

/* The next one behind import `id` (going back) of which something is to go. */
static bool find_old(struct import_job *job, struct audience_txn *reader, u32 *id)
{
	struct import *import = &job->apply.import;
	u64 now_ms = clock_wall_ms();
	enum store_result result = audience_begin_read(reader);
	bool found = false;

	import->id = *id;
	while (result == STORE_OK && !found) {
		result = import_before(reader, import->id, import);
		found = result == STORE_OK && (is_to_be_forgotten(import, now_ms) ||
					       is_unused(import, now_ms));
	}
	*id = import->id;
	job->state = import->state;
	job->position = import->position;
	if (found && !import_keep(import, job->room))
		found = false;
	audience_abort(reader);
	return found;
}

/* False: the job ends. */
static bool discard(struct import_job *job)
{
	char file[IMPORT_FILE_NAME_SIZE];

	slice_copy(file, sizeof(file), job->apply.import.file);
	if (!write_order(job, ACT_DISCARD))
		return false;
	if (job->is_over)
		return true;
	import_file_delete(job->audience, slice_of(file));
	log_info("web", "a file that nobody imported is discarded", "import=%u", job->id);
	return true;
}

static void forget_old(struct import_job *job, struct audience_txn *reader)
{
	u32 id = UINT32_MAX;

	while (!job_should_stop(&job->job) && find_old(job, reader, &id)) {
		job->id = id;
		if (job->apply.import.file.len > 0) {
			if (!discard(job))
				return;
			continue;
		}
		do {
			if (!write_order(job, ACT_FORGET))
				return;
		} while (!job->is_over);
	}
}

/* ---- the job ---- */

static bool load(struct import_job *job, struct audience_txn *reader)
{
	struct import *import = &job->apply.import;
	enum store_result result = audience_begin_read(reader);
	bool good;

	if (result == STORE_OK)
		result = import_get(reader, job->id, import);
	good = result == STORE_OK && import_keep(import, job->room);
	if (result != STORE_OK)
		log_error("web", "an import cannot be read", "import=%u reason=%s", job->id,
			  audience_error_text(reader));
	audience_abort(reader);
	return good;
}

static void carry_out(struct import_job *job, struct audience_txn *reader)
{
	u64 began_ns = clock_mono_ns();

	if (!load(job, reader))
		return;
	job->state = job->apply.import.state;
	job->position = job->apply.import.position;
	if (job->state == IMPORT_UNDOING)
		run_undo(job);
	else if (job->state == IMPORT_TRYING || job->state == IMPORT_RUNNING)
		run_rows(job, reader);
	log_info("web", "a job of an import has ended", "import=%u was=%s ms=%llu", job->id,
		 import_state_names[job->state],
		 (unsigned long long)((clock_mono_ns() - began_ns) / NS_PER_MS));
}

static void run(struct job *base, struct audience_txn *reader)
{
	struct import_job *job = container_of(base, struct import_job, job);

	if (job->id > 0)
		carry_out(job, reader);
	forget_old(job, reader);
}

static void ended(struct job *base)
{
	struct import_job *job = container_of(base, struct import_job, job);

	import_batch_done(&job->batch);
	asker_done(&job->asker);
	free(job);
}

bool import_job_give(struct jobs *jobs, u32 id, const struct config *config)
{
	struct import_job *job = calloc(1, sizeof(*job));

	if (!job)
		return false;
	if (!import_batch_init(&job->batch)) {
		free(job);
		return false;
	}
	job->id = id;
	job->audience = config->web.audience;
	asker_init(&job->asker, config->control);
	job->job.run = run;
	job->job.ended = ended;
	jobs_give(jobs, &job->job);
	return true;
}

/* ---- at the start ---- */

static bool is_wanted(void *owner, struct slice name)
{
	struct audience_txn *reader = owner;
	struct import import = { .id = UINT32_MAX };
	enum store_result result;

	while ((result = import_before(reader, import.id, &import)) == STORE_OK) {
		if (slice_equal(import.file, name))
			return true;
	}
	return result != STORE_NOT_FOUND;
}

bool import_jobs_resume(struct jobs *jobs, struct audience_txn *reader,
			const struct config *config, struct error *error)
{
	struct import import = { .id = UINT32_MAX };
	enum store_result result = audience_begin_read(reader);

	while (result == STORE_OK &&
	       (result = import_before(reader, import.id, &import)) == STORE_OK) {
		if (import.state != IMPORT_TRYING && import.state != IMPORT_RUNNING &&
		    import.state != IMPORT_UNDOING)
			continue;
		if (!import_job_give(jobs, import.id, config)) {
			audience_abort(reader);
			return error_set(error, "no memory for going on with an import");
		}
	}
	if (result == STORE_NOT_FOUND)
		import_file_sweep(config->web.audience, is_wanted, reader);
	else
		error_set(error, "%s", audience_error_text(reader));
	audience_abort(reader);
	return result == STORE_NOT_FOUND;
}
