#include "delivery/planner_parts.h"

#include "base/check.h"
#include "base/log.h"
#include "base/text.h"
#include "delivery/signal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PREFIX SLICE("warmup/")
#define NAME_ROOM 160
#define ORDER_MAX 32

/* ---- what there is ---- */

static struct warmup_plan plan_of(const struct config_site *limits)
{
	return (struct warmup_plan){ .first = limits->warm_up_first,
				     .growth_percent = limits->warm_up_growth_percent,
				     .target = limits->warm_up_target };
}

static struct warming *warming_named(const struct planner *planner, struct slice ip)
{
	for (u32 i = 0; i < planner->config->source_count; i++) {
		if (slice_equal(slice_of(planner->warmings[i].ip), ip))
			return &planner->warmings[i];
	}
	return NULL;
}

static i64 rule_named(const struct planner *planner, struct slice name)
{
	for (size_t i = 0; i < planner->config->site_count; i++) {
		if (slice_equal(slice_of(planner->config->sites[i].name), name))
			return (i64)i;
	}
	return -1;
}

static const char *rule_name(const struct planner *planner, const struct warmup_unit *unit)
{
	return planner->config->sites[unit->rule].name;
}

static struct warmup_unit *unit_at(struct planner *planner, struct warming *warming, u32 rule)
{
	struct warmup_unit *unit;

	if (!warming->units)
		warming->units = calloc(planner->config->site_count, sizeof(struct warmup_unit *));
	if (!warming->units)
		return NULL;
	unit = warming->units[rule];
	if (unit)
		return unit;
	unit = calloc(1, sizeof(*unit));
	if (!unit)
		return NULL;
	list_init(&unit->node);
	unit->source = (u32)(warming - planner->warmings);
	unit->rule = rule;
	unit->metrics_slot = metrics_route_slot(planner->params.metrics, warming->ip,
						planner->config->sites[rule].name);
	warmup_begin(&unit->warmup, warming->step, planner->time.due_ms);
	warming->units[rule] = unit;
	return unit;
}

struct warmup_unit *planner_warmup_of(struct planner *planner, const struct config_address *address,
				      const struct site *site)
{
	struct warming *warming;
	struct warmup_unit *unit;

	if (planner->warming_count == 0 || !address || address->number == CONFIG_SOURCE_ANY)
		return NULL;
	warming = &planner->warmings[address->number];
	if (!warming->is_on)
		return NULL;
	unit = unit_at(planner, warming, (u32)(site->rule - planner->config->sites));
	if (!unit)
		CRASH("out of memory for a warm-up");
	return unit;
}

static void changed(struct planner *planner, struct warmup_unit *unit)
{
	if (!list_is_linked(&unit->node))
		list_push_back(&planner->warmups_changed, &unit->node);
}

/* ---- room ---- */

static void turn(struct planner *planner, struct warmup_unit *unit, const struct warmup_plan *plan)
{
	const struct warming *warming = &planner->warmings[unit->source];

	if (!warmup_turn(&unit->warmup, plan, !warming->is_paused, planner->time.due_ms))
		return;
	changed(planner, unit);
	log_info("delivery", "a day of a warm-up begins",
		 "source=%s receiver=%s step=%u messages=%u state=%s", warming->ip,
		 rule_name(planner, unit), unit->warmup.step,
		 warmup_quota(plan, unit->warmup.step), warmup_state_name(unit->warmup.state));
}

u32 planner_warmup_room(struct planner *planner, struct warmup_unit *unit, const struct site *site,
			bool is_bulk, u32 room)
{
	const struct warmup_plan plan = plan_of(site->limits);

	turn(planner, unit, &plan);
	return min_u32(room, warmup_room(&unit->warmup, &plan, is_bulk,
					 site->limits->reserve_percent));
}

