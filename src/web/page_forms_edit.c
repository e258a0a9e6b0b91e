/* The page on which a subscription form is made: what it asks, what it says, where it stands. */
#include "base/text.h"
#include "store/audience_attribute.h"
#include "store/audience_list.h"
#include "web/page_forms.h"

#include <stdio.h>

#define IDS_MAX 400
#define SNIPPET_MAX 16384

enum word {
	TITLE_NEW,
	FORMS,
	BASICS,
	OPEN,
	DOUBLE,
	LISTS,
	FIELDS,
	REQUIRED,
	TEXTS,
	MAIL,
	SITE,
	SAVE,
	DELETE,
	TAKEN,
	LINK,
	SNIPPET,
	SNIPPET_HINT,
	BUTTON,
	WORD_COUNT,
};

static const struct words words[WORD_COUNT] = {
	[TITLE_NEW] = { { "New form", "新しいフォーム" } },
	[FORMS] = { { "Forms", "登録フォーム" } },
	[BASICS] = { { "What it does", "基本設定" } },
	[OPEN] = { { "It takes people in", "登録を受け付ける" } },
	[DOUBLE] = { { "A mail asks for a confirmation first (double opt-in)",
		       "確認メールを送る（ダブルオプトイン）" } },
	[LISTS] = { { "Lists that it leads to", "登録先のリスト" } },
	[FIELDS] = { { "What it asks for, besides the mail address",
		       "メールアドレス以外に入力してもらう項目" } },
	[REQUIRED] = { { "has to be filled in", "必須" } },
	[TEXTS] = { { "What it says", "表示する文章" } },
	[MAIL] = { { "The mail that asks for a confirmation", "確認メール" } },
	[SITE] = { { "At your own site", "自社サイトへの設置" } },
	[SAVE] = { { "Save", "保存" } },
	[DELETE] = { { "Delete this form", "このフォームを削除" } },
	[TAKEN] = { { "Another form has this name.", "同じ名前のフォームがあります。" } },
	[LINK] = { { "Its page", "フォームの URL" } },
	[SNIPPET] = { { "To put into a page of yours", "サイトに貼り付ける HTML" } },
	[SNIPPET_HINT] = { { "The site has to be among those above. Whoever sends it sees the page "
			     "here, filled in, and sends it once more.",
			     "設置するサイトを上の欄に登録してください。送信すると、入力済みの"
			     "確認ページが開きます。" } },
	[BUTTON] = { { "Subscribe", "登録する" } },
};

/* Each text with label, hint and place; rows 0: a line. */
static const struct text_field {
	enum form_text text;
	u8 rows;
	enum word group;
	struct words label;
	struct words hint;
} fields[] = {
	{ FORM_NAME, 0, BASICS, { { "Name in its address", "URL に使う名前" } },
	  { { "/f/NAME: small letters, digits and hyphens", "/f/名前。英小文字・数字・ハイフン" } } },
	{ FORM_TITLE_JA, 0, TEXTS, { { "Heading (Japanese)", "見出し（日本語）" } }, { { 0 } } },
	{ FORM_TITLE_EN, 0, TEXTS, { { "Heading (English)", "見出し（英語）" } }, { { 0 } } },
	{ FORM_INTRO_JA, 4, TEXTS, { { "Text above (Japanese)", "説明文（日本語）" } }, { { 0 } } },
	{ FORM_INTRO_EN, 4, TEXTS, { { "Text above (English)", "説明文（英語）" } }, { { 0 } } },
	{ FORM_CONSENT_JA, 2, TEXTS, { { "Consent (Japanese)", "同意文（日本語）" } },
	  { { "With a box to tick; kept with the contact.", "チェックボックスとともに表示し、"
							    "連絡先の履歴に残します。" } } },
	{ FORM_CONSENT_EN, 2, TEXTS, { { "Consent (English)", "同意文（英語）" } }, { { 0 } } },
	{ FORM_BUTTON_JA, 0, TEXTS, { { "Button (Japanese)", "ボタン（日本語）" } }, { { 0 } } },
	{ FORM_BUTTON_EN, 0, TEXTS, { { "Button (English)", "ボタン（英語）" } }, { { 0 } } },
	{ FORM_DONE_JA, 3, TEXTS, { { "After sending (Japanese)", "送信後（日本語）" } }, { { 0 } } },
	{ FORM_DONE_EN, 3, TEXTS, { { "After sending (English)", "送信後（英語）" } }, { { 0 } } },
	{ FORM_REDIRECT, 0, TEXTS, { { "Then go to", "送信後に開く URL" } }, { { 0 } } },
	{ FORM_COLOUR, 0, TEXTS, { { "Colour of the button", "ボタンの色" } },
	  { { "#1a73e8", "#1a73e8" } } },
	{ FORM_FROM, 0, MAIL, { { "From", "差出人" } },
	  { { "Shop <news@shop.example>; of a domain that you send for",
	      "ショップ <news@shop.example> のように。送信ドメインのアドレスに限ります" } } },
	{ FORM_SUBJECT_JA, 0, MAIL, { { "Subject (Japanese)", "件名（日本語）" } }, { { 0 } } },
	{ FORM_SUBJECT_EN, 0, MAIL, { { "Subject (English)", "件名（英語）" } }, { { 0 } } },
	{ FORM_MAIL_JA, 4, MAIL, { { "Text before the link (Japanese)",
				     "リンクの前の文章（日本語）" } }, { { 0 } } },
	{ FORM_MAIL_EN, 4, MAIL, { { "Text before the link (English)",
				     "リンクの前の文章（英語）" } }, { { 0 } } },
	{ FORM_ORIGINS, 3, SITE, { { "Sites that may hold it", "設置できるサイト" } },
	  { { "One a line, like https://shop.example", "1 行に 1 つ。例: https://shop.example" } } },
};

