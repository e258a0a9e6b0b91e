/* Addresses, ranges, domains and MX rdata from any bytes; what is read must survive writing. */
#include "base/check.h"
#include "base/text.h"
#include "dns/mx_parts.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const u8 *data, size_t size);

static void check_address(struct slice text, bool with_port)
{
	char out[NET_ADDRESS_TEXT_SIZE];
	struct net_address address;
	struct net_address again;

	if (!net_address_parse(&address, text, with_port))
		return;
	ASSERT(address.family == 4 || address.family == 6);
	ASSERT(with_port || address.port == 0);
	net_address_format(out, &address, address.port > 0);
	ASSERT(strlen(out) < sizeof(out));
	ASSERT(net_address_parse(&again, slice_of(out), address.port > 0));
	ASSERT(net_address_equal(&address, &again) && net_address_same_host(&address, &again));
	ASSERT(net_address_is_special(&address) == net_address_is_special(&again));
}

static void check_range(struct slice text)
{
	struct net_range range;

	if (!net_range_parse(&range, text))
		return;
	ASSERT(range.bits <= (range.base.family == 6 ? 128 : 32));
	ASSERT(net_range_has(&range, &range.base));
}

static void check_domain(struct slice text)
{
	char once[256];
	char twice[256];

	if (!mx_domain_normalise(once, text))
		return;
	ASSERT(mx_domain_normalise(twice, slice_of(once)) && strcmp(once, twice) == 0);
	ASSERT(mx_name_kind(once) == MX_NAME_HOST || mx_name_kind(once) == MX_NAME_LOCAL);
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	struct slice text = { (const char *)data, size };
	struct mx_record record;

	check_address(text, false);
	check_address(text, true);
	check_range(text);
	check_domain(text);
	if (mx_record_read(&record, data, size)) {
		ASSERT(strlen(record.name) <= 253);
		(void)mx_name_kind(record.name);
	}
	return 0;
}
