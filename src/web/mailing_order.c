#include "web/mailing.h"

#include "base/clock.h"
#include "base/text.h"
#include "store/audience_campaign_text.h"
#include "store/audience_hold.h"
#include "web/campaign_rows.h"
#include "web/mailing_start.h"
#include "web/draft_fill.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ARENA_CHUNK 16384
#define CONDITION_MAX 8192
#define STATE(name) (1u << AUDIENCE_CAMPAIGN_##name)

/* ---- orders ---- */

static void on_order_done(struct call_order *base)
{
	struct mailing_order *order = container_of(base, struct mailing_order, base);

	arena_done(&order->arena);
	buf_done(&order->packed);
	buf_done(&order->texts);
}

struct mailing_order *mailing_order_new(struct call *call, const char *action)
{
	struct mailing_order *order = calloc(1, sizeof(*order));

	if (!order) {
		call_refuse(call, 503, NULL, "no memory");
		return NULL;
	}
	arena_init(&order->arena, ARENA_CHUNK, AUDIENCE_CAMPAIGN_DRAFT_MAX);
	buf_init(&order->packed, AUDIENCE_CAMPAIGN_DRAFT_MAX);
	buf_init(&order->texts, DRAFT_FILL_ARENA_MAX);
	call_author(call, &order->author);
	order->action = action;
	order->now_ms = clock_wall_ms();
	order->change.context = order;
	order->base.done = on_order_done;
	return order;
}

void mailing_order_free(struct mailing_order *order)
{
	on_order_done(&order->base);
	free(order);
}

/* ---- drafts ---- */

static enum store_result audit(struct audience_txn *txn, const struct mailing_order *order, u32 id)
{
	char object[32];

	snprintf(object, sizeof(object), "mailing %u", id);
	return call_audit(txn, &order->author, order->action, slice_of(object));
}

enum store_result mailing_apply_create(struct scribe_order *scribe_order, struct audience_txn *txn)
{
	struct mailing_order *order =
		container_of(scribe_order, struct mailing_order, base.order);
	struct audience_campaign *c = &order->shown;
	enum store_result result;

	*c = (struct audience_campaign){ .state = AUDIENCE_CAMPAIGN_DRAFT,
					 .created_ms = order->now_ms,
					 .changed_ms = order->now_ms,
					 .customer = slice_of(order->customer),
					 .reason = SLICE("") };
	buf_reset(&order->packed);
	draft_pack(&order->draft, &order->packed);
	if (order->packed.failed)
		return STORE_FULL;
	c->draft = buf_slice(&order->packed);
	result = audience_campaign_add(txn, c);
	return result == STORE_OK ? audit(txn, order, c->id) : result;
}

enum store_result mailing_edit_texts(struct campaign_change *change, struct audience_campaign *c,
				     struct audience_txn *txn)
{
	struct mailing_order *order = change->context;
	struct draft draft;

	if (!draft_unpack(c->draft, &draft))
		return STORE_FAILED;
	for (u32 i = 0; i < DRAFT_FIELDS; i++) {
		if (order->given >> i & 1)
			draft.of[i] = order->draft.of[i];
	}
	buf_reset(&order->packed);
	draft_pack(&draft, &order->packed);
	if (order->packed.failed)
		return STORE_FULL;
	if (order->customer[0])
		c->customer = slice_of(order->customer);
	else
		slice_copy(order->customer, sizeof(order->customer), c->customer);
	c->draft = buf_slice(&order->packed);
	c->changed_ms = order->now_ms;
	order->shown = *c;
	order->shown.customer = slice_of(order->customer);
	order->shown.reason = SLICE("");
	return audit(txn, order, c->id);
}

enum store_result mailing_apply_change(struct scribe_order *scribe_order,
				       struct audience_txn *txn)
{
	struct mailing_order *order =
		container_of(scribe_order, struct mailing_order, base.order);

	order->is_wrong = false;
	order->is_stale = false;
	return campaign_change_apply(&order->change, txn);
}

enum store_result mailing_apply_delete(struct scribe_order *scribe_order,
				       struct audience_txn *txn)
{
	struct mailing_order *order =
		container_of(scribe_order, struct mailing_order, base.order);
	struct audience_campaign campaign;
	enum store_result result = audience_campaign_get(txn, order->change.id, &campaign);

	order->change.is_there = result == STORE_OK;
	order->change.is_done = false;
	if (result != STORE_OK)
		return result == STORE_NOT_FOUND ? STORE_OK : result;
	order->change.state = campaign.state;
	if (campaign.state != AUDIENCE_CAMPAIGN_DRAFT)
		return STORE_OK;
	order->change.is_done = true;
	result = audience_campaign_delete(txn, order->change.id);
	return result == STORE_OK ? audit(txn, order, order->change.id) : result;
}

/* ---- to those who did not open ---- */

