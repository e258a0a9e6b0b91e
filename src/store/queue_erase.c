#include "store/queue.h"

#include "base/text.h"
#include "store/queue_table.h"
#include "store/record.h"

/*
 * Erasing a campaign: a few thousand rows and records per call. Deferred rows sort by time, so all
 * of them have to be looked at once; the place is remembered from call to call. This is the number
 * looked at for each one that may be dropped.
 */
#define ERASE_LOOKS_PER_DROP 8

/* Drops entries whose key starts with the campaign's number. */
static enum store_result erase_prefixed(struct queue *queue, enum table table, u32 id, u32 *limit)
{
	u8 bytes[4];
	struct slice prefix = table_key(bytes, sizeof(bytes));
	struct slice found;
	struct slice value;
	enum store_result result;

	record_put_u32(bytes, id);
	for (; *limit > 0; *limit -= 1) {
		result = table_seek(queue, table, prefix, &found, &value);
		if (result != STORE_OK)
			return result;
		if (!slice_has_prefix(found, prefix))
			return STORE_NOT_FOUND;
		result = table_delete(queue, table, found);
		if (result != STORE_OK)
			return result;
	}
	return STORE_OK;
}

static enum store_result erase_deferred(struct queue *queue, u32 id, u32 *limit)
{
	struct erase_state *erase = &queue->erase;
	u64 looks = (u64)*limit * ERASE_LOOKS_PER_DROP;
	u8 key[ROW_KEY_MAX];
	struct slice from;
	struct slice found;
	struct slice value;
	enum store_result result;

	if (erase->campaign != id)
		*erase = (struct erase_state){ .campaign = id, .at.place = ROW_DEFERRED };
	erase->in_transaction = true;
	while (!erase->done) {
		if (*limit == 0 || looks-- == 0)
			return STORE_OK;
		from = table_key(key, row_key_write(key, &erase->at));
		result = table_after(queue, TABLE_DEFERRED, from, &found, &value);
		if (result == STORE_NOT_FOUND)
			erase->done = true;
		if (result != STORE_OK)
			return result;
		if (!row_key_read(found, ROW_DEFERRED, &erase->at))
			return table_damaged(queue, TABLE_DEFERRED, found);
		if (erase->at.id.campaign != id)
			continue;
		result = table_delete(queue, TABLE_DEFERRED, found);
		if (result != STORE_OK)
			return result;
		*limit -= 1;
	}
	return STORE_NOT_FOUND;
}

enum store_result queue_campaign_erase(struct queue *queue, u32 id, u32 limit)
{
	static const enum table prefixed[] = { TABLE_ROW, TABLE_DOUBT, TABLE_RECIPIENT, TABLE_LANE,
					       TABLE_BLOB };
	struct queue_campaign campaign;
	enum store_result result = queue_campaign_get(queue, id, &campaign);
	u8 key[4];

	if (result == STORE_OK && campaign.state == CAMPAIGN_IMPORTING)
		result = STORE_NOT_FOUND;
	else if (result == STORE_OK || result == STORE_NOT_FOUND)
		result = erase_deferred(queue, id, &limit);
	for (size_t i = 0; i < array_count(prefixed) && result == STORE_NOT_FOUND; i++)
		result = erase_prefixed(queue, prefixed[i], id, &limit);
	if (result != STORE_NOT_FOUND)
		return result;
	/* The record goes last: while it is there, a crash cannot leave rows that nobody owns. */
	record_put_u32(key, id);
	result = table_delete(queue, TABLE_CAMPAIGN, table_key(key, sizeof(key)));
	queue->erase = (struct erase_state){ 0 };
	return result == STORE_OK ? STORE_NOT_FOUND : result;
}
