#include "console/command.h"

#include "base/config.h"
#include "base/durable.h"
#include "base/text.h"
#include "console/keys.h"
#include "console/link.h"
#include "console/task.h"
#include "dkim/key.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define PATH_BYTES 1024

/* ---- printing ---- */

static const char *type_name(const struct dkim_key *key)
{
	return crypto_key_algorithm(key->private_key) == CRYPTO_RSA ? "rsa" : "ed25519";
}

int keys_print(const struct console *console, const struct dkim_key *key, const char *path)
{
	struct buf record;
	struct buf zone;
	int code = CONSOLE_FAILED;
	json_t *json;

	buf_init(&record, 8192);
	buf_init(&zone, 16384);
	if (!dkim_key_record(key, &record) || !dkim_key_zone_line(key, &zone)) {
		console_fail(console, CONSOLE_FAILED, "%s: the public key cannot be written", path);
		goto out;
	}
	code = CONSOLE_OK;
	if (console->json) {
		json = json_pack("{s:s, s:s, s:s, s:s, s:I, s:s, s:s}", "file", path, "domain",
				 key->domain, "selector", key->selector, "type", type_name(key),
				 "bits", (json_int_t)crypto_key_bits(key->private_key), "record",
				 buf_text(&record), "zone", buf_text(&zone));
		link_print_json(json);
		json_decref(json);
		goto out;
	}
	printf("file      %s (%s", path, type_name(key));
	if (crypto_key_algorithm(key->private_key) == CRYPTO_RSA)
		printf(", %u bits", crypto_key_bits(key->private_key));
	printf(")\nname      %s._domainkey.%s\ntype      TXT\nrecord    %s\nzone line\n%s\n",
	       key->selector, key->domain, buf_text(&record), buf_text(&zone));
out:
	buf_done(&record);
	buf_done(&zone);
	return code;
}

static int show_file(const struct console *console, const char *path, const char *domain,
		     const char *selector)
{
	struct dkim_key key;
	struct error error;
	int code;

	if (!dkim_key_load(&key, path, slice_of(domain), slice_of(selector), &error))
		return console_fail_error(console, CONSOLE_FAILED, &error);
	code = keys_print(console, &key, path);
	dkim_key_done(&key);
	return code;
}

/* ---- keys new ---- */

/* <data>/keys/<domain>.<selector>.pem of the configuration; the folder is made when missing. */
static bool default_path(const struct console *console, char *path, size_t size,
			 const char *domain, const char *selector)
{
	char config_path[CONSOLE_PATH_SIZE];
	struct config config;
	struct error error;
	int folder;
	int n;

	if (!config_read(&config, console_config_path(console, config_path), &error)) {
		console_fail_error(console, CONSOLE_FAILED, &error);
		console_fail(console, CONSOLE_FAILED,
			     "say with --out where the key goes, or give a good --config");
		return false;
	}
	folder = snprintf(path, size, "%s/keys", config.data);
	config_free(&config);
	if (folder < 0 || (size_t)folder >= size)
		return false;
	if (!durable_folder(path, &error)) {
		error_prefix(&error, "cannot make the folder");
		console_fail_error(console, CONSOLE_FAILED, &error);
		return false;
	}
	n = snprintf(path + folder, size - (size_t)folder, "/%s.%s.pem", domain, selector);
	return n > 0 && (size_t)(folder + n) < size;
}

/* Names become part of a file's name: the letters of host names only. */
static bool is_name(const char *text)
{
	for (const char *at = text; *at; at++) {
		if (!ascii_is_alpha(*at) && !ascii_is_digit(*at) && *at != '-' && *at != '.' &&
		    *at != '_')
			return false;
	}
	return *text && *text != '.' && strlen(text) < 256 && !strstr(text, "..");
}

/* The last folder on the way to the file. */
static bool make_folder_of(const struct console *console, const char *path)
{
	char folder[PATH_BYTES];
	char *slash;
	struct error error;

	slice_copy(folder, sizeof(folder), slice_of(path));
	slash = strrchr(folder, '/');
	if (!slash || slash == folder)
		return true;
	*slash = '\0';
	if (durable_folder(folder, &error))
		return true;
	error_prefix(&error, "cannot make the folder");
	console_fail_error(console, CONSOLE_FAILED, &error);
	return false;
}

