#include "message/review.h"

#include "base/text.h"
#include "base/utf8.h"
#include "message/html_text.h"
#include "message/japanese.h"
#include "message/preheader.h"
#include "message/review_parts.h"
#include "message/text_writer.h"

#include <stdlib.h>

static const enum review_severity severities[REVIEW_KINDS] = {
	[REVIEW_TEMPLATE_BROKEN] = REVIEW_MUST,	    [REVIEW_CHARACTER] = REVIEW_MUST,
	[REVIEW_SUBJECT_EMPTY] = REVIEW_MUST,	    [REVIEW_SUBJECT_LONG] = REVIEW_MAY,
	[REVIEW_BODY_EMPTY] = REVIEW_MUST,	    [REVIEW_NO_TEXT] = REVIEW_SHOULD,
	[REVIEW_NO_UNSUBSCRIBE_LINK] = REVIEW_MUST, [REVIEW_NO_UNSUBSCRIBE_HEADER] = REVIEW_MUST,
	[REVIEW_IDENTITY_UNSET] = REVIEW_MUST,	    [REVIEW_NO_SENDER_NAME] = REVIEW_MUST,
	[REVIEW_NO_SENDER_ADDRESS] = REVIEW_MUST,   [REVIEW_NO_SENDER_CONTACT] = REVIEW_MUST,
	[REVIEW_FIELD_MAY_BE_EMPTY] = REVIEW_SHOULD, [REVIEW_LINE_LONG] = REVIEW_MAY,
	[REVIEW_HTML_LARGE] = REVIEW_SHOULD,	    [REVIEW_NO_PREHEADER] = REVIEW_MAY,
	[REVIEW_IMAGE_WITHOUT_ALT] = REVIEW_SHOULD, [REVIEW_IMAGE_DATA] = REVIEW_SHOULD,
	[REVIEW_IMAGES_LARGE] = REVIEW_SHOULD,	    [REVIEW_IMAGES_ALONE] = REVIEW_SHOULD,
	[REVIEW_LINK_SCRIPT] = REVIEW_MUST,	    [REVIEW_LINK_EMPTY] = REVIEW_SHOULD,
	[REVIEW_LINK_RELATIVE] = REVIEW_MUST,	    [REVIEW_LINK_PLAIN] = REVIEW_MAY,
	[REVIEW_LINK_SHORTENED] = REVIEW_SHOULD,    [REVIEW_LINK_DISGUISED] = REVIEW_SHOULD,
	[REVIEW_ELEMENT] = REVIEW_SHOULD,	    [REVIEW_IMAGE_GONE] = REVIEW_MUST,
	[REVIEW_INLINE_LARGE] = REVIEW_MUST,
};

void review_add(struct reviewer *r, enum review_kind kind, enum review_part part, u32 line,
		struct slice detail)
{
	struct review *review = r->review;
	struct slice copy;

	review->counts[severities[kind]]++;
	if (++r->same[kind] > REVIEW_SAME_MAX || review->count == REVIEW_FINDINGS_MAX)
		return;
	/* Whole characters of it. */
	if (detail.len > 200) {
		detail.len = 200;
		while (detail.len > 0 && ((u8)detail.ptr[detail.len] & 0xc0) == 0x80)
			detail.len--;
	}
	copy = arena_copy(r->arena, detail);
	r->no_memory |= !copy.ptr;
	review->findings[review->count++] = (struct review_finding){
		.kind = kind,
		.severity = severities[kind],
		.part = part,
		.line = line,
		.detail = copy,
	};
}

bool review_names_unsubscribe(const struct reviewer *r, struct slice text)
{
	for (size_t i = 0; i < r->input->unsubscribe_field_count; i++) {
		if (slice_find(text, r->input->unsubscribe_fields[i]) >= 0)
			return true;
	}
	return false;
}

/* ---- as a template ---- */

/*
 * What the compiler refuses. It names the first mistake of all parts; the other ones are told when
 * that is mended.
 */
