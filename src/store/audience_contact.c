#include "store/audience_contact.h"

#include "base/check.h"
#include "base/text.h"
#include "store/audience_count.h"
#include "store/audience_enrolment.h"
#include "store/audience_import.h"
#include "store/audience_parts.h"

#define ID_SIZE 4
#define MEMBER_KEY_SIZE 8
#define MEMBER_VERSION 1
#define MEMBER_RECORD_SIZE 2
#define ADDRESS_VERSION 1
#define ADDRESS_RECORD_SIZE 5

static struct slice id_key(u8 key[ID_SIZE], u32 id)
{
	record_put_u32(key, id);
	return env_key(key, ID_SIZE);
}

static u32 id_of(struct slice key)
{
	struct record_reader r = record_reader_of(key);

	return record_get_u32(&r);
}

/* ---- reading ---- */

static enum store_result show(struct audience_txn *txn, enum store_result result, struct slice key,
			      struct slice record, struct contact *contact)
{
	if (result != STORE_OK)
		return result;
	contact->id = id_of(key);
	if (!contact_record_read(record, contact))
		return env_damaged(&txn->env, AUDIENCE_CONTACT, key);
	return STORE_OK;
}

enum store_result contact_get(struct audience_txn *txn, u32 id, struct contact *contact)
{
	u8 bytes[ID_SIZE];
	struct slice key = id_key(bytes, id);
	struct slice record;
	enum store_result result = env_get(&txn->env, AUDIENCE_CONTACT, key, &record);

	return show(txn, result, key, record, contact);
}

enum store_result contact_after(struct audience_txn *txn, u32 id, struct contact *contact)
{
	u8 bytes[ID_SIZE];
	struct slice key;
	struct slice record;
	enum store_result result =
		env_after(&txn->env, AUDIENCE_CONTACT, id_key(bytes, id), &key, &record);

	return show(txn, result, key, record, contact);
}

enum store_result contact_next(struct audience_txn *txn, struct contact *contact)
{
	struct slice key;
	struct slice record;
	enum store_result result = env_next(&txn->env, AUDIENCE_CONTACT, &key, &record);

	return show(txn, result, key, record, contact);
}

enum store_result contact_before(struct audience_txn *txn, u32 id, struct contact *contact)
{
	u8 bytes[ID_SIZE];
	struct slice key;
	struct slice record;
	enum store_result result =
		env_before(&txn->env, AUDIENCE_CONTACT, id_key(bytes, id), &key, &record);

	return show(txn, result, key, record, contact);
}

static enum store_result address_read(struct audience_txn *txn, struct slice key,
				      struct slice record, u32 *id)
{
	struct record_reader r = record_reader_of(record);
	u8 version = record_get_u8(&r);

	*id = record_get_u32(&r);
	if (r.bad || version != ADDRESS_VERSION)
		return env_damaged(&txn->env, AUDIENCE_CONTACT_ADDRESS, key);
	return STORE_OK;
}

enum store_result contact_find(struct audience_txn *txn, struct slice key, u32 *id)
{
	struct slice record;
	enum store_result result = env_get(&txn->env, AUDIENCE_CONTACT_ADDRESS, key, &record);

	return result == STORE_OK ? address_read(txn, key, record, id) : result;
}

enum store_result contact_find_after(struct audience_txn *txn, struct slice key,
				     struct slice *found, u32 *id)
{
	/* The least key that there can be: LMDB seeks from no empty one. */
	struct slice from = key.len > 0 ? key : SLICE("\0");
	struct slice record;
	enum store_result result =
		env_after(&txn->env, AUDIENCE_CONTACT_ADDRESS, from, found, &record);

	return result == STORE_OK ? address_read(txn, *found, record, id) : result;
}

/* ---- writing ---- */

/* Into the transaction's scratch, before anything is written. */
static struct slice compose_record(struct audience_txn *txn, const struct contact *contact)
{
	ASSERT(contact->address.len <= CONTACT_ADDRESS_MAX &&
	       contact->values.len <= CONTACT_VALUES_MAX &&
	       contact->lists.len <= CONTACT_LISTS_MAX * CONTACT_MEMBER_SIZE);
	contact_record_write(txn->scratch, contact);
	return env_key(txn->scratch, contact_record_size(contact));
}

static enum store_result put_record(struct audience_txn *txn, u32 id, struct slice record)
{
	u8 key[ID_SIZE];

	return env_put(&txn->env, AUDIENCE_CONTACT, id_key(key, id), record);
}

