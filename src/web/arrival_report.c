#include "web/arrival_report.h"

enum arrival_group arrival_group_of(u32 number)
{
	enum smtp_class class = number < SMTP_CLASS_COUNT ? (enum smtp_class)number
							  : SMTP_CLASS_UNKNOWN;

	if (smtp_class_is_about_recipient(class))
		return ARRIVAL_ADDRESS;
	return smtp_class_is_about_message(class) || smtp_class_is_about_sender(class)
		       ? ARRIVAL_OURS
		       : ARRIVAL_OTHER;
}

u64 arrival_bounced(const struct arrival_sum *sum)
{
	return sum->bounced[ARRIVAL_ADDRESS] + sum->bounced[ARRIVAL_OURS] +
	       sum->bounced[ARRIVAL_OTHER];
}

static void add(struct arrival_sum *sum, const struct arrival *arrival)
{
	switch (arrival->kind) {
	case ARRIVAL_DELIVERED: sum->delivered += arrival->count; break;
	case ARRIVAL_BOUNCED:
		sum->bounced[arrival_group_of(arrival->class)] += arrival->count;
		break;
	case ARRIVAL_DEFERRED: sum->deferred += arrival->count; break;
	case ARRIVAL_COMPLAINED: sum->complained += arrival->count; break;
	case ARRIVAL_KINDS: break;
	}
}

static void take(struct arrival_report *report, const struct arrival *arrival)
{
	u32 site = arrival->site <= DELIVERY_SITES_MAX ? arrival->site : 0;
	u32 class = arrival->class < SMTP_CLASS_COUNT ? arrival->class : SMTP_CLASS_UNKNOWN;

	add(&report->by_site[site], arrival);
	if (report->site != ARRIVAL_ALL && report->site != site)
		return;
	add(&report->by_day[arrival->day - report->first], arrival);
	if (arrival->kind == ARRIVAL_BOUNCED)
		report->bounced_by[class] += arrival->count;
	else if (arrival->kind == ARRIVAL_DEFERRED)
		report->deferred_by[class] += arrival->count;
}

enum store_result arrival_report_read(struct audience_txn *txn, struct arrival_report *report)
{
	struct arrival arrival = { .day = report->first };
	enum store_result result = arrival_next(txn, &arrival);

	while (result == STORE_OK && arrival.day - report->first < report->days) {
		take(report, &arrival);
		result = arrival_next(txn, &arrival);
	}
	return result == STORE_NOT_FOUND ? STORE_OK : result;
}
