/*
 * Any octets in any charset (the first octet chooses): the text is UTF-8, no longer than promised, and
 * what is ASCII in all of them stays as it is.
 */
#include "base/charset.h"
#include "base/check.h"
#include "base/text.h"
#include "base/utf8.h"

int LLVMFuzzerTestOneInput(const u8 *data, size_t size);

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	struct slice bytes = slice_from((struct slice){ (const char *)data, size }, 1);
	enum charset charset = size > 0 ? (enum charset)(data[0] % (CHARSET_EUC_JP + 1)) : CHARSET_NONE;
	enum charset guess = charset_guess(charset, bytes);
	struct buf out;

	ASSERT(guess == charset || charset == CHARSET_NONE || charset == CHARSET_UTF8);
	buf_init(&out, bytes.len * CHARSET_GROWTH);
	charset_decode(&out, charset, bytes);
	ASSERT(!out.failed && utf8_is_valid(buf_slice(&out)));
	if (utf8_is_ascii(bytes) && slice_find_char(bytes, '\x1b') < 0)
		ASSERT(slice_equal(buf_slice(&out), bytes));
	buf_reset(&out);
	charset_decode(&out, guess, bytes);
	ASSERT(!out.failed && utf8_is_valid(buf_slice(&out)));
	/* What is UTF-8 without escapes is taken for nothing else. */
	if (charset <= CHARSET_UTF8 && utf8_is_valid(bytes) && slice_find_char(bytes, '\x1b') < 0)
		ASSERT(slice_equal(buf_slice(&out), bytes));
	buf_done(&out);
	return 0;
}
