#include "message/notice.h"

#include "base/clock.h"
#include "base/crypto.h"
#include "base/text.h"
#include "base/utf8.h"
#include "message/encode.h"
#include "message/header.h"
#include "message/notice_words.h"
#include "smtp/mail.h"
#include "smtp/report.h"

#include <stdio.h>
#include <string.h>

#define WRAP_COLUMN 72
#define FOLD_COLUMN 76
#define SUBJECT_MAX 120     /* bytes of the message's own */
#define MESSAGE_ID_MAX 250
#define BOUNDARY_BYTES 15   /* of a hash; random enough that no text has it */
#define RAW_DOTS_MAX 10     /* lines of the original that begin with a dot, sent as they are */
#define RAW_LINE_MAX 998
#define HEADERS_MAX (64u << 10)

struct writer {
	const struct notice *notice;
	struct buf *out;
	struct buf text; /* a part before it is encoded */
	struct slice headers;
	char subject[SUBJECT_MAX + 1];
	char boundary[2 + 2 * BOUNDARY_BYTES + 1];
	bool is_global; /* an address is not ASCII: RFC 6533 */
	bool returns_all;
};

/* ---- foreign text ---- */

/*
 * One line: control characters become blanks, octets that are no UTF-8 (or with `ascii` all beyond)
 * a question mark.
 */
static void add_clean(struct buf *out, struct slice text, bool ascii)
{
	text = slice_first(text, NOTICE_TEXT_MAX);
	while (text.len > 0) {
		u32 code;
		size_t len = utf8_decode(text, &code);

		if (len == 0) {
			len = 1;
			buf_add_char(out, '?');
		} else if (code < 0x20 || (code >= 0x7f && code < 0xa0) || code == 0x2028 ||
			   code == 0x2029) {
			buf_add_char(out, ' ');
		} else if (len > 1 && ascii) {
			buf_add_char(out, '?');
		} else {
			buf_add(out, text.ptr, len);
		}
		text = slice_from(text, len);
	}
}

static bool is_printable(struct slice text)
{
	for (size_t i = 0; i < text.len; i++) {
		if ((u8)text.ptr[i] < 0x20 || text.ptr[i] == 0x7f)
			return false;
	}
	return text.len > 0 && utf8_is_valid(text);
}

/* The message's own subject, decoded, cut where a character ends. */
static void find_subject(struct writer *w)
{
	struct slice raw = slice_first(mail_find(w->headers, SLICE("Subject")), 2000);
	struct buf unfolded;
	struct buf decoded;
	struct buf clean;
	size_t len;

	buf_init(&unfolded, 4000);
	buf_init(&decoded, 16000);
	buf_init(&clean, 4000);
	for (size_t i = 0; i < raw.len; i++) {
		if (raw.ptr[i] != '\r' && raw.ptr[i] != '\n')
			buf_add_char(&unfolded, raw.ptr[i]);
	}
	header_decode_words(&decoded, slice_trim(buf_slice(&unfolded)));
	add_clean(&clean, buf_slice(&decoded), false);
	len = min_size(clean.len, SUBJECT_MAX);
	while (len > 0 && len < clean.len && ((u8)clean.ptr[len] & 0xc0) == 0x80)
		len--;
	slice_copy(w->subject, sizeof(w->subject), slice_first(buf_slice(&clean), len));
	buf_done(&unfolded);
	buf_done(&decoded);
	buf_done(&clean);
}

/* ---- header ---- */

static void begin_field(struct header_writer *h, struct writer *w, const char *name)
{
	header_begin(h, w->out, slice_of(name), MESSAGE_UTF8);
}

static bool add_subject(struct writer *w)
{
	const enum notice_tongue tongue = w->notice->language == NOTICE_ENGLISH ? NOTICE_EN :
										 NOTICE_JA;
	struct header_writer h;
	char whole[SUBJECT_MAX + 128];

	snprintf(whole, sizeof(whole), "%s%s%s",
		 notice_phrases[tongue].subject[w->notice->recipients[0].action],
		 w->subject[0] ? ": " : "", w->subject);
	begin_field(&h, w, "Subject");
	header_add_text(&h, slice_of(whole));
	return header_end(&h);
}

