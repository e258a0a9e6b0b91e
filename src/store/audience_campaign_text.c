#include "store/audience_campaign_text.h"

#include "store/audience_parts.h"

#define VERSION 1
#define KEY_SIZE 4

static struct slice campaign_key(u8 key[KEY_SIZE], u32 campaign)
{
	record_put_u32(key, campaign);
	return env_key(key, KEY_SIZE);
}

enum store_result campaign_text_get(struct audience_txn *txn, u32 campaign, struct slice *texts)
{
	u8 bytes[KEY_SIZE];
	struct slice key = campaign_key(bytes, campaign);
	struct slice record;
	struct record_reader r;
	enum store_result result = env_get(&txn->env, AUDIENCE_CAMPAIGN_TEXT, key, &record);

	if (result != STORE_OK)
		return result;
	r = record_reader_of(record);
	if (record_get_u8(&r) != VERSION)
		return env_damaged(&txn->env, AUDIENCE_CAMPAIGN_TEXT, key);
	*texts = record_get_rest(&r);
	return STORE_OK;
}

enum store_result campaign_text_put(struct audience_txn *txn, u32 campaign, struct slice texts)
{
	u8 key[KEY_SIZE];
	u8 *at;
	enum store_result result = env_reserve(&txn->env, AUDIENCE_CAMPAIGN_TEXT,
					       campaign_key(key, campaign), texts.len + 1, &at);

	if (result == STORE_OK)
		record_put_bytes(record_put_u8(at, VERSION), texts);
	return result;
}

enum store_result campaign_text_delete(struct audience_txn *txn, u32 campaign)
{
	u8 key[KEY_SIZE];
	enum store_result result = env_delete(&txn->env, AUDIENCE_CAMPAIGN_TEXT,
					      campaign_key(key, campaign));

	return result == STORE_NOT_FOUND ? STORE_OK : result;
}
