#include "base/charset.h"

#include "base/charset_table.h"
#include "base/csv_text.h"
#include "base/text.h"
#include "base/utf8.h"

#define UNREADABLE 0xfffdu
#define KANA_FIRST 0xff61u /* what octet 0xa1 of JIS X 0201 is */

enum charset charset_of(struct slice name)
{
	static const struct {
		struct slice name;
		enum charset charset;
	} known[] = {
		{ { "utf-8", 5 }, CHARSET_UTF8 },
		{ { "us-ascii", 8 }, CHARSET_UTF8 },
		{ { "ascii", 5 }, CHARSET_UTF8 },
		{ { "utf8", 4 }, CHARSET_UTF8 },
		{ { "unicode-1-1-utf-8", 17 }, CHARSET_UTF8 },
		{ { "iso-8859-1", 10 }, CHARSET_LATIN1 },
		{ { "iso-8859-15", 11 }, CHARSET_LATIN1 },
		{ { "latin1", 6 }, CHARSET_LATIN1 },
		{ { "windows-1252", 12 }, CHARSET_LATIN1 },
		{ { "cp1252", 6 }, CHARSET_LATIN1 },
		{ { "iso-2022-jp", 11 }, CHARSET_ISO_2022_JP },
		{ { "iso-2022-jp-1", 13 }, CHARSET_ISO_2022_JP },
		{ { "iso-2022-jp-2", 13 }, CHARSET_ISO_2022_JP },
		{ { "iso-2022-jp-3", 13 }, CHARSET_ISO_2022_JP },
		{ { "iso-2022-jp-ms", 14 }, CHARSET_ISO_2022_JP },
		{ { "csiso2022jp", 11 }, CHARSET_ISO_2022_JP },
		{ { "cp50220", 7 }, CHARSET_ISO_2022_JP },
		{ { "cp50221", 7 }, CHARSET_ISO_2022_JP },
		{ { "jis", 3 }, CHARSET_ISO_2022_JP },
		{ { "shift_jis", 9 }, CHARSET_SHIFT_JIS },
		{ { "shift-jis", 9 }, CHARSET_SHIFT_JIS },
		{ { "sjis", 4 }, CHARSET_SHIFT_JIS },
		{ { "x-sjis", 6 }, CHARSET_SHIFT_JIS },
		{ { "windows-31j", 11 }, CHARSET_SHIFT_JIS },
		{ { "cp932", 5 }, CHARSET_SHIFT_JIS },
		{ { "ms932", 5 }, CHARSET_SHIFT_JIS },
		{ { "ms_kanji", 8 }, CHARSET_SHIFT_JIS },
		{ { "euc-jp", 6 }, CHARSET_EUC_JP },
		{ { "eucjp", 5 }, CHARSET_EUC_JP },
		{ { "x-euc-jp", 8 }, CHARSET_EUC_JP },
	};

	for (size_t i = 0; i < array_count(known); i++) {
		if (slice_equal_nocase(name, known[i].name))
			return known[i].charset;
	}
	return CHARSET_NONE;
}

static bool has_escapes(struct slice bytes)
{
	return slice_find(bytes, SLICE("\x1b$B")) >= 0 || slice_find(bytes, SLICE("\x1b$@")) >= 0;
}

enum charset charset_guess(enum charset named, struct slice bytes)
{
	const char *guess;

	if (named != CHARSET_NONE && named != CHARSET_UTF8)
		return named;
	if (has_escapes(bytes))
		return CHARSET_ISO_2022_JP;
	if (utf8_is_valid(bytes))
		return CHARSET_UTF8;
	guess = csv_text_guess(bytes);
	return guess ? charset_of(slice_of(guess)) : named;
}

static void add_code(struct buf *out, u32 code)
{
	char text[4];

	buf_add(out, text, utf8_encode(text, code));
}

/* Row and cell count from 0. */
static u32 jis_code(u32 row, u32 cell)
{
	u32 code = row < CHARSET_ROWS && cell < CHARSET_CELLS ? charset_jis[row][cell] : 0;

	return code ? code : UNREADABLE;
}

static void decode_utf8(struct buf *out, struct slice bytes)
{
	while (bytes.len > 0) {
		u32 code = UNREADABLE;
		size_t len = utf8_decode(bytes, &code);

		add_code(out, code);
		bytes = slice_from(bytes, len > 0 ? len : 1);
	}
}

/* Octets 0x80 to 0x9f are Windows-1252's. */
static void decode_latin1(struct buf *out, struct slice bytes)
{
	static const u16 windows[32] = {
		0x20ac, 0x0081, 0x201a, 0x0192, 0x201e, 0x2026, 0x2020, 0x2021,
		0x02c6, 0x2030, 0x0160, 0x2039, 0x0152, 0x008d, 0x017d, 0x008f,
		0x0090, 0x2018, 0x2019, 0x201c, 0x201d, 0x2022, 0x2013, 0x2014,
		0x02dc, 0x2122, 0x0161, 0x203a, 0x0153, 0x009d, 0x017e, 0x0178,
	};

	for (size_t i = 0; i < bytes.len; i++) {
		u8 c = (u8)bytes.ptr[i];

		add_code(out, c >= 0x80 && c < 0xa0 ? windows[c - 0x80] : c);
	}
}

static bool is_half_width(u8 c)
{
	return c >= 0xa1 && c <= 0xdf;
}

