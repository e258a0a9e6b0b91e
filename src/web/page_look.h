/* What pages show of a mail: how it looks, wide and narrow, and what is to be mended in it. */
#ifndef WEB_PAGE_LOOK_H
#define WEB_PAGE_LOOK_H

#include "message/review.h"
#include "store/audience_contact.h"
#include "web/page.h"

/* One finding, as an item of a list. */
void page_look_finding(struct page *page, const struct review_finding *finding);
/* A list of findings, or that there are none. */
void page_look_findings(struct page *page, const struct review *review);

/* The message behind a URL of ours (as PAGE_URL) in two frames, where no script runs. */
#define PAGE_LOOK_FRAMES(page, format, ...)                                                        \
	page_look_frames(page, "" format, (const struct slice[]){ SLICE_NONE, ##__VA_ARGS__ } + 1)
void page_look_frames(struct page *page, const char *format, const struct slice *values);

/*
 * Whose values are shown: the contact that the query's `contact` names, by address or number; none
 * named: NULL, which is the first one. False: there is no such contact. Within a transaction of the
 * reader. Its id is 0: what is behind the links of a preview is nobody's.
 */
bool page_look_contact(struct call *call, struct contact *contact,
		       const struct contact **chosen) MUST_CHECK;
/* The form that asks for it, to a URL of ours (as PAGE_URL). */
#define PAGE_LOOK_CHOICE(page, is_there, format, ...)                                              \
	page_look_choice(page, is_there, "" format,                                                \
			 (const struct slice[]){ SLICE_NONE, ##__VA_ARGS__ } + 1)
void page_look_choice(struct page *page, bool is_there, const char *format,
		      const struct slice *values);

#endif
