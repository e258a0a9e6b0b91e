/* Templates: all of them, and one: how it looks, what is to be mended, a test; deleting. */
#include "base/text.h"
#include "web/flash.h"
#include "web/page_look.h"
#include "web/page_template.h"
#include "web/trouble.h"

#define TEST_LINES_MAX 20
#define SENTENCE_MAX 1000

enum word {
	NEW, NONE, NOT_FOUND, SEARCH, KIND, EDIT, CAMPAIGN, COPY, VERSIONS, DELETE, DELETED,
	SUBJECT, VERSION, CHANGED, LANGUAGE_OF, CANNOT, CHECKS, TEST, TEST_HINT, SEND_TEST, SENT,
	PLAIN, USE_BLOCK, USE_PROGRAM, IN_USE, GONE, FIND, WORD_COUNT,
};

static const struct words words[WORD_COUNT] = {
	[NEW] = { { "New template", "テンプレートを作成" } },
	[NONE] = { { "There are no templates yet. Begin with one of ours, or with your own HTML.",
		     "テンプレートはまだありません。用意されたひな形、またはお手持ちの HTML "
		     "から始められます。" } },
	[NOT_FOUND] = { { "Nothing was found.", "見つかりませんでした。" } },
	[SEARCH] = { { "Name", "名前" } },
	[FIND] = { { "Search", "検索" } },
	[KIND] = { { "Kind", "種類" } },
	[EDIT] = { { "Edit", "編集" } },
	[CAMPAIGN] = { { "Make a campaign", "キャンペーンを作成" } },
	[COPY] = { { "Copy", "複製" } },
	[VERSIONS] = { { "Versions", "履歴" } },
	[DELETE] = { { "Delete", "削除" } },
	[DELETED] = { { "The template is deleted.", "テンプレートを削除しました。" } },
	[SUBJECT] = { { "Subject", "件名" } },
	[VERSION] = { { "Version", "版" } },
	[CHANGED] = { { "Changed", "更新" } },
	[LANGUAGE_OF] = { { "Language", "言語" } },
	[CANNOT] = { { "It cannot be shown as it is: {1}", "このままでは表示できません: {1}" } },
	[CHECKS] = { { "What is to be mended", "確認" } },
	[TEST] = { { "Send a test", "テスト送信" } },
	[TEST_HINT] = { { "Addresses, one on each line; up to 20. Nothing is counted.",
			  "メールアドレスを1行に1件、20件まで。計測はされません。" } },
	[SEND_TEST] = { { "Send", "送信" } },
	[SENT] = { { "The test is on its way.", "テストを送信しました。" } },
	[PLAIN] = { { "Plain text", "テキスト" } },
	[USE_BLOCK] = { { "Stands in other templates and in campaigns wherever they have",
			  "ほかのテンプレートやキャンペーンの本文に、次のように書いた所に入ります。" } },
	[USE_PROGRAM] = { { "Programs send it by POST /api/v1/messages with",
			    "プログラムから POST /api/v1/messages で、次のように指定して送ります。" } },
	[IN_USE] = { { "It is used by: ", "使用中のため変更できません: " } },
	[GONE] = { { "There is no such template.", "テンプレートが見つかりません。" } },
};

const struct words page_template_kinds[AUDIENCE_TEMPLATE_KINDS] = {
	[0] = { { "All", "すべて" } },
	[AUDIENCE_TEMPLATE_MAIL] = { { "Mail to contacts", "連絡先へのメール" } },
	[AUDIENCE_TEMPLATE_BLOCK] = { { "Block", "ブロック" } },
	[AUDIENCE_TEMPLATE_PROGRAM] = { { "Mail of programs", "プログラムからのメール" } },
};

const struct words page_language_words[LANGUAGES] = {
	[LANGUAGE_ENGLISH] = { { "English", "英語" } },
	[LANGUAGE_JAPANESE] = { { "Japanese", "日本語" } },
};

const struct words page_templates_title = { { "Templates", "テンプレート" } };

/* ---- all of them ---- */

static bool contains(struct slice where, struct slice what)
{
	for (size_t i = 0; i + what.len <= where.len; i++) {
		if (slice_equal_nocase((struct slice){ where.ptr + i, what.len }, what))
			return true;
	}
	return false;
}

