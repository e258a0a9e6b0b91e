#include "store/audience_template.h"

#include "base/check.h"
#include "base/text.h"
#include "store/audience_parts.h"
#include "store/row_values.h"

#define VERSION 1
#define KEY_SIZE 4
#define VERSION_KEY_SIZE 8
#define TEXTS_MAX (10u << 20) /* of one version, packed */

static struct slice id_key(u8 key[KEY_SIZE], u32 id)
{
	record_put_u32(key, id);
	return env_key(key, KEY_SIZE);
}

static struct slice version_key(u8 key[VERSION_KEY_SIZE], u32 id, u32 number)
{
	record_put_u32(record_put_u32(key, id), number);
	return env_key(key, VERSION_KEY_SIZE);
}

/* Names differ by more than the case of ASCII letters. */
static struct slice name_key(char key[AUDIENCE_TEMPLATE_NAME_MAX], struct slice name)
{
	ASSERT(name.len > 0 && name.len <= AUDIENCE_TEMPLATE_NAME_MAX);
	for (size_t i = 0; i < name.len; i++)
		key[i] = ascii_lower(name.ptr[i]);
	return (struct slice){ key, name.len };
}

/* ---- heads ---- */

static enum store_result show(struct audience_txn *txn, enum store_result result, struct slice key,
			      struct slice record, struct audience_template *one)
{
	struct record_reader r = record_reader_of(record);
	struct record_reader id = record_reader_of(key);
	u8 version;
	u16 by_len;
	u16 name_len;
	u8 kind;

	if (result != STORE_OK)
		return result;
	version = record_get_u8(&r);
	one->id = record_get_u32(&id);
	one->version = record_get_u32(&r);
	kind = record_get_u8(&r);
	one->language = record_get_u8(&r);
	one->created_ms = record_get_u64(&r);
	one->changed_ms = record_get_u64(&r);
	by_len = record_get_u16(&r);
	name_len = record_get_u16(&r);
	one->by = record_get_bytes(&r, by_len);
	one->name = record_get_bytes(&r, name_len);
	one->kind = (enum audience_template_kind)kind;
	if (r.bad || r.left > 0 || id.bad || version != VERSION || kind == 0 ||
	    kind >= AUDIENCE_TEMPLATE_KINDS)
		return env_damaged(&txn->env, AUDIENCE_TEMPLATE, key);
	return STORE_OK;
}

enum store_result audience_template_get(struct audience_txn *txn, u32 id,
					struct audience_template *one)
{
	u8 bytes[KEY_SIZE];
	struct slice key = id_key(bytes, id);
	struct slice record = SLICE_NONE;
	enum store_result result = env_get(&txn->env, AUDIENCE_TEMPLATE, key, &record);

	return show(txn, result, key, record, one);
}

enum store_result audience_template_after(struct audience_txn *txn, u32 id,
					  struct audience_template *one)
{
	u8 bytes[KEY_SIZE];
	struct slice key = SLICE_NONE;
	struct slice record = SLICE_NONE;
	enum store_result result =
		env_after(&txn->env, AUDIENCE_TEMPLATE, id_key(bytes, id), &key, &record);

	return show(txn, result, key, record, one);
}

enum store_result audience_template_find(struct audience_txn *txn, struct slice name,
					 struct audience_template *one)
{
	char bytes[AUDIENCE_TEMPLATE_NAME_MAX];
	struct record_reader r;
	struct slice record;
	struct slice key;
	enum store_result result;
	u32 id;

	if (name.len == 0 || name.len > AUDIENCE_TEMPLATE_NAME_MAX)
		return STORE_NOT_FOUND;
	key = name_key(bytes, name);
	result = env_get(&txn->env, AUDIENCE_TEMPLATE_NAME, key, &record);
	if (result != STORE_OK)
		return result;
	r = record_reader_of(record);
	if (record_get_u8(&r) != VERSION)
		return env_damaged(&txn->env, AUDIENCE_TEMPLATE_NAME, key);
	id = record_get_u32(&r);
	return r.bad ? env_damaged(&txn->env, AUDIENCE_TEMPLATE_NAME, key)
		     : audience_template_get(txn, id, one);
}

enum store_result audience_template_count(struct audience_txn *txn, u32 *count)
{
	struct audience_template one = { 0 };
	enum store_result result;

	*count = 0;
	while ((result = audience_template_after(txn, one.id, &one)) == STORE_OK)
		++*count;
	return result == STORE_NOT_FOUND ? STORE_OK : result;
}

static enum store_result put_head(struct audience_txn *txn, const struct audience_template *one)
{
	char name[AUDIENCE_TEMPLATE_NAME_MAX];
	u8 key[KEY_SIZE];
	u8 number[1 + 4];
	u8 *at = txn->scratch;
	enum store_result result;

	ASSERT(one->by.len <= AUDIENCE_TEMPLATE_BY_MAX && one->kind > 0 &&
	       one->kind < AUDIENCE_TEMPLATE_KINDS);
	at = record_put_u8(at, VERSION);
	at = record_put_u32(at, one->version);
	at = record_put_u8(at, (u8)one->kind);
	at = record_put_u8(at, one->language);
	at = record_put_u64(at, one->created_ms);
	at = record_put_u64(at, one->changed_ms);
	at = record_put_u16(at, (u16)one->by.len);
	at = record_put_u16(at, (u16)one->name.len);
	at = record_put_bytes(at, one->by);
	at = record_put_bytes(at, one->name);
	result = env_put(&txn->env, AUDIENCE_TEMPLATE, id_key(key, one->id),
			 env_key(txn->scratch, (size_t)(at - txn->scratch)));
	if (result != STORE_OK)
		return result;
	record_put_u32(record_put_u8(number, VERSION), one->id);
	return env_put(&txn->env, AUDIENCE_TEMPLATE_NAME, name_key(name, one->name),
		       env_key(number, sizeof(number)));
}

