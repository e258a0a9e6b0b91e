/*
 * Any bytes as a private key's PEM file: it is refused with a sentence, or it is a key that signs,
 * whose record for DNS has the form of RFC 6376 section 3.6.1 and which comes back from its own PEM
 * as the same key. By the first byte the rest is such a file, or the DER inside of one (PKCS#8,
 * PKCS#1), so that mutations reach the numbers and not base64 alone.
 */
#include "base/check.h"
#include "base/text.h"
#include "dkim/key.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const u8 *data, size_t size);

/* Strings of at most 255 bytes in quotes, printable ASCII, one line. */
static void check_zone_line(struct slice line)
{
	size_t inside = 0;
	bool quoted = false;

	ASSERT(slice_has_prefix(line,
				SLICE("s1._domainkey.example.jp. 3600 IN TXT \"v=DKIM1; k=")));
	ASSERT(line.ptr[line.len - 1] == '\n');
	for (size_t i = 0; i + 1 < line.len; i++) {
		ASSERT(line.ptr[i] >= 0x20 && line.ptr[i] < 0x7f && line.ptr[i] != '\\');
		if (line.ptr[i] == '"') {
			quoted = !quoted;
			inside = 0;
		} else if (quoted) {
			ASSERT(++inside <= 255);
		}
	}
	ASSERT(!quoted);
}

static void check_record(struct crypto_key *private_key)
{
	struct dkim_key key = { .domain = "example.jp",
				.selector = "s1",
				.private_key = private_key };
	struct slice record;
	struct buf out;
	u8 raw[1024];
	size_t len;
	i64 at;

	buf_init(&out, 1u << 16);
	ASSERT(dkim_key_record(&key, &out));
	record = buf_slice(&out);
	at = slice_find(record, SLICE("; p="));
	ASSERT(slice_has_prefix(record, SLICE("v=DKIM1; k=")) && at > 0);
	ASSERT(base64_decode(raw, sizeof(raw), &len, slice_from(record, (size_t)at + 4)));
	ASSERT(crypto_key_algorithm(private_key) == CRYPTO_ED25519 ? len == 32 : len >= 140);
	buf_reset(&out);
	ASSERT(dkim_key_zone_line(&key, &out));
	check_zone_line(buf_slice(&out));
	buf_done(&out);
}

static void check_again(const struct crypto_key *key)
{
	struct crypto_key *again;
	struct error error;
	struct buf pem;
	struct buf public;
	struct buf public_again;

	buf_init(&pem, 1u << 16);
	buf_init(&public, 1u << 12);
	buf_init(&public_again, 1u << 12);
	ASSERT(crypto_key_to_pem(key, &pem));
	again = crypto_key_from_pem(buf_slice(&pem), &error);
	ASSERT(again);
	ASSERT(crypto_key_public(key, &public) && crypto_key_public(again, &public_again));
	ASSERT(slice_equal(buf_slice(&public), buf_slice(&public_again)));
	crypto_key_free(again);
	buf_done(&pem);
	buf_done(&public);
	buf_done(&public_again);
}

/* The DER in base64 between the lines that name it. */
static void add_pem(struct buf *out, const char *label, const u8 *der, size_t len)
{
	buf_add_format(out, "-----BEGIN %s-----\n", label);
	for (size_t at = 0; at < len; at += 48) {
		size_t n = min_size(48, len - at);
		char *room = buf_reserve(out, base64_length(n) + 1);

		ASSERT(room);
		buf_advance(out, base64_encode(room, der + at, n));
		buf_add_char(out, '\n');
	}
	buf_add_format(out, "-----END %s-----\n", label);
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	struct crypto_rsa_numbers numbers;
	struct error error = { "" };
	struct crypto_key *key;
	struct buf pem;

	if (size < 1)
		return 0;
	buf_init(&pem, 1u << 20);
	if (data[0] == 1)
		add_pem(&pem, "PRIVATE KEY", data + 1, size - 1);
	else if (data[0] == 2)
		add_pem(&pem, "RSA PRIVATE KEY", data + 1, size - 1);
	else
		buf_add(&pem, data + 1, size - 1);
	key = crypto_key_from_pem(buf_slice(&pem), &error);
	buf_done(&pem);
	if (!key) {
		ASSERT(error.text[0]);
		return 0;
	}
	ASSERT(crypto_key_bits(key) >= 256 && crypto_key_bits(key) <= 4096);
	ASSERT(crypto_key_signature_size(key) <= CRYPTO_SIGNATURE_MAX);
	if (crypto_key_rsa_numbers(key, &numbers)) {
		ASSERT(crypto_key_algorithm(key) == CRYPTO_RSA);
		ASSERT(numbers.modulus_size == crypto_key_signature_size(key));
		ASSERT(numbers.prime_size * 2 == numbers.modulus_size);
	}
	check_record(key);
	check_again(key);
	crypto_key_free(key);
	return 0;
}
