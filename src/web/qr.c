#include "web/qr.h"

#include "base/text.h"

#include <qrencode.h>

#define QUIET 4 /* modules around the code (section 6.3.8) */
#define TEXT_MAX 1000

/* Runs of dark modules of a line, as one path. */
static void draw_line(struct page *page, const QRcode *code, u32 y)
{
	u32 width = (u32)code->width;

	for (u32 x = 0; x < width;) {
		u32 begin = x;

		while (x < width && (code->data[y * width + x] & 1))
			x++;
		if (x > begin)
			buf_add_format(page->out, "M%u %uh%uv1h-%uz", begin + QUIET, y + QUIET,
				       x - begin, x - begin);
		else
			x++;
	}
}

void page_qr(struct page *page, struct slice text, const struct words *label)
{
	QRcode *code = NULL;

	if (text.len > 0 && text.len <= TEXT_MAX)
		code = QRcode_encodeData((int)text.len, (const unsigned char *)text.ptr, 0,
					 QR_ECLEVEL_M);
	if (!code)
		return;
	buf_add_format(page->out,
		       "<svg class=\"qr\" xmlns=\"http://www.w3.org/2000/svg\" "
		       "viewBox=\"0 0 %u %u\" shape-rendering=\"crispEdges\" role=\"img\"",
		       (u32)code->width + 2 * QUIET, (u32)code->width + 2 * QUIET);
	page_attribute(page, "aria-label", slice_of(label->text[page->language]));
	PAGE_HTML(page, "><path fill=\"#000\" d=\"");
	for (u32 y = 0; y < (u32)code->width; y++)
		draw_line(page, code, y);
	PAGE_HTML(page, "\"/></svg>");
	QRcode_free(code);
}
