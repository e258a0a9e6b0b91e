#include "store/audience_account.h"

#include "base/check.h"
#include "base/text.h"
#include "store/audience_parts.h"

#define ACCOUNT_VERSION 1
#define ACCOUNT_RECORD_MAX 1200

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

static bool read_account(struct slice record, struct account *account)
{
	struct record_reader r = record_reader_of(record);
	u8 version = record_get_u8(&r);
	bool fits;

	*account = (struct account){ .id = record_get_u32(&r) };
	account->role = (enum account_role)record_get_u8(&r);
	account->flags = record_get_u32(&r);
	account->language = record_get_u8(&r);
	account->made_ms = record_get_u64(&r);
	account->signed_in_ms = record_get_u64(&r);
	account->totp_step = record_get_u64(&r);
	account->invited_until_ms = record_get_u64(&r);
	fits = get_text(&r, account->email, sizeof(account->email));
	fits = fits && get_text(&r, account->name, sizeof(account->name));
	fits = fits && get_text(&r, account->password, sizeof(account->password));
	account->secret_len = record_get_u8(&r);
	if (!fits || account->secret_len > ACCOUNT_SECRET_MAX)
		return false;
	get_into(&r, account->secret, account->secret_len);
	account->recovery_count = record_get_u8(&r);
	if (account->recovery_count > ACCOUNT_RECOVERY_CODES)
		return false;
	for (u32 i = 0; i < account->recovery_count; i++)
		get_into(&r, account->recovery[i], ACCOUNT_RECOVERY_DIGEST);
	get_into(&r, account->invitation, SESSION_DIGEST);
	return !r.bad && version == ACCOUNT_VERSION && account->role >= ACCOUNT_VIEWER &&
	       account->role <= ACCOUNT_OWNER;
}

static size_t write_account(u8 out[ACCOUNT_RECORD_MAX], const struct account *account)
{
	u8 *at = record_put_u32(record_put_u8(out, ACCOUNT_VERSION), account->id);

	at = record_put_u8(at, (u8)account->role);
	at = record_put_u32(at, account->flags);
	at = record_put_u8(at, account->language);
	at = record_put_u64(at, account->made_ms);
	at = record_put_u64(at, account->signed_in_ms);
	at = record_put_u64(at, account->totp_step);
	at = record_put_u64(at, account->invited_until_ms);
	at = put_text(put_text(put_text(at, account->email), account->name), account->password);
	at = record_put_u8(at, account->secret_len);
	at = record_put_bytes(at, env_key(account->secret, account->secret_len));
	at = record_put_u8(at, account->recovery_count);
	for (u32 i = 0; i < account->recovery_count; i++)
		at = record_put_bytes(at, env_key(account->recovery[i], ACCOUNT_RECOVERY_DIGEST));
	at = record_put_bytes(at, env_key(account->invitation, SESSION_DIGEST));
	return (size_t)(at - out);
}

/* In lower case; empty: it cannot be the address of a user. */
static struct slice account_key(char key[ACCOUNT_EMAIL_MAX + 1], struct slice email)
{
	if (!slice_copy(key, ACCOUNT_EMAIL_MAX + 1, email))
		return SLICE("");
	ascii_lower_in_place(key, email.len);
	return (struct slice){ key, email.len };
}

enum store_result account_get(struct audience_txn *txn, struct slice email, struct account *account)
{
	char bytes[ACCOUNT_EMAIL_MAX + 1];
	struct slice key = account_key(bytes, email);
	struct slice record;
	enum store_result result;

	if (key.len == 0)
		return STORE_NOT_FOUND;
	result = env_get(&txn->env, AUDIENCE_USER, key, &record);
	if (result == STORE_OK && !read_account(record, account))
		return env_damaged(&txn->env, AUDIENCE_USER, key);
	return result;
}

enum store_result account_after(struct audience_txn *txn, struct slice email,
				struct account *account)
{
	char bytes[ACCOUNT_EMAIL_MAX + 1];
	struct slice found;
	struct slice record;
	/* No key is as short as that. */
	struct slice key = email.len > 0 ? account_key(bytes, email) : SLICE("\0");
	enum store_result result = env_after(&txn->env, AUDIENCE_USER, key, &found, &record);

	if (result == STORE_OK && !read_account(record, account))
		return env_damaged(&txn->env, AUDIENCE_USER, found);
	return result;
}

enum store_result account_get_by_id(struct audience_txn *txn, u32 id, struct account *account)
{
	enum store_result result = account_after(txn, SLICE(""), account);

	while (result == STORE_OK && account->id != id)
		result = account_after(txn, slice_of(account->email), account);
	return result;
}

enum store_result account_put(struct audience_txn *txn, struct account *account)
{
	u8 record[ACCOUNT_RECORD_MAX];
	char bytes[ACCOUNT_EMAIL_MAX + 1];
	struct slice key = account_key(bytes, slice_of(account->email));
	enum store_result result = STORE_OK;

