#include "campaign/sign_up.h"

#include "base/text.h"
#include "store/audience_contact.h"
#include "store/audience_list.h"
#include "store/audience_sender_order.h"

#include <stdio.h>

#define LISTS_BYTES (CONTACT_LISTS_MAX * CONTACT_MEMBER_SIZE)
#define HISTORY_LOOKED_AT 50

/* What a form does, copied out of its record, which the writing moves. */
struct plan {
	u16 lists[SIGN_UP_LISTS_MAX];
	u32 list_count;
	bool is_single;
	char by[24]; /* "form 3" */
};

static enum store_result read_plan(struct audience_txn *txn, u32 id, struct plan *plan)
{
	struct audience_form form;
	enum store_result result = audience_form_get(txn, id, &form);
	struct slice ids;
	bool is_required;

	plan->list_count = 0;
	if (result != STORE_OK)
		return result;
	ids = form.of[FORM_LISTS];
	plan->is_single = form.is_single;
	snprintf(plan->by, sizeof(plan->by), "form %u", id);
	while (plan->list_count < SIGN_UP_LISTS_MAX &&
	       sign_up_next_id(&ids, &plan->lists[plan->list_count], &is_required)) {
		struct audience_list list;

		result = audience_list_get(txn, plan->lists[plan->list_count], &list);
		if (result == STORE_OK)
			plan->list_count++;
		else if (result != STORE_NOT_FOUND)
			return result;
	}
	return STORE_OK;
}

/* ---- lists ---- */

/* Those of the form that are in none of the states to be kept become `state`. *changed: any. */
static bool move_lists(const struct plan *plan, struct slice were, enum member_state from,
		       enum member_state to, u32 now_s, struct buf *lists, bool *changed)
{
	struct buf next;

	buf_add_slice(lists, were);
	for (u32 i = 0; i < plan->list_count && !lists->failed; i++) {
		struct contact_member member;
		bool is_known = contact_find_member(buf_slice(lists), plan->lists[i], &member);

		/* Pending: all but those that are active. Active: those that are pending. */
		if (from == MEMBER_PENDING ? !is_known || member.state != MEMBER_PENDING
					   : is_known && member.state == MEMBER_ACTIVE)
			continue;
		member = (struct contact_member){ plan->lists[i], to, now_s };
		buf_init(&next, LISTS_BYTES);
		contact_add_member(&next, buf_slice(lists), &member);
		buf_done(lists);
		*lists = next;
		*changed = true;
	}
	return !lists->failed;
}

/* ---- keeping what was sent ---- */

static enum store_result note_consent(struct audience_txn *txn, u32 contact,
				      const struct sign_up *sign_up, const struct plan *plan)
{
	char lists[6 * SIGN_UP_LISTS_MAX] = "";
	struct history_event event = { .at_ms = sign_up->now_ms,
				       .kind = HISTORY_CONSENT,
				       .field_count = 5 };
	size_t len = 0;

	for (u32 i = 0; i < plan->list_count; i++)
		len += (size_t)snprintf(lists + len, sizeof(lists) - len, "%s%u", i ? "," : "",
					plan->lists[i]);
	event.fields[0] = slice_of(plan->by);
	event.fields[1] = slice_of(lists);
	event.fields[2] = sign_up->peer;
	event.fields[3] = slice_first(sign_up->agent, 300);
	event.fields[4] = sign_up->consent;
	return contact_history_add(txn, contact, &event);
}

/* Whether the address was asked often enough of late, this time included. */
static enum store_result asked_enough(struct audience_txn *txn, u32 contact, u64 now_ms,
				      bool *is_enough)
{
	struct history_event event = { .at_ms = UINT64_MAX, .number = UINT16_MAX };
	enum store_result result = STORE_OK;
	u32 asked = 0;

	for (u32 i = 0; i < HISTORY_LOOKED_AT && result == STORE_OK; i++) {
		result = contact_history_before(txn, contact, event.at_ms, event.number, &event);
		if (result != STORE_OK || event.at_ms + SIGN_UP_MAILS_MS <= now_ms)
			break;
		asked += event.kind == HISTORY_CONSENT;
	}
	*is_enough = asked >= SIGN_UP_MAILS;
	return result == STORE_NOT_FOUND ? STORE_OK : result;
}

static enum store_result add_contact(struct audience_txn *txn, const struct sign_up *sign_up,
				     const struct plan *plan, u32 *id)
{
	enum member_state state = plan->is_single ? MEMBER_ACTIVE : MEMBER_PENDING;
	struct contact contact = {
		.state = plan->is_single ? CONTACT_ACTIVE : CONTACT_PENDING,
		.created_ms = sign_up->now_ms,
		.changed_ms = sign_up->now_ms,
		.address = sign_up->address,
		.values = sign_up->values,
	};
	struct history_event event = { .at_ms = sign_up->now_ms,
				       .kind = HISTORY_CREATED,
				       .fields = { slice_of(plan->by) },
				       .field_count = 1 };
	enum store_result result = STORE_FULL;
	struct buf lists;
	bool changed;

	buf_init(&lists, LISTS_BYTES);
	if (move_lists(plan, SLICE_NONE, MEMBER_ACTIVE, state, (u32)(sign_up->now_ms / 1000),
		       &lists, &changed)) {
		contact.lists = buf_slice(&lists);
		result = contact_add(txn, &contact, sign_up->key);
	}
	buf_done(&lists);
	*id = contact.id;
	return result == STORE_OK ? contact_history_add(txn, contact.id, &event) : result;
}

