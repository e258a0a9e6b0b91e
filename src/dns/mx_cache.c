#include "dns/mx_parts.h"

#include "base/check.h"
#include "base/clock.h"
#include "base/text.h"

#include <stdlib.h>
#include <string.h>

struct mx_entry {
	struct mx_entry *next; /* in its bucket */
	struct list by_use;
	u32 references;
	u32 bucket;
	u64 expires_ns;
	size_t size; /* of the whole allocation */
	enum mx_status status;
	bool secure;
	bool implicit;
	bool incomplete;
	u8 host_count;
	u8 address_count;
	u8 sts_address_count;
	u16 tlsa_used;
	/*
	 * name, text (both with NUL), hosts (struct packed_host, name and TLSA base with NUL),
	 * addresses, TLSA records, announced id (with NUL), addresses of the policy's host, where
	 * reports go (with NUL)
	 */
	char bytes[];
};

struct packed_host {
	u16 preference;
	u8 address_first;
	u8 address_count;
	bool secure;
	u8 dane;
	u16 tlsa_first;
	u16 tlsa_len;
};

static size_t packed_size(const char *name, const struct mx_answer *answer)
{
	size_t size = offsetof(struct mx_entry, bytes);

	size += strlen(name) + 1 + strlen(answer->text) + 1;
	for (u32 i = 0; i < answer->host_count; i++)
		size += sizeof(struct packed_host) + strlen(answer->hosts[i].name) + 1 +
			strlen(answer->hosts[i].tlsa_base) + 1;
	size += strlen(answer->sts_id) + 1 +
		answer->sts_address_count * sizeof(answer->sts_addresses[0]);
	size += strlen(answer->reports_to) + 1;
	return size + answer->tlsa_used + answer->address_count * sizeof(struct net_address);
}

static char *add(char *to, const void *bytes, size_t len)
{
	memcpy(to, bytes, len);
	return to + len;
}

static char *add_text(char *to, const char *text)
{
	return add(to, text, strlen(text) + 1);
}

struct mx_entry *mx_entry_pack(const char *name, const struct mx_answer *answer, u64 expires_ns)
{
	size_t size = packed_size(name, answer);
	/* The shortest ones end within the padding of the struct. */
	struct mx_entry *entry = malloc(max_u64(size, sizeof(*entry)));
	char *to;

	if (!entry)
		return NULL;
	*entry = (struct mx_entry){
		.references = 1,
		.expires_ns = expires_ns,
		.size = size,
		.status = answer->status,
		.secure = answer->secure,
		.implicit = answer->implicit,
		.incomplete = answer->incomplete,
		.host_count = (u8)answer->host_count,
		.address_count = (u8)answer->address_count,
		.tlsa_used = answer->tlsa_used,
		.sts_address_count = answer->sts_address_count,
	};
	list_init(&entry->by_use);
	to = add_text(entry->bytes, name);
	to = add_text(to, answer->text);
	for (u32 i = 0; i < answer->host_count; i++) {
		const struct mx_host *host = &answer->hosts[i];
		struct packed_host packed = { host->preference,	   host->address_first,
					      host->address_count, host->secure,
					      host->dane,	   host->tlsa_first,
					      host->tlsa_len };

		to = add(to, &packed, sizeof(packed));
		to = add_text(to, host->name);
		to = add_text(to, host->tlsa_base);
	}
	to = add(to, answer->addresses, answer->address_count * sizeof(answer->addresses[0]));
	to = add(to, answer->tlsa, answer->tlsa_used);
	to = add_text(to, answer->sts_id);
	to = add(to, answer->sts_addresses,
		 answer->sts_address_count * sizeof(answer->sts_addresses[0]));
	to = add_text(to, answer->reports_to);
	ASSERT(to == (char *)entry + size);
	return entry;
}

static const char *take(void *to, const char *from, size_t len)
{
	memcpy(to, from, len);
	return from + len;
}

