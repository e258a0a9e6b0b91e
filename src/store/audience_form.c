#include "store/audience_form.h"

#include "base/text.h"
#include "store/audience_parts.h"
#include "store/row_values.h"

#define VERSION 1
#define KEY_SIZE 4
#define RECORD_MAX 65536

enum form_flag {
	IS_OPEN = 1,
	IS_SINGLE = 2,
};

static struct slice id_key(u8 key[KEY_SIZE], u32 id)
{
	record_put_u32(key, id);
	return env_key(key, KEY_SIZE);
}

static enum store_result show(struct audience_txn *txn, enum store_result result, struct slice key,
			      struct slice record, struct audience_form *form)
{
	struct record_reader r = record_reader_of(record);
	struct record_reader id = record_reader_of(key);
	u8 version;
	u8 flags;

	if (result != STORE_OK)
		return result;
	version = record_get_u8(&r);
	flags = record_get_u8(&r);
	form->created_ms = record_get_u64(&r);
	form->changed_ms = record_get_u64(&r);
	form->id = record_get_u32(&id);
	form->is_open = flags & IS_OPEN;
	form->is_single = flags & IS_SINGLE;
	if (r.bad || id.bad || version != VERSION ||
	    !row_values_unpack(record_get_rest(&r), form->of, FORM_TEXTS))
		return env_damaged(&txn->env, AUDIENCE_FORM, key);
	return STORE_OK;
}

enum store_result audience_form_get(struct audience_txn *txn, u32 id, struct audience_form *form)
{
	u8 bytes[KEY_SIZE];
	struct slice key = id_key(bytes, id);
	struct slice record;
	enum store_result result = env_get(&txn->env, AUDIENCE_FORM, key, &record);

	return show(txn, result, key, record, form);
}

enum store_result audience_form_after(struct audience_txn *txn, u32 id, struct audience_form *form)
{
	u8 bytes[KEY_SIZE];
	struct slice key;
	struct slice record;
	enum store_result result =
		env_after(&txn->env, AUDIENCE_FORM, id_key(bytes, id), &key, &record);

	return show(txn, result, key, record, form);
}

enum store_result audience_form_find(struct audience_txn *txn, struct slice name,
				     struct audience_form *form)
{
	enum store_result result;

	form->id = 0;
	while ((result = audience_form_after(txn, form->id, form)) == STORE_OK) {
		if (slice_equal(form->of[FORM_NAME], name))
			break;
	}
	return result;
}

static enum store_result give_id(struct audience_txn *txn, struct audience_form *form)
{
	struct audience_form known = { 0 };
	enum store_result result;
	u32 count = 0;

	while ((result = audience_form_after(txn, known.id, &known)) == STORE_OK)
		count++;
	if (result != STORE_NOT_FOUND)
		return result;
	return count < FORMS_MAX ? audience_next_id(txn, "form", &form->id) : STORE_FULL;
}

enum store_result audience_form_put(struct audience_txn *txn, struct audience_form *form)
{
	enum store_result result = form->id == 0 ? give_id(txn, form) : STORE_OK;
	u8 head[18];
	u8 *at = head;
	u8 key[KEY_SIZE];
	struct buf record;

	if (result != STORE_OK)
		return result;
	at = record_put_u8(at, VERSION);
	at = record_put_u8(at, (u8)((form->is_open ? IS_OPEN : 0) |
				    (form->is_single ? IS_SINGLE : 0)));
	record_put_u64(record_put_u64(at, form->created_ms), form->changed_ms);
	buf_init(&record, RECORD_MAX);
	buf_add(&record, head, sizeof(head));
	row_values_pack(&record, form->of, FORM_TEXTS);
	result = record.failed ? env_no_memory(&txn->env, "a form")
			       : env_put(&txn->env, AUDIENCE_FORM, id_key(key, form->id),
					 buf_slice(&record));
	buf_done(&record);
	return result;
}

enum store_result audience_form_delete(struct audience_txn *txn, u32 id)
{
	u8 key[KEY_SIZE];

	return env_delete(&txn->env, AUDIENCE_FORM, id_key(key, id));
}
