#include "console/human.h"

#include "base/check.h"
#include "base/text.h"
#include "base/utf8.h"

#include <string.h>
#include <time.h>

#define YEAR_9999_S 253370764800ll /* its first second; what comes later is no time */

void human_number(struct buf *out, u64 value)
{
	char digits[20];
	size_t n = 0;

	do {
		digits[n++] = (char)('0' + value % 10);
		value /= 10;
	} while (value > 0);
	while (n-- > 0) {
		buf_add_char(out, digits[n]);
		if (n > 0 && n % 3 == 0)
			buf_add_char(out, ',');
	}
}

void human_bytes(struct buf *out, u64 value)
{
	static const char *const units[] = { "KiB", "MiB", "GiB", "TiB" };
	double scaled = (double)value;
	size_t unit = 0;

	if (value < 1024) {
		buf_add_format(out, "%u B", (unsigned)value);
		return;
	}
	for (scaled /= 1024; scaled >= 1023.95 && unit + 1 < array_count(units); unit++)
		scaled /= 1024;
	buf_add_format(out, "%.1f %s", scaled, units[unit]);
}

void human_duration(struct buf *out, u64 ms)
{
	static const struct {
		u64 ms;
		const char *name;
	} units[] = {
		{ 24ull * 3600 * 1000, "d" },
		{ 3600ull * 1000, "h" },
		{ 60ull * 1000, "min" },
		{ 1000, "s" },
	};

	if (ms < 1000) {
		buf_add_format(out, "%u ms", (unsigned)ms);
		return;
	}
	/* The largest unit that fits and, when it is not zero, the one below. */
	for (size_t i = 0; i < array_count(units); i++) {
		u64 rest = ms % units[i].ms;

		if (ms < units[i].ms)
			continue;
		human_number(out, ms / units[i].ms);
		buf_add_format(out, " %s", units[i].name);
		if (i + 1 < array_count(units) && rest >= units[i + 1].ms)
			buf_add_format(out, " %u %s", (unsigned)(rest / units[i + 1].ms),
				       units[i + 1].name);
		return;
	}
}

/* In the console's time zone. False: that is no time. */
static bool local_time(u64 wall_ms, struct tm *local)
{
	const time_t seconds = (time_t)(wall_ms / 1000);

	return wall_ms > 0 && seconds <= YEAR_9999_S && localtime_r(&seconds, local);
}

void human_time(struct buf *out, u64 wall_ms)
{
	struct tm d;

	if (!local_time(wall_ms, &d)) {
		buf_add_text(out, "-");
		return;
	}
	buf_add_format(out, "%04d-%02d-%02d %02d:%02d:%02d", d.tm_year + 1900, d.tm_mon + 1,
		       d.tm_mday, d.tm_hour, d.tm_min, d.tm_sec);
}

void human_zone(struct buf *out, u64 wall_ms)
{
	struct tm d;

	if (local_time(wall_ms, &d))
		human_text(out, slice_of(d.tm_zone));
}

void human_rate(struct buf *out, double per_s)
{
	if (per_s > 0 && per_s < 10)
		buf_add_format(out, "%.1f", per_s);
	else
		human_number(out, per_s > 0 ? (u64)(per_s + 0.5) : 0);
	buf_add_text(out, "/s");
}

/* ---- text ---- */

struct range {
	u32 from;
	u32 to;
};

static bool is_in(u32 code, const struct range *ranges, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		if (code >= ranges[i].from && code <= ranges[i].to)
			return true;
	}
	return false;
}

/* Controls, line separators, and the marks that reorder what stands around them. */
static bool is_harmful(u32 code)
{
	static const struct range ranges[] = {
		{ 0, 0x1f },	      { 0x7f, 0x9f },	  { 0x200e, 0x200f }, { 0x2028, 0x202e },
		{ 0x2066, 0x206f },   { 0xfeff, 0xfeff }, { 0xfff9, 0xfffb }, { 0xe0000, 0xe007f },
		{ 0x61c, 0x61c },
	};

	return is_in(code, ranges, array_count(ranges));
}

static size_t code_width(u32 code)
{
	static const struct range none[] = {
		{ 0x300, 0x36f }, { 0x200b, 0x200d }, { 0xfe00, 0xfe0f }, { 0x20d0, 0x20ff },
		{ 0x3099, 0x309a },
	};
	static const struct range wide[] = {
		{ 0x1100, 0x115f },   { 0x2e80, 0x303e },   { 0x3041, 0xa4cf },
		{ 0xac00, 0xd7a3 },   { 0xf900, 0xfaff },   { 0xfe30, 0xfe6f },
		{ 0xff00, 0xff60 },   { 0xffe0, 0xffe6 },   { 0x1f300, 0x1faff },
		{ 0x20000, 0x3fffd },
	};

	if (is_in(code, none, array_count(none)))
		return 0;
	return is_in(code, wide, array_count(wide)) ? 2 : 1;
}

