#include "web/contact_change.h"

#include "base/check.h"
#include "base/clock.h"
#include "base/text.h"
#include "campaign/subscription.h"
#include "web/teller.h"

#include <stdio.h>
#include <stdlib.h>

/* ---- what the contact becomes ---- */

/* From the record as it is, copied: views of the map go with the first write. */
static void copy_contact(struct contact_change *change, const struct contact *contact,
			 struct contact *copy)
{
	struct slice record = { change->room, contact_record_size(contact) };

	contact_record_write((u8 *)change->room, contact);
	ASSERT(contact_record_read(record, copy));
	copy->id = contact->id;
}

static void change_lists(struct contact_change *change, struct contact *contact, u64 now_ms)
{
	char before[sizeof(change->new_lists)];
	struct buf lists = { .ptr = change->new_lists,
			     .size = sizeof(change->new_lists),
			     .max = sizeof(change->new_lists) };

	buf_add_slice(&lists, contact->lists);
	for (u32 i = 0; i < change->list_count; i++) {
		struct contact_member member = change->lists[i];
		struct slice were = { before, lists.len };
		struct contact_member known;

		if (lists.len > 0)
			memcpy(before, lists.ptr, lists.len);
		if (contact_find_member(were, member.list, &known) && known.state == member.state)
			continue;
		buf_reset(&lists);
		member.since_s = (u32)(now_ms / MS_PER_S);
		if (member.state == 0)
			contact_drop_member(&lists, were, member.list);
		else
			contact_add_member(&lists, were, &member);
	}
	contact->lists = lists.failed ? contact->lists : buf_slice(&lists);
}

/* False: it is too much. */
static bool compose(struct contact_change *change, struct contact *contact, u64 now_ms)
{
	struct buf values = { .ptr = change->new_values,
			      .size = sizeof(change->new_values),
			      .max = sizeof(change->new_values) };

	change_lists(change, contact, now_ms);
	contact_merge_values(&values, contact->values, buf_slice(&change->values));
	contact->values = buf_slice(&values);
	contact->changed_ms = now_ms;
	if (change->state)
		contact->state = change->state;
	return !values.failed && values.len <= CONTACT_VALUES_MAX;
}

/* ---- history ---- */

static enum store_result add_event(struct contact_change *change, struct audience_txn *txn, u32 id,
				   u64 now_ms, enum history_kind kind)
{
	struct history_event event = { .at_ms = now_ms,
				       .kind = kind,
				       .fields = { slice_of(change->by) },
				       .field_count = 1 };

	if (kind == HISTORY_CONSENT) {
		event.fields[2] = slice_of(change->peer);
		event.fields[3] = slice_of(change->agent);
		event.fields[4] = slice_of(change->consent_source);
		event.fields[5] = slice_of(change->consent_text);
		event.field_count = 6;
	}
	return contact_history_add(txn, id, &event);
}

static enum store_result add_history(struct contact_change *change, struct audience_txn *txn,
				     u32 id, u64 now_ms, bool has_left)
{
	enum history_kind kind =
		change->outcome == CONTACT_MADE ? HISTORY_CREATED : HISTORY_CHANGED;
	enum store_result result;

	result = add_event(change, txn, id, now_ms, has_left ? HISTORY_UNSUBSCRIBED : kind);
	if (result == STORE_OK && change->consent_source[0])
		result = add_event(change, txn, id, now_ms, HISTORY_CONSENT);
	return result;
}

/* ---- carrying it out ---- */

static enum store_result make(struct contact_change *change, struct audience_txn *txn, u64 now_ms)
{
	struct contact contact = { .state = CONTACT_ACTIVE,
				   .created_ms = now_ms,
				   .address = slice_of(change->address) };
	struct slice key = slice_of(change->key);
	enum store_result result;
	u64 erased_ms;

	result = erased_find(txn, key, &erased_ms);
	if (result == STORE_OK && !change->consent_source[0]) {
		change->outcome = CONTACT_WANTS_CONSENT;
		return STORE_OK;
	}
	if (result == STORE_OK)
		result = erased_delete(txn, key);
	if (result != STORE_OK && result != STORE_NOT_FOUND)
		return result;
	if (!compose(change, &contact, now_ms)) {
		change->outcome = CONTACT_IS_TOO_LARGE;
		return STORE_OK;
	}
	change->outcome = CONTACT_MADE;
	result = contact_add(txn, &contact, key);
	change->id = contact.id;
	return result == STORE_OK ? add_history(change, txn, contact.id, now_ms, false) : result;
}

