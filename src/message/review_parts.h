/* What the files of review share; private to src/message/. */
#ifndef MESSAGE_REVIEW_PARTS_H
#define MESSAGE_REVIEW_PARTS_H

#include "message/review.h"

struct reviewer {
	const struct review_input *input;
	struct arena *arena;
	struct review *review;
	u32 same[REVIEW_KINDS]; /* findings of each kind */
	struct slice html;      /* the texts with their blocks in place */
	struct slice text;
	bool no_memory;
	u64 image_bytes;
	u64 inline_bytes; /* of those that are here */
	u32 images;
	bool has_unsubscribe_link; /* in the HTML */
};

void review_add(struct reviewer *r, enum review_kind kind, enum review_part part, u32 line,
		struct slice detail);
/* Whether one of the fields to leave by is named in the text. */
bool review_names_unsubscribe(const struct reviewer *r, struct slice text);

/* review_html.c: links, images, elements. False: no memory. */
bool review_html(struct reviewer *r);
/* review_field.c: fields that may leave a gap. */
void review_fields(struct reviewer *r, struct slice text, enum review_part part);

#endif
