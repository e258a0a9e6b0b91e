#include "store/audience_list.h"

#include "base/check.h"
#include "base/text.h"
#include "store/audience_contact.h"
#include "store/audience_parts.h"

#define VERSION 1
#define KEY_SIZE 4

enum list_flag {
	IS_PUBLIC = 1,
	IS_DOUBLE = 2,
	IS_DEFAULT = 4,
};

bool audience_list_name_is_good(struct slice name)
{
	if (name.len == 0 || name.len > LIST_NAME_MAX || !ascii_is_alpha(name.ptr[0]))
		return false;
	for (size_t i = 0; i < name.len; i++) {
		if (!ascii_is_alpha(name.ptr[i]) && !ascii_is_digit(name.ptr[i]) &&
		    name.ptr[i] != '_' && name.ptr[i] != '-')
			return false;
	}
	return true;
}

static struct slice id_key(u8 key[KEY_SIZE], u16 id)
{
	record_put_u32(key, id);
	return env_key(key, KEY_SIZE);
}

static enum store_result show(struct audience_txn *txn, enum store_result result, struct slice key,
			      struct slice record, struct audience_list *list)
{
	struct record_reader r = record_reader_of(record);
	struct record_reader id = record_reader_of(key);
	u8 version;
	u8 flags;
	u8 name_len;
	u16 title_len;

	if (result != STORE_OK)
		return result;
	version = record_get_u8(&r);
	flags = record_get_u8(&r);
	list->created_ms = record_get_u64(&r);
	name_len = record_get_u8(&r);
	title_len = record_get_u16(&r);
	list->id = (u16)record_get_u32(&id);
	list->is_public = flags & IS_PUBLIC;
	list->is_double = flags & IS_DOUBLE;
	list->is_default = flags & IS_DEFAULT;
	list->name = record_get_bytes(&r, name_len);
	list->title = record_get_bytes(&r, title_len);
	list->description = record_get_rest(&r);
	if (r.bad || id.bad || version != VERSION)
		return env_damaged(&txn->env, AUDIENCE_LIST, key);
	return STORE_OK;
}

enum store_result audience_list_get(struct audience_txn *txn, u16 id, struct audience_list *list)
{
	u8 bytes[KEY_SIZE];
	struct slice key = id_key(bytes, id);
	struct slice record;
	enum store_result result = env_get(&txn->env, AUDIENCE_LIST, key, &record);

	return show(txn, result, key, record, list);
}

enum store_result audience_list_after(struct audience_txn *txn, u16 id, struct audience_list *list)
{
	u8 bytes[KEY_SIZE];
	struct slice key;
	struct slice record;
	enum store_result result =
		env_after(&txn->env, AUDIENCE_LIST, id_key(bytes, id), &key, &record);

	return show(txn, result, key, record, list);
}

enum store_result audience_list_find(struct audience_txn *txn, struct slice name,
				     struct audience_list *list)
{
	enum store_result result;

	list->id = 0;
	while ((result = audience_list_after(txn, list->id, list)) == STORE_OK) {
		if (slice_equal_nocase(list->name, name))
			return STORE_OK;
	}
	return result;
}

enum store_result audience_list_count(struct audience_txn *txn, u32 *count)
{
	struct audience_list list = { 0 };
	enum store_result result;

	*count = 0;
	while ((result = audience_list_after(txn, list.id, &list)) == STORE_OK)
		++*count;
	return result == STORE_NOT_FOUND ? STORE_OK : result;
}

enum store_result audience_list_put(struct audience_txn *txn, const struct audience_list *list)
{
	u8 key[KEY_SIZE];
	u8 *at = txn->scratch;

	ASSERT(audience_list_name_is_good(list->name) && list->title.len <= LIST_TITLE_MAX &&
	       list->description.len <= LIST_DESCRIPTION_MAX);
	at = record_put_u8(at, VERSION);
	at = record_put_u8(at, (u8)((list->is_public ? IS_PUBLIC : 0) |
				    (list->is_double ? IS_DOUBLE : 0) |
				    (list->is_default ? IS_DEFAULT : 0)));
	at = record_put_u64(at, list->created_ms);
	at = record_put_u8(at, (u8)list->name.len);
	at = record_put_u16(at, (u16)list->title.len);
	at = record_put_bytes(at, list->name);
	at = record_put_bytes(at, list->title);
	at = record_put_bytes(at, list->description);
	return env_put(&txn->env, AUDIENCE_LIST, id_key(key, list->id),
		       env_key(txn->scratch, (size_t)(at - txn->scratch)));
}

enum store_result audience_list_add(struct audience_txn *txn, struct audience_list *list)
{
	u32 id;
	enum store_result result = audience_next_id(txn, "list", &id);

	if (result != STORE_OK)
		return result;
	if (id > UINT16_MAX)
		return STORE_FULL;
	list->id = (u16)id;
	return audience_list_put(txn, list);
}

/* ---- deleting ---- */

static enum store_result take_out(struct audience_txn *txn, u16 list, u32 id, u64 now_ms)
{
	char room[CONTACT_LISTS_MAX * CONTACT_MEMBER_SIZE];
	struct buf lists = { .ptr = room, .size = sizeof(room), .max = sizeof(room) };
	struct contact before;
	struct contact contact;
	enum store_result result = contact_get(txn, id, &before);

	if (result == STORE_NOT_FOUND)
		return env_damaged(&txn->env, AUDIENCE_MEMBER, SLICE_NONE);
	if (result != STORE_OK)
		return result;
	contact = before;
	contact_drop_member(&lists, before.lists, list);
	ASSERT(!lists.failed);
	contact.lists = buf_slice(&lists);
	contact.changed_ms = now_ms;
	return contact_put(txn, &before, &contact);
}

enum store_result audience_list_delete(struct audience_txn *txn, u16 id, u32 max, u64 now_ms,
				       bool *left)
{
	u8 key[KEY_SIZE];
	enum member_state state;
	enum store_result result = STORE_OK;
	u32 contact = 0;

	*left = true;
	for (u32 i = 0; i < max; i++) {
		result = member_after(txn, id, contact, &contact, &state);
		if (result != STORE_OK)
			break;
		result = take_out(txn, id, contact, now_ms);
		if (result != STORE_OK)
			return result;
	}
	if (result != STORE_NOT_FOUND)
		return result;
	*left = false;
	return env_delete(&txn->env, AUDIENCE_LIST, id_key(key, id));
}
