/*
 * What the sender is given of a campaign's draft: header fields, texts with countable links, and
 * the columns of values that each contact brings. Tried out by message_compile, so that what the
 * sender would refuse is told before anything is sent. No I/O.
 *
 * In texts, {{unsubscribe_url}}, {{preferences_url}} and {{view_url}} are the addresses of this
 * contact's own pages. Images of ours stand there as campaign/mail_image.h says.
 */
#ifndef CAMPAIGN_ISSUE_H
#define CAMPAIGN_ISSUE_H

#include "campaign/draft.h"
#include "campaign/mail_image.h"
#include "campaign/wrap_links.h"
#include "message/address.h"
#include "message/message.h"

#define ISSUE_COLUMNS_MAX 256
#define ISSUE_FIELD_VARIANT "hk_variant"

enum issue_column_kind {
	ISSUE_ATTRIBUTE,
	ISSUE_TRACK, /* tokens: campaign/link_token.h */
	ISSUE_UNSUBSCRIBE,
	ISSUE_PREFERENCES,
	ISSUE_VIEW,
	ISSUE_VARIANT, /* "a" or "b": of two subjects */
};

struct issue_column {
	const char *name; /* the issue's */
	enum issue_column_kind kind;
	u16 attribute;
};

/* What may be named in texts. */
struct issue_attribute {
	struct slice name;
	u16 id;
};

struct issue_facts {
	struct slice base; /* "https://mail.example.jp": our pages; empty: there are none */
	const struct issue_attribute *attributes;
	size_t attribute_count;
	struct slice list_name; /* empty: no list */
	struct slice list_title;
	/* Links that were sent before and keep their numbers (of a step); views for this call. */
	const struct slice *links;
	size_t link_count;
	bool is_uncounted; /* no opens and clicks, whatever the draft says */
	bool is_for_pages; /* it is shown by a page of ours and not sent: images stay here */
	/* As of mail_images, for a draft that has its images in the mail itself. */
	void *image_owner;
	bool (*load_image)(void *owner, const u8 id[MAIL_IMAGE_ID_SIZE], struct mail_image *image,
			   struct error *error);
};

struct issue {
	char domain[ADDRESS_DOMAIN_MAX + 1]; /* of From */
	struct buf headers;
	struct buf text;
	struct buf html;
	struct buf whole; /* in place of the three, when images are in the mail itself */
	struct buf unsubscribe_url; /* empty: none */
	struct issue_column columns[ISSUE_COLUMNS_MAX];
	size_t column_count;
	struct wrap_links *wrap; /* the links, in order */
	struct arena arena;
};

/* Which field of the draft is wrong; `error` says how, in English. */
bool issue_make(struct issue *issue, const struct draft *draft, const struct issue_facts *facts,
		enum draft_field *field, struct error *error) MUST_CHECK;
void issue_done(struct issue *issue); /* also after a failure */
/* The mail as the sender will have it, without signatures: to be tried, or looked at. NULL: why. */
struct message *issue_compile(const struct issue *issue, struct error *error) MUST_CHECK;

/* A draft's text or HTML; empty when it is white space alone. */
struct slice issue_body(const struct draft *draft, enum draft_field field);

/* Only the address of From: whose mail it is. */
bool issue_from(struct slice from, struct address *address, struct error *error) MUST_CHECK;

#endif
