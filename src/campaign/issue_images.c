/*
 * Images of a draft in the mail itself: multipart/alternative, in which the HTML is
 * multipart/related with its images (RFC 2387). Images come behind the HTML, as mail programs want
 * it; so with values in the HTML they are hashed for each recipient.
 */
#include "campaign/issue_parts.h"

#include "base/crypto.h"
#include "base/text.h"

#include <string.h>

/* Of the texts, so that it is the same whenever the mail is made, and stands in none of them. */
static void make_boundary(char boundary[PART_BOUNDARY_SIZE], const char *kind,
			  const struct slice *texts, size_t count)
{
	u8 digest[SHA256_SIZE];
	struct sha256 hash;

	sha256_init(&hash);
	sha256_add(&hash, kind, strlen(kind));
	for (size_t i = 0; i < count; i++)
		sha256_add(&hash, texts[i].ptr ? texts[i].ptr : "", texts[i].len);
	sha256_finish(&hash, digest);
	part_boundary_make(boundary, digest);
}

bool issue_images_make(struct issue_images *made, const struct issue *issue,
		       const struct draft *draft, const struct issue_facts *facts,
		       struct error *error)
{
	const struct slice texts[] = { draft->of[DRAFT_HTML], draft->of[DRAFT_TEXT] };
	struct mail_images *images = &made->images;
	bool is_inline = slice_equal(draft->of[DRAFT_INLINE], SLICE("yes")) && facts->load_image;

	*images = (struct mail_images){ .way = facts->is_for_pages ? MAIL_IMAGE_LOCAL :
					       is_inline	   ? MAIL_IMAGE_INLINE :
								     MAIL_IMAGE_HOSTED,
					.base = facts->base,
					.domain = issue->domain,
					.boundary = made->boundary,
					.owner = facts->image_owner,
					.load = facts->load_image };
	buf_init(&images->parts, MESSAGE_TEMPLATE_MAX);
	buf_init(&made->html, MESSAGE_TEMPLATE_MAX);
	make_boundary(made->boundary, "related", texts, array_count(texts));
	return mail_images_rewrite(images, issue_body(draft, DRAFT_HTML), &made->html, error);
}

void issue_images_done(struct issue_images *images)
{
	buf_done(&images->images.parts);
	buf_done(&images->html);
}

bool issue_add_whole(struct issue *issue, const struct issue_images *images, struct error *error)
{
	const struct slice texts[] = { buf_slice(&issue->html), buf_slice(&issue->text) };
	char boundary[PART_BOUNDARY_SIZE];
	struct buf *out = &issue->whole;

	if (images->images.count == 0)
		return true;
	make_boundary(boundary, "alternative", texts, array_count(texts));
	buf_add_slice(out, buf_slice(&issue->headers));
	part_begin_multipart(out, "alternative", boundary);
	part_add_boundary(out, boundary, false);
	part_add_text(out, "text/plain", buf_slice(&issue->text));
	part_add_boundary(out, boundary, false);
	part_begin_multipart(out, "related", images->boundary);
	part_add_boundary(out, images->boundary, false);
	part_add_text(out, "text/html", buf_slice(&issue->html));
	buf_add_slice(out, buf_slice(&images->images.parts));
	part_add_boundary(out, images->boundary, true);
	part_add_boundary(out, boundary, true);
	return !out->failed || error_set(error, "no memory for a campaign's images");
}
