/* The message around attachments: multipart/mixed, with multipart/related for inline ones. */
#include "web/mail.h"

#include "base/random.h"
#include "base/text.h"
#include "message/part_writer.h"
#include "web/field.h"

#include <stdlib.h>
#include <string.h>

#define FILENAME_MAX_BYTES 255
#define TYPE_MAX 127

/* One element of `attachments`, as read. */
struct attachment {
	const char *filename;
	const char *type;
	const char *content_id;
	struct slice content; /* base64 */
};

/* ---- reading ---- */

/* "type/subtype" of tokens (RFC 2045 section 5.1), without parameters. */
static bool is_type(const char *text)
{
	u32 slashes = 0;
	size_t run = 0;

	for (const char *at = text; *at; at++) {
		bool is_slash = *at == '/';

		if (is_slash ? run == 0
			     : !ascii_is_alpha(*at) && !ascii_is_digit(*at) &&
				       !strchr("!#$&-^_.+", *at))
			return false;
		run = is_slash ? 0 : run + 1;
		slashes += is_slash;
	}
	return slashes == 1 && run > 0;
}

/* Left side, @, right side, as in <...> of HTML's cid: (RFC 2392), without brackets. */
static bool is_content_id(const char *text)
{
	for (const char *at = text; *at; at++) {
		if (!ascii_is_atext(*at) && *at != '.' && *at != '@')
			return false;
	}
	return *text && !strstr(text, "{{");
}

static const char *why_not_type(const char *type)
{
	if (!is_type(type))
		return "must be a type and subtype, such as application/pdf";
	if (slice_has_prefix_nocase(slice_of(type), SLICE("multipart/")) ||
	    slice_has_prefix_nocase(slice_of(type), SLICE("message/")))
		return "mail and multiparts cannot be attached by their type; use "
		       "application/octet-stream";
	return NULL;
}

static bool refuse(struct call *call, const char *base, const char *name, const char *why)
{
	char pointer[FIELD_POINTER_MAX];

	call_refuse(call, 422, field_pointer(pointer, base, name), "%s: %s", name, why);
	return false;
}

static bool read_attachment(struct call *call, const json_t *one, const char *base,
			    struct attachment *attachment)
{
	static const char *const names[] = { "filename", "content_type", "content", "content_id",
					     NULL };
	const json_t *content = json_object_get(one, "content");
	const char *why;

	if (!json_is_object(one)) {
		call_refuse(call, 422, base, "an attachment is an object");
		return false;
	}
	if (!field_known(call, one, base, names) ||
	    !field_text(call, one, base, "filename", FILENAME_MAX_BYTES, &attachment->filename) ||
	    !field_text(call, one, base, "content_type", TYPE_MAX, &attachment->type) ||
	    !field_text(call, one, base, "content_id", TYPE_MAX, &attachment->content_id))
		return false;
	if (!attachment->filename && !attachment->content_id)
		return refuse(call, base, "filename", "is missing");
	if (attachment->filename && strpbrk(attachment->filename, "/\\"))
		return refuse(call, base, "filename", "must be a name without a path");
	if (!attachment->type)
		attachment->type = "application/octet-stream";
	why = why_not_type(attachment->type);
	if (why)
		return refuse(call, base, "content_type", why);
	if (attachment->content_id && !is_content_id(attachment->content_id))
		return refuse(call, base, "content_id", "letters, digits, dots and @ only");
	if (!json_is_string(content))
		return refuse(call, base, "content", "must be text in base64");
	attachment->content =
		(struct slice){ json_string_value(content), json_string_length(content) };
	return true;
}

/* ---- writing ---- */

static void begin_multipart(struct buf *out, const char *kind, char boundary[PART_BOUNDARY_SIZE])
{
	u8 bytes[16];

	random_bytes(bytes, sizeof(bytes));
	part_boundary_make(boundary, bytes);
	part_begin_multipart(out, kind, boundary);
}

static void add_texts(struct buf *out, const struct mail *mail)
{
	bool has_text = *mail->text != '\0';
	bool has_html = *mail->html != '\0';
	char boundary[PART_BOUNDARY_SIZE];

	if (has_text && has_html) {
		begin_multipart(out, "alternative", boundary);
		part_add_boundary(out, boundary, false);
		part_add_text(out, "text/plain", slice_of(mail->text));
		part_add_boundary(out, boundary, false);
		part_add_text(out, "text/html", slice_of(mail->html));
		part_add_boundary(out, boundary, true);
	} else if (has_html) {
		part_add_text(out, "text/html", slice_of(mail->html));
	} else {
		part_add_text(out, "text/plain", slice_of(mail->text));
	}
}

