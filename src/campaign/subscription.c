#include "campaign/subscription.h"

#include "base/text.h"
#include "message/address.h"
#include "store/audience_activity.h"
#include "store/audience_campaign_count.h"
#include "store/audience_contact.h"
#include "store/audience_list.h"
#include "store/audience_sender_order.h"

#include <stdio.h>

#define LISTS_BYTES (CONTACT_LISTS_MAX * CONTACT_MEMBER_SIZE)

/* A list by its name, for history and sender; "" for everything, and for one that is deleted. */
static enum store_result list_name(struct audience_txn *txn, u16 list,
				   char name[LIST_NAME_MAX + 1])
{
	struct audience_list found;
	enum store_result result;

	name[0] = '\0';
	if (list == 0)
		return STORE_OK;
	result = audience_list_get(txn, list, &found);
	if (result == STORE_OK)
		slice_copy(name, LIST_NAME_MAX + 1, found.name);
	return result == STORE_NOT_FOUND ? STORE_OK : result;
}

static enum store_result note_history(struct audience_txn *txn, const struct subscription_act *act,
				      enum history_kind kind, const char *list)
{
	char campaign[16] = "";
	struct history_event event = { .at_ms = act->now_ms, .kind = kind, .field_count = 3 };

	if (act->campaign > 0)
		snprintf(campaign, sizeof(campaign), "%u", act->campaign);
	event.fields[0] = act->how;
	event.fields[1] = slice_of(list);
	event.fields[2] = slice_of(campaign);
	return contact_history_add(txn, act->contact, &event);
}

/* Once for a contact and campaign, and back again when it is taken back. */
static enum store_result count_campaign(struct audience_txn *txn,
					const struct subscription_act *act, bool leaves)
{
	struct activity activity;
	enum store_result result;

	if (act->campaign == 0)
		return STORE_OK;
	result = activity_get(txn, act->campaign, act->contact, &activity);
	if (result != STORE_OK || (activity.of[ACTIVITY_UNSUBSCRIBED] > 0) == leaves)
		return result;
	activity.of[ACTIVITY_UNSUBSCRIBED] = leaves ? (u32)(act->now_ms / 1000) : 0;
	result = activity_put(txn, act->campaign, act->contact, &activity);
	if (result == STORE_OK)
		result = campaign_count_change(txn, act->campaign, CAMPAIGN_UNSUBSCRIBED, 0,
					       leaves ? 1 : -1);
	return result;
}

/* A list that is not there any more is nothing that the sender could be asked about. */
static enum store_result tell_sender(struct audience_txn *txn, struct slice address, u16 list,
				     bool leaves)
{
	char name[LIST_NAME_MAX + 1];
	enum store_result result = list_name(txn, list, name);

	if (result != STORE_OK || (list != 0 && !name[0]))
		return result;
	return sender_order_add(txn, &(struct sender_order){
					     .kind = leaves ? SENDER_SUPPRESSES : SENDER_RELEASES,
					     .list = slice_of(name),
					     .address = address });
}

/* What all changes have behind them; the address is no view. */
static enum store_result tell(struct audience_txn *txn, const struct subscription_act *act,
			      bool leaves, struct slice address)
{
	char list[LIST_NAME_MAX + 1];
	enum store_result result = list_name(txn, act->list, list);

	if (result == STORE_OK)
		result = note_history(txn, act, leaves ? HISTORY_UNSUBSCRIBED : HISTORY_CONFIRMED,
				      list);
	if (result == STORE_OK)
		result = count_campaign(txn, act, leaves);
	if (result == STORE_OK)
		result = tell_sender(txn, address, act->list, leaves);
	return result;
}

static enum store_result put_and_tell(struct audience_txn *txn, const struct subscription_act *act,
				      const struct contact *before, struct contact *contact,
				      bool leaves)
{
	char room[CONTACT_ADDRESS_MAX];
	struct slice address = { room, contact->address.len };
	enum store_result result;

	memcpy(room, contact->address.ptr, address.len);
	contact->changed_ms = act->now_ms;
	result = contact_put(txn, before, contact);
	return result == STORE_OK ? tell(txn, act, leaves, address) : result;
}