/* What mail programs show the notice beside. */
static void add_references(struct writer *w)
{
	struct slice id = slice_trim(mail_find(w->headers, SLICE("Message-ID")));

	if (id.len < 3 || id.len > MESSAGE_ID_MAX || id.ptr[0] != '<' ||
	    id.ptr[id.len - 1] != '>' || !is_printable(id) || !utf8_is_ascii(id) ||
	    slice_find_char(id, ' ') >= 0)
		return;
	buf_add_format(w->out, "In-Reply-To: %.*s\r\nReferences: %.*s\r\n", SLICE_FMT(id),
		       SLICE_FMT(id));
}

static bool add_header(struct writer *w)
{
	const struct notice *n = w->notice;
	char date[CLOCK_RFC5322_SIZE];

	clock_format_rfc5322(date, n->date_ms);
	buf_add_format(w->out, "From: Mail Delivery System <postmaster@%s>\r\nTo: ", n->domain);
	add_clean(w->out, n->sender, false);
	buf_add_text(w->out, "\r\n");
	if (!add_subject(w))
		return false;
	buf_add_format(w->out, "Date: %s\r\n", date);
	add_references(w);
	buf_add_format(w->out,
		       "Auto-Submitted: auto-replied\r\n"
		       "MIME-Version: 1.0\r\n"
		       "Content-Type: multipart/report; report-type=delivery-status;\r\n"
		       "\tboundary=\"%s\"\r\n\r\n",
		       w->boundary);
	return true;
}

/* ---- the part for people ---- */

/* Wrapped at blanks, but for scripts that have none between words. */
static void add_paragraph(struct buf *out, const char *text)
{
	struct slice rest = slice_of(text);
	const size_t width = utf8_is_ascii(rest) ? WRAP_COLUMN : SIZE_MAX;
	size_t column = 0;

	while (rest.ptr) {
		struct slice word = slice_split(&rest, ' ');

		if (column > 0 && column + 1 + word.len > width) {
			buf_add_char(out, '\n');
			column = 0;
		} else if (column > 0) {
			buf_add_char(out, ' ');
			column++;
		}
		buf_add_slice(out, word);
		column += word.len;
	}
	buf_add_char(out, '\n');
}

/* The phrase with `what` for its "%s". */
static void say(struct buf *out, const char *phrase, struct slice what)
{
	char whole[1024];
	const char *place = strstr(phrase, "%s");
	struct buf clean;

	buf_init(&clean, 4000);
	add_clean(&clean, slice_first(what, 300), false);
	snprintf(whole, sizeof(whole), "%.*s%.*s%s", place ? (int)(place - phrase) : 0, phrase,
		 (int)clean.len, clean.ptr ? clean.ptr : "", place ? place + 2 : phrase);
	add_paragraph(out, whole);
	buf_done(&clean);
}

static struct slice date_text(char text[40], u64 wall_ms)
{
	struct clock_date d;

	clock_date_of(wall_ms, &d);
	snprintf(text, 40, "%04u-%02u-%02u %02u:%02u (UTC)", d.year % 10000, d.month % 100,
		 d.day % 100, d.hour % 100, d.minute % 100);
	return slice_of(text);
}

/* Code and words of the receiver, or words of our own. */
static void add_reply(struct writer *w, const struct notice_recipient *r,
		      const struct notice_phrases *phrases)
{
	if (r->text.len == 0 && r->code == 0)
		return;
	if (r->code > 0 && r->host.len > 0)
		say(&w->text, phrases->host_said, r->host);
	else
		say(&w->text, phrases->reason, SLICE_NONE);
	buf_add_text(&w->text, "\n    ");
	if (r->code > 0)
		buf_add_format(&w->text, "%u ", r->code);
	add_clean(&w->text, r->text, false);
	buf_add_text(&w->text, "\n\n");
}

