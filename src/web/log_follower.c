#include "web/log_follower.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/text.h"
#include "base/thread.h"
#include "campaign/delivery_note.h"
#include "campaign/local_day.h"
#include "store/audience_arrival.h"
#include "web/asker.h"
#include "web/setting.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define BATCH 1000 /* entries of one transaction */
#define WORK 100000 /* entries that the sender looks at for it */
#define TURN_NS NS_PER_S
#define TELL_NS (5 * NS_PER_S)

struct log_follower {
	struct scribe *scribe;
	struct audience_txn *reader;
	struct asker asker;
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t wakes;
	bool stops;
	bool is_introduced; /* the sender knows the reader, and `position` is good */
	u64 position;
	u64 told;
	u64 told_ns;
};

/* ---- where it is ---- */

static bool read_position(struct log_follower *follower, bool *is_known)
{
	struct slice value = SLICE_NONE;
	enum store_result result = audience_begin_read(follower->reader);

	if (result == STORE_OK)
		result = audience_setting_get(follower->reader, SLICE(LOG_FOLLOWER_SETTING),
					      &value);
	*is_known = result == STORE_OK && slice_to_u64(value, &follower->position);
	audience_abort(follower->reader);
	return result == STORE_OK || result == STORE_NOT_FOUND;
}

/*
 * The sender has the last word on what is possible: a position beyond its log's end, as after its
 * queue was restored, is the end; one before what it still has is where that begins.
 */
static bool tell(struct log_follower *follower, bool has_position)
{
	struct asker_answer answer;
	json_t *request = json_pack("{s:s, s:s, s:o*}", "command", "reader.put", "name",
				    LOG_FOLLOWER_READER, "position",
				    has_position ? json_integer((json_int_t)follower->position)
						 : NULL);
	bool ok = asker_ask(&follower->asker, request, &answer) == ASKER_REPLIED;

	if (ok) {
		follower->position = asker_number(answer.reply, "position");
		follower->told = follower->position;
		follower->told_ns = clock_mono_ns();
	}
	asker_answer_done(&answer);
	return ok;
}

static bool introduce(struct log_follower *follower)
{
	bool is_known;

	if (follower->is_introduced)
		return true;
	follower->is_introduced = read_position(follower, &is_known) && tell(follower, is_known);
	return follower->is_introduced;
}

/* ---- a batch ---- */

struct batch {
	struct scribe_order order;
	const json_t *entries;
	u64 position; /* behind them */
};

static struct slice slice_member(const json_t *entry, const char *name)
{
	return slice_of(asker_text(entry, name));
}

static enum store_result keep(struct audience_txn *txn, const json_t *entry,
			      const struct time_zone *zone)
{
	struct delivery_note note = {
		.sender = (u32)asker_number(entry, "campaign_id"),
		.outcome = delivery_outcome_of(slice_member(entry, "outcome")),
		.at_ms = asker_number(entry, "time_ms"),
		.address = slice_member(entry, "address"),
		.list = slice_member(entry, "list"),
		.site = slice_member(entry, "site"),
		.reply = slice_member(entry, "reply"),
	};
	i32 day = local_day(zone, note.at_ms);

	if (!smtp_class_find(slice_member(entry, "class"), &note.class))
		note.class = SMTP_CLASS_NONE;
	note.day = day > 0 ? (u32)day : 0;
	return delivery_note_keep(txn, &note);
}

static enum store_result apply(struct scribe_order *order, struct audience_txn *txn)
{
	const struct batch *batch = container_of(order, struct batch, order);
	enum store_result result = STORE_OK;
	struct time_zone zone;
	char number[24];

	setting_zone(txn, &zone);
	for (size_t i = 0; i < json_array_size(batch->entries) && result == STORE_OK; i++)
		result = keep(txn, json_array_get(batch->entries, i), &zone);
	if (result == STORE_OK)
		result = arrival_sweep(txn, (u32)local_day(&zone, clock_wall_ms()));
	snprintf(number, sizeof(number), "%llu", (unsigned long long)batch->position);
	if (result == STORE_OK)
		result = audience_setting_put(txn, SLICE(LOG_FOLLOWER_SETTING), slice_of(number));
	return result;
}

/* True: there may be more at once. */
static bool follow(struct log_follower *follower)
{
	struct asker_answer answer;
	struct batch batch = { .order.apply = apply };
	json_t *request = json_pack("{s:s, s:I, s:i, s:i}", "command", "log.show", "after",
				    (json_int_t)follower->position, "limit", BATCH, "work", WORK);
	bool more = false;

	if (asker_ask(&follower->asker, request, &answer) == ASKER_REPLIED) {
		batch.entries = answer.items;
		batch.position = asker_number(answer.reply, "next");
		more = json_is_true(json_object_get(answer.reply, "more"));
	} else {
		/* Another sender answers next time, perhaps, with another log. */
		follower->is_introduced = false;
	}
	if (batch.position > follower->position) {
		if (scribe_do(follower->scribe, &batch.order) == STORE_OK) {
			follower->position = batch.position;
		} else {
			log_error("web", "what became of mail could not be kept", "reason=%s",
				  batch.order.error.text);
			more = false;
		}
	}
	asker_answer_done(&answer);
	return more;
}

/* ---- the thread ---- */

/* False: it is to stop. */
static bool wait(struct log_follower *follower, bool at_once)
{
	u64 until_ns = clock_mono_ns() + TURN_NS;
	bool stops;

	pthread_mutex_lock(&follower->lock);
	while (!follower->stops && !at_once &&
	       thread_wait_until(&follower->wakes, &follower->lock, until_ns))
		;
	stops = follower->stops;
	pthread_mutex_unlock(&follower->lock);
	return !stops;
}

static void *follower_run(void *argument)
{
	struct log_follower *follower = argument;
	bool more = true;

	while (wait(follower, more)) {
		more = introduce(follower) && follow(follower);
		if (follower->is_introduced && follower->position > follower->told &&
		    clock_mono_ns() >= follower->told_ns + TELL_NS)
			follower->is_introduced = tell(follower, true);
	}
	return NULL;
}

static void free_follower(struct log_follower *follower)
{
	asker_done(&follower->asker);
	audience_txn_close(follower->reader);
	pthread_cond_destroy(&follower->wakes);
	pthread_mutex_destroy(&follower->lock);
	free(follower);
}

struct log_follower *log_follower_open(const struct config *config, struct audience *audience,
				       struct scribe *scribe, struct error *error)
{
	struct log_follower *follower = calloc(1, sizeof(*follower));
	int code;

	if (!follower) {
		error_set(error, "no memory for the thread that reads the delivery log");
		return NULL;
	}
	follower->scribe = scribe;
	asker_init(&follower->asker, config->control);
	pthread_mutex_init(&follower->lock, NULL);
	thread_condition_init(&follower->wakes);
	follower->reader = audience_txn_open(audience);
	code = follower->reader ? thread_start(&follower->thread, follower_run, follower)
				: ENOMEM;
	if (code == 0)
		return follower;
	error_set_errno(error, code, "the thread that reads the delivery log cannot be started");
	free_follower(follower);
	return NULL;
}

void log_follower_close(struct log_follower *follower)
{
	if (!follower)
		return;
	pthread_mutex_lock(&follower->lock);
	follower->stops = true;
	pthread_cond_signal(&follower->wakes);
	pthread_mutex_unlock(&follower->lock);
	pthread_join(follower->thread, NULL);
	free_follower(follower);
}
