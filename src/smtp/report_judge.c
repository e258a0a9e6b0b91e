/*
 * What a host's words and numbers say about a failure: the one place where it is decided whether an
 * address is gone (HARD) or may still be good (SOFT). In doubt it is SOFT: an address that fails
 * again is found again, one that was struck off wrongly is lost.
 */
#include "base/text.h"
#include "smtp/report_parts.h"

#include <string.h>

/*
 * Words of hosts and what they mean, in lower case as report_flatten makes them. Short on purpose:
 * what comes before and after differs from version to version.
 */
static const struct {
	enum report_reason reason;
	struct slice words;
} phrases[] = {
	{ REPORT_REASON_FULL, PHRASE("mailbox full") },
	{ REPORT_REASON_FULL, PHRASE("mailbox is full") },
	{ REPORT_REASON_FULL, PHRASE("mailbox was full") },
	{ REPORT_REASON_FULL, PHRASE("inbox is full") },
	{ REPORT_REASON_FULL, PHRASE("inbox full") },
	{ REPORT_REASON_FULL, PHRASE("over quota") },
	{ REPORT_REASON_FULL, PHRASE("overquota") },
	{ REPORT_REASON_FULL, PHRASE("over the quota") },
	{ REPORT_REASON_FULL, PHRASE("over his quota") },
	{ REPORT_REASON_FULL, PHRASE("over their quota") },
	{ REPORT_REASON_FULL, PHRASE("over the maximum allowed mailbox size") },
	{ REPORT_REASON_FULL, PHRASE("quota exceeded") },
	{ REPORT_REASON_FULL, PHRASE("quota exceded") },
	{ REPORT_REASON_FULL, PHRASE("exceeded quota") },
	{ REPORT_REASON_FULL, PHRASE("exceeds quota") },
	{ REPORT_REASON_FULL, PHRASE("exceed the quota") },
	{ REPORT_REASON_FULL, PHRASE("exceeded its quota") },
	{ REPORT_REASON_FULL, PHRASE("exceeded storage") },
	{ REPORT_REASON_FULL, PHRASE("out of storage") },
	{ REPORT_REASON_FULL, PHRASE("disk quota") },
	{ REPORT_REASON_FULL, PHRASE("insufficient disk space") },
	{ REPORT_REASON_FULL, PHRASE("mailfolder is full") },
	{ REPORT_REASON_FULL, PHRASE("mailbox size limit") },
	{ REPORT_REASON_FULL, PHRASE("mailbox exceeds allowed size") },
	{ REPORT_REASON_FULL, PHRASE("容量オーバー") },
	{ REPORT_REASON_FULL, PHRASE("容量を超え") },
	{ REPORT_REASON_FULL, PHRASE("容量がいっぱい") },
	{ REPORT_REASON_FULL, PHRASE("メールボックスがいっぱい") },
	{ REPORT_REASON_FULL, PHRASE("メールボックスが一杯") },
	{ REPORT_REASON_FULL, PHRASE("ボックスが満杯") },
	{ REPORT_REASON_FULL, PHRASE("保存容量") },
	{ REPORT_REASON_FULL, PHRASE("容量制限") },

	{ REPORT_REASON_MAILBOX, PHRASE("user unknown") },
	{ REPORT_REASON_MAILBOX, PHRASE("unknown user") },
	{ REPORT_REASON_MAILBOX, PHRASE("unknown or illegal") },
	{ REPORT_REASON_MAILBOX, PHRASE("user not found") },
	{ REPORT_REASON_MAILBOX, PHRASE("user doesn't have") },
	{ REPORT_REASON_MAILBOX, PHRASE("user doesn't exist") },
	{ REPORT_REASON_MAILBOX, PHRASE("user does not exist") },
	{ REPORT_REASON_MAILBOX, PHRASE("user not listed") },
	{ REPORT_REASON_MAILBOX, PHRASE("not listed in") },
	{ REPORT_REASON_MAILBOX, PHRASE("no such user") },
	{ REPORT_REASON_MAILBOX, PHRASE("no such mailbox") },
	{ REPORT_REASON_MAILBOX, PHRASE("no such recipient") },
	{ REPORT_REASON_MAILBOX, PHRASE("no such address") },
	{ REPORT_REASON_MAILBOX, PHRASE("no mailbox here") },
	{ REPORT_REASON_MAILBOX, PHRASE("no mailbox by that name") },
	{ REPORT_REASON_MAILBOX, PHRASE("not a valid mailbox") },
	{ REPORT_REASON_MAILBOX, PHRASE("not a known user") },
	{ REPORT_REASON_MAILBOX, PHRASE("no account by that name") },
	{ REPORT_REASON_MAILBOX, PHRASE("account does not exist") },
	{ REPORT_REASON_MAILBOX, PHRASE("account that you tried to reach does not exist") },
	{ REPORT_REASON_MAILBOX, PHRASE("mailbox does not exist") },
	{ REPORT_REASON_MAILBOX, PHRASE("mailbox not found") },
	{ REPORT_REASON_MAILBOX, PHRASE("mailbox unknown") },
	{ REPORT_REASON_MAILBOX, PHRASE("mailbox unavailable") },
	{ REPORT_REASON_MAILBOX, PHRASE("invalid mailbox") },
	{ REPORT_REASON_MAILBOX, PHRASE("invalid recipient") },
	{ REPORT_REASON_MAILBOX, PHRASE("unknown recipient") },
	{ REPORT_REASON_MAILBOX, PHRASE("recipient unknown") },
	{ REPORT_REASON_MAILBOX, PHRASE("recipient not found") },
	{ REPORT_REASON_MAILBOX, PHRASE("unknown address") },
	{ REPORT_REASON_MAILBOX, PHRASE("address unknown") },
	{ REPORT_REASON_MAILBOX, PHRASE("address does not exist") },
	{ REPORT_REASON_MAILBOX, PHRASE("address not found") },
	{ REPORT_REASON_MAILBOX, PHRASE("address couldn't be found") },
	{ REPORT_REASON_MAILBOX, PHRASE("address wasn't found") },
	{ REPORT_REASON_MAILBOX, PHRASE("address error") },
	{ REPORT_REASON_MAILBOX, PHRASE("unable to find the recipient") },
	{ REPORT_REASON_MAILBOX, PHRASE("unrouteable address") },
	{ REPORT_REASON_MAILBOX, PHRASE("does not like recipient") },
	{ REPORT_REASON_MAILBOX, PHRASE("not listed in domino directory") },
	{ REPORT_REASON_MAILBOX, PHRASE("recipnotfound") },
	{ REPORT_REASON_MAILBOX, PHRASE("宛先不明") },
	{ REPORT_REASON_MAILBOX, PHRASE("あて先不明") },
	{ REPORT_REASON_MAILBOX, PHRASE("宛先のアドレスが見つかり") },
	{ REPORT_REASON_MAILBOX, PHRASE("あて先のアドレスが見つかり") },
	{ REPORT_REASON_MAILBOX, PHRASE("アドレスは存在しま") },
	{ REPORT_REASON_MAILBOX, PHRASE("アドレスが存在しな") },
	{ REPORT_REASON_MAILBOX, PHRASE("ユーザーが存在しま") },
	{ REPORT_REASON_MAILBOX, PHRASE("ユーザが存在しま") },
	{ REPORT_REASON_MAILBOX, PHRASE("宛先に該当する") },
	{ REPORT_REASON_MAILBOX, PHRASE("アドレスが間違って") },
	{ REPORT_REASON_MAILBOX, PHRASE("該当するユーザ") },

	{ REPORT_REASON_DISABLED, PHRASE("account disabled") },
	{ REPORT_REASON_DISABLED, PHRASE("account is disabled") },
	{ REPORT_REASON_DISABLED, PHRASE("account has been disabled") },
	{ REPORT_REASON_DISABLED, PHRASE("account inactive") },
	{ REPORT_REASON_DISABLED, PHRASE("account is inactive") },
	{ REPORT_REASON_DISABLED, PHRASE("account has been suspended") },
	{ REPORT_REASON_DISABLED, PHRASE("account suspended") },
	{ REPORT_REASON_DISABLED, PHRASE("account expired") },
	{ REPORT_REASON_DISABLED, PHRASE("mailbox disabled") },
	{ REPORT_REASON_DISABLED, PHRASE("mailbox is disabled") },
	{ REPORT_REASON_DISABLED, PHRASE("mailbox is inactive") },
	{ REPORT_REASON_DISABLED, PHRASE("mailbox currently suspended") },
	{ REPORT_REASON_DISABLED, PHRASE("mailbox has been blocked due to inactivity") },
	{ REPORT_REASON_DISABLED, PHRASE("no longer valid") },
	{ REPORT_REASON_DISABLED, PHRASE("no longer in use") },
	{ REPORT_REASON_DISABLED, PHRASE("no longer available") },
	{ REPORT_REASON_DISABLED, PHRASE("recipient no longer") },
	{ REPORT_REASON_DISABLED, PHRASE("user is inactive") },
	{ REPORT_REASON_DISABLED, PHRASE("利用停止") },
	{ REPORT_REASON_DISABLED, PHRASE("現在使われて") },
	{ REPORT_REASON_DISABLED, PHRASE("現在使用されて") },

	{ REPORT_REASON_DOMAIN, PHRASE("host unknown") },
	{ REPORT_REASON_DOMAIN, PHRASE("unknown host") },
	{ REPORT_REASON_DOMAIN, PHRASE("host not found") },
	{ REPORT_REASON_DOMAIN, PHRASE("domain not found") },
	{ REPORT_REASON_DOMAIN, PHRASE("domain name not found") },
	{ REPORT_REASON_DOMAIN, PHRASE("domain does not exist") },
	{ REPORT_REASON_DOMAIN, PHRASE("domain doesn't exist") },
	{ REPORT_REASON_DOMAIN, PHRASE("domain couldn't be found") },
	{ REPORT_REASON_DOMAIN, PHRASE("domain lookup failed") },
	{ REPORT_REASON_DOMAIN, PHRASE("no such domain") },
	{ REPORT_REASON_DOMAIN, PHRASE("nxdomain") },
	{ REPORT_REASON_DOMAIN, PHRASE("name service error for") },
	{ REPORT_REASON_DOMAIN, PHRASE("couldn't find any host named") },
	{ REPORT_REASON_DOMAIN, PHRASE("could not find any host named") },
	{ REPORT_REASON_DOMAIN, PHRASE("does not accept mail") },
	{ REPORT_REASON_DOMAIN, PHRASE("does not receive mail") },
	{ REPORT_REASON_DOMAIN, PHRASE("nullmx") },
	{ REPORT_REASON_DOMAIN, PHRASE("null mx") },
	{ REPORT_REASON_DOMAIN, PHRASE("ドメインが見つかり") },
	{ REPORT_REASON_DOMAIN, PHRASE("ドメインは存在しま") },

	{ REPORT_REASON_SIZE, PHRASE("message too large") },
	{ REPORT_REASON_SIZE, PHRASE("message too big") },
	{ REPORT_REASON_SIZE, PHRASE("message size exceeds") },
	{ REPORT_REASON_SIZE, PHRASE("exceeds size limit") },
	{ REPORT_REASON_SIZE, PHRASE("exceeds maximum message size") },
	{ REPORT_REASON_SIZE, PHRASE("exceeded the maximum message size") },
	{ REPORT_REASON_SIZE, PHRASE("message is too large") },
	{ REPORT_REASON_SIZE, PHRASE("larger than the current system limit") },
	{ REPORT_REASON_SIZE, PHRASE("サイズが大き") },
	{ REPORT_REASON_SIZE, PHRASE("サイズを超え") },

	{ REPORT_REASON_POLICY, PHRASE("spam") },
	{ REPORT_REASON_POLICY, PHRASE("blocked") },
	{ REPORT_REASON_POLICY, PHRASE("block list") },
	{ REPORT_REASON_POLICY, PHRASE("blocklist") },
	{ REPORT_REASON_POLICY, PHRASE("blacklist") },
	{ REPORT_REASON_POLICY, PHRASE("poor reputation") },
	{ REPORT_REASON_POLICY, PHRASE("low reputation") },
	{ REPORT_REASON_POLICY, PHRASE("policy") },
	{ REPORT_REASON_POLICY, PHRASE("not authorized") },
	{ REPORT_REASON_POLICY, PHRASE("not permitted") },
	{ REPORT_REASON_POLICY, PHRASE("not allowed") },
	{ REPORT_REASON_POLICY, PHRASE("access denied") },
	{ REPORT_REASON_POLICY, PHRASE("relay") },
	{ REPORT_REASON_POLICY, PHRASE("unauthenticated") },
	{ REPORT_REASON_POLICY, PHRASE("dmarc") },
	{ REPORT_REASON_POLICY, PHRASE("spf check") },
	{ REPORT_REASON_POLICY, PHRASE("content rejected") },
	{ REPORT_REASON_POLICY, PHRASE("virus") },
	{ REPORT_REASON_POLICY, PHRASE("only accepts mail from") },
	{ REPORT_REASON_POLICY, PHRASE("restricted") },
	{ REPORT_REASON_POLICY, PHRASE("受信拒否") },
	{ REPORT_REASON_POLICY, PHRASE("受信を拒否") },
	{ REPORT_REASON_POLICY, PHRASE("迷惑メール") },
	{ REPORT_REASON_POLICY, PHRASE("受信制限") },

	{ REPORT_REASON_EXPIRED, PHRASE("retry timeout exceeded") },
	{ REPORT_REASON_EXPIRED, PHRASE("retry time not reached") },
	{ REPORT_REASON_EXPIRED, PHRASE("in the queue too long") },
	{ REPORT_REASON_EXPIRED, PHRASE("queue too long") },
	{ REPORT_REASON_EXPIRED, PHRASE("message expired") },
	{ REPORT_REASON_EXPIRED, PHRASE("delivery time expired") },
	{ REPORT_REASON_EXPIRED, PHRASE("could not be delivered for") },
	{ REPORT_REASON_EXPIRED, PHRASE("giving up after") },
	{ REPORT_REASON_EXPIRED, PHRASE("long enough") },

	{ REPORT_REASON_SYSTEM, PHRASE("connection refused") },
	{ REPORT_REASON_SYSTEM, PHRASE("connection timed out") },
	{ REPORT_REASON_SYSTEM, PHRASE("timed out while") },
	{ REPORT_REASON_SYSTEM, PHRASE("network is unreachable") },
	{ REPORT_REASON_SYSTEM, PHRASE("no route to host") },
	{ REPORT_REASON_SYSTEM, PHRASE("unable to establish an smtp connection") },
	{ REPORT_REASON_SYSTEM, PHRASE("too many hops") },
	{ REPORT_REASON_SYSTEM, PHRASE("mail loop") },
	{ REPORT_REASON_SYSTEM, PHRASE("loops back to myself") },
	{ REPORT_REASON_SYSTEM, PHRASE("internal error") },
	{ REPORT_REASON_SYSTEM, PHRASE("local configuration error") },
	{ REPORT_REASON_SYSTEM, PHRASE("system error") },
	{ REPORT_REASON_SYSTEM, PHRASE("try again later") },
};

