/*
 * How the first person gets into the pages, and who has lost his way back: `hikyaku web-user add`
 * prints a link with a token of 256 random bits and leaves its digest in a file, `hikyaku web`
 * takes whoever comes by that link and lets him choose a password. A line is
 *
 *   SHA256 EMAIL ROLE UNTIL
 *
 * with single spaces: hex, lower case, owner|editor|viewer, milliseconds of the wall clock. Lines
 * that are over go when one is added.
 */
#ifndef BASE_INVITATION_H
#define BASE_INVITATION_H

#include "base/crypto.h"
#include "base/error.h"
#include "base/types.h"

#define INVITATION_TOKEN_SIZE 53 /* base32 of 32 bytes, and a NUL */
#define INVITATION_AGE_MS (7 * 24 * 3600 * 1000ull)

enum invitation_role { INVITATION_VIEWER = 1, INVITATION_EDITOR, INVITATION_OWNER };
extern const char *const invitation_role_names[4]; /* by number; the first one is none */

struct invitation {
	char email[255]; /* lower case */
	enum invitation_role role;
	u64 until_ms;
	u8 digest[SHA256_SIZE];
};

/* Makes a token, and its digest. */
void invitation_make(char token[INVITATION_TOKEN_SIZE], u8 digest[SHA256_SIZE]);
void invitation_digest(struct slice token, u8 digest[SHA256_SIZE]);
/* Adds one to the file; mode 0640, as the file of keys. */
bool invitation_add(const char *path, const struct invitation *invitation, u64 now_ms,
		    struct error *error) MUST_CHECK;
/* The one with that token that counts by now_ms. False: there is none, or no such file. */
bool invitation_find(const char *path, struct slice token, u64 now_ms,
		     struct invitation *invitation) MUST_CHECK;

#endif
