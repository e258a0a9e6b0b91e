/*
 * The queue environment (LMDB): campaigns, recipients, deferred rows, leases, the in-doubt list and
 * the delivery log. One process, one thread (the planner) opens and writes it; all reads happen
 * inside that thread's write transaction, so there are no long readers. A change is durable when
 * queue_commit has returned STORE_OK, and not before.
 *
 * A recipient is one row and lives at exactly one place until it is final:
 *   LANE      as imported: (campaign, domain, seq); a lane is one domain of one campaign
 *   DEFERRED  waits for its due time: (due, campaign, domain, seq)
 *   DOUBT     held in doubt until the operator decides: (campaign, domain, seq)
 * Final rows leave the tables; the delivery log and the campaign's counters keep what became of
 * them. Keys are big-endian, so that the order of bytes is the order of sending; see
 * store/README.md for every record's layout.
 */
#ifndef STORE_QUEUE_H
#define STORE_QUEUE_H

#include "base/buf.h"
#include "base/error.h"
#include "base/net_address.h"
#include "base/types.h"
#include "store/store.h"

struct queue;

/* Bytes of the disk that queue_open will take for a queue that is not there yet; else 0. */
u64 queue_room_needed(const struct store_params *params);

/*
 * NULL and a sentence: no permission, no memory, not a queue, of a newer format, or open already
 * (in this process or another). Never used across fork.
 */
struct queue *queue_open(const struct store_params *params, struct error *error);
void queue_close(struct queue *queue); /* aborts what is open; NULL is fine */

/*
 * One write transaction at a time; everything below happens inside it. A failed operation
 * (STORE_FULL, STORE_FAILED) dooms the transaction: later operations give the same result without
 * doing anything, and commit refuses and aborts. STORE_NOT_FOUND dooms nothing. A stored record
 * that does not parse is STORE_FAILED and its text names table and key; it can still be deleted in
 * another transaction. When commit itself says STORE_FAILED, queue_begin does so from then on.
 */
enum store_result queue_begin(struct queue *queue) MUST_CHECK;
enum store_result queue_commit(struct queue *queue) MUST_CHECK;
void queue_abort(struct queue *queue); /* none open, or one that failed at its commit: nothing */
/* Nothing can be written any more: a commit, or growing the map, failed for good. */
bool queue_is_broken(const struct queue *queue);
/* Says in words why the last operation failed; valid until the next failure. */
const char *queue_error_text(const struct queue *queue);
/*
 * Grows the map by doubling up to map_size_max; between transactions only. False: at the maximum.
 * queue_commit and the put functions never grow by themselves.
 */
bool queue_grow(struct queue *queue);
/*
 * True when less than a tenth of the largest map (or of the disk) is free: intake must pause, so
 * that results can still be written (deleting needs new pages, too). As of the last commit; reads
 * LMDB's free list, so ask once per batch, not per row.
 */
bool queue_is_nearly_full(const struct queue *queue);

/* As of the last commit; may be asked inside and outside of a transaction and dooms nothing. */
struct queue_stats {
	u64 map_size;
	u64 pages_used; /* without the free ones */
	u64 pages_free; /* on the free list */
	u32 page_size;
	u64 lane_rows;
	u64 deferred_rows;
	u64 doubt_rows;
	u64 log_rows;
	u64 log_pages; /* of the log and its index, without the free ones */
};
enum store_result queue_stats(struct queue *queue, struct queue_stats *stats) MUST_CHECK;
/*
 * Whether what is under way could still be committed if nothing could be had from now on: at least
 * half of the reserve is there, in the map and in blocks of the file that are allocated. Tries to
 * allocate the whole reserve ahead of the last page. False: hand out nothing new until it is true
 * again. `stats` as just given; ask a few times a second.
 */
bool queue_has_room(struct queue *queue, const struct queue_stats *stats);
/* For people: the folder, what is used of the map and what is free on the disk. */
void queue_describe_room(const struct queue *queue, struct error *text);

