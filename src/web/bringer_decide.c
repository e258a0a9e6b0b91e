/*
 * Two subjects: some contacts were asked with one, some with the other; when the hours are over,
 * the one that more of its readers opened (or clicked) goes to the rest. When nothing tells them
 * apart it is the first.
 */
#include "base/log.h"
#include "store/audience_activity.h"
#include "store/audience_campaign_count.h"
#include "web/bringer_parts.h"

#define SLICE_CONTACTS 50000 /* of one transaction */

struct tally {
	u64 asked[3]; /* by enum draft_variant */
	u64 moved[3];
};

static void count(struct tally *tally, const struct draft_plan *plan,
		  const struct activity *activity)
{
	u32 variant = activity->of[ACTIVITY_VARIANT];

	if (variant < DRAFT_VARIANT_A || variant > DRAFT_VARIANT_B)
		return;
	tally->asked[variant]++;
	tally->moved[variant] +=
		activity->of[plan->ab_clicks ? ACTIVITY_FIRST_CLICK : ACTIVITY_FIRST_OPEN] > 0;
}

/* A slice behind *contact; STORE_NOT_FOUND: that was the last one. */
static enum store_result count_some(struct bringer *bringer, const struct bringer_work *work,
				    u32 *contact, struct tally *tally)
{
	struct activity activity;
	enum store_result result = audience_begin_read(bringer->reader);

	for (u32 i = 0; i < SLICE_CONTACTS && result == STORE_OK; i++) {
		result = activity_after(bringer->reader, work->id, *contact, contact, &activity);
		if (result == STORE_OK)
			count(tally, &work->rows.plan, &activity);
	}
	audience_abort(bringer->reader);
	return result;
}

struct decision {
	const struct tally *tally;
	u32 flag;
};

/* With what it was decided by, for who reads the report. */
static enum store_result edit_decision(struct campaign_change *change, struct audience_campaign *c,
				       struct audience_txn *txn)
{
	const struct decision *decision = change->context;
	const struct tally *tally = decision->tally;
	enum store_result result = STORE_OK;

	if (c->flags & (AUDIENCE_CAMPAIGN_WINNER_A | AUDIENCE_CAMPAIGN_WINNER_B))
		return STORE_OK;
	c->flags |= decision->flag;
	for (u32 i = DRAFT_VARIANT_A; i <= DRAFT_VARIANT_B && result == STORE_OK; i++) {
		result = campaign_count_change(txn, c->id, CAMPAIGN_AB_ASKED, i,
					       (i64)tally->asked[i]);
		if (result == STORE_OK)
			result = campaign_count_change(txn, c->id, CAMPAIGN_AB_MOVED, i,
						       (i64)tally->moved[i]);
	}
	return result;
}

bool bringer_decide(struct bringer *bringer, struct bringer_work *work,
		    const struct bringer_head *head)
{
	struct tally tally = { { 0 }, { 0 } };
	struct decision decision = { .tally = &tally };
	struct campaign_change change = {
		.id = work->id, .from = ~0u, .edit = edit_decision, .context = &decision
	};
	enum store_result result = STORE_OK;
	struct error error;
	u32 contact = 0;
	bool b_wins;

	if (work->rows.plan.ab_share == 0 || work->rows.winner > 0 ||
	    bringer->now_ms < head->c.started_ms + work->rows.plan.ab_ms)
		return false;
	while (result == STORE_OK)
		result = count_some(bringer, work, &contact, &tally);
	if (result != STORE_NOT_FOUND)
		return false;
	/* moved B / asked B > moved A / asked A, without dividing */
	b_wins = tally.moved[DRAFT_VARIANT_B] * tally.asked[DRAFT_VARIANT_A] >
		 tally.moved[DRAFT_VARIANT_A] * tally.asked[DRAFT_VARIANT_B];
	log_info("web", "a subject was chosen",
		 "campaign=%u winner=%s asked_a=%llu moved_a=%llu asked_b=%llu moved_b=%llu",
		 work->id, b_wins ? "b" : "a", (unsigned long long)tally.asked[DRAFT_VARIANT_A],
		 (unsigned long long)tally.moved[DRAFT_VARIANT_A],
		 (unsigned long long)tally.asked[DRAFT_VARIANT_B],
		 (unsigned long long)tally.moved[DRAFT_VARIANT_B]);
	decision.flag = b_wins ? AUDIENCE_CAMPAIGN_WINNER_B : AUDIENCE_CAMPAIGN_WINNER_A;
	return campaign_change_do(&change, bringer->params.scribe, &error) == STORE_OK;
}
