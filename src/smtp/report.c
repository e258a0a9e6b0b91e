#include "smtp/report.h"

#include "base/text.h"
#include "base/utf8.h"
#include "smtp/mail_decode.h"
#include "smtp/report_parts.h"

#include <string.h>

#define HEADER_FIELD_MAX 2048 /* octets of a field of the message that are looked at */

const char *report_kind_name(enum report_kind kind)
{
	static const char *const names[] = { "unknown", "notice", "auto-reply",  "delayed",
					     "soft",    "hard",   "unsubscribe", "complaint" };

	return names[kind];
}

const char *report_reason_name(enum report_reason reason)
{
	static const char *const names[] = { "none", "mailbox", "domain",  "disabled", "full",
					     "size", "policy",  "expired", "system" };

	return names[reason];
}

const char *report_form_name(enum report_form form)
{
	static const char *const names[] = { "none",  "dsn",  "feedback", "mdn",
					     "qmail", "exim", "text",     "reply" };

	return names[form];
}

/* ---- fields ---- */

static struct slice kept(struct report_reading *r, struct slice s)
{
	if (!s.ptr) {
		r->is_full = true;
		return SLICE("");
	}
	return s;
}

struct slice report_text(struct report_reading *r, struct slice value, size_t max)
{
	return kept(r, mail_text(r->arena, slice_first(value, max)));
}

struct slice report_field_text(struct report_reading *r, struct slice headers, struct slice name)
{
	struct slice value = mail_find(headers, name);

	return value.ptr ? report_text(r, value, HEADER_FIELD_MAX) : SLICE("");
}

bool report_is_text(struct slice s)
{
	for (size_t i = 0; i < s.len; i++) {
		if ((u8)s.ptr[i] < 0x20 || s.ptr[i] == 0x7f)
			return false;
	}
	return utf8_is_valid(s);
}

struct slice report_bare(struct report_reading *r, struct slice headers, struct slice name,
			 size_t max)
{
	struct slice value = mail_find(headers, name);
	struct slice text;

	if (!value.ptr)
		return SLICE("");
	text = kept(r, mail_bare(r->arena, slice_first(value, max)));
	return utf8_is_valid(text) ? text : SLICE("");
}

struct slice report_without_type(struct slice value)
{
	i64 semicolon = slice_find_char(value, ';');

	return semicolon < 0 ? value : slice_trim(slice_from(value, (size_t)semicolon + 1));
}

struct slice report_field_address(struct report_reading *r, struct slice headers,
				  struct slice name)
{
	size_t before;
	struct slice address =
		report_next_address(report_bare(r, headers, name, HEADER_FIELD_MAX), &before);

	return address.ptr ? address : SLICE("");
}

struct slice report_field_lower(struct report_reading *r, struct slice headers, struct slice name)
{
	struct slice text =
		kept(r, arena_copy(r->arena, report_bare(r, headers, name, HEADER_FIELD_MAX)));

	if (text.len > 0)
		ascii_lower_in_place((char *)(uintptr_t)text.ptr, text.len);
	return text;
}

const struct mail_part *report_part_of(const struct report_reading *r, struct slice type)
{
	for (const struct mail_part *part = r->parts; part; part = part->next) {
		if (!part->is_multipart && slice_equal(part->type, type))
			return part;
	}
	return NULL;
}

static bool is_blank(struct slice s)
{
	for (size_t i = 0; i < s.len; i++) {
		if (s.ptr[i] != ' ' && s.ptr[i] != '\n')
			return false;
	}
	return true;
}

struct slice report_body(struct report_reading *r)
{
	static const struct slice types[] = { PHRASE("text/plain"), PHRASE("text/html") };

	for (size_t i = 0; i < array_count(types) && !r->body.ptr; i++) {
		const struct mail_part *part = report_part_of(r, types[i]);
		struct slice text;

		if (!part)
			continue;
		text = kept(r, mail_content_text(r->arena, part, REPORT_TEXT_MAX));
		if (!is_blank(text))
			r->body = text;
	}
	if (!r->body.ptr)
		r->body = SLICE("");
	return r->body;
}

struct report_recipient *report_add_recipient(struct report_reading *r)
{
	struct report_recipient *recipient;

