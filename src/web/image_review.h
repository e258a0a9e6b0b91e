/*
 * What the review of a mail (message/review.h) is told of images: whether those of ours are there.
 */
#ifndef WEB_IMAGE_REVIEW_H
#define WEB_IMAGE_REVIEW_H

#include "base/config.h"
#include "campaign/mail_image.h"
#include "message/review.h"
#include "store/audience_asset.h"

/* Of one review. Each image's bytes count once, however often it is shown. */
struct image_review {
	struct audience_txn *txn;
	const struct config_web *config;
	bool is_inline; /* images go in the mail itself, which then needs no host's name */
	/* Its own: */
	u8 seen[MAIL_IMAGES_INLINE_MAX][MAIL_IMAGE_ID_SIZE];
	u32 count;
};
/* The review's `image`, with that as owner. */
enum review_image image_review_look(void *owner, struct slice url, u64 *bytes);

#endif
