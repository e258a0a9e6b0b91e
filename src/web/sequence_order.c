#include "web/sequence_order.h"

#include "base/check.h"
#include "base/clock.h"
#include "base/text.h"
#include "campaign/issue.h"
#include "campaign/sequence_run.h"
#include "store/audience_attribute.h"
#include "store/audience_contact.h"
#include "store/audience_enrolment.h"
#include "store/audience_list.h"
#include "store/audience_segment.h"
#include "web/bringer.h"
#include "web/campaign_rows.h"
#include "web/sequence_order_parts.h"
#include "web/setting.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ARENA_CHUNK 16384
#define ARENA_MAX (2 * AUDIENCE_CAMPAIGN_DRAFT_MAX)
#define STATE(name) (1u << AUDIENCE_SEQUENCE_##name)
#define LIVE (STATE(DRAFT) | STATE(RUNNING) | STATE(PAUSED))

/* ---- orders ---- */

static void on_order_done(struct call_order *base)
{
	struct sequence_order *order = container_of(base, struct sequence_order, base);

	arena_done(&order->arena);
	buf_done(&order->packed);
	json_decref(order->findings);
	json_decref(order->identity);
}

struct sequence_order *sequence_order_new(struct call *call, enum sequence_act_kind kind)
{
	struct sequence_order *order = calloc(1, sizeof(*order));

	if (!order) {
		call_refuse(call, 503, NULL, "no memory");
		return NULL;
	}
	arena_init(&order->arena, ARENA_CHUNK, ARENA_MAX);
	buf_init(&order->packed, AUDIENCE_CAMPAIGN_DRAFT_MAX);
	call_author(call, &order->author);
	order->kind = kind;
	order->place = UINT32_MAX;
	order->now_ms = clock_wall_ms();
	order->base.web = call->web;
	order->base.done = on_order_done;
	return order;
}

void sequence_order_free(struct sequence_order *order)
{
	on_order_done(&order->base);
	free(order);
}

bool sequence_wrong(struct sequence_order *order, const char *pointer, const char *why)
{
	order->outcome = SEQUENCE_IS_WRONG;
	snprintf(order->pointer, sizeof(order->pointer), "/%s", pointer);
	if (why)
		error_set(&order->error, "%s", why);
	return false;
}

bool sequence_order_customer(struct sequence_order *order, const struct call *call)
{
	struct slice from = order->texts.of[SEQUENCE_FIELD_FROM];
	struct address address;

	if (!(order->texts.given >> SEQUENCE_FIELD_FROM & 1) || from.len == 0)
		return true;
	if (!issue_from(from, &address, &order->error))
		return sequence_wrong(order, "from", NULL);
	if (!config_customer_of(call->web->config, slice_of(address.domain)) ||
	    (call->key.customer[0] && strcmp(call->key.customer, address.domain) != 0))
		return sequence_wrong(order, "from",
				      "this is not a domain that may be sent for");
	slice_copy(order->customer, sizeof(order->customer), slice_of(address.domain));
	return true;
}

/* ---- what is kept ---- */

/* A copy whose slices outlive writes. False: no memory. */
static bool keep_texts(struct sequence_order *order, struct audience_sequence *s)
{
	for (u32 i = 0; i < SEQUENCE_TEXTS; i++) {
		s->of[i] = arena_copy(&order->arena, s->of[i].ptr ? s->of[i] : SLICE(""));
		if (!s->of[i].ptr)
			return false;
	}
	return true;
}

static enum store_result load(struct sequence_order *order, struct audience_txn *txn,
			      struct audience_sequence *s, u32 states)
{
	enum store_result result = audience_sequence_get(txn, order->id, s);

	if (result == STORE_NOT_FOUND) {
		order->outcome = SEQUENCE_IS_NOT_THERE;
		return STORE_OK;
	}
	if (result != STORE_OK)
		return result;
	order->state = s->state;
	if (!(states >> s->state & 1))
		order->outcome = SEQUENCE_IS_IN_ANOTHER_STATE;
	return keep_texts(order, s) ? STORE_OK : STORE_FULL;
}