	if (++r->out->recipient_count > REPORT_RECIPIENTS_MAX)
		return NULL;
	recipient = arena_take(r->arena, sizeof(*recipient));
	if (!recipient) {
		r->is_full = true;
		return NULL;
	}
	recipient->address = SLICE("");
	recipient->original = SLICE("");
	recipient->remote = SLICE("");
	recipient->diagnostic = SLICE("");
	if (r->last)
		r->last->next = recipient;
	else
		r->out->recipients = recipient;
	r->last = recipient;
	return recipient;
}

/* ---- addresses ---- */

static bool is_local_char(char c)
{
	return ascii_is_atext(c) || c == '.' || (u8)c >= 0x80;
}

static bool is_domain_char(char c)
{
	return ascii_is_alpha(c) || ascii_is_digit(c) || c == '.' || c == '-' || (u8)c >= 0x80;
}

/* Where the quoted local part that ends at `at` begins; `at` itself when there is none. */
static size_t quoted_start(struct slice text, size_t from, size_t at)
{
	for (size_t start = at - 1; start > from; start--) {
		if (text.ptr[start - 1] == '"' &&
		    (start < from + 2 || text.ptr[start - 2] != '\\'))
			return start - 1;
	}
	return at;
}

/* Where the local part that ends at `at` begins; `at` itself when there is none. */
static size_t local_start(struct slice text, size_t from, size_t at)
{
	size_t ascii = at;
	size_t start;

	if (at > from && text.ptr[at - 1] == '"')
		return quoted_start(text, from, at);
	while (ascii > from && (u8)text.ptr[ascii - 1] < 0x80 && is_local_char(text.ptr[ascii - 1]))
		ascii--;
	start = ascii;
	while (start > from && is_local_char(text.ptr[start - 1]))
		start--;
	/* Without brackets, what is beyond ASCII is the sentence around the address. */
	return start > from && text.ptr[start - 1] == '<' ? start : ascii;
}

static size_t domain_end(struct slice text, size_t at, bool bracketed)
{
	size_t end = at;

	while (end < text.len && is_domain_char(text.ptr[end]) &&
	       (bracketed || (u8)text.ptr[end] < 0x80))
		end++;
	while (end > at && (text.ptr[end - 1] == '.' || text.ptr[end - 1] == '-'))
		end--;
	return end;
}

struct slice report_next_address(struct slice text, size_t *before)
{
	size_t from = 0;

	for (;;) {
		i64 found = slice_find_char(slice_from(text, from), '@');
		size_t at = from + (size_t)found;
		size_t first = from;
		size_t start;
		size_t end;

		if (found < 0)
			return SLICE_NONE;
		/* An address longer than that is none, and the search for its start has an end. */
		if (at - from > REPORT_ADDRESS_MAX)
			first = at - REPORT_ADDRESS_MAX;
		start = local_start(text, first, at);
		end = domain_end(text, at + 1, start > 0 && text.ptr[start - 1] == '<');
		if (start < at && end > at + 1 && end - start <= REPORT_ADDRESS_MAX &&
		    report_is_text(slice_from(slice_first(text, end), start))) {
			*before = start;
			return slice_from(slice_first(text, end), start);
		}
		from = at + 1;
	}
}

bool report_xtext_decode(struct buf *out, struct slice xtext)
{
	for (size_t i = 0; i < xtext.len; i++) {
		char c = xtext.ptr[i];

		if (c < '!' || c > '~' || c == '=')
			return false;
		if (c != '+')
			continue;
		/* Upper case alone is xtext. */
		for (size_t k = i + 1; k <= i + 2; k++) {
			if (k >= xtext.len || (!ascii_is_digit(xtext.ptr[k]) &&
					       (xtext.ptr[k] < 'A' || xtext.ptr[k] > 'F')))
				return false;
		}
	}
	mail_add_escaped(out, xtext, '+');
	return true;
}

/* ---- the message that was sent ---- */

void report_take_original(struct report_reading *r, struct slice text)
{
	struct report_original *original = &r->out->original;
	struct slice body;
	struct slice id;

	/* Some reporters leave an empty line in front. */
	while (text.len > 0 && (text.ptr[0] == '\r' || text.ptr[0] == '\n'))
		text = slice_from(text, 1);
	mail_split(text, &original->headers, &body);
	original->to = report_field_address(r, original->headers, SLICE("To"));
	original->list_unsubscribe =
		report_field_text(r, original->headers, SLICE("List-Unsubscribe"));
	id = report_field_text(r, original->headers, SLICE("Message-ID"));
	if (id.len > 0 && id.ptr[0] == '<')
		id = slice_from(id, 1);
	if (slice_find_char(id, '>') >= 0)
		id = slice_first(id, (size_t)slice_find_char(id, '>'));
	original->message_id = id;
}

