/*
 * Numbers, times and texts as people read them, and aligned tables of them. Texts that come from
 * peers or files are made harmless for a terminal: control bytes, bad UTF-8, and characters that
 * change the direction of writing are shown as \xNN or \u{N}.
 */
#ifndef CONSOLE_HUMAN_H
#define CONSOLE_HUMAN_H

#include "base/buf.h"
#include "base/types.h"

#include <stdio.h>

void human_number(struct buf *out, u64 value); /* "1,234,567" */
void human_bytes(struct buf *out, u64 value);  /* "812 B", "1.5 MiB" */
void human_duration(struct buf *out, u64 ms);  /* "850 ms", "3 min 12 s", "2 d 4 h" */
/* "2026-11-25 03:12:00", in the time zone of the console (TZ, else the machine's); "-" for 0. */
void human_time(struct buf *out, u64 wall_ms);
void human_zone(struct buf *out, u64 wall_ms);  /* "JST", "UTC": what human_time is in */
void human_rate(struct buf *out, double per_s); /* "0.2/s", "1,234/s" */
void human_text(struct buf *out, struct slice text);

/* Columns that a text takes on a terminal; East Asian wide characters count two. */
size_t human_width(struct slice text);

#define TABLE_COLUMNS_MAX 12

/*
 * Cells are added left to right, row by row. Rows are kept until table_flush prints them; widths
 * only ever grow, so that a long stream may be flushed block by block and stays aligned.
 */
struct table {
	const char *const *titles;
	size_t columns;
	u32 right;      /* bit per column: aligned to the right */
	size_t widths[TABLE_COLUMNS_MAX];
	struct buf cells; /* texts of whole rows and the one under way, each ended by NUL */
	size_t cell_count;
	bool has_head;
	FILE *out;
};

void table_init(struct table *table, FILE *out, const char *const *titles, size_t columns,
		u32 right);
void table_done(struct table *table); /* prints rows that are left, but no head alone */
void table_text(struct table *table, struct slice text); /* made harmless; "-" when empty */
void table_number(struct table *table, u64 value);
void table_plain(struct table *table, u64 value); /* digits alone: a number that names */
void table_duration(struct table *table, u64 ms);
void table_rate(struct table *table, double per_s);
void table_time(struct table *table, u64 wall_ms);
void table_flush(struct table *table); /* prints the rows, and the head before the first ones */

#endif
