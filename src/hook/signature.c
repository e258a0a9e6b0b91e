#include "hook/signature.h"

#include "base/crypto.h"
#include "base/text.h"

void hook_sign(const struct hook_secrets *secrets, const char *id, u64 timestamp_s,
	       struct slice body, struct buf *out)
{
	u8 mac[SHA256_SIZE];
	char text[64];
	struct buf content;

	buf_init(&content, body.len + 512);
	buf_add_format(&content, "%s.%llu.", id, (unsigned long long)timestamp_s);
	buf_add_slice(&content, body);
	out->failed |= content.failed;
	for (size_t i = 0; i < secrets->count && !content.failed; i++) {
		hmac_sha256(mac, secrets->bytes[i], secrets->sizes[i], content.ptr, content.len);
		buf_add_text(out, i > 0 ? " v1," : "v1,");
		buf_add(out, text, base64_encode(text, mac, sizeof(mac)));
	}
	buf_done(&content);
}
