/*
 * Values of attributes as people write them, to the one form in which each is kept (see
 * store/contact_record.h), so that equal values are equal bytes. Reading is forgiving: full-width
 * characters, "1,234", "2026/11/30", "2026年11月30日", "令和8年11月30日", "はい", "○", "TRUE". It
 * guesses nothing that has two meanings: "11/12/2026" is no date here.
 *
 * No memory of its own, no state.
 */
#ifndef CAMPAIGN_VALUE_H
#define CAMPAIGN_VALUE_H

#include "base/buf.h"
#include "base/types.h"
#include "store/audience_attribute.h"

#define VALUE_DIGITS_MAX 30 /* of a number */

enum value_problem {
	VALUE_GOOD,
	VALUE_TOO_LONG,	    /* over CONTACT_VALUE_MAX bytes */
	VALUE_CONTROL,	    /* control characters other than line ends and tabs */
	VALUE_NO_NUMBER,
	VALUE_NUMBER_LONG,  /* more than VALUE_DIGITS_MAX digits */
	VALUE_NO_DATE,
	VALUE_DATE_UNCLEAR, /* day and month could be either way */
	VALUE_DAY_MISSING,  /* there is no such day: "2026-02-30" */
	VALUE_NO_CHOICE,
	VALUE_NO_YES_NO,
	VALUE_NO_STATE, /* of a contact: import_row.h */
	VALUE_PROBLEMS,
};

/* A sentence about it, without an end; in Japanese, or in English. */
const char *value_problem_words(enum value_problem problem, bool japanese);

/*
 * Appends the form in which `text` (valid UTF-8) is kept. White space around it does not count; of
 * nothing else nothing is appended, and that is good: the value is not there. `choices` as in
 * struct attribute, for ATTRIBUTE_CHOICE.
 */
enum value_problem value_read(struct buf *out, enum attribute_type type, struct slice choices,
			      struct slice text) MUST_CHECK;

/* White space of Unicode that people have around cells: blanks, tabs, line ends, U+3000, U+00A0. */
struct slice value_trim(struct slice text);

/*
 * Whether a spreadsheet may take a cell for a formula: it begins with = + - @ tab or CR, with
 * any number of apostrophes before. Who writes one puts an apostrophe in front; who reads
 * takes one off when what follows is such a cell, so that a file comes back as it was.
 */
bool value_is_formula(struct slice cell) MUST_CHECK;
struct slice value_undo_guard(struct slice cell);

/* ---- which type a column has ---- */

struct value_guess {
	u64 seen; /* values that were not empty */
	u64 numbers;
	u64 dates;
	u64 yes_nos;
	u64 zero_led; /* "090...": digits that are no number */
};

void value_guess_add(struct value_guess *guess, struct slice text);
/* All that were seen are of it; TEXT when none was. Never CHOICE. */
enum attribute_type value_guess_type(const struct value_guess *guess);

#endif
