/*
 * init's control socket as its clients see it. The server runs in a child of its own, as root and
 * as somebody else; services and log are real, the network is not touched.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "../base/remove_tree.h"
#include "base/text.h"
#include "control/client.h"
#include "init/init.h"
#include "init/network.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#define LINES 3000

static char folder[64];
static char path[96];
static pid_t server_pid;

/* ---- the server ---- */

static void serve(void)
{
	static struct init init;
	struct error error = { "" };
	struct supervisor_service service = { .name = "sleeper", .stop_patience_ms = 1000 };
	char text[64];

	signal(SIGPIPE, SIG_IGN);
	if (!appliance_defaults(&init.appliance, &error) || !loop_open(&init.loop))
		_exit(1);
	init.console_fd = -1;
	init.logbook = logbook_new();
	supervisor_init(&init.supervisor);
	supervisor_add(&init.supervisor, &service);
	for (int i = 1; i <= LINES; i++) {
		snprintf(text, sizeof(text), "line %d \xff", i);
		logbook_add(init.logbook, i % 2 ? "odd" : "even", slice_of(text));
	}
	init.network = network_new(&error);
	init.server = server_open(&init, path, &error);
	if (!init.server) {
		fprintf(stderr, "%s\n", error.text);
		_exit(1);
	}
	for (u32 turn = 0;; turn++) {
		loop_turn(&init.loop, 20);
		if (turn % 4 == 0)
			logbook_add(init.logbook, "clock", SLICE("tick"));
		server_log_grew(init.server);
		if (init.ending != INIT_GOES_ON)
			_exit(40 + init.ending);
	}
}

/* Its name is there a moment before it listens. */
static bool it_listens(void)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);
	bool is_connected;

	snprintf(address.sun_path, sizeof(address.sun_path), "%s", path);
	is_connected = connect(fd, (struct sockaddr *)&address, sizeof(address)) == 0;
	close(fd);
	return is_connected;
}

static int start_server(void **state)
{
	(void)state;
	snprintf(folder, sizeof(folder), "/tmp/server-test-XXXXXX");
	assert_non_null(mkdtemp(folder));
	assert_int_equal(chmod(folder, 0755), 0);
	snprintf(path, sizeof(path), "%s/init.sock", folder);
	server_pid = fork();
	assert_true(server_pid >= 0);
	if (server_pid == 0)
		serve();
	for (int i = 0; i < 2000 && !it_listens(); i++)
		usleep(10000);
	return 0;
}

static int stop_server(void **state)
{
	(void)state;
	if (server_pid > 0) {
		kill(server_pid, SIGKILL);
		waitpid(server_pid, NULL, 0);
	}
	remove_tree(folder);
	return 0;
}

/* ---- the client ---- */

struct answer {
	enum control_answer end;
	json_t *reply;
	json_t *items;
	struct error error;
	char code[32];
};

static struct control_client *open_client(void)
{
	enum control_problem problem;
	struct error error = { "" };
	struct control_client *client = control_client_open(path, &problem, &error);

	if (!client)
		fail_msg("%s", error.text);
	return client;
}

static void finish(struct control_client *client, struct answer *answer, size_t most_items)
{
	json_t *json = NULL;

	answer->items = json_array();
	while ((answer->end = control_client_next(client, &json, &answer->error)) == CONTROL_ITEM) {
		json_array_append_new(answer->items, json);
		if (json_array_size(answer->items) >= most_items)
			return;
	}
	answer->reply = answer->end == CONTROL_REPLY ? json : NULL;
}

static void ask(json_t *request, struct answer *answer)
{
	struct control_client *client = open_client();

	memset(answer, 0, sizeof(*answer));
	answer->end = control_client_request(client, request, &answer->error);
	/* A quick refusal may be there before the request is all out. */
	if (answer->end == CONTROL_SENT)
		finish(client, answer, SIZE_MAX);
	snprintf(answer->code, sizeof(answer->code), "%s", control_client_code(client));
	control_client_close(client);
}

