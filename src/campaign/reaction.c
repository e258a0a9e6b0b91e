#include "campaign/reaction.h"

#include "store/audience_activity.h"
#include "store/audience_behaviour.h"
#include "store/audience_campaign_count.h"
#include "store/audience_contact.h"

#define HOUR_S 3600
#define BURST_LINKS_KNOWN 32 /* that have a bit */

/* A reaction being kept. */
struct keeper {
	struct audience_txn *txn;
	const struct reaction *reaction;
	struct activity activity;
	struct behaviour behaviour;
	enum store_result result; /* what follows a failure does nothing */
};

static void count(struct keeper *k, enum campaign_counted what, u64 of, i64 change)
{
	if (k->result == STORE_OK)
		k->result =
			campaign_count_change(k->txn, k->reaction->campaign, what, of, change);
}

/* Of contacts, and of those who got the same subject where there are two. */
static void count_contact(struct keeper *k, enum campaign_counted what,
			  enum campaign_counted by_variant, i64 change)
{
	u32 variant = k->activity.of[ACTIVITY_VARIANT];

	count(k, what, 0, change);
	if (variant > 0)
		count(k, by_variant, variant, change);
}

/* ---- opens ---- */

static void keep_machine_open(struct keeper *k)
{
	u32 *of = k->activity.of;

	if (of[ACTIVITY_MACHINE_OPENS] == 0 && of[ACTIVITY_FIRST_OPEN] == 0)
		count(k, CAMPAIGN_MACHINE_OPENED, 0, 1);
	of[ACTIVITY_MACHINE_OPENS]++;
	k->behaviour.of[BEHAVIOUR_LAST_MACHINE_OPEN] = k->reaction->at_s;
	count(k, CAMPAIGN_MACHINE_OPENS, 0, 1);
}

static void keep_open(struct keeper *k)
{
	u32 *of = k->activity.of;
	u32 at_s = k->reaction->at_s;

	if (of[ACTIVITY_FIRST_OPEN] == 0) {
		of[ACTIVITY_FIRST_OPEN] = at_s;
		k->behaviour.of[BEHAVIOUR_CAMPAIGNS_OPENED]++;
		count_contact(k, CAMPAIGN_OPENED, CAMPAIGN_VARIANT_OPENED, 1);
		if (of[ACTIVITY_MACHINE_OPENS] > 0)
			count(k, CAMPAIGN_MACHINE_OPENED, 0, -1);
	}
	of[ACTIVITY_LAST_OPEN] = at_s;
	of[ACTIVITY_OPENS]++;
	k->behaviour.of[BEHAVIOUR_LAST_OPEN] = at_s;
	k->behaviour.of[BEHAVIOUR_OPENS]++;
	count(k, CAMPAIGN_OPENS, 0, 1);
	count(k, CAMPAIGN_OPENS_IN, at_s / HOUR_S, 1);
}

/* Whether so many seconds have not gone by since the mail was delivered. */
static bool is_at_once(const struct keeper *k, u32 seconds)
{
	u32 delivered_s = k->activity.of[ACTIVITY_DELIVERED];

	return delivered_s > 0 && k->reaction->at_s <= (u64)delivered_s + seconds;
}

static bool is_within(u32 at_s, u32 before_s, u32 seconds)
{
	return before_s > 0 && at_s >= before_s && at_s - before_s < seconds;
}

static void on_open(struct keeper *k)
{
	if (k->reaction->visitor == VISITOR_MACHINE || is_at_once(k, VISIT_OPEN_S))
		keep_machine_open(k);
	else if (!is_within(k->reaction->at_s, k->activity.of[ACTIVITY_LAST_OPEN],
			    REACTION_SAME_OPEN_S))
		keep_open(k);
}

/* ---- clicks ---- */

static void keep_machine_click(struct keeper *k, u32 clicks)
{
	k->activity.of[ACTIVITY_MACHINE_CLICKS] += clicks;
	count(k, CAMPAIGN_MACHINE_CLICKS, 0, clicks);
}

static void keep_click(struct keeper *k)
{
	u32 *of = k->activity.of;
	u32 at_s = k->reaction->at_s;
	u32 link = k->reaction->link;

	if (of[ACTIVITY_FIRST_OPEN] == 0)
		keep_open(k);
	if (of[ACTIVITY_FIRST_CLICK] == 0) {
		of[ACTIVITY_FIRST_CLICK] = at_s;
		k->behaviour.of[BEHAVIOUR_CAMPAIGNS_CLICKED]++;
		count_contact(k, CAMPAIGN_CLICKED, CAMPAIGN_VARIANT_CLICKED, 1);
	}
	if (!activity_has_link(&k->activity, link)) {
		activity_add_link(&k->activity, link);
		if (link <= BURST_LINKS_KNOWN)
			of[ACTIVITY_BURST_NEW] |= 1u << (link - 1);
		count(k, CAMPAIGN_LINK_CLICKED, link, 1);
	}
	of[ACTIVITY_LAST_CLICK] = at_s;
	of[ACTIVITY_CLICKS]++;
	of[ACTIVITY_BURST_CLICKS]++;
	k->behaviour.of[BEHAVIOUR_LAST_CLICK] = at_s;
	k->behaviour.of[BEHAVIOUR_CLICKS]++;
	count(k, CAMPAIGN_CLICKS, 0, 1);
	count(k, CAMPAIGN_LINK_CLICKS, link, 1);
	count(k, CAMPAIGN_CLICKS_IN, at_s / HOUR_S, 1);
}

