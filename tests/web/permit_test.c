#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/text.h"
#include "web/permit.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static char path[64];
static struct permits permits;
static struct api_keys keys;

static int set_up(void **state)
{
	(void)state;
	log_set_level(LOG_LEVEL_ERROR);
	snprintf(path, sizeof(path), "/tmp/permit-test-%d", (int)getpid());
	unlink(path);
	keys.count = 0;
	permits_init(&permits, path, 10);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	unlink(path);
	return 0;
}

static void write_keys(void)
{
	struct error error;

	assert_true(api_keys_write(&keys, path, &error));
	permits_refresh(&permits);
}

static void add(const char *name, char secret[API_KEY_SIZE])
{
	struct api_key key = { .scopes = API_SCOPE_SEND };
	struct error error;

	assert_true(slice_copy(key.name, sizeof(key.name), slice_of(name)));
	assert_true(api_keys_add(&keys, &key, secret, &error));
	write_keys();
}

static const struct api_key *find(const char *scheme, const char *secret)
{
	char text[128];

	snprintf(text, sizeof(text), "%s%s", scheme, secret);
	return permits_find(&permits, slice_of(text));
}

static void keys_count_as_soon_as_the_file_has_them(void **state)
{
	char shop[API_KEY_SIZE];
	char crm[API_KEY_SIZE];

	(void)state;
	permits_refresh(&permits); /* no file */
	add("shop", shop);
	assert_string_equal(find("Bearer ", shop)->name, "shop");
	assert_string_equal(find("bearer  ", shop)->name, "shop");
	assert_null(find("Basic ", shop));
	assert_null(find("", shop));
	assert_null(permits_find(&permits, SLICE_NONE));
	add("crm", crm);
	assert_true(api_keys_remove(&keys, SLICE("shop")));
	write_keys();
	assert_null(find("Bearer ", shop));
	assert_string_equal(find("Bearer ", crm)->name, "crm");
	unlink(path);
	permits_refresh(&permits);
	assert_null(find("Bearer ", crm));
}

static void a_file_with_a_mistake_changes_nothing(void **state)
{
	char shop[API_KEY_SIZE];
	FILE *file;

	(void)state;
	add("shop", shop);
	file = fopen(path, "a");
	assert_non_null(file);
	fputs("half a li", file);
	fclose(file);
	permits_refresh(&permits);
	assert_non_null(find("Bearer ", shop));
}

static void a_second_has_so_many_calls_and_no_more(void **state)
{
	u64 now_ns = 5 * NS_PER_S;
	char shop[API_KEY_SIZE];
	char crm[API_KEY_SIZE];

	(void)state;
	add("shop", shop);
	add("crm", crm);
	for (u32 i = 0; i < 10; i++)
		assert_int_equal(permits_count(&permits, find("Bearer ", shop), now_ns), 0);
	assert_true(permits_count(&permits, find("Bearer ", shop), now_ns) >= 1);
	assert_int_equal(permits_count(&permits, find("Bearer ", crm), now_ns), 0);
	/* A tenth of a second is one call. */
	now_ns += NS_PER_S / 10;
	assert_int_equal(permits_count(&permits, find("Bearer ", shop), now_ns), 0);
	assert_true(permits_count(&permits, find("Bearer ", shop), now_ns) >= 1);
	/* Another place in the file is no new allowance. */
	assert_true(api_keys_remove(&keys, SLICE("crm")));
	write_keys();
	assert_true(permits_count(&permits, find("Bearer ", shop), now_ns) >= 1);
	assert_int_equal(permits_count(&permits, find("Bearer ", shop), now_ns + NS_PER_S), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(keys_count_as_soon_as_the_file_has_them, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(a_file_with_a_mistake_changes_nothing, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(a_second_has_so_many_calls_and_no_more, set_up,
						tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
