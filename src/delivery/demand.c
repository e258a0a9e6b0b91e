#include "delivery/demand.h"

#include "base/check.h"
#include "base/crypto.h"
#include "base/text.h"

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static enum demand_level level_by_sts(const struct sts_policy *policy, const char *name)
{
	bool allowed = sts_policy_allows(policy, name);

	if (policy->mode == STS_ENFORCE)
		return allowed ? DEMAND_PKIX : DEMAND_OTHER;
	return allowed ? DEMAND_WISH : DEMAND_WISH_OTHER;
}

/* DANE comes first: a policy neither mends nor replaces what is proven by it (RFC 8461, 2). */
static enum demand_level level_of(const struct mx_host *host, const struct sts_policy *policy)
{
	switch (host->dane) {
	case DANE_USABLE:
		return DEMAND_DANE;
	case DANE_FAILED:
		return DEMAND_AWAY;
	case DANE_UNUSABLE:
		/* Proves nothing: a policy that is enforced says more. */
		return policy && policy->mode == STS_ENFORCE ? level_by_sts(policy, host->name) :
							       DEMAND_TLS;
	default:
		return policy && policy->mode != STS_NONE ? level_by_sts(policy, host->name) :
							    DEMAND_NOTHING;
	}
}

/* Name servers turn the records of an answer round: here they have one order. */
static void copy_records(char *to, struct slice packed)
{
	struct slice records[DANE_RECORDS_MAX];
	struct dane_record record;
	u32 count = 0;

	while (count < DANE_RECORDS_MAX) {
		struct slice rest = packed;

		if (!dane_record_next(&rest, &record))
			break;
		records[count++] = slice_first(packed, packed.len - rest.len);
		packed = rest;
	}
	qsort(records, count, sizeof(records[0]), slice_order);
	for (u32 i = 0; i < count; i++) {
		memcpy(to, records[i].ptr, records[i].len);
		to += records[i].len;
	}
}

static char *copy_text(char *to, const char *text, const char **at)
{
	size_t size = strlen(text) + 1;

	*at = memcpy(to, text, size);
	return to + size;
}

/* What nobody can aim at another demand: these are published by strangers. */
static u64 identify(const void *bytes, size_t len, struct sha256 *hash)
{
	u8 digest[SHA256_SIZE];
	u64 id = 0;

	sha256_add(hash, bytes, len);
	sha256_finish(hash, digest);
	memcpy(&id, digest, sizeof(id));
	return id;
}

static u64 identify_host(const struct demand_host *host)
{
	struct sha256 hash;

	sha256_init(&hash);
	sha256_add(&hash, &host->level, sizeof(host->level));
	sha256_add(&hash, host->name, strlen(host->name) + 1);
	sha256_add(&hash, host->base, strlen(host->base) + 1);
	return identify(host->tlsa.ptr, host->tlsa.len, &hash);
}

static int compare_ids(const void *a, const void *b)
{
	const u64 *x = a;
	const u64 *y = b;

	return *x < *y ? -1 : *x > *y;
}

/* Hosts of equal preference come in another order each time. */
static void identify_all(struct demand *demand)
{
	struct sha256 hash;
	u64 ids[MX_HOSTS_MAX];

	for (u32 i = 0; i < demand->host_count; i++)
		ids[i] = demand->hosts[i].id;
	qsort(ids, demand->host_count, sizeof(ids[0]), compare_ids);
	sha256_init(&hash);
	snprintf(demand->id, sizeof(demand->id), "%016llx",
		 (unsigned long long)identify(ids, demand->host_count * sizeof(ids[0]), &hash));
}

static size_t size_of(const struct mx_answer *answer)
{
	size_t size = sizeof(struct demand) + answer->tlsa_used;

	for (u32 i = 0; i < answer->host_count; i++)
		size += strlen(answer->hosts[i].name) + 1 + strlen(answer->hosts[i].tlsa_base) + 1;
	return size;
}

static char *add_host(struct demand *demand, char *to, const struct mx_answer *answer,
		      const struct mx_host *host, enum demand_level level)
{
	struct demand_host *one = &demand->hosts[demand->host_count++];

	one->level = (u8)level;
	to = copy_text(to, host->name, &one->name);
	one->base = one->name;
	if (host->tlsa_base[0] != '\0')
		to = copy_text(to, host->tlsa_base, &one->base);
	one->tlsa = (struct slice){ to, host->tlsa_len };
	copy_records(to, (struct slice){ (const char *)answer->tlsa + host->tlsa_first,
					 host->tlsa_len });
	one->id = identify_host(one);
	return to + host->tlsa_len;
}

bool demand_make(struct demand **demand, const struct mx_answer *answer,
		 const struct sts_policy *policy)
{
	bool any = false;
	char *to;

	*demand = NULL;
	for (u32 i = 0; i < answer->host_count; i++)
		any |= level_of(&answer->hosts[i], policy) != DEMAND_NOTHING;
	if (!any)
		return true;
	*demand = calloc(1, size_of(answer));
	if (!*demand)
		return false;
	atomic_store(&(*demand)->references, 1);
	to = (*demand)->bytes;
	for (u32 i = 0; i < answer->host_count; i++)
		to = add_host(*demand, to, answer, &answer->hosts[i],
			      level_of(&answer->hosts[i], policy));
	identify_all(*demand);
	return true;
}

struct demand *demand_take(struct demand *demand)
{
	if (demand)
		atomic_fetch_add_explicit(&demand->references, 1, memory_order_relaxed);
	return demand;
}

void demand_give(struct demand *demand)
{
	u32 before;

	if (!demand)
		return;
	before = atomic_fetch_sub_explicit(&demand->references, 1, memory_order_acq_rel);
	ASSERT(before > 0);
	if (before == 1)
		free(demand);
}

bool demand_same(const struct demand *a, const struct demand *b)
{
	if (!a || !b)
		return a == b;
	return strcmp(a->id, b->id) == 0;
}

const struct demand_host *demand_of(const struct demand *demand, const char *host)
{
	for (u32 i = 0; demand && i < demand->host_count; i++) {
		if (strcmp(demand->hosts[i].name, host) == 0)
			return &demand->hosts[i];
	}
	return NULL;
}
