/*
 * Bounces in free form: what qmail (QSBMF), Exim, Sendmail of old, carriers and gateways write for
 * people. Nothing tells such a text from any other but who wrote it and what it says, so there must
 * be a sign of the first before the second is believed.
 */
#include "base/text.h"
#include "smtp/report_parts.h"

#include <string.h>

#define PARAGRAPHS_MAX 256  /* that are looked at for the host's words */
#define PARAGRAPH_MAX 2048  /* octets of one that are looked at */
#define CUT_MAX 200         /* octets of a line in front of a copy */
#define AUTO_TEXT_MAX 2000  /* a longer text of a machine is no "mailbox is full" */

struct bounce {
	struct report_reading *r;
	struct slice text;  /* in front of the copy of what was sent */
	struct slice tail;  /* that copy; ptr is NULL when there is none */
	struct slice flat;  /* the text, flattened */
	struct slice words; /* first paragraph that says why; ptr is NULL before it is looked for */
	bool is_delay;
	bool is_mailbox; /* no daemon wrote it, but the mailbox that is full */
};

/* ---- who wrote it ---- */

static bool is_daemon(struct report_reading *r)
{
	static const struct slice names[] = {
		PHRASE("mailer-daemon"),
		PHRASE("mailerdaemon"),
		PHRASE("mail-daemon"),
		PHRASE("maildaemon"),
		PHRASE("mail daemon"),
		PHRASE("postmaster"),
		PHRASE("mail delivery"),
		PHRASE("mdaemon"),
		PHRASE("mail system"),
		PHRASE("mail administrator"),
		PHRASE("system administrator"),
		PHRASE("システム管理者"),
	};
	struct slice from = report_field_text(r, r->headers, SLICE("From"));
	struct slice flat = report_flatten(r, from);

	return report_has_phrase(flat, names, array_count(names));
}

static bool is_bounce_subject(struct slice flat)
{
	static const struct slice phrases[] = {
		PHRASE("undeliver"),
		PHRASE("nondeliver"),
		PHRASE("non-deliver"),
		PHRASE("non deliver"),
		PHRASE("delivery fail"),
		PHRASE("delivery status notification"),
		PHRASE("delivery notification"),
		PHRASE("delivery error"),
		PHRASE("delivery problem"),
		PHRASE("failure notice"),
		PHRASE("failure delivery"),
		PHRASE("returned mail"),
		PHRASE("returned to sender"),
		PHRASE("returning message"),
		PHRASE("mail failure"),
		PHRASE("mail delivery failed"),
		PHRASE("message not delivered"),
		PHRASE("could not be delivered"),
		PHRASE("mail could not be sent"),
		PHRASE("unable to deliver"),
		PHRASE("mail system error"),
		PHRASE("delivery delayed"),
		PHRASE("配信不能"),
		PHRASE("配信エラー"),
		PHRASE("配送エラー"),
		PHRASE("送信エラー"),
		PHRASE("送信失敗"),
		PHRASE("配信失敗"),
		PHRASE("配送できません"),
		PHRASE("配信できません"),
		PHRASE("送信できません"),
		PHRASE("エラーメール"),
		PHRASE("届きません"),
		PHRASE("未達"),
		PHRASE("宛先不明"),
		PHRASE("あて先不明"),
	};

	return !slice_has_prefix(flat, SLICE("re:")) && !slice_has_prefix(flat, SLICE("fwd:")) &&
	       !slice_has_prefix(flat, SLICE("fw:")) &&
	       report_has_phrase(flat, phrases, array_count(phrases));
}

/* ---- the text ---- */

