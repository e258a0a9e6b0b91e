/*
 * The secrets of a hook: a file with one or more lines "whsec_" and base64 (Standard Webhooks), 24
 * to 64 bytes each. Every one of them signs, so that a receiver can change from one to the next at
 * a time of its own: the new line is added, the receiver changes, the old line goes.
 */
#ifndef HOOK_SECRET_H
#define HOOK_SECRET_H

#include "base/error.h"
#include "base/types.h"

#define HOOK_SECRETS_MAX 4
#define HOOK_SECRET_MIN 24
#define HOOK_SECRET_MAX 64

struct hook_secrets {
	size_t count; /* at least 1 */
	size_t sizes[HOOK_SECRETS_MAX];
	u8 bytes[HOOK_SECRETS_MAX][HOOK_SECRET_MAX];
};

/*
 * False and a sentence, without the file's name. Empty lines and those that begin with # are none.
 */
bool hook_secrets_parse(struct hook_secrets *secrets, struct slice text,
			struct error *error) MUST_CHECK;
/* Reads the file; one that is not there is made, readable by its owner alone, with a secret. */
bool hook_secrets_load(struct hook_secrets *secrets, const char *path, bool *is_new,
		       struct error *error) MUST_CHECK;

#endif
