#include "web/confirm_mail.h"

#include "base/log.h"
#include "base/text.h"
#include "campaign/link_token.h"
#include "campaign/sign_up.h"
#include "control/letter.h"
#include "store/audience_form.h"

#include <stdio.h>
#include <string.h>

#define HEADERS_MAX 4096
#define TEXT_MAX 16384
#define EXPIRE_MS (24ull * 3600 * 1000)

static const struct mail_words {
	const char *subject;
	const char *before; /* the link */
	const char *behind;
} words[2] = {
	{ "Please confirm your subscription",
	  "Somebody, we hope you, asked for our mail to this address.\n"
	  "To get it, please open this page and press the button there:\n\n",
	  "\n\nIf that was not you, there is nothing to do: without the button nothing comes.\n" },
	{ "メール配信登録の確認",
	  "メール配信のお申し込みを受け付けました。\n"
	  "次のページを開き、ボタンを押して登録を完了してください。\n\n",
	  "\n\nお心当たりのない場合は、このメールを破棄してください。\n"
	  "ボタンを押さないかぎり、配信は始まりません。\n" },
};

/* As text of a template: two braces would begin a field (message/README.md). */
static void add_literal(struct buf *out, struct slice text)
{
	for (size_t i = 0; i < text.len; i++) {
		char c = text.ptr[i];
		bool is_pair = c == '{' && i + 1 < text.len && text.ptr[i + 1] == '{';

		if (c == '\r')
			continue;
		buf_add_char(out, c);
		if (is_pair) {
			buf_add_text(out, "{{{");
			i++;
		}
	}
}

static void add_headers(struct confirm_mail *mail, const struct audience_form *form, bool japanese)
{
	struct slice subject = form->of[japanese ? FORM_SUBJECT_JA : FORM_SUBJECT_EN];

	if (subject.len == 0)
		subject = slice_of(words[japanese].subject);
	buf_add_format(&mail->headers, "From: %.*s\nSubject: ", SLICE_FMT(form->of[FORM_FROM]));
	add_literal(&mail->headers, subject);
	buf_add_text(&mail->headers, "\nAuto-Submitted: auto-generated\n");
}

static void add_text(struct confirm_mail *mail, const struct web *web,
		     const struct audience_form *form, const struct sender_order *order)
{
	bool japanese = slice_equal(order->list, SLICE("ja"));
	struct slice before = form->of[japanese ? FORM_MAIL_JA : FORM_MAIL_EN];
	const struct link_token token = {
		.purpose = LINK_CONFIRM,
		.campaign = order->form,
		.contact = order->contact,
		.expires_s = order->at_ms / 1000 + SIGN_UP_CONFIRM_S,
	};
	char text[LINK_TOKEN_MAX];

	if (before.len == 0)
		before = slice_of(words[japanese].before);
	add_literal(&mail->text, before);
	if (before.ptr[before.len - 1] != '\n')
		buf_add_text(&mail->text, "\n\n");
	buf_add_format(&mail->text, "%s/f/confirm/", web->config->web.url);
	buf_add(&mail->text, text, link_token_make(web->links, &token, text));
	buf_add_text(&mail->text, words[japanese].behind);
}

enum store_result confirm_mail_make(struct confirm_mail *mail, struct web *web,
				    struct audience_txn *txn, const struct sender_order *order)
{
	struct audience_form form;
	struct address from;
	struct error error;
	enum store_result result = audience_form_get(txn, order->form, &form);

	mail->is_wanted = false;
	buf_init(&mail->headers, HEADERS_MAX);
	buf_init(&mail->text, TEXT_MAX);
	buf_init(&mail->recipient, CONTROL_ADDRESS_MAX + 64);
	if (result != STORE_OK)
		return result == STORE_NOT_FOUND ? STORE_OK : result;
	if (!web->config->web.url ||
	    !address_parse_mailbox(&from, NULL, form.of[FORM_FROM], &error)) {
		log_error("web", "a confirmation cannot be asked for", "form=%u url=%d", form.id,
			  web->config->web.url != NULL);
		return STORE_OK;
	}
	slice_copy(mail->domain, sizeof(mail->domain), slice_of(from.domain));
	snprintf(mail->key, sizeof(mail->key), "sign-up-%x-%x-%llx", order->form, order->contact,
		 (unsigned long long)order->at_ms);
	add_headers(mail, &form, slice_equal(order->list, SLICE("ja")));
	add_text(mail, web, &form, order);
	control_recipient_add(&mail->recipient,
			      &(struct control_recipient){ .address = order->address });
	if (mail->headers.failed || mail->text.failed || mail->recipient.failed)
		return STORE_FULL;
	mail->is_wanted = true;
	return STORE_OK;
}

void confirm_mail_ask(const struct confirm_mail *mail, struct exchange *exchange)
{
	struct control_letter letter = {
		.content = { .customer = mail->domain,
			     .source = CONTROL_SOURCE_PARTS,
			     .source_name = "confirmation",
			     .charset = "utf-8",
			     .encoding = "auto",
			     .expire_ms = EXPIRE_MS },
		.key = mail->key,
		.kind = "submitted",
	};

	letter.content.sizes[CONTROL_DATA_HEADERS] = mail->headers.len;
	letter.content.sizes[CONTROL_DATA_TEXT] = mail->text.len;
	exchange_request(exchange, control_letter_json(&letter));
	exchange_data(exchange, CONTROL_DATA_HEADERS, buf_slice(&mail->headers));
	exchange_data(exchange, CONTROL_DATA_TEXT, buf_slice(&mail->text));
	exchange_data(exchange, CONTROL_DATA_RECIPIENTS, buf_slice(&mail->recipient));
	exchange_end(exchange);
}

void confirm_mail_done(struct confirm_mail *mail)
{
	buf_done(&mail->headers);
	buf_done(&mail->text);
	buf_done(&mail->recipient);
	memset(mail, 0, sizeof(*mail));
}
