#include "web/session.h"

#include "base/clock.h"
#include "base/crypto.h"
#include "base/log.h"
#include "base/random.h"
#include "base/text.h"
#include "web/call.h"
#include "web/setting.h"

#include <stdio.h>
#include <stdlib.h>

#define TOUCH_MS (5 * 60 * 1000ull) /* how stale the time may be at which a session was seen */

struct slice call_cookie(const struct call *call, const char *name)
{
	struct slice rest = scgi_head_find(&call->head, SLICE("HTTP_COOKIE"));

	while (rest.ptr) {
		struct slice value = slice_trim(slice_split(&rest, ';'));
		struct slice given = slice_split(&value, '=');

		if (value.ptr && slice_equal(given, slice_of(name)))
			return value;
	}
	return SLICE_NONE;
}

void session_digest(struct slice cookie, u8 digest[SESSION_DIGEST])
{
	u8 whole[SHA256_SIZE];
	struct sha256 hash;

	sha256_init(&hash);
	sha256_add(&hash, cookie.ptr, cookie.len);
	sha256_finish(&hash, whole);
	memcpy(digest, whole, SESSION_DIGEST);
}

/* From the cookie and a word, by a one-way function: knowing it does not help to the cookie. */
static void make_token(struct slice cookie, char token[SESSION_TOKEN_SIZE])
{
	u8 mac[SHA256_SIZE];

	hmac_sha256(mac, cookie.ptr, cookie.len, "form", 4);
	hex_encode(token, mac, (SESSION_TOKEN_SIZE - 1) / 2);
	token[SESSION_TOKEN_SIZE - 1] = '\0';
}

static void fill_in(struct web_session *out, const struct account_session *session,
		    const struct account *user)
{
	out->user = user->id;
	out->role = user->role;
	out->rights = user->flags;
	out->wants_totp = session->wants_totp;
	out->language = user->language;
	out->seen_ms = session->seen_ms;
	slice_copy(out->email, sizeof(out->email), slice_of(user->email));
	slice_copy(out->name, sizeof(out->name), slice_of(user->name));
}

static enum store_result read_store(struct call *call, u64 now_ms)
{
	struct audience_txn *txn = call->web->reader;
	struct account_session session;
	struct account user;
	enum store_result result =
		account_session_get(txn, call->session.digest, now_ms, &session);

	if (result == STORE_OK)
		result = account_get(txn, slice_of(session.email), &user);
	if (result == STORE_OK && user.id == session.user && !(user.flags & ACCOUNT_IS_BLOCKED))
		fill_in(&call->session, &session, &user);
	explicit_bzero(&user, sizeof(user));
	return result;
}

/* ---- that it was seen ---- */

struct touch {
	struct scribe_order order;
	u8 digest[SESSION_DIGEST];
	u64 now_ms;
};

static enum store_result apply_touch(struct scribe_order *order, struct audience_txn *txn)
{
	struct touch *touch = container_of(order, struct touch, order);
	struct account_session session;
	enum store_result result = account_session_get(txn, touch->digest, touch->now_ms, &session);

	if (result == STORE_OK) {
		session.seen_ms = touch->now_ms;
		return account_session_put(txn, &session);
	}
	return result == STORE_NOT_FOUND ? STORE_OK : result;
}

static void touch_done(struct scribe_order *order)
{
	if (order->result != STORE_OK)
		log_warn("web", "that a session was seen is not kept", "why=%s", order->error.text);
	free(container_of(order, struct touch, order));
}

/* Now and then; what cannot be noted now is noted by the next call. */
static void touch(struct call *call, u64 now_ms)
{
	struct touch *it;

	/* A page that keeps itself up to date is nobody who is there. */
	if (call->session.seen_ms + TOUCH_MS > now_ms ||
	    scgi_head_find(&call->head, SLICE("HTTP_X_REFRESH")).ptr)
		return;
	it = calloc(1, sizeof(*it));
	if (!it)
		return;
	it->order.apply = apply_touch;
	it->order.done = touch_done;
	memcpy(it->digest, call->session.digest, SESSION_DIGEST);
	it->now_ms = now_ms;
	scribe_give(&call->web->desk, &it->order);
}

void session_new(u8 digest[SESSION_DIGEST], char cookie[SESSION_COOKIE_SIZE])
{
	u8 bytes[(SESSION_COOKIE_SIZE - 1) / 2];

	random_bytes(bytes, sizeof(bytes));
	hex_encode(cookie, bytes, sizeof(bytes));
	cookie[SESSION_COOKIE_SIZE - 1] = '\0';
	session_digest(slice_of(cookie), digest);
	explicit_bzero(bytes, sizeof(bytes));
}

void session_set_cookie(struct call *call, const char *cookie)
{
	buf_add_format(&call->answer_head,
		       "Set-Cookie: " SESSION_COOKIE
		       "=%s; Path=/; Secure; HttpOnly; SameSite=Lax%s\r\n",
		       cookie, cookie[0] ? "" : "; Max-Age=0");
}

bool session_load(struct call *call)
{
	struct slice cookie = call_cookie(call, SESSION_COOKIE);
	u64 now_ms = clock_wall_ms();
	enum store_result result;

	call->session = (struct web_session){ .user = 0 };
	result = audience_begin_read(call->web->reader);
	if (result != STORE_OK)
		return false;
	setting_zone(call->web->reader, &call->zone);
	if (cookie.len > 0) {
		session_digest(cookie, call->session.digest);
		result = read_store(call, now_ms);
	}
	audience_abort(call->web->reader);
	if (call->session.user != 0) {
		make_token(cookie, call->session.token);
		touch(call, now_ms);
	}
	return result == STORE_OK || result == STORE_NOT_FOUND;
}

void session_who(const struct call *call, char out[SESSION_WHO_SIZE])
{
	if (call->session.user != 0)
		snprintf(out, SESSION_WHO_SIZE, "user %s", call->session.email);
	else if (call->key.name[0])
		snprintf(out, SESSION_WHO_SIZE, "api %s", call->key.name);
	else
		snprintf(out, SESSION_WHO_SIZE, "nobody");
}

bool session_may_export(const struct call *call)
{
	const struct web_session *session = &call->session;

	return session->user != 0 && (session->role == ACCOUNT_OWNER ||
				      (session->role == ACCOUNT_EDITOR &&
				       (session->rights & ACCOUNT_MAY_EXPORT) != 0));
}

enum language call_language(const struct call *call)
{
	enum language language;

	if (language_of_code(call_cookie(call, "language"), &language))
		return language;
	if (call->session.language > 0 && call->session.language <= LANGUAGES)
		return (enum language)(call->session.language - 1);
	return language_wanted(scgi_head_find(&call->head, SLICE("HTTP_ACCEPT_LANGUAGE")));
}
