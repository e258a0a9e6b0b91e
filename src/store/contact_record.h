/*
 * What is kept of one contact, as bytes: a record that is read in place. Lists and values are
 * packed in ascending order of their ids, so that they can be walked beside another sequence.
 *
 *   list entry   list u16, state u8 (enum member_state), since u32 (seconds since 1970)
 *   value        attribute u16, length u16, UTF-8 in the canonical form of its type:
 *                text as it is, number "-12.5" (no exponent, no zeros at the ends, no "-0"),
 *                date "2026-11-30", choice the choice's text, yes/no "1" or "0"
 *
 * A value that a contact does not have is not there; there are no empty ones.
 */
#ifndef STORE_CONTACT_RECORD_H
#define STORE_CONTACT_RECORD_H

#include "base/buf.h"
#include "base/types.h"

#define CONTACT_ADDRESS_MAX 384 /* bytes, wire form */
#define CONTACT_KEY_MAX 384	/* bytes of the address's key */
#define CONTACT_LISTS_MAX 1000
#define CONTACT_VALUE_MAX 4096	/* bytes of one value */
#define CONTACT_VALUES_MAX 32768 /* bytes of all of them, packed */

#define CONTACT_MEMBER_SIZE 7
#define CONTACT_RECORD_MAX                                                                         \
	(22 + CONTACT_ADDRESS_MAX + CONTACT_MEMBER_SIZE * CONTACT_LISTS_MAX + CONTACT_VALUES_MAX)

/* In the order of what wins when two things are known of one person. */
enum contact_state {
	CONTACT_PENDING = 1,  /* asked for a confirmation that has not come */
	CONTACT_ACTIVE,
	CONTACT_BOUNCED,      /* no such mailbox, or too many failures */
	CONTACT_UNSUBSCRIBED, /* from everything */
	CONTACT_COMPLAINED,
};

enum member_state {
	MEMBER_PENDING = 1,
	MEMBER_ACTIVE,
	MEMBER_LEFT, /* unsubscribed from this list */
};

/* Slices are views of the record, or of what the caller wants to have kept. */
struct contact {
	u32 id;
	enum contact_state state;
	u64 created_ms;
	u64 changed_ms;
	struct slice address; /* wire form (message/address.h) */
	struct slice lists;   /* packed */
	struct slice values;  /* packed */
};

/* False: the bytes are no such record. `id` is left alone. */
bool contact_record_read(struct slice record, struct contact *contact) MUST_CHECK;
size_t contact_record_size(const struct contact *contact);
void contact_record_write(u8 *at, const struct contact *contact);

/* ---- lists ---- */

struct contact_member {
	u16 list;
	enum member_state state;
	u32 since_s;
};

/* Takes the first entry off `lists`. False: there is none. */
bool contact_next_member(struct slice *lists, struct contact_member *member);
/* Of that list. False: not there. */
bool contact_find_member(struct slice lists, u16 list, struct contact_member *member);
/* Appends `lists` to `out` with this entry in it, in place of the one that was there. */
void contact_add_member(struct buf *out, struct slice lists, const struct contact_member *member);
/* Appends `lists` without that list's entry. */
void contact_drop_member(struct buf *out, struct slice lists, u16 list);

/* ---- values ---- */

/* Takes the first one off `values`. False: there is none. */
bool contact_next_value(struct slice *values, u16 *attribute, struct slice *value);
/* SLICE_NONE: the contact does not have it. */
struct slice contact_find_value(struct slice values, u16 attribute);
/* Appends one behind those that are there; ids ascend. */
void contact_put_value(struct buf *out, u16 attribute, struct slice value);
/*
 * Appends `values` with those of `changes` in their places; an empty one in `changes` takes the
 * attribute away.
 */
void contact_merge_values(struct buf *out, struct slice values, struct slice changes);

#endif
