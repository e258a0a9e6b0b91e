/*
 * A change of settings as an order to the scribe, by the page and by the interface for programs:
 * all of it or nothing, with a line of the audit log that names what is different now.
 */
#ifndef WEB_SETTING_ORDER_H
#define WEB_SETTING_ORDER_H

#include "web/call.h"
#include "web/setting.h"

struct setting_order {
	struct call_order base;
	struct call_author author;
	u32 given; /* settings, as bits */
	size_t lengths[SETTINGS];
	struct buf bytes; /* the values, one behind the other */
};

/* NULL: there is no memory, the call was answered. `answer` as of struct call_order. */
struct setting_order *
setting_order_open(struct call *call,
		   void (*answer)(struct call *call, struct call_order *order)) MUST_CHECK;
/* What setting_check found good; in the order of enum setting, each once. */
void setting_order_add(struct setting_order *order, enum setting setting, struct slice value);
/* The order is the scribe's from then on, or the call was answered. */
void setting_order_give(struct setting_order *order, struct call *call);
/* Instead of giving it. */
void setting_order_drop(struct setting_order *order);

#endif
