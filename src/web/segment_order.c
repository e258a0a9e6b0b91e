#include "web/segment_order.h"

#include "base/text.h"
#include "store/audience_sequence.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static enum store_result apply_add(struct segment_order *order, struct audience_txn *txn,
				   struct slice text)
{
	struct audience_segment segment;
	u32 count;
	enum store_result result = audience_segment_count(txn, &count);

	if (result != STORE_OK)
		return result;
	if (count >= SEGMENTS_MAX) {
		order->end = SEGMENT_ORDER_TOO_MANY;
		return STORE_OK;
	}
	segment = (struct audience_segment){ .version = 1,
					     .created_ms = order->author.now_ms,
					     .changed_ms = order->author.now_ms,
					     .by = slice_first(slice_of(order->author.who),
							       SEGMENT_BY_MAX),
					     .name = slice_of(order->name),
					     .text = text };
	result = audience_segment_add(txn, &segment);
	order->id = segment.id;
	order->version = 1;
	return result;
}

static enum store_result apply_change(struct segment_order *order, struct audience_txn *txn,
				      struct slice text)
{
	char name[SEGMENT_NAME_MAX];
	char kept[SEGMENT_KEPT_MAX];
	struct audience_segment segment;
	enum store_result result = audience_segment_get(txn, order->id, &segment);

	if (result != STORE_OK)
		return result;
	if (order->wanted != 0 && order->wanted != segment.version) {
		order->end = SEGMENT_ORDER_OUTDATED;
		return STORE_OK;
	}
	/* What stays is copied: views do not live through a write. */
	memcpy(name, segment.name.ptr, segment.name.len);
	memcpy(kept, segment.text.ptr, segment.text.len);
	segment.name = order->name[0] ? slice_of(order->name) :
					(struct slice){ name, segment.name.len };
	segment.text = text.len > 0 ? text : (struct slice){ kept, segment.text.len };
	segment.by = slice_first(slice_of(order->author.who), SEGMENT_BY_MAX);
	segment.changed_ms = order->author.now_ms;
	order->version = ++segment.version;
	return audience_segment_put(txn, &segment);
}

/* Sets the end when another segment has the name. */
static enum store_result look_for_name(struct segment_order *order, struct audience_txn *txn)
{
	struct audience_segment other;
	enum store_result result;

	if (!order->name[0])
		return STORE_OK;
	result = audience_segment_find(txn, slice_of(order->name), &other);
	if (result == STORE_OK && other.id != order->id)
		order->end = SEGMENT_ORDER_NAME_TAKEN;
	return result == STORE_NOT_FOUND ? STORE_OK : result;
}

static enum store_result apply(struct scribe_order *scribe_order, struct audience_txn *txn)
{
	static const char *const actions[] = { [SEGMENT_ORDER_ADD] = "segment.add",
					       [SEGMENT_ORDER_CHANGE] = "segment.change",
					       [SEGMENT_ORDER_DELETE] = "segment.delete" };
	struct segment_order *order = container_of(scribe_order, struct segment_order, order.order);
	struct slice text = { order->text, order->text_len };
	char object[16];
	enum store_result result;

	/* It may be applied again, to another transaction. */
	if (order->kind == SEGMENT_ORDER_ADD)
		order->id = 0;
	order->end = SEGMENT_ORDER_DONE;
	result = look_for_name(order, txn);
	if (result != STORE_OK || order->end != SEGMENT_ORDER_DONE)
		return result;
	if (order->kind == SEGMENT_ORDER_ADD)
		result = apply_add(order, txn, text);
	else if (order->kind == SEGMENT_ORDER_CHANGE)
		result = apply_change(order, txn, text);
	else if (audience_sequence_using_segment(txn, order->id).ptr)
		order->end = SEGMENT_ORDER_USED;
	else
		result = audience_segment_delete(txn, order->id);
	if (result == STORE_NOT_FOUND) {
		order->end = SEGMENT_ORDER_GONE;
		return STORE_OK;
	}
	if (result != STORE_OK || order->end != SEGMENT_ORDER_DONE)
		return result;
	snprintf(object, sizeof(object), "%u", order->id);
	return call_audit(txn, &order->author, actions[order->kind], slice_of(object));
}

static u32 depth_of(const struct segment_node *node)
{
	u32 deepest = 0;

	for (const struct segment_node *child = node->first; child; child = child->next) {
		u32 depth = 1 + depth_of(child);

		deepest = depth > deepest ? depth : deepest;
	}
	return deepest;
}

/* Both spellings have to be readable again. */
static bool print(const struct segment *segment, struct buf *text)
{
	segment_print(segment->root, SEGMENT_BY_NAME, text);
	if (text->failed)
		return false;
	buf_reset(text);
	segment_print(segment->root, SEGMENT_BY_ID, text);
	return !text->failed;
}

struct segment_order *segment_order_make(const struct call *call, enum segment_order_kind kind,
					 const struct segment *segment, struct error *error)
{
	struct segment_order *order = NULL;
	struct buf text;

	buf_init(&text, SEGMENT_TEXT_MAX);
	if (segment && depth_of(segment->root) > SEGMENT_KEPT_DEPTH_MAX) {
		error_set(error, "the condition is nested too deeply to be kept");
	} else if (segment && !print(segment, &text)) {
		error_set(error, text.no_memory ? "no memory" :
						  "the condition is too long to be kept");
	} else {
		order = calloc(1, sizeof(*order) + text.len);
		if (!order)
			error_set(error, "no memory");
	}
	if (order) {
		order->kind = kind;
		order->text_len = text.len;
		if (text.len > 0)
			memcpy(order->text, text.ptr, text.len);
		call_author(call, &order->author);
		order->order.order.apply = apply;
	}
	buf_done(&text);
	return order;
}

void segment_refuse(struct call *call, enum store_result result,
		    const struct segment_problem *problem)
{
	if (result == STORE_NOT_FOUND)
		call_refuse(call, 404, NULL, "there is no such segment");
	else if (result == STORE_OK)
		call_refuse(call, 409, NULL, "the segment is broken: %s", problem->error.text);
	else
		call_refuse(call, 503, NULL, "%s", audience_error_text(call->web->reader));
}
