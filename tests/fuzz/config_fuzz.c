/* The configuration reader, fed any bytes; what it accepts must hold what its header says. */
#include "base/check.h"
#include "base/config.h"
#include "base/text.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const u8 *data, size_t size);

static void check_customer(const struct config *config, const struct config_customer *customer)
{
	ASSERT(config_customer_of(config, slice_of(customer->domain)) == customer);
	ASSERT(customer->address_count >= 1 && customer->address_count <= CONFIG_ADDRESSES_MAX);
	ASSERT(customer->dkim_count <= CONFIG_DKIM_MAX);
	ASSERT(customer->sign == (customer->dkim_count > 0));
	ASSERT(strlen(customer->bounce) >= 1 && strlen(customer->bounce) <= 24);
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	struct config config;
	struct error error = { "" };

	if (!config_parse(&config, (struct slice){ (const char *)data, size }, "fuzz.conf",
			  &error)) {
		ASSERT(strncmp(error.text, "fuzz.conf:", 10) == 0);
		return 0;
	}
	ASSERT(config.data[0] == '/' && config.control[0] == '/' && config.workers <= 256);
	ASSERT(config.retry.schedule.count >= 1 && config.retry.schedule.count <= CONFIG_LIST_MAX);
	ASSERT(config.customer_count >= 1 && config.site_count >= 1);
	for (size_t i = 0; i < config.customer_count; i++)
		check_customer(&config, &config.customers[i]);
	for (size_t i = 0; i < config.site_count; i++)
		ASSERT(config.sites[i].sessions >= 1 && (config.sites[i].mx.count > 0) == (i > 0));
	for (size_t i = 0; i < config.route_count; i++)
		ASSERT(config.routes[i].relay != NULL);
	config_free(&config);
	return 0;
}
