/*
 * /api/v1/deliverability: what became of mail by day, receiver and class of reply, as rows or as a
 * table to be saved.
 */
#include "base/clock.h"
#include "base/smtp_class.h"
#include "base/text.h"
#include "campaign/delivery_note.h"
#include "campaign/local_day.h"
#include "store/audience_arrival.h"
#include "web/csv_out.h"
#include "web/query.h"
#include "web/route.h"
#include "web/setting.h"

#include <stdio.h>
#include <stdlib.h>

#define DAYS_DEFAULT 30
#define ROWS_MAX 20000 /* of an answer; more than a day can have */
#define PIECE_BYTES 65536

static const char *const kind_words[ARRIVAL_KINDS] = {
	[ARRIVAL_DELIVERED] = "delivered",
	[ARRIVAL_BOUNCED] = "bounced",
	[ARRIVAL_DEFERRED] = "deferred",
	[ARRIVAL_COMPLAINED] = "complained",
};

static const char *kind_word(const struct arrival *arrival)
{
	const char *word = arrival->kind < ARRIVAL_KINDS ? kind_words[arrival->kind] : NULL;

	return word ? word : "";
}

/* ---- which days ---- */

struct span {
	u32 first;
	u32 last;
};

static bool read_day(struct call *call, const char *name, u32 *day)
{
	char text[CALENDAR_TEXT_SIZE + 1];
	i32 given;

	if (!web_query_text(call, name, text, sizeof(text)))
		return false;
	if (!text[0])
		return true;
	if (calendar_parse(slice_of(text), &given) && given >= 0) {
		*day = (u32)given;
		return true;
	}
	call_refuse(call, 400, NULL, "%s in the query is no day such as 2026-11-30", name);
	return false;
}

/* False: the call was answered. */
static bool read_span(struct call *call, struct span *span)
{
	struct audience_txn *txn = call->web->reader;
	struct time_zone zone;
	i32 today;

	if (!call_is_general(call))
		return false;
	if (audience_begin_read(txn) != STORE_OK) {
		audience_abort(txn);
		call_refuse(call, 503, NULL, "the numbers cannot be read");
		return false;
	}
	setting_zone(txn, &zone);
	audience_abort(txn);
	today = local_day(&zone, clock_wall_ms());
	span->last = today > 0 ? (u32)today : 0;
	span->first = span->last < DAYS_DEFAULT ? 0 : span->last - DAYS_DEFAULT + 1;
	return read_day(call, "from", &span->first) && read_day(call, "until", &span->last);
}

/* ---- rows ---- */

/* Within a transaction. */
static json_t *row_json(struct audience_txn *txn, const struct arrival *arrival)
{
	struct slice name = delivery_site_name(txn, arrival->site);
	char day[CALENDAR_TEXT_SIZE];

	calendar_format(day, (i32)arrival->day);
	return json_pack("{s:s, s:s%, s:s, s:s, s:I}", "day", day, "receiver", name.ptr, name.len,
			 "what", kind_word(arrival), "reason", smtp_class_name(arrival->class),
			 "count", (json_int_t)arrival->count);
}

/* A day that does not fit is left to the next answer as a whole. */
static void drop_day(json_t *rows, size_t begun_at)
{
	while (json_array_size(rows) > begun_at)
		json_array_remove(rows, json_array_size(rows) - 1);
}

static json_t *answer_rows(json_t *rows, const struct arrival *next, bool is_more)
{
	char day[CALENDAR_TEXT_SIZE];

	if (!is_more)
		return json_pack("{s:o}", "rows", rows);
	calendar_format(day, (i32)next->day);
	return json_pack("{s:o, s:s}", "rows", rows, "next", day);
}

void api_arrivals_list(struct call *call)
{
	struct audience_txn *txn = call->web->reader;
	struct arrival arrival = { .day = 0 };
	enum store_result result;
	struct span span;
	size_t begun_at = 0;
	u32 day;
	json_t *rows;

	if (!read_span(call, &span))
		return;
	rows = json_array();
	day = span.first;
	arrival.day = day;
	result = audience_begin_read(txn);
	if (result == STORE_OK)
		result = arrival_next(txn, &arrival);
	while (result == STORE_OK && arrival.day <= span.last &&
	       json_array_size(rows) < ROWS_MAX) {
		if (arrival.day != day)
			begun_at = json_array_size(rows);
		day = arrival.day;
		json_array_append_new(rows, row_json(txn, &arrival));
		result = arrival_next(txn, &arrival);
	}
	audience_abort(txn);
	if (result != STORE_OK && result != STORE_NOT_FOUND) {
		json_decref(rows);
		call_refuse(call, 503, NULL, "the numbers cannot be read");
		return;
	}
	if (result == STORE_OK && arrival.day <= span.last && arrival.day == day && begun_at > 0)
		drop_day(rows, begun_at);
	call_answer(call, 200,
		    answer_rows(rows, &arrival, result == STORE_OK && arrival.day <= span.last));
}

/* ---- the table ---- */

struct table {
	struct arrival at;
	u32 last;
	bool is_over;
};

static void add_row(struct buf *out, struct audience_txn *txn, const struct arrival *arrival)
{
	char day[CALENDAR_TEXT_SIZE];
	char count[24];

	calendar_format(day, (i32)arrival->day);
	snprintf(count, sizeof(count), "%llu", (unsigned long long)arrival->count);
	csv_out_plain(out, slice_of(day), true);
	csv_out_cell(out, delivery_site_name(txn, arrival->site), false);
	csv_out_plain(out, slice_of(kind_word(arrival)), false);
	csv_out_plain(out, slice_of(smtp_class_name(arrival->class)), false);
	csv_out_plain(out, slice_of(count), false);
	csv_out_end(out);
}

static void more(struct call *call)
{
	struct table *table = call->stream;
	struct buf *out = &call->answer_body;
	struct audience_txn *txn = call->web->reader;
	enum store_result result = table->is_over ? STORE_NOT_FOUND : audience_begin_read(txn);

	while (result == STORE_OK && out->len < PIECE_BYTES) {
		result = arrival_next(txn, &table->at);
		if (result == STORE_OK && table->at.day > table->last)
			result = STORE_NOT_FOUND;
		if (result == STORE_OK)
			add_row(out, txn, &table->at);
	}
	audience_abort(txn);
	table->is_over = result != STORE_OK;
	/* Cut short it must not look whole: the connection breaks. */
	if (result != STORE_OK && result != STORE_NOT_FOUND)
		out->failed = true;
}

void api_arrivals_csv(struct call *call)
{
	struct table *table;
	struct span span;

	if (!read_span(call, &span))
		return;
	table = calloc(1, sizeof(*table));
	if (!table) {
		call_refuse(call, 503, NULL, "no memory");
		return;
	}
	table->at.day = span.first;
	table->last = span.last;
	call->stream = table;
	call->stream_done = free;
	call->more = more;
	buf_add_text(&call->answer_body, "day,receiver,what,reason,count\r\n");
	call_answer_stream(call, "text/csv; charset=utf-8", SLICE("deliverability.csv"));
}
