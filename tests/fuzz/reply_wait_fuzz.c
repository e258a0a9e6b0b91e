/* Times that refusals name: any text gives one within its bound, the same one in capitals. */
#include "base/check.h"
#include "base/text.h"
#include "smtp/reply.h"
#include "smtp/reply_wait.h"

int LLVMFuzzerTestOneInput(const u8 *data, size_t size);

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	struct slice text = { (const char *)data, size };
	u64 wait = smtp_reply_wait_ms(text);
	char louder[SMTP_REPLY_TEXT_MAX];

	text = slice_first(text, sizeof(louder));
	for (size_t i = 0; i < text.len; i++) {
		char c = text.ptr[i];

		louder[i] = c >= 'a' && c <= 'z' ? (char)(c - 'a' + 'A') : c;
	}
	ASSERT(wait <= SMTP_REPLY_WAIT_MAX_MS);
	ASSERT(wait % 1000 == 0);
	ASSERT(smtp_reply_wait_ms((struct slice){ louder, text.len }) == wait);
	return 0;
}
