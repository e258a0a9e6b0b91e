/*
 * Private to config*.c: which source addresses mail of a kind goes by, and that customers do not
 * use each other's.
 */
#ifndef BASE_CONFIG_POOL_H
#define BASE_CONFIG_POOL_H

#include "base/config.h"
#include "base/config_file.h"

/* A section "pool" as it stands in the file. */
struct config_pool_text {
	struct config_list addresses;
};

/*
 * customer->pools, from its sections "pool" and its addresses, which are read. A kind of mail
 * without a section goes by the addresses that are in none, or by all when every one is in some.
 */
bool config_pools_read(struct config_file *file, struct config *config, struct cfg_t *at,
		       struct config_customer *customer) MUST_CHECK;
/*
 * Numbers the addresses of one more customer, behind those of config->customers. False: one of
 * these has the same address, and not both say that it is shared, or they differ in its limits; or
 * CONFIG_ANY_ADDRESS has limits.
 */
bool config_sources_number(struct config_file *file, struct config *config, struct cfg_t *at,
			   struct config_address *addresses, size_t count) MUST_CHECK;

#endif
