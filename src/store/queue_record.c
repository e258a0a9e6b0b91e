#include "store/queue_record.h"

#include "base/check.h"
#include "base/text.h"
#include "store/record.h"

size_t row_key_write(u8 key[ROW_KEY_MAX], const struct row_ref *ref)
{
	u8 *at = key;

	ASSERT(ref->place >= ROW_LANE && ref->place <= ROW_DOUBT);
	if (ref->place == ROW_DEFERRED)
		at = record_put_u64(at, ref->due_ms);
	at = record_put_u32(at, ref->id.campaign);
	at = record_put_u32(at, ref->id.domain);
	at = record_put_u32(at, ref->id.seq);
	return (size_t)(at - key);
}

bool row_key_read(struct slice key, u32 place, struct row_ref *ref)
{
	struct record_reader r = record_reader_of(key);

	ref->place = place;
	ref->due_ms = place == ROW_DEFERRED ? record_get_u64(&r) : 0;
	ref->id.campaign = record_get_u32(&r);
	ref->id.domain = record_get_u32(&r);
	ref->id.seq = record_get_u32(&r);
	return !r.bad && r.left == 0;
}

size_t row_record_write(u8 *out, const struct queue_row *row)
{
	struct slice host = slice_first(row->host, ROW_HOST_MAX);
	struct slice reply = slice_first(row->reply, ROW_REPLY_MAX);
	/* A row that was never tried, so most of a queue, needs no second clock. */
	u8 version = row->since_ms == row->first_ms ? RECORD_VERSION : RECORD_VERSION_AGED;
	u8 *at = out;

	ASSERT(row->address.len > 0 && row->address.len <= ROW_ADDRESS_MAX);
	ASSERT(row->values.len <= ROW_VALUES_MAX);
	ASSERT(row->flags <= UINT8_MAX);
	at = record_put_u8(at, version);
	at = record_put_u8(at, (u8)row->flags);
	at = record_put_u16(at, row->last_code);
	at = record_put_u32(at, row->attempts);
	at = record_put_u64(at, row->first_ms);
	if (version == RECORD_VERSION_AGED)
		at = record_put_u64(at, row->since_ms);
	at = record_put_u16(at, (u16)row->address.len);
	at = record_put_u16(at, (u16)host.len);
	at = record_put_u16(at, (u16)reply.len);
	at = record_put_bytes(at, row->address);
	at = record_put_bytes(at, host);
	at = record_put_bytes(at, reply);
	at = record_put_bytes(at, row->values);
	return (size_t)(at - out);
}

static bool has_version(u8 version)
{
	return version == RECORD_VERSION || version == RECORD_VERSION_AGED;
}

bool row_record_read(struct slice record, struct queue_row *row)
{
	struct record_reader r = record_reader_of(record);
	u8 version = record_get_u8(&r);
	u16 address_len;
	u16 host_len;
	u16 reply_len;

	row->flags = record_get_u8(&r);
	row->last_code = record_get_u16(&r);
	row->attempts = record_get_u32(&r);
	row->first_ms = record_get_u64(&r);
	row->since_ms = version == RECORD_VERSION_AGED ? record_get_u64(&r) : row->first_ms;
	address_len = record_get_u16(&r);
	host_len = record_get_u16(&r);
	reply_len = record_get_u16(&r);
	row->address = record_get_bytes(&r, address_len);
	row->host = record_get_bytes(&r, host_len);
	row->reply = record_get_bytes(&r, reply_len);
	row->values = record_get_rest(&r);
	return !r.bad && has_version(version) && address_len > 0 &&
	       address_len <= ROW_ADDRESS_MAX && host_len <= ROW_HOST_MAX &&
	       reply_len <= ROW_REPLY_MAX && row->values.len <= ROW_VALUES_MAX;
}

/* The counters in the order in which they stand in the record. */
static u64 *campaign_number(struct queue_campaign *c, size_t index)
{
	u64 *const numbers[] = {
		&c->created_ms, &c->started_ms, &c->finished_ms, &c->expire_after_ms,
		&c->total,      &c->delivered,  &c->failed,      &c->expired,
		&c->cancelled,  &c->deferrals,  &c->deferred,    &c->doubts,
		&c->held,
	};

	return index < array_count(numbers) ? numbers[index] : NULL;
}

/* What version 2 adds, likewise. */
static u64 *campaign_later_number(struct queue_campaign *c, size_t index)
{
	u64 *const numbers[] = { &c->deadline_ms, &c->bounced, &c->complained, &c->unsubscribed };

	return index < array_count(numbers) ? numbers[index] : NULL;
}

/* Of version 2: an older program that this one was upgraded from, and falls back to, reads 1. */
static bool campaign_is_later(const struct queue_campaign *c)
{
	return c->kind != CAMPAIGN_BULK || c->deadline_ms || c->bounced || c->complained ||
	       c->unsubscribed || c->list[0];
}

static bool campaign_is_open(const struct queue_campaign *c)
{
	return c->is_open || c->cursor;
}

