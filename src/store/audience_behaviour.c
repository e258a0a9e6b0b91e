#include "store/audience_behaviour.h"

#include "store/audience_parts.h"
#include "store/number_record.h"

#define BEHAVIOUR_VERSION 1
#define BEHAVIOUR_KEY_SIZE 4

_Static_assert(BEHAVIOUR_FIELDS <= NUMBER_RECORD_FIELDS_MAX, "fields have bits");

enum store_result behaviour_get(struct audience_txn *txn, u32 contact,
				struct behaviour *behaviour)
{
	u8 key[BEHAVIOUR_KEY_SIZE];
	struct slice record;
	enum store_result result;

	record_put_u32(key, contact);
	*behaviour = (struct behaviour){ 0 };
	result = env_get(&txn->env, AUDIENCE_BEHAVIOUR, env_key(key, sizeof(key)), &record);
	if (result == STORE_NOT_FOUND)
		return STORE_OK;
	if (result == STORE_OK && !number_record_read(record, BEHAVIOUR_VERSION, behaviour->of,
						      BEHAVIOUR_FIELDS))
		return env_damaged(&txn->env, AUDIENCE_BEHAVIOUR, env_key(key, sizeof(key)));
	return result;
}

enum store_result behaviour_put(struct audience_txn *txn, u32 contact,
				const struct behaviour *behaviour)
{
	u8 key[BEHAVIOUR_KEY_SIZE];
	u8 record[NUMBER_RECORD_MAX];
	size_t len =
		number_record_write(record, BEHAVIOUR_VERSION, behaviour->of, BEHAVIOUR_FIELDS);

	record_put_u32(key, contact);
	return env_put(&txn->env, AUDIENCE_BEHAVIOUR, env_key(key, sizeof(key)),
		       env_key(record, len));
}

enum store_result behaviour_note_sent(struct audience_txn *txn, u32 contact, u32 now_s)
{
	struct behaviour behaviour;
	enum store_result result = behaviour_get(txn, contact, &behaviour);

	if (result != STORE_OK)
		return result;
	behaviour.of[BEHAVIOUR_LAST_SENT] = now_s;
	behaviour.of[BEHAVIOUR_SENT]++;
	return behaviour_put(txn, contact, &behaviour);
}

enum store_result behaviour_after(struct audience_txn *txn, u32 contact, u32 *found,
				  struct behaviour *behaviour)
{
	u8 bytes[BEHAVIOUR_KEY_SIZE];
	struct slice record;
	struct slice key;
	struct record_reader r;
	enum store_result result;

	record_put_u32(bytes, contact);
	result = env_after(&txn->env, AUDIENCE_BEHAVIOUR, env_key(bytes, sizeof(bytes)), &key,
			   &record);
	if (result != STORE_OK)
		return result;
	r = record_reader_of(key);
	*found = record_get_u32(&r);
	if (r.bad ||
	    !number_record_read(record, BEHAVIOUR_VERSION, behaviour->of, BEHAVIOUR_FIELDS))
		return env_damaged(&txn->env, AUDIENCE_BEHAVIOUR, key);
	return STORE_OK;
}
