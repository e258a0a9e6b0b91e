#include "base/file.h"
#include "base/text.h"
#include "base/zone.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FOLDER "/usr/share/zoneinfo/"
#define NAME_LEN_MAX 64
#define HOUR_S 3600
#define TYPE_SIZE 6
#define OFFSET_MAX_S (26 * HOUR_S) /* RFC 9636 section 3.2 */
#define RULE_HOURS_MAX 167	   /* section 3.3.1 */

/* ---- numbers of the file, big-endian ---- */

struct reader {
	struct slice rest;
	bool bad;
};

static struct slice take(struct reader *r, u64 len)
{
	struct slice bytes = { r->rest.ptr, len };

	if (len > r->rest.len) {
		r->bad = true;
		return SLICE_NONE;
	}
	r->rest = slice_from(r->rest, len);
	return bytes;
}

static u64 number_at(struct slice bytes, size_t at, size_t size)
{
	u64 value = 0;

	for (size_t i = 0; i < size; i++)
		value = value << 8 | (u8)bytes.ptr[at + i];
	return value;
}

/* ---- the rule behind the last change: POSIX's TZ (RFC 9636 section 3.3) ---- */

static bool take_name(struct slice *rest)
{
	bool is_quoted = rest->len > 0 && rest->ptr[0] == '<';
	size_t len = is_quoted;

	while (len < rest->len &&
	       (is_quoted ? rest->ptr[len] != '>' : ascii_is_alpha(rest->ptr[len])))
		len++;
	if (len < 3 || (is_quoted && len == rest->len))
		return false;
	*rest = slice_from(*rest, len + is_quoted);
	return true;
}

static bool take_number(struct slice *rest, u32 most, u32 *number)
{
	size_t len = 0;

	while (len < rest->len && len < 4 && ascii_is_digit(rest->ptr[len]))
		len++;
	if (!slice_to_u32(slice_first(*rest, len), number) || *number > most)
		return false;
	*rest = slice_from(*rest, len);
	return true;
}

static bool take_char(struct slice *rest, char c)
{
	if (rest->len == 0 || rest->ptr[0] != c)
		return false;
	*rest = slice_from(*rest, 1);
	return true;
}

/* "-3", "+5:30", "26:00:00" */
static bool take_time(struct slice *rest, i32 *seconds)
{
	bool is_negative = take_char(rest, '-');
	u32 hours;
	u32 minutes = 0;
	u32 left = 0;

	if (!is_negative)
		(void)take_char(rest, '+');
	if (!take_number(rest, RULE_HOURS_MAX, &hours) ||
	    (take_char(rest, ':') && (!take_number(rest, 59, &minutes) ||
				      (take_char(rest, ':') && !take_number(rest, 59, &left)))))
		return false;
	*seconds = (i32)(hours * HOUR_S + minutes * 60 + left);
	if (is_negative)
		*seconds = -*seconds;
	return true;
}

/* How far ahead of UTC: the text says how far behind. */
static bool take_offset(struct slice *rest, i32 *offset_s)
{
	if (!take_time(rest, offset_s))
		return false;
	*offset_s = -*offset_s;
	return *offset_s >= -OFFSET_MAX_S && *offset_s <= OFFSET_MAX_S;
}

static bool take_rule(struct slice *rest, struct zone_rule *rule)
{
	rule->at_s = 2 * HOUR_S;
	if (take_char(rest, 'M')) {
		rule->kind = ZONE_RULE_WEEK;
		if (!take_number(rest, 12, &rule->month) || rule->month == 0 ||
		    !take_char(rest, '.') || !take_number(rest, 5, &rule->week) ||
		    rule->week == 0 || !take_char(rest, '.') || !take_number(rest, 6, &rule->day))
			return false;
	} else if (take_char(rest, 'J')) {
		rule->kind = ZONE_RULE_JULIAN;
		if (!take_number(rest, 365, &rule->day) || rule->day == 0)
			return false;
	} else {
		rule->kind = ZONE_RULE_DAY;
		if (!take_number(rest, 365, &rule->day))
			return false;
	}
	return !take_char(rest, '/') || take_time(rest, &rule->at_s);
}

static bool read_rules(struct zone *zone, struct slice text)
{
	if (text.len == 0)
		return true; /* nothing is known of later times: the last change holds */
	zone->has_rules = true;
	if (!take_name(&text) || !take_offset(&text, &zone->standard_s))
		return false;
	if (text.len == 0)
		return true;
	zone->has_summer = true;
	zone->summer_s = zone->standard_s + HOUR_S;
	if (!take_name(&text) ||
	    (text.len > 0 && text.ptr[0] != ',' && !take_offset(&text, &zone->summer_s)))
		return false;
	return take_char(&text, ',') && take_rule(&text, &zone->to_summer) &&
	       take_char(&text, ',') && take_rule(&text, &zone->to_standard) && text.len == 0;
}