void report_find_original(struct report_reading *r)
{
	static const struct slice types[] = {
		PHRASE("message/rfc822"),
		PHRASE("message/global"),
		PHRASE("text/rfc822-headers"),
		PHRASE("message/rfc822-headers"),
		PHRASE("message/global-headers"),
		PHRASE("text/rfc822"),
	};

	for (size_t i = 0; i < array_count(types); i++) {
		const struct mail_part *part = report_part_of(r, types[i]);

		if (!part || part == r->parts)
			continue;
		report_take_original(r, kept(r, mail_content(r->arena, part, REPORT_TEXT_MAX)));
		return;
	}
}

/* ---- words ---- */

static bool is_white(char c)
{
	return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

static struct slice join_lines(struct report_reading *r, struct slice text, bool lower)
{
	char *to = arena_take(r->arena, text.len + 1);
	size_t n = 0;

	if (!to)
		return kept(r, SLICE_NONE);
	for (size_t i = 0; i < text.len; i++) {
		if (!is_white(text.ptr[i])) {
			to[n++] = lower ? ascii_lower(text.ptr[i]) : text.ptr[i];
			continue;
		}
		while (i + 1 < text.len && is_white(text.ptr[i + 1]))
			i++;
		if (n > 0 && i + 1 < text.len &&
		    ((u8)to[n - 1] < 0x80 || (u8)text.ptr[i + 1] < 0x80))
			to[n++] = ' ';
	}
	return (struct slice){ to, n };
}

struct slice report_flatten(struct report_reading *r, struct slice text)
{
	return join_lines(r, text, true);
}

struct slice report_one_line(struct report_reading *r, struct slice text)
{
	size_t len = min_size(text.len, REPORT_DIAGNOSTIC_MAX);

	/* No character is cut in two. */
	while (len < text.len && len > 0 && ((u8)text.ptr[len] & 0xc0) == 0x80)
		len--;
	return slice_trim(join_lines(r, slice_first(text, len), false));
}

void report_sum_up(struct report_reading *r)
{
	for (const struct report_recipient *one = r->out->recipients; one; one = one->next) {
		if (one->kind > r->out->kind)
			r->out->kind = one->kind;
	}
}

bool report_has_phrase(struct slice flat, const struct slice *phrases, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		if (slice_find(flat, phrases[i]) >= 0)
			return true;
	}
	return false;
}

/* ---- the entry ---- */

static void clear(struct report *out)
{
	*out = (struct report){ 0 };
	out->original = (struct report_original){ SLICE(""), SLICE(""), SLICE(""), SLICE("") };
	out->feedback = (struct report_feedback){
		.type = SLICE(""),
		.user_agent = SLICE(""),
		.mail_from = SLICE(""),
		.source_ip = SLICE(""),
		.arrival_date = SLICE(""),
		.reported_domain = SLICE(""),
		.incidents = 1,
	};
	out->reporting_mta = SLICE("");
	out->envelope_id = SLICE("");
	out->subject = SLICE("");
	out->from = SLICE("");
}

enum report_kind report_read(struct slice message, struct report *out, struct arena *arena)
{
	struct report_reading r = { .arena = arena, .out = out };

	clear(out);
	if (!message.ptr)
		message = SLICE("");
	r.parts = mail_read(arena, message);
	if (!r.parts) {
		out->is_incomplete = true;
		return out->kind;
	}
	r.headers = r.parts->headers;
	out->subject = report_field_text(&r, r.headers, SLICE("Subject"));
	out->from = report_field_address(&r, r.headers, SLICE("From"));
	r.to = report_field_address(&r, r.headers, SLICE("To"));
	r.flat_subject = report_flatten(&r, out->subject);
	if (!report_read_feedback(&r) && !report_read_status(&r) && !report_read_bounce(&r))
		report_read_reply(&r);
	if (r.is_full) {
		clear(out);
		out->is_incomplete = true;
	}
	return out->kind;
}
