/*
 * Recipient domains: from a name to the site that takes its mail, by a configured relay or by DNS.
 * Lanes and rows whose domain is not known yet wait here.
 */
#include "delivery/planner_letter.h"
#include "delivery/planner_parts.h"
#include "delivery/planner_tls.h"

#include "base/check.h"
#include "base/log.h"
#include "base/text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LATE_NS (60 * NS_PER_S)          /* an answer's time is over so long: not used unasked */
#define STALE_NS (24 * 3600 * NS_PER_S)  /* RFC 8767 section 5: one to three days */
#define REFUSED_NS (100 * NS_PER_MS)     /* the resolver takes no more: asked again after this */

static void on_domain_timer(struct timer *timer);

/* ---- making and forgetting ---- */

static void set_where(struct planner *planner, struct domain *domain, struct site *where)
{
	struct site *old = domain->where;

	if (where)
		planner_site_hold(where);
	domain->where = where;
	if (old)
		planner_site_drop(planner, old);
}

static bool is_being_asked(const struct domain *domain)
{
	return domain->asking || list_is_linked(&domain->to_ask);
}

static bool is_idle(const struct domain *domain)
{
	return list_is_empty(&domain->lanes) && domain->refs.count == 0 && domain->routed == 0 &&
	       !is_being_asked(domain);
}

static void free_domain(struct planner *planner, struct domain *domain)
{
	timer_stop(&planner->wheel, &domain->timer);
	set_where(planner, domain, NULL);
	list_unlink(&domain->all);
	map_remove(&planner->domains, slice_of(domain->name));
	ref_queue_done(&domain->refs);
	demand_give(domain->demand);
	mx_entry_drop(domain->held);
	free(domain->tls);
	free(domain);
}

