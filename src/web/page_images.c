/* /admin/images: the images for mail, and bringing more of them. */
#include "base/text.h"
#include "web/flash.h"
#include "web/image_change.h"
#include "web/image_show.h"

#define SHOWN_MAX 60
#define SENTENCE_MAX FLASH_TEXT_MAX

enum word {
	TITLE,
	BRING,
	BRING_HINT,
	FILES,
	UPLOAD,
	NO_FILE,
	NOTHING,
	USED,
	BROUGHT,
	KNOWN,
	UNREADABLE,
	NO_ALT,
	WORD_COUNT,
};

static const struct words words[WORD_COUNT] = {
	[TITLE] = { { "Images", "画像" } },
	[BRING] = { { "Bring images", "画像を追加" } },
	[BRING_HINT] = { { "PNG, JPEG, GIF or WebP; up to 20 at once.",
			   "PNG、JPEG、GIF、WebP に対応。一度に 20 個まで選べます。" } },
	[FILES] = { { "Files", "ファイル" } },
	[UPLOAD] = { { "Upload", "アップロード" } },
	[NO_FILE] = { { "Choose an image.", "画像を選択してください。" } },
	[NOTHING] = { { "No image was brought yet.", "画像はまだありません。" } },
	[USED] = { { "{1} images, {2} of {3}", "画像 {1} 個、{2} / {3}" } },
	[BROUGHT] = { { "The images are there.", "画像を追加しました。" } },
	[KNOWN] = { { "The image was there already.", "その画像はすでに登録されています。" } },
	[UNREADABLE] = { { "Images cannot be read now.", "画像を読み込めません。" } },
	[NO_ALT] = { { "no alt text", "代替テキストなし" } },
};

static void show_form(struct page *page)
{
	page_card_begin(page, &words[BRING]);
	PAGE_UPLOAD(page, "/admin/images");
	page_field(page, &(struct page_field){ .name = "file",
					       .label = &words[FILES],
					       .hint = &words[BRING_HINT],
					       .type = "file",
					       .accept = "image/png,image/jpeg,image/gif,"
							 "image/webp",
					       .takes_several = true,
					       .is_required = true });
	page_submit(page, TONE_GOOD, &words[UPLOAD]);
	page_form_end(page);
	page_card_end(page);
}

static void show_image(struct page *page, const struct audience_asset *asset)
{
	char hex[MAIL_IMAGE_ID_TEXT];

	mail_image_id_text(hex, asset->id);
	PAGE_HTML(page, "<li><div class=\"frame\">");
	image_show_thumbnail(page, asset);
	PAGE_HTML(page, "</div>");
	PAGE_LINK_TEXT(page, asset->of[ASSET_NAME], "/admin/images/{}", slice_of(hex));
	PAGE_HTML(page, "<p class=\"hint\">");
	buf_add_format(page->out, "%u &times; %u, ", asset->width, asset->height);
	page_bytes(page, asset->size);
	PAGE_HTML(page, "</p>");
	if (asset->of[ASSET_ALT].len == 0)
		page_badge(page, TONE_WARNING, &words[NO_ALT]);
	PAGE_HTML(page, "</li>");
}

static void write_bytes(struct page *page, u64 bytes, struct buf *text)
{
	struct page part = *page;

	part.out = text;
	page_bytes(&part, bytes);
}

static void show_room(struct page *page)
{
	struct audience_asset_total total;
	struct buf used;
	struct buf most;

	if (audience_asset_sum(page->call->web->reader, &total) != STORE_OK)
		return;
	buf_init(&used, 64);
	buf_init(&most, 64);
	write_bytes(page, total.bytes, &used);
	write_bytes(page, page->call->web->config->web.images_max, &most);
	PAGE_HTML(page, "<p class=\"hint\">");
	PAGE_SENTENCE(page, &words[USED], DIGITS(total.count), buf_slice(&used), buf_slice(&most));
	PAGE_HTML(page, "</p>");
	buf_done(&used);
	buf_done(&most);
}

static void show_list(struct page *page, const struct image_list *list)
{
	struct audience_txn *txn = page->call->web->reader;
	struct audience_asset asset;
	u32 first = 0;

	if (!slice_to_u32(call_query(page->call, "from"), &first) || first >= list->count)
		first = 0;
	if (list->count == 0)
		page_nothing(page, &words[NOTHING]);
	else
		show_room(page);
	PAGE_HTML(page, "<ul class=\"images\">");
	for (u32 i = first; i < list->count && i < first + SHOWN_MAX; i++) {
		if (audience_asset_get(txn, list->of[i].id, &asset) == STORE_OK)
			show_image(page, &asset);
	}
	PAGE_HTML(page, "</ul>");
	if (list->count > SHOWN_MAX)
		page_pager(page, "/admin/images?from={}",
			   first >= SHOWN_MAX ? DIGITS(first - SHOWN_MAX) : SLICE_NONE,
			   first + SHOWN_MAX < list->count ? DIGITS(first + SHOWN_MAX)
							   : SLICE_NONE);
}

void page_images(struct call *call)
{
	struct audience_txn *txn = call->web->reader;
	struct image_list list = { 0 };
	struct page page;
	bool can_read = audience_begin_read(txn) == STORE_OK && image_list_read(txn, &list);

	if (can_read) {
		page_begin(&page, call,
			   &(struct page_head){ .place = PLACE_IMAGES, .title = &words[TITLE] });
		if (call->session.role >= ACCOUNT_EDITOR)
			show_form(&page);
		show_list(&page, &list);
		page_end(&page, 200);
	} else {
		call_problem_page(call, 503, &words[UNREADABLE]);
	}
	image_list_done(&list);
	audience_abort(txn);
}

/* ---- bringing ---- */

static void refuse(struct call *call, u32 at, struct slice name, u32 status,
		   const struct words *why)
{
	char text[SENTENCE_MAX];
	struct buf sentence = { .ptr = text, .size = sizeof(text), .max = sizeof(text) };

	(void)at;
	(void)status;
	if (name.len > 0)
		buf_add_format(&sentence, "%.*s: ", SLICE_FMT(name));
	buf_add_text(&sentence, why->text[call_language(call)]);
	flash_set(call, TONE_BAD, buf_slice(&sentence));
	CALL_REDIRECT(call, TONE_BAD, NULL, "/admin/images");
}

static void answer_brought(struct call *call, struct image_bring *bring)
{
	char hex[MAIL_IMAGE_ID_TEXT];

	mail_image_id_text(hex, bring->of[0].asset.id);
	if (bring->refusal != IMAGE_TAKEN)
		refuse(call, 0, SLICE(""), 507, image_refusal_words(bring->refusal));
	else if (bring->count > 1)
		CALL_REDIRECT(call, TONE_GOOD, &words[BROUGHT], "/admin/images");
	else if (bring->of[0].was_known)
		CALL_REDIRECT(call, TONE_NEUTRAL, &words[KNOWN], "/admin/images/{}", slice_of(hex));
	else
		CALL_REDIRECT(call, TONE_GOOD, &words[BROUGHT], "/admin/images/{}", slice_of(hex));
}

void page_images_bring(struct call *call)
{
	if (call->images->count == 0)
		CALL_REDIRECT(call, TONE_BAD, &words[NO_FILE], "/admin/images");
	else
		image_bring(call, SLICE(""), refuse, answer_brought);
}
