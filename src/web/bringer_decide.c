/*
 * Two subjects: some contacts were asked with one, some with the other; when the hours are over,
 * the one that more of its readers opened (or clicked) goes to the rest. When nothing tells them
 * apart it is the first.
 */
#include "base/log.h"
#include "store/audience_activity.h"
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

bool bringer_decide(struct bringer *bringer, struct bringer_work *work,
		    const struct bringer_head *head)
{
	struct tally tally = { { 0 }, { 0 } };
	enum store_result result = STORE_OK;
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
	return bringer_set_flags(bringer, work->id,
				 b_wins ? AUDIENCE_CAMPAIGN_WINNER_B : AUDIENCE_CAMPAIGN_WINNER_A,
				 0);
}
