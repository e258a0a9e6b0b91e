#include "store/audience_campaign_link.h"

#include "base/check.h"
#include "base/text.h"
#include "store/audience_parts.h"

#define LINK_VERSION 1
#define LINK_KEY_SIZE 8

static struct slice link_key(u8 key[LINK_KEY_SIZE], u32 campaign, u32 number)
{
	record_put_u32(record_put_u32(key, campaign), number);
	return env_key(key, LINK_KEY_SIZE);
}

static enum store_result show(struct audience_txn *txn, struct slice key, struct slice record,
			      struct slice *url)
{
	struct record_reader r = record_reader_of(record);

	if (record_get_u8(&r) != LINK_VERSION)
		return env_damaged(&txn->env, AUDIENCE_CAMPAIGN_LINK, key);
	*url = record_get_rest(&r);
	return STORE_OK;
}

enum store_result campaign_link_put(struct audience_txn *txn, u32 campaign, u32 number,
				    struct slice url)
{
	char record[1 + CAMPAIGN_LINK_URL_MAX];
	u8 key[LINK_KEY_SIZE];

	ASSERT(number > 0 && url.len <= CAMPAIGN_LINK_URL_MAX);
	record_put_bytes(record_put_u8((u8 *)record, LINK_VERSION), url);
	return env_put(&txn->env, AUDIENCE_CAMPAIGN_LINK, link_key(key, campaign, number),
		       (struct slice){ record, 1 + url.len });
}

enum store_result campaign_link_get(struct audience_txn *txn, u32 campaign, u32 number,
				    struct slice *url)
{
	u8 bytes[LINK_KEY_SIZE];
	struct slice key = link_key(bytes, campaign, number);
	struct slice record;
	enum store_result result = env_get(&txn->env, AUDIENCE_CAMPAIGN_LINK, key, &record);

	return result == STORE_OK ? show(txn, key, record, url) : result;
}

enum store_result campaign_link_after(struct audience_txn *txn, u32 campaign, u32 number,
				      u32 *found, struct slice *url)
{
	u8 bytes[LINK_KEY_SIZE];
	struct record_reader r;
	struct slice key;
	struct slice record;
	enum store_result result = env_after(&txn->env, AUDIENCE_CAMPAIGN_LINK,
					     link_key(bytes, campaign, number), &key, &record);

	if (result != STORE_OK)
		return result;
	r = record_reader_of(key);
	if (record_get_u32(&r) != campaign)
		return STORE_NOT_FOUND;
	*found = record_get_u32(&r);
	return show(txn, key, record, url);
}

enum store_result campaign_links_clear(struct audience_txn *txn, u32 campaign)
{
	enum store_result result;
	u8 key[LINK_KEY_SIZE];
	struct slice url;
	u32 number = 0;

	while ((result = campaign_link_after(txn, campaign, number, &number, &url)) == STORE_OK) {
		result = env_delete(&txn->env, AUDIENCE_CAMPAIGN_LINK,
				    link_key(key, campaign, number));
		if (result != STORE_OK)
			return result;
	}
	return result == STORE_NOT_FOUND ? STORE_OK : result;
}