static void show_search(struct page *page, struct slice text, struct slice kind)
{
	PAGE_SEARCH(page, "/admin/templates");
	page_field(page, &(struct page_field){ .name = "q",
					       .label = &words[SEARCH],
					       .value = text,
					       .type = "search",
					       .autocomplete = "off" });
	page_select_begin(page, &(struct page_field){ .name = "kind", .label = &words[KIND] });
	page_option(page, SLICE(""), &page_template_kinds[0], kind.len == 0);
	for (u32 i = 1; i < AUDIENCE_TEMPLATE_KINDS; i++) {
		struct slice name = slice_of(template_kind_name((enum audience_template_kind)i));

		page_option(page, name, &page_template_kinds[i], slice_equal(name, kind));
	}
	page_select_end(page);
	page_submit(page, TONE_NEUTRAL, &words[FIND]);
	page_form_end(page);
}

static void show_row(struct page *page, const struct audience_template *one)
{
	page_row_begin(page);
	page_cell(page);
	PAGE_LINK_TEXT(page, one->name, "/admin/templates/{}", DIGITS(one->id));
	page_cell(page);
	page_words(page, &page_template_kinds[one->kind]);
	page_cell(page);
	page_words(page, &page_language_words[one->language % LANGUAGES]);
	page_cell_number(page, one->version);
	page_cell_time(page, one->changed_ms);
	page_cell_text(page, one->by);
	page_row_end(page);
}

static u32 show_rows(struct page *page, struct slice text, struct slice kind, bool *is_good)
{
	static const struct page_column columns[] = {
		{ { { "Name", "名前" } }, false },	{ { { "Kind", "種類" } }, false },
		{ { { "Language", "言語" } }, false },	{ { { "Version", "版" } }, true },
		{ { { "Changed", "更新日時" } }, false }, { { { "By", "更新者" } }, false },
		{ { { NULL, NULL } }, false },
	};
	struct audience_txn *txn = page->call->web->reader;
	struct audience_template one = { 0 };
	enum store_result result;
	u32 count = 0;

	while ((result = audience_template_after(txn, one.id, &one)) == STORE_OK) {
		if (!contains(one.name, text) ||
		    (kind.len > 0 && !slice_equal(kind, slice_of(template_kind_name(one.kind)))))
			continue;
		if (count++ == 0)
			page_table_begin(page, &page_templates_title, columns);
		show_row(page, &one);
	}
	if (count > 0)
		page_table_end(page);
	*is_good = result == STORE_NOT_FOUND;
	return count;
}

void page_templates(struct call *call)
{
	struct slice text = slice_trim(call_query(call, "q"));
	struct slice kind = call_query(call, "kind");
	struct page page;
	bool is_good = audience_begin_read(call->web->reader) == STORE_OK;
	u32 count = 0;

	page_begin(&page, call,
		   &(struct page_head){ .place = PLACE_TEMPLATES, .title = &page_templates_title });
	if (call->session.role != ACCOUNT_VIEWER) {
		PAGE_HTML(&page, "<div class=\"actions\">");
		PAGE_ACTION(&page, &words[NEW], "/admin/templates/new");
		PAGE_HTML(&page, "</div>");
	}
	show_search(&page, text, kind);
	if (is_good)
		count = show_rows(&page, text, kind, &is_good);
	audience_abort(call->web->reader);
	if (count == 0)
		page_nothing(&page, &words[text.len + kind.len > 0 ? NOT_FOUND : NONE]);
	if (is_good)
		page_end(&page, 200);
	else
		call_refuse(call, 503, NULL, "templates cannot be read");
}

/* ---- one ---- */

static void show_actions(struct page *page, const struct audience_template *one)
{
	if (page->call->session.role == ACCOUNT_VIEWER)
		return;
	PAGE_HTML(page, "<div class=\"actions\">");
	PAGE_ACTION(page, &words[EDIT], "/admin/templates/{}/edit", DIGITS(one->id));
	if (one->kind == AUDIENCE_TEMPLATE_MAIL)
		PAGE_ACTION(page, &words[CAMPAIGN], "/admin/campaigns/new?template={}",
			    DIGITS(one->id));
	PAGE_ACTION(page, &words[COPY], "/admin/templates/new?copy={}", DIGITS(one->id));
	PAGE_BUTTON(page, TONE_BAD, &words[DELETE], "/admin/templates/{}/delete", DIGITS(one->id));
	PAGE_HTML(page, "</div>");
}

