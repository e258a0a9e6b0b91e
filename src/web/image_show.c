#include "web/image_show.h"

#include "base/text.h"
#include "campaign/draft.h"
#include "message/html_entity.h"
#include "store/audience_campaign.h"
#include "store/audience_campaign_text.h"
#include "web/noun.h"

#include <stdlib.h>
#include <string.h>

#define WIDTH_MAX 600 /* pixels, of what is shown in a mail */
#define CHOICE_MAX 24
#define TAG_MAX 8192
#define OLD_BYTES_MAX (64u << 20) /* of the drafts of campaigns that are over */

enum word { CHOOSE, CHOOSE_HINT, INSERT, NONE, MORE, WORD_COUNT };

static const struct words words[WORD_COUNT] = {
	[CHOOSE] = { { "Images to put in", "画像を挿入" } },
	[CHOOSE_HINT] = { { "Copy a tag to where the image is to be.",
			    "タグをコピーして、画像を入れたい場所に貼り付けてください。" } },
	[INSERT] = { { "Insert", "挿入" } },
	[NONE] = { { "No image was brought yet.", "画像はまだありません。" } },
	[MORE] = { { "All images", "すべての画像" } },
};

void image_show_path(struct buf *out, const struct audience_asset *asset)
{
	mail_image_add_path(out, asset->id, asset->of[ASSET_NAME], (enum image_kind)asset->kind);
}

void image_show_tag(struct buf *out, const struct audience_asset *asset)
{
	buf_add_text(out, "<img src=\"");
	image_show_path(out, asset);
	buf_add_text(out, "\" alt=\"");
	html_url_encode(out, asset->of[ASSET_ALT], '"');
	buf_add_format(out, "\" width=\"%u\" style=\"max-width:100%%;height:auto\">",
		       min_u32(asset->width, WIDTH_MAX));
}

json_t *image_show_json(const struct call *call, const struct audience_asset *asset)
{
	const char *base = call->web->config->web.url;
	char hex[MAIL_IMAGE_ID_TEXT];
	struct buf path;
	struct buf tag;
	struct buf url;
	json_t *json;

	buf_init(&path, TAG_MAX);
	buf_init(&tag, TAG_MAX);
	buf_init(&url, TAG_MAX);
	mail_image_id_text(hex, asset->id);
	image_show_path(&path, asset);
	image_show_tag(&tag, asset);
	buf_add_text(&url, base ? base : "");
	buf_add_slice(&url, buf_slice(&path));
	json = json_pack("{s:s, s:o, s:o, s:o, s:o, s:o, s:s, s:I, s:I, s:I, s:o, s:o}", "id", hex,
			 "name", noun_text(asset->of[ASSET_NAME]), "alt",
			 noun_text(asset->of[ASSET_ALT]), "path", noun_text(buf_slice(&path)),
			 "url", noun_text(buf_slice(&url)), "tag", noun_text(buf_slice(&tag)),
			 "type", image_kind_type((enum image_kind)asset->kind), "bytes",
			 (json_int_t)asset->size, "width", (json_int_t)asset->width, "height",
			 (json_int_t)asset->height, "created", noun_time(asset->created_ms),
			 "changed", noun_time(asset->changed_ms));
	buf_done(&path);
	buf_done(&tag);
	buf_done(&url);
	return json;
}

void image_show_thumbnail(struct page *page, const struct audience_asset *asset)
{
	struct buf path;

	buf_init(&path, TAG_MAX);
	image_show_path(&path, asset);
	PAGE_HTML(page, "<img loading=\"lazy\"");
	page_attribute(page, "src", buf_slice(&path));
	page_attribute(page, "alt", asset->of[ASSET_ALT]);
	PAGE_HTML(page, ">");
	buf_done(&path);
}

/* ---- the list ---- */

static int by_age(const void *a, const void *b)
{
	const struct image_place *one = a;
	const struct image_place *two = b;

	if (one->created_ms != two->created_ms)
		return one->created_ms > two->created_ms ? -1 : 1;
	return memcmp(one->id, two->id, sizeof(one->id));
}

bool image_list_read(struct audience_txn *txn, struct image_list *list)
{
	struct audience_asset_total total;
	struct audience_asset asset;
	enum store_result result = audience_asset_sum(txn, &total);

	*list = (struct image_list){ 0 };
	if (result != STORE_OK)
		return false;
	list->of = calloc(total.count + 1, sizeof(*list->of));
	if (!list->of)
		return false;
	result = audience_asset_after(txn, NULL, &asset);
	while (result == STORE_OK && list->count < total.count) {
		struct image_place *place = &list->of[list->count++];

		place->created_ms = asset.created_ms;
		memcpy(place->id, asset.id, sizeof(place->id));
		result = audience_asset_after(txn, asset.id, &asset);
	}
	qsort(list->of, list->count, sizeof(*list->of), by_age);
	return result == STORE_OK || result == STORE_NOT_FOUND;
}

void image_list_done(struct image_list *list)
{
	free(list->of);
	*list = (struct image_list){ 0 };
}

/* ---- for editors ---- */

