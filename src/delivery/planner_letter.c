/*
 * Letters: kept by the turn's transaction, a few of them compiled in memory while they are sent.
 *
 * A letter's number is never given twice, not even when the transaction that gave it does not come
 * to be: so what memory still holds of such a letter finds no row, and is dropped.
 */
#include "delivery/planner_letter.h"

#include "base/check.h"
#include "base/log.h"
#include "base/text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LIVE_IDLE_MAX 256  /* compiled letters of which nothing is out */
#define TURN_LETTERS_MAX 512
#define TURN_LETTER_BYTES (16u << 20)
#define CONTENT_MAX (MESSAGE_TEMPLATE_MAX + (1u << 20))

/* ---- the standing campaign ---- */

static struct planner_campaign *standing(struct planner *planner, struct slice customer)
{
	list_for_each(node, &planner->campaigns) {
		struct planner_campaign *c = list_entry(node, struct planner_campaign, node);

		if (c->record.kind == CAMPAIGN_LETTERS &&
		    slice_equal(slice_of(c->record.customer), customer))
			return c;
	}
	return NULL;
}

/* At a customer's first letter, outside of a turn's transaction. */
static bool make_standing(struct planner *planner, struct slice customer, struct error *error)
{
	struct queue_campaign campaign = {
		.state = CAMPAIGN_RUNNING,
		.kind = CAMPAIGN_LETTERS,
		.doubt_policy = DOUBT_RESEND,
		.expire_after_ms = planner->config->retry.expire_ms,
		.created_ms = planner->time.wall_ms,
		.started_ms = planner->time.wall_ms,
	};

	snprintf(campaign.name, sizeof(campaign.name), "letters-%.*s",
		 (int)min_size(customer.len, sizeof(campaign.name) - 9), customer.ptr);
	if (!slice_copy(campaign.customer, sizeof(campaign.customer), customer))
		return error_set(error, "the customer's name is too long");
	if (!planner_begin(planner, error))
		return false;
	if (queue_campaign_create(planner->queue, &campaign) != STORE_OK ||
	    !planner_commit(planner, error)) {
		queue_abort(planner->queue);
		return error_set(error, "the queue: %s", queue_error_text(planner->queue));
	}
	if (!planner_begin(planner, error))
		return false;
	if (!planner_campaign_load(planner, campaign.id, error)) {
		queue_abort(planner->queue);
		return false;
	}
	queue_abort(planner->queue);
	log_info("delivery", "letters are taken from now on", "customer=%.*s",
		 SLICE_FMT(customer));
	return true;
}

/* ---- compiled letters ---- */

static struct slice live_key(const struct planner_letter *live)
{
	return (struct slice){ (const char *)&live->ids, sizeof(live->ids) };
}

static struct planner_letter *live_find(struct planner *planner, u32 campaign, u32 number)
{
	const struct planner_letter wanted = { .ids = { campaign, number } };

	return map_find(&planner->letters, live_key(&wanted));
}

static void live_free(struct planner *planner, struct planner_letter *live)
{
	list_unlink(&live->node);
	map_remove(&planner->letters, live_key(live));
	mailing_free(live->mailing);
	free(live);
}

/* The longest idle ones go. */
static void live_idle(struct planner *planner, struct planner_letter *live)
{
	list_push_back(&planner->idle_letters, &live->node);
	if (++planner->idle_letter_count <= LIVE_IDLE_MAX)
		return;
	planner->idle_letter_count--;
	live_free(planner,
		  list_entry(planner->idle_letters.next, struct planner_letter, node));
}