/* To the new address, if there is one and nobody else has it. */
static enum store_result move(struct contact_change *change, struct audience_txn *txn,
			      const struct contact *contact, u64 now_ms)
{
	char old[ADDRESS_WIRE_MAX];
	char was[ADDRESS_WIRE_MAX];
	struct slice old_key = { old, address_key_of_wire(old, contact->address) };
	struct slice address = { was, min_size(contact->address.len, sizeof(was)) };
	struct history_event event = { .at_ms = now_ms,
				       .kind = HISTORY_ADDRESS,
				       .fields = { slice_of(change->by), address },
				       .field_count = 2 };
	enum store_result result;
	u32 other;

	if (!change->address[0] || slice_equal(slice_of(change->address), contact->address))
		return STORE_OK;
	memcpy(was, contact->address.ptr, address.len);
	result = contact_find(txn, slice_of(change->key), &other);
	if (result == STORE_OK && other != contact->id) {
		change->outcome = CONTACT_IS_TAKEN;
		return STORE_OK;
	}
	if (result != STORE_OK && result != STORE_NOT_FOUND)
		return result;
	result = contact_move(txn, contact->id, old_key, slice_of(change->key),
			      slice_of(change->address), now_ms);
	return result == STORE_OK ? contact_history_add(txn, contact->id, &event) : result;
}

static bool wants_consent(const struct contact_change *change, const struct contact *contact)
{
	return (contact->state == CONTACT_UNSUBSCRIBED || contact->state == CONTACT_COMPLAINED) &&
	       change->state && change->state < CONTACT_BOUNCED && !change->consent_source[0];
}

static enum store_result put(struct contact_change *change, struct audience_txn *txn,
			     const struct contact *seen, u64 now_ms)
{
	struct contact before;
	struct contact contact;
	enum store_result result;

	if (wants_consent(change, seen)) {
		change->outcome = CONTACT_WANTS_CONSENT;
		return STORE_OK;
	}
	copy_contact(change, seen, &before);
	contact = before;
	if (!compose(change, &contact, now_ms)) {
		change->outcome = CONTACT_IS_TOO_LARGE;
		return STORE_OK;
	}
	change->outcome = CONTACT_CHANGED;
	result = move(change, txn, &before, now_ms);
	if (result != STORE_OK || change->outcome != CONTACT_CHANGED)
		return result;
	if (change->address[0])
		contact.address = slice_of(change->address);
	result = contact_put(txn, &before, &contact);
	if (result == STORE_OK)
		result = subscription_tell(txn, &before, &contact);
	return result == STORE_OK ?
		       add_history(change, txn, contact.id, now_ms,
				   contact.state == CONTACT_UNSUBSCRIBED &&
					   before.state != CONTACT_UNSUBSCRIBED) :
		       result;
}

static enum store_result erase(struct contact_change *change, struct audience_txn *txn,
			       const struct contact *contact, u64 now_ms)
{
	char key[ADDRESS_WIRE_MAX];
	struct slice known = { key, address_key_of_wire(key, contact->address) };
	struct contact before;
	struct contact gone;
	enum store_result result;

	/* What waits for it at the sender goes no more. */
	copy_contact(change, contact, &before);
	gone = before;
	gone.state = CONTACT_UNSUBSCRIBED;
	result = subscription_tell(txn, &before, &gone);
	if (result == STORE_OK)
		result = erased_add(txn, known, now_ms);
	change->outcome = CONTACT_ERASED;
	return result == STORE_OK ? contact_erase(txn, change->id, known) : result;
}

static enum store_result carry_out(struct contact_change *change, struct audience_txn *txn)
{
	u64 now_ms = clock_wall_ms();
	struct contact contact;
	enum store_result result = STORE_OK;
	u32 id = change->id;