static u8 *put_later(u8 *at, struct queue_campaign *c)
{
	struct slice list = { c->list, strnlen(c->list, sizeof(c->list)) };
	u64 *number;

	ASSERT(list.len < sizeof(c->list));
	at = record_put_u8(at, (u8)c->kind);
	for (size_t i = 0; (number = campaign_later_number(c, i)) != NULL; i++)
		at = record_put_u64(at, *number);
	at = record_put_u8(at, (u8)list.len);
	return record_put_bytes(at, list);
}

static bool get_later(struct record_reader *r, struct queue_campaign *c)
{
	u64 *number;
	u8 list_len;

	c->kind = record_get_u8(r);
	for (size_t i = 0; (number = campaign_later_number(c, i)) != NULL; i++)
		*number = record_get_u64(r);
	list_len = record_get_u8(r);
	return slice_copy(c->list, sizeof(c->list), record_get_bytes(r, list_len)) &&
	       c->kind <= CAMPAIGN_LETTERS;
}

size_t campaign_record_write(u8 *out, const struct queue_campaign *c)
{
	struct queue_campaign copy = *c;
	const bool open = campaign_is_open(c);
	const bool later = open || campaign_is_later(c);
	struct slice name = { copy.name, strnlen(copy.name, sizeof(copy.name)) };
	struct slice customer = { copy.customer, strnlen(copy.customer, sizeof(copy.customer)) };
	u8 *at = out;
	u64 *number;

	ASSERT(name.len < sizeof(copy.name) && customer.len < sizeof(copy.customer));
	ASSERT(c->state >= CAMPAIGN_IMPORTING && c->state <= CAMPAIGN_CANCELLED);
	ASSERT(c->doubt_policy <= DOUBT_HOLD);
	at = record_put_u8(at, open  ? RECORD_VERSION_OPEN :
			       later ? RECORD_VERSION_KIND :
				       RECORD_VERSION);
	at = record_put_u8(at, (u8)c->state);
	at = record_put_u8(at, (u8)c->doubt_policy);
	at = record_put_u32(at, c->domains);
	for (size_t i = 0; (number = campaign_number(&copy, i)) != NULL; i++)
		at = record_put_u64(at, *number);
	at = record_put_u8(at, (u8)name.len);
	at = record_put_u8(at, (u8)customer.len);
	at = record_put_bytes(at, name);
	at = record_put_bytes(at, customer);
	if (later)
		at = put_later(at, &copy);
	if (open)
		at = record_put_u64(record_put_u8(at, c->is_open), c->cursor);
	return (size_t)(at - out);
}

bool campaign_record_read(struct slice record, struct queue_campaign *c)
{
	struct record_reader r = record_reader_of(record);
	u8 version = record_get_u8(&r);
	u8 name_len;
	u8 customer_len;
	bool fits;
	u64 *number;

	*c = (struct queue_campaign){ 0 };
	c->state = record_get_u8(&r);
	c->doubt_policy = record_get_u8(&r);
	c->domains = record_get_u32(&r);
	for (size_t i = 0; (number = campaign_number(c, i)) != NULL; i++)
		*number = record_get_u64(&r);
	name_len = record_get_u8(&r);
	customer_len = record_get_u8(&r);
	fits = slice_copy(c->name, sizeof(c->name), record_get_bytes(&r, name_len));
	fits &= slice_copy(c->customer, sizeof(c->customer), record_get_bytes(&r, customer_len));
	if (version == RECORD_VERSION_KIND || version == RECORD_VERSION_OPEN)
		fits &= get_later(&r, c);
	if (version == RECORD_VERSION_OPEN) {
		c->is_open = record_get_u8(&r) & 1;
		c->cursor = record_get_u64(&r);
	}
	return fits && !r.bad && r.left == 0 && version >= RECORD_VERSION &&
	       version <= RECORD_VERSION_OPEN &&
	       c->state >= CAMPAIGN_IMPORTING && c->state <= CAMPAIGN_CANCELLED &&
	       c->doubt_policy <= DOUBT_HOLD;
}

#define LETTER_QUIET 16 /* beside enum letter_ret */

size_t letter_record_write(u8 *out, const struct queue_letter *letter)
{
	u8 *at = out;

	ASSERT(letter->key.len > 0 && letter->key.len <= LETTER_KEY_MAX);
	ASSERT(letter->sender.len <= LETTER_SENDER_MAX && letter->envid.len <= LETTER_ENVID_MAX);
	at = record_put_u8(at, RECORD_VERSION);
	at = record_put_u8(at, letter->kind);
	at = record_put_u8(at, letter->ret | (letter->is_quiet ? LETTER_QUIET : 0));
	at = record_put_u32(at, letter->recipients);
	at = record_put_u32(at, letter->delivered);
	at = record_put_u32(at, letter->failed);
	at = record_put_u64(at, letter->wall_ms);
	at = record_put_u64(at, letter->age_ms);
	at = record_put_u64(at, letter->expire_after_ms);
	at = record_put_u8(at, (u8)letter->key.len);
	at = record_put_u16(at, (u16)letter->sender.len);
	at = record_put_u8(at, (u8)letter->envid.len);
	at = record_put_bytes(at, letter->key);
	at = record_put_bytes(at, letter->sender);
	at = record_put_bytes(at, letter->envid);
	return (size_t)(at - out);
}

