/* Key files and the DNS text of keys. */
#include "dkim/key.h"

#include "base/text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

static char folder[64];
static char path[128];

static int make_folder(void **state)
{
	(void)state;
	snprintf(folder, sizeof(folder), "/tmp/key_test.XXXXXX");
	if (!mkdtemp(folder))
		return -1;
	snprintf(path, sizeof(path), "%s/key.pem", folder);
	return 0;
}

static int drop_folder(void **state)
{
	(void)state;
	unlink(path);
	return rmdir(folder); /* fails, and with it the test, when a temporary file was left */
}

static bool load(struct dkim_key *key, const char *domain, const char *selector,
		 struct error *error)
{
	return dkim_key_load(key, path, slice_of(domain), slice_of(selector), error);
}

static void assert_load_fails(const char *domain, const char *selector, const char *words)
{
	struct error error = { "" };
	struct dkim_key key;

	assert_false(load(&key, domain, selector, &error));
	assert_null(key.private_key);
	if (!strstr(error.text, words) || !strstr(error.text, path))
		fail_msg("\"%s\" does not name the file and say \"%s\"", error.text, words);
	dkim_key_done(&key);
}

static void a_created_key_is_private_and_loads(void **state)
{
	struct dkim_key key;
	struct stat st;

	(void)state;
	assert_true(dkim_key_create(path, CRYPTO_ED25519, 0, NULL));
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode, S_IFREG | 0600);
	assert_int_equal(st.st_nlink, 1);
	assert_true(load(&key, "News.Example", "S1.East", NULL));
	assert_string_equal(key.domain, "news.example");
	assert_string_equal(key.selector, "s1.east");
	assert_int_equal(crypto_key_algorithm(key.private_key), CRYPTO_ED25519);
	dkim_key_done(&key);
	assert_null(key.private_key);
}

static void a_key_is_never_written_over_a_file(void **state)
{
	struct error error;
	FILE *file = fopen(path, "w");
	char text[8] = "";

	(void)state;
	fputs("mine", file);
	fclose(file);
	assert_false(dkim_key_create(path, CRYPTO_ED25519, 0, &error));
	assert_non_null(strstr(error.text, path));
	assert_non_null(strstr(error.text, "exists"));
	file = fopen(path, "r");
	assert_non_null(fgets(text, sizeof(text), file));
	fclose(file);
	assert_string_equal(text, "mine");
}

static void a_key_cannot_be_made_in_a_missing_folder_or_of_a_weak_size(void **state)
{
	struct error error;

	(void)state;
	assert_false(dkim_key_create("/nowhere/at/all/k.pem", CRYPTO_ED25519, 0, &error));
	assert_non_null(strstr(error.text, "/nowhere/at/all/k.pem"));
	assert_false(dkim_key_create(path, CRYPTO_RSA, 512, &error));
	assert_non_null(strstr(error.text, "512"));
	assert_int_equal(access(path, F_OK), -1);
}

static void a_file_that_others_may_touch_is_refused(void **state)
{
	static const mode_t modes[] = { 0640, 0604, 0620, 0602, 0610, 0601, 0644, 0666 };
	struct dkim_key key;

	(void)state;
	assert_true(dkim_key_create(path, CRYPTO_ED25519, 0, NULL));
	for (size_t i = 0; i < array_count(modes); i++) {
		assert_int_equal(chmod(path, modes[i]), 0);
		assert_load_fails("news.example", "s", "closed to others");
	}
	assert_int_equal(chmod(path, 0400), 0);
	assert_true(load(&key, "news.example", "s", NULL));
	dkim_key_done(&key);
}

static void write_private(const char *text, size_t len)
{
	FILE *file = fopen(path, "w");

	assert_int_equal(fchmod(fileno(file), 0600), 0);
	assert_int_equal(fwrite(text, 1, len, file), len);
	assert_int_equal(fclose(file), 0);
}

static void files_without_a_usable_key_are_refused(void **state)
{
	static char large[20000];

	(void)state;
	assert_load_fails("news.example", "s", "No such file");
	write_private("", 0);
	assert_load_fails("news.example", "s", "empty");
	write_private("hello\n", 6);
	assert_load_fails("news.example", "s", "no PEM private key");
	write_private(large, sizeof(large));
	assert_load_fails("news.example", "s", "too large");
	assert_int_equal(unlink(path), 0);
	assert_int_equal(mkfifo(path, 0600), 0); /* must not hang */
	assert_load_fails("news.example", "s", "regular");
	assert_int_equal(unlink(path), 0);
	assert_int_equal(mkdir(path, 0700), 0);
	assert_load_fails("news.example", "s", "regular");
	assert_int_equal(rmdir(path), 0);
}

#define LABEL_63 "abcdefghijklmnopqrstuvwxyz0123456789abcdefghijklmnopqrstuvwxyz0"