/* Forgets domains that nothing points to, oldest first; a few per call, so that no call is long. */
static void forget_some(struct planner *planner)
{
	for (u32 i = 0; i < 4 && planner->domains.count >= DOMAINS_MAX; i++) {
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

static struct domain *make_domain(struct planner *planner, struct slice name)
{
	struct domain *domain = calloc(1, sizeof(*domain) + name.len + 1);

	if (!domain)
		return NULL;
	list_init(&domain->to_ask);
	list_init(&domain->lanes);
	list_init(&domain->waiting);
	timer_init(&domain->timer, on_domain_timer);
	domain->planner = planner;
	memcpy(domain->name, name.ptr, name.len);
	if (!map_add(&planner->domains, (struct slice){ domain->name, name.len }, domain)) {
		free(domain);
		return NULL;
	}
	list_push_back(&planner->all_domains, &domain->all);
	return domain;
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
	domain = make_domain(planner, name);
	relay = domain ? config_route_of(planner->config, name) : NULL;
	if (relay) {
		set_where(planner, domain, planner_site_of_relay(planner, relay->relay));
		domain->state = DOMAIN_READY;
		domain->fresh_until_ns = UINT64_MAX;
	}
	return domain;
}

/* ---- asking ---- */

static void set_timer(struct domain *domain, u64 at_ns)
{
	if (domain->fresh_until_ns != UINT64_MAX)
		timer_start(&domain->planner->wheel, &domain->timer, at_ns);
}

/*
 * An answer whose time is over is used while it is asked anew, unless it is that old that nobody
 * has wanted it for a while: then what wants it waits.
 */
void planner_domain_wait(struct planner *planner, struct domain *domain)
{
	u64 fresh_until_ns = domain->fresh_until_ns;

	if (is_being_asked(domain))
		return;
	if (domain->state != DOMAIN_NEW) {
		if (planner->now_ns < fresh_until_ns)
			return;
		if (domain->state != DOMAIN_READY || planner->now_ns - fresh_until_ns > LATE_NS)
			domain->state = DOMAIN_NEW;
	}
	list_push_back(&planner->to_ask, &domain->to_ask);
}

void planner_domain_ask(struct planner *planner)
{
	struct list *node;

	while (planner->now_ns >= planner->next_ask_ns &&
	       (node = list_pop_front(&planner->to_ask))) {
		struct domain *domain = list_entry(node, struct domain, to_ask);

		if (!mx_lookup(planner->resolver, slice_of(domain->name), (u64)(uintptr_t)domain)) {
			list_push_front(&planner->to_ask, node);
			planner->next_ask_ns = planner->now_ns + REFUSED_NS;
			return;
		}
		metric_add(&planner->m->dns_lookups, 1);
		domain->asking = true;
		if (domain->state == DOMAIN_NEW)
			domain->state = DOMAIN_ASKING;
	}
}

static bool is_wanted(const struct domain *domain)
{
	if (domain->refs.count > 0 || domain->routed > 0)
		return true;
	list_for_each(node, &domain->lanes) {
		if (planner_lane_is_live(list_entry(node, struct lane, of_domain)))
			return true;
	}
	return false;
}

/*
 * The answer's time is over. Who still wants it gets a new one; else nobody is asked. A site that
 * was found is remembered for as long as it would stand in for a failing DNS.
 */
static void on_domain_timer(struct timer *timer)
{
	struct domain *domain = container_of(timer, struct domain, timer);
	struct planner *planner = domain->planner;

	if (is_being_asked(domain))
		return;
	if (is_wanted(domain)) {
		planner_domain_wait(planner, domain);
		planner->must_work = true;
	} else if (!list_is_empty(&domain->lanes)) {
		return; /* when they want it, or leave, this goes on */
	} else if (domain->state == DOMAIN_READY && planner->now_ns < domain->stale_until_ns) {
		set_timer(domain, domain->stale_until_ns);
	} else {
		free_domain(planner, domain);
	}
}

void planner_domain_left(struct planner *planner, struct domain *domain)
{
	if (is_idle(domain) && !timer_is_running(&domain->timer))
		set_timer(domain, planner->now_ns);
}

/* ---- rows ---- */

static void place_at(struct planner *planner, struct planner_campaign *campaign,
		     const struct queue_row *row, struct domain *domain)
{
	const enum line_kind line = planner_line_of(campaign);
	struct planner_route *route;

	planner_domain_wait(planner, domain);
	switch ((enum domain_state)domain->state) {
	case DOMAIN_READY:
		route = planner_route(planner, domain, campaign->customer,
				      planner_warmup_source(planner, campaign, domain,
							    row->ref.id.domain, true),
				      planner_letter_is_report(planner, campaign,
							       row->ref.id.domain));
		if (!route)
			CRASH("out of memory for a route");
		if (planner_line_is_full(&route->lines[line], row->ref.id.campaign) &&
		    row->ref.place == ROW_DEFERRED) {
			planner_postpone_row(planner, row);
			break;
		}
		planner_row_join(planner, route, line, &row->ref, domain);
		planner_route_check(planner, route);
		break;
	case DOMAIN_WAIT:
		planner_defer_row(planner, campaign, row, SMTP_CLASS_DNS, 0,
				  slice_of(domain->text));
		break;
	case DOMAIN_DEAD:
		planner_settle_row(planner, campaign, row, OUTCOME_FAILED, domain->code,
				   domain->enhanced, slice_of(domain->text));
		break;
	default:
		planner_row_wait(planner, &domain->refs, &row->ref);
	}
}

void planner_row_place(struct planner *planner, struct planner_campaign *campaign,
		       const struct queue_row *row)
{
	struct domain *domain;

	if (planner_campaign_fate(campaign) != OUTCOME_RETURN) {
		planner_meet_fate(planner, campaign, row);
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

/* False: the store failed; the next transaction places it, wherever it waited and for what. */
static bool place_ref(struct planner *planner, const struct row_ref *ref)
{
	struct planner_campaign *campaign = planner_campaign(planner, ref->id.campaign);
	struct queue_row row;
	enum store_result result = queue_row_get(planner->queue, ref, &row);

	if (result == STORE_NOT_FOUND || !campaign)
		return true;
	if (planner_store_ok(planner, result)) {
		planner_row_place(planner, campaign, &row);
		return true;
	}
	planner_row_wait(planner, &planner->again, ref);
	return false;
}

/* Of the rows that wait to be placed anew, as many as a turn may place. */
void planner_place_again(struct planner *planner)
{
	/* What is placed may come to wait there again itself. */
	u32 left = min_u32(planner->again.count, planner_limit(planner, TURN_PLACED_MAX));
	struct row_ref ref;

	while (left-- > 0 && planner_row_waited(planner, &planner->again, &ref)) {
		if (!place_ref(planner, &ref))
			return;
	}
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

/* When a new answer is to be had; see dns/mx.h of the second more. */
static u64 over_at(const struct planner *planner, const struct mx_answer *answer)
{
	return planner->now_ns + (answer->ttl_s + 1ull) * NS_PER_S;
}

static void set_demand(struct planner *planner, struct domain *domain,
		       const struct mx_answer *answer)
{
	struct sts_policy policy;
	bool has_policy = planner_sts_policy(planner, domain->name, &policy);
	struct demand *demand;

	if (!demand_make(&demand, answer, has_policy ? &policy : NULL))
		CRASH("out of memory for what is demanded of a site");
	if (demand_same(demand, domain->demand)) {
		demand_give(demand);
	} else {
		demand_give(domain->demand);
		domain->demand = demand;
	}
	planner_tls_answered(planner, domain, answer, has_policy ? &policy : NULL);
}

/* An answer that says where, with what an incomplete one lacks and is known. */
static void found(struct planner *planner, struct domain *domain, struct mx_answer *answer)
{
	bool filled = answer->incomplete && domain->where &&
		      planner->now_ns < domain->stale_until_ns &&
		      planner_site_fill(domain->where, answer);

	set_where(planner, domain, planner_site_of_answer(planner, answer));
	set_demand(planner, domain, answer);
	domain->state = DOMAIN_READY;
	domain->failures = 0;
	domain->fresh_until_ns = over_at(planner, answer);
	if (!filled)
		domain->stale_until_ns = domain->fresh_until_ns + STALE_NS;
}

/*
 * No answer for now. A failure to refresh takes nothing away from a domain that is known, for as
 * long as what is known can be believed.
 */
static void not_found(struct planner *planner, struct domain *domain,
		      const struct mx_answer *answer)
{
	const bool bogus = answer->status == MX_BOGUS;
	u64 wait_ms = retry_route_wait_ms(++domain->failures, &planner->random);

	metric_add(&planner->m->dns_failures, 1);
	wait_ms = max_u64(wait_ms, MX_TTL_MIN_S * MS_PER_S);
	domain->fresh_until_ns = planner->now_ns + wait_ms * NS_PER_MS;
	if (domain->where && planner->now_ns < domain->stale_until_ns) {
		metric_add(&planner->m->dns_stale, 1);
		domain->state = DOMAIN_READY;
		return;
	}
	set_where(planner, domain, NULL);
	set_text(domain, 451, 4, bogus ? 7 : 4, bogus ? 5 : 3, answer->text);
	domain->state = DOMAIN_WAIT;
}

static void judge(struct planner *planner, struct domain *domain, struct mx_answer *answer)
{
	switch (answer->status) {
	case MX_OK:
		found(planner, domain, answer);
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
		not_found(planner, domain, answer);
		return;
	}
	domain->state = DOMAIN_DEAD;
	domain->failures = 0;
	domain->fresh_until_ns = over_at(planner, answer);
	set_where(planner, domain, NULL);
}

static void depart(struct planner *planner, struct planner_route *route, struct domain *domain)
{
	planner_rows_depart(planner, route, domain);
	planner_route_check(planner, route);
}

void planner_domain_answered(struct planner *planner, struct domain *domain,
			     struct mx_answer *answer)
{
	struct site *before = domain->where;
	struct demand *demanded = demand_take(domain->demand);

	if (before)
		planner_site_hold(before);
	domain->asking = false;
	judge(planner, domain, answer);
	set_timer(domain, domain->fresh_until_ns);
	if (before && (before != domain->where || demanded != domain->demand)) {
		list_for_each(node, &before->routes)
			depart(planner, list_entry(node, struct planner_route, of_site), domain);
	}
	list_for_each_safe(node, &domain->lanes)
		planner_lane_move(planner, list_entry(node, struct lane, of_domain));
	planner_rows_again(planner, &domain->refs);
	demand_give(demanded);
	if (before)
		planner_site_drop(planner, before);
}

void planner_domain_answers(struct planner *planner)
{
	struct mx_answer answer;
	u64 cookie;

	if (!planner->answers)
		return;
	planner->next_ask_ns = 0;
	/*
	 * What is known of policies cannot be read in a transaction that has failed: the next one
	 * goes on.
	 */
	while (planner->failed_by == STORE_OK) {
		struct domain *domain;

		if (!mx_next_answer(planner->resolver, &cookie, &answer)) {
			planner->answers = false;
			return;
		}
		if (cookie & PLANNER_COOKIE_REPORT) {
			planner_tls_addresses(planner, cookie, &answer);
			continue;
		}
		domain = (struct domain *)(uintptr_t)cookie;
		if (!planner_sts_ask(planner, domain, &answer))
			planner_domain_answered(planner, domain, &answer);
	}
}

void planner_domains_free(struct planner *planner)
{
	while (!list_is_empty(&planner->all_domains)) {
		struct domain *domain = list_entry(planner->all_domains.next, struct domain, all);

		planner_lanes_free(&domain->waiting);
		free_domain(planner, domain);
	}
	map_done(&planner->domains);
}