static struct planner_letter *live_add(struct planner *planner, struct planner_campaign *campaign,
				       u32 number, u8 kind, struct message *message,
				       size_t columns)
{
	struct planner_letter *stale = live_find(planner, campaign->record.id, number);
	struct planner_letter *live = calloc(1, sizeof(*live));

	/* A recovery that found no room is tried anew, and gives its notices' numbers again. */
	if (stale) {
		ASSERT(stale->leases == 0);
		planner->idle_letter_count--;
		live_free(planner, stale);
	}
	if (live) {
		list_init(&live->node);
		live->ids[0] = campaign->record.id;
		live->ids[1] = number;
		live->kind = kind;
		live->mailing = mailing_make(&campaign->record, message, columns,
					     campaign->customer->bounce, planner->secret);
	}
	if (!live || !live->mailing || !map_add(&planner->letters, live_key(live), live)) {
		if (live && live->mailing)
			mailing_free(live->mailing);
		else
			message_free(message);
		free(live);
		return NULL;
	}
	/* Each recipient has a transaction and a reverse-path of its own: bounces name the row. */
	live->mailing->is_grouped = false;
	live->mailing->has_null_sender = kind == LETTER_NOTICE;
	live_idle(planner, live);
	return live;
}

static enum planner_letter_found load(struct planner *planner, struct planner_campaign *campaign,
				      u32 number, struct planner_letter **live,
				      struct error *error)
{
	struct queue_letter letter;
	struct planner_source source;
	struct slice content;
	struct message *message;
	size_t columns;
	enum store_result result =
		queue_letter_get(planner->queue, campaign->record.id, number, &letter);

	if (result == STORE_OK)
		result = queue_letter_content_get(planner->queue, campaign->record.id, number,
						  &content);
	if (result != STORE_OK && result != STORE_NOT_FOUND) {
		planner_store_ok(planner, result);
		return PLANNER_LETTER_LATER;
	}
	if (result != STORE_OK || !letter_source_unpack(content, &source)) {
		error_set(error, "its content is not there any more");
		return PLANNER_LETTER_GONE;
	}
	message = planner_compile(planner, campaign->customer, "message", &source, &columns, error);
	if (!message)
		return PLANNER_LETTER_GONE;
	*live = live_add(planner, campaign, number, letter.kind, message, columns);
	return *live ? PLANNER_LETTER_FOUND : PLANNER_LETTER_LATER;
}

enum planner_letter_found planner_letter_take(struct planner *planner,
					      struct planner_campaign *campaign, u32 number,
					      struct planner_letter **letter, struct error *error)
{
	enum planner_letter_found found = PLANNER_LETTER_FOUND;
	struct planner_letter *live = live_find(planner, campaign->record.id, number);

	if (!live)
		found = load(planner, campaign, number, &live, error);
	if (found != PLANNER_LETTER_FOUND)
		return found;
	if (live->leases++ == 0) {
		list_unlink(&live->node);
		planner->idle_letter_count--;
	}
	*letter = live;
	return found;
}

void planner_letter_give(struct planner *planner, struct planner_letter *letter)
{
	if (--letter->leases == 0)
		live_idle(planner, letter);
}

bool planner_letter_is_report(struct planner *planner, const struct planner_campaign *campaign,
			      u32 number)
{
	const struct planner_letter *live;
	struct queue_letter letter;

	if (campaign->record.kind != CAMPAIGN_LETTERS)
		return false;
	live = live_find(planner, campaign->record.id, number);
	if (live)
		return live->kind == LETTER_REPORT;
	return queue_letter_get(planner->queue, campaign->record.id, number, &letter) == STORE_OK &&
	       letter.kind == LETTER_REPORT;
}

/* ---- keeping ---- */

/* Compiled as it will be when it is sent, so that nothing is kept that cannot be. */
static struct message *check(struct planner *planner, const struct letter *letter, size_t *columns,
			     struct error *error)
{
	const struct config_customer *customer =
		config_customer_of(planner->config, letter->customer);
	struct message_facts facts;
	struct message *message;

	if (!customer) {
		error_set(error, "customer %.*s is not in the configuration",
			  SLICE_FMT(letter->customer));
		return NULL;
	}
	message = planner_compile(planner, customer, "message", &letter->source, columns, error);
	if (!message)
		return NULL;
	message_facts(message, &facts);
	if (strcmp(facts.from_domain, customer->domain) == 0)
		return message;
	error_set(error, "From is of %s, but the customer's domain is %s: it would not align",
		  facts.from_domain, customer->domain);
	message_free(message);
	return NULL;
}