/* ---- campaigns ---- */

enum queue_campaign_state {
	CAMPAIGN_IMPORTING = 1, /* recipients are coming in; dropped when found at start */
	CAMPAIGN_READY,
	CAMPAIGN_RUNNING,
	CAMPAIGN_PAUSED,
	CAMPAIGN_DONE,
	CAMPAIGN_CANCELLED,
};
const char *queue_campaign_state_name(enum queue_campaign_state state);

enum queue_doubt_policy { DOUBT_RESEND = 1, DOUBT_HOLD };

enum queue_campaign_kind { /* values are stored */
	CAMPAIGN_BULK = 0,
	CAMPAIGN_TRANSACTIONAL = 1, /* somebody waits for each of its messages: goes first */
	CAMPAIGN_LETTERS = 2,       /* stands for ever and holds single messages: see letter.h */
};
const char *queue_campaign_kind_name(u32 kind);

struct queue_campaign {
	u32 id;
	u32 state;
	u32 doubt_policy;
	u32 domains;     /* lanes that exist */
	u64 created_ms;
	u64 started_ms;
	u64 finished_ms;
	u64 expire_after_ms; /* a row gives up this long after its first attempt */
	u64 total;       /* rows imported */
	u64 delivered;
	u64 failed;      /* permanent failures, expired included */
	u64 expired;     /* of them */
	u64 cancelled;
	u64 deferrals;   /* events, not rows */
	u64 deferred;    /* rows that are deferred now */
	u64 doubts;      /* events: rows that ever were in doubt */
	u64 held;        /* rows in doubt now, held */
	u64 deadline_ms; /* by the clock of ages, nothing of it is sent from then on; 0: none */
	u64 bounced;      /* after they were delivered; events, not rows, like the two below */
	u64 complained;
	u64 unsubscribed;
	u64 cursor;      /* how far whoever brings the rows of an open campaign has come */
	u32 kind;        /* enum queue_campaign_kind */
	bool is_open;    /* rows come in while it runs: not done before it is closed */
	char name[64];
	char list[64];   /* the newsletter that it is an issue of; "": of none */
	char customer[256];
};

/* Takes the next id, which no campaign has had before; fills campaign->id. */
enum store_result queue_campaign_create(struct queue *queue, struct queue_campaign *c) MUST_CHECK;
enum store_result queue_campaign_put(struct queue *queue,
				     const struct queue_campaign *c) MUST_CHECK;
enum store_result queue_campaign_get(struct queue *queue, u32 id,
				     struct queue_campaign *c) MUST_CHECK;
/* The first campaign with an id greater than `after` (0: from the start). */
enum store_result queue_campaign_next(struct queue *queue, u32 after,
				      struct queue_campaign *c) MUST_CHECK;
/*
 * Drops up to `limit` (>= 1) rows and records of a campaign; deferred rows of others are looked at
 * in proportion, but not for one in state IMPORTING, which has none. STORE_OK: call again, in this
 * or another transaction, so that none grows large. STORE_NOT_FOUND: nothing of it is left, the
 * campaign record is gone too. No row may be added to it meanwhile. Log and leases stay.
 */
enum store_result queue_campaign_erase(struct queue *queue, u32 id, u32 limit) MUST_CHECK;

/*
 * Named blobs of a campaign: "headers", "text", "html", "whole", "columns", "options". Any size
 * below 4 GiB; names of 1-64 bytes. `bytes` must not be a slice that this queue gave out.
 */
enum store_result queue_blob_put(struct queue *queue, u32 campaign, const char *name,
				 struct slice bytes) MUST_CHECK;
/* The slice is valid until the next write or the end of the transaction. */
enum store_result queue_blob_get(struct queue *queue, u32 campaign, const char *name,
				 struct slice *bytes) MUST_CHECK;
enum store_result queue_blob_delete(struct queue *queue, u32 campaign,
				    const char *name) MUST_CHECK;

/* ---- rows ---- */

