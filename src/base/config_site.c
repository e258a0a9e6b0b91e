#include "base/config_site.h"

#include "base/check.h"
#include "base/config_table.h"
#include "base/text.h"

#include <stdlib.h>
#include <string.h>

#define SITE_NAME_MAX 64
#define DEFAULT_SITE "default"

/* The text of providers.conf, as the assembler took it in. */
extern const char config_providers_text[];
extern const u64 config_providers_size;

__asm__(".section .rodata\n"
	".global config_providers_text\n"
	".global config_providers_size\n"
	"config_providers_text:\n"
	".incbin \"src/base/providers.conf\"\n"
	"config_providers_end:\n"
	".balign 8\n"
	"config_providers_size:\n"
	".quad config_providers_end - config_providers_text\n"
	".previous\n");

struct slice config_provider_rules(void)
{
	return (struct slice){ config_providers_text, config_providers_size };
}

/* ---- the operator's ---- */

/* A pattern in two sites of one file would make the order of sections decide. */
static bool check_patterns(struct config_file *file, struct cfg_t *at,
			   const struct config_site *sites, size_t count)
{
	const struct config_site *site = &sites[count];

	if (site->mx.count == 0)
		return config_file_refuse(file, at, NULL, "no pattern in \"mx\"");
	for (size_t i = 0; i < site->mx.count; i++) {
		for (size_t j = 0; j < count; j++) {
			const struct config_list *other = &sites[j].mx;

			for (size_t k = 0; k < other->count; k++) {
				if (strcmp(site->mx.items[i], other->items[k]) == 0)
					return config_file_refuse(
						file, at, "mx", "\"%s\" is in site \"%s\", too",
						site->mx.items[i], sites[j].name);
			}
		}
	}
	return true;
}

static bool read_default(struct config_file *file, struct config *config, struct config_site *site)
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
		site->own = config_file_given(at, &config_section_site);
	}
	return true;
}

static const struct config_site *find(const struct config_site *sites, size_t count,
				      const char *name)
{
	for (size_t i = 0; i < count; i++) {
		if (strcmp(sites[i].name, name) == 0)
			return &sites[i];
	}
	return NULL;
}

/* The default's values with the rule's over them. */
static void begin(struct config_site *site, const struct config_site *def,
		  const struct config_site *rule)
{
	*site = *def;
	site->own = site->shipped = 0;
	if (!rule)
		return;
	site->name = rule->name;
	config_section_take(&config_section_site, rule->shipped, rule, site);
	site->shipped = rule->shipped;
}

static const char *name_of(struct config_file *file, struct arena *arena, struct cfg_t *at)
{
	const char *name = config_shape_any(arena, slice_of(config_file_title(at)));

	if (!name) {
		config_file_refuse(file, at, NULL, "its title is not a name");
		return NULL;
	}
	if (strlen(name) > SITE_NAME_MAX) {
		config_file_refuse(file, at, NULL, "its title is longer than %u bytes",
				   SITE_NAME_MAX);
		return NULL;
	}
	return name;
}

static bool read_one(struct config_file *file, struct config *config, struct cfg_t *at,
		     const struct config_providers *providers, struct config_site *sites)
{
	struct config_site *site = &sites[config->site_count];
	const char *name = name_of(file, &config->arena, at);

	if (!name)
		return false;
	begin(site, &sites[0],
	      config->provider_rules ? find(providers->sites, providers->count, name) : NULL);
	site->name = name;
	site->own = config_file_given(at, &config_section_site);
	return config_file_fill(file, at, &config_section_site, CONFIG_FILL_GIVEN, site,
				&config->arena) &&
	       check_patterns(file, at, sites, config->site_count);
}

