/* /admin/images/ID: one image, how it is put into a mail, what uses it. */
#include "base/text.h"
#include "web/image_change.h"
#include "web/image_need.h"
#include "web/image_show.h"
#include "web/page_campaign.h"

#include <stdlib.h>

#define TAG_MAX 8192

enum word {
	TITLE,
	USE,
	TAG,
	ADDRESS,
	SIZE,
	BROUGHT_AT,
	BROUGHT_BY,
	DESCRIBE,
	NAME,
	ALT,
	ALT_HINT,
	SAVE,
	SAVED,
	USED_BY,
	UNUSED,
	AND_MORE,
	TEMPLATE,
	STEP,
	DELETE,
	DELETE_WARNING,
	DELETE_SURE,
	DELETED,
	NEEDED,
	BACK,
	GONE,
	UNREADABLE,
	NAME_MISSING,
	WORD_COUNT,
};

static const struct words words[WORD_COUNT] = {
	[TITLE] = { { "Images", "画像" } },
	[USE] = { { "To put it into a mail", "メールに入れるには" } },
	[TAG] = { { "Tag", "タグ" } },
	[ADDRESS] = { { "Address", "URL" } },
	[SIZE] = { { "Size", "サイズ" } },
	[BROUGHT_AT] = { { "Brought", "追加日時" } },
	[BROUGHT_BY] = { { "By", "追加した人" } },
	[DESCRIBE] = { { "Description", "説明" } },
	[NAME] = { { "Name", "名前" } },
	[ALT] = { { "Alt text", "代替テキスト（alt）" } },
	[ALT_HINT] = { { "What the image says, for people who do not see it. It goes into the tag; "
			 "mails that have it already stay as they are.",
			 "画像が表示されない方のために、内容を短い言葉で書いてください。"
			 "タグに入ります（すでに挿入したメールは変わりません）。" } },
	[SAVE] = { { "Save", "保存" } },
	[SAVED] = { { "Saved.", "保存しました。" } },
	[USED_BY] = { { "Used by", "使用しているメール" } },
	[UNUSED] = { { "No mail uses it.", "使用しているメールはありません。" } },
	[AND_MORE] = { { "and more", "ほか" } },
	[TEMPLATE] = { { "template", "テンプレート" } },
	[STEP] = { { "step", "ステップ" } },
	[DELETE] = { { "Delete", "削除" } },
	[DELETE_WARNING] = { { "The mails below use this image. Where it was sent already, "
			       "readers will not see it any more.",
			       "次のメールがこの画像を使用しています。"
			       "送信済みのメールでも表示されなくなります。" } },
	[DELETE_SURE] = { { "Delete it all the same", "それでも削除する" } },
	[DELETED] = { { "The image is deleted.", "画像を削除しました。" } },
	[NEEDED] = { { "It is needed by {1}: that would go out without it. End that first, or take "
		       "the image out of it.",
		       "{1} で必要なため削除できません（画像のないまま送信されてしまいます）。"
		       "先にそれを終了するか、画像を外してください。" } },
	[BACK] = { { "Back to the image", "画像に戻る" } },
	[GONE] = { { "There is no such image.", "画像が見つかりません。" } },
	[UNREADABLE] = { { "Images cannot be read now.", "画像を読み込めません。" } },
	[NAME_MISSING] = { { "Give it a name of one line.", "名前を1行で入力してください。" } },
};

/* Begins to read and finds it; false: the call is answered. audience_abort is the caller's. */
static bool find(struct call *call, struct audience_asset *asset)
{
	struct audience_txn *txn = call->web->reader;
	enum store_result result = STORE_NOT_FOUND;
	u8 id[ASSET_ID_SIZE];

	if (mail_image_id_read(slice_of(call->argument), id)) {
		result = audience_begin_read(txn);
		if (result == STORE_OK)
			result = audience_asset_get(txn, id, asset);
	}
	if (result == STORE_NOT_FOUND)
		call_problem_page(call, 404, &words[GONE]);
	else if (result != STORE_OK)
		call_problem_page(call, 503, &words[UNREADABLE]);
	return result == STORE_OK;
}

