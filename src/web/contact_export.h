/*
 * Contacts as a table to download, streamed from where the walk stands: of all, of a list, or of
 * those that a predicate takes. A column for the address, the state, two moments, each attribute,
 * and each list ("list:news", with 1 or 0), so that an import takes it back.
 */
#ifndef WEB_CONTACT_EXPORT_H
#define WEB_CONTACT_EXPORT_H

#include "store/audience_contact.h"
#include "web/call.h"

struct contact_export {
	bool is_cp932; /* as old spreadsheets want it; else UTF-8 with a mark */
	u16 list;      /* 0: all; those who have left it are left out */
	/* NULL: everybody. False: not this one. In the reading transaction of the moment. */
	bool (*takes)(void *owner, struct audience_txn *txn, const struct contact *contact);
	void *owner;
	void (*owner_done)(void *owner); /* NULL: nothing */
};

/*
 * Answers the call with it. `what` is copied; `owner_done` is called in any case.
 */
void contact_export_answer(struct call *call, const struct contact_export *what);

#endif
