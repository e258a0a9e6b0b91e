#include "campaign/draft.h"

#include "base/text.h"
#include "store/row_values.h"

#define EAST_S (14 * 3600)
#define AB_SHARE 20
#define AB_HOURS 4

enum kind {
	ONE_LINE,
	ANY_TEXT,
	NUMBER,
	NUMBERS,
	YES_NO,
	TIME,
	ZONE,
	DAYS,
	HOURS,
	PERCENT,
	MEASURE,
};

static const struct field {
	const char *name;
	enum kind kind;
	u32 max; /* bytes */
} fields[DRAFT_FIELDS] = {
	[DRAFT_NAME] = { "name", ONE_LINE, 200 },
	[DRAFT_FROM] = { "from", ONE_LINE, 700 },
	[DRAFT_REPLY_TO] = { "reply_to", ONE_LINE, 700 },
	[DRAFT_SUBJECT] = { "subject", ONE_LINE, 2000 },
	[DRAFT_PREHEADER] = { "preheader", ONE_LINE, 2000 },
	[DRAFT_TEXT] = { "text", ANY_TEXT, 2 << 20 },
	[DRAFT_HTML] = { "html", ANY_TEXT, 8 << 20 },
	[DRAFT_TEMPLATE] = { "template", NUMBER, 10 },
	[DRAFT_LIST] = { "list", NUMBER, 5 },
	[DRAFT_SEGMENT] = { "segment", NUMBER, 10 },
	[DRAFT_EXCLUDE] = { "exclude", NUMBERS, 200 },
	[DRAFT_TRACK] = { "track", YES_NO, 8 },
	[DRAFT_ARCHIVE] = { "archive", YES_NO, 8 },
	[DRAFT_AT] = { "at", TIME, 16 },
	[DRAFT_ZONE] = { "zone", ZONE, 64 },
	[DRAFT_ZONE_ATTRIBUTE] = { "zone_attribute", ONE_LINE, 64 },
	[DRAFT_DAYS] = { "days", DAYS, 64 },
	[DRAFT_HOURS] = { "hours", HOURS, 16 },
	[DRAFT_PER_HOUR] = { "per_hour", NUMBER, 9 },
	[DRAFT_DEADLINE] = { "deadline", TIME, 16 },
	[DRAFT_CONDITION] = { "condition", ANY_TEXT, 4000 },
	[DRAFT_SUBJECT_B] = { "subject_b", ONE_LINE, 2000 },
	[DRAFT_AB_SHARE] = { "ab_share", PERCENT, 3 },
	[DRAFT_AB_HOURS] = { "ab_hours", NUMBER, 3 },
	[DRAFT_AB_BY] = { "ab_by", MEASURE, 8 },
	[DRAFT_INLINE] = { "inline", YES_NO, 8 },
};

const char *draft_field_name(u32 field)
{
	return field < DRAFT_FIELDS ? fields[field].name : NULL;
}

bool draft_field_find(struct slice name, enum draft_field *field)
{
	for (u32 i = 0; i < DRAFT_FIELDS; i++) {
		if (slice_equal(name, slice_of(fields[i].name))) {
			*field = (enum draft_field)i;
			return true;
		}
	}
	return false;
}

void draft_pack(const struct draft *draft, struct buf *out)
{
	row_values_pack(out, draft->of, DRAFT_FIELDS);
}

bool draft_unpack(struct slice packed, struct draft *draft)
{
	return row_values_unpack(packed, draft->of, DRAFT_FIELDS);
}

/* ---- sentences ---- */

const char *draft_problem_words(enum draft_problem problem, bool japanese)
{
	static const char *const words[DRAFT_PROBLEMS][2] = {
		[DRAFT_GOOD] = { "", "" },
		[DRAFT_MISSING] = { "this has to be given", "入力してください" },
		[DRAFT_TOO_LONG] = { "this is too long", "長すぎます" },
		[DRAFT_CONTROL] = { "there is a control character, or a second line",
				    "改行または制御文字は使えません" },
		[DRAFT_NO_WORD] = { "this is yes or no", "yes か no を指定してください" },
		[DRAFT_NO_NUMBER] = { "this is not a number that may stand here",
				      "ここには数字を指定してください" },
		[DRAFT_NO_ZONE] = { "there is no such time zone", "そのタイムゾーンはありません" },
		[DRAFT_NO_TIME] = { "a time is written as 2026-12-01 09:00",
				    "日時は 2026-12-01 09:00 の形で入力してください" },
		[DRAFT_NO_WINDOW] = { "days are written as mon-fri,sun and hours as 09:00-18:00",
				      "曜日は mon-fri,sun、時間帯は 09:00-18:00 "
				      "の形で入力してください" },
		[DRAFT_BEFORE_START] = { "the deadline is not after the start",
					 "締切が開始より後になっていません" },
		[DRAFT_NO_CONTENT] = { "there is neither a text nor HTML nor a template",
				       "本文（テキスト、HTML、テンプレートのいずれか）がありません" },
		[DRAFT_NO_MEASURE] = { "this is opens or clicks",
				       "opens か clicks を指定してください" },
		[DRAFT_AB_LOCAL] = { "two subjects and a start by each contact's own clock do not "
				     "go together",
				     "件名の比較と現地時刻での配信は同時に使えません" },
		[DRAFT_AB_UNCOUNTED] = { "two subjects are compared by what is counted: turn "
					 "counting on",
					 "件名の比較には計測が必要です" },
		[DRAFT_TWO_CONTENTS] = { "give a template or a text, not both",
					 "テンプレートと本文のどちらか一方にしてください" },
	};

	return words[problem < DRAFT_PROBLEMS ? problem : DRAFT_GOOD][japanese];
}