static void tell_recipient(struct writer *w, const struct notice_recipient *r,
			   enum notice_tongue tongue)
{
	const struct notice_phrases *phrases = &notice_phrases[tongue];
	const struct notice_advice *advice = notice_advice_of(r->class, tongue);
	char date[40];

	add_paragraph(&w->text, phrases->opening[r->action]);
	buf_add_text(&w->text, "\n    ");
	add_clean(&w->text, r->address, false);
	buf_add_text(&w->text, "\n\n");
	if (r->action == NOTICE_FAILED && r->is_expired)
		add_paragraph(&w->text, phrases->expired);
	if (r->action <= NOTICE_DELAYED && (r->code > 0 || r->class != SMTP_CLASS_NONE))
		add_paragraph(&w->text, advice->why);
	add_reply(w, r, phrases);
	switch (r->action) {
	case NOTICE_FAILED:
		add_paragraph(&w->text, advice->todo);
		break;
	case NOTICE_DELAYED:
		say(&w->text, phrases->until, date_text(date, r->until_ms));
		add_paragraph(&w->text, phrases->do_nothing);
		break;
	case NOTICE_RELAYED:
	case NOTICE_EXPANDED:
		add_paragraph(&w->text, phrases->no_more);
		break;
	case NOTICE_DELIVERED:
		break;
	}
	buf_add_char(&w->text, '\n');
}

static void tell(struct writer *w, enum notice_tongue tongue)
{
	const struct notice_phrases *phrases = &notice_phrases[tongue];
	char date[40];

	for (size_t i = 0; i < w->notice->count; i++)
		tell_recipient(w, &w->notice->recipients[i], tongue);
	buf_add_format(&w->text, "%s:\n", phrases->your_message);
	if (w->subject[0])
		buf_add_format(&w->text, "    %s: %s\n", phrases->subject_name, w->subject);
	buf_add_format(&w->text, "    %s: %s\n\n", phrases->accepted_name,
		       date_text(date, w->notice->arrival_ms).ptr);
	add_paragraph(&w->text, w->returns_all ? phrases->attached_all : phrases->attached_header);
	say(&w->text, phrases->ending, slice_of(w->notice->host));
}

static void begin_part(struct writer *w, const char *type, const char *encoding)
{
	buf_add_format(w->out, "--%s\r\nContent-Type: %s\r\n", w->boundary, type);
	buf_add_format(w->out, "Content-Transfer-Encoding: %s\r\n\r\n", encoding);
}

static void add_quoted(struct writer *w, struct slice text)
{
	u32 column = 0;

	quoted_add(w->out, &column, text);
	buf_add_text(w->out, "\r\n");
}

static void add_human_part(struct writer *w)
{
	buf_reset(&w->text);
	if (w->notice->language != NOTICE_ENGLISH)
		tell(w, NOTICE_JA);
	if (w->notice->language == NOTICE_BOTH)
		buf_add_text(&w->text, "\n----\n\n");
	if (w->notice->language != NOTICE_JAPANESE)
		tell(w, NOTICE_EN);
	begin_part(w, "text/plain; charset=utf-8", "quoted-printable");
	add_quoted(w, buf_slice(&w->text));
}

/* ---- the part for machines ---- */

/* LF line ends: folded where there are blanks, so that every line stays far below 998. */
static void add_status(struct writer *w, const char *name, const char *type, struct slice value)
{
	struct buf clean;
	struct slice rest;
	size_t column = strlen(name) + 2 + strlen(type);

	buf_init(&clean, 2 * NOTICE_TEXT_MAX);
	add_clean(&clean, value, !w->is_global);
	rest = buf_slice(&clean);
	buf_add_format(&w->text, "%s:%s%s", name, *type ? " " : "", type);
	while (rest.ptr) {
		struct slice word = slice_first(slice_split(&rest, ' '), RAW_LINE_MAX - 80);

		if (word.len == 0)
			continue;
		if (column + 1 + word.len > FOLD_COLUMN) {
			buf_add_char(&w->text, '\n');
			column = 0;
		}
		buf_add_char(&w->text, ' ');
		buf_add_slice(&w->text, word);
		column += 1 + word.len;
	}
	buf_add_char(&w->text, '\n');
	buf_done(&clean);
}

