#include "store/audience_activity.h"

#include "store/audience_parts.h"
#include "store/number_record.h"

#define ACTIVITY_VERSION 1
#define ACTIVITY_KEY_SIZE 8

_Static_assert(ACTIVITY_FIELDS <= NUMBER_RECORD_FIELDS_MAX, "fields have bits");

static struct slice activity_key(u8 key[ACTIVITY_KEY_SIZE], u32 campaign, u32 contact)
{
	record_put_u32(record_put_u32(key, campaign), contact);
	return env_key(key, ACTIVITY_KEY_SIZE);
}

static enum store_result show(struct audience_txn *txn, struct slice key, struct slice record,
			      struct activity *activity)
{
	if (!number_record_read(record, ACTIVITY_VERSION, activity->of, ACTIVITY_FIELDS))
		return env_damaged(&txn->env, AUDIENCE_ACTIVITY, key);
	return STORE_OK;
}

enum store_result activity_get(struct audience_txn *txn, u32 campaign, u32 contact,
			       struct activity *activity)
{
	u8 bytes[ACTIVITY_KEY_SIZE];
	struct slice key = activity_key(bytes, campaign, contact);
	struct slice record;
	enum store_result result = env_get(&txn->env, AUDIENCE_ACTIVITY, key, &record);

	*activity = (struct activity){ 0 };
	if (result == STORE_NOT_FOUND)
		return STORE_OK;
	return result == STORE_OK ? show(txn, key, record, activity) : result;
}

enum store_result activity_put(struct audience_txn *txn, u32 campaign, u32 contact,
			       const struct activity *activity)
{
	u8 bytes[ACTIVITY_KEY_SIZE];
	u8 record[NUMBER_RECORD_MAX];
	size_t len = number_record_write(record, ACTIVITY_VERSION, activity->of, ACTIVITY_FIELDS);

	return env_put(&txn->env, AUDIENCE_ACTIVITY, activity_key(bytes, campaign, contact),
		       env_key(record, len));
}

enum store_result activity_after(struct audience_txn *txn, u32 campaign, u32 contact, u32 *found,
				 struct activity *activity)
{
	u8 bytes[ACTIVITY_KEY_SIZE];
	struct record_reader r;
	struct slice key;
	struct slice record;
	enum store_result result =
		env_after(&txn->env, AUDIENCE_ACTIVITY, activity_key(bytes, campaign, contact),
			  &key, &record);

	if (result != STORE_OK)
		return result;
	r = record_reader_of(key);
	if (record_get_u32(&r) != campaign)
		return STORE_NOT_FOUND;
	*found = record_get_u32(&r);
	return show(txn, key, record, activity);
}

/* The bit of a link, in the field that holds it. False: it has none. */
static bool place_of(u32 number, enum activity_field *field, u32 *bit)
{
	if (number == 0 || number > 64)
		return false;
	*field = number <= 32 ? ACTIVITY_LINKS : ACTIVITY_LINKS_MORE;
	*bit = 1u << ((number - 1) % 32);
	return true;
}

bool activity_has_link(const struct activity *activity, u32 number)
{
	enum activity_field field;
	u32 bit;

	return place_of(number, &field, &bit) && (activity->of[field] & bit);
}

void activity_add_link(struct activity *activity, u32 number)
{
	enum activity_field field;
	u32 bit;

	if (place_of(number, &field, &bit))
		activity->of[field] |= bit;
}
