/*
 * dns/mx.h over the world's domains: many of them on a few sites; answers take their time, fail now and
 * then or lack a host, and what a domain lists changes: to another site, to other hosts of the same one,
 * to another order of preference.
 */
#include "sim.h"

#include "base/text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PENDING_MAX 64

struct pending {
	bool used;
	u64 at_ns;
	u64 cookie;
	u32 domain;
};

struct mx_resolver {
	struct random random;
	struct pending pending[PENDING_MAX];
};

static struct mx_resolver *only;

struct mx_resolver *mx_resolver_open(const struct mx_params *params, struct error *error)
{
	(void)error;
	only = calloc(1, sizeof(*only));
	random_seed(&only->random, params->seed);
	return only;
}

void mx_resolver_close(struct mx_resolver *resolver)
{
	free(resolver);
	only = NULL;
}

int mx_resolver_fd(const struct mx_resolver *resolver)
{
	(void)resolver;
	return -1;
}

void mx_resolver_process(struct mx_resolver *resolver)
{
	(void)resolver;
}

bool mx_lookup(struct mx_resolver *resolver, struct slice domain, u64 cookie)
{
	struct slice number = slice_from(domain, 1);

	sim_step();
	number = slice_split(&number, '.');
	for (u32 i = 0; i < PENDING_MAX; i++) {
		struct pending *p = &resolver->pending[i];

		if (p->used)
			continue;
		if (sim_chance(2))
			return false;
		*p = (struct pending){ .used = true, .cookie = cookie };
		p->at_ns = world->mono_ns + (1 + sim_below(sim_chance(5) ? 30000 : 300)) * NS_PER_MS;
		if (!slice_to_u32(number, &p->domain))
			p->domain = 0;
		return true;
	}
	return false;
}

bool mx_lookup_addresses(struct mx_resolver *resolver, struct slice host, u64 cookie)
{
	return mx_lookup(resolver, host, cookie);
}

u64 resolver_sim_next(void)
{
	u64 next = UINT64_MAX;

	for (u32 i = 0; only && i < PENDING_MAX; i++) {
		if (only->pending[i].used)
			next = min_u64(next, only->pending[i].at_ns);
	}
	return next;
}

bool resolver_sim_is_ready(void)
{
	return resolver_sim_next() <= world->mono_ns;
}

u8 resolver_sim_hosts(u32 site)
{
	const u32 all = (1u << world->host_count[site]) - 1;
	const u32 some = (u32)sim_below(all + 1);

	/* Mostly all: domains of one provider list the same. */
	return (u8)(sim_below(4) == 0 && some ? some : all);
}

void resolver_sim_forget(void)
{
	for (u32 i = 0; i < SIM_DOMAINS; i++)
		world->domains[i].told = false;
}

static void add_host(struct mx_answer *answer, const struct sim_domain *domain, u32 host)
{
	struct mx_host *to = &answer->hosts[answer->host_count++];

	snprintf(to->name, sizeof(to->name), "h%u.s%u.example", host, domain->site);
	to->preference = (u16)(host / 2 * 10);
	to->address_first = (u8)answer->address_count;
	to->address_count = 1;
	answer->addresses[answer->address_count++] = (struct net_address){
		.family = 4, .port = 25, .ip = { 203, 0, domain->site, (u8)host }
	};
}

static void add_hosts(struct mx_answer *answer, const struct sim_domain *domain, u32 hosts)
{
	for (u32 i = 0; i < SIM_HOSTS; i++) {
		const u32 host = domain->turned ? SIM_HOSTS - 1 - i : i;

		if (!(hosts >> host & 1))
			continue;
		add_host(answer, domain, host);
		if (domain->turned)
			answer->hosts[answer->host_count - 1].preference =
				(u16)(20 - host / 2 * 10);
	}
}

/*
 * Now and then a domain publishes something for its hosts by DANE, or no more: its rows go to a route
 * of their own then, though nothing is demanded where TLS is never used.
 */
static void publish(struct mx_answer *answer)
{
	answer->secure = sim_chance(20);
	for (u32 i = 0; answer->secure && i < answer->host_count; i++)
		answer->hosts[i].dane = sim_below(2) ? DANE_UNUSABLE : DANE_FAILED;
}

static void change(struct sim_domain *domain)
{
	if (sim_chance(4)) {
		domain->site = (u8)sim_below(SIM_SITES);
		domain->hosts = resolver_sim_hosts(domain->site);
	} else if (sim_chance(4)) {
		domain->hosts = resolver_sim_hosts(domain->site);
	} else if (sim_chance(2)) {
		domain->turned = !domain->turned;
	}
}

/* What must follow from the answer, for check.c. */
static void note(struct sim_domain *domain, const struct mx_answer *answer, u32 hosts)
{
	domain->told_until_ns = world->mono_ns + answer->ttl_s * NS_PER_S;
	if (answer->status == MX_TEMPORARY || answer->status == MX_BOGUS) {
		/* Backing off may take 15 minutes, and some more by chance. */
		domain->told_until_ns = world->mono_ns + 18 * 60 * NS_PER_S;
		return;
	}
	domain->told = answer->status == MX_OK;
	domain->told_incomplete = answer->incomplete;
	domain->told_turned = domain->turned;
	domain->told_site = domain->site;
	domain->told_hosts = (u8)hosts;
}

static void fill(struct mx_resolver *resolver, struct mx_answer *answer, struct sim_domain *domain)
{
	static const enum mx_status kinds[] = { MX_OK, MX_NO_DOMAIN, MX_NULL };
	u32 hosts;

	memset(answer, 0, sizeof(*answer));
	answer->ttl_s = 30 + (u32)sim_below(300);
	answer->status = kinds[domain->kind];
	if (sim_chance(10))
		answer->status = sim_below(4) ? MX_TEMPORARY : MX_BOGUS;
	change(domain);
	if (sim_chance(2))
		answer->status = MX_NO_DOMAIN;
	snprintf(answer->text, sizeof(answer->text), "simulated answer %d", answer->status);
	hosts = domain->hosts;
	if (answer->status == MX_OK && sim_chance(5) && (hosts & (hosts - 1))) {
		hosts &= hosts - 1;
		answer->incomplete = true;
	}
	if (answer->status == MX_OK) {
		add_hosts(answer, domain, hosts);
		publish(answer);
		mx_shuffle(answer, &resolver->random);
	}
	note(domain, answer, hosts);
}

bool mx_next_answer(struct mx_resolver *resolver, u64 *cookie, struct mx_answer *answer)
{
	for (u32 i = 0; i < PENDING_MAX; i++) {
		struct pending *p = &resolver->pending[i];

		if (!p->used || p->at_ns > world->mono_ns)
			continue;
		p->used = false;
		*cookie = p->cookie;
		fill(resolver, answer, &world->domains[p->domain % SIM_DOMAINS]);
		sim_trace("dns", p->domain, answer->status);
		return true;
	}
	return false;
}