void mx_entry_unpack(const struct mx_entry *entry, struct mx_answer *answer, u64 now_ns)
{
	const char *from = entry->bytes + strlen(entry->bytes) + 1;
	u64 left_ns = entry->expires_ns > now_ns ? entry->expires_ns - now_ns : 1;
	/* Upwards: who asks again when it is over must not be given the same once more. */
	u64 left_s = (left_ns + NS_PER_S - 1) / NS_PER_S;

	*answer = (struct mx_answer){
		.status = entry->status,
		.secure = entry->secure,
		.implicit = entry->implicit,
		.incomplete = entry->incomplete,
		.ttl_s = (u32)min_u64(left_s, MX_TTL_MAX_S),
		.host_count = entry->host_count,
		.address_count = entry->address_count,
		.tlsa_used = entry->tlsa_used,
		.sts_address_count = entry->sts_address_count,
	};
	from = take(answer->text, from, strlen(from) + 1);
	for (u32 i = 0; i < answer->host_count; i++) {
		struct mx_host *host = &answer->hosts[i];
		struct packed_host packed;

		from = take(&packed, from, sizeof(packed));
		from = take(host->name, from, strlen(from) + 1);
		from = take(host->tlsa_base, from, strlen(from) + 1);
		host->preference = packed.preference;
		host->address_first = packed.address_first;
		host->address_count = packed.address_count;
		host->secure = packed.secure;
		host->dane = packed.dane;
		host->tlsa_first = packed.tlsa_first;
		host->tlsa_len = packed.tlsa_len;
	}
	from = take(answer->addresses, from, answer->address_count * sizeof(answer->addresses[0]));
	from = take(answer->tlsa, from, answer->tlsa_used);
	from = take(answer->sts_id, from, strlen(from) + 1);
	from = take(answer->sts_addresses, from,
		    answer->sts_address_count * sizeof(answer->sts_addresses[0]));
	take(answer->reports_to, from, strlen(from) + 1);
}

struct mx_entry *mx_entry_hold(struct mx_entry *entry)
{
	entry->references++;
	return entry;
}

void mx_entry_drop(struct mx_entry *entry)
{
	if (entry && --entry->references == 0)
		free(entry);
}

bool mx_cache_init(struct mx_cache *cache, u64 seed, u32 count_max, size_t bytes_max)
{
	*cache = (struct mx_cache){ .seed = seed, .count_max = count_max, .bytes_max = bytes_max };
	list_init(&cache->by_use);
	cache->buckets = calloc(MX_CACHE_BUCKETS, sizeof(struct mx_entry *));
	return cache->buckets != NULL;
}

/* FNV-1a from a secret start, and a last mix because the low bits choose the bucket. */
static u32 bucket_of(const struct mx_cache *cache, const char *name)
{
	u64 hash = cache->seed ^ 0xcbf29ce484222325ull;

	for (; *name; name++)
		hash = (hash ^ (u8)*name) * 0x100000001b3ull;
	hash ^= hash >> 32;
	hash *= 0x9e3779b97f4a7c15ull;
	return (u32)(hash >> 32) % MX_CACHE_BUCKETS;
}

static void remove_entry(struct mx_cache *cache, struct mx_entry *entry)
{
	struct mx_entry **link = &cache->buckets[entry->bucket];

	while (*link != entry)
		link = &(*link)->next;
	*link = entry->next;
	list_unlink(&entry->by_use);
	cache->count--;
	cache->bytes -= entry->size;
	mx_entry_drop(entry);
}

void mx_cache_done(struct mx_cache *cache)
{
	while (cache->count > 0)
		remove_entry(cache, list_entry(cache->by_use.next, struct mx_entry, by_use));
	free(cache->buckets);
	cache->buckets = NULL;
}

struct mx_entry *mx_cache_find(struct mx_cache *cache, const char *name, u64 now_ns)
{
	struct mx_entry *entry = cache->buckets[bucket_of(cache, name)];

	while (entry && strcmp(entry->bytes, name) != 0)
		entry = entry->next;
	if (!entry)
		return NULL;
	if (entry->expires_ns <= now_ns) {
		remove_entry(cache, entry);
		return NULL;
	}
	list_unlink(&entry->by_use);
	list_push_back(&cache->by_use, &entry->by_use);
	return entry;
}

void mx_cache_put(struct mx_cache *cache, struct mx_entry *entry)
{
	struct mx_entry *old = mx_cache_find(cache, entry->bytes, 0);

	ASSERT(!list_is_linked(&entry->by_use));
	if (old)
		remove_entry(cache, old);
	while (cache->count > 0 &&
	       (cache->count >= cache->count_max || cache->bytes + entry->size > cache->bytes_max))
		remove_entry(cache, list_entry(cache->by_use.next, struct mx_entry, by_use));
	entry->bucket = bucket_of(cache, entry->bytes);
	entry->next = cache->buckets[entry->bucket];
	cache->buckets[entry->bucket] = entry;
	list_push_back(&cache->by_use, &entry->by_use);
	cache->count++;
	cache->bytes += entry->size;
	mx_entry_hold(entry);
}
