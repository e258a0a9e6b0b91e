#include "base/config.h"

#include "base/config_file.h"
#include "base/config_pool.h"
#include "base/config_retry.h"
#include "base/config_site.h"
#include "base/config_table.h"
#include "base/file.h"
#include "base/text.h"

#include <stdlib.h>
#include <string.h>

#define ARENA_CHUNK (64 * 1024)
/* A file of CONFIG_FILE_MAX is at most 32 times as long here: one-letter values take 32 bytes. */
#define ARENA_MAX (32 * CONFIG_FILE_MAX)

/* An array for `count` structs in the arena; with its size checked first. */
static void *take_array(struct config_file *file, struct config *config, struct cfg_t *at,
			const char *name, size_t max, size_t item_size)
{
	size_t count = config_file_count(at, name);
	void *items;

	if (count > max) {
		config_file_refuse(file, at, NULL, "more than %zu sections \"%s\"", max, name);
		return NULL;
	}
	items = arena_take(&config->arena, count * item_size);
	if (!items)
		config_file_refuse(file, at, NULL, "out of memory");
	return items;
}

/* The title in its one spelling, or NULL with the refusal made. */
static const char *take_title(struct config_file *file, struct config *config, struct cfg_t *at,
			      config_shape *shape, const char *expects)
{
	const char *title = shape(&config->arena, slice_of(config_file_title(at)));

	if (!title)
		config_file_refuse(file, at, NULL, "its title is not %s", expects);
	return title;
}

/* A section without title; `out` gets the fallbacks when the file does not have it. */
static bool read_plain(struct config_file *file, struct config *config,
		       const struct config_section *section, void *out)
{
	struct cfg_t *at = config_file_at(file->tree, section->name, 0);

	if (!at)
		return config_file_fill_fallbacks(file, section, out, &config->arena);
	return config_file_fill(file, at, section, CONFIG_FILL_ALL, out, &config->arena);
}

static bool read_dns(struct config_file *file, struct config *config)
{
	if (!read_plain(file, config, &config_section_dns, &config->dns))
		return false;
	if (!config->dns.ipv4 && !config->dns.ipv6)
		return config_file_refuse(file, config_file_at(file->tree, "dns", 0), "ipv6",
					  "either ipv4 or ipv6 must be true");
	return true;
}

static bool read_addresses(struct config_file *file, struct config *config, struct cfg_t *at,
			   struct config_customer *customer)
{
	size_t count = config_file_count(at, "address");
	struct config_address *all;

	if (count == 0)
		return config_file_refuse(file, at, NULL, "no section \"address\"");
	all = take_array(file, config, at, "address", CONFIG_ADDRESSES_MAX, sizeof(*all));
	if (!all)
		return false;
	for (size_t i = 0; i < count; i++) {
		struct cfg_t *inner = config_file_at(at, "address", i);

		all[i].ip = take_title(file, config, inner, config_shape_source,
				       "an IP address or \"any\"");
		if (!all[i].ip)
			return false;
		for (size_t j = 0; j < i; j++) {
			if (strcmp(all[i].ip, all[j].ip) == 0)
				return config_file_refuse(file, inner, NULL,
							  "this address is there twice");
		}
		if (!config_file_fill(file, inner, &config_section_address, CONFIG_FILL_ALL,
				      &all[i], &config->arena))
			return false;
	}
	customer->addresses = all;
	customer->address_count = count;
	return config_sources_number(file, config, at, all, count);
}

static bool read_dkim(struct config_file *file, struct config *config, struct cfg_t *at,
		      struct config_customer *customer)
{
	size_t count = config_file_count(at, "dkim");
	struct config_dkim *all;

	if (count == 0 && customer->sign)
		return config_file_refuse(file, at, NULL, "no section \"dkim\"");
	if (count > 0 && !customer->sign)
		return config_file_refuse(file, at, "sign",
					  "false, but there is a section \"dkim\"");
	all = take_array(file, config, at, "dkim", CONFIG_DKIM_MAX, sizeof(*all));
	if (!all)
		return false;
	for (size_t i = 0; i < count; i++) {
		struct cfg_t *inner = config_file_at(at, "dkim", i);

		all[i].selector =
			take_title(file, config, inner, config_shape_selector, "a DKIM selector");
		if (!all[i].selector)
			return false;
		if (i > 0 && strcmp(all[0].selector, all[i].selector) == 0)
			return config_file_refuse(file, inner, NULL,
						  "this selector is there twice");
		if (!config_file_fill(file, inner, &config_section_dkim, CONFIG_FILL_ALL, &all[i],
				      &config->arena))
			return false;
	}
	customer->dkim = all;
	customer->dkim_count = count;
	return true;
}

