#include "smtp/reply_class_row.h"

#include "base/config.h"
#include "base/text.h"
#include "smtp/reply_words.h"

#include <string.h>

/* ---- words ---- */

#define GRAM_BITS 4096

/*
 * A text made ready for a few hundred questions: in one spelling, with a set of all that is there
 * of three bytes in a row. Most rows are turned away by the set, which costs no search.
 */
struct words {
	size_t len;
	u64 grams[GRAM_BITS / 64];
	char text[SMTP_REPLY_TEXT_MAX];
};

static u32 gram_of(const char *at)
{
	u32 three = (u32)(u8)at[0] | (u32)(u8)at[1] << 8 | (u32)(u8)at[2] << 16;

	return three * 2654435761u >> 20;
}

static bool has_gram(const struct words *words, const char *at)
{
	u32 gram = gram_of(at);

	return words->grams[gram / 64] >> gram % 64 & 1;
}

static void words_read(struct words *words, struct slice text)
{
	words->len = smtp_reply_words(words->text, text);
	memset(words->grams, 0, sizeof(words->grams));
	for (size_t i = 0; i + 3 <= words->len; i++) {
		u32 gram = gram_of(words->text + i);

		words->grams[gram / 64] |= 1ull << gram % 64;
	}
}

static bool has_fragments(const struct words *words, const struct smtp_class_row *row)
{
	const char *at = words->text;

	if (row->text_count > 0 && !has_gram(words, row->text[0]))
		return false;
	for (u32 i = 0; i < row->text_count; i++) {
		size_t len = strlen(row->text[i]);

		if (!has_gram(words, row->text[i] + len - SMTP_FRAGMENT_MIN))
			return false;
		at = memmem(at, (size_t)(words->text + words->len - at), row->text[i], len);
		if (!at)
			return false;
		at += len;
	}
	return true;
}

/* ---- rows ---- */

/* "55" is the start of 550. */
static bool code_matches(u16 code, u16 wanted)
{
	if (wanted < 10)
		return wanted == 0 || code / 100 == wanted;
	return wanted < 100 ? code / 10 == wanted : code == wanted;
}

static bool enhanced_matches(const u16 enhanced[3], const u16 wanted[3])
{
	if (wanted[1] == 0)
		return true;
	return enhanced[0] != 0 && (wanted[0] == 0 || enhanced[0] == wanted[0]) &&
	       enhanced[1] == wanted[1] &&
	       (wanted[2] == SMTP_ANY_DETAIL || enhanced[2] == wanted[2]);
}

static bool mx_matches(const struct smtp_class_row *row, struct slice mx)
{
	for (u32 i = 0; i < row->mx_count; i++) {
		if (config_pattern_matches(row->mx[i], mx))
			return true;
	}
	return row->mx_count == 0;
}

/* Before RCPT a host knows of no recipient: who is unknown to it is the sender. */
static bool stage_matches(const struct smtp_class_row *row, enum smtp_stage stage)
{
	if (smtp_class_is_about_recipient(row->class) && stage < SMTP_STAGE_RCPT)
		return false;
	return row->stages == 0 || row->stages >> stage & 1;
}

static const struct smtp_class_row *find_row(const struct smtp_class_table *table,
					     const struct smtp_refusal *refusal,
					     const struct words *words, enum smtp_provider provider)
{
	for (size_t i = 0; i < table->count; i++) {
		const struct smtp_class_row *row = &table->rows[i];

		if (row->provider && row->provider != provider)
			continue;
		if (code_matches(refusal->code, row->code) &&
		    enhanced_matches(refusal->enhanced, row->enhanced) &&
		    stage_matches(row, refusal->stage) && has_fragments(words, row) &&
		    mx_matches(row, refusal->mx))
			return row;
	}
	return NULL;
}

/* ---- when no words are known ---- */

enum certainty { SURE, VAGUE };

/*
 * What a code means. SURE: it says so itself. VAGUE: it is used for this and that in the field, and
 * the words would say more.
 */
struct meaning {
	u16 code; /* leading digits; 0: any */
	u16 enhanced[3];
	u16 stages;
	u8 class;
	u8 certainty;
};

#define DIALOGUE (STAGE(GREETING) | STAGE(EHLO) | STAGE(HELO) | STAGE(STARTTLS))
#define MEANS(name_, certainty_) .class = SMTP_CLASS_##name_, .certainty = (certainty_)