bool config_sites_read(struct config_file *file, struct config *config,
		       const struct config_providers *providers)
{
	size_t count = config_file_count(file->tree, "site");
	struct config_site *all;

	if (count >= CONFIG_SITES_MAX)
		return config_file_refuse(file, file->tree, NULL, "more than %u sections \"site\"",
					  CONFIG_SITES_MAX - 1);
	all = arena_take(&config->arena, (count + 1 + providers->count) * sizeof(*all));
	if (!all)
		return config_file_refuse(file, file->tree, NULL, "out of memory");
	config->sites = all;
	if (!read_default(file, config, &all[0]))
		return false;
	config->site_count = 1;
	for (size_t i = 0; i < count; i++) {
		struct cfg_t *at = config_file_at(file->tree, "site", i);

		if (strcmp(config_file_title(at), DEFAULT_SITE) == 0)
			continue;
		if (!read_one(file, config, at, providers, all))
			return false;
		config->site_count++;
	}
	for (size_t i = 0; config->provider_rules && i < providers->count; i++) {
		if (!find(all, config->site_count, providers->sites[i].name))
			begin(&all[config->site_count++], &all[0], &providers->sites[i]);
	}
	return true;
}

/* ---- what comes with the program ---- */

static const struct config_section *const providers_inner[] = { &config_section_site };
static const struct config_section providers_root = { .name = "root",
						      .inner = providers_inner,
						      .inner_count = 1 };

static bool read_providers(struct config_file *file, struct config_providers *providers,
			   struct arena *arena)
{
	size_t count = config_file_count(file->tree, "site");

	providers->sites = arena_take(arena, count * sizeof(*providers->sites));
	if (!providers->sites)
		return error_set(file->error, "out of memory");
	memset(providers->sites, 0, count * sizeof(*providers->sites));
	for (size_t i = 0; i < count; i++) {
		struct cfg_t *at = config_file_at(file->tree, "site", i);
		struct config_site *site = &providers->sites[i];

		site->name = name_of(file, arena, at);
		if (!site->name ||
		    !config_file_fill(file, at, &config_section_site, CONFIG_FILL_GIVEN, site,
				      arena) ||
		    !check_patterns(file, at, providers->sites, i))
			return false;
		site->shipped = config_file_given(at, &config_section_site);
	}
	providers->count = count;
	return true;
}

bool config_providers_read(struct config_providers *providers, struct arena *arena,
			   struct error *error)
{
	struct config_file file = { .tree = NULL };
	bool done;

	*providers = (struct config_providers){ 0 };
	done = config_file_open(&file, &providers_root, config_provider_rules(), CONFIG_FILE_MAX,
				"providers.conf", error) &&
	       read_providers(&file, providers, arena);
	config_file_close(&file);
	return done;
}

/* ---- one option at a time ---- */

const char *config_site_option(size_t index)
{
	return index < config_section_site.option_count ? config_section_site.options[index].name
							: NULL;
}

void config_site_value(const struct config_site *site, size_t index, struct buf *out)
{
	const struct config_option *option = &config_section_site.options[index];

	ASSERT(index < config_section_site.option_count);
	config_value_format(option, (const char *)site + option->offset, out);
}

/* Its place in the table; -1: there is none, or it is no single value. */
static i64 find_option(struct slice name)
{
	for (size_t i = 0; i < config_section_site.option_count; i++) {
		const struct config_option *option = &config_section_site.options[i];

		/* Lists and texts would need memory that somebody owns. */
		if (slice_equal(name, slice_of(option->name)))
			return option->kind == CONFIG_LIST || option->kind == CONFIG_TEXT ? -1
											: (i64)i;
	}
	return -1;
}

bool config_site_has_option(struct slice option)
{
	return find_option(option) >= 0;
}

bool config_site_set(struct config_site *site, struct slice option, struct slice value,
		     struct error *error)
{
	const i64 at = find_option(option);
	const struct config_option *row;
	struct config_why why;

	if (at < 0)
		return error_set(error, "a site has no option \"%.*s\" that can be set",
				 SLICE_FMT(option));
	row = &config_section_site.options[at];
	if (!config_value(row, value, (char *)site + row->offset, NULL, &why))
		return error_set(error, "%s: \"%.*s\" is not %s", row->name, SLICE_FMT(value),
				 why.text);
	site->own |= 1ull << at;
	return true;
}

void config_site_lay_over(struct config_site *to, const struct config_site *from)
{
	config_section_take(&config_section_site, from->own, from, to);
	to->own |= from->own;
}
