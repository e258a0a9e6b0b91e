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
	assert_int_equal(permits_key_count(&permits), keys.count);
}

static void add(const char *name, char secret[API_KEY_SIZE])
{
	struct api_key key = { .scopes = API_SCOPE_SEND };
	struct error error;

	assert_true(slice_copy(key.name, sizeof(key.name), slice_of(name)));
	assert_true(api_keys_add(&keys, &key, secret, &error));
	write_keys();
}

static struct api_key taken;
static u32 retry_after_s;

static bool take(const char *scheme, const char *secret, u64 now_ns)
{
	char text[128];

	snprintf(text, sizeof(text), "%s%s", scheme, secret);
	return permits_take(&permits, slice_of(text), now_ns, &taken, &retry_after_s);
}

/* An hour each, so that it is never too often. */
static bool is_known(const char *scheme, const char *secret)
{
	static u64 now_ns;

	now_ns += 3600 * NS_PER_S;
	return take(scheme, secret, now_ns);
}

static void keys_count_as_soon_as_the_file_has_them(void **state)
{
	char shop[API_KEY_SIZE];
	char crm[API_KEY_SIZE];

	(void)state;
	assert_int_equal(permits_key_count(&permits), 0); /* no file */
	add("shop", shop);
	assert_true(is_known("Bearer ", shop));
	assert_string_equal(taken.name, "shop");
	assert_true(is_known("bearer  ", shop));
	assert_false(is_known("Basic ", shop));
	assert_false(is_known("", shop));
	assert_false(permits_take(&permits, SLICE_NONE, 0, &taken, &retry_after_s));
	add("crm", crm);
	assert_int_equal(permits_key_count(&permits), 2);
	assert_true(api_keys_remove(&keys, SLICE("shop")));
	write_keys();
	assert_false(is_known("Bearer ", shop));
	assert_true(is_known("Bearer ", crm));
	assert_string_equal(taken.name, "crm");
	unlink(path);
	assert_false(is_known("Bearer ", crm));
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
	assert_true(is_known("Bearer ", shop));
}

static u32 wait_of(const char *secret, u64 now_ns)
{
	assert_true(take("Bearer ", secret, now_ns));
	return retry_after_s;
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
		assert_int_equal(wait_of(shop, now_ns), 0);
	assert_true(wait_of(shop, now_ns) >= 1);
	assert_int_equal(wait_of(crm, now_ns), 0);
	/* A tenth of a second is one call. */
	now_ns += NS_PER_S / 10;
	assert_int_equal(wait_of(shop, now_ns), 0);
	assert_true(wait_of(shop, now_ns) >= 1);
	/* Another place in the file is no new allowance. */
	assert_true(api_keys_remove(&keys, SLICE("crm")));
	write_keys();
	assert_true(wait_of(shop, now_ns) >= 1);
	assert_int_equal(wait_of(shop, now_ns + NS_PER_S), 0);
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
