/*
 * Complaints: RFC 5965 (abuse reporting format), with RFC 6590's hidden recipients, and what
 * Microsoft's programme sends, which is the message alone with a field of its own.
 */
#include "base/text.h"
#include "smtp/report_parts.h"

#define FEEDBACK_MAX (64u << 10)
#define VALUE_MAX 512

static struct slice value_text(struct report_reading *r, struct slice block, struct slice name)
{
	struct slice value = mail_find(block, name);

	return value.ptr ? report_text(r, value, VALUE_MAX) : SLICE("");
}

/* Whether that is a recipient's place with the recipient taken out. */
static bool is_redacted(struct slice address)
{
	struct slice domain = address;
	struct slice local = slice_split(&domain, '@');
	u32 stars = 0;

	for (size_t i = 0; i < local.len; i++)
		stars += local.ptr[i] == '*' || ascii_lower(local.ptr[i]) == 'x';
	if (local.len >= 3 && stars == local.len)
		return true;
	for (size_t i = 0; i < local.len; i++) {
		if (slice_has_prefix_nocase(slice_from(local, i), SLICE("redacted")))
			return true;
	}
	/* RFC 6590 section 3: base64 of a keyed hash. */
	return local.len >= 20 && local.ptr[local.len - 1] == '=';
}

static void add_complainer(struct report_reading *r, struct slice address)
{
	struct report_recipient *recipient;

	if (address.len == 0 || is_redacted(address)) {
		r->out->feedback.is_redacted = true;
		return;
	}
	recipient = report_add_recipient(r);
	if (!recipient)
		return;
	recipient->address = address;
	recipient->kind = r->out->kind;
}

static void add_complainers(struct report_reading *r, struct slice block)
{
	struct slice rest = block;
	struct mail_field field;
	struct slice own = SLICE_NONE;

	while (mail_next_field(&rest, &field) && !r->is_full) {
		struct slice address;
		size_t before;

		if (!slice_equal_nocase(field.name, SLICE("Original-Rcpt-To")))
			continue;
		if (r->out->recipient_count >= REPORT_RECIPIENTS_MAX) {
			r->out->recipient_count++;
			continue;
		}
		address = report_text(r, field.value, VALUE_MAX);
		own = report_next_address(address, &before);
		add_complainer(r, own.ptr ? own : SLICE(""));
	}
	if (r->out->recipient_count > 0 || own.ptr)
		return;
	/* Hotmail's field in the message, else whom the message was to. */
	own = report_field_address(r, r->out->original.headers, SLICE("X-HmXmrOriginalRecipient"));
	add_complainer(r, own.len > 0 ? own : r->out->original.to);
}

static enum report_kind kind_of(struct slice type)
{
	static const struct {
		struct slice type;
		enum report_kind kind;
	} known[] = {
		{ PHRASE("not-spam"), REPORT_NOTICE },	   /* RFC 6430 */
		{ PHRASE("auth-failure"), REPORT_NOTICE }, /* RFC 6591: a host's word */
		{ PHRASE("dmarc"), REPORT_NOTICE },
		{ PHRASE("opt-out"), REPORT_UNSUBSCRIBE }, /* of the drafts, still in use */
		{ PHRASE("opt-out-list"), REPORT_UNSUBSCRIBE },
	};

	for (size_t i = 0; i < array_count(known); i++) {
		if (slice_equal(type, known[i].type))
			return known[i].kind;
	}
	return REPORT_COMPLAINT;
}

static struct slice without_brackets(struct slice s)
{
	if (s.len >= 2 && s.ptr[0] == '<' && s.ptr[s.len - 1] == '>')
		return slice_from(slice_first(s, s.len - 1), 1);
	return s;
}

static void read_fields(struct report_reading *r, struct slice block)
{
	struct report_feedback *feedback = &r->out->feedback;
	u32 incidents;

	feedback->type = report_field_lower(r, block, SLICE("Feedback-Type"));
	feedback->user_agent = value_text(r, block, SLICE("User-Agent"));
	feedback->mail_from = without_brackets(value_text(r, block, SLICE("Original-Mail-From")));
	feedback->source_ip = value_text(r, block, SLICE("Source-IP"));
	feedback->arrival_date = value_text(r, block, SLICE("Arrival-Date"));
	if (feedback->arrival_date.len == 0)
		feedback->arrival_date = value_text(r, block, SLICE("Received-Date"));
	feedback->reported_domain = value_text(r, block, SLICE("Reported-Domain"));
	if (slice_to_u32(value_text(r, block, SLICE("Incidents")), &incidents) && incidents > 0)
		feedback->incidents = incidents;
	r->out->envelope_id = value_text(r, block, SLICE("Original-Envelope-Id"));
	r->out->reporting_mta =
		report_without_type(value_text(r, block, SLICE("Reporting-MTA")));
}

/* The junk mail programme of Outlook.com: the message as an attachment, and a field in it. */
static bool read_jmrp(struct report_reading *r)
{
	const struct mail_part *part = report_part_of(r, SLICE("message/rfc822"));

	if (!part || part == r->parts)
		return false;
	report_find_original(r);
	if (!mail_find(r->out->original.headers, SLICE("X-HmXmrOriginalRecipient")).ptr &&
	    !slice_has_prefix(r->flat_subject, SLICE("complaint about message from")))
		return false;
	r->out->feedback.type = SLICE("abuse");
	return true;
}

bool report_read_feedback(struct report_reading *r)
{
	const struct mail_part *part = report_part_of(r, SLICE("message/feedback-report"));
	struct slice block = SLICE("");

	if (part) {
		struct slice body;

		block = mail_content(r->arena, part, FEEDBACK_MAX);
		r->is_full |= !block.ptr;
		if (!block.ptr)
			return true;
		/* An empty line in front, as some have it, is no end. */
		while (block.len > 0 && (block.ptr[0] == '\r' || block.ptr[0] == '\n'))
			block = slice_from(block, 1);
		mail_split(block, &block, &body);
		read_fields(r, block);
		report_find_original(r);
	} else if (!read_jmrp(r)) {
		return false;
	}
	r->out->form = REPORT_FORM_FEEDBACK;
	r->out->kind = kind_of(r->out->feedback.type);
	add_complainers(r, block);
	return true;
}
