#include "smtp/envelope.h"

#include "base/text.h"

static const char bad_parameter[] = "501 5.5.4 bad parameter";
static const char unknown_parameter[] = "555 5.5.4 unknown parameter";

/* One parameter: its name, and its value when there is a "=". */
struct parameter {
	struct slice name;
	struct slice value;
	bool has_value;
};

/* A keyword, and what reads its value: false when that is bad. `to` is the struct to fill in. */
struct parameter_row {
	struct slice name;
	bool (*read)(void *to, const struct parameter *parameter);
	bool needs_auth;
};

/* Path and parameters behind "FROM:" or "TO:"; *rest gets the parameters. NULL: good. */
static const char *read_path(struct smtp_mailbox *mailbox, struct slice argument,
			     struct slice keyword, struct slice *rest)
{
	if (!slice_has_prefix_nocase(argument, keyword))
		return "501 5.5.4 FROM: or TO: has to follow";
	/* Section 3.3 has no space there, but clients of all times put one. */
	*rest = slice_trim(slice_from(argument, keyword.len));
	if (!smtp_mailbox_read(mailbox, rest) || (rest->len > 0 && rest->ptr[0] != ' '))
		return "501 5.1.3 bad address";
	return NULL;
}

static bool xtext_is_valid(struct slice s)
{
	size_t at = 0;

	/* RFC 3461 section 4: "!" to "~" without "+" and "="; or "+" and two upper-case hex. */
	while (at < s.len) {
		char c = s.ptr[at++];

		if (c < '!' || c > '~' || c == '=')
			return false;
		for (u32 i = 0; c == '+' && i < 2; i++, at++) {
			if (at == s.len || (!ascii_is_digit(s.ptr[at]) &&
					    (s.ptr[at] < 'A' || s.ptr[at] > 'F')))
				return false;
		}
	}
	return true;
}

static bool read_size(void *to, const struct parameter *parameter)
{
	struct smtp_mail *mail = to;

	return parameter->has_value && slice_to_u64(parameter->value, &mail->size);
}

static bool read_body(void *to, const struct parameter *parameter)
{
	struct smtp_mail *mail = to;

	/* BINARYMIME is not offered (RFC 3030 section 3). */
	mail->eightbit = slice_equal_nocase(parameter->value, SLICE("8BITMIME"));
	return mail->eightbit || slice_equal_nocase(parameter->value, SLICE("7BIT"));
}

static bool read_smtputf8(void *to, const struct parameter *parameter)
{
	struct smtp_mail *mail = to;

	mail->utf8 = true;
	return !parameter->has_value;
}

static bool read_ret(void *to, const struct parameter *parameter)
{
	struct smtp_mail *mail = to;

	if (slice_equal_nocase(parameter->value, SLICE("FULL")))
		mail->ret = SMTP_RETURN_FULL;
	else if (slice_equal_nocase(parameter->value, SLICE("HDRS")))
		mail->ret = SMTP_RETURN_HEADERS;
	return mail->ret != SMTP_RETURN_UNSAID;
}

static bool read_envid(void *to, const struct parameter *parameter)
{
	struct smtp_mail *mail = to;

	mail->envid = parameter->value;
	return mail->envid.len > 0 && mail->envid.len <= SMTP_ENVID_MAX &&
	       xtext_is_valid(mail->envid);
}

static bool read_auth(void *to, const struct parameter *parameter)
{
	/* Who the author may have been: nobody is trusted to say so (RFC 4954 section 5). */
	(void)to;
	return slice_equal(parameter->value, SLICE("<>")) ||
	       (parameter->value.len > 0 && xtext_is_valid(parameter->value));
}

