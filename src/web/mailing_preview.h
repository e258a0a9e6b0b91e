/*
 * A campaign as one contact sees it: composed by the program that composes what is sent. For the
 * screen of its author, for the link "view in a browser", and for the public archive.
 */
#ifndef WEB_MAILING_PREVIEW_H
#define WEB_MAILING_PREVIEW_H

#include "message/preview.h"
#include "web/call.h"
#include "web/campaign_rows.h"

struct mailing_preview {
	struct campaign_rows rows;
	struct message_preview message; /* in the arena */
	struct arena arena;
	enum draft_field field; /* what is wrong, when it could not be made */
	struct error error;
};

/*
 * Within a transaction of the reader. `contact` NULL: the first of those that it goes to, and
 * nobody's pages behind the links; id 0 of one likewise. False: `field` and `error`. To be freed in
 * any case. NULL: no memory.
 */
struct mailing_preview *mailing_preview_make(struct call *call,
					     const struct audience_campaign *campaign,
					     const struct contact *contact, bool *ok) MUST_CHECK;
void mailing_preview_free(struct mailing_preview *preview); /* NULL is fine */

/*
 * Answers with the HTML, or with the text in its place: no scripts, no forms, and nothing that
 * could be told from a page of ours.
 */
void mailing_preview_answer(struct call *call, const struct mailing_preview *preview);
void mailing_preview_show(struct call *call, const struct message_preview *message);

#endif
