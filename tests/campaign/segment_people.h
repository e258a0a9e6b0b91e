/*
 * Random contacts as plain values, and random conditions with a second opinion on what they mean:
 * by libc's own zones, wide characters and floating point, a contact at a time.
 */
#ifndef TESTS_CAMPAIGN_SEGMENT_PEOPLE_H
#define TESTS_CAMPAIGN_SEGMENT_PEOPLE_H

#include "base/buf.h"
#include "base/random.h"
#include "campaign/segment_names.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <wchar.h>
#include <wctype.h>

#define CAMPAIGNS 3
#define LISTS 3
#define ATTRIBUTES 8
#define LINKS 3

struct person {
	u32 id;
	u32 state; /* 1-5, in the order of enum contact_state */
	u64 created_s;
	u64 changed_s;
	char address[64];
	const char *values[ATTRIBUTES + 1]; /* NULL: none */
	u32 list_state[LISTS + 1];	    /* 0: no entry; 1 pending, 2 active, 3 left */
	u64 list_since_s[LISTS + 1];
	u64 sent_s, opened_s, clicked_s;
	u64 c_sent_s[CAMPAIGNS + 1], c_opened_s[CAMPAIGNS + 1], c_clicked_s[CAMPAIGNS + 1];
	bool c_link[CAMPAIGNS + 1][LINKS + 1];
	u64 consent_s;
};

static const char *const person_words[] = { "東京", "東京都", "大阪",	"gold", "GOLD plus",
					    "Ａ",  "ａb",   "É", "x" };
static const char *const person_numbers[] = { "0", "1", "-1", "12.5", "12.50001", "100", "-12.5", "7" };
static const char *const person_dates[] = {
	"2000-02-29", "1999-12-31", "2026-11-30", "2026-12-01", "2026-11-29", "1980-11-30",
	"1984-12-05", "2027-01-02", "1970-02-28", "2026-02-28", "2025-03-01", "2031-11-30",
};
static const char *const person_states[] = { "", "pending", "active",
					    "bounced", "unsubscribed", "complained" };
static const char *const person_domains[] = { "x.test", "sub.x.test", "docomo.example" };

static inline const char *pick(struct random *r, const char *const *from, size_t count)
{
	return from[random_below(r, count)];
}
#define PICK(r, words) pick((r), (words), array_count(words))

static inline u64 person_time(struct random *r, u64 now_s)
{
	static const u64 spans[] = { 3600, 86400, 2 * 86400, 10 * 86400, 400 * 86400, 2000 * 86400 };

	/* To the second as long ago as conditions say, now and then. */
	if (random_below(r, 4) == 0)
		return now_s - 86400 * (random_below(r, 2) ? 7 : random_below(r, 3));
	return now_s - random_below(r, spans[random_below(r, array_count(spans))]);
}

static inline u64 maybe_time(struct random *r, u64 now_s)
{
	return random_below(r, 2) ? person_time(r, now_s) : 0;
}

static inline void person_make(struct person *p, struct random *r, u64 now_s)
{
	*p = (struct person){ .state = 1 + (u32)random_below(r, 5) };
	p->created_s = person_time(r, now_s);
	p->changed_s = person_time(r, now_s);
	snprintf(p->address, sizeof(p->address), "%s%llx@%s", random_below(r, 2) ? "Info" : "ann",
		 (unsigned long long)random_u64(r), PICK(r, person_domains));
	for (u32 i = 1; i <= ATTRIBUTES; i++) {
		enum segment_type type = segment_test_attributes[i - 1].type;

		if (random_below(r, 3) == 0)
			continue;
		p->values[i] = type == SEGMENT_NUMBER ? PICK(r, person_numbers) :
			       type == SEGMENT_DATE   ? PICK(r, person_dates) :
			       type == SEGMENT_YES_NO ? (random_below(r, 2) ? "1" : "0") :
							PICK(r, person_words);
	}
	for (u32 i = 1; i <= LISTS; i++) {
		p->list_state[i] = (u32)random_below(r, 4);
		p->list_since_s[i] = p->list_state[i] ? person_time(r, now_s) : 0;
	}
	p->sent_s = maybe_time(r, now_s);
	p->opened_s = maybe_time(r, now_s);
	p->clicked_s = maybe_time(r, now_s);
	p->consent_s = maybe_time(r, now_s);
	for (u32 i = 1; i <= CAMPAIGNS; i++) {
		p->c_sent_s[i] = maybe_time(r, now_s);
		p->c_opened_s[i] = maybe_time(r, now_s);
		p->c_clicked_s[i] = maybe_time(r, now_s);
		for (u32 link = 1; link <= LINKS; link++)
			p->c_link[i][link] = random_below(r, 2);
	}
}

