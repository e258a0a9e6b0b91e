/*
 * letter.recipients: the recipients of one letter, a page at a time, each with what the delivery
 * log has last about them.
 */
#include "base/text.h"
#include "send/control_parts.h"
#include "store/queue_letter.h"

#include <stdlib.h>
#include <string.h>

#define LIMIT_DEFAULT 1000
#define LIMIT_MAX 10000
/* The wall clock may have been set back since the letter came; by less than that, it is hoped. */
#define CLOCK_SLACK_MS (24 * 3600 * 1000ull)
/* What says where the mail is; automatic answers and unsubscriptions do not. */
#define OUTCOMES                                                                                   \
	(1u << LOG_DELIVERED | 1u << LOG_FAILED | 1u << LOG_DEFERRED | 1u << LOG_EXPIRED |         \
	 1u << LOG_CANCELLED | 1u << LOG_IN_DOUBT | 1u << LOG_HELD | 1u << LOG_BOUNCED |           \
	 1u << LOG_COMPLAINED)

struct letter_rows {
	struct control_stream stream;
	struct queue_log_filter filter; /* row: the recipient that is looked for */
	struct queue_log_walk walk;
	u32 recipients;
	u32 last; /* number of the page's last recipient */
	u32 count;
};

static void seek(struct letter_rows *rows, u32 number)
{
	rows->filter.row.seq = number;
	rows->walk = (struct queue_log_walk){ .at = UINT64_MAX, .newest_first = true };
}

/* The row's number is the recipient's, by the order in which they were brought. */
static json_t *item_of(const struct letter_rows *rows, const struct queue_log_entry *entry)
{
	const json_int_t number = rows->filter.row.seq;
	json_t *json;

	if (!entry)
		return json_pack("{s:I, s:s}", "number", number, "state", "waiting");
	json = answer_log_entry(entry);
	if (!json)
		return NULL;
	json_object_del(json, "outcome");
	if (json_object_set_new(json, "number", json_integer(number)) == 0 &&
	    json_object_set_new(json, "state", json_string(log_outcome_name(entry->outcome))) == 0)
		return json;
	json_decref(json);
	return NULL;
}

static enum store_result some(struct control_link *link, struct letter_rows *rows,
			      struct queue *queue)
{
	enum store_result result = STORE_OK;
	struct queue_log_entry entry;
	u32 budget = SLICE_ROWS;

	while (budget > 0 && rows->filter.row.seq <= rows->last &&
	       link_unsent(link) < LINK_OUTPUT_SOFT) {
		result = queue_log_find(queue, &rows->filter, &rows->walk, &budget, &entry);
		if (result != STORE_OK && result != STORE_NOT_FOUND)
			break;
		if (result == STORE_OK && entry.number == 0)
			continue;
		link_item(link, item_of(rows, result == STORE_OK ? &entry : NULL));
		rows->count++;
		seek(rows, rows->filter.row.seq + 1);
		result = STORE_OK;
		budget -= min_u32(budget, 1); /* looking in vain is work, too */
	}
	return result;
}

static bool rows_step(struct control_link *link, struct control_stream *stream)
{
	struct letter_rows *rows = container_of(stream, struct letter_rows, stream);
	struct queue *queue = planner_queue(link->control->params.planner);

	if (!slice_begin(link))
		return false;
	if (!slice_end(link, some(link, rows, queue)))
		return false;
	if (rows->filter.row.seq <= rows->last)
		return true;
	link_reply(link, json_pack("{s:I, s:b, s:I}", "count", (json_int_t)rows->count, "more",
				   (int)(rows->last < rows->recipients), "next",
				   (json_int_t)rows->last));
	return false;
}

static void rows_free(struct control_stream *stream)
{
	free(container_of(stream, struct letter_rows, stream));
}

static struct letter_rows *rows_make(const struct queue_letter *letter, u64 after, u64 limit)
{
	struct letter_rows *rows = calloc(1, sizeof(*rows));

	if (!rows)
		return NULL;
	rows->stream = (struct control_stream){ .step = rows_step, .free = rows_free };
	rows->recipients = letter->recipients;
	rows->filter.outcomes = OUTCOMES;
	rows->filter.since_ms = letter->wall_ms - min_u64(letter->wall_ms, CLOCK_SLACK_MS);
	rows->filter.row = (struct row_id){ letter->campaign, letter->number, 0 };
	after = min_u64(after, letter->recipients);
	limit = min_u64(limit ? limit : LIMIT_DEFAULT, LIMIT_MAX);
	rows->last = (u32)min_u64(after + limit, letter->recipients);
	seek(rows, (u32)after + 1);
	return rows;
}

void control_letter_recipients(struct control_link *link, const struct control_request *request)
{
	const char *id = NULL;
	const char *key = NULL;
	u64 after = 0;
	u64 limit = 0;
	const struct control_arg args[] = {
		{ "id", CONTROL_TEXT, false, &id },
		{ "key", CONTROL_TEXT, false, &key },
		{ "after", CONTROL_NUMBER, false, &after },
		{ "limit", CONTROL_NUMBER, false, &limit },
	};
	struct letter_rows *rows;
	struct queue_letter letter;
	struct error error;

	if (!control_read(request->json, request->command, args, array_count(args), &error)) {
		link_refuse(link, CONTROL_BAD_REQUEST, error.text);
		return;
	}
	if (!control_letter_find(link, request->command, id, key, &letter))
		return;
	rows = rows_make(&letter, after, limit);
	link_stream(link, rows ? &rows->stream : NULL);
}