static bool read_notify(void *to, const struct parameter *parameter)
{
	static const struct {
		struct slice word;
		u8 bit;
	} words[] = {
		{ SLICE("NEVER"), SMTP_NOTIFY_NEVER },
		{ SLICE("SUCCESS"), SMTP_NOTIFY_SUCCESS },
		{ SLICE("FAILURE"), SMTP_NOTIFY_FAILURE },
		{ SLICE("DELAY"), SMTP_NOTIFY_DELAY },
	};
	struct smtp_rcpt *rcpt = to;
	struct slice rest = parameter->value;

	if (!parameter->has_value)
		return false;
	while (rest.ptr) {
		struct slice word = slice_split(&rest, ',');
		u8 bit = 0;

		for (u32 i = 0; i < array_count(words); i++) {
			if (slice_equal_nocase(word, words[i].word))
				bit = words[i].bit;
		}
		if (bit == 0 || (rcpt->notify & bit))
			return false;
		rcpt->notify |= bit;
	}
	/* NEVER stands alone (section 4.1). */
	return !(rcpt->notify & SMTP_NOTIFY_NEVER) || rcpt->notify == SMTP_NOTIFY_NEVER;
}

static bool read_orcpt(void *to, const struct parameter *parameter)
{
	struct smtp_rcpt *rcpt = to;
	struct slice address = parameter->value;
	struct slice type = slice_split(&address, ';');

	rcpt->orcpt = parameter->value;
	if (rcpt->orcpt.len > SMTP_ORCPT_MAX || type.len == 0 || address.len == 0)
		return false;
	for (size_t i = 0; i < type.len; i++) {
		if (!ascii_is_atext(type.ptr[i]))
			return false;
	}
	return xtext_is_valid(address);
}

static const struct parameter_row mail_rows[] = {
	{ SLICE("SIZE"), read_size, false },   { SLICE("BODY"), read_body, false },
	{ SLICE("RET"), read_ret, false },     { SLICE("SMTPUTF8"), read_smtputf8, false },
	{ SLICE("ENVID"), read_envid, false }, { SLICE("AUTH"), read_auth, true },
};

static const struct parameter_row rcpt_rows[] = {
	{ SLICE("NOTIFY"), read_notify, false },
	{ SLICE("ORCPT"), read_orcpt, false },
};

/* NULL: all good. */
static const char *read_parameters(void *to, struct slice rest, const struct parameter_row *rows,
				   u32 count, const struct smtp_offer *offer)
{
	u32 seen = 0;

	while (rest.ptr) {
		struct slice value = slice_split(&rest, ' ');
		struct slice name = slice_split(&value, '=');
		struct parameter parameter = { name, value, value.ptr != NULL };
		u32 at = 0;

		if (name.len == 0 && !parameter.has_value)
			continue; /* more than one space */
		while (at < count && !slice_equal_nocase(name, rows[at].name))
			at++;
		if (at == count || !offer->esmtp || (rows[at].needs_auth && !offer->auth))
			return unknown_parameter;
		/* Twice is once too often, and the readers rely on it. */
		if ((seen & 1u << at) || !rows[at].read(to, &parameter))
			return bad_parameter;
		seen |= 1u << at;
	}
	return NULL;
}

const char *smtp_mail_read(struct smtp_mail *mail, struct slice argument,
			   const struct smtp_offer *offer)
{
	struct slice rest = SLICE_NONE;
	const char *refusal;

	*mail = (struct smtp_mail){ .size = 0 };
	refusal = read_path(&mail->from, argument, SLICE("FROM:"), &rest);
	if (!refusal)
		refusal = read_parameters(mail, rest, mail_rows, array_count(mail_rows), offer);
	if (!refusal && mail->from.utf8 && !mail->utf8)
		refusal = "553 5.6.7 address needs SMTPUTF8";
	return refusal;
}

const char *smtp_rcpt_read(struct smtp_rcpt *rcpt, struct slice argument,
			   const struct smtp_offer *offer)
{
	struct slice rest = SLICE_NONE;
	const char *refusal;

	*rcpt = (struct smtp_rcpt){ .notify = 0 };
	refusal = read_path(&rcpt->to, argument, SLICE("TO:"), &rest);
	if (!refusal && rcpt->to.path.len == 0)
		refusal = "501 5.1.3 nobody is named";
	if (!refusal)
		refusal = read_parameters(rcpt, rest, rcpt_rows, array_count(rcpt_rows), offer);
	if (!refusal && rcpt->to.utf8 && !offer->utf8)
		refusal = "553 5.6.7 address needs SMTPUTF8";
	return refusal;
}
