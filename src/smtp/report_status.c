/* Delivery status notifications: RFC 3464, with RFC 6533's addresses beyond ASCII. */
#include "base/text.h"
#include "base/utf8.h"
#include "smtp/mail_decode.h"
#include "smtp/report_parts.h"

#include <string.h>

#define STATUS_MAX (128u << 10) /* octets of the machine's part that are read */
#define VALUE_MAX 512           /* of a field there */

enum action { ACTION_NONE, ACTION_FAILED, ACTION_DELAYED, ACTION_DONE };

/* The next block of fields; blank lines in front of it are skipped. */
static bool next_block(struct slice *rest, struct slice *block)
{
	while (rest->len > 0) {
		struct slice body;

		mail_split(*rest, block, &body);
		*rest = body;
		if (block->len > 0)
			return true;
	}
	return false;
}

static struct slice bare_value(struct report_reading *r, struct slice block, struct slice name)
{
	return report_bare(r, block, name, VALUE_MAX);
}

/* RFC 6533 section 3: \x{5730} is a character. Anything else stays as it is. */
static struct slice decode_utf8_address(struct report_reading *r, struct slice text)
{
	struct buf out = { .ptr = arena_take(r->arena, text.len + 1),
			   .size = text.len,
			   .max = text.len };

	r->is_full |= !out.ptr;
	if (!out.ptr)
		return SLICE("");
	for (size_t i = 0; i < text.len; i++) {
		struct slice s = slice_first(slice_from(text, i), 11);
		i64 end = slice_has_prefix(s, SLICE("\\x{")) ? slice_find_char(s, '}') : -1;
		u32 code = 0;
		char utf8[4];

		for (i64 k = 3; k < end; k++) {
			char pair[2] = { '0', s.ptr[k] };
			int digit = mail_hex((struct slice){ pair, 2 });

			if (digit < 0)
				end = -1;
			code = code << 4 | (u32)digit;
		}
		/* What would be written in ASCII has no need to hide. */
		if (end < 5 || code < 0x80 || code > 0x10ffff ||
		    (code >= 0xd800 && code < 0xe000)) {
			buf_add_char(&out, text.ptr[i]);
			continue;
		}
		buf_add(&out, utf8, utf8_encode(utf8, code));
		i += (size_t)end;
	}
	return buf_slice(&out);
}

/*
 * Reporters should have undone the xtext of ORCPT and many have not. "+2B" is undone where the
 * whole is xtext and stands for what needed it: a tag "+20" of an address is left alone.
 */
static struct slice decode_xtext_address(struct report_reading *r, struct slice text)
{
	struct buf out = { .ptr = arena_take(r->arena, text.len + 1),
			   .size = text.len,
			   .max = text.len };

	r->is_full |= !out.ptr;
	if (!out.ptr || slice_find_char(text, '+') < 0 || !report_xtext_decode(&out, text))
		return text;
	for (size_t i = 0; i + 2 < text.len; i++) {
		int octet = text.ptr[i] == '+' ? mail_hex(slice_from(text, i + 1)) : -1;

		if (octet >= 0 && (octet <= ' ' || octet > '~' || ascii_is_alpha((char)octet) ||
				   ascii_is_digit((char)octet)))
			return text;
	}
	return buf_slice(&out);
}

/* "rfc822; <user@example>", also without the type or the brackets. Empty when there is none. */
static struct slice address_value(struct report_reading *r, struct slice block, struct slice name)
{
	struct slice value = bare_value(r, block, name);
	struct slice text = report_without_type(value);
	struct slice address;
	size_t before;

	if (slice_has_prefix_nocase(value, SLICE("utf-8")))
		text = decode_utf8_address(r, text);
	/* As it stands when it is nothing but an address: what is odd in it must not be lost. */
	if (text.len > 0 && text.ptr[0] != '<' && slice_find_char(text, '@') > 0 &&
	    slice_find_char(text, ' ') < 0)
		address = slice_first(text, REPORT_ADDRESS_MAX);
	else
		address = report_next_address(text, &before);
	return address.ptr ? decode_xtext_address(r, address) : SLICE("");
}

static enum action action_of(struct slice value)
{
	static const struct {
		struct slice word;
		enum action action;
	} known[] = {
		{ PHRASE("fail"), ACTION_FAILED },   { PHRASE("undeliver"), ACTION_FAILED },
		{ PHRASE("delay"), ACTION_DELAYED }, { PHRASE("defer"), ACTION_DELAYED },
		{ PHRASE("deliver"), ACTION_DONE },  { PHRASE("relay"), ACTION_DONE },
		{ PHRASE("expand"), ACTION_DONE },
	};

