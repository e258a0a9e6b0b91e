/*
 * A condition as rows of a form, which need no script: all or any of some tests, each perhaps
 * turned round. What is nested deeper has no rows; it is edited as text.
 *
 *	any           1: any of them is enough
 *	what.0        "state", "attribute:5", "member:3", "opened"; without it there is no row
 *	op.0          word of the operator (campaign/segment_words.h)
 *	value.0       as people write it; several for "in", with commas or on lines; days
 *	campaign.0, link.0   of behaviour; may be empty
 *	not.0         1
 */
#ifndef WEB_SEGMENT_ROWS_H
#define WEB_SEGMENT_ROWS_H

#include "campaign/segment.h"
#include "web/form.h"

#define SEGMENT_ROWS_MAX 40

struct segment_row {
	enum segment_subject subject;
	enum segment_operator op;
	enum segment_type type;
	u32 id;		   /* attribute, list */
	struct slice name; /* of it; to be shown; empty when it is gone */
	bool is_not;
	struct slice value;
	struct slice campaign;
	struct slice link;
};

struct segment_rows {
	bool is_any;
	u32 count;
	struct segment_row rows[SEGMENT_ROWS_MAX];
	struct buf texts; /* what values are made of that are no views of a form */
};

void segment_rows_init(struct segment_rows *rows);
void segment_rows_done(struct segment_rows *rows);

/* What the form has, views of it; names by `names`. More than SEGMENT_ROWS_MAX are left out. */
void segment_rows_of_form(struct segment_rows *rows, const struct form *form,
			  const struct segment_names *names);
/* A row more for "attribute:5" and so on. False: it is no such thing, or there are too many. */
bool segment_rows_add(struct segment_rows *rows, struct slice what,
		      const struct segment_names *names) MUST_CHECK;
void segment_rows_remove(struct segment_rows *rows, u32 index);

/* False: the tree has no rows, or there is no memory. */
bool segment_rows_of_tree(struct segment_rows *rows, const struct segment *segment) MUST_CHECK;
/*
 * The settled segment. NULL: the error, and the row that it is about (or SEGMENT_ROWS_MAX, when it
 * is about none).
 */
struct segment *segment_rows_settle(const struct segment_rows *rows,
				    const struct segment_names *names, u32 *bad_row,
				    struct error *error) MUST_CHECK;

/* "attribute:5": what a row is about. */
void segment_row_what(const struct segment_row *row, char out[32]);

#endif