/* ---- conditions ---- */

struct tree {
	char kind; /* '&' '|' '!' 't' */
	u32 count;
	struct tree *children[4];
	enum segment_subject subject;
	enum segment_operator op;
	u32 id;
	u32 link;
	u32 days;
	const char *values[3];
	u32 value_count;
};

static inline enum segment_operator one_of(struct random *r, const enum segment_operator *ops, size_t count)
{
	return ops[random_below(r, count)];
}
#define ONE_OF(r, ...)                                                                                       \
	one_of((r), (const enum segment_operator[]){ __VA_ARGS__ },                                          \
	       array_count(((const enum segment_operator[]){ __VA_ARGS__ })))

static inline enum segment_type tree_type(const struct tree *t)
{
	if (t->subject == SEGMENT_ATTRIBUTE)
		return segment_test_attributes[t->id - 1].type;
	return t->subject <= SEGMENT_DOMAIN ? SEGMENT_TEXT : SEGMENT_DATE;
}

static inline const char *tree_value(const struct tree *t, struct random *r)
{
	static const char *const local[] = { "info", "INFO", "ann", "@x.TEST", "a", "test" };

	switch (tree_type(t)) {
	case SEGMENT_NUMBER:
		return PICK(r, person_numbers);
	case SEGMENT_DATE:
		return PICK(r, person_dates);
	case SEGMENT_YES_NO:
		return random_below(r, 2) ? "yes" : "no";
	default:
		break;
	}
	if (t->subject == SEGMENT_STATE)
		return person_states[1 + random_below(r, 5)];
	if (t->subject == SEGMENT_DOMAIN)
		return PICK(r, person_domains);
	return t->subject == SEGMENT_EMAIL ? PICK(r, local) : PICK(r, person_words);
}

static inline enum segment_operator tree_operator(const struct tree *t, struct random *r)
{
	if (t->subject == SEGMENT_STATE)
		return ONE_OF(r, SEGMENT_IS, SEGMENT_IS_NOT, SEGMENT_IN);
	if (t->subject == SEGMENT_EMAIL || t->subject == SEGMENT_DOMAIN)
		return ONE_OF(r, SEGMENT_IS, SEGMENT_IS_NOT, SEGMENT_CONTAINS, SEGMENT_BEGINS, SEGMENT_ENDS,
			      SEGMENT_IN);
	if (t->subject != SEGMENT_ATTRIBUTE && random_below(r, 3) == 0 && t->subject > SEGMENT_CHANGED)
		return SEGMENT_EVER;
	if (t->subject != SEGMENT_ATTRIBUTE)
		return ONE_OF(r, SEGMENT_IS, SEGMENT_IS_NOT, SEGMENT_LESS, SEGMENT_AT_MOST, SEGMENT_AT_LEAST,
			      SEGMENT_MORE, SEGMENT_WITHIN, SEGMENT_OLDER);
	switch (tree_type(t)) {
	case SEGMENT_NUMBER:
		return ONE_OF(r, SEGMENT_IS, SEGMENT_IS_NOT, SEGMENT_LESS, SEGMENT_AT_MOST, SEGMENT_AT_LEAST,
			      SEGMENT_MORE, SEGMENT_IN, SEGMENT_EMPTY);
	case SEGMENT_DATE:
		return ONE_OF(r, SEGMENT_IS, SEGMENT_IS_NOT, SEGMENT_LESS, SEGMENT_AT_MOST, SEGMENT_AT_LEAST,
			      SEGMENT_MORE, SEGMENT_WITHIN, SEGMENT_WITHIN_NEXT, SEGMENT_OLDER,
			      SEGMENT_ANNIVERSARY, SEGMENT_THIS_MONTH, SEGMENT_EMPTY);
	case SEGMENT_YES_NO:
		return ONE_OF(r, SEGMENT_IS, SEGMENT_IS_NOT, SEGMENT_EMPTY);
	default:
		return ONE_OF(r, SEGMENT_IS, SEGMENT_IS_NOT, SEGMENT_CONTAINS, SEGMENT_BEGINS, SEGMENT_ENDS,
			      SEGMENT_IN, SEGMENT_EMPTY);
	}
}