u64 planner_warmup_next_ns(const struct planner *planner, const struct warmup_unit *unit,
			   const struct site *site, bool is_bulk)
{
	const struct warmup_plan plan = plan_of(site->limits);
	const u64 at_ms = warmup_next_ms(&unit->warmup, &plan, is_bulk,
					 site->limits->reserve_percent);
	const u64 now_ms = planner->time.due_ms;

	if (at_ms == WARMUP_NEVER)
		return SHAPER_NEVER;
	return planner->now_ns + (max_u64(at_ms, now_ms) - now_ms) * NS_PER_MS;
}

void planner_warmup_lent(struct planner *planner, struct warmup_unit *unit, u32 count)
{
	warmup_lent(&unit->warmup, count);
	changed(planner, unit);
}

void planner_warmup_returned(struct planner *planner, struct warmup_unit *unit, u32 count)
{
	warmup_returned(&unit->warmup, count);
	changed(planner, unit);
}

static void tell(const struct planner *planner, const struct warmup_unit *unit, struct slice words)
{
	struct buf why;

	buf_init(&why, 256);
	warmup_explain(&unit->warmup, &why);
	log_warn("delivery", "a warm-up does not go on for now",
		 "source=%s receiver=%s state=%s reason=%s reply=%.*s",
		 planner->warmings[unit->source].ip, rule_name(planner, unit),
		 warmup_state_name(unit->warmup.state), buf_text(&why), SLICE_FMT(words));
	buf_done(&why);
}

static bool is_refused(const struct lease *lease, enum shaper_signal signal)
{
	return signal == SHAPER_SLOW_DOWN || signal == SHAPER_BLOCKED ||
	       lease->reply_class == SMTP_CLASS_POLICY;
}

void planner_warmup_answered(struct planner *planner, struct warmup_unit *unit,
			     const struct lease *lease)
{
	const enum shaper_signal signal = signal_of(lease);
	const bool refused = is_refused(lease, signal);

	if (!refused && signal != SHAPER_TAKEN)
		return;
	changed(planner, unit);
	if (warmup_answered(&unit->warmup, refused))
		tell(planner, unit, (struct slice){ lease->reply, lease->reply_len });
}

/* Of all that the customer's routes sent to the receiver in a day, what those of the unit did. */
static u64 day_of(struct planner *planner, const struct config_customer *customer, u32 rule,
		  const struct warmup_unit *unit)
{
	u64 sum = 0;

	list_for_each(node, &planner->routes) {
		const struct planner_route *route = list_entry(node, struct planner_route, all);

		if (route->customer == customer &&
		    route->site->rule == &planner->config->sites[rule] &&
		    (!unit || route->warmups[0] == unit || route->warmups[1] == unit))
			sum += shaper_used(&route->shaper, SHAPER_DAY, planner->time.due_ms);
	}
	return sum;
}

static void complained(struct planner *planner, struct warmup_unit *unit)
{
	changed(planner, unit);
	planner->must_work = true;
	if (warmup_complained(&unit->warmup))
		tell(planner, unit, SLICE("complaints"));
}

void planner_warmup_complained(struct planner *planner, struct slice customer, struct slice domain)
{
	const struct config_customer *owner = config_customer_of(planner->config, customer);
	const struct domain *at = map_find(&planner->domains, domain);
	u64 all;
	u64 lot;
	u32 rule;

	if (planner->warming_count == 0 || !owner || !at || !at->where)
		return;
	rule = (u32)(at->where->rule - planner->config->sites);
	all = day_of(planner, owner, rule, NULL);
	lot = all > 0 ? random_below(&planner->random, all) : 0;
	for (size_t i = 0; i < owner->address_count && all > 0; i++) {
		struct warmup_unit *unit =
			planner_warmup_of(planner, &owner->addresses[i], at->where);
		const u64 part = unit ? day_of(planner, owner, rule, unit) : 0;

		if (lot < part) {
			complained(planner, unit);
			return;
		}
		lot -= part;
	}
}

/* ---- the store ---- */

