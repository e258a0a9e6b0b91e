/*
 * Limits that the operator sets while it runs: for all sites of a rule (by the name of a section)
 * or for one site. They are kept in the store and count more than every file.
 */
#include "delivery/planner_parts.h"

#include "base/log.h"
#include "base/text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PREFIX SLICE("override/")
#define NAME_ROOM 300
#define TEXT_MAX 2048

/* Only what `own` says is set. */
struct override {
	struct config_site values;
	char name[];
};

static struct override *find(const struct planner *planner, struct slice name)
{
	return map_find(&planner->overrides, name);
}

static struct override *make(struct planner *planner, struct slice name)
{
	struct override *override = calloc(1, sizeof(*override) + name.len + 1);

	if (!override)
		return NULL;
	memcpy(override->name, name.ptr, name.len);
	if (map_add(&planner->overrides, slice_of(override->name), override))
		return override;
	free(override);
	return NULL;
}

static void forget(struct planner *planner, struct slice name)
{
	free(map_remove(&planner->overrides, name));
}

/* "rate=5 sessions=2": takes these up; an empty value takes the option away. */
static bool read_options(struct config_site *values, struct slice text, struct error *error)
{
	struct slice rest = slice_trim(text);
	bool any = false;

	while (rest.ptr) {
		struct slice value = slice_split(&rest, ' ');
		struct slice option;
		u64 before = values->own;

		if (value.len == 0)
			continue;
		option = slice_split(&value, '=');
		if (!value.ptr)
			return error_set(error, "\"%.*s\" is not OPTION=VALUE", SLICE_FMT(option));
		any = true;
		if (value.len > 0) {
			if (!config_site_set(values, option, value, error))
				return false;
			continue;
		}
		for (size_t i = 0; config_site_option(i); i++) {
			if (slice_equal(option, slice_of(config_site_option(i))))
				values->own &= ~(1ull << i);
		}
		if (values->own == before && !config_site_has_option(option))
			return error_set(error, "a site has no option \"%.*s\"", SLICE_FMT(option));
	}
	return any || error_set(error, "say what is to be set: OPTION=VALUE");
}

static void add_options(const struct config_site *values, struct buf *out)
{
	for (size_t i = 0; config_site_option(i); i++) {
		if (!(values->own >> i & 1))
			continue;
		buf_add_format(out, "%s%s=", out->len > 0 ? " " : "", config_site_option(i));
		config_site_value(values, i, out);
	}
}

/* ---- what counts for a site ---- */

static const struct config_site *rule_named(const struct planner *planner, struct slice name)
{
	for (size_t i = 0; i < planner->config->site_count; i++) {
		if (slice_equal(slice_of(planner->config->sites[i].name), name))
			return &planner->config->sites[i];
	}
	return NULL;
}

static u64 lay_over(const struct planner *planner, const struct config_site *rule,
		    struct slice site, struct config_site *limits)
{
	const struct override *of_rule = find(planner, slice_of(rule->name));
	const struct override *of_site = site.len > 0 ? find(planner, site) : NULL;
	u64 set = 0;

	*limits = *rule;
	if (of_rule) {
		config_site_lay_over(limits, &of_rule->values);
		set |= of_rule->values.own;
	}
	if (of_site) {
		config_site_lay_over(limits, &of_site->values);
		set |= of_site->values.own;
	}
	return set;
}

bool planner_site_limit(struct planner *planner, struct site *site)
{
	struct config_site limits;

	if (lay_over(planner, site->rule, slice_of(site->name), &limits) == 0) {
		free(site->own_limits);
		site->own_limits = NULL;
		site->limits = site->rule;
		return true;
	}
	if (!site->own_limits)
		site->own_limits = malloc(sizeof(*site->own_limits));
	if (!site->own_limits)
		return false;
	*site->own_limits = limits;
	site->limits = site->own_limits;
	return true;
}

/* Paths are made anew, and routes look at what they may. */
static bool limit_all(struct planner *planner)
{
	bool done = true;
	struct site *site;

	for (u32 at = 0; (site = map_next(&planner->sites, &at));) {
		done &= planner_site_limit(planner, site);
		site->version++;
	}
	list_for_each(node, &planner->routes) {
		struct planner_route *route = list_entry(node, struct planner_route, all);

		timer_stop(&planner->wheel, &route->timer);
		planner_bounds_set(planner, route);
		planner_route_check(planner, route);
	}
	planner->must_work = true;
	return done;
}

/* ---- the store ---- */

static bool take_stored(struct planner *planner, struct slice name, struct slice value,
			struct error *error)
{
	struct override *override = make(planner, name);
	struct error why;

	if (!override)
		return error_set(error, "out of memory for limits that were set");
	/* An option that this version does not know any more. */
	if (!read_options(&override->values, value, &why))
		log_warn("delivery", "a limit that was set is not taken", "name=%s reason=%s",
			 override->name, why.text);
	return true;
}

bool planner_overrides_open(struct planner *planner, struct error *error)
{
	return planner_read_settings(planner, PREFIX, take_stored, error);
}

