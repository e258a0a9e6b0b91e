/* How a subscription form looks: works without script, and says at each field what is wrong. */
#include "base/clock.h"
#include "base/text.h"
#include "campaign/form_guard.h"
#include "web/public_form.h"

#include <stdio.h>

enum word {
	TITLE,
	EMAIL,
	EMAIL_WRONG,
	CONSENT_MISSING,
	SEND,
	CLOSED,
	CHOOSE,
	TRAP,
	DONE,
	DONE_TEXT,
	GO_ON,
	WORD_COUNT,
};

static const struct words words[WORD_COUNT] = {
	[TITLE] = { { "Subscribe", "メール配信のお申し込み" } },
	[EMAIL] = { { "Mail address", "メールアドレス" } },
	[EMAIL_WRONG] = { { "This is no mail address.",
			    "メールアドレスとして正しくありません。" } },
	[CONSENT_MISSING] = { { "Without this nothing can be sent to you.",
				"同意がないと配信できません。" } },
	[SEND] = { { "Subscribe", "登録する" } },
	[CLOSED] = { { "This form takes nobody in at the moment.",
		       "現在このフォームでは受け付けていません。" } },
	[CHOOSE] = { { "Please choose", "選択してください" } },
	[TRAP] = { { "Leave this empty", "この欄は空のままにしてください" } },
	[DONE] = { { "Thank you", "ありがとうございます" } },
	[DONE_TEXT] = { { "Please look into your mail now: there is a link that completes this. "
			  "If there is none after some minutes, look for it among spam, too.",
			  "確認のメールをお送りしました。メール内のリンクを開いて登録を完了してください。"
			  "数分たっても届かないときは、迷惑メールもご確認ください。" } },
	[GO_ON] = { { "Go on", "次へ進む" } },
};

static const struct words notices[] = {
	[NOTICE_NONE] = { { "", "" } },
	[NOTICE_CHECK] = { { "Please look at what is marked below.",
			     "下の印がついた項目をご確認ください。" } },
	[NOTICE_WAIT] = { { "That was very quick. Please press the button once more in a moment.",
			    "送信が早すぎました。少し待ってから、もう一度ボタンを押してください。" } },
	[NOTICE_AGAIN] = { { "This page was open for long, or was sent before. Please send it once "
			     "more.",
			     "ページの有効期限が切れたか、送信済みです。もう一度送信してください。" } },
	[NOTICE_MANY] = { { "Too many were sent from your network. Please try again in an hour.",
			    "同じネットワークからの送信が多すぎます。"
			    "1 時間ほど後にもう一度お試しください。" } },
	[NOTICE_FROM_ELSEWHERE] = { { "One more step: please look at this and send it.",
				      "あと一歩です。内容を確認して送信してください。" } },
};

const char *public_field_name(char out[FORM_FIELD_NAME_SIZE], u16 attribute)
{
	snprintf(out, FORM_FIELD_NAME_SIZE, "a%u", attribute);
	return out;
}

struct slice public_form_words(const struct audience_form *form, enum form_text japanese,
			       enum language language)
{
	/* The English text follows the Japanese one. */
	struct slice ja = form->of[japanese];
	struct slice en = form->of[japanese + 1];

	if (language == LANGUAGE_JAPANESE)
		return ja.len > 0 ? ja : en;
	return en.len > 0 ? en : ja;
}

/* Paragraphs as they were typed. */
static void add_lines(struct page *page, struct slice text)
{
	while (text.ptr && text.len > 0) {
		PAGE_HTML(page, "<p>");
		page_text(page, slice_trim(slice_split(&text, '\n')));
		PAGE_HTML(page, "</p>");
	}
}

/* ---- fields ---- */

static void add_choice(struct page *page, const struct attribute *attribute,
		       const struct page_field *field)
{
	struct slice rest = attribute->choices;

	page_select_begin(page, field);
	page_option(page, SLICE(""), &words[CHOOSE], field->value.len == 0);
	while (rest.ptr && rest.len > 0) {
		struct slice choice = slice_split(&rest, '\n');

		page_option_text(page, choice, choice, slice_equal(choice, field->value));
	}
	page_select_end(page);
}

void public_add_field(struct page *page, const struct attribute *attribute, bool is_required,
		      struct slice value, const char *mistake)
{
	static const char *const types[ATTRIBUTE_TYPES] = { [ATTRIBUTE_DATE] = "date" };
	char name[FORM_FIELD_NAME_SIZE];
	char label[ATTRIBUTE_LABEL_MAX + 1];
	struct slice shown = page->language == LANGUAGE_JAPANESE ? attribute->label_ja
								 : attribute->label_en;
	struct words words_of_label;
	struct page_field field = {
		.name = public_field_name(name, attribute->id),
		.label = &words_of_label,
		.error_text = slice_of(mistake ? mistake : ""),
		.type = types[attribute->type],
		.length_max = 1000,
		.is_required = is_required,
	};

	slice_copy(label, sizeof(label), shown.len > 0 ? shown : attribute->name);
	words_of_label = WORDS(label, label);
	field.value = value;
	if (attribute->type == ATTRIBUTE_YES_NO)
		page_check(page, name, &words_of_label, slice_equal(value, SLICE("1")));
	else if (attribute->type == ATTRIBUTE_CHOICE)
		add_choice(page, attribute, &field);
	else
		page_field(page, &field);
}

