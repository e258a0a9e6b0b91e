/*
 * The canonical forms of RFC 6376 section 3.4 a second time: slow, over the whole text at once, and
 * sharing nothing with src/dkim/canon.c, which takes it in pieces.
 */
#ifndef TESTS_FUZZ_DKIM_SLOW_H
#define TESTS_FUZZ_DKIM_SLOW_H

#include "base/types.h"

#include <string.h>

static bool at_crlf(const u8 *p, size_t at, size_t len)
{
	return at + 1 < len && p[at] == '\r' && p[at + 1] == '\n';
}

/* Line by line; `out` has room for len + 2. */
static size_t slow_body(const u8 *p, size_t len, bool relaxed, u8 *out)
{
	size_t done = 0;
	size_t keep = 0; /* end of the last line that is not empty */
	size_t at = 0;

	while (at < len) {
		size_t begin = done;

		for (; at < len && !at_crlf(p, at, len); at++) {
			bool blank = relaxed && (p[at] == ' ' || p[at] == '\t');

			if (blank && done > begin && out[done - 1] == ' ')
				continue;
			out[done++] = blank ? ' ' : p[at];
		}
		if (relaxed && done > begin && out[done - 1] == ' ')
			done--;
		at += 2;
		keep = done > begin ? done + 2 : keep;
		out[done++] = '\r';
		out[done++] = '\n';
	}
	if (keep == 0 && !relaxed) {
		memcpy(out, "\r\n", 2);
		keep = 2;
	}
	return keep;
}

/* RFC 6376 section 3.4.2, one step after the other, each over the whole text. */
static size_t slow_header(const u8 *value, size_t len, u8 *out)
{
	size_t n = 0;
	size_t done = 0;

	for (size_t i = 0; i < len; i++) {
		if (at_crlf(value, i, len))
			i++;
		else
			out[n++] = value[i] == '\t' ? ' ' : value[i];
	}
	for (size_t i = 0; i < n; i++) {
		if (out[i] != ' ' || (done > 0 && out[done - 1] != ' '))
			out[done++] = out[i];
	}
	return done > 0 && out[done - 1] == ' ' ? done - 1 : done;
}

#endif