/* ---- the file (RFC 9636 section 3) ---- */

struct head {
	u8 version;
	u64 utc_count;
	u64 standard_count;
	u64 leap_count;
	u64 time_count;
	u64 type_count;
	u64 char_count;
};

static bool take_head(struct reader *r, struct head *head)
{
	struct slice magic = take(r, 4);
	struct slice version = take(r, 16);
	struct slice counts = take(r, 24);

	if (r->bad || !slice_equal(magic, SLICE("TZif")))
		return false;
	head->version = (u8)version.ptr[0];
	head->utc_count = number_at(counts, 0, 4);
	head->standard_count = number_at(counts, 4, 4);
	head->leap_count = number_at(counts, 8, 4);
	head->time_count = number_at(counts, 12, 4);
	head->type_count = number_at(counts, 16, 4);
	head->char_count = number_at(counts, 20, 4);
	return true;
}

static bool read_changes(struct zone *zone, const struct head *head, struct slice times,
			 struct slice kinds, struct slice types)
{
	i64 last = INT64_MIN;

	for (u64 i = 0; i < head->time_count; i++) {
		struct zone_change *change = &zone->changes[i];
		u64 kind = (u8)kinds.ptr[i];

		change->at_s = (i64)number_at(times, i * 8, 8);
		if (kind >= head->type_count || (i > 0 && change->at_s <= last))
			return false;
		last = change->at_s;
		change->offset_s = (i32)(u32)number_at(types, kind * TYPE_SIZE, 4);
		if (change->offset_s < -OFFSET_MAX_S || change->offset_s > OFFSET_MAX_S)
			return false;
	}
	zone->change_count = (u32)head->time_count;
	zone->first_offset_s = (i32)(u32)number_at(types, 0, 4);
	return zone->first_offset_s >= -OFFSET_MAX_S && zone->first_offset_s <= OFFSET_MAX_S;
}

bool zone_parse(struct zone *zone, struct slice bytes, struct error *error)
{
	struct reader r = { bytes, false };
	struct slice times;
	struct slice kinds;
	struct slice types;
	struct slice rules;
	struct head head;

	*zone = zone_utc;
	if (!take_head(&r, &head) || head.version < '2')
		return error_set(error, "is no time zone file of version 2 or later");
	/* The first block is the same for readers that know 32-bit times alone. */
	take(&r, head.time_count * 5 + head.type_count * TYPE_SIZE + head.char_count +
			 head.leap_count * 8 + head.standard_count + head.utc_count);
	if (r.bad || !take_head(&r, &head))
		return error_set(error, "is a time zone file that is cut short");
	if (head.time_count > ZONE_CHANGES_MAX || head.type_count == 0 ||
	    head.type_count > ZONE_TYPES_MAX)
		return error_set(error, "is a time zone file with too many changes");
	times = take(&r, head.time_count * 8);
	kinds = take(&r, head.time_count);
	types = take(&r, head.type_count * TYPE_SIZE);
	take(&r, head.char_count + head.leap_count * 12 + head.standard_count + head.utc_count);
	if (r.bad || !take_char(&r.rest, '\n') || slice_find_char(r.rest, '\n') < 0)
		return error_set(error, "is a time zone file that is cut short");
	rules = slice_split(&r.rest, '\n');
	if (!read_changes(zone, &head, times, kinds, types) || !read_rules(zone, rules)) {
		*zone = zone_utc;
		return error_set(error, "is a time zone file that makes no sense");
	}
	return true;
}

static bool is_name(struct slice name)
{
	for (size_t i = 0; i < name.len; i++) {
		char c = name.ptr[i];

		if (!ascii_is_alpha(c) && !ascii_is_digit(c) && c != '/' && c != '_' && c != '-' &&
		    c != '+')
			return false;
	}
	return name.len > 0 && name.len <= NAME_LEN_MAX && name.ptr[0] != '/';
}

bool zone_read(struct zone *zone, const char *name, struct error *error)
{
	char path[sizeof(FOLDER) + NAME_LEN_MAX];
	struct slice bytes;
	bool is_good;

	*zone = zone_utc;
	if (slice_equal(slice_of(name), SLICE("UTC")))
		return true;
	if (!is_name(slice_of(name)))
		return error_set(error, "%.64s is no name of a time zone", name);
	snprintf(path, sizeof(path), FOLDER "%s", name);
	if (!file_read(path, ZONE_FILE_MAX, &bytes, error))
		return false;
	is_good = bytes.len <= ZONE_FILE_MAX && zone_parse(zone, bytes, error);
	free((char *)(uintptr_t)bytes.ptr);
	return is_good || error_prefix(error, "%s", path);
}
