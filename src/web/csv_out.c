#include "web/csv_out.h"

#include "campaign/value.h"

#include <string.h>

static void add_quoted(struct buf *out, struct slice cell)
{
	for (size_t i = 0; i < cell.len; i++) {
		if (cell.ptr[i] == '"')
			buf_add_char(out, '"');
		buf_add_char(out, cell.ptr[i]);
	}
}

static bool needs_quotes(struct slice cell)
{
	if (cell.len == 0)
		return false;
	for (size_t i = 0; i < cell.len; i++) {
		if (memchr("\",;\t\r\n", cell.ptr[i], 6))
			return true;
	}
	return cell.ptr[0] == ' ' || cell.ptr[cell.len - 1] == ' ';
}

static void add_cell(struct buf *out, struct slice cell, bool guards)
{
	bool quotes = needs_quotes(cell);

	if (quotes)
		buf_add_char(out, '"');
	if (guards)
		buf_add_char(out, '\'');
	if (quotes)
		add_quoted(out, cell);
	else
		buf_add_slice(out, cell);
	if (quotes)
		buf_add_char(out, '"');
}

void csv_out_cell(struct buf *out, struct slice cell, bool is_first)
{
	if (!is_first)
		buf_add_char(out, ',');
	add_cell(out, cell, value_is_formula(cell));
}

void csv_out_plain(struct buf *out, struct slice cell, bool is_first)
{
	if (!is_first)
		buf_add_char(out, ',');
	add_cell(out, cell, false);
}

void csv_out_end(struct buf *out)
{
	buf_add_text(out, "\r\n");
}
