/*
 * What stops a campaign's start: findings of its review that must be mended (mailing_review.h), and
 * a domain that DNS does not vouch for (identity.h). Asked before a draft is scheduled, and before
 * one goes on that never began. Who may start a campaign may also start it all the same, naming
 * what he overrides; that is in the audit log, with the reasons.
 *
 * The bringer asks for the identity once more when a campaign's time has come (bringer_start.c).
 */
#ifndef WEB_MAILING_START_H
#define WEB_MAILING_START_H

#include "web/mailing.h"
#include "web/mailing_review.h"

enum mailing_stop {
	MAILING_STOP_FINDINGS = 1,
	MAILING_STOP_IDENTITY = 2,
};
#define MAILING_STOPS 2
/* "findings", "identity": bit by bit; as forms and programs name them. */
const char *mailing_stop_name(u32 index);

struct mailing_stops {
	u32 stops; /* what speaks against it */
	u64 changed_ms; /* of the draft that was looked at */
	char customer[AUDIENCE_CAMPAIGN_CUSTOMER_MAX + 1];
	struct mailing_preview *preview; /* holds the details of the review; may be NULL */
	struct review review; /* those of REVIEW_MUST come first */
	json_t *identity; /* the last result; NULL: DNS was not asked, or that failed */
};
/* Of the review, in one line; and of DNS, in English, for programs and the audit log. */
void mailing_stops_findings(const struct mailing_stops *stops, enum language language,
			    struct buf *out);
void mailing_stops_identity(const struct mailing_stops *stops, struct buf *out);

/* Answers a call whose campaign does not start. */
typedef void mailing_stopped(struct call *call, const struct mailing_stops *stops);

/*
 * Gives the order, of a verb that mailing_order_verb knows, once nothing stops it that `overrides`
 * (enum mailing_stop, or-ed) does not name; else `stopped` answers the call. Overrides are for the
 * draft as it was at `seen_ms` (mailing_stops.changed_ms; 0: whatever it is). DNS is asked anew
 * when what is known is a day old, or bad: that may take some seconds. Takes the order.
 */
void mailing_start(struct call *call, struct mailing_order *order, u32 overrides, u64 seen_ms,
		   mailing_stopped *stopped);
#endif
