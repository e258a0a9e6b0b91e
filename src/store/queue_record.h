/*
 * The layouts of the queue's keys and values as pure functions: no LMDB, no allocation, nothing
 * that a damaged record could crash. Private to the room (and to its tests and fuzzers). Every
 * value starts with a version byte. README.md has the table of all layouts; change both together.
 */
#ifndef STORE_QUEUE_RECORD_H
#define STORE_QUEUE_RECORD_H

#include "store/queue.h"
#include "store/queue_letter.h"

#define RECORD_VERSION 1
/* Rows and log entries that tell their age by another clock than the wall's; without: version 1. */
#define RECORD_VERSION_AGED 2
/* Campaigns that are more than a batch of bulk mail; others are written as version 1. */
#define RECORD_VERSION_KIND 2
/* Campaigns that are open, or were. */
#define RECORD_VERSION_OPEN 3
/* Log entries that say how they were sent: from where, by which TLS, to which site. */
#define RECORD_VERSION_SENT 3

/* Largest key: deferred rows; names of settings and blobs are bounded by their own limits. */
#define ROW_KEY_MAX 20
#define ROW_RECORD_HEAD 30
#define ROW_RECORD_MAX                                                                             \
	(ROW_RECORD_HEAD + ROW_ADDRESS_MAX + ROW_HOST_MAX + ROW_REPLY_MAX + ROW_VALUES_MAX)
#define LOG_RECORD_HEAD 73
#define LOG_RECORD_MAX                                                                             \
	(LOG_RECORD_HEAD + ROW_ADDRESS_MAX + ROW_HOST_MAX + ROW_REPLY_MAX + LOG_SITE_MAX)
/* A block of the log's index, small enough to lie beside another one in a page of 4 KiB. */
#define LOG_BLOCK 450 /* entries */
#define LOG_BLOCK_HEAD 49
#define LOG_BLOCK_MAX (LOG_BLOCK_HEAD + LOG_BLOCK * 4)
#define CAMPAIGN_RECORD_MAX 640
#define LETTER_RECORD_MAX (43 + LETTER_KEY_MAX + LETTER_SENDER_MAX + LETTER_ENVID_MAX)
#define LANE_RECORD_MAX 257
/*
 * A lease is cut into parts that fit beside another record in a 4 KiB page: a longer value would
 * take a run of whole pages, and LMDB searches its list of free pages for such runs one by one.
 */
#define LEASE_PART_MAX 1900
#define RECIPIENT_PART_MAX 1900 /* for the same reason */
#define LEASE_REF_MAX 21

size_t row_key_write(u8 key[ROW_KEY_MAX], const struct row_ref *ref);
bool row_key_read(struct slice key, u32 place, struct row_ref *ref) MUST_CHECK;

/* Writes at most ROW_RECORD_MAX bytes; host and reply are cut at their maximum. */
size_t row_record_write(u8 *out, const struct queue_row *row);
/* Fills everything but row->ref; slices are views of `record`. */
bool row_record_read(struct slice record, struct queue_row *row) MUST_CHECK;

size_t log_record_write(u8 *out, const struct queue_log_entry *entry);
/* Fills everything but entry->number. */
bool log_record_read(struct slice record, struct queue_log_entry *entry) MUST_CHECK;

/*
 * What a block of the log holds, in short: `prints` stand for recipient and row of each entry, by
 * number; 0 and 0: there is none. Bits that several names share say only that one of them may be
 * there.
 */
struct log_block {
	u64 oldest_ms; /* wall clock */
	u64 newest_ms;
	u64 outcomes;
	u64 classes;
	u64 campaigns; /* shared bits */
	u64 sites;     /* likewise */
	u16 prints[LOG_BLOCK][2];
};
size_t log_block_write(u8 out[LOG_BLOCK_MAX], const struct log_block *block);
bool log_block_read(struct slice record, struct log_block *block) MUST_CHECK;

size_t campaign_record_write(u8 *out, const struct queue_campaign *c);
/* Fills everything but c->id. */
bool campaign_record_read(struct slice record, struct queue_campaign *c) MUST_CHECK;

size_t letter_record_write(u8 *out, const struct queue_letter *letter);
/* Fills everything but campaign and number; slices are views of `record`. */
bool letter_record_read(struct slice record, struct queue_letter *letter) MUST_CHECK;

/* One part: as many of the `count` addresses as fit, at least one; *taken says how many. */
size_t recipient_part_write(u8 out[RECIPIENT_PART_MAX], u64 age_ms, u32 first_seq,
			    const struct slice *addresses, u32 count, bool whole, u32 *taken);
struct recipient_part {
	u64 age_ms;
	u32 first_seq;
	struct slice locals; /* of the record: for recipient_part_next */
	bool whole;          /* these are addresses, not local parts */
};
bool recipient_part_read(struct slice record, struct recipient_part *part) MUST_CHECK;
/* The next row's local part or address; false at the end, or when the rest does not parse. */
bool recipient_part_next(struct recipient_part *part, struct slice *local) MUST_CHECK;

/* One part: as many of the `count` refs as fit; *taken says how many. Returns the length. */
size_t lease_part_write(u8 out[LEASE_PART_MAX], u64 wall_ms, const struct row_ref *refs, u32 count,
			u32 *taken);
/* Appends the part's refs to `refs` as struct row_ref. False: does not parse, or refs is full. */
bool lease_part_read(struct slice record, u64 *wall_ms, struct buf *refs) MUST_CHECK;

#endif