static void measure(struct planner *planner, const struct warmup_unit *unit)
{
	struct metrics_warmup *m = &planner->m->warmups[unit->metrics_slot];
	struct planner_site_view view;
	struct warmup_plan plan;

	if (unit->metrics_slot == METRICS_OTHER ||
	    !planner_rule_look(planner, unit->rule, &view))
		return;
	plan = plan_of(&view.limits);
	metric_set(&m->step, unit->warmup.step);
	metric_set(&m->quota, unit->warmup.state == WARMUP_DONE ?
				      0 : warmup_quota(&plan, unit->warmup.step));
	metric_set(&m->sent, unit->warmup.sent);
	metric_set(&m->is_held, unit->warmup.state == WARMUP_HELD ||
					unit->warmup.state == WARMUP_STOPPED);
	metric_set(&m->is_done, unit->warmup.state == WARMUP_DONE);
}

bool planner_warmups_write(struct planner *planner)
{
	struct list *node;

	while ((node = list_pop_front(&planner->warmups_changed))) {
		struct warmup_unit *unit = list_entry(node, struct warmup_unit, node);
		char name[NAME_ROOM];
		struct buf text;
		bool is_written;

		snprintf(name, sizeof(name), "%.*s%s/%s", SLICE_FMT(PREFIX),
			 planner->warmings[unit->source].ip, rule_name(planner, unit));
		buf_init(&text, WARMUP_PACKED_MAX);
		warmup_pack(&unit->warmup, &text);
		if (text.failed)
			planner->failed_by = STORE_FAILED;
		is_written = !text.failed &&
			     planner_store_ok(planner,
					      queue_setting_put(planner->queue, slice_of(name),
								buf_slice(&text)));
		buf_done(&text);
		if (!is_written)
			return false;
		measure(planner, unit);
	}
	return true;
}

void planner_warmups_drop(struct planner *planner)
{
	while (list_pop_front(&planner->warmups_changed))
		;
}

/* "on 3", "paused 3", "off 1": the operator's order. */
static bool take_order(struct warming *warming, struct slice text)
{
	const struct slice word = slice_split(&text, ' ');
	u32 step;

	if (!text.ptr || !slice_to_u32(text, &step) || step < 1 || step > WARMUP_STEPS_MAX)
		return false;
	warming->is_paused = slice_equal(word, SLICE("paused"));
	warming->is_on = warming->is_paused || slice_equal(word, SLICE("on"));
	warming->is_ordered = true;
	warming->step = step;
	return true;
}

/* What is of addresses and rules that the configuration lacks stays for when it has them. */
static bool take_stored(struct planner *planner, struct slice name, struct slice value,
			struct error *error)
{
	struct slice rest = name;
	struct warming *warming = warming_named(planner, slice_split(&rest, '/'));
	struct warmup_unit *unit;
	i64 rule;
	bool taken;

	if (!warming)
		return true;
	if (!rest.ptr) {
		taken = take_order(warming, value);
	} else {
		rule = rule_named(planner, rest);
		if (rule < 0)
			return true;
		unit = unit_at(planner, warming, (u32)rule);
		if (!unit)
			return error_set(error, "out of memory for warm-ups");
		taken = warmup_unpack(&unit->warmup, value);
		measure(planner, unit);
	}
	if (!taken)
		log_warn("delivery", "what was kept of a warm-up cannot be read", "name=%.*s",
			 SLICE_FMT(name));
	return true;
}

/* The configuration's word, where the operator gave no order. */
static void take_addresses(struct planner *planner)
{
	const struct config *config = planner->config;

	for (size_t c = 0; c < config->customer_count; c++) {
		for (size_t i = 0; i < config->customers[c].address_count; i++) {
			const struct config_address *address = &config->customers[c].addresses[i];
			struct warming *warming;

			if (address->number == CONFIG_SOURCE_ANY)
				continue;
			warming = &planner->warmings[address->number];
			if (warming->ip)
				continue;
			warming->ip = address->ip;
			warming->is_on = address->warm_up;
			warming->step = address->warm_up_day;
		}
	}
}

