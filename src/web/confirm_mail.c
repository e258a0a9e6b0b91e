#include "web/confirm_mail.h"

#include "base/crypto.h"
#include "base/log.h"
#include "base/text.h"
#include "campaign/link_token.h"
#include "campaign/sign_up.h"
#include "control/letter.h"
#include "store/audience_form.h"
#include "web/page.h"
#include "web/setting.h"

#include <stdio.h>
#include <string.h>

#define HEADERS_MAX 4096
#define TEXT_MAX 16384
#define DAY_S 86400
#define EXPIRE_MS (1000ull * DAY_S)

/* By kind of mail, in English and Japanese. */
static const struct mail_words {
	const char *subject;
	const char *before; /* the link */
	const char *behind;
} words[][2] = {
	[SENDER_CONFIRMS] = {
		{ "Please confirm your subscription",
		  "Somebody, we hope you, asked for our mail to this address.\n"
		  "To get it, please open this page and press the button there:\n\n",
		  "\n\nIf that was not you, there is nothing to do: without the button nothing "
		  "comes.\n" },
		{ "メール配信登録の確認",
		  "メール配信のお申し込みを受け付けました。\n"
		  "次のページを開き、ボタンを押して登録を完了してください。\n\n",
		  "\n\nお心当たりのない場合は、このメールを破棄してください。\n"
		  "ボタンを押さないかぎり、配信は始まりません。\n" },
	},
	[SENDER_DATA] = {
		{ "Your data",
		  "On this page you see what we keep of you, change your address, or have all of "
		  "it erased.\nThe link counts for a day; please hand it to nobody:\n\n",
		  "\n\nIf you did not ask for that, there is nothing to do.\n" },
		{ "登録情報のご案内",
		  "次のページで、登録情報の確認、アドレスの変更、登録の削除ができます。\n"
		  "リンクの有効期間は 1 日です。ほかの人に渡さないでください。\n\n",
		  "\n\nお心当たりのない場合は、このメールを破棄してください。\n" },
	},
	[SENDER_READDRESS] = {
		{ "Please confirm your new address",
		  "Our mail is to come to this address from now on. Please open this page and "
		  "press the button there:\n\n",
		  "\n\nIf that was not you, there is nothing to do.\n" },
		{ "新しいアドレスの確認",
		  "今後のメールをこのアドレスにお届けします。\n"
		  "次のページを開き、ボタンを押してください。\n\n",
		  "\n\nお心当たりのない場合は、このメールを破棄してください。\n" },
	},
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

/* What of it is a form's own; empty: it is a mail of ours. */
struct own_words {
	struct slice from;
	struct slice subject;
	struct slice before;
};

static void add_headers(struct confirm_mail *mail, const struct own_words *own,
			const struct mail_words *ours)
{
	buf_add_format(&mail->headers, "From: %.*s\nSubject: ", SLICE_FMT(own->from));
	add_literal(&mail->headers, own->subject.len > 0 ? own->subject : slice_of(ours->subject));
	buf_add_text(&mail->headers, "\nAuto-Submitted: auto-generated\n");
}

static void add_link(struct buf *out, const struct web *web, const struct sender_order *order)
{
	static const struct {
		const char *path;
		enum link_purpose purpose;
		u64 lasts_s;
	} links[] = {
		[SENDER_CONFIRMS] = { "/f/confirm/", LINK_CONFIRM, SIGN_UP_CONFIRM_S },
		[SENDER_DATA] = { "/p/data/", LINK_DATA, DAY_S },
		[SENDER_READDRESS] = { "/p/address/", LINK_ADDRESS, DAY_S },
	};
	struct link_token token = {
		.purpose = links[order->kind].purpose,
		.campaign = order->form,
		.contact = order->contact,
		.expires_s = order->at_ms / 1000 + links[order->kind].lasts_s,
	};
	char text[LINK_TOKEN_MAX];

	if (order->kind == SENDER_READDRESS)
		token.extra = confirm_mail_hash(order->address);
	buf_add_format(out, "%s%s", web->config->web.url, links[order->kind].path);
	buf_add(out, text, link_token_make(web->links, &token, text));
	if (order->kind == SENDER_READDRESS)
		url_format(out, "?to={}", &order->address);
}

static void add_text(struct confirm_mail *mail, const struct web *web, const struct own_words *own,
		     const struct sender_order *order, const struct mail_words *ours)
{
	struct slice before = own->before.len > 0 ? own->before : slice_of(ours->before);

	add_literal(&mail->text, before);
	if (before.ptr[before.len - 1] != '\n')
		buf_add_text(&mail->text, "\n\n");
	add_link(&mail->text, web, order);
	buf_add_text(&mail->text, ours->behind);
}

/* `from` is where "Name <address>" of the settings is put together. */
static enum store_result find_words(struct audience_txn *txn, const struct sender_order *order,
				    bool japanese, struct buf *from, struct own_words *own)
{
	struct audience_form form;
	enum store_result result;

	*own = (struct own_words){ .from = SLICE("") };
	if (order->kind != SENDER_CONFIRMS) {
		struct slice name = setting_get(txn, SETTING_FROM_NAME);

		if (name.len > 0 && slice_find_char(name, '"') < 0)
			buf_add_format(from, "\"%.*s\" ", SLICE_FMT(name));
		buf_add_format(from, "<%.*s>",
			       SLICE_FMT(setting_get(txn, SETTING_FROM_ADDRESS)));
		own->from = buf_slice(from);
		return STORE_OK;
	}
	result = audience_form_get(txn, order->form, &form);
	if (result != STORE_OK)
		return result;
	own->from = form.of[FORM_FROM];
	own->subject = form.of[japanese ? FORM_SUBJECT_JA : FORM_SUBJECT_EN];
	own->before = form.of[japanese ? FORM_MAIL_JA : FORM_MAIL_EN];
	return STORE_OK;
}

static void write_mail(struct confirm_mail *mail, const struct web *web,
		       const struct sender_order *order, const struct own_words *own,
		       const struct mail_words *ours)
{
	struct address from;
	struct error error;

	if (!web->config->web.url || !address_parse_mailbox(&from, NULL, own->from, &error)) {
		log_error("web", "a mail cannot be sent: it needs section web's url, and a From",
			  "form=%u", order->form);
		return;
	}
	slice_copy(mail->domain, sizeof(mail->domain), slice_of(from.domain));
	snprintf(mail->key, sizeof(mail->key), "web-%d-%x-%x-%llx", order->kind, order->form,
		 order->contact, (unsigned long long)order->at_ms);
	add_headers(mail, own, ours);
	add_text(mail, web, own, order, ours);
	control_recipient_add(&mail->recipient,
			      &(struct control_recipient){ .address = order->address });
	mail->is_wanted = true;
}

enum store_result confirm_mail_make(struct confirm_mail *mail, struct web *web,
				    struct audience_txn *txn, const struct sender_order *order)
{
	bool japanese = slice_equal(order->list, SLICE("ja"));
	struct own_words own;
	struct buf from;
	enum store_result result;

	mail->is_wanted = false;
	buf_init(&mail->headers, HEADERS_MAX);
	buf_init(&mail->text, TEXT_MAX);
	buf_init(&mail->recipient, CONTROL_ADDRESS_MAX + 64);
	if ((size_t)order->kind >= array_count(words) || !words[order->kind][0].subject)
		return STORE_OK;
	buf_init(&from, HEADERS_MAX);
	result = find_words(txn, order, japanese, &from, &own);
	if (result == STORE_OK)
		write_mail(mail, web, order, &own, &words[order->kind][japanese]);
	buf_done(&from);
	if (mail->headers.failed || mail->text.failed || mail->recipient.failed)
		return STORE_FULL;
	return result == STORE_NOT_FOUND ? STORE_OK : result;
}

u64 confirm_mail_hash(struct slice address)
{
	u8 digest[SHA256_SIZE];
	struct sha256 hash;
	u64 number;

	sha256_init(&hash);
	sha256_add(&hash, address.ptr, address.len);
	sha256_finish(&hash, digest);
	memcpy(&number, digest, sizeof(number));
	return number;
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