static void add_date_field(struct writer *w, const char *name, u64 wall_ms)
{
	char date[CLOCK_RFC5322_SIZE];

	if (wall_ms == 0)
		return;
	clock_format_rfc5322(date, wall_ms);
	buf_add_format(&w->text, "%s: %s\n", name, date);
}

/* RFC 3461 sections 4.2 and 4.4: both come as xtext, and go back as what they stand for. */
static bool decode(struct buf *out, struct slice xtext)
{
	buf_init(out, NOTICE_TEXT_MAX);
	return xtext.len > 0 && report_xtext_decode(out, xtext) && is_printable(buf_slice(out));
}

static void add_original_recipient(struct writer *w, struct slice orcpt)
{
	struct slice value = orcpt;
	struct slice type = slice_split(&value, ';');
	char named[40];
	struct buf address;

	if (decode(&address, value) && type.len > 0 && type.len < 30 && is_printable(type) &&
	    utf8_is_ascii(type) && slice_find_char(type, ' ') < 0) {
		snprintf(named, sizeof(named), "%.*s;", SLICE_FMT(type));
		add_status(w, "Original-Recipient", named, buf_slice(&address));
	}
	buf_done(&address);
}

static void add_recipient_status(struct writer *w, const struct notice_recipient *r)
{
	static const char *const actions[] = { "failed", "delayed", "delivered", "relayed",
					       "expanded" };
	struct buf said;

	buf_add_char(&w->text, '\n');
	add_original_recipient(w, r->original);
	add_status(w, "Final-Recipient", utf8_is_ascii(r->address) ? "rfc822;" : "utf-8;",
		   r->address);
	buf_add_format(&w->text, "Action: %s\nStatus: %u.%u.%u\n", actions[r->action],
		       r->status[0], r->status[1], r->status[2]);
	if (r->host.len > 0)
		add_status(w, "Remote-MTA", "dns;", r->host);
	buf_init(&said, 2 * NOTICE_TEXT_MAX);
	if (r->code > 0)
		buf_add_format(&said, "%u ", r->code);
	buf_add_slice(&said, slice_first(r->text, NOTICE_TEXT_MAX - 10));
	if (said.len > 0)
		add_status(w, "Diagnostic-Code", r->code > 0 ? "smtp;" : "x-hikyaku;",
			   buf_slice(&said));
	buf_done(&said);
	add_date_field(w, "Last-Attempt-Date", r->attempt_ms);
	if (r->action == NOTICE_DELAYED)
		add_date_field(w, "Will-Retry-Until", r->until_ms);
}

static void add_machine_part(struct writer *w)
{
	const struct notice *n = w->notice;
	struct buf envid;

	buf_reset(&w->text);
	if (decode(&envid, n->envid))
		add_status(w, "Original-Envelope-Id", "", buf_slice(&envid));
	buf_done(&envid);
	add_status(w, "Reporting-MTA", "dns;", slice_of(n->host));
	add_date_field(w, "Arrival-Date", n->arrival_ms);
	for (size_t i = 0; i < n->count; i++)
		add_recipient_status(w, &n->recipients[i]);
	if (w->is_global) {
		begin_part(w, "message/global-delivery-status", "quoted-printable");
		add_quoted(w, buf_slice(&w->text));
	} else {
		begin_part(w, "message/delivery-status", "7bit");
		crlf_add(w->out, buf_slice(&w->text));
		buf_add_text(w->out, "\r\n");
	}
}