/*
 * In memory at once: its due time is one that the cursor has passed, so that it waits behind no
 * others that are due. Before any row was due it has to come by the cursor.
 */
static void place_row(struct planner *planner, struct row_ref *ref)
{
	const u64 cursor_ms = planner->due_cursor.due_ms;

	ref->place = ROW_DEFERRED;
	ref->due_ms = cursor_ms > 1 ? cursor_ms - 1 :
				      planner_due_time(planner, planner->time.due_ms);
}

static bool put_rows(struct planner *planner, const struct letter *letter, u32 campaign, u32 number)
{
	struct buf values;
	bool ok = true;

	buf_init(&values, ROW_VALUES_MAX);
	for (u32 i = 0; i < letter->recipient_count && ok; i++) {
		struct queue_row row = {
			.ref.id = { campaign, number, i + 1 },
			.address = letter->recipients[i].address,
		};

		buf_reset(&values);
		letter_row_write(&values, &letter->recipients[i]);
		row.values = buf_slice(&values);
		place_row(planner, &row.ref);
		ok = !values.failed &&
		     planner_store_ok(planner, queue_row_put(planner->queue, &row));
		if (ok && row.ref.due_ms < planner->due_cursor.due_ms)
			planner_row_wait(planner, &planner->again, &row.ref);
	}
	buf_done(&values);
	return ok;
}

/* Whom its rows are for, for when they are gone. */
static bool note_recipients(struct planner *planner, const struct letter *letter, u32 campaign,
			    u32 number)
{
	struct slice some[64];
	bool ok = true;

	for (u32 at = 0; at < letter->recipient_count && ok; at += array_count(some)) {
		const u32 count = min_u32(letter->recipient_count - at, array_count(some));
		const struct row_id first = { campaign, number, at + 1 };

		for (u32 i = 0; i < count; i++)
			some[i] = letter->recipients[at + i].address;
		ok = planner_store_ok(planner, queue_recipients_put(planner->queue, &first,
								    planner->time.age_ms, some,
								    count, true));
	}
	return ok;
}

static bool is_quiet(const struct letter *letter)
{
	for (u32 i = 0; i < letter->recipient_count; i++) {
		u8 notify = letter->recipients[i].notify;

		if (notify && !(notify & LETTER_NOTIFY_FAILURE))
			return true;
	}
	return false;
}

static bool put_content(struct planner *planner, const struct letter *letter, u32 campaign,
			u32 number)
{
	struct buf content;
	bool ok;

	buf_init(&content, CONTENT_MAX);
	letter_source_pack(&content, &letter->source);
	ok = !content.failed &&
	     planner_store_ok(planner, queue_letter_content_put(planner->queue, campaign, number,
								buf_slice(&content)));
	buf_done(&content);
	return ok;
}

static bool put(struct planner *planner, struct planner_campaign *campaign,
		const struct letter *letter, u32 number)
{
	const struct queue_letter head = {
		.campaign = campaign->record.id,
		.number = number,
		.kind = letter->kind,
		.ret = letter->ret,
		.is_quiet = is_quiet(letter),
		.recipients = letter->recipient_count,
		.wall_ms = planner->time.wall_ms,
		.age_ms = planner->time.age_ms,
		.expire_after_ms = letter->expire_after_ms ? letter->expire_after_ms :
							     campaign->record.expire_after_ms,
		.key = letter->key,
		.sender = letter->sender,
		.envid = letter->envid,
	};

	if (!put_content(planner, letter, head.campaign, number) ||
	    !put_rows(planner, letter, head.campaign, number) ||
	    !note_recipients(planner, letter, head.campaign, number) ||
	    !planner_store_ok(planner, queue_letter_put(planner->queue, &head)))
		return false;
	planner_campaign_touch(campaign);
	campaign->record.domains = number;
	campaign->record.total += letter->recipient_count;
	return true;
}

