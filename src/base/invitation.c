#include "base/invitation.h"

#include "base/durable.h"
#include "base/file.h"
#include "base/random.h"
#include "base/text.h"

#include <errno.h>
#include <stdlib.h>

#define FILE_MAX (64u << 10) /* bytes */
#define TOKEN_BYTES 32

const char *const invitation_role_names[4] = { "", "viewer", "editor", "owner" };

void invitation_digest(struct slice token, u8 digest[SHA256_SIZE])
{
	struct sha256 hash;

	sha256_init(&hash);
	sha256_add(&hash, token.ptr, token.len);
	sha256_finish(&hash, digest);
}

void invitation_make(char token[INVITATION_TOKEN_SIZE], u8 digest[SHA256_SIZE])
{
	u8 bytes[TOKEN_BYTES];
	size_t len;

	random_bytes(bytes, sizeof(bytes));
	len = base32_encode(token, bytes, sizeof(bytes));
	token[len] = '\0';
	explicit_bzero(bytes, sizeof(bytes));
	invitation_digest((struct slice){ token, len }, digest);
}

static bool read_line(struct slice line, struct invitation *invitation)
{
	struct slice hex = slice_split(&line, ' ');
	struct slice email = slice_split(&line, ' ');
	struct slice role = slice_split(&line, ' ');

	if (!hex_decode(invitation->digest, SHA256_SIZE, hex) || email.len == 0 ||
	    !slice_copy(invitation->email, sizeof(invitation->email), email) ||
	    !slice_to_u64(line, &invitation->until_ms))
		return false;
	for (u32 i = INVITATION_VIEWER; i <= INVITATION_OWNER; i++) {
		if (slice_equal(role, slice_of(invitation_role_names[i]))) {
			invitation->role = (enum invitation_role)i;
			return true;
		}
	}
	return false;
}

static void write_line(struct buf *out, const struct invitation *invitation)
{
	char hex[2 * SHA256_SIZE];

	hex_encode(hex, invitation->digest, SHA256_SIZE);
	buf_add_format(out, "%.*s %s %s %llu\n", (int)sizeof(hex), hex, invitation->email,
		       invitation_role_names[invitation->role],
		       (unsigned long long)invitation->until_ms);
}

bool invitation_add(const char *path, const struct invitation *added, u64 now_ms,
		    struct error *error)
{
	struct slice text = SLICE_NONE;
	struct slice rest;
	struct buf out;
	bool is_done;

	errno = 0;
	if (!file_read(path, FILE_MAX, &text, error) && errno != ENOENT)
		return false;
	buf_init(&out, FILE_MAX);
	rest = text;
	while (rest.ptr) {
		struct invitation known;

		if (read_line(slice_split(&rest, '\n'), &known) && known.until_ms > now_ms)
			write_line(&out, &known);
	}
	write_line(&out, added);
	is_done = out.failed ? error_set(error, "%s: too many invitations", path)
			     : durable_replace(path, buf_slice(&out), 0640, error);
	buf_done(&out);
	free((char *)(uintptr_t)text.ptr);
	return is_done;
}

bool invitation_find(const char *path, struct slice token, u64 now_ms,
		     struct invitation *invitation)
{
	u8 digest[SHA256_SIZE];
	struct slice text;
	struct slice rest;
	struct error ignored;
	bool is_found = false;

	if (!file_read(path, FILE_MAX, &text, &ignored))
		return false;
	invitation_digest(token, digest);
	rest = text;
	while (rest.ptr && !is_found)
		is_found = read_line(slice_split(&rest, '\n'), invitation) &&
			   invitation->until_ms > now_ms &&
			   crypto_equal(invitation->digest, digest, SHA256_SIZE);
	free((char *)(uintptr_t)text.ptr);
	return is_found;
}
