#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/crypto_ec.h"
#include "base/durable.h"
#include "base/file.h"
#include "web/front_certificate.h"
#include "web/front_config.h"

#include "base/text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define HOST "www.shop.test"
#define DAY_MS (24ull * 60 * 60 * 1000)
#define NOW_MS (CLOCK_EARLIEST_MS + 400 * DAY_MS)

static const char *const hosts[] = { HOST };
static const struct front_names names = { hosts, 1 };
static char folder[64];
static char own_path[128];
static struct config_www www;
static struct front_certificate chosen;
static bool is_other;

static int set_up(void **state)
{
	(void)state;
	snprintf(folder, sizeof(folder), "/tmp/front-certificate-test-XXXXXX");
	if (!mkdtemp(folder))
		return -1;
	snprintf(own_path, sizeof(own_path), "%s/own.pem", folder);
	www = (struct config_www){ .folder = folder, .acme_early_ms = 30 * DAY_MS };
	return 0;
}

static int tear_down(void **state)
{
	struct error error;

	(void)state;
	return durable_remove_tree(folder, &error) ? 0 : -1;
}

static void write_file(const char *name, struct slice text)
{
	struct error error;
	char path[128];

	snprintf(path, sizeof(path), "%s%s", folder, name);
	assert_true(durable_replace(path, text, 0600, &error));
}

/* A certificate, valid for ten years from a day before that moment, and its key. */
static void write_certificate(const char *name, const char *host, u64 now_ms)
{
	struct buf pem;

	buf_init(&pem, 64 << 10);
	assert_true(crypto_certificate_make(host, now_ms, &pem));
	write_file(name, buf_slice(&pem));
	buf_done(&pem);
}

static void choose(u64 now_ms)
{
	struct error error = { "" };

	if (!front_certificate_choose(&www, &names, now_ms, &chosen, &is_other, &error))
		fail_msg("%s", error.text);
}

/* Whether what is shown is what stands in that file. */
static bool shows(const char *name)
{
	struct slice shown;
	struct slice other;
	struct error error;
	char path[128];
	bool is_same;

	snprintf(path, sizeof(path), "%s" FRONT_PEM, folder);
	assert_true(file_read(path, FRONT_PEM_MAX, &shown, &error));
	snprintf(path, sizeof(path), "%s%s", folder, name);
	assert_true(file_read(path, FRONT_PEM_MAX, &other, &error));
	is_same = slice_equal(shown, other);
	free((char *)shown.ptr);
	free((char *)other.ptr);
	return is_same;
}

static void without_any_one_is_made_and_kept_until_it_is_over(void **state)
{
	char path[128];
	struct stat st;

	(void)state;
	choose(NOW_MS);
	assert_int_equal(chosen.kind, FRONT_SELF_SIGNED);
	assert_true(is_other && chosen.facts.is_own && chosen.is_for_names);
	assert_string_equal(chosen.trouble.text, "");
	snprintf(path, sizeof(path), "%s" FRONT_PEM, folder);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	choose(NOW_MS + 9 * 365 * DAY_MS);
	assert_false(is_other);
	choose(NOW_MS + 11 * 365 * DAY_MS);
	assert_true(is_other);
}

static void the_operators_own_is_shown_and_followed_when_it_changes(void **state)
{
	(void)state;
	www.certificate = own_path;
	write_certificate("/own.pem", HOST, NOW_MS);
	choose(NOW_MS);
	assert_int_equal(chosen.kind, FRONT_OWN);
	assert_true(is_other && shows("/own.pem"));
	choose(NOW_MS);
	assert_false(is_other);
	write_certificate("/own.pem", HOST, NOW_MS);
	choose(NOW_MS);
	assert_true(is_other && shows("/own.pem"));
	/* Also one that is for another name, or over: it is the operator's, and is told. */
	write_certificate("/own.pem", "other.test", NOW_MS);
	choose(NOW_MS);
	assert_true(is_other && !chosen.is_for_names && chosen.kind == FRONT_OWN);
}

