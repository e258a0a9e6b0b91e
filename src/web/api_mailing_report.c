/* /api/v1/mailings/{}/report and report.csv: what became of a campaign to contacts. */
#include "base/text.h"
#include "web/csv_out.h"
#include "web/mailing.h"
#include "web/mailing_report.h"
#include "web/mailing_segment.h"
#include "web/route.h"

#include <stdio.h>

static void add_json(void *owner, const struct mailing_number *number)
{
	json_t *report = owner;
	json_t *list;

	if (!number->is_of) {
		json_object_set_new(report, number->what,
				    json_integer((json_int_t)number->count));
		return;
	}
	list = json_object_get(report, number->what);
	if (!list) {
		list = json_array();
		json_object_set_new(report, number->what, list);
	}
	json_array_append_new(list, json_pack("{s:o, s:I, s:I}", "of",
					      json_stringn(number->of.ptr, number->of.len), "id",
					      (json_int_t)number->id, "count",
					      (json_int_t)number->count));
}

/* Which of two subjects goes to the rest; NULL: there is one, or it is not decided. */
static const char *winner_of(const struct audience_campaign *campaign)
{
	if (campaign->flags & AUDIENCE_CAMPAIGN_WINNER_A)
		return "a";
	return campaign->flags & AUDIENCE_CAMPAIGN_WINNER_B ? "b" : NULL;
}

/* ---- of one segment ---- */

static void tell_segment(struct call *call, const struct mailing_segment *of)
{
	json_t *report = json_pack("{s:I, s:{s:I, s:s}}", "id", (json_int_t)of->campaign, "segment",
				   "id", (json_int_t)of->segment, "name", of->name);

	for (u32 i = 0; report && i < MAILING_SHARES; i++)
		json_object_set_new(report, mailing_share_name(i),
				    json_integer((json_int_t)of->counts[i]));
	call_answer(call, 200, report);
}

/* True: the call asks for one segment, and is answered, or will be; within the transaction. */
static bool asks_for_segment(struct call *call, const struct audience_campaign *campaign,
			     void (*told)(struct call *call, const struct mailing_segment *of))
{
	u64 segment = 0;

	if (!web_query_number(call, SLICE("segment"), &segment))
		return true;
	if (segment > 0)
		mailing_segment_count(call, campaign->id, (u32)min_u64(segment, UINT32_MAX), told);
	return segment > 0;
}

/* ---- of all ---- */

void api_mailing_report(struct call *call)
{
	struct audience_txn *txn = call->web->reader;
	struct audience_campaign campaign;
	json_t *report = NULL;
	enum store_result result = STORE_OK;
	bool is_meant = mailing_find(call, &campaign) &&
			!asks_for_segment(call, &campaign, tell_segment);

	if (is_meant) {
		report = mailing_json(&campaign, false);
		if (report && winner_of(&campaign))
			json_object_set_new(report, "winner", json_string(winner_of(&campaign)));
		if (report)
			result = mailing_report(txn, campaign.id, add_json, report);
	}
	audience_abort(txn);
	if (!is_meant)
		return;
	if (result == STORE_OK) {
		call_answer(call, 200, report);
		return;
	}
	json_decref(report);
	call_refuse(call, 500, NULL, "%s", audience_error_text(txn));
}

/* ---- as a table ---- */

static void add_row(struct buf *out, const char *what, struct slice of, u64 number)
{
	char count[24];

	snprintf(count, sizeof(count), "%llu", (unsigned long long)number);
	csv_out_plain(out, slice_of(what), true);
	csv_out_cell(out, of, false);
	csv_out_plain(out, slice_of(count), false);
	csv_out_end(out);
}

static void add_csv(void *owner, const struct mailing_number *number)
{
	add_row(owner, number->what, number->of, number->count);
}

static void tell_segment_csv(struct call *call, const struct mailing_segment *of)
{
	buf_add_text(&call->answer_body, "what,of,count\r\n");
	for (u32 i = 0; i < MAILING_SHARES; i++)
		add_row(&call->answer_body, mailing_share_name(i), slice_of(of->name),
			of->counts[i]);
	call_answer_saved(call, "text/csv; charset=utf-8", SLICE("mailing-segment.csv"));
}

void api_mailing_report_csv(struct call *call)
{
	struct audience_txn *txn = call->web->reader;
	struct audience_campaign campaign;
	enum store_result result = STORE_OK;
	bool is_meant = mailing_find(call, &campaign) &&
			!asks_for_segment(call, &campaign, tell_segment_csv);

	if (is_meant) {
		buf_add_text(&call->answer_body, "what,of,count\r\n");
		result = mailing_report(txn, campaign.id, add_csv, &call->answer_body);
		if (winner_of(&campaign))
			add_row(&call->answer_body, "winner", slice_of(winner_of(&campaign)), 1);
	}
	audience_abort(txn);
	if (!is_meant)
		return;
	if (result == STORE_OK) {
		call_answer_saved(call, "text/csv; charset=utf-8", SLICE("mailing.csv"));
		return;
	}
	buf_reset(&call->answer_body);
	call_refuse(call, 500, NULL, "%s", audience_error_text(txn));
}
