/*
 * What is to be mended in a campaign before it is sent: message/review.h, asked with the campaign's
 * texts as its author wrote them, with whom the settings say sends, and with what recipients bring.
 */
#ifndef WEB_MAILING_REVIEW_H
#define WEB_MAILING_REVIEW_H

#include "message/review.h"
#include "web/mailing_preview.h"

/*
 * Within the reader's transaction in which the preview was made. Details are in the preview's
 * arena. False: no memory.
 */
bool mailing_review_make(struct call *call, struct mailing_preview *preview,
			 struct review *review) MUST_CHECK;

/* What must be mended: [{"part": "html", "line": 3, "problem": ..., "advice": ...}]. */
json_t *mailing_review_json(const struct review *review, enum language language);

#endif