static void forget(struct answer *answer)
{
	json_decref(answer->reply);
	json_decref(answer->items);
}

static json_t *command(const char *name)
{
	return json_pack("{s:s}", "command", name);
}

static const char *text_at(json_t *list, size_t index, const char *name)
{
	const char *text = json_string_value(json_object_get(json_array_get(list, index), name));

	assert_non_null(text);
	return text;
}

/* ---- tests ---- */

static void status_names_services_and_data(void **state)
{
	struct answer answer;
	json_t *services;

	(void)state;
	ask(command("system.status"), &answer);
	assert_int_equal(answer.end, CONTROL_REPLY);
	services = json_object_get(answer.reply, "services");
	assert_int_equal(json_array_size(services), 1);
	assert_string_equal(text_at(services, 0, "name"), "sleeper");
	assert_string_equal(text_at(services, 0, "state"), "stopped");
	assert_string_equal(text_at(services, 0, "last_exit"), "never");
	assert_true(json_integer_value(
			    json_object_get(json_object_get(answer.reply, "memory"), "total")) > 0);
	assert_string_equal(
		json_string_value(json_object_get(json_object_get(answer.reply, "data"), "state")),
		"opening");
	forget(&answer);
}

static void the_log_gives_the_last_lines_as_valid_text(void **state)
{
	struct answer answer;

	(void)state;
	ask(json_pack("{s:s, s:s, s:i}", "command", "log.read", "service", "odd", "lines", 500),
	    &answer);
	assert_int_equal(answer.end, CONTROL_REPLY);
	assert_int_equal(json_array_size(answer.items), 500);
	assert_string_equal(text_at(answer.items, 499, "line"), "line 2999 \xef\xbf\xbd");
	assert_string_equal(text_at(answer.items, 0, "line"), "line 2001 \xef\xbf\xbd");
	assert_int_equal(json_integer_value(json_object_get(answer.reply, "count")), 500);
	forget(&answer);
}

static void who_follows_the_log_gets_lines_as_they_come(void **state)
{
	struct control_client *client = open_client();
	struct answer answer = { 0 };

	(void)state;
	assert_int_equal(
		control_client_request(client,
				       json_pack("{s:s, s:s, s:i, s:b}", "command", "log.read",
						 "service", "clock", "lines", 0, "follow", 1),
				       &answer.error),
		CONTROL_SENT);
	finish(client, &answer, 5);
	assert_int_equal(json_array_size(answer.items), 5);
	control_client_close(client);
	forget(&answer);
	/* And its going away is nobody's trouble. */
	ask(command("system.status"), &answer);
	assert_int_equal(answer.end, CONTROL_REPLY);
	forget(&answer);
}

static void one_who_never_reads_holds_nobody_up(void **state)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	struct buf request;
	struct answer answer;
	int fds[8];

	(void)state;
	snprintf(address.sun_path, sizeof(address.sun_path), "%s", path);
	for (size_t i = 0; i < 8; i++) {
		fds[i] = socket(AF_UNIX, SOCK_STREAM, 0);
		assert_int_equal(connect(fds[i], (struct sockaddr *)&address, sizeof(address)), 0);
		buf_init(&request, 1 << 20);
		for (int n = 0; n < 50; n++)
			assert_true(control_add_json(
				&request, FRAME_REQUEST,
				json_pack("{s:s, s:i}", "command", "log.read", "lines", 3000)));
		assert_true(send(fds[i], request.ptr, request.len, MSG_DONTWAIT) > 0);
		buf_done(&request);
	}
	ask(command("system.status"), &answer);
	assert_int_equal(answer.end, CONTROL_REPLY);
	forget(&answer);
	for (size_t i = 0; i < 8; i++)
		close(fds[i]);
}

