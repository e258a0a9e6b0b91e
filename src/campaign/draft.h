/*
 * What people say of a campaign: its texts, whom it goes to, and when. Fields are texts as forms
 * and programs give them; here is what each may be, and what they mean together. No I/O.
 */
#ifndef CAMPAIGN_DRAFT_H
#define CAMPAIGN_DRAFT_H

#include "base/buf.h"
#include "campaign/send_window.h"

enum draft_field { /* values are stored: new ones come last */
	DRAFT_NAME,
	DRAFT_FROM, /* "Shop <shop@example.jp>" */
	DRAFT_REPLY_TO,
	DRAFT_SUBJECT,
	DRAFT_PREHEADER, /* what mail programs show behind the subject */
	DRAFT_TEXT,
	DRAFT_HTML,
	DRAFT_TEMPLATE, /* id; in place of text and html */
	DRAFT_LIST,	/* id; empty: all contacts */
	DRAFT_SEGMENT,	/* id */
	DRAFT_EXCLUDE,	/* segments, ids with commas between */
	DRAFT_TRACK,	/* "yes", "no": opens and clicks are counted */
	DRAFT_ARCHIVE,	/* "yes", "no": may be read by everybody on the web */
	DRAFT_AT,	/* "2026-12-01 09:00", by the clock of `zone`; empty: at once */
	DRAFT_ZONE,	/* "Asia/Tokyo"; empty: UTC */
	DRAFT_ZONE_ATTRIBUTE, /* whose value is each contact's own zone; empty: one for all */
	DRAFT_DAYS,	/* as send_window_read takes them */
	DRAFT_HOURS,
	DRAFT_PER_HOUR, /* messages; empty: as many as go */
	DRAFT_DEADLINE, /* like `at`: nothing is sent from then on */
	DRAFT_CONDITION, /* a segment of its own (campaign/segment.h), besides the others */
	DRAFT_SUBJECT_B, /* another subject: some get this, some that, the rest the better one */
	DRAFT_AB_SHARE,	 /* how many in a hundred are asked; empty: 20; 100: no rest */
	DRAFT_AB_HOURS,	 /* after the start it is decided; empty: 4 */
	DRAFT_AB_BY,	 /* "opens", "clicks"; empty: opens */
	DRAFT_INLINE,	 /* "yes", "no": images of ours are in the mail itself */
	DRAFT_FIELDS,
};

struct draft {
	struct slice of[DRAFT_FIELDS]; /* views; empty: not said */
};

/* As forms and programs name it; NULL: no such field. */
const char *draft_field_name(u32 field);
bool draft_field_find(struct slice name, enum draft_field *field) MUST_CHECK;

/* Appends the record of a draft; and reads it, views. False: it is none. */
void draft_pack(const struct draft *draft, struct buf *out);
bool draft_unpack(struct slice packed, struct draft *draft) MUST_CHECK;

enum draft_problem {
	DRAFT_GOOD,
	DRAFT_MISSING,
	DRAFT_TOO_LONG,
	DRAFT_CONTROL, /* a control character in a field of one line */
	DRAFT_NO_WORD, /* neither "yes" nor "no" */
	DRAFT_NO_NUMBER,
	DRAFT_NO_ZONE,
	DRAFT_NO_TIME,
	DRAFT_NO_WINDOW,
	DRAFT_BEFORE_START, /* the deadline */
	DRAFT_NO_CONTENT,   /* neither text nor HTML nor a template */
	DRAFT_TWO_CONTENTS, /* a template and a text of its own */
	DRAFT_NO_MEASURE,   /* neither "opens" nor "clicks" */
	DRAFT_AB_LOCAL,	    /* two subjects, and a start by each contact's own clock */
	DRAFT_AB_UNCOUNTED, /* two subjects, and nothing is counted that would tell */
	DRAFT_PROBLEMS,
};
/* A sentence about it, without an end; in Japanese, or in English. */
const char *draft_problem_words(enum draft_problem problem, bool japanese);

/* What the field may hold, whatever the others say; an empty one is good. */
enum draft_problem draft_check_field(enum draft_field field, struct slice value) MUST_CHECK;

/* What the texts about time and ways mean. */
struct draft_plan {
	struct time_zone zone;
	struct send_window window;
	u64 start_ms;	 /* 0: at once */
	u64 deadline_ms; /* 0: none */
	u64 per_hour;	 /* 0: as many as go */
	u32 ab_share;	 /* in a hundred; 0: there is one subject */
	u64 ab_ms;	 /* from the start to the decision */
	bool ab_clicks;	 /* what decides: else opens */
	bool is_local;	 /* `at` is meant by each contact's own clock */
	bool tracks;
	bool is_archived;
};

/* All fields and how they fit together; *field is the one that is wrong. */
enum draft_problem draft_check(const struct draft *draft, struct draft_plan *plan,
			       enum draft_field *field) MUST_CHECK;

/* ---- two subjects ---- */

enum draft_variant { DRAFT_VARIANT_A = 1, DRAFT_VARIANT_B }; /* values are stored */
/* Which one the contact is asked with; 0: it waits for the better one. */
u32 draft_variant_of(const struct draft_plan *plan, u32 campaign, u32 contact);

/* ---- one start for each zone ---- */

#define DRAFT_PASS_MS (15 * 60 * MS_PER_S) /* offsets are multiples of it */
#define DRAFT_PASSES 105 /* from UTC+14 to UTC-12 */

/*
 * Contacts whose clocks show `at` at the same time are one pass over the audience: 0 is for those
 * farthest east. When a pass begins, and the pass of a zone. Without is_local there is one, 0.
 */
u64 draft_pass_ms(const struct draft_plan *plan, u32 pass);
u32 draft_pass_of(const struct draft_plan *plan, const struct time_zone *zone);
u32 draft_pass_count(const struct draft_plan *plan);

#endif