	for (size_t i = 0; i < array_count(known); i++) {
		if (slice_has_prefix_nocase(value, known[i].word))
			return known[i].action;
	}
	return ACTION_NONE;
}

static struct slice diagnostic_of(struct report_reading *r, struct slice block)
{
	struct slice text = mail_find(block, SLICE("Diagnostic-Code"));
	i64 semicolon;

	if (!text.ptr)
		return SLICE("");
	text = report_text(r, text, REPORT_DIAGNOSTIC_MAX);
	semicolon = slice_find_char(slice_first(text, 40), ';');
	/* The type is one word: "smtp", "x-postfix". */
	if (semicolon > 0 &&
	    slice_find_char(slice_trim(slice_first(text, (size_t)semicolon)), ' ') < 0)
		text = slice_trim(slice_from(text, (size_t)semicolon + 1));
	return report_one_line(r, text);
}

static void read_recipient(struct report_reading *r, struct slice block)
{
	struct report_recipient *recipient = report_add_recipient(r);
	enum action action;
	struct slice flat;

	if (!recipient)
		return;
	recipient->address = address_value(r, block, SLICE("Final-Recipient"));
	recipient->original = address_value(r, block, SLICE("Original-Recipient"));
	recipient->remote = report_without_type(bare_value(r, block, SLICE("Remote-MTA")));
	recipient->diagnostic = diagnostic_of(r, block);
	report_find_status(bare_value(r, block, SLICE("Status")), 2, recipient->status);
	action = action_of(bare_value(r, block, SLICE("Action")));
	flat = report_flatten(r, recipient->diagnostic);
	report_find_code(flat, &recipient->code);
	if (action == ACTION_NONE)
		action = recipient->status[0] == 2   ? ACTION_DONE
			 : recipient->status[0] == 4 ? ACTION_DELAYED
						     : ACTION_FAILED;
	if (action == ACTION_DONE) {
		recipient->kind = REPORT_NOTICE;
		return;
	}
	report_judge_failure(recipient, flat);
	if (action == ACTION_DELAYED)
		recipient->kind = REPORT_DELAYED;
}

/*
 * Where status and diagnostic say nothing, what is written for people may: when it can be about one
 * recipient only.
 */
static void ask_people(struct report_reading *r)
{
	struct report_recipient *one = r->out->recipients;
	enum report_kind kind = one ? one->kind : REPORT_NOTICE;

	if (!one || one->next || kind == REPORT_NOTICE || one->reason != REPORT_REASON_NONE ||
	    one->status[1] != 0)
		return;
	report_judge_failure(one, report_flatten(r, report_body(r)));
	if (kind == REPORT_DELAYED)
		one->kind = kind;
}

static void read_message_fields(struct report_reading *r, struct slice block)
{
	struct slice id = bare_value(r, block, SLICE("Original-Envelope-Id"));
	struct buf out = { .ptr = arena_take(r->arena, id.len + 1), .size = id.len, .max = id.len };

	r->out->reporting_mta = report_without_type(bare_value(r, block, SLICE("Reporting-MTA")));
	r->out->envelope_id = id;
	r->is_full |= !out.ptr;
	if (out.ptr && report_xtext_decode(&out, id) && report_is_text(buf_slice(&out)))
		r->out->envelope_id = buf_slice(&out);
}

bool report_read_status(struct report_reading *r)
{
	const struct mail_part *part = report_part_of(r, SLICE("message/delivery-status"));
	struct slice rest;
	struct slice block;
	bool first = true;

	if (!part)
		part = report_part_of(r, SLICE("message/global-delivery-status"));
	if (!part)
		return false;
	rest = mail_content(r->arena, part, STATUS_MAX);
	r->is_full |= !rest.ptr;
	while (rest.ptr && next_block(&rest, &block) && !r->is_full) {
		bool names_recipient = mail_find(block, SLICE("Final-Recipient")).ptr ||
				       mail_find(block, SLICE("Original-Recipient")).ptr ||
				       mail_find(block, SLICE("Action")).ptr;

		/* Some put both into one block. */
		if (first)
			read_message_fields(r, block);
		first = false;
		if (names_recipient)
			read_recipient(r, block);
	}
	/* Without a recipient it is no such report: the text may tell. */
	if (r->out->recipient_count == 0)
		return false;
	r->out->form = REPORT_FORM_DSN;
	ask_people(r);
	report_sum_up(r);
	report_find_original(r);
	return true;
}
