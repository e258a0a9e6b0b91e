/* What the pages about campaigns to contacts have in common. */
#ifndef WEB_PAGE_CAMPAIGN_H
#define WEB_PAGE_CAMPAIGN_H

#include "store/audience_campaign.h"
#include "store/audience_campaign_count.h"
#include "web/mailing_start.h"
#include "web/page.h"

extern const struct words page_campaign_states[AUDIENCE_CAMPAIGN_STATES];

/* Of a step: its page belongs to the step mail. */
void page_campaign_place(struct page_head *head, const struct audience_campaign *campaign);
/* 0 when nothing was counted. */
u64 page_campaign_counted(struct audience_txn *txn, u32 campaign, enum campaign_counted what);
/* Answers with what stops its start, and a form to start it all the same: page_campaign_stop.c. */
void page_campaign_stopped(struct call *call, const struct mailing_stops *stops);
/* What that form overrides (enum mailing_stop), and as of which change of the campaign. */
u32 page_campaign_overrides(const struct form *form, u64 *seen_ms);
/* "It was changed meanwhile." */
const struct words *page_campaign_changed(void);
/* What became of it, within the page; the page has a chart. */
void page_campaign_report(struct page *page, const struct audience_campaign *c,
			  const struct draft *draft);
/* Of its two subjects; nothing when it has one: page_campaign_subjects.c. */
void page_campaign_subjects(struct page *page, const struct audience_campaign *c,
			    const struct draft *draft);

#endif
