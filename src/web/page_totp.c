/*
 * Setting up codes beside the password: a secret is shown, a code of it proves that the phone has
 * it, then it counts, and recovery codes are shown once. Until then the secret is in the form
 * alone, sealed for its session, so that nothing is kept of what nobody finishes.
 */
#include "base/crypto.h"
#include "base/text.h"
#include "web/page.h"
#include "web/password.h"
#include "web/qr.h"
#include "web/totp.h"

#include <stdlib.h>

enum word {
	TITLE,
	ACCOUNT,
	SCAN,
	SECRET,
	CODE,
	TURN_ON,
	WRONG,
	IS_ON,
	TURN_OFF,
	PASSWORD,
	WRONG_PASSWORD,
	OFF,
	CODES_TITLE,
	CODES_TEXT,
	DONE,
	WORD_COUNT,
};

static const struct words words[WORD_COUNT] = {
	[TITLE] = { { "Two-step sign-in", "2段階認証" } },
	[ACCOUNT] = { { "My account", "アカウント" } },
	[SCAN] = { { "Scan this with an authenticator app, or type the key. Then enter the code"
		     " that the app shows.",
		     "認証アプリでこのコードを読み取るか、キーを入力してください。"
		     "次に、アプリに表示されたコードを入力します。" } },
	[SECRET] = { { "Key", "キー" } },
	[CODE] = { { "Code of six digits", "6桁のコード" } },
	[TURN_ON] = { { "Turn on", "有効にする" } },
	[WRONG] = { { "This is not the code of now. Is the phone's clock right?",
		      "コードが正しくありません。端末の時刻を確認してください。" } },
	[IS_ON] = { { "A code is asked for at each sign-in.", "ログインのたびにコードが必要です。" } },
	[TURN_OFF] = { { "Turn off", "無効にする" } },
	[PASSWORD] = { { "Your password", "パスワード" } },
	[WRONG_PASSWORD] = { { "This is not your password.", "パスワードが正しくありません。" } },
	[OFF] = { { "Two-step sign-in is off.", "2段階認証を無効にしました。" } },
	[CODES_TITLE] = { { "Recovery codes", "リカバリーコード" } },
	[CODES_TEXT] = { { "Two-step sign-in is on. If the phone is lost, each of these lets you in"
			   " once. They are shown this one time: keep them where nobody else reads"
			   " them.",
			   "2段階認証を有効にしました。端末をなくしたとき、以下のコードは"
			   "それぞれ1回だけ使えます。表示は今回限りです。安全な場所に保管してください。" } },
	[DONE] = { { "I have kept them", "保管しました" } },
};

static const struct page_head head = { .place = PLACE_ACCOUNT,
				       .title = &words[TITLE],
				       .crumbs = { { "/admin/account", &words[ACCOUNT] } } };

/* ---- the secret's way to the browser and back ---- */

#define SEAL_SIZE 16

static void seal(const struct call *call, const u8 secret[TOTP_SECRET], u8 mac[SHA256_SIZE])
{
	hmac_sha256(mac, call->session.token, sizeof(call->session.token), secret, TOTP_SECRET);
}

static bool unseal(const struct call *call, u8 secret[TOTP_SECRET])
{
	struct slice text = form_get(call->form, "secret");
	u8 bytes[TOTP_SECRET + SEAL_SIZE];
	u8 mac[SHA256_SIZE];

	if (!text.ptr || !hex_decode(bytes, sizeof(bytes), text))
		return false;
	memcpy(secret, bytes, TOTP_SECRET);
	seal(call, secret, mac);
	return crypto_equal(mac, bytes + TOTP_SECRET, SEAL_SIZE);
}

static void hide_secret(struct page *page, const u8 secret[TOTP_SECRET])
{
	char hex[2 * (TOTP_SECRET + SEAL_SIZE)];
	u8 mac[SHA256_SIZE];

	seal(page->call, secret, mac);
	hex_encode(hex, secret, TOTP_SECRET);
	hex_encode(hex + 2 * (size_t)TOTP_SECRET, mac, SEAL_SIZE);
	page_hidden(page, "secret", (struct slice){ hex, sizeof(hex) });
}

