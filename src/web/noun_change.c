#include "web/noun_change.h"

#include "base/clock.h"
#include "base/text.h"

#include <stdlib.h>

#define MEMBERS_AT_ONCE 2000

/* ---- lists ---- */

static enum store_result put_list(struct noun_change *change, struct audience_txn *txn)
{
	struct audience_list *list = &change->list;
	struct audience_list known;
	u32 count;
	enum store_result result = audience_list_find(txn, list->name, &known);

	if (result == STORE_OK && known.id != change->id) {
		change->outcome = NOUN_IS_TAKEN;
		return STORE_OK;
	}
	if (result != STORE_OK && result != STORE_NOT_FOUND)
		return result;
	if (change->id != 0) {
		result = audience_list_get(txn, change->id, &known);
		if (result == STORE_NOT_FOUND)
			change->outcome = NOUN_IS_NOT_THERE;
		if (result != STORE_OK)
			return result == STORE_NOT_FOUND ? STORE_OK : result;
		list->id = change->id;
		list->created_ms = known.created_ms;
		return audience_list_put(txn, list);
	}
	result = audience_list_count(txn, &count);
	if (result != STORE_OK)
		return result;
	if (count >= LISTS_MAX) {
		change->outcome = NOUN_IS_TOO_MANY;
		return STORE_OK;
	}
	list->created_ms = clock_wall_ms();
	return audience_list_add(txn, list);
}

/* What a sequence is about stays as long as it is. */
static bool is_used(struct noun_change *change, struct audience_txn *txn)
{
	struct slice user = change->is_list ? audience_sequence_using_list(txn, change->id)
					    : audience_sequence_using_attribute(txn, change->id);

	if (!user.ptr)
		return false;
	slice_copy(change->user, sizeof(change->user), user);
	change->outcome = NOUN_IS_USED;
	return true;
}

static enum store_result delete_list(struct noun_change *change, struct audience_txn *txn)
{
	bool left;
	enum store_result result = audience_list_delete(txn, change->id, MEMBERS_AT_ONCE,
							clock_wall_ms(), &left);

	if (result == STORE_NOT_FOUND) {
		change->outcome = NOUN_IS_NOT_THERE;
		return STORE_OK;
	}
	if (result == STORE_OK && left)
		change->outcome = NOUN_HAS_MORE;
	return result;
}

/* ---- attributes ---- */

static enum store_result put_attribute(struct noun_change *change, struct audience_txn *txn)
{
	struct attribute *attribute = &change->attribute;
	struct attribute known;
	u32 count;
	enum store_result result = attribute_find(txn, attribute->name, &known);

	if (result == STORE_OK && known.id != change->id) {
		change->outcome = NOUN_IS_TAKEN;
		return STORE_OK;
	}
	if (result != STORE_OK && result != STORE_NOT_FOUND)
		return result;
	if (change->id != 0) {
		result = attribute_get(txn, change->id, &known);
		if (result == STORE_NOT_FOUND)
			change->outcome = NOUN_IS_NOT_THERE;
		if (result != STORE_OK)
			return result == STORE_NOT_FOUND ? STORE_OK : result;
		attribute->id = change->id;
		attribute->type = known.type;
		return attribute_put(txn, attribute);
	}
	result = attribute_count(txn, &count);
	if (result != STORE_OK)
		return result;
	if (count >= ATTRIBUTES_MAX) {
		change->outcome = NOUN_IS_TOO_MANY;
		return STORE_OK;
	}
	return attribute_add(txn, attribute);
}

static enum store_result delete_attribute(struct noun_change *change, struct audience_txn *txn)
{
	enum store_result result = attribute_delete(txn, change->id);

	if (result != STORE_NOT_FOUND)
		return result;
	change->outcome = NOUN_IS_NOT_THERE;
	return STORE_OK;
}

/* ---- orders ---- */

/* The name of what is deleted, for the audit log: who deletes may know its id alone. */
static void learn_name(struct noun_change *change, struct audience_txn *txn)
{
	struct audience_list list;
	struct attribute attribute;

	if (change->is_list && audience_list_get(txn, change->id, &list) == STORE_OK)
		slice_copy(change->name, sizeof(change->name), list.name);
	else if (!change->is_list && attribute_get(txn, change->id, &attribute) == STORE_OK)
		slice_copy(change->name, sizeof(change->name), attribute.name);
}

static enum store_result note(const struct noun_change *change, struct audience_txn *txn)
{
	static const char *const actions[2][3] = {
		{ "attribute.add", "attribute.change", "attribute.delete" },
		{ "list.add", "list.change", "list.delete" },
	};
	u32 verb = change->deletes ? 2 : change->id != 0 ? 1 : 0;

	return call_audit(txn, &change->author, actions[change->is_list][verb],
			  slice_of(change->name));
}

static enum store_result carry_out(struct noun_change *change, struct audience_txn *txn)
{
	if (change->is_list)
		return change->deletes ? delete_list(change, txn) : put_list(change, txn);
	return change->deletes ? delete_attribute(change, txn) : put_attribute(change, txn);
}

static enum store_result apply(struct scribe_order *base, struct audience_txn *txn)
{
	struct noun_change *change = container_of(base, struct noun_change, order.order);
	enum store_result result;

	change->outcome = NOUN_DONE;
	if (change->deletes && is_used(change, txn))
		return STORE_OK;
	if (change->deletes)
		learn_name(change, txn);
	result = carry_out(change, txn);
	return result == STORE_OK && change->outcome == NOUN_DONE ? note(change, txn) : result;
}

/*
 * A list with many members is taken apart in several orders. Who goes away meanwhile leaves one
 * with fewer members.
 */
static void answer(struct call *call, struct call_order *order)
{
	struct noun_change *change = container_of(order, struct noun_change, order);
	struct noun_change *next;

	if (!call_order_is_well(call, order))
		return;
	if (change->outcome != NOUN_HAS_MORE) {
		change->answer(call, change);
		return;
	}
	next = malloc(sizeof(*next));
	if (!next) {
		call_refuse(call, 503, NULL, "no memory");
		return;
	}
	*next = *change;
	noun_change_give(next, call);
}

void noun_change_give(struct noun_change *change, struct call *call)
{
	struct attribute *attribute = &change->attribute;
	struct audience_list *list = &change->list;

	attribute->name = list->name = slice_of(change->name);
	attribute->label_ja = list->title = slice_of(change->title);
	attribute->label_en = slice_of(change->title_en);
	attribute->choices = list->description = slice_of(change->text);
	change->order.order.apply = apply;
	change->order.answer = answer;
	call_author(call, &change->author);
	call_give_order(call, &change->order);
}
