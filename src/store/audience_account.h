/*
 * People who sign in to the pages, and their sessions. A user is found by the e-mail address that
 * he signs in with, in lower case. Of a session only a digest of its cookie is kept; it ends when
 * it was idle for SESSION_IDLE_MS or is SESSION_AGE_MS old, whoever looks.
 */
#ifndef STORE_AUDIENCE_ACCOUNT_H
#define STORE_AUDIENCE_ACCOUNT_H

#include "store/audience.h"

#define ACCOUNT_EMAIL_MAX 254
#define ACCOUNT_NAME_MAX 100
#define ACCOUNT_PASSWORD_MAX 192 /* base/crypto.h CRYPTO_PASSWORD_TEXT */
#define ACCOUNT_SECRET_MAX 32 /* of codes by time (RFC 6238) */
#define ACCOUNT_RECOVERY_CODES 10
#define ACCOUNT_RECOVERY_DIGEST 16
#define ACCOUNTS_MAX 1000

#define SESSION_DIGEST 16
#define SESSION_IDLE_MS (12 * 3600 * 1000ull)
#define SESSION_AGE_MS (7 * 24 * 3600 * 1000ull)
#define SESSION_AGENT_MAX 200
#define SESSION_ADDRESS_MAX 64

enum account_role { ACCOUNT_VIEWER = 1, ACCOUNT_EDITOR, ACCOUNT_OWNER };

enum account_flag {
	ACCOUNT_MAY_EXPORT = 1, /* personal data; an owner may always */
	ACCOUNT_IS_BLOCKED = 2, /* does not get in */
	ACCOUNT_HAS_TOTP = 4,   /* codes by time are asked for */
	ACCOUNT_IS_INVITED = 8, /* has no password yet: a link for choosing one was given out */
};

struct account {
	u32 id;
	enum account_role role;
	u32 flags;
	u8 language; /* 0: as the browser wants; else enum language plus one */
	u64 made_ms;
	u64 signed_in_ms; /* last time; 0: never */
	u64 totp_step; /* the last one that was used: each counts once */
	char email[ACCOUNT_EMAIL_MAX + 1];
	char name[ACCOUNT_NAME_MAX + 1];
	char password[ACCOUNT_PASSWORD_MAX]; /* as crypto_password_keep made it */
	u8 secret[ACCOUNT_SECRET_MAX];
	u8 secret_len;
	u8 recovery_count;
	u8 recovery[ACCOUNT_RECOVERY_CODES][ACCOUNT_RECOVERY_DIGEST];
	u8 invitation[SESSION_DIGEST]; /* digest of the link's token, while invited */
	u64 invited_until_ms;
};

struct account_session {
	u8 digest[SESSION_DIGEST];
	u32 user;
	bool wants_totp; /* the password was right, the code lacks: it may do nothing else */
	u64 made_ms;
	u64 seen_ms; /* now and then, not at each call */
	char email[ACCOUNT_EMAIL_MAX + 1];
	char address[SESSION_ADDRESS_MAX + 1]; /* of the peer */
	char agent[SESSION_AGENT_MAX + 1];
};

/* By address, in any case. */
enum store_result account_get(struct audience_txn *txn, struct slice email,
			   struct account *account) MUST_CHECK;
enum store_result account_get_by_id(struct audience_txn *txn, u32 id,
				    struct account *account) MUST_CHECK;
/* The one behind `email` ("": the first), in their order. */
enum store_result account_after(struct audience_txn *txn, struct slice email,
			     struct account *account) MUST_CHECK;
/* Adds (id 0: it gets one) or replaces. The address is in lower case. */
enum store_result account_put(struct audience_txn *txn, struct account *account) MUST_CHECK;
/* With all sessions. */
enum store_result account_delete(struct audience_txn *txn,
				 const struct account *account) MUST_CHECK;
/* Owners that are not blocked: the last one has to stay. */
enum store_result account_count_owners(struct audience_txn *txn, u32 *count) MUST_CHECK;

/* NOT_FOUND also for one that has ended by now_ms. */
enum store_result account_session_get(struct audience_txn *txn, const u8 digest[SESSION_DIGEST],
				   u64 now_ms, struct account_session *session) MUST_CHECK;
enum store_result account_session_put(struct audience_txn *txn,
				   const struct account_session *session) MUST_CHECK;
/* One that is not there is fine. */
enum store_result account_session_delete(struct audience_txn *txn,
				      const u8 digest[SESSION_DIGEST]) MUST_CHECK;
/* The one behind that digest (zeros: the first), ended ones among them. */
enum store_result account_session_after(struct audience_txn *txn, const u8 digest[SESSION_DIGEST],
				     struct account_session *session) MUST_CHECK;
/* All of a user (0: of everybody) that end by now_ms; UINT64_MAX: all; `but` may be NULL. */
enum store_result account_session_sweep(struct audience_txn *txn, u32 user, u64 now_ms,
				     const u8 *but) MUST_CHECK;

#endif
