/* Several ways out: packets leave by the link that has their source address. */
#include "init/network_plan.h"

#include <linux/fib_rules.h>
#include <linux/rtnetlink.h>
#include <stdlib.h>

/* First the main table without its default routes: neighbours are reached as always. */
#define PRIORITY_NEAR 900
#define PRIORITY_SOURCE 1000

static bool is_default(const struct network_route *route, u8 family)
{
	return route->to.address.family == family && route->to.bits == 0 &&
	       route->table == RT_TABLE_MAIN;
}

/* The link whose default route is taken when nothing else is said; 0: there is none. */
static u32 best_link(const struct network_plan *plan, u8 family)
{
	const struct network_route *best = NULL;

	for (size_t i = 0; i < plan->route_count; i++) {
		const struct network_route *route = &plan->routes[i];

		if (is_default(route, family) && (!best || route->metric < best->metric))
			best = route;
	}
	return best ? best->index : 0;
}

static void want_rule(struct network_plan *plan, const struct network_rule *rule)
{
	plan->rules[plan->rule_count] = *rule;
	plan->rules[plan->rule_count].from.address.family = rule->family;
	plan->rules[plan->rule_count++].protocol = RTPROT_STATIC;
}

static void want_sources(struct network_plan *plan, u32 index, u8 family)
{
	for (size_t i = 0; i < plan->address_count; i++) {
		const struct network_address *address = &plan->addresses[i];
		struct network_rule rule = { .family = family,
					     .priority = PRIORITY_SOURCE,
					     .table = NETWORK_TABLE_FIRST + index,
					     .from = address->prefix };

		if (address->index != index || address->prefix.address.family != family)
			continue;
		rule.from.bits = family == 6 ? 128 : 32;
		want_rule(plan, &rule);
	}
}

static void plan_family(struct network_plan *plan, u8 family)
{
	const struct network_rule near = { .family = family,
					   .priority = PRIORITY_NEAR,
					   .table = RT_TABLE_MAIN,
					   .no_defaults = true };
	u32 best = best_link(plan, family);
	size_t count = plan->route_count;
	size_t before = plan->rule_count;

	for (size_t i = 0; best > 0 && i < count; i++) {
		struct network_route route = plan->routes[i];

		if (!is_default(&route, family) || route.index == best)
			continue;
		route.table = NETWORK_TABLE_FIRST + route.index;
		plan->routes[plan->route_count++] = route;
		want_sources(plan, route.index, family);
	}
	if (plan->rule_count > before)
		want_rule(plan, &near);
}

bool network_plan_sources(struct network_plan *plan)
{
	plan->rules = calloc(plan->address_count + 2, sizeof(*plan->rules));
	if (!plan->rules)
		return false;
	plan_family(plan, 4);
	plan_family(plan, 6);
	return true;
}

static bool has_rule(const struct network_rule *list, size_t count, const struct network_rule *rule)
{
	for (size_t i = 0; i < count; i++) {
		if (network_rule_equal(&list[i], rule))
			return true;
	}
	return false;
}

static void ask_rule(struct network_plan *plan, const struct network_rule *rule, bool add)
{
	struct fib_rule_hdr head = { .family = rule->family == 6 ? AF_INET6 : AF_INET,
				     .src_len = rule->from.bits,
				     .table = rule->table < 256 ? (u8)rule->table : RT_TABLE_UNSPEC,
				     .action = FR_ACT_TO_TBL };
	u16 flags = NLM_F_ACK | (add ? NLM_F_CREATE | NLM_F_EXCL : 0);
	size_t begin = message_begin(plan->messages, add ? RTM_NEWRULE : RTM_DELRULE, flags, &head,
				     sizeof(head));
	char from[NET_PREFIX_TEXT_SIZE];

	message_add_u32(plan->messages, FRA_PRIORITY, rule->priority);
	message_add_u32(plan->messages, FRA_TABLE, rule->table);
	if (rule->from.bits > 0)
		message_add(plan->messages, FRA_SRC, rule->from.address.ip,
			    rule->family == 6 ? 16 : 4);
	if (rule->no_defaults)
		message_add_u32(plan->messages, FRA_SUPPRESS_PREFIXLEN, 0);
	message_add(plan->messages, FRA_PROTOCOL, &rule->protocol, 1);
	net_prefix_format(from, &rule->from);
	network_plan_ask(plan, begin, "packets from %s: %s%s", from,
			 rule->no_defaults ? "neighbours first" : "by their own link",
			 add ? "" : ", no longer");
}

/* The kernel's own rules stay. */
void network_plan_rules(struct network_plan *plan, bool add)
{
	const struct network_state *state = plan->state;

	for (size_t i = 0; add && i < plan->rule_count; i++) {
		if (!has_rule(state->rules, state->rule_count, &plan->rules[i]))
			ask_rule(plan, &plan->rules[i], true);
	}
	for (size_t i = 0; !add && i < state->rule_count; i++) {
		if (state->rules[i].protocol != RTPROT_KERNEL &&
		    !has_rule(plan->rules, plan->rule_count, &state->rules[i]))
			ask_rule(plan, &state->rules[i], false);
	}
}
