/* The editor of templates, with a look beside it and what is to be mended; saving. */
#include "base/text.h"
#include "web/contact_search.h"
#include "web/image_show.h"
#include "web/page_look.h"
#include "web/page_template.h"

#include <string.h>

#define BODY_ROWS 22
#define SAMPLE_ROWS 8
#define BLOCKS_SHOWN 100

enum word {
	NEW, NAME, NAME_HINT, BLOCK_NAME_HINT, LANGUAGE_OF, SUBJECT, PREHEADER, PREHEADER_HINT,
	HTML, HTML_HINT, TEXT, TEXT_HINT, SAMPLE, SAMPLE_HINT, BLOCKS, SAVE, SAVED, UNCHANGED,
	PREVIEW, LOOK, CHECKS, CHECK, LOOK_AS, LOOK_AS_HINT, WIDTH, WIDE, NARROW, NAME_TAKEN,
	TOO_MANY, OUTDATED, NEWEST, WRONG, CANNOT, NO_CONTACT, IN_USE, WORD_COUNT,
};

static const struct words words[WORD_COUNT] = {
	[NEW] = { { "New template", "テンプレートを作成" } },
	[NAME] = { { "Name", "名前" } },
	[NAME_HINT] = { { "Programs and you find it by its name.",
			  "管理画面とプログラムから、この名前で選びます。" } },
	[BLOCK_NAME_HINT] = { { "It stands wherever a text has {{>name}}.",
				"本文に {{>名前}} と書いた所に入ります。" } },
	[LANGUAGE_OF] = { { "Language", "言語" } },
	[SUBJECT] = { { "Subject", "件名" } },
	[PREHEADER] = { { "Preheader", "プリヘッダー" } },
	[PREHEADER_HINT] = { { "What inboxes show behind the subject.",
			       "受信トレイで件名の後に表示される文です。" } },
	[HTML] = { { "HTML", "HTML 本文" } },
	[HTML_HINT] = { { "{{name}} is a value; {{unsubscribe_url}}, {{preferences_url}} and "
			  "{{view_url}} are the contact's own pages.",
			  "{{name}} は値、{{unsubscribe_url}}・{{preferences_url}}・{{view_url}} "
			  "は受信者ごとのページです。" } },
	[TEXT] = { { "Text", "テキスト本文" } },
	[TEXT_HINT] = { { "Empty: it is made of the HTML.", "空欄なら HTML から作成します。" } },
	[SAMPLE] = { { "Sample values", "サンプル値" } },
	[SAMPLE_HINT] = { { "JSON: what a program brings, to look at it here.",
			    "プログラムが渡す値の例（JSON）。プレビューに使います。" } },
	[BLOCKS] = { { "Blocks that may stand in it:", "使えるブロック:" } },
	[SAVE] = { { "Save", "保存" } },
	[SAVED] = { { "Saved.", "保存しました。" } },
	[UNCHANGED] = { { "Nothing was changed.", "変更はありません。" } },
	[PREVIEW] = { { "Show how it looks", "プレビューを更新" } },
	[LOOK] = { { "Preview", "プレビュー" } },
	[CHECKS] = { { "What is to be mended", "確認" } },
	[CHECK] = { { "Look it over", "確認を更新" } },
	[LOOK_AS] = { { "Look at it as", "この連絡先で表示" } },
	[LOOK_AS_HINT] = { { "An e-mail address, or a contact's number. Empty: the first active "
			     "contact.",
			     "メールアドレスまたは連絡先の番号。空欄なら最初の有効な連絡先です。" } },
	[WIDTH] = { { "Width", "幅" } },
	[WIDE] = { { "On a desk", "パソコン" } },
	[NARROW] = { { "On a phone", "スマートフォン" } },
	[NAME_TAKEN] = { { "Another template has this name.",
			   "同じ名前のテンプレートがすでにあります。" } },
	[TOO_MANY] = { { "There are as many templates as there may be. Delete some first.",
			 "テンプレート数の上限に達しています。不要なものを削除してください。" } },
	[OUTDATED] = { { "Somebody saved another version meanwhile. What you wrote is below and is "
			 "not saved: save it again to put it over the newest version.",
			 "編集中に別の版が保存されました。以下の内容はまだ保存されていません。"
			 "もう一度保存すると最新の版に上書きします。" } },
	[NEWEST] = { { "See the newest version", "最新の版を見る" } },
	[WRONG] = { { "It is not saved: see the field that is marked.",
		      "保存できません。印の付いた項目を確認してください。" } },
	[CANNOT] = { { "It cannot be shown as it is: {1}", "このままでは表示できません: {1}" } },
	[NO_CONTACT] = { { "There is no such contact.", "該当する連絡先がありません。" } },
	[IN_USE] = { { "It is used by {1}, so its name stays.",
		       "{1} で使用中のため、名前は変更できません。" } },
};