/* How others name it. */
static void show_use(struct page *page, const struct audience_template *one)
{
	bool is_block = one->kind == AUDIENCE_TEMPLATE_BLOCK;
	struct buf name;

	if (one->kind == AUDIENCE_TEMPLATE_MAIL)
		return;
	buf_init(&name, 2 * AUDIENCE_TEMPLATE_NAME_MAX);
	if (is_block)
		buf_add_format(&name, "{{>%.*s}}", SLICE_FMT(one->name));
	else
		buf_add_format(&name, "\"template\": %u", one->id);
	page_paragraph(page, &words[is_block ? USE_BLOCK : USE_PROGRAM]);
	page_copy(page, buf_slice(&name));
	buf_done(&name);
}

static void show_facts(struct page *page, const struct audience_template *one,
		       const struct audience_template_version *version)
{
	page_card_begin(page, NULL);
	page_facts_begin(page);
	page_fact(page, &words[KIND]);
	page_words(page, &page_template_kinds[one->kind]);
	page_fact(page, &words[LANGUAGE_OF]);
	page_words(page, &page_language_words[one->language % LANGUAGES]);
	if (one->kind != AUDIENCE_TEMPLATE_BLOCK) {
		page_fact(page, &words[SUBJECT]);
		page_text(page, version->of[AUDIENCE_TEMPLATE_SUBJECT]);
	}
	page_fact(page, &words[VERSION]);
	page_number(page, one->version);
	PAGE_HTML(page, " &nbsp; ");
	PAGE_LINK(page, &words[VERSIONS], "/admin/templates/{}/versions", DIGITS(one->id));
	page_fact(page, &words[CHANGED]);
	page_time(page, one->changed_ms);
	PAGE_HTML(page, " &nbsp; ");
	page_text(page, one->by);
	page_facts_end(page);
	show_use(page, one);
	page_card_end(page);
}

static void show_test(struct page *page, const struct audience_template *one)
{
	if (page->call->session.role == ACCOUNT_VIEWER)
		return;
	page_card_begin(page, &words[TEST]);
	PAGE_FORM(page, "/admin/templates/{}/test", DIGITS(one->id));
	page_field(page, &(struct page_field){ .name = "to",
					       .label = &words[TEST],
					       .hint = &words[TEST_HINT],
					       .rows = 3,
					       .is_required = true });
	page_submit(page, TONE_GOOD, &words[SEND_TEST]);
	page_form_end(page);
	page_card_end(page);
}

static void show_look(struct page *page, const struct audience_template *one, struct slice who,
		      const struct template_preview *preview)
{
	const struct message_preview *message = &preview->message;

	if (one->kind != AUDIENCE_TEMPLATE_BLOCK) {
		page_card_begin(page, &words[CHECKS]);
		page_look_findings(page, &preview->review);
		page_card_end(page);
	}
	if (message->html.len > 0)
		PAGE_LOOK_FRAMES(page, "/admin/templates/{}/frame?contact={}", DIGITS(one->id),
				 who);
	show_test(page, one);
	page_card_begin(page, &words[PLAIN]);
	PAGE_HTML(page, "<pre class=\"plain\">");
	page_text(page, message->text);
	PAGE_HTML(page, "</pre>");
	page_card_end(page);
}

static void show_cannot(struct page *page, const struct template_preview *preview)
{
	PAGE_HTML(page, "<p class=\"error\">");
	page_words_trouble(page, &words[CANNOT],
			   slice_of(preview ? preview->error.text : "no memory"));
	PAGE_HTML(page, "</p>");
}

void page_template(struct call *call)
{
	struct page_head head = { .place = PLACE_TEMPLATES,
				  .title = &page_templates_title,
				  .crumbs = { { "/admin/templates", &page_templates_title } } };
	struct slice who = slice_trim(call_query(call, "contact"));
	struct audience_template_version version;
	struct template_preview *preview = NULL;
	struct audience_template one;
	struct template_look look;
	struct contact contact;
	struct page page;
	bool is_there;
	bool ok = false;

	if (template_find(call, 0, &one, &version)) {
		template_look_at(&one, &version, &look);
		is_there = page_look_contact(call, &contact, &look.contact);
		preview = template_preview_make(call, &look, &ok);
		head.named = one.name;
		page_begin(&page, call, &head);
		show_actions(&page, &one);
		show_facts(&page, &one, &version);
		if (one.kind != AUDIENCE_TEMPLATE_PROGRAM)
			PAGE_LOOK_CHOICE(&page, is_there, "/admin/templates/{}", DIGITS(one.id));
		if (ok)
			show_look(&page, &one, is_there ? who : SLICE(""), preview);
		else
			show_cannot(&page, preview);
		page_end(&page, 200);
	}
	audience_abort(call->web->reader);
	template_preview_free(preview);
}

