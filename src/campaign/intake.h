/*
 * From the bytes of a CSV file to clean recipients. The first row names the columns; one of them
 * must be `email`. Each further row becomes an address and its packed merge values, or a sentence
 * that says why not; a bad row never stops the rest. An address that came before in the same import
 * is dropped and reported as such.
 *
 * Memory: what base/csv.h holds, and 16 bytes per place of the set of known addresses, which is at
 * least 3/8 and at most 3/4 full: 21 to 43 bytes per address, and half as much again while it grows
 * (10 million addresses: 256 MiB, 384 MiB for a moment). Addresses are compared by a keyed 128-bit
 * hash of their key (message/address.h).
 */
#ifndef CAMPAIGN_INTAKE_H
#define CAMPAIGN_INTAKE_H

#include "base/error.h"
#include "base/types.h"

#define INTAKE_COLUMNS_MAX 255 /* without `email` */
#define INTAKE_NAME_MAX 64

enum intake_event {
	INTAKE_MORE,      /* all bytes are used up: feed, or finish */
	INTAKE_ROW,       /* a recipient */
	INTAKE_BAD,       /* a row was refused; the error says the line and why */
	INTAKE_DUPLICATE, /* its address came before; the error says the line and the address */
	INTAKE_END,       /* behind the last row, after intake_finish */
	INTAKE_FAILED,    /* the file as a whole: encoding, header row, memory; nothing follows */
};

/* Slices are valid until the next call on this intake. */
struct intake_row {
	u64 line;            /* where the row starts, from 1 */
	struct slice address; /* wire form: see address_add_wire */
	struct slice domain; /* A-labels, lower case */
	struct slice values; /* packed (store/row_values.h): the columns but `email`, in order */
	bool not_dot_atom;   /* accepted, but not by the RFC's grammar: will be sent quoted */
	bool utf8_local;     /* can go to receivers with SMTPUTF8 only */
};

struct intake_counts {
	u64 rows; /* the header row and empty lines do not count */
	u64 accepted;
	u64 quoted; /* of them: not_dot_atom */
	u64 bad;
	u64 duplicates;
};

struct intake;

/* Delimiter as for csv_open; 0 finds it out. NULL: no memory. */
struct intake *intake_open(char delimiter);
void intake_close(struct intake *intake); /* NULL is fine */

/* As csv_feed: copied, at most CSV_FEED_MAX bytes, only at first or after INTAKE_MORE. */
void intake_feed(struct intake *intake, struct slice bytes);
void intake_finish(struct intake *intake);
enum intake_event intake_next(struct intake *intake, struct intake_row *row,
			      struct error *error) MUST_CHECK;

void intake_counts(const struct intake *intake, struct intake_counts *counts);
/*
 * The columns in the order of their values, without `email`, which is no value: the recipient's
 * address serves {{email}}. Known once the header row has been read (after the first event that is
 * neither INTAKE_MORE nor INTAKE_FAILED); 0 before. Names as written, [A-Za-z0-9_-]; equal names
 * but for case are refused, and so are names that begin with '_', which are the product's own.
 */
size_t intake_column_count(const struct intake *intake);
struct slice intake_column(const struct intake *intake, size_t index);

#endif