struct editor {
	struct page page;
	struct audience_txn *txn;
	const struct audience_form *form;
	struct words problem; /* of `wrong`; empty: nothing is */
	enum form_text wrong;
};

static void add_texts(struct editor *e, enum word group)
{
	for (size_t i = 0; i < array_count(fields); i++) {
		const struct text_field *field = &fields[i];
		bool is_wrong = e->problem.text[0] && e->wrong == field->text;

		if (field->group != group)
			continue;
		page_field(&e->page,
			   &(struct page_field){ .name = sign_up_text_name(field->text),
						 .label = &field->label,
						 .hint = field->hint.text[0] ? &field->hint : NULL,
						 .error = is_wrong ? &e->problem : NULL,
						 .value = e->form->of[field->text],
						 .rows = field->rows });
	}
}

static bool has_id(struct slice ids, u16 wanted, bool *is_required)
{
	u16 id;

	while (sign_up_next_id(&ids, &id, is_required)) {
		if (id == wanted)
			return true;
	}
	*is_required = false;
	return false;
}

static void add_lists(struct editor *e)
{
	struct audience_list list = { 0 };
	bool is_required;

	page_group_begin(&e->page, &words[LISTS]);
	while (audience_list_after(e->txn, list.id, &list) == STORE_OK)
		page_check_text(&e->page, "list", DIGITS(list.id),
				list.title.len > 0 ? list.title : list.name,
				has_id(e->form->of[FORM_LISTS], list.id, &is_required));
	page_group_end(&e->page);
}

static void add_attributes(struct editor *e)
{
	struct attribute attribute = { 0 };
	bool is_required;

	page_group_begin(&e->page, &words[FIELDS]);
	while (attribute_after(e->txn, attribute.id, &attribute) == STORE_OK) {
		bool is_asked = has_id(e->form->of[FORM_FIELDS], attribute.id, &is_required);

		page_check_text(&e->page, "field", DIGITS(attribute.id), attribute.name, is_asked);
		page_check_text(&e->page, "required", DIGITS(attribute.id),
				slice_of(words[REQUIRED].text[e->page.language]), is_required);
	}
	page_group_end(&e->page);
}

/* HTML as text, to be copied: plain, for whatever page it comes into. */
static void add_snippet(struct editor *e)
{
	const char *url = e->page.call->web->config->web.url;
	struct slice name = e->form->of[FORM_NAME];
	struct buf html;

	buf_init(&html, SNIPPET_MAX);
	buf_add_format(&html, "%s/f/%.*s", url ? url : "", SLICE_FMT(name));
	page_facts_begin(&e->page);
	page_fact(&e->page, &words[LINK]);
	page_copy(&e->page, buf_slice(&html));
	page_facts_end(&e->page);
	buf_reset(&html);
	buf_add_format(&html,
		       "<form method=\"post\" action=\"%s/f/%.*s\" accept-charset=\"utf-8\">\n"
		       "<input type=\"email\" name=\"email\" required autocomplete=\"email\" "
		       "aria-label=\"email\">\n<button>%s</button>\n</form>",
		       url ? url : "", SLICE_FMT(name), words[BUTTON].text[e->page.language]);
	PAGE_HTML(&e->page, "<h3>");
	page_words(&e->page, &words[SNIPPET]);
	PAGE_HTML(&e->page, "</h3>");
	page_paragraph(&e->page, &words[SNIPPET_HINT]);
	page_copy(&e->page, buf_slice(&html));
	buf_done(&html);
}

