#include "smtp/reply_wait.h"

#include "base/text.h"
#include "smtp/reply_words.h"

#include <string.h>

#define CUE_DISTANCE 3 /* words between "in" and the number: "in about another 5 minutes" */
#define DIGITS_MAX 7
#define WORD(text) { text, sizeof(text) - 1 }

/* What invites the client at all; without one of them "3 messages in 60 seconds" is a limit. */
static const struct slice invitations[] = {
	WORD("again"), WORD("retry"), WORD("retries"), WORD("retried"), WORD("back"),
	WORD("wait"),  WORD("later"), WORD("delay"),   WORD("delayed"), WORD("resend"),
	WORD("deferred"),
};
/* What stands before the number. */
static const struct slice cues[] = { WORD("in"),   WORD("after"),       WORD("for"),
				     WORD("wait"), WORD("retry-after"), WORD("delay") };

static const struct unit {
	const char *name;
	u32 seconds;
} units[] = {
	{ "s", 1 }, { "sec", 1 }, { "secs", 1 },
	{ "second", 1 }, { "seconds", 1 }, { "second(s)", 1 },
	{ "m", 60 }, { "min", 60 }, { "mins", 60 },
	{ "minute", 60 }, { "minutes", 60 }, { "minute(s)", 60 },
	{ "h", 3600 }, { "hr", 3600 }, { "hrs", 3600 },
	{ "hour", 3600 }, { "hours", 3600 }, { "hour(s)", 3600 },
	{ "d", 86400 }, { "day", 86400 },
	{ "days", 86400 }, { "day(s)", 86400 },
};

static bool is_one_of(struct slice word, const struct slice *words, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		if (slice_equal(word, words[i]))
			return true;
	}
	return false;
}

/* Punctuation at both ends is not of the word; a closing bracket may be: "second(s)". */
static struct slice bare(struct slice word)
{
	while (word.len > 0 && memchr("(<[\"':=", word.ptr[0], 7))
		word = slice_from(word, 1);
	while (word.len > 0 && memchr(">]\"':.,;!=", word.ptr[word.len - 1], 10))
		word.len--;
	if (word.len > 0 && word.ptr[word.len - 1] == ')' && slice_find_char(word, '(') < 0)
		word.len--;
	return word;
}

static struct slice next_word(struct slice *rest)
{
	struct slice word = slice_split(rest, ' ');

	return bare(word);
}

static bool invites(struct slice text)
{
	while (text.ptr) {
		struct slice word = next_word(&text);

		if (is_one_of(word, invitations, array_count(invitations)) ||
		    slice_has_prefix(word, SLICE("greylist")) ||
		    slice_has_prefix(word, SLICE("graylist")))
			return true;
	}
	return false;
}

static u64 unit_of(struct slice word)
{
	for (size_t i = 0; i < array_count(units); i++) {
		if (slice_equal(word, slice_of(units[i].name)))
			return units[i].seconds;
	}
	return 0;
}

static size_t digits_of(struct slice word)
{
	size_t len = 0;

	while (len < word.len && ascii_is_digit(word.ptr[len]))
		len++;
	return len;
}

/* "00:05:00" or "4:59"; false: it has another form. */
static bool read_clock(struct slice word, u64 *seconds)
{
	u32 parts = 0;

	*seconds = 0;
	while (word.ptr) {
		struct slice part = slice_split(&word, ':');
		u64 number;

		if (++parts > 3 || part.len == 0 || part.len > 3 || !slice_to_u64(part, &number))
			return false;
		*seconds = *seconds * 60 + number;
	}
	return parts >= 2;
}

/* One amount with its unit, in one word or two; 0: there is none, and *rest is where it was. */
static u64 read_amount(struct slice *rest)
{
	struct slice after = *rest;
	struct slice word = next_word(&after);
	size_t digits = digits_of(word);
	u64 number;
	u64 unit;

	if (read_clock(word, &number)) {
		*rest = after;
		return number;
	}
	if (digits == 0 || digits > DIGITS_MAX || !slice_to_u64(slice_first(word, digits), &number))
		return 0;
	unit = digits < word.len ? unit_of(bare(slice_from(word, digits))) :
				   unit_of(next_word(&after));
	if (unit > 0)
		*rest = after;
	return number * unit;
}

/* With what follows it: "4 minutes and 30 seconds", "1 hour, 5 min". */
static u64 read_time(struct slice *rest)
{
	u64 seconds = read_amount(rest);
	u64 more = seconds;

	for (u32 i = 0; i < 3 && more > 0 && rest->ptr; i++) {
		struct slice after = *rest;

		if (!slice_equal(next_word(&after), SLICE("and")))
			after = *rest;
		more = after.ptr ? read_amount(&after) : 0;
		if (more > 0)
			*rest = after;
		seconds += more;
	}
	return seconds;
}

u64 smtp_reply_wait_ms(struct slice text)
{
	char copy[SMTP_REPLY_TEXT_MAX];
	const struct slice words = { copy, smtp_reply_words(copy, text) };
	struct slice rest = words;
	u32 since_cue = CUE_DISTANCE + 1;

	while (rest.ptr) {
		u64 seconds = since_cue <= CUE_DISTANCE ? read_time(&rest) : 0;

		if (seconds > 0)
			return invites(words) ? min_u64(seconds * 1000, SMTP_REPLY_WAIT_MAX_MS) : 0;
		since_cue++;
		if (is_one_of(next_word(&rest), cues, array_count(cues)))
			since_cue = 0;
	}
	return 0;
}