/* ---- pages ---- */

static struct slice host_of(const struct call *call)
{
	struct slice host = scgi_head_find(&call->head, SLICE("HTTP_HOST"));

	host = slice_split(&host, ':');
	return host.len > 0 ? slice_first(host, 200) : SLICE("hikyaku");
}

static void show_set_up(struct call *call, const u8 secret[TOTP_SECRET],
			const struct words *problem)
{
	struct page page;
	struct buf uri;
	struct buf text;

	page_begin(&page, call, &head);
	buf_init(&uri, 4096);
	buf_init(&text, 256);
	totp_uri(secret, host_of(call), slice_of(call->session.email), &uri);
	totp_text(secret, &text);
	page_card_begin(&page, NULL);
	page_paragraph(&page, &words[SCAN]);
	page_qr(&page, buf_slice(&uri), &words[TITLE]);
	page_facts_begin(&page);
	page_fact(&page, &words[SECRET]);
	page_copy(&page, buf_slice(&text));
	page_facts_end(&page);
	PAGE_HTML(&page, "<hr>");
	PAGE_FORM(&page, "/admin/account/codes");
	hide_secret(&page, secret);
	page_field(&page, &(struct page_field){ .name = "code",
						.label = &words[CODE],
						.error = problem,
						.autocomplete = "one-time-code",
						.length_max = TOTP_TEXT_MAX,
						.is_required = true });
	page_submit(&page, TONE_GOOD, &words[TURN_ON]);
	page_form_end(&page);
	page_card_end(&page);
	buf_done(&uri);
	buf_done(&text);
	page_end(&page, problem ? 422 : 200);
}

static void show_on(struct call *call, const struct words *problem)
{
	struct page page;

	page_begin(&page, call, &head);
	page_card_begin(&page, NULL);
	page_paragraph(&page, &words[IS_ON]);
	PAGE_FORM(&page, "/admin/account/codes/off");
	page_field(&page, &(struct page_field){ .name = "password",
						.label = &words[PASSWORD],
						.error = problem,
						.type = "password",
						.autocomplete = "current-password",
						.is_required = true });
	page_submit(&page, TONE_BAD, &words[TURN_OFF]);
	page_form_end(&page);
	page_card_end(&page);
	page_end(&page, problem ? 422 : 200);
}

void page_codes(struct call *call)
{
	u8 secret[TOTP_SECRET];

	if (call->session.rights & ACCOUNT_HAS_TOTP) {
		show_on(call, NULL);
		return;
	}
	totp_make(secret);
	show_set_up(call, secret, NULL);
	explicit_bzero(secret, sizeof(secret));
}

/* ---- on ---- */

struct codes_order {
	struct call_order base;
	struct call_author author;
	bool turns_off;
	bool is_wrong;
	u32 user;
	char email[ACCOUNT_EMAIL_MAX + 1];
	char code[TOTP_TEXT_MAX + 1];
	u8 secret[TOTP_SECRET];
	char recovery[ACCOUNT_RECOVERY_CODES][TOTP_RECOVERY_SIZE];
};

static enum store_result apply(struct scribe_order *scribe_order, struct audience_txn *txn)
{
	struct codes_order *order = container_of(scribe_order, struct codes_order, base.order);
	struct account account;
	enum store_result result = account_get(txn, slice_of(order->email), &account);

	order->is_wrong = false;
	if (result == STORE_OK && account.id != order->user)
		return STORE_NOT_FOUND;
	if (result != STORE_OK)
		return result;
	account.recovery_count = 0;
	if (order->turns_off) {
		account.flags &= (u32)~ACCOUNT_HAS_TOTP;
		account.secret_len = 0;
	} else {
		account.totp_step = 0;
		account.secret_len = TOTP_SECRET;
		memcpy(account.secret, order->secret, TOTP_SECRET);
		account.flags |= ACCOUNT_HAS_TOTP;
		order->is_wrong =
			!totp_take(&account, slice_of(order->code), order->author.now_ms);
		totp_make_recovery(&account, order->recovery);
	}
	if (!order->is_wrong)
		result = account_put(txn, &account);
	if (!order->is_wrong && result == STORE_OK)
		result = call_audit(txn, &order->author,
				    order->turns_off ? "user.codes-off" : "user.codes-on",
				    slice_of(order->email));
	explicit_bzero(&account, sizeof(account));
	return result;
}

