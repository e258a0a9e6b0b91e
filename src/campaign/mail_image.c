#include "campaign/mail_image.h"

#include "base/check.h"
#include "base/text.h"
#include "message/html_rewrite.h"
#include "message/message.h"
#include "message/part_writer.h"

#include <stdio.h>
#include <string.h>

#define PREFIX SLICE("/i/")
#define URL_MAX 4096
#define CONTENT_ID_SIZE 320

/* ---- addresses ---- */

/* Runs of anything else become one '-'. */
static size_t add_plain(char *out, size_t room, struct slice name)
{
	size_t len = 0;

	for (size_t i = 0; i < name.len && len < room; i++) {
		char c = name.ptr[i];
		bool is_plain = ascii_is_alpha(c) || ascii_is_digit(c) || c == '_';

		if (is_plain)
			out[len++] = c;
		else if (len > 0 && out[len - 1] != '-')
			out[len++] = '-';
	}
	while (len > 0 && out[len - 1] == '-')
		len--;
	return len;
}

void mail_image_name(char out[MAIL_IMAGE_NAME_MAX + 1], struct slice name, enum image_kind kind)
{
	const char *ending = image_kind_ending(kind);
	size_t room = MAIL_IMAGE_NAME_MAX - strlen(ending) - 1;
	size_t dot = name.len;
	size_t len;

	while (dot > 0 && name.ptr[dot - 1] != '.')
		dot--;
	len = add_plain(out, room, dot > 1 ? slice_first(name, dot - 1) : name);
	if (len == 0) {
		memcpy(out, "image", 5);
		len = 5;
	}
	snprintf(out + len, MAIL_IMAGE_NAME_MAX + 1 - len, ".%s", ending);
}

void mail_image_id_text(char out[MAIL_IMAGE_ID_TEXT], const u8 id[MAIL_IMAGE_ID_SIZE])
{
	hex_encode(out, id, MAIL_IMAGE_ID_SIZE);
	out[MAIL_IMAGE_ID_TEXT - 1] = '\0';
}

bool mail_image_id_read(struct slice text, u8 id[MAIL_IMAGE_ID_SIZE])
{
	return hex_decode(id, MAIL_IMAGE_ID_SIZE, text);
}

void mail_image_add_path(struct buf *out, const u8 id[MAIL_IMAGE_ID_SIZE], struct slice name,
			 enum image_kind kind)
{
	char plain[MAIL_IMAGE_NAME_MAX + 1];
	char hex[MAIL_IMAGE_ID_TEXT];

	mail_image_id_text(hex, id);
	mail_image_name(plain, name, kind);
	buf_add_format(out, "/i/%s/%s", hex, plain);
}

bool mail_image_is_ours(struct slice url, struct slice base, u8 id[MAIL_IMAGE_ID_SIZE],
			struct slice *path)
{
	struct slice rest = url;

	if (base.len > 0 && slice_has_prefix_nocase(url, base))
		rest = slice_from(url, base.len);
	if (!slice_has_prefix(rest, PREFIX))
		return false;
	*path = rest;
	rest = slice_from(rest, PREFIX.len);
	return mail_image_id_read(slice_split(&rest, '/'), id) && rest.ptr;
}

/* ---- rewriting ---- */

struct job {
	struct mail_images *images;
	struct buf url;
};

static void add_content_id(char out[CONTENT_ID_SIZE], const struct mail_images *images,
			   const u8 id[MAIL_IMAGE_ID_SIZE])
{
	char hex[MAIL_IMAGE_ID_TEXT];

	mail_image_id_text(hex, id);
	snprintf(out, CONTENT_ID_SIZE, "%s@%s", hex, images->domain);
}

static bool is_known(const struct mail_images *images, const u8 id[MAIL_IMAGE_ID_SIZE])
{
	for (u32 i = 0; i < images->count; i++) {
		if (memcmp(images->ids[i], id, MAIL_IMAGE_ID_SIZE) == 0)
			return true;
	}
	return false;
}

