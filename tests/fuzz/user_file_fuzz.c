/*
 * Any bytes as the file of users: what is taken is unique and whole, and nobody in it sends as
 * anybody of another domain.
 */
#include "base/check.h"
#include "base/text.h"
#include "base/user_file.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct user_file file;
	struct error error;

	if (!user_file_parse(&file, (struct slice){ (const char *)data, size }, "fuzz", &error)) {
		ASSERT(file.users == NULL && strncmp(error.text, "fuzz:", 5) == 0);
		return 0;
	}
	for (u32 i = 0; i < file.count; i++) {
		const struct user *user = &file.users[i];

		ASSERT(user_file_find(&file, slice_of(user->name)) == user);
		ASSERT(user_name_is_valid(slice_of(user->name)));
		ASSERT(crypto_password_is_kept(slice_of(user->password)));
		ASSERT(strlen(user->from) <= USER_FROM_MAX);
		if (!slice_equal_nocase(slice_of(user->customer), SLICE("b.test")))
			ASSERT(!user_may_send_as(user, SLICE("a@b.test")));
	}
	user_file_free(&file);
	return 0;
}