static void wipe(struct call_order *base)
{
	struct codes_order *order = container_of(base, struct codes_order, base);

	explicit_bzero(order->secret, sizeof(order->secret));
	explicit_bzero(order->recovery, sizeof(order->recovery));
}

static struct codes_order *new_order(struct call *call)
{
	struct codes_order *order = calloc(1, sizeof(*order));

	if (!order) {
		call_refuse(call, 503, NULL, "no memory");
		return NULL;
	}
	order->base.order.apply = apply;
	order->base.done = wipe;
	order->user = call->session.user;
	slice_copy(order->email, sizeof(order->email), slice_of(call->session.email));
	call_author(call, &order->author);
	return order;
}

static void on_turned_on(struct call *call, struct call_order *base)
{
	const struct codes_order *order = container_of(base, struct codes_order, base);
	struct page page;

	if (!call_order_is_well(call, base))
		return;
	if (order->is_wrong) {
		show_set_up(call, order->secret, &words[WRONG]);
		return;
	}
	page_begin(&page, call, &head);
	page_card_begin(&page, &words[CODES_TITLE]);
	page_paragraph(&page, &words[CODES_TEXT]);
	PAGE_HTML(&page, "<ul class=\"codes\">");
	for (u32 i = 0; i < ACCOUNT_RECOVERY_CODES; i++) {
		PAGE_HTML(&page, "<li><code>");
		page_cstr(&page, order->recovery[i]);
		PAGE_HTML(&page, "</code></li>");
	}
	PAGE_HTML(&page, "</ul>");
	PAGE_ACTION(&page, &words[DONE], "/admin/account");
	page_card_end(&page);
	page_end(&page, 200);
}

void page_codes_on(struct call *call)
{
	struct slice code = form_text(call->form, "code");
	struct codes_order *order;

	/* Who has codes turns them off first, for which the password is asked. */
	if (call->session.rights & ACCOUNT_HAS_TOTP) {
		show_on(call, NULL);
		return;
	}
	order = new_order(call);
	if (!order)
		return;
	if (!unseal(call, order->secret)) {
		wipe(&order->base);
		free(order);
		page_codes(call);
		return;
	}
	slice_copy(order->code, sizeof(order->code), slice_first(code, TOTP_TEXT_MAX));
	order->base.answer = on_turned_on;
	call_give_order(call, &order->base);
}

/* ---- off ---- */

static void on_turned_off(struct call *call, struct call_order *base)
{
	if (call_order_is_well(call, base))
		CALL_REDIRECT(call, TONE_WARNING, &words[OFF], "/admin/account");
}

static void on_compared(struct call *call, const struct password_work *work)
{
	struct codes_order *order;

	if (work->verdict != PASSWORD_RIGHT) {
		show_on(call, &words[WRONG_PASSWORD]);
		return;
	}
	order = new_order(call);
	if (!order)
		return;
	order->turns_off = true;
	order->base.answer = on_turned_off;
	call_give_order(call, &order->base);
}

void page_codes_off(struct call *call)
{
	struct slice email = slice_of(call->session.email);
	struct account account;
	enum store_result result;

	if (!doorkeeper_lets(call->web->doorkeeper, call, email)) {
		show_on(call, &words[WRONG_PASSWORD]);
		return;
	}
	result = audience_begin_read(call->web->reader);
	if (result == STORE_OK)
		result = account_get(call->web->reader, email, &account);
	audience_abort(call->web->reader);
	if (result != STORE_OK) {
		call_refuse(call, 503, NULL, "the account cannot be read");
		return;
	}
	password_check(call, form_get(call->form, "password"), account.password, email,
		       on_compared);
	explicit_bzero(&account, sizeof(account));
}
