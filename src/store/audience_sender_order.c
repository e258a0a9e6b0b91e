#include "store/audience_sender_order.h"

#include "base/check.h"
#include "store/audience_parts.h"

#define ORDER_VERSION 1
#define ORDER_KEY_SIZE 8
#define ORDER_LIST_MAX 255
#define ORDER_RECORD_MAX (19 + ORDER_LIST_MAX + CONTACT_ADDRESS_MAX)

static struct slice order_key(u8 key[ORDER_KEY_SIZE], u64 number)
{
	record_put_u64(key, number);
	return env_key(key, ORDER_KEY_SIZE);
}

static u64 number_of(struct slice key)
{
	struct record_reader r = record_reader_of(key);

	return record_get_u64(&r);
}

enum store_result sender_order_add(struct audience_txn *txn, const struct sender_order *order)
{
	u8 record[ORDER_RECORD_MAX];
	u8 key[ORDER_KEY_SIZE];
	struct slice last;
	struct slice value;
	u64 number = 1;
	u8 *at = record;
	enum store_result result =
		env_last(&txn->env, AUDIENCE_SENDER_ORDER, &last, &value);

	if (result == STORE_OK)
		number = number_of(last) + 1;
	else if (result != STORE_NOT_FOUND)
		return result;
	ASSERT(order->list.len <= ORDER_LIST_MAX && order->address.len <= CONTACT_ADDRESS_MAX);
	at = record_put_u8(at, ORDER_VERSION);
	at = record_put_u8(at, (u8)order->kind);
	at = record_put_u32(at, order->form);
	at = record_put_u32(at, order->contact);
	at = record_put_u64(at, order->at_ms);
	at = record_put_u8(at, (u8)order->list.len);
	at = record_put_bytes(at, order->list);
	at = record_put_bytes(at, order->address);
	return env_put(&txn->env, AUDIENCE_SENDER_ORDER, order_key(key, number),
		       env_key(record, (size_t)(at - record)));
}

enum store_result sender_order_after(struct audience_txn *txn, u64 number, u64 *found,
				     struct sender_order *order)
{
	u8 bytes[ORDER_KEY_SIZE];
	struct record_reader r;
	struct slice key;
	struct slice value;
	u8 version;
	u8 list_len;
	enum store_result result = env_after(&txn->env, AUDIENCE_SENDER_ORDER,
					     order_key(bytes, number), &key, &value);

	if (result != STORE_OK)
		return result;
	*found = number_of(key);
	r = record_reader_of(value);
	version = record_get_u8(&r);
	order->kind = (enum sender_order_kind)record_get_u8(&r);
	order->form = record_get_u32(&r);
	order->contact = record_get_u32(&r);
	order->at_ms = record_get_u64(&r);
	list_len = record_get_u8(&r);
	order->list = record_get_bytes(&r, list_len);
	order->address = record_get_rest(&r);
	if (r.bad || version != ORDER_VERSION)
		return env_damaged(&txn->env, AUDIENCE_SENDER_ORDER, key);
	return STORE_OK;
}

enum store_result sender_order_last(struct audience_txn *txn, u64 *number)
{
	struct slice last;
	struct slice value;
	enum store_result result = env_last(&txn->env, AUDIENCE_SENDER_ORDER, &last, &value);

	*number = result == STORE_OK ? number_of(last) : 0;
	return result == STORE_NOT_FOUND ? STORE_OK : result;
}

enum store_result sender_orders_delete(struct audience_txn *txn, u64 last)
{
	struct sender_order order;
	enum store_result result;
	u8 key[ORDER_KEY_SIZE];
	u64 number;

	while ((result = sender_order_after(txn, 0, &number, &order)) == STORE_OK &&
	       number <= last) {
		result = env_delete(&txn->env, AUDIENCE_SENDER_ORDER, order_key(key, number));
		if (result != STORE_OK)
			return result;
	}
	return result == STORE_NOT_FOUND ? STORE_OK : result;
}
