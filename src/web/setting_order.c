#include "web/setting_order.h"

#include "base/text.h"

#include <stdlib.h>

#define NAMES_MAX 300

/* Whether it is another one than before. */
static enum store_result put(struct audience_txn *txn, enum setting setting, struct slice value,
			     bool *is_changed)
{
	*is_changed = !slice_equal(setting_get(txn, setting), value);
	return *is_changed ? setting_put(txn, setting, value) : STORE_OK;
}

static enum store_result apply(struct scribe_order *scribe_order, struct audience_txn *txn)
{
	struct setting_order *order = container_of(scribe_order, struct setting_order, base.order);
	struct slice rest = buf_slice(&order->bytes);
	enum store_result result = STORE_OK;
	struct buf names;

	buf_init(&names, NAMES_MAX);
	for (u32 i = 0; result == STORE_OK && i < SETTINGS; i++) {
		bool is_changed = false;

		if (order->given >> i & 1)
			result = put(txn, (enum setting)i, slice_first(rest, order->lengths[i]),
				     &is_changed);
		if (is_changed)
			buf_add_format(&names, "%s%s", names.len > 0 ? ", " : "",
				       setting_name((enum setting)i));
		rest = slice_from(rest, order->lengths[i]);
	}
	if (result == STORE_OK && names.len > 0)
		result = call_audit(txn, &order->author, "setting.change", buf_slice(&names));
	buf_done(&names);
	return result;
}

static void free_order(struct call_order *base)
{
	struct setting_order *order = container_of(base, struct setting_order, base);

	buf_done(&order->bytes);
}

struct setting_order *
setting_order_open(struct call *call, void (*answer)(struct call *call, struct call_order *order))
{
	struct setting_order *order = calloc(1, sizeof(*order));

	if (!order) {
		call_refuse(call, 503, NULL, "no memory");
		return NULL;
	}
	buf_init(&order->bytes, (size_t)SETTINGS * SETTING_TEXT_MAX);
	order->base.order.apply = apply;
	order->base.answer = answer;
	order->base.done = free_order;
	call_author(call, &order->author);
	return order;
}

/* A zone is kept by the name that its table has. */
void setting_order_add(struct setting_order *order, enum setting setting, struct slice value)
{
	struct time_zone zone;

	if (setting == SETTING_ZONE && time_zone_find(value, &zone))
		value = slice_of(zone.name);
	order->given |= 1u << setting;
	order->lengths[setting] = value.len;
	buf_add_slice(&order->bytes, value);
}

void setting_order_drop(struct setting_order *order)
{
	buf_done(&order->bytes);
	free(order);
}

void setting_order_give(struct setting_order *order, struct call *call)
{
	if (!order->bytes.failed) {
		call_give_order(call, &order->base);
		return;
	}
	setting_order_drop(order);
	call_refuse(call, 503, NULL, "no memory");
}
