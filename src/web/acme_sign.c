#include "web/acme_sign.h"

#include "base/base64url.h"
#include "base/crypto.h"
#include "base/text.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#define HEAD_MAX 8192
#define NUMBER_TEXT 48 /* a coordinate in base64url, with a NUL */

void acme_base64(struct buf *out, const void *bytes, size_t len)
{
	char *at = buf_reserve(out, BASE64URL_LENGTH(len));

	if (at)
		buf_advance(out, base64url_encode(at, bytes, len));
}

bool acme_is_base64(struct slice text, size_t max)
{
	if (text.len == 0 || text.len > max)
		return false;
	for (size_t i = 0; i < text.len; i++) {
		char c = text.ptr[i];

		if (!ascii_is_alpha(c) && !ascii_is_digit(c) && c != '-' && c != '_')
			return false;
	}
	return true;
}

struct coordinates {
	char x[NUMBER_TEXT];
	char y[NUMBER_TEXT];
};

static bool write_number(const u8 number[CRYPTO_EC_NUMBER], char out[NUMBER_TEXT])
{
	struct buf text;
	bool fits;

	buf_init(&text, NUMBER_TEXT);
	acme_base64(&text, number, CRYPTO_EC_NUMBER);
	fits = !text.failed && slice_copy(out, NUMBER_TEXT, buf_slice(&text));
	buf_done(&text);
	return fits;
}

static bool coordinates_of(const struct crypto_ec *account, struct coordinates *out)
{
	u8 x[CRYPTO_EC_NUMBER];
	u8 y[CRYPTO_EC_NUMBER];

	return crypto_ec_point(account, x, y) && write_number(x, out->x) && write_number(y, out->y);
}

bool acme_thumbprint(const struct crypto_ec *account, char out[ACME_THUMBPRINT + 1])
{
	struct coordinates at;
	struct sha256 hash;
	u8 digest[SHA256_SIZE];
	struct buf text;
	bool is_done;

	if (!coordinates_of(account, &at))
		return false;
	buf_init(&text, HEAD_MAX);
	/* Members in this order, and no blank: RFC 7638 section 3.2. */
	buf_add_format(&text, "{\"crv\":\"P-256\",\"kty\":\"EC\",\"x\":\"%s\",\"y\":\"%s\"}", at.x,
		       at.y);
	sha256_init(&hash);
	sha256_add(&hash, text.ptr, text.len);
	sha256_finish(&hash, digest);
	is_done = !text.failed;
	buf_reset(&text);
	acme_base64(&text, digest, sizeof(digest));
	is_done = is_done && !text.failed && slice_copy(out, ACME_THUMBPRINT + 1, buf_slice(&text));
	buf_done(&text);
	return is_done;
}

static json_t *protected_head(const struct crypto_ec *account, const struct acme_envelope *envelope)
{
	struct coordinates at;

	if (envelope->account_url)
		return json_pack("{s:s, s:s, s:s, s:s}", "alg", "ES256", "kid",
				 envelope->account_url, "nonce", envelope->nonce, "url",
				 envelope->url);
	if (!coordinates_of(account, &at))
		return NULL;
	return json_pack("{s:s, s:{s:s, s:s, s:s, s:s}, s:s, s:s}", "alg", "ES256", "jwk", "crv",
			 "P-256", "kty", "EC", "x", at.x, "y", at.y, "nonce", envelope->nonce,
			 "url", envelope->url);
}

/* "HEAD.PAYLOAD": what is signed. */
static bool add_signed_part(const struct crypto_ec *account, const struct acme_envelope *envelope,
			    struct buf *out)
{
	json_t *head = protected_head(account, envelope);
	char *text = head ? json_dumps(head, JSON_COMPACT) : NULL;

	json_decref(head);
	if (!text)
		return false;
	acme_base64(out, text, strlen(text));
	free(text);
	buf_add_char(out, '.');
	acme_base64(out, envelope->payload.ptr, envelope->payload.len);
	return !out->failed;
}

bool acme_sign(const struct crypto_ec *account, const struct acme_envelope *envelope,
	       struct buf *out)
{
	u8 signature[CRYPTO_EC_SIGNATURE];
	struct buf part;
	struct slice payload;
	struct slice head;
	bool is_done;

	buf_init(&part, out->max);
	is_done = add_signed_part(account, envelope, &part) &&
		  crypto_ec_sign(account, buf_slice(&part), signature);
	if (is_done) {
		payload = buf_slice(&part);
		head = slice_split(&payload, '.');
		/* All of it is base64url: nothing needs an escape. */
		buf_add_format(out, "{\"protected\":\"%.*s\",\"payload\":\"", SLICE_FMT(head));
		buf_add_slice(out, payload);
		buf_add_text(out, "\",\"signature\":\"");
		acme_base64(out, signature, sizeof(signature));
		buf_add_text(out, "\"}");
		is_done = !out->failed;
	}
	buf_done(&part);
	return is_done;
}