static void what_is_wrong_is_refused_with_a_sentence(void **state)
{
	const struct {
		json_t *request;
		const char *code;
		const char *sentence;
	} wrong[] = {
		{ command("system.explode"), "bad-request", "init knows no command" },
		{ command("service.restart"), "bad-request", "\"name\"" },
		{ json_pack("{s:s, s:s}", "command", "service.restart", "name", "nobody"),
		  "not-found", "there is no service 'nobody'" },
		{ json_pack("{s:s, s:s}", "command", "service.kill", "name", "sleeper"),
		  "not-found", "sleeper does not run" },
		{ json_pack("{s:s, s:i}", "command", "log.read", "lines", -1), "bad-request",
		  "\"lines\"" },
		{ json_pack("{s:s, s:s}", "command", "task.run", "name", "sh"), "failed",
		  "there is no task 'sh'" },
		{ json_pack("{s:s, s:s, s:b, s:i}", "command", "identity.note", "domain", "a b",
			    "aligned", 1, "failed", 0),
		  "bad-request", "is no domain name" },
		{ json_pack("{s:s, s:s, s:[i]}", "command", "task.run", "name", "keys-new",
			    "arguments", 5),
		  "failed", "argument 1" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		struct answer answer;

		ask(wrong[i].request, &answer);
		assert_int_equal(answer.end, CONTROL_REFUSED);
		assert_string_equal(answer.code, wrong[i].code);
		if (!strstr(answer.error.text, wrong[i].sentence))
			fail_msg("'%s' lacks '%s'", answer.error.text, wrong[i].sentence);
		forget(&answer);
	}
}

static void a_checked_identity_is_noted(void **state)
{
	struct answer answer;

	(void)state;
	ask(json_pack("{s:s, s:s, s:b, s:i}", "command", "identity.note", "domain", "example.jp",
		      "aligned", 1, "failed", 2),
	    &answer);
	assert_int_equal(answer.end, CONTROL_REPLY);
	forget(&answer);
}

static void what_is_no_frame_closes_the_connection(void **state)
{
	static const char garbage[] = "GET / HTTP/1.1\r\nHost: x\r\n\r\n";
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);
	char byte;

	(void)state;
	snprintf(address.sun_path, sizeof(address.sun_path), "%s", path);
	assert_int_equal(connect(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	assert_int_equal(send(fd, garbage, sizeof(garbage), 0), sizeof(garbage));
	assert_true(recv(fd, &byte, 1, 0) <= 0);
	close(fd);
}

static void other_users_may_do_nothing(void **state)
{
	int status;
	pid_t pid;

	(void)state;
	if (geteuid() != 0)
		skip();
	pid = fork();
	if (pid == 0) {
		struct answer answer;
		bool is_refused;

		if (setgid(104) < 0 || setuid(104) < 0)
			_exit(2);
		ask(command("system.poweroff"), &answer);
		is_refused = answer.end == CONTROL_REFUSED &&
			     strstr(answer.error.text, "user 104 may not use system.poweroff");
		_exit(is_refused ? 0 : 1);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	assert_int_equal(waitpid(server_pid, &status, WNOHANG), 0);
}

static void a_reboot_that_is_asked_for_begins(void **state)
{
	struct answer answer;
	int status;

	(void)state;
	ask(command("system.reboot"), &answer);
	assert_int_equal(answer.end, CONTROL_REPLY);
	forget(&answer);
	assert_int_equal(waitpid(server_pid, &status, 0), server_pid);
	assert_int_equal(WEXITSTATUS(status), 40 + INIT_REBOOTS);
	server_pid = 0;
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, start_server, stop_server)
	const struct CMUnitTest tests[] = {
		TEST(status_names_services_and_data),
		TEST(the_log_gives_the_last_lines_as_valid_text),
		TEST(who_follows_the_log_gets_lines_as_they_come),
		TEST(one_who_never_reads_holds_nobody_up),
		TEST(what_is_wrong_is_refused_with_a_sentence),
		TEST(a_checked_identity_is_noted),
		TEST(what_is_no_frame_closes_the_connection),
		TEST(other_users_may_do_nothing),
		TEST(a_reboot_that_is_asked_for_begins),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
