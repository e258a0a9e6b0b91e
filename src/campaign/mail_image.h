/*
 * Images of ours in the HTML of a mail: what stands at /i/ID/NAME. Authors write the address with
 * our host or without; here it becomes what the mail needs: whole, for the net; without the host,
 * for a page of ours; or cid: (RFC 2392), with the image as a part of the mail itself. Every other
 * address stays as it is. No I/O: bytes come from the caller.
 *
 * In styles url() becomes an address, never cid:, which few programs show there.
 */
#ifndef CAMPAIGN_MAIL_IMAGE_H
#define CAMPAIGN_MAIL_IMAGE_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/error.h"
#include "campaign/image.h"

#define MAIL_IMAGE_ID_SIZE 16
#define MAIL_IMAGE_ID_TEXT 33 /* in hex, with its NUL */
#define MAIL_IMAGE_NAME_MAX 64
#define MAIL_IMAGES_INLINE_MAX 50 /* in one mail */
#define MAIL_IMAGES_BYTES_MAX (5u << 20) /* of all of them, before base64 */

/* "logo.png": the name as it may stand in an address, with the ending of its kind. */
void mail_image_name(char out[MAIL_IMAGE_NAME_MAX + 1], struct slice name, enum image_kind kind);
void mail_image_id_text(char out[MAIL_IMAGE_ID_TEXT], const u8 id[MAIL_IMAGE_ID_SIZE]);
bool mail_image_id_read(struct slice text, u8 id[MAIL_IMAGE_ID_SIZE]) MUST_CHECK;
/* Appends "/i/ID/NAME". */
void mail_image_add_path(struct buf *out, const u8 id[MAIL_IMAGE_ID_SIZE], struct slice name,
			 enum image_kind kind);
/*
 * Whether the address is an image's of ours: "/i/ID/NAME", or with `base` in front ("" : our host
 * has no name). *path is what stands behind the base.
 */
bool mail_image_is_ours(struct slice url, struct slice base, u8 id[MAIL_IMAGE_ID_SIZE],
			struct slice *path) MUST_CHECK;

enum mail_image_way {
	MAIL_IMAGE_HOSTED, /* by address, with our host */
	MAIL_IMAGE_LOCAL,  /* by address, without it: in a page of ours */
	MAIL_IMAGE_INLINE, /* in the mail itself */
};

struct mail_image {
	struct slice name;
	enum image_kind kind;
	struct slice bytes; /* valid until the next one is asked; ptr NULL: there is none */
};

struct mail_images {
	enum mail_image_way way;
	struct slice base;   /* "https://mail.example.jp"; empty: our host has no name */
	/* INLINE: */
	const char *domain; /* of content ids */
	const char *boundary;
	void *owner;
	/* Fills in `image`. False: it cannot be read; `error` says why. */
	bool (*load)(void *owner, const u8 id[MAIL_IMAGE_ID_SIZE], struct mail_image *image,
		     struct error *error);
	/* What came of it: parts with the boundary before each; the last line is the caller's. */
	struct buf parts;
	u8 ids[MAIL_IMAGES_INLINE_MAX][MAIL_IMAGE_ID_SIZE];
	u32 count;
	u64 bytes;
};

/*
 * Appends the HTML to `out`. An image that there is not keeps its address. False: too many images
 * or bytes for one mail, one cannot be read, or no memory; `error` says which.
 */
bool mail_images_rewrite(struct mail_images *images, struct slice html, struct buf *out,
			 struct error *error) MUST_CHECK;

/* The same for images by address alone: *html becomes a text in the arena. */
bool mail_images_place(enum mail_image_way way, struct slice base, struct arena *arena,
		       struct slice *html, struct error *error) MUST_CHECK;

#endif