static void check_template(struct reviewer *r)
{
	const struct review_input *in = r->input;
	struct message_source source = { .name = "mail", .text = in->text, .html = in->html };
	struct message_options options = { .columns = in->columns,
					   .column_count = in->column_count,
					   .blocks = in->blocks };
	struct message *message;
	struct error error;
	struct buf headers;

	buf_init(&headers, 1u << 20);
	buf_add_text(&headers, "From: a@example.com\nSubject: ");
	buf_add_slice(&headers, in->subject);
	source.headers = buf_slice(&headers);
	r->no_memory |= headers.failed;
	message = message_compile(&source, &options, &error);
	if (!message) {
		i64 html = slice_find(slice_of(error.text), SLICE("(html)"));
		i64 text = slice_find(slice_of(error.text), SLICE("(text)"));

		review_add(r, REVIEW_TEMPLATE_BROKEN,
			   html >= 0   ? REVIEW_HTML
			   : text >= 0 ? REVIEW_TEXT
				       : REVIEW_SUBJECT,
			   0, slice_of(error.text));
	}
	message_free(message);
	buf_done(&headers);
}

/* What ISO-2022-JP lacks. */
static void check_characters(struct reviewer *r, struct slice text, enum review_part part)
{
	u32 line = 1;

	if (r->input->charset != MESSAGE_ISO_2022_JP || !utf8_is_valid(text))
		return;
	while (text.len > 0) {
		u32 code;
		size_t len = japanese_next(text, &code);

		if (code == JAPANESE_NONE)
			review_add(r, REVIEW_CHARACTER, part, line, slice_first(text, len));
		line += text.ptr[0] == '\n';
		text = slice_from(text, len);
	}
}

/* ---- subject, text ---- */

static void check_subject(struct reviewer *r)
{
	struct slice subject = slice_trim(r->input->subject);
	u32 width = 0;

	if (subject.len == 0)
		review_add(r, REVIEW_SUBJECT_EMPTY, REVIEW_SUBJECT, 0, SLICE_NONE);
	width = text_width(subject);
	if (width > REVIEW_SUBJECT_WIDTH)
		review_add(r, REVIEW_SUBJECT_LONG, REVIEW_SUBJECT, 0, SLICE_NONE);
}

static void check_lines(struct reviewer *r)
{
	struct slice rest = r->text;

	for (u32 line = 1; rest.len > 0 && rest.ptr; line++) {
		if (slice_split(&rest, '\n').len > REVIEW_TEXT_LINE_MAX)
			review_add(r, REVIEW_LINE_LONG, REVIEW_TEXT, line, SLICE_NONE);
	}
}

/* ---- who sends ---- */

/* Without white space, in which letters and postal addresses differ. */
static void condense(struct slice text, struct buf *out)
{
	static const struct slice wide = { "\xe3\x80\x80", 3 };

	buf_reset(out);
	while (text.len > 0) {
		if (slice_has_prefix(text, wide)) {
			text = slice_from(text, wide.len);
			continue;
		}
		if ((u8)text.ptr[0] > ' ')
			buf_add_char(out, text.ptr[0]);
		text = slice_from(text, 1);
	}
}

static void check_identity(struct reviewer *r, struct slice body, enum review_part part)
{
	const struct {
		struct slice words;
		enum review_kind kind;
	} facts[] = { { r->input->sender_name, REVIEW_NO_SENDER_NAME },
		      { r->input->sender_address, REVIEW_NO_SENDER_ADDRESS },
		      { r->input->sender_contact, REVIEW_NO_SENDER_CONTACT } };
	struct buf all;
	struct buf one;

	buf_init(&all, 2 * MESSAGE_TEMPLATE_MAX);
	buf_init(&one, 1u << 16);
	condense(body, &all);
	for (size_t i = 0; i < array_count(facts); i++) {
		condense(facts[i].words, &one);
		if (one.len > 0 && slice_find(buf_slice(&all), buf_slice(&one)) < 0)
			review_add(r, facts[i].kind, part, 0, facts[i].words);
	}
	r->no_memory |= all.failed || one.failed;
	buf_done(&all);
	buf_done(&one);
}

static void check_configuration(struct reviewer *r)
{
	if (r->input->sender_name.len == 0)
		review_add(r, REVIEW_IDENTITY_UNSET, REVIEW_MESSAGE, 0, SLICE("name"));
	if (r->input->sender_address.len == 0)
		review_add(r, REVIEW_IDENTITY_UNSET, REVIEW_MESSAGE, 0, SLICE("address"));
	if (r->input->sender_contact.len == 0)
		review_add(r, REVIEW_IDENTITY_UNSET, REVIEW_MESSAGE, 0, SLICE("contact"));
	if (!r->input->has_unsubscribe_header && !r->input->is_transactional)
		review_add(r, REVIEW_NO_UNSUBSCRIBE_HEADER, REVIEW_MESSAGE, 0, SLICE_NONE);
}

