/*
 * log.show: entries of the delivery log, picked and in either order, or as they are written
 * (`follow`). Each step reads a slice of the log within a transaction of its own; what matches is
 * found by the log's index, so a recipient among 100 million entries takes a second or less.
 */
#include "base/text.h"
#include "delivery/planner_log.h"
#include "send/control_parts.h"
#include "store/queue_letter.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LIMIT_DEFAULT 10000
#define LIMIT_MAX 1000000
#define FOLLOW_PAUSE_MS 200
#define CAMPAIGNS_KEPT 16
#define TEXT_KEPT 512 /* of a filter: addresses and names of sites are shorter */

struct log_show {
	struct control_stream stream;
	struct queue_log_filter filter;
	struct queue_log_walk walk;
	struct address address;
	struct buf wire;
	struct buf domain;
	char site[LOG_SITE_MAX + 1];
	bool follows;
	u64 limit;
	u64 count;
	u64 work; /* that may still be done; UINT64_MAX: as much as it takes */
	struct queue_campaign campaigns[CAMPAIGNS_KEPT]; /* that were asked for; id 0: none */
};

/* ---- one entry ---- */

/* Zeroed but for its id when it is not there any more. */
static const struct queue_campaign *campaign_of(struct log_show *show, struct queue *queue, u32 id)
{
	struct queue_campaign *kept = &show->campaigns[id % CAMPAIGNS_KEPT];

	if (kept->id == id)
		return kept;
	if (queue_campaign_get(queue, id, kept) != STORE_OK)
		*kept = (struct queue_campaign){ .id = id };
	return kept;
}

/* What whoever brought a single message knows it by; "" for campaigns, and when it is long over. */
static json_t *letter_key(struct queue *queue, const struct queue_campaign *c,
			  const struct row_id *id)
{
	struct queue_letter letter;

	if (c->kind != CAMPAIGN_LETTERS ||
	    queue_letter_get(queue, id->campaign, id->domain, &letter) != STORE_OK)
		return json_string("");
	return answer_text_of(letter.key);
}

static json_t *entry_json(struct log_show *show, struct queue *queue,
			  const struct queue_log_entry *e)
{
	const struct queue_campaign *c = campaign_of(show, queue, e->id.campaign);
	char source[NET_ADDRESS_TEXT_SIZE] = "";
	char message[40];
	json_t *json = answer_log_entry(e);
	json_t *more;

	if (e->source.family)
		net_address_format(source, &e->source, false);
	snprintf(message, sizeof(message), "%u.%u.%u", e->id.campaign, e->id.domain, e->id.seq);
	more = json_pack("{s:s, s:o, s:I, s:o, s:s, s:o, s:s, s:o, s:s, s:s, s:s, s:b, s:I}",
			 "message", message, "letter", letter_key(queue, c, &e->id),
			 "campaign_id", (json_int_t)e->id.campaign, "campaign",
			 answer_text_of(slice_of(c->name)), "kind",
			 c->state ? queue_campaign_kind_name(c->kind) : "", "list",
			 answer_text_of(slice_of(c->list)), "customer", c->customer, "site",
			 answer_text_of(e->site), "source", source, "tls", log_tls_name(e->tls),
			 "tls_policy", log_policy_name(e->tls_policy), "tls_proven",
			 (int)e->tls_proven, "bytes", (json_int_t)e->bytes);
	if (json && more && json_object_update(json, more) == 0) {
		json_decref(more);
		return json;
	}
	json_decref(json);
	json_decref(more);
	return NULL;
}

/* ---- the stream ---- */

static bool is_full(const struct control_link *link, const struct log_show *show)
{
	return show->count >= show->limit || show->work == 0 ||
	       link_unsent(link) >= LINK_OUTPUT_SOFT;
}

static enum store_result some(struct control_link *link, struct log_show *show,
			      struct queue *queue)
{
	enum store_result result = STORE_OK;
	struct queue_log_entry entry;
	u32 budget = (u32)min_u64(SLICE_ROWS, show->work);
	const u32 given = budget;

	while (budget > 0 && !is_full(link, show)) {
		result = queue_log_find(queue, &show->filter, &show->walk, &budget, &entry);
		if (result != STORE_OK)
			break;
		if (entry.number == 0)
			continue;
		show->count++;
		link_item(link, entry_json(show, queue, &entry));
	}
	if (show->work != UINT64_MAX)
		show->work -= given - budget;
	return result;
}

static bool log_step_run(struct control_link *link, struct control_stream *stream)
{
	struct log_show *show = container_of(stream, struct log_show, stream);
	struct queue *queue = planner_queue(link->control->params.planner);
	enum store_result result;
	enum store_result ended;
	u64 last = 0;

	if (!slice_begin(link))
		return false;
	result = some(link, show, queue);
	ended = queue_log_last(queue, &last);
	if (!slice_end(link, ended == STORE_OK ? result : ended))
		return false;
	stream->pause_ms = result == STORE_NOT_FOUND ? FOLLOW_PAUSE_MS : 0;
	if ((result == STORE_OK && show->count < show->limit && show->work > 0) ||
	    (show->follows && show->count < show->limit))
		return true;
	link_reply(link, json_pack("{s:I, s:b, s:I, s:I}", "count", (json_int_t)show->count, "more",
				   (int)(result != STORE_NOT_FOUND), "next",
				   (json_int_t)min_u64(show->walk.at, INT64_MAX), "last",
				   (json_int_t)last));
	return false;
}

static void show_free(struct control_stream *stream)
{
	struct log_show *show = container_of(stream, struct log_show, stream);

	buf_done(&show->wire);
	buf_done(&show->domain);
	free(show);
}

/* ---- the request ---- */

