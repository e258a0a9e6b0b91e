#include "message/value_date.h"

#include "base/text.h"

static bool take_digits(struct slice *rest, size_t most, size_t least, u32 *number)
{
	size_t len = 0;

	*number = 0;
	while (len < most && len < rest->len && ascii_is_digit(rest->ptr[len]))
		*number = *number * 10 + (u32)(rest->ptr[len++] - '0');
	*rest = slice_from(*rest, len);
	return len >= least;
}

static bool take_char(struct slice *rest, char c)
{
	if (rest->len == 0 || rest->ptr[0] != c)
		return false;
	*rest = slice_from(*rest, 1);
	return true;
}

static u32 days_of_month(u32 year, u32 month)
{
	static const u8 days[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
	bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;

	return days[month - 1] + (month == 2 && leap);
}

static bool read_day(struct slice *rest, struct value_date *date)
{
	bool parted;
	char by;

	if (!take_digits(rest, 4, 4, &date->year) || rest->len == 0)
		return false;
	by = rest->ptr[0];
	parted = by == '-' || by == '/' || by == '.';
	if (parted)
		*rest = slice_from(*rest, 1);
	if (!take_digits(rest, 2, parted ? 1 : 2, &date->month) ||
	    (parted && !take_char(rest, by)) || !take_digits(rest, 2, parted ? 1 : 2, &date->day))
		return false;
	return date->year > 0 && date->month > 0 && date->month <= 12 && date->day > 0 &&
	       date->day <= days_of_month(date->year, date->month);
}

/* A fraction and a zone: Z, +09:00, +0900. */
static bool pass_zone(struct slice rest)
{
	u32 number;

	if (take_char(&rest, '.'))
		(void)take_digits(&rest, 9, 0, &number);
	if (take_char(&rest, 'Z') || rest.len == 0)
		return rest.len == 0;
	if (!take_char(&rest, '+') && !take_char(&rest, '-'))
		return false;
	if (!take_digits(&rest, 2, 2, &number))
		return false;
	(void)take_char(&rest, ':');
	return take_digits(&rest, 2, 2, &number) && rest.len == 0;
}

bool value_date_read(struct slice text, struct value_date *date)
{
	struct slice rest = slice_trim(text);

	*date = (struct value_date){ 0 };
	if (!read_day(&rest, date))
		return false;
	if (rest.len == 0)
		return true;
	if (!take_char(&rest, 'T') && !take_char(&rest, ' '))
		return false;
	if (!take_digits(&rest, 2, 1, &date->hour) || !take_char(&rest, ':') ||
	    !take_digits(&rest, 2, 2, &date->minute))
		return false;
	if (take_char(&rest, ':') && !take_digits(&rest, 2, 2, &date->second))
		return false;
	return date->hour < 24 && date->minute < 60 && date->second <= 60 && pass_zone(rest);
}

/* 0 is Sunday. Counts the days since 1 March of the year 0. */
static u32 weekday(const struct value_date *date)
{
	u32 year = date->year - (date->month < 3);
	u32 month = date->month < 3 ? date->month + 9 : date->month - 3;
	u32 days = year * 365 + year / 4 - year / 100 + year / 400 + (153 * month + 2) / 5 +
		   date->day - 1;

	return (days + 3) % 7;
}

/* Eras by the law of each; what lies before them has no era here. */
static const struct era {
	u32 from; /* year, month, day as one number */
	u32 year;
	const char *name;
} eras[] = {
	{ 20190501, 2019, "令和" },
	{ 19890108, 1989, "平成" },
	{ 19261225, 1926, "昭和" },
	{ 19120730, 1912, "大正" },
	{ 18730101, 1868, "明治" },
};

static const struct era *era_of(const struct value_date *date)
{
	u32 number = date->year * 10000 + date->month * 100 + date->day;

	for (size_t i = 0; i < array_count(eras); i++) {
		if (number >= eras[i].from)
			return &eras[i];
	}
	return NULL;
}

static void add_era_year(struct buf *out, const struct value_date *date)
{
	const struct era *era = era_of(date);
	u32 year = era ? date->year - era->year + 1 : date->year;

	if (era && year == 1)
		buf_add_text(out, "元");
	else
		buf_add_u64(out, year);
}

enum part {
	PART_YEAR,
	PART_YEAR_SHORT,
	PART_MONTH_NAME,
	PART_MONTH_SHORT,
	PART_MONTH,
	PART_MONTH_BARE,
	PART_DAY,
	PART_DAY_BARE,
	PART_WEEKDAY,
	PART_WEEKDAY_SHORT,
	PART_WEEKDAY_KANJI,
	PART_WEEKDAY_KANJI_SHORT,
	PART_ERA,
	PART_ERA_YEAR,
	PART_HOUR,
	PART_HOUR_BARE,
	PART_MINUTE,
	PART_SECOND,
};

static const char *const month_names[] = {
	"January", "February", "March",	    "April",   "May",	   "June",
	"July",	   "August",   "September", "October", "November", "December",
};
static const char *const day_names[] = { "Sunday",   "Monday", "Tuesday", "Wednesday",
					 "Thursday", "Friday", "Saturday" };
static const char *const day_signs[] = { "日", "月", "火", "水", "木", "金", "土" };

static void add_part(struct buf *out, const struct value_date *date, enum part part)
{
	switch (part) {
	case PART_YEAR:
		buf_add_format(out, "%04u", date->year);
		break;
	case PART_YEAR_SHORT:
		buf_add_format(out, "%02u", date->year % 100);
		break;
	case PART_MONTH_NAME:
		buf_add_text(out, month_names[date->month - 1]);
		break;
	case PART_MONTH_SHORT:
		buf_add(out, month_names[date->month - 1], 3);
		break;
	case PART_WEEKDAY:
		buf_add_text(out, day_names[weekday(date)]);
		break;
	case PART_WEEKDAY_SHORT:
		buf_add(out, day_names[weekday(date)], 3);
		break;
	case PART_WEEKDAY_KANJI:
	case PART_WEEKDAY_KANJI_SHORT:
		buf_add_text(out, day_signs[weekday(date)]);
		if (part == PART_WEEKDAY_KANJI)
			buf_add_text(out, "曜日");
		break;
	case PART_ERA:
		buf_add_text(out, era_of(date) ? era_of(date)->name : "");
		break;
	case PART_ERA_YEAR:
		add_era_year(out, date);
		break;
	case PART_MONTH_BARE:
	case PART_DAY_BARE:
	case PART_HOUR_BARE:
		buf_add_u64(out, part == PART_MONTH_BARE ? date->month
				 : part == PART_DAY_BARE ? date->day
							 : date->hour);
		break;
	default:
		buf_add_format(out, "%02u",
			       part == PART_MONTH    ? date->month
			       : part == PART_DAY    ? date->day
			       : part == PART_HOUR   ? date->hour
			       : part == PART_MINUTE ? date->minute
						     : date->second);
		break;
	}
}

void value_date_add(struct buf *out, const struct value_date *date, struct slice format)
{
	static const struct {
		struct slice sign;
		enum part part;
	} parts[] = {
		{ SLICE("YYYY"), PART_YEAR },	   { SLICE("YY"), PART_YEAR_SHORT },
		{ SLICE("MMMM"), PART_MONTH_NAME },  { SLICE("MMM"), PART_MONTH_SHORT },
		{ SLICE("MM"), PART_MONTH },	   { SLICE("M"), PART_MONTH_BARE },
		{ SLICE("DD"), PART_DAY },	   { SLICE("D"), PART_DAY_BARE },
		{ SLICE("dddd"), PART_WEEKDAY },	   { SLICE("ddd"), PART_WEEKDAY_SHORT },
		{ SLICE("aaaa"), PART_WEEKDAY_KANJI }, { SLICE("aaa"), PART_WEEKDAY_KANJI_SHORT },
		{ SLICE("gggg"), PART_ERA },	   { SLICE("e"), PART_ERA_YEAR },
		{ SLICE("HH"), PART_HOUR },	   { SLICE("H"), PART_HOUR_BARE },
		{ SLICE("mm"), PART_MINUTE },	   { SLICE("ss"), PART_SECOND },
	};

	while (format.len > 0) {
		i64 close = format.ptr[0] == '[' ? slice_find_char(format, ']') : -1;
		size_t i = 0;

		if (close > 0) {
			buf_add(out, format.ptr + 1, (size_t)close - 1);
			format = slice_from(format, (size_t)close + 1);
			continue;
		}
		while (i < array_count(parts) && !slice_has_prefix(format, parts[i].sign))
			i++;
		if (i < array_count(parts))
			add_part(out, date, parts[i].part);
		else
			buf_add_char(out, format.ptr[0]);
		format = slice_from(format, i < array_count(parts) ? parts[i].sign.len : 1);
	}
}
