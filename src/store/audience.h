/*
 * The audience environment (LMDB): whom a customer writes to and what the newsletter service keeps
 * besides: contacts, lists, imports, segments, templates, campaigns, steps, users, what was opened
 * and clicked. The role `web` alone opens it. One thread at a time writes, in one transaction that
 * is durable once audience_commit has said STORE_OK; any thread reads beside it, each by a
 * transaction of its own, what the last commit left.
 *
 * What is kept of each noun stands in a header of its own (audience_contact.h and so on), whose
 * functions take a transaction. Ids are u32, counted from 1, never given twice. Times are
 * milliseconds of the wall clock unless said. Records: store/README.md.
 */
#ifndef STORE_AUDIENCE_H
#define STORE_AUDIENCE_H

#include "base/error.h"
#include "base/types.h"
#include "store/store.h"

struct audience;
struct audience_txn;

/*
 * `params->map_size` does not count: the map has its maximum at once, which is address space and
 * no memory, since a map cannot grow while others read. NULL and a sentence: as queue_open.
 */
struct audience *audience_open(const struct store_params *params, struct error *error);
void audience_close(struct audience *audience); /* no transaction is left; NULL is fine */

/* For one thread at a time; transactions follow one another in it. NULL: no memory. */
struct audience_txn *audience_txn_open(struct audience *audience);
void audience_txn_close(struct audience_txn *txn); /* NULL is fine */

/*
 * Reading: short (under a second), for it pins old pages; who walks over millions does so in
 * slices. Ended by audience_abort. Slices that functions give are views, valid until then.
 */
enum store_result audience_begin_read(struct audience_txn *txn) MUST_CHECK;
/*
 * Writing: waits for the other writer, if there is one. As in queue.h, a failed operation dooms the
 * transaction; a slice from a function is valid until the next write.
 */
enum store_result audience_begin(struct audience_txn *txn) MUST_CHECK;
enum store_result audience_commit(struct audience_txn *txn) MUST_CHECK;
void audience_abort(struct audience_txn *txn);
/* What the last failure was. */
const char *audience_error_text(const struct audience_txn *txn);

/* ---- what does not deserve a table ---- */

/* Names: 1 to 250 bytes, the first one not NUL. */
enum store_result audience_setting_get(struct audience_txn *txn, struct slice name,
				       struct slice *value) MUST_CHECK;
enum store_result audience_setting_put(struct audience_txn *txn, struct slice name,
				       struct slice value) MUST_CHECK;
enum store_result audience_setting_delete(struct audience_txn *txn, struct slice name) MUST_CHECK;

/* The next id of a noun ("contact"); written with the transaction. */
enum store_result audience_next_id(struct audience_txn *txn, const char *noun, u32 *id) MUST_CHECK;

/* ---- room ---- */

/*
 * Whether there is room to take in more (contacts, images): asks the disk, so once in a while. When
 * there is not, what is under way can still be committed.
 */
bool audience_has_room(struct audience *audience);
struct audience_size {
	u64 used; /* bytes */
	u64 max;
};
bool audience_size(const struct audience *audience, struct audience_size *size) MUST_CHECK;
void audience_describe_room(const struct audience *audience, struct error *text);

#endif
