#include "store/audience_audit.h"

#include "base/text.h"
#include "base/utf8.h"
#include "store/audience_parts.h"
#include "store/row_values.h"

#include <stdio.h>

#define AUDIT_VERSION 1
#define AUDIT_KEY_SIZE 10
#define AUDIT_FIELDS 4
#define AUDIT_RECORD_MAX (1 + AUDIT_FIELDS * (AUDIT_TEXT_MAX + 4))
#define AUDIT_SWEPT 4 /* with each that is added */

static struct slice audit_key(u8 key[AUDIT_KEY_SIZE], u64 at_ms, u16 number)
{
	record_put_u16(record_put_u64(key, at_ms), number);
	return env_key(key, AUDIT_KEY_SIZE);
}

static enum store_result show(struct audience_txn *txn, struct slice key, struct slice record,
			      struct audit_entry *entry)
{
	struct slice fields[AUDIT_FIELDS];
	struct record_reader r = record_reader_of(key);
	u8 version;

	entry->at_ms = record_get_u64(&r);
	entry->number = record_get_u16(&r);
	r = record_reader_of(record);
	version = record_get_u8(&r);
	if (r.bad || version != AUDIT_VERSION ||
	    !row_values_unpack(record_get_rest(&r), fields, AUDIT_FIELDS))
		return env_damaged(&txn->env, AUDIENCE_AUDIT, key);
	entry->who = fields[0];
	entry->from = fields[1];
	entry->action = fields[2];
	entry->object = fields[3];
	return STORE_OK;
}

/* Not within a character. */
static struct slice cut(struct slice text)
{
	size_t len = min_size(text.len, AUDIT_TEXT_MAX);

	while (len < text.len && len > 0 && ((u8)text.ptr[len] & 0xc0) == 0x80)
		len--;
	return slice_first(text, len);
}

static enum store_result sweep(struct audience_txn *txn, u64 now_ms)
{
	for (u32 i = 0; i < AUDIT_SWEPT; i++) {
		struct record_reader r;
		struct slice record;
		u8 bytes[AUDIT_KEY_SIZE];
		u64 at_ms;
		u16 number;
		struct slice key;
		enum store_result result = env_seek(&txn->env, AUDIENCE_AUDIT,
						    audit_key(bytes, 0, 0), &key, &record);

		if (result == STORE_NOT_FOUND)
			return STORE_OK;
		if (result != STORE_OK)
			return result;
		r = record_reader_of(key);
		at_ms = record_get_u64(&r);
		number = record_get_u16(&r);
		if (at_ms + AUDIT_KEPT_MS >= now_ms)
			return STORE_OK;
		result = env_delete(&txn->env, AUDIENCE_AUDIT, audit_key(bytes, at_ms, number));
		if (result != STORE_OK)
			return result;
	}
	return STORE_OK;
}

enum store_result audit_add(struct audience_txn *txn, const struct audit_entry *entry)
{
	const struct slice fields[AUDIT_FIELDS] = { cut(entry->who), cut(entry->from),
						    cut(entry->action), cut(entry->object) };
	struct audit_entry last;
	u8 bytes[AUDIT_KEY_SIZE];
	struct buf record;
	u16 number = 0;
	enum store_result result = audit_before(txn, entry->at_ms, UINT16_MAX, &last);

	if (result == STORE_OK && last.at_ms == entry->at_ms)
		number = (u16)(last.number + 1);
	if (result != STORE_OK && result != STORE_NOT_FOUND)
		return result;
	buf_init(&record, AUDIT_RECORD_MAX);
	buf_add_char(&record, AUDIT_VERSION);
	row_values_pack(&record, fields, AUDIT_FIELDS);
	if (record.failed)
		result = env_no_memory(&txn->env, "audit");
	else
		result = env_put(&txn->env, AUDIENCE_AUDIT, audit_key(bytes, entry->at_ms, number),
				 buf_slice(&record));
	buf_done(&record);
	return result == STORE_OK ? sweep(txn, entry->at_ms) : result;
}

enum store_result audit_before(struct audience_txn *txn, u64 at_ms, u16 number,
			       struct audit_entry *entry)
{
	u8 bytes[AUDIT_KEY_SIZE];
	struct slice key;
	struct slice record;
	enum store_result result = env_before(&txn->env, AUDIENCE_AUDIT,
					      audit_key(bytes, at_ms, number), &key, &record);

	return result == STORE_OK ? show(txn, key, record, entry) : result;
}

/* ---- places ---- */

void audit_place_write(const struct audit_entry *entry, char out[AUDIT_PLACE_SIZE])
{
	snprintf(out, AUDIT_PLACE_SIZE, "%llu.%u", (unsigned long long)entry->at_ms,
		 entry->number);
}

bool audit_place_read(struct slice text, u64 *at_ms, u16 *number)
{
	struct slice rest = text;
	u32 given;

	*at_ms = UINT64_MAX;
	*number = 0;
	if (text.len == 0)
		return true;
	if (!slice_to_u64(slice_split(&rest, '.'), at_ms) || !rest.ptr ||
	    !slice_to_u32(rest, &given) || given > UINT16_MAX)
		return false;
	*number = (u16)given;
	return true;
}