struct row_id {
	u32 campaign;
	u32 domain; /* number of the lane within the campaign, from 1 */
	u32 seq;    /* within the lane, from 1 */
};

enum row_place { ROW_LANE = 1, ROW_DEFERRED, ROW_DOUBT };

/* Where a row is: its whole key. */
struct row_ref {
	struct row_id id;
	u32 place;
	u64 due_ms; /* DEFERRED only, else 0 */
};

bool row_ref_equal(const struct row_ref *a, const struct row_ref *b);

#define ROW_ADDRESS_MAX 400
#define ROW_VALUES_MAX 65535
#define ROW_HOST_MAX 320 /* "name [address]"; what is longer is cut */
#define ROW_REPLY_MAX 200

enum row_flag {
	ROW_WAS_IN_DOUBT = 1, /* a copy may be at the receiver already */
	ROW_IN_DOUBT_NOW = 2, /* this entry is the resend of an in-doubt row, same host first */
	ROW_DELAY_TOLD = 4,   /* the sender of the letter knows that it is late */
};

struct queue_row {
	struct row_ref ref;
	u32 attempts;     /* that reached a receiver's verdict */
	u32 flags;
	u64 first_ms;     /* first lease: Date of the message, by the wall clock; 0 before */
	u64 since_ms;     /* likewise, by the clock that ages are measured with; 0 before */
	u16 last_code;    /* last reply */
	struct slice address;  /* wire form */
	struct slice values;   /* packed merge values, see row_values.h; opaque here */
	struct slice host;     /* receiver of the last attempt, for resends; may be empty */
	struct slice reply;    /* text of the last reply, cut at ROW_REPLY_MAX; may be empty */
};

/*
 * New lane: number, taken from campaign->domains (which is counted up; the caller puts the
 * campaign). domain: 1-255 bytes.
 */
enum store_result queue_lane_create(struct queue *queue, struct queue_campaign *c,
				    struct slice domain, u32 *number) MUST_CHECK;
struct queue_lane {
	u32 campaign;
	u32 number;
	char domain[256];
};
/* First lane numbered above `after` in a campaign. */
enum store_result queue_lane_next(struct queue *queue, u32 campaign, u32 after,
				  struct queue_lane *lane) MUST_CHECK;

/*
 * Adds at row->ref (any place), or overwrites what is there; fastest when keys come in rising
 * order. The slices may come from queue_row_next or _get if nothing was written since. For a row
 * that is new, or that stays where it is; one that is there already is moved by queue_row_move.
 */
enum store_result queue_row_put(struct queue *queue, const struct queue_row *row) MUST_CHECK;
/*
 * The row leaves `from` and is at row->ref; both may be the same place, and then its record is
 * written over. No other way may a row change its place: a put and a delete by hand lose it when
 * both keys are the same one (a due time computed anew can be the old one). Slices as for
 * queue_row_put. STORE_NOT_FOUND: nothing was at `from`; the row is at its new place all the same.
 */
enum store_result queue_row_move(struct queue *queue, const struct row_ref *from,
				 const struct queue_row *row) MUST_CHECK;
enum store_result queue_row_get(struct queue *queue, const struct row_ref *ref,
				struct queue_row *row) MUST_CHECK;
/* STORE_NOT_FOUND is an answer, not a failure (a row that is final already). */
enum store_result queue_row_delete(struct queue *queue, const struct row_ref *ref) MUST_CHECK;
/*
 * The first row behind `after` in its place's order. LANE: within the same campaign and lane
 * (after->id.seq = 0: from its start). DEFERRED: any campaign, due at or before until_ms. DOUBT:
 * any campaign. Slices in *row are valid until the next write or the end of the transaction.
 */
enum store_result queue_row_next(struct queue *queue, const struct row_ref *after, u64 until_ms,
				 struct queue_row *row) MUST_CHECK;

/* Where the last row of a place is (DEFERRED, DOUBT). */
enum store_result queue_row_last(struct queue *queue, enum row_place place,
				 struct row_ref *ref) MUST_CHECK;

