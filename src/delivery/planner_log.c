#include "delivery/planner_log.h"

#include "base/log.h"
#include "base/text.h"
#include "delivery/planner_parts.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define READER_PREFIX SLICE("reader/")
#define READER_VALUE_MAX 512
#define TRIM_AGE 2000  /* entries of one transaction */
#define TRIM_SIZE 8000 /* the same, when the log is too large: faster than it grows */
#define TRIM_NS (60 * NS_PER_S)

struct planner_log {
	struct planner_reader readers[PLANNER_READERS_MAX];
	size_t count;
	u64 last; /* number of the newest entry that was seen */
	u64 next_trim_ns;
};

/* ---- readers on the disk: "position lost posted failed failing suspended" LF note ---- */

static struct slice reader_key(char out[SETTING_NAME_MAX + 1], const char *name)
{
	snprintf(out, SETTING_NAME_MAX + 1, "%.*s%s", SLICE_FMT(READER_PREFIX), name);
	return slice_of(out);
}

static bool take_reader(struct planner *planner, struct slice name, struct slice value,
			struct error *error)
{
	struct planner_log *log = planner->log;
	struct planner_reader *r = &log->readers[log->count];
	struct slice line = slice_split(&value, '\n');
	u64 *const numbers[] = { &r->position, &r->lost,       &r->posted,
				 &r->failed,   &r->failing_ms, &r->suspended_ms };
	bool fits = true;

	if (log->count == PLANNER_READERS_MAX)
		return error_set(error, "the queue: more than %d readers of the log",
				 PLANNER_READERS_MAX);
	*r = (struct planner_reader){ 0 };
	for (size_t i = 0; i < array_count(numbers); i++)
		fits &= slice_to_u64(slice_split(&line, ' '), numbers[i]);
	if (!fits || !slice_copy(r->name, sizeof(r->name), name) ||
	    !slice_copy(r->note, sizeof(r->note), value))
		return error_set(error, "the queue: the setting reader/%.*s does not parse",
				 SLICE_FMT(name));
	log->count++;
	return true;
}

/* Within a transaction. */
static enum store_result write_reader(struct planner *planner, const struct planner_reader *r)
{
	char key[SETTING_NAME_MAX + 1];
	char value[READER_VALUE_MAX];

	snprintf(value, sizeof(value),
		 "%" PRIu64 " %" PRIu64 " %" PRIu64 " %" PRIu64 " %" PRIu64 " %" PRIu64 "\n%s",
		 r->position, r->lost, r->posted, r->failed, r->failing_ms, r->suspended_ms,
		 r->note);
	return queue_setting_put(planner->queue, reader_key(key, r->name), slice_of(value));
}

bool planner_log_open(struct planner *planner, struct error *error)
{
	planner->log = calloc(1, sizeof(*planner->log));
	if (!planner->log)
		return error_set(error, "out of memory for the delivery log's readers");
	return planner_read_settings(planner, READER_PREFIX, take_reader, error);
}

void planner_log_close(struct planner *planner)
{
	free(planner->log);
	planner->log = NULL;
}

/* ---- readers ---- */

const struct planner_reader *planner_reader_at(const struct planner *planner, size_t index)
{
	return index < planner->log->count ? &planner->log->readers[index] : NULL;
}

static struct planner_reader *find(const struct planner *planner, struct slice name)
{
	struct planner_log *log = planner->log;

	for (size_t i = 0; i < log->count; i++) {
		if (slice_equal(slice_of(log->readers[i].name), name))
			return &log->readers[i];
	}
	return NULL;
}

const struct planner_reader *planner_reader_find(const struct planner *planner, struct slice name)
{
	return find(planner, name);
}

/* Within a transaction: where the log begins and ends. */
static enum store_result log_ends(struct planner *planner, u64 *first, u64 *last)
{
	struct queue_log_entry entry;
	enum store_result result = queue_log_last(planner->queue, last);

	*first = 1;
	if (result != STORE_OK || *last == 0)
		return result;
	result = queue_log_next(planner->queue, 0, &entry);
	if (result == STORE_OK)
		*first = entry.number;
	return result;
}

/* Moves a reader to where there are entries. */
static void fit_reader(struct planner_reader *r, u64 first, u64 last, bool is_new)
{
	if (r->position > last) {
		log_warn("delivery", "a reader of the delivery log is beyond its end",
			 "reader=%s position=%" PRIu64 " last=%" PRIu64, r->name, r->position,
			 last);
		r->position = last;
	}
	if (r->position + 1 >= first)
		return;
	if (!is_new) {
		r->lost += first - 1 - r->position;
		log_warn("delivery", "entries of the delivery log went before they were taken",
			 "reader=%s entries=%" PRIu64 " first=%" PRIu64 " last=%" PRIu64, r->name,
			 first - 1 - r->position, r->position + 1, first - 1);
	}
	r->position = first - 1;
}

