#include "store/audience_contact.h"

#include "base/text.h"
#include "store/audience_parts.h"
#include "store/row_values.h"

#define HISTORY_VERSION 1
#define HISTORY_KEY_SIZE 14
#define HISTORY_TEXT_MAX 1500
#define HISTORY_RECORD_MAX (2 + HISTORY_TEXT_MAX + 2 * HISTORY_FIELDS_MAX)

static struct slice history_key(u8 key[HISTORY_KEY_SIZE], u32 contact, u64 at_ms, u16 number)
{
	record_put_u16(record_put_u64(record_put_u32(key, contact), at_ms), number);
	return env_key(key, HISTORY_KEY_SIZE);
}

static enum store_result show(struct audience_txn *txn, u32 contact, struct slice key,
			      struct slice record, struct history_event *event)
{
	struct record_reader r = record_reader_of(key);
	u8 version;

	if (record_get_u32(&r) != contact)
		return STORE_NOT_FOUND;
	event->at_ms = record_get_u64(&r);
	event->number = record_get_u16(&r);
	r = record_reader_of(record);
	version = record_get_u8(&r);
	event->kind = (enum history_kind)record_get_u8(&r);
	event->field_count = HISTORY_FIELDS_MAX;
	if (r.bad || version != HISTORY_VERSION ||
	    !row_values_unpack(record_get_rest(&r), event->fields, HISTORY_FIELDS_MAX))
		return env_damaged(&txn->env, AUDIENCE_HISTORY, key);
	return STORE_OK;
}

/* The number of the next event of that moment. */
static enum store_result next_number(struct audience_txn *txn, u32 contact, u64 at_ms, u16 *number)
{
	struct history_event last;
	enum store_result result =
		contact_history_before(txn, contact, at_ms, UINT16_MAX, &last);

	*number = 0;
	if (result == STORE_OK && last.at_ms == at_ms)
		*number = (u16)(last.number + 1);
	return result == STORE_NOT_FOUND ? STORE_OK : result;
}

enum store_result contact_history_add(struct audience_txn *txn, u32 contact,
			      const struct history_event *event)
{
	struct slice fields[HISTORY_FIELDS_MAX];
	size_t left = HISTORY_TEXT_MAX;
	u8 bytes[HISTORY_KEY_SIZE];
	struct buf record;
	u16 number;
	enum store_result result = next_number(txn, contact, event->at_ms, &number);

	if (result != STORE_OK)
		return result;
	for (size_t i = 0; i < event->field_count; i++) {
		fields[i] = slice_first(event->fields[i], left);
		left -= fields[i].len;
	}
	buf_init(&record, HISTORY_RECORD_MAX);
	buf_add_char(&record, HISTORY_VERSION);
	buf_add_char(&record, (char)event->kind);
	row_values_pack(&record, fields, event->field_count);
	if (record.failed)
		result = env_no_memory(&txn->env, "history");
	else
		result = env_put(&txn->env, AUDIENCE_HISTORY,
				 history_key(bytes, contact, event->at_ms, number),
				 buf_slice(&record));
	buf_done(&record);
	return result;
}

enum store_result contact_history_before(struct audience_txn *txn, u32 contact, u64 at_ms,
					 u16 number, struct history_event *event)
{
	u8 bytes[HISTORY_KEY_SIZE];
	struct slice key;
	struct slice record;
	enum store_result result =
		env_before(&txn->env, AUDIENCE_HISTORY,
			   history_key(bytes, contact, at_ms, number), &key, &record);

	return result == STORE_OK ? show(txn, contact, key, record, event) : result;
}
