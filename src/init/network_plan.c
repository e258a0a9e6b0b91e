#include "init/network_plan.h"

#include "base/check.h"
#include "base/crypto.h"
#include "base/text.h"

#include <errno.h>
#include <linux/if_arp.h>
#include <linux/rtnetlink.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FREE_TRIES 4	    /* the same message so often before it has to wait */
#define FORGET_MS 60000	    /* ... unless it was not wanted for so long */
#define WAIT_FIRST_MS 500
#define WAIT_MAX_MS 30000

/* What a link does that only carries others, and what each does when nothing is configured. */
static const struct network_interface carrier_only = { .method = APPLIANCE_NO_IPV4,
						       .ipv6 = APPLIANCE_IPV6_OFF };
static const struct network_interface by_default = { .method = APPLIANCE_DHCP,
						     .ipv6 = APPLIANCE_IPV6_AUTO };

/* ---- attempts ---- */

static u64 hash_of(const struct buf *messages, size_t begin)
{
	static const u8 key[16];
	u64 hash = siphash64(key, messages->ptr + begin, messages->len - begin);

	return hash ? hash : 1;
}

static u64 wait_after(u32 failures)
{
	return min_u64((u64)WAIT_FIRST_MS << min_u32(failures, 10), WAIT_MAX_MS);
}

/* The attempt with that hash, or the one that was not wanted for the longest time. */
static struct network_attempt *attempt_of(struct network_attempts *attempts, u64 hash, u64 now_ms)
{
	struct network_attempt *oldest = &attempts->items[0];

	for (size_t i = 0; i < NETWORK_ATTEMPTS_MAX; i++) {
		struct network_attempt *a = &attempts->items[i];

		if (a->hash == hash && now_ms - a->last_ms <= FORGET_MS)
			return a;
		if (a->hash == hash || a->hash == 0 ||
		    (oldest->hash != 0 && a->last_ms < oldest->last_ms))
			oldest = a;
		if (a->hash == hash)
			break;
	}
	*oldest = (struct network_attempt){ .hash = hash };
	return oldest;
}

bool network_plan_ask(struct network_plan *plan, size_t begin, const char *fmt, ...)
{
	struct network_attempt *attempt;
	va_list args;

	message_end(plan->messages, begin);
	if (plan->messages->failed)
		return false;
	attempt = attempt_of(plan->attempts, hash_of(plan->messages, begin), plan->now_ms);
	attempt->last_ms = plan->now_ms;
	if (attempt->until_ms > plan->now_ms) {
		plan->again_ms = min_u64(plan->again_ms, attempt->until_ms);
		plan->messages->len = begin;
		return false;
	}
	if (++attempt->count > FREE_TRIES)
		attempt->until_ms = plan->now_ms + wait_after(attempt->count - FREE_TRIES);
	attempt->sequence = ++plan->attempts->sequence;
	message_set_sequence(plan->messages, begin, attempt->sequence);
	va_start(args, fmt);
	vsnprintf(attempt->what, sizeof(attempt->what), fmt, args);
	va_end(args);
	plan->message_count++;
	return true;
}

struct network_attempt *network_attempt_answer(struct network_attempts *attempts, u32 sequence,
					       i32 code, u64 now_ms)
{
	for (size_t i = 0; i < NETWORK_ATTEMPTS_MAX; i++) {
		struct network_attempt *a = &attempts->items[i];

		if (a->hash == 0 || a->sequence != sequence)
			continue;
		if (code != 0)
			a->until_ms = max_u64(a->until_ms, now_ms + wait_after(a->count));
		return a;
	}
	return NULL;
}

/* ---- which links, and what for ---- */

bool network_is_ethernet(const struct network_link *link)
{
	return link->type == ARPHRD_ETHER &&
	       (link->kind[0] == '\0' || strcmp(link->kind, "veth") == 0);
}

static bool is_carrier_of_others(const struct network_wanted *wanted, const char *name)
{
	for (size_t i = 0; i < wanted->interface_count; i++) {
		const struct network_interface *interface = &wanted->interfaces[i];

		if (strcmp(interface->parent, name) == 0)
			return true;
		for (size_t k = 0; k < interface->member_count; k++) {
			if (strcmp(interface->members[k], name) == 0)
				return true;
		}
	}
	return false;
}

static const struct network_interface *purpose_of(const struct network_wanted *wanted,
						  const struct network_link *link)
{
	const struct network_interface *interface = network_wanted_named(wanted, link->name);

	if (link->flags & IFF_LOOPBACK)
		return NULL;
	/* A member's addresses are its bond's. What another driver has taken is not ours. */
	if (link->master != 0)
		return is_carrier_of_others(wanted, link->name) ? &carrier_only : NULL;
	if (interface)
		return interface;
	if (wanted->interface_count == 0)
		return network_is_ethernet(link) ? &by_default : NULL;
	return is_carrier_of_others(wanted, link->name) ? &carrier_only : NULL;
}

static const struct network_lease *lease_of(const struct network_plan *plan, const char *name)
{
	for (size_t i = 0; i < plan->lease_count; i++) {
		if (strcmp(plan->leases[i].interface, name) == 0)
			return &plan->leases[i];
	}
	return NULL;
}

