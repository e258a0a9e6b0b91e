#include "web/flash.h"

#include "base/text.h"

#define FLASH_SCOPE "; Path=/; Secure; HttpOnly; SameSite=Lax"

/* Cookies are plain characters (RFC 6265 section 4.1.1): the text is percent-encoded. */
void flash_set(struct call *call, enum page_tone tone, struct slice text)
{
	const struct slice values[] = { slice_first(text, FLASH_TEXT_MAX) };

	buf_add_format(&call->answer_head, "Set-Cookie: " FLASH_COOKIE "=%u:", (u32)tone);
	url_format(&call->answer_head, "{}", values);
	buf_add_text(&call->answer_head, FLASH_SCOPE "; Max-Age=60\r\n");
}

void flash_show(struct page *page)
{
	struct call *call = page->call;
	struct slice text = call_cookie(call, FLASH_COOKIE);
	struct slice tone = slice_split(&text, ':');
	struct form form;
	u32 number;

	if (!text.ptr)
		return;
	buf_add_text(&call->answer_head, "Set-Cookie: " FLASH_COOKIE "=" FLASH_SCOPE
					 "; Max-Age=0\r\n");
	form_init(&form);
	if (slice_to_u32(tone, &number) && number <= TONE_BAD &&
	    form_parse(&form, text) == FORM_OK && form.count == 1)
		page_message_text(page, (enum page_tone)number, form_name_at(&form, 0));
	form_done(&form);
}