enum letter_result planner_letter_put(struct planner *planner, const struct letter *letter,
				      struct row_id *id, struct error *error)
{
	struct planner_campaign *campaign = standing(planner, letter->customer);
	struct queue_letter known;
	struct message *message;
	size_t columns;
	u32 number;
	enum store_result result = queue_letter_find(planner->queue, letter->key, &known);

	if (result == STORE_OK) {
		if (id)
			*id = (struct row_id){ known.campaign, known.number, 0 };
		return LETTER_KNOWN;
	}
	if (result != STORE_NOT_FOUND && !planner_store_ok(planner, result))
		return LETTER_NO_ROOM;
	message = check(planner, letter, &columns, error);
	if (!message)
		return LETTER_REFUSED;
	if (!campaign || campaign->letter_number == UINT32_MAX) {
		message_free(message);
		error_set(error, "there is no room for letters of %.*s",
			  SLICE_FMT(letter->customer));
		return LETTER_NO_ROOM;
	}
	number = ++campaign->letter_number;
	if (id)
		*id = (struct row_id){ campaign->record.id, number, 0 };
	if (!put(planner, campaign, letter, number)) {
		message_free(message);
		error_set(error, "the queue: %s", queue_error_text(planner->queue));
		return LETTER_NO_ROOM;
	}
	/* Kept compiled, since it is sent next; without memory it is compiled again then. */
	live_add(planner, campaign, number, letter->kind, message, columns);
	return LETTER_KEPT;
}

/* ---- those who wait ---- */

void planner_letter_add(struct planner *planner, struct letter_wait *wait)
{
	wait->result = LETTER_KEPT;
	wait->is_tried = false;
	wait->error.text[0] = '\0';
	if (!planner_takes_recipients(planner, &wait->error))
		wait->result = LETTER_NO_ROOM;
	else if (!standing(planner, wait->letter.customer) &&
		 config_customer_of(planner->config, wait->letter.customer) &&
		 !make_standing(planner, wait->letter.customer, &wait->error))
		wait->result = LETTER_NO_ROOM;
	list_push_back(&planner->letters_coming, &wait->node);
	planner->must_work = true;
}

void planner_letter_leave(struct planner *planner, struct letter_wait *wait)
{
	(void)planner;
	list_unlink(&wait->node);
}

static u64 size_of(const struct letter *letter)
{
	return letter->source.whole.len + letter->source.headers.len + letter->source.text.len +
	       letter->source.html.len + letter->recipient_count * 1024ull;
}

void planner_letters_take(struct planner *planner)
{
	u64 bytes = 0;
	u32 count = 0;

	list_for_each(node, &planner->letters_coming) {
		struct letter_wait *wait = list_entry(node, struct letter_wait, node);

		if (count++ == TURN_LETTERS_MAX || bytes > TURN_LETTER_BYTES)
			return;
		bytes += size_of(&wait->letter);
		wait->is_tried = true;
		if (wait->result != LETTER_NO_ROOM)
			wait->result = (u8)planner_letter_put(planner, &wait->letter, &wait->id,
							      &wait->error);
		/* Of a transaction that cannot come to be nothing is kept. */
		if (planner->failed_by != STORE_OK)
			return;
	}
}

/* A letter that found no room is not tried for ever: whoever brings it has it still. */
static bool is_decided(const struct planner *planner, struct letter_wait *wait, bool ok)
{
	if (!wait->is_tried)
		return false;
	wait->is_tried = false;
	if (ok)
		return true;
	if (planner->broken || planner->careful > 0) {
		wait->result = LETTER_NO_ROOM;
		error_set(&wait->error, "the queue: %s", queue_error_text(planner->queue));
		return true;
	}
	wait->result = LETTER_KEPT;
	return false;
}