static void show_facts(struct page *page, const struct audience_asset *asset)
{
	const char *base = page->call->web->config->web.url;
	struct buf text;

	buf_init(&text, TAG_MAX);
	page_card_begin(page, &words[USE]);
	PAGE_HTML(page, "<div class=\"frame large\">");
	image_show_thumbnail(page, asset);
	PAGE_HTML(page, "</div>");
	page_facts_begin(page);
	page_fact(page, &words[TAG]);
	image_show_tag(&text, asset);
	page_copy(page, buf_slice(&text));
	buf_reset(&text);
	page_fact(page, &words[ADDRESS]);
	buf_add_text(&text, base ? base : "");
	image_show_path(&text, asset);
	page_copy(page, buf_slice(&text));
	page_fact(page, &words[SIZE]);
	buf_add_format(page->out, "%u &times; %u, ", asset->width, asset->height);
	page_bytes(page, asset->size);
	page_fact(page, &words[BROUGHT_AT]);
	page_time(page, asset->created_ms);
	page_fact(page, &words[BROUGHT_BY]);
	page_text(page, asset->of[ASSET_BY]);
	page_facts_end(page);
	page_card_end(page);
	buf_done(&text);
}

static void show_form(struct page *page, const struct audience_asset *asset, struct slice id)
{
	page_card_begin(page, &words[DESCRIBE]);
	PAGE_FORM(page, "/admin/images/{}", id);
	page_field(page, &(struct page_field){ .name = "alt",
					       .label = &words[ALT],
					       .hint = &words[ALT_HINT],
					       .value = asset->of[ASSET_ALT],
					       .autocomplete = "off",
					       .length_max = ASSET_ALT_MAX / 4 });
	page_field(page, &(struct page_field){ .name = "name",
					       .label = &words[NAME],
					       .value = asset->of[ASSET_NAME],
					       .autocomplete = "off",
					       .length_max = ASSET_NAME_MAX,
					       .is_required = true });
	page_submit(page, TONE_GOOD, &words[SAVE]);
	page_form_end(page);
	page_card_end(page);
}

static void show_use(struct page *page, const struct image_use *use)
{
	struct slice name = use->name[0] ? slice_of(use->name) : SLICE("-");

	if (use->campaign == 0) {
		PAGE_LINK_TEXT(page, name, "/admin/templates/{}", DIGITS(use->template));
		PAGE_HTML(page, " ");
		page_badge(page, TONE_NEUTRAL, &words[TEMPLATE]);
	} else if (use->is_step) {
		page_text(page, name);
		PAGE_HTML(page, " ");
		page_badge(page, TONE_NEUTRAL, &words[STEP]);
	} else {
		PAGE_LINK_TEXT(page, name, "/admin/campaigns/{}", DIGITS(use->campaign));
		PAGE_HTML(page, " ");
		page_badge(page, TONE_NEUTRAL, &page_campaign_states[use->state]);
	}
}

static void show_uses(struct page *page, const struct image_uses *uses)
{
	page_card_begin(page, &words[USED_BY]);
	if (uses->count == 0)
		page_nothing(page, &words[UNUSED]);
	PAGE_HTML(page, "<ul>");
	for (u32 i = 0; i < uses->count; i++) {
		PAGE_HTML(page, "<li>");
		show_use(page, &uses->of[i]);
		PAGE_HTML(page, "</li>");
	}
	if (uses->are_more) {
		PAGE_HTML(page, "<li>");
		page_words(page, &words[AND_MORE]);
		PAGE_HTML(page, "</li>");
	}
	PAGE_HTML(page, "</ul>");
	page_card_end(page);
}

static void begin(struct page *page, struct call *call, const struct audience_asset *asset)
{
	page_begin(page, call,
		   &(struct page_head){ .place = PLACE_IMAGES,
					.title = &words[TITLE],
					.named = asset->of[ASSET_NAME],
					.crumbs = { { "/admin/images", &words[TITLE] } } });
}

/* Within a transaction. With a warning: deleting it has to be said again. */
static void show(struct call *call, const struct audience_asset *asset,
		 const struct image_uses *uses, bool warns)
{
	char hex[MAIL_IMAGE_ID_TEXT];
	struct slice id;
	struct page page;

	mail_image_id_text(hex, asset->id);
	id = slice_of(hex);
	begin(&page, call, asset);
	if (warns) {
		page_message(&page, TONE_BAD, &words[DELETE_WARNING]);
		show_uses(&page, uses);
		PAGE_FORM(&page, "/admin/images/{}/delete", id);
		page_submit_as(&page, TONE_BAD, &words[DELETE_SURE], "sure", SLICE("yes"));
		page_form_end(&page);
	} else {
		show_facts(&page, asset);
		if (call->session.role >= ACCOUNT_EDITOR)
			show_form(&page, asset, id);
		show_uses(&page, uses);
		if (call->session.role >= ACCOUNT_EDITOR)
			PAGE_BUTTON(&page, TONE_BAD, &words[DELETE], "/admin/images/{}/delete", id);
	}
	page_end(&page, warns ? 409 : 200);
}

