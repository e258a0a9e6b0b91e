/* Signing in and out: password, then a code where the user has set that up. */
#include "base/clock.h"
#include "base/log.h"
#include "base/text.h"
#include "web/page.h"
#include "web/password.h"
#include "web/totp.h"

#include <stdio.h>
#include <stdlib.h>

enum word {
	TITLE,
	EMAIL,
	PASSWORD,
	SIGN_IN,
	WRONG,
	LATER,
	CODE_TITLE,
	CODE,
	CODE_HINT,
	CODE_WRONG,
	GO_ON,
	SIGNED_OUT,
	WORD_COUNT,
};

static const struct words words[WORD_COUNT] = {
	[TITLE] = { { "Sign in", "ログイン" } },
	[EMAIL] = { { "E-mail address", "メールアドレス" } },
	[PASSWORD] = { { "Password", "パスワード" } },
	[SIGN_IN] = { { "Sign in", "ログイン" } },
	[WRONG] = { { "This address and password do not belong together.",
		      "メールアドレスまたはパスワードが正しくありません。" } },
	[LATER] = { { "Too many attempts. Please try again in ten minutes.",
		      "試行回数が上限に達しました。10分後にもう一度お試しください。" } },
	[CODE_TITLE] = { { "One-time code", "ワンタイムコード" } },
	[CODE] = { { "Code", "コード" } },
	[CODE_HINT] = { { "Six digits from your authenticator app, or one of your recovery codes.",
			  "認証アプリに表示される6桁の数字、またはリカバリーコード。" } },
	[CODE_WRONG] = { { "This code is not right, or was used already.",
			   "コードが正しくないか、すでに使用されています。" } },
	[GO_ON] = { { "Continue", "続ける" } },
	[SIGNED_OUT] = { { "You are signed out.", "ログアウトしました。" } },
};

/* ---- the form ---- */

static void show_form(struct call *call, struct slice email, struct slice next,
		      const struct words *problem)
{
	struct page page;

	page_begin(&page, call, &(struct page_head){ .title = &words[TITLE] });
	if (problem)
		page_message(&page, TONE_BAD, problem);
	PAGE_HTML(&page, "<div class=\"card\">");
	PAGE_FORM(&page, "/admin/login");
	page_hidden(&page, "next", next);
	page_field(&page, &(struct page_field){ .name = "email",
						.label = &words[EMAIL],
						.type = "email",
						.value = email,
						.autocomplete = "username",
						.length_max = ACCOUNT_EMAIL_MAX,
						.is_required = true,
						.has_focus = true });
	page_field(&page, &(struct page_field){ .name = "password",
						.label = &words[PASSWORD],
						.type = "password",
						.autocomplete = "current-password",
						.is_required = true });
	page_submit(&page, TONE_GOOD, &words[SIGN_IN]);
	page_form_end(&page);
	PAGE_HTML(&page, "</div>");
	page_end(&page, problem ? 422 : 200);
}

void page_login(struct call *call)
{
	show_form(call, SLICE(""), call_query(call, "next"), NULL);
}

/* ---- the session begins ---- */

struct login_order {
	struct call_order base;
	struct call_author author;
	char email[ACCOUNT_EMAIL_MAX + 1];
	struct account_session session;
	u8 old[SESSION_DIGEST]; /* the session that it takes the place of; zeros: none */
	char cookie[SESSION_COOKIE_SIZE];
	char code[TOTP_TEXT_MAX + 1]; /* what is to be right; "": none */
	bool is_refused;
};

/* Signed in once the code was right, or when none is asked for. */
static enum store_result apply_login(struct scribe_order *scribe_order, struct audience_txn *txn)
{
	struct login_order *order = container_of(scribe_order, struct login_order, base.order);
	struct account account;
	enum store_result result = account_get(txn, slice_of(order->email), &account);