static void add_fields(struct page *page, struct audience_txn *txn,
		       const struct audience_form *form, const struct form *sent,
		       const struct form_mistakes *mistakes)
{
	struct slice ids = form->of[FORM_FIELDS];
	char name[FORM_FIELD_NAME_SIZE];
	struct attribute attribute;
	bool is_required;
	u16 id;

	for (u32 i = 0; i < SIGN_UP_FIELDS_MAX && sign_up_next_id(&ids, &id, &is_required); i++) {
		if (attribute_get(txn, id, &attribute) == STORE_OK)
			public_add_field(page, &attribute, is_required,
					 form_text(sent, public_field_name(name, id)),
					 mistakes->fields[i]);
	}
}

/* Hidden from people, also from those who listen; programs fill in all that they find. */
static void add_trap(struct page *page)
{
	PAGE_HTML(page, "<div hidden aria-hidden=\"true\"><label>");
	page_words(page, &words[TRAP]);
	PAGE_HTML(page, " <input name=\"" FORM_TRAP "\" tabindex=\"-1\" autocomplete=\"off\">"
			"</label></div>");
}

static void add_consent(struct page *page, const struct audience_form *form,
			const struct form *sent, bool is_missing)
{
	struct slice text = public_form_words(form, FORM_CONSENT_JA, page->language);

	if (text.len == 0)
		return;
	if (is_missing)
		page_message(page, TONE_BAD, &words[CONSENT_MISSING]);
	page_check_text(page, FORM_CONSENT, SLICE("1"), text, form_has(sent, FORM_CONSENT));
}

static void add_token(struct page *page, u32 form, const struct form *sent,
		      enum form_notice notice)
{
	struct slice token = form_text(sent, FORM_TOKEN);
	char text[LINK_TOKEN_MAX];

	/* One that is good still is kept: its time goes on. */
	if (token.len == 0 || (notice != NOTICE_CHECK && notice != NOTICE_WAIT))
		token = (struct slice){ text,
					form_guard_token(page->call->web->links, form,
							 clock_wall_ms() / 1000, text) };
	page_hidden(page, FORM_TOKEN, token);
	PAGE_HTML(page, "<input type=\"hidden\" name=\"" FORM_PROOF "\"");
	page_attribute(page, "data-proof", token);
	page_attribute(page, "data-bits", DIGITS(FORM_PROOF_BITS));
	PAGE_HTML(page, ">");
}

static void add_style(struct page *page, const struct audience_form *form)
{
	if (form->of[FORM_COLOUR].len == 0)
		return;
	PAGE_HTML(page, "<link rel=\"stylesheet\"");
	PAGE_URL(page, "href", "/f/{}/style.css", form->of[FORM_NAME]);
	PAGE_HTML(page, ">");
}

static void add_form(struct page *page, struct audience_txn *txn, const struct audience_form *form,
		     const struct form *sent, const struct form_mistakes *mistakes,
		     enum form_notice notice)
{
	char button[400];
	struct slice label = public_form_words(form, FORM_BUTTON_JA, page->language);
	struct words send = words[SEND];
	const struct page_field email = {
		.name = FORM_EMAIL,
		.label = &words[EMAIL],
		.error = mistakes->email ? &words[EMAIL_WRONG] : NULL,
		.value = form_text(sent, FORM_EMAIL),
		.type = "email",
		.autocomplete = "email",
		.length_max = 320,
		.is_required = true,
	};

	slice_copy(button, sizeof(button), label);
	if (label.len > 0)
		send = WORDS(button, button);
	PAGE_FORM(page, "/f/{}", form->of[FORM_NAME]);
	page_field(page, &email);
	add_fields(page, txn, form, sent, mistakes);
	add_trap(page);
	add_consent(page, form, sent, mistakes->consent);
	add_token(page, form->id, sent, notice);
	page_submit(page, TONE_GOOD, &send);
	page_form_end(page);
}

void public_form_show(struct call *call, struct audience_txn *txn,
		      const struct audience_form *form, const struct form *sent,
		      const struct form_mistakes *mistakes, enum form_notice notice)
{
	struct slice title = public_form_words(form, FORM_TITLE_JA, call_language(call));
	bool is_bad = notice == NOTICE_CHECK;
	struct page page;

	page_begin(&page, call,
		   &(struct page_head){
			   .title = &words[TITLE], .named = title, .is_public = true });
	add_style(&page, form);
	page_card_begin(&page, NULL);
	if (notice != NOTICE_NONE)
		page_message(&page, is_bad ? TONE_BAD : TONE_WARNING, &notices[notice]);
	add_lines(&page, public_form_words(form, FORM_INTRO_JA, page.language));
	if (form->is_open)
		add_form(&page, txn, form, sent, mistakes, notice);
	else
		page_message(&page, TONE_WARNING, &words[CLOSED]);
	page_card_end(&page);
	audience_abort(txn);
	page_end(&page, notice == NOTICE_MANY ? 429 : is_bad ? 422 : 200);
}

void public_form_done(struct call *call, struct slice text, struct slice redirect)
{
	struct page page;

	/* A form may lead to our own pages alone (its policy), so it is this page that leads on. */
	if (redirect.len > 0)
		buf_add_format(&call->answer_head, "Refresh: 0; url=%.*s\r\n",
			       SLICE_FMT(redirect));
	page_begin(&page, call, &(struct page_head){ .title = &words[DONE], .is_public = true });
	page_card_begin(&page, NULL);
	if (text.len > 0)
		add_lines(&page, text);
	else
		page_paragraph(&page, &words[DONE_TEXT]);
	if (redirect.len > 0) {
		PAGE_HTML(&page, "<p><a");
		page_foreign_url(&page, "href", redirect);
		PAGE_HTML(&page, ">");
		page_words(&page, &words[GO_ON]);
		PAGE_HTML(&page, "</a></p>");
	}
	page_card_end(&page);
	page_end(&page, 200);
}