static const struct meaning enhanced_meanings[] = {
	/* RFC 3463 section 3.2: addresses. */
	{ STATUS(0, 1, 7), MEANS(POLICY, SURE) },
	{ STATUS(0, 1, 9), MEANS(PROTOCOL, SURE) },
	{ STATUS(0, 1, 0), .stages = STAGE(MAIL), MEANS(POLICY, VAGUE) },
	{ STATUS(0, 1, 0), MEANS(BAD_MAILBOX, VAGUE) },
	{ STATUS(0, 1, SMTP_ANY_DETAIL), .stages = STAGE(MAIL), MEANS(POLICY, VAGUE) },
	{ STATUS(5, 1, SMTP_ANY_DETAIL), MEANS(BAD_MAILBOX, SURE) },
	{ STATUS(4, 1, SMTP_ANY_DETAIL), MEANS(BAD_MAILBOX, VAGUE) },
	/* Section 3.3: mailboxes. */
	{ STATUS(5, 2, 1), MEANS(BAD_MAILBOX, SURE) },
	{ STATUS(4, 2, 1), MEANS(BAD_MAILBOX, VAGUE) },
	{ STATUS(0, 2, 3), MEANS(CONTENT, SURE) },
	{ STATUS(0, 2, 4), MEANS(TRANSIENT_HOST, SURE) },
	/* Section 3.4: the mail system. */
	{ STATUS(0, 3, 3), MEANS(PROTOCOL, SURE) },
	{ STATUS(0, 3, 4), MEANS(CONTENT, SURE) },
	{ STATUS(5, 3, 0), MEANS(UNKNOWN, VAGUE) },
	{ STATUS(4, 3, 0), MEANS(TRANSIENT_HOST, VAGUE) },
	{ STATUS(0, 3, SMTP_ANY_DETAIL), MEANS(TRANSIENT_HOST, SURE) },
	/* Section 3.5: network and routing. */
	{ STATUS(0, 4, 0), MEANS(TRANSIENT_HOST, VAGUE) },
	{ STATUS(5, 4, 1), MEANS(TRANSIENT_HOST, VAGUE) },
	{ STATUS(5, 4, 4), MEANS(BAD_MAILBOX, VAGUE) },
	{ STATUS(0, 4, SMTP_ANY_DETAIL), MEANS(TRANSIENT_HOST, SURE) },
	/* Section 3.6: the protocol. */
	{ STATUS(0, 5, 0), MEANS(PROTOCOL, VAGUE) },
	{ STATUS(0, 5, SMTP_ANY_DETAIL), MEANS(PROTOCOL, SURE) },
	/* Section 3.7 and RFC 6531: content and what it needs. */
	{ STATUS(0, 6, 8), MEANS(PROTOCOL, SURE) },
	{ STATUS(0, 6, 9), MEANS(PROTOCOL, SURE) },
	{ STATUS(0, 6, 10), MEANS(PROTOCOL, SURE) },
	{ STATUS(0, 6, SMTP_ANY_DETAIL), MEANS(CONTENT, SURE) },
	/* Section 3.8, RFC 5248: security and policy. */
	{ STATUS(0, 7, 0), MEANS(POLICY, VAGUE) },
	{ STATUS(0, 7, 1), MEANS(POLICY, VAGUE) },
	{ STATUS(0, 7, SMTP_ANY_DETAIL), MEANS(POLICY, SURE) },
};

/* RFC 5321 section 4.2.2, 4954, 7504, 7505. Words are wanted for all but the plainest. */
static const struct meaning code_meanings[] = {
	{ 421, MEANS(TRANSIENT_HOST, VAGUE) },
	{ 450, .stages = DIALOGUE, MEANS(TRANSIENT_HOST, VAGUE) },
	{ 451, MEANS(TRANSIENT_HOST, VAGUE) },
	{ 452, MEANS(TRANSIENT_HOST, VAGUE) },
	{ 454, MEANS(TRANSIENT_HOST, VAGUE) },
	{ 455, MEANS(PROTOCOL, SURE) },
	{ 521, MEANS(BAD_MAILBOX, VAGUE) },
	{ 530, MEANS(POLICY, SURE) },
	{ 53, MEANS(POLICY, VAGUE) },
	{ 50, MEANS(PROTOCOL, VAGUE) },
	{ 551, MEANS(BAD_MAILBOX, SURE) },
	{ 552, .stages = STAGE(RCPT), MEANS(MAILBOX_FULL, VAGUE) },
	{ 552, MEANS(CONTENT, VAGUE) },
	{ 553, .stages = STAGE(RCPT), MEANS(BAD_MAILBOX, VAGUE) },
	{ 553, .stages = STAGE(MAIL), MEANS(POLICY, VAGUE) },
	{ 555, MEANS(PROTOCOL, SURE) },
	{ 556, MEANS(BAD_MAILBOX, SURE) },
	{ 0, MEANS(UNKNOWN, VAGUE) },
};

static bool means(const struct meaning *meaning, const struct smtp_refusal *refusal)
{
	return code_matches(refusal->code, meaning->code) &&
	       enhanced_matches(refusal->enhanced, meaning->enhanced) &&
	       (meaning->stages == 0 || meaning->stages >> refusal->stage & 1);
}

static struct smtp_judgement judge_by_code(const struct smtp_refusal *refusal)
{
	const struct meaning *found = NULL;

	for (size_t i = 0; !found && i < array_count(enhanced_meanings); i++) {
		if (means(&enhanced_meanings[i], refusal))
			found = &enhanced_meanings[i];
	}
	for (size_t i = 0; !found && i < array_count(code_meanings); i++) {
		if (means(&code_meanings[i], refusal))
			found = &code_meanings[i];
	}
	/* The last row of the codes takes all. */
	return (struct smtp_judgement){ found->class, found->certainty == VAGUE };
}

struct smtp_judgement smtp_classify(const struct smtp_refusal *refusal,
				    const struct smtp_class_table *own)
{
	enum smtp_provider provider = smtp_provider_of(refusal->mx);
	const struct smtp_class_row *row;
	struct words words;

	words_read(&words, refusal->text);
	row = find_row(own, refusal, &words, provider);
	if (!row)
		row = find_row(&smtp_class_providers, refusal, &words, provider);
	if (!row)
		row = find_row(&smtp_class_languages, refusal, &words, provider);
	if (!row)
		row = find_row(&smtp_class_general, refusal, &words, provider);
	if (row)
		return (struct smtp_judgement){ row->class, false };
	return judge_by_code(refusal);
}