bool letter_record_read(struct slice record, struct queue_letter *letter)
{
	struct record_reader r = record_reader_of(record);
	u8 version = record_get_u8(&r);
	size_t key_len;
	size_t sender_len;
	size_t envid_len;

	letter->kind = record_get_u8(&r);
	letter->ret = record_get_u8(&r);
	letter->is_quiet = letter->ret & LETTER_QUIET;
	letter->ret &= (u8)~LETTER_QUIET;
	letter->recipients = record_get_u32(&r);
	letter->delivered = record_get_u32(&r);
	letter->failed = record_get_u32(&r);
	letter->wall_ms = record_get_u64(&r);
	letter->age_ms = record_get_u64(&r);
	letter->expire_after_ms = record_get_u64(&r);
	key_len = record_get_u8(&r);
	sender_len = record_get_u16(&r);
	envid_len = record_get_u8(&r);
	letter->key = record_get_bytes(&r, key_len);
	letter->sender = record_get_bytes(&r, sender_len);
	letter->envid = record_get_bytes(&r, envid_len);
	return !r.bad && r.left == 0 && version == RECORD_VERSION && key_len > 0 &&
	       key_len <= LETTER_KEY_MAX && sender_len <= LETTER_SENDER_MAX &&
	       envid_len <= LETTER_ENVID_MAX && letter->kind >= LETTER_SUBMITTED &&
	       letter->kind <= LETTER_FORWARD && letter->ret <= LETTER_RET_HDRS;
}

/* The first byte of a leased ref: its place, and what it has in common with the ref before it. */
enum lease_tag {
	LEASE_PLACE = 3,
	LEASE_SAME_CAMPAIGN = 4,
	LEASE_SAME_DOMAIN = 8,
	LEASE_NEXT_SEQ = 16,
	LEASE_SAME_DUE = 32,
	LEASE_TAG_ALL = 63,
};

static u8 *lease_ref_write(u8 *at, const struct row_ref *ref, const struct row_ref *last)
{
	u8 tag = (u8)ref->place;

	ASSERT(ref->place >= ROW_LANE && ref->place <= ROW_DOUBT);
	if (ref->id.campaign == last->id.campaign)
		tag |= LEASE_SAME_CAMPAIGN;
	if (ref->id.domain == last->id.domain)
		tag |= LEASE_SAME_DOMAIN;
	if (ref->id.seq == last->id.seq + 1)
		tag |= LEASE_NEXT_SEQ;
	if (ref->due_ms == last->due_ms)
		tag |= LEASE_SAME_DUE;
	at = record_put_u8(at, tag);
	if (!(tag & LEASE_SAME_CAMPAIGN))
		at = record_put_u32(at, ref->id.campaign);
	if (!(tag & LEASE_SAME_DOMAIN))
		at = record_put_u32(at, ref->id.domain);
	if (!(tag & LEASE_NEXT_SEQ))
		at = record_put_u32(at, ref->id.seq);
	if (!(tag & LEASE_SAME_DUE))
		at = record_put_u64(at, ref->due_ms);
	return at;
}

size_t lease_part_write(u8 out[LEASE_PART_MAX], u64 wall_ms, const struct row_ref *refs, u32 count,
			u32 *taken)
{
	const struct row_ref none = { 0 };
	const struct row_ref *last = &none;
	u8 *at = out;
	u32 i;

	at = record_put_u8(at, RECORD_VERSION);
	at = record_put_u64(at, wall_ms);
	for (i = 0; i < count; i++) {
		if (at - out > LEASE_PART_MAX - LEASE_REF_MAX)
			break;
		at = lease_ref_write(at, &refs[i], last);
		last = &refs[i];
	}
	*taken = i;
	return (size_t)(at - out);
}

bool lease_part_read(struct slice record, u64 *wall_ms, struct buf *refs)
{
	struct record_reader r = record_reader_of(record);
	struct row_ref ref = { 0 };
	u8 version = record_get_u8(&r);
	u8 tag;

	*wall_ms = record_get_u64(&r);
	if (r.bad || version != RECORD_VERSION)
		return false;
	while (r.left > 0) {
		tag = record_get_u8(&r);
		ref.place = tag & LEASE_PLACE;
		if (!(tag & LEASE_SAME_CAMPAIGN))
			ref.id.campaign = record_get_u32(&r);
		if (!(tag & LEASE_SAME_DOMAIN))
			ref.id.domain = record_get_u32(&r);
		ref.id.seq = tag & LEASE_NEXT_SEQ ? ref.id.seq + 1 : record_get_u32(&r);
		if (!(tag & LEASE_SAME_DUE))
			ref.due_ms = record_get_u64(&r);
		if (r.bad || tag > LEASE_TAG_ALL || ref.place == 0)
			return false;
		buf_add(refs, &ref, sizeof(ref));
	}
	return !refs->failed;
}