/* A draft like it, in `order->draft`; its own condition goes on to hold. */
static bool copy_unopened(struct mailing_order *order, const struct draft *draft, u32 id)
{
	struct buf condition;
	struct slice made;

	for (u32 i = 0; i < DRAFT_FIELDS; i++) {
		if (!(order->given >> i & 1))
			order->draft.of[i] = draft->of[i];
	}
	buf_init(&condition, CONDITION_MAX);
	buf_add_format(&condition, "sent campaign %u and not opened campaign %u", id, id);
	if (draft->of[DRAFT_CONDITION].len > 0)
		buf_add_format(&condition, " and (%.*s)", SLICE_FMT(draft->of[DRAFT_CONDITION]));
	made = arena_copy_buf(&order->arena, &condition);
	buf_done(&condition);
	order->draft.of[DRAFT_CONDITION] = made;
	order->draft.of[DRAFT_AT] = SLICE("");
	order->draft.of[DRAFT_DEADLINE] = SLICE("");
	order->draft.of[DRAFT_ZONE_ATTRIBUTE] = SLICE("");
	order->draft.of[DRAFT_SUBJECT_B] = SLICE("");
	return made.ptr && draft_check_field(DRAFT_CONDITION, made) == DRAFT_GOOD;
}

enum store_result mailing_apply_resend(struct scribe_order *scribe_order,
				       struct audience_txn *txn)
{
	struct mailing_order *order =
		container_of(scribe_order, struct mailing_order, base.order);
	struct audience_campaign campaign;
	struct draft draft;
	struct slice texts;
	enum store_result result = audience_campaign_get(txn, order->change.id, &campaign);

	order->change.is_there = result == STORE_OK;
	order->change.is_done = false;
	if (result != STORE_OK)
		return result == STORE_NOT_FOUND ? STORE_OK : result;
	order->change.state = campaign.state;
	result = campaign_text_get(txn, campaign.id, &texts);
	if (result != STORE_OK && result != STORE_NOT_FOUND)
		return result;
	if (campaign.started_ms == 0 || !draft_unpack(campaign.draft, &draft) ||
	    (result == STORE_OK && !draft_texts_unpack(texts, &order->arena, &draft)) ||
	    !copy_unopened(order, &draft, campaign.id) ||
	    !slice_copy(order->customer, sizeof(order->customer), campaign.customer))
		return STORE_OK;
	order->change.is_done = true;
	return mailing_apply_create(scribe_order, txn);
}

/* ---- what becomes of them ---- */

static void show(struct mailing_order *order, const struct audience_campaign *c)
{
	order->shown = *c;
	slice_copy(order->customer, sizeof(order->customer), c->customer);
	order->shown.customer = slice_of(order->customer);
	order->shown.reason = SLICE("");
	order->shown.draft = SLICE_NONE;
}

/* Of a draft that names templates or blocks: what they are now. */
static bool keep_texts(struct mailing_order *order, const struct audience_campaign *c,
		       const struct draft *filled)
{
	struct draft draft;

	buf_reset(&order->texts);
	if (draft_unpack(c->draft, &draft) && draft_is_open(&draft))
		draft_texts_pack(filled, &order->texts);
	return !order->texts.failed || error_set(&order->error, "no memory");
}

/* What would be refused at the start is told now. */
static bool try_out(struct mailing_order *order, const struct audience_campaign *c,
		    struct audience_txn *txn, struct draft_plan *plan)
{
	struct campaign_rows *rows = calloc(1, sizeof(*rows));
	bool ok;

	*plan = (struct draft_plan){ 0 };
	if (!rows)
		return error_set(&order->error, "no memory");
	ok = campaign_rows_open(rows, txn, c, &order->base.web->config->web,
				order->base.web->links, CAMPAIGN_ROWS_SENT, &order->field,
				&order->error);
	*plan = rows->plan;
	if (ok)
		ok = keep_texts(order, c, &rows->draft);
	campaign_rows_close(rows);
	free(rows);
	return ok;
}

/* Who starts what something speaks against does it knowingly: the log has why. */
static enum store_result note_override(struct mailing_order *order, struct audience_campaign *c,
				       struct audience_txn *txn)
{
	char object[AUDIT_TEXT_MAX + 1];

	c->flags &= ~(u32)AUDIENCE_CAMPAIGN_UNVOUCHED;
	if (order->overridden & MAILING_STOP_IDENTITY)
		c->flags |= AUDIENCE_CAMPAIGN_UNVOUCHED;
	if (order->overridden == 0)
		return STORE_OK;
	snprintf(object, sizeof(object), "mailing %u: %s", c->id, order->reasons);
	return call_audit(txn, &order->author, "mailing.override", slice_of(object));
}

/* What was looked at is what is sent. */
static bool is_stale(struct mailing_order *order, const struct audience_campaign *c)
{
	order->is_stale = order->seen_ms != c->changed_ms;
	return order->is_stale;
}

static enum store_result edit_schedule(struct campaign_change *change, struct audience_campaign *c,
				       struct audience_txn *txn)
{
	struct mailing_order *order = change->context;
	struct draft_plan plan;
	enum store_result result;

