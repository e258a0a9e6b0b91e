/*
 * One row of an import, from the fields of the file to what is to be kept: an address, values in
 * the form of their types, lists to join; or the reason why not. What is wrong with one value costs
 * that value, what is wrong with the address costs the row. Nothing is read or written here but
 * what import_map_load takes from the store.
 *
 * Memory: the set of addresses that were had, 21 to 43 bytes for each (intake_seen.h), and a row.
 */
#ifndef CAMPAIGN_IMPORT_ROW_H
#define CAMPAIGN_IMPORT_ROW_H

#include "base/arena.h"
#include "base/csv.h"
#include "campaign/value.h"
#include "message/address.h"
#include "store/audience_import.h"

#define IMPORT_FINDINGS_MAX 32 /* of one row; more are left out */

/* Kept with the reports: numbers stay what they are. */
enum import_kind {
	IMPORT_ROW_BAD = 1,   /* the reader's sentence */
	IMPORT_ROW_WIDTH,     /* another number of columns */
	IMPORT_ADDRESS_NONE,
	IMPORT_ADDRESS_BAD,   /* a sentence */
	IMPORT_UNREADABLE,    /* a character that the encoding does not have */
	IMPORT_VALUE_BAD,     /* the value; `problem` says why */
	IMPORT_DUPLICATE,     /* the address */
	IMPORT_TOO_LARGE,     /* all values or lists together */
	IMPORT_ERASED,	      /* asked to be forgotten */
	IMPORT_STOPPED,	      /* the address; `problem` is the enum contact_state that stays */
	IMPORT_ADDRESS_ODD,   /* the address: by no RFC's grammar, taken */
	IMPORT_KEPT,	      /* the address: changed since, not undone */
	IMPORT_SUPPRESSED,    /* the address is on the sender's list; `problem` as of STOPPED */
	IMPORT_KINDS,
};
/* Whether the row was refused; else it was taken, with something to be said. */
bool import_kind_refuses(enum import_kind kind);
/* Name for programs ("address-bad"), and a sentence without an end for people. */
const char *import_kind_name(enum import_kind kind);
void import_report_words(struct buf *out, const struct import_report *report, bool japanese);

/* What columns mean, with what is needed of their attributes. */
struct import_map {
	u32 column_count;
	struct import_column columns[IMPORT_COLUMNS_MAX];
	enum attribute_type types[IMPORT_COLUMNS_MAX];
	struct slice choices[IMPORT_COLUMNS_MAX]; /* in `arena` */
	u32 email;
	u32 order[IMPORT_COLUMNS_MAX]; /* columns of attributes, by ascending id */
	u32 order_count;
	bool empties_count; /* IMPORT_OVERWRITE */
	bool is_exact;	    /* see import_reader_is_exact */
};

/*
 * Attributes and lists that are not there any more are ignored. An attribute that is still to be
 * made (IMPORT_NEW: of a dry run) has an id that no other has. NOT_FOUND: no column is the address.
 * STORE_FULL: no memory in the arena.
 */
enum store_result import_map_load(struct import_map *map, struct audience_txn *txn,
				  const struct import *import, struct arena *arena) MUST_CHECK;

struct import_row {
	u64 line;
	struct slice address;	/* wire form; empty: the row was refused */
	struct slice key;
	struct slice values;	/* packed changes (contact_record.h), by ascending id */
	const u16 *joins;	/* ids of lists */
	u32 join_count;
	enum contact_state state; /* by the file; 0: it does not say */
	enum contact_state suppressed; /* by the sender's list: set by whoever asked it; 0: not */
	const struct import_report *findings;
	u32 finding_count;
	u32 values_bad;
};

struct import_parser;

/* `map` outlives it. NULL: no memory. */
struct import_parser *import_parser_open(const struct import_map *map);
void import_parser_close(struct import_parser *parser); /* NULL is fine */

/*
 * A row that the reader gave (`why` NULL) or refused (`why` its sentence). Slices of `row` are
 * valid until the next call. False: no memory for the set of addresses.
 */
bool import_parser_take(struct import_parser *parser, const struct csv_row *from, const char *why,
			struct import_row *row) MUST_CHECK;

/* A word for a state, as exports and people write it. False: none. */
bool import_read_state(struct slice text, enum contact_state *state) MUST_CHECK;

/* ---- which column is what ---- */

/* Whether a column's name says that states are in it ("state", "状態", ...). */
bool import_is_state_name(struct slice name);

/* Whether a column's name says that addresses are in it ("email", "メールアドレス", ...). */
bool import_is_email_name(struct slice name);

/* At most `max` bytes, none of them of a character that is cut. */
struct slice import_shown(struct slice text, size_t max);

#endif