static enum store_result put_member(struct audience_txn *txn, const struct subscription_act *act,
				    const struct contact *before, enum member_state state,
				    bool *changed)
{
	struct contact_member member = { act->list, state, (u32)(act->now_ms / 1000) };
	struct contact_member known;
	struct contact contact = *before;
	enum store_result result;
	struct buf lists;

	if (contact_find_member(before->lists, act->list, &known) && known.state == state)
		return STORE_OK;
	buf_init(&lists, LISTS_BYTES + CONTACT_MEMBER_SIZE);
	contact_add_member(&lists, before->lists, &member);
	contact.lists = buf_slice(&lists);
	*changed = !lists.failed && lists.len <= LISTS_BYTES;
	result = *changed ? put_and_tell(txn, act, before, &contact, state == MEMBER_LEFT)
			  : STORE_FULL;
	buf_done(&lists);
	return result;
}

/* What was asked for and not confirmed cannot be confirmed any more. */
static void add_lists_that_leave(struct slice were, u32 now_s, struct buf *lists)
{
	struct contact_member member;

	while (contact_next_member(&were, &member)) {
		if (member.state == MEMBER_PENDING)
			member = (struct contact_member){ member.list, MEMBER_LEFT, now_s };
		/* They ascend, so each goes behind the others. */
		contact_add_member(lists, SLICE_NONE, &member);
	}
}

enum store_result subscription_leave(struct audience_txn *txn, const struct subscription_act *act,
				     bool *changed)
{
	struct buf lists;
	struct contact before;
	struct contact contact;
	enum store_result result = contact_get(txn, act->contact, &before);

	*changed = false;
	if (result != STORE_OK)
		return result;
	if (act->list != 0)
		return put_member(txn, act, &before, MEMBER_LEFT, changed);
	if (before.state == CONTACT_UNSUBSCRIBED || before.state == CONTACT_COMPLAINED)
		return STORE_OK;
	contact = before;
	contact.state = CONTACT_UNSUBSCRIBED;
	buf_init(&lists, LISTS_BYTES);
	add_lists_that_leave(before.lists, (u32)(act->now_ms / 1000), &lists);
	contact.lists = buf_slice(&lists);
	*changed = !lists.failed;
	result = *changed ? put_and_tell(txn, act, &before, &contact, true) : STORE_FULL;
	buf_done(&lists);
	return result;
}

enum store_result subscription_return(struct audience_txn *txn, const struct subscription_act *act,
				      bool *changed)
{
	struct contact before;
	struct contact contact;
	enum store_result result = contact_get(txn, act->contact, &before);

	*changed = false;
	if (result != STORE_OK)
		return result;
	if (act->list != 0)
		return put_member(txn, act, &before, MEMBER_ACTIVE, changed);
	if (before.state != CONTACT_UNSUBSCRIBED)
		return STORE_OK;
	contact = before;
	contact.state = CONTACT_ACTIVE;
	*changed = true;
	return put_and_tell(txn, act, &before, &contact, false);
}

enum store_result subscription_tell(struct audience_txn *txn, const struct contact *before,
				    const struct contact *contact)
{
	bool was_out = before->state >= CONTACT_UNSUBSCRIBED;
	bool is_out = contact->state >= CONTACT_UNSUBSCRIBED;
	struct slice lists = contact->lists;
	enum store_result result = STORE_OK;
	struct contact_member member;
	struct contact_member known;

	/* Who left and whose mailbox fails now has not come back. */
	if (was_out != is_out && contact->state != CONTACT_BOUNCED)
		result = tell_sender(txn, contact->address, 0, is_out);
	while (result == STORE_OK && contact_next_member(&lists, &member)) {
		bool had_left = contact_find_member(before->lists, member.list, &known) &&
				known.state == MEMBER_LEFT;
		bool has_left = member.state == MEMBER_LEFT;

		if (had_left != has_left)
			result = tell_sender(txn, contact->address, member.list, has_left);
	}
	return result;
}
