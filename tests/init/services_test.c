/* What services are started with, and when that changes under one that runs. */
#include "init/services.h"

#include "base/appliance.h"
#include "base/text.h"

#include <stdio.h>
#include <string.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static struct supervisor supervisor;
static struct services services;
static struct appliance appliance;

static int set_up(void **state)
{
	struct error error;

	(void)state;
	supervisor_init(&supervisor);
	services = (struct services){ 0 };
	services_init(&services, &supervisor, 512u << 20);
	return appliance_defaults(&appliance, &error) ? 0 : -1;
}

static int tear_down(void **state)
{
	(void)state;
	appliance_free(&appliance);
	return 0;
}

static struct supervisor_service *service(const char *name)
{
	struct supervisor_service *found = supervisor_find(&supervisor, slice_of(name));

	assert_non_null(found);
	return found;
}

/* The words that a service is started with, a blank between two. */
static const char *words_of(const char *name)
{
	const struct spawn_plan *plan = services_plan(&services, service(name));
	static char text[1024];

	text[0] = '\0';
	for (size_t i = 0; plan->words[i][0]; i++)
		snprintf(text + strlen(text), sizeof(text) - strlen(text), "%s%s", i ? " " : "",
			 plan->words[i]);
	return text;
}

static void lease_names(const char *a, const char *b)
{
	char servers[SERVICES_TIME_SERVERS_MAX][NET_ADDRESS_TEXT_SIZE] = { "" };

	snprintf(servers[0], sizeof(servers[0]), "%s", a ? a : "");
	snprintf(servers[1], sizeof(servers[1]), "%s", b ? b : "");
	services_set_time_servers(&services, &appliance, servers, (a != NULL) + (b != NULL), 0);
}

static void time_comes_from_those_that_dhcp_names_when_nobody_else_is_named(void **state)
{
	(void)state;
	services_configure(&services, &appliance, 0);
	assert_string_equal(words_of("ntp"), "/sbin/busybox ntpd -n -p pool.ntp.org");
	lease_names("192.0.2.123", "2001:db8::123");
	assert_string_equal(words_of("ntp"),
			    "/sbin/busybox ntpd -n -p 192.0.2.123 -p 2001:db8::123");
	/* The file is read again: the lease still counts. */
	services_configure(&services, &appliance, 0);
	assert_string_equal(words_of("ntp"),
			    "/sbin/busybox ntpd -n -p 192.0.2.123 -p 2001:db8::123");
	lease_names(NULL, NULL);
	assert_string_equal(words_of("ntp"), "/sbin/busybox ntpd -n -p pool.ntp.org");
}

static void time_servers_of_the_operator_are_the_only_ones(void **state)
{
	static const char *const named[] = { "ntp.nict.jp", "192.0.2.9" };
	const struct config_list before = appliance.ntp;

	(void)state;
	appliance.ntp = (struct config_list){ named, 2 };
	services_configure(&services, &appliance, 0);
	lease_names("192.0.2.123", NULL);
	assert_string_equal(words_of("ntp"), "/sbin/busybox ntpd -n -p ntp.nict.jp -p 192.0.2.9");
	appliance.ntp = before;
}

static void only_a_daemon_whose_servers_changed_is_started_anew(void **state)
{
	(void)state;
	services_configure(&services, &appliance, 0);
	supervisor_started(service("ntp"), 7, 0);
	lease_names("192.0.2.123", NULL);
	assert_true(service("ntp")->restarts_at_once);
	service("ntp")->restarts_at_once = false;
	/* Each time that somebody looks around. */
	lease_names("192.0.2.123", NULL);
	assert_false(service("ntp")->restarts_at_once);
}

static void pages_are_served_under_the_machines_name_unless_nobody_wants_them(void **state)
{
	(void)state;
	services_configure(&services, &appliance, 0);
	assert_string_equal(words_of("www"), "/bin/hikyaku www --host hikyaku "
				  "--config /data/etc/hikyaku.conf");
	assert_true(service("www")->is_wanted);
	supervisor_started(service("www"), 7, 0);
	appliance.hostname = "mail.example.jp";
	services_configure(&services, &appliance, 0);
	assert_string_equal(words_of("www"), "/bin/hikyaku www --host mail.example.jp "
				  "--config /data/etc/hikyaku.conf");
	assert_true(service("www")->restarts_at_once);
	appliance.web_server = false;
	services_configure(&services, &appliance, 0);
	assert_false(service("www")->is_wanted);
}