void human_text(struct buf *out, struct slice text)
{
	while (text.len > 0) {
		u32 code;
		size_t len = utf8_decode(text, &code);

		if (len == 0)
			buf_add_format(out, "\\x%02x", (u8)text.ptr[0]);
		else if (code < 0x100 && is_harmful(code))
			buf_add_format(out, "\\x%02x", code);
		else if (is_harmful(code))
			buf_add_format(out, "\\u{%x}", code);
		else
			buf_add_slice(out, slice_first(text, len));
		text = slice_from(text, len ? len : 1);
	}
}

size_t human_width(struct slice text)
{
	size_t width = 0;

	while (text.len > 0) {
		u32 code;
		size_t len = utf8_decode(text, &code);

		width += len ? code_width(code) : 1;
		text = slice_from(text, len ? len : 1);
	}
	return width;
}

/* ---- tables ---- */

#define TABLE_BYTES_MAX (4u << 20)

void table_init(struct table *table, FILE *out, const char *const *titles, size_t columns,
		u32 right)
{
	ASSERT(columns > 0 && columns <= TABLE_COLUMNS_MAX);
	*table = (struct table){ .titles = titles, .columns = columns, .right = right, .out = out };
	buf_init(&table->cells, TABLE_BYTES_MAX);
	for (size_t i = 0; i < columns; i++)
		table->widths[i] = strlen(titles[i]);
}

void table_done(struct table *table)
{
	if (table->cell_count > 0)
		table_flush(table);
	buf_done(&table->cells);
}

static void cell_end(struct table *table, size_t start)
{
	size_t column = table->cell_count % table->columns;
	struct slice cell;

	if (table->cells.len == start)
		buf_add_char(&table->cells, '-');
	cell = slice_from(buf_slice(&table->cells), start);
	table->widths[column] = max_u64(table->widths[column], human_width(cell));
	buf_add_char(&table->cells, '\0');
	table->cell_count++;
	if (column + 1 < table->columns)
		return;
	if (table->cells.failed || table->cells.len > TABLE_BYTES_MAX / 2)
		table_flush(table);
}

void table_text(struct table *table, struct slice text)
{
	size_t start = table->cells.len;

	human_text(&table->cells, slice_first(text, 1024));
	cell_end(table, start);
}

void table_number(struct table *table, u64 value)
{
	size_t start = table->cells.len;

	human_number(&table->cells, value);
	cell_end(table, start);
}

void table_plain(struct table *table, u64 value)
{
	size_t start = table->cells.len;

	buf_add_u64(&table->cells, value);
	cell_end(table, start);
}

void table_duration(struct table *table, u64 ms)
{
	size_t start = table->cells.len;

	human_duration(&table->cells, ms);
	cell_end(table, start);
}

void table_rate(struct table *table, double per_s)
{
	size_t start = table->cells.len;

	human_rate(&table->cells, per_s);
	cell_end(table, start);
}

void table_time(struct table *table, u64 wall_ms)
{
	size_t start = table->cells.len;

	human_time(&table->cells, wall_ms);
	cell_end(table, start);
}

static void print_cell(const struct table *table, size_t column, struct slice cell)
{
	size_t width = human_width(cell);
	int pad = (int)(table->widths[column] - min_size(width, table->widths[column]));
	bool is_right = table->right >> column & 1;
	bool is_last = column + 1 == table->columns;

	fprintf(table->out, "%*s%.*s%*s", is_right ? pad : 0, "", SLICE_FMT(cell),
		is_right || is_last ? 0 : pad, "");
	fputs(is_last ? "\n" : "  ", table->out);
}

void table_flush(struct table *table)
{
	const char *cell = table->cells.ptr;
	size_t count = table->cell_count / table->columns * table->columns;

	if (!table->has_head) {
		for (size_t i = 0; i < table->columns; i++)
			print_cell(table, i, slice_of(table->titles[i]));
		table->has_head = true;
	}
	for (size_t i = 0; i < count; i++) {
		print_cell(table, i % table->columns, slice_of(cell));
		cell += strlen(cell) + 1;
	}
	buf_reset(&table->cells);
	table->cell_count = 0;
}