static u32 less(u32 from, u32 what)
{
	return from > what ? from - what : 0;
}

/*
 * The clicks of this burst were a program's. Each link of it was counted once at least; where it
 * was more often, the total is what remains a little high.
 */
static void take_burst_back(struct keeper *k)
{
	u32 *of = k->activity.of;
	u32 clicks = of[ACTIVITY_BURST_CLICKS];
	u32 links = of[ACTIVITY_BURST_LINKS];
	u32 begun_s = of[ACTIVITY_BURST];

	if (clicks == 0)
		return;
	for (u32 link = 1; link <= BURST_LINKS_KNOWN; link++) {
		u32 bit = 1u << (link - 1);

		if ((links & bit) && link != k->reaction->link)
			count(k, CAMPAIGN_LINK_CLICKS, link, -1);
		if (of[ACTIVITY_BURST_NEW] & bit)
			count(k, CAMPAIGN_LINK_CLICKED, link, -1);
	}
	of[ACTIVITY_LINKS] &= ~of[ACTIVITY_BURST_NEW];
	of[ACTIVITY_CLICKS] = less(of[ACTIVITY_CLICKS], clicks);
	if (of[ACTIVITY_FIRST_CLICK] >= begun_s) {
		of[ACTIVITY_FIRST_CLICK] = 0;
		k->behaviour.of[BEHAVIOUR_CAMPAIGNS_CLICKED] =
			less(k->behaviour.of[BEHAVIOUR_CAMPAIGNS_CLICKED], 1);
		count_contact(k, CAMPAIGN_CLICKED, CAMPAIGN_VARIANT_CLICKED, -1);
	}
	of[ACTIVITY_LAST_CLICK] = of[ACTIVITY_FIRST_CLICK];
	k->behaviour.of[BEHAVIOUR_CLICKS] = less(k->behaviour.of[BEHAVIOUR_CLICKS], clicks);
	k->behaviour.of[BEHAVIOUR_LAST_CLICK] = of[ACTIVITY_BURST_BEFORE];
	count(k, CAMPAIGN_CLICKS, 0, -(i64)clicks);
	count(k, CAMPAIGN_CLICKS_IN, begun_s / HOUR_S, -(i64)clicks);
	keep_machine_click(k, clicks);
	of[ACTIVITY_BURST_CLICKS] = 0;
	of[ACTIVITY_BURST_NEW] = 0;
}

/* Notes the click in its burst. Whether that is a program's by now. */
static bool is_burst(struct keeper *k)
{
	u32 *of = k->activity.of;

	if (!is_within(k->reaction->at_s, of[ACTIVITY_BURST], VISIT_BURST_S)) {
		of[ACTIVITY_BURST] = k->reaction->at_s;
		of[ACTIVITY_BURST_LINKS] = 0;
		of[ACTIVITY_BURST_NEW] = 0;
		of[ACTIVITY_BURST_CLICKS] = 0;
		of[ACTIVITY_BURST_BEFORE] = k->behaviour.of[BEHAVIOUR_LAST_CLICK];
	}
	if (k->reaction->link <= BURST_LINKS_KNOWN)
		of[ACTIVITY_BURST_LINKS] |= 1u << (k->reaction->link - 1);
	return __builtin_popcount(of[ACTIVITY_BURST_LINKS]) >= VISIT_BURST_LINKS;
}

static void on_click(struct keeper *k)
{
	u32 at_s = k->reaction->at_s;

	if (k->reaction->visitor == VISITOR_MACHINE || is_at_once(k, VISIT_CLICK_S)) {
		keep_machine_click(k, 1);
	} else if (is_burst(k)) {
		take_burst_back(k);
		keep_machine_click(k, 1);
	} else if (!activity_has_link(&k->activity, k->reaction->link) ||
		   !is_within(at_s, k->activity.of[ACTIVITY_LAST_CLICK], REACTION_SAME_CLICK_S)) {
		keep_click(k);
	}
}

enum store_result reaction_keep(struct audience_txn *txn, const struct reaction *reaction)
{
	struct keeper k = { .txn = txn, .reaction = reaction };
	struct contact contact;

	k.result = contact_get(txn, reaction->contact, &contact);
	if (k.result == STORE_NOT_FOUND || reaction->visitor == VISITOR_NOBODY)
		return k.result == STORE_NOT_FOUND ? STORE_OK : k.result;
	if (k.result == STORE_OK)
		k.result = activity_get(txn, reaction->campaign, reaction->contact, &k.activity);
	if (k.result == STORE_OK)
		k.result = behaviour_get(txn, reaction->contact, &k.behaviour);
	if (k.result != STORE_OK)
		return k.result;
	if (reaction->link == 0)
		on_open(&k);
	else
		on_click(&k);
	if (k.result == STORE_OK)
		k.result = activity_put(txn, reaction->campaign, reaction->contact, &k.activity);
	if (k.result == STORE_OK)
		k.result = behaviour_put(txn, reaction->contact, &k.behaviour);
	return k.result;
}