/* ---- who rows were for; known when the rows are gone (queue_recipient.c) ---- */

/*
 * Notes the recipients (wire form) of `count` rows of one lane, numbered from *first on, at
 * `age_ms` by the clock that ages are measured with. `whole`: with their domains, for rows without
 * a lane.
 */
enum store_result queue_recipients_put(struct queue *queue, const struct row_id *first, u64 age_ms,
				       const struct slice *addresses, u32 count,
				       bool whole) MUST_CHECK;
/* The row's recipient in wire form, with a NUL. */
enum store_result queue_recipient_get(struct queue *queue, const struct row_id *id,
				      char out[ROW_ADDRESS_MAX + 1]) MUST_CHECK;
/*
 * The row of a campaign that was for the address, in any case of letters. *looks is counted down by
 * the records that are read; at 0 it is STORE_NOT_FOUND, too.
 */
enum store_result queue_recipient_find(struct queue *queue, u32 campaign, struct slice address,
				       u32 *looks, struct row_id *id) MUST_CHECK;
/*
 * Drops records that are older than `before_ms`, of each campaign the first ones; `limit` are
 * looked at. STORE_NOT_FOUND when there were none.
 */
enum store_result queue_recipients_trim(struct queue *queue, u64 before_ms, u32 limit) MUST_CHECK;

/* ---- leases: what may have been handed out, as of the last commit ---- */

/*
 * One lease (number >= 1) per commit that handed rows out: written in the commit before the rows
 * reach a worker, deleted when all its rows are settled. After a power cut every row named here may
 * have been sent.
 */
enum store_result queue_lease_put(struct queue *queue, u64 number, u64 wall_ms,
				  const struct row_ref *refs, u32 count) MUST_CHECK;
enum store_result queue_lease_delete(struct queue *queue, u64 number) MUST_CHECK;
/*
 * First lease numbered above `after`. `refs` is emptied and filled with an array of struct row_ref
 * (24 bytes each: give the buffer room for the largest lease), in the order in which they were put.
 */
enum store_result queue_lease_next(struct queue *queue, u64 after, u64 *number, u64 *wall_ms,
				   struct buf *refs) MUST_CHECK;

/* ---- delivery log ---- */

enum log_outcome {
	LOG_DELIVERED = 1,
	LOG_FAILED,
	LOG_DEFERRED,
	LOG_EXPIRED,
	LOG_CANCELLED,
	LOG_IN_DOUBT,   /* noted when found */
	LOG_HELD,       /* in doubt and held */
	/* What came back later, of a message that was delivered: */
	LOG_BOUNCED,
	LOG_COMPLAINED,
	LOG_UNSUBSCRIBED,
	LOG_AUTO_REPLY,
};
#define LOG_OUTCOME_LAST LOG_AUTO_REPLY
const char *log_outcome_name(u32 outcome);

#define LOG_CODE_MAX 1023 /* a code beyond is stored as 0 */
#define LOG_CLASS_MAX 63
#define LOG_SITE_MAX 255

/* How the receiver was talked to; values are stored. */
enum log_tls { LOG_TLS_UNKNOWN, LOG_TLS_NONE, LOG_TLS_12, LOG_TLS_13, LOG_TLS_LAST = LOG_TLS_13 };
const char *log_tls_name(u32 tls); /* "", "none", "TLSv1.2", "TLSv1.3" */
/* Why so; values are stored, and are those of enum metrics_policy and one more. */
enum log_policy {
	LOG_POLICY_UNKNOWN,
	LOG_POLICY_NEVER,
	LOG_POLICY_OPPORTUNISTIC,
	LOG_POLICY_REQUIRED,
	LOG_POLICY_DANE_UNUSABLE,
	LOG_POLICY_DANE,
	LOG_POLICY_VERIFY,
	LOG_POLICY_STS,
	LOG_POLICY_STS_TESTING,
	LOG_POLICY_STS_OTHER,
	LOG_POLICY_LAST = LOG_POLICY_STS_OTHER,
};
const char *log_policy_name(u32 policy); /* "", "opportunistic", "dane", "mta-sts", ... */

