/*
 * dns/mx.h over the world's domains: many of them on a few sites; answers take their time, fail now and
 * then, and a domain may move to another site.
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

static void add_host(struct mx_answer *answer, u32 site, u32 host)
{
	struct mx_host *to = &answer->hosts[answer->host_count++];

	snprintf(to->name, sizeof(to->name), "h%u.s%u.example", host, site);
	to->preference = (u16)(host / 2 * 10);
	to->address_first = (u8)answer->address_count;
	to->address_count = 1;
	answer->addresses[answer->address_count++] = (struct net_address){
		.family = 4, .port = 25, .ip = { 203, 0, (u8)site, (u8)host }
	};
}

static void fill(struct mx_resolver *resolver, struct mx_answer *answer, struct sim_domain *domain)
{
	static const enum mx_status kinds[] = { MX_OK, MX_NO_DOMAIN, MX_NULL };

	memset(answer, 0, sizeof(*answer));
	answer->ttl_s = 30 + (u32)sim_below(300);
	answer->status = kinds[domain->kind];
	if (sim_chance(10))
		answer->status = sim_below(4) ? MX_TEMPORARY : MX_BOGUS;
	if (sim_chance(4))
		domain->site = (u8)sim_below(SIM_SITES);
	if (sim_chance(1))
		answer->status = MX_NO_DOMAIN;
	snprintf(answer->text, sizeof(answer->text), "simulated answer %d", answer->status);
	if (answer->status != MX_OK)
		return;
	for (u32 h = 0; h < world->host_count[domain->site]; h++)
		add_host(answer, domain->site, h);
	mx_shuffle(answer, &resolver->random);
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
