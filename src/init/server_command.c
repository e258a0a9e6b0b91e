/*
 * What init does when it is asked; the table stands in control/README.md.
 */
#include "base/clock.h"
#include "base/log.h"
#include "base/text.h"
#include "base/version.h"
#include "init/init.h"
#include "init/machine.h"
#include "init/network.h"
#include "init/users.h"

#include <string.h>

#define LOG_LINES 200

/* ---- objects ---- */

static json_t *service_object(const struct supervisor_service *service, u64 now_ms)
{
	char last_exit[SUPERVISOR_EXIT_SIZE];

	supervisor_exit_text(service->last_status, last_exit);
	return json_pack("{s:s, s:s, s:i, s:I, s:I, s:s, s:I}", "name", service->name, "state",
			 supervisor_state_name(service->state), "pid", (int)service->pid,
			 "restarts", (json_int_t)service->restarts, "since_ms",
			 (json_int_t)(now_ms - service->since_ms), "last_exit", last_exit, "memory",
			 (json_int_t)(service->pid ? cgroup_memory(service->name) : 0));
}

static json_t *services_list(const struct supervisor *supervisor, u64 now_ms)
{
	json_t *list = json_array();

	for (u32 i = 0; list && i < supervisor->count; i++) {
		if (json_array_append_new(list, service_object(&supervisor->services[i], now_ms)) <
		    0) {
			json_decref(list);
			list = NULL;
		}
	}
	return list;
}

static json_t *stages_list(const struct init *init)
{
	json_t *list = json_array();

	for (u32 i = 0; list && i < init->stage_count; i++) {
		json_t *stage = json_pack("{s:s, s:I}", "name", init->stages[i].name, "at_ms",
					  (json_int_t)init->stages[i].at_ms);

		if (json_array_append_new(list, stage) < 0) {
			json_decref(list);
			list = NULL;
		}
	}
	return list;
}

static json_t *network_object(const struct init *init)
{
	return init->network ? network_json(init->network, init_now_ms()) : json_object();
}

static json_t *data_object(const struct init *init)
{
	struct machine_disk disk = { 0 };

	if (init_has_data(init))
		machine_disk("/data", &disk);
	return json_pack("{s:s, s:s, s:s, s:I, s:I, s:I}", "device", init->data_device, "state",
			 init_data_name(init->data), "note", init->data_note, "size",
			 (json_int_t)disk.size, "used", (json_int_t)disk.used, "available",
			 (json_int_t)disk.available);
}

static json_t *machine_object(void)
{
	struct machine_memory memory;
	struct machine_clock now;
	double load[3];

	machine_memory(&memory);
	machine_clock(&now);
	machine_load(load);
	return json_pack("{s:{s:I, s:I}, s:{s:b, s:I}, s:[f, f, f]}", "memory", "total",
			 (json_int_t)memory.total, "available", (json_int_t)memory.available,
			 "clock", "synced", (int)now.is_synced, "offset_us",
			 (json_int_t)now.offset_us, "load", load[0], load[1], load[2]);
}

/* ---- commands ---- */

static void system_status(struct server_link *link, const struct control_request *request)
{
	struct init *init = server_link_init(link);
	u64 now_ms = init_now_ms();
	json_t *status = machine_object();
	json_t *more;

	(void)request;
	more = json_pack("{s:s, s:s, s:s, s:I, s:o, s:o, s:o, s:o}", "hostname",
			 init->appliance.hostname, "version", HIKYAKU_VERSION, "slot", init->slot,
			 "uptime_ms", (json_int_t)now_ms, "stages", stages_list(init), "services",
			 services_list(&init->supervisor, now_ms), "data", data_object(init),
			 "network", network_object(init));
	if (!status || !more || json_object_update(status, more) < 0) {
		json_decref(status);
		status = NULL;
	}
	json_decref(more);
	server_reply(link, status);
}

static void system_reboot(struct server_link *link, const struct control_request *request)
{
	bool is_reboot = strcmp(request->command, "system.reboot") == 0;

	server_reply(link, json_object());
	init_end(server_link_init(link), is_reboot ? INIT_REBOOTS : INIT_POWERS_OFF, "asked for");
}