int keys_new_run(struct console *console, int argc, char **argv)
{
	static const char *const types[] = { "rsa", "ed25519", NULL };
	const char *domain = NULL;
	const char *selector = NULL;
	const char *out = NULL;
	char path[PATH_BYTES];
	struct error error;
	u64 bits = 2048;
	u32 type = 0;
	int code;
	const struct option options[] = {
		{ "domain", OPTION_TEXT, &domain, "DOMAIN", "the signing domain (d=), as in From",
		  NULL },
		{ "selector", OPTION_TEXT, &selector, "NAME", "the selector (s=), new for each key",
		  NULL },
		{ "type", OPTION_WORD, &type, "rsa|ed25519", "kind of key (rsa)", types },
		{ "bits", OPTION_NUMBER, &bits, "N", "of an RSA key: 2048 (default) to 4096",
		  NULL },
		{ "out", OPTION_TEXT, &out, "FILE", "where the private key goes", NULL },
	};

	if (task_instead(console, "keys-new", argc, argv, &code))
		return code;
	if (!console_arguments(console, options, array_count(options), argc, argv, 0, 0, &code))
		return code;
	if (!domain || !selector)
		return console_fail(console, CONSOLE_USAGE, "--domain and --selector are needed");
	if (!is_name(domain) || !is_name(selector))
		return console_fail(
			console, CONSOLE_USAGE,
			"--domain and --selector have letters, digits, dots and hyphens");
	if (bits < 2048 || bits > 4096)
		return console_fail(console, CONSOLE_USAGE, "--bits must be 2048 to 4096");
	if (out && !slice_copy(path, sizeof(path), slice_of(out)))
		return console_fail(console, CONSOLE_USAGE, "--out: the path is too long");
	if (!out && !default_path(console, path, sizeof(path), domain, selector))
		return CONSOLE_FAILED;
	if (out && !make_folder_of(console, path))
		return CONSOLE_FAILED;
	if (!dkim_key_create(path, type == 0 ? CRYPTO_RSA : CRYPTO_ED25519, (u32)bits, &error))
		return console_fail_error(console, CONSOLE_FAILED, &error);
	return show_file(console, path, domain, selector);
}

/* ---- keys show ---- */

static int show_configured(const struct console *console, const char *domain)
{
	char config_path[CONSOLE_PATH_SIZE];
	struct config config;
	struct error error;
	size_t shown = 0;
	int code = CONSOLE_OK;

	if (!config_read(&config, console_config_path(console, config_path), &error))
		return console_fail_error(console, CONSOLE_FAILED, &error);
	for (size_t i = 0; i < config.customer_count; i++) {
		const struct config_customer *customer = &config.customers[i];

		if (domain && !slice_equal_nocase(slice_of(domain), slice_of(customer->domain)))
			continue;
		for (size_t k = 0; k < customer->dkim_count; k++) {
			if (shown++ > 0 && !console->json)
				putchar('\n');
			if (show_file(console, customer->dkim[k].key, customer->domain,
				      customer->dkim[k].selector) != CONSOLE_OK)
				code = CONSOLE_FAILED;
		}
	}
	config_free(&config);
	if (shown == 0)
		return console_fail(console, CONSOLE_FAILED, "%s names no key%s%.200s",
				    config_path, domain ? " for " : "",
				    domain ? domain : "");
	return code;
}

int keys_show_run(struct console *console, int argc, char **argv)
{
	const char *file = NULL;
	const char *domain = NULL;
	const char *selector = NULL;
	int words;
	int code;
	const struct option options[] = {
		{ "file", OPTION_TEXT, &file, "FILE",
		  "a private key, instead of the configured ones", NULL },
		{ "domain", OPTION_TEXT, &domain, "DOMAIN", "with --file: the signing domain",
		  NULL },
		{ "selector", OPTION_TEXT, &selector, "NAME", "with --file: the selector", NULL },
	};

	if (task_instead(console, "keys-show", argc, argv, &code))
		return code;
	if (!console_options(console, options, array_count(options), argc, argv, &words, &code))
		return code;
	if (words > 1)
		return console_fail(console, CONSOLE_USAGE, "too many words: \"%.64s\"", argv[1]);
	if (!file && (domain || selector))
		return console_fail(console, CONSOLE_USAGE,
				    "--domain and --selector go with --file");
	if (!file)
		return show_configured(console, words ? argv[0] : NULL);
	if (!domain || !selector || words)
		return console_fail(console, CONSOLE_USAGE,
				    "--file goes with --domain and --selector");
	return show_file(console, file, domain, selector);
}