	order->is_refused = false;
	if (result != STORE_OK)
		return result;
	if (account.flags & ACCOUNT_IS_BLOCKED ||
	    (order->code[0] && !totp_take(&account, slice_of(order->code), order->author.now_ms))) {
		order->is_refused = true;
		return STORE_OK;
	}
	order->session.user = account.id;
	order->session.wants_totp = (account.flags & ACCOUNT_HAS_TOTP) && !order->code[0];
	if (!order->session.wants_totp)
		account.signed_in_ms = order->author.now_ms;
	result = account_put(txn, &account);
	explicit_bzero(&account, sizeof(account));
	if (result == STORE_OK)
		result = account_session_sweep(txn, 0, order->author.now_ms, NULL);
	if (result == STORE_OK)
		result = account_session_delete(txn, order->old);
	if (result == STORE_OK)
		result = account_session_put(txn, &order->session);
	if (result == STORE_OK && !order->session.wants_totp)
		result = call_audit(txn, &order->author, "session.begin", SLICE(""));
	return result;
}

static void wipe_login(struct call_order *base)
{
	struct login_order *order = container_of(base, struct login_order, base);

	explicit_bzero(order->cookie, sizeof(order->cookie));
	explicit_bzero(order->code, sizeof(order->code));
}

static struct login_order *new_order(struct call *call, struct slice email)
{
	struct login_order *order = calloc(1, sizeof(*order));
	struct account_session *session;

	if (!order) {
		call_refuse(call, 503, NULL, "no memory");
		return NULL;
	}
	session = &order->session;
	order->base.order.apply = apply_login;
	order->base.done = wipe_login;
	call_author(call, &order->author);
	slice_copy(order->email, sizeof(order->email), email);
	slice_copy(session->email, sizeof(session->email), email);
	slice_copy(session->address, sizeof(session->address), slice_of(order->author.from));
	slice_copy(session->agent, sizeof(session->agent),
		   scgi_head_find(&call->head, SLICE("HTTP_USER_AGENT")));
	snprintf(order->author.who, sizeof(order->author.who), "user %s", order->email);
	if (call->session.user != 0)
		memcpy(order->old, call->session.digest, SESSION_DIGEST);
	session_new(session->digest, order->cookie);
	session->made_ms = order->author.now_ms;
	session->seen_ms = order->author.now_ms;
	return order;
}

static void on_signed_in(struct call *call, struct call_order *base)
{
	const struct login_order *order = container_of(base, struct login_order, base);
	struct slice next = form_get(call->form, "next");

	if (!call_order_is_well(call, base))
		return;
	if (order->is_refused) {
		show_form(call, slice_of(order->email), next, &words[WRONG]);
		return;
	}
	session_set_cookie(call, order->cookie);
	if (order->session.wants_totp)
		CALL_REDIRECT(call, TONE_NEUTRAL, NULL, "/admin/login/code?next={}", next);
	else
		call_redirect_next(call, next);
}

static void on_password(struct call *call, const struct password_work *work)
{
	struct slice email = form_text(call->form, "email");
	struct login_order *order;

	if (work->verdict != PASSWORD_RIGHT) {
		log_warn("web", "a password was wrong", "peer=%.*s",
			 SLICE_FMT(doorkeeper_peer(call)));
		show_form(call, email, form_get(call->form, "next"), &words[WRONG]);
		return;
	}
	order = new_order(call, email);
	if (!order)
		return;
	order->base.answer = on_signed_in;
	call_give_order(call, &order->base);
}

void page_login_try(struct call *call)
{
	struct slice given = form_text(call->form, "email");
	struct account account = { .id = 0 };
	char bytes[ACCOUNT_EMAIL_MAX + 1];
	struct slice email = { bytes, given.len };
	enum store_result result;

	if (!slice_copy(bytes, sizeof(bytes), given)) {
		show_form(call, SLICE(""), form_get(call->form, "next"), &words[WRONG]);
		return;
	}
	/* Guesses are counted by account, however it is written. */
	ascii_lower_in_place(bytes, email.len);
	if (!doorkeeper_lets(call->web->doorkeeper, call, email)) {
		show_form(call, given, form_get(call->form, "next"), &words[LATER]);
		return;
	}
	result = audience_begin_read(call->web->reader);
	if (result == STORE_OK)
		result = account_get(call->web->reader, email, &account);
	audience_abort(call->web->reader);
	if (result != STORE_OK && result != STORE_NOT_FOUND) {
		call_refuse(call, 503, NULL, "accounts cannot be read");
		return;
	}
	if (result != STORE_OK || (account.flags & (ACCOUNT_IS_BLOCKED | ACCOUNT_IS_INVITED)))
		account.password[0] = '\0';
	password_check(call, form_get(call->form, "password"), account.password, email,
		       on_password);
	explicit_bzero(&account, sizeof(account));
}

