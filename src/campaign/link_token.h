/*
 * The tokens of links in mail: who the reader is and which campaign the mail was, signed, so that
 * nobody can make one up or use one for something else. They stand in every mail, so they are short
 * (about 30 characters), and they are read without looking anything up.
 *
 *   token   base64url of: purpose u4, key's number u2, expires u1, extra u1; campaign, contact and,
 *           when said, extra and expiry as varints; the first 16 bytes of the HMAC-SHA256 of all
 *           that under the key of its purpose
 *
 * Each purpose has a key of its own, made of a master key. Of the master keys the last four count:
 * a new one is made when the newest is LINK_KEY_AGE_MS old, so links of old mail go on to work for
 * three times that at least. No I/O here; the store keeps the keys as a setting.
 */
#ifndef CAMPAIGN_LINK_TOKEN_H
#define CAMPAIGN_LINK_TOKEN_H

#include "base/types.h"

enum link_purpose {
	LINK_TRACK = 1,	  /* /t/o/TOKEN and /t/c/TOKEN/N: opens and clicks */
	LINK_UNSUBSCRIBE, /* /u/TOKEN; extra: the list, 0: everything */
	LINK_PREFERENCES, /* /p/TOKEN */
	LINK_VIEW,	  /* /v/TOKEN: the mail in a browser */
	LINK_CONFIRM,	  /* /f/confirm/TOKEN; campaign: the form, extra: its request */
	LINK_ADDRESS,	  /* /p/address/TOKEN: another address; extra: a hash of it */
	LINK_FILL,	  /* a form that was shown; campaign: the form, extra: when, in seconds */
	LINK_UNDO,	  /* takes an unsubscription back; extra: the list, 0: everything */
	LINK_DATA,	  /* /p/data/TOKEN: all that is kept of somebody; by a mail to him alone */
	LINK_PURPOSES,
};

#define LINK_TOKEN_MAX 58 /* characters */
#define LINK_KEYS_MAX 4
#define LINK_KEY_SIZE 32
#define LINK_KEY_AGE_MS (180ull * 86400 * 1000)
#define LINK_KEYS_SETTING "link-keys" /* the audience's setting that holds them */
#define LINK_KEYS_RECORD_MAX (LINK_KEYS_MAX * (8 + LINK_KEY_SIZE))

/* Merge fields of a row that hold its tokens. */
#define LINK_FIELD_TRACK "hk_track"
#define LINK_FIELD_UNSUBSCRIBE "hk_unsubscribe"
#define LINK_FIELD_PREFERENCES "hk_preferences"
#define LINK_FIELD_VIEW "hk_view"

/* Secret; plain data, which threads may share as long as nobody changes it. */
struct link_keys {
	u32 count;  /* of master keys */
	u32 newest; /* index of the one that signs */
	u64 made_ms[LINK_KEYS_MAX];
	u8 masters[LINK_KEYS_MAX][LINK_KEY_SIZE];
	u8 derived[LINK_KEYS_MAX][LINK_PURPOSES][LINK_KEY_SIZE];
};

/* Reads what link_keys_write wrote. False: it is no such record. */
bool link_keys_read(struct link_keys *keys, struct slice record) MUST_CHECK;
/* Into LINK_KEYS_RECORD_MAX bytes; returns how many. */
size_t link_keys_write(const struct link_keys *keys, u8 *record);
/*
 * Takes a new master key from the system's randomness, in place of the oldest when there are four
 * already. `keys` is what was read, or all zero.
 */
void link_keys_renew(struct link_keys *keys, u64 now_ms);
/* Whether it is time for a new one; also when there is none. */
bool link_keys_are_old(const struct link_keys *keys, u64 now_ms);

struct link_token {
	enum link_purpose purpose;
	u32 campaign;
	u32 contact;
	u64 extra;     /* 0: none */
	u64 expires_s; /* seconds since 1970; 0: never */
};

/* Into LINK_TOKEN_MAX characters, without a NUL; returns how many. There is a key. */
size_t link_token_make(const struct link_keys *keys, const struct link_token *token,
		       char out[LINK_TOKEN_MAX]);
/*
 * False: not one of ours for that purpose, changed, or expired by then; nothing tells which, and
 * *token is not to be looked at.
 */
bool link_token_read(const struct link_keys *keys, enum link_purpose purpose, struct slice text,
		     u64 now_s, struct link_token *token) MUST_CHECK;

#endif
