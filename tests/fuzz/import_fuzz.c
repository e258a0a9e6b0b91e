/*
 * Any bytes as a file of contacts: its encoding is guessed the same however it is cut, every row is
 * taken or refused with a reason, and what is taken is an address in wire form with packed values
 * that read back in their order.
 */
#include "base/check.h"
#include "base/text.h"
#include "base/utf8.h"
#include "campaign/import_reader.h"
#include "campaign/import_row.h"

int LLVMFuzzerTestOneInput(const u8 *data, size_t size);

static const struct import_map map = {
	.column_count = 4,
	.columns = { { IMPORT_EMAIL, 0 }, { IMPORT_ATTRIBUTE, 2 }, { IMPORT_LIST, 9 },
		     { IMPORT_ATTRIBUTE, 1 } },
	.types = { [1] = ATTRIBUTE_DATE, [3] = ATTRIBUTE_TEXT },
	.order = { 3, 1 },
	.order_count = 2,
	.empties_count = true,
};

static enum import_encoding guess(struct slice file, size_t step)
{
	struct import_guess guess;
	enum import_reason reason;
	enum import_encoding encoding;

	import_guess_init(&guess);
	for (size_t at = 0; at < file.len; at += step)
		import_guess_feed(&guess, slice_first(slice_from(file, at), step));
	encoding = import_guess_say(&guess, &reason);
	ASSERT(encoding > 0 && encoding < IMPORT_ENCODINGS && reason < IMPORT_REASONS);
	return encoding;
}

static void check_row(const struct import_row *row, struct buf *out)
{
	struct slice values = row->values;
	struct slice value;
	bool refused = false;
	u16 last = 0;
	u16 id;

	for (u32 i = 0; i < row->finding_count; i++) {
		ASSERT(row->findings[i].line == row->line && utf8_is_valid(row->findings[i].text));
		refused |= import_kind_refuses((enum import_kind)row->findings[i].kind);
		import_report_words(out, &row->findings[i], i % 2);
	}
	ASSERT(refused == (row->address.len == 0));
	if (refused)
		return;
	ASSERT(row->key.len > 0 && address_wire_domain(row->address).len > 0);
	while (contact_next_value(&values, &id, &value)) {
		ASSERT(id > last && utf8_is_valid(value));
		last = id;
	}
	ASSERT(values.len == 0 && row->join_count <= 1);
	buf_add_slice(out, row->address);
	buf_add_slice(out, row->values);
}

static void read_all(struct slice file, enum import_encoding encoding, size_t step,
		     struct buf *out)
{
	struct import_reader *reader = import_reader_open(encoding, 0);
	struct import_parser *parser = import_parser_open(&map);
	struct error error = { "" };
	struct import_row row;
	struct csv_row from;
	enum csv_event event;
	size_t at = 0;

	ASSERT(reader && parser);
	while ((event = import_reader_next(reader, &from, &error)) != CSV_END &&
	       event != CSV_FAILED) {
		if (event == CSV_MORE && at < file.len) {
			import_reader_feed(reader, slice_first(slice_from(file, at), step));
			at += step;
		} else if (event == CSV_MORE) {
			import_reader_finish(reader);
		} else {
			ASSERT(import_parser_take(parser, &from,
						  event == CSV_BAD_ROW ? error.text : NULL, &row));
			check_row(&row, out);
		}
	}
	import_reader_close(reader);
	import_parser_close(parser);
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	struct slice file = { (const char *)data, size };
	enum import_encoding encoding;
	struct buf whole;
	struct buf pieces;

	if (size < 2)
		return 0;
	file = slice_from(file, 1);
	encoding = guess(file, IMPORT_FEED_MAX);
	ASSERT(encoding == guess(file, data[0] % 16 + 1u));
	buf_init(&whole, 64u << 20);
	buf_init(&pieces, 64u << 20);
	read_all(file, encoding, IMPORT_FEED_MAX, &whole);
	read_all(file, encoding, data[0] % 16 + 1u, &pieces);
	ASSERT(whole.len == pieces.len);
	ASSERT(whole.len == 0 || memcmp(whole.ptr, pieces.ptr, whole.len) == 0);
	buf_done(&whole);
	buf_done(&pieces);
	return 0;
}
