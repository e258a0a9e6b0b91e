/* Whether mail is to come in: the configuration says, and is read again when it is another one. */
#include "init/mail_in.h"

#include "base/remove_tree.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#define CUSTOMER "customer \"a.example\" { address \"any\" { ehlo = \"m.a.example\" } sign = false }\n"

static char dir[64];
static char path[96];

static int set_up(void **state)
{
	(void)state;
	snprintf(dir, sizeof(dir), "/tmp/hikyaku-mail-in-XXXXXX");
	if (!mkdtemp(dir))
		return -1;
	snprintf(path, sizeof(path), "%s/hikyaku.conf", dir);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	remove_tree(dir);
	return 0;
}

/* As an editor does: a new file in the old one's place. */
static void put(const char *text)
{
	char fresh[96];
	FILE *file;

	snprintf(fresh, sizeof(fresh), "%s/fresh", dir);
	file = fopen(fresh, "w");
	assert_non_null(file);
	fputs(text, file);
	fclose(file);
	assert_int_equal(rename(fresh, path), 0);
}

static void it_follows_the_configuration(void **state)
{
	struct mail_in mail_in = { 0 };

	(void)state;
	assert_false(mail_in_is_wanted(&mail_in, path));
	put(CUSTOMER "# receive { hostname = \"mx.a.example\" }\n");
	assert_false(mail_in_is_wanted(&mail_in, path));
	put(CUSTOMER "receive { hostname = \"mx.a.example\" }\n");
	assert_true(mail_in_is_wanted(&mail_in, path));
	assert_true(mail_in_is_wanted(&mail_in, path));
	put(CUSTOMER "receive { hostname = nonsense }\n");
	assert_false(mail_in_is_wanted(&mail_in, path));
	put(CUSTOMER "receive { hostname = \"mx.a.example\" }\n");
	assert_true(mail_in_is_wanted(&mail_in, path));
	unlink(path);
	assert_false(mail_in_is_wanted(&mail_in, path));
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(it_follows_the_configuration, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
