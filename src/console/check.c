#include "console/command.h"

#include "base/clock.h"
#include "base/config.h"
#include "base/text.h"
#include "console/certificate.h"
#include "console/human.h"
#include "console/link.h"
#include "console/task.h"
#include "dkim/key.h"

#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#define RELAXED                                                                                    \
	"queue: durability: relaxed: after a power cut the last mails may be forgotten or sent "   \
	"twice"

struct check {
	const struct console *console;
	const char *config_path;
	u32 problems;
	u32 keys;
};

static void problem(struct check *check, const char *where, const char *text)
{
	check->problems++;
	console_fail(check->console, CONSOLE_FAILED, "%s: %s", where, text);
}

static void check_key(struct check *check, const struct config_customer *customer,
		      const struct config_dkim *dkim)
{
	struct dkim_key key;
	struct error error;
	char where[512];

	snprintf(where, sizeof(where), "%.100s: customer \"%.128s\": dkim \"%.64s\"",
		 check->config_path, customer->domain, dkim->selector);
	if (!dkim_key_load(&key, dkim->key, slice_of(customer->domain), slice_of(dkim->selector),
			   &error)) {
		problem(check, where, error.text);
		return;
	}
	check->keys++;
	dkim_key_done(&key);
}

/* A file that the configuration names and that the sender reads at start. */
static void check_readable(struct check *check, const char *option, const char *path)
{
	char where[256];

	if (!path || access(path, R_OK) == 0)
		return;
	snprintf(where, sizeof(where), "%.100s: %s", check->config_path, option);
	check->problems++;
	console_fail(check->console, CONSOLE_FAILED, "%s: %.200s cannot be read", where, path);
}

static void check_folder(struct check *check, const char *path)
{
	struct stat info;

	if (stat(path, &info) == 0 && !S_ISDIR(info.st_mode)) {
		check->problems++;
		console_fail(check->console, CONSOLE_FAILED, "%s: data: %.200s is not a folder",
			     check->config_path, path);
	}
}

/*
 * What works, but should be seen to: a choice that is not to be made lightly, a certificate that
 * ends. No problem of the configuration. A list of sentences.
 */
static json_t *warnings_of(const struct config *config)
{
	json_t *warnings = json_array();
	json_t *web = certificate_read(config);
	struct buf text;

	if (config->queue.durability == CONFIG_DURABILITY_RELAXED)
		json_array_append_new(warnings, json_string(RELAXED));
	buf_init(&text, 4096);
	if (web && certificate_add_warning(&text, web, clock_wall_ms()))
		json_array_append_new(warnings, json_string(buf_text(&text)));
	buf_done(&text);
	json_decref(web);
	return warnings;
}

static void print_result(const struct check *check, const struct config *config)
{
	json_t *warnings = warnings_of(config);
	json_t *json;

	if (check->console->json) {
		json = json_pack("{s:b, s:s, s:I, s:I, s:I, s:o}", "ok", check->problems == 0,
				 "file", check->config_path, "customers",
				 (json_int_t)config->customer_count, "keys",
				 (json_int_t)check->keys, "problems",
				 (json_int_t)check->problems, "warnings", warnings);
		link_print_json(json);
		json_decref(json);
		return;
	}
	for (size_t i = 0; i < json_array_size(warnings); i++)
		fprintf(stderr, "hikyaku: %s: warning: %s\n", check->config_path,
			json_string_value(json_array_get(warnings, i)));
	json_decref(warnings);
	if (check->problems == 0)
		printf("%s is fine: %zu customer%s, %u DKIM key%s\n", check->config_path,
		       config->customer_count, config->customer_count == 1 ? "" : "s", check->keys,
		       check->keys == 1 ? "" : "s");
}

int check_run(struct console *console, int argc, char **argv)
{
	struct check check = { .console = console };
	struct config config;
	struct error error;
	char path[CONSOLE_PATH_SIZE];
	int code;

	if (task_instead(console, "check", argc, argv, &code))
		return code;
	if (!console_arguments(console, NULL, 0, argc, argv, 0, 0, &code))
		return code;
	check.config_path = console_config_path(console, path);
	if (!config_read(&config, check.config_path, &error))
		return console_fail_error(console, CONSOLE_FAILED, &error);
	check_folder(&check, config.data);
	check_readable(&check, "dns: trust-anchor-file", config.dns.trust_anchor_file);
	check_readable(&check, "dns: root-hints", config.dns.root_hints);
	for (size_t i = 0; i < config.customer_count; i++) {
		for (size_t k = 0; k < config.customers[i].dkim_count; k++)
			check_key(&check, &config.customers[i], &config.customers[i].dkim[k]);
	}
	print_result(&check, &config);
	config_free(&config);
	return check.problems == 0 ? CONSOLE_OK : CONSOLE_FAILED;
}
