/*
 * Makes the links of a campaign countable, once, when it starts: each http(s) link of HTML and text
 * is replaced by one of ours with the recipient's token, `BASE/t/c/{{hk_track}}/NUMBER`, and noted
 * in a table, which says where clicks lead; an image of one pixel tells of opens. What is off is
 * not touched at all. Links alone that people click: images, style sheets and forms stay.
 *
 * Not replaced: other schemes (mailto:, tel:), links that link_is_fillable says no to, links of
 * ours (unsubscribe, preferences, view), and those that say `#notrack` at their end.
 *
 * A URL that stands several times has one number. No I/O; the store gets the table from the caller.
 */
#ifndef CAMPAIGN_WRAP_LINKS_H
#define CAMPAIGN_WRAP_LINKS_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/error.h"
#include "base/map.h"

#define WRAP_LINKS_MAX 1000
#define WRAP_URL_MAX 4096 /* bytes; longer ones are not replaced */

struct wrap_links {
	struct slice base; /* "https://mail.example.jp", the caller's; no '/' at its end */
	bool opens;
	bool clicks;
	u32 count; /* of links in the table */
	u32 left;  /* http(s) links that were not replaced */
	struct slice urls[WRAP_LINKS_MAX]; /* number minus one: as written */
	/* Its own: */
	struct arena arena;
	struct map known;
};

/* 16 KiB: not for a stack. `base` is checked to be http(s) without blanks; false: it is not. */
bool wrap_links_init(struct wrap_links *wrap, struct slice base, struct error *error) MUST_CHECK;
void wrap_links_done(struct wrap_links *wrap);
/*
 * The next number of the table is this link's, whether it stands in a part or not: of a text that
 * was sent before, so that its links go on to lead where they did. False: as below.
 */
bool wrap_links_know(struct wrap_links *wrap, struct slice url, struct error *error) MUST_CHECK;

/*
 * Append what becomes of a part to `out`; several parts of one campaign share the table. False: too
 * many links, or no room.
 */
bool wrap_links_html(struct wrap_links *wrap, struct slice html, struct buf *out,
		     struct error *error) MUST_CHECK;
bool wrap_links_text(struct wrap_links *wrap, struct slice text, struct buf *out,
		     struct error *error) MUST_CHECK;

#endif
