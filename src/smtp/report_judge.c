/*
 * What a host's words and numbers say about a failure: the one place where it is decided whether an
 * address is gone (HARD) or may still be good (SOFT). In doubt it is SOFT: an address that fails
 * again is found again, one that was struck off wrongly is lost.
 */
#include "base/text.h"
#include "smtp/report_parts.h"

#include <string.h>

/* ---- numbers ---- */

static bool is_word_char(char c)
{
	return ascii_is_alpha(c) || ascii_is_digit(c) || c == '.' || c == '_' || (u8)c >= 0x80;
}

/* One to three digits at *at. */
static bool take_number(struct slice s, size_t *at, u16 *number)
{
	size_t start = *at;

	*number = 0;
	while (*at < s.len && *at < start + 3 && ascii_is_digit(s.ptr[*at]))
		*number = (u16)(*number * 10 + (s.ptr[(*at)++] - '0'));
	return *at > start;
}

static bool take_dot(struct slice s, size_t *at)
{
	return *at < s.len && s.ptr[(*at)++] == '.';
}

/* class.subject.detail at `at`, and not a part of an IP address or of a version. */
static bool status_at(struct slice s, size_t at, u16 status[3])
{
	if ((s.ptr[at] != '2' && s.ptr[at] != '4' && s.ptr[at] != '5') ||
	    (at > 0 && is_word_char(s.ptr[at - 1])))
		return false;
	if (!take_number(s, &at, &status[0]) || !take_dot(s, &at) ||
	    !take_number(s, &at, &status[1]) || !take_dot(s, &at) ||
	    !take_number(s, &at, &status[2]) || status[0] > 5)
		return false;
	if (at < s.len && (ascii_is_digit(s.ptr[at]) || ascii_is_alpha(s.ptr[at])))
		return false;
	return at + 1 >= s.len || s.ptr[at] != '.' || !ascii_is_digit(s.ptr[at + 1]);
}

void report_find_status(struct slice flat, u16 least, u16 status[3])
{
	for (size_t i = 0; i + 5 <= flat.len; i++) {
		u16 found[3];

		if (flat.ptr[i + 1] == '.' && status_at(flat, i, found) && found[0] >= least) {
			memcpy(status, found, sizeof(found));
			return;
		}
	}
}

static bool is_reply_code(u16 code)
{
	static const u16 known[] = { 421, 432, 450, 451, 452, 454, 455, 471, 500, 501, 502, 503,
				     504, 510, 511, 512, 521, 523, 530, 535, 541, 550, 551, 552,
				     553, 554, 555, 556, 557, 559, 571 };

	for (size_t i = 0; i < array_count(known); i++) {
		if (code == known[i])
			return true;
	}
	return false;
}

void report_find_code(struct slice flat, u16 *code)
{
	for (size_t i = 0; i + 3 <= flat.len; i++) {
		size_t at = i;
		u16 number;

		if ((flat.ptr[i] != '4' && flat.ptr[i] != '5') ||
		    (i > 0 && (is_word_char(flat.ptr[i - 1]) || flat.ptr[i - 1] == '-')))
			continue;
		if (!take_number(flat, &at, &number) || !is_reply_code(number))
			continue;
		if (at == flat.len || memchr(" -:)],;#", flat.ptr[at], 8)) {
			*code = number;
			return;
		}
	}
}

/* ---- the decision ---- */

static bool named(u32 found, enum report_reason reason)
{
	return (found & 1u << reason) != 0;
}

/* What the status alone says for certain. */
static enum report_reason certain_reason(const u16 status[3])
{
	static const struct {
		u16 subject;
		u16 detail;
		enum report_reason reason;
	} known[] = {
		{ 1, 1, REPORT_REASON_MAILBOX }, { 1, 2, REPORT_REASON_DOMAIN },
		{ 1, 3, REPORT_REASON_MAILBOX }, { 1, 6, REPORT_REASON_MAILBOX },
		{ 1, 7, REPORT_REASON_POLICY },	 { 1, 8, REPORT_REASON_POLICY },
		{ 2, 1, REPORT_REASON_DISABLED }, { 2, 2, REPORT_REASON_FULL },
		{ 2, 3, REPORT_REASON_SIZE },	 { 3, 4, REPORT_REASON_SIZE },
		{ 4, 7, REPORT_REASON_EXPIRED }, { 7, 13, REPORT_REASON_DISABLED },
	};

