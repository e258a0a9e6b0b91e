#include "store/audience_campaign.h"

#include "base/check.h"
#include "store/audience_campaign_link.h"
#include "store/audience_campaign_text.h"
#include "store/audience_parts.h"

#define CAMPAIGN_VERSION 1
#define CAMPAIGN_KEY_SIZE 4
#define CAMPAIGN_HEAD (1 + 1 + 4 * 3 + 6 * 8 + 2 + 2)

const char *const audience_campaign_state_names[AUDIENCE_CAMPAIGN_STATES] = {
	[0] = "unknown",
	[AUDIENCE_CAMPAIGN_DRAFT] = "draft",
	[AUDIENCE_CAMPAIGN_SCHEDULED] = "scheduled",
	[AUDIENCE_CAMPAIGN_RUNNING] = "running",
	[AUDIENCE_CAMPAIGN_SENDING] = "sending",
	[AUDIENCE_CAMPAIGN_PAUSED] = "paused",
	[AUDIENCE_CAMPAIGN_DONE] = "done",
	[AUDIENCE_CAMPAIGN_CANCELLED] = "cancelled",
	[AUDIENCE_CAMPAIGN_STEP] = "step",
};

static struct slice campaign_key(u8 key[CAMPAIGN_KEY_SIZE], u32 id)
{
	record_put_u32(key, id);
	return env_key(key, CAMPAIGN_KEY_SIZE);
}

static bool read_record(struct slice record, struct audience_campaign *c)
{
	struct record_reader r = record_reader_of(record);
	u8 version = record_get_u8(&r);
	u16 customer_len;
	u16 reason_len;

	c->state = record_get_u8(&r);
	c->flags = record_get_u32(&r);
	c->sender = record_get_u32(&r);
	c->last = record_get_u32(&r);
	c->created_ms = record_get_u64(&r);
	c->changed_ms = record_get_u64(&r);
	c->start_ms = record_get_u64(&r);
	c->started_ms = record_get_u64(&r);
	c->finished_ms = record_get_u64(&r);
	c->cursor = record_get_u64(&r);
	customer_len = record_get_u16(&r);
	reason_len = record_get_u16(&r);
	c->customer = record_get_bytes(&r, customer_len);
	c->reason = record_get_bytes(&r, reason_len);
	c->draft = record_get_rest(&r);
	return !r.bad && version == CAMPAIGN_VERSION && c->state >= AUDIENCE_CAMPAIGN_DRAFT &&
	       c->state < AUDIENCE_CAMPAIGN_STATES;
}

/* What was found at `key`. */
static enum store_result show(struct audience_txn *txn, enum store_result result, struct slice key,
			      struct slice record, struct audience_campaign *campaign)
{
	struct record_reader r = record_reader_of(key);

	if (result != STORE_OK)
		return result;
	campaign->id = record_get_u32(&r);
	if (r.bad || r.left > 0 || !read_record(record, campaign))
		return env_damaged(&txn->env, AUDIENCE_CAMPAIGN, key);
	return STORE_OK;
}

enum store_result audience_campaign_get(struct audience_txn *txn, u32 id,
					struct audience_campaign *campaign)
{
	u8 bytes[CAMPAIGN_KEY_SIZE];
	struct slice key = campaign_key(bytes, id);
	struct slice record = SLICE_NONE;
	enum store_result result = env_get(&txn->env, AUDIENCE_CAMPAIGN, key, &record);

	return show(txn, result, key, record, campaign);
}

enum store_result audience_campaign_after(struct audience_txn *txn, u32 id,
					  struct audience_campaign *campaign)
{
	u8 bytes[CAMPAIGN_KEY_SIZE];
	struct slice key = SLICE_NONE;
	struct slice record = SLICE_NONE;
	enum store_result result = env_after(&txn->env, AUDIENCE_CAMPAIGN, campaign_key(bytes, id),
					     &key, &record);

	return show(txn, result, key, record, campaign);
}

enum store_result audience_campaign_before(struct audience_txn *txn, u32 id,
					   struct audience_campaign *campaign)
{
	u8 bytes[CAMPAIGN_KEY_SIZE];
	struct slice key = SLICE_NONE;
	struct slice record = SLICE_NONE;
	enum store_result result = env_before(&txn->env, AUDIENCE_CAMPAIGN,
					      campaign_key(bytes, id), &key, &record);

	return show(txn, result, key, record, campaign);
}

enum store_result audience_campaign_put(struct audience_txn *txn,
					const struct audience_campaign *c)
{
	u8 key[CAMPAIGN_KEY_SIZE];
	enum store_result result;
	u8 *at;

	ASSERT(c->id > 0 && c->state >= AUDIENCE_CAMPAIGN_DRAFT &&
	       c->state < AUDIENCE_CAMPAIGN_STATES);
	ASSERT(c->customer.len <= AUDIENCE_CAMPAIGN_CUSTOMER_MAX);
	ASSERT(c->reason.len <= AUDIENCE_CAMPAIGN_REASON_MAX);
	ASSERT(c->draft.len <= AUDIENCE_CAMPAIGN_DRAFT_MAX);
	result = env_reserve(&txn->env, AUDIENCE_CAMPAIGN, campaign_key(key, c->id),
			     CAMPAIGN_HEAD + c->customer.len + c->reason.len + c->draft.len, &at);
	if (result != STORE_OK)
		return result;
	at = record_put_u8(record_put_u8(at, CAMPAIGN_VERSION), (u8)c->state);
	at = record_put_u32(record_put_u32(record_put_u32(at, c->flags), c->sender), c->last);
	at = record_put_u64(record_put_u64(at, c->created_ms), c->changed_ms);
	at = record_put_u64(record_put_u64(at, c->start_ms), c->started_ms);
	at = record_put_u64(record_put_u64(at, c->finished_ms), c->cursor);
	at = record_put_u16(record_put_u16(at, (u16)c->customer.len), (u16)c->reason.len);
	at = record_put_bytes(record_put_bytes(at, c->customer), c->reason);
	record_put_bytes(at, c->draft);
	return STORE_OK;
}

enum store_result audience_campaign_add(struct audience_txn *txn,
					struct audience_campaign *campaign)
{
	enum store_result result = audience_next_id(txn, "campaign", &campaign->id);

	return result == STORE_OK ? audience_campaign_put(txn, campaign) : result;
}

enum store_result audience_campaign_delete(struct audience_txn *txn, u32 id)
{
	u8 key[CAMPAIGN_KEY_SIZE];
	enum store_result result = campaign_links_clear(txn, id);

	if (result == STORE_OK)
		result = campaign_text_delete(txn, id);
	if (result != STORE_OK)
		return result;
	return env_delete(&txn->env, AUDIENCE_CAMPAIGN, campaign_key(key, id));
}