bool planner_warmups_open(struct planner *planner, struct error *error)
{
	planner->warmings = calloc((size_t)planner->config->source_count + 1,
				   sizeof(*planner->warmings));
	if (!planner->warmings)
		return error_set(error, "out of memory for warm-ups");
	take_addresses(planner);
	if (!planner_read_settings(planner, PREFIX, take_stored, error))
		return false;
	for (u32 i = 0; i < planner->config->source_count; i++)
		planner->warming_count += planner->warmings[i].is_on;
	return true;
}

void planner_warmups_free(struct planner *planner)
{
	for (u32 i = 0; planner->warmings && i < planner->config->source_count; i++) {
		struct warming *warming = &planner->warmings[i];

		for (size_t k = 0; warming->units && k < planner->config->site_count; k++)
			free(warming->units[k]);
		free(warming->units);
	}
	free(planner->warmings);
}

/* ---- orders ---- */

static bool store_order(struct planner *planner, const struct warming *warming,
			struct error *error)
{
	char name[NAME_ROOM];
	char text[ORDER_MAX];
	enum store_result result;

	snprintf(name, sizeof(name), "%.*s%s", SLICE_FMT(PREFIX), warming->ip);
	snprintf(text, sizeof(text), "%s %u",
		 !warming->is_on ? "off" : warming->is_paused ? "paused" : "on", warming->step);
	if (!planner_begin(planner, error))
		return false;
	result = queue_setting_put(planner->queue, slice_of(name), slice_of(text));
	if (result == STORE_OK && planner_warmups_write(planner) && planner_commit(planner, error))
		return true;
	queue_abort(planner->queue);
	planner_warmups_drop(planner);
	return error_set(error, "the queue: %s", queue_error_text(planner->queue));
}

/* Routes see what counts for them now. */
static void applied(struct planner *planner)
{
	planner->warming_count = 0;
	for (u32 i = 0; i < planner->config->source_count; i++)
		planner->warming_count += planner->warmings[i].is_on;
	list_for_each(node, &planner->routes) {
		struct planner_route *route = list_entry(node, struct planner_route, all);

		timer_stop(&planner->wheel, &route->timer);
		planner_bounds_set(planner, route);
		planner_route_check(planner, route);
	}
	planner->must_work = true;
}

static void skip_all(struct planner *planner, struct warming *warming, i64 only)
{
	for (u32 i = 0; warming->units && i < planner->config->site_count; i++) {
		struct planner_site_view view;
		struct warmup_plan plan;

		if (!warming->units[i] || (only >= 0 && only != (i64)i) ||
		    !planner_rule_look(planner, i, &view))
			continue;
		plan = plan_of(&view.limits);
		turn(planner, warming->units[i], &plan);
		warmup_skip(&warming->units[i]->warmup, &plan);
		changed(planner, warming->units[i]);
	}
}

/* All of it begins anew at that step. */
static void begin_all(struct planner *planner, struct warming *warming, u32 step)
{
	warming->step = step;
	for (u32 i = 0; warming->units && i < planner->config->site_count; i++) {
		struct warmup_unit *unit = warming->units[i];
		const u32 sent = unit ? unit->warmup.sent : 0;
		const u64 day = unit ? unit->warmup.day : 0;

		if (!unit)
			continue;
		warmup_begin(&unit->warmup, step, planner->time.due_ms);
		/* What this day has sent, it has sent. */
		unit->warmup.sent = unit->warmup.day == day ? sent : 0;
		changed(planner, unit);
	}
}

