#include "base/csv_text.h"

#include "base/utf8.h"

#include <string.h>

#define HIGH_FIRST 0xd800u
#define LOW_FIRST 0xdc00u
#define LOW_LAST 0xdfffu

static void add_code(struct buf *out, u32 code)
{
	char bytes[4];

	buf_add(out, bytes, utf8_encode(bytes, code));
}

static void add_unit(struct csv_text *text, u16 unit, struct buf *out)
{
	if (unit >= LOW_FIRST && unit <= LOW_LAST && text->high) {
		add_code(out, 0x10000 + ((u32)(text->high - HIGH_FIRST) << 10) + unit - LOW_FIRST);
		text->high = 0;
		return;
	}
	if (text->high || (unit >= LOW_FIRST && unit <= LOW_LAST))
		buf_add_char(out, CSV_BAD_UTF16);
	text->high = 0;
	if (unit >= HIGH_FIRST && unit < LOW_FIRST)
		text->high = unit;
	else if (unit < HIGH_FIRST || unit > LOW_LAST)
		add_code(out, unit);
}

static void add_utf16(struct csv_text *text, struct slice bytes, struct buf *out)
{
	for (size_t i = 0; i < bytes.len; i++) {
		text->held[text->held_count++] = (u8)bytes.ptr[i];
		if (text->held_count < 2)
			continue;
		text->held_count = 0;
		if (text->encoding == CSV_UTF16LE)
			add_unit(text, (u16)(text->held[0] | text->held[1] << 8), out);
		else
			add_unit(text, (u16)(text->held[1] | text->held[0] << 8), out);
	}
}

static void add(struct csv_text *text, struct slice bytes, struct buf *out)
{
	if (text->encoding == CSV_UTF8)
		buf_add_slice(out, bytes);
	else
		add_utf16(text, bytes, out);
}

/* What the first bytes say; `all` when no others will come. */
static enum csv_encoding look_at_mark(const u8 *bytes, size_t count, bool all, size_t *mark)
{
	*mark = 2;
	if (count >= 2 && bytes[0] == 0xff && bytes[1] == 0xfe)
		return CSV_UTF16LE;
	if (count >= 2 && bytes[0] == 0xfe && bytes[1] == 0xff)
		return CSV_UTF16BE;
	*mark = 3;
	if (count >= 3 && memcmp(bytes, "\xef\xbb\xbf", 3) == 0)
		return CSV_UTF8;
	*mark = 0;
	return count >= 3 || all ? CSV_UTF8 : CSV_ENCODING_UNKNOWN;
}

static void find_encoding(struct csv_text *text, bool all, struct buf *out)
{
	u8 start[4];
	size_t count = text->held_count;
	size_t mark;

	text->encoding = look_at_mark(text->held, count, all, &mark);
	if (text->encoding == CSV_ENCODING_UNKNOWN)
		return;
	memcpy(start, text->held, sizeof(start));
	text->held_count = 0;
	add(text, (struct slice){ (const char *)start + mark, count - mark }, out);
}

void csv_text_feed(struct csv_text *text, struct slice bytes, struct buf *out)
{
	while (text->encoding == CSV_ENCODING_UNKNOWN && bytes.len > 0) {
		text->held[text->held_count++] = (u8)*bytes.ptr;
		bytes = (struct slice){ bytes.ptr + 1, bytes.len - 1 };
		find_encoding(text, false, out);
	}
	if (bytes.len > 0)
		add(text, bytes, out);
}

void csv_text_finish(struct csv_text *text, struct buf *out)
{
	if (text->encoding == CSV_ENCODING_UNKNOWN)
		find_encoding(text, true, out);
	if (text->encoding != CSV_UTF8 && (text->held_count > 0 || text->high))
		buf_add_char(out, CSV_BAD_UTF16);
	text->held_count = 0;
	text->high = 0;
}

/*
 * Some character must be of the rows with hiragana, katakana and the common kanji: their first
 * bytes are no letters in Windows-1252, whose accented letters would else pass for kanji of the
 * later rows.
 */
static bool is_shift_jis(struct slice bytes)
{
	bool common = false;

	for (size_t i = 0; i < bytes.len; i++) {
		u8 c = (u8)bytes.ptr[i];
		u8 trail;

		if (c < 0x80 || (c >= 0xa1 && c <= 0xdf))
			continue;
		if (c == 0x80 || c == 0xa0 || c > 0xfc || ++i == bytes.len)
			return false;
		trail = (u8)bytes.ptr[i];
		common |= c < 0xa0;
		if (trail < 0x40 || trail == 0x7f || trail > 0xfc)
			return false;
	}
	return common;
}

/* Two characters at least: one could be what is left of a cut UTF-8 sequence. */
static bool is_euc_jp(struct slice bytes)
{
	size_t characters = 0;

	for (size_t i = 0; i < bytes.len; i++) {
		u8 c = (u8)bytes.ptr[i];
		size_t trail = c == 0x8f ? 2 : 1;

		if (c < 0x80)
			continue;
		if ((c < 0xa1 && c != 0x8e && c != 0x8f) || c == 0xff)
			return false;
		characters++;
		for (; trail > 0; trail--) {
			if (++i == bytes.len || (u8)bytes.ptr[i] < 0xa1)
				return false;
		}
	}
	return characters >= 2;
}

const char *csv_text_guess(struct slice bytes)
{
	/*
	 * EUC-JP first: its bytes are often good Shift_JIS as well (as half-width katakana that
	 * nobody would write), the other way round it is rare.
	 */
	if (is_euc_jp(bytes))
		return "EUC-JP";
	return is_shift_jis(bytes) ? "Shift_JIS" : NULL;
}