/* False: there is no process to kill. */
static bool obey(struct init *init, struct supervisor_service *service, const char *command,
		 u64 now_ms)
{
	if (strcmp(command, "service.kill") == 0)
		return supervisor_kill(service, now_ms);
	/* What it waits for may have come by now: the console writes the sender's configuration. */
	init_look_around(init);
	if (strcmp(command, "service.stop") == 0)
		supervisor_want(service, false, now_ms);
	else if (strcmp(command, "service.start") == 0 && service->pid != 0)
		supervisor_want(service, true, now_ms);
	else
		supervisor_restart(service, now_ms);
	return true;
}

static void change_service(struct server_link *link, const struct control_request *request)
{
	struct init *init = server_link_init(link);
	struct supervisor_service *service;
	const char *name = NULL;
	const struct control_arg args[] = {
		{ "name", CONTROL_TEXT, true, &name },
		{ "who", CONTROL_TEXT, false, &(const char *){ NULL } },
	};
	struct error error = { "" };
	u64 now_ms = init_now_ms();

	if (!control_read(request->json, request->command, args, array_count(args), &error)) {
		server_refuse(link, CONTROL_BAD_REQUEST, error.text);
		return;
	}
	service = supervisor_find(&init->supervisor, slice_of(name));
	if (!service) {
		error_set(&error, "there is no service '%s'", name);
		server_refuse(link, CONTROL_NOT_FOUND, error.text);
		return;
	}
	if (!obey(init, service, request->command, now_ms)) {
		error_set(&error, "%s does not run", name);
		server_refuse(link, CONTROL_NOT_FOUND, error.text);
		return;
	}
	server_reply(link, service_object(service, now_ms));
}

static void log_read(struct server_link *link, const struct control_request *request)
{
	const struct logbook *logbook = server_link_init(link)->logbook;
	const char *service = NULL;
	u64 lines = LOG_LINES;
	bool follows = false;
	const struct control_arg args[] = {
		{ "service", CONTROL_TEXT, false, &service },
		{ "lines", CONTROL_NUMBER, false, &lines },
		{ "follow", CONTROL_FLAG, false, &follows },
		{ "who", CONTROL_TEXT, false, &(const char *){ NULL } },
	};
	struct error error = { "" };

	if (!control_read(request->json, request->command, args, array_count(args), &error))
		server_refuse(link, CONTROL_BAD_REQUEST, error.text);
	else
		server_send_log(link, service, logbook_from_end(logbook, service, lines), follows);
}

/* What was typed on a console: kept with who typed it, whatever comes of it. */
static void log_typed(struct server_link *link, const struct control_request *request)
{
	const char *text = NULL;
	const char *who = NULL;
	const struct control_arg args[] = {
		{ "text", CONTROL_TEXT, true, &text },
		{ "who", CONTROL_TEXT, false, &who },
	};
	struct error error = { "" };

	if (!control_read(request->json, request->command, args, array_count(args), &error)) {
		server_refuse(link, CONTROL_BAD_REQUEST, error.text);
		return;
	}
	log_info("console", "typed", "user=%u who=%s line=%s", server_link_user(link),
		 who ? who : "", text);
	server_reply(link, json_object());
}

static void identity_note(struct server_link *link, const struct control_request *request)
{
	const char *domain = NULL;
	bool is_aligned = false;
	u64 failed = 0;
	const struct control_arg args[] = {
		{ "domain", CONTROL_TEXT, true, &domain },
		{ "aligned", CONTROL_FLAG, true, &is_aligned },
		{ "failed", CONTROL_NUMBER, true, &failed },
		{ "who", CONTROL_TEXT, false, &(const char *){ NULL } },
	};
	struct error error = { "" };

	if (!control_read(request->json, request->command, args, array_count(args), &error))
		server_refuse(link, CONTROL_BAD_REQUEST, error.text);
	else if (!identity_notes_set(&server_link_init(link)->identity, slice_of(domain),
				     is_aligned, failed, clock_wall_ms() / 1000))
		server_refuse(link, CONTROL_BAD_REQUEST,
			      "identity.note: \"domain\" is no domain name");
	else
		server_reply(link, json_object());
}

