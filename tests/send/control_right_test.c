#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "send/control_parts.h"

#define WEB 102
#define RECEIVE 103
#define HOOK 107
#define WWW 104

static void the_interface_may_ask_for_what_it_offers_and_for_nothing_else(void **state)
{
	static const char *const allowed[] = { "letter.send",	   "letter.status",
					       "campaign.create",  "campaign.start",
					       "campaign.status",  "suppression.add",
					       "suppression.list", "suppression.remove",
					       "suppression.find",
					       "campaign.append",  "campaign.close",
					       "log.show",	   "reader.put" };
	static const char *const forbidden[] = { "stop",	  "site.set",	"queue.bounce",
						 "queue.suspend", "queue.list", "queue.doubt",
						 "site.unset",	  "",		"letter.sen",
						 "letter.send ",  "STOP" };
	const struct control_rights rights = { .web = WEB, .receive = RECEIVE, .hook = -1, .www = -1 };

	(void)state;
	for (size_t i = 0; i < array_count(allowed); i++)
		assert_true(control_may(&rights, WEB, allowed[i]));
	for (size_t i = 0; i < array_count(forbidden); i++)
		assert_false(control_may(&rights, WEB, forbidden[i]));
}

static void who_reads_strangers_mail_may_tell_of_it_and_hand_it_on(void **state)
{
	static const char *const forbidden[] = { "stop", "suppression.remove", "campaign.create",
						 "letter.status", "status", "log.show" };
	const struct control_rights rights = { .web = WEB, .receive = RECEIVE, .hook = -1, .www = -1 };

	(void)state;
	assert_true(control_may(&rights, RECEIVE, "inbound.report"));
	assert_true(control_may(&rights, RECEIVE, "letter.send"));
	assert_false(control_may(&rights, WEB, "inbound.report"));
	for (size_t i = 0; i < array_count(forbidden); i++)
		assert_false(control_may(&rights, RECEIVE, forbidden[i]));
}

static void who_posts_to_strangers_may_read_the_log_and_say_how_far_it_is(void **state)
{
	static const char *const forbidden[] = { "stop",	 "reader.remove", "reader.resume",
						 "campaign.report", "letter.send", "suppression.list" };
	const struct control_rights rights = { .web = WEB, .receive = RECEIVE, .hook = HOOK, .www = -1 };

	(void)state;
	assert_true(control_may(&rights, HOOK, "log.show"));
	assert_true(control_may(&rights, HOOK, "reader.put"));
	for (size_t i = 0; i < array_count(forbidden); i++)
		assert_false(control_may(&rights, HOOK, forbidden[i]));
}

static void who_keeps_the_web_server_may_ask_for_nothing(void **state)
{
	const struct control_rights rights = {
		.web = WEB, .receive = RECEIVE, .hook = HOOK, .www = WWW
	};

	(void)state;
	assert_false(control_may(&rights, WWW, "status"));
	assert_false(control_may(&rights, WWW, "letter.send"));
	assert_true(control_may(&rights, WEB, "letter.send"));
}

static void others_who_may_open_the_socket_may_ask_for_everything(void **state)
{
	const struct control_rights rights = { .web = WEB, .receive = RECEIVE, .hook = -1, .www = -1 };
	const struct control_rights none = { .web = -1, .receive = -1, .hook = -1, .www = -1 };

	(void)state;
	assert_true(control_may(&rights, 0, "stop"));
	assert_true(control_may(&rights, RECEIVE + 1, "stop"));
	assert_true(control_may(&none, WEB, "stop"));
	assert_true(control_may(&none, UINT32_MAX, "stop"));
}

static void the_user_is_the_one_that_the_configuration_names(void **state)
{
	struct config config = { .web = { .user = "root" } };
	struct control_rights rights;

	(void)state;
	control_rights_find(&rights, &config);
	assert_int_equal(rights.web, 0);
	config.web.user = "nobody of that name";
	control_rights_find(&rights, &config);
	assert_int_equal(rights.web, -1);
	assert_int_equal(rights.receive, -1);
	config.receive.user = "root";
	control_rights_find(&rights, &config);
	assert_int_equal(rights.receive, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_interface_may_ask_for_what_it_offers_and_for_nothing_else),
		cmocka_unit_test(who_reads_strangers_mail_may_tell_of_it_and_hand_it_on),
		cmocka_unit_test(who_posts_to_strangers_may_read_the_log_and_say_how_far_it_is),
		cmocka_unit_test(who_keeps_the_web_server_may_ask_for_nothing),
		cmocka_unit_test(others_who_may_open_the_socket_may_ask_for_everything),
		cmocka_unit_test(the_user_is_the_one_that_the_configuration_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
