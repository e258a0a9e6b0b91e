/*
 * Images as people and programs see them, and what uses them.
 */
#ifndef WEB_IMAGE_SHOW_H
#define WEB_IMAGE_SHOW_H

#include "campaign/mail_image.h"
#include "store/audience_asset.h"
#include "store/audience_template.h"
#include "web/page.h"

/* "/i/ID/NAME" */
void image_show_path(struct buf *out, const struct audience_asset *asset);
/* The tag that authors put into their HTML: no wider than mails are. */
void image_show_tag(struct buf *out, const struct audience_asset *asset);
json_t *image_show_json(const struct call *call, const struct audience_asset *asset); /* or NULL */
/* <img>, sized by the style sheet. */
void image_show_thumbnail(struct page *page, const struct audience_asset *asset);
/*
 * The newest images with their tags, to be put into the text area of that name: a button where
 * there is script, text to copy where there is none. Within a transaction of the reader.
 */
void image_show_choice(struct page *page, const char *field);

/* All images by when they were brought, the newest first. */
struct image_list {
	u32 count;
	struct image_place {
		u64 created_ms;
		u8 id[ASSET_ID_SIZE];
	} *of;
};
/* Within a transaction. False: no memory, or they cannot be read. */
bool image_list_read(struct audience_txn *txn, struct image_list *list) MUST_CHECK;
void image_list_done(struct image_list *list);

/* ---- what uses one ---- */

#define IMAGE_USES_MAX 20

struct image_use {
	u32 campaign; /* its id; 0: it is a template */
	u32 template; /* its id */
	u32 state;    /* enum audience_campaign_state */
	bool is_step; /* the campaign is a step of a sequence */
	char name[AUDIENCE_TEMPLATE_NAME_MAX + 1];
};

struct image_uses {
	u32 count;
	bool are_more;
	struct image_use of[IMAGE_USES_MAX];
};
/*
 * Within a transaction; reads the texts of all templates, steps and campaigns, but of campaigns
 * that are over only the newest ones: a request thread has no time for years of them.
 */
void image_uses_find(struct audience_txn *txn, const u8 id[ASSET_ID_SIZE],
		     struct image_uses *uses);
/* "December, Autumn": for sentences. */
void image_uses_names(const struct image_uses *uses, struct buf *out);

#endif