bool sequence_step_draft(struct audience_txn *txn, u32 step, struct audience_campaign *campaign,
			 struct draft *draft)
{
	*draft = (struct draft){ 0 };
	return audience_campaign_get(txn, step, campaign) == STORE_OK &&
	       draft_unpack(campaign->draft, draft);
}

/* What steps have of their sequence. */
static void fill_draft(const struct audience_sequence *s, struct draft *draft, char list[8])
{
	snprintf(list, 8, "%u", s->list);
	draft->of[DRAFT_NAME] = s->of[SEQUENCE_NAME];
	draft->of[DRAFT_FROM] = s->of[SEQUENCE_FROM];
	draft->of[DRAFT_REPLY_TO] = s->of[SEQUENCE_REPLY_TO];
	draft->of[DRAFT_LIST] = s->list > 0 ? slice_of(list) : SLICE("");
	draft->of[DRAFT_TRACK] = s->tracks ? SLICE("yes") : SLICE("no");
}

/* With the texts that are given, unless `texts` is NULL. */
static enum store_result put_draft(struct sequence_order *order, struct audience_txn *txn,
				   const struct audience_sequence *s, u32 step,
				   const struct step_texts *texts)
{
	struct audience_campaign campaign;
	struct address from;
	struct error error;
	struct draft draft;
	char list[8];

	if (!sequence_step_draft(txn, step, &campaign, &draft))
		return STORE_FAILED;
	fill_draft(s, &draft, list);
	for (u32 i = 0; texts && i < STEP_FIELDS; i++) {
		enum draft_field field = step_field_draft((enum step_field)i);

		if (field < DRAFT_FIELDS && texts->given >> i & 1)
			draft.of[field] = texts->of[i];
	}
	buf_reset(&order->packed);
	draft_pack(&draft, &order->packed);
	if (order->packed.failed)
		return STORE_FULL;
	if (!issue_from(s->of[SEQUENCE_FROM], &from, &error) ||
	    !slice_copy(order->customer, sizeof(order->customer), slice_of(from.domain)))
		return STORE_FAILED;
	campaign.draft = buf_slice(&order->packed);
	campaign.customer = slice_of(order->customer);
	campaign.reason = SLICE("");
	/* While the sender has one, its name there goes by this time. */
	if (campaign.sender == 0)
		campaign.changed_ms = order->now_ms;
	return audience_campaign_put(txn, &campaign);
}

static bool segment_is_there(struct audience_txn *txn, u32 id)
{
	struct audience_segment segment;

	return id == 0 || audience_segment_get(txn, id, &segment) == STORE_OK;
}

/* That what it names is there. */
static bool check_names(struct sequence_order *order, struct audience_txn *txn,
			const struct audience_sequence *s)
{
	struct audience_list list;
	struct attribute attribute;

	if (s->list > 0 && audience_list_get(txn, s->list, &list) != STORE_OK)
		return sequence_wrong(order, "list", "there is no such list");
	if (s->attribute > 0 && (attribute_get(txn, s->attribute, &attribute) != STORE_OK ||
				 attribute.type != ATTRIBUTE_DATE))
		return sequence_wrong(order, "attribute", "there is no such date");
	return segment_is_there(txn, s->exit_segment) ||
	       sequence_wrong(order, "exit_segment", "there is no such segment");
}

/* What has begun is edited: those who wait are looked at anew. */
static enum store_result put_edited(struct sequence_order *order, struct audience_txn *txn,
				    struct audience_sequence *s)
{
	s->version++;
	s->changed_ms = order->now_ms;
	if (s->state != AUDIENCE_SEQUENCE_DRAFT) {
		s->looked_due_ms = 0;
		s->looked_contact = 0;
	}
	return audience_sequence_put(txn, s);
}

