/*
 * The page behind a link of an invitation: whoever has it chooses his password. The link comes from
 * an owner (page_users.c), or from the console of the host (base/invitation.h): that is how the
 * first owner gets in, and how one who has lost password or phone does again.
 */
#include "base/clock.h"
#include "base/invitation.h"
#include "base/text.h"
#include "web/page.h"
#include "web/password.h"

#include <stdio.h>
#include <stdlib.h>

enum word {
	TITLE,
	INTRODUCTION,
	NAME,
	PASSWORD,
	PASSWORD_HINT,
	AGAIN,
	SAVE,
	GONE,
	WEAK,
	DIFFERENT,
	DONE,
	WORD_COUNT,
};

static const struct words words[WORD_COUNT] = {
	[TITLE] = { { "Welcome", "ようこそ" } },
	[INTRODUCTION] = { { "Choose a password for {1}.",
			     "{1} のパスワードを設定してください。" } },
	[NAME] = { { "Your name", "お名前" } },
	[PASSWORD] = { { "New password", "新しいパスワード" } },
	[PASSWORD_HINT] = { { "At least 10 characters. Several words are easier to remember than"
			      " signs.",
			      "10文字以上。記号より、いくつかの単語を並べるほうが覚えやすくなります。" } },
	[AGAIN] = { { "The same once more", "新しいパスワード（確認）" } },
	[SAVE] = { { "Save", "保存" } },
	[GONE] = { { "This link was used already, or is too old. Ask for a new one.",
		     "このリンクは使用済みか、有効期限が切れています。"
		     "新しいリンクを依頼してください。" } },
	[WEAK] = { { "Too short, or too easy to guess.", "短すぎるか、推測されやすいパスワードです。" } },
	[DIFFERENT] = { { "This is not the same.", "パスワードが一致しません。" } },
	[DONE] = { { "Your password is set. Please sign in.",
		     "パスワードを設定しました。ログインしてください。" } },
};

/* Whom a link is for. */
struct guest {
	u8 digest[SESSION_DIGEST];
	char email[ACCOUNT_EMAIL_MAX + 1];
	char name[ACCOUNT_NAME_MAX + 1];
	enum account_role role; /* of one that the host's console invites */
	bool is_by_host;
};

/* By the account that it was made for, and not used. */
static enum store_result find_account(struct audience_txn *txn, struct guest *guest, u64 now_ms)
{
	struct account account;
	enum store_result result = account_after(txn, SLICE(""), &account);

	while (result == STORE_OK) {
		if (account.invited_until_ms > now_ms &&
		    memcmp(account.invitation, guest->digest, SESSION_DIGEST) == 0) {
			slice_copy(guest->email, sizeof(guest->email), slice_of(account.email));
			slice_copy(guest->name, sizeof(guest->name), slice_of(account.name));
			return STORE_OK;
		}
		result = account_after(txn, slice_of(account.email), &account);
	}
	return result;
}

/* By the host's file; used, when the account has its digest. */
static enum store_result find_by_host(struct call *call, struct guest *guest, u64 now_ms)
{
	struct invitation invitation;
	struct account account;
	enum store_result result;

	if (!invitation_find(call->web->config->web.invitations, slice_of(call->argument), now_ms,
			     &invitation))
		return STORE_NOT_FOUND;
	guest->is_by_host = true;
	guest->role = (enum account_role)invitation.role;
	slice_copy(guest->email, sizeof(guest->email), slice_of(invitation.email));
	result = account_get(call->web->reader, slice_of(guest->email), &account);
	if (result == STORE_NOT_FOUND)
		return STORE_OK;
	if (result != STORE_OK)
		return result;
	slice_copy(guest->name, sizeof(guest->name), slice_of(account.name));
	return memcmp(account.invitation, guest->digest, SESSION_DIGEST) == 0 ? STORE_NOT_FOUND
									       : STORE_OK;
}

static void show_gone(struct call *call)
{
	struct page page;

	page_begin(&page, call, &(struct page_head){ .title = &words[TITLE] });
	page_message(&page, TONE_BAD, &words[GONE]);
	page_end(&page, 404);
}

/* False: the call was answered. */
static bool find_guest(struct call *call, struct guest *guest)
{
	u8 whole[SHA256_SIZE];
	u64 now_ms = clock_wall_ms();
	enum store_result result = audience_begin_read(call->web->reader);

	*guest = (struct guest){ .is_by_host = false };
	invitation_digest(slice_of(call->argument), whole);
	memcpy(guest->digest, whole, SESSION_DIGEST);
	if (result == STORE_OK)
		result = find_account(call->web->reader, guest, now_ms);
	if (result == STORE_NOT_FOUND)
		result = find_by_host(call, guest, now_ms);
	audience_abort(call->web->reader);
	if (result == STORE_NOT_FOUND)
		show_gone(call);
	else if (result != STORE_OK)
		call_refuse(call, 503, NULL, "accounts cannot be read");
	return result == STORE_OK;
}

struct problems {
	const struct words *password;
	const struct words *again;
};

