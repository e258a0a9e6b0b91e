/*
 * The template language: text with `{{field|filter}}`, conditions, loops. Parsing turns a text
 * into *marked text*: the same UTF-8 with a four-byte mark (which starts with 0xFF, so it is never
 * UTF-8) for each field and each turn that the text can take. What the marks stand for is collected
 * in one table per message.
 */
#ifndef MESSAGE_TEMPLATE_H
#define MESSAGE_TEMPLATE_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/error.h"
#include "message/message.h"

#define TEMPLATE_FILTERS_MAX 8
#define TEMPLATE_FIELDS_MAX 100000 /* fields and turns of a message */
#define TEMPLATE_DEPTH_MAX 16      /* conditions and loops inside each other */
#define TEMPLATE_LOOPS_MAX 4       /* loops inside each other */
#define TEMPLATE_TESTS_MAX 32      /* of one condition, its `and`, `or` and `not` counted */

enum template_place {
	PLACE_HEADER,     /* one line; RFC 2047 comes later */
	PLACE_HEADER_URL, /* percent-encoded */
	PLACE_TEXT,       /* as it is */
	PLACE_HTML,       /* escaped */
	PLACE_HTML_QUERY, /* percent-encoded */
	PLACE_HTML_URL,   /* escaped; at the beginning of a URL, where a scheme would stand */
	PLACE_TEST,       /* in a condition: as it is, and never written */
};

enum template_filter {
	FILTER_DEFAULT,
	FILTER_RAW,
	FILTER_UPPER,
	FILTER_LOWER,
	FILTER_TRIM,
	FILTER_URL,
	FILTER_DATE,
	FILTER_NUMBER
};

/* Values of `column` for the built-in names; from FIELD_ITEM on: of the loop around. */
enum {
	FIELD_EMAIL = -1,
	FIELD_TOKEN = -2,
	FIELD_CAMPAIGN = -3,
	FIELD_DATE = -4,
	FIELD_ITEM = -5, /* or a member of the item */
	FIELD_INDEX = -6,
	FIELD_FIRST = -7,
	FIELD_LAST = -8
};

/*
 * What a mark stands for. A text is run from its beginning; a turn goes on behind its own mark, or
 * behind that of another one, its target. TURN_EACH without an item and TURN_TEST that fails go to
 * their target (forward), TURN_SKIP always does; TURN_NEXT goes back to its TURN_EACH while there
 * are items.
 */
enum template_kind { TEMPLATE_FIELD, TURN_TEST, TURN_SKIP, TURN_EACH, TURN_NEXT, TURN_END };

struct template_condition;

struct template_field {
	struct slice name;     /* of a turn: the tag, for error messages */
	struct slice fallback; /* of the default filter */
	struct slice format;   /* of the date filter */
	struct slice member;   /* of an item: which; empty: the item itself */
	const struct template_condition *condition; /* of TURN_TEST */
	const char *block;     /* the reusable block that it stands in, or NULL */
	i32 column;
	u32 line;
	u32 target;
	u8 kind;
	u8 place;
	u8 loop; /* of an item: which loop around, from the outside */
	bool raw;
	u8 filter_count;
	u8 filters[TEMPLATE_FILTERS_MAX];
};

enum template_operator {
	TEST_EQUAL,
	TEST_UNEQUAL,
	TEST_LESS,
	TEST_LESS_EQUAL,
	TEST_GREATER,
	TEST_GREATER_EQUAL,
	TEST_CONTAINS,
	TEST_PRESENT, /* not empty */
	TEST_EMPTY,
	/* On results, which come from the right of a stack of bits. */
	TEST_NOT,
	TEST_AND,
	TEST_OR
};

struct template_test {
	u8 what;
	bool is_number; /* the right side is a number without quotes */
	bool has_right; /* the right side is a field */
	struct template_field left;
	struct template_field right;
	struct slice text;
};

/* In postfix order. */
struct template_condition {
	struct template_test *tests;
	u32 count;
};

/*
 * Where a text came from, when it is put together of several: from the byte `at` on it is the
 * source `name` (in the arena), whose line `line` stands there.
 */
struct template_origin {
	size_t at;
	const char *name;
	u32 line;
};

/*
 * A text and where it came from. `lines`: source line of each line, when they do not just count up.
 */
struct template_source {
	const char *name;
	struct slice text; /* LF line ends */
	u32 line;          /* of its first line */
	const u32 *lines;
	size_t line_count;
	const struct template_origin *origins; /* blocks and what follows them, in order of `at` */
	size_t origin_count;
};
/* Source line of the byte at `offset`; *name: of which source. */
u32 template_line(const struct template_source *source, size_t offset, const char **name);
/* Source line that is `newlines` line ends behind the text's beginning; for texts of one source. */
u32 template_line_below(const struct template_source *source, u32 newlines);

struct template_set {
	const struct message_options *options;
	struct arena *arena; /* names and fallbacks live here */
	struct buf fields;   /* of struct template_field */
};

/*
 * Appends the marked text. PLACE_HTML follows the HTML to know each field's place. Refuses
 * what the language does not have, NUL and bad UTF-8. For a literal message all of it is text.
 */
bool template_parse(struct template_set *set, const struct template_source *source,
		    enum template_place place, struct buf *marked, struct error *error);

/*
 * Walks marked text: *literal gets the text before the next mark, *field the field's number or -1
 * behind the last literal. False at the end.
 */
bool template_next(struct slice *rest, struct slice *literal, i32 *field);
/* Behind the mark of that number, which stands in the text. */
struct slice template_behind(struct slice marked, u32 field);
bool template_has_fields(struct slice marked);

#endif
