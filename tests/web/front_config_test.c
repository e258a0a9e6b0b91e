#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/text.h"
#include "web/front_config.h"

#include <string.h>

#define TEXT_MAX (256u << 10)

static const char customer[] = "customer \"a.test\" { sign = false "
			       "address \"any\" { ehlo = \"m.a.test\" } }\n";

static struct config config;
static struct buf text;

static int set_up(void **state)
{
	(void)state;
	buf_init(&text, TEXT_MAX);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	buf_done(&text);
	config_free(&config);
	return 0;
}

static void make(const char *www, bool has_tls, bool is_ours)
{
	struct front_setting setting = { .config = &config,
					 .host = "www.a.test",
					 .pages = "/data/site",
					 .has_tls = has_tls,
					 .has_limits = is_ours,
					 .has_h2_module = is_ours };
	struct error error = { "" };
	struct buf whole;

	buf_init(&whole, TEXT_MAX);
	buf_add_text(&whole, customer);
	buf_add_format(&whole, "www { %s }\n", www);
	if (!config_parse(&config, buf_slice(&whole), "t.conf", &error))
		fail_msg("%s", error.text);
	buf_done(&whole);
	assert_true(front_config_make(&setting, &text));
}

static bool says(const char *words)
{
	return strstr(buf_text(&text), words) != NULL;
}

static void every_address_is_listened_at_and_tls_has_its_certificate(void **state)
{
	(void)state;
	make("", true, true);
	assert_true(says("server.bind = \"0.0.0.0\"\nserver.port = 80\n"));
	assert_true(says("$SERVER[\"socket\"] == \"[::]:80\" { }\n"));
	assert_true(says("$SERVER[\"socket\"] == \"0.0.0.0:443\" {\n\tssl.engine = \"enable\"\n"
			 "\tssl.pemfile = \"/data/www/server.pem\"\n"));
	assert_true(says("$SERVER[\"socket\"] == \"[::]:443\" {"));
	assert_true(says("\"MinProtocol\" => \"TLSv1.2\""));
	assert_true(says("\"https://${url.authority}${url.path}${qsa}\""));
}

static void at_another_port_plain_requests_are_led_to_the_first_name(void **state)
{
	(void)state;
	make("listen-tls = {\"127.0.0.1:8443\"}", true, true);
	assert_true(says("\"https://www.a.test:8443${url.path}${qsa}\""));
}

static void without_tls_nothing_of_it_is_said(void **state)
{
	(void)state;
	make("listen = {\"127.0.0.1:8080\"} listen-tls = {\"none\"}", false, true);
	assert_false(says("ssl.") || says("mod_openssl") || says("https://") ||
		     says("Strict-Transport"));
	assert_true(says("acme-challenge"));
}

static void another_lighttpd_is_not_told_what_it_does_not_know(void **state)
{
	(void)state;
	make("", true, false);
	assert_false(says("mod_limits") || says("limits.") || says("mod_h2"));
	tear_down(state);
	set_up(state);
	make("connections-per-client = 7", true, true);
	assert_true(says("\"mod_limits\"") && says("limits.connections-per-client = 7\n"));
	assert_true(says("\"mod_h2\""));
}

static void tokens_in_paths_are_not_logged_and_a_log_may_be_left_out(void **state)
{
	(void)state;
	make("", true, true);
	assert_true(says("accesslog.filename = \"/data/www/access.log\"\n"));
	assert_true(says("\\\"%m /u/... %H\\\" %s"));
	assert_false(says("%q") || says("%r"));
	tear_down(state);
	set_up(state);
	make("access-log = false", true, true);
	assert_false(says("accesslog."));
}

static void the_archive_without_a_slash_is_ours_and_what_only_begins_so_is_not(void **state)
{
	const char *alone;

	(void)state;
	make("", true, true);
	alone = strstr(buf_text(&text), "$HTTP[\"url\"] == \"/a\" {");
	assert_non_null(alone);
	assert_non_null(strstr(alone, "\t\"/a\" => ((\"socket\""));
	assert_true(strstr(buf_text(&text), "\t\"/a\" => ((\"socket\"") > alone);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(every_address_is_listened_at_and_tls_has_its_certificate),
		TEST(at_another_port_plain_requests_are_led_to_the_first_name),
		TEST(without_tls_nothing_of_it_is_said),
		TEST(another_lighttpd_is_not_told_what_it_does_not_know),
		TEST(tokens_in_paths_are_not_logged_and_a_log_may_be_left_out),
		TEST(the_archive_without_a_slash_is_ours_and_what_only_begins_so_is_not),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
