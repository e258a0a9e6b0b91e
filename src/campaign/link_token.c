#include "campaign/link_token.h"

#include "base/base64url.h"
#include "base/check.h"
#include "base/crypto.h"
#include "base/random.h"

#include <string.h>

#define MAC_SIZE 16
#define FLAG_EXPIRES 2
#define FLAG_EXTRA 1
#define EXPIRY_MAX (1ull << 42) /* seconds: six bytes */
#define TOKEN_BYTES_MAX (1 + 5 + 5 + 10 + 6 + MAC_SIZE)
#define KEY_RECORD_SIZE (8 + LINK_KEY_SIZE)

_Static_assert(LINK_PURPOSES <= 16, "a purpose has four bits");
_Static_assert(BASE64URL_LENGTH(TOKEN_BYTES_MAX) == LINK_TOKEN_MAX, "a token fits its room");

/* ---- keys ---- */

static void derive(struct link_keys *keys, u32 index)
{
	for (u32 purpose = 1; purpose < LINK_PURPOSES; purpose++) {
		char label[] = "hikyaku link token 0";

		label[sizeof(label) - 2] = (char)('0' + purpose);
		hmac_sha256(keys->derived[index][purpose], keys->masters[index], LINK_KEY_SIZE,
			    label, sizeof(label) - 1);
	}
}

static u64 read_u64(const u8 *at)
{
	u64 value;

	memcpy(&value, at, sizeof(value));
	return __builtin_bswap64(value);
}

bool link_keys_read(struct link_keys *keys, struct slice record)
{
	const u8 *at = (const u8 *)record.ptr;

	*keys = (struct link_keys){ 0 };
	if (record.len == 0 || record.len % KEY_RECORD_SIZE != 0 ||
	    record.len > LINK_KEYS_RECORD_MAX)
		return false;
	keys->count = (u32)(record.len / KEY_RECORD_SIZE);
	for (u32 i = 0; i < keys->count; i++, at += KEY_RECORD_SIZE) {
		keys->made_ms[i] = read_u64(at);
		memcpy(keys->masters[i], at + 8, LINK_KEY_SIZE);
		derive(keys, i);
		if (keys->made_ms[i] >= keys->made_ms[keys->newest])
			keys->newest = i;
	}
	return true;
}

size_t link_keys_write(const struct link_keys *keys, u8 *record)
{
	for (u32 i = 0; i < keys->count; i++, record += KEY_RECORD_SIZE) {
		u64 made = __builtin_bswap64(keys->made_ms[i]);

		memcpy(record, &made, sizeof(made));
		memcpy(record + 8, keys->masters[i], LINK_KEY_SIZE);
	}
	return (size_t)keys->count * KEY_RECORD_SIZE;
}

void link_keys_renew(struct link_keys *keys, u64 now_ms)
{
	u64 last_ms = keys->count > 0 ? keys->made_ms[keys->newest] : 0;
	u32 index = keys->count;

	if (index == LINK_KEYS_MAX) {
		index = 0;
		for (u32 i = 1; i < LINK_KEYS_MAX; i++) {
			if (keys->made_ms[i] < keys->made_ms[index])
				index = i;
		}
	} else {
		keys->count++;
	}
	/* Their order is that of their times, whatever the clock says. */
	keys->made_ms[index] = max_u64(now_ms, last_ms + 1);
	keys->newest = index;
	random_bytes(keys->masters[index], LINK_KEY_SIZE);
	derive(keys, index);
}

bool link_keys_are_old(const struct link_keys *keys, u64 now_ms)
{
	return keys->count == 0 ||
	       (now_ms > keys->made_ms[keys->newest] &&
		now_ms - keys->made_ms[keys->newest] >= LINK_KEY_AGE_MS);
}

/* ---- tokens ---- */

static size_t put_varint(u8 *at, u64 value)
{
	size_t len = 0;

	for (; value >= 0x80; value >>= 7)
		at[len++] = (u8)(value | 0x80);
	at[len++] = (u8)value;
	return len;
}

/* False: it ends too early, or there is a shorter spelling. */
static bool take_varint(const u8 **at, const u8 *end, u64 max, u64 *value)
{
	*value = 0;
	for (u32 shift = 0; shift < 64 && *at < end; shift += 7) {
		u8 byte = *(*at)++;

		if (shift == 63 && byte > 1)
			return false;
		*value |= (u64)(byte & 0x7f) << shift;
		if (byte < 0x80)
			return (byte != 0 || shift == 0) && *value <= max;
	}
	return false;
}

static void sign(const struct link_keys *keys, u32 key, enum link_purpose purpose, const u8 *body,
		 size_t len, u8 mac[SHA256_SIZE])
{
	hmac_sha256(mac, keys->derived[key][purpose], LINK_KEY_SIZE, body, len);
}

size_t link_token_make(const struct link_keys *keys, const struct link_token *token,
		       char out[LINK_TOKEN_MAX])
{
	u8 mac[SHA256_SIZE];
	u8 bytes[TOKEN_BYTES_MAX];
	size_t len = 1;

	ASSERT(keys->count > 0 && token->purpose > 0 && token->purpose < LINK_PURPOSES);
	ASSERT(token->expires_s < EXPIRY_MAX);
	bytes[0] = (u8)((u32)token->purpose << 4 | keys->newest << 2 |
			(token->expires_s > 0 ? FLAG_EXPIRES : 0) |
			(token->extra > 0 ? FLAG_EXTRA : 0));
	len += put_varint(bytes + len, token->campaign);
	len += put_varint(bytes + len, token->contact);
	if (token->extra > 0)
		len += put_varint(bytes + len, token->extra);
	if (token->expires_s > 0)
		len += put_varint(bytes + len, token->expires_s);
	sign(keys, keys->newest, token->purpose, bytes, len, mac);
	memcpy(bytes + len, mac, MAC_SIZE);
	return base64url_encode(out, bytes, len + MAC_SIZE);
}

static bool read_body(struct link_token *token, const u8 *at, const u8 *end)
{
	u8 flags = *at++;
	u64 campaign;
	u64 contact;

	token->extra = 0;
	token->expires_s = 0;
	if (!take_varint(&at, end, UINT32_MAX, &campaign) ||
	    !take_varint(&at, end, UINT32_MAX, &contact))
		return false;
	token->campaign = (u32)campaign;
	token->contact = (u32)contact;
	if ((flags & FLAG_EXTRA) && !take_varint(&at, end, UINT64_MAX, &token->extra))
		return false;
	if ((flags & FLAG_EXPIRES) && !take_varint(&at, end, UINT64_MAX, &token->expires_s))
		return false;
	return at == end;
}

bool link_token_read(const struct link_keys *keys, enum link_purpose purpose, struct slice text,
		     u64 now_s, struct link_token *token)
{
	u8 mac[SHA256_SIZE];
	u8 bytes[TOKEN_BYTES_MAX];
	size_t len;
	u32 key;

	if (text.len > LINK_TOKEN_MAX || !base64url_decode(bytes, sizeof(bytes), &len, text) ||
	    len < MAC_SIZE + 3)
		return false;
	len -= MAC_SIZE;
	key = bytes[0] >> 2 & 3;
	if (bytes[0] >> 4 != (u8)purpose || key >= keys->count)
		return false;
	sign(keys, key, purpose, bytes, len, mac);
	if (!crypto_equal(mac, bytes + len, MAC_SIZE))
		return false;
	token->purpose = purpose;
	return read_body(token, bytes, bytes + len) &&
	       (token->expires_s == 0 || now_s < token->expires_s);
}
