/*
 * Which encoding a file of text is in, from all of its bytes as they come: each candidate is a
 * small automaton that drops out at the first bytes that cannot be. No memory of its own.
 */
#ifndef CAMPAIGN_IMPORT_GUESS_H
#define CAMPAIGN_IMPORT_GUESS_H

#include "base/types.h"

enum import_encoding {
	IMPORT_UTF8 = 1,
	IMPORT_UTF16LE,
	IMPORT_UTF16BE,
	IMPORT_SHIFT_JIS, /* as Windows has it (CP932) */
	IMPORT_EUC_JP,
	IMPORT_ISO_2022_JP,
	IMPORT_LATIN1, /* as Windows-1252 */
	IMPORT_ENCODINGS,
};
/* "utf-8", "utf-16le", "shift_jis", ...; by encoding. */
extern const char *const import_encoding_names[IMPORT_ENCODINGS];
/* By name, in any letter case; 0: not known. */
enum import_encoding import_encoding_of(struct slice name);

enum import_reason {
	IMPORT_SAID, /* by somebody */
	IMPORT_BY_MARK,
	IMPORT_BY_ZEROS,   /* every other byte is zero */
	IMPORT_BY_ESCAPES, /* those of ISO-2022-JP */
	IMPORT_BY_ASCII,   /* nothing else is in it */
	IMPORT_BY_FORM,	   /* its bytes beyond ASCII are good in this encoding */
	IMPORT_BY_REST,	   /* nothing else fits */
	IMPORT_REASONS,
};
/* A sentence without an end, in Japanese or in English. */
const char *import_reason_words(enum import_reason reason, bool japanese);

struct import_guess {
	u64 bytes;
	u64 beyond; /* bytes beyond ASCII */
	u8 first[3];
	u64 zeros[2]; /* at even places, at odd ones */
	u32 escape;   /* the last three bytes */
	bool has_escapes;
	bool not_utf8;
	bool not_sjis;
	bool not_euc;
	bool common; /* Shift_JIS: characters of the rows with kana and common kanji */
	u64 euc_characters;
	u8 utf8_left; /* bytes that the character still lacks */
	u8 utf8_low;  /* bounds of the next one (RFC 3629 section 4) */
	u8 utf8_high;
	u8 sjis_lead;
	u8 euc_left;
};

void import_guess_init(struct import_guess *guess);
void import_guess_feed(struct import_guess *guess, struct slice bytes);
/* After the last byte, or whenever: a character that is cut there is no mistake. */
enum import_encoding import_guess_say(const struct import_guess *guess,
				      enum import_reason *reason);

#endif