/* ---- checks ---- */

static bool has_control(struct slice text)
{
	for (size_t i = 0; i < text.len; i++) {
		if ((u8)text.ptr[i] < ' ' || text.ptr[i] == 0x7f)
			return true;
	}
	return false;
}

static bool is_number(struct slice value)
{
	u32 number;

	return slice_to_u32(value, &number) && number > 0;
}

static bool are_numbers(struct slice value)
{
	while (value.ptr) {
		if (!is_number(slice_trim(slice_split(&value, ','))))
			return false;
	}
	return true;
}

static enum draft_problem check_kind(enum kind kind, struct slice value)
{
	struct clock_date date;
	struct send_window window;
	struct time_zone zone;
	u32 number;

	switch (kind) {
	case NUMBER:
		return is_number(value) ? DRAFT_GOOD : DRAFT_NO_NUMBER;
	case NUMBERS:
		return are_numbers(value) ? DRAFT_GOOD : DRAFT_NO_NUMBER;
	case YES_NO:
		return slice_equal(value, SLICE("yes")) || slice_equal(value, SLICE("no"))
			       ? DRAFT_GOOD
			       : DRAFT_NO_WORD;
	case TIME:
		return time_zone_read_local(value, &date) ? DRAFT_GOOD : DRAFT_NO_TIME;
	case ZONE:
		return time_zone_find(value, &zone) ? DRAFT_GOOD : DRAFT_NO_ZONE;
	case DAYS:
		return send_window_read(value, SLICE(""), &window) ? DRAFT_GOOD : DRAFT_NO_WINDOW;
	case HOURS:
		return send_window_read(SLICE(""), value, &window) ? DRAFT_GOOD : DRAFT_NO_WINDOW;
	case PERCENT:
		return is_number(value) && slice_to_u32(value, &number) && number <= 100
			       ? DRAFT_GOOD
			       : DRAFT_NO_NUMBER;
	case MEASURE:
		return slice_equal(value, SLICE("opens")) || slice_equal(value, SLICE("clicks"))
			       ? DRAFT_GOOD
			       : DRAFT_NO_MEASURE;
	case ONE_LINE:
	case ANY_TEXT:
		break;
	}
	return DRAFT_GOOD;
}

enum draft_problem draft_check_field(enum draft_field field, struct slice value)
{
	if (value.len > fields[field].max)
		return DRAFT_TOO_LONG;
	if (value.len == 0)
		return DRAFT_GOOD;
	if (fields[field].kind != ANY_TEXT && has_control(value))
		return DRAFT_CONTROL;
	return check_kind(fields[field].kind, value);
}

/* What must be there, and what excludes what. */
static enum draft_problem check_whole(const struct draft *draft, enum draft_field *field)
{
	static const enum draft_field needed[] = { DRAFT_NAME, DRAFT_FROM, DRAFT_SUBJECT };
	bool has_text = draft->of[DRAFT_TEXT].len > 0 || draft->of[DRAFT_HTML].len > 0;
	bool has_template = draft->of[DRAFT_TEMPLATE].len > 0;

	for (size_t i = 0; i < array_count(needed); i++) {
		*field = needed[i];
		if (slice_trim(draft->of[*field]).len == 0)
			return DRAFT_MISSING;
	}
	*field = DRAFT_ZONE_ATTRIBUTE;
	if (draft->of[DRAFT_ZONE_ATTRIBUTE].len > 0 && draft->of[DRAFT_AT].len == 0) {
		*field = DRAFT_AT;
		return DRAFT_MISSING;
	}
	*field = DRAFT_SUBJECT_B;
	if (draft->of[DRAFT_SUBJECT_B].len > 0 && draft->of[DRAFT_ZONE_ATTRIBUTE].len > 0)
		return DRAFT_AB_LOCAL;
	if (draft->of[DRAFT_SUBJECT_B].len > 0 && slice_equal(draft->of[DRAFT_TRACK], SLICE("no")))
		return DRAFT_AB_UNCOUNTED;
	*field = has_template ? DRAFT_TEMPLATE : DRAFT_TEXT;
	if (has_template && has_text)
		return DRAFT_TWO_CONTENTS;
	return has_template || has_text ? DRAFT_GOOD : DRAFT_NO_CONTENT;
}

