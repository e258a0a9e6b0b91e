/*
 * Any bytes as an image: whole and in pieces the same comes out, sides are within their limits, and
 * an image's kind is that of its first bytes.
 */
#include "base/check.h"
#include "base/text.h"
#include "campaign/image.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static enum image_problem read_image(struct slice rest, size_t step, struct image_facts *facts)
{
	struct image_reader reader;

	image_reader_init(&reader);
	while (rest.len > 0) {
		struct slice piece = slice_first(rest, step);

		image_reader_feed(&reader, piece);
		rest = slice_from(rest, piece.len);
	}
	return image_reader_end(&reader, facts);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct slice image = { (const char *)data, size };
	struct image_facts whole;
	struct image_facts pieces;
	enum image_problem problem;

	if (size < 1)
		return 0;
	image = slice_from(image, 1);
	problem = read_image(image, size, &whole);
	ASSERT(read_image(image, data[0] % 17 + 1u, &pieces) == problem);
	if (problem != IMAGE_GOOD)
		return 0;
	ASSERT(whole.kind == pieces.kind && whole.width == pieces.width &&
	       whole.height == pieces.height);
	ASSERT(whole.width > 0 && whole.width <= IMAGE_SIDE_MAX);
	ASSERT(whole.height > 0 && whole.height <= IMAGE_SIDE_MAX);
	ASSERT((whole.kind == IMAGE_JPEG) == slice_has_prefix(image, SLICE("\xff\xd8\xff")));
	ASSERT((whole.kind == IMAGE_GIF) == slice_has_prefix(image, SLICE("GIF8")));
	return 0;
}
