/*
 * Contacts as a table to download, streamed from where the walk stands: of all, of a list, or of
 * those that a predicate takes. Columns are what is chosen, or all there are: the address, the
 * state, two moments, each attribute, and each list ("list:news", with 1 or 0), so that an import
 * takes it back. Which columns there are is settled when it begins.
 */
#ifndef WEB_CONTACT_EXPORT_H
#define WEB_CONTACT_EXPORT_H

#include "campaign/segment.h"
#include "campaign/time_zone.h"
#include "store/audience_contact.h"
#include "web/call.h"
#include "web/noun.h"

enum export_encoding {
	EXPORT_UTF8,  /* with a mark */
	EXPORT_CP932, /* Shift_JIS as Windows has it: what it lacks becomes '?' */
	EXPORT_UTF16, /* little-endian with a mark, tabs between cells: Excel opens it by itself */
};

enum export_column_kind {
	EXPORT_EMAIL,
	EXPORT_STATE,
	EXPORT_CREATED,
	EXPORT_CHANGED,
	EXPORT_ATTRIBUTE, /* `id` is the attribute's */
	EXPORT_LIST,	  /* the list's */
};
#define EXPORT_FIXED 4 /* kinds before those that have an id */
extern const char *const export_column_names[EXPORT_FIXED]; /* "email", ... */

struct export_column {
	u8 kind;
	u16 id;
};
#define EXPORT_COLUMNS_MAX (EXPORT_FIXED + ATTRIBUTES_MAX + LISTS_MAX)

struct contact_export {
	enum export_encoding encoding;
	/* Instead of the table: how many contacts, and which characters the encoding lacks. */
	bool checks;
	u32 column_count;
	struct export_column columns[EXPORT_COLUMNS_MAX];
	u16 list; /* 0: all; those who have left it are left out */
	/* NULL: everybody. False: not this one. In the reading transaction of the moment. */
	bool (*takes)(void *owner, struct audience_txn *txn, const struct contact *contact);
	void *owner;
	void (*owner_done)(void *owner); /* NULL: nothing */
};

/*
 * What a call's query says of it: `encoding`, `columns` (names by commas, or several times), `list`
 * and `check`. False: the call is answered.
 */
bool contact_export_read(struct contact_export *what, struct call *call,
			 const struct nouns *nouns) MUST_CHECK;
/*
 * Those alone that the condition in the query's `segment` takes, if there is one. Within a reading
 * transaction of the call. False and a sentence: it is none.
 */
bool contact_export_narrow(struct contact_export *what, struct call *call,
			   struct error *error) MUST_CHECK;
/* Those of the segment alone, which it takes. False: no memory. */
bool contact_export_choose(struct contact_export *what, struct segment *segment,
			   const struct time_zone *zone) MUST_CHECK;
/* Answers the call with it. `what` is copied; `owner_done` is called in any case. */
void contact_export_answer(struct call *call, const struct contact_export *what);

#endif