/* As it came; texts that were not given are NULL. */
struct wanted {
	const char *recipient;
	const char *campaign;
	const char *message;
	const char *site;
	const char *domain;
	json_t *outcomes;
	json_t *classes;
	u64 after;
	u64 limit;
	u64 work;
	bool newest_first;
	bool follow;
};

static bool outcome_bit(struct slice word, u64 *bits)
{
	for (u32 i = LOG_DELIVERED; i <= LOG_OUTCOME_LAST; i++) {
		if (slice_equal(word, slice_of(log_outcome_name(i)))) {
			*bits |= 1ull << i;
			return true;
		}
	}
	return false;
}

static bool class_bit(struct slice word, u64 *bits)
{
	enum smtp_class class;

	if (!smtp_class_find(word, &class))
		return false;
	*bits |= 1ull << class;
	return true;
}

/* A list of words, each a bit. */
static bool read_words(const json_t *list, const char *name,
		       bool (*take)(struct slice word, u64 *bits), u64 *bits, struct error *error)
{
	size_t i;
	const json_t *word;

	if (!list)
		return true;
	if (!json_is_array(list) || json_array_size(list) == 0)
		return error_set(error, "log.show: \"%s\" must be a list of words", name);
	json_array_foreach ((json_t *)(uintptr_t)list, i, word) {
		const char *text = json_string_value(word);

		if (!text || !take(slice_of(text), bits))
			return error_set(error, "log.show: \"%s\" knows no \"%.64s\"", name,
					 text ? text : "(no text)");
	}
	return true;
}

static bool pick_message(struct control_link *link, struct log_show *show, const char *text)
{
	struct row_id id;

	if (!text)
		return true;
	if (!planner_log_message(link->control->params.planner, slice_of(text), &id)) {
		link_refuse(link, CONTROL_NOT_FOUND,
			    "log.show: \"message\" is no Message-ID, envelope sender or number of "
			    "a message of ours");
		return false;
	}
	/* The same for all recipients of its campaign. */
	if (id.domain == 0)
		show->filter.campaign = id.campaign;
	else
		show->filter.row = id;
	return true;
}

/* What names something that the sender has to find first. False: refused. */
static bool pick_names(struct control_link *link, struct log_show *show,
		       const struct wanted *wanted)
{
	struct queue_log_filter *filter = &show->filter;

	if (!control_find_word(link, wanted->campaign, &filter->campaign) ||
	    !pick_message(link, show, wanted->message))
		return false;
	if (wanted->recipient) {
		if (!control_address(link, wanted->recipient, &show->address, &show->wire))
			return false;
		filter->address = buf_slice(&show->wire);
	}
	if (wanted->domain &&
	    !control_domain(link, wanted->domain, &show->domain, &filter->domain))
		return false;
	if (wanted->site) {
		slice_copy(show->site, sizeof(show->site), slice_of(wanted->site));
		filter->site = slice_of(show->site);
	}
	return true;
}

static bool read_wanted(const struct control_request *request, struct wanted *wanted,
			struct queue_log_filter *filter, struct error *error)
{
	const struct control_arg args[] = {
		{ "recipient", CONTROL_TEXT, false, &wanted->recipient },
		{ "campaign", CONTROL_TEXT, false, &wanted->campaign },
		{ "message", CONTROL_TEXT, false, &wanted->message },
		{ "site", CONTROL_TEXT, false, &wanted->site },
		{ "domain", CONTROL_TEXT, false, &wanted->domain },
		{ "outcomes", CONTROL_JSON, false, &wanted->outcomes },
		{ "classes", CONTROL_JSON, false, &wanted->classes },
		{ "since_ms", CONTROL_NUMBER, false, &filter->since_ms },
		{ "until_ms", CONTROL_NUMBER, false, &filter->until_ms },
		{ "after", CONTROL_NUMBER, false, &wanted->after },
		{ "limit", CONTROL_NUMBER, false, &wanted->limit },
		{ "work", CONTROL_NUMBER, false, &wanted->work },
		{ "newest_first", CONTROL_FLAG, false, &wanted->newest_first },
		{ "follow", CONTROL_FLAG, false, &wanted->follow },
	};

	if (!control_read(request->json, request->command, args, array_count(args), error))
		return false;
	if (wanted->follow && wanted->newest_first)
		return error_set(error, "log.show: what is followed is in the order of time");
	return read_words(wanted->outcomes, "outcomes", outcome_bit, &filter->outcomes, error) &&
	       read_words(wanted->classes, "classes", class_bit, &filter->classes, error);
}

void control_log_show(struct control_link *link, const struct control_request *request)
{
	struct log_show *show = calloc(1, sizeof(*show));
	struct wanted wanted = { 0 };
	struct error error;

	if (!show) {
		link_refuse(link, CONTROL_FAILED, "out of memory");
		return;
	}
	show->stream = (struct control_stream){ .step = log_step_run, .free = show_free };
	buf_init(&show->wire, TEXT_KEPT);
	buf_init(&show->domain, TEXT_KEPT);
	if (!read_wanted(request, &wanted, &show->filter, &error)) {
		link_refuse(link, CONTROL_BAD_REQUEST, error.text);
		show_free(&show->stream);
		return;
	}
	if (!pick_names(link, show, &wanted)) {
		show_free(&show->stream);
		return;
	}
	show->walk.newest_first = wanted.newest_first;
	show->walk.at = wanted.newest_first && wanted.after == 0 ? UINT64_MAX : wanted.after;
	show->follows = wanted.follow;
	show->limit = min_u64(wanted.limit ? wanted.limit : LIMIT_DEFAULT, LIMIT_MAX);
	if (wanted.follow && !wanted.limit)
		show->limit = UINT64_MAX;
	show->work = wanted.work ? wanted.work : UINT64_MAX;
	link_stream(link, &show->stream);
}
