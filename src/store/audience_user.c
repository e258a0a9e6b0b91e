#include "store/audience_user.h"

#include "base/check.h"
#include "base/text.h"
#include "store/audience_parts.h"

#define USER_VERSION 1
#define USER_RECORD_MAX 1200

static bool get_text(struct record_reader *r, char *out, size_t size)
{
	struct slice text = record_get_bytes(r, record_get_u8(r));

	return slice_copy(out, size, text);
}

static u8 *put_text(u8 *at, const char *text)
{
	struct slice bytes = slice_of(text);

	return record_put_bytes(record_put_u8(at, (u8)bytes.len), bytes);
}

static void get_into(struct record_reader *r, u8 *out, size_t len)
{
	struct slice bytes = record_get_bytes(r, len);

	if (bytes.len == len)
		memcpy(out, bytes.ptr, len);
}

static bool read_user(struct slice record, struct user *user)
{
	struct record_reader r = record_reader_of(record);
	u8 version = record_get_u8(&r);
	bool fits;

	*user = (struct user){ .id = record_get_u32(&r) };
	user->role = (enum user_role)record_get_u8(&r);
	user->flags = record_get_u32(&r);
	user->language = record_get_u8(&r);
	user->made_ms = record_get_u64(&r);
	user->signed_in_ms = record_get_u64(&r);
	user->totp_step = record_get_u64(&r);
	user->invited_until_ms = record_get_u64(&r);
	fits = get_text(&r, user->email, sizeof(user->email));
	fits = fits && get_text(&r, user->name, sizeof(user->name));
	fits = fits && get_text(&r, user->password, sizeof(user->password));
	user->secret_len = record_get_u8(&r);
	if (!fits || user->secret_len > USER_SECRET_MAX)
		return false;
	get_into(&r, user->secret, user->secret_len);
	user->recovery_count = record_get_u8(&r);
	if (user->recovery_count > USER_RECOVERY_CODES)
		return false;
	for (u32 i = 0; i < user->recovery_count; i++)
		get_into(&r, user->recovery[i], USER_RECOVERY_DIGEST);
	get_into(&r, user->invitation, SESSION_DIGEST);
	return !r.bad && version == USER_VERSION && user->role >= USER_VIEWER &&
	       user->role <= USER_OWNER;
}

static size_t write_user(u8 out[USER_RECORD_MAX], const struct user *user)
{
	u8 *at = record_put_u32(record_put_u8(out, USER_VERSION), user->id);

	at = record_put_u8(at, (u8)user->role);
	at = record_put_u32(at, user->flags);
	at = record_put_u8(at, user->language);
	at = record_put_u64(at, user->made_ms);
	at = record_put_u64(at, user->signed_in_ms);
	at = record_put_u64(at, user->totp_step);
	at = record_put_u64(at, user->invited_until_ms);
	at = put_text(put_text(put_text(at, user->email), user->name), user->password);
	at = record_put_u8(at, user->secret_len);
	at = record_put_bytes(at, env_key(user->secret, user->secret_len));
	at = record_put_u8(at, user->recovery_count);
	for (u32 i = 0; i < user->recovery_count; i++)
		at = record_put_bytes(at, env_key(user->recovery[i], USER_RECOVERY_DIGEST));
	at = record_put_bytes(at, env_key(user->invitation, SESSION_DIGEST));
	return (size_t)(at - out);
}

/* In lower case; empty: it cannot be the address of a user. */
static struct slice user_key(char key[USER_EMAIL_MAX + 1], struct slice email)
{
	if (!slice_copy(key, USER_EMAIL_MAX + 1, email))
		return SLICE("");
	ascii_lower_in_place(key, email.len);
	return (struct slice){ key, email.len };
}

enum store_result user_get(struct audience_txn *txn, struct slice email, struct user *user)
{
	char bytes[USER_EMAIL_MAX + 1];
	struct slice key = user_key(bytes, email);
	struct slice record;
	enum store_result result;

	if (key.len == 0)
		return STORE_NOT_FOUND;
	result = env_get(&txn->env, AUDIENCE_USER, key, &record);
	if (result == STORE_OK && !read_user(record, user))
		return env_damaged(&txn->env, AUDIENCE_USER, key);
	return result;
}

enum store_result user_after(struct audience_txn *txn, struct slice email, struct user *user)
{
	char bytes[USER_EMAIL_MAX + 1];
	struct slice found;
	struct slice record;
	/* No key is as short as that. */
	struct slice key = email.len > 0 ? user_key(bytes, email) : SLICE("\0");
	enum store_result result = env_after(&txn->env, AUDIENCE_USER, key, &found, &record);

	if (result == STORE_OK && !read_user(record, user))
		return env_damaged(&txn->env, AUDIENCE_USER, found);
	return result;
}

enum store_result user_get_by_id(struct audience_txn *txn, u32 id, struct user *user)
{
	enum store_result result = user_after(txn, SLICE(""), user);

	while (result == STORE_OK && user->id != id)
		result = user_after(txn, slice_of(user->email), user);
	return result;
}

enum store_result user_put(struct audience_txn *txn, struct user *user)
{
	u8 record[USER_RECORD_MAX];
	char bytes[USER_EMAIL_MAX + 1];
	struct slice key = user_key(bytes, slice_of(user->email));
	enum store_result result = STORE_OK;