static bool read_customers(struct config_file *file, struct config *config)
{
	size_t count = config_file_count(file->tree, "customer");
	struct config_customer *all;

	if (count == 0)
		return config_file_refuse(file, file->tree, NULL, "no section \"customer\"");
	all = take_array(file, config, file->tree, "customer", CONFIG_CUSTOMERS_MAX, sizeof(*all));
	if (!all)
		return false;
	config->customers = all;
	for (size_t i = 0; i < count; i++) {
		struct cfg_t *at = config_file_at(file->tree, "customer", i);

		all[i].domain = take_title(file, config, at, config_shape_domain, "a domain name");
		if (!all[i].domain)
			return false;
		if (config_customer_of(config, slice_of(all[i].domain)))
			return config_file_refuse(file, at, NULL, "this customer is there twice");
		if (!config_file_fill(file, at, &config_section_customer, CONFIG_FILL_ALL, &all[i],
				      &config->arena) ||
		    !read_addresses(file, config, at, &all[i]) ||
		    !config_pools_read(file, config, at, &all[i]) ||
		    !read_dkim(file, config, at, &all[i]))
			return false;
		config->customer_count = i + 1;
	}
	return true;
}

static bool read_routes(struct config_file *file, struct config *config)
{
	size_t count = config_file_count(file->tree, "route");
	struct config_route *all =
		take_array(file, config, file->tree, "route", CONFIG_ROUTES_MAX, sizeof(*all));

	if (!all)
		return false;
	config->routes = all;
	for (size_t i = 0; i < count; i++) {
		struct cfg_t *at = config_file_at(file->tree, "route", i);

		all[i].domain = take_title(file, config, at, config_shape_pattern,
					   "a domain, \"*.domain\" or \"*\"");
		if (!all[i].domain)
			return false;
		for (size_t j = 0; j < i; j++) {
			if (strcmp(all[i].domain, all[j].domain) == 0)
				return config_file_refuse(file, at, NULL,
							  "this route is there twice");
		}
		if (!config_file_fill(file, at, &config_section_route, CONFIG_FILL_ALL, &all[i],
				      &config->arena))
			return false;
		config->route_count = i + 1;
	}
	return true;
}

static bool read_reply(struct config_file *file, struct config *config, struct cfg_t *at,
		       struct config_reply *reply)
{
	reply->name = take_title(file, config, at, config_shape_any, "a name");
	if (!reply->name ||
	    !config_file_fill(file, at, &config_section_reply, CONFIG_FILL_ALL, reply,
			      &config->arena))
		return false;
	if (reply->text.count > CONFIG_FRAGMENTS_MAX)
		return config_file_refuse(file, at, "text", "more than %u of them",
					  CONFIG_FRAGMENTS_MAX);
	reply->code = config_reply_code(reply->code_text);
	config_reply_enhanced(reply->enhanced_text, reply->enhanced);
	if (reply->code >= 100 && reply->enhanced[0] && reply->enhanced[0] != reply->code / 100)
		return config_file_refuse(file, at, "enhanced", "no reply with code %u has it",
					  reply->code);
	if (reply->text.count == 0 && !reply->enhanced_text && reply->mx.count == 0)
		return config_file_refuse(file, at, NULL,
					  "one of \"text\", \"enhanced\" and \"mx\" must be there");
	return smtp_class_find(slice_of(reply->class_name), &reply->class);
}

static bool read_replies(struct config_file *file, struct config *config)
{
	size_t count = config_file_count(file->tree, "reply");
	struct config_reply *all =
		take_array(file, config, file->tree, "reply", CONFIG_REPLIES_MAX, sizeof(*all));

	if (!all)
		return false;
	config->replies = all;
	for (size_t i = 0; i < count; i++) {
		if (!read_reply(file, config, config_file_at(file->tree, "reply", i), &all[i]))
			return false;
		config->reply_count = i + 1;
	}
	return true;
}

static bool read_receive(struct config_file *file, struct config *config)
{
	/* Without the section there is no such role, which is not the section with its defaults. */
	return !config_file_at(file->tree, "receive", 0) ||
	       read_plain(file, config, &config_section_receive, &config->receive);
}

