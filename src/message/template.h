/*
 * The template language: text with `{{field|filter}}`. Parsing turns a text into *marked text*: the
 * same UTF-8 with a four-byte mark (which starts with 0xFF, so it is never UTF-8) for each field.
 * The fields themselves are collected in one table per message.
 */
#ifndef MESSAGE_TEMPLATE_H
#define MESSAGE_TEMPLATE_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/error.h"
#include "message/message.h"

#define TEMPLATE_FILTERS_MAX 8
#define TEMPLATE_FIELDS_MAX 100000

enum template_place {
	PLACE_HEADER,     /* one line; RFC 2047 comes later */
	PLACE_HEADER_URL, /* percent-encoded */
	PLACE_TEXT,       /* as it is */
	PLACE_HTML,       /* escaped */
	PLACE_HTML_QUERY, /* percent-encoded */
};

enum template_filter {
	FILTER_DEFAULT,
	FILTER_RAW,
	FILTER_UPPER,
	FILTER_LOWER,
	FILTER_TRIM,
	FILTER_URL
};

/* Values of `column` for the built-in names. */
enum { FIELD_EMAIL = -1, FIELD_TOKEN = -2, FIELD_CAMPAIGN = -3, FIELD_DATE = -4 };

struct template_field {
	struct slice name;
	struct slice fallback; /* of the default filter */
	i32 column;
	u32 line;
	u8 place;
	bool raw;
	u8 filter_count;
	u8 filters[TEMPLATE_FILTERS_MAX];
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
};
/* Source line of the byte at `offset`. */
u32 template_line(const struct template_source *source, size_t offset);

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
bool template_has_fields(struct slice marked);

#endif
