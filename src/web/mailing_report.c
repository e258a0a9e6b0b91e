#include "web/mailing_report.h"

#include "base/clock.h"
#include "base/smtp_class.h"
#include "base/text.h"
#include "campaign/delivery_note.h"
#include "campaign/draft.h"
#include "store/audience_campaign_count.h"
#include "store/audience_campaign_link.h"

#define HOUR_MS (3600 * MS_PER_S)

enum of { OF_NOTHING, OF_CLASS, OF_HOUR, OF_SITE, OF_LINK, OF_VARIANT };

static const struct row {
	enum campaign_counted kind;
	const char *what;
	enum of of;
} rows[] = {
	{ CAMPAIGN_RECIPIENTS, "recipients", OF_NOTHING },
	{ CAMPAIGN_SENT, "sent", OF_NOTHING },
	{ CAMPAIGN_SKIPPED, "skipped", OF_NOTHING },
	{ CAMPAIGN_DELIVERED, "delivered", OF_NOTHING },
	{ CAMPAIGN_BOUNCED, "bounced", OF_NOTHING },
	{ CAMPAIGN_DEFERRED, "deferred", OF_NOTHING },
	{ CAMPAIGN_CALLED_OFF, "cancelled", OF_NOTHING },
	{ CAMPAIGN_COMPLAINED, "complained", OF_NOTHING },
	{ CAMPAIGN_UNSUBSCRIBED, "unsubscribed", OF_NOTHING },
	{ CAMPAIGN_OPENED, "opened", OF_NOTHING },
	{ CAMPAIGN_OPENS, "opens", OF_NOTHING },
	{ CAMPAIGN_CLICKED, "clicked", OF_NOTHING },
	{ CAMPAIGN_CLICKS, "clicks", OF_NOTHING },
	{ CAMPAIGN_MACHINE_OPENED, "machine_opened", OF_NOTHING },
	{ CAMPAIGN_MACHINE_OPENS, "machine_opens", OF_NOTHING },
	{ CAMPAIGN_MACHINE_CLICKS, "machine_clicks", OF_NOTHING },
	{ CAMPAIGN_BOUNCED_BY, "bounced_by", OF_CLASS },
	{ CAMPAIGN_DEFERRED_BY, "deferred_by", OF_CLASS },
	{ CAMPAIGN_SITE_DELIVERED, "delivered_at", OF_SITE },
	{ CAMPAIGN_SITE_BOUNCED, "bounced_at", OF_SITE },
	{ CAMPAIGN_DELIVERED_IN, "delivered_in", OF_HOUR },
	{ CAMPAIGN_OPENS_IN, "opens_in", OF_HOUR },
	{ CAMPAIGN_CLICKS_IN, "clicks_in", OF_HOUR },
	{ CAMPAIGN_LINK_CLICKED, "link_clicked", OF_LINK },
	{ CAMPAIGN_LINK_CLICKS, "link_clicks", OF_LINK },
	{ CAMPAIGN_VARIANT_SENT, "variant_sent", OF_VARIANT },
	{ CAMPAIGN_VARIANT_DELIVERED, "variant_delivered", OF_VARIANT },
	{ CAMPAIGN_VARIANT_BOUNCED, "variant_bounced", OF_VARIANT },
	{ CAMPAIGN_VARIANT_OPENED, "variant_opened", OF_VARIANT },
	{ CAMPAIGN_VARIANT_CLICKED, "variant_clicked", OF_VARIANT },
	{ CAMPAIGN_AB_ASKED, "ab_asked", OF_VARIANT },
	{ CAMPAIGN_AB_MOVED, "ab_moved", OF_VARIANT },
};

/* What `id` stands for; "": what has no name. */
static struct slice name_of(struct audience_txn *txn, u32 campaign, enum of of, u64 id,
			    char hour[CLOCK_RFC3339_SIZE])
{
	struct slice url;

	switch (of) {
	case OF_CLASS: return slice_of(smtp_class_name((u32)id));
	case OF_SITE: return delivery_site_name(txn, id);
	case OF_HOUR:
		clock_format_rfc3339(hour, id * HOUR_MS);
		return slice_of(hour);
	case OF_LINK:
		return campaign_link_get(txn, campaign, (u32)id, &url) == STORE_OK ? url
										    : SLICE("");
	case OF_VARIANT: return id == DRAFT_VARIANT_B ? SLICE("b") : SLICE("a");
	case OF_NOTHING: break;
	}
	return SLICE("");
}

static enum store_result visit_all(struct audience_txn *txn, u32 campaign, const struct row *row,
				   void (*visit)(void *owner, const struct mailing_number *number),
				   void *owner)
{
	struct mailing_number number = {
		.kind = row->kind, .what = row->what, .is_of = true, .id = UINT64_MAX
	};
	char hour[CLOCK_RFC3339_SIZE];
	enum store_result result;

	while ((result = campaign_count_next(txn, campaign, row->kind, &number.id,
					     &number.count)) == STORE_OK) {
		number.of = name_of(txn, campaign, row->of, number.id, hour);
		visit(owner, &number);
	}
	return result == STORE_NOT_FOUND ? STORE_OK : result;
}

enum store_result mailing_report(struct audience_txn *txn, u32 campaign,
				 void (*visit)(void *owner, const struct mailing_number *number),
				 void *owner)
{
	enum store_result result = STORE_OK;

	for (size_t i = 0; i < array_count(rows) && result == STORE_OK; i++) {
		struct mailing_number number = { .kind = rows[i].kind,
						 .what = rows[i].what,
						 .of = SLICE("") };

		if (rows[i].of != OF_NOTHING) {
			result = visit_all(txn, campaign, &rows[i], visit, owner);
			continue;
		}
		result = campaign_count_get(txn, campaign, rows[i].kind, 0, &number.count);
		if (result == STORE_OK)
			visit(owner, &number);
	}
	return result;
}
