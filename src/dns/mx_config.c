#include "dns/mx_config.h"

#include "base/text.h"

void mx_params_take(struct mx_params *params, const struct config_dns *dns,
		    struct net_range allowed[CONFIG_LIST_MAX])
{
	params->forwarders = dns->forwarders.items;
	params->forwarder_count = dns->forwarders.count;
	params->trust_anchor_file = dns->trust_anchor_file;
	params->root_hints_file = dns->root_hints;
	params->trust_anchors = dns->trust_anchors.items;
	params->trust_anchor_count = dns->trust_anchors.count;
	params->stub_zones = dns->stub_zones.items;
	params->stub_zone_count = dns->stub_zones.count;
	params->allowed = allowed;
	params->allowed_count = 0;
	params->ipv4 = dns->ipv4;
	params->ipv6 = dns->ipv6;
	for (size_t i = 0; i < dns->allow_destinations.count; i++) {
		/* The configuration has checked them. */
		if (net_range_parse(&allowed[params->allowed_count],
				    slice_of(dns->allow_destinations.items[i])))
			params->allowed_count++;
	}
}
