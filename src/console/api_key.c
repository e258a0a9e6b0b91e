/* `api-key`: keys of programs that use the interface of `hikyaku web`. */
#include "console/command.h"

#include "base/clock.h"
#include "base/text.h"
#include "console/human.h"
#include "console/key_file.h"
#include "console/link.h"

#include <stdio.h>
#include <string.h>

static void print_key(const struct console *console, const struct api_key *key, const char *secret)
{
	if (console->json) {
		json_t *json = json_pack("{s:s, s:s}", "name", key->name, "key", secret);

		link_print_json(json);
		json_decref(json);
		return;
	}
	printf("%s\n", secret);
	fprintf(stderr, "This key of %s is shown once: keep it where nobody else reads it.\n",
		key->name);
}

int api_key_add_run(struct console *console, int argc, char **argv)
{
	static struct key_file file;
	const char *customer = NULL;
	u32 scopes = API_SCOPE_SEND;
	const struct option options[] = {
		{ "customer", OPTION_TEXT, &customer, "DOMAIN", "for this customer's mail alone",
		  NULL },
		{ "scope", OPTION_WORDS, &scopes, "SCOPES",
		  "send (default), read, contacts, admin; by commas", api_scope_names },
	};
	struct api_key key = { .made_ms = clock_wall_ms() };
	char secret[API_KEY_SIZE];
	struct error error;
	int code;

	if (!console_arguments(console, options, array_count(options), argc, argv, 1, 1, &code))
		return code;
	if (!key_file_open(console, &file, &code))
		return code;
	key.scopes = scopes;
	code = CONSOLE_FAILED;
	if (customer && !config_customer_of(&file.config, slice_of(customer)))
		console_fail(console, CONSOLE_FAILED, "customer %s is not in the configuration",
			     customer);
	else if (!slice_copy(key.name, sizeof(key.name), slice_of(argv[0])) ||
		 !slice_copy(key.customer, sizeof(key.customer),
			     slice_of(customer ? customer : "")))
		console_fail(console, CONSOLE_FAILED, "the name is too long");
	else if (!api_keys_add(&file.keys, &key, secret, &error) ||
		 !key_file_write(&file, &error))
		console_fail_error(console, CONSOLE_FAILED, &error);
	else
		code = CONSOLE_OK;
	if (code == CONSOLE_OK)
		print_key(console, &key, secret);
	explicit_bzero(secret, sizeof(secret));
	key_file_close(&file);
	return code;
}

static const char *const titles[] = { "name", "scopes", "customer", "since" };

static void list_key(struct table *table, const struct api_key *key, struct slice scopes)
{
	table_text(table, slice_of(key->name));
	table_text(table, scopes);
	table_text(table, slice_of(key->customer[0] ? key->customer : "all"));
	table_time(table, key->made_ms);
}

int api_key_list_run(struct console *console, int argc, char **argv)
{
	static struct key_file file;
	struct table table;
	struct buf scopes;
	int code;

	if (!console_arguments(console, NULL, 0, argc, argv, 0, 0, &code))
		return code;
	if (!key_file_open(console, &file, &code))
		return code;
	buf_init(&scopes, 64);
	table_init(&table, stdout, titles, array_count(titles), 0);
	for (size_t i = 0; i < file.keys.count; i++) {
		const struct api_key *key = &file.keys.keys[i];

		buf_reset(&scopes);
		api_scopes_format(key->scopes, &scopes);
		if (console->json) {
			json_t *json = json_pack("{s:s, s:s, s:s, s:I}", "name", key->name,
						 "scopes", buf_text(&scopes), "customer",
						 key->customer, "made_ms",
						 (json_int_t)key->made_ms);

			link_print_json(json);
			json_decref(json);
		} else {
			list_key(&table, key, buf_slice(&scopes));
		}
	}
	table_done(&table);
	buf_done(&scopes);
	key_file_close(&file);
	return CONSOLE_OK;
}

int api_key_remove_run(struct console *console, int argc, char **argv)
{
	static struct key_file file;
	struct error error;
	int code;

	if (!console_arguments(console, NULL, 0, argc, argv, 1, 1, &code))
		return code;
	if (!key_file_open(console, &file, &code))
		return code;
	if (!api_keys_remove(&file.keys, slice_of(argv[0])))
		code = console_fail(console, CONSOLE_FAILED, "there is no key named %s", argv[0]);
	else if (!key_file_write(&file, &error))
		code = console_fail_error(console, CONSOLE_FAILED, &error);
	else
		code = CONSOLE_OK;
	key_file_close(&file);
	return code;
}