static void decode_shift_jis(struct buf *out, struct slice bytes)
{
	for (size_t i = 0; i < bytes.len; i++) {
		u8 lead = (u8)bytes.ptr[i];
		u8 trail = i + 1 < bytes.len ? (u8)bytes.ptr[i + 1] : 0;
		u32 row;
		u32 cell;

		if (lead < 0x80 || is_half_width(lead)) {
			add_code(out, lead < 0x80 ? lead : KANA_FIRST + lead - 0xa1);
			continue;
		}
		/* A trail that is none is left for itself: it may be a line end. */
		if (lead == 0x80 || lead == 0xa0 || lead > 0xfc || trail < 0x40 || trail == 0x7f ||
		    trail > 0xfc) {
			add_code(out, UNREADABLE);
			continue;
		}
		row = (lead < 0xa0 ? lead - 0x81u : lead - 0xc1u) * 2;
		cell = trail - (trail > 0x7f ? 0x41u : 0x40u);
		add_code(out, jis_code(row + cell / CHARSET_CELLS, cell % CHARSET_CELLS));
		i++;
	}
}

static void decode_euc_jp(struct buf *out, struct slice bytes)
{
	for (size_t i = 0; i < bytes.len; i++) {
		u8 lead = (u8)bytes.ptr[i];
		u8 trail = i + 1 < bytes.len ? (u8)bytes.ptr[i + 1] : 0;

		if (lead < 0x80) {
			add_code(out, lead);
		} else if (lead == 0x8e && is_half_width(trail)) {
			add_code(out, KANA_FIRST + trail - 0xa1);
			i++;
		} else if (lead >= 0xa1 && lead < 0xff && trail >= 0xa1 && trail < 0xff) {
			add_code(out, jis_code(lead - 0xa1u, trail - 0xa1u));
			i++;
		} else {
			add_code(out, UNREADABLE);
		}
	}
}

enum jis_set { JIS_ASCII, JIS_KANA, JIS_KANJI, JIS_UNKNOWN };

/* The escape sequence at the front of s: its length, or 0. */
static size_t jis_escape(struct slice s, enum jis_set *set)
{
	static const struct {
		struct slice text;
		enum jis_set set;
	} known[] = {
		{ { "\x1b(B", 3 }, JIS_ASCII },  { { "\x1b(J", 3 }, JIS_ASCII },
		{ { "\x1b(H", 3 }, JIS_ASCII },  { { "\x1b(I", 3 }, JIS_KANA },
		{ { "\x1b$B", 3 }, JIS_KANJI },  { { "\x1b$@", 3 }, JIS_KANJI },
		{ { "\x1b$(B", 4 }, JIS_KANJI }, { { "\x1b$(@", 4 }, JIS_KANJI },
		{ { "\x1b$(D", 4 }, JIS_UNKNOWN },
	};

	for (size_t i = 0; i < array_count(known); i++) {
		if (slice_has_prefix(s, known[i].text)) {
			*set = known[i].set;
			return known[i].text.len;
		}
	}
	return 0;
}

static void decode_iso_2022_jp(struct buf *out, struct slice bytes)
{
	enum jis_set set = JIS_ASCII;

	while (bytes.len > 0) {
		size_t len = bytes.ptr[0] == '\x1b' ? jis_escape(bytes, &set) : 0;
		u8 lead = (u8)bytes.ptr[0];
		u8 trail = bytes.len > 1 ? (u8)bytes.ptr[1] : 0;

		if (len > 0) {
			bytes = slice_from(bytes, len);
			continue;
		}
		len = 1;
		if (lead == '\n') /* no state outlives a line (RFC 1468), whatever was left open */
			set = JIS_ASCII;
		if (is_half_width(lead)) {
			add_code(out, KANA_FIRST + lead - 0xa1);
		} else if (lead <= 0x20 || lead > 0x7e || set == JIS_ASCII) {
			add_code(out, lead < 0x80 ? lead : UNREADABLE);
		} else if (set == JIS_KANA) {
			add_code(out, lead < 0x60 ? KANA_FIRST + lead - 0x21 : UNREADABLE);
		} else if (trail < 0x21 || trail > 0x7e) {
			add_code(out, UNREADABLE);
		} else {
			add_code(out, set == JIS_KANJI ? jis_code(lead - 0x21u, trail - 0x21u)
						       : UNREADABLE);
			len = 2;
		}
		bytes = slice_from(bytes, len);
	}
}

void charset_decode(struct buf *out, enum charset charset, struct slice bytes)
{
	switch (charset) {
	case CHARSET_LATIN1:
		decode_latin1(out, bytes);
		break;
	case CHARSET_ISO_2022_JP:
		decode_iso_2022_jp(out, bytes);
		break;
	case CHARSET_SHIFT_JIS:
		decode_shift_jis(out, bytes);
		break;
	case CHARSET_EUC_JP:
		decode_euc_jp(out, bytes);
		break;
	case CHARSET_NONE:
	case CHARSET_UTF8:
		decode_utf8(out, bytes);
		break;
	}
}

static void add_unit(struct buf *out, u32 unit)
{
	buf_add_char(out, (char)(unit & 0xff));
	buf_add_char(out, (char)(unit >> 8));
}

void charset_encode_utf16le(struct buf *out, struct slice text)
{
	u32 code;
	size_t len;

	while (text.len > 0) {
		len = utf8_decode(text, &code);
		if (len == 0) {
			len = 1;
			code = 0xfffd;
		}
		text = slice_from(text, len);
		if (code < 0x10000) {
			add_unit(out, code);
			continue;
		}
		add_unit(out, 0xd800 + ((code - 0x10000) >> 10));
		add_unit(out, 0xdc00 + ((code - 0x10000) & 0x3ff));
	}
}
