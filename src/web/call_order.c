/* Orders to the scribe that a call waits for. The call may be gone by the time they are done. */
#include "base/clock.h"
#include "base/log.h"
#include "base/text.h"
#include "store/audience_audit.h"
#include "web/call.h"

#include <stdlib.h>

static void on_done(struct scribe_order *scribe_order)
{
	struct call_order *order = container_of(scribe_order, struct call_order, order);
	struct call *call = order->call;

	order->web->orders--;
	if (call) {
		call->order = NULL;
		order->answer(call, order);
	} else if (order->order.result != STORE_OK) {
		log_warn("web", "what nobody waits for any more was not written", "why=%s",
			 order->order.error.text);
	}
	if (order->done)
		order->done(order);
	free(order);
}

void call_give_order(struct call *call, struct call_order *order)
{
	order->call = call;
	order->web = call->web;
	order->order.done = on_done;
	call->order = order;
	call->web->orders++;
	scribe_give(&call->web->desk, &order->order);
}

bool call_order_is_well(struct call *call, const struct call_order *order)
{
	switch (order->order.result) {
	case STORE_OK: return true;
	case STORE_NOT_FOUND:
		call_refuse(call, 404, NULL, "it is not there any more");
		return false;
	case STORE_FULL:
		call->retry_after_s = 30;
		call_refuse(call, 503, NULL, "no room: %s", order->order.error.text);
		return false;
	case STORE_FAILED: break;
	}
	call_refuse(call, 500, NULL, "%s", order->order.error.text);
	return false;
}

void call_author(const struct call *call, struct call_author *author)
{
	session_who(call, author->who);
	slice_copy(author->from, sizeof(author->from),
		   scgi_head_find(&call->head, SLICE("REMOTE_ADDR")));
	author->now_ms = clock_wall_ms();
}

enum store_result call_audit(struct audience_txn *txn, const struct call_author *author,
			     const char *action, struct slice object)
{
	const struct audit_entry entry = { .at_ms = author->now_ms,
					   .who = slice_of(author->who),
					   .from = slice_of(author->from),
					   .action = slice_of(action),
					   .object = object };

	return audit_add(txn, &entry);
}
