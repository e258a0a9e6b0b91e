/*
 * The delivery log as the planner keeps it: how long its entries stay, and who reads behind it.
 *
 * A reader is somebody (a webhook) who takes entries in their order and says how far he is; that is
 * kept on the disk, so he goes on there after any crash, his own or ours. Entries that he has not
 * taken outlive queue.log_keep by queue.log_wait at most, and never queue.log_size_max: then they
 * go, and what he lost is counted and said.
 */
#ifndef DELIVERY_PLANNER_LOG_H
#define DELIVERY_PLANNER_LOG_H

#include "base/error.h"
#include "base/types.h"
#include "delivery/lease.h"
#include "store/queue.h"

#define PLANNER_READERS_MAX 32
#define PLANNER_READER_NAME_MAX 63
#define PLANNER_READER_NOTE_MAX 200

struct planner;

struct planner_reader {
	char name[PLANNER_READER_NAME_MAX + 1];
	u64 position;     /* number of the last entry that he has taken */
	u64 lost;         /* entries that went before he took them; not all were for him, perhaps */
	u64 posted;       /* entries that he has handed on; as he says */
	u64 failed;       /* tries that failed; likewise */
	u64 failing_ms;   /* wall clock, since when nothing works; 0: it does */
	u64 suspended_ms; /* wall clock, since when he takes nothing; 0: he does */
	char note[PLANNER_READER_NOTE_MAX + 1]; /* why; valid UTF-8 is the caller's business */
	/* Asked for by an operator, and answered by him; in memory only. */
	u64 tests_wanted;
	u64 tests_done;
	char test_note[PLANNER_READER_NOTE_MAX + 1];
};

/* In the order in which they came; NULL: no more. Valid until one is added or removed. */
const struct planner_reader *planner_reader_at(const struct planner *planner, size_t index);
/* NULL: there is none of that name. */
const struct planner_reader *planner_reader_find(const struct planner *planner, struct slice name);
/*
 * Adds a reader, or changes the one of that name; durable when true is returned. A position beyond
 * the log's end, as after the queue was restored, is its end; one before its beginning is its
 * beginning, and what lies between counts as lost unless the reader is new. False and a sentence.
 */
bool planner_reader_put(struct planner *planner, const struct planner_reader *reader,
			struct error *error);
bool planner_reader_remove(struct planner *planner, struct slice name, struct error *error);
/* A test is wanted; false: no such reader. */
bool planner_reader_ask_test(struct planner *planner, struct slice name);
bool planner_reader_test_done(struct planner *planner, struct slice name, struct slice note);

/*
 * Which message an operator means: "7.3.42" (campaign, lane and row, as the log has it), a
 * Message-ID with or without < >, or an envelope sender that we made. A message that was the same
 * for all has row {campaign, 0, 0}. False: it is none of ours.
 */
bool planner_log_message(const struct planner *planner, struct slice text, struct row_id *id);

/* ---- for the planner ---- */

bool planner_log_open(struct planner *planner, struct error *error);
void planner_log_close(struct planner *planner);
/* Once a minute, or sooner when there is more to do: drops what need not be kept. */
void planner_log_trim(struct planner *planner, const struct queue_stats *stats);
void planner_log_measure(struct planner *planner); /* how far the readers are */
/* Where, from where and how safely the lease's message went. */
void planner_log_facts(struct queue_log_entry *entry, const struct lease *lease);

#endif
