/*
 * Text in the charsets of mail to UTF-8, for reading what others wrote: ASCII, UTF-8, Latin-1 (as
 * Windows-1252, which is what senders mean), ISO-2022-JP (RFC 1468, with half-width kana and the
 * rows that Windows added), Shift_JIS, EUC-JP. Reading never fails: what makes no sense becomes
 * U+FFFD, since one bad octet must not hide the sentence around it. No state beyond the call, no
 * memory of its own, and the same result with any libc. The table is made by charset_table.py.
 */
#ifndef BASE_CHARSET_H
#define BASE_CHARSET_H

#include "base/buf.h"
#include "base/types.h"

enum charset {
	CHARSET_NONE, /* not given, or not known here: read by what the octets look like */
	CHARSET_UTF8, /* and ASCII */
	CHARSET_LATIN1,
	CHARSET_ISO_2022_JP,
	CHARSET_SHIFT_JIS,
	CHARSET_EUC_JP,
};

/* By the names that are seen in mail, in any letter case. */
enum charset charset_of(struct slice name);

/*
 * What the octets are. A charset that was named is believed unless they are no such thing: escape
 * sequences of ISO-2022-JP in what is said to be ASCII or UTF-8 are Japanese, and octets that are
 * no UTF-8 are Shift_JIS or EUC-JP if all of them can be.
 */
enum charset charset_guess(enum charset named, struct slice bytes);

/* Appends the text. It takes at most CHARSET_GROWTH octets for each octet read. */
#define CHARSET_GROWTH 3
void charset_decode(struct buf *out, enum charset charset, struct slice bytes);

/*
 * Appends UTF-8 text in Shift_JIS as Windows writes it (CP932); what it does not have becomes '?'.
 * Signs of which Unicode has two (the wave dash) are written as the one that it has. Returns how
 * many characters became '?'. Any thread.
 */
u64 charset_encode_cp932(struct buf *out, struct slice text);
/* Appends UTF-8 text in UTF-16, the lower byte first, without a mark. */
void charset_encode_utf16le(struct buf *out, struct slice text);

#endif
