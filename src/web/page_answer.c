/* Answers that are pages, or lead to one. */
#include "base/text.h"
#include "web/flash.h"
#include "web/page.h"

#include <stdlib.h>

enum word {
	NOT_FOUND,
	NOT_ALLOWED,
	NOT_OURS,
	TOO_LARGE,
	BUSY,
	BAD_REQUEST,
	BACK,
	WORD_COUNT,
};

static const struct words words[WORD_COUNT] = {
	[NOT_FOUND] = { { "There is nothing here", "ページが見つかりません" } },
	[NOT_ALLOWED] = { { "You may not do this", "この操作の権限がありません" } },
	[NOT_OURS] = { { "This page was open for too long, or the request came from another site."
			 " Go back, load the page again and try once more.",
			 "ページの有効期限が切れたか、別のサイトからの送信です。"
			 "前のページに戻って再読み込みし、もう一度お試しください。" } },
	[TOO_LARGE] = { { "This is more than can be taken", "サイズが上限を超えています" } },
	[BUSY] = { { "Not possible at the moment; please try again shortly",
		     "現在処理できません。少し待ってからもう一度お試しください" } },
	[BAD_REQUEST] = { { "The request could not be understood",
			    "リクエストを処理できませんでした" } },
	[BACK] = { { "To the start page", "トップページへ" } },
};

static const struct words *words_of(u32 status)
{
	switch (status) {
	case 404: return &words[NOT_FOUND];
	case 401:
	case 403: return &words[NOT_ALLOWED];
	case 413: return &words[TOO_LARGE];
	case 419: return &words[NOT_OURS];
	case 429:
	case 500:
	case 503:
	case 504: return &words[BUSY];
	default: return &words[BAD_REQUEST];
	}
}

static void problem_page(struct call *call, u32 status, const struct words *sentence,
			 struct slice why)
{
	bool is_public = call->session.user == 0;
	struct page page;

	page_begin(&page, call,
		   &(struct page_head){ .title = words_of(status), .is_public = is_public });
	if (sentence)
		page_paragraph(&page, sentence);
	if (!is_public && why.len > 0)
		page_message_trouble(&page, TONE_BAD, why);
	if (!is_public)
		PAGE_LINK(&page, &words[BACK], "/admin");
	/* 419 is no status of HTTP: to the browser it is a refusal like any other. */
	page_end(&page, status == 419 ? 403 : status);
}

void call_problem_page(struct call *call, u32 status, const struct words *sentence)
{
	problem_page(call, status, sentence, SLICE_NONE);
}

void call_problem_told(struct call *call, u32 status, struct slice why)
{
	problem_page(call, status, NULL, why);
}

void call_redirect(struct call *call, enum page_tone tone, const struct words *message,
		   const char *format, const struct slice *values)
{
	if (message)
		flash_set(call, tone, slice_of(message->text[call_language(call)]));
	buf_add_text(&call->answer_head, "Location: ");
	url_format(&call->answer_head, format, values);
	buf_add_text(&call->answer_head, "\r\n");
	call_answer_nothing(call, 303);
}

/* "/admin" or what is below it; nothing that a browser could read as another host. */
static bool is_ours(struct slice next)
{
	struct slice rest = slice_from(next, strlen("/admin"));

	if (!slice_has_prefix(next, SLICE("/admin")) || next.len > 2000 ||
	    (rest.len > 0 && rest.ptr[0] != '/' && rest.ptr[0] != '?'))
		return false;
	for (size_t i = 0; i < next.len; i++) {
		if (next.ptr[i] <= 0x20 || next.ptr[i] >= 0x7f || next.ptr[i] == '\\')
			return false;
	}
	return true;
}

void call_redirect_next(struct call *call, struct slice next)
{
	buf_add_text(&call->answer_head, "Location: ");
	buf_add_slice(&call->answer_head, is_ours(next) ? next : SLICE("/admin"));
	buf_add_text(&call->answer_head, "\r\n");
	call_answer_nothing(call, 303);
}

struct slice call_query(struct call *call, const char *name)
{
	if (!call->query_form) {
		call->query_form = calloc(1, sizeof(*call->query_form));
		if (!call->query_form)
			return SLICE("");
		form_init(call->query_form);
		/* A bad query is as good as none. */
		if (form_parse(call->query_form, call->query) != FORM_OK)
			call->query_form->count = 0;
	}
	return form_text(call->query_form, name);
}
