/*
 * Who rows were for. A row goes when its message is delivered; what comes back later names only the
 * row, by a token. So an import notes its addresses a second time, many to a record and without the
 * domain, which the lane has: about 15 bytes for each. Rows of letters have no lane, and are noted
 * with whole addresses.
 */
#include "store/queue.h"

#include "base/check.h"
#include "base/text.h"
#include "store/queue_table.h"
#include "store/record.h"

#define KEY_SIZE 12
#define RECORD_VERSION_WHOLE 2 /* with domains */

/* The key of a part is its last row, so that the first key at or behind a row is its part. */
static struct slice part_key(u8 key[KEY_SIZE], const struct row_id *last)
{
	u8 *at = record_put_u32(key, last->campaign);

	record_put_u32(record_put_u32(at, last->domain), last->seq);
	return table_key(key, KEY_SIZE);
}

static bool key_read(struct slice key, struct row_id *last)
{
	struct record_reader r = record_reader_of(key);

	last->campaign = record_get_u32(&r);
	last->domain = record_get_u32(&r);
	last->seq = record_get_u32(&r);
	return !r.bad && r.left == 0;
}

static struct slice local_part(struct slice address)
{
	size_t at = address.len;

	while (at > 0 && address.ptr[at - 1] != '@')
		at--;
	return slice_first(address, at > 0 ? at - 1 : 0);
}

size_t recipient_part_write(u8 out[RECIPIENT_PART_MAX], u64 age_ms, u32 first_seq,
			    const struct slice *addresses, u32 count, bool whole, u32 *taken)
{
	u8 *at = record_put_u8(out, whole ? RECORD_VERSION_WHOLE : RECORD_VERSION);

	at = record_put_u64(at, age_ms);
	at = record_put_u32(at, first_seq);
	for (*taken = 0; *taken < count; (*taken)++) {
		struct slice local = whole ? addresses[*taken] : local_part(addresses[*taken]);

		ASSERT(addresses[*taken].len <= ROW_ADDRESS_MAX);
		if ((size_t)(at - out) + 2 + local.len > RECIPIENT_PART_MAX)
			break;
		at = record_put_u16(at, (u16)local.len);
		at = record_put_bytes(at, local);
	}
	return (size_t)(at - out);
}

bool recipient_part_read(struct slice record, struct recipient_part *part)
{
	struct record_reader r = record_reader_of(record);
	u8 version = record_get_u8(&r);

	part->age_ms = record_get_u64(&r);
	part->first_seq = record_get_u32(&r);
	part->locals = record_get_rest(&r);
	part->whole = version == RECORD_VERSION_WHOLE;
	return !r.bad && (part->whole || version == RECORD_VERSION);
}

bool recipient_part_next(struct recipient_part *part, struct slice *local)
{
	struct record_reader r = record_reader_of(part->locals);

	*local = record_get_bytes(&r, record_get_u16(&r));
	part->locals = record_get_rest(&r);
	return !r.bad && local->len > 0 && local->len <= ROW_ADDRESS_MAX;
}

enum store_result queue_recipients_put(struct queue *queue, const struct row_id *first, u64 age_ms,
				       const struct slice *addresses, u32 count, bool whole)
{
	struct row_id last = *first;
	enum store_result result = STORE_OK;
	u8 record[RECIPIENT_PART_MAX];
	u8 key[KEY_SIZE];
	u32 taken;

	while (result == STORE_OK && count > 0) {
		size_t len = recipient_part_write(record, age_ms, last.seq, addresses, count,
						  whole, &taken);

		last.seq += taken - 1;
		result = table_put(queue, TABLE_RECIPIENT, part_key(key, &last),
				   table_key(record, len));
		last.seq++;
		addresses += taken;
		count -= taken;
	}
	return result;
}

/* The part at or behind a row; STORE_NOT_FOUND when it is another lane's. */
static enum store_result part_at(struct queue *queue, const struct row_id *id,
				 struct row_id *last, struct recipient_part *part)
{
	struct slice found;
	struct slice record;
	u8 key[KEY_SIZE];
	enum store_result result =
		table_seek(queue, TABLE_RECIPIENT, part_key(key, id), &found, &record);

