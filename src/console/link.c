#include "console/link.h"

#include "base/config.h"
#include "base/text.h"
#include "console/command.h"
#include "console/human.h"
#include "console/who.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define TELL_PATIENCE_MS 1000

/* ---- connecting ---- */

bool link_socket_path(const struct console *console, char *path, size_t size, struct error *error)
{
	char config_path[CONSOLE_PATH_SIZE];
	struct config config;

	if (console->socket_path)
		return slice_copy(path, size, slice_of(console->socket_path)) ||
		       error_set(error, "--socket: the path is too long");
	console_config_path(console, config_path);
	if (!console->config_path && access(config_path, F_OK) < 0 && errno == ENOENT)
		return slice_copy(path, size, SLICE(CONSOLE_SOCKET_PATH));
	if (!config_read(&config, config_path, error))
		return false;
	slice_copy(path, size, slice_of(config.control));
	config_free(&config);
	return true;
}

int link_open(const struct console *console, struct control_client **client)
{
	enum control_problem problem;
	struct error error;
	char path[256];

	*client = NULL;
	if (!link_socket_path(console, path, sizeof(path), &error))
		return console_fail_error(console, CONSOLE_FAILED, &error);
	*client = control_client_open(path, &problem, &error);
	if (*client)
		return CONSOLE_OK;
	return console_fail_error(
		console, problem == CONTROL_NO_DAEMON ? CONSOLE_NO_DAEMON : CONSOLE_FAILED, &error);
}

/* ---- asking ---- */

void link_print_json(const json_t *json)
{
	json_dumpf(json, stdout, JSON_COMPACT);
	putchar('\n');
}

static void print_refusal(const struct control_client *client, const struct error *error)
{
	json_t *json = json_pack("{s:s, s:s}", "error", error->text, "code",
				 control_client_code(client));

	if (json)
		json_dumpf(json, stderr, JSON_COMPACT);
	fputc('\n', stderr);
	json_decref(json);
}

int link_failed(const struct console *console, struct control_client *client,
		enum control_answer answer, const struct error *error)
{
	if (answer == CONTROL_REFUSED && console->json) {
		print_refusal(client, error);
		return CONSOLE_FAILED;
	}
	return console_fail_error(console, CONSOLE_FAILED, error);
}

/* Of a command that takes a while, once a second: on a terminal, one line, rewritten. */
static bool show_progress(const struct console *console, const json_t *item, bool *is_shown)
{
	const json_t *progress = json_object_get(item, "progress");
	struct buf text;

	if (!progress)
		return false;
	if (console->json || !isatty(STDERR_FILENO))
		return true;
	buf_init(&text, 256);
	human_number(&text, answer_number(progress, "count"));
	buf_add_text(&text, " recipients so far, ");
	human_number(&text, answer_number(progress, "looked"));
	buf_add_text(&text, " looked at");
	fprintf(stderr, "\r\033[K%s", buf_text(&text));
	fflush(stderr);
	buf_done(&text);
	*is_shown = true;
	return true;
}

int link_ask(const struct console *console, struct control_client *client, json_t *request,
	     void (*on_item)(void *arg, const json_t *item), void *arg, json_t **reply)
{
	struct error error;
	json_t *json = NULL;
	bool progress_is_shown = false;
	enum control_answer answer = control_client_request(client, request, &error);

	*reply = NULL;
	if (answer != CONTROL_SENT)
		return link_failed(console, client, answer, &error);
	while ((answer = control_client_next(client, &json, &error)) == CONTROL_ITEM) {
		if (show_progress(console, json, &progress_is_shown))
			;
		else if (console->json)
			link_print_json(json);
		else if (on_item)
			on_item(arg, json);
		json_decref(json);
		/* Nobody reads any more (`| head`): a long report ends here. */
		if (ferror(stdout))
			return CONSOLE_FAILED;
	}
	if (progress_is_shown)
		fputs("\r\033[K", stderr);
	if (answer != CONTROL_REPLY)
		return link_failed(console, client, answer, &error);
	if (console->json && !on_item)
		link_print_json(json);
	*reply = json;
	return CONSOLE_OK;
}

void link_ignore_item(void *arg, const json_t *item)
{
	(void)arg, (void)item;
}

int link_run(const struct console *console, json_t *request,
	     void (*on_item)(void *arg, const json_t *item), void *arg, json_t **reply)
{
	struct control_client *client;
	int code = link_open(console, &client);

	*reply = NULL;
	if (code != CONSOLE_OK) {
		json_decref(request);
		return code;
	}
	code = link_ask(console, client, request, on_item, arg, reply);
	control_client_close(client);
	return code;
}

/* ---- init ---- */

const char *link_init_path(void)
{
	const char *path = getenv("HIKYAKU_INIT");

	return path && *path ? path : CONTROL_INIT_PATH;
}

bool link_has_init(void)
{
	return access(link_init_path(), F_OK) == 0;
}

int link_open_init(const struct console *console, struct control_client **client)
{
	enum control_problem problem;
	struct error error;
	char name[64];

	*client = control_client_open(link_init_path(), &problem, &error);
	if (*client)
		return CONSOLE_OK;
	if (problem != CONTROL_NO_DAEMON)
		return console_fail_error(console, CONSOLE_FAILED, &error);
	return console_fail(console, CONSOLE_NO_DAEMON,
			    "`%s` is a command of the appliance, and this is none: no init "
			    "listens on %s",
			    command_name(console->command, name, sizeof(name)), link_init_path());
}

int link_run_init(const struct console *console, json_t *request, u32 patience_ms,
		  void (*on_item)(void *arg, const json_t *item), void *arg, json_t **reply)
{
	struct control_client *client;
	char who[WHO_SIZE];
	int code = link_open_init(console, &client);

	*reply = NULL;
	if (code != CONSOLE_OK) {
		json_decref(request);
		return code;
	}
	who_describe(who);
	json_object_set_new(request, "who", json_string(who));
	control_client_set_patience(client, patience_ms);
	code = link_ask(console, client, request, on_item, arg, reply);
	control_client_close(client);
	return code;
}

int link_ask_init(const struct console *console, const char *command, json_t **reply)
{
	return link_run_init(console, json_pack("{s:s}", "command", command), LINK_PATIENCE_MS,
			     link_ignore_item, NULL, reply);
}

void link_tell_init(json_t *request)
{
	enum control_problem problem;
	struct error ignored;
	struct control_client *client = control_client_open(link_init_path(), &problem, &ignored);
	json_t *reply = NULL;
	char who[WHO_SIZE];

	if (!client) {
		json_decref(request);
		return;
	}
	who_describe(who);
	json_object_set_new(request, "who", json_string(who));
	control_client_set_patience(client, TELL_PATIENCE_MS);
	if (control_client_request(client, request, &ignored) == CONTROL_SENT &&
	    control_client_next(client, &reply, &ignored) == CONTROL_REPLY)
		json_decref(reply);
	control_client_close(client);
}

/* ---- fields ---- */

u64 answer_number(const json_t *object, const char *name)
{
	json_int_t value = json_integer_value(json_object_get(object, name));

	return value > 0 ? (u64)value : 0;
}

double answer_real(const json_t *object, const char *name)
{
	return json_number_value(json_object_get(object, name));
}

struct slice answer_text(const json_t *object, const char *name)
{
	const json_t *value = json_object_get(object, name);

	if (!json_is_string(value))
		return SLICE("");
	return (struct slice){ json_string_value(value), json_string_length(value) };
}

bool answer_flag(const json_t *object, const char *name)
{
	return json_is_true(json_object_get(object, name));
}
