/*
 * Paths of the customer's pages: none leads out of their folder.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/site_path.h"
#include "base/text.h"

#include <string.h>

static void pages_and_the_folder_of_well_known_files_have_paths(void **state)
{
	static const char *const paths[] = { "index.html", "news/2026/a_b-c.HTML", "1/2/3/4/5/6/7/8",
					     ".well-known/mta-sts.txt", "a..b" };

	(void)state;
	for (size_t i = 0; i < array_count(paths); i++) {
		if (!site_path_is_valid(slice_of(paths[i])))
			fail_msg("%s", paths[i]);
	}
}

static void nothing_that_leads_elsewhere_or_is_hidden_is_a_path(void **state)
{
	static const char *const paths[] = { "",	"/",	    "/etc/passwd",	 "a//b",
					     "../a",	"a/../b",   "a/..",		 "./a",
					     ".git/config", "a/.b", "a/",		 ".well-known",
					     "-a",	"a b",	    "a\\b",		 "a%2fb",
					     "caf\xc3\xa9", "1/2/3/4/5/6/7/8/9", "a/.well-known" };
	char text[SITE_PATH_MAX + 2];

	(void)state;
	for (size_t i = 0; i < array_count(paths); i++) {
		if (site_path_is_valid(slice_of(paths[i])))
			fail_msg("%s", paths[i]);
	}
	assert_false(site_path_is_valid((struct slice){ "a\0b", 3 }));
	memset(text, 'a', sizeof(text));
	assert_true(site_path_is_valid((struct slice){ text, SITE_PATH_MAX }));
	assert_false(site_path_is_valid((struct slice){ text, SITE_PATH_MAX + 1 }));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(pages_and_the_folder_of_well_known_files_have_paths),
		cmocka_unit_test(nothing_that_leads_elsewhere_or_is_hidden_is_a_path),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
