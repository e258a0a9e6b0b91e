/*
 * Any HTML or text: what is wrapped once is not wrapped again, each entry of the table can be
 * filled, and what is filled leads to http or https and fits a header field.
 */
#include "base/check.h"
#include "base/text.h"
#include "campaign/link_fill.h"
#include "campaign/wrap_links.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct slice find(void *owner, struct slice name)
{
	(void)name;
	return *(struct slice *)owner;
}

static void check_filled(struct slice url, struct slice value)
{
	const struct link_values values = { .owner = &value, .find = find };
	struct buf filled;

	buf_init(&filled, 1u << 20);
	ASSERT(link_is_fillable(url) && link_fill(url, &values, &filled));
	for (size_t i = 0; i < filled.len; i++)
		ASSERT(filled.ptr[i] > ' ' && filled.ptr[i] < 0x7f);
	ASSERT(slice_has_prefix_nocase(buf_slice(&filled), SLICE("http")));
	buf_done(&filled);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct wrap_links wrap;
	struct slice input = slice_from((struct slice){ (const char *)data, size }, 1);
	bool is_html = size > 0 && (data[0] & 1);
	struct error error;
	struct buf out;
	struct buf again;

	ASSERT(wrap_links_init(&wrap, SLICE("https://m.example"), &error));
	wrap.clicks = true;
	wrap.opens = size > 0 && (data[0] & 2);
	buf_init(&out, 64u << 20);
	buf_init(&again, 64u << 20);
	if (is_html ? wrap_links_html(&wrap, input, &out, &error)
		    : wrap_links_text(&wrap, input, &out, &error)) {
		u32 count = wrap.count;

		for (u32 i = 0; i < count; i++)
			check_filled(wrap.urls[i], slice_first(input, 20));
		if (!is_html) {
			ASSERT(wrap_links_text(&wrap, buf_slice(&out), &again, &error));
			ASSERT(wrap.count == count && slice_equal(buf_slice(&out), buf_slice(&again)));
		}
	}
	buf_done(&out);
	buf_done(&again);
	wrap_links_done(&wrap);
	return 0;
}
