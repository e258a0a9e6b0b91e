#include "web/mailing_segment.h"

#include "base/text.h"
#include "campaign/segment_catalog.h"
#include "web/segment_count.h"
#include "web/setting.h"

#include <stdlib.h>

#define PATIENCE_MS 20000

const char *mailing_share_name(enum mailing_share share)
{
	static const char *const names[MAILING_SHARES] = {
		[MAILING_SHARE_SENT] = "sent",
		[MAILING_SHARE_DELIVERED] = "delivered",
		[MAILING_SHARE_BOUNCED] = "bounced",
		[MAILING_SHARE_OPENED] = "opened",
		[MAILING_SHARE_CLICKED] = "clicked",
		[MAILING_SHARE_UNSUBSCRIBED] = "unsubscribed",
		[MAILING_SHARE_COMPLAINED] = "complained",
	};

	return names[share];
}

/* ---- counting ---- */

static bool add_one(void *owner, struct audience_txn *txn, const struct contact *contact)
{
	static const enum activity_field fields[MAILING_SHARES] = {
		[MAILING_SHARE_SENT] = ACTIVITY_SENT,
		[MAILING_SHARE_DELIVERED] = ACTIVITY_DELIVERED,
		[MAILING_SHARE_BOUNCED] = ACTIVITY_BOUNCED,
		[MAILING_SHARE_OPENED] = ACTIVITY_FIRST_OPEN,
		[MAILING_SHARE_CLICKED] = ACTIVITY_FIRST_CLICK,
		[MAILING_SHARE_UNSUBSCRIBED] = ACTIVITY_UNSUBSCRIBED,
		[MAILING_SHARE_COMPLAINED] = ACTIVITY_COMPLAINED,
	};
	struct mailing_segment *of = owner;
	struct activity activity;

	if (activity_get(txn, of->campaign, contact->id, &activity) != STORE_OK)
		return false;
	for (u32 i = 0; i < MAILING_SHARES; i++)
		of->counts[i] += activity.of[fields[i]] > 0;
	return true;
}

static void on_counted(void *owner, const struct segment_counted *counted)
{
	struct mailing_segment *of = owner;
	struct call *call = of->call;

	call->count = NULL;
	if (counted->has_failed)
		call_refuse(call, 500, NULL, "%s", audience_error_text(call->web->reader));
	else if (!counted->is_exact)
		call_refuse(call, 503, NULL, "so many could not be counted in %d s: try again",
			    PATIENCE_MS / 1000);
	else
		of->told(call, of);
}

/* Those whom the campaign was sent to, and who are in the segment. NULL: the call is answered. */
static struct segment *load(struct call *call, struct mailing_segment *of, u32 campaign, u32 id)
{
	struct audience_txn *txn = call->web->reader;
	struct segment_problem problem = { .error = { "no memory" } };
	struct segment_catalog catalog;
	struct audience_segment kept;
	struct segment *segment = NULL;
	enum store_result result = audience_segment_get(txn, id, &kept);
	struct buf text;

	if (result != STORE_OK) {
		call_refuse(call, result == STORE_NOT_FOUND ? 404 : 500, NULL, "%s",
			    result == STORE_NOT_FOUND ? "there is no such segment"
						      : audience_error_text(txn));
		return NULL;
	}
	slice_copy(of->name, sizeof(of->name), slice_first(kept.name, sizeof(of->name) - 1));
	buf_init(&text, SEGMENT_TEXT_MAX);
	buf_add_format(&text, "sent campaign %u", campaign);
	if (slice_trim(kept.text).len > 0)
		buf_add_format(&text, " and (%.*s)", SLICE_FMT(kept.text));
	segment_catalog_init(&catalog, txn);
	if (!text.failed)
		segment = segment_of_text(buf_slice(&text), &catalog.names, &problem);
	buf_done(&text);
	if (!segment)
		call_refuse(call, 422, NULL, "the segment cannot be counted: %s",
			    problem.error.text);
	return segment;
}

void mailing_segment_count(struct call *call, u32 campaign, u32 segment,
			   void (*told)(struct call *call, const struct mailing_segment *of))
{
	struct mailing_segment *of = calloc(1, sizeof(*of));
	struct segment *loaded;
	struct time_zone zone;

	if (!of) {
		call_refuse(call, 503, NULL, "no memory");
		return;
	}
	*of = (struct mailing_segment){
		.campaign = campaign, .segment = segment, .told = told, .call = call
	};
	/* It goes with the call, however that ends. */
	call->stream = of;
	call->stream_done = free;
	loaded = load(call, of, campaign, segment);
	if (!loaded)
		return;
	setting_zone(call->web->reader, &zone);
	call->count = segment_count_begin(call->web, loaded, &zone, PATIENCE_MS, on_counted, of);
	if (call->count)
		segment_count_visit(call->count, add_one);
	else
		call_refuse(call, 503, NULL, "no memory for counting");
}
