#include "web/mailing_review.h"

#include "base/text.h"
#include "message/preheader.h"
#include "store/audience_asset.h"
#include "web/setting.h"

#include <string.h>

/* What stands for pages of ours in texts (campaign/issue.h). */
static const struct slice pages[] = { SLICE("unsubscribe_url"), SLICE("preferences_url"),
				      SLICE("view_url") };

/* Everybody has a page; an attribute may lack. */
static size_t add_columns(const struct issue *issue, struct slice *columns, bool *may_be_empty)
{
	size_t count = 0;

	for (; count < array_count(pages); count++)
		columns[count] = pages[count], may_be_empty[count] = false;
	for (size_t i = 0; i < issue->column_count; i++) {
		if (issue->columns[i].kind != ISSUE_ATTRIBUTE)
			continue;
		columns[count] = slice_of(issue->columns[i].name);
		may_be_empty[count++] = true;
	}
	return count;
}

/* ---- images ---- */

_Static_assert(MAIL_IMAGES_BYTES_MAX == 5120 << 10, "so says message/review_words.c");

/* Each counts once, however often it is shown. */
struct images {
	struct audience_txn *txn;
	struct slice base;
	u8 seen[MAIL_IMAGES_INLINE_MAX][MAIL_IMAGE_ID_SIZE];
	u32 count;
};

static bool is_seen(struct images *images, const u8 id[MAIL_IMAGE_ID_SIZE])
{
	for (u32 i = 0; i < images->count; i++) {
		if (memcmp(images->seen[i], id, MAIL_IMAGE_ID_SIZE) == 0)
			return true;
	}
	if (images->count < MAIL_IMAGES_INLINE_MAX)
		memcpy(images->seen[images->count++], id, MAIL_IMAGE_ID_SIZE);
	return false;
}

static enum review_image look_up(void *owner, struct slice url, u64 *bytes)
{
	struct images *images = owner;
	struct audience_asset asset;
	u8 id[MAIL_IMAGE_ID_SIZE];
	struct slice path;

	*bytes = 0;
	if (!mail_image_is_ours(url, images->base, id, &path))
		return REVIEW_IMAGE_ELSEWHERE;
	if (audience_asset_get(images->txn, id, &asset) != STORE_OK)
		return REVIEW_IMAGE_LOST;
	*bytes = is_seen(images, id) ? 0 : asset.size;
	return REVIEW_IMAGE_HERE;
}

bool mailing_review_make(struct call *call, struct mailing_preview *preview,
			 struct review *review)
{
	const struct draft *draft = &preview->rows.draft;
	struct audience_txn *txn = call->web->reader;
	struct slice columns[ISSUE_COLUMNS_MAX + array_count(pages)];
	bool may_be_empty[ISSUE_COLUMNS_MAX + array_count(pages)];
	const char *base = call->web->config->web.url;
	struct images images = { .txn = txn, .base = slice_of(base ? base : "") };
	bool is_inline = slice_equal(draft->of[DRAFT_INLINE], SLICE("yes"));
	struct review_input input = {
		.subject = draft->of[DRAFT_SUBJECT],
		.text = issue_body(draft, DRAFT_TEXT),
		.html = issue_body(draft, DRAFT_HTML),
		.columns = columns,
		.may_be_empty = may_be_empty,
		.makes_text = true,
		.has_unsubscribe_header = preview->rows.issue.unsubscribe_url.len > 0,
		.unsubscribe_fields = pages,
		.unsubscribe_field_count = 1,
		.sender_name = setting_get(txn, SETTING_SENDER_NAME),
		.sender_address = setting_get(txn, SETTING_SENDER_ADDRESS),
		.sender_contact = setting_get(txn, SETTING_SENDER_CONTACT),
		.image = look_up,
		.owner = &images,
		.inline_max = is_inline ? MAIL_IMAGES_BYTES_MAX : 0,
	};
	struct buf html;
	bool ok = true;

	input.column_count = add_columns(&preview->rows.issue, columns, may_be_empty);
	buf_init(&html, MESSAGE_TEMPLATE_MAX);
	if (input.html.len > 0 && draft->of[DRAFT_PREHEADER].len > 0) {
		ok = preheader_add(input.html, draft->of[DRAFT_PREHEADER], &html);
		input.html = buf_slice(&html);
	}
	ok = ok && review_message(&input, &preview->arena, review, &preview->error);
	buf_done(&html);
	return ok;
}
