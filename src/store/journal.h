/*
 * The in-doubt journal: a small mmapped file with one slot per row in flight. The planner fills a
 * slot when it leases a row, the worker notes in it that the message's last byte goes out and later
 * what the reply was, the planner frees it when the result is committed. Stores only, no system
 * call: after kill -9 the page cache still has them. After a power cut (another boot id) the file
 * says nothing and the lease records of queue.h stand in. The same holds for a file that is new,
 * cut short or of another layout: journal_is_current is false for it.
 */
#ifndef STORE_JOURNAL_H
#define STORE_JOURNAL_H

#include "base/error.h"
#include "base/types.h"
#include "store/queue.h"

enum journal_state {
	JOURNAL_FREE = 0,
	JOURNAL_LEASED,    /* with the worker; no end of message was sent */
	JOURNAL_DOT_SENT,  /* the last byte may be with the receiver */
	JOURNAL_ANSWERED,  /* the receiver's verdict is in `code`; not yet committed */
};

/*
 * 64 bytes, one cache line; state is written last (release) and read first (acquire). One thread at
 * a time owns a slot. What an earlier process left is data, not a promise: check state and ref.
 */
struct journal_slot {
	_Alignas(CACHE_LINE) _Atomic u32 state;
	u16 code;        /* ANSWERED: reply code of the verdict */
	u16 verdict;     /* ANSWERED: enum smtp_verdict as a number */
	struct row_ref ref;
	u64 date_ms;     /* Date of the message */
	u8 host[16];     /* address of the receiver it went to */
};

#define JOURNAL_SLOTS_MAX (1u << 24)
#define JOURNAL_BOOT_SIZE 36 /* the kernel's boot id as text */

struct journal;

/*
 * Opens or makes the file with `slots` slots, 1 to JOURNAL_SLOTS_MAX. A file with another count
 * keeps it until journal_reset, so that it can be recovered from. Locks it: a second opener is
 * refused. All blocks that it will ever need are allocated at once, so that neither a slot nor
 * journal_reset wants room later; NULL and a sentence when the disk has none for them.
 */
struct journal *journal_open(const char *path, u32 slots, struct error *error);
/* As journal_open, with the caller's idea of which boot this is. */
struct journal *journal_open_in_boot(const char *path, u32 slots, const u8 boot[JOURNAL_BOOT_SIZE],
				     struct error *error);
/* Bytes of the disk that journal_open will take for a file that is missing or has fewer slots. */
u64 journal_room_needed(const char *path, u32 slots);
/* The slots stay in the file as they are. NULL is fine. */
void journal_close(struct journal *journal);

/* Of the file as it is now: may differ from what journal_open was given until journal_reset. */
u32 journal_slot_count(const struct journal *journal);
struct journal_slot *journal_slot(struct journal *journal, u32 index);

/* True when the file was last reset in this boot, so that its slots can be trusted. */
bool journal_is_current(const struct journal *journal);
/* Which boot this is (not which one the file is of). */
const u8 *journal_boot(const struct journal *journal);
/*
 * Frees all slots, gives the file the wanted count and this boot's id, syncs it. After recovery has
 * been committed. Pointers to slots end. False and a sentence: the journal can only be closed.
 */
bool journal_reset(struct journal *journal, struct error *error);

#endif