static bool add_part(struct mail_images *images, const u8 id[MAIL_IMAGE_ID_SIZE],
		     const struct mail_image *image, struct error *error)
{
	char name[MAIL_IMAGE_NAME_MAX + 1];
	char content_id[CONTENT_ID_SIZE];
	const struct part_file file = { .type = image_kind_type(image->kind),
					.name = name,
					.content_id = content_id };

	if (images->count == MAIL_IMAGES_INLINE_MAX)
		return error_set(error, "more than %d images in the mail itself",
				 MAIL_IMAGES_INLINE_MAX);
	images->bytes += image->bytes.len;
	if (images->bytes > MAIL_IMAGES_BYTES_MAX)
		return error_set(error, "the images in the mail itself have more than %u MB",
				 MAIL_IMAGES_BYTES_MAX >> 20);
	mail_image_name(name, image->name, image->kind);
	add_content_id(content_id, images, id);
	memcpy(images->ids[images->count++], id, MAIL_IMAGE_ID_SIZE);
	part_add_boundary(&images->parts, images->boundary, false);
	return (part_add_file(&images->parts, &file, image->bytes) && !images->parts.failed) ||
	       error_set(error, "no memory for the images of a mail");
}

/* The image becomes a part; false with no error: there is none, and its address stays. */
static bool take_in(struct mail_images *images, const u8 id[MAIL_IMAGE_ID_SIZE],
		    struct error *error)
{
	struct mail_image image = { .name = SLICE("") };

	error->text[0] = '\0';
	if (is_known(images, id))
		return true;
	if (!images->load(images->owner, id, &image, error))
		return false;
	return image.bytes.ptr && add_part(images, id, &image, error);
}

static bool replace(void *owner, const struct html_link *link, struct slice *replacement,
		    struct error *error)
{
	struct job *job = owner;
	struct mail_images *images = job->images;
	bool is_image = link->kind == HTML_LINK_IMAGE;
	char content_id[CONTENT_ID_SIZE];
	u8 id[MAIL_IMAGE_ID_SIZE];
	struct slice path;

	if ((!is_image && link->kind != HTML_LINK_ANCHOR && link->kind != HTML_LINK_STYLE) ||
	    !mail_image_is_ours(link->url, images->base, id, &path))
		return true;
	buf_reset(&job->url);
	if (is_image && images->way == MAIL_IMAGE_INLINE && take_in(images, id, error)) {
		add_content_id(content_id, images, id);
		buf_add_format(&job->url, "cid:%s", content_id);
	} else if (is_image && images->way == MAIL_IMAGE_INLINE && error->text[0]) {
		return error_prefix(error, "line %u", link->line);
	} else {
		if (images->way != MAIL_IMAGE_LOCAL)
			buf_add_slice(&job->url, images->base);
		buf_add_slice(&job->url, path);
	}
	*replacement = buf_slice(&job->url);
	return !job->url.failed || error_set(error, "line %u: an image's address is too long",
					     link->line);
}

bool mail_images_rewrite(struct mail_images *images, struct slice html, struct buf *out,
			 struct error *error)
{
	struct job job = { .images = images };
	const struct html_links links = { .owner = &job,
					  .replace = replace,
					  .replace_in_css = replace };
	bool is_done;

	buf_init(&job.url, URL_MAX);
	is_done = html_links_rewrite(html, &links, out, error);
	buf_done(&job.url);
	return is_done;
}

bool mail_images_place(enum mail_image_way way, struct slice base, struct arena *arena,
		       struct slice *html, struct error *error)
{
	struct mail_images images = { .way = way, .base = base };
	struct buf out;
	bool is_done;

	ASSERT(way != MAIL_IMAGE_INLINE);
	buf_init(&out, MESSAGE_TEMPLATE_MAX);
	is_done = mail_images_rewrite(&images, *html, &out, error);
	if (is_done) {
		*html = arena_copy_buf(arena, &out);
		is_done = html->ptr || error_set(error, "no memory for a mail's HTML");
	}
	buf_done(&out);
	return is_done;
}