	ASSERT(key.len > 0);
	if (user->id == 0)
		result = audience_next_id(txn, "user", &user->id);
	if (result == STORE_OK)
		result = env_put(&txn->env, AUDIENCE_USER, key,
				 env_key(record, write_user(record, user)));
	explicit_bzero(record, sizeof(record));
	return result;
}

enum store_result user_delete(struct audience_txn *txn, const struct user *user)
{
	enum store_result result = user_session_sweep(txn, user->id, UINT64_MAX, NULL);
	char bytes[USER_EMAIL_MAX + 1];

	return result == STORE_OK ? env_delete(&txn->env, AUDIENCE_USER,
					       user_key(bytes, slice_of(user->email)))
				  : result;
}

enum store_result user_count_owners(struct audience_txn *txn, u32 *count)
{
	struct user user;
	enum store_result result = user_after(txn, SLICE(""), &user);

	*count = 0;
	while (result == STORE_OK) {
		if (user.role == USER_OWNER && !(user.flags & USER_IS_BLOCKED))
			(*count)++;
		result = user_after(txn, slice_of(user.email), &user);
	}
	return result == STORE_NOT_FOUND ? STORE_OK : result;
}

/* ---- sessions ---- */

#define SESSION_VERSION 1
#define SESSION_RECORD_MAX (32 + USER_EMAIL_MAX + SESSION_ADDRESS_MAX + SESSION_AGENT_MAX)

static bool read_session(struct slice key, struct slice record, struct user_session *session)
{
	struct record_reader r = record_reader_of(record);
	u8 version = record_get_u8(&r);
	bool fits;

	if (key.len != SESSION_DIGEST)
		return false;
	*session = (struct user_session){ .user = record_get_u32(&r) };
	memcpy(session->digest, key.ptr, SESSION_DIGEST);
	session->wants_totp = record_get_u8(&r) != 0;
	session->made_ms = record_get_u64(&r);
	session->seen_ms = record_get_u64(&r);
	fits = get_text(&r, session->email, sizeof(session->email));
	fits = fits && get_text(&r, session->address, sizeof(session->address));
	fits = fits && get_text(&r, session->agent, sizeof(session->agent));
	return fits && !r.bad && version == SESSION_VERSION;
}

static bool has_ended(const struct user_session *session, u64 now_ms)
{
	return session->seen_ms + SESSION_IDLE_MS <= now_ms ||
	       session->made_ms + SESSION_AGE_MS <= now_ms;
}

enum store_result user_session_get(struct audience_txn *txn, const u8 digest[SESSION_DIGEST],
				   u64 now_ms, struct user_session *session)
{
	struct slice key = env_key(digest, SESSION_DIGEST);
	struct slice record;
	enum store_result result = env_get(&txn->env, AUDIENCE_SESSION, key, &record);

	if (result != STORE_OK)
		return result;
	if (!read_session(key, record, session))
		return env_damaged(&txn->env, AUDIENCE_SESSION, key);
	return has_ended(session, now_ms) ? STORE_NOT_FOUND : STORE_OK;
}

enum store_result user_session_put(struct audience_txn *txn, const struct user_session *session)
{
	u8 record[SESSION_RECORD_MAX];
	u8 *at = record_put_u32(record_put_u8(record, SESSION_VERSION), session->user);

	at = record_put_u8(at, session->wants_totp);
	at = record_put_u64(record_put_u64(at, session->made_ms), session->seen_ms);
	at = put_text(put_text(put_text(at, session->email), session->address), session->agent);
	return env_put(&txn->env, AUDIENCE_SESSION, env_key(session->digest, SESSION_DIGEST),
		       env_key(record, (size_t)(at - record)));
}

enum store_result user_session_delete(struct audience_txn *txn, const u8 digest[SESSION_DIGEST])
{
	enum store_result result =
		env_delete(&txn->env, AUDIENCE_SESSION, env_key(digest, SESSION_DIGEST));

	return result == STORE_NOT_FOUND ? STORE_OK : result;
}

enum store_result user_session_after(struct audience_txn *txn, const u8 digest[SESSION_DIGEST],
				     struct user_session *session)
{
	struct slice found;
	struct slice record;
	enum store_result result = env_after(&txn->env, AUDIENCE_SESSION,
					     env_key(digest, SESSION_DIGEST), &found, &record);

	if (result == STORE_OK && !read_session(found, record, session))
		return env_damaged(&txn->env, AUDIENCE_SESSION, found);
	return result;
}

enum store_result user_session_sweep(struct audience_txn *txn, u32 user, u64 now_ms, const u8 *but)
{
	struct user_session session = { .user = 0 };
	enum store_result result = user_session_after(txn, session.digest, &session);

	while (result == STORE_OK) {
		bool is_his = user == 0 || session.user == user;
		bool stays = but && memcmp(but, session.digest, SESSION_DIGEST) == 0;

		if (is_his && !stays && (now_ms == UINT64_MAX || has_ended(&session, now_ms)))
			result = user_session_delete(txn, session.digest);
		if (result == STORE_OK)
			result = user_session_after(txn, session.digest, &session);
	}
	return result == STORE_NOT_FOUND ? STORE_OK : result;
}