/* ---- the form ---- */

static void show_field(struct template_editor *editor, u32 field, enum word label,
		       const struct words *hint, u32 rows)
{
	bool is_name = field == TEMPLATE_FIELD_NAME;

	page_field(&editor->page,
		   &(struct page_field){ .name = template_field_name(field),
					 .label = &words[label],
					 .hint = hint,
					 .value = is_name ? editor->name : editor->of[field],
					 .error_text = editor->wrong == field ? editor->problem
									      : SLICE(""),
					 .autocomplete = "off",
					 .rows = rows,
					 .is_required = is_name });
}

static void show_language(struct template_editor *editor)
{
	struct page *page = &editor->page;

	page_select_begin(page, &(struct page_field){ .name = "language",
						      .label = &words[LANGUAGE_OF] });
	for (u32 i = 0; i < LANGUAGES; i++)
		page_option(page, slice_of(language_code((enum language)i)),
			    &page_language_words[i], editor->language == i);
	page_select_end(page);
}

static void show_blocks(struct template_editor *editor)
{
	struct audience_txn *txn = editor->page.call->web->reader;
	struct audience_template one = { 0 };
	struct page *page = &editor->page;
	u32 count = 0;

	PAGE_HTML(page, "<p class=\"hint\">");
	page_words(page, &words[BLOCKS]);
	PAGE_HTML(page, " <code>{{&gt;sender}}</code>");
	while (count < BLOCKS_SHOWN && audience_template_after(txn, one.id, &one) == STORE_OK) {
		if (one.kind != AUDIENCE_TEMPLATE_BLOCK || one.id == editor->id)
			continue;
		PAGE_HTML(page, " <code>{{&gt;");
		page_text(page, one.name);
		PAGE_HTML(page, "}}</code>");
		count++;
	}
	PAGE_HTML(page, "</p>");
}

static void show_width(struct page *page, const char *id, const struct words *label, bool is_chosen)
{
	PAGE_HTML(page, "<label><input type=\"radio\" name=\"width\"");
	page_attribute(page, "id", slice_of(id));
	page_attribute(page, "value", slice_of(id));
	if (is_chosen)
		PAGE_HTML(page, " checked");
	PAGE_HTML(page, "> ");
	page_words(page, label);
	PAGE_HTML(page, "</label>");
}

/* The frame gets what the form would send, by a button of the same form; by itself with script. */
static void show_look(struct template_editor *editor)
{
	struct page *page = &editor->page;

	page_heading(page, &words[LOOK]);
	if (editor->kind != AUDIENCE_TEMPLATE_PROGRAM)
		page_field(page, &(struct page_field){ .name = "contact",
						       .label = &words[LOOK_AS],
						       .hint = &words[LOOK_AS_HINT],
						       .autocomplete = "off" });
	PAGE_HTML(page, "<div class=\"look-bar\"><button class=\"quiet\" formnovalidate "
			"formaction=\"/admin/templates/look\" formtarget=\"look\" data-look>");
	page_words(page, &words[PREVIEW]);
	PAGE_HTML(page, "</button><div role=\"radiogroup\" class=\"widths\"");
	page_attribute(page, "aria-label", slice_of(words[WIDTH].text[page->language]));
	PAGE_HTML(page, ">");
	show_width(page, "wide", &words[WIDE], true);
	show_width(page, "narrow", &words[NARROW], false);
	PAGE_HTML(page, "</div></div><iframe sandbox name=\"look\" class=\"look-frame\"");
	page_attribute(page, "title", slice_of(words[LOOK].text[page->language]));
	if (editor->id > 0)
		PAGE_URL(page, "src", "/admin/templates/{}/frame", DIGITS(editor->id));
	PAGE_HTML(page, "></iframe>");
}