static inline void tree_make_test(struct tree *t, struct random *r)
{
	static const u32 days[] = { 0, 1, 2, 7, 31, 365, 400 };

	t->kind = 't';
	t->subject = (enum segment_subject)random_below(r, SEGMENT_SUBJECTS);
	if (t->subject == SEGMENT_ATTRIBUTE)
		t->id = 1 + (u32)random_below(r, ATTRIBUTES);
	else if (t->subject >= SEGMENT_MEMBER && t->subject <= SEGMENT_PENDING)
		t->id = 1 + (u32)random_below(r, LISTS);
	else if (t->subject >= SEGMENT_SENT && random_below(r, 2))
		t->id = 1 + (u32)random_below(r, CAMPAIGNS);
	if (t->subject == SEGMENT_CLICKED && t->id > 0 && random_below(r, 2))
		t->link = 1 + (u32)random_below(r, LINKS);
	t->op = tree_operator(t, r);
	if (t->op == SEGMENT_WITHIN || t->op == SEGMENT_WITHIN_NEXT || t->op == SEGMENT_OLDER ||
	    t->op == SEGMENT_ANNIVERSARY)
		t->days = days[random_below(r, array_count(days))];
	if (t->op >= SEGMENT_IS && t->op <= SEGMENT_IN)
		t->value_count = t->op == SEGMENT_IN ? 1 + (u32)random_below(r, 3) : 1;
	for (u32 i = 0; i < t->value_count; i++)
		t->values[i] = tree_value(t, r);
}

static inline struct tree *tree_make(struct random *r, u32 depth)
{
	struct tree *t = calloc(1, sizeof(*t));
	u64 choice = depth == 0 ? 9 : random_below(r, 10);

	if (choice >= 5) {
		tree_make_test(t, r);
		return t;
	}
	t->kind = choice < 2 ? '&' : choice < 4 ? '|' : '!';
	t->count = t->kind == '!' ? 1 : (u32)random_below(r, 5);
	for (u32 i = 0; i < t->count; i++)
		t->children[i] = tree_make(r, depth - 1);
	return t;
}

static inline void tree_free(struct tree *t)
{
	for (u32 i = 0; i < t->count; i++)
		tree_free(t->children[i]);
	free(t);
}

/* ---- its text ---- */

static inline void tree_print_value(const struct tree *t, u32 i, struct random *r, struct buf *out)
{
	bool is_bare = tree_type(t) != SEGMENT_TEXT || t->subject == SEGMENT_STATE;

	buf_add_format(out, is_bare && random_below(r, 4) ? "%s" : "\"%s\"", t->values[i]);
}

static inline void tree_print_operator(const struct tree *t, struct random *r, struct buf *out)
{
	static const char *const words[] = { "",  "=",	"!=",	    "<",      "<=",
					     ">=", ">", "contains", "begins", "ends" };

	switch (t->op) {
	case SEGMENT_EVER:
		return;
	case SEGMENT_EMPTY:
		buf_add_text(out, " is empty");
		return;
	case SEGMENT_WITHIN:
		buf_add_format(out, " within %u days", t->days);
		return;
	case SEGMENT_WITHIN_NEXT:
		buf_add_format(out, " within next %u days", t->days);
		return;
	case SEGMENT_OLDER:
		buf_add_format(out, " older than %u days", t->days);
		return;
	case SEGMENT_ANNIVERSARY:
		buf_add_format(out, " anniversary within %u days", t->days);
		return;
	case SEGMENT_THIS_MONTH:
		buf_add_text(out, " anniversary this month");
		return;
	case SEGMENT_IN:
		buf_add_text(out, " in (");
		for (u32 i = 0; i < t->value_count; i++) {
			buf_add_text(out, i > 0 ? ", " : "");
			tree_print_value(t, i, r, out);
		}
		buf_add_char(out, ')');
		return;
	default:
		buf_add_format(out, " %s ", words[t->op]);
		tree_print_value(t, 0, r, out);
	}
}

static inline void tree_print_test(const struct tree *t, struct random *r, struct buf *out)
{
	static const char *const words[] = { "state", "email", "domain", "created", "changed", "", "in list ",
					     "left list ", "pending in list ", "consent", "sent", "opened",
					     "clicked" };

	buf_add_text(out, words[t->subject]);
	if (t->subject == SEGMENT_ATTRIBUTE)
		buf_add_format(out, "attribute.%s", segment_test_attributes[t->id - 1].name);
	else if (t->subject >= SEGMENT_MEMBER && t->subject <= SEGMENT_PENDING)
		buf_add_format(out, "#%u", t->id);
	else if (t->id > 0)
		buf_add_format(out, " campaign %u", t->id);
	if (t->link > 0)
		buf_add_format(out, " link %u", t->link);
	tree_print_operator(t, r, out);
}

