#include "base/api_key.h"

#include "base/check.h"
#include "base/durable.h"
#include "base/file.h"
#include "base/random.h"
#include "base/text.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define SECRET_SIZE 32 /* random bytes of a key */
#define NO_CUSTOMER SLICE("-")

const char *const api_scope_names[API_SCOPES + 1] = { "send", "read", "admin", "contacts",
							      NULL };

void api_scopes_format(u32 scopes, struct buf *out)
{
	const char *comma = "";

	for (u32 i = 0; i < API_SCOPES; i++) {
		if (!(scopes >> i & 1))
			continue;
		buf_add_text(out, comma);
		buf_add_text(out, api_scope_names[i]);
		comma = ",";
	}
}

/* ---- reading ---- */

static bool parse_scopes(struct slice text, u32 *scopes)
{
	*scopes = 0;
	while (text.ptr) {
		struct slice word = slice_split(&text, ',');
		u32 i = 0;

		while (i < API_SCOPES && !slice_equal(word, slice_of(api_scope_names[i])))
			i++;
		if (i == API_SCOPES)
			return false;
		*scopes |= 1u << i;
	}
	return true;
}

static bool is_name(struct slice name)
{
	for (size_t i = 0; i < name.len; i++) {
		char c = name.ptr[i];

		if (!ascii_is_alpha(c) && !ascii_is_digit(c) && c != '-' && c != '_' && c != '.')
			return false;
	}
	return name.len > 0 && name.len <= API_KEY_NAME_MAX;
}

static const struct api_key *find_name(const struct api_keys *keys, struct slice name)
{
	for (size_t i = 0; i < keys->count; i++) {
		if (slice_equal(slice_of(keys->keys[i].name), name))
			return &keys->keys[i];
	}
	return NULL;
}

/* NULL, or what is wrong with the line. */
static const char *parse_line(struct api_keys *keys, struct slice line)
{
	struct api_key *key = &keys->keys[keys->count];
	struct slice name = slice_split(&line, ' ');
	struct slice scopes = slice_split(&line, ' ');
	struct slice customer = slice_split(&line, ' ');
	struct slice made = slice_split(&line, ' ');
	struct slice digest = slice_split(&line, ' ');

	if (keys->count == API_KEYS_MAX)
		return "more keys than can be";
	if (!digest.ptr || line.ptr)
		return "not \"name scopes customer made sha256\"";
	if (!is_name(name) || find_name(keys, name))
		return "the name is not allowed, or there twice";
	if (!parse_scopes(scopes, &key->scopes))
		return "scopes are send, read, admin and contacts";
	if (slice_equal(customer, NO_CUSTOMER))
		customer = SLICE("");
	else if (customer.len == 0)
		return "no customer";
	if (!slice_copy(key->name, sizeof(key->name), name) ||
	    !slice_copy(key->customer, sizeof(key->customer), customer))
		return "a name is too long";
	if (!slice_to_u64(made, &key->made_ms) || !hex_decode(key->digest, SHA256_SIZE, digest))
		return "the time is no number, or the hash no SHA-256";
	keys->count++;
	return NULL;
}

bool api_keys_parse(struct api_keys *keys, struct slice text, const char *name, struct error *error)
{
	keys->count = 0;
	for (u32 number = 1; text.ptr; number++) {
		struct slice line = slice_split(&text, '\n');
		const char *why;

		if (line.len == 0 || line.ptr[0] == '#')
			continue;
		why = parse_line(keys, line);
		if (why) {
			keys->count = 0;
			errno = 0;
			return error_set(error, "%s:%u: %s", name, number, why);
		}
	}
	return true;
}

bool api_keys_read(struct api_keys *keys, const char *path, struct error *error)
{
	struct slice text;
	bool is_done;

	keys->count = 0;
	if (!file_read(path, API_KEY_FILE_MAX, &text, error))
		return errno == ENOENT;
	is_done = text.len <= API_KEY_FILE_MAX ? api_keys_parse(keys, text, path, error)
					       : error_set(error, "%s: too long", path);
	free((char *)text.ptr);
	return is_done;
}

/* ---- writing ---- */

bool api_keys_write(const struct api_keys *keys, const char *path, struct error *error)
{
	char hex[2 * SHA256_SIZE];
	struct buf text;
	bool is_done;

	buf_init(&text, API_KEY_FILE_MAX);
	for (size_t i = 0; i < keys->count; i++) {
		const struct api_key *key = &keys->keys[i];

		hex_encode(hex, key->digest, SHA256_SIZE);
		buf_add_format(&text, "%s ", key->name);
		api_scopes_format(key->scopes, &text);
		buf_add_format(&text, " %s %llu %.*s\n", key->customer[0] ? key->customer : "-",
			       (unsigned long long)key->made_ms, (int)sizeof(hex), hex);
	}
	is_done = text.failed ? error_set(error, "%s: too many keys", path)
			      : durable_replace(path, buf_slice(&text), 0640, error);
	buf_done(&text);
	return is_done;
}

static void digest_of(struct slice secret, u8 digest[SHA256_SIZE])
{
	struct sha256 hash;

	sha256_init(&hash);
	sha256_add(&hash, secret.ptr, secret.len);
	sha256_finish(&hash, digest);
}

bool api_keys_add(struct api_keys *keys, const struct api_key *wanted, char secret[API_KEY_SIZE],
		  struct error *error)
{
	const size_t prefix = sizeof(API_KEY_PREFIX) - 1;
	u8 bytes[SECRET_SIZE];
	struct api_key *key = &keys->keys[keys->count];
	size_t len;

	if (!is_name(slice_of(wanted->name)))
		return error_set(error, "a key's name has 1 to %d letters, digits, - _ and .",
				 API_KEY_NAME_MAX);
	if (find_name(keys, slice_of(wanted->name)))
		return error_set(error, "there is a key named %s already", wanted->name);
	if (keys->count == API_KEYS_MAX)
		return error_set(error, "there are %d keys already", API_KEYS_MAX);
	ASSERT(prefix + base32_length(SECRET_SIZE) < API_KEY_SIZE);
	random_bytes(bytes, sizeof(bytes));
	memcpy(secret, API_KEY_PREFIX, prefix);
	len = prefix + base32_encode(secret + prefix, bytes, sizeof(bytes));
	secret[len] = '\0';
	explicit_bzero(bytes, sizeof(bytes));
	*key = *wanted;
	digest_of((struct slice){ secret, len }, key->digest);
	keys->count++;
	return true;
}

bool api_keys_remove(struct api_keys *keys, struct slice name)
{
	const struct api_key *found = find_name(keys, name);
	size_t at;

	if (!found)
		return false;
	at = (size_t)(found - keys->keys);
	keys->count--;
	memmove(&keys->keys[at], &keys->keys[at + 1], (keys->count - at) * sizeof(*found));
	return true;
}

const struct api_key *api_keys_find(const struct api_keys *keys, struct slice secret)
{
	const struct api_key *found = NULL;
	u8 digest[SHA256_SIZE];

	digest_of(secret, digest);
	for (size_t i = 0; i < keys->count; i++) {
		if (crypto_equal(digest, keys->keys[i].digest, SHA256_SIZE))
			found = &keys->keys[i];
	}
	return found;
}
