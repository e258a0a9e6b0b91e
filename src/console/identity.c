#include "console/identity.h"

#include "base/net_address.h"
#include "base/text.h"
#include "console/command.h"
#include "console/link.h"
#include "console/network.h"
#include "console/task.h"
#include "dkim/key.h"

#include <stdlib.h>
#include <unistd.h>

/* ---- addresses ---- */

static void add_address(struct identity *identity, struct slice text)
{
	struct records *records = &identity->records;
	struct slice rest = text;
	struct slice address = slice_split(&rest, '/');
	char *room;

	if (records->address_count == IDENTITY_ADDRESSES_MAX || address.len >= 64 ||
	    slice_has_prefix(address, SLICE("fe80:")) || slice_has_prefix(address, SLICE("127.")) ||
	    slice_equal(address, SLICE("::1")))
		return;
	for (size_t i = 0; i < records->address_count; i++) {
		if (slice_equal(address, slice_of(records->addresses[i])))
			return;
	}
	room = identity->address_texts[records->address_count];
	slice_copy(room, 64, address);
	identity->addresses[records->address_count++] = room;
}

/* All that the interfaces have, when init is there to tell. */
static void add_network(const struct console *console, struct identity *identity)
{
	struct console quiet = *console;
	const json_t *interfaces;
	json_t *reply = NULL;

	quiet.json = false;
	if (!link_has_init() || link_ask_init(&quiet, "network.show", &reply) != CONSOLE_OK)
		return;
	interfaces = network_interfaces(reply);
	for (size_t i = 0; i < json_array_size(interfaces); i++) {
		const json_t *list = json_object_get(json_array_get(interfaces, i), "addresses");

		for (size_t k = 0; k < json_array_size(list); k++) {
			const char *text = json_string_value(json_array_get(list, k));

			add_address(identity, slice_of(text ? text : ""));
		}
	}
	json_decref(reply);
}

/* ---- keys ---- */

static void add_key(struct identity *identity, const char *selector, const char *domain,
		    struct slice record)
{
	struct identity_key *key = &identity->keys[identity->key_count];

	if (identity->key_count == IDENTITY_KEYS_MAX ||
	    !slice_equal_nocase(slice_of(domain), slice_of(identity->domain)))
		return;
	snprintf(key->name, sizeof(key->name), "%.63s._domainkey.%.255s", selector, domain);
	key->record = malloc(record.len + 1);
	if (!key->record)
		return;
	slice_copy(key->record, record.len + 1, record);
	identity->key_count++;
}

static void on_key_line(void *arg, struct slice line)
{
	json_t *key = json_loadb(line.ptr, line.len, 0, NULL);
	const char *selector = json_string_value(json_object_get(key, "selector"));
	const char *domain = json_string_value(json_object_get(key, "domain"));
	const char *record = json_string_value(json_object_get(key, "record"));

	if (selector && domain && record)
		add_key(arg, selector, domain, slice_of(record));
	json_decref(key);
}

static bool read_keys(const struct config_customer *customer, struct identity *identity,
		      struct error *error)
{
	for (size_t i = 0; i < customer->dkim_count; i++) {
		struct dkim_key key;
		struct buf record;

		if (!dkim_key_load(&key, customer->dkim[i].key, slice_of(customer->domain),
				   slice_of(customer->dkim[i].selector), error))
			return false;
		buf_init(&record, 8192);
		if (dkim_key_record(&key, &record))
			add_key(identity, key.selector, key.domain, buf_slice(&record));
		buf_done(&record);
		dkim_key_done(&key);
	}
	return true;
}

/* ---- the whole ---- */

static const struct config_customer *choose(const struct config *config, const char *domain,
					    struct error *error)
{
	const struct config_customer *customer = config->customers;

	if (domain)
		customer = config_customer_of(config, slice_of(domain));
	if (!customer)
		error_set(error, "the configuration has no customer \"%.200s\"", domain);
	return customer;
}

static void take_customer(const struct console *console, const struct config_customer *customer,
			  struct identity *identity)
{
	slice_copy(identity->domain, sizeof(identity->domain), slice_of(customer->domain));
	for (size_t i = 0; i < customer->address_count; i++) {
		const struct config_address *address = &customer->addresses[i];

		if (i == 0)
			slice_copy(identity->hostname, sizeof(identity->hostname),
				   slice_of(address->ehlo));
		if (strcmp(address->ip, CONFIG_ANY_ADDRESS) == 0)
			add_network(console, identity);
		else
			add_address(identity, slice_of(address->ip));
	}
}

static void begin(struct identity *identity)
{
	*identity = (struct identity){ 0 };
	identity->records = (struct records){ .domain = identity->domain,
					      .hostname = identity->hostname,
					      .addresses = identity->addresses };
}

bool identity_read_addresses(const struct console *console, struct identity *identity,
			     struct error *error)
{
	char path[CONSOLE_PATH_SIZE];
	struct config config;

	begin(identity);
	if (!config_read(&config, console_config_path(console, path), error))
		return false;
	take_customer(console, &config.customers[0], identity);
	config_free(&config);
	return true;
}

bool identity_read(const struct console *console, const char *domain, struct identity *identity,
		   struct error *error)
{
	static char json_option[] = "--json";
	char *words[] = { json_option, NULL };
	char path[CONSOLE_PATH_SIZE];
	const struct config_customer *customer;
	struct config config;
	bool ok = true;

	begin(identity);
	if (!config_read(&config, console_config_path(console, path), error))
		return false;
	customer = choose(&config, domain, error);
	if (customer) {
		take_customer(console, customer, identity);
		/* Only the sender's user may read keys; their public halves are for everybody. */
		if (console->is_inside && link_has_init())
			(void)task_collect(console, "keys-show", 1, words, on_key_line, identity);
		else
			ok = read_keys(customer, identity, error);
	}
	config_free(&config);
	if (customer && ok)
		return true;
	identity_done(identity);
	return false;
}

void identity_done(struct identity *identity)
{
	for (size_t i = 0; i < identity->key_count; i++)
		free(identity->keys[i].record);
	identity->key_count = 0;
}

void identity_print_records(FILE *out, const struct identity *identity)
{
	records_print(out, &identity->records);
	fputs("; The keys that mail is signed by (DKIM).\n", out);
	for (size_t i = 0; i < identity->key_count; i++)
		records_print_txt(out, identity->keys[i].name,
				  slice_of(identity->keys[i].record));
	if (identity->key_count == 0)
		fputs("; (no key can be read)\n", out);
}

bool identity_of_arguments(struct console *console, int argc, char **argv,
			   struct identity *identity, int *code)
{
	struct error error;
	int words;

	if (!console_options(console, NULL, 0, argc, argv, &words, code))
		return false;
	if (words > 1)
		*code = console_fail(console, CONSOLE_USAGE, "one domain at a time");
	else if (!identity_read(console, words ? argv[0] : NULL, identity, &error))
		*code = console_fail_error(console, CONSOLE_FAILED, &error);
	else
		return true;
	return false;
}

int records_run(struct console *console, int argc, char **argv)
{
	struct identity identity;
	int code;

	if (!identity_of_arguments(console, argc, argv, &identity, &code))
		return code;
	identity_print_records(stdout, &identity);
	identity_done(&identity);
	return CONSOLE_OK;
}
