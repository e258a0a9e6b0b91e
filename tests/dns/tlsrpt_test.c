/* TLS reports: the record that asks for them, and the places that it names. */
#include "base/text.h"
#include "dns/tlsrpt.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static void check_txt(const char *text, enum tlsrpt_txt want, const char *rua)
{
	char got[TLSRPT_RUA_SIZE];

	if (tlsrpt_txt_read(got, slice_of(text)) != want)
		fail_msg("%s", text);
	if (want == TLSRPT_TXT_GOOD)
		assert_string_equal(got, rua);
}

static void a_record_has_a_version_and_places_for_reports(void **state)
{
	(void)state;
	check_txt("v=TLSRPTv1; rua=mailto:reports@x.test", TLSRPT_TXT_GOOD, "mailto:reports@x.test");
	check_txt("v=TLSRPTv1;rua=https://r.x.test/v1/tlsrpt;", TLSRPT_TXT_GOOD,
		  "https://r.x.test/v1/tlsrpt");
	check_txt("v=TLSRPTv1 \t; x=y; rua=mailto:a@x.test , https://r.x.test", TLSRPT_TXT_GOOD,
		  "mailto:a@x.test,https://r.x.test");
}

static void places_that_cannot_be_used_are_passed_over(void **state)
{
	(void)state;
	check_txt("v=TLSRPTv1; rua=ftp://x.test/r,mailto:a@x.test", TLSRPT_TXT_GOOD,
		  "mailto:a@x.test");
	check_txt("v=TLSRPTv1; rua=http://x.test/r,,https://x.test/r", TLSRPT_TXT_GOOD,
		  "https://x.test/r");
	/* The first four count. */
	check_txt("v=TLSRPTv1; rua=mailto:a@x,mailto:b@x,mailto:c@x,mailto:d@x,mailto:e@x",
		  TLSRPT_TXT_GOOD, "mailto:a@x,mailto:b@x,mailto:c@x,mailto:d@x");
}

static void other_records_are_told_from_broken_ones(void **state)
{
	static const char *const others[] = { "", "v=spf1 -all", "v=TLSRPTv2; rua=mailto:a@x.test",
					      "v=TLSRPTv10; rua=mailto:a@x.test",
					      "V=TLSRPTv1; rua=mailto:a@x.test",
					      " v=TLSRPTv1; rua=mailto:a@x.test",
					      "rua=mailto:a@x.test; v=TLSRPTv1" };
	static const char *const broken[] = {
		"v=TLSRPTv1",		 "v=TLSRPTv1;",		      "v=TLSRPTv1; rua=",
		"v=TLSRPTv1; rua",	 "v=TLSRPTv1; RUA=mailto:a@x", "v=TLSRPTv1; rua=mailto:nobody",
		"v=TLSRPTv1;; rua=mailto:a@x", "v=TLSRPTv1; rua=mailto:a@x; rua=mailto:b@x",
	};

	(void)state;
	for (size_t i = 0; i < array_count(others); i++)
		check_txt(others[i], TLSRPT_TXT_OTHER, "");
	for (size_t i = 0; i < array_count(broken); i++)
		check_txt(broken[i], TLSRPT_TXT_BROKEN, "");
}

static struct tlsrpt_uri read_uri(const char *text)
{
	struct slice rest = slice_of(text);
	struct tlsrpt_uri uri;

	if (!tlsrpt_uri_next(&rest, &uri))
		fail_msg("%s", text);
	assert_string_equal(uri.text.ptr, text);
	return uri;
}

static void an_address_is_decoded_and_loses_its_headers(void **state)
{
	(void)state;
	assert_int_equal(read_uri("mailto:a@x.test").kind, TLSRPT_MAILTO);
	assert_string_equal(read_uri("MAILTO:a@x.test").target, "a@x.test");
	assert_string_equal(read_uri("mailto:a%2Bb@x.test?subject=hello").target, "a+b@x.test");
}

static void a_url_has_a_host_and_perhaps_a_port(void **state)
{
	struct tlsrpt_uri uri = read_uri("https://Reports.X.test:8443/v1?a=b");

	(void)state;
	assert_int_equal(uri.kind, TLSRPT_HTTPS);
	assert_string_equal(uri.target, "reports.x.test");
	assert_int_equal(uri.port, 8443);
	assert_int_equal(read_uri("https://x.test").port, 443);
	assert_string_equal(read_uri("https://x.test?q").target, "x.test");
}

/* Nothing of these may reach a command, a header, or a host that nobody named. */
static void what_could_be_misread_is_no_place(void **state)
{
	static const char *const bad[] = {
		"mailto:",
		"mailto:@x.test",
		"mailto:a%0d%0aRCPT@x.test",
		"mailto:a%00@x.test",
		"mailto:a%20b@x.test",
		"mailto:a%2Cb@x.test",
		"mailto:a%4@x.test",
		"mailto:a%zz@x.test",
		"mailto:\xe3\x81\x82@x.test",
		"mailto:%e3%81%82@x.test",
		"https://",
		"https:///path",
		"https://user@x.test/",
		"https://user:pass@x.test/",
		"https://127.0.0.1/",
		"https://[::1]/",
		"https://localhost/",
		"https://x.test:0/",
		"https://x.test:65536/",
		"https://x.test:/",
		"https://x.test/a b",
		"https://x.test/\n",
		"https://x.test/\"",
	};

	(void)state;
	for (size_t i = 0; i < array_count(bad); i++) {
		struct slice rest = slice_of(bad[i]);
		struct tlsrpt_uri uri;

		if (tlsrpt_uri_next(&rest, &uri))
			fail_msg("%s", bad[i]);
	}
}

/* However much there is, it ends within the room that there is. */
static void long_lists_are_cut_between_places(void **state)
{
	char text[4096] = "v=TLSRPTv1; rua=";
	char rua[TLSRPT_RUA_SIZE];
	struct slice rest;
	struct tlsrpt_uri uri;
	u32 count = 0;

	(void)state;
	for (u32 i = 0; i < 4; i++)
		snprintf(text + strlen(text), sizeof(text) - strlen(text), "https://x.test/%0300u,",
			 i);
	assert_int_equal(tlsrpt_txt_read(rua, slice_of(text)), TLSRPT_TXT_GOOD);
	rest = slice_of(rua);
	while (tlsrpt_uri_next(&rest, &uri))
		count++;
	assert_int_equal(count, 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_record_has_a_version_and_places_for_reports),
		cmocka_unit_test(places_that_cannot_be_used_are_passed_over),
		cmocka_unit_test(other_records_are_told_from_broken_ones),
		cmocka_unit_test(an_address_is_decoded_and_loses_its_headers),
		cmocka_unit_test(a_url_has_a_host_and_perhaps_a_port),
		cmocka_unit_test(what_could_be_misread_is_no_place),
		cmocka_unit_test(long_lists_are_cut_between_places),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
