#include "store/queue.h"

#include "base/check.h"
#include "base/text.h"
#include "store/queue_table.h"
#include "store/record.h"

/* Names that begin with NUL are the room's own (format, last campaign id). */
static void check_name(struct slice name)
{
	ASSERT(name.len > 0 && name.len <= SETTING_NAME_MAX && name.ptr[0] != '\0');
}

static enum store_result open_value(struct queue *queue, struct slice name, struct slice *value)
{
	if (value->len == 0 || value->ptr[0] != RECORD_VERSION)
		return table_damaged(queue, TABLE_SETTING, name);
	*value = slice_from(*value, 1);
	return STORE_OK;
}

enum store_result queue_setting_put(struct queue *queue, struct slice name, struct slice value)
{
	u8 *at = record_put_u8(queue->scratch, RECORD_VERSION);

	check_name(name);
	ASSERT(value.len <= SETTING_VALUE_MAX);
	at = record_put_bytes(at, value);
	return table_put(queue, TABLE_SETTING, name,
			 table_key(queue->scratch, (size_t)(at - queue->scratch)));
}

enum store_result queue_setting_delete(struct queue *queue, struct slice name)
{
	check_name(name);
	return table_delete(queue, TABLE_SETTING, name);
}

enum store_result queue_setting_get(struct queue *queue, struct slice name, struct slice *value)
{
	enum store_result result;

	check_name(name);
	result = table_get(queue, TABLE_SETTING, name, value);
	return result == STORE_OK ? open_value(queue, name, value) : result;
}

enum store_result queue_setting_next(struct queue *queue, struct slice prefix, struct slice after,
				     struct slice *name, struct slice *value)
{
	/* Without a prefix the walk starts behind the room's own names. */
	struct slice from = prefix.len > 0 ? prefix : SLICE("\1");
	enum store_result result;

	if (after.len > 0)
		result = table_after(queue, TABLE_SETTING, after, name, value);
	else
		result = table_seek(queue, TABLE_SETTING, from, name, value);
	if (result != STORE_OK)
		return result;
	if (!slice_has_prefix(*name, prefix))
		return STORE_NOT_FOUND;
	return open_value(queue, *name, value);
}