/* ---- sequences ---- */

static enum store_result create(struct sequence_order *order, struct audience_txn *txn)
{
	struct audience_sequence s = { .state = AUDIENCE_SEQUENCE_DRAFT,
				       .tracks = true,
				       .created_ms = order->now_ms,
				       .changed_ms = order->now_ms,
				       .version = 1,
				       .looked_contact = UINT32_MAX };
	enum sequence_field wrong;
	enum store_result result;
	struct time_zone zone;

	if (!sequence_texts_read(&order->texts, &s, &wrong, &order->error)) {
		sequence_wrong(order, sequence_field_name(wrong), NULL);
		return STORE_OK;
	}
	if (!check_names(order, txn, &s))
		return STORE_OK;
	if (s.of[SEQUENCE_ZONE].len == 0) {
		setting_zone(txn, &zone);
		s.of[SEQUENCE_ZONE] = slice_of(zone.name);
	}
	result = audience_sequence_put(txn, &s);
	order->id = s.id;
	if (result == STORE_FULL)
		order->outcome = SEQUENCE_IS_TOO_MANY;
	return result == STORE_FULL ? STORE_OK : result;
}

/* What starts it, and whom it is about, stay once somebody may have entered. */
static bool check_change(struct sequence_order *order, const struct audience_sequence *was,
			 const struct audience_sequence *s)
{
	if (was->state == AUDIENCE_SEQUENCE_DRAFT)
		return true;
	if (s->start != was->start || s->attribute != was->attribute ||
	    !slice_equal(s->of[SEQUENCE_EVENT], was->of[SEQUENCE_EVENT]))
		return sequence_wrong(order, "start", "what starts it stays once it has begun");
	return s->list == was->list ||
	       sequence_wrong(order, "list", "its list stays once it has begun");
}

static enum store_result change(struct sequence_order *order, struct audience_txn *txn)
{
	struct audience_sequence was;
	struct audience_sequence s;
	enum sequence_field wrong;
	enum store_result result = load(order, txn, &was, LIVE);

	if (result != STORE_OK || order->outcome != SEQUENCE_IS_DONE)
		return result;
	s = was;
	if (!sequence_texts_read(&order->texts, &s, &wrong, &order->error))
		sequence_wrong(order, sequence_field_name(wrong), NULL);
	else if (check_change(order, &was, &s) && check_names(order, txn, &s))
		result = put_edited(order, txn, &s);
	for (u32 i = 0; i < s.step_count && result == STORE_OK &&
			order->outcome == SEQUENCE_IS_DONE;
	     i++)
		result = put_draft(order, txn, &s, s.steps[i].id, NULL);
	return result;
}

static enum store_result delete(struct sequence_order *order, struct audience_txn *txn)
{
	struct audience_sequence s;
	enum store_result result = load(order, txn, &s, STATE(DRAFT));

	if (result != STORE_OK || order->outcome != SEQUENCE_IS_DONE)
		return result;
	for (u32 i = 0; i < s.step_count && result == STORE_OK; i++)
		result = audience_campaign_delete(txn, s.steps[i].id);
	return result == STORE_OK ? audience_sequence_delete(txn, order->id) : result;
}

/* The step as it would go out; what would be refused then is told now. */
static bool try_step(struct sequence_order *order, struct audience_txn *txn, u32 step)
{
	struct campaign_rows *rows = calloc(1, sizeof(*rows));
	struct audience_campaign campaign;
	enum draft_field field = DRAFT_NAME;
	bool ok;

	if (!rows || audience_campaign_get(txn, step, &campaign) != STORE_OK) {
		free(rows);
		return sequence_wrong(order, "steps", "a step cannot be read");
	}
	ok = campaign_rows_open(rows, txn, &campaign, &order->base.web->config->web,
				order->base.web->links, CAMPAIGN_ROWS_SENT, &field,
				&order->error);
	campaign_rows_close(rows);
	free(rows);
	if (ok)
		return true;
	order->outcome = SEQUENCE_IS_WRONG;
	order->wrong_step = step;
	snprintf(order->pointer, sizeof(order->pointer), "/steps/%u/%s", step,
		 draft_field_name((u32)field));
	return false;
}