	if (change->makes || id == 0)
		result = contact_find(txn, slice_of(change->key), &id);
	if (result == STORE_NOT_FOUND && change->makes)
		return make(change, txn, now_ms);
	change->outcome = result == STORE_NOT_FOUND ? CONTACT_IS_NOT_THERE : CONTACT_IS_THERE;
	if (result == STORE_NOT_FOUND)
		return STORE_OK;
	change->id = id;
	if (result != STORE_OK || (change->makes && !change->puts))
		return result;
	result = contact_get(txn, id, &contact);
	if (result == STORE_NOT_FOUND) {
		change->outcome = CONTACT_IS_NOT_THERE;
		return STORE_OK;
	}
	if (result != STORE_OK)
		return result;
	return change->erases ? erase(change, txn, &contact, now_ms) :
				put(change, txn, &contact, now_ms);
}

/* By id alone: an address that was erased is not to stand in a log. */
static enum store_result apply(struct scribe_order *base, struct audience_txn *txn)
{
	static const char *const actions[] = { [CONTACT_CHANGED] = "contact.change",
					       [CONTACT_MADE] = "contact.make",
					       [CONTACT_ERASED] = "contact.erase" };
	struct contact_change *change = container_of(base, struct contact_change, order.order);
	enum store_result result = carry_out(change, txn);
	char id[16];

	if (result != STORE_OK || change->outcome > CONTACT_ERASED ||
	    (!change->audits && change->outcome != CONTACT_ERASED))
		return result;
	snprintf(id, sizeof(id), "%u", change->id);
	return call_audit(txn, &change->author, actions[change->outcome], slice_of(id));
}

/* ---- giving it ---- */

static void done(struct call_order *order)
{
	if (order->order.result == STORE_OK)
		teller_wake();
	buf_done(&container_of(order, struct contact_change, order)->values);
}

void contact_change_init(struct contact_change *change, const struct call *call, const char *by,
			 void (*answer)(struct call *call, struct call_order *order))
{
	change->order.order.apply = apply;
	change->order.answer = answer;
	change->order.done = done;
	buf_init(&change->values, 2 * CONTACT_VALUES_MAX);
	slice_copy(change->by, sizeof(change->by), slice_of(by));
	slice_copy(change->peer, sizeof(change->peer),
		   scgi_head_find(&call->head, SLICE("REMOTE_ADDR")));
	slice_copy(change->agent, sizeof(change->agent),
		   scgi_head_find(&call->head, SLICE("HTTP_USER_AGENT")));
}

struct contact_change *contact_change_open(struct call *call,
					   void (*answer)(struct call *call,
							  struct call_order *order))
{
	struct contact_change *change = calloc(1, sizeof(*change));

	if (!change) {
		call_refuse(call, 503, NULL, "no memory");
		return NULL;
	}
	call_author(call, &change->author);
	change->audits = call->session.user != 0;
	contact_change_init(change, call, change->author.who, answer);
	return change;
}

enum value_problem contact_change_value(struct contact_change *change,
					const struct attribute *attribute, struct slice text)
{
	enum value_problem problem;
	struct buf value;

	buf_init(&value, CONTACT_VALUE_MAX);
	problem = value_read(&value, attribute->type, attribute->choices, text);
	if (problem == VALUE_GOOD)
		contact_put_value(&change->values, attribute->id, buf_slice(&value));
	buf_done(&value);
	return problem;
}

bool contact_change_list(struct contact_change *change, u16 list, enum member_state state)
{
	if (change->list_count == CONTACT_CHANGE_LISTS_MAX)
		return false;
	change->lists[change->list_count++] = (struct contact_member){ list, state, 0 };
	return true;
}

void contact_change_free(struct contact_change *change)
{
	buf_done(&change->values);
	free(change);
}

void contact_change_give(struct contact_change *change, struct call *call)
{
	call_give_order(call, &change->order);
}

bool contact_change_address(struct contact_change *change, struct slice text, struct error *error)
{
	struct buf wire = { .ptr = change->address,
			    .size = ADDRESS_WIRE_MAX,
			    .max = ADDRESS_WIRE_MAX };
	struct buf key = { .ptr = change->key, .size = ADDRESS_WIRE_MAX, .max = ADDRESS_WIRE_MAX };
	struct address address;

	if (!address_parse(&address, text, error))
		return false;
	address_add_wire(&address, &wire);
	address_add_key(&address, &key);
	change->address[wire.len] = '\0';
	change->key[key.len] = '\0';
	return !wire.failed && !key.failed;
}
