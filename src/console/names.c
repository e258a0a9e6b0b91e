#include "console/names.h"

#include "base/config.h"
#include "base/text.h"
#include "console/command.h"
#include "console/link.h"
#include "dns/record_text.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#define PATIENCE_MS 1000
#define ASKED_MAX 200 /* names of one question: more than anybody reads */

/* ---- asked ---- */

static void offer_items(struct completions *c, const json_t *list, const char *field,
			const char *help_field)
{
	for (size_t i = 0; i < json_array_size(list); i++) {
		const json_t *item = json_array_get(list, i);
		const char *name = json_string_value(json_object_get(item, field));

		if (name)
			completions_offer(c, name,
					  json_string_value(json_object_get(item, help_field)));
	}
}

/* Asks; ITEMs are offered by `field`, or those in the list of the REPLY. */
static void ask(struct completions *c, const char *path, json_t *request, const char *list,
		const char *field, const char *help_field)
{
	enum control_problem problem;
	struct error ignored;
	struct control_client *client = control_client_open(path, &problem, &ignored);
	enum control_answer answer;
	json_t *json = NULL;

	if (!client) {
		json_decref(request);
		return;
	}
	control_client_set_patience(client, PATIENCE_MS);
	answer = control_client_request(client, request, &ignored);
	while (answer == CONTROL_SENT || answer == CONTROL_ITEM) {
		answer = control_client_next(client, &json, &ignored);
		if (answer == CONTROL_ITEM && !list) {
			json_t *one = json_pack("[O]", json);

			offer_items(c, one, field, help_field);
			json_decref(one);
		} else if (answer == CONTROL_REPLY && list) {
			offer_items(c, json_object_get(json, list), field, help_field);
		}
		if (answer == CONTROL_ITEM || answer == CONTROL_REPLY)
			json_decref(json);
	}
	control_client_close(client);
}

static void ask_sender(struct completions *c, json_t *request, const char *field,
		       const char *help_field)
{
	struct console console = { 0 };
	struct error ignored;
	char path[256];

	if (link_socket_path(&console, path, sizeof(path), &ignored))
		ask(c, path, request, NULL, field, help_field);
	else
		json_decref(request);
}

/* ---- read ---- */

static void offer_customers(struct completions *c)
{
	struct console console = { 0 };
	char path[CONSOLE_PATH_SIZE];
	struct config config;
	struct error ignored;

	if (!config_read(&config, console_config_path(&console, path), &ignored))
		return;
	for (size_t i = 0; i < config.customer_count; i++)
		completions_offer(c, config.customers[i].domain, NULL);
	config_free(&config);
}

static void offer_settings(struct completions *c)
{
	static const struct candidate settings[] = {
		{ "hostname=", "name of this machine, as its PTR record says" },
		{ "domain=", "what mail is sent for" },
		{ "time-zone=", "such as Asia/Tokyo" },
		{ "ntp=", "time servers, separated by commas" },
		{ "resolvers=", "name servers, separated by commas" },
		{ "console-log=", "true or false: log lines on the console" },
		{ "web-server=", "true or false: pages on ports 80 and 443" },
		{ "method=", "dhcp, static or none" },
		{ "ipv6=", "auto, static or off" },
		{ "addresses=", "such as 192.0.2.10/24,2001:db8::10/64" },
		{ "gateway=", "IPv4 router" },
		{ "gateway6=", "IPv6 router" },
		{ "mtu=", "bytes; 0: as it comes" },
		{ "match-mac=", "the interface with this address gets the name" },
		{ "parent=", "of a VLAN" },
		{ "id=", "of a VLAN" },
		{ "members=", "of a bond" },
		{ "mode=", "of a bond" },
	};

	for (size_t i = 0; i < array_count(settings); i++)
		completions_offer(c, settings[i].word, settings[i].help);
}

static void free_entries(struct dirent **entries, int count)
{
	for (int i = 0; i < count; i++)
		free(entries[i]);
	free(entries);
}

