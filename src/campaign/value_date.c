#include "campaign/value_date.h"

#include "base/text.h"

#define YEAR_MIN 1000
#define YEAR_MAX 9999
#define PARTS 3

struct era {
	struct slice name;
	char letter;
	u32 before; /* the year before its first */
};

static const struct era eras[] = {
	{ SLICE("令和"), 'r', 2018 }, { SLICE("平成"), 'h', 1988 }, { SLICE("昭和"), 's', 1925 },
	{ SLICE("大正"), 't', 1911 }, { SLICE("明治"), 'm', 1867 },
};

static bool is_leap(u32 year)
{
	return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
}

static enum value_problem write_date(struct buf *out, u32 year, u32 month, u32 day)
{
	static const u8 days[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };

	if (year < YEAR_MIN || year > YEAR_MAX || month < 1 || month > 12 || day < 1)
		return VALUE_DAY_MISSING;
	if (day > days[month - 1] + (u32)(month == 2 && is_leap(year)))
		return VALUE_DAY_MISSING;
	buf_add_format(out, "%04u-%02u-%02u", year, month, day);
	return VALUE_GOOD;
}

/* Takes digits off the front. */
static bool take_number(struct slice *s, u32 *number, size_t *digits)
{
	size_t len = 0;

	while (len < s->len && ascii_is_digit(s->ptr[len]))
		len++;
	*digits = len;
	if (len == 0 || len > 8 || !slice_to_u32(slice_first(*s, len), number))
		return false;
	*s = slice_from(*s, len);
	return true;
}

static bool take(struct slice *s, struct slice word)
{
	if (!slice_has_prefix(*s, word))
		return false;
	*s = slice_from(*s, word.len);
	return true;
}

static void skip_blanks(struct slice *s)
{
	while (take(s, SLICE(" "))) {
	}
}

/* What stands between two parts; all of a date have the same kind. */
static bool take_separator(struct slice *s, char *kind, struct slice sign)
{
	char found;

	skip_blanks(s);
	if (take(s, sign)) {
		found = 'j';
	} else if (s->len > 0 && memchr("-/.", s->ptr[0], 3)) {
		found = s->ptr[0];
		*s = slice_from(*s, 1);
	} else {
		return false;
	}
	skip_blanks(s);
	if (*kind == 0)
		*kind = found;
	return *kind == found;
}

/* Behind the date: nothing, the day's sign, a time of day. */
static bool is_rest(struct slice s, char kind)
{
	if (kind == 'j')
		take(&s, SLICE("日"));
	if (s.len == 0)
		return true;
	if (s.ptr[0] != ' ' && s.ptr[0] != 'T')
		return false;
	s = slice_from(s, 1);
	if (s.len == 0 || !ascii_is_digit(s.ptr[0]))
		return false;
	for (size_t i = 0; i < s.len; i++) {
		if (!ascii_is_digit(s.ptr[i]) && !memchr(":.+-Z ", s.ptr[i], 6))
			return false;
	}
	return slice_find_char(s, ':') > 0;
}

/* "8", "元", behind an era's name or letter. */
static bool take_era(struct slice *s, u32 *before)
{
	for (size_t i = 0; i < array_count(eras); i++) {
		struct slice rest = *s;

		if (take(&rest, eras[i].name) ||
		    (rest.len > 1 && ascii_lower(rest.ptr[0]) == eras[i].letter &&
		     (take(&rest, (struct slice){ rest.ptr, 1 })))) {
			*before = eras[i].before;
			skip_blanks(&rest);
			take(&rest, SLICE("."));
			*s = rest;
			return true;
		}
	}
	return false;
}

/* "11/30/2026" and its like: by the part that cannot be a month. */
static enum value_problem write_turned(struct buf *out, const u32 parts[PARTS])
{
	if (parts[0] > 12 && parts[1] <= 12)
		return write_date(out, parts[2], parts[1], parts[0]);
	if (parts[1] > 12 && parts[0] <= 12)
		return write_date(out, parts[2], parts[0], parts[1]);
	if (parts[0] == parts[1])
		return write_date(out, parts[2], parts[0], parts[1]);
	return VALUE_DATE_UNCLEAR;
}

static enum value_problem read_parts(struct buf *out, struct slice s, u32 before, bool era)
{
	u32 parts[PARTS] = { 0 };
	size_t digits[PARTS];
	char kind = 0;

	if (era && take(&s, SLICE("元"))) {
		parts[0] = 1;
		digits[0] = 1;
	} else if (!take_number(&s, &parts[0], &digits[0])) {
		return VALUE_NO_DATE;
	}
	if (!era && digits[0] == 8 && is_rest(s, 0))
		return write_date(out, parts[0] / 10000, parts[0] / 100 % 100, parts[0] % 100);
	if (!take_separator(&s, &kind, SLICE("年")) || !take_number(&s, &parts[1], &digits[1]) ||
	    !take_separator(&s, &kind, SLICE("月")) || !take_number(&s, &parts[2], &digits[2]) ||
	    !is_rest(s, kind) || digits[1] > 2)
		return VALUE_NO_DATE;
	if (era && digits[0] <= 2 && digits[2] <= 2)
		return parts[0] > 0 ? write_date(out, before + parts[0], parts[1], parts[2]) :
				      VALUE_DAY_MISSING;
	if (!era && digits[0] == 4 && digits[2] <= 2)
		return write_date(out, parts[0], parts[1], parts[2]);
	if (!era && kind != 'j' && digits[0] <= 2 && digits[2] == 4)
		return write_turned(out, parts);
	return VALUE_NO_DATE;
}

enum value_problem value_read_date(struct buf *out, struct slice text)
{
	char room[128];
	size_t len = value_narrow(room, sizeof(room), text);
	struct slice s = { room, len };
	u32 before = 0;
	bool era;

	if (len == SIZE_MAX)
		return VALUE_NO_DATE;
	s = slice_trim(s);
	era = take_era(&s, &before);
	return read_parts(out, s, before, era);
}