static void write_form(struct editor *e)
{
	struct page *page = &e->page;

	if (e->form->id == 0)
		PAGE_FORM(page, "/admin/forms");
	else
		PAGE_FORM(page, "/admin/forms/{}", DIGITS(e->form->id));
	page_card_begin(page, &words[BASICS]);
	add_texts(e, BASICS);
	page_check(page, "open", &words[OPEN], e->form->is_open);
	page_check(page, "double", &words[DOUBLE], !e->form->is_single);
	add_lists(e);
	add_attributes(e);
	page_card_end(page);
	page_card_begin(page, &words[TEXTS]);
	add_texts(e, TEXTS);
	page_card_end(page);
	page_card_begin(page, &words[MAIL]);
	add_texts(e, MAIL);
	page_card_end(page);
	page_card_begin(page, &words[SITE]);
	add_texts(e, SITE);
	if (e->form->id != 0)
		add_snippet(e);
	page_card_end(page);
	page_submit(page, TONE_GOOD, &words[SAVE]);
	page_form_end(page);
}

void page_forms_edit_show(struct call *call, const struct audience_form *form,
			  enum sign_up_problem problem, enum form_text wrong, bool is_taken)
{
	struct editor e = { .txn = call->web->reader, .form = form, .wrong = wrong };

	if (problem != SIGN_UP_GOOD)
		e.problem = WORDS(sign_up_problem_words(problem, false),
				  sign_up_problem_words(problem, true));
	if (is_taken) {
		e.problem = words[TAKEN];
		e.wrong = FORM_NAME;
	}
	if (audience_begin_read(e.txn) != STORE_OK) {
		call_refuse(call, 503, NULL, "forms cannot be read");
		return;
	}
	page_begin(&e.page, call,
		   &(struct page_head){ .place = PLACE_FORMS,
					.title = &words[TITLE_NEW],
					.named = form->id ? form->of[FORM_NAME] : SLICE_NONE,
					.crumbs = { { "/admin/forms", &words[FORMS] } } });
	write_form(&e);
	if (form->id != 0)
		PAGE_BUTTON(&e.page, TONE_BAD, &words[DELETE], "/admin/forms/{}/delete",
			    DIGITS(form->id));
	audience_abort(e.txn);
	page_end(&e.page, e.problem.text[0] ? 422 : 200);
}

/* ---- what comes back ---- */

static bool is_ticked(const struct form *sent, const char *name, struct slice value)
{
	struct slice one;
	u32 at = 0;

	while ((one = form_next(sent, name, &at)).ptr) {
		if (slice_equal(one, value))
			return true;
	}
	return false;
}

/* "1,3*" of the boxes of that name. */
static void read_ids(const struct form *sent, const char *name, const char *required,
		     struct form_edit *edit, enum form_text text)
{
	struct slice one;
	struct buf ids;
	u32 at = 0;

	buf_init(&ids, IDS_MAX);
	while ((one = form_next(sent, name, &at)).ptr) {
		if (ids.len > 0)
			buf_add_char(&ids, ',');
		buf_add_slice(&ids, one);
		if (required && is_ticked(sent, required, one))
			buf_add_char(&ids, '*');
	}
	form_edit_text(edit, text, buf_slice(&ids));
	buf_done(&ids);
}

void page_forms_edit_read(const struct form *sent, struct form_edit *edit)
{
	for (size_t i = 0; i < array_count(fields); i++)
		form_edit_text(edit, fields[i].text,
			       form_text(sent, sign_up_text_name(fields[i].text)));
	read_ids(sent, "list", NULL, edit, FORM_LISTS);
	read_ids(sent, "field", "required", edit, FORM_FIELDS);
	edit->form.is_open = form_has(sent, "open");
	edit->form.is_single = !form_has(sent, "double");
}
