/*
 * Whom a campaign goes to, as rows for the sender: its list and segments walked in the order of
 * contacts' ids, at the moment of its start, each contact with the values and tokens that its texts
 * use. Where the walk is, is a number that rises: the pass (campaign/draft.h) above 32 bits of the
 * contact's id.
 */
#ifndef WEB_CAMPAIGN_ROWS_H
#define WEB_CAMPAIGN_ROWS_H

#include "base/config.h"
#include "campaign/issue.h"
#include "campaign/link_token.h"
#include "campaign/segment_walk.h"
#include "control/campaign.h"
#include "store/audience_campaign.h"

#define CAMPAIGN_BATCH_MAX 2000 /* rows */

struct campaign_rows {
	u32 campaign;
	u32 last; /* contact: those behind it came later */
	bool is_step; /* of a sequence (audience_sequence.h) */
	u16 list; /* 0: none */
	u16 zone_attribute;
	u32 variant; /* of the next values: enum draft_variant */
	u32 winner;  /* of two subjects; 0: not decided, or there is one */
	struct draft draft; /* filled in; views of `record` and `filled` */
	struct draft_plan plan;
	struct issue issue;
	const struct link_keys *keys;
	struct segment *segment;
	struct segment_clock clock;
	struct segment_walk *walk;
	struct buf record;
	struct arena filled;
	struct buf values;
	/* The pass of the zone that was asked for last. */
	char zone_name[64];
	u32 zone_pass;
};

enum campaign_rows_use {
	CAMPAIGN_ROWS_SENT,
	CAMPAIGN_ROWS_TESTED, /* no opens and clicks, whatever the draft says */
	CAMPAIGN_ROWS_SHOWN,  /* the same, and by a page of ours */
};

/*
 * Within a transaction; nothing of it is needed afterwards. `config` and `keys` outlive it. A draft
 * is filled in with what templates are now; one that is scheduled has the texts that were kept with
 * it (draft_fill.h). Images that are to be in the mail itself are read until the campaign has
 * started, and for each text of a step. False: `field` of the
 * draft and a sentence; campaign_rows_close is called all the same.
 */
bool campaign_rows_open(struct campaign_rows *rows, struct audience_txn *txn,
			const struct audience_campaign *campaign, const struct config_web *config,
			const struct link_keys *keys, enum campaign_rows_use use,
			enum draft_field *field, struct error *error) MUST_CHECK;
void campaign_rows_close(struct campaign_rows *rows);

enum campaign_batch_end {
	CAMPAIGN_BATCH_MORE,
	CAMPAIGN_BATCH_WAITS, /* the next pass has not begun; nothing was looked at */
	CAMPAIGN_BATCH_ENDS,  /* there are no more contacts */
	CAMPAIGN_BATCH_FAILED,
};

struct campaign_batch {
	struct buf rows; /* as control_row_add makes them */
	u32 contacts[CAMPAIGN_BATCH_MAX];
	u8 variants[CAMPAIGN_BATCH_MAX]; /* enum draft_variant; 0: there is one subject */
	u32 count;
	u64 cursor; /* all up to here were looked at */
};

void campaign_batch_init(struct campaign_batch *batch);
void campaign_batch_done(struct campaign_batch *batch);

/* Up to `most` rows behind the cursor `after`; within a transaction. */
enum campaign_batch_end campaign_rows_fill(struct campaign_rows *rows, struct audience_txn *txn,
					   u64 after, u64 now_ms, u32 most,
					   struct campaign_batch *batch) MUST_CHECK;

/* What the sender gets of the issue by that tag of a DATA frame; empty: it does not come. */
struct slice campaign_rows_data(const struct campaign_rows *rows, enum control_data_tag tag);

/* The packed values of one contact, in the order of the issue's columns: a view, for one call. */
struct slice campaign_rows_values(struct campaign_rows *rows, const struct contact *contact);

#endif