bool sequence_try(struct sequence_order *order, struct audience_txn *txn,
		  const struct audience_sequence *s)
{
	struct sequence sequence;
	struct time_zone zone;

	if (!sequence_of(s, &zone, &sequence, &order->error))
		return sequence_wrong(order, "steps", NULL);
	for (u32 i = 0; i < s->step_count; i++) {
		if (!segment_is_there(txn, s->steps[i].segment))
			return sequence_wrong(order, "steps", "a step's segment is gone");
		if (!try_step(order, txn, s->steps[i].id))
			return false;
	}
	return true;
}

static enum store_result start(struct sequence_order *order, struct audience_txn *txn)
{
	struct audience_sequence s;
	enum store_result result = load(order, txn, &s, STATE(DRAFT) | STATE(PAUSED));

	if (result != STORE_OK || order->outcome != SEQUENCE_IS_DONE ||
	    !sequence_try(order, txn, &s))
		return result;
	/* What was looked at is what begins. */
	if (s.version != order->looked_version) {
		order->outcome = SEQUENCE_IS_CHANGED;
		return STORE_OK;
	}
	s.state = AUDIENCE_SEQUENCE_RUNNING;
	s.changed_ms = order->now_ms;
	s.of[SEQUENCE_REASON] = SLICE("");
	if (s.started_ms == 0)
		s.started_ms = order->now_ms;
	return audience_sequence_put(txn, &s);
}

static enum store_result pause(struct sequence_order *order, struct audience_txn *txn)
{
	struct audience_sequence s;
	enum store_result result = load(order, txn, &s, STATE(RUNNING));

	if (result != STORE_OK || order->outcome != SEQUENCE_IS_DONE)
		return result;
	s.state = AUDIENCE_SEQUENCE_PAUSED;
	s.changed_ms = order->now_ms;
	return audience_sequence_put(txn, &s);
}

static enum store_result archive(struct sequence_order *order, struct audience_txn *txn)
{
	struct audience_sequence s;
	enum store_result result = load(order, txn, &s, STATE(RUNNING) | STATE(PAUSED));

	if (result != STORE_OK || order->outcome != SEQUENCE_IS_DONE)
		return result;
	s.state = AUDIENCE_SEQUENCE_ARCHIVED;
	s.changed_ms = order->now_ms;
	result = audience_sequence_put(txn, &s);
	for (u32 i = 0; i < s.step_count && result == STORE_OK; i++)
		result = sequence_end_step(order, txn, s.steps[i].id);
	return result;
}

/* ---- carrying out ---- */

static enum store_result enrol_in(struct sequence_order *order, struct audience_txn *txn)
{
	struct audience_sequence s;
	enum store_result result = load(order, txn, &s, STATE(RUNNING) | STATE(PAUSED));

	if (result != STORE_OK || order->outcome != SEQUENCE_IS_DONE)
		return result;
	return order->kind == SEQUENCE_ENROL ? sequence_enrol(order, txn, &s)
					     : sequence_leave(order, txn, &s);
}

static enum store_result change_steps(struct sequence_order *order, struct audience_txn *txn)
{
	struct audience_sequence s;
	enum store_result result = load(order, txn, &s, LIVE);

	if (result != STORE_OK || order->outcome != SEQUENCE_IS_DONE)
		return result;
	result = sequence_change_steps(order, txn, &s);
	if (result != STORE_OK || order->outcome != SEQUENCE_IS_DONE)
		return result;
	if (order->kind == SEQUENCE_STEP_ADD || order->kind == SEQUENCE_STEP_CHANGE)
		result = put_draft(order, txn, &s, order->step, &order->step_texts);
	return result == STORE_OK ? put_edited(order, txn, &s) : result;
}