/* With more brackets and negations than it needs, now and then. */
static inline void tree_print(const struct tree *t, struct random *r, struct buf *out)
{
	u32 brackets = t->kind == '&' || t->kind == '|' ? 1 : 0;

	if (random_below(r, 8) == 0)
		buf_add_text(out, "not not ");
	brackets += random_below(r, 6) == 0;
	for (u32 i = 0; i < brackets; i++)
		buf_add_char(out, '(');
	if (t->kind == 't') {
		tree_print_test(t, r, out);
	} else if (t->kind == '!') {
		buf_add_text(out, "not ");
		tree_print(t->children[0], r, out);
	} else if (t->count == 0) {
		buf_add_text(out, t->kind == '&' ? "everyone" : "nobody");
	}
	for (u32 i = 0; i < t->count && t->kind != '!'; i++) {
		if (i > 0)
			buf_add_text(out, t->kind == '&' ? " and " : " or ");
		tree_print(t->children[i], r, out);
	}
	for (u32 i = 0; i < brackets; i++)
		buf_add_char(out, ')');
}

/* ---- what it means ---- */

/* The local day, as text: those compare like the days. Of libc's zone. */
static inline void day_text(char out[16], u64 at_s, i64 more_days)
{
	time_t t = (time_t)at_s;
	struct tm tm;

	localtime_r(&t, &tm);
	tm.tm_hour = 12;
	tm.tm_mday += (int)more_days;
	tm.tm_isdst = -1;
	t = timegm(&tm);
	gmtime_r(&t, &tm);
	strftime(out, 16, "%Y-%m-%d", &tm);
}

static inline bool compare(enum segment_operator op, int order)
{
	return op == SEGMENT_IS	       ? order == 0 :
	       op == SEGMENT_IS_NOT    ? order != 0 :
	       op == SEGMENT_LESS      ? order < 0 :
	       op == SEGMENT_AT_MOST   ? order <= 0 :
	       op == SEGMENT_AT_LEAST ? order >= 0 :
					order > 0;
}

static inline bool moment_holds(const struct tree *t, u64 at_s, u64 now_s)
{
	char day[16];

	if (at_s == 0)
		return t->op == SEGMENT_IS_NOT;
	if (t->op == SEGMENT_EVER)
		return true;
	if (t->op == SEGMENT_WITHIN)
		return now_s - at_s <= (u64)t->days * 86400;
	if (t->op == SEGMENT_OLDER)
		return now_s - at_s > (u64)t->days * 86400;
	day_text(day, at_s, 0);
	return compare(t->op, strcmp(day, t->values[0]));
}

static inline bool comes_round(const char *date, const char *day)
{
	long year = strtol(day, NULL, 10);
	bool is_leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;

	if (strcmp(date, day) > 0)
		return false;
	if (strcmp(date + 4, "-02-29") == 0 && !is_leap)
		return strcmp(day + 4, "-02-28") == 0;
	return strcmp(date + 4, day + 4) == 0;
}

static inline bool date_holds(const struct tree *t, const char *date, u64 now_s)
{
	char today[16];
	char other[16];

	day_text(today, now_s, 0);
	switch (t->op) {
	case SEGMENT_WITHIN:
		day_text(other, now_s, -(i64)t->days);
		return strcmp(date, other) >= 0 && strcmp(date, today) <= 0;
	case SEGMENT_OLDER:
		day_text(other, now_s, -(i64)t->days);
		return strcmp(date, other) < 0;
	case SEGMENT_WITHIN_NEXT:
		day_text(other, now_s, t->days);
		return strcmp(date, other) <= 0 && strcmp(date, today) >= 0;
	case SEGMENT_ANNIVERSARY:
		for (u32 i = 0; i <= t->days && i < 800; i++) {
			day_text(other, now_s, i);
			if (comes_round(date, other))
				return true;
		}
		return false;
	case SEGMENT_THIS_MONTH:
		for (u32 i = 1; i <= 31; i++) {
			snprintf(other, sizeof(other), "%.7s-%02u", today, i % 100);
			if (comes_round(date, other))
				return true;
		}
		return false;
	default:
		return compare(t->op, strcmp(date, t->values[0]));
	}
}