/*
 * A template's text parts may have merge fields, and those in base64 none: a text that looks as if
 * it had some is sent as bytes, which is what an attachment is.
 */
static const char *type_of(const struct attachment *attachment, const u8 *bytes, size_t len)
{
	bool is_text = slice_has_prefix_nocase(slice_of(attachment->type), SLICE("text/"));
	struct slice content = { (const char *)bytes, len };

	return is_text && slice_find(content, SLICE("{{")) >= 0 ? "application/octet-stream"
								: attachment->type;
}

static bool write_part(struct buf *out, const struct attachment *attachment, const u8 *bytes,
		       size_t len)
{
	const struct part_file file = { .type = type_of(attachment, bytes, len),
					.name = attachment->filename,
					.content_id = attachment->content_id };

	return part_add_file(out, &file, (struct slice){ (const char *)bytes, len });
}

static bool add_part(struct call *call, struct buf *out, const struct attachment *attachment,
		     const char *base)
{
	size_t size = attachment->content.len / 4 * 3 + 3;
	u8 *bytes = malloc(size);
	bool is_done = false;
	size_t len;

	if (!bytes)
		call_refuse(call, 503, NULL, "no memory");
	else if (!base64_decode(bytes, size, &len, attachment->content))
		refuse(call, base, "content", "is not base64");
	else if (len == 0)
		refuse(call, base, "content", "is empty");
	else if (!write_part(out, attachment, bytes, len))
		refuse(call, base, "filename", "cannot be written");
	else
		is_done = true;
	free(bytes);
	return is_done;
}

/* Those that are inline, or those that are not. */
static bool add_attachments(struct mail *mail, struct call *call, const json_t *list,
			    bool are_inline, const char *boundary)
{
	char base[FIELD_POINTER_MAX];

	for (size_t i = 0; i < json_array_size(list); i++) {
		const json_t *one = json_array_get(list, i);
		struct attachment attachment;

		field_pointer_at(base, "/attachments", i);
		if (!read_attachment(call, one, base, &attachment))
			return false;
		if ((attachment.content_id != NULL) != are_inline)
			continue;
		part_add_boundary(&mail->whole, boundary, false);
		if (!add_part(call, &mail->whole, &attachment, base))
			return false;
	}
	return true;
}

static void count_inline(const json_t *list, size_t *inline_count)
{
	*inline_count = 0;
	for (size_t i = 0; i < json_array_size(list); i++) {
		const json_t *id = json_object_get(json_array_get(list, i), "content_id");

		*inline_count += json_is_string(id);
	}
}

static bool add_related(struct mail *mail, struct call *call, const json_t *attachments)
{
	char boundary[PART_BOUNDARY_SIZE];

	begin_multipart(&mail->whole, "related", boundary);
	part_add_boundary(&mail->whole, boundary, false);
	add_texts(&mail->whole, mail);
	if (!add_attachments(mail, call, attachments, true, boundary))
		return false;
	part_add_boundary(&mail->whole, boundary, true);
	return true;
}

bool mail_add_parts(struct mail *mail, struct call *call, const json_t *attachments)
{
	struct buf *out = &mail->whole;
	char boundary[PART_BOUNDARY_SIZE];
	size_t inline_count;

	count_inline(attachments, &inline_count);
	buf_add_slice(out, buf_slice(&mail->headers));
	if (inline_count == json_array_size(attachments)) {
		if (!add_related(mail, call, attachments))
			return false;
	} else {
		begin_multipart(out, "mixed", boundary);
		part_add_boundary(out, boundary, false);
		if (inline_count == 0)
			add_texts(out, mail);
		else if (!add_related(mail, call, attachments))
			return false;
		if (!add_attachments(mail, call, attachments, false, boundary))
			return false;
		part_add_boundary(out, boundary, true);
	}
	if (!out->failed)
		return true;
	call_refuse(call, out->no_memory ? 503 : 413, "/attachments",
		    "the message is larger than %u bytes", MESSAGE_TEMPLATE_MAX);
	return false;
}
