#include "store/contact_record.h"

#include "store/record.h"

#define CONTACT_VERSION 1
#define HEAD_SIZE 22 /* version, state, two times, two lengths */
#define VALUE_HEAD_SIZE 4

bool contact_record_read(struct slice record, struct contact *contact)
{
	struct record_reader r = record_reader_of(record);
	u8 version = record_get_u8(&r);
	u8 state = record_get_u8(&r);
	u16 address_len;
	u16 lists_len;

	contact->created_ms = record_get_u64(&r);
	contact->changed_ms = record_get_u64(&r);
	address_len = record_get_u16(&r);
	lists_len = record_get_u16(&r);
	contact->address = record_get_bytes(&r, address_len);
	contact->lists = record_get_bytes(&r, lists_len);
	contact->values = record_get_rest(&r);
	contact->state = (enum contact_state)state;
	return !r.bad && version == CONTACT_VERSION && state >= CONTACT_PENDING &&
	       state <= CONTACT_COMPLAINED && lists_len % CONTACT_MEMBER_SIZE == 0;
}

size_t contact_record_size(const struct contact *contact)
{
	return HEAD_SIZE + contact->address.len + contact->lists.len + contact->values.len;
}

void contact_record_write(u8 *at, const struct contact *contact)
{
	at = record_put_u8(at, CONTACT_VERSION);
	at = record_put_u8(at, (u8)contact->state);
	at = record_put_u64(at, contact->created_ms);
	at = record_put_u64(at, contact->changed_ms);
	at = record_put_u16(at, (u16)contact->address.len);
	at = record_put_u16(at, (u16)contact->lists.len);
	at = record_put_bytes(at, contact->address);
	at = record_put_bytes(at, contact->lists);
	record_put_bytes(at, contact->values);
}

/* ---- lists ---- */

bool contact_next_member(struct slice *lists, struct contact_member *member)
{
	struct record_reader r = record_reader_of(*lists);

	member->list = record_get_u16(&r);
	member->state = (enum member_state)record_get_u8(&r);
	member->since_s = record_get_u32(&r);
	if (r.bad)
		return false;
	*lists = (struct slice){ r.at, r.left };
	return true;
}

bool contact_find_member(struct slice lists, u16 list, struct contact_member *member)
{
	while (contact_next_member(&lists, member)) {
		if (member->list == list)
			return true;
		if (member->list > list)
			return false;
	}
	return false;
}

static void put_member(struct buf *out, const struct contact_member *member)
{
	u8 entry[CONTACT_MEMBER_SIZE];
	u8 *at = record_put_u16(entry, member->list);

	at = record_put_u8(at, (u8)member->state);
	record_put_u32(at, member->since_s);
	buf_add(out, entry, sizeof(entry));
}

void contact_add_member(struct buf *out, struct slice lists, const struct contact_member *member)
{
	struct contact_member known;
	bool is_in = false;

	while (contact_next_member(&lists, &known)) {
		if (!is_in && known.list >= member->list) {
			put_member(out, member);
			is_in = true;
		}
		if (known.list != member->list)
			put_member(out, &known);
	}
	if (!is_in)
		put_member(out, member);
}

void contact_drop_member(struct buf *out, struct slice lists, u16 list)
{
	struct contact_member known;

	while (contact_next_member(&lists, &known)) {
		if (known.list != list)
			put_member(out, &known);
	}
}

/* ---- values ---- */

bool contact_next_value(struct slice *values, u16 *attribute, struct slice *value)
{
	struct record_reader r = record_reader_of(*values);
	u16 len;

	*attribute = record_get_u16(&r);
	len = record_get_u16(&r);
	*value = record_get_bytes(&r, len);
	if (r.bad)
		return false;
	*values = (struct slice){ r.at, r.left };
	return true;
}

struct slice contact_find_value(struct slice values, u16 attribute)
{
	struct slice value;
	u16 id;

	while (contact_next_value(&values, &id, &value)) {
		if (id == attribute)
			return value;
		if (id > attribute)
			break;
	}
	return SLICE_NONE;
}

void contact_put_value(struct buf *out, u16 attribute, struct slice value)
{
	u8 head[VALUE_HEAD_SIZE];

	record_put_u16(record_put_u16(head, attribute), (u16)value.len);
	buf_add(out, head, sizeof(head));
	buf_add_slice(out, value);
}

void contact_merge_values(struct buf *out, struct slice values, struct slice changes)
{
	struct slice value;
	struct slice change;
	u16 id;
	u16 changed;
	bool has_value = contact_next_value(&values, &id, &value);
	bool has_change = contact_next_value(&changes, &changed, &change);

	while (has_value || has_change) {
		bool takes_change = has_change && (!has_value || changed <= id);

		if (takes_change) {
			if (has_value && changed == id)
				has_value = contact_next_value(&values, &id, &value);
			if (change.len > 0)
				contact_put_value(out, changed, change);
			has_change = contact_next_value(&changes, &changed, &change);
		} else {
			contact_put_value(out, id, value);
			has_value = contact_next_value(&values, &id, &value);
		}
	}
}