static inline void lowered(wchar_t out[256], const char *text)
{
	size_t len = mbstowcs(out, text, 255);

	for (size_t i = 0; i < len && len != (size_t)-1; i++)
		out[i] = (wchar_t)towlower((wint_t)out[i]);
	out[len == (size_t)-1 ? 0 : len] = 0;
}

static inline bool text_holds(const struct tree *t, const char *value)
{
	wchar_t have[256];
	wchar_t want[256];

	lowered(have, value);
	for (u32 i = 0; i < t->value_count; i++) {
		size_t have_len = wcslen(have);
		bool holds;

		lowered(want, t->values[i]);
		holds = t->op == SEGMENT_CONTAINS ? wcsstr(have, want) != NULL :
			t->op == SEGMENT_BEGINS	  ? wcsncmp(have, want, wcslen(want)) == 0 :
			t->op == SEGMENT_ENDS	  ? have_len >= wcslen(want) &&
						    wcscmp(have + have_len - wcslen(want), want) == 0 :
						    wcscmp(have, want) == 0;
		if (t->op == SEGMENT_IS_NOT)
			return !holds;
		if (holds)
			return true;
	}
	return false;
}

static inline bool number_holds(const struct tree *t, const char *value)
{
	double have = strtod(value, NULL);

	for (u32 i = 0; i < t->value_count; i++) {
		double want = strtod(t->values[i], NULL);

		if (t->op != SEGMENT_IN)
			return compare(t->op, have < want ? -1 : have > want);
		if (have == want)
			return true;
	}
	return false;
}

static inline bool attribute_holds(const struct tree *t, const struct person *p, u64 now_s)
{
	const char *value = p->values[t->id];

	if (t->op == SEGMENT_EMPTY)
		return !value;
	if (!value)
		return t->op == SEGMENT_IS_NOT;
	switch (tree_type(t)) {
	case SEGMENT_NUMBER:
		return number_holds(t, value);
	case SEGMENT_DATE:
		return date_holds(t, value, now_s);
	case SEGMENT_YES_NO:
		return ((strcmp(value, "1") == 0) == (strcmp(t->values[0], "yes") == 0)) ==
		       (t->op == SEGMENT_IS);
	default:
		return text_holds(t, value);
	}
}

static inline u64 behaviour_of(const struct tree *t, const struct person *p)
{
	if (t->subject == SEGMENT_SENT)
		return t->id ? p->c_sent_s[t->id] : p->sent_s;
	if (t->subject == SEGMENT_OPENED)
		return t->id ? p->c_opened_s[t->id] : p->opened_s;
	if (t->link && !p->c_link[t->id][t->link])
		return 0;
	return t->id ? p->c_clicked_s[t->id] : p->clicked_s;
}

static inline bool tree_test_holds(const struct tree *t, const struct person *p, u64 now_s)
{
	u32 wanted;

	switch (t->subject) {
	case SEGMENT_STATE:
		return text_holds(t, person_states[p->state]);
	case SEGMENT_EMAIL:
		return text_holds(t, p->address);
	case SEGMENT_DOMAIN:
		return text_holds(t, strchr(p->address, '@') + 1);
	case SEGMENT_CREATED:
		return moment_holds(t, p->created_s, now_s);
	case SEGMENT_CHANGED:
		return moment_holds(t, p->changed_s, now_s);
	case SEGMENT_ATTRIBUTE:
		return attribute_holds(t, p, now_s);
	case SEGMENT_MEMBER:
	case SEGMENT_LEFT:
	case SEGMENT_PENDING:
		wanted = t->subject == SEGMENT_MEMBER ? 2 : t->subject == SEGMENT_LEFT ? 3 : 1;
		return moment_holds(t, p->list_state[t->id] == wanted ? p->list_since_s[t->id] : 0, now_s);
	case SEGMENT_CONSENT:
		return moment_holds(t, p->consent_s, now_s);
	default:
		return moment_holds(t, behaviour_of(t, p), now_s);
	}
}

static inline bool tree_holds(const struct tree *t, const struct person *p, u64 now_s)
{
	u32 held = 0;

	if (t->kind == 't')
		return tree_test_holds(t, p, now_s);
	for (u32 i = 0; i < t->count; i++)
		held += tree_holds(t->children[i], p, now_s);
	return t->kind == '&' ? held == t->count : t->kind == '|' ? held > 0 : held == 0;
}

#endif
