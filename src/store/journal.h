/*
 * The in-doubt journal: a small mmapped file with one slot per row in flight. The planner fills a slot
 * when it leases a row, the worker notes in it that the message's last byte goes out and later what the
 * reply was, the planner frees it when the result is committed. Stores only, no system call: after
 * kill -9 the page cache still has them. After a power cut (another boot id) the file says nothing and
 * the lease records of queue.h stand in.
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

/* 64 bytes, one cache line; state is written last (release) and read first (acquire). */
struct journal_slot {
	_Atomic u32 state;
	u16 code;        /* ANSWERED: reply code of the verdict */
	u16 verdict;     /* ANSWERED: enum smtp_verdict as a number */
	struct row_ref ref;
	u64 date_ms;     /* Date of the message */
	u8 host[16];     /* address of the receiver it went to */
};

struct journal;

/*
 * Opens or makes the file with `slots` slots (a file with another count is accepted for recovery when
 * it holds used slots, and remade by journal_reset). Locks it: a second process is refused.
 */
struct journal *journal_open(const char *path, u32 slots, struct error *error);
void journal_close(struct journal *journal);

u32 journal_slot_count(const struct journal *journal);
struct journal_slot *journal_slot(struct journal *journal, u32 index);

/* True when the file was last written in this boot, so that its slots can be trusted. */
bool journal_is_current(const struct journal *journal);
/* Frees all slots, gives the file the wanted count and this boot's id, syncs it. After recovery. */
bool journal_reset(struct journal *journal, struct error *error);

#endif
