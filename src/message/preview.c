#include "message/preview.h"

#include "base/text.h"
#include "smtp/mail.h"

static bool join(const struct message_composed *composed, struct arena *arena, struct slice *whole)
{
	char *to = arena_take(arena, composed->size + 1);
	size_t len = 0;

	if (!to)
		return false;
	for (u32 i = 0; i < composed->piece_count; i++) {
		const struct piece *piece = &composed->pieces[i];

		if (piece->stuffing)
			continue;
		memcpy(to + len, piece->ptr, piece->len);
		len += piece->len;
	}
	*whole = (struct slice){ to, len };
	return true;
}

/* The part's text in UTF-8 with LF line ends; tags of HTML stay. */
static bool read_text(struct arena *arena, const struct mail_part *part, size_t max,
		      struct slice *text)
{
	struct slice octets = mail_content(arena, part, max);
	struct slice name;
	struct buf out;
	size_t n = 0;

	if (!octets.ptr || !mail_parameter(arena, part->parameters, SLICE("charset"), &name))
		return false;
	out = (struct buf){ .ptr = arena_take(arena, octets.len * CHARSET_GROWTH + 1),
			    .size = octets.len * CHARSET_GROWTH,
			    .max = octets.len * CHARSET_GROWTH };
	if (!out.ptr)
		return false;
	charset_decode(&out, charset_guess(charset_of(name), octets), octets);
	for (size_t i = 0; i < out.len; i++) {
		if (out.ptr[i] != '\r')
			out.ptr[n++] = out.ptr[i];
	}
	*text = (struct slice){ out.ptr, n };
	return true;
}

/* The first text of each kind is the message; what comes later hangs on it. */
static bool read_parts(struct arena *arena, struct message_preview *preview)
{
	const struct mail_part *root = mail_read(arena, preview->message);
	size_t max = preview->message.len;

	if (!root)
		return false;
	preview->subject = mail_text(arena, mail_find(root->headers, SLICE("Subject")));
	preview->from = mail_text(arena, mail_find(root->headers, SLICE("From")));
	preview->to = mail_text(arena, mail_find(root->headers, SLICE("To")));
	for (const struct mail_part *part = root; part; part = part->next) {
		struct slice *text = slice_equal(part->type, SLICE("text/html"))    ? &preview->html
				     : slice_equal(part->type, SLICE("text/plain")) ? &preview->text
										    : NULL;
		struct slice place = mail_bare(
			arena, mail_find(part->headers, SLICE("Content-Disposition")));

		if (part->is_multipart)
			continue;
		if (!text || text->ptr || slice_has_prefix_nocase(place, SLICE("attachment")))
			preview->attachments++;
		else if (!read_text(arena, part, max, text))
			return false;
	}
	return preview->subject.ptr && preview->from.ptr && preview->to.ptr;
}

enum message_result message_preview(const struct message *message,
				    const struct message_recipient *recipient, struct arena *arena,
				    struct message_preview *preview, struct error *error)
{
	struct message_composed composed;
	enum message_result result;

	*preview = (struct message_preview){ 0 };
	message_composed_init(&composed);
	result = message_compose(message, recipient, false, &composed, error);
	if (result == MESSAGE_OK &&
	    (!join(&composed, arena, &preview->message) || !read_parts(arena, preview))) {
		error_set(error, "the message is too big for a preview");
		result = MESSAGE_TOO_BIG;
	}
	message_composed_done(&composed);
	return result;
}
