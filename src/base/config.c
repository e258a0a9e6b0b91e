#include "base/config.h"

#include "base/config_file.h"
#include "base/config_table.h"
#include "base/text.h"

#include <stdlib.h>
#include <string.h>

#define ARENA_CHUNK (64 * 1024)
/* A file of CONFIG_FILE_MAX is at most 32 times as long here: one-letter values take 32 bytes. */
#define ARENA_MAX (32 * CONFIG_FILE_MAX)
#define SITE_NAME_MAX 64
#define DEFAULT_SITE "default"

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

static bool read_retry(struct config_file *file, struct config *config)
{
	const struct config_retry *retry = &config->retry;

	if (!read_plain(file, config, &config_section_retry, &config->retry))
		return false;
	if (retry->expire_ms < retry->schedule.ms[0])
		return config_file_refuse(file, config_file_at(file->tree, "retry", 0), "expire",
					  "earlier than the first retry");
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
	return true;
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
		    !read_dkim(file, config, at, &all[i]))
			return false;
		config->customer_count = i + 1;
	}
	return true;
}

/* A pattern in two sites would make the order of sections decide. */
static bool check_site_patterns(struct config_file *file, struct config *config, struct cfg_t *at,
				const struct config_site *site)
{
	if (site->mx.count == 0)
		return config_file_refuse(file, at, NULL, "no pattern in \"mx\"");
	for (size_t i = 0; i < site->mx.count; i++) {
		for (size_t j = 0; j < config->site_count; j++) {
			const struct config_list *other = &config->sites[j].mx;

			for (size_t k = 0; k < other->count; k++) {
				if (strcmp(site->mx.items[i], other->items[k]) == 0)
					return config_file_refuse(
						file, at, "mx", "\"%s\" is in site \"%s\", too",
						site->mx.items[i], config->sites[j].name);
			}
		}
	}
	return true;
}

static bool read_default_site(struct config_file *file, struct config *config,
			      struct config_site *site)
{
	size_t count = config_file_count(file->tree, "site");

	site->name = DEFAULT_SITE;
	if (!config_file_fill_fallbacks(file, &config_section_site, site, &config->arena))
		return false;
	for (size_t i = 0; i < count; i++) {
		struct cfg_t *at = config_file_at(file->tree, "site", i);

		if (strcmp(config_file_title(at), DEFAULT_SITE) != 0)
			continue;
		if (!config_file_fill(file, at, &config_section_site, CONFIG_FILL_GIVEN, site,
				      &config->arena))
			return false;
		if (site->mx.count > 0)
			return config_file_refuse(file, at, "mx",
						  "the default site takes no patterns");
	}
	return true;
}

static bool read_site(struct config_file *file, struct config *config, struct cfg_t *at,
		      struct config_site *site)
{
	*site = config->sites[0];
	site->name = take_title(file, config, at, config_shape_any, "a name");
	if (!site->name)
		return false;
	if (strlen(site->name) > SITE_NAME_MAX)
		return config_file_refuse(file, at, NULL, "its title is longer than %u bytes",
					  SITE_NAME_MAX);
	return config_file_fill(file, at, &config_section_site, CONFIG_FILL_GIVEN, site,
				&config->arena) &&
	       check_site_patterns(file, config, at, site);
}

static bool read_sites(struct config_file *file, struct config *config)
{
	size_t count = config_file_count(file->tree, "site");
	struct config_site *all;

	if (count >= CONFIG_SITES_MAX)
		return config_file_refuse(file, file->tree, NULL, "more than %u sections \"site\"",
					  CONFIG_SITES_MAX - 1);
	all = arena_take(&config->arena, (count + 1) * sizeof(*all));
	if (!all)
		return config_file_refuse(file, file->tree, NULL, "out of memory");
	config->sites = all;
	if (!read_default_site(file, config, &all[0]))
		return false;
	config->site_count = 1;
	for (size_t i = 0; i < count; i++) {
		struct cfg_t *at = config_file_at(file->tree, "site", i);

		if (strcmp(config_file_title(at), DEFAULT_SITE) == 0)
			continue;
		if (!read_site(file, config, at, &all[config->site_count]))
			return false;
		config->site_count++;
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

static bool read_receive(struct config_file *file, struct config *config)
{
	/* Without the section there is no such role, which is not the section with its defaults. */
	return !config_file_at(file->tree, "receive", 0) ||
	       read_plain(file, config, &config_section_receive, &config->receive);
}

bool config_parse(struct config *config, struct slice text, const char *name, struct error *error)
{
	struct config_file file = { .tree = NULL };
	bool done;

	*config = (struct config){ .workers = 0 };
	arena_init(&config->arena, ARENA_CHUNK, ARENA_MAX);
	done = config_file_open(&file, &config_section_root, text, CONFIG_FILE_MAX, name, error) &&
	       config_file_fill(&file, file.tree, &config_section_root, CONFIG_FILL_ALL, config,
				&config->arena) &&
	       read_plain(&file, config, &config_section_metrics, config) &&
	       read_dns(&file, config) &&
	       read_plain(&file, config, &config_section_queue, &config->queue) &&
	       read_retry(&file, config) && read_customers(&file, config) &&
	       read_sites(&file, config) && read_routes(&file, config) &&
	       read_receive(&file, config);
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
	if (!config_file_read(path, CONFIG_FILE_MAX, &text, error))
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