/* ---- versions ---- */

static enum store_result show_version(struct audience_txn *txn, enum store_result result, u32 id,
				      struct slice key, struct slice record,
				      struct audience_template_version *one)
{
	struct record_reader r = record_reader_of(record);
	struct record_reader k = record_reader_of(key);
	u8 version;

	if (result != STORE_OK)
		return result;
	if (record_get_u32(&k) != id) /* another template's */
		return STORE_NOT_FOUND;
	one->number = record_get_u32(&k);
	version = record_get_u8(&r);
	one->made_ms = record_get_u64(&r);
	one->by = record_get_bytes(&r, record_get_u16(&r));
	if (r.bad || k.bad || version != VERSION ||
	    !row_values_unpack(record_get_rest(&r), one->of, AUDIENCE_TEMPLATE_TEXTS))
		return env_damaged(&txn->env, AUDIENCE_TEMPLATE_VERSION, key);
	return STORE_OK;
}

enum store_result audience_template_version(struct audience_txn *txn, u32 id, u32 number,
					    struct audience_template_version *one)
{
	u8 bytes[VERSION_KEY_SIZE];
	struct slice key = version_key(bytes, id, number);
	struct slice record = SLICE_NONE;
	enum store_result result = env_get(&txn->env, AUDIENCE_TEMPLATE_VERSION, key, &record);

	return show_version(txn, result, id, key, record, one);
}

enum store_result audience_template_version_before(struct audience_txn *txn, u32 id, u32 number,
						   struct audience_template_version *one)
{
	u8 bytes[VERSION_KEY_SIZE];
	struct slice key = SLICE_NONE;
	struct slice record = SLICE_NONE;
	enum store_result result = env_before(&txn->env, AUDIENCE_TEMPLATE_VERSION,
					      version_key(bytes, id, number), &key, &record);

	return show_version(txn, result, id, key, record, one);
}

static enum store_result put_version(struct audience_txn *txn, u32 id, u32 number,
				     const struct audience_template_version *one)
{
	u8 key[VERSION_KEY_SIZE];
	struct buf texts;
	enum store_result result;
	u8 *at;

	ASSERT(one->by.len <= AUDIENCE_TEMPLATE_BY_MAX);
	buf_init(&texts, TEXTS_MAX);
	row_values_pack(&texts, one->of, AUDIENCE_TEMPLATE_TEXTS);
	if (texts.failed) {
		buf_done(&texts);
		return env_no_memory(&txn->env, "a template");
	}
	result = env_reserve(&txn->env, AUDIENCE_TEMPLATE_VERSION, version_key(key, id, number),
			     1 + 8 + 2 + one->by.len + texts.len, &at);
	if (result == STORE_OK) {
		at = record_put_u64(record_put_u8(at, VERSION), one->made_ms);
		at = record_put_bytes(record_put_u16(at, (u16)one->by.len), one->by);
		record_put_bytes(at, buf_slice(&texts));
	}
	buf_done(&texts);
	return result;
}

static enum store_result delete_version(struct audience_txn *txn, u32 id, u32 number)
{
	u8 key[VERSION_KEY_SIZE];
	enum store_result result = env_delete(&txn->env, AUDIENCE_TEMPLATE_VERSION,
					      version_key(key, id, number));

	return result == STORE_NOT_FOUND ? STORE_OK : result;
}

/* ---- writing ---- */

enum store_result audience_template_add(struct audience_txn *txn, struct audience_template *one,
					const struct audience_template_version *first)
{
	enum store_result result = audience_next_id(txn, "template", &one->id);

	if (result != STORE_OK)
		return result;
	one->version = 1;
	result = put_head(txn, one);
	return result == STORE_OK ? put_version(txn, one->id, 1, first) : result;
}

static enum store_result delete_name(struct audience_txn *txn, u32 id)
{
	char name[AUDIENCE_TEMPLATE_NAME_MAX];
	struct audience_template old;
	enum store_result result = audience_template_get(txn, id, &old);

	if (result != STORE_OK)
		return result;
	return env_delete(&txn->env, AUDIENCE_TEMPLATE_NAME, name_key(name, old.name));
}

enum store_result audience_template_save(struct audience_txn *txn,
					 const struct audience_template *one,
					 const struct audience_template_version *version)
{
	enum store_result result = delete_name(txn, one->id);

	if (result == STORE_OK)
		result = put_head(txn, one);
	if (result == STORE_OK && version)
		result = put_version(txn, one->id, one->version, version);
	if (result == STORE_OK && version && one->version > AUDIENCE_TEMPLATE_VERSIONS_MAX)
		result = delete_version(txn, one->id,
					one->version - AUDIENCE_TEMPLATE_VERSIONS_MAX);
	return result;
}

enum store_result audience_template_delete(struct audience_txn *txn, u32 id)
{
	struct audience_template_version version;
	u8 key[KEY_SIZE];
	enum store_result result = delete_name(txn, id);

	while (result == STORE_OK &&
	       (result = audience_template_version_before(txn, id, UINT32_MAX, &version)) ==
		       STORE_OK)
		result = delete_version(txn, id, version.number);
	if (result != STORE_NOT_FOUND)
		return result;
	return env_delete(&txn->env, AUDIENCE_TEMPLATE, id_key(key, id));
}
