#include "web/totp.h"

#include "base/crypto.h"
#include "base/random.h"
#include "base/text.h"

#define CODE_DIGITS 6
#define STEPS_OFF 1 /* of clocks */
#define RECOVERY_LETTERS 15 /* 75 bits */

/* Lower case, without spaces and hyphens. */
static struct slice squeeze(struct slice text, char out[TOTP_TEXT_MAX])
{
	size_t len = 0;

	for (size_t i = 0; i < text.len && len < TOTP_TEXT_MAX; i++) {
		if (text.ptr[i] != ' ' && text.ptr[i] != '-')
			out[len++] = ascii_lower(text.ptr[i]);
	}
	return (struct slice){ out, len };
}

static bool take_code(struct account *account, u32 code, u64 now_ms)
{
	u64 now = now_ms / CRYPTO_TOTP_STEP_MS;

	for (u64 step = now - STEPS_OFF; step <= now + STEPS_OFF; step++) {
		u32 right;

		/* Each counts once (RFC 6238 section 5.2), and so does what is older. */
		if (step > account->totp_step &&
		    crypto_totp(account->secret, account->secret_len, step, &right) &&
		    right == code) {
			account->totp_step = step;
			return true;
		}
	}
	return false;
}

static void recovery_digest(struct slice code, u8 digest[ACCOUNT_RECOVERY_DIGEST])
{
	u8 whole[SHA256_SIZE];
	struct sha256 hash;

	sha256_init(&hash);
	sha256_add(&hash, code.ptr, code.len);
	sha256_finish(&hash, whole);
	memcpy(digest, whole, ACCOUNT_RECOVERY_DIGEST);
}

static bool take_recovery(struct account *account, struct slice code)
{
	u8 digest[ACCOUNT_RECOVERY_DIGEST];

	recovery_digest(code, digest);
	for (u32 i = 0; i < account->recovery_count; i++) {
		if (!crypto_equal(account->recovery[i], digest, sizeof(digest)))
			continue;
		account->recovery_count--;
		memmove(account->recovery[i], account->recovery[account->recovery_count],
			sizeof(digest));
		return true;
	}
	return false;
}

bool totp_take(struct account *account, struct slice text, u64 now_ms)
{
	char bytes[TOTP_TEXT_MAX];
	struct slice code = squeeze(text, bytes);
	u32 number;

	if (code.len == CODE_DIGITS && slice_to_u32(code, &number))
		return take_code(account, number, now_ms);
	return code.len == RECOVERY_LETTERS && take_recovery(account, code);
}

void totp_make(u8 secret[TOTP_SECRET])
{
	random_bytes(secret, TOTP_SECRET);
}

/* RFC 4648 section 6; the one of base/text.h is the other alphabet. */
static void base32(const u8 *bytes, size_t len, struct buf *out)
{
	static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

	for (size_t bit = 0; bit < len * 8; bit += 5) {
		u32 pair = (u32)bytes[bit / 8] << 8 |
			   (bit / 8 + 1 < len ? bytes[bit / 8 + 1] : 0u);

		buf_add_char(out, alphabet[pair >> (11 - bit % 8) & 31]);
	}
}

void totp_text(const u8 secret[TOTP_SECRET], struct buf *out)
{
	struct buf whole;

	buf_init(&whole, 64);
	base32(secret, TOTP_SECRET, &whole);
	for (size_t i = 0; i < whole.len; i++) {
		if (i > 0 && i % 4 == 0)
			buf_add_char(out, ' ');
		buf_add_char(out, whole.ptr[i]);
	}
	buf_done(&whole);
}

static void add_encoded(struct buf *out, struct slice text)
{
	for (size_t i = 0; i < text.len; i++) {
		char c = text.ptr[i];

		if (ascii_is_alpha(c) || ascii_is_digit(c) || c == '.' || c == '-' || c == '_')
			buf_add_char(out, c);
		else
			buf_add_format(out, "%%%02X", (u8)c);
	}
}

void totp_uri(const u8 secret[TOTP_SECRET], struct slice host, struct slice email, struct buf *out)
{
	buf_add_text(out, "otpauth://totp/");
	add_encoded(out, host);
	buf_add_char(out, ':');
	add_encoded(out, email);
	buf_add_text(out, "?secret=");
	base32(secret, TOTP_SECRET, out);
	buf_add_text(out, "&issuer=");
	add_encoded(out, host);
}

void totp_make_recovery(struct account *account,
			char codes[ACCOUNT_RECOVERY_CODES][TOTP_RECOVERY_SIZE])
{
	for (u32 i = 0; i < ACCOUNT_RECOVERY_CODES; i++) {
		char letters[16]; /* of ten bytes; the last one is not used */
		u8 bytes[10];

		random_bytes(bytes, sizeof(bytes));
		base32_encode(letters, bytes, sizeof(bytes));
		recovery_digest((struct slice){ letters, RECOVERY_LETTERS }, account->recovery[i]);
		for (u32 k = 0; k < 3; k++) {
			memcpy(codes[i] + k * 6, letters + k * 5, 5);
			codes[i][k * 6 + 5] = k < 2 ? '-' : '\0';
		}
	}
	account->recovery_count = ACCOUNT_RECOVERY_CODES;
}