static void an_own_one_that_cannot_be_used_is_told_and_the_last_good_one_stays(void **state)
{
	(void)state;
	write_certificate("/own.pem", HOST, NOW_MS);
	www.certificate = own_path;
	choose(NOW_MS);
	write_certificate("/copy.pem", HOST, NOW_MS);
	write_file("/own.pem", SLICE("nothing"));
	choose(NOW_MS);
	assert_false(is_other);
	assert_non_null(strstr(chosen.trouble.text, "no certificate in it"));
	assert_int_equal(unlink(own_path), 0);
	choose(NOW_MS);
	assert_false(is_other);
	assert_non_null(strstr(chosen.trouble.text, "No such file"));
}

static void a_key_may_stand_in_a_file_of_its_own_and_has_to_be_the_certificates(void **state)
{
	struct slice pem;
	struct error error;
	char key_path[128];
	i64 cut;

	(void)state;
	write_certificate("/own.pem", HOST, NOW_MS);
	assert_true(file_read(own_path, FRONT_PEM_MAX, &pem, &error));
	cut = slice_find(pem, SLICE("-----BEGIN CERTIFICATE"));
	assert_true(cut > 0);
	write_file("/own.key", slice_first(pem, (size_t)cut));
	write_file("/own.pem", slice_from(pem, (size_t)cut));
	free((char *)pem.ptr);
	snprintf(key_path, sizeof(key_path), "%s/own.key", folder);
	www.certificate = own_path;
	www.key = key_path;
	choose(NOW_MS);
	assert_true(chosen.kind == FRONT_OWN && chosen.facts.has_key);
	write_certificate("/own.key", HOST, NOW_MS); /* another key */
	choose(NOW_MS);
	assert_false(is_other);
	assert_non_null(strstr(chosen.trouble.text, "no key of this certificate"));
}

static void an_authoritys_is_asked_for_until_it_is_there_and_again_before_its_end(void **state)
{
	const u64 end_ms = NOW_MS + 3650 * DAY_MS;

	(void)state;
	assert_false(front_certificate_is_due(&www, &names, NOW_MS, 0)); /* not wanted */
	www.acme = true;
	assert_true(front_certificate_is_due(&www, &names, NOW_MS, 0));
	/* Before the clock is right, nothing is over. */
	assert_false(front_certificate_is_due(&www, &names, 1000, 0));
	choose(NOW_MS);
	assert_int_equal(chosen.kind, FRONT_SELF_SIGNED);
	assert_non_null(strstr(chosen.trouble.text, "gave none yet"));
	write_certificate(FRONT_ACME_PEM, HOST, NOW_MS);
	choose(NOW_MS);
	assert_true(chosen.kind == FRONT_AUTHORITY && is_other);
	assert_false(front_certificate_is_due(&www, &names, NOW_MS, 0));
	assert_false(front_certificate_is_due(&www, &names, end_ms - 31 * DAY_MS, 0));
	assert_true(front_certificate_is_due(&www, &names, end_ms - 29 * DAY_MS, 0));
	/* Each machine waits some time of its own. */
	assert_false(front_certificate_is_due(&www, &names, end_ms - 29 * DAY_MS, 2 * DAY_MS));
	assert_true(front_certificate_is_due(&www, &names, end_ms - 27 * DAY_MS, 2 * DAY_MS));
}

static void a_name_that_is_added_asks_for_another_one_and_the_old_one_serves_until_then(void **state)
{
	static const char *const more[] = { HOST, "news.shop.test" };
	const struct front_names both = { more, 2 };
	struct error error;

	(void)state;
	www.acme = true;
	write_certificate(FRONT_ACME_PEM, HOST, NOW_MS);
	assert_true(front_certificate_is_due(&www, &both, NOW_MS, 0));
	assert_true(front_certificate_choose(&www, &both, NOW_MS, &chosen, &is_other, &error));
	assert_true(chosen.kind == FRONT_AUTHORITY && !chosen.is_for_names);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(without_any_one_is_made_and_kept_until_it_is_over),
		TEST(the_operators_own_is_shown_and_followed_when_it_changes),
		TEST(an_own_one_that_cannot_be_used_is_told_and_the_last_good_one_stays),
		TEST(a_key_may_stand_in_a_file_of_its_own_and_has_to_be_the_certificates),
		TEST(an_authoritys_is_asked_for_until_it_is_there_and_again_before_its_end),
		TEST(a_name_that_is_added_asks_for_another_one_and_the_old_one_serves_until_then),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
