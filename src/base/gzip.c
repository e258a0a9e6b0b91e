#include "base/gzip.h"

#include "base/text.h"

#include <limits.h>
#include <zlib.h>

#define WINDOW_BITS (15 + 16) /* the largest window; 16: gzip's head and tail */
#define MEMORY_LEVEL 8        /* zlib's own choice */

void gzip_add(struct buf *out, struct slice bytes)
{
	z_stream stream = { .next_in = (z_const Bytef *)(uintptr_t)bytes.ptr,
			    .avail_in = (uInt)bytes.len };
	size_t room;
	char *to;

	if (bytes.len > INT_MAX ||
	    deflateInit2(&stream, Z_BEST_COMPRESSION, Z_DEFLATED, WINDOW_BITS, MEMORY_LEVEL,
			 Z_DEFAULT_STRATEGY) != Z_OK) {
		out->failed = true;
		return;
	}
	room = deflateBound(&stream, (uLong)bytes.len);
	to = room <= UINT_MAX ? buf_reserve(out, room) : NULL;
	if (to) {
		stream.next_out = (Bytef *)to;
		stream.avail_out = (uInt)room;
		if (deflate(&stream, Z_FINISH) == Z_STREAM_END)
			buf_advance(out, room - stream.avail_out);
		else
			out->failed = true;
	} else {
		out->failed = true;
	}
	(void)deflateEnd(&stream);
}