void planner_letters_committed(struct planner *planner, bool ok)
{
	list_for_each_safe(node, &planner->letters_coming) {
		struct letter_wait *wait = list_entry(node, struct letter_wait, node);

		if (!is_decided(planner, wait, ok))
			continue;
		list_unlink(&wait->node);
		metric_add(&planner->m->letters[wait->result], 1);
		wait->done(wait, (enum letter_result)wait->result, wait->error.text);
	}
	planner->must_work |= !list_is_empty(&planner->letters_coming);
}

void planner_letters_refuse(struct planner *planner)
{
	struct list *node;

	while ((node = list_pop_front(&planner->letters_coming))) {
		struct letter_wait *wait = list_entry(node, struct letter_wait, node);

		metric_add(&planner->m->letters[LETTER_NO_ROOM], 1);
		wait->done(wait, LETTER_NO_ROOM, "the queue takes nothing now");
	}
}

/* ---- the end of rows and letters ---- */

u64 planner_expire_after(struct planner *planner, const struct planner_campaign *campaign,
			 const struct row_id *id)
{
	struct queue_letter letter;

	if (campaign->record.kind != CAMPAIGN_LETTERS ||
	    queue_letter_get(planner->queue, id->campaign, id->domain, &letter) != STORE_OK)
		return campaign->record.expire_after_ms;
	return letter.expire_after_ms;
}

bool planner_letter_row_over(struct planner *planner, const struct row_id *id,
			     enum outcome_action action)
{
	char texts[LETTER_KEY_MAX + LETTER_SENDER_MAX + LETTER_ENVID_MAX];
	struct buf copy = { .ptr = texts, .size = sizeof(texts), .max = sizeof(texts) };
	struct queue_letter letter;
	struct slice all;
	enum store_result result =
		queue_letter_get(planner->queue, id->campaign, id->domain, &letter);

	if (result == STORE_NOT_FOUND)
		return true;
	if (!planner_store_ok(planner, result))
		return false;
	/* The head's texts end with its own writing. */
	buf_add_slice(&copy, letter.key);
	buf_add_slice(&copy, letter.sender);
	buf_add_slice(&copy, letter.envid);
	all = buf_slice(&copy);
	letter.key = slice_first(all, letter.key.len);
	letter.sender = slice_first(slice_from(all, letter.key.len), letter.sender.len);
	letter.envid = slice_from(all, letter.key.len + letter.sender.len);
	if (action == OUTCOME_DELIVERED)
		letter.delivered++;
	else
		letter.failed++;
	if (!planner_store_ok(planner, queue_letter_put(planner->queue, &letter)))
		return false;
	if (!letter_is_over(&letter))
		return true;
	result = queue_letter_content_delete(planner->queue, id->campaign, id->domain);
	return result == STORE_NOT_FOUND || planner_store_ok(planner, result);
}

bool planner_letters_trim(struct planner *planner, u32 limit)
{
	struct row_id *at = &planner->letter_trimmed;
	struct queue_letter letter;
	enum store_result result = STORE_OK;

	for (; limit > 0; limit--) {
		result = queue_letter_next(planner->queue, at->campaign, at->domain, &letter);
		if (result != STORE_OK)
			break;
		/* They came in the order of their numbers: the next customer's, perhaps. */
		*at = (struct row_id){ letter.campaign, letter.number, 0 };
		if (letter.age_ms + LETTER_KEEP_MS > planner->time.age_ms)
			at->domain = UINT32_MAX;
		else if (letter_is_over(&letter))
			result = queue_letter_delete(planner->queue, letter.campaign,
						     letter.number);
		if (result != STORE_OK)
			break;
	}
	/* From the start again, for those that were not over. */
	if (result == STORE_NOT_FOUND)
		*at = (struct row_id){ 0 };
	return result == STORE_OK || result == STORE_NOT_FOUND;
}

void planner_letters_free(struct planner *planner)
{
	struct planner_letter *live;
	u32 at = 0;

	while ((live = map_next(&planner->letters, &at))) {
		mailing_free(live->mailing);
		free(live);
	}
	map_done(&planner->letters);
}
