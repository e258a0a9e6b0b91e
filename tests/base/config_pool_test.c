/* Source addresses: which of them a kind of mail goes by, and whose they are. */
#include "base/config.h"

#include "base/text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define THREE                                                                                      \
	"address \"192.0.2.1\" { ehlo = \"m1.a.example\" } "                                       \
	"address \"192.0.2.2\" { ehlo = \"m2.a.example\" } "                                       \
	"address \"2001:db8::3\" { ehlo = \"m3.a.example\" } "

static struct config config;

static bool parse(const char *sections, const char *others, struct error *error)
{
	char text[4096];

	snprintf(text, sizeof(text), "customer \"a.example\" { sign = false %s }\n%s", sections,
		 others);
	config_free(&config);
	return config_parse(&config, slice_of(text), "f", error);
}

static void must_parse(const char *sections, const char *others)
{
	struct error error = { "" };

	if (!parse(sections, others, &error))
		fail_msg("%s", error.text);
}

static void must_refuse(const char *sections, const char *others, const char *why)
{
	struct error error = { "" };

	assert_false(parse(sections, others, &error));
	if (!strstr(error.text, why))
		fail_msg("\"%s\" does not say \"%s\"", error.text, why);
}

static int tear_down(void **state)
{
	(void)state;
	config_free(&config);
	return 0;
}

/* "1 2/3": places + 1 of the pool's IPv4 and IPv6 addresses, and "+4" where "any" is. */
static void must_be(enum config_pool_kind kind, const char *want)
{
	const struct config_pool *pool = &config.customers[0].pools[kind];
	char got[64];
	int len = 0;

	for (u32 i = 0; i < pool->v4_count; i++)
		len += snprintf(got + len, sizeof(got) - (size_t)len, "%s%u", i > 0 ? " " : "",
				pool->v4[i] + 1);
	len += snprintf(got + len, sizeof(got) - (size_t)len, "/");
	for (u32 i = 0; i < pool->v6_count; i++)
		len += snprintf(got + len, sizeof(got) - (size_t)len, "%s%u", i > 0 ? " " : "",
				pool->v6[i] + 1);
	if (pool->any)
		snprintf(got + len, sizeof(got) - (size_t)len, "+%u", pool->any);
	assert_string_equal(got, want);
}

static void without_pools_every_kind_goes_by_every_address(void **state)
{
	(void)state;
	must_parse(THREE "address \"any\" { ehlo = \"m.a.example\" }", "");
	must_be(CONFIG_POOL_BULK, "1 2/3+4");
	must_be(CONFIG_POOL_TRANSACTIONAL, "1 2/3+4");
	assert_int_equal(config.source_count, 3);
	assert_int_equal(config.customers[0].addresses[2].number, 2);
	assert_int_equal(config.customers[0].addresses[3].number, CONFIG_SOURCE_ANY);
}

static void a_pool_says_which_and_leaves_the_others_to_the_other_kind(void **state)
{
	(void)state;
	must_parse(THREE "pool \"transactional\" { addresses = {\"192.0.2.2\"} }", "");
	must_be(CONFIG_POOL_TRANSACTIONAL, "2/");
	must_be(CONFIG_POOL_BULK, "1/3");
	must_parse(THREE "pool \"bulk\" { addresses = {\"192.0.2.1\", \"192.0.2.2\"} } "
			 "pool \"transactional\" { addresses = {\"2001:DB8::3\", \"192.0.2.2\"} }",
		   "");
	must_be(CONFIG_POOL_BULK, "1 2/");
	must_be(CONFIG_POOL_TRANSACTIONAL, "2/3");
	/* Nothing is left for transactional mail: it shares. */
	must_parse(THREE "pool \"bulk\" { addresses = {\"192.0.2.1\", \"192.0.2.2\", "
			 "\"2001:db8::3\"} }",
		   "");
	must_be(CONFIG_POOL_TRANSACTIONAL, "1 2/3");
}

