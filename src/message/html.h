/*
 * Where in an HTML text a merge field stands. Follows tags, attributes and comments closely enough
 * to know how a value must be escaped; it is not a validator. Literals are fed in order, and at
 * each field the place is asked for.
 */
#ifndef MESSAGE_HTML_H
#define MESSAGE_HTML_H

#include "base/types.h"

enum html_state {
	HTML_TEXT,
	HTML_COMMENT,
	HTML_TAG_OPEN, /* behind < */
	HTML_TAG_NAME,
	HTML_CLOSING, /* closing tags, declarations: up to > */
	HTML_IN_TAG,  /* between attributes */
	HTML_NAME,    /* attribute name */
	HTML_BEFORE_VALUE,
	HTML_VALUE, /* quoted value */
	HTML_BARE_VALUE,
	HTML_SCRIPT, /* inside script or style */
};

struct html {
	enum html_state state;
	char quote;
	bool query;    /* a ? or # was seen in this attribute value */
	bool begun;    /* the attribute value has a character or a field already */
	char word[16]; /* tag or attribute name being read, lower case */
	u8 word_len;
	bool url; /* the attribute holds a URL */
	char tag[16];
	char last[8]; /* the last bytes, for the ends of comments and scripts */
};

enum html_place {
	HTML_PLACE_TEXT,
	HTML_PLACE_ATTRIBUTE,
	HTML_PLACE_URL, /* where a URL begins: its scheme is the value's to choose */
	HTML_PLACE_QUERY,
	HTML_PLACE_REFUSED
};

void html_init(struct html *html);
void html_feed(struct html *html, struct slice literal);
/* Place of a field here; *why gets the reason when it is HTML_PLACE_REFUSED. */
enum html_place html_place(const struct html *html, const char **why);

/* A field stood here. */
void html_value(struct html *html);

/*
 * Whether the text can take a turn here (a condition, a loop), so that what is behind it is read
 * the same whatever stood in front; *why gets the reason when not.
 */
bool html_turn(struct html *html, const char **why) MUST_CHECK;
/*
 * Whether a loop's end, at a turn, is where it began: what is in it has one place in every round.
 * At the beginning of a URL every round is taken for the first.
 */
bool html_same(const struct html *a, const struct html *b);
/*
 * Whether two ways, each up to a turn, lead to the same place, but for parts of a URL: then *html
 * becomes what is safe behind both.
 */
bool html_join(struct html *html, const struct html *other) MUST_CHECK;

#endif