static void show_form(struct call *call, const struct guest *guest, struct problems problems)
{
	struct page page;

	page_begin(&page, call, &(struct page_head){ .title = &words[TITLE] });
	PAGE_HTML(&page, "<p>");
	PAGE_SENTENCE(&page, &words[INTRODUCTION], slice_of(guest->email));
	PAGE_HTML(&page, "</p><div class=\"card\">");
	PAGE_FORM(&page, "/admin/welcome/{}", slice_of(call->argument));
	page_field(&page, &(struct page_field){ .name = "name",
						.label = &words[NAME],
						.value = slice_of(guest->name),
						.autocomplete = "name",
						.length_max = ACCOUNT_NAME_MAX / 3 });
	page_field(&page, &(struct page_field){ .name = "password",
						.label = &words[PASSWORD],
						.hint = &words[PASSWORD_HINT],
						.error = problems.password,
						.type = "password",
						.autocomplete = "new-password",
						.is_required = true });
	page_field(&page, &(struct page_field){ .name = "again",
						.label = &words[AGAIN],
						.error = problems.again,
						.type = "password",
						.autocomplete = "new-password",
						.is_required = true });
	page_submit(&page, TONE_GOOD, &words[SAVE]);
	page_form_end(&page);
	PAGE_HTML(&page, "</div>");
	page_end(&page, problems.password || problems.again ? 422 : 200);
}

void page_welcome(struct call *call)
{
	struct guest guest;

	if (find_guest(call, &guest))
		show_form(call, &guest, (struct problems){ NULL, NULL });
}

/* ---- choosing ---- */

struct welcome_order {
	struct call_order base;
	struct call_author author;
	struct guest guest;
	char name[ACCOUNT_NAME_MAX + 1];
	char kept[CRYPTO_PASSWORD_TEXT];
	bool is_late; /* somebody else was first */
};

/* Who comes by the host's link has lost his way: codes are not asked of him any more. */
static void let_in(struct account *account, const struct guest *guest)
{
	account->role = guest->role;
	account->flags &= (u32) ~(ACCOUNT_IS_BLOCKED | ACCOUNT_HAS_TOTP);
	account->secret_len = 0;
	account->recovery_count = 0;
	memcpy(account->invitation, guest->digest, SESSION_DIGEST);
}

static enum store_result apply_welcome(struct scribe_order *scribe_order, struct audience_txn *txn)
{
	struct welcome_order *order =
		container_of(scribe_order, struct welcome_order, base.order);
	struct account account = { .made_ms = order->author.now_ms };
	enum store_result result = account_get(txn, slice_of(order->guest.email), &account);
	bool is_known = result == STORE_OK;
	bool is_same = is_known && memcmp(account.invitation, order->guest.digest,
					  SESSION_DIGEST) == 0;

	if (result != STORE_OK && result != STORE_NOT_FOUND)
		return result;
	order->is_late = order->guest.is_by_host ? is_same
						 : !is_same || account.invited_until_ms == 0;
	if (order->is_late)
		return STORE_OK;
	if (!is_known) {
		account = (struct account){ .made_ms = order->author.now_ms };
		slice_copy(account.email, sizeof(account.email), slice_of(order->guest.email));
	}
	if (order->guest.is_by_host)
		let_in(&account, &order->guest);
	account.invited_until_ms = 0;
	account.flags &= (u32)~ACCOUNT_IS_INVITED;
	slice_copy(account.name, sizeof(account.name), slice_of(order->name));
	slice_copy(account.password, sizeof(account.password), slice_of(order->kept));
	result = account_put(txn, &account);
	/* Whoever was signed in by the old password is not any more. */
	if (result == STORE_OK)
		result = account_session_sweep(txn, account.id, UINT64_MAX, NULL);
	if (result == STORE_OK)
		result = call_audit(txn, &order->author, "user.password", slice_of(account.email));
	explicit_bzero(&account, sizeof(account));
	return result;
}

static void on_written(struct call *call, struct call_order *base)
{
	const struct welcome_order *order = container_of(base, struct welcome_order, base);

	if (!call_order_is_well(call, base))
		return;
	if (order->is_late)
		show_gone(call);
	else
		CALL_REDIRECT(call, TONE_GOOD, &words[DONE], "/admin/login");
}

static void on_kept(struct call *call, const struct password_work *work)
{
	struct welcome_order *order = calloc(1, sizeof(*order));

	if (!order) {
		call_refuse(call, 503, NULL, "no memory");
		return;
	}
	if (!find_guest(call, &order->guest)) {
		free(order);
		return;
	}
	order->base.order.apply = apply_welcome;
	order->base.answer = on_written;
	call_author(call, &order->author);
	snprintf(order->author.who, sizeof(order->author.who), "user %s", order->guest.email);
	slice_copy(order->name, sizeof(order->name), form_text(call->form, "name"));
	slice_copy(order->kept, sizeof(order->kept), slice_of(work->kept));
	call_give_order(call, &order->base);
}

void page_welcome_take(struct call *call)
{
	struct slice password = form_get(call->form, "password");
	struct problems problems = { NULL, NULL };
	struct guest guest;

	if (!find_guest(call, &guest))
		return;
	if (!password_will_do(password, slice_of(guest.email)))
		problems.password = &words[WEAK];
	else if (!slice_equal(password, form_get(call->form, "again")))
		problems.again = &words[DIFFERENT];
	if (form_text(call->form, "name").len <= ACCOUNT_NAME_MAX)
		slice_copy(guest.name, sizeof(guest.name), form_text(call->form, "name"));
	if (problems.password || problems.again)
		show_form(call, &guest, problems);
	else
		password_make(call, password, on_kept);
}