/* What is to be mended in what stands in the form; with script it follows what is written. */
static void show_checks(struct template_editor *editor)
{
	struct template_look look = { .kind = editor->kind, .name = editor->name };
	struct page *page = &editor->page;
	struct template_preview *preview;
	bool ok;

	if (editor->kind == AUDIENCE_TEMPLATE_BLOCK) /* no whole mail */
		return;
	memcpy(look.of, editor->of, sizeof(look.of));
	preview = template_preview_make(page->call, &look, &ok);
	page_card_begin(page, &words[CHECKS]);
	PAGE_HTML(page, "<div role=\"status\" data-live=\"check\">");
	if (ok) {
		page_look_findings(page, &preview->review);
	} else {
		PAGE_HTML(page, "<p class=\"error\">");
		page_words_trouble(page, &words[CANNOT],
				   slice_of(preview ? preview->error.text : "no memory"));
		PAGE_HTML(page, "</p>");
	}
	PAGE_HTML(page, "</div><p>");
	page_submit_as(page, TONE_NEUTRAL, &words[CHECK], "do", SLICE("check"));
	PAGE_HTML(page, "</p>");
	page_card_end(page);
	template_preview_free(preview);
}

static void show_bodies(struct template_editor *editor)
{
	struct page *page = &editor->page;

	PAGE_HTML(page, "<div class=\"bodies\">");
	show_field(editor, AUDIENCE_TEMPLATE_HTML, HTML,
		   editor->kind == AUDIENCE_TEMPLATE_PROGRAM ? NULL : &words[HTML_HINT],
		   BODY_ROWS);
	show_field(editor, AUDIENCE_TEMPLATE_TEXT, TEXT, &words[TEXT_HINT], BODY_ROWS);
	PAGE_HTML(page, "</div>");
	image_show_choice(page, template_field_name(AUDIENCE_TEMPLATE_HTML));
	show_blocks(editor);
	if (editor->kind == AUDIENCE_TEMPLATE_PROGRAM)
		show_field(editor, AUDIENCE_TEMPLATE_SAMPLE, SAMPLE, &words[SAMPLE_HINT],
			   SAMPLE_ROWS);
}

static void show_form(struct template_editor *editor)
{
	struct page *page = &editor->page;
	bool is_block = editor->kind == AUDIENCE_TEMPLATE_BLOCK;

	PAGE_HTML(page, "<div class=\"workbench\">");
	if (editor->id > 0)
		PAGE_FORM(page, "/admin/templates/{}", DIGITS(editor->id));
	else
		PAGE_FORM(page, "/admin/templates");
	page_hidden(page, "kind", slice_of(template_kind_name(editor->kind)));
	page_hidden(page, "version", DIGITS(editor->version));
	PAGE_HTML(page, "<div class=\"row\">");
	show_field(editor, TEMPLATE_FIELD_NAME, NAME,
		   &words[is_block ? BLOCK_NAME_HINT : NAME_HINT], 0);
	show_language(editor);
	PAGE_HTML(page, "</div>");
	if (!is_block) {
		PAGE_HTML(page, "<div class=\"row\">");
		show_field(editor, AUDIENCE_TEMPLATE_SUBJECT, SUBJECT, NULL, 0);
		show_field(editor, AUDIENCE_TEMPLATE_PREHEADER, PREHEADER, &words[PREHEADER_HINT],
			   0);
		PAGE_HTML(page, "</div>");
	}
	show_bodies(editor);
	page_submit(page, TONE_GOOD, &words[SAVE]);
	show_look(editor);
	show_checks(editor);
	page_form_end(page);
	PAGE_HTML(page, "</div>");
}

void template_editor_show(struct call *call, struct template_editor *editor, u32 status)
{
	struct page *page = &editor->page;
	const struct page_head head = { .place = PLACE_TEMPLATES,
					.title = &words[NEW],
					.named = editor->id > 0 ? editor->name : SLICE(""),
					.crumbs = { { "/admin/templates",
						      &page_templates_title } } };

	page_begin(page, call, &head);
	if (editor->message)
		page_message(page, TONE_BAD, editor->message);
	if (editor->message == &words[OUTDATED]) {
		PAGE_HTML(page, "<p>");
		PAGE_LINK(page, &words[NEWEST], "/admin/templates/{}/versions/{}",
			  DIGITS(editor->id), DIGITS(editor->version));
		PAGE_HTML(page, "</p>");
	}
	show_form(editor);
	page_end(page, status);
}