static enum store_result put_address(struct audience_txn *txn, struct slice key, u32 id)
{
	u8 record[ADDRESS_RECORD_SIZE];

	ASSERT(key.len > 0 && key.len <= CONTACT_KEY_MAX);
	record_put_u32(record_put_u8(record, ADDRESS_VERSION), id);
	return env_put(&txn->env, AUDIENCE_CONTACT_ADDRESS, key, env_key(record, sizeof(record)));
}

static struct slice member_key(u8 key[MEMBER_KEY_SIZE], u16 list, u32 contact)
{
	record_put_u32(record_put_u32(key, list), contact);
	return env_key(key, MEMBER_KEY_SIZE);
}

static enum store_result count_member(struct audience_txn *txn, const struct contact_member *member,
				      i64 change)
{
	return audience_count_change(txn, COUNTED_MEMBERS,
				     (u32)member->list * 8 + (u32)member->state, change);
}

static enum store_result add_member(struct audience_txn *txn, u32 id,
				    const struct contact_member *member)
{
	u8 key[MEMBER_KEY_SIZE];
	u8 record[MEMBER_RECORD_SIZE];
	enum store_result result;

	record_put_u8(record_put_u8(record, MEMBER_VERSION), (u8)member->state);
	result = env_put(&txn->env, AUDIENCE_MEMBER, member_key(key, member->list, id),
			 env_key(record, sizeof(record)));
	return result == STORE_OK ? count_member(txn, member, 1) : result;
}

static enum store_result drop_member(struct audience_txn *txn, u32 id,
				     const struct contact_member *member)
{
	u8 key[MEMBER_KEY_SIZE];
	enum store_result result =
		env_delete(&txn->env, AUDIENCE_MEMBER, member_key(key, member->list, id));

	if (result == STORE_OK || result == STORE_NOT_FOUND)
		result = count_member(txn, member, -1);
	return result;
}

/* From the lists that were to those that are; both ascend. */
static enum store_result change_members(struct audience_txn *txn, u32 id, struct slice were,
					struct slice are)
{
	struct contact_member old;
	struct contact_member new;
	bool has_old = contact_next_member(&were, &old);
	bool has_new = contact_next_member(&are, &new);
	enum store_result result = STORE_OK;

	while (result == STORE_OK && (has_old || has_new)) {
		bool same = has_old && has_new && old.list == new.list;
		bool takes_old = has_old && (!has_new || old.list <= new.list);
		bool takes_new = has_new && (!has_old || new.list <= old.list);

		if (takes_old && !(same && old.state == new.state))
			result = drop_member(txn, id, &old);
		if (takes_new && result == STORE_OK && !(same && old.state == new.state))
			result = add_member(txn, id, &new);
		if (takes_old)
			has_old = contact_next_member(&were, &old);
		if (takes_new)
			has_new = contact_next_member(&are, &new);
	}
	return result;
}

/* Of a record that was just composed. */
static struct slice lists_of(struct slice record)
{
	struct contact contact;

	ASSERT(contact_record_read(record, &contact));
	return contact.lists;
}

enum store_result contact_add(struct audience_txn *txn, struct contact *contact, struct slice key)
{
	struct slice record = compose_record(txn, contact);
	struct enrolment_changes changes;
	enum store_result result = enrolment_foresee(txn, NULL, contact, &changes);

	if (result == STORE_OK)
		result = audience_next_id(txn, "contact", &contact->id);
	if (result == STORE_OK)
		result = put_record(txn, contact->id, record);
	if (result == STORE_OK)
		result = put_address(txn, key, contact->id);
	if (result == STORE_OK)
		result = change_members(txn, contact->id, SLICE_NONE, lists_of(record));
	if (result == STORE_OK)
		result = audience_count_change(txn, COUNTED_CONTACTS, (u32)contact->state, 1);
	if (result == STORE_OK)
		result = enrolment_follow(txn, contact->id, contact->changed_ms, &changes);
	return result;
}

