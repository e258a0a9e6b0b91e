/* The file of users: what it holds, what is no line of it, and who may send as whom. */
#include "base/user_file.h"

#include "base/text.h"
#include "remove_tree.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <cmocka.h>

#define KEPT "$scrypt$ln=10,r=8,p=16$TmFDbA$/bq+HJ00cgB4VucZDQHp/nxq18vII3gw53N2Y0s3MWI"
#define ANN "ann@a.test a.test ann@a.test " KEPT "\n"
#define SHOP "shop a.test * " KEPT "\n"

static void users_are_found_by_their_names(void **state)
{
	struct user_file file;
	struct error error;
	const struct user *user;

	(void)state;
	assert_true(user_file_parse(&file, SLICE("# ours\n" ANN "\n" SHOP), "f", &error));
	assert_int_equal(file.count, 2);
	user = user_file_find(&file, SLICE("shop"));
	assert_non_null(user);
	assert_string_equal(user->customer, "a.test");
	assert_string_equal(user->password, KEPT);
	assert_null(user_file_find(&file, SLICE("Shop")));
	assert_null(user_file_find(&file, SLICE("")));
	user_file_free(&file);
	assert_true(user_file_parse(&file, SLICE(""), "f", &error));
	assert_int_equal(file.count, 0);
	user_file_free(&file);
}

static void wrong_lines_are_named(void **state)
{
	static const struct {
		const char *text;
		const char *says;
	} cases[] = {
		{ ANN "nonsense\n", "f:2: name, customer, addresses and password" },
		{ "a,b a.test * " KEPT "\n", "f:1: its name is none" },
		{ " a.test * " KEPT "\n", "f:1: its name is none" },
		{ "a\tb a.test * " KEPT "\n", "f:1: its name is none" },
		{ "a a.test  " KEPT "\n", "f:1: name, customer" },
		{ "a a.test * secret\n", "f:1: its password is not one that was kept" },
		{ "a a.test * " KEPT " x\n", "f:1: its password" },
		{ ANN "\n" ANN, "f:3: this user is there twice" },
	};

	(void)state;
	for (size_t i = 0; i < array_count(cases); i++) {
		struct user_file file;
		struct error error;

		assert_false(user_file_parse(&file, slice_of(cases[i].text), "f", &error));
		if (!strstr(error.text, cases[i].says))
			fail_msg("\"%s\" does not say \"%s\"", error.text, cases[i].says);
	}
}

static void a_user_sends_as_its_addresses_of_its_domain(void **state)
{
	struct user_file file;
	struct error error;
	const struct user *ann;
	const struct user *shop;

	(void)state;
	assert_true(user_file_parse(&file,
				    SLICE("ann a.test ann@a.test,b@a.test,c@other.test " KEPT "\n" SHOP),
				    "f", &error));
	ann = user_file_find(&file, SLICE("ann"));
	shop = user_file_find(&file, SLICE("shop"));
	assert_true(user_may_send_as(ann, SLICE("ann@a.test")));
	assert_true(user_may_send_as(ann, SLICE("b@a.test")));
	assert_false(user_may_send_as(ann, SLICE("bb@a.test")));
	assert_false(user_may_send_as(ann, SLICE("c@other.test"))); /* it could not be signed */
	assert_false(user_may_send_as(ann, SLICE("ann@sub.a.test")));
	assert_false(user_may_send_as(ann, SLICE("ann@a.test,b@a.test")));
	assert_true(user_may_send_as(shop, SLICE("anybody@a.test")));
	assert_true(user_may_send_as(shop, SLICE("\"a@b\"@a.test")));
	assert_false(user_may_send_as(shop, SLICE("x@a.test@b.test")));
	assert_false(user_may_send_as(shop, SLICE("a.test")));
	assert_false(user_may_send_as(shop, SLICE("")));
	assert_false(user_may_send_as(shop, SLICE("*")));
	user_file_free(&file);
}

static void a_file_is_read_as_it_was_written(void **state)
{
	char folder[] = "/tmp/user_file_test.XXXXXX";
	struct user user = { .name = "new", .customer = "a.test", .password = KEPT, .from = "*" };
	char path[64];
	struct user_file file;
	struct error error;
	struct stat st;

	(void)state;
	assert_non_null(mkdtemp(folder));
	snprintf(path, sizeof(path), "%s/users", folder);
	assert_true(user_file_read(&file, path, &error)); /* there is none yet */
	assert_int_equal(file.count, 0);
	assert_true(user_file_put(&file, &user, &error));
	user.from = "x@a.test";
	assert_true(user_file_put(&file, &user, &error));
	snprintf(user.name, sizeof(user.name), "second");
	assert_true(user_file_put(&file, &user, &error));
	assert_int_equal(file.count, 2);
	assert_true(user_file_write(&file, path, 0600, &error));
	user_file_free(&file);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	assert_true(user_file_read(&file, path, &error));
	assert_string_equal(user_file_find(&file, SLICE("new"))->from, "x@a.test");
	assert_true(user_file_remove(&file, SLICE("new")));
	assert_false(user_file_remove(&file, SLICE("new")));
	assert_int_equal(file.count, 1);
	assert_string_equal(file.users[0].name, "second");
	user_file_free(&file);
	snprintf(path, sizeof(path), "%s/no/users", folder);
	assert_true(user_file_read(&file, path, &error));
	assert_false(user_file_write(&file, path, 0600, &error));
	user_file_free(&file);
	remove_tree(folder);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(users_are_found_by_their_names),
		cmocka_unit_test(wrong_lines_are_named),
		cmocka_unit_test(a_user_sends_as_its_addresses_of_its_domain),
		cmocka_unit_test(a_file_is_read_as_it_was_written),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