static enum store_result carry_out(struct sequence_order *order, struct audience_txn *txn)
{
	switch (order->kind) {
	case SEQUENCE_CREATE: return create(order, txn);
	case SEQUENCE_CHANGE: return change(order, txn);
	case SEQUENCE_DELETE: return delete(order, txn);
	case SEQUENCE_START: return start(order, txn);
	case SEQUENCE_PAUSE: return pause(order, txn);
	case SEQUENCE_ARCHIVE: return archive(order, txn);
	case SEQUENCE_STEP_ADD:
	case SEQUENCE_STEP_CHANGE:
	case SEQUENCE_STEP_DELETE:
	case SEQUENCE_STEP_MOVE: return change_steps(order, txn);
	case SEQUENCE_ENROL:
	case SEQUENCE_LEAVE: return enrol_in(order, txn);
	case SEQUENCE_TELL: return sequence_tell(order, txn);
	case SEQUENCE_ACTS: break;
	}
	return STORE_OK;
}

static enum store_result audit(struct sequence_order *order, struct audience_txn *txn)
{
	static const char *const actions[SEQUENCE_ACTS] = {
		[SEQUENCE_CREATE] = "sequence.create",
		[SEQUENCE_CHANGE] = "sequence.change",
		[SEQUENCE_DELETE] = "sequence.delete",
		[SEQUENCE_START] = "sequence.start",
		[SEQUENCE_PAUSE] = "sequence.pause",
		[SEQUENCE_ARCHIVE] = "sequence.archive",
		[SEQUENCE_STEP_ADD] = "sequence.step.add",
		[SEQUENCE_STEP_CHANGE] = "sequence.step.change",
		[SEQUENCE_STEP_DELETE] = "sequence.step.delete",
		[SEQUENCE_STEP_MOVE] = "sequence.step.move",
		[SEQUENCE_ENROL] = "sequence.enrol",
		[SEQUENCE_LEAVE] = "sequence.leave",
		[SEQUENCE_TELL] = "sequence.event",
	};
	char object[AUDIT_TEXT_MAX + 1];
	enum store_result result;

	ASSERT(order->kind < SEQUENCE_ACTS);
	if (order->kind == SEQUENCE_TELL)
		snprintf(object, sizeof(object), "contact %u", order->contact);
	else if (order->kind >= SEQUENCE_ENROL)
		snprintf(object, sizeof(object), "sequence %u contact %u", order->id,
			 order->contact);
	else if (order->step > 0)
		snprintf(object, sizeof(object), "sequence %u step %u", order->id, order->step);
	else
		snprintf(object, sizeof(object), "sequence %u", order->id);
	result = call_audit(txn, &order->author, actions[order->kind], slice_of(object));
	if (result != STORE_OK || order->overridden == 0)
		return result;
	/* Who starts what something speaks against does it knowingly: the log has why. */
	snprintf(object, sizeof(object), "sequence %u: %s", order->id, order->reasons);
	return call_audit(txn, &order->author, "sequence.override", slice_of(object));
}

/* It may be applied again, to another transaction. */
static enum store_result apply(struct scribe_order *scribe_order, struct audience_txn *txn)
{
	struct sequence_order *order =
		container_of(scribe_order, struct sequence_order, base.order);
	enum store_result result;

	if (order->kind == SEQUENCE_CREATE)
		order->id = 0;
	order->outcome = SEQUENCE_IS_DONE;
	order->wrong_step = 0;
	order->entered = 0;
	result = carry_out(order, txn);
	if (result != STORE_OK || order->outcome != SEQUENCE_IS_DONE)
		return result;
	return audit(order, txn);
}

void sequence_order_give(struct sequence_order *order, struct call *call, sequence_answer *answer)
{
	order->base.order.apply = apply;
	order->base.answer = answer;
	call_give_order(call, &order->base);
}