static void show_choice(struct page *page, const struct audience_asset *asset, const char *field)
{
	struct buf tag;

	buf_init(&tag, TAG_MAX);
	image_show_tag(&tag, asset);
	PAGE_HTML(page, "<li>");
	image_show_thumbnail(page, asset);
	PAGE_HTML(page, "<span>");
	page_text(page, asset->of[ASSET_NAME]);
	PAGE_HTML(page, "</span> <code>");
	page_text(page, buf_slice(&tag));
	PAGE_HTML(page, "</code><button type=\"button\" class=\"quiet\" hidden");
	page_attribute(page, "data-insert", slice_of(field));
	buf_reset(&tag);
	buf_add_format(&tag, "%s %.*s", words[INSERT].text[page->language],
		       SLICE_FMT(asset->of[ASSET_NAME]));
	page_attribute(page, "aria-label", buf_slice(&tag));
	PAGE_HTML(page, ">");
	page_words(page, &words[INSERT]);
	PAGE_HTML(page, "</button></li>");
	buf_done(&tag);
}

void image_show_choice(struct page *page, const char *field)
{
	struct audience_txn *txn = page->call->web->reader;
	struct audience_asset asset;
	struct image_list list;

	if (!image_list_read(txn, &list)) {
		image_list_done(&list);
		return;
	}
	PAGE_HTML(page, "<details class=\"choice\"><summary>");
	page_words(page, &words[CHOOSE]);
	PAGE_HTML(page, "</summary><p class=\"hint\">");
	page_words(page, &words[list.count > 0 ? CHOOSE_HINT : NONE]);
	PAGE_HTML(page, "</p><ul>");
	for (u32 i = 0; i < list.count && i < CHOICE_MAX; i++) {
		if (audience_asset_get(txn, list.of[i].id, &asset) == STORE_OK)
			show_choice(page, &asset, field);
	}
	PAGE_HTML(page, "</ul><p>");
	PAGE_LINK(page, &words[MORE], "/admin/images");
	PAGE_HTML(page, "</p></details>");
	image_list_done(&list);
}

/* ---- what uses one ---- */

/* NULL: there is no room for it. */
static struct image_use *add_use(struct image_uses *uses, struct slice name)
{
	struct image_use *use = &uses->of[uses->count];

	if (uses->count == IMAGE_USES_MAX) {
		uses->are_more = true;
		return NULL;
	}
	uses->count++;
	slice_copy(use->name, sizeof(use->name), name);
	return use;
}

static void add_campaign(struct image_uses *uses, const struct audience_campaign *campaign)
{
	struct draft draft = { 0 };
	bool is_read = draft_unpack(campaign->draft, &draft);
	struct image_use *use = add_use(uses, is_read ? draft.of[DRAFT_NAME] : SLICE(""));

	if (!use)
		return;
	use->campaign = campaign->id;
	use->state = campaign->state;
	use->is_step = campaign->flags & AUDIENCE_CAMPAIGN_OF_STEP;
}

static void find_campaigns(struct audience_txn *txn, struct slice path, struct image_uses *uses)
{
	struct audience_campaign campaign = { .id = UINT32_MAX };
	u64 old_bytes = 0;
	struct slice texts;

	while (audience_campaign_before(txn, campaign.id, &campaign) == STORE_OK) {
		bool is_over = campaign.state == AUDIENCE_CAMPAIGN_DONE ||
			       campaign.state == AUDIENCE_CAMPAIGN_CANCELLED;

		old_bytes += is_over ? campaign.draft.len : 0;
		if (is_over && old_bytes > OLD_BYTES_MAX)
			continue;
		if (slice_find(campaign.draft, path) >= 0 ||
		    (campaign_text_get(txn, campaign.id, &texts) == STORE_OK &&
		     slice_find(texts, path) >= 0))
			add_campaign(uses, &campaign);
	}
}

/* As they are now: older versions are for looking back. */
static void find_templates(struct audience_txn *txn, struct slice path, struct image_uses *uses)
{
	struct audience_template_version version;
	struct audience_template one = { 0 };
	struct image_use *use;

	while (audience_template_after(txn, one.id, &one) == STORE_OK) {
		if (audience_template_version(txn, one.id, one.version, &version) != STORE_OK ||
		    slice_find(version.of[AUDIENCE_TEMPLATE_HTML], path) < 0)
			continue;
		use = add_use(uses, one.name);
		if (use)
			use->template = one.id;
	}
}

void image_uses_find(struct audience_txn *txn, const u8 id[ASSET_ID_SIZE],
		     struct image_uses *uses)
{
	char path[3 + MAIL_IMAGE_ID_TEXT] = "/i/";

	mail_image_id_text(path + 3, id);
	*uses = (struct image_uses){ 0 };
	find_templates(txn, slice_of(path), uses);
	find_campaigns(txn, slice_of(path), uses);
}

void image_uses_names(const struct image_uses *uses, struct buf *out)
{
	for (u32 i = 0; i < uses->count; i++)
		buf_add_format(out, "%s%s", i > 0 ? ", " : "", uses->of[i].name);
	if (uses->are_more)
		buf_add_text(out, ", ...");
}
