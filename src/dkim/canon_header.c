#include "dkim/canon.h"

#include "base/text.h"

#define SINK_ROOM 256

/* Canonical bytes on their way into a buffer or into a hash. */
struct sink {
	struct buf *buf;
	struct sha256 *hash;
	size_t len;
	char bytes[SINK_ROOM];
};

static void sink_flush(struct sink *sink)
{
	if (sink->buf)
		buf_add(sink->buf, sink->bytes, sink->len);
	else
		sha256_add(sink->hash, sink->bytes, sink->len);
	sink->len = 0;
}

static inline void sink_char(struct sink *sink, char c)
{
	if (sink->len == SINK_ROOM)
		sink_flush(sink);
	sink->bytes[sink->len++] = c;
}

static void sink_slice(struct sink *sink, struct slice s)
{
	for (size_t i = 0; i < s.len; i++)
		sink_char(sink, s.ptr[i]);
}

/*
 * RFC 6376 section 3.4.2: folds undone, runs of white space become one space, none at either end
 * of the value (so none behind the colon even if the value begins with a fold).
 */
static void sink_relaxed_value(struct sink *sink, struct slice value)
{
	bool any = false;
	bool space = false;

	for (size_t i = 0; i < value.len; i++) {
		char c = value.ptr[i];

		if (c == '\r' && i + 1 < value.len && value.ptr[i + 1] == '\n') {
			i++;
			continue;
		}
		if (c == ' ' || c == '\t') {
			space = any;
			continue;
		}
		if (space)
			sink_char(sink, ' ');
		sink_char(sink, c);
		space = false;
		any = true;
	}
}

static void sink_header(struct sink *sink, enum dkim_canon canon, struct slice name,
			struct slice value)
{
	if (canon == DKIM_SIMPLE) {
		sink_slice(sink, name);
		sink_char(sink, ':');
		sink_slice(sink, value);
	} else {
		name = slice_trim(name);
		for (size_t i = 0; i < name.len; i++)
			sink_char(sink, ascii_lower(name.ptr[i]));
		sink_char(sink, ':');
		sink_relaxed_value(sink, value);
	}
	sink_char(sink, '\r');
	sink_char(sink, '\n');
	sink_flush(sink);
}

void dkim_header_canonical(struct buf *out, enum dkim_canon canon, struct slice name,
			   struct slice value)
{
	struct sink sink;

	sink.buf = out;
	sink.hash = NULL;
	sink.len = 0;
	sink_header(&sink, canon, name, value);
}

void dkim_header_hash(struct sha256 *hash, enum dkim_canon canon, struct slice name,
		      struct slice value)
{
	struct sink sink;

	sink.buf = NULL;
	sink.hash = hash;
	sink.len = 0;
	sink_header(&sink, canon, name, value);
}
