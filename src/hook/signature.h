/*
 * The signature of a post as Standard Webhooks has it: HMAC-SHA256 over "id.timestamp.body".
 */
#ifndef HOOK_SIGNATURE_H
#define HOOK_SIGNATURE_H

#include "base/buf.h"
#include "hook/secret.h"

/*
 * Appends "v1,<base64>" for each secret, with a space between; out->failed says whether there was
 * no memory.
 */
void hook_sign(const struct hook_secrets *secrets, const char *id, u64 timestamp_s,
	       struct slice body, struct buf *out);

#endif
