/*
 * Contacts in the audience environment: by id, by address, by list, and what happened to each. An
 * address is one contact: its *key* (message/address.h address_add_key) is. Who writes a contact
 * gives the key along; counters by state and by list follow by themselves.
 */
#ifndef STORE_AUDIENCE_CONTACT_H
#define STORE_AUDIENCE_CONTACT_H

#include "store/audience.h"
#include "store/contact_record.h"

enum store_result contact_get(struct audience_txn *txn, u32 id, struct contact *contact) MUST_CHECK;
/* The first one with a greater id. NOT_FOUND: there are no more. */
enum store_result contact_after(struct audience_txn *txn, u32 id,
				struct contact *contact) MUST_CHECK;
/*
 * The one behind the contact that the last contact_after or contact_next of this transaction found:
 * for walks, with no other function on contacts in between.
 */
enum store_result contact_next(struct audience_txn *txn, struct contact *contact) MUST_CHECK;
/* The last one with a smaller id; for paging backwards. UINT32_MAX: the last of all. */
enum store_result contact_before(struct audience_txn *txn, u32 id,
				 struct contact *contact) MUST_CHECK;
/* By the key of its address. */
enum store_result contact_find(struct audience_txn *txn, struct slice key, u32 *id) MUST_CHECK;
/*
 * The first one whose key is greater than `key`, in order of keys; `found` is a view. For paging by
 * address and for addresses that begin with something.
 */
enum store_result contact_find_after(struct audience_txn *txn, struct slice key,
				     struct slice *found, u32 *id) MUST_CHECK;

/* A new one: gives it its id. No contact has that key yet. */
enum store_result contact_add(struct audience_txn *txn, struct contact *contact,
			      struct slice key) MUST_CHECK;
/*
 * In place of `before`, as it was read in this transaction; slices of both may be views. The
 * address has the same key.
 */
enum store_result contact_put(struct audience_txn *txn, const struct contact *before,
			      const struct contact *contact) MUST_CHECK;
/* Another address, in wire form; no contact has the new key. */
enum store_result contact_move(struct audience_txn *txn, u32 id, struct slice old_key,
			       struct slice new_key, struct slice address,
			       u64 changed_ms) MUST_CHECK;
/*
 * Everything that this environment has of the contact under its id: record, address, list entries,
 * history, behaviour, enrolments. What campaigns count of it stays as numbers without a person.
 */
enum store_result contact_erase(struct audience_txn *txn, u32 id, struct slice key) MUST_CHECK;

/* The first member of the list with a greater contact id. */
enum store_result member_after(struct audience_txn *txn, u16 list, u32 contact, u32 *found,
			       enum member_state *state) MUST_CHECK;

/* ---- history ---- */

/* Behind each its fields; "by" is who did it: "import 3", "form 2", "user mori", "api shop". */
enum history_kind {
	HISTORY_CREATED = 1,  /* by */
	HISTORY_CHANGED,      /* by, names of what changed */
	HISTORY_CONSENT,      /* by, list, the peer's address, its user agent, text agreed to */
	HISTORY_CONFIRMED,    /* list, the peer's address, its user agent */
	HISTORY_UNSUBSCRIBED, /* how ("one-click", "page", "mail", "user mori"), list, campaign */
	HISTORY_BOUNCED,      /* reply, campaign */
	HISTORY_COMPLAINED,   /* campaign */
	HISTORY_ADDRESS,      /* by, the address before */
};
#define HISTORY_FIELDS_MAX 8

struct history_event {
	u64 at_ms;
	u16 number; /* of several at the same time */
	enum history_kind kind;
	struct slice fields[HISTORY_FIELDS_MAX];
	size_t field_count;
};

/*
 * `number` is given by it. All fields together have at most 1,500 bytes: they are cut to it; those
 * that are not there read as empty.
 */
enum store_result contact_history_add(struct audience_txn *txn, u32 contact,
				      const struct history_event *event) MUST_CHECK;
/* The newest one before (at_ms, number); UINT64_MAX: of all. NOT_FOUND: there are no more. */
enum store_result contact_history_before(struct audience_txn *txn, u32 contact, u64 at_ms,
					 u16 number, struct history_event *event) MUST_CHECK;

#endif
