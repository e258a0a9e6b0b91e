/*
 * Gives each URL of an HTML text to a caller who may replace it: links for the counting of clicks,
 * images that come with the message or from a store. Every byte that is not a replaced URL stays as
 * it is. URLs are seen as their author meant them: references decoded, white space around them off,
 * merge fields as written ({{...}}); in a replacement `&`, `<`, `>` and quotes are encoded again,
 * and an attribute without quotes gets some.
 *
 * The text is one that message_compile takes: with `{{` that begin no tag, the quotes of a
 * replacement can make one of them.
 *
 * Not looked at: comments, with what conditional ones hold; script, title; url() in CSS
 * that is not plain (message/css_url.h).
 */
#ifndef MESSAGE_HTML_REWRITE_H
#define MESSAGE_HTML_REWRITE_H

#include "base/buf.h"
#include "base/error.h"

enum html_link_kind {
	HTML_LINK_ANCHOR, /* a, area: href. What people click */
	HTML_LINK_IMAGE,  /* img, source: src and each of srcset; background; poster; input's src */
	HTML_LINK_SHEET,  /* link: href */
	HTML_LINK_FORM,   /* form: action; formaction */
	HTML_LINK_OTHER,  /* base, iframe, video, audio, embed, object, track; cite, longdesc */
	HTML_LINK_STYLE,  /* url() in CSS */
};

struct html_link {
	enum html_link_kind kind;
	struct slice url;
	u32 line;         /* of the HTML text, from 1 */
	struct slice tag; /* name of the element, as written */
	bool in_loop;     /* of the template language: its fields may be the item's */
};

/*
 * `replace` answers true with *replacement set, or left as it is (ptr NULL) for "no change"; false
 * ends the walk, with `error` filled in. *replacement is read at once: it may be a view of a buffer
 * that the next call uses anew, or of link->url.
 */
struct html_links {
	void *owner;
	bool (*replace)(void *owner, const struct html_link *link, struct slice *replacement,
			struct error *error);
	/*
	 * The same for url() in style elements and attributes; NULL: they are not looked at. A
	 * replacement that is not plain is not taken.
	 */
	bool (*replace_in_css)(void *owner, const struct html_link *link,
			       struct slice *replacement, struct error *error);
};

/*
 * Appends the text to `out`; out may be NULL for a caller who only looks. False: `replace` said so,
 * or the buffer is full (error says which).
 */
bool html_links_rewrite(struct slice html, const struct html_links *links, struct buf *out,
			struct error *error) MUST_CHECK;

#endif