	if (result != STORE_OK)
		return result;
	if (!key_read(found, last) || !recipient_part_read(record, part))
		return table_damaged(queue, TABLE_RECIPIENT, found);
	return last->campaign == id->campaign && last->domain == id->domain ? STORE_OK
									     : STORE_NOT_FOUND;
}

static enum store_result add_domain(struct queue *queue, const struct row_id *id,
				    char out[ROW_ADDRESS_MAX + 1], size_t len)
{
	struct queue_lane lane;
	enum store_result result =
		queue_lane_next(queue, id->campaign, id->domain - 1, &lane);
	struct slice domain;

	if (result != STORE_OK)
		return result;
	domain = slice_of(lane.domain);
	if (lane.number != id->domain || len + 1 + domain.len > ROW_ADDRESS_MAX)
		return STORE_NOT_FOUND;
	out[len++] = '@';
	slice_copy(out + len, ROW_ADDRESS_MAX + 1 - len, domain);
	return STORE_OK;
}

enum store_result queue_recipient_get(struct queue *queue, const struct row_id *id,
				      char out[ROW_ADDRESS_MAX + 1])
{
	struct recipient_part part = { 0 };
	struct row_id last;
	struct slice local;
	enum store_result result;

	if (id->domain == 0 || id->seq == 0)
		return STORE_NOT_FOUND;
	result = part_at(queue, id, &last, &part);
	if (result != STORE_OK || part.first_seq > id->seq)
		return result == STORE_OK ? STORE_NOT_FOUND : result;
	for (u32 seq = part.first_seq; seq <= id->seq; seq++) {
		if (!recipient_part_next(&part, &local))
			return STORE_NOT_FOUND;
	}
	slice_copy(out, ROW_ADDRESS_MAX + 1, local);
	return part.whole ? STORE_OK : add_domain(queue, id, out, local.len);
}

/* Looks through one lane. */
static enum store_result find_in_lane(struct queue *queue, struct row_id *id, struct slice local,
				      u32 *looks)
{
	struct recipient_part part = { 0 };
	struct row_id last;
	struct slice one;
	enum store_result result;

	for (; *looks > 0; (*looks)--) {
		result = part_at(queue, id, &last, &part);
		if (result != STORE_OK)
			return result;
		for (id->seq = part.first_seq; recipient_part_next(&part, &one); id->seq++) {
			if (slice_equal_nocase(one, local))
				return STORE_OK;
		}
		id->seq = last.seq + 1;
	}
	return STORE_NOT_FOUND;
}

enum store_result queue_recipient_find(struct queue *queue, u32 campaign, struct slice address,
				       u32 *looks, struct row_id *id)
{
	struct slice local = local_part(address);
	struct slice domain = slice_from(address, min_size(address.len, local.len + 1));
	struct queue_lane lane = { 0 };
	enum store_result result = STORE_NOT_FOUND;

	for (; *looks > 0; (*looks)--) {
		result = queue_lane_next(queue, campaign, lane.number, &lane);
		if (result != STORE_OK)
			return result;
		if (!slice_equal_nocase(slice_of(lane.domain), domain))
			continue;
		*id = (struct row_id){ campaign, lane.number, 1 };
		return find_in_lane(queue, id, local, looks);
	}
	return STORE_NOT_FOUND;
}

enum store_result queue_recipients_trim(struct queue *queue, u64 before_ms, u32 limit)
{
	struct row_id from = { 0 };
	enum store_result result;
	struct recipient_part part;
	struct slice found;
	struct slice record;
	struct row_id last;
	u8 key[KEY_SIZE];
	bool any = false;

	for (; limit > 0; limit--) {
		result = table_seek(queue, TABLE_RECIPIENT, part_key(key, &from), &found, &record);
		if (result == STORE_NOT_FOUND)
			break;
		if (result != STORE_OK)
			return result;
		if (!key_read(found, &last) || !recipient_part_read(record, &part))
			return table_damaged(queue, TABLE_RECIPIENT, found);
		/* Campaigns are in the order of their age, and so are letters within their own. */
		from = (struct row_id){ .campaign = last.campaign + (part.age_ms >= before_ms) };
		if (part.age_ms >= before_ms)
			continue;
		result = table_delete(queue, TABLE_RECIPIENT, found);
		if (result != STORE_OK)
			return result;
		any = true;
	}
	return any ? STORE_OK : STORE_NOT_FOUND;
}
