/*
 * Any bytes as a multipart body of which the first byte chooses how it is cut: whole and in pieces
 * the same parts come out, and no more bytes than went in.
 */
#include "base/buf.h"
#include "base/check.h"
#include "base/text.h"
#include "base/utf8.h"
#include "web/multipart.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define TYPE "multipart/form-data; boundary=xx"

/* Feeds in pieces; tells what came out. */
static void read_body(struct slice rest, size_t step, struct buf *told)
{
	static struct multipart m;
	bool is_over = false;

	ASSERT(multipart_init(&m, SLICE(TYPE)));
	while (rest.len > 0 && !is_over) {
		struct slice piece = slice_first(rest, step);
		enum multipart_event event;
		struct slice bytes;

		rest = slice_from(rest, piece.len);
		while ((event = multipart_next(&m, &piece, &bytes)) != MULTIPART_MORE) {
			is_over = event == MULTIPART_END || event == MULTIPART_BAD;
			if (is_over)
				break;
			if (event == MULTIPART_DATA) {
				buf_add_slice(told, bytes);
				continue;
			}
			ASSERT(utf8_is_valid(slice_of(m.name)));
			ASSERT(!m.is_file || slice_find_char(slice_of(m.file_name), '/') < 0);
			buf_add_format(told, "[%u %s %s]", (u32)event, m.name, m.file_name);
		}
	}
	buf_add_format(told, "<%u>", (u32)m.state);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct slice body = { (const char *)data, size };
	struct buf whole;
	struct buf pieces;

	if (size < 2)
		return 0;
	buf_init(&whole, 64u << 20);
	buf_init(&pieces, 64u << 20);
	read_body(slice_from(body, 1), size, &whole);
	read_body(slice_from(body, 1), data[0] % 17 + 1u, &pieces);
	ASSERT(slice_equal(buf_slice(&whole), buf_slice(&pieces)));
	buf_done(&whole);
	buf_done(&pieces);
	return 0;
}
