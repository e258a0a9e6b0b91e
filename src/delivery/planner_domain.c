/*
 * Recipient domains: from a name to the site that takes its mail, by a configured relay or by DNS.
 * Lanes and rows whose domain is not known yet wait here.
 */
#include "delivery/planner_parts.h"

#include "base/check.h"
#include "base/log.h"
#include "base/text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void on_domain_timer(struct timer *timer);

static bool is_idle(const struct domain *domain)
{
	return domain->users == 0 && domain->refs.count == 0 && !domain->asking &&
	       !timer_is_running(&domain->timer) && !list_is_linked(&domain->to_ask);
}

static void free_domain(struct planner *planner, struct domain *domain)
{
	list_unlink(&domain->all);
	map_remove(&planner->domains, slice_of(domain->name));
	ref_queue_done(&domain->refs);
	free(domain);
}

/* Forgets domains that nothing points to, oldest first; a few per call, so that no call is long. */
static void forget_some(struct planner *planner)
{
	for (u32 i = 0; i < 4 && planner->domains.count >= DOMAINS_IDLE_MAX; i++) {
		struct list *node = planner->all_domains.next;
		struct domain *domain = list_entry(node, struct domain, all);

		if (is_idle(domain)) {
			free_domain(planner, domain);
			continue;
		}
		list_unlink(node);
		list_push_back(&planner->all_domains, node);
	}
}

struct domain *planner_domain(struct planner *planner, struct slice name)
{
	struct domain *domain = map_find(&planner->domains, name);
	const struct config_route *relay;

	if (domain) {
		list_unlink(&domain->all);
		list_push_back(&planner->all_domains, &domain->all);
		return domain;
	}
	forget_some(planner);
	domain = calloc(1, sizeof(*domain));
	if (!domain)
		return NULL;
	list_init(&domain->to_ask);
	list_init(&domain->lanes);
	timer_init(&domain->timer, on_domain_timer);
	domain->planner = planner;
	slice_copy(domain->name, sizeof(domain->name), name);
	if (!map_add(&planner->domains, slice_of(domain->name), domain)) {
		free(domain);
		return NULL;
	}
	list_push_back(&planner->all_domains, &domain->all);
	relay = config_route_of(planner->config, name);
	if (relay) {
		domain->where = planner_site_of_relay(planner, relay->relay);
		domain->state = domain->where ? DOMAIN_READY : DOMAIN_NEW;
		domain->fresh_until_ns = UINT64_MAX;
	}
	return domain;
}

void planner_domain_wait(struct planner *planner, struct domain *domain)
{
	bool stale = domain->state == DOMAIN_READY && planner->now_ns > domain->fresh_until_ns;

	if ((domain->state != DOMAIN_NEW && !stale) || domain->asking ||
	    list_is_linked(&domain->to_ask))
		return;
	list_push_back(&planner->to_ask, &domain->to_ask);
}

void planner_domain_ask(struct planner *planner)
{
	struct list *node;

	while ((node = list_pop_front(&planner->to_ask))) {
		struct domain *domain = list_entry(node, struct domain, to_ask);

		if (!mx_lookup(planner->resolver, slice_of(domain->name), (u64)(uintptr_t)domain)) {
			list_push_front(&planner->to_ask, node);
			return;
		}
		metric_add(&planner->m->dns_lookups, 1);
		domain->asking = true;
		if (domain->state == DOMAIN_NEW)
			domain->state = DOMAIN_ASKING;
	}
}

static void on_domain_timer(struct timer *timer)
{
	struct domain *domain = container_of(timer, struct domain, timer);

	domain->state = DOMAIN_NEW;
	domain->planner->must_work = true;
	planner_domain_wait(domain->planner, domain);
}

/* ---- rows ---- */

u32 planner_source_of(const struct planner_campaign *campaign, u32 lane)
{
	const struct config_customer *customer = campaign->customer;
	u32 v4 = 0;
	u32 v6 = 0;

	for (size_t i = 0; i < customer->address_count; i++) {
		if (strcmp(customer->addresses[i].ip, CONFIG_ANY_ADDRESS) == 0)
			continue;
		if (strchr(customer->addresses[i].ip, ':'))
			v6++;
		else
			v4++;
	}
	return max_u64(v4, v6) > 1 ? lane % (u32)max_u64(v4, v6) : 0;
}

static void place_at(struct planner *planner, struct planner_campaign *campaign,
		     const struct queue_row *row, struct domain *domain)
{
	struct planner_route *route;

	switch ((enum domain_state)domain->state) {
	case DOMAIN_READY:
		planner_domain_wait(planner, domain);
		route = planner_route(planner, domain->where, campaign->customer,
				      planner_source_of(campaign, row->ref.id.domain));
		if (!route)
			CRASH("out of memory for a route");
		if (route->refs.count >= ROUTE_REFS_MAX && row->ref.place == ROW_DEFERRED) {
			planner_postpone_row(planner, row);
			break;
		}
		planner_row_wait(planner, &route->refs, &row->ref);
		planner_route_check(planner, route);
		break;
	case DOMAIN_WAIT:
		planner_defer_row(planner, campaign, row, 0, slice_of(domain->text));
		break;
	case DOMAIN_DEAD:
		planner_settle_row(planner, campaign, row, OUTCOME_FAILED, domain->code,
				   domain->enhanced, slice_of(domain->text));
		break;
	default:
		planner_domain_wait(planner, domain);
		planner_row_wait(planner, &domain->refs, &row->ref);
	}
}