static void network_show(struct server_link *link, const struct control_request *request)
{
	struct init *init = server_link_init(link);
	struct error error = { "" };

	if (strcmp(request->command, "network.apply") == 0 && !init_read_appliance(init, &error))
		server_refuse(link, CONTROL_FAILED, error.text);
	else
		server_reply(link, network_object(init));
}

static void network_dhcp(struct server_link *link, const struct control_request *request)
{
	struct network *network = server_link_init(link)->network;
	struct error error = { "" };

	if (!network)
		server_refuse(link, CONTROL_FAILED, "there is no network");
	else if (!network_dhcp_event(network, request->json, init_now_ms(), &error))
		server_refuse(link, CONTROL_BAD_REQUEST, error.text);
	else
		server_reply(link, json_object());
}

static void task_run(struct server_link *link, const struct control_request *request)
{
	const char *name = NULL;
	json_t *arguments = NULL;
	bool has_input = false;
	const struct control_arg args[] = {
		{ "name", CONTROL_TEXT, true, &name },
		{ "arguments", CONTROL_JSON, false, &arguments },
		{ "input", CONTROL_FLAG, false, &has_input },
		{ "who", CONTROL_TEXT, false, &(const char *){ NULL } },
	};
	struct error error = { "" };

	if (!control_read(request->json, request->command, args, array_count(args), &error))
		server_refuse(link, CONTROL_BAD_REQUEST, error.text);
	else if (arguments && !json_is_array(arguments))
		server_refuse(link, CONTROL_BAD_REQUEST,
			      "task.run: \"arguments\" must be a list of texts");
	else
		server_run_task(link, name, arguments, has_input);
}

/* ---- who may do what ---- */

enum right { FOR_ADMIN, FOR_DHCP };

static const struct {
	const char *name;
	void (*run)(struct server_link *link, const struct control_request *request);
	enum right right;
	bool only_looks; /* not worth a line in the log */
} commands[] = {
	{ "system.status", system_status, FOR_ADMIN, true },
	{ "system.reboot", system_reboot, FOR_ADMIN, false },
	{ "system.poweroff", system_reboot, FOR_ADMIN, false },
	{ "service.restart", change_service, FOR_ADMIN, false },
	{ "service.stop", change_service, FOR_ADMIN, false },
	{ "service.kill", change_service, FOR_ADMIN, false },
	{ "service.start", change_service, FOR_ADMIN, false },
	{ "log.read", log_read, FOR_ADMIN, true },
	{ "log.write", log_typed, FOR_ADMIN, true },
	{ "identity.note", identity_note, FOR_ADMIN, true },
	{ "network.show", network_show, FOR_ADMIN, true },
	{ "network.apply", network_show, FOR_ADMIN, false },
	{ "network.dhcp", network_dhcp, FOR_DHCP, true },
	{ "task.run", task_run, FOR_ADMIN, false },
};

static bool may(uid_t user, enum right right)
{
	return user == USERS_ROOT || user == (right == FOR_DHCP ? USERS_DHCP : USERS_ADMIN);
}

static void note(const struct server_link *link, const struct control_request *request)
{
	const char *who = json_string_value(json_object_get(request->json, "who"));
	const char *name = json_string_value(json_object_get(request->json, "name"));

	log_info("init", "command", "name=%s of=%s user=%u who=%s", request->command,
		 name ? name : "", server_link_user(link), who ? who : "");
}

void server_command(struct server_link *link, const struct control_request *request)
{
	struct error error = { "" };

	for (size_t i = 0; i < array_count(commands); i++) {
		if (strcmp(commands[i].name, request->command) != 0)
			continue;
		if (!may(server_link_user(link), commands[i].right)) {
			log_warn("init", "command refused", "name=%s user=%u", request->command,
				 server_link_user(link));
			error_set(&error, "user %u may not use %s", server_link_user(link),
				  request->command);
			server_refuse(link, CONTROL_FAILED, error.text);
			return;
		}
		if (!commands[i].only_looks)
			note(link, request);
		commands[i].run(link, request);
		return;
	}
	error_set(&error, "init knows no command '%s'", request->command);
	server_refuse(link, CONTROL_BAD_REQUEST, error.text);
}
