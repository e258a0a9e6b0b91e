/*
 * Any text as a token: the reader takes none that it did not make, and what it takes has one
 * spelling. The key is known, so that mutations of good tokens come by.
 */
#include "base/check.h"
#include "base/text.h"
#include "campaign/link_token.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void read_keys(struct link_keys *keys)
{
	u8 record[8 + LINK_KEY_SIZE] = { 1, 2, 3, 4 };

	ASSERT(link_keys_read(keys, (struct slice){ (const char *)record, sizeof(record) }));
}

/* What is made of the bytes comes back; with one character changed it does not. */
static void check_made(const struct link_keys *keys, const uint8_t *data)
{
	struct link_token token = { .purpose = data[0] % (LINK_PURPOSES - 1) + 1 };
	struct link_token back;
	char text[LINK_TOKEN_MAX];
	size_t len;

	memcpy(&token.campaign, data + 1, 4);
	memcpy(&token.contact, data + 5, 4);
	memcpy(&token.extra, data + 9, 8);
	memcpy(&token.expires_s, data + 17, 4);
	len = link_token_make(keys, &token, text);
	ASSERT(link_token_read(keys, token.purpose, (struct slice){ text, len }, 0, &back) &&
	       back.campaign == token.campaign && back.contact == token.contact &&
	       back.extra == token.extra && back.expires_s == token.expires_s);
	text[data[21] % len] ^= (char)(data[22] | 1);
	ASSERT(!link_token_read(keys, token.purpose, (struct slice){ text, len }, 0, &back));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct link_keys keys;
	struct slice text = { (const char *)data, size };
	struct link_token token;
	char again[LINK_TOKEN_MAX];

	if (keys.count == 0)
		read_keys(&keys);
	for (u32 purpose = 1; purpose < LINK_PURPOSES; purpose++) {
		if (!link_token_read(&keys, (enum link_purpose)purpose, text, 0, &token))
			continue;
		ASSERT(slice_equal(text, (struct slice){ again, link_token_make(&keys, &token,
										again) }));
	}
	if (size >= 23)
		check_made(&keys, data);
	return 0;
}
