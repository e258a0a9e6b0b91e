/*
 * Keys of programs that use the interface of `hikyaku web`: a file with a line for each,
 *
 *   name scopes customer made sha256
 *
 * for instance "shop send,read example.jp 1780000000000 9f86d0...". Customer "-": every customer.
 * The key itself (API_KEY_PREFIX and 256 random bits) is shown once and kept nowhere: since nobody
 * can guess it, a plain hash is enough. Lines that begin with # are comments.
 */
#ifndef BASE_API_KEY_H
#define BASE_API_KEY_H

#include "base/buf.h"
#include "base/crypto.h"
#include "base/error.h"
#include "base/types.h"

#define API_KEY_PREFIX "hk_"
#define API_KEY_SIZE 64 /* bytes of a key's text with its NUL, at most */
#define API_KEYS_MAX 256
#define API_KEY_NAME_MAX 63
#define API_KEY_FILE_MAX (256u << 10) /* bytes */

enum api_scope {
	API_SCOPE_SEND = 1,  /* messages and campaigns, suppressing addresses */
	API_SCOPE_READ = 2,  /* what became of them; the list of suppressed addresses */
	API_SCOPE_ADMIN = 4, /* everything, starting and stopping of campaigns among it */
	API_SCOPE_CONTACTS = 8, /* contacts, lists, attributes; imports and exports of them */
};
#define API_SCOPES 4
extern const char *const api_scope_names[API_SCOPES + 1]; /* by bit, NULL at the end */

struct api_key {
	char name[API_KEY_NAME_MAX + 1]; /* letters, digits, - _ . */
	char customer[254];              /* domain; "": every customer */
	u32 scopes;                      /* enum api_scope */
	u64 made_ms;
	u8 digest[SHA256_SIZE];
};

struct api_keys {
	struct api_key keys[API_KEYS_MAX];
	size_t count;
};

/*
 * Reads the file; one that is not there has no keys. False: the sentence names file and line, errno
 * is 0 when the content is wrong.
 */
bool api_keys_read(struct api_keys *keys, const char *path, struct error *error) MUST_CHECK;
/* The same from memory; `name` stands for the file in errors. */
bool api_keys_parse(struct api_keys *keys, struct slice text, const char *name,
		    struct error *error) MUST_CHECK;
/*
 * Replaces the file, whole or not at all; mode 0640, since hashes are all that is in it and the
 * role that asks has a user of its own. Owner and group of a file that is there stay.
 */
bool api_keys_write(const struct api_keys *keys, const char *path, struct error *error) MUST_CHECK;

/*
 * Adds a key of this name; its text goes into `secret`, for once. False: the name is taken or not
 * allowed, or there are API_KEYS_MAX.
 */
bool api_keys_add(struct api_keys *keys, const struct api_key *wanted, char secret[API_KEY_SIZE],
		  struct error *error) MUST_CHECK;
/* False: there is no key of this name. */
bool api_keys_remove(struct api_keys *keys, struct slice name) MUST_CHECK;

/* The key with that text, or NULL. How long it takes does not depend on what is in the file. */
const struct api_key *api_keys_find(const struct api_keys *keys, struct slice secret);

/* "send,read" */
void api_scopes_format(u32 scopes, struct buf *out);

#endif