/* The message alone, for the frames; of an old version, too. */
void page_template_frame(struct call *call)
{
	struct audience_template_version version;
	struct template_preview *preview = NULL;
	struct audience_template one;
	struct template_look look;
	struct contact contact;
	u64 number = 0;
	bool ok = false;

	if (!web_query_number(call, SLICE("version"), &number))
		return;
	if (template_find(call, (u32)number, &one, &version)) {
		template_look_at(&one, &version, &look);
		ok = page_look_contact(call, &contact, &look.contact);
		if (ok)
			preview = template_preview_make(call, &look, &ok);
		if (ok)
			template_preview_answer(call, preview);
		else
			call_refuse(call, 422, NULL, "%s",
				    preview ? preview->error.text : "it cannot be shown");
	}
	audience_abort(call->web->reader);
	template_preview_free(preview);
}

/* ---- a test ---- */

static void on_sent(void *owner, enum exchange_end end, const json_t *json)
{
	struct call *call = owner;

	call->exchange = NULL;
	if (end == EXCHANGE_REPLIED)
		CALL_REDIRECT(call, TONE_GOOD, &words[SENT], "/admin/templates/{}",
			      slice_of(call->argument));
	else
		call_refuse_end(call, end, json);
}

static const struct exchange_events test_events = { NULL, on_sent };

/* NULL: no memory. */
static json_t *read_lines(struct slice lines)
{
	json_t *to = json_array();

	while (to && lines.ptr && lines.len > 0 && json_array_size(to) <= TEST_LINES_MAX) {
		struct slice line = slice_split(&lines, '\n');

		if (line.len > 0 && line.ptr[line.len - 1] == '\r')
			line.len--;
		line = slice_trim(line);
		if (line.len > 0)
			json_array_append_new(to, json_stringn(line.ptr, line.len));
	}
	return to;
}

void page_template_test(struct call *call)
{
	struct audience_template_version version;
	struct audience_template one;
	struct template_look look;
	json_t *to = read_lines(form_get(call->form, "to"));

	if (!to) {
		call_refuse(call, 503, NULL, "no memory");
		return;
	}
	if (template_find(call, 0, &one, &version)) {
		template_look_at(&one, &version, &look);
		template_test(call, one.id, &look, to, &test_events);
	} else {
		json_decref(to);
	}
	audience_abort(call->web->reader);
}

/* ---- deleting ---- */

bool page_template_is_done(struct call *call, const struct template_order *order)
{
	struct page_digits digits;
	struct slice id = page_digits(&digits, order->id);
	struct trouble room;
	struct buf sentence;

	if (!call_order_is_well(call, &order->order))
		return false;
	if (order->end == TEMPLATE_ORDER_DONE)
		return true;
	if (order->end == TEMPLATE_ORDER_GONE || order->end == TEMPLATE_ORDER_NO_VERSION) {
		call_problem_page(call, 404, &words[GONE]);
		return false;
	}
	buf_init(&sentence, SENTENCE_MAX);
	if (order->end == TEMPLATE_ORDER_IN_USE)
		buf_add_text(&sentence, words[IN_USE].text[call_language(call)]);
	buf_add_slice(&sentence,
		      trouble_in(call_language(call), slice_of(order->error.text), &room));
	flash_set(call, TONE_BAD, buf_slice(&sentence));
	buf_done(&sentence);
	CALL_REDIRECT(call, TONE_BAD, NULL, "/admin/templates/{}", id);
	return false;
}

static void on_deleted(struct call *call, struct call_order *base)
{
	if (page_template_is_done(call, container_of(base, struct template_order, order)))
		CALL_REDIRECT(call, TONE_GOOD, &words[DELETED], "/admin/templates");
}

void page_template_delete(struct call *call)
{
	struct template_order *order = template_order_new(call, TEMPLATE_ORDER_DELETE);

	if (!order)
		return;
	order->id = template_number(call->argument);
	order->japanese = call_language(call) == LANGUAGE_JAPANESE;
	order->order.answer = on_deleted;
	call_give_order(call, &order->order);
}
