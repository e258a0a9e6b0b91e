/*
 * Reads HTML tag by tag as mail programs do, forgiving what is broken; the text may hold tags of
 * the template language, which are passed over as wholes wherever they stand. Nothing is copied:
 * tokens are views of the text, and put behind one another they are the text. Linear in its length.
 */
#ifndef MESSAGE_HTML_WALK_H
#define MESSAGE_HTML_WALK_H

#include "base/types.h"

enum html_token_kind {
	HTML_TOKEN_TEXT,
	HTML_TOKEN_TEMPLATE, /* one {{...}} in the text */
	HTML_TOKEN_OPEN,     /* <name attributes> */
	HTML_TOKEN_CLOSE,    /* </name> */
	HTML_TOKEN_COMMENT,  /* comments, with what conditional ones hold; <!DOCTYPE>, <![endif]> */
	HTML_TOKEN_RAW,      /* what stands in script, style, title and the like */
};

struct html_token {
	enum html_token_kind kind;
	struct slice whole;
	struct slice name;       /* of an element, as written */
	struct slice attributes; /* of HTML_TOKEN_OPEN: for html_attribute_next */
};

struct html_walk {
	struct slice html;
	size_t at;
	struct slice raw; /* the element whose end is waited for, or none */
	size_t counted;   /* bytes whose line ends are in `lines` */
	u32 lines;
};

void html_walk_init(struct html_walk *walk, struct slice html);
/* False at the end. */
bool html_walk_next(struct html_walk *walk, struct html_token *token);
/* Line of a byte of the text, from 1; asked in order of the bytes it costs one pass in all. */
u32 html_walk_line(struct html_walk *walk, const char *byte);

struct html_attribute {
	struct slice name;
	struct slice value;   /* as written, without quotes; empty when there is none */
	struct slice written; /* the value with its quotes */
	char quote;           /* ' or ", or NUL */
};
/* Takes the next attribute off *rest. False: there is no other. */
bool html_attribute_next(struct slice *rest, struct html_attribute *attribute);
/* Value of the first attribute of that name; ptr is NULL when the element has none. */
struct slice html_attribute_find(const struct html_token *token, struct slice name);

#endif
