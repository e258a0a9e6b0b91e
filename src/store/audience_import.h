/*
 * Imports: files of contacts that were brought, what was to be done with each, how far that is,
 * what was found in their rows, and how contacts were before, so that an import can be undone.
 *
 * The record has everything that a program that starts anew needs to go on: `position` counts what
 * was taken off the file (rows good and bad, the one with the names among them) and is written in
 * the transaction of the rows themselves.
 */
#ifndef STORE_AUDIENCE_IMPORT_H
#define STORE_AUDIENCE_IMPORT_H

#include "store/audience.h"
#include "store/audience_contact.h"

#define IMPORT_COLUMNS_MAX 256
#define IMPORT_LISTS_MAX 50
#define IMPORT_NAME_MAX 255	     /* bytes, of the file */
#define IMPORT_HEADER_MAX 16384	     /* bytes, names of the columns, packed */
#define IMPORT_NEWS_MAX 14336	     /* bytes, names and labels of new attributes, packed */
#define IMPORT_CONSENT_MAX 4000	     /* bytes, what was agreed to */
#define IMPORT_SOURCE_MAX 200	     /* bytes, where */
#define IMPORT_REPORTS_MAX 200000u   /* kept of one import; more are counted */
#define IMPORT_REPORT_TEXT_MAX 300   /* bytes */

enum import_state {
	IMPORT_UPLOADED = 1, /* it is there; its columns may not be said yet */
	IMPORT_TRYING,	     /* dry run */
	IMPORT_TRIED,
	IMPORT_RUNNING,
	IMPORT_DONE,
	IMPORT_CANCELLED, /* what was done stays, and can be undone */
	IMPORT_FAILED,	  /* the file as a whole, see `problem`; the same for what was done */
	IMPORT_UNDOING,
	IMPORT_UNDONE,
	IMPORT_STATES,
};
/* "uploaded", "trying", ... by state. */
extern const char *const import_state_names[IMPORT_STATES];

enum import_target {
	IMPORT_IGNORE,
	IMPORT_EMAIL,
	IMPORT_ATTRIBUTE, /* `id` is the attribute's */
	IMPORT_LIST,	  /* whoever has a yes in it joins list `id` */
	IMPORT_NEW,	  /* an attribute of type `id` that is made when it is carried out */
	IMPORT_STATE,	  /* whether somebody had left: a word for enum contact_state */
	IMPORT_TARGETS,
};

struct import_column {
	enum import_target target;
	u16 id;
};

enum import_update {
	IMPORT_ONLY_NEW = 1, /* contacts that are there stay as they are */
	IMPORT_FILLED,	     /* cells with something in them replace values */
	IMPORT_OVERWRITE,    /* empty cells take values away, too */
	IMPORT_UPDATES,
};

struct import_counts {
	u64 rows; /* without the names of columns */
	u64 added;
	u64 updated;
	u64 same;	/* known, and nothing to change */
	u64 known;	/* left alone by IMPORT_ONLY_NEW */
	u64 bad;	/* refused */
	u64 duplicates; /* of the file itself */
	u64 erased;	/* had asked to be forgotten: refused */
	u64 stopped;	/* of those taken: bounced, unsubscribed, complained; they get no mail */
	u64 odd;	/* addresses by no RFC's grammar, taken */
	u64 values_bad; /* left out, of rows that were taken */
	u64 reports;	/* all of them, kept or not */
	u64 undone;
	u64 kept; /* not undone: changed since */
	u64 suppressed; /* of all: the sender has the address on its list */
};

/* Slices are views of the record, or of what is to be kept. */
struct import {
	u32 id;
	enum import_state state;
	u64 created_ms;
	u64 began_ms; /* of what is, or was, under way */
	u64 ended_ms;
	u64 size;     /* bytes of the file */
	u64 position; /* of the file; while it is undone: the last contact */
	struct import_counts counts;
	u8 encoding;  /* enum import_encoding (campaign/import_guess.h) */
	u8 reason;    /* why it was guessed (the same), 0: somebody said so */
	char delimiter;
	enum import_update update;
	bool has_plan;	   /* columns and rules were said */
	bool has_consent;  /* contacts that had left have agreed anew */
	bool starts_sequences; /* by the lists that its contacts join */
	bool is_cleared;   /* findings and what undoing needs are gone */
	bool skips_suppressed; /* who is on the sender's list is refused; else comes in as such */
	u64 consent_ms;
	u32 column_count;
	struct import_column columns[IMPORT_COLUMNS_MAX];
	u32 list_count;
	u16 lists[IMPORT_LISTS_MAX]; /* everybody joins these */
	struct slice by;	     /* who brought it: "user mori", "api shop" */
	struct slice name;	     /* the file's own */
	struct slice file;	     /* in the folder of uploads; empty: it is gone */
	struct slice header;	     /* names of columns, packed (store/row_values.h) */
	struct slice consent_source;
	struct slice consent_text;
	struct slice problem; /* why it failed, or what it waits for: a sentence */
	/* Name and Japanese label of each column's new attribute, packed; import_new_name. */
	struct slice news;
};

