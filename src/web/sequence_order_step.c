/* Orders about a sequence's steps, and about who is in it. */
#include "base/text.h"
#include "store/audience_contact.h"
#include "store/audience_enrolment.h"
#include "store/audience_segment.h"
#include "store/audience_step_mail.h"
#include "web/sequence_order_parts.h"

#include <string.h>

/* ---- steps ---- */

static u32 index_of(const struct audience_sequence *s, u32 step)
{
	for (u32 i = 0; i < s->step_count; i++) {
		if (s->steps[i].id == step)
			return i;
	}
	return UINT32_MAX;
}

static bool read_step(struct sequence_order *order, struct audience_txn *txn,
		      struct sequence_step *step)
{
	struct audience_segment segment;
	enum step_field wrong;

	if (!step_texts_read(&order->step_texts, step, &wrong, &order->error))
		return sequence_wrong(order, step_field_name(wrong), NULL);
	return step->segment == 0 ||
	       audience_segment_get(txn, step->segment, &segment) == STORE_OK ||
	       sequence_wrong(order, "segment", "there is no such segment");
}

static void insert(struct audience_sequence *s, u32 place, const struct sequence_step *step)
{
	place = min_u32(place, s->step_count);
	memmove(s->steps + place + 1, s->steps + place,
		(s->step_count - place) * sizeof(*s->steps));
	s->steps[place] = *step;
	s->step_count++;
}

static void take_out(struct audience_sequence *s, u32 place)
{
	s->step_count--;
	memmove(s->steps + place, s->steps + place + 1,
		(s->step_count - place) * sizeof(*s->steps));
}

static enum store_result add_step(struct sequence_order *order, struct audience_txn *txn,
				  struct audience_sequence *s)
{
	struct audience_campaign campaign = { .state = AUDIENCE_CAMPAIGN_STEP,
					      .flags = AUDIENCE_CAMPAIGN_OF_STEP,
					      .created_ms = order->now_ms,
					      .changed_ms = order->now_ms,
					      .customer = slice_of(order->customer),
					      .reason = SLICE("") };
	struct sequence_step step = { .at_minute = SEQUENCE_ANY_TIME };
	const struct draft nothing = { 0 };
	enum store_result result;

	if (s->step_count == SEQUENCE_STEPS_MAX) {
		order->outcome = SEQUENCE_IS_TOO_MANY;
		return STORE_OK;
	}
	if (!read_step(order, txn, &step))
		return STORE_OK;
	buf_reset(&order->packed);
	draft_pack(&nothing, &order->packed);
	campaign.draft = buf_slice(&order->packed);
	result = audience_campaign_add(txn, &campaign);
	step.id = campaign.id;
	order->step = campaign.id;
	insert(s, order->place, &step);
	return result;
}

enum store_result sequence_end_step(struct sequence_order *order, struct audience_txn *txn,
				    u32 step)
{
	struct audience_campaign campaign;
	struct step_mail mail;
	enum store_result result;

	while ((result = step_mail_after(txn, step, 0, &mail)) == STORE_OK) {
		result = step_mail_delete(txn, step, mail.number);
		if (result != STORE_OK)
			return result;
	}
	if (result == STORE_NOT_FOUND)
		result = audience_campaign_get(txn, step, &campaign);
	if (result != STORE_OK)
		return result;
	/* The bringer cancels what the sender has of it. */
	buf_reset(&order->packed);
	buf_add_slice(&order->packed, campaign.draft);
	slice_copy(order->customer, sizeof(order->customer), campaign.customer);
	campaign.draft = buf_slice(&order->packed);
	campaign.customer = slice_of(order->customer);
	campaign.reason = SLICE("");
	campaign.state = AUDIENCE_CAMPAIGN_CANCELLED;
	campaign.changed_ms = order->now_ms;
	campaign.finished_ms = campaign.sender == 0 ? order->now_ms : 0;
	return order->packed.failed ? STORE_FULL : audience_campaign_put(txn, &campaign);
}

/* In a sequence that runs, what would not go out is told now. */
static enum store_result check(struct sequence_order *order, const struct audience_sequence *s)
{
	struct sequence sequence = { .start = s->start >= AUDIENCE_SEQUENCE_BY_DATE
						      ? SEQUENCE_BY_DATE
						      : SEQUENCE_BY_MOMENT,
				     .step_count = s->step_count };

	memcpy(sequence.steps, s->steps, sizeof(sequence.steps));
	if (s->step_count > 0 && !sequence_check(&sequence, &order->error))
		sequence_wrong(order, "wait_days", NULL);
	else if (s->step_count == 0 && s->state != AUDIENCE_SEQUENCE_DRAFT)
		sequence_wrong(order, "steps", "the last step of a sequence that has begun stays");
	return STORE_OK;
}