/* ---- parts ---- */

static bool check_html(struct reviewer *r)
{
	char digits[24];
	struct buf number = { .ptr = digits, .size = sizeof(digits), .max = sizeof(digits) };
	struct buf plain;

	if (!review_html(r))
		return false;
	if (!r->has_unsubscribe_link && !r->input->is_transactional)
		review_add(r, REVIEW_NO_UNSUBSCRIBE_LINK, REVIEW_HTML, 0, SLICE_NONE);
	buf_add_u64(&number, (r->html.len + 1023) >> 10);
	if (r->html.len > REVIEW_HTML_MAX)
		review_add(r, REVIEW_HTML_LARGE, REVIEW_HTML, 0, buf_slice(&number));
	if (!preheader_is_there(r->html))
		review_add(r, REVIEW_NO_PREHEADER, REVIEW_HTML, 0, SLICE_NONE);
	if (r->text.len == 0 && !r->input->makes_text)
		review_add(r, REVIEW_NO_TEXT, REVIEW_MESSAGE, 0, SLICE_NONE);
	buf_init(&plain, 2 * MESSAGE_TEMPLATE_MAX);
	r->no_memory |= !html_text_make(r->html, &plain);
	check_identity(r, buf_slice(&plain), REVIEW_HTML);
	buf_done(&plain);
	return true;
}

static void check_text(struct reviewer *r)
{
	check_lines(r);
	if (!r->input->is_transactional && !review_names_unsubscribe(r, r->text))
		review_add(r, REVIEW_NO_UNSUBSCRIBE_LINK, REVIEW_TEXT, 0, SLICE_NONE);
	check_identity(r, r->text, REVIEW_TEXT);
}

/* With blocks in place. What cannot be expanded is what check_template tells of. */
static struct slice expand(struct reviewer *r, struct slice text, bool html)
{
	struct error error;
	struct buf out;

	if (!r->input->blocks || text.len == 0)
		return text;
	buf_init(&out, MESSAGE_TEMPLATE_MAX);
	if (message_blocks_expand("mail", text, html, r->input->blocks, &out, &error)) {
		text = arena_copy_buf(r->arena, &out);
		r->no_memory |= !text.ptr;
	}
	r->no_memory |= out.no_memory;
	buf_done(&out);
	return text;
}

static int by_severity(const void *a, const void *b)
{
	const struct review_finding *x = a;
	const struct review_finding *y = b;

	if (x->severity != y->severity)
		return x->severity < y->severity ? -1 : 1;
	if (x->part != y->part)
		return x->part < y->part ? -1 : 1;
	if (x->line != y->line)
		return x->line < y->line ? -1 : 1;
	return x->kind < y->kind ? -1 : x->kind > y->kind;
}

bool review_message(const struct review_input *input, struct arena *arena, struct review *review,
		    struct error *error)
{
	struct reviewer r = { .input = input, .arena = arena, .review = review };

	*review = (struct review){ 0 };
	r.html = expand(&r, input->html, true);
	r.text = expand(&r, input->text, false);
	check_template(&r);
	check_configuration(&r);
	check_subject(&r);
	check_characters(&r, input->subject, REVIEW_SUBJECT);
	check_characters(&r, r.text, REVIEW_TEXT);
	check_characters(&r, r.html, REVIEW_HTML);
	review_fields(&r, input->subject, REVIEW_SUBJECT);
	review_fields(&r, r.text, REVIEW_TEXT);
	review_fields(&r, r.html, REVIEW_HTML);
	if (r.text.len == 0 && r.html.len == 0)
		review_add(&r, REVIEW_BODY_EMPTY, REVIEW_MESSAGE, 0, SLICE_NONE);
	if (r.text.len > 0)
		check_text(&r);
	if (r.html.len > 0 && !check_html(&r))
		r.no_memory = true;
	if (review->count > 1)
		qsort(review->findings, review->count, sizeof(review->findings[0]), by_severity);
	return !r.no_memory || error_set(error, "out of memory");
}
