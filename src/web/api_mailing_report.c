/* /api/v1/mailings/{}/report and report.csv: what became of a campaign to contacts. */
#include "base/text.h"
#include "web/csv_out.h"
#include "web/mailing.h"
#include "web/mailing_report.h"
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

void api_mailing_report(struct call *call)
{
	struct audience_txn *txn = call->web->reader;
	struct audience_campaign campaign;
	json_t *report = NULL;
	enum store_result result = STORE_OK;
	bool is_there = mailing_find(call, &campaign);

	if (is_there) {
		report = mailing_json(&campaign, false);
		if (report)
			result = mailing_report(txn, campaign.id, add_json, report);
	}
	audience_abort(txn);
	if (!is_there)
		return;
	if (result == STORE_OK) {
		call_answer(call, 200, report);
		return;
	}
	json_decref(report);
	call_refuse(call, 500, NULL, "%s", audience_error_text(txn));
}

static void add_csv(void *owner, const struct mailing_number *number)
{
	struct buf *out = owner;
	char count[24];

	snprintf(count, sizeof(count), "%llu", (unsigned long long)number->count);
	csv_out_plain(out, slice_of(number->what), true);
	csv_out_cell(out, number->of, false);
	csv_out_plain(out, slice_of(count), false);
	csv_out_end(out);
}

void api_mailing_report_csv(struct call *call)
{
	struct audience_txn *txn = call->web->reader;
	struct audience_campaign campaign;
	enum store_result result = STORE_OK;
	bool is_there = mailing_find(call, &campaign);

	if (is_there) {
		buf_add_text(&call->answer_body, "what,of,count\r\n");
		result = mailing_report(txn, campaign.id, add_csv, &call->answer_body);
	}
	audience_abort(txn);
	if (!is_there)
		return;
	if (result == STORE_OK) {
		call_answer_saved(call, "text/csv; charset=utf-8", SLICE("mailing.csv"));
		return;
	}
	buf_reset(&call->answer_body);
	call_refuse(call, 500, NULL, "%s", audience_error_text(txn));
}
