#include "hook/secret.h"

#include "base/crypto.h"
#include "base/durable.h"
#include "base/file.h"
#include "base/random.h"
#include "base/text.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PREFIX SLICE("whsec_")
#define FILE_MAX 4096 /* bytes */
#define NEW_SIZE 32   /* bytes of a secret that is made */

static bool take_line(struct hook_secrets *secrets, struct slice line, struct error *error)
{
	u8 *bytes;
	size_t *size;

	if (secrets->count >= HOOK_SECRETS_MAX)
		return error_set(error, "more than %d secrets", HOOK_SECRETS_MAX);
	bytes = secrets->bytes[secrets->count];
	size = &secrets->sizes[secrets->count];
	if (!slice_has_prefix(line, PREFIX) ||
	    !base64_decode(bytes, HOOK_SECRET_MAX, size, slice_from(line, PREFIX.len)) ||
	    *size < HOOK_SECRET_MIN)
		return error_set(error,
				 "a line is not \"whsec_\" and the base64 of %d to %d bytes",
				 HOOK_SECRET_MIN, HOOK_SECRET_MAX);
	secrets->count++;
	return true;
}

bool hook_secrets_parse(struct hook_secrets *secrets, struct slice text, struct error *error)
{
	*secrets = (struct hook_secrets){ 0 };
	while (text.ptr) {
		struct slice line = slice_split(&text, '\n');

		if (line.len > 0 && line.ptr[line.len - 1] == '\r')
			line.len--;
		line = slice_trim(line);
		if (line.len == 0 || line.ptr[0] == '#')
			continue;
		if (!take_line(secrets, line, error))
			return false;
	}
	return secrets->count > 0 || error_set(error, "there is no secret in it");
}

static bool make_file(const char *path, struct error *error)
{
	u8 bytes[NEW_SIZE];
	char text[128];
	size_t len;

	random_bytes(bytes, sizeof(bytes));
	len = (size_t)snprintf(text, sizeof(text), "%.*s", SLICE_FMT(PREFIX));
	len += base64_encode(text + len, bytes, sizeof(bytes));
	text[len++] = '\n';
	return durable_create(path, (struct slice){ text, len }, error);
}

bool hook_secrets_load(struct hook_secrets *secrets, const char *path, bool *is_new,
		       struct error *error)
{
	struct slice text;
	bool done;

	*is_new = false;
	if (!file_read(path, FILE_MAX, &text, error)) {
		if (errno != ENOENT || !make_file(path, error) ||
		    !file_read(path, FILE_MAX, &text, error))
			return false;
		*is_new = true;
	}
	done = text.len <= FILE_MAX ? hook_secrets_parse(secrets, text, error) :
				      error_set(error, "it is too long");
	free((char *)text.ptr);
	return done || error_prefix(error, "%s", path);
}