bool planner_reader_put(struct planner *planner, const struct planner_reader *reader,
			struct error *error)
{
	struct planner_log *log = planner->log;
	struct planner_reader *known = find(planner, slice_of(reader->name));
	struct planner_reader now = *reader;
	enum store_result result;
	u64 first;
	u64 last;

	if (!known && log->count == PLANNER_READERS_MAX)
		return error_set(error, "the delivery log has %d readers, which is all it may have",
				 PLANNER_READERS_MAX);
	if (!planner_takes_orders(planner, error) || !planner_begin(planner, error))
		return false;
	result = log_ends(planner, &first, &last);
	if (result == STORE_OK) {
		fit_reader(&now, first, last, !known);
		result = write_reader(planner, &now);
	}
	if (!planner_store_ok(planner, result) || !planner_commit(planner, error)) {
		error_set(error, "the queue: %s", queue_error_text(planner->queue));
		queue_abort(planner->queue);
		planner_rolled_back(planner);
		return false;
	}
	if (!known)
		known = &log->readers[log->count++];
	*known = now;
	return true;
}

bool planner_reader_remove(struct planner *planner, struct slice name, struct error *error)
{
	struct planner_log *log = planner->log;
	struct planner_reader *known = find(planner, name);
	char key[SETTING_NAME_MAX + 1];
	enum store_result result;

	if (!known)
		return error_set(error, "the delivery log has no reader named \"%.*s\"",
				 SLICE_FMT(slice_first(name, PLANNER_READER_NAME_MAX)));
	if (!planner_takes_orders(planner, error) || !planner_begin(planner, error))
		return false;
	result = queue_setting_delete(planner->queue, reader_key(key, known->name));
	if (result == STORE_NOT_FOUND)
		result = STORE_OK;
	if (!planner_store_ok(planner, result) || !planner_commit(planner, error)) {
		error_set(error, "the queue: %s", queue_error_text(planner->queue));
		queue_abort(planner->queue);
		planner_rolled_back(planner);
		return false;
	}
	*known = log->readers[--log->count];
	return true;
}

bool planner_reader_ask_test(struct planner *planner, struct slice name)
{
	struct planner_reader *known = find(planner, name);

	if (known)
		known->tests_wanted++;
	return known != NULL;
}

bool planner_reader_test_done(struct planner *planner, struct slice name, struct slice note)
{
	struct planner_reader *known = find(planner, name);

	if (!known)
		return false;
	known->tests_done = known->tests_wanted;
	slice_copy(known->test_note, sizeof(known->test_note), note);
	return true;
}

_Static_assert(METRICS_READERS_MAX == PLANNER_READERS_MAX, "a place for each");
_Static_assert(sizeof(((struct metrics_reader *)NULL)->name) > PLANNER_READER_NAME_MAX, "and name");

static void measure(struct metrics_reader *m, const struct planner_reader *r, u64 last)
{
	if (!m->is_used || strcmp(m->name, r->name) != 0) {
		__atomic_store_n(&m->is_used, 0, __ATOMIC_RELEASE);
		slice_copy(m->name, sizeof(m->name), slice_of(r->name));
	}
	metric_set(&m->waiting, last > r->position ? last - r->position : 0);
	metric_set(&m->posted, r->posted);
	metric_set(&m->failed, r->failed);
	metric_set(&m->lost, r->lost);
	metric_set(&m->suspended, r->suspended_ms > 0);
	__atomic_store_n(&m->is_used, 1, __ATOMIC_RELEASE);
}

void planner_log_measure(struct planner *planner)
{
	struct planner_log *log = planner->log;

	log->last = max_u64(log->last, queue_log_last_seen(planner->queue));
	for (size_t i = 0; i < PLANNER_READERS_MAX; i++) {
		struct metrics_reader *m = &planner->m->readers[i];

		if (i < log->count)
			measure(m, &log->readers[i], log->last);
		else
			__atomic_store_n(&m->is_used, 0, __ATOMIC_RELEASE);
	}
}

/* ---- which message ---- */

static bool read_row_id(struct slice text, struct row_id *id)
{
	return slice_to_u32(slice_split(&text, '.'), &id->campaign) && text.ptr &&
	       slice_to_u32(slice_split(&text, '.'), &id->domain) && text.ptr &&
	       slice_to_u32(text, &id->seq) && id->campaign > 0;
}