enum store_result contact_put(struct audience_txn *txn, const struct contact *before,
			      const struct contact *contact)
{
	char lists[CONTACT_LISTS_MAX * CONTACT_MEMBER_SIZE];
	struct slice were = { lists, before->lists.len };
	struct slice record = compose_record(txn, contact);
	enum contact_state state = before->state;
	struct enrolment_changes changes;
	enum store_result result;

	ASSERT(before->id == contact->id && were.len <= sizeof(lists));
	if (were.len > 0)
		memcpy(lists, before->lists.ptr, were.len);
	result = enrolment_foresee(txn, before, contact, &changes);
	if (result == STORE_OK)
		result = put_record(txn, contact->id, record);
	if (result == STORE_OK)
		result = change_members(txn, contact->id, were, lists_of(record));
	if (result == STORE_OK && state != contact->state) {
		result = audience_count_change(txn, COUNTED_CONTACTS, (u32)state, -1);
		if (result == STORE_OK)
			result = audience_count_change(txn, COUNTED_CONTACTS, (u32)contact->state,
						       1);
	}
	if (result == STORE_OK)
		result = enrolment_follow(txn, contact->id, contact->changed_ms, &changes);
	return result;
}

enum store_result contact_move(struct audience_txn *txn, u32 id, struct slice old_key,
			       struct slice new_key, struct slice address, u64 changed_ms)
{
	struct contact contact;
	struct slice record;
	enum store_result result = contact_get(txn, id, &contact);

	if (result != STORE_OK)
		return result;
	contact.address = address;
	contact.changed_ms = changed_ms;
	record = compose_record(txn, &contact);
	result = put_record(txn, id, record);
	if (result == STORE_OK)
		result = env_delete(&txn->env, AUDIENCE_CONTACT_ADDRESS, old_key);
	return result == STORE_OK ? put_address(txn, new_key, id) : result;
}

/* All entries whose keys begin with these bytes. */
static enum store_result erase_below(struct audience_txn *txn, u32 table, struct slice prefix)
{
	struct slice key;
	struct slice value;
	enum store_result result;

	while ((result = env_seek(&txn->env, table, prefix, &key, &value)) == STORE_OK &&
	       slice_has_prefix(key, prefix)) {
		result = env_delete(&txn->env, table, key);
		if (result != STORE_OK)
			return result;
	}
	return result == STORE_NOT_FOUND ? STORE_OK : result;
}

static enum store_result gone(enum store_result result)
{
	return result == STORE_NOT_FOUND ? STORE_OK : result;
}

enum store_result contact_erase(struct audience_txn *txn, u32 id, struct slice key)
{
	char lists[CONTACT_LISTS_MAX * CONTACT_MEMBER_SIZE];
	struct contact contact;
	struct slice were;
	u8 bytes[ID_SIZE];
	struct slice id_bytes = id_key(bytes, id);
	enum store_result result = contact_get(txn, id, &contact);

	if (result != STORE_OK)
		return result;
	ASSERT(contact.lists.len <= sizeof(lists));
	were = (struct slice){ lists, contact.lists.len };
	if (were.len > 0)
		memcpy(lists, contact.lists.ptr, were.len);
	result = audience_count_change(txn, COUNTED_CONTACTS, (u32)contact.state, -1);
	if (result == STORE_OK)
		result = change_members(txn, id, were, SLICE_NONE);
	if (result == STORE_OK)
		result = env_delete(&txn->env, AUDIENCE_CONTACT, id_bytes);
	if (result == STORE_OK)
		result = gone(env_delete(&txn->env, AUDIENCE_CONTACT_ADDRESS, key));
	if (result == STORE_OK)
		result = gone(env_delete(&txn->env, AUDIENCE_BEHAVIOUR, id_bytes));
	if (result == STORE_OK)
		result = erase_below(txn, AUDIENCE_HISTORY, id_bytes);
	if (result == STORE_OK)
		result = import_undo_forget(txn, id);
	if (result == STORE_OK)
		result = enrolments_erase(txn, id);
	return result;
}

enum store_result member_after(struct audience_txn *txn, u16 list, u32 contact, u32 *found,
			       enum member_state *state)
{
	u8 bytes[MEMBER_KEY_SIZE];
	struct slice key;
	struct slice record;
	struct record_reader r;
	enum store_result result = env_after(&txn->env, AUDIENCE_MEMBER,
					     member_key(bytes, list, contact), &key, &record);

	if (result != STORE_OK)
		return result;
	r = record_reader_of(key);
	if (record_get_u32(&r) != list)
		return STORE_NOT_FOUND;
	*found = record_get_u32(&r);
	r = record_reader_of(record);
	if (record_get_u8(&r) != MEMBER_VERSION)
		return env_damaged(&txn->env, AUDIENCE_MEMBER, key);
	*state = (enum member_state)record_get_u8(&r);
	return r.bad ? env_damaged(&txn->env, AUDIENCE_MEMBER, key) : STORE_OK;
}
