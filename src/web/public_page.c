#include "web/public_page.h"

#include "base/text.h"

#define URLENCODED SLICE("application/x-www-form-urlencoded")

static const struct words not_valid = {
	{ "This link is not valid, or not any more. Please use the link in the mail again.",
	  "このリンクは無効か、有効期限が切れています。"
	  "メールに記載のリンクをもう一度お試しください。" }
};

void public_refuse_token(struct call *call)
{
	call_problem_page(call, 404, &not_valid);
}

struct slice public_mask(char out[PUBLIC_MASK_MAX], struct slice address)
{
	struct slice domain = SLICE_NONE;
	struct buf text = { .ptr = out, .size = PUBLIC_MASK_MAX, .max = PUBLIC_MASK_MAX };

	for (size_t i = address.len; i > 0 && !domain.ptr; i--) {
		if (address.ptr[i - 1] == '@')
			domain = slice_from(address, i - 1);
	}
	buf_add_slice(&text, slice_first(address, (u8)address.ptr[0] < 0x80));
	buf_add_text(&text, "***");
	buf_add_slice(&text, domain);
	return buf_slice(&text);
}

bool public_read_form(const struct call *call, struct form *form)
{
	struct slice type = public_says(call, "CONTENT_TYPE");

	form_init(form);
	if (!slice_equal_nocase(slice_trim(slice_split(&type, ';')), URLENCODED))
		return true;
	return form_parse(form, buf_slice(&call->body)) == FORM_OK;
}

struct slice public_token_make(const struct call *call, const struct link_token *token,
			       struct public_token *out)
{
	size_t len = link_token_make(call->web->links, token, out->text);

	out->text[len] = '\0';
	return (struct slice){ out->text, len };
}
