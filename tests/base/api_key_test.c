#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/api_key.h"
#include "base/text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static struct api_keys keys;
static struct api_keys again;

static void add(const char *name, u32 scopes, const char *customer, char secret[API_KEY_SIZE])
{
	struct api_key wanted = { .scopes = scopes, .made_ms = 1780000000000 };
	struct error error;

	assert_true(slice_copy(wanted.name, sizeof(wanted.name), slice_of(name)));
	assert_true(slice_copy(wanted.customer, sizeof(wanted.customer), slice_of(customer)));
	assert_true(api_keys_add(&keys, &wanted, secret, &error));
}

static void a_key_is_known_by_its_text_and_by_nothing_else(void **state)
{
	char shop[API_KEY_SIZE];
	char crm[API_KEY_SIZE];
	const struct api_key *found;

	(void)state;
	keys.count = 0;
	add("shop", API_SCOPE_SEND, "example.jp", shop);
	add("crm", API_SCOPE_SEND | API_SCOPE_READ, "", crm);
	assert_true(slice_has_prefix(slice_of(shop), SLICE("hk_")));
	assert_true(strlen(shop) >= 50 && strcmp(shop, crm) != 0);
	found = api_keys_find(&keys, slice_of(shop));
	assert_non_null(found);
	assert_string_equal(found->name, "shop");
	assert_string_equal(found->customer, "example.jp");
	assert_string_equal(api_keys_find(&keys, slice_of(crm))->name, "crm");
	crm[10] ^= 1;
	assert_null(api_keys_find(&keys, slice_of(crm)));
	assert_null(api_keys_find(&keys, SLICE("")));
	assert_null(api_keys_find(&keys, slice_first(slice_of(shop), strlen(shop) - 1)));
}

static void the_file_has_everything_but_the_key(void **state)
{
	char path[] = "/tmp/api-key-test-XXXXXX";
	char secret[API_KEY_SIZE];
	struct error error;
	struct stat st;
	char text[512];
	FILE *file;
	size_t len;

	(void)state;
	assert_non_null(mkdtemp(path));
	snprintf(text, sizeof(text), "%s/keys", path);
	keys.count = 0;
	assert_true(api_keys_read(&again, text, &error)); /* none is there */
	assert_int_equal(again.count, 0);
	add("shop", API_SCOPE_SEND | API_SCOPE_ADMIN, "", secret);
	assert_true(api_keys_write(&keys, text, &error));
	assert_int_equal(stat(text, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0640);
	assert_true(api_keys_read(&again, text, &error));
	assert_int_equal(again.count, 1);
	assert_int_equal(again.keys[0].scopes, API_SCOPE_SEND | API_SCOPE_ADMIN);
	assert_int_equal(again.keys[0].made_ms, 1780000000000);
	assert_non_null(api_keys_find(&again, slice_of(secret)));
	file = fopen(text, "r");
	assert_non_null(file);
	len = fread(text + 256, 1, 255, file);
	text[256 + len] = '\0';
	fclose(file);
	assert_null(strstr(text + 256, secret + 3));
	unlink(text);
	rmdir(path);
}

static void a_name_is_taken_once_and_free_again_when_removed(void **state)
{
	struct api_key wanted = { .name = "shop", .scopes = API_SCOPE_SEND };
	char secret[API_KEY_SIZE];
	char other[API_KEY_SIZE];
	struct error error;

	(void)state;
	keys.count = 0;
	add("shop", API_SCOPE_SEND, "", secret);
	add("crm", API_SCOPE_SEND, "", other);
	assert_false(api_keys_add(&keys, &wanted, other, &error));
	assert_non_null(strstr(error.text, "shop"));
	assert_true(api_keys_remove(&keys, SLICE("shop")));
	assert_false(api_keys_remove(&keys, SLICE("shop")));
	assert_int_equal(keys.count, 1);
	assert_null(api_keys_find(&keys, slice_of(secret)));
	assert_true(api_keys_add(&keys, &wanted, other, &error));
	wanted.name[0] = ' ';
	assert_false(api_keys_add(&keys, &wanted, other, &error));
}

#define HASH "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

static void files_with_a_mistake_are_refused_with_the_line(void **state)
{
	static const struct {
		const char *text;
		const char *why; /* NULL: it is fine */
	} rows[] = {
		{ "", NULL },
		{ "# a comment\n\na send - 1 " HASH "\n", NULL },
		{ "a send - 1 " HASH "\na read - 1 " HASH "\n", "f:2: the name" },
		{ "a send - 1\n", "f:1: not" },
		{ "a send - 1 " HASH " more\n", "f:1: not" },
		{ "a write - 1 " HASH "\n", "f:1: scopes" },
		{ "a  - 1 " HASH "\n", "f:1: scopes" },
		{ "a send - x " HASH "\n", "f:1: the time" },
		{ "a send - 1 " HASH "0\n", "f:1: the time" },
		{ "a send - 1 X" HASH "\n", "f:1: the time" },
		{ "a/b send - 1 " HASH "\n", "f:1: the name" },
	};
	struct error error;

	(void)state;
	for (size_t i = 0; i < array_count(rows); i++) {
		bool is_fine = api_keys_parse(&keys, slice_of(rows[i].text), "f", &error);

		assert_int_equal(is_fine, rows[i].why == NULL);
		if (rows[i].why)
			assert_non_null(strstr(error.text, rows[i].why));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_key_is_known_by_its_text_and_by_nothing_else),
		cmocka_unit_test(the_file_has_everything_but_the_key),
		cmocka_unit_test(a_name_is_taken_once_and_free_again_when_removed),
		cmocka_unit_test(files_with_a_mistake_are_refused_with_the_line),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
