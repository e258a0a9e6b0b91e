#include "store/audience_import.h"

#include "base/check.h"
#include "base/text.h"
#include "store/audience_parts.h"
#include "store/row_values.h"

#define VERSION 2
#define ID_SIZE 4
#define TEXTS 8
#define COUNTS 15
/* At most: version and state, moments, counts, the plan, and lengths of texts. */
#define FIXED_SIZE                                                                                 \
	(2 + 8 * 7 + 8 * COUNTS + 16 + 3 * IMPORT_COLUMNS_MAX + 2 * IMPORT_LISTS_MAX + 2 * TEXTS)

const char *const import_state_names[IMPORT_STATES] = {
	[IMPORT_UPLOADED] = "uploaded", [IMPORT_TRYING] = "trying",
	[IMPORT_TRIED] = "tried",	[IMPORT_RUNNING] = "running",
	[IMPORT_DONE] = "done",		[IMPORT_CANCELLED] = "cancelled",
	[IMPORT_FAILED] = "failed",	[IMPORT_UNDOING] = "undoing",
	[IMPORT_UNDONE] = "undone",
};

enum import_flag {
	HAS_PLAN = 1,
	HAS_CONSENT = 2,
	IS_CLEARED = 4,
	STARTS_SEQUENCES = 8,
	SKIPS_SUPPRESSED = 16,
};

static struct slice id_key(u8 key[ID_SIZE], u32 id)
{
	record_put_u32(key, id);
	return env_key(key, ID_SIZE);
}

/* Counts are kept in the order of the struct. */
static void counts_of(struct import_counts *counts, u64 *list[COUNTS])
{
	u64 *const all[COUNTS] = {
		&counts->rows,	  &counts->added,      &counts->updated, &counts->same,
		&counts->known,	  &counts->bad,	       &counts->duplicates, &counts->erased,
		&counts->stopped, &counts->odd,	       &counts->values_bad, &counts->reports,
		&counts->undone,  &counts->kept,       &counts->suppressed,
	};

	memcpy(list, all, sizeof(all));
}

static void texts_of(struct import *import, struct slice *list[TEXTS])
{
	struct slice *const all[TEXTS] = { &import->by,		    &import->name,
					   &import->file,	    &import->header,
					   &import->consent_source, &import->consent_text,
					   &import->problem,	    &import->news };

	memcpy(list, all, sizeof(all));
}

/* ---- the record ---- */

static void read_plan(struct record_reader *r, struct import *import)
{
	u8 flags;

	import->encoding = record_get_u8(r);
	import->reason = record_get_u8(r);
	import->delimiter = (char)record_get_u8(r);
	import->update = (enum import_update)record_get_u8(r);
	flags = record_get_u8(r);
	import->has_plan = flags & HAS_PLAN;
	import->has_consent = flags & HAS_CONSENT;
	import->is_cleared = flags & IS_CLEARED;
	import->starts_sequences = flags & STARTS_SEQUENCES;
	import->skips_suppressed = flags & SKIPS_SUPPRESSED;
	import->consent_ms = record_get_u64(r);
	import->column_count = record_get_u16(r);
	if (import->column_count > IMPORT_COLUMNS_MAX)
		r->bad = true;
	for (u32 i = 0; i < import->column_count && !r->bad; i++) {
		import->columns[i].target = (enum import_target)record_get_u8(r);
		import->columns[i].id = record_get_u16(r);
	}
	import->list_count = record_get_u8(r);
	if (import->list_count > IMPORT_LISTS_MAX)
		r->bad = true;
	for (u32 i = 0; i < import->list_count && !r->bad; i++)
		import->lists[i] = record_get_u16(r);
}

static enum store_result show(struct audience_txn *txn, enum store_result result, struct slice key,
			      struct slice record, struct import *import)
{
	struct record_reader r = record_reader_of(record);
	struct record_reader id = record_reader_of(key);
	u64 *counts[COUNTS];
	struct slice *texts[TEXTS];
	u8 version;

	if (result != STORE_OK)
		return result;
	version = record_get_u8(&r);
	import->id = record_get_u32(&id);
	import->state = (enum import_state)record_get_u8(&r);
	import->created_ms = record_get_u64(&r);
	import->began_ms = record_get_u64(&r);
	import->ended_ms = record_get_u64(&r);
	import->size = record_get_u64(&r);
	import->position = record_get_u64(&r);
	counts_of(&import->counts, counts);
	for (size_t i = 0; i < array_count(counts); i++)
		*counts[i] = record_get_u64(&r);
	read_plan(&r, import);
	texts_of(import, texts);
	for (size_t i = 0; i < TEXTS; i++) {
		u16 len = record_get_u16(&r);

		*texts[i] = record_get_bytes(&r, len);
	}
	if (r.bad || id.bad || version != VERSION || import->state >= IMPORT_STATES)
		return env_damaged(&txn->env, AUDIENCE_IMPORT, key);
	return STORE_OK;
}