static bool collect(struct network_plan *plan)
{
	plan->planned = calloc(plan->state->link_count + 1, sizeof(*plan->planned));
	if (!plan->planned)
		return false;
	for (size_t i = 0; i < plan->state->link_count; i++) {
		struct network_known_link *known = &plan->state->links[i];
		const struct network_interface *interface = purpose_of(plan->wanted, &known->link);
		struct network_planned *planned = &plan->planned[plan->planned_count];

		if (!interface)
			continue;
		*planned = (struct network_planned){ .known = known, .interface = interface };
		if (interface->method == APPLIANCE_DHCP)
			planned->lease = lease_of(plan, known->link.name);
		planned->rank = known->link.index;
		for (size_t k = 0; k < plan->wanted->interface_count; k++) {
			if (&plan->wanted->interfaces[k] == interface)
				planned->rank = (u32)k;
		}
		plan->planned_count++;
	}
	return true;
}

/* ---- up, MTU, IPv6 ---- */

static void ask_flags(struct network_plan *plan, const struct network_link *link, u32 flags)
{
	struct ifinfomsg head = { .ifi_index = (int)link->index,
				  .ifi_flags = flags,
				  .ifi_change = IFF_UP };
	size_t begin =
		message_begin(plan->messages, RTM_NEWLINK, NLM_F_ACK, &head, sizeof(head));

	network_plan_ask(plan, begin, "%s: %s", link->name, flags ? "up" : "down");
}

static void plan_mtu(struct network_plan *plan, const struct network_planned *planned)
{
	const struct network_link *link = &planned->known->link;
	struct ifinfomsg head = { .ifi_index = (int)link->index };
	u32 mtu = planned->interface->mtu;
	size_t begin;

	/* A bond sees to its members itself. */
	if (link->master != 0)
		return;
	if (mtu == 0 && planned->lease)
		mtu = planned->lease->mtu;
	if (mtu == 0)
		mtu = planned->known->first_mtu;
	if (mtu == link->mtu)
		return;
	begin = message_begin(plan->messages, RTM_NEWLINK, NLM_F_ACK, &head, sizeof(head));
	message_add_u32(plan->messages, IFLA_MTU, mtu);
	network_plan_ask(plan, begin, "%s: MTU %u", link->name, mtu);
}

/* Before the link goes up: its first packets are those of IPv6. */
static void plan_ipv6(struct network_plan *plan, struct network_planned *planned)
{
	enum network_ipv6 want = NETWORK_IPV6_AUTO;
	struct network_setting *setting;

	if (planned->interface->ipv6 == APPLIANCE_IPV6_STATIC)
		want = NETWORK_IPV6_STATIC;
	else if (planned->interface->ipv6 == APPLIANCE_IPV6_OFF)
		want = NETWORK_IPV6_OFF;
	if (planned->known->ipv6 == want || plan->setting_count == NETWORK_SETTINGS_MAX)
		return;
	setting = &plan->settings[plan->setting_count++];
	setting->ipv6 = want;
	slice_copy(setting->interface, sizeof(setting->interface),
		   slice_of(planned->known->link.name));
	planned->known->ipv6 = want;
}

static void plan_up(struct network_plan *plan)
{
	for (size_t i = 0; i < plan->planned_count; i++) {
		struct network_planned *planned = &plan->planned[i];

		ASSERT(planned->interface);
		plan_ipv6(plan, planned);
		plan_mtu(plan, planned);
		if (!(planned->known->link.flags & IFF_UP))
			ask_flags(plan, &planned->known->link, IFF_UP);
	}
}

static bool is_planned(const struct network_plan *plan, const struct network_known_link *known)
{
	for (size_t i = 0; i < plan->planned_count; i++) {
		if (plan->planned[i].known == known)
			return true;
	}
	return false;
}

/* The loopback goes up; what nobody wants goes down. */
static void plan_others(struct network_plan *plan)
{
	for (size_t i = 0; i < plan->state->link_count; i++) {
		const struct network_known_link *known = &plan->state->links[i];
		const struct network_link *link = &known->link;
		bool loopback = link->flags & IFF_LOOPBACK;

		if (loopback && !(link->flags & IFF_UP))
			ask_flags(plan, link, IFF_UP);
		else if (!loopback && (link->flags & IFF_UP) && network_is_ethernet(link) &&
			 link->master == 0 && !is_planned(plan, known))
			ask_flags(plan, link, 0);
	}
}

void network_plan_early(struct network_plan *plan)
{
	plan->again_ms = UINT64_MAX;
	for (size_t i = 0; i < plan->state->link_count; i++) {
		const struct network_link *link = &plan->state->links[i].link;

		if (!(link->flags & IFF_UP) &&
		    ((link->flags & IFF_LOOPBACK) || network_is_ethernet(link)))
			ask_flags(plan, link, IFF_UP);
	}
}

bool network_plan_make(struct network_plan *plan)
{
	plan->again_ms = UINT64_MAX;
	/* Names first: everything else goes by them. */
	if (network_plan_links(plan))
		return true;
	if (!collect(plan))
		return false;
	plan_others(plan);
	plan_up(plan);
	return network_plan_addresses(plan) && !plan->messages->failed;
}

void network_plan_done(struct network_plan *plan)
{
	free(plan->planned);
	free(plan->addresses);
	free(plan->routes);
	free(plan->rules);
	plan->rules = NULL;
	plan->planned = NULL;
	plan->addresses = NULL;
	plan->routes = NULL;
}