static void offer_files(struct completions *c)
{
	char folder[1024] = "";
	char path[2048];
	const char *slash;
	struct dirent **entries = NULL;
	struct stat info;
	int count;

	if (!slice_copy(path, sizeof(path), c->typed))
		return;
	slash = strrchr(path, '/');
	if (slash)
		slice_copy(folder, sizeof(folder),
			   slice_first(c->typed, (size_t)(slash - path) + 1));
	count = scandir(*folder ? folder : ".", &entries, NULL, alphasort);
	for (int i = 0; i < count; i++) {
		const struct dirent *entry = entries[i];
		bool is_hidden = entry->d_name[0] == '.';

		if (snprintf(path, sizeof(path) - 1, "%s%s", folder, entry->d_name) >=
			    (int)sizeof(path) - 1 ||
		    (is_hidden && c->typed.len == strlen(folder)))
			continue;
		if (stat(path, &info) == 0 && S_ISDIR(info.st_mode))
			memcpy(path + strlen(path), "/", 2);
		completions_offer(c, path, NULL);
	}
	free_entries(entries, count);
}

/*
 * Names below the folder of zones: "Asia/" first, and what is in it once that is typed. Names begin
 * with a capital letter; what does not is no zone.
 */
static void offer_zones(struct completions *c, const char *folder, u32 depth)
{
	char path[512];
	struct dirent **entries = NULL;
	struct stat info;
	int count;

	snprintf(path, sizeof(path), "%s/%s", NAMES_ZONES, folder);
	count = scandir(path, &entries, NULL, alphasort);
	for (int i = 0; i < count; i++) {
		const struct dirent *entry = entries[i];
		char name[300];

		if (entry->d_name[0] < 'A' || entry->d_name[0] > 'Z')
			continue;
		snprintf(name, sizeof(name) - 1, "%s%s", folder, entry->d_name);
		snprintf(path, sizeof(path), "%s/%.290s", NAMES_ZONES, name);
		if (stat(path, &info) == 0 && S_ISDIR(info.st_mode)) {
			memcpy(name + strlen(name), "/", 2);
			if (depth < 3 && slice_has_prefix(c->typed, slice_of(name)))
				offer_zones(c, name, depth + 1);
			else
				completions_offer(c, name, NULL);
		} else {
			completions_offer(c, name, NULL);
		}
	}
	free_entries(entries, count);
}

bool names_is_zone(const char *zone)
{
	char path[512];
	struct stat info;

	if (*zone < 'A' || *zone > 'Z' || strstr(zone, ".."))
		return false;
	snprintf(path, sizeof(path), "%s/%.300s", NAMES_ZONES, zone);
	return stat(path, &info) == 0 && S_ISREG(info.st_mode);
}

static void offer_commands(struct completions *c)
{
	for (size_t i = 0; i < command_count(); i++)
		completions_offer(c, command_at(i)->name, command_at(i)->summary);
}

void names_offer(enum name_kind kind, struct completions *c)
{
	switch (kind) {
	case NAME_NONE:
		break;
	case NAME_CAMPAIGN:
		ask_sender(c, json_pack("{s:s}", "command", "campaign.status"), "name", "state");
		break;
	case NAME_SITE:
		ask_sender(c, json_pack("{s:s, s:i}", "command", "queue.list", "limit", ASKED_MAX),
			   "site", "state");
		break;
	case NAME_CUSTOMER:
		offer_customers(c);
		break;
	case NAME_SERVICE:
		ask(c, link_init_path(), json_pack("{s:s}", "command", "system.status"),
		    "services", "name", "state");
		break;
	case NAME_INTERFACE:
		ask(c, link_init_path(), json_pack("{s:s}", "command", "network.show"),
		    "interfaces", "name", "method");
		break;
	case NAME_SETTING:
		offer_settings(c);
		break;
	case NAME_FILE:
		offer_files(c);
		break;
	case NAME_COMMAND:
		offer_commands(c);
		break;
	case NAME_TYPE:
		for (size_t i = 0; record_type_names[i]; i++)
			completions_offer(c, record_type_names[i], NULL);
		break;
	case NAME_ZONE:
		offer_zones(c, "", 0);
		break;
	}
}
