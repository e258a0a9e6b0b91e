#include "campaign/import_guess.h"

#include "base/text.h"

#define ESCAPE 0x1bu
/* Of a file in UTF-16 without a mark so much of one kind of byte is zero, or more. */
#define ZEROS_LEAST 8

const char *const import_encoding_names[IMPORT_ENCODINGS] = {
	[IMPORT_UTF8] = "utf-8",	 [IMPORT_UTF16LE] = "utf-16le",
	[IMPORT_UTF16BE] = "utf-16be",	 [IMPORT_SHIFT_JIS] = "shift_jis",
	[IMPORT_EUC_JP] = "euc-jp",	 [IMPORT_ISO_2022_JP] = "iso-2022-jp",
	[IMPORT_LATIN1] = "windows-1252",
};

enum import_encoding import_encoding_of(struct slice name)
{
	if (slice_equal_nocase(name, SLICE("cp932")) ||
	    slice_equal_nocase(name, SLICE("windows-31j")))
		return IMPORT_SHIFT_JIS;
	for (u32 i = IMPORT_UTF8; i < IMPORT_ENCODINGS; i++) {
		if (slice_equal_nocase(name, slice_of(import_encoding_names[i])))
			return (enum import_encoding)i;
	}
	return 0;
}

static const char *const reasons[IMPORT_REASONS][2] = {
	[IMPORT_SAID] = { "chosen", "指定されました" },
	[IMPORT_BY_MARK] = { "a byte order mark is at the beginning",
			     "先頭にBOM(バイト順マーク)があります" },
	[IMPORT_BY_ZEROS] = { "every other byte is zero, as of UTF-16",
			      "1バイトおきにゼロがあり、UTF-16の形です" },
	[IMPORT_BY_ESCAPES] = { "it has the escape sequences of ISO-2022-JP",
				"ISO-2022-JPのエスケープシーケンスがあります" },
	[IMPORT_BY_ASCII] = { "it has ASCII characters only", "ASCII文字だけです" },
	[IMPORT_BY_FORM] = { "all its characters are good in this encoding, and in no likelier one",
			     "すべての文字がこの文字コードとして正しく読めます" },
	[IMPORT_BY_REST] = { "no other encoding fits", "ほかの文字コードでは読めません" },
};

const char *import_reason_words(enum import_reason reason, bool japanese)
{
	return reasons[reason < IMPORT_REASONS ? reason : IMPORT_SAID][japanese];
}

void import_guess_init(struct import_guess *guess)
{
	*guess = (struct import_guess){ 0 };
}

/* ---- automata ---- */

static void feed_utf8(struct import_guess *guess, u8 c)
{
	if (guess->utf8_left > 0) {
		guess->not_utf8 = c < guess->utf8_low || c > guess->utf8_high;
		guess->utf8_left = guess->not_utf8 ? 0 : (u8)(guess->utf8_left - 1);
		guess->utf8_low = 0x80;
		guess->utf8_high = 0xbf;
		return;
	}
	if (c < 0x80)
		return;
	guess->utf8_low = c == 0xe0 ? 0xa0 : c == 0xf0 ? 0x90 : 0x80;
	guess->utf8_high = c == 0xed ? 0x9f : c == 0xf4 ? 0x8f : 0xbf;
	if (c >= 0xc2 && c <= 0xdf)
		guess->utf8_left = 1;
	else if (c >= 0xe0 && c <= 0xef)
		guess->utf8_left = 2;
	else if (c >= 0xf0 && c <= 0xf4)
		guess->utf8_left = 3;
	else
		guess->not_utf8 = true;
}

static void feed_sjis(struct import_guess *guess, u8 c)
{
	if (guess->sjis_lead) {
		guess->not_sjis = c < 0x40 || c == 0x7f || c > 0xfc;
		guess->sjis_lead = 0;
	} else if (c == 0x80 || c == 0xa0 || c > 0xfc) {
		guess->not_sjis = true;
	} else if (c >= 0x81 && (c <= 0x9f || c >= 0xe0)) {
		guess->sjis_lead = c;
		guess->common |= c < 0xa0;
	}
}