	ASSERT(key.len > 0);
	if (account->id == 0)
		result = audience_next_id(txn, "user", &account->id);
	if (result == STORE_OK)
		result = env_put(&txn->env, AUDIENCE_USER, key,
				 env_key(record, write_account(record, account)));
	explicit_bzero(record, sizeof(record));
	return result;
}

enum store_result account_delete(struct audience_txn *txn, const struct account *account)
{
	enum store_result result = account_session_sweep(txn, account->id, UINT64_MAX, NULL);
	char bytes[ACCOUNT_EMAIL_MAX + 1];

	return result == STORE_OK ? env_delete(&txn->env, AUDIENCE_USER,
					       account_key(bytes, slice_of(account->email)))
				  : result;
}

enum store_result account_count_owners(struct audience_txn *txn, u32 *count)
{
	struct account account;
	enum store_result result = account_after(txn, SLICE(""), &account);

	*count = 0;
	while (result == STORE_OK) {
		if (account.role == ACCOUNT_OWNER && !(account.flags & ACCOUNT_IS_BLOCKED))
			(*count)++;
		result = account_after(txn, slice_of(account.email), &account);
	}
	return result == STORE_NOT_FOUND ? STORE_OK : result;
}

/* ---- sessions ---- */

#define SESSION_VERSION 1
#define SESSION_RECORD_MAX (32 + ACCOUNT_EMAIL_MAX + SESSION_ADDRESS_MAX + SESSION_AGENT_MAX)

static bool read_session(struct slice key, struct slice record, struct account_session *session)
{
	struct record_reader r = record_reader_of(record);
	u8 version = record_get_u8(&r);
	bool fits;

	if (key.len != SESSION_DIGEST)
		return false;
	*session = (struct account_session){ .user = record_get_u32(&r) };
	memcpy(session->digest, key.ptr, SESSION_DIGEST);
	session->wants_totp = record_get_u8(&r) != 0;
	session->made_ms = record_get_u64(&r);
	session->seen_ms = record_get_u64(&r);
	fits = get_text(&r, session->email, sizeof(session->email));
	fits = fits && get_text(&r, session->address, sizeof(session->address));
	fits = fits && get_text(&r, session->agent, sizeof(session->agent));
	return fits && !r.bad && version == SESSION_VERSION;
}

static bool has_ended(const struct account_session *session, u64 now_ms)
{
	return session->seen_ms + SESSION_IDLE_MS <= now_ms ||
	       session->made_ms + SESSION_AGE_MS <= now_ms;
}

enum store_result account_session_get(struct audience_txn *txn, const u8 digest[SESSION_DIGEST],
				   u64 now_ms, struct account_session *session)
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

enum store_result account_session_put(struct audience_txn *txn,
				      const struct account_session *session)
{
	u8 record[SESSION_RECORD_MAX];
	u8 *at = record_put_u32(record_put_u8(record, SESSION_VERSION), session->user);

	at = record_put_u8(at, session->wants_totp);
	at = record_put_u64(record_put_u64(at, session->made_ms), session->seen_ms);
	at = put_text(put_text(put_text(at, session->email), session->address), session->agent);
	return env_put(&txn->env, AUDIENCE_SESSION, env_key(session->digest, SESSION_DIGEST),
		       env_key(record, (size_t)(at - record)));
}

enum store_result account_session_delete(struct audience_txn *txn, const u8 digest[SESSION_DIGEST])
{
	enum store_result result =
		env_delete(&txn->env, AUDIENCE_SESSION, env_key(digest, SESSION_DIGEST));

	return result == STORE_NOT_FOUND ? STORE_OK : result;
}

enum store_result account_session_after(struct audience_txn *txn, const u8 digest[SESSION_DIGEST],
				     struct account_session *session)
{
	struct slice found;
	struct slice record;
	enum store_result result = env_after(&txn->env, AUDIENCE_SESSION,
					     env_key(digest, SESSION_DIGEST), &found, &record);

	if (result == STORE_OK && !read_session(found, record, session))
		return env_damaged(&txn->env, AUDIENCE_SESSION, found);
	return result;
}

enum store_result account_session_sweep(struct audience_txn *txn, u32 user, u64 now_ms,
					const u8 *but)
{
	struct account_session session = { .user = 0 };
	enum store_result result = account_session_after(txn, session.digest, &session);

	while (result == STORE_OK) {
		bool is_his = user == 0 || session.user == user;
		bool stays = but && memcmp(but, session.digest, SESSION_DIGEST) == 0;

		if (is_his && !stays && (now_ms == UINT64_MAX || has_ended(&session, now_ms)))
			result = account_session_delete(txn, session.digest);
		if (result == STORE_OK)
			result = account_session_after(txn, session.digest, &session);
	}
	return result == STORE_NOT_FOUND ? STORE_OK : result;
}
