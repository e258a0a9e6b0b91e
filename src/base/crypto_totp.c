/* Codes by time (RFC 6238): what an app on a phone shows. */
#include "base/crypto.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <string.h>

#define SHA1_SIZE 20
#define DIGITS 1000000u

/* RFC 4226 section 5.3; the apps that people have know SHA-1 alone. */
bool crypto_totp(const u8 *secret, size_t len, u64 step, u32 *code)
{
	u8 counter[8];
	u8 mac[SHA1_SIZE];
	unsigned mac_len = sizeof(mac);
	u32 offset;

	for (u32 i = 0; i < sizeof(counter); i++)
		counter[i] = (u8)(step >> (56 - 8 * i));
	if (!HMAC(EVP_sha1(), secret, (int)len, counter, sizeof(counter), mac, &mac_len))
		return false;
	offset = mac[SHA1_SIZE - 1] & 0xf;
	*code = ((u32)(mac[offset] & 0x7f) << 24 | (u32)mac[offset + 1] << 16 |
		 (u32)mac[offset + 2] << 8 | mac[offset + 3]) %
		DIGITS;
	explicit_bzero(mac, sizeof(mac));
	return true;
}
