#include "base/config_pool.h"

#include "base/config_table.h"
#include "base/text.h"

#include <string.h>

static const char *const pool_names[] = { "bulk", "transactional" };

static void add_address(struct config_pool *pool, const struct config_customer *customer,
			size_t place)
{
	const char *ip = customer->addresses[place].ip;

	if (strcmp(ip, CONFIG_ANY_ADDRESS) == 0)
		pool->any = (u32)place + 1;
	else if (strchr(ip, ':'))
		pool->v6[pool->v6_count++] = (u8)place;
	else
		pool->v4[pool->v4_count++] = (u8)place;
}

/* Places of the customer's addresses as bits; 0: the address is none of them. */
static u64 place_of(const struct config_customer *customer, const char *ip)
{
	for (size_t i = 0; i < customer->address_count; i++) {
		if (strcmp(customer->addresses[i].ip, ip) == 0)
			return 1ull << i;
	}
	return 0;
}

static bool read_pool(struct config_file *file, struct config *config, struct cfg_t *at,
		      const struct config_customer *customer, u64 places[CONFIG_POOLS])
{
	struct config_pool_text text = { { NULL, 0 } };
	u32 kind = 0;

	while (kind < CONFIG_POOLS && strcmp(config_file_title(at), pool_names[kind]) != 0)
		kind++;
	if (kind == CONFIG_POOLS)
		return config_file_refuse(file, at, NULL,
					  "its title is neither bulk nor transactional");
	if (!config_file_fill(file, at, &config_section_pool, CONFIG_FILL_ALL, &text,
			      &config->arena))
		return false;
	for (size_t i = 0; i < text.addresses.count; i++) {
		const u64 place = place_of(customer, text.addresses.items[i]);

		if (!place)
			return config_file_refuse(file, at, "addresses",
						  "%s is no address of this customer",
						  text.addresses.items[i]);
		/* Another spelling of one that is there. */
		if (places[kind] & place)
			return config_file_refuse(file, at, "addresses", "%s is there twice",
						  text.addresses.items[i]);
		places[kind] |= place;
	}
	return true;
}

bool config_pools_read(struct config_file *file, struct config *config, struct cfg_t *at,
		       struct config_customer *customer)
{
	const u64 all = UINT64_MAX >> (64 - customer->address_count);
	u64 places[CONFIG_POOLS] = { 0 };
	u64 taken = 0;

	for (size_t i = 0; i < config_file_count(at, "pool"); i++) {
		if (!read_pool(file, config, config_file_at(at, "pool", i), customer, places))
			return false;
	}
	for (u32 kind = 0; kind < CONFIG_POOLS; kind++)
		taken |= places[kind];
	for (u32 kind = 0; kind < CONFIG_POOLS; kind++) {
		struct config_pool *pool = &customer->pools[kind];

		*pool = (struct config_pool){ .any = 0 };
		if (!places[kind])
			places[kind] = taken != all ? all & ~taken : all;
		for (size_t i = 0; i < customer->address_count; i++) {
			if (places[kind] >> i & 1)
				add_address(pool, customer, i);
		}
	}
	return true;
}

static const struct config_address *find_address(const struct config *config, const char *ip,
						 const struct config_customer **owner)
{
	for (size_t c = 0; c < config->customer_count; c++) {
		*owner = &config->customers[c];
		for (size_t i = 0; i < (*owner)->address_count; i++) {
			if (strcmp((*owner)->addresses[i].ip, ip) == 0)
				return &(*owner)->addresses[i];
		}
	}
	return NULL;
}

static bool has_limits(const struct config_address *address)
{
	return address->rate_per_s > 0 || address->per_minute > 0 || address->per_hour > 0 ||
	       address->per_day > 0 || address->warm_up;
}

static bool same_limits(const struct config_address *a, const struct config_address *b)
{
	return a->rate_per_s == b->rate_per_s && a->per_minute == b->per_minute &&
	       a->per_hour == b->per_hour && a->per_day == b->per_day &&
	       a->warm_up == b->warm_up && a->warm_up_day == b->warm_up_day;
}

bool config_sources_number(struct config_file *file, struct config *config, struct cfg_t *at,
			   struct config_address *addresses, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		struct config_address *own = &addresses[i];
		struct cfg_t *inner = config_file_at(at, "address", i);
		const struct config_customer *owner;
		const struct config_address *other;

		own->number = CONFIG_SOURCE_ANY;
		if (strcmp(own->ip, CONFIG_ANY_ADDRESS) == 0) {
			if (has_limits(own))
				return config_file_refuse(
					file, inner, NULL,
					"limits and warm-up need an address: nobody knows which"
					" one the kernel takes");
			continue;
		}
		other = find_address(config, own->ip, &owner);
		if (other && (!other->shared || !own->shared))
			return config_file_refuse(
				file, inner, NULL,
				"it is an address of customer \"%s\", and not both say that it is"
				" shared", owner->domain);
		if (other && !same_limits(own, other))
			return config_file_refuse(file, inner, NULL,
						  "customer \"%s\" says other limits of it",
						  owner->domain);
		own->number = other ? other->number : config->source_count++;
	}
	return true;
}