static void what_a_pool_cannot_be_is_said(void **state)
{
	(void)state;
	must_refuse(THREE "pool \"letters\" { addresses = {\"192.0.2.1\"} }", "",
		    "neither bulk nor transactional");
	must_refuse(THREE "pool \"bulk\" { addresses = {\"192.0.2.9\"} }", "",
		    "192.0.2.9 is no address of this customer");
	must_refuse(THREE "pool \"bulk\" { addresses = {\"192.0.2.1\", \"192.0.2.1\"} }", "",
		    "\"192.0.2.1\" is there twice");
	must_refuse(THREE "pool \"bulk\" { addresses = {\"2001:db8::3\", \"2001:DB8:0::3\"} }", "",
		    "is there twice");
	must_refuse(THREE "pool \"bulk\" { addresses = {} }", "", "is missing");
	must_refuse(THREE "pool \"bulk\" { addresses = {\"192.0.2.1\"} } "
			  "pool \"bulk\" { addresses = {\"192.0.2.2\"} }",
		    "", "duplicate title 'bulk'");
	must_refuse(THREE "pool \"bulk\" { }", "", "addresses");
}

static void an_address_belongs_to_one_customer_unless_all_say_that_it_is_shared(void **state)
{
	static const char other[] =
		"customer \"b.example\" { sign = false "
		"address \"192.0.2.2\" { ehlo = \"m.b.example\" shared = %s } }";
	char text[256];

	(void)state;
	snprintf(text, sizeof(text), other, "false");
	must_refuse(THREE, text, "an address of customer \"a.example\"");
	snprintf(text, sizeof(text), other, "true");
	must_refuse(THREE, text, "not both say that it is shared");
	must_parse("address \"192.0.2.1\" { ehlo = \"m1.a.example\" } "
		   "address \"192.0.2.2\" { ehlo = \"m2.a.example\" shared = true }",
		   text);
	assert_int_equal(config.source_count, 2);
	assert_int_equal(config.customers[1].addresses[0].number, 1);
	snprintf(text, sizeof(text), other, "true per-day = 5");
	must_refuse("address \"192.0.2.2\" { ehlo = \"m2.a.example\" shared = true }", text,
		    "customer \"a.example\" says other limits of it");
	/* "any" is nobody's. */
	must_parse("address \"any\" { ehlo = \"m1.a.example\" }",
		   "customer \"b.example\" { sign = false address \"any\" { ehlo = \"m.b.example\" } }");
}

static void limits_and_warm_up_of_an_address_are_read(void **state)
{
	const struct config_address *address;

	(void)state;
	must_parse("address \"192.0.2.1\" { ehlo = \"m.a.example\" rate = 5 per-minute = 6 "
		   "per-hour = 7 per-day = 8 warm-up = true warm-up-day = 9 }",
		   "");
	address = &config.customers[0].addresses[0];
	assert_int_equal(address->rate_per_s, 5);
	assert_int_equal(address->per_minute, 6);
	assert_int_equal(address->per_hour, 7);
	assert_int_equal(address->per_day, 8);
	assert_true(address->warm_up);
	assert_int_equal(address->warm_up_day, 9);
	must_refuse("address \"any\" { ehlo = \"m.a.example\" warm-up = true }", "",
		    "limits and warm-up need an address");
	must_refuse("address \"192.0.2.1\" { ehlo = \"m.a.example\" warm-up-day = 0 }", "",
		    "warm-up-day");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(without_pools_every_kind_goes_by_every_address, tear_down),
		cmocka_unit_test_teardown(
			a_pool_says_which_and_leaves_the_others_to_the_other_kind, tear_down),
		cmocka_unit_test_teardown(what_a_pool_cannot_be_is_said, tear_down),
		cmocka_unit_test_teardown(
			an_address_belongs_to_one_customer_unless_all_say_that_it_is_shared,
			tear_down),
		cmocka_unit_test_teardown(limits_and_warm_up_of_an_address_are_read, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
