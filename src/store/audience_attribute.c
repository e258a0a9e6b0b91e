#include "store/audience_attribute.h"

#include "base/check.h"
#include "base/text.h"
#include "store/audience_parts.h"

#define VERSION 1
#define KEY_SIZE 4
#define HEAD_SIZE 8 /* version, type, required, length of the name, of the labels */
#define IS_REQUIRED 1

const char *const attribute_type_names[ATTRIBUTE_TYPES] = {
	[ATTRIBUTE_TEXT] = "text",     [ATTRIBUTE_NUMBER] = "number", [ATTRIBUTE_DATE] = "date",
	[ATTRIBUTE_CHOICE] = "choice", [ATTRIBUTE_YES_NO] = "yes-no",
};

bool attribute_name_is_good(struct slice name)
{
	static const struct slice taken[] = { SLICE("email"), SLICE("id"), SLICE("state"),
					      SLICE("created"), SLICE("changed") };

	if (name.len == 0 || name.len > ATTRIBUTE_NAME_MAX || !ascii_is_alpha(name.ptr[0]))
		return false;
	for (size_t i = 0; i < name.len; i++) {
		if (!ascii_is_alpha(name.ptr[i]) && !ascii_is_digit(name.ptr[i]) &&
		    name.ptr[i] != '_')
			return false;
	}
	for (size_t i = 0; i < array_count(taken); i++) {
		if (slice_equal_nocase(name, taken[i]))
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
			      struct slice record, struct attribute *attribute)
{
	struct record_reader r = record_reader_of(record);
	struct record_reader id = record_reader_of(key);
	u8 version;
	u8 type;
	u8 name_len;
	u16 ja_len;
	u16 en_len;

	if (result != STORE_OK)
		return result;
	version = record_get_u8(&r);
	type = record_get_u8(&r);
	attribute->is_required = record_get_u8(&r) & IS_REQUIRED;
	name_len = record_get_u8(&r);
	ja_len = record_get_u16(&r);
	en_len = record_get_u16(&r);
	attribute->id = (u16)record_get_u32(&id);
	attribute->type = (enum attribute_type)type;
	attribute->name = record_get_bytes(&r, name_len);
	attribute->label_ja = record_get_bytes(&r, ja_len);
	attribute->label_en = record_get_bytes(&r, en_len);
	attribute->choices = record_get_rest(&r);
	if (r.bad || id.bad || version != VERSION || type < ATTRIBUTE_TEXT ||
	    type >= ATTRIBUTE_TYPES)
		return env_damaged(&txn->env, AUDIENCE_ATTRIBUTE, key);
	return STORE_OK;
}

enum store_result attribute_get(struct audience_txn *txn, u16 id, struct attribute *attribute)
{
	u8 bytes[KEY_SIZE];
	struct slice key = id_key(bytes, id);
	struct slice record;
	enum store_result result = env_get(&txn->env, AUDIENCE_ATTRIBUTE, key, &record);

	return show(txn, result, key, record, attribute);
}

enum store_result attribute_after(struct audience_txn *txn, u16 id, struct attribute *attribute)
{
	u8 bytes[KEY_SIZE];
	struct slice key;
	struct slice record;
	enum store_result result =
		env_after(&txn->env, AUDIENCE_ATTRIBUTE, id_key(bytes, id), &key, &record);

	return show(txn, result, key, record, attribute);
}

enum store_result attribute_find(struct audience_txn *txn, struct slice name,
				 struct attribute *attribute)
{
	enum store_result result;

	attribute->id = 0;
	while ((result = attribute_after(txn, attribute->id, attribute)) == STORE_OK) {
		if (slice_equal_nocase(attribute->name, name))
			return STORE_OK;
	}
	return result;
}

enum store_result attribute_count(struct audience_txn *txn, u32 *count)
{
	struct attribute attribute = { 0 };
	enum store_result result;

	*count = 0;
	while ((result = attribute_after(txn, attribute.id, &attribute)) == STORE_OK)
		++*count;
	return result == STORE_NOT_FOUND ? STORE_OK : result;
}

enum store_result attribute_put(struct audience_txn *txn, const struct attribute *attribute)
{
	u8 key[KEY_SIZE];
	u8 *at = txn->scratch;
	size_t len = HEAD_SIZE + attribute->name.len + attribute->label_ja.len +
		     attribute->label_en.len + attribute->choices.len;

	ASSERT(attribute_name_is_good(attribute->name) &&
	       attribute->label_ja.len <= ATTRIBUTE_LABEL_MAX &&
	       attribute->label_en.len <= ATTRIBUTE_LABEL_MAX &&
	       attribute->choices.len <= ATTRIBUTE_CHOICES_MAX);
	at = record_put_u8(at, VERSION);
	at = record_put_u8(at, (u8)attribute->type);
	at = record_put_u8(at, attribute->is_required ? IS_REQUIRED : 0);
	at = record_put_u8(at, (u8)attribute->name.len);
	at = record_put_u16(at, (u16)attribute->label_ja.len);
	at = record_put_u16(at, (u16)attribute->label_en.len);
	at = record_put_bytes(at, attribute->name);
	at = record_put_bytes(at, attribute->label_ja);
	at = record_put_bytes(at, attribute->label_en);
	record_put_bytes(at, attribute->choices);
	return env_put(&txn->env, AUDIENCE_ATTRIBUTE, id_key(key, attribute->id),
		       env_key(txn->scratch, len));
}

enum store_result attribute_add(struct audience_txn *txn, struct attribute *attribute)
{
	u32 id;
	enum store_result result = audience_next_id(txn, "attribute", &id);

	if (result != STORE_OK)
		return result;
	if (id > UINT16_MAX)
		return STORE_FULL;
	attribute->id = (u16)id;
	return attribute_put(txn, attribute);
}

enum store_result attribute_delete(struct audience_txn *txn, u16 id)
{
	u8 key[KEY_SIZE];

	return env_delete(&txn->env, AUDIENCE_ATTRIBUTE, id_key(key, id));
}