/* "--- Below this line is a copy of the message." and what others write there. */
static bool is_cut(struct slice line)
{
	static const struct slice phrases[] = {
		PHRASE("copy of the message"),
		PHRASE("copy of your message"),
		PHRASE("copy of the original"),
		PHRASE("original message"),
		PHRASE("original mail"),
		PHRASE("original email"),
		PHRASE("header follows"),
		PHRASE("headers follow"),
		PHRASE("message headers"),
		PHRASE("returned message"),
		PHRASE("unsent message"),
		PHRASE("undelivered message"),
		PHRASE("message follows"),
		PHRASE("元のメッセージ"),
		PHRASE("元のメール"),
		PHRASE("オリジナルメッセージ"),
		PHRASE("送信されたメール"),
		PHRASE("送信メッセージ"),
	};
	struct slice text = slice_trim(line);
	char lower[CUT_MAX];

	if (text.len == 0 || text.len > sizeof(lower))
		return false;
	if (!memchr("-=*#+", text.ptr[0], 5) && !memchr(":-=*", text.ptr[text.len - 1], 4))
		return false;
	memcpy(lower, text.ptr, text.len);
	ascii_lower_in_place(lower, text.len);
	return report_has_phrase((struct slice){ lower, text.len }, phrases, array_count(phrases));
}

/* A header block that begins without a word about it. */
static bool is_head(struct slice line)
{
	return slice_has_prefix_nocase(line, SLICE("Received: ")) ||
	       slice_has_prefix_nocase(line, SLICE("Return-Path: ")) ||
	       slice_has_prefix_nocase(line, SLICE("DKIM-Signature: "));
}

static void cut_text(struct bounce *b, struct slice text)
{
	struct slice rest = text;
	struct slice line;

	b->text = text;
	while (mail_next_line(&rest, &line)) {
		bool decorated = is_cut(line);

		if (!decorated && !is_head(line))
			continue;
		b->text = slice_first(text, (size_t)(line.ptr - text.ptr));
		b->tail = decorated ? rest : slice_from(text, (size_t)(line.ptr - text.ptr));
		return;
	}
}

/* The next run of lines that are not blank. */
static bool next_paragraph(struct slice *rest, struct slice *paragraph)
{
	const char *start = NULL;
	const char *end = NULL;
	struct slice line;

	while (mail_next_line(rest, &line)) {
		if (slice_trim(line).len == 0) {
			if (start)
				break;
			continue;
		}
		if (!start)
			start = line.ptr;
		end = line.ptr + line.len;
	}
	if (!start)
		return false;
	*paragraph = (struct slice){ start, (size_t)(end - start) };
	return true;
}

/* ---- the host's words ---- */

static bool has_numbers(struct slice flat)
{
	u16 status[3] = { 0 };
	u16 code = 0;

	report_find_status(flat, 4, status);
	report_find_code(flat, &code);
	return status[0] > 0 || code > 0;
}

/* The first paragraph with a host's code, else the first that says why, else all. */
static struct slice words_of_all(struct bounce *b)
{
	struct slice rest = b->text;
	struct slice paragraph;
	struct slice spoken = SLICE_NONE;

	if (b->words.ptr)
		return b->words;
	for (u32 i = 0; i < PARAGRAPHS_MAX && next_paragraph(&rest, &paragraph); i++) {
		struct slice flat = report_flatten(b->r, slice_first(paragraph, PARAGRAPH_MAX));

		if (has_numbers(flat)) {
			b->words = paragraph;
			return paragraph;
		}
		if (!spoken.ptr && report_knows_reason(flat))
			spoken = paragraph;
	}
	b->words = spoken.ptr ? spoken : b->text;
	return b->words;
}

static bool is_own(const struct report_reading *r, struct slice address)
{
	return slice_equal_nocase(address, r->to) || slice_equal_nocase(address, r->out->from) ||
	       slice_has_prefix_nocase(address, SLICE("mailer-daemon@")) ||
	       slice_has_prefix_nocase(address, SLICE("postmaster@"));
}

static bool is_known(const struct report_reading *r, struct slice address)
{
	for (const struct report_recipient *one = r->out->recipients; one; one = one->next) {
		if (slice_equal_nocase(one->address, address))
			return true;
	}
	return false;
}