static u64 moment_of(const struct time_zone *zone, struct slice text)
{
	struct clock_date date;

	return time_zone_read_local(text, &date) ? time_zone_moment(zone, &date) : 0;
}

static void make_ab(const struct draft *draft, struct draft_plan *plan)
{
	u64 hours;

	if (draft->of[DRAFT_SUBJECT_B].len == 0)
		return;
	if (!slice_to_u32(draft->of[DRAFT_AB_SHARE], &plan->ab_share))
		plan->ab_share = AB_SHARE;
	if (!slice_to_u64(draft->of[DRAFT_AB_HOURS], &hours))
		hours = AB_HOURS;
	plan->ab_ms = hours * 3600 * MS_PER_S;
	plan->ab_clicks = slice_equal(draft->of[DRAFT_AB_BY], SLICE("clicks"));
}

/* Fields are checked each by itself. */
static bool make_plan(const struct draft *draft, struct draft_plan *plan)
{
	struct slice zone = draft->of[DRAFT_ZONE];

	*plan = (struct draft_plan){
		.is_local = draft->of[DRAFT_ZONE_ATTRIBUTE].len > 0,
		.tracks = !slice_equal(draft->of[DRAFT_TRACK], SLICE("no")),
		.is_archived = slice_equal(draft->of[DRAFT_ARCHIVE], SLICE("yes")),
	};
	if (!time_zone_find(zone.len > 0 ? zone : SLICE("UTC"), &plan->zone) ||
	    !send_window_read(draft->of[DRAFT_DAYS], draft->of[DRAFT_HOURS], &plan->window))
		return false;
	plan->start_ms = moment_of(&plan->zone, draft->of[DRAFT_AT]);
	plan->deadline_ms = moment_of(&plan->zone, draft->of[DRAFT_DEADLINE]);
	if (!slice_to_u64(draft->of[DRAFT_PER_HOUR], &plan->per_hour))
		plan->per_hour = 0;
	make_ab(draft, plan);
	return true;
}

enum draft_problem draft_check(const struct draft *draft, struct draft_plan *plan,
			       enum draft_field *field)
{
	enum draft_problem problem;

	for (u32 i = 0; i < DRAFT_FIELDS; i++) {
		*field = (enum draft_field)i;
		problem = draft_check_field(*field, draft->of[i]);
		if (problem != DRAFT_GOOD)
			return problem;
	}
	problem = check_whole(draft, field);
	if (problem != DRAFT_GOOD)
		return problem;
	*field = DRAFT_HOURS;
	if (!make_plan(draft, plan))
		return DRAFT_NO_WINDOW;
	*field = DRAFT_DEADLINE;
	if (plan->deadline_ms > 0 && plan->deadline_ms <= plan->start_ms)
		return DRAFT_BEFORE_START;
	return DRAFT_GOOD;
}

/* ---- two subjects ---- */

/* Spread evenly, and otherwise in each campaign. */
static u64 mix(u64 x)
{
	x ^= x >> 30;
	x *= 0xbf58476d1ce4e5b9ull;
	x ^= x >> 27;
	x *= 0x94d049bb133111ebull;
	return x ^ x >> 31;
}

u32 draft_variant_of(const struct draft_plan *plan, u32 campaign, u32 contact)
{
	u64 lot = mix(((u64)campaign << 32 | contact) + 0x9e3779b97f4a7c15ull);

	if (lot % 100 >= plan->ab_share)
		return 0;
	return lot / 100 % 2 == 0 ? DRAFT_VARIANT_A : DRAFT_VARIANT_B;
}

/* ---- passes ---- */

/* What the clock of the plan's zone shows at its start, as if that were UTC. */
static u64 shown_ms(const struct draft_plan *plan)
{
	return plan->start_ms + (u64)((i64)time_zone_offset_s(&plan->zone, plan->start_ms) * 1000);
}

u64 draft_pass_ms(const struct draft_plan *plan, u32 pass)
{
	if (!plan->is_local)
		return plan->start_ms;
	return shown_ms(plan) - EAST_S * MS_PER_S + pass * DRAFT_PASS_MS;
}

u32 draft_pass_of(const struct draft_plan *plan, const struct time_zone *zone)
{
	struct clock_date date;
	u64 first;
	u64 at;

	if (!plan->is_local)
		return 0;
	clock_date_of(shown_ms(plan), &date);
	at = time_zone_moment(zone, &date);
	first = draft_pass_ms(plan, 0);
	return at <= first ? 0 : (u32)min_u64((at - first) / DRAFT_PASS_MS, DRAFT_PASSES - 1);
}

u32 draft_pass_count(const struct draft_plan *plan)
{
	if (plan->ab_share > 0 && plan->ab_share < 100)
		return 2;
	return plan->is_local ? DRAFT_PASSES : 1;
}