/* ---- the message ---- */

/* One kind of line ends, whatever it came with. */
static void take_lines(struct buf *out, struct slice text)
{
	for (size_t i = 0; i < text.len; i++) {
		if (text.ptr[i] != '\r')
			buf_add_char(out, text.ptr[i]);
	}
}

/* Goes through every relay as it is. */
static bool is_plain(struct slice text)
{
	const struct text_shape shape = text_shape_of(text);

	return shape.ascii && !shape.controls && !shape.from_line &&
	       shape.dot_lines <= RAW_DOTS_MAX && shape.longest_line <= RAW_LINE_MAX;
}

/*
 * message/rfc822 must not be encoded (RFC 2046 section 5.2.1), message/global may be (RFC 6532
 * section 3.7): a message that some host might not take as it is goes back so.
 */
static void add_original_part(struct writer *w)
{
	struct slice all = w->returns_all ? w->notice->original : w->headers;
	struct buf lines;
	bool plain;

	buf_init(&lines, all.len + 1);
	take_lines(&lines, all);
	w->out->failed |= lines.failed;
	plain = is_plain(buf_slice(&lines));
	if (plain) {
		begin_part(w, w->returns_all ? "message/rfc822" : "text/rfc822-headers", "7bit");
		crlf_add(w->out, buf_slice(&lines));
		buf_add_text(w->out, "\r\n");
	} else if (!w->returns_all) {
		begin_part(w, "message/global-headers", "quoted-printable");
		add_quoted(w, buf_slice(&lines));
	} else {
		buf_reset(&w->text);
		crlf_add(&w->text, buf_slice(&lines));
		begin_part(w, "message/global", "base64");
		base64_add_lines(w->out, buf_slice(&w->text));
		buf_add_text(w->out, "\r\n");
		w->out->failed |= w->text.failed;
	}
	buf_done(&lines);
}

/* ---- all of it ---- */

static void choose_boundary(struct writer *w)
{
	u8 hash[SHA256_SIZE];
	struct sha256 h;

	sha256_init(&h);
	sha256_add(&h, w->notice->original.ptr, w->notice->original.len);
	sha256_add(&h, w->notice->recipients[0].address.ptr, w->notice->recipients[0].address.len);
	sha256_add(&h, &w->notice->date_ms, sizeof(w->notice->date_ms));
	sha256_finish(&h, hash);
	memcpy(w->boundary, "=_", 2);
	hex_encode(w->boundary + 2, hash, BOUNDARY_BYTES);
	w->boundary[2 + 2 * BOUNDARY_BYTES] = '\0';
}

static struct slice whole_lines(struct slice headers)
{
	if (headers.len <= HEADERS_MAX)
		return headers;
	headers.len = HEADERS_MAX;
	while (headers.len > 0 && headers.ptr[headers.len - 1] != '\n')
		headers.len--;
	return headers;
}

bool notice_write(const struct notice *notice, struct buf *out)
{
	struct writer w = { .notice = notice, .out = out };
	struct slice body;
	bool ok;

	mail_split(notice->original, &w.headers, &body);
	w.headers = whole_lines(w.headers);
	w.returns_all = notice->returns_all && notice->recipients[0].action == NOTICE_FAILED &&
			notice->original.len <= NOTICE_ORIGINAL_MAX && body.len > 0;
	for (size_t i = 0; i < notice->count; i++)
		w.is_global |= !utf8_is_ascii(notice->recipients[i].address);
	buf_init(&w.text, NOTICE_OWN_MAX * notice->count + 2 * NOTICE_ORIGINAL_MAX);
	choose_boundary(&w);
	find_subject(&w);
	ok = add_header(&w);
	add_human_part(&w);
	add_machine_part(&w);
	add_original_part(&w);
	buf_add_format(out, "--%s--\r\n", w.boundary);
	ok &= !w.text.failed && !out->failed;
	buf_done(&w.text);
	return ok;
}
