/*
 * How mail arrived in some days, added up for people: by day, by receiver, by what replies meant.
 */
#ifndef WEB_ARRIVAL_REPORT_H
#define WEB_ARRIVAL_REPORT_H

#include "base/smtp_class.h"
#include "campaign/delivery_note.h"
#include "store/audience_arrival.h"

/* What a bounce is about (base/smtp_class.h), which says what to do about it. */
enum arrival_group {
	ARRIVAL_ADDRESS,
	ARRIVAL_OURS, /* the message, or who sends it */
	ARRIVAL_OTHER, /* the receiver's hosts, or it was not said */
	ARRIVAL_GROUPS,
};
enum arrival_group arrival_group_of(u32 number);

struct arrival_sum {
	u64 delivered;
	u64 bounced[ARRIVAL_GROUPS];
	u64 deferred;
	u64 complained;
};
u64 arrival_bounced(const struct arrival_sum *sum);

#define ARRIVAL_ALL UINT32_MAX

struct arrival_report {
	/* What is wanted: */
	u32 first; /* day since 1970 */
	u32 days;  /* at most ARRIVAL_DAYS */
	u32 site;  /* days and classes of that receiver alone; ARRIVAL_ALL: of all */
	/* What there is: */
	struct arrival_sum by_day[ARRIVAL_DAYS];
	struct arrival_sum by_site[DELIVERY_SITES_MAX + 1]; /* always of all */
	u64 bounced_by[SMTP_CLASS_COUNT];
	u64 deferred_by[SMTP_CLASS_COUNT];
};

enum store_result arrival_report_read(struct audience_txn *txn,
				      struct arrival_report *report) MUST_CHECK;

#endif