static void bad_domains_and_selectors_are_refused(void **state)
{
	static const char *const domains[] = {
		"",
		"example",
		".news.example",
		"news.example.",
		"news..example",
		"-news.example",
		"news-.example",
		"ne ws.example",
		"news.exam;ple",
		"n\xc3\xa9ws.example",
		"news_.example",
		LABEL_63 "1.example",
		"a@b.example",
		"news.example\r\nx",
		LABEL_63 "." LABEL_63 "." LABEL_63 "." LABEL_63,
	};
	static const char *const selectors[] = { "",       ".",    "a.",         ".a", "a..b",
						 "a b",    "a;b",  "a_b",        "-a", "a-",
						 "a\r\nb", "\xe9", LABEL_63 ".a" };
	struct dkim_key key;

	(void)state;
	assert_true(dkim_key_create(path, CRYPTO_ED25519, 0, NULL));
	for (size_t i = 0; i < array_count(domains); i++)
		assert_load_fails(domains[i], "s1", "");
	for (size_t i = 0; i < array_count(selectors); i++)
		assert_load_fails("news.example", selectors[i], "");
	assert_true(load(&key, LABEL_63 "." LABEL_63 ".example", LABEL_63, NULL));
	dkim_key_done(&key);
	assert_true(load(&key, "xn--bcher-kva.example", "2026-11", NULL));
	dkim_key_done(&key);
}

/* Joins the quoted strings of a zone line as a DNS server does; checks each string's length. */
static size_t join_strings(const char *line, char *out, size_t *strings)
{
	size_t len = 0;
	const char *at = strchr(line, '"');

	*strings = 0;
	while (at) {
		const char *end = strchr(at + 1, '"');
		size_t part = (size_t)(end - at - 1);

		assert_in_range(part, 1, 255);
		memcpy(out + len, at + 1, part);
		len += part;
		(*strings)++;
		at = strchr(end + 1, '"');
	}
	return len;
}

static void records_are_cut_into_strings_that_dns_can_carry(void **state)
{
	static const struct {
		enum crypto_algorithm algorithm;
		u32 bits;
		const char *begins;
		size_t strings;
	} cases[] = {
		{ CRYPTO_ED25519, 0, "v=DKIM1; k=ed25519; p=", 1 },
		{ CRYPTO_RSA, 1024, "v=DKIM1; k=rsa; p=MIGfMA0GCSqGSIb3DQEBAQUAA4GNADCBiQ", 1 },
		{ CRYPTO_RSA, 2048, "v=DKIM1; k=rsa; p=MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIB", 2 },
		{ CRYPTO_RSA, 4096, "v=DKIM1; k=rsa; p=MIICIjANBgkqhkiG9w0BAQEFAAOCAg8AMIIC", 3 },
	};
	struct buf record;
	struct buf line;

	(void)state;
	buf_init(&record, 4096);
	buf_init(&line, 4096);
	for (size_t i = 0; i < array_count(cases); i++) {
		struct dkim_key key;
		char joined[4096];
		size_t strings;
		size_t len;

		unlink(path);
		assert_true(dkim_key_create(path, cases[i].algorithm, cases[i].bits, NULL));
		assert_true(load(&key, "news.example", "s1", NULL));
		buf_reset(&record);
		buf_reset(&line);
		assert_true(dkim_key_record(&key, &record));
		assert_true(slice_has_prefix(buf_slice(&record), slice_of(cases[i].begins)));
		assert_true(dkim_key_zone_line(&key, &line));
		assert_true(slice_has_prefix(
			buf_slice(&line),
			SLICE("s1._domainkey.news.example. 3600 IN TXT \"v=DKIM1;")));
		assert_int_equal(line.ptr[line.len - 1], '\n');
		len = join_strings(buf_text(&line), joined, &strings);
		assert_int_equal(strings, cases[i].strings);
		assert_true(slice_equal((struct slice){ joined, len }, buf_slice(&record)));
		dkim_key_done(&key);
	}
	buf_done(&record);
	buf_done(&line);
}

static void a_record_that_does_not_fit_is_refused(void **state)
{
	struct dkim_key key;
	struct buf small;

	(void)state;
	assert_true(dkim_key_create(path, CRYPTO_ED25519, 0, NULL));
	assert_true(load(&key, "news.example", "s1", NULL));
	buf_init(&small, 40);
	assert_false(dkim_key_record(&key, &small));
	buf_done(&small);
	buf_init(&small, 100);
	assert_false(dkim_key_zone_line(&key, &small));
	buf_done(&small);
	dkim_key_done(&key);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, make_folder, drop_folder)
	static const struct CMUnitTest tests[] = {
		TEST(a_created_key_is_private_and_loads),
		TEST(a_key_is_never_written_over_a_file),
		TEST(a_key_cannot_be_made_in_a_missing_folder_or_of_a_weak_size),
		TEST(a_file_that_others_may_touch_is_refused),
		TEST(files_without_a_usable_key_are_refused),
		TEST(bad_domains_and_selectors_are_refused),
		TEST(records_are_cut_into_strings_that_dns_can_carry),
		TEST(a_record_that_does_not_fit_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