enum store_result import_get(struct audience_txn *txn, u32 id, struct import *import)
{
	u8 bytes[ID_SIZE];
	struct slice key = id_key(bytes, id);
	struct slice record;
	enum store_result result = env_get(&txn->env, AUDIENCE_IMPORT, key, &record);

	return show(txn, result, key, record, import);
}

enum store_result import_before(struct audience_txn *txn, u32 id, struct import *import)
{
	u8 bytes[ID_SIZE];
	struct slice key;
	struct slice record;
	enum store_result result =
		env_before(&txn->env, AUDIENCE_IMPORT, id_key(bytes, id), &key, &record);

	return show(txn, result, key, record, import);
}

static u8 *write_plan(u8 *at, const struct import *import)
{
	at = record_put_u8(at, import->encoding);
	at = record_put_u8(at, import->reason);
	at = record_put_u8(at, (u8)import->delimiter);
	at = record_put_u8(at, (u8)import->update);
	at = record_put_u8(at, (u8)((import->has_plan ? HAS_PLAN : 0) |
				    (import->has_consent ? HAS_CONSENT : 0) |
				    (import->is_cleared ? IS_CLEARED : 0) |
				    (import->starts_sequences ? STARTS_SEQUENCES : 0) |
				    (import->skips_suppressed ? SKIPS_SUPPRESSED : 0)));
	at = record_put_u64(at, import->consent_ms);
	at = record_put_u16(at, (u16)import->column_count);
	for (u32 i = 0; i < import->column_count; i++) {
		at = record_put_u8(at, (u8)import->columns[i].target);
		at = record_put_u16(at, import->columns[i].id);
	}
	at = record_put_u8(at, (u8)import->list_count);
	for (u32 i = 0; i < import->list_count; i++)
		at = record_put_u16(at, import->lists[i]);
	return at;
}

enum store_result import_put(struct audience_txn *txn, const struct import *import)
{
	struct import copy = *import;
	struct slice *texts[TEXTS];
	u64 *counts[COUNTS];
	u8 bytes[ID_SIZE];
	size_t len = FIXED_SIZE;
	u8 *at = txn->scratch;

	texts_of(&copy, texts);
	for (size_t i = 0; i < TEXTS; i++)
		len += texts[i]->len;
	ASSERT(len <= sizeof(txn->scratch) && copy.column_count <= IMPORT_COLUMNS_MAX &&
	       copy.list_count <= IMPORT_LISTS_MAX);
	at = record_put_u8(at, VERSION);
	at = record_put_u8(at, (u8)copy.state);
	at = record_put_u64(at, copy.created_ms);
	at = record_put_u64(at, copy.began_ms);
	at = record_put_u64(at, copy.ended_ms);
	at = record_put_u64(at, copy.size);
	at = record_put_u64(at, copy.position);
	counts_of(&copy.counts, counts);
	for (size_t i = 0; i < array_count(counts); i++)
		at = record_put_u64(at, *counts[i]);
	at = write_plan(at, &copy);
	for (size_t i = 0; i < TEXTS; i++) {
		at = record_put_u16(at, (u16)texts[i]->len);
		at = record_put_bytes(at, *texts[i]);
	}
	return env_put(&txn->env, AUDIENCE_IMPORT, id_key(bytes, copy.id),
		       env_key(txn->scratch, (size_t)(at - txn->scratch)));
}

enum store_result import_add(struct audience_txn *txn, struct import *import)
{
	enum store_result result = audience_next_id(txn, "import", &import->id);

	return result == STORE_OK ? import_put(txn, import) : result;
}

bool import_new_name(const struct import *import, u32 i, struct slice *name, struct slice *label)
{
	struct slice texts[2 * IMPORT_COLUMNS_MAX];

	if (i >= IMPORT_COLUMNS_MAX ||
	    !row_values_unpack(import->news, texts, array_count(texts)) || texts[2 * i].len == 0)
		return false;
	*name = texts[2 * i];
	*label = texts[2 * i + 1];
	return true;
}

bool import_keep(struct import *import, char *room)
{
	struct slice *texts[TEXTS];
	size_t used = 0;

	texts_of(import, texts);
	for (size_t i = 0; i < TEXTS; i++) {
		if (texts[i]->len > IMPORT_ROOM_SIZE - used)
			return false;
		if (texts[i]->len > 0)
			memcpy(room + used, texts[i]->ptr, texts[i]->len);
		texts[i]->ptr = room + used;
		used += texts[i]->len;
	}
	return true;
}