/*
 * Copies what slices show to `room` (IMPORT_ROOM_SIZE bytes), so that they outlive the record.
 * False: they are longer than they may be.
 */
#define IMPORT_ROOM_SIZE (IMPORT_HEADER_MAX + IMPORT_NEWS_MAX + IMPORT_CONSENT_MAX + 4096)
bool import_keep(struct import *import, char *room) MUST_CHECK;

/* Of column `i`, which is IMPORT_NEW: views of `news`. False: it says nothing of that column. */
bool import_new_name(const struct import *import, u32 i, struct slice *name,
		     struct slice *label) MUST_CHECK;

enum store_result import_get(struct audience_txn *txn, u32 id, struct import *import) MUST_CHECK;
/* The last one with a smaller id; UINT32_MAX: the last of all. */
enum store_result import_before(struct audience_txn *txn, u32 id,
				struct import *import) MUST_CHECK;
/* A new one: gives it its id. Its slices are no views. */
enum store_result import_add(struct audience_txn *txn, struct import *import) MUST_CHECK;
/* In place of the one with its id. */
enum store_result import_put(struct audience_txn *txn, const struct import *import) MUST_CHECK;

/* ---- what was found in rows ---- */

#define IMPORT_NO_LINE (1ull << 40) /* and behind it: about a contact, of no line of the file */

/* `kind`, `column` (from 1; 0: none) and `problem` mean something to campaign/import_row.h. */
struct import_report {
	u64 line;
	u8 number; /* of several of a line; given by import_report_add */
	u8 kind;
	u8 problem;
	u16 column;
	struct slice text; /* cut to IMPORT_REPORT_TEXT_MAX */
};

enum store_result import_report_add(struct audience_txn *txn, u32 import,
				    const struct import_report *report) MUST_CHECK;
/* The first one behind (line, number); (0, 0): of all. */
enum store_result import_report_after(struct audience_txn *txn, u32 import, u64 line, u8 number,
				      struct import_report *report) MUST_CHECK;

/* ---- undoing ---- */

/* Slices are views, or what is to be kept. */
struct import_undo {
	struct slice before; /* the contact's record as it was; empty: it was not there */
	u64 after;	     /* as it is now: contact_digest */
	enum contact_state sender; /* what the sender's list had of it; 0: nothing */
};

/* Nothing is kept of a contact twice in an import. */
enum store_result import_undo_add(struct audience_txn *txn, u32 import, u32 contact,
				  const struct import_undo *undo) MUST_CHECK;
/* The first one behind `contact`. */
enum store_result import_undo_after(struct audience_txn *txn, u32 import, u32 contact, u32 *found,
				    struct import_undo *undo) MUST_CHECK;
/* Of one contact, in all imports: for contact_erase. */
enum store_result import_undo_forget(struct audience_txn *txn, u32 contact) MUST_CHECK;
/* A number that is another when the contact is. */
u64 contact_digest(const struct contact *contact);

/* Deletes up to `max` of its reports, then of what undoing needs; *left: there are more. */
enum store_result import_clear(struct audience_txn *txn, u32 import, bool undo, u32 max,
			       bool *left) MUST_CHECK;

/* ---- who asked to be forgotten ---- */

/* Keeps a keyed hash of the address's key, and the day. */
enum store_result erased_add(struct audience_txn *txn, struct slice key, u64 at_ms) MUST_CHECK;
/* NOT_FOUND: nobody with this address was erased. */
enum store_result erased_find(struct audience_txn *txn, struct slice key, u64 *at_ms) MUST_CHECK;
enum store_result erased_delete(struct audience_txn *txn, struct slice key) MUST_CHECK;

#endif