/* ---- showing ---- */

struct template_editor template_editor_empty(const struct call *call)
{
	struct template_editor editor = { .kind = AUDIENCE_TEMPLATE_MAIL,
				 .language = (u8)call_language(call),
				 .wrong = TEMPLATE_FIELDS_ALL };

	for (u32 i = 0; i < AUDIENCE_TEMPLATE_TEXTS; i++)
		editor.of[i] = SLICE("");
	editor.name = SLICE("");
	return editor;
}

void page_template_edit(struct call *call)
{
	struct audience_template_version version;
	struct template_editor editor = template_editor_empty(call);
	struct audience_template one;

	if (template_find(call, 0, &one, &version)) {
		editor.id = one.id;
		editor.version = one.version;
		editor.kind = one.kind;
		editor.language = one.language;
		editor.name = one.name;
		memcpy(editor.of, version.of, sizeof(editor.of));
		template_editor_show(call, &editor, 200);
	}
	audience_abort(call->web->reader);
}

/* ---- saving ---- */

/* The form again, with what is wrong; without a message it is only looked over. */
static void show_again(struct call *call, const struct template_order *order, u32 wrong,
		       const struct words *message, struct slice problem)
{
	struct template_editor editor = template_editor_empty(call);
	u32 status = 200;

	if (message)
		status = wrong < TEMPLATE_FIELDS_ALL ? 422 : 409;
	editor.id = order->kind == TEMPLATE_ORDER_ADD ? 0 : order->id;
	editor.version = order->end == TEMPLATE_ORDER_OUTDATED ? order->version : order->wanted;
	editor.kind = order->template_kind;
	editor.language = order->language;
	editor.name = slice_of(order->name);
	memcpy(editor.of, order->of, sizeof(editor.of));
	editor.wrong = wrong;
	editor.problem = problem;
	editor.message = message;
	if (audience_begin_read(call->web->reader) == STORE_OK)
		template_editor_show(call, &editor, status);
	else
		call_refuse(call, 503, NULL, "templates cannot be read");
	audience_abort(call->web->reader);
}

static void refuse_use(struct call *call, const struct template_order *order)
{
	const struct words *sentence = &words[IN_USE];
	struct slice text = slice_of(sentence->text[call_language(call)]);
	i64 at = slice_find(text, SLICE("{1}"));
	struct buf problem;

	buf_init(&problem, 2 * ERROR_TEXT_MAX);
	buf_add_slice(&problem, slice_first(text, (size_t)at));
	buf_add_text(&problem, order->error.text);
	buf_add_slice(&problem, slice_from(text, (size_t)at + 3));
	show_again(call, order, TEMPLATE_FIELD_NAME, &words[WRONG], buf_slice(&problem));
	buf_done(&problem);
}

static void on_saved(struct call *call, struct call_order *base)
{
	const struct template_order *order = container_of(base, struct template_order, order);
	enum language language = call_language(call);

	if (!call_order_is_well(call, base))
		return;
	switch (order->end) {
	case TEMPLATE_ORDER_NAME_TAKEN:
		show_again(call, order, TEMPLATE_FIELD_NAME, &words[WRONG],
			   slice_of(words[NAME_TAKEN].text[language]));
		break;
	case TEMPLATE_ORDER_TOO_MANY:
		show_again(call, order, TEMPLATE_FIELDS_ALL, &words[TOO_MANY], SLICE(""));
		break;
	case TEMPLATE_ORDER_OUTDATED:
		show_again(call, order, TEMPLATE_FIELDS_ALL, &words[OUTDATED], SLICE(""));
		break;
	case TEMPLATE_ORDER_WRONG:
		show_again(call, order, order->field, &words[WRONG], slice_of(order->error.text));
		break;
	case TEMPLATE_ORDER_IN_USE:
		refuse_use(call, order);
		break;
	case TEMPLATE_ORDER_GONE:
	case TEMPLATE_ORDER_NO_VERSION:
		call_problem_page(call, 404, NULL);
		break;
	case TEMPLATE_ORDER_DONE:
		CALL_REDIRECT(call, TONE_GOOD, &words[order->is_changed ? SAVED : UNCHANGED],
			      "/admin/templates/{}", DIGITS(order->id));
		break;
	}
}

