/*
 * Finding contacts, a page at a time, from wherever the last one ended: by id, by the beginning of
 * the address (its index), by list, by a text within address and values. What is looked through in
 * one go is bounded; a page may therefore be empty and not the last one. No offset: it is as fast
 * at the end of millions as at their beginning.
 */
#ifndef WEB_CONTACT_SEARCH_H
#define WEB_CONTACT_SEARCH_H

#include "message/address.h"
#include "store/audience_contact.h"
#include "web/call.h"

#define CONTACT_SEARCH_MAX 1000	  /* contacts of a page */
#define CONTACT_SCAN_MAX 20000u	  /* contacts looked at for one */
#define CONTACT_TEXT_MAX 200

struct contact_search {
	/* What is wanted; "" and 0: everything. */
	char prefix[CONTACT_KEY_MAX + 1]; /* of the address */
	char text[CONTACT_TEXT_MAX + 1];  /* anywhere, ASCII letters in either case */
	u16 list;			  /* in any state but left */
	u8 state;			  /* enum contact_state */
	u32 limit;			  /* 1..CONTACT_SEARCH_MAX */
	/* Where it goes on: "" at first; afterwards what to say the next time, "" at the end. */
	char cursor[CONTACT_KEY_MAX + 1];
	/* What was found. */
	u32 ids[CONTACT_SEARCH_MAX];
	u32 count;
};

/* NOT_FOUND: the cursor is none of this search's. */
enum store_result contact_search_run(struct contact_search *search,
				     struct audience_txn *txn) MUST_CHECK;

/* Whether who calls may see contacts: a user of the pages, or a key that has the scope. */
bool contact_may_be_seen(const struct call *call);
/*
 * A contact whose values a preview or a test takes, within a transaction of the call's reader.
 * False: there is none, or the key may not see it; the call is answered, with pointer /contact.
 */
bool contact_lend(struct call *call, u32 id, struct contact *contact) MUST_CHECK;
/* Whom people mean: by an e-mail address, or by a contact's number. */
bool contact_named(struct audience_txn *txn, struct slice who,
		   struct contact *contact) MUST_CHECK;

#endif