/* Of one that is known: lists wait; values change only of one that is not confirmed itself. */
static enum store_result change_contact(struct audience_txn *txn, const struct sign_up *sign_up,
					const struct plan *plan, const struct contact *before)
{
	struct contact contact = *before;
	enum store_result result = STORE_FULL;
	struct buf lists;
	struct buf values;
	bool changed;

	buf_init(&lists, LISTS_BYTES);
	buf_init(&values, CONTACT_VALUES_MAX);
	if (before->state == CONTACT_PENDING) {
		contact_merge_values(&values, before->values, sign_up->values);
		contact.values = buf_slice(&values);
	}
	if (move_lists(plan, before->lists, MEMBER_ACTIVE, MEMBER_PENDING,
		       (u32)(sign_up->now_ms / 1000), &lists, &changed) &&
	    !values.failed) {
		contact.lists = buf_slice(&lists);
		contact.changed_ms = sign_up->now_ms;
		result = contact_put(txn, before, &contact);
	}
	buf_done(&lists);
	buf_done(&values);
	return result;
}

enum store_result sign_up_keep(struct audience_txn *txn, const struct sign_up *sign_up,
			       bool *changed)
{
	bool is_new = false;
	bool is_enough = false;
	struct contact contact;
	struct plan plan;
	u32 id = 0;
	enum store_result result = read_plan(txn, sign_up->form, &plan);

	*changed = false;
	if (result != STORE_OK)
		return result;
	result = contact_find(txn, sign_up->key, &id);
	if (result == STORE_NOT_FOUND) {
		is_new = true;
		result = add_contact(txn, sign_up, &plan, &id);
	} else if (result == STORE_OK) {
		result = asked_enough(txn, id, sign_up->now_ms, &is_enough);
		if (result == STORE_OK && !is_enough)
			result = contact_get(txn, id, &contact);
		if (result != STORE_OK || is_enough)
			return result;
		if (contact.state == CONTACT_COMPLAINED)
			return STORE_OK; /* wants no mail of us, not even this one */
		result = change_contact(txn, sign_up, &plan, &contact);
	}
	if (result == STORE_OK)
		result = note_consent(txn, id, sign_up, &plan);
	if (result != STORE_OK || (is_new && plan.is_single))
		return result;
	*changed = true;
	return sender_order_add(txn, &(struct sender_order){ .kind = SENDER_CONFIRMS,
							     .form = sign_up->form,
							     .contact = id,
							     .at_ms = sign_up->now_ms,
							     .list = sign_up->language,
							     .address = sign_up->address });
}

/* ---- confirming ---- */

static enum store_result release(struct audience_txn *txn, struct slice address,
				 const struct plan *plan, bool was_out)
{
	struct sender_order order = { .kind = SENDER_RELEASES, .address = address };
	enum store_result result = was_out ? sender_order_add(txn, &order) : STORE_OK;

	/* The sender may have been told before that the address left one of these. */
	for (u32 i = 0; i < plan->list_count && result == STORE_OK; i++) {
		char name[LIST_NAME_MAX + 1];
		struct audience_list list;

		result = audience_list_get(txn, plan->lists[i], &list);
		if (result != STORE_OK)
			break;
		slice_copy(name, sizeof(name), list.name);
		order.list = slice_of(name);
		result = sender_order_add(txn, &order);
	}
	return result;
}

static enum store_result note_confirmed(struct audience_txn *txn,
					const struct sign_up_confirmation *confirmation,
					const struct plan *plan)
{
	struct history_event event = { .at_ms = confirmation->now_ms,
				       .kind = HISTORY_CONFIRMED,
				       .fields = { slice_of(plan->by), confirmation->peer,
						   slice_first(confirmation->agent, 300) },
				       .field_count = 3 };

	return contact_history_add(txn, confirmation->contact, &event);
}

enum store_result sign_up_confirm(struct audience_txn *txn,
				  const struct sign_up_confirmation *confirmation, bool *changed)
{
	char room[CONTACT_ADDRESS_MAX];
	struct slice address = { room, 0 };
	struct contact before;
	struct contact contact;
	struct plan plan;
	struct buf lists;
	bool was_out = false;
	enum store_result result = read_plan(txn, confirmation->form, &plan);

	*changed = false;
	if (result == STORE_OK)
		result = contact_get(txn, confirmation->contact, &before);
	if (result != STORE_OK)
		return result;
	contact = before;
	buf_init(&lists, LISTS_BYTES);
	if (!move_lists(&plan, before.lists, MEMBER_PENDING, MEMBER_ACTIVE,
			(u32)(confirmation->now_ms / 1000), &lists, changed))
		result = STORE_FULL;
	*changed |= before.state == CONTACT_PENDING;
	if (result == STORE_OK && *changed) {
		was_out = before.state == CONTACT_UNSUBSCRIBED || before.state == CONTACT_BOUNCED;
		contact.state = before.state == CONTACT_COMPLAINED ? before.state : CONTACT_ACTIVE;
		contact.lists = buf_slice(&lists);
		contact.changed_ms = confirmation->now_ms;
		address.len = before.address.len;
		memcpy(room, before.address.ptr, address.len);
		result = contact_put(txn, &before, &contact);
		if (result == STORE_OK)
			result = note_confirmed(txn, confirmation, &plan);
		if (result == STORE_OK)
			result = release(txn, address, &plan, was_out);
	}
	buf_done(&lists);
	return result;
}