	if (is_stale(order, c))
		return STORE_OK;
	c->start_ms = order->now_ms;
	if (!try_out(order, c, txn, &plan)) {
		order->is_wrong = true;
		c->start_ms = 0;
		return STORE_OK;
	}
	/* By each contact's own clock it begins where it is that late first. */
	if (plan.start_ms > 0)
		c->start_ms = draft_pass_ms(&plan, 0);
	order->field = DRAFT_AT;
	if (plan.start_ms > 0 && plan.start_ms < order->now_ms) {
		order->is_wrong = !error_set(&order->error, "this time is over");
		c->start_ms = 0;
		return STORE_OK;
	}
	c->start_ms = max_u64(c->start_ms, order->now_ms);
	c->state = AUDIENCE_CAMPAIGN_SCHEDULED;
	c->changed_ms = order->now_ms;
	result = note_override(order, c, txn);
	show(order, c);
	if (result == STORE_OK && order->texts.len > 0)
		result = campaign_text_put(txn, c->id, buf_slice(&order->texts));
	return result == STORE_OK ? audit(txn, order, c->id) : result;
}

static enum store_result edit_state(struct campaign_change *change, struct audience_campaign *c,
				    struct audience_txn *txn)
{
	struct mailing_order *order = change->context;

	c->state = order->to;
	c->changed_ms = order->now_ms;
	c->reason = SLICE("");
	/* Without one at the sender there is nothing left to do. */
	if (order->to == AUDIENCE_CAMPAIGN_CANCELLED && c->sender == 0 && change->state !=
								       AUDIENCE_CAMPAIGN_SCHEDULED)
		c->finished_ms = order->now_ms;
	show(order, c);
	return audit(txn, order, c->id);
}

/* To where it was; what never began is due now. */
static enum store_result edit_resume(struct campaign_change *change, struct audience_campaign *c,
				     struct audience_txn *txn)
{
	struct mailing_order *order = change->context;
	enum store_result result;

	if (c->sender == 0) {
		if (is_stale(order, c))
			return STORE_OK;
		result = note_override(order, c, txn);
		if (result != STORE_OK)
			return result;
	}
	order->to = c->sender == 0 ? AUDIENCE_CAMPAIGN_SCHEDULED :
		    c->flags & AUDIENCE_CAMPAIGN_BROUGHT ? AUDIENCE_CAMPAIGN_SENDING :
							   AUDIENCE_CAMPAIGN_RUNNING;
	if (c->sender > 0)
		c->flags |= AUDIENCE_CAMPAIGN_RESUMES;
	else
		c->start_ms = max_u64(c->start_ms, order->now_ms);
	return edit_state(change, c, txn);
}

static enum store_result edit_to_draft(struct campaign_change *change,
				       struct audience_campaign *c, struct audience_txn *txn)
{
	enum store_result result = campaign_text_delete(txn, c->id);

	c->start_ms = 0;
	return result == STORE_OK ? edit_state(change, c, txn) : result;
}

static const struct verb {
	const char *word;
	const char *action;
	u32 from; /* states */
	enum audience_campaign_state to;
	enum store_result (*edit)(struct campaign_change *change, struct audience_campaign *c,
				  struct audience_txn *txn);
} verbs[] = {
	{ "schedule", "mailing.schedule", STATE(DRAFT), AUDIENCE_CAMPAIGN_SCHEDULED,
	  edit_schedule },
	{ "unschedule", "mailing.unschedule", STATE(SCHEDULED), AUDIENCE_CAMPAIGN_DRAFT,
	  edit_to_draft },
	{ "pause", "mailing.pause", STATE(SCHEDULED) | STATE(RUNNING) | STATE(SENDING),
	  AUDIENCE_CAMPAIGN_PAUSED, edit_state },
	{ "resume", "mailing.resume", STATE(PAUSED), AUDIENCE_CAMPAIGN_RUNNING, edit_resume },
	{ "cancel", "mailing.cancel",
	  STATE(SCHEDULED) | STATE(RUNNING) | STATE(SENDING) | STATE(PAUSED),
	  AUDIENCE_CAMPAIGN_CANCELLED, edit_state },
};

bool mailing_order_verb(struct mailing_order *order, const char *word)
{
	for (size_t i = 0; i < array_count(verbs); i++) {
		if (strcmp(verbs[i].word, word) != 0)
			continue;
		order->action = verbs[i].action;
		order->change.from = verbs[i].from;
		order->change.edit = verbs[i].edit;
		order->to = verbs[i].to;
		order->base.order.apply = mailing_apply_change;
		return true;
	}
	return false;
}

enum store_result mailing_apply_release(struct scribe_order *scribe_order,
					struct audience_txn *txn)
{
	struct mailing_order *order =
		container_of(scribe_order, struct mailing_order, base.order);
	enum store_result result = audience_release(txn);

	return result == STORE_OK ? call_audit(txn, &order->author, order->action, SLICE(""))
				  : result;
}