void planner_row_place(struct planner *planner, struct planner_campaign *campaign,
		       const struct queue_row *row)
{
	struct domain *domain;

	if (campaign->record.state == CAMPAIGN_CANCELLED) {
		planner_settle_row(planner, campaign, row, OUTCOME_CANCELLED, 0,
				   (const u16[3]){ 0 }, SLICE("campaign cancelled"));
		return;
	}
	if (campaign->record.state != CAMPAIGN_RUNNING) {
		planner_row_wait(planner, &campaign->parked, &row->ref);
		return;
	}
	domain = planner_domain(planner, address_wire_domain(row->address));
	if (!domain)
		CRASH("out of memory for a domain");
	place_at(planner, campaign, row, domain);
}

static void place_refs(struct planner *planner, struct ref_queue *refs)
{
	u32 count = refs->count;
	struct row_ref ref;

	while (count-- > 0 && planner_row_waited(planner, refs, &ref)) {
		struct planner_campaign *campaign = planner_campaign(planner, ref.id.campaign);
		struct queue_row row;
		enum store_result result = queue_row_get(planner->queue, &ref, &row);

		if (result == STORE_NOT_FOUND || !campaign)
			continue;
		if (!planner_store_ok(planner, result)) {
			/* The next transaction places them, wherever they waited and for what. */
			planner_row_wait(planner, &planner->again, &ref);
			planner_rows_again(planner, refs);
			return;
		}
		planner_row_place(planner, campaign, &row);
	}
}

void planner_place_again(struct planner *planner)
{
	struct ref_queue again = planner->again;

	planner->again = (struct ref_queue){ 0 };
	place_refs(planner, &again);
	ref_queue_done(&again);
}

/* ---- answers ---- */

static void set_text(struct domain *domain, u16 code, u8 class, u8 subject, u8 detail,
		     const char *text)
{
	domain->code = code;
	domain->enhanced[0] = class;
	domain->enhanced[1] = subject;
	domain->enhanced[2] = detail;
	slice_copy(domain->text, sizeof(domain->text), slice_of(text));
}

static void judge(struct planner *planner, struct domain *domain, const struct mx_answer *answer)
{
	switch (answer->status) {
	case MX_OK:
		domain->where = planner_site_of_answer(planner, answer);
		domain->state = domain->where ? DOMAIN_READY : DOMAIN_WAIT;
		domain->failures = 0;
		domain->fresh_until_ns = planner->now_ns + (u64)answer->ttl_s * NS_PER_S;
		return;
	case MX_NULL:
		set_text(domain, 556, 5, 1, 10, answer->text);
		break;
	case MX_NO_DOMAIN:
		set_text(domain, 550, 5, 1, 2, answer->text);
		break;
	case MX_NO_HOST:
		set_text(domain, 550, 5, 4, 4, answer->text);
		break;
	case MX_ONLY_FORBIDDEN:
		set_text(domain, 550, 5, 4, 6, answer->text);
		break;
	default:
		/* A failure to refresh takes nothing away from a domain that is known. */
		domain->failures++;
		metric_add(&planner->m->dns_failures, 1);
		domain->fresh_until_ns = planner->now_ns + 60 * NS_PER_S;
		if (domain->state == DOMAIN_READY)
			return;
		set_text(domain, 451, 4, answer->status == MX_BOGUS ? 7 : 4,
			 answer->status == MX_BOGUS ? 5 : 3, answer->text);
		domain->state = DOMAIN_WAIT;
		return;
	}
	domain->state = DOMAIN_DEAD;
	domain->where = NULL;
}

static void on_answer(struct planner *planner, struct domain *domain,
		      const struct mx_answer *answer)
{
	struct list waiting;

	domain->asking = false;
	judge(planner, domain, answer);
	/* Dead or failing domains are asked again in time: zones get mended. */
	if (domain->state == DOMAIN_WAIT || domain->state == DOMAIN_DEAD)
		timer_start(&planner->wheel, &domain->timer,
			    planner->now_ns + (domain->state == DOMAIN_DEAD ?
						       (u64)answer->ttl_s * NS_PER_S :
						       retry_route_wait_ms(domain->failures,
									   &planner->random) *
							       NS_PER_MS));
	list_init(&waiting);
	while (!list_is_empty(&domain->lanes))
		list_push_back(&waiting, list_pop_front(&domain->lanes));
	while (!list_is_empty(&waiting)) {
		struct lane *lane = list_entry(list_pop_front(&waiting), struct lane, node);

		planner_lane_place(planner, lane);
		if (domain->state == DOMAIN_WAIT)
			planner_shed_lane(planner, lane, domain->code, slice_of(domain->text));
	}
	place_refs(planner, &domain->refs);
}

void planner_domain_answers(struct planner *planner)
{
	struct mx_answer answer;
	u64 cookie;

	if (!planner->answers)
		return;
	planner->answers = false;
	while (mx_next_answer(planner->resolver, &cookie, &answer))
		on_answer(planner, (struct domain *)(uintptr_t)cookie, &answer);
}

void planner_domains_free(struct planner *planner)
{
	while (!list_is_empty(&planner->all_domains)) {
		struct domain *domain = list_entry(planner->all_domains.next, struct domain, all);
		struct list *node;

		while ((node = list_pop_front(&domain->lanes)))
			free(list_entry(node, struct lane, node));
		free_domain(planner, domain);
	}
	map_done(&planner->domains);
}