bool planner_log_message(const struct planner *planner, struct slice text, struct row_id *id)
{
	const struct config *config = planner->config;

	text = slice_trim(text);
	if (text.len > 2 && text.ptr[0] == '<' && text.ptr[text.len - 1] == '>')
		text = slice_from(slice_first(text, text.len - 1), 1);
	if (read_row_id(text, id) ||
	    mailing_read_message_id(planner->secret, text, id) == MAILING_TAG_OURS)
		return true;
	for (size_t i = 0; i < config->customer_count; i++) {
		if (mailing_read_sender(planner->secret, slice_of(config->customers[i].bounce),
					text, id) == MAILING_TAG_OURS)
			return true;
	}
	return false;
}

/* ---- what an entry says ---- */

_Static_assert((int)LOG_POLICY_LAST == (int)METRICS_POLICIES, "policies of log and metrics");
_Static_assert((int)LOG_POLICY_STS == METRICS_POLICY_STS + 1 &&
		       (int)LOG_POLICY_DANE == METRICS_POLICY_DANE + 1,
	       "in the same order");

void planner_log_facts(struct queue_log_entry *entry, const struct lease *lease)
{
	const struct path *path = lease->path;

	entry->bytes = lease->bytes;
	entry->tls = lease->tls;
	entry->tls_policy = lease->tls_policy;
	entry->tls_proven = lease->tls_proven;
	/* Of the run before, as recovery has it. */
	if (!path)
		return;
	entry->site = slice_of(path_text(path, path->site));
	if (lease->host.family == 4 && path->has_source4)
		entry->source = path->source4;
	if (lease->host.family == 6 && path->has_source6)
		entry->source = path->source6;
}

/* ---- trimming ---- */

/* The last entry that no reader needs any more. */
static u64 taken_by_all(const struct planner_log *log)
{
	u64 through = UINT64_MAX;

	for (size_t i = 0; i < log->count; i++)
		through = min_u64(through, log->readers[i].position);
	return through;
}

static u64 before(u64 now_ms, u64 keep_ms)
{
	return now_ms > keep_ms ? now_ms - keep_ms : 0;
}

/* Within a transaction. STORE_NOT_FOUND: there was nothing to do. */
static enum store_result trim(struct planner *planner, bool is_too_large)
{
	const struct config_queue *config = &planner->config->queue;
	const u64 now_ms = planner->time.age_ms;
	const u64 longest_ms = config->log_keep_ms + config->log_wait_ms;
	enum store_result result;

	if (is_too_large)
		return queue_log_trim(planner->queue, UINT64_MAX, UINT64_MAX, TRIM_SIZE);
	result = queue_log_trim(planner->queue, before(now_ms, longest_ms), UINT64_MAX, TRIM_AGE);
	if (result != STORE_NOT_FOUND)
		return result;
	return queue_log_trim(planner->queue, before(now_ms, config->log_keep_ms),
			      taken_by_all(planner->log), TRIM_AGE);
}

/* Readers who were left behind. */
static enum store_result move_readers(struct planner *planner, struct planner_reader *moved)
{
	struct planner_log *log = planner->log;
	enum store_result result;
	u64 first;
	u64 last;

	result = log_ends(planner, &first, &last);
	for (size_t i = 0; i < log->count && result == STORE_OK; i++) {
		moved[i] = log->readers[i];
		if (moved[i].position + 1 >= first)
			continue;
		fit_reader(&moved[i], first, last, false);
		result = write_reader(planner, &moved[i]);
	}
	return result;
}

void planner_log_trim(struct planner *planner, const struct queue_stats *stats)
{
	struct planner_reader moved[PLANNER_READERS_MAX];
	struct planner_log *log = planner->log;
	const struct config_queue *config = &planner->config->queue;
	/* Mail that waits needs the map, too. */
	const u64 size_max = min_u64(config->log_size_max, config->map_size_max / 2);
	bool is_too_large = stats->log_pages * stats->page_size > size_max;
	enum store_result result;

	if (planner->now_ns < log->next_trim_ns && !is_too_large)
		return;
	log->next_trim_ns = planner->now_ns + TRIM_NS;
	if (queue_begin(planner->queue) != STORE_OK)
		return;
	result = trim(planner, is_too_large);
	if (result == STORE_OK)
		result = move_readers(planner, moved);
	if (result != STORE_OK || queue_commit(planner->queue) != STORE_OK) {
		queue_abort(planner->queue);
		return;
	}
	memcpy(log->readers, moved, log->count * sizeof(moved[0]));
	/* More to trim: soon again. */
	log->next_trim_ns = planner->now_ns;
}