void planner_overrides_free(struct planner *planner)
{
	void *one;

	for (u32 at = 0; (one = map_next(&planner->overrides, &at));)
		free(one);
	map_done(&planner->overrides);
}

static bool store(struct planner *planner, struct slice name, const struct config_site *values,
		  struct error *error)
{
	enum store_result result;
	char key[NAME_ROOM];
	struct buf text;
	bool done;

	snprintf(key, sizeof(key), "%.*s%.*s", SLICE_FMT(PREFIX), SLICE_FMT(name));
	if (!planner_begin(planner, error))
		return false;
	buf_init(&text, TEXT_MAX);
	add_options(values, &text);
	if (text.failed) {
		queue_abort(planner->queue);
		buf_done(&text);
		return error_set(error, "out of memory for a limit");
	}
	result = text.len > 0 ? queue_setting_put(planner->queue, slice_of(key), buf_slice(&text))
			      : queue_setting_delete(planner->queue, slice_of(key));
	buf_done(&text);
	done = (result == STORE_OK || result == STORE_NOT_FOUND) && planner_commit(planner, error);
	if (!done)
		queue_abort(planner->queue);
	return done || error_set(error, "the queue: %s", queue_error_text(planner->queue));
}

/* ---- orders ---- */

static bool is_nameable(struct planner *planner, struct slice name, struct error *error)
{
	if (rule_named(planner, name) || planner_site_is_known(planner, name) ||
	    find(planner, name))
		return true;
	return error_set(error, "there is no rule and no site named \"%.*s\"",
			 SLICE_FMT(slice_first(name, 200)));
}

bool planner_site_set(struct planner *planner, struct slice name, struct slice options,
		      struct error *error)
{
	struct override *override = find(planner, name);
	struct config_site values = { 0 };

	if (!is_nameable(planner, name, error))
		return false;
	if (override)
		values = override->values;
	if (!read_options(&values, options, error))
		return false;
	if (!override && values.own != 0)
		override = make(planner, name);
	if (!override && values.own != 0)
		return error_set(error, "out of memory for a limit");
	if (!store(planner, name, &values, error)) {
		if (override && override->values.own == 0)
			forget(planner, name);
		return false;
	}
	if (values.own == 0)
		forget(planner, name);
	else
		override->values = values;
	return limit_all(planner) || error_set(error, "out of memory for limits of a site");
}

bool planner_site_unset(struct planner *planner, struct slice name, struct error *error)
{
	const struct config_site none = { 0 };

	if (!find(planner, name))
		return error_set(error, "nothing is set for \"%.*s\"",
				 SLICE_FMT(slice_first(name, 200)));
	if (!store(planner, name, &none, error))
		return false;
	forget(planner, name);
	return limit_all(planner) || error_set(error, "out of memory for limits of a site");
}

bool planner_site_forgive(struct planner *planner, struct slice name)
{
	bool any = false;

	list_for_each(node, &planner->routes) {
		struct planner_route *route = list_entry(node, struct planner_route, all);

		if (!slice_equal(name, slice_of(route->site->name)) &&
		    !slice_equal(name, slice_of(route->site->rule->name)))
			continue;
		planner_route_forgive(planner, route);
		any = true;
	}
	return any;
}

/* ---- as operators see it ---- */

static bool view_of(const struct planner *planner, const struct config_site *rule,
		    const char *site, struct slice more, struct planner_site_view *view,
		    struct error *error)
{
	*view = (struct planner_site_view){ .rule = rule->name, .site = site };
	view->set = lay_over(planner, rule, slice_of(site ? site : ""), &view->limits);
	view->own = rule->own;
	view->shipped = rule->shipped;
	view->by_default = planner->config->sites[0].own;
	if (more.len > 0) {
		struct config_site values = { 0 };

		if (!read_options(&values, more, error))
			return false;
		config_site_lay_over(&view->limits, &values);
		view->set |= values.own;
	}
	return true;
}

bool planner_rule_look(const struct planner *planner, size_t index, struct planner_site_view *view)
{
	return index < planner->config->site_count &&
	       view_of(planner, &planner->config->sites[index], NULL, SLICE_NONE, view, NULL);
}

bool planner_site_look(struct planner *planner, struct slice name, struct slice host,
		       struct slice more, struct planner_site_view *view, struct error *error)
{
	const struct config_site *rule = rule_named(planner, name);
	const char *takes = rule ? NULL : planner_site_of_domain(planner, name);
	const struct site *site = map_find(&planner->sites, takes ? slice_of(takes) : name);

	if (site && !rule)
		return view_of(planner, site->rule, site->name, more, view, error) &&
		       planner_bounds_tell(planner, site, view);
	/* A relay, or an exchanger, that no mail went to yet. */
	if (takes)
		return view_of(planner, config_site_of(planner->config, slice_of(takes)), takes,
			       more, view, error);
	if (!rule && host.len > 0)
		rule = config_site_of(planner->config, host);
	if (rule)
		return view_of(planner, rule, NULL, more, view, error);
	return error_set(error, "there is no rule, no site and no domain known as \"%.*s\"",
			 SLICE_FMT(slice_first(name, 200)));
}