/* A recipient that `paragraph` speaks of. */
static void add_failed(struct bounce *b, struct slice address, struct slice paragraph)
{
	struct report_recipient *recipient;
	struct slice flat;

	if (address.len > 0 && is_known(b->r, address))
		return;
	recipient = report_add_recipient(b->r);
	if (!recipient)
		return;
	recipient->address = address;
	flat = report_flatten(b->r, slice_first(paragraph, PARAGRAPH_MAX));
	if (!has_numbers(flat) && !report_knows_reason(flat)) {
		paragraph = words_of_all(b);
		flat = report_flatten(b->r, slice_first(paragraph, PARAGRAPH_MAX));
	}
	recipient->diagnostic = report_one_line(b->r, paragraph);
	report_judge_failure(recipient, flat);
	if (recipient->reason == REPORT_REASON_NONE && !has_numbers(flat))
		report_judge_failure(recipient, b->r->flat_subject);
}

/* ---- whom it is about ---- */

/* The address of "<user@example>:" at the paragraph's front: QSBMF, also Postfix's own text. */
static struct slice leading_address(struct slice paragraph)
{
	i64 end = slice_find_char(slice_first(paragraph, REPORT_ADDRESS_MAX + 2), '>');
	struct slice address;

	if (end < 3 || paragraph.ptr[0] != '<' || (size_t)end + 1 >= paragraph.len ||
	    paragraph.ptr[end + 1] != ':')
		return SLICE_NONE;
	address = slice_from(slice_first(paragraph, (size_t)end), 1);
	return slice_find_char(address, '@') > 0 && report_is_text(address) ? address : SLICE_NONE;
}

static void add_leading(struct bounce *b)
{
	struct slice rest = b->text;
	struct slice paragraph;

	while (next_paragraph(&rest, &paragraph) && !b->r->is_full) {
		struct slice address = leading_address(paragraph);

		if (address.ptr)
			add_failed(b, address, paragraph);
	}
}

/* The paragraph with that address, else an empty one. */
static struct slice paragraph_of(struct bounce *b, struct slice address)
{
	struct slice rest = b->text;
	struct slice paragraph;

	while (next_paragraph(&rest, &paragraph)) {
		if (slice_find(paragraph, address) >= 0)
			return paragraph;
	}
	return SLICE("");
}

/* X-Failed-Recipients: "a@example, b@example". */
static void add_listed(struct bounce *b)
{
	struct slice list =
		report_field_text(b->r, b->r->headers, SLICE("X-Failed-Recipients"));
	struct slice address;
	size_t before;

	while (!b->r->is_full && b->r->out->recipient_count < REPORT_RECIPIENTS_MAX) {
		address = report_next_address(list, &before);
		if (!address.ptr)
			return;
		list = slice_from(list, before + address.len);
		add_failed(b, address, paragraph_of(b, address));
	}
}

/* A line that holds an address and nothing else, but for brackets, quotes and bullets. */
static struct slice address_alone(struct slice line)
{
	static const char around[] = " \t<>'\"()[],:;.*-`";
	struct slice address;
	size_t before;

	while (line.len > 0 && memchr(around, line.ptr[0], sizeof(around) - 1))
		line = slice_from(line, 1);
	while (line.len > 0 && memchr(around, line.ptr[line.len - 1], sizeof(around) - 1))
		line.len--;
	address = line.len <= REPORT_ADDRESS_MAX ? report_next_address(line, &before) : SLICE_NONE;
	return address.ptr && address.len == line.len ? address : SLICE_NONE;
}

static void add_alone(struct bounce *b)
{
	struct slice rest = b->text;
	struct slice paragraph;

	while (next_paragraph(&rest, &paragraph)) {
		struct slice lines = paragraph;
		struct slice line;

		while (mail_next_line(&lines, &line)) {
			struct slice address = address_alone(line);

			if (b->r->is_full || b->r->out->recipient_count >= REPORT_RECIPIENTS_MAX)
				return;
			if (address.ptr && !is_own(b->r, address))
				add_failed(b, address, paragraph);
		}
	}
}

