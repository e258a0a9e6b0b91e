#include "base/config.h"

#include "base/text.h"

#include <string.h>

static struct slice without_final_dot(struct slice name)
{
	return name.len > 1 && name.ptr[name.len - 1] == '.' ? slice_first(name, name.len - 1)
							     : name;
}

bool config_pattern_matches(const char *pattern, struct slice name)
{
	struct slice rest = slice_of(pattern);

	name = without_final_dot(name);
	if (slice_equal(rest, SLICE("*")))
		return true;
	if (!slice_has_prefix(rest, SLICE("*.")))
		return slice_equal_nocase(rest, name);
	rest = slice_from(rest, 1);
	return name.len > rest.len &&
	       slice_equal_nocase(slice_from(name, name.len - rest.len), rest);
}

const struct config_site *config_site_of(const struct config *config, struct slice mx_host)
{
	for (size_t i = 1; i < config->site_count; i++) {
		const struct config_site *site = &config->sites[i];

		for (size_t j = 0; j < site->mx.count; j++) {
			if (config_pattern_matches(site->mx.items[j], mx_host))
				return site;
		}
	}
	return &config->sites[0];
}

const struct config_route *config_route_of(const struct config *config, struct slice domain)
{
	static const struct config_route selftest = { CONFIG_SELFTEST_DOMAIN,
						      CONFIG_SELFTEST_RELAY };
	const struct config_route *best = NULL;
	size_t best_length = 0;

	for (size_t i = 0; i < config->route_count; i++) {
		const struct config_route *route = &config->routes[i];
		size_t length = strlen(route->domain);

		if (!config_pattern_matches(route->domain, domain))
			continue;
		if (route->domain[0] != '*')
			return route;
		if (length > best_length) {
			best = route;
			best_length = length;
		}
	}
	/* Not even "*" takes it elsewhere: it is no domain of anybody's. */
	if (slice_equal_nocase(without_final_dot(domain), SLICE(CONFIG_SELFTEST_DOMAIN)))
		return &selftest;
	return best;
}

const struct config_customer *config_customer_of(const struct config *config, struct slice domain)
{
	domain = without_final_dot(domain);
	for (size_t i = 0; i < config->customer_count; i++) {
		if (slice_equal_nocase(slice_of(config->customers[i].domain), domain))
			return &config->customers[i];
	}
	return NULL;
}
