/*
 * Any bytes as a form: what is accepted is UTF-8 without NUL, and means the same when it is encoded
 * again.
 */
#include "base/check.h"
#include "base/text.h"
#include "base/utf8.h"
#include "web/form.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void encode(struct buf *out, struct slice text)
{
	ASSERT(utf8_is_valid(text) && (text.len == 0 || !memchr(text.ptr, 0, text.len)));
	for (size_t i = 0; i < text.len; i++)
		buf_add_format(out, "%%%02x", (u8)text.ptr[i]);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct form form;
	static struct form again;
	struct buf text;

	form_init(&form);
	form_init(&again);
	buf_init(&text, 64u << 20);
	if (form_parse(&form, (struct slice){ (const char *)data, size }) == FORM_OK) {
		for (u32 i = 0; i < form.count; i++) {
			encode(&text, form_name_at(&form, i));
			buf_add_char(&text, '=');
			encode(&text, form_value_at(&form, i));
			buf_add_char(&text, '&');
		}
		ASSERT(!text.failed);
		ASSERT(form_parse(&again, buf_slice(&text)) == FORM_OK);
		ASSERT(again.count == form.count);
		for (u32 i = 0; i < form.count; i++) {
			ASSERT(slice_equal(form_name_at(&form, i), form_name_at(&again, i)));
			ASSERT(slice_equal(form_value_at(&form, i), form_value_at(&again, i)));
		}
	}
	buf_done(&text);
	form_done(&form);
	form_done(&again);
	return 0;
}
