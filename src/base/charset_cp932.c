/* Writing Shift_JIS as Windows does, from a table that is made of the one for reading. */
#include "base/charset.h"
#include "base/utf8.h"

#include <pthread.h>

static u16 codes[65536]; /* by code point; 0: there is none */
static pthread_once_t is_made = PTHREAD_ONCE_INIT;

static u32 decoded(u8 lead, u8 trail)
{
	char bytes[2] = { (char)lead, (char)trail };
	char room[16];
	struct buf out = { .ptr = room, .size = sizeof(room), .max = sizeof(room) };
	u32 code;

	charset_decode(&out, CHARSET_SHIFT_JIS, (struct slice){ bytes, trail ? 2 : 1 });
	return utf8_decode(buf_slice(&out), &code) == out.len ? code : 0xfffd;
}

static void take_row(u8 lead)
{
	for (u32 trail = 0xfc; trail >= 0x40; trail--) {
		u32 code = trail == 0x7f ? 0xfffd : decoded(lead, (u8)trail);

		if (code != 0xfffd && code <= 0xffff)
			codes[code] = (u16)(lead << 8 | trail);
	}
}

/*
 * Some characters are there two or three times; Windows writes those of JIS and of NEC's row 13
 * before IBM's, and never NEC's copies of IBM's (rows 0xed and 0xee). What comes later here wins.
 */
static void make(void)
{
	static const struct {
		u16 code;
		u16 sjis;
	} signs[] = {
		/* Characters for which Unicode has two, of which Windows means the other one. */
		{ 0x301c, 0x8160 }, { 0x2016, 0x8161 }, { 0x2212, 0x817c }, { 0x2014, 0x815c },
		{ 0x00a2, 0x8191 }, { 0x00a3, 0x8192 }, { 0x00ac, 0x81ca },
	};

	take_row(0xee);
	take_row(0xed);
	for (u32 lead = 0xfc; lead >= 0x81; lead--) {
		if ((lead < 0xa0 || lead >= 0xe0) && lead != 0xed && lead != 0xee)
			take_row((u8)lead);
	}
	for (u32 kana = 0xa1; kana <= 0xdf; kana++)
		codes[decoded((u8)kana, 0)] = (u16)kana;
	for (size_t i = 0; i < array_count(signs); i++) {
		if (codes[signs[i].code] == 0)
			codes[signs[i].code] = signs[i].sjis;
	}
	codes[0xfffd] = 0;
}

u64 charset_encode_cp932(struct buf *out, struct slice text)
{
	u64 replaced = 0;
	u32 code;
	size_t len;

	pthread_once(&is_made, make);
	for (size_t at = 0; at < text.len; at += len) {
		u16 found;

		len = utf8_decode((struct slice){ text.ptr + at, text.len - at }, &code);
		if (len == 0) {
			len = 1;
			code = 0xfffd;
		}
		found = code < 0x80 ? (u16)code : code <= 0xffff ? codes[code] : 0;
		if (code >= 0x80 && found == 0) {
			found = '?';
			replaced++;
		}
		if (found > 0xff)
			buf_add_char(out, (char)(found >> 8));
		buf_add_char(out, (char)(found & 0xff));
	}
	return replaced;
}
