/* /api/v1/imports/{}/report: what was found in the rows of an import, as a table to download. */
#include "base/text.h"
#include "campaign/import_row.h"
#include "store/row_values.h"
#include "web/csv_out.h"
#include "web/query.h"
#include "web/route.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PIECE_BYTES (128u << 10)

struct report_stream {
	u32 import;
	bool japanese;
	bool began;
	bool ended;
	u64 line;
	u8 number;
};

static void add_number(struct buf *out, u64 number)
{
	char digits[24];

	snprintf(digits, sizeof(digits), "%llu", (unsigned long long)number);
	csv_out_plain(out, slice_of(digits), false);
}

static void add_row(struct buf *out, const struct report_stream *stream,
		    const struct import_report *report, const struct slice *columns)
{
	bool refused = import_kind_refuses((enum import_kind)report->kind);
	struct buf words;

	csv_out_plain(out, slice_of(import_kind_name((enum import_kind)report->kind)), true);
	csv_out_plain(out, refused ? SLICE("no") : SLICE("yes"), false);
	if (report->line < IMPORT_NO_LINE)
		add_number(out, report->line);
	else
		csv_out_plain(out, SLICE_NONE, false);
	csv_out_cell(out, report->column > 0 && report->column <= IMPORT_COLUMNS_MAX ?
				  columns[report->column - 1] : SLICE_NONE, false);
	buf_init(&words, 4096);
	import_report_words(&words, report, stream->japanese);
	csv_out_cell(out, buf_slice(&words), false);
	buf_done(&words);
	csv_out_end(out);
}

static void begin(struct buf *out, const struct report_stream *stream)
{
	buf_add_text(out, "\xef\xbb\xbf"); /* spreadsheets take it for something else without */
	buf_add_text(out, stream->japanese ? "種類,取り込み,行,列,理由\r\n" :
					     "kind,taken,line,column,why\r\n");
}

static void more(struct call *call)
{
	struct report_stream *stream = call->stream;
	struct audience_txn *reader = call->web->reader;
	struct slice columns[IMPORT_COLUMNS_MAX] = { SLICE_NONE };
	struct buf *out = &call->answer_body;
	struct import_report report;
	struct import import;
	enum store_result result;

	if (!stream->began)
		begin(out, stream);
	stream->began = true;
	if (stream->ended || audience_begin_read(reader) != STORE_OK)
		return;
	result = import_get(reader, stream->import, &import);
	if (result == STORE_OK && !row_values_unpack(import.header, columns, IMPORT_COLUMNS_MAX))
		memset(columns, 0, sizeof(columns));
	while (result == STORE_OK && out->len < PIECE_BYTES) {
		result = import_report_after(reader, stream->import, stream->line, stream->number,
					     &report);
		if (result != STORE_OK)
			break;
		add_row(out, stream, &report, columns);
		stream->line = report.line;
		stream->number = report.number;
	}
	stream->ended = result != STORE_OK;
	audience_abort(reader);
}

void api_import_report(struct call *call)
{
	struct report_stream *stream;
	struct import import;
	char language[8];
	u32 id = 0;
	bool is_there = false;

	if (!web_query_text(call, "language", language, sizeof(language)))
		return;
	if (slice_to_u32(slice_of(call->argument), &id) &&
	    audience_begin_read(call->web->reader) == STORE_OK)
		is_there = import_get(call->web->reader, id, &import) == STORE_OK;
	audience_abort(call->web->reader);
	if (!is_there) {
		call_refuse(call, 404, NULL, "there is no such import");
		return;
	}
	stream = calloc(1, sizeof(*stream));
	if (!stream) {
		call_refuse(call, 503, NULL, "no memory");
		return;
	}
	stream->import = id;
	stream->japanese = strcmp(language, "ja") == 0;
	call->stream = stream;
	call->stream_done = free;
	call->more = more;
	call_answer_stream(call, "text/csv; charset=utf-8", SLICE("import-report.csv"));
}