static void the_interface_for_programs_is_there_when_pages_are(void **state)
{
	const struct spawn_plan *plan = services_plan(&services, service("web"));
	bool reads_root_key = false;

	(void)state;
	services_configure(&services, &appliance, 0);
	assert_string_equal(words_of("web"), "/bin/hikyaku web --config /data/etc/hikyaku.conf");
	assert_true(service("web")->is_wanted && service("web")->notifies);
	/* Its socket is for the web server, and its own user is the one that the sender knows. */
	assert_int_equal(plan->sandbox.user, 102);
	assert_int_equal(plan->sandbox.group,
			 services_plan(&services, service("www"))->sandbox.group);
	/* It asks DNS what receivers see of us, by a validating resolver of its own. */
	for (size_t i = 0; plan->sandbox.paths[i].path; i++)
		reads_root_key |= strcmp(plan->sandbox.paths[i].path, "/usr/share") == 0;
	assert_true(reads_root_key);
	appliance.web_server = false;
	services_configure(&services, &appliance, 0);
	assert_false(service("web")->is_wanted);
}

static void webhooks_are_posted_by_a_user_of_their_own(void **state)
{
	const struct spawn_plan *plan = services_plan(&services, service("hook"));

	(void)state;
	services_configure(&services, &appliance, 0);
	assert_string_equal(words_of("hook"), "/bin/hikyaku hook --config /data/etc/hikyaku.conf");
	assert_true(service("hook")->is_wanted && service("hook")->notifies);
	assert_int_equal(plan->sandbox.user, 107);
	assert_int_equal(plan->sandbox.rights, 0);
	for (size_t i = 0; plan->sandbox.paths[i].path; i++)
		assert_null(strstr(plan->sandbox.paths[i].path, "/data/send"));
}

static void mail_is_taken_in_by_a_user_that_may_bind_the_port_and_no_more(void **state)
{
	const struct supervisor_service *receive = service("receive");
	const struct spawn_plan *plan = services_plan(&services, receive);

	(void)state;
	services_configure(&services, &appliance, 0);
	assert_string_equal(words_of("receive"),
			    "/bin/hikyaku receive --config /data/etc/hikyaku.conf");
	assert_true(receive->is_wanted && receive->notifies);
	/* Only when the configuration has a section for it. */
	assert_true(receive->conditions & SUPERVISOR_MAIL_IN);
	assert_int_equal(plan->sandbox.user, 103);
	assert_int_equal(plan->sandbox.capabilities, SANDBOX_CAPABILITY(10)); /* NET_BIND_SERVICE */
	assert_int_equal(plan->sandbox.rights, SANDBOX_RINGS);
	for (size_t i = 0; plan->sandbox.paths[i].path; i++) {
		const struct sandbox_path *path = &plan->sandbox.paths[i];

		/* Not the queue, and not the keys. */
		assert_null(strstr(path->path, "/data/send"));
		assert_true(path->access != SANDBOX_WRITE ||
			    strcmp(path->path, "/data/receive") == 0 ||
			    strcmp(path->path, "/dev/null") == 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(webhooks_are_posted_by_a_user_of_their_own, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(
			time_comes_from_those_that_dhcp_names_when_nobody_else_is_named, set_up,
			tear_down),
		cmocka_unit_test_setup_teardown(time_servers_of_the_operator_are_the_only_ones,
						set_up, tear_down),
		cmocka_unit_test_setup_teardown(only_a_daemon_whose_servers_changed_is_started_anew,
						set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			pages_are_served_under_the_machines_name_unless_nobody_wants_them, set_up,
			tear_down),
		cmocka_unit_test_setup_teardown(
			mail_is_taken_in_by_a_user_that_may_bind_the_port_and_no_more, set_up,
			tear_down),
		cmocka_unit_test_setup_teardown(the_interface_for_programs_is_there_when_pages_are,
						set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
