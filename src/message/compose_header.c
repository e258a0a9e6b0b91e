#include "message/compiled.h"

#include "base/clock.h"
#include "base/text.h"
#include "base/utf8.h"
#include "message/header.h"
#include "message/japanese.h"
#include "message/value.h"

/* What can stand in an identifier without ever ending it (RFC 5322 section 3.2.3, dots besides). */
static bool is_identifier(struct slice s)
{
	for (size_t i = 0; i < s.len; i++) {
		if (!ascii_is_atext(s.ptr[i]) && s.ptr[i] != '.')
			return false;
	}
	return s.len > 0;
}

/* Runs marked text: this recipient's values and ways in place of the marks. */
static bool expand(const struct message *message, struct slice marked, bool identifiers,
		   struct value_maker *maker, struct buf *out, struct error *error)
{
	const struct slice all = marked;
	struct slice literal;
	i32 number;

	buf_reset(out);
	while (template_next(&marked, &literal, &number)) {
		const struct template_field *field;
		struct slice value;
		u32 target;
		int turn = 0;

		buf_add_slice(out, literal);
		if (number < 0)
			continue;
		field = &message->fields[number];
		if (field->kind != TEMPLATE_FIELD) {
			turn = value_turn(maker, (u32)number, &target);
			if (turn > 0)
				marked = template_behind(all, target);
			if (turn < 0)
				return false;
			continue;
		}
		if (!value_get(maker, field, &value))
			return false;
		if (identifiers && !is_identifier(value))
			return value_refuse(maker, field,
					    "the value cannot stand in an identifier");
		buf_add_slice(out, value);
	}
	return !out->failed || error_set(error, "%s: a header field is too long", message->name);
}

static bool refuse(const struct message *message, const struct message_header *header,
		   const char *why, struct error *error)
{
	return error_set(error, "%s:%u: %.*s: %s", message->name, header->line,
			 SLICE_FMT(header->name), why);
}

static bool finish(const struct message *message, const struct message_header *header,
		   struct header_writer *w, struct error *error)
{
	if (header_end(w))
		return w->out->failed ? refuse(message, header, "it is too long", error) : true;
	if (w->bad == 0)
		return refuse(message, header, "a line would be over 998 octets", error);
	return error_set(error, "%s:%u: %.*s: ISO-2022-JP cannot carry U+%04X: %s", message->name,
			 header->line, SLICE_FMT(header->name), w->bad, japanese_advice(w->bad));
}

static bool add_mailbox(const struct message *message, const struct message_header *header,
			const struct message_mailbox *mailbox, struct value_maker *maker,
			struct buf *text, struct header_writer *w, struct error *error)
{
	char room[ADDRESS_WIRE_MAX + 3];
	struct buf wire = { .ptr = room, .size = sizeof(room), .max = sizeof(room) };
	struct address address;
	bool has_name;

	if (!expand(message, mailbox->name, false, maker, text, error))
		return false;
	has_name = slice_trim(buf_slice(text)).len > 0;
	if (has_name)
		header_add_phrase(w, buf_slice(text));
	if (!expand(message, mailbox->address, false, maker, text, error))
		return false;
	if (!address_parse(&address, buf_slice(text), error))
		return error_prefix(error, "%s:%u: %.*s", message->name, header->line,
				    SLICE_FMT(header->name));
	if (has_name)
		buf_add_char(&wire, '<');
	address_add_wire(&address, &wire);
	if (has_name)
		buf_add_char(&wire, '>');
	header_add_token(w, SLICE(" "), buf_slice(&wire));
	return true;
}

static bool add_mailboxes(const struct message *message, const struct message_header *header,
			  struct value_maker *maker, struct buf *text, struct header_writer *w,
			  struct error *error)
{
	for (u32 i = 0; i < header->mailbox_count; i++) {
		if (i > 0) {
			buf_add_char(w->out, ',');
			w->column++;
		}
		if (!add_mailbox(message, header, &header->mailboxes[i], maker, text, w, error))
			return false;
	}
	return true;
}

static bool add_structured(const struct message *message, const struct message_header *header,
			   struct value_maker *maker, struct buf *text, struct header_writer *w,
			   struct error *error)
{
	if (!expand(message, header->text, header->kind == HEADER_TOKENS, maker, text, error))
		return false;
	for (size_t i = 0; i < text->len; i++) {
		if ((u8)text->ptr[i] > 0x7e)
			return refuse(message, header, "it can hold ASCII only", error);
	}
	header_add_tokens(w, buf_slice(text));
	return true;
}

/*
 * Letters, digits and hyphen as they are, other bytes as =XX: still a dot-atom, and still unique.
 */
static void add_campaign(struct buf *out, struct slice campaign)
{
	static const char hex[] = "0123456789ABCDEF";

	for (size_t i = 0; i < campaign.len; i++) {
		u8 c = (u8)campaign.ptr[i];

		if (ascii_is_alpha((char)c) || ascii_is_digit((char)c) || c == '-')
			buf_add_char(out, (char)c);
		else
			buf_add(out, (char[]){ '=', hex[c >> 4], hex[c & 15] }, 3);
	}
}

/*
 * Date, Message-ID and To: what the recipient's record says, nothing else, so that a copy is equal.
 */
static bool add_made(const struct message *message, const struct message_header *header,
		     struct value_maker *maker, struct header_writer *w)
{
	const struct message_recipient *recipient = maker->recipient;
	char date[CLOCK_RFC5322_SIZE];
	char room[512 + ADDRESS_DOMAIN_MAX];
	struct buf id = { .ptr = room, .size = sizeof(room), .max = sizeof(room) };

	switch (header->kind) {
	case HEADER_DATE:
		clock_format_rfc5322(date, recipient->date_ms);
		header_add_token(w, SLICE(" "), slice_of(date));
		return true;
	case HEADER_RECIPIENT:
		header_add_token(w, SLICE(" "), (struct slice){ maker->email, maker->email_len });
		return true;
	}
	buf_add_char(&id, '<');
	buf_add_slice(&id, recipient->id.len ? recipient->id : recipient->token);
	if (recipient->campaign.len > 0) {
		buf_add_char(&id, '.');
		add_campaign(&id, recipient->campaign);
	}
	buf_add_char(&id, '@');
	buf_add_text(&id, message->facts.from_domain);
	buf_add_char(&id, '>');
	if (id.failed)
		return error_set(maker->error,
				 "%s: the campaign's name is too long for a Message-ID",
				 message->name);
	header_add_token(w, SLICE(" "), buf_slice(&id));
	return true;
}

bool compose_header(const struct message *message, const struct message_header *header,
		    struct value_maker *maker, struct buf *text, struct buf *out,
		    struct error *error)
{
	struct header_writer w;
	bool done = true;

	if (header->kind == HEADER_KEPT) {
		header_add_kept(out, header->name, header->text);
		return !out->failed || refuse(message, header, "it is too long", error);
	}
	header_begin(&w, out, header->name, message->charset);
	switch (header->kind) {
	case HEADER_TEXT:
		done = expand(message, header->text, false, maker, text, error);
		if (done)
			header_add_text(&w, buf_slice(text));
		break;
	case HEADER_MAILBOXES:
		done = add_mailboxes(message, header, maker, text, &w, error);
		break;
	case HEADER_URLS:
	case HEADER_TOKENS:
		done = add_structured(message, header, maker, text, &w, error);
		break;
	default:
		done = add_made(message, header, maker, &w);
		break;
	}
	return done && finish(message, header, &w, error);
}