/* ---- the code ---- */

static void show_code(struct call *call, struct slice next, const struct words *problem)
{
	struct page page;

	page_begin(&page, call, &(struct page_head){ .title = &words[CODE_TITLE] });
	if (problem)
		page_message(&page, TONE_BAD, problem);
	PAGE_HTML(&page, "<div class=\"card\">");
	PAGE_FORM(&page, "/admin/login/code");
	page_hidden(&page, "next", next);
	page_field(&page, &(struct page_field){ .name = "code",
						.label = &words[CODE],
						.hint = &words[CODE_HINT],
						.autocomplete = "one-time-code",
						.length_max = TOTP_TEXT_MAX,
						.is_required = true,
						.has_focus = true });
	page_submit(&page, TONE_GOOD, &words[GO_ON]);
	page_form_end(&page);
	PAGE_HTML(&page, "</div>");
	page_end(&page, problem ? 422 : 200);
}

static bool is_half_way(struct call *call)
{
	if (call->session.user != 0 && call->session.wants_totp)
		return true;
	call_redirect_next(call, SLICE("/admin"));
	return false;
}

void page_code(struct call *call)
{
	if (is_half_way(call))
		show_code(call, call_query(call, "next"), NULL);
}

static void on_code(struct call *call, struct call_order *base)
{
	const struct login_order *order = container_of(base, struct login_order, base);
	struct slice next = form_get(call->form, "next");

	if (!call_order_is_well(call, base))
		return;
	if (order->is_refused) {
		doorkeeper_fail(call->web->doorkeeper, doorkeeper_peer(call),
				slice_of(order->email));
		show_code(call, next, &words[CODE_WRONG]);
		return;
	}
	session_set_cookie(call, order->cookie);
	call_redirect_next(call, next);
}

void page_code_try(struct call *call)
{
	struct slice code = form_text(call->form, "code");
	struct slice next = form_get(call->form, "next");
	struct login_order *order;

	if (!is_half_way(call))
		return;
	if (!doorkeeper_lets(call->web->doorkeeper, call, slice_of(call->session.email))) {
		show_code(call, next, &words[LATER]);
		return;
	}
	if (code.len == 0 || code.len > TOTP_TEXT_MAX) {
		show_code(call, next, &words[CODE_WRONG]);
		return;
	}
	order = new_order(call, slice_of(call->session.email));
	if (!order)
		return;
	slice_copy(order->code, sizeof(order->code), code);
	order->base.answer = on_code;
	call_give_order(call, &order->base);
}

/* ---- the end, and how pages look ---- */

struct logout_order {
	struct call_order base;
	u8 digest[SESSION_DIGEST];
};

static enum store_result apply_logout(struct scribe_order *scribe_order, struct audience_txn *txn)
{
	struct logout_order *order = container_of(scribe_order, struct logout_order, base.order);

	return account_session_delete(txn, order->digest);
}

static void on_signed_out(struct call *call, struct call_order *base)
{
	if (!call_order_is_well(call, base))
		return;
	session_set_cookie(call, "");
	CALL_REDIRECT(call, TONE_GOOD, &words[SIGNED_OUT], "/admin/login");
}

void page_logout(struct call *call)
{
	struct logout_order *order = calloc(1, sizeof(*order));

	if (!order) {
		call_refuse(call, 503, NULL, "no memory");
		return;
	}
	order->base.order.apply = apply_logout;
	order->base.answer = on_signed_out;
	memcpy(order->digest, call->session.digest, SESSION_DIGEST);
	call_give_order(call, &order->base);
}

static void keep_choice(struct call *call, const char *name, const char *const *allowed)
{
	struct slice value = form_get(call->form, name);

	for (; *allowed; allowed++) {
		if (!slice_equal(value, slice_of(*allowed)))
			continue;
		buf_add_format(&call->answer_head,
			       "Set-Cookie: %s=%s; Path=/; Secure; HttpOnly; SameSite=Lax; "
			       "Max-Age=34560000\r\n",
			       name, *allowed);
	}
}

void page_look(struct call *call)
{
	static const char *const themes[] = { "auto", "light", "dark", NULL };
	static const char *const languages[] = { "en", "ja", NULL };

	keep_choice(call, "theme", themes);
	keep_choice(call, "language", languages);
	call_redirect_next(call, form_get(call->form, "next"));
}
