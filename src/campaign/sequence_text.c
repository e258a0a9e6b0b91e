#include "campaign/sequence_text.h"

#include "base/text.h"
#include "campaign/send_window.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DAY_MINUTES 1440
#define ALL_DAYS 0x7f

static const char *const sequence_names[SEQUENCE_FIELDS] = {
	[SEQUENCE_FIELD_NAME] = "name",
	[SEQUENCE_FIELD_START] = "start",
	[SEQUENCE_FIELD_LIST] = "list",
	[SEQUENCE_FIELD_ATTRIBUTE] = "attribute",
	[SEQUENCE_FIELD_EVENT] = "event",
	[SEQUENCE_FIELD_ZONE] = "zone",
	[SEQUENCE_FIELD_FROM] = "from",
	[SEQUENCE_FIELD_REPLY_TO] = "reply_to",
	[SEQUENCE_FIELD_DAYS] = "days",
	[SEQUENCE_FIELD_HOURS] = "hours",
	[SEQUENCE_FIELD_EXIT] = "exit_segment",
	[SEQUENCE_FIELD_LATE_HOURS] = "late_hours",
	[SEQUENCE_FIELD_TRACK] = "track",
};

static const struct {
	const char *name;
	enum draft_field draft;
} step_rows[STEP_FIELDS] = {
	[STEP_FIELD_WAIT_DAYS] = { "wait_days", DRAFT_FIELDS },
	[STEP_FIELD_WAIT_HOURS] = { "wait_hours", DRAFT_FIELDS },
	[STEP_FIELD_AT] = { "at", DRAFT_FIELDS },
	[STEP_FIELD_WEEKDAYS] = { "weekdays", DRAFT_FIELDS },
	[STEP_FIELD_SEGMENT] = { "segment", DRAFT_FIELDS },
	[STEP_FIELD_SUBJECT] = { "subject", DRAFT_SUBJECT },
	[STEP_FIELD_PREHEADER] = { "preheader", DRAFT_PREHEADER },
	[STEP_FIELD_TEXT] = { "text", DRAFT_TEXT },
	[STEP_FIELD_HTML] = { "html", DRAFT_HTML },
	[STEP_FIELD_TEMPLATE] = { "template", DRAFT_TEMPLATE },
};

const char *sequence_field_name(u32 field)
{
	return field < SEQUENCE_FIELDS ? sequence_names[field] : NULL;
}

const char *step_field_name(u32 field)
{
	return field < STEP_FIELDS ? step_rows[field].name : NULL;
}

bool sequence_field_find(struct slice name, enum sequence_field *field)
{
	for (u32 i = 0; i < SEQUENCE_FIELDS; i++) {
		*field = (enum sequence_field)i;
		if (slice_equal(name, slice_of(sequence_names[i])))
			return true;
	}
	return false;
}

bool step_field_find(struct slice name, enum step_field *field)
{
	for (u32 i = 0; i < STEP_FIELDS; i++) {
		*field = (enum step_field)i;
		if (slice_equal(name, slice_of(step_rows[i].name)))
			return true;
	}
	return false;
}

enum draft_field step_field_draft(enum step_field field)
{
	return step_rows[field].draft;
}

/* ---- parts ---- */

static bool read_number(struct slice text, u32 max, u32 *number, struct error *error)
{
	*number = 0;
	if (text.len == 0)
		return true;
	return (slice_to_u32(text, number) && *number <= max) ||
	       error_set(error, "this is a number up to %u", max);
}

static bool is_line(struct slice text)
{
	for (size_t i = 0; i < text.len; i++) {
		if ((u8)text.ptr[i] < ' ' || text.ptr[i] == 0x7f)
			return false;
	}
	return true;
}

static bool read_start(struct slice text, enum audience_sequence_start *start,
		       struct error *error)
{
	for (u32 i = AUDIENCE_SEQUENCE_BY_LIST; i < AUDIENCE_SEQUENCE_STARTS; i++) {
		*start = (enum audience_sequence_start)i;
		if (slice_equal(text, slice_of(audience_sequence_start_names[i])))
			return true;
	}
	return error_set(error, "a start is list, event, date or yearly");
}

