/*
 * Who is signed in: the cookie of a browser, the user behind it, what he may. The cookie is 256
 * random bits; the store has a digest of it (store/audience_account.h). What forms carry so that no
 * other site can send them (CSRF) is made of the cookie, so it needs no memory.
 */
#ifndef WEB_SESSION_H
#define WEB_SESSION_H

#include "store/audience_account.h"
#include "web/words.h"

#define SESSION_COOKIE "__Host-session"
#define SESSION_TOKEN_SIZE 33 /* of the text that forms carry, with its NUL */

struct call;

struct web_session {
	u32 user; /* id; 0: nobody is signed in */
	enum account_role role;
	u32 rights; /* enum account_flag */
	bool wants_totp;
	char email[ACCOUNT_EMAIL_MAX + 1];
	char name[ACCOUNT_NAME_MAX + 1];
	u8 language; /* as struct account has it */
	u8 digest[SESSION_DIGEST];
	char token[SESSION_TOKEN_SIZE]; /* for forms */
	u64 seen_ms;
};

/* The value of a cookie of the request; SLICE_NONE: it brought none. */
struct slice call_cookie(const struct call *call, const char *name);
/*
 * Fills in call->session from the request's cookie; nobody's when there is none, or it has ended.
 * False: the store could not be read.
 */
bool session_load(struct call *call) MUST_CHECK;
/* What stands in the cookie, to what the store keeps. */
void session_digest(struct slice cookie, u8 digest[SESSION_DIGEST]);
/* A new cookie, and its digest. */
#define SESSION_COOKIE_SIZE 65 /* hex of 32 bytes, and a NUL */
void session_new(u8 digest[SESSION_DIGEST], char cookie[SESSION_COOKIE_SIZE]);
/* Gives it to the browser with the answer that is to come; "": takes it away. */
void session_set_cookie(struct call *call, const char *cookie);
/* "user mori@shop.example": for audit and history; "nobody" without a session. 300 bytes. */
#define SESSION_WHO_SIZE 300
void session_who(const struct call *call, char out[SESSION_WHO_SIZE]);
/* Whether he may hand out personal data. */
bool session_may_export(const struct call *call);
/* What was chosen in this browser, else the user's, else what the browser wants. */
enum language call_language(const struct call *call);

#endif