/* The first address of somebody else that the text names; lines about a Message-ID are not it. */
static void add_first(struct bounce *b)
{
	struct slice rest = b->text;
	struct slice paragraph;

	while (next_paragraph(&rest, &paragraph)) {
		struct slice lines = paragraph;
		struct slice line;

		while (mail_next_line(&lines, &line)) {
			struct slice text = line;
			struct slice address;
			size_t before;

			if (slice_has_prefix_nocase(slice_trim(line), SLICE("message-id")) ||
			    slice_has_prefix_nocase(slice_trim(line), SLICE("message id")))
				continue;
			while ((address = report_next_address(text, &before)).ptr) {
				if (!is_own(b->r, address)) {
					add_failed(b, address, paragraph);
					return;
				}
				text = slice_from(text, before + address.len);
			}
		}
	}
}

static void add_recipients(struct bounce *b)
{
	struct report *out = b->r->out;

	if (mail_find(b->r->headers, SLICE("X-Failed-Recipients")).ptr)
		add_listed(b);
	if (out->recipient_count == 0)
		add_leading(b);
	if (out->recipient_count == 0)
		add_alone(b);
	if (out->recipient_count == 0)
		add_first(b);
	/* Nobody is named: a mailbox speaks of itself, a daemon of whom the message was to. */
	if (out->recipient_count == 0)
		add_failed(b, b->is_mailbox ? out->from : out->original.to, SLICE(""));
}

/* A text about one recipient may name it in one place and have the host's words in another. */
static void add_numbers(struct bounce *b)
{
	struct report_recipient *one = b->r->out->recipients;
	struct slice words;

	if (!one || one->next || one->status[0] > 0 || one->code > 0 || !has_numbers(b->flat))
		return;
	words = words_of_all(b);
	if (has_numbers(report_flatten(b->r, slice_first(words, PARAGRAPH_MAX))))
		one->diagnostic = report_one_line(b->r, words);
	report_judge_failure(one, b->flat);
}

static void set_delayed(struct report_recipient *one)
{
	for (; one; one = one->next)
		one->kind = REPORT_DELAYED;
}

/* ---- the reader ---- */

bool report_read_bounce(struct report_reading *r)
{
	struct bounce b = { .r = r };
	bool is_exim = mail_find(r->headers, SLICE("X-Failed-Recipients")).ptr != NULL;
	bool is_qmail;
	bool is_sign;

	cut_text(&b, report_body(r));
	b.flat = report_flatten(r, b.text);
	is_qmail = slice_has_prefix(slice_trim(b.flat), SLICE("hi. this is the "));
	is_sign = is_exim || is_qmail || is_bounce_subject(r->flat_subject);
	if (!is_sign && report_is_reply_subject(r->flat_subject))
		return false;
	b.is_mailbox = !is_sign && !is_daemon(r);
	is_sign = !b.is_mailbox || report_knows_full(r->flat_subject) ||
		  (report_is_machine(r) && b.flat.len < AUTO_TEXT_MAX && report_knows_full(b.flat));
	b.is_delay = !is_exim &&
		     (report_knows_delay(b.flat) || report_knows_delay(r->flat_subject));
	if (!is_sign || (!is_exim && !b.is_delay && !has_numbers(b.flat) &&
			 !report_knows_failure(b.flat) && !report_knows_failure(r->flat_subject)))
		return false;
	report_find_original(r);
	if (r->out->original.headers.len == 0 && b.tail.ptr)
		report_take_original(r, b.tail);
	r->out->form = is_exim ? REPORT_FORM_EXIM : is_qmail ? REPORT_FORM_QMAIL : REPORT_FORM_TEXT;
	add_recipients(&b);
	add_numbers(&b);
	if (b.is_delay)
		set_delayed(r->out->recipients);
	report_sum_up(r);
	return true;
}