static bool is_event_name(struct slice text)
{
	for (size_t i = 0; i < text.len; i++) {
		char c = text.ptr[i];
		bool is_word = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
			       (c >= '0' && c <= '9') || (i > 0 && strchr("._-", c));

		if (!is_word)
			return false;
	}
	return text.len <= SEQUENCE_EVENT_MAX;
}

static bool check_window(struct slice days, struct slice hours, struct error *error)
{
	struct send_window window;

	return send_window_read(days, hours, &window) ||
	       error_set(error, "this is written mon-fri or 09:00-18:00");
}

static bool check_draft(enum draft_field field, struct slice value, struct error *error)
{
	enum draft_problem problem = draft_check_field(field, value);

	return problem == DRAFT_GOOD ||
	       error_set(error, "%s", draft_problem_words(problem, false));
}

/* ---- sequences ---- */

static bool read_numbers(enum sequence_field field, struct slice value,
			 struct audience_sequence *s, struct error *error)
{
	u32 number;

	switch (field) {
	case SEQUENCE_FIELD_LIST:
	case SEQUENCE_FIELD_ATTRIBUTE:
		if (!read_number(value, UINT16_MAX, &number, error))
			return false;
		if (field == SEQUENCE_FIELD_LIST)
			s->list = (u16)number;
		else
			s->attribute = (u16)number;
		return true;
	case SEQUENCE_FIELD_EXIT:
		return read_number(value, UINT32_MAX, &s->exit_segment, error);
	case SEQUENCE_FIELD_LATE_HOURS:
		return read_number(value, SEQUENCE_HOURS_MAX, &s->late_hours, error);
	default:
		return true;
	}
}

static bool read_text(enum sequence_field field, struct slice value, struct audience_sequence *s,
		      struct error *error)
{
	struct time_zone zone;

	if (!is_line(value))
		return error_set(error, "a control character is in it");
	switch (field) {
	case SEQUENCE_FIELD_NAME:
		s->of[SEQUENCE_NAME] = value;
		return (value.len > 0 && value.len <= SEQUENCE_NAME_MAX) ||
		       error_set(error, "a name has 1 to %d bytes", SEQUENCE_NAME_MAX);
	case SEQUENCE_FIELD_START:
		return read_start(value, &s->start, error);
	case SEQUENCE_FIELD_EVENT:
		s->of[SEQUENCE_EVENT] = value;
		return is_event_name(value) ||
		       error_set(error, "an event's name is up to %d of A-Z a-z 0-9 . _ -",
				 SEQUENCE_EVENT_MAX);
	case SEQUENCE_FIELD_ZONE:
		s->of[SEQUENCE_ZONE] = value;
		return value.len == 0 || time_zone_find(value, &zone) ||
		       error_set(error, "there is no such time zone");
	case SEQUENCE_FIELD_FROM:
		s->of[SEQUENCE_FROM] = value;
		return check_draft(DRAFT_FROM, value, error);
	case SEQUENCE_FIELD_REPLY_TO:
		s->of[SEQUENCE_REPLY_TO] = value;
		return check_draft(DRAFT_REPLY_TO, value, error);
	case SEQUENCE_FIELD_DAYS:
		s->of[SEQUENCE_DAYS] = value;
		return check_window(value, SLICE(""), error);
	case SEQUENCE_FIELD_HOURS:
		s->of[SEQUENCE_HOURS] = value;
		return check_window(SLICE(""), value, error);
	case SEQUENCE_FIELD_TRACK:
		s->tracks = !slice_equal(value, SLICE("no"));
		return check_draft(DRAFT_TRACK, value, error);
	default:
		return read_numbers(field, value, s, error);
	}
}

/* What its start needs. */
static bool check_start(const struct audience_sequence *s, enum sequence_field *wrong,
			struct error *error)
{
	*wrong = SEQUENCE_FIELD_LIST;
	if (s->start == AUDIENCE_SEQUENCE_BY_LIST && s->list == 0)
		return error_set(error, "which list?");
	*wrong = SEQUENCE_FIELD_EVENT;
	if (s->start == AUDIENCE_SEQUENCE_BY_EVENT && s->of[SEQUENCE_EVENT].len == 0)
		return error_set(error, "which event?");
	*wrong = SEQUENCE_FIELD_ATTRIBUTE;
	if (s->start >= AUDIENCE_SEQUENCE_BY_DATE && s->attribute == 0)
		return error_set(error, "which attribute?");
	return true;
}