static bool take_form(struct call *call, struct template_order *order)
{
	struct slice name = form_text(call->form, "name");
	enum language language = LANGUAGE_ENGLISH;
	u64 version = 0;

	if (!template_kind_find(form_text(call->form, "kind"), &order->template_kind))
		order->template_kind = AUDIENCE_TEMPLATE_MAIL;
	order->has_language = language_of_code(form_text(call->form, "language"), &language);
	order->language = (u8)language;
	if (form_number(call->form, "version", &version))
		order->wanted = (u32)min_u64(version, UINT32_MAX);
	for (u32 i = 0; i < AUDIENCE_TEMPLATE_TEXTS; i++) {
		if (!template_order_take(order, (enum audience_template_text)i,
					 form_get(call->form, template_field_name(i))))
			return false;
	}
	/* Too long a name is told as one, not cut. */
	if (slice_copy(order->name, sizeof(order->name), name))
		return true;
	memcpy(order->name, name.ptr, sizeof(order->name) - 1);
	order->is_name_long = true;
	return true;
}

static void save(struct call *call, u32 id)
{
	struct template_order *order =
		template_order_new(call, id > 0 ? TEMPLATE_ORDER_SAVE : TEMPLATE_ORDER_ADD);

	if (!order)
		return;
	order->id = id;
	order->japanese = call_language(call) == LANGUAGE_JAPANESE;
	order->needs_name = true;
	order->order.answer = on_saved;
	if (!take_form(call, order))
		call_refuse(call, 503, NULL, "no memory");
	else if (slice_equal(form_text(call->form, "do"), SLICE("check")))
		show_again(call, order, TEMPLATE_FIELDS_ALL, NULL, SLICE(""));
	else if (!template_order_check(order))
		show_again(call, order, order->field, &words[WRONG], slice_of(order->error.text));
	else {
		call_give_order(call, &order->order);
		return;
	}
	template_order_free(order);
}

void page_templates_add(struct call *call)
{
	save(call, 0);
}

void page_template_save(struct call *call)
{
	u32 id = template_number(call->argument);

	if (id > 0)
		save(call, id);
	else
		call_problem_page(call, 404, NULL);
}

/* ---- looking ---- */

void template_editor_look(struct call *call, const struct template_look *look)
{
	bool ok;
	struct template_preview *preview = template_preview_make(call, look, &ok);
	struct page page;

	if (ok) {
		template_preview_answer(call, preview);
	} else {
		page_begin(&page, call,
			   &(struct page_head){ .title = &words[LOOK], .is_public = true });
		PAGE_HTML(&page, "<p class=\"error\" role=\"alert\">");
		page_words_trouble(&page, &words[CANNOT],
				   slice_of(preview ? preview->error.text : "no memory"));
		PAGE_HTML(&page, "</p>");
		page_end(&page, 200);
	}
	template_preview_free(preview);
}

/* What the form has, as it is being written. */
void page_template_look(struct call *call)
{
	struct slice who = form_text(call->form, "contact");
	struct template_look look = { .name = form_text(call->form, "name") };
	struct contact contact;

	if (!template_kind_find(form_text(call->form, "kind"), &look.kind))
		look.kind = AUDIENCE_TEMPLATE_MAIL;
	for (u32 i = 0; i < AUDIENCE_TEMPLATE_TEXTS; i++)
		look.of[i] = template_text(form_get(call->form, template_field_name(i)));
	if (audience_begin_read(call->web->reader) != STORE_OK) {
		call_refuse(call, 503, NULL, "templates cannot be read");
	} else if (who.len > 0 && !contact_named(call->web->reader, who, &contact)) {
		call_problem_page(call, 404, &words[NO_CONTACT]);
	} else {
		look.contact = who.len > 0 ? &contact : NULL;
		template_editor_look(call, &look);
	}
	audience_abort(call->web->reader);
}