	for (size_t i = 0; status[0] != 0 && i < array_count(known); i++) {
		if (known[i].subject == status[1] && known[i].detail == status[2])
			return known[i].reason;
	}
	return REPORT_REASON_NONE;
}

/* What the status says when nobody says more. */
static enum report_reason likely_reason(const u16 status[3], u16 code)
{
	/* Exchange Online says 5.4.1 of addresses that its directory does not hold. */
	if (status[0] == 5 && status[1] == 4 && status[2] == 1)
		return REPORT_REASON_MAILBOX;
	/* RFC 7505's null MX; Exchange has it for a mailbox that it does not know, and says so. */
	if (status[0] == 5 && status[1] == 1 && status[2] == 10)
		return REPORT_REASON_DOMAIN;
	if (status[0] == 5 && status[1] == 4 && status[2] == 4)
		return REPORT_REASON_DOMAIN;
	switch (status[1]) {
	case 3:
	case 4:
	case 5:
		return REPORT_REASON_SYSTEM;
	case 6:
	case 7:
		return REPORT_REASON_POLICY;
	default:
		return code == 552 ? REPORT_REASON_FULL : REPORT_REASON_NONE;
	}
}

static enum report_reason decide_reason(const u16 status[3], u16 code, u32 found)
{
	static const enum report_reason order[] = {
		REPORT_REASON_MAILBOX, REPORT_REASON_DISABLED, REPORT_REASON_DOMAIN,
		REPORT_REASON_SIZE,    REPORT_REASON_POLICY,   REPORT_REASON_EXPIRED,
		REPORT_REASON_SYSTEM,
	};
	enum report_reason certain = certain_reason(status);

	/* Many a host calls a full mailbox 5.1.1 or 5.0.0. */
	if (named(found, REPORT_REASON_FULL))
		return REPORT_REASON_FULL;
	if (certain != REPORT_REASON_NONE)
		return certain;
	if (found & REPORT_ABOUT_SENDER)
		return REPORT_REASON_POLICY;
	if (status[0] == 5 && status[1] == 4 && status[2] == 1)
		return likely_reason(status, code);
	/* "mailbox unavailable" is the usual text of 550, whatever the cause. */
	if (status[1] == 7 && named(found, REPORT_REASON_POLICY))
		return REPORT_REASON_POLICY;
	for (size_t i = 0; i < array_count(order); i++) {
		if (named(found, order[i]))
			return order[i];
	}
	return likely_reason(status, code);
}

/* For want of a reason: codes that RFC 5321 section 4.2.2 gives to mailboxes, not to messages. */
static bool is_about_mailbox(const struct report_recipient *recipient)
{
	u16 code = recipient->code;

	if (recipient->status[0] == 5 && recipient->status[1] == 1)
		return true;
	return (recipient->status[0] == 0 || recipient->status[0] == 5) &&
	       recipient->status[1] == 0 && (code == 550 || code == 551 || code == 553);
}

static enum report_kind decide_kind(const struct report_recipient *recipient)
{
	u16 class = recipient->status[0] ? recipient->status[0] : (u16)(recipient->code / 100);

	switch (recipient->reason) {
	case REPORT_REASON_MAILBOX:
	case REPORT_REASON_DOMAIN:
	case REPORT_REASON_DISABLED:
		return class == 4 ? REPORT_SOFT : REPORT_HARD;
	case REPORT_REASON_NONE:
		return is_about_mailbox(recipient) ? REPORT_HARD : REPORT_SOFT;
	default:
		return REPORT_SOFT;
	}
}

void report_judge_failure(struct report_recipient *recipient, struct slice flat)
{
	u16 found[3] = { 0 };

	report_find_status(flat, 4, found);
	/* x.0.0 is what a reporter writes who has not looked at the host's words. */
	if (found[0] > 0 && recipient->status[1] == 0 && recipient->status[2] == 0)
		memcpy(recipient->status, found, sizeof(found));
	if (recipient->code == 0)
		report_find_code(flat, &recipient->code);
	recipient->reason = decide_reason(recipient->status, recipient->code, report_reasons(flat));
	recipient->kind = decide_kind(recipient);
}