struct queue_log_entry {
	u64 number; /* given by queue_log_add, rising */
	u64 wall_ms;
	u64 age_ms;     /* by the clock that ages are measured with: what trimming goes by */
	struct row_id id;
	u32 outcome;
	u16 code;
	u16 enhanced[3];
	u8 attempts;
	u8 reply_class; /* enum smtp_class of a refusal: up to LOG_CLASS_MAX; else 0 */
	u32 elapsed_ms; /* of this attempt's transaction */
	u32 bytes;      /* of the message, when all of it went out; else 0 */
	u8 tls;         /* enum log_tls */
	u8 tls_policy;  /* enum log_policy */
	bool tls_proven; /* the peer proved what the policy asks for */
	struct net_address source; /* that the session was opened from; family 0: not known */
	struct slice address;
	struct slice host; /* "mx.example.jp [192.0.2.25]" */
	struct slice reply;
	struct slice site; /* whose limits counted; cut at LOG_SITE_MAX; may be empty */
};
enum store_result queue_log_add(struct queue *queue,
				const struct queue_log_entry *entry) MUST_CHECK;
enum store_result queue_log_next(struct queue *queue, u64 after,
				 struct queue_log_entry *entry) MUST_CHECK;
/* Number of the newest entry; 0: there never was one. */
enum store_result queue_log_last(struct queue *queue, u64 *number) MUST_CHECK;
/* The same as of the last commit, outside of transactions; 0 as well when nobody has asked yet. */
u64 queue_log_last_seen(const struct queue *queue);
/*
 * Drops entries whose age_ms is below `before_ms`, and that are numbered up to `through`, among the
 * `limit` first ones; STORE_NOT_FOUND when there were none. The newest entry always stays, so that
 * numbers go on rising.
 */
enum store_result queue_log_trim(struct queue *queue, u64 before_ms, u64 through,
				 u32 limit) MUST_CHECK;

/* What is looked for in the log; all conditions must hold. Zeroed: every entry. */
struct queue_log_filter {
	u64 since_ms; /* wall clock; entries from then on */
	u64 until_ms; /* and before this; 0: no end */
	u64 outcomes; /* bits by enum log_outcome; 0: all */
	u64 classes;  /* bits by enum smtp_class; 0: all */
	u32 campaign; /* 0: all */
	struct row_id row;    /* campaign 0: any */
	struct slice address; /* wire form; NULL: any */
	struct slice domain;  /* of the address, lower case; NULL: any */
	struct slice site;    /* NULL: any */
};
bool queue_log_matches(const struct queue_log_filter *filter, const struct queue_log_entry *entry);

/* A walk through the log. Zeroed, it begins at the oldest entry. */
struct queue_log_walk {
	u64 at;            /* the last number that was looked at; the next one is beyond */
	u64 block;         /* the walk's own */
	bool newest_first; /* the other way; begins below `at`, so with UINT64_MAX at the newest */
};
/*
 * The next entry that matches. Costs are taken off *budget, about one for an entry that had to be
 * read; when it is used up the answer is STORE_OK with entry->number 0, and the next call goes on,
 * in another transaction if need be. STORE_NOT_FOUND: there are no more. Recipients, messages and
 * times are found by the log's index (queue_log_index.c) without reading what lies between.
 */
enum store_result queue_log_find(struct queue *queue, const struct queue_log_filter *filter,
				 struct queue_log_walk *walk, u32 *budget,
				 struct queue_log_entry *entry) MUST_CHECK;

/* ---- addresses that get no mail, and those that are on their way there ---- */