bool sequence_texts_read(const struct sequence_texts *texts, struct audience_sequence *s,
			 enum sequence_field *wrong, struct error *error)
{
	for (u32 i = 0; i < SEQUENCE_FIELDS; i++) {
		*wrong = (enum sequence_field)i;
		if (texts->given >> i & 1 && !read_text(*wrong, texts->of[i], s, error))
			return false;
	}
	*wrong = SEQUENCE_FIELD_NAME;
	if (s->of[SEQUENCE_NAME].len == 0)
		return error_set(error, "it has no name");
	*wrong = SEQUENCE_FIELD_START;
	if (s->start == 0)
		return error_set(error, "what starts it?");
	*wrong = SEQUENCE_FIELD_FROM;
	if (s->of[SEQUENCE_FROM].len == 0)
		return error_set(error, "there is no sender");
	return check_start(s, wrong, error);
}

/* ---- steps ---- */

static bool read_days(struct slice text, i32 *days, struct error *error)
{
	bool is_before = text.len > 0 && text.ptr[0] == '-';
	u32 number = 0;

	if (text.len > 0 &&
	    (!slice_to_u32(slice_from(text, is_before ? 1 : 0), &number) ||
	     number > SEQUENCE_DAYS_MAX))
		return error_set(error, "days are from %d to %d", -SEQUENCE_DAYS_MAX,
				 SEQUENCE_DAYS_MAX);
	*days = is_before ? -(i32)number : (i32)number;
	return true;
}

static bool read_at(struct slice text, i32 *at_minute, struct error *error)
{
	u32 hour = 0;
	u32 minute = 0;
	bool good = text.len == 5 && text.ptr[2] == ':' &&
		    slice_to_u32(slice_first(text, 2), &hour) &&
		    slice_to_u32(slice_from(text, 3), &minute) && hour < 24 && minute < 60;

	*at_minute = text.len == 0 ? SEQUENCE_ANY_TIME : (i32)(hour * 60 + minute);
	return good || text.len == 0 || error_set(error, "a time of day is written 09:00");
}

static bool read_weekdays(struct slice text, u8 *weekdays, struct error *error)
{
	struct send_window window;

	if (!send_window_read(text, SLICE(""), &window))
		return error_set(error, "days of the week are written mon-fri or sat,sun");
	*weekdays = text.len == 0 || window.days == ALL_DAYS ? 0 : window.days;
	return true;
}

static bool read_step(enum step_field field, struct slice value, struct sequence_step *step,
		      struct error *error)
{
	switch (field) {
	case STEP_FIELD_WAIT_DAYS:
		return read_days(value, &step->days, error);
	case STEP_FIELD_WAIT_HOURS:
		return read_number(value, SEQUENCE_HOURS_MAX, &step->hours, error);
	case STEP_FIELD_AT:
		return read_at(value, &step->at_minute, error);
	case STEP_FIELD_WEEKDAYS:
		return read_weekdays(value, &step->weekdays, error);
	case STEP_FIELD_SEGMENT:
		return read_number(value, UINT32_MAX, &step->segment, error);
	default:
		return check_draft(step_rows[field].draft, value, error);
	}
}

bool step_texts_read(const struct step_texts *texts, struct sequence_step *step,
		     enum step_field *wrong, struct error *error)
{
	for (u32 i = 0; i < STEP_FIELDS; i++) {
		*wrong = (enum step_field)i;
		if (texts->given >> i & 1 && !read_step(*wrong, texts->of[i], step, error))
			return false;
	}
	return true;
}

void sequence_add_at(i32 at_minute, struct buf *out)
{
	if (at_minute >= 0 && at_minute < DAY_MINUTES)
		buf_add_format(out, "%02d:%02d", at_minute / 60, at_minute % 60);
}

void sequence_add_weekdays(u8 weekdays, struct buf *out)
{
	static const char *const names[] = { "sun", "mon", "tue", "wed", "thu", "fri", "sat" };
	bool is_first = true;

	/* From Monday, as people write them. */
	for (u32 i = 1; i <= array_count(names); i++) {
		u32 day = i % array_count(names);

		if (!(weekdays >> day & 1))
			continue;
		buf_add_format(out, "%s%s", is_first ? "" : ",", names[day]);
		is_first = false;
	}
}
