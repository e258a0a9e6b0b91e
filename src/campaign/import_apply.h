/*
 * Rows of an import to the audience: who is new, what changes of whom, who stays as he is; with
 * what undoing it needs. In the transaction of the caller, or, of a dry run, without writing
 * anything of contacts: the same decisions by the same code.
 *
 * Who unsubscribed, complained or whose mailbox failed stays so, whether the audience knows it or
 * the sender's list of suppressed addresses; the file may say of more people that they are such. An
 * operator who states that people have agreed anew has those active again who had unsubscribed;
 * nobody's complaint and no dead mailbox is undone by a file. What the sender does not know of it
 * yet it is told (store/audience_sender_order.h), and again when that is undone.
 */
#ifndef CAMPAIGN_IMPORT_APPLY_H
#define CAMPAIGN_IMPORT_APPLY_H

#include "campaign/import_row.h"

/* One for a thread; too much for a stack. */
struct import_apply {
	struct import import; /* the record; counts and reports go up with the rows */
	bool is_dry;
	u64 now_ms;
	u16 gone[IMPORT_LISTS_MAX + IMPORT_COLUMNS_MAX]; /* lists that were deleted meanwhile */
	u32 gone_count;
	char before[CONTACT_RECORD_MAX];
	char lists[CONTACT_LISTS_MAX * CONTACT_MEMBER_SIZE];
	char values[2 * CONTACT_VALUES_MAX];
	char by[32];
};

/* `import` is set, its slices outlive the rows. Looks which lists are still there. */
enum store_result import_apply_begin(struct import_apply *apply,
				     struct audience_txn *txn) MUST_CHECK;
/* Counts it, reports it, and writes it unless `is_dry`. */
enum store_result import_apply_row(struct import_apply *apply, struct audience_txn *txn,
				   const struct import_row *row) MUST_CHECK;

/*
 * Undoes it for the next contact behind *contact, which is set to that one. NOT_FOUND: that was
 * all.
 */
enum store_result import_undo_next(struct import_apply *apply, struct audience_txn *txn,
				   u32 *contact) MUST_CHECK;

#endif