#define SUPPRESSION_SCOPE_MAX 253 /* a domain that leaves no room for a list has none */
#define SUPPRESSION_ADDRESS_MAX 400
#define SUPPRESSION_EVENTS_MAX 8 /* the newest ones */
#define SUPPRESSION_TEXT_MAX 200
#define SUPPRESSION_RECORD_MAX                                                                     \
	(16 + SUPPRESSION_SCOPE_MAX + SUPPRESSION_ADDRESS_MAX +                                    \
	 SUPPRESSION_EVENTS_MAX * (15 + SUPPRESSION_TEXT_MAX))
#define SUPPRESSION_CURSOR_SIZE 16

enum suppression_reason { /* values are stored */
	SUPPRESSION_MANUAL = 1,
	SUPPRESSION_IMPORT = 2,
	SUPPRESSION_HARD = 3, /* the receiver says that there is no such mailbox */
	SUPPRESSION_SOFT = 4, /* given up again and again */
	SUPPRESSION_COMPLAINT = 5,
	SUPPRESSION_UNSUBSCRIBE = 6,
	SUPPRESSION_REMOVED = 7, /* gets mail again, by an operator's order */
	SUPPRESSION_STRIKE = 8, /* "no such mailbox", by a receiver that errs: not enough yet */
};
const char *suppression_reason_name(u32 reason); /* "bad-mailbox", ...; "unknown" */

struct suppression_event {
	u64 wall_ms;
	u32 campaign; /* 0: none */
	u8 reason;
	struct slice text; /* what the receiver or the operator said */
};

struct queue_suppression {
	bool is_active;
	u16 soft; /* failures in a row that were not final by themselves */
	u8 strikes; /* "no such mailbox", from a receiver that errs: not often enough yet */
	u64 struck_ms; /* when last, by the clock that ages are measured with */
	/*
	 * Whose mail is meant: "" everybody's, a customer's domain, or one list of it: domain, "/"
	 * and its name.
	 */
	struct slice scope;
	struct slice address; /* as address_key_of_wire has it */
	u32 event_count;
	struct suppression_event events[SUPPRESSION_EVENTS_MAX]; /* oldest first */
};

/* Slices live until the next operation of the transaction. */
enum store_result queue_suppression_put(struct queue *queue,
					const struct queue_suppression *s) MUST_CHECK;
enum store_result queue_suppression_get(struct queue *queue, struct slice scope,
					struct slice address,
					struct queue_suppression *s) MUST_CHECK;
/* All of them, in no order that means anything; *began is false for the first. */
enum store_result queue_suppression_next(struct queue *queue, u8 cursor[SUPPRESSION_CURSOR_SIZE],
					 bool *began, struct queue_suppression *s) MUST_CHECK;
enum store_result queue_suppression_delete(struct queue *queue, struct slice scope,
					   struct slice address) MUST_CHECK;
/* A number that stands for the pair in memory; two pairs may have the same. */
u64 queue_suppression_id(struct slice scope, struct slice address);

/* ---- reports of others that are done with ---- */

#define REPORT_KEY_MAX 64 /* at least 1 */

enum store_result queue_report_has(struct queue *queue, struct slice key) MUST_CHECK;
enum store_result queue_report_put(struct queue *queue, struct slice key, u64 age_ms) MUST_CHECK;
/* Drops the first ones as long as they are older, at most `limit`; likewise. */
enum store_result queue_reports_trim(struct queue *queue, u64 before_ms, u32 limit) MUST_CHECK;

/* ---- small settings: suspended sites, counters that survive a restart ---- */

#define SETTING_NAME_MAX 255 /* at least 1; the first byte is not NUL */
#define SETTING_VALUE_MAX 65535

enum store_result queue_setting_put(struct queue *queue, struct slice name,
				    struct slice value) MUST_CHECK;
enum store_result queue_setting_delete(struct queue *queue, struct slice name) MUST_CHECK;
enum store_result queue_setting_get(struct queue *queue, struct slice name,
				    struct slice *value) MUST_CHECK;
/* First setting whose name is behind `after` (empty: from the start) and has the prefix. */
enum store_result queue_setting_next(struct queue *queue, struct slice prefix, struct slice after,
				     struct slice *name, struct slice *value) MUST_CHECK;

#endif
