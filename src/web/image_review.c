#include "web/image_review.h"

#include "base/text.h"

#include <string.h>

_Static_assert(MAIL_IMAGES_BYTES_MAX == 5120 << 10, "so says message/review_words.c");

static bool is_seen(struct image_review *images, const u8 id[MAIL_IMAGE_ID_SIZE])
{
	for (u32 i = 0; i < images->count; i++) {
		if (memcmp(images->seen[i], id, MAIL_IMAGE_ID_SIZE) == 0)
			return true;
	}
	if (images->count < MAIL_IMAGES_INLINE_MAX)
		memcpy(images->seen[images->count++], id, MAIL_IMAGE_ID_SIZE);
	return false;
}

enum review_image image_review_look(void *owner, struct slice url, u64 *bytes)
{
	struct image_review *images = owner;
	const char *base = images->config->url;
	struct audience_asset asset;
	u8 id[MAIL_IMAGE_ID_SIZE];
	struct slice path;

	*bytes = 0;
	if ((!base && !images->is_inline) ||
	    !mail_image_is_ours(url, slice_of(base ? base : ""), id, &path))
		return REVIEW_IMAGE_ELSEWHERE;
	if (audience_asset_get(images->txn, id, &asset) != STORE_OK)
		return REVIEW_IMAGE_LOST;
	*bytes = is_seen(images, id) ? 0 : asset.size;
	return REVIEW_IMAGE_HERE;
}
