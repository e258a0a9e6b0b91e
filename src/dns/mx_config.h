/* The options of a resolver (mx.h) as the configuration's section dns has them. */
#ifndef DNS_MX_CONFIG_H
#define DNS_MX_CONFIG_H

#include "base/config.h"
#include "dns/mx.h"

/*
 * What the section says; the rest of `params` stays as it is. The section and `allowed`, where the
 * ranges go, must live as long as `params`.
 */
void mx_params_take(struct mx_params *params, const struct config_dns *dns,
		    struct net_range allowed[CONFIG_LIST_MAX]);

#endif