static void feed_euc(struct import_guess *guess, u8 c)
{
	if (guess->euc_left > 0) {
		guess->not_euc = c < 0xa1 || c == 0xff;
		guess->euc_left = guess->not_euc ? 0 : (u8)(guess->euc_left - 1);
	} else if (c >= 0x80) {
		guess->euc_characters++;
		guess->not_euc = (c < 0xa1 && c != 0x8e && c != 0x8f) || c == 0xff;
		guess->euc_left = guess->not_euc ? 0 : c == 0x8f ? 2 : 1;
	}
}

static bool is_escape(u32 last_three)
{
	u32 head = last_three >> 8 & 0xffff;
	u32 end = last_three & 0xff;

	return (head == (ESCAPE << 8 | '$') && (end == '@' || end == 'B')) ||
	       (head == (ESCAPE << 8 | '(') && (end == 'J' || end == 'I'));
}

/* Bytes of ASCII while nobody is within a character change nothing. */
static bool is_plain(const struct import_guess *guess, u8 c)
{
	return c < 0x80 && c != 0 && guess->utf8_left == 0 && guess->sjis_lead == 0 &&
	       guess->euc_left == 0;
}

void import_guess_feed(struct import_guess *guess, struct slice bytes)
{
	for (size_t i = 0; i < bytes.len; i++) {
		u8 c = (u8)bytes.ptr[i];
		u64 place = guess->bytes++;

		if (place < sizeof(guess->first))
			guess->first[place] = c;
		guess->escape = guess->escape << 8 | c;
		if (is_plain(guess, c)) {
			guess->has_escapes |= (guess->escape >> 16 & 0xff) == ESCAPE &&
					      is_escape(guess->escape & 0xffffff);
			continue;
		}
		guess->zeros[place & 1] += c == 0;
		guess->beyond += c >= 0x80;
		if (!guess->not_utf8)
			feed_utf8(guess, c);
		if (!guess->not_sjis)
			feed_sjis(guess, c);
		if (!guess->not_euc)
			feed_euc(guess, c);
	}
}

/* ---- the verdict ---- */

static enum import_encoding by_mark(const struct import_guess *guess)
{
	const u8 *first = guess->first;

	if (guess->bytes >= 2 && first[0] == 0xff && first[1] == 0xfe)
		return IMPORT_UTF16LE;
	if (guess->bytes >= 2 && first[0] == 0xfe && first[1] == 0xff)
		return IMPORT_UTF16BE;
	if (guess->bytes >= 3 && first[0] == 0xef && first[1] == 0xbb && first[2] == 0xbf)
		return IMPORT_UTF8;
	return 0;
}

static enum import_encoding by_zeros(const struct import_guess *guess)
{
	u64 least = guess->bytes / ZEROS_LEAST;

	/* Line ends and delimiters alone make some, in any file of UTF-16. */
	if (guess->bytes < 4 || guess->zeros[0] + guess->zeros[1] < max_u64(least / 4, 1))
		return 0;
	if (guess->zeros[1] > guess->zeros[0] * 4)
		return IMPORT_UTF16LE;
	return guess->zeros[0] > guess->zeros[1] * 4 ? IMPORT_UTF16BE : 0;
}

enum import_encoding import_guess_say(const struct import_guess *guess,
				      enum import_reason *reason)
{
	enum import_encoding encoding = by_mark(guess);

	*reason = IMPORT_BY_MARK;
	if (encoding)
		return encoding;
	*reason = IMPORT_BY_ZEROS;
	encoding = by_zeros(guess);
	if (encoding)
		return encoding;
	*reason = IMPORT_BY_ESCAPES;
	if (guess->has_escapes && guess->beyond == 0)
		return IMPORT_ISO_2022_JP;
	*reason = IMPORT_BY_ASCII;
	if (guess->beyond == 0)
		return IMPORT_UTF8;
	*reason = IMPORT_BY_FORM;
	if (!guess->not_utf8)
		return IMPORT_UTF8;
	/*
	 * EUC-JP first: its bytes are often good Shift_JIS as well (as half-width katakana that
	 * nobody would write), the other way round it is rare. One character could be anything.
	 */
	if (!guess->not_euc && guess->euc_characters >= 2)
		return IMPORT_EUC_JP;
	if (!guess->not_sjis && guess->common)
		return IMPORT_SHIFT_JIS;
	*reason = IMPORT_BY_REST;
	/* Files of half-width katakana, or of one odd character in Shift_JIS, come here. */
	return guess->not_sjis || guess->beyond % 2 ? IMPORT_LATIN1 : IMPORT_SHIFT_JIS;
}