enum store_result sequence_change_steps(struct sequence_order *order, struct audience_txn *txn,
					struct audience_sequence *s)
{
	u32 at = index_of(s, order->step);
	struct sequence_step step;
	enum store_result result = STORE_OK;

	if (order->kind == SEQUENCE_STEP_ADD) {
		result = add_step(order, txn, s);
	} else if (at == UINT32_MAX) {
		order->outcome = SEQUENCE_HAS_NO_STEP;
	} else if (order->kind == SEQUENCE_STEP_CHANGE) {
		if (!read_step(order, txn, &s->steps[at]))
			return STORE_OK;
	} else {
		step = s->steps[at];
		take_out(s, at);
		if (order->kind == SEQUENCE_STEP_MOVE)
			insert(s, order->place, &step);
	}
	if (result != STORE_OK || order->outcome != SEQUENCE_IS_DONE)
		return result;
	result = check(order, s);
	if (order->kind == SEQUENCE_STEP_DELETE && order->outcome == SEQUENCE_IS_DONE)
		result = s->state == AUDIENCE_SEQUENCE_DRAFT
				 ? audience_campaign_delete(txn, order->step)
				 : sequence_end_step(order, txn, order->step);
	return result;
}

/* ---- who is in it ---- */

static enum store_result find_contact(struct sequence_order *order, struct audience_txn *txn)
{
	struct contact contact;
	enum store_result result = STORE_OK;

	if (order->key[0])
		result = contact_find(txn, slice_of(order->key), &order->contact);
	if (result == STORE_OK)
		result = contact_get(txn, order->contact, &contact);
	if (result == STORE_NOT_FOUND) {
		order->outcome = SEQUENCE_HAS_NO_CONTACT;
		return STORE_OK;
	}
	return result;
}

enum store_result sequence_enrol(struct sequence_order *order, struct audience_txn *txn,
				 const struct audience_sequence *s)
{
	struct contact contact;
	bool entered = false;
	enum store_result result = find_contact(order, txn);

	if (result != STORE_OK || order->outcome != SEQUENCE_IS_DONE)
		return result;
	result = contact_get(txn, order->contact, &contact);
	if (result == STORE_OK && !enrolment_is_reachable(&contact, s->list)) {
		sequence_wrong(order, "contact",
			       "this contact is not active, or not in the sequence's list");
		return STORE_OK;
	}
	if (result == STORE_OK)
		result = enrolment_enter(txn, s->id, order->contact, order->at_ms, &entered);
	order->entered = result == STORE_OK && entered;
	return result;
}

enum store_result sequence_leave(struct sequence_order *order, struct audience_txn *txn,
				 const struct audience_sequence *s)
{
	struct audience_enrolment enrolment;
	enum store_result result = find_contact(order, txn);

	if (result != STORE_OK || order->outcome != SEQUENCE_IS_DONE)
		return result;
	result = enrolment_get(txn, s->id, order->contact, &enrolment);
	if (result == STORE_NOT_FOUND) {
		order->outcome = SEQUENCE_HAS_NO_CONTACT;
		return STORE_OK;
	}
	if (result != STORE_OK || enrolment.at.state != SEQUENCE_WAITING)
		return result;
	enrolment.at.state = SEQUENCE_LEFT;
	enrolment.at.step = 0;
	enrolment.at.due_ms = SEQUENCE_NEVER;
	return enrolment_put(txn, &enrolment);
}

/* All sequences that this event starts. */
enum store_result sequence_tell(struct sequence_order *order, struct audience_txn *txn)
{
	struct slice event = order->texts.of[SEQUENCE_FIELD_EVENT];
	struct audience_sequence s = { 0 };
	struct contact contact;
	bool entered = false;
	enum store_result result = find_contact(order, txn);

	if (result != STORE_OK || order->outcome != SEQUENCE_IS_DONE)
		return result;
	while ((result = audience_sequence_after(txn, s.id, &s)) == STORE_OK) {
		if ((s.state != AUDIENCE_SEQUENCE_RUNNING &&
		     s.state != AUDIENCE_SEQUENCE_PAUSED) ||
		    s.start != AUDIENCE_SEQUENCE_BY_EVENT ||
		    !slice_equal(s.of[SEQUENCE_EVENT], event))
			continue;
		result = contact_get(txn, order->contact, &contact);
		if (result == STORE_OK && enrolment_is_reachable(&contact, s.list)) {
			result = enrolment_enter(txn, s.id, order->contact, order->at_ms,
						 &entered);
			order->entered += entered;
		}
		if (result != STORE_OK)
			return result;
	}
	return result == STORE_NOT_FOUND ? STORE_OK : result;
}
