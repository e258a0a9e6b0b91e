#include "message/japanese.h"

#include "base/text.h"
#include "base/utf8.h"
#include "message/jis_table.h"

/* Full-width forms of U+FF61 to U+FF9F, in order. */
static const u16 full_width[] = {
	0x3002, 0x300c, 0x300d, 0x3001, 0x30fb, 0x30f2, 0x30a1, 0x30a3, 0x30a5, 0x30a7, 0x30a9,
	0x30e3, 0x30e5, 0x30e7, 0x30c3, 0x30fc, 0x30a2, 0x30a4, 0x30a6, 0x30a8, 0x30aa, 0x30ab,
	0x30ad, 0x30af, 0x30b1, 0x30b3, 0x30b5, 0x30b7, 0x30b9, 0x30bb, 0x30bd, 0x30bf, 0x30c1,
	0x30c4, 0x30c6, 0x30c8, 0x30ca, 0x30cb, 0x30cc, 0x30cd, 0x30ce, 0x30cf, 0x30d2, 0x30d5,
	0x30d8, 0x30db, 0x30de, 0x30df, 0x30e0, 0x30e1, 0x30e2, 0x30e4, 0x30e6, 0x30e8, 0x30e9,
	0x30ea, 0x30eb, 0x30ec, 0x30ed, 0x30ef, 0x30f3, 0x309b, 0x309c,
};

static bool is_voiced_mark(u32 code)
{
	return code == 0x3099 || code == 0xff9e;
}

static bool is_half_voiced_mark(u32 code)
{
	return code == 0x309a || code == 0xff9f;
}

/*
 * Kana with its mark, or 0. In Unicode the voiced kana follows its plain one; both syllabaries have
 * the same layout, 0x60 apart, so hiragana is judged as katakana.
 */
static u32 join_mark(u32 kana, u32 mark)
{
	u32 shift = kana >= 0x3041 && kana <= 0x3096 ? 0x60 : 0;
	u32 code = kana + shift;

	if (code >= 0x30cf && code <= 0x30db && (code - 0x30cf) % 3 == 0) {
		if (is_voiced_mark(mark))
			return kana + 1;
		return is_half_voiced_mark(mark) ? kana + 2 : 0;
	}
	if (!is_voiced_mark(mark))
		return 0;
	if (code == 0x30a6)
		return shift ? 0 : 0x30f4;
	if (code >= 0x30ab && code <= 0x30c2 && code % 2 == 1)
		return kana + 1;
	if (code == 0x30c4 || code == 0x30c6 || code == 0x30c8)
		return kana + 1;
	return 0;
}

static u32 to_jis(u32 code)
{
	u16 jis;

	if (code < 0x80)
		return code;
	if (code == 0xa0) /* editors write a no-break space where people typed a space */
		return ' ';
	if (code > 0xffff)
		return JAPANESE_NONE;
	jis = jis_pages[jis_page_of[code / 64]][code % 64];
	return jis ? jis : JAPANESE_NONE;
}

size_t japanese_next(struct slice s, u32 *code)
{
	u32 unicode = 0;
	u32 mark = 0;
	size_t len = utf8_decode(s, &unicode);
	size_t mark_len;

	if (len == 0) {
		*code = JAPANESE_NONE;
		return 1;
	}
	if (unicode < 0x80) {
		*code = unicode;
		return len;
	}
	if (unicode >= 0xff61 && unicode <= 0xff9f)
		unicode = full_width[unicode - 0xff61];
	mark_len = utf8_decode(slice_from(s, len), &mark);
	if (mark_len > 1 && (is_voiced_mark(mark) || is_half_voiced_mark(mark))) {
		u32 joined = join_mark(unicode, mark);

		if (joined) {
			unicode = joined;
			len += mark_len;
		}
	}
	*code = to_jis(unicode);
	return len;
}

bool japanese_encode(struct buf *out, struct slice s, u32 *bad)
{
	bool kanji = false;

	while (s.len > 0) {
		u32 code;
		size_t len = japanese_next(s, &code);
		char *room = buf_reserve(out, 8);
		size_t n = 0;

		if (code == JAPANESE_NONE) {
			*bad = 0xfffd;
			utf8_decode(s, bad);
			return false;
		}
		s = slice_from(s, len);
		if (!room)
			continue;
		if (kanji != (code >= 0x80)) {
			kanji = !kanji;
			room[n++] = '\x1b';
			room[n++] = kanji ? '$' : '(';
			room[n++] = 'B';
		}
		if (kanji)
			room[n++] = (char)(code >> 8);
		room[n++] = (char)(code & 0xff);
		buf_advance(out, n);
	}
	if (kanji)
		buf_add(out, "\x1b(B", 3);
	return true;
}

size_t japanese_fit(struct slice s, size_t room)
{
	size_t at = 0;
	size_t used = 0;
	bool kanji = false;

	while (at < s.len) {
		u32 code;
		size_t len = japanese_next(slice_from(s, at), &code);
		bool wide = code >= 0x80;
		size_t need = used + (wide ? 2 : 1) + (wide != kanji ? 3 : 0);

		if (need + (wide ? 3 : 0) > room)
			break;
		used = need;
		kanji = wide;
		at += len;
	}
	return at;
}

const char *japanese_advice(u32 code)
{
	if (code >= 0x2460 && code <= 0x24ff)
		return "write (1) instead of a circled digit, or send as UTF-8";
	if (code >= 0x2160 && code <= 0x217f)
		return "write Roman numerals with Latin letters, or send as UTF-8";
	if (code == 0x9ad9)
		return "write U+9AD8 (the common form of this kanji), or send as UTF-8";
	if (code == 0xfa11)
		return "write U+5D0E (the common form of this kanji), or send as UTF-8";
	if (code >= 0x3300 && code <= 0x33ff)
		return "write the unit out, or send as UTF-8";
	return "send as UTF-8";
}
