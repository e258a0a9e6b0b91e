/*
 * Step mail sequences as they are kept: what starts them, whom they are about, and when each step
 * goes (campaign/sequence.h says what that means). The text of a step is a campaign of its own
 * (audience_campaign.h, AUDIENCE_CAMPAIGN_STEP), whose id is the step's: what campaigns count, link
 * to and show is there for steps, too.
 */
#ifndef STORE_AUDIENCE_SEQUENCE_H
#define STORE_AUDIENCE_SEQUENCE_H

#include "store/audience.h"

#define SEQUENCES_MAX 300 /* archived ones included */
#define SEQUENCE_NAME_MAX 200 /* bytes */
#define SEQUENCE_EVENT_MAX 64
#define SEQUENCE_STEPS_MAX 60

enum audience_sequence_state { /* values are stored */
	AUDIENCE_SEQUENCE_DRAFT = 1,
	AUDIENCE_SEQUENCE_RUNNING,
	AUDIENCE_SEQUENCE_PAUSED, /* people enter, nothing is sent; by order, or for `REASON` */
	AUDIENCE_SEQUENCE_ARCHIVED, /* for good */
	AUDIENCE_SEQUENCE_STATES,
};
/* "draft", "running", ... */
extern const char *const audience_sequence_state_names[AUDIENCE_SEQUENCE_STATES];

enum audience_sequence_start { /* values are stored */
	AUDIENCE_SEQUENCE_BY_LIST = 1, /* by becoming a member of `list` */
	AUDIENCE_SEQUENCE_BY_EVENT,    /* that a program tells */
	AUDIENCE_SEQUENCE_BY_DATE,     /* of `attribute`, once */
	AUDIENCE_SEQUENCE_YEARLY,      /* each year on the day of `attribute` */
	AUDIENCE_SEQUENCE_STARTS,
};
/* "list", "event", "date", "yearly" */
extern const char *const audience_sequence_start_names[AUDIENCE_SEQUENCE_STARTS];

struct sequence_step {
	u32 id; /* not 0; its campaign's */
	/* By moment: days after the step before, from 0. By date: before (negative) or after it. */
	i32 days;
	u32 hours; /* more, before days are counted; by date: 0 */
	/* Minutes of the local day. ANY_TIME, by moment: when it is; by date: as the day begins. */
	i32 at_minute;
	u8 weekdays; /* bits from Sunday: it waits for one of these days; 0: any day */
	u32 segment; /* who is not in it then is passed by; 0: no condition */
};

enum sequence_text { /* stored by number: new ones come last */
	SEQUENCE_NAME,
	SEQUENCE_EVENT, /* its name */
	SEQUENCE_ZONE,	/* "Asia/Tokyo"; empty: UTC */
	SEQUENCE_FROM,	/* as in drafts */
	SEQUENCE_REPLY_TO,
	SEQUENCE_DAYS, /* as send_window_read takes them */
	SEQUENCE_HOURS,
	SEQUENCE_REASON, /* why it was paused; empty: by an order */
	SEQUENCE_TEXTS,
};

struct audience_sequence {
	u32 id;
	enum audience_sequence_state state;
	enum audience_sequence_start start;
	bool tracks;   /* opens and clicks are counted */
	u16 list;      /* whose members alone are reached; BY_LIST: never 0 */
	u16 attribute; /* BY_DATE, YEARLY */
	u32 exit_segment;
	u32 late_hours;
	u32 version; /* 1, and one more with each edit */
	u64 created_ms;
	u64 changed_ms;
	u64 started_ms; /* first; 0: never */
	/* Around a date: contacts up to this id were asked for one. UINT32_MAX: all. */
	u32 swept;
	/* After an edit, enrolments up to here were looked at anew. Contact UINT32_MAX: all. */
	u64 looked_due_ms;
	u32 looked_contact;
	u32 step_count;
	struct sequence_step steps[SEQUENCE_STEPS_MAX];
	struct slice of[SEQUENCE_TEXTS]; /* views of the record, or what is to be kept */
};

enum store_result audience_sequence_get(struct audience_txn *txn, u32 id,
					struct audience_sequence *sequence) MUST_CHECK;
/* The first one with a greater id. NOT_FOUND: there are no more. */
enum store_result audience_sequence_after(struct audience_txn *txn, u32 id,
					  struct audience_sequence *sequence) MUST_CHECK;
/*
 * In place of the one with its id; id 0: a new one, which gets one. Its slices are no views. FULL:
 * there are SEQUENCES_MAX already.
 */
enum store_result audience_sequence_put(struct audience_txn *txn,
					struct audience_sequence *sequence) MUST_CHECK;
/* Of one that nobody ever entered. */
enum store_result audience_sequence_delete(struct audience_txn *txn, u32 id) MUST_CHECK;

/* What a sequence that is not archived uses: the name of one, a view; SLICE_NONE: none does. */
struct slice audience_sequence_using_list(struct audience_txn *txn, u16 list);
struct slice audience_sequence_using_attribute(struct audience_txn *txn, u16 attribute);
struct slice audience_sequence_using_segment(struct audience_txn *txn, u32 segment);

#endif
