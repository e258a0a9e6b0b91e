/* A mail whose texts are a stored template's. */
#include "base/text.h"
#include "campaign/mail_image.h"
#include "message/html_text.h"
#include "message/preheader.h"
#include "web/mail.h"
#include "web/stored_block.h"

#include <stdio.h>
#include <string.h>

/* By its name, or by its id. False: the call is answered. */
static bool find(struct call *call, const json_t *value, struct audience_template *one)
{
	struct audience_txn *txn = call->web->reader;
	enum store_result result = STORE_NOT_FOUND;

	if (json_is_string(value)) {
		struct slice name = { json_string_value(value), json_string_length(value) };

		result = audience_template_find(txn, name, one);
	} else if (json_is_integer(value) && json_integer_value(value) > 0 &&
		   json_integer_value(value) <= UINT32_MAX) {
		result = audience_template_get(txn, (u32)json_integer_value(value), one);
	}
	if (result == STORE_OK && one->kind != AUDIENCE_TEMPLATE_BLOCK)
		return true;
	if (result == STORE_OK)
		call_refuse(call, 422, "/template", "that is a block, which stands in templates");
	else if (result == STORE_NOT_FOUND)
		call_refuse(call, 422, "/template", "there is no such template");
	else
		call_refuse(call, 503, NULL, "%s", audience_error_text(txn));
	return false;
}

/* Of one that has no text, one is made. */
static bool fill_text(struct mail *mail, struct slice text, struct slice html)
{
	struct buf made;

	buf_init(&made, MESSAGE_TEMPLATE_MAX);
	if (slice_trim(text).len == 0 && html.len > 0)
		made.failed |= !html_text_make(html, &made);
	else
		buf_add_slice(&made, text);
	mail->text = arena_copy_buf(&mail->arena, &made).ptr;
	buf_done(&made);
	return mail->text != NULL;
}

static bool fill_html(struct mail *mail, struct slice html, struct slice preheader)
{
	struct buf whole;

	buf_init(&whole, MESSAGE_TEMPLATE_MAX);
	if (html.len == 0 || preheader.len == 0)
		buf_add_slice(&whole, html);
	else if (!preheader_add(html, preheader, &whole))
		whole.failed = true;
	mail->html = arena_copy_buf(&mail->arena, &whole).ptr;
	buf_done(&whole);
	return mail->html != NULL;
}

static bool fill(struct mail *mail, struct call *call, const struct audience_template *one)
{
	const char *base = call->web->config->web.url;
	struct audience_txn *txn = call->web->reader;
	struct audience_template_version version;
	struct stored_blocks blocks;
	struct error error;
	struct slice html;
	struct slice text;

	if (audience_template_version(txn, one->id, one->version, &version) != STORE_OK) {
		call_refuse(call, 503, NULL, "%s", audience_error_text(txn));
		return false;
	}
	stored_blocks_init(&blocks, txn, &mail->arena);
	if (!stored_blocks_expand(&blocks, "html", version.of[AUDIENCE_TEMPLATE_HTML], true, &html,
				  &error) ||
	    !stored_blocks_expand(&blocks, "text", version.of[AUDIENCE_TEMPLATE_TEXT], false, &text,
				  &error)) {
		call_refuse(call, 422, "/template", "%s", error.text);
		return false;
	}
	if (!mail_images_place(MAIL_IMAGE_HOSTED, slice_of(base ? base : ""), &mail->arena, &html,
			       &error)) {
		call_refuse(call, 503, NULL, "%s", error.text);
		return false;
	}
	if (version.of[AUDIENCE_TEMPLATE_SUBJECT].len > 0)
		mail->subject =
			arena_copy(&mail->arena, version.of[AUDIENCE_TEMPLATE_SUBJECT]).ptr;
	if (fill_text(mail, text, html) &&
	    fill_html(mail, html, version.of[AUDIENCE_TEMPLATE_PREHEADER]) &&
	    slice_copy(mail->template, sizeof(mail->template), one->name))
		return true;
	call_refuse(call, 503, NULL, "no memory for the template");
	return false;
}

bool mail_take_template(struct mail *mail, struct call *call)
{
	const json_t *value = json_object_get(call->json, "template");
	struct audience_template one;
	bool ok;

	if (!value || json_is_null(value))
		return true;
	if (*mail->text || *mail->html) {
		call_refuse(call, 422, "/template", "give a template or texts, not both");
		return false;
	}
	ok = audience_begin_read(call->web->reader) == STORE_OK;
	if (!ok)
		call_refuse(call, 503, NULL, "%s", audience_error_text(call->web->reader));
	ok = ok && find(call, value, &one) && fill(mail, call, &one);
	audience_abort(call->web->reader);
	return ok;
}

/* The name in: unknown field "code". Empty: it is about something else. */
static struct slice unknown_field(const struct error *error)
{
	static const char words[] = "unknown field \"";
	struct slice text = slice_of(error->text);
	i64 at = slice_find(text, SLICE("unknown field \""));
	i64 end;

	if (at < 0)
		return SLICE("");
	text = slice_from(text, (size_t)at + strlen(words));
	end = slice_find_char(text, '"');
	return end < 0 ? SLICE("") : slice_first(text, (size_t)end);
}

void mail_refuse_template(const struct mail *mail, struct call *call, const struct error *error)
{
	struct slice name = unknown_field(error);
	char pointer[128];

	if (name.len == 0 || name.len > 64) {
		call_refuse(call, 422, "/template", "the template \"%s\": %s", mail->template,
			    error->text);
		return;
	}
	snprintf(pointer, sizeof(pointer), "/to/0/values/%.*s", SLICE_FMT(name));
	call_refuse(call, 422, pointer,
		    "the template \"%s\" has {{%.*s}}, and no recipient brings such a value: %s",
		    mail->template, SLICE_FMT(name), error->text);
}
