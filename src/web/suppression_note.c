#include "web/suppression_note.h"

#include "base/text.h"

#include <stdlib.h>

struct note {
	struct call_order base;
	struct call_author author;
	bool adds;
};

static enum store_result apply(struct scribe_order *order, struct audience_txn *txn)
{
	const struct note *note = container_of(order, struct note, base.order);

	return call_audit(txn, &note->author, note->adds ? "suppression.add" : "suppression.remove",
			  SLICE(""));
}

void suppression_note_give(struct call *call, bool adds,
			   void (*answer)(struct call *call, struct call_order *order))
{
	struct note *note = calloc(1, sizeof(*note));

	if (!note) {
		call_refuse(call, 503, NULL, "no memory");
		return;
	}
	note->base.order.apply = apply;
	note->base.answer = answer;
	note->adds = adds;
	call_author(call, &note->author);
	call_give_order(call, &note->base);
}