static bool read_submission(struct config_file *file, struct config *config)
{
	struct cfg_t *at = config_file_at(file->tree, "submission", 0);

	if (!at)
		return true;
	/* Name, certificate and limits of connections are those of the receiver. */
	if (!config->receive.hostname)
		return config_file_refuse(file, at, NULL, "there is no section \"receive\"");
	return read_plain(file, config, &config_section_submission, &config->submission);
}

static bool read_www(struct config_file *file, struct config *config)
{
	struct config_www *www = &config->www;
	struct cfg_t *at = config_file_at(file->tree, "www", 0);

	if (!read_plain(file, config, &config_section_www, www))
		return false;
	if (www->key && !www->certificate)
		return config_file_refuse(file, at, "key", "there is no certificate");
	if (www->acme && www->certificate)
		return config_file_refuse(file, at, "acme",
					  "there is a certificate of your own: take one away");
	if (!slice_has_prefix(slice_of(www->acme_directory), SLICE("https://")))
		return config_file_refuse(file, at, "acme-directory", "write https");
	return true;
}

static bool read_hook(struct config_file *file, struct config *config, struct cfg_t *at,
		      struct config_hook *hook)
{
	hook->name = take_title(file, config, at, config_shape_hook_name,
				"1 to 63 letters, digits, '-', '_' and '.'");
	if (!hook->name || !config_file_fill(file, at, &config_section_hook, CONFIG_FILL_ALL, hook,
					     &config->arena))
		return false;
	if (slice_has_prefix(slice_of(hook->url), SLICE("http://")) && !hook->allow_private)
		return config_file_refuse(file, at, "url",
					  "http goes with allow-private alone: write https");
	for (size_t i = 0; i < hook->customers.count; i++) {
		if (!config_customer_of(config, slice_of(hook->customers.items[i])))
			return config_file_refuse(file, at, "customers", "no customer %s",
						  hook->customers.items[i]);
	}
	return true;
}

static bool read_hooks(struct config_file *file, struct config *config)
{
	size_t count = config_file_count(file->tree, "hook");
	struct config_hook *all =
		take_array(file, config, file->tree, "hook", CONFIG_HOOKS_MAX, sizeof(*all));

	if (!all)
		return false;
	config->hooks = all;
	for (size_t i = 0; i < count; i++) {
		if (!read_hook(file, config, config_file_at(file->tree, "hook", i), &all[i]))
			return false;
		config->hook_count = i + 1;
	}
	return true;
}

bool config_parse(struct config *config, struct slice text, const char *name, struct error *error)
{
	struct config_file file = { .tree = NULL };
	struct config_providers providers;
	bool done;

	*config = (struct config){ .workers = 0 };
	arena_init(&config->arena, ARENA_CHUNK, ARENA_MAX);
	done = config_providers_read(&providers, &config->arena, error) &&
	       config_file_open(&file, &config_section_root, text, CONFIG_FILE_MAX, name, error) &&
	       config_file_fill(&file, file.tree, &config_section_root, CONFIG_FILL_ALL, config,
				&config->arena) &&
	       read_plain(&file, config, &config_section_metrics, config) &&
	       read_dns(&file, config) &&
	       read_plain(&file, config, &config_section_queue, &config->queue) &&
	       config_retry_read(&file, config) &&
	       read_plain(&file, config, &config_section_suppression, &config->suppression) &&
	       read_customers(&file, config) &&
	       config_sites_read(&file, config, &providers) && read_routes(&file, config) &&
	       read_replies(&file, config) && read_receive(&file, config) &&
	       read_plain(&file, config, &config_section_web, &config->web) &&
	       read_www(&file, config) && read_submission(&file, config) &&
	       read_hooks(&file, config);
	config_file_close(&file);
	if (!done)
		config_free(config);
	return done;
}

bool config_read(struct config *config, const char *path, struct error *error)
{
	struct slice text;
	bool done;

	*config = (struct config){ .workers = 0 };
	if (!file_read(path, CONFIG_FILE_MAX, &text, error))
		return false;
	done = config_parse(config, text, path, error);
	free((char *)text.ptr);
	return done;
}

void config_free(struct config *config)
{
	if (config->arena.max > 0)
		arena_done(&config->arena);
	*config = (struct config){ .workers = 0 };
}