static void show_with_uses(struct call *call, const struct audience_asset *asset, bool warns)
{
	struct image_uses *uses = calloc(1, sizeof(*uses));

	if (!uses) {
		call_problem_page(call, 503, NULL);
		return;
	}
	image_uses_find(call->web->reader, asset->id, uses);
	show(call, asset, uses, warns);
	free(uses);
}

void page_image(struct call *call)
{
	struct audience_asset asset;

	if (find(call, &asset))
		show_with_uses(call, &asset, false);
	audience_abort(call->web->reader);
}

/* ---- changing ---- */

static void show_needed(struct call *call, const char *who)
{
	struct page page;

	page_begin(&page, call,
		   &(struct page_head){ .place = PLACE_IMAGES,
					.title = &words[TITLE],
					.crumbs = { { "/admin/images", &words[TITLE] } } });
	page_message_begin(&page, TONE_BAD);
	PAGE_SENTENCE(&page, &words[NEEDED], slice_of(who));
	page_message_end(&page);
	PAGE_HTML(&page, "<p>");
	PAGE_LINK(&page, &words[BACK], "/admin/images/{}", slice_of(call->argument));
	PAGE_HTML(&page, "</p>");
	page_end(&page, 409);
}

static void answer_changed(struct call *call, struct image_change *change)
{
	if (change->is_gone)
		call_problem_page(call, 404, &words[GONE]);
	else if (change->needed[0])
		show_needed(call, change->needed);
	else if (change->deletes)
		CALL_REDIRECT(call, TONE_GOOD, &words[DELETED], "/admin/images");
	else
		CALL_REDIRECT(call, TONE_GOOD, &words[SAVED], "/admin/images/{}",
			      slice_of(call->argument));
}

/* One line that fits. */
static bool take_line(char *out, size_t size, struct slice text)
{
	for (size_t i = 0; i < text.len; i++) {
		if ((u8)text.ptr[i] < ' ' || text.ptr[i] == 0x7f)
			return false;
	}
	return slice_copy(out, size, text);
}

void page_image_save(struct call *call)
{
	struct image_change *change = image_change_new(call);

	if (!change)
		return;
	change->has_name = true;
	change->has_alt = true;
	if (!take_line(change->name, sizeof(change->name), form_text(call->form, "name")) ||
	    !take_line(change->alt, sizeof(change->alt), form_text(call->form, "alt")) ||
	    !change->name[0]) {
		free(change);
		CALL_REDIRECT(call, TONE_BAD, &words[NAME_MISSING], "/admin/images/{}",
			      slice_of(call->argument));
		return;
	}
	change->answer = answer_changed;
	image_change_give(call, change);
}

/*
 * Whether it may go: nobody needs it, and who has it in a mail was asked. False: the call is
 * answered.
 */
static bool may_go(struct call *call)
{
	bool japanese = call_language(call) == LANGUAGE_JAPANESE;
	bool is_sure = slice_equal(form_text(call->form, "sure"), SLICE("yes"));
	struct image_uses *uses = calloc(1, sizeof(*uses));
	char needed[USE_NAMES_MAX];
	struct audience_asset asset;
	bool may = false;

	if (!uses) {
		call_problem_page(call, 503, NULL);
		return false;
	}
	if (find(call, &asset)) {
		image_uses_find(call->web->reader, asset.id, uses);
		if (image_needs(call->web->reader, asset.id, japanese, needed) != STORE_OK)
			call_problem_page(call, 503, &words[UNREADABLE]);
		else if (needed[0])
			show_needed(call, needed);
		else if (is_sure || uses->count == 0)
			may = true;
		else
			show(call, &asset, uses, true);
	}
	audience_abort(call->web->reader);
	free(uses);
	return may;
}

void page_image_delete(struct call *call)
{
	struct image_change *change;

	if (!may_go(call))
		return;
	change = image_change_new(call);
	if (!change)
		return;
	change->deletes = true;
	change->japanese = call_language(call) == LANGUAGE_JAPANESE;
	change->answer = answer_changed;
	image_change_give(call, change);
}
