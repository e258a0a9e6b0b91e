/*
 * What the wizard does with the answers. Each step can be done again: broken off by a power cut in
 * the middle, `setup` goes the same way anew and leaves alone what is there.
 */
#include "base/text.h"
#include "console/command.h"
#include "console/identity.h"
#include "console/link.h"
#include "console/sender_config.h"
#include "console/settings.h"
#include "console/setup.h"
#include "console/task.h"

#include <stdio.h>
#include <unistd.h>

#define DATA_PATH "/data/send"
#define TEXT_MAX (64u << 10)

static void add_addresses(const struct setup *setup, struct buf *text)
{
	const struct appliance *a = &setup->appliance;
	u32 count = 0;

	for (size_t i = 0; i < a->interface_count; i++) {
		const struct appliance_interface *interface = &a->interfaces[i];

		for (size_t k = 0;
		     interface->method == APPLIANCE_STATIC && k < interface->addresses.count; k++) {
			struct slice rest = slice_of(interface->addresses.items[k]);
			struct slice ip = slice_split(&rest, '/');

			buf_add_format(text, "\taddress \"%.*s\" { ehlo = \"%s\" }\n",
				       SLICE_FMT(ip), a->hostname);
			count++;
		}
	}
	if (count == 0)
		buf_add_format(text, "\taddress \"any\" { ehlo = \"%s\" }\n", a->hostname);
}

static void make_config(const struct setup *setup, struct buf *text)
{
	buf_add_format(
		text,
		"# The sender. Written once, by the console's setup; see hikyaku.conf(5) for all\n"
		"# options. `check` tells whether it can be read; `service restart send` makes\n"
		"# changes count.\n"
		"data = \"%s\"\n"
		"control = \"%s\"\n"
		"\n"
		"metrics {\n"
		"\tlisten = \"127.0.0.1:9641\"  # who may ask; \"0.0.0.0:9641\": everybody\n"
		"\ttextfiles = \"/run/hikyaku/metrics\"  # those of the machine, on the same page\n"
		"}\n"
		"\n"
		"customer \"%s\" {\n",
		DATA_PATH, CONSOLE_SOCKET_PATH, setup->domain);
	add_addresses(setup, text);
	buf_add_format(text, "\tdkim \"%s\" { key = \"%s/keys/%s.%s.pem\" }\n}\n", setup->selector,
		       DATA_PATH, setup->domain, setup->selector);
	buf_add_format(text,
		       "\nweb {\n"
		       "\turl = \"https://%s\"  # the pages that links in mail lead to\n"
		       "}\n",
		       setup->appliance.hostname);
	if (setup->wants_certificate)
		buf_add_format(text,
			       "\nwww {\n"
			       "\tacme = true  # Let's Encrypt gives the web pages' certificate\n"
			       "\tacme-contact = \"postmaster@%s\"\n"
			       "}\n",
			       setup->domain);
}

/* False: said why. A configuration that is there stays: it may hold more than we know. */
static bool write_config(struct setup *setup)
{
	char path[CONSOLE_PATH_SIZE];
	struct error error;
	struct buf text;
	bool ok;

	console_etc_path("hikyaku.conf", path);
	if (access(path, F_OK) == 0) {
		printf("%s is there already and stays as it is.\n", path);
		return true;
	}
	buf_init(&text, TEXT_MAX);
	make_config(setup, &text);
	ok = sender_config_write(path, buf_slice(&text), &error);
	buf_done(&text);
	if (!ok)
		console_fail_error(setup->console, CONSOLE_FAILED, &error);
	return ok;
}

static void drop_line(void *arg, struct slice line)
{
	struct buf *last = arg;

	buf_reset(last);
	buf_add_slice(last, slice_first(line, 512));
}

static bool make_key(struct setup *setup)
{
	static char domain_option[] = "--domain";
	static char selector_option[] = "--selector";
	static char out_option[] = "--out";
	char path[CONSOLE_PATH_SIZE];
	char *words[] = { domain_option,   setup->domain, selector_option,
			  setup->selector, out_option,    path };
	struct buf last;
	int code;

	snprintf(path, sizeof(path), "%s/keys/%s.%s.pem", DATA_PATH, setup->domain,
		 setup->selector);
	buf_init(&last, 4096);
	puts("The DKIM key is made...");
	code = task_collect(setup->console, "keys-new", array_count(words), words, drop_line,
			    &last);
	/* A key of that name from a setup that was broken off is as good as a new one. */
	if (code != CONSOLE_OK && slice_find(buf_slice(&last), SLICE("exists")) >= 0) {
		puts("There is one of that name already; it stays.");
		code = CONSOLE_OK;
	} else if (code != CONSOLE_OK) {
		console_fail(setup->console, CONSOLE_FAILED, "the key was not made: %s",
			     buf_text(&last));
	}
	buf_done(&last);
	return code == CONSOLE_OK;
}

static void print_records(struct setup *setup)
{
	struct identity identity;
	struct error error;

	puts("\nThese records have to be published in DNS; `records` shows them again, and\n"
	     "`check identity` tells what is still missing.\n");
	if (!identity_read(setup->console, setup->domain, &identity, &error)) {
		console_fail_error(setup->console, CONSOLE_FAILED, &error);
		return;
	}
	identity_print_records(stdout, &identity);
	identity_done(&identity);
}

int setup_finish(struct setup *setup)
{
	struct error error;
	json_t *reply;
	int code;

	if (!settings_write(&setup->appliance, &error))
		return console_fail_error(setup->console, CONSOLE_FAILED, &error);
	settings_keep();
	puts("\nThe settings are written.");
	code = link_run_init(setup->console, json_pack("{s:s}", "command", "network.apply"),
			     LINK_PATIENCE_MS, NULL, NULL, &reply);
	json_decref(reply);
	if (code != CONSOLE_OK || !make_key(setup) || !write_config(setup))
		return CONSOLE_FAILED;
	/* It waits for its configuration. */
	code = link_run_init(setup->console, json_pack("{s:s, s:s}", "command", "service.start",
						       "name", "send"),
			     LINK_PATIENCE_MS, NULL, NULL, &reply);
	json_decref(reply);
	print_records(setup);
	puts("\nThe machine is set up. `status` shows how it is.");
	return code;
}
