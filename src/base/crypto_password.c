/*
 * Passwords as they are kept: scrypt (RFC 7914), whose cost in memory is what makes guessing from a
 * stolen file dear. The text is that of other programs: $scrypt$ln=15,r=8,p=1$SALT$HASH.
 */
#include "base/crypto.h"

#include "base/random.h"
#include "base/text.h"

#include <string.h>

#include <openssl/crypto.h>
#include <openssl/evp.h>

#define COST_LN 15 /* N = 2^15 with r = 8: 32 MiB, about 80 ms */
#define COST_R 8
#define COST_P 1
#define SALT_SIZE 16
#define HASH_SIZE 32
/* What is still verified: a file may come from elsewhere, but nobody's hour is spent on it. */
#define LN_MAX 17
#define R_MAX 16
#define P_MAX 16
#define BYTES_MAX 64 /* of salt and hash */

struct kept {
	u64 n;
	u32 r;
	u32 p;
	u8 salt[BYTES_MAX];
	size_t salt_len;
	u8 hash[BYTES_MAX];
	size_t hash_len;
};

static bool derive(const struct kept *kept, struct slice password, u8 *out, size_t len)
{
	u64 memory = 128ull * kept->r * (kept->n + kept->p) + (1u << 20);

	return EVP_PBE_scrypt(password.ptr ? password.ptr : "", password.len, kept->salt,
			      kept->salt_len, kept->n, kept->r, kept->p, memory, out, len) == 1;
}

/* Base64 without the padding at its end. */
static void add_bytes(struct buf *out, const u8 *bytes, size_t len)
{
	char text[(BYTES_MAX + 2) / 3 * 4];
	size_t n = base64_encode(text, bytes, len);

	while (n > 0 && text[n - 1] == '=')
		n--;
	buf_add(out, text, n);
}

static bool read_bytes(struct slice text, u8 bytes[BYTES_MAX], size_t *len)
{
	char padded[(BYTES_MAX + 2) / 3 * 4];
	size_t size = (text.len + 3) / 4 * 4;

	if (text.len == 0 || size > sizeof(padded))
		return false;
	memset(padded, '=', sizeof(padded));
	memcpy(padded, text.ptr, text.len);
	return base64_decode(bytes, BYTES_MAX, len, (struct slice){ padded, size });
}

static bool read_number(struct slice *rest, struct slice name, u32 max, u32 *out)
{
	struct slice item = slice_split(rest, ',');

	return slice_has_prefix(item, name) && slice_to_u32(slice_from(item, name.len), out) &&
	       *out >= 1 && *out <= max;
}

static bool read_kept(struct kept *kept, struct slice text)
{
	struct slice costs;
	u32 ln;

	if (!slice_has_prefix(text, SLICE("$scrypt$")))
		return false;
	text = slice_from(text, strlen("$scrypt$"));
	costs = slice_split(&text, '$');
	if (!read_number(&costs, SLICE("ln="), LN_MAX, &ln) ||
	    !read_number(&costs, SLICE("r="), R_MAX, &kept->r) ||
	    !read_number(&costs, SLICE("p="), P_MAX, &kept->p) || costs.ptr)
		return false;
	kept->n = 1ull << ln;
	return read_bytes(slice_split(&text, '$'), kept->salt, &kept->salt_len) &&
	       read_bytes(text, kept->hash, &kept->hash_len) && kept->hash_len >= SHA256_SIZE / 2;
}

bool crypto_password_keep(struct slice password, struct buf *out)
{
	struct kept kept = { .n = 1ull << COST_LN, .r = COST_R, .p = COST_P };

	kept.salt_len = SALT_SIZE;
	random_bytes(kept.salt, SALT_SIZE);
	if (!derive(&kept, password, kept.hash, HASH_SIZE))
		return false;
	buf_add_format(out, "$scrypt$ln=%u,r=%u,p=%u$", COST_LN, COST_R, COST_P);
	add_bytes(out, kept.salt, SALT_SIZE);
	buf_add_char(out, '$');
	add_bytes(out, kept.hash, HASH_SIZE);
	OPENSSL_cleanse(&kept, sizeof(kept));
	return !out->failed;
}

bool crypto_password_is_kept(struct slice kept)
{
	struct kept read;

	return read_kept(&read, kept);
}

enum crypto_password crypto_password_check(struct slice kept_text, struct slice password)
{
	struct kept kept;
	u8 hash[BYTES_MAX];
	bool is_equal;

	if (!read_kept(&kept, kept_text))
		return CRYPTO_PASSWORD_WRONG;
	if (!derive(&kept, password, hash, kept.hash_len))
		return CRYPTO_PASSWORD_NO_MEMORY;
	is_equal = crypto_equal(hash, kept.hash, kept.hash_len);
	OPENSSL_cleanse(hash, sizeof(hash));
	return is_equal ? CRYPTO_PASSWORD_RIGHT : CRYPTO_PASSWORD_WRONG;
}