/* That it failed, without a reason. */
static const struct slice failure_phrases[] = {
	PHRASE("could not be delivered"),
	PHRASE("couldn't be delivered"),
	PHRASE("cannot be delivered"),
	PHRASE("can't be delivered"),
	PHRASE("was not delivered"),
	PHRASE("wasn't delivered"),
	PHRASE("not be delivered"),
	PHRASE("unable to deliver"),
	PHRASE("wasn't able to deliver"),
	PHRASE("failed to deliver"),
	PHRASE("did not reach"),
	PHRASE("delivery failed"),
	PHRASE("delivery failure"),
	PHRASE("delivery to the following recipient failed"),
	PHRASE("permanent error"),
	PHRASE("permanent fatal error"),
	PHRASE("permanent failure"),
	PHRASE("delivery has failed"),
	PHRASE("undeliverable"),
	PHRASE("届けることができません"),
	PHRASE("お届けできません"),
	PHRASE("配信できません"),
	PHRASE("配信されません"),
	PHRASE("配送できません"),
	PHRASE("送信できません"),
	PHRASE("送信することができません"),
	PHRASE("配送に失敗"),
	PHRASE("配信に失敗"),
	PHRASE("送信に失敗"),
};

static const struct slice delay_phrases[] = {
	PHRASE("will be retried"),
	PHRASE("will retry"),
	PHRASE("will keep trying"),
	PHRASE("will continue to try"),
	PHRASE("continue to attempt"),
	PHRASE("still being tried"),
	PHRASE("still trying"),
	PHRASE("attempts will continue"),
	PHRASE("could not send message for past"),
	PHRASE("warning message only"),
	PHRASE("not yet been delivered"),
	PHRASE("has not been delivered yet"),
	PHRASE("delivery delayed"),
	PHRASE("has been delayed"),
	PHRASE("is delayed"),
	PHRASE("do not need to resend"),
	PHRASE("do not have to resend"),
	PHRASE("再送を試み"),
	PHRASE("再送信を試み"),
	PHRASE("再送を継続"),
	PHRASE("配送が遅れて"),
	PHRASE("配信が遅れて"),
	PHRASE("遅延して"),
};

bool report_knows_delay(struct slice flat)
{
	return report_has_phrase(flat, delay_phrases, array_count(delay_phrases));
}

/* The reasons that are named, as bits. */
static u32 reasons_in(struct slice flat)
{
	u32 found = 0;

	for (size_t i = 0; i < array_count(phrases); i++) {
		u32 bit = 1u << phrases[i].reason;

		if (!(found & bit) && slice_find(flat, phrases[i].words) >= 0)
			found |= bit;
	}
	return found;
}

bool report_knows_reason(struct slice flat)
{
	return reasons_in(flat) != 0;
}

bool report_knows_failure(struct slice flat)
{
	return report_knows_reason(flat) ||
	       report_has_phrase(flat, failure_phrases, array_count(failure_phrases));
}

bool report_knows_full(struct slice flat)
{
	return (reasons_in(flat) & 1u << REPORT_REASON_FULL) != 0;
}

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
	recipient->reason = decide_reason(recipient->status, recipient->code, reasons_in(flat));
	recipient->kind = decide_kind(recipient);
}
