/*
 * Any bytes as a file of recipients: the same rows come out whole and in pieces, each address is
 * one that parses again to itself, no address comes twice, and the counts add up.
 */
#include "base/check.h"
#include "base/csv.h"
#include "base/text.h"
#include "base/utf8.h"
#include "campaign/intake.h"
#include "message/address.h"
#include "store/queue.h"
#include "store/row_values.h"

#include <string.h>

#define ROWS_COMPARED_MAX 64

#define LINES_HEAD 2

static const struct slice known_lines[] = {
	SLICE("email,name\n"),
	SLICE("name;EMAIL;x\r\n"),
	SLICE("\"email\"\tname\n"),
	SLICE("a@example.jp,Ann\n"),
	SLICE("A@EXAMPLE.jp;\"x;\"\"y\"\"\";\n"),
	SLICE("a..b.@example.net,\"two\nlines\"\n"),
	SLICE("\"\"\"a b\"\"@example.org\",x\n"),
	SLICE("x@\xe3\x81\x82.jp,\xe3\x81\x82\n"),
	SLICE("\xe3\x81\x82@xn--l8j.jp,x\n"),
	SLICE("Ann <b@example.com>,x\n"),
	SLICE("\xef\xbb\xbf"),
	SLICE("\"\"\n"),
	SLICE(","),
	SLICE(";"),
	SLICE("\r\n"),
	SLICE("@example.jp"),
};

#include "line_mutator.h"

int LLVMFuzzerTestOneInput(const u8 *data, size_t size);

struct seen_rows {
	u32 count;
	struct buf keys;
};

static void check_row(const struct intake *intake, const struct intake_row *row,
		      struct seen_rows *seen)
{
	struct slice values[CSV_COLUMNS_MAX];
	struct address address;
	struct error error;
	struct buf key;
	struct slice rest = buf_slice(&seen->keys);

	ASSERT(address_parse(&address, row->address, &error));
	ASSERT(address.not_dot_atom == row->not_dot_atom && address.utf8_local == row->utf8_local);
	ASSERT(slice_equal(row->domain, (struct slice){ address.domain, address.domain_len }));
	ASSERT(row->values.len <= ROW_VALUES_MAX);
	ASSERT(row_values_unpack(row->values, values, intake_column_count(intake)));
	for (size_t i = 0; i < intake_column_count(intake); i++)
		ASSERT(utf8_is_valid(values[i]));
	if (seen->count++ >= ROWS_COMPARED_MAX)
		return;
	buf_init(&key, 2 * ADDRESS_WIRE_MAX);
	address_add_key(&address, &key);
	buf_add_char(&key, '\0');
	while (rest.len > 0) {
		i64 end = slice_find_char(rest, '\0');

		ASSERT(!slice_equal(slice_first(rest, (size_t)end + 1), buf_slice(&key)));
		rest = slice_from(rest, (size_t)end + 1);
	}
	buf_add_slice(&seen->keys, buf_slice(&key));
	buf_done(&key);
}

static void check_end(const struct intake *intake, enum intake_event event, const u64 *events)
{
	struct intake_counts counts;

	intake_counts(intake, &counts);
	ASSERT(counts.accepted == events[INTAKE_ROW] && counts.bad == events[INTAKE_BAD]);
	ASSERT(counts.duplicates == events[INTAKE_DUPLICATE] && counts.quoted <= counts.accepted);
	ASSERT(counts.rows == counts.accepted + counts.bad + counts.duplicates ||
	       event == INTAKE_FAILED);
	for (size_t i = 0; i < intake_column_count(intake); i++) {
		struct slice name = intake_column(intake, i);

		ASSERT(name.len > 0 && name.len <= INTAKE_NAME_MAX && name.ptr[0] != '_');
		ASSERT(!slice_equal_nocase(name, SLICE("email")));
	}
}

/* Takes events until more bytes are wanted; writes them down. */
static enum intake_event drain(struct intake *intake, struct buf *out, u64 *events,
			       struct seen_rows *seen)
{
	struct intake_row row;
	struct error error = { "" };
	enum intake_event event;

	while ((event = intake_next(intake, &row, &error)) != INTAKE_MORE) {
		events[event]++;
		if (event == INTAKE_ROW) {
			check_row(intake, &row, seen);
			buf_add_u64(out, row.line);
			buf_add_slice(out, row.address);
			buf_add_slice(out, row.values);
			continue;
		}
		if (event == INTAKE_END)
			break;
		ASSERT(error.text[0]);
		buf_add_text(out, error.text);
		if (event == INTAKE_FAILED)
			break;
	}
	return event;
}

static void read_all(struct slice file, char delimiter, size_t step, struct buf *out)
{
	struct intake *intake = intake_open(delimiter);
	enum intake_event event = INTAKE_MORE;
	u64 events[INTAKE_FAILED + 1] = { 0 };
	struct seen_rows seen = { 0 };

	ASSERT(intake);
	buf_init(&seen.keys, 1u << 20);
	for (size_t at = 0; at < file.len && event == INTAKE_MORE; at += step) {
		intake_feed(intake, slice_first(slice_from(file, at), step));
		event = drain(intake, out, events, &seen);
	}
	if (event == INTAKE_MORE) {
		intake_finish(intake);
		event = drain(intake, out, events, &seen);
	}
	ASSERT(event == INTAKE_END || event == INTAKE_FAILED);
	check_end(intake, event, events);
	buf_done(&seen.keys);
	intake_close(intake);
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	static const char delimiters[] = { 0, ',', ';', '\t' };
	struct slice file = { (const char *)data, size };
	struct buf whole;
	struct buf pieces;

	if (size < LINES_HEAD || size > CSV_FEED_MAX)
		return 0;
	file = slice_from(file, LINES_HEAD);
	buf_init(&whole, 64u << 20);
	buf_init(&pieces, 64u << 20);
	read_all(file, delimiters[data[0] % sizeof(delimiters)], CSV_FEED_MAX, &whole);
	read_all(file, delimiters[data[0] % sizeof(delimiters)], data[1] % 64 + 1u, &pieces);
	ASSERT(slice_equal(buf_slice(&whole), buf_slice(&pieces)));
	buf_done(&whole);
	buf_done(&pieces);
	return 0;
}
