/*
 * What came back of mail that was sent, as the role that takes mail in understood it: bounces,
 * complaints, wishes to get no more, replies of machines. Whoever read the message claims all of
 * this; what counts is the token in the address it was sent to, or in the part of our message that
 * it holds (mailing.h): it says which row is meant, and the row says who the recipient was.
 *
 * One report is applied once: its key is noted by the same commit as what it changed.
 */
#ifndef DELIVERY_INBOUND_H
#define DELIVERY_INBOUND_H

#include "delivery/planner.h"
#include "metrics/metrics.h"
#include "smtp/report.h"

#define INBOUND_TO_MAX 100    /* recipients of one message that came in */
#define INBOUND_PEOPLE_MAX REPORT_RECIPIENTS_MAX
#define INBOUND_REPORTS_MAX 64 /* applied by one commit */

/* One recipient that the report speaks of; texts as in struct report_recipient. */
struct inbound_person {
	enum report_kind kind;
	enum report_reason reason;
	struct slice address;
	struct slice original;
	struct slice host;
	struct slice words;
	u16 status[3];
	u16 code;
};

struct inbound_report {
	struct slice key; /* 1..REPORT_KEY_MAX bytes; the same again is the same report */
	struct slice to[INBOUND_TO_MAX]; /* "local@domain", as RCPT TO had it */
	u32 to_count;
	enum report_kind kind;
	enum report_form form;
	/* Of our message, as far as it came back: places where a token may stand. */
	struct slice message_id;
	struct slice mail_from;
	struct slice words; /* of a complaint: its type, and who wrote it */
	struct inbound_person people[INBOUND_PEOPLE_MAX];
	u32 people_count;
};

/* Ordered: of several recipients' results the highest is the report's. */
enum inbound_result {
	INBOUND_OTHER = METRICS_REPORT_OTHER,     /* not about any mail of ours */
	INBOUND_NOTHING = METRICS_REPORT_NOTHING, /* asks for nothing: delayed, delivered, read */
	INBOUND_AGAIN = METRICS_REPORT_AGAIN,     /* was applied before */
	INBOUND_FORGED = METRICS_REPORT_FORGED,   /* a token that was not made here: not believed */
	INBOUND_UNKNOWN = METRICS_REPORT_UNKNOWN, /* ours, but nobody knows any more whose */
	INBOUND_AUTO_REPLY = METRICS_REPORT_AUTO_REPLY,
	INBOUND_BOUNCED = METRICS_REPORT_BOUNCED,
	INBOUND_UNSUBSCRIBED = METRICS_REPORT_UNSUBSCRIBED,
	INBOUND_COMPLAINED = METRICS_REPORT_COMPLAINED,
};

/*
 * Applies reports by one durable commit: delivery log, counters of the campaigns, suppression.
 * False and a sentence: nothing was done, come again (planner_is_broken: never). Not inside of a
 * turn.
 */
bool planner_inbound(struct planner *planner, const struct inbound_report *const *reports,
		     u32 count, enum inbound_result *results, struct error *error);

#endif
