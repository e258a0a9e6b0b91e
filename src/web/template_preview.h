/*
 * A template as somebody will see it, and what is to be mended in it: one for contacts by what
 * previews campaigns (mailing_preview.h), one of programs with sample values.
 */
#ifndef WEB_TEMPLATE_PREVIEW_H
#define WEB_TEMPLATE_PREVIEW_H

#include "message/review.h"
#include "store/audience_template.h"
#include "web/mailing_preview.h"

/* What is looked at: kept, or being written. */
struct template_look {
	enum audience_template_kind kind;
	struct slice name;
	struct slice of[AUDIENCE_TEMPLATE_TEXTS];
	const struct contact *contact; /* whose values; NULL: the first one's */
	const json_t *values;	       /* of a program's; NULL: the sample's */
};

struct template_preview {
	struct message_preview message; /* in an arena */
	struct review review;		/* of a block: empty, it is no whole mail */
	struct mailing_preview *mail;
	struct arena arena;
	struct error error;
};

/*
 * Within a transaction of the reader. False: `error`. To be freed in any case. NULL: no memory.
 */
struct template_preview *template_preview_make(struct call *call, const struct template_look *look,
					       bool *ok) MUST_CHECK;
void template_preview_free(struct template_preview *preview); /* NULL is fine */
/* As mailing_preview_answer: the message alone, where no script runs. */
void template_preview_answer(struct call *call, const struct template_preview *preview);

/* The campaign that a template for contacts would be: its draft in `draft`. False: no memory. */
bool template_campaign(struct audience_txn *txn, const struct template_look *look,
		       struct buf *draft, struct audience_campaign *campaign) MUST_CHECK;
/* Who sends by the settings: "Shop <shop@example.jp>"; "" when they do not say. */
void template_from(struct audience_txn *txn, struct buf *from);

#endif