static bool order(struct planner *planner, struct warming *warming,
		  const struct planner_warmup_order *order, struct error *error)
{
	i64 only = -1;

	switch (order->action) {
	case PLANNER_WARMUP_START:
		/* One that is paused goes on where it is, unless a day is said. */
		if (!warming->is_on || order->step > 0)
			begin_all(planner, warming, order->step > 0 ? order->step : 1);
		warming->is_on = true;
		warming->is_paused = false;
		break;
	case PLANNER_WARMUP_PAUSE:
		if (!warming->is_on)
			return error_set(error, "%s is in no warm-up", warming->ip);
		warming->is_paused = true;
		break;
	case PLANNER_WARMUP_SKIP:
		if (!warming->is_on)
			return error_set(error, "%s is in no warm-up", warming->ip);
		if (order->receiver.len > 0) {
			only = rule_named(planner, order->receiver);
			if (only < 0)
				return error_set(error, "there is no receiver \"%.*s\"",
						 SLICE_FMT(slice_first(order->receiver, 200)));
		}
		skip_all(planner, warming, only);
		break;
	case PLANNER_WARMUP_STOP:
		warming->is_on = false;
		warming->is_paused = false;
		break;
	}
	warming->is_ordered = true;
	return store_order(planner, warming, error);
}

bool planner_warmup_order(struct planner *planner, const struct planner_warmup_order *what,
			  struct error *error)
{
	struct warming *warming = warming_named(planner, what->source);
	struct warming before;
	bool done;

	if (!warming)
		return error_set(error, "no customer has the source address \"%.*s\"",
				 SLICE_FMT(slice_first(what->source, 100)));
	before = *warming;
	done = order(planner, warming, what, error);
	if (!done) {
		/* Its receivers' days are what they are; the next transaction writes them. */
		warming->is_on = before.is_on;
		warming->is_paused = before.is_paused;
		warming->is_ordered = before.is_ordered;
		warming->step = before.step;
	}
	applied(planner);
	return done;
}

/* ---- as operators see it ---- */

void planner_warmup_tell(const struct planner_route *route, struct planner_route_status *status)
{
	const struct warmup_plan plan = plan_of(route->site->limits);

	for (u32 i = 0; i < array_count(route->warmups); i++) {
		const struct warmup *warmup;

		if (!route->warmups[i])
			continue;
		warmup = &route->warmups[i]->warmup;
		if (status->warmup_day > 0 && warmup->step >= status->warmup_day)
			continue;
		status->warmup_day = warmup->step;
		status->warmup_sent = warmup->sent;
		status->warmup_quota =
			warmup->state == WARMUP_DONE ? 0 : warmup_quota(&plan, warmup->step);
	}
}

static bool visit_unit(struct planner *planner, struct warming *warming, u32 rule,
		       struct planner_warmup_status *status,
		       bool (*visit)(void *context, const struct planner_warmup_status *status),
		       void *context)
{
	struct warmup_unit *unit = warming->units[rule];
	struct planner_site_view view;
	struct warmup_plan plan;
	struct buf why;

	if (!planner_rule_look(planner, rule, &view))
		return true;
	plan = plan_of(&view.limits);
	turn(planner, unit, &plan);
	buf_init(&why, 256);
	warmup_explain(&unit->warmup, &why);
	status->receiver = view.rule;
	status->state = warmup_state_name(unit->warmup.state);
	status->day = unit->warmup.step;
	status->days_left = warmup_days_left(&unit->warmup, &plan);
	status->quota = warmup_quota(&plan, unit->warmup.step);
	status->sent = unit->warmup.sent;
	status->answers = unit->warmup.answers;
	status->refused = unit->warmup.refused;
	status->complaints = unit->warmup.complaints;
	slice_copy(status->reason, sizeof(status->reason), buf_slice(&why));
	buf_done(&why);
	return visit(context, status);
}

void planner_warmups(struct planner *planner,
		     bool (*visit)(void *context, const struct planner_warmup_status *status),
		     void *context)
{
	for (u32 i = 0; i < planner->config->source_count; i++) {
		struct warming *warming = &planner->warmings[i];
		struct planner_warmup_status status = { .source = warming->ip,
							.is_on = warming->is_on,
							.is_paused = warming->is_paused,
							.by_operator = warming->is_ordered };

		if (!warming->is_on && !warming->is_ordered)
			continue;
		if (!visit(context, &status))
			return;
		for (u32 k = 0; warming->is_on && warming->units && k < planner->config->site_count;
		     k++) {
			if (warming->units[k] &&
			    !visit_unit(planner, warming, k, &status, visit, context))
				return;
		}
	}
}
