#include "campaign/segment_words.h"

#include "base/text.h"

#define BIT(op) (1u << (op))
#define COMPARISONS                                                                                \
	(BIT(SEGMENT_IS) | BIT(SEGMENT_IS_NOT) | BIT(SEGMENT_LESS) | BIT(SEGMENT_AT_MOST) |        \
	 BIT(SEGMENT_AT_LEAST) | BIT(SEGMENT_MORE))
#define TEXTS                                                                                      \
	(BIT(SEGMENT_IS) | BIT(SEGMENT_IS_NOT) | BIT(SEGMENT_CONTAINS) | BIT(SEGMENT_BEGINS) |     \
	 BIT(SEGMENT_ENDS) | BIT(SEGMENT_IN))
#define CHOICES (BIT(SEGMENT_IS) | BIT(SEGMENT_IS_NOT) | BIT(SEGMENT_IN))
#define AGES (BIT(SEGMENT_WITHIN) | BIT(SEGMENT_OLDER))

static const char *const subjects[SEGMENT_SUBJECTS] = {
	[SEGMENT_STATE] = "state",     [SEGMENT_EMAIL] = "email",
	[SEGMENT_DOMAIN] = "domain",   [SEGMENT_CREATED] = "created",
	[SEGMENT_CHANGED] = "changed", [SEGMENT_ATTRIBUTE] = "attribute",
	[SEGMENT_MEMBER] = "member",   [SEGMENT_LEFT] = "left",
	[SEGMENT_PENDING] = "pending", [SEGMENT_CONSENT] = "consent",
	[SEGMENT_SENT] = "sent",       [SEGMENT_OPENED] = "opened",
	[SEGMENT_CLICKED] = "clicked",
};

static const char *const operators[SEGMENT_OPERATORS] = {
	[SEGMENT_EVER] = "ever",
	[SEGMENT_IS] = "=",
	[SEGMENT_IS_NOT] = "!=",
	[SEGMENT_LESS] = "<",
	[SEGMENT_AT_MOST] = "<=",
	[SEGMENT_AT_LEAST] = ">=",
	[SEGMENT_MORE] = ">",
	[SEGMENT_CONTAINS] = "contains",
	[SEGMENT_BEGINS] = "begins",
	[SEGMENT_ENDS] = "ends",
	[SEGMENT_IN] = "in",
	[SEGMENT_EMPTY] = "empty",
	[SEGMENT_WITHIN] = "within",
	[SEGMENT_WITHIN_NEXT] = "within next",
	[SEGMENT_OLDER] = "older than",
	[SEGMENT_ANNIVERSARY] = "anniversary",
	[SEGMENT_THIS_MONTH] = "anniversary this month",
};

static const char *const states[] = {
	[CONTACT_PENDING] = "pending",
	[CONTACT_ACTIVE] = "active",
	[CONTACT_BOUNCED] = "bounced",
	[CONTACT_UNSUBSCRIBED] = "unsubscribed",
	[CONTACT_COMPLAINED] = "complained",
};

/* The index of the word, or -1. */
static int index_of(const char *const *words, size_t count, struct slice word)
{
	for (size_t i = 0; i < count; i++) {
		if (words[i] && slice_equal_nocase(slice_of(words[i]), word))
			return (int)i;
	}
	return -1;
}

const char *segment_subject_word(enum segment_subject subject)
{
	return subjects[subject];
}

bool segment_subject_of(struct slice word, enum segment_subject *subject)
{
	int at = index_of(subjects, SEGMENT_SUBJECTS, word);

	if (at >= 0)
		*subject = (enum segment_subject)at;
	return at >= 0;
}

const char *segment_operator_word(enum segment_operator op)
{
	return operators[op];
}

bool segment_operator_of(struct slice word, enum segment_operator *op)
{
	int at = index_of(operators, SEGMENT_OPERATORS, word);

	if (at >= 0)
		*op = (enum segment_operator)at;
	return at >= 0;
}

const char *segment_state_word(enum contact_state state)
{
	return (size_t)state < array_count(states) ? states[state] : NULL;
}

bool segment_state_of(struct slice word, enum contact_state *state)
{
	int at = index_of(states, array_count(states), word);

	if (at >= 0)
		*state = (enum contact_state)at;
	return at >= 0;
}

bool segment_is_moment(enum segment_subject subject)
{
	return subject == SEGMENT_CREATED || subject == SEGMENT_CHANGED ||
	       subject >= SEGMENT_MEMBER;
}

bool segment_is_of_list(enum segment_subject subject)
{
	return subject == SEGMENT_MEMBER || subject == SEGMENT_LEFT || subject == SEGMENT_PENDING;
}

bool segment_is_behaviour(enum segment_subject subject)
{
	return subject == SEGMENT_SENT || subject == SEGMENT_OPENED || subject == SEGMENT_CLICKED;
}

bool segment_takes_days(enum segment_operator op)
{
	return op == SEGMENT_WITHIN || op == SEGMENT_WITHIN_NEXT || op == SEGMENT_OLDER ||
	       op == SEGMENT_ANNIVERSARY;
}

bool segment_takes_values(enum segment_operator op)
{
	return op >= SEGMENT_IS && op <= SEGMENT_IN;
}

/* ---- what goes with what ---- */

static u32 operators_of(enum segment_subject subject, enum segment_type type)
{
	static const u32 by_type[] = {
		[SEGMENT_TEXT] = TEXTS | BIT(SEGMENT_EMPTY),
		[SEGMENT_NUMBER] = COMPARISONS | BIT(SEGMENT_IN) | BIT(SEGMENT_EMPTY),
		[SEGMENT_DATE] = COMPARISONS | AGES | BIT(SEGMENT_EMPTY) |
				 BIT(SEGMENT_WITHIN_NEXT) | BIT(SEGMENT_ANNIVERSARY) |
				 BIT(SEGMENT_THIS_MONTH),
		[SEGMENT_YES_NO] = BIT(SEGMENT_IS) | BIT(SEGMENT_IS_NOT) | BIT(SEGMENT_EMPTY),
	};

	switch (subject) {
	case SEGMENT_STATE:
		return CHOICES;
	case SEGMENT_EMAIL:
	case SEGMENT_DOMAIN:
		return TEXTS;
	case SEGMENT_ATTRIBUTE:
		return by_type[type];
	case SEGMENT_CREATED:
	case SEGMENT_CHANGED:
		return COMPARISONS | AGES;
	default:
		return COMPARISONS | AGES | BIT(SEGMENT_EVER);
	}
}

bool segment_takes(enum segment_subject subject, enum segment_type type, enum segment_operator op)
{
	return (operators_of(subject, type) & BIT(op)) != 0;
}

bool segment_is_reserved(struct slice word)
{
	static const char *const others[] = { "and", "or", "not", "never", "in", "everyone",
					      "nobody" };
	enum segment_subject subject;

	return segment_subject_of(word, &subject) ||
	       index_of(others, array_count(others), word) >= 0;
}
