/* The configuration reader, fed any bytes; what it accepts must hold what its header says. */
#include "base/check.h"
#include "base/config.h"
#include "base/text.h"

#include <string.h>

#define LINES_HEAD 0

static const struct slice known_lines[] = {
	SLICE("data = \"/data\"\n"),
	SLICE("control = \"/run/c\"\n"),
	SLICE("workers = 2\n"),
	SLICE("log = \"debug\"\n"),
	SLICE("metrics { listen = \"127.0.0.1:9641\" }\n"),
	SLICE("metrics { listen = \"[::1]:0\" }\n"),
	SLICE("dns { forwarders = {\"192.0.2.53\", \"2001:db8::53@5353\"} }\n"),
	SLICE("dns { stub-zones = {\"corp.example 192.0.2.53@5353\"} ipv6 = false }\n"),
	SLICE("dns { trust-anchors = {\"example. DS 1 8 2 00\"} }\n"),
	SLICE("dns { allow-destinations = {\"10.1.0.0/16\", \"fd00::/8\"} ipv4 = no }\n"),
	SLICE("queue { map-size-max = \"1M\" commit-interval = \"1s\" durability = \"relaxed\" }\n"),
	SLICE("queue { in-flight = 1 in-doubt-delay = \"7d\" log-keep = \"1h\" }\n"),
	SLICE("retry { schedule = {\"5m\", 60, \"1h\"} jitter = 100 expire = \"30d\" }\n"),
	SLICE("retry { class \"rate\" { schedule = {1m} } class dns { expire = 1d } }\n"),
	SLICE("customer \"example.jp\" {\n"),
	SLICE("address \"192.0.2.10\" { ehlo = \"mail.example.jp\" }\n"),
	SLICE("address \"any\" { ehlo = \"x\" }\n"),
	SLICE("address \"2001:db8::10\" { ehlo = \"m.example.jp\" }\n"),
	SLICE("dkim \"s1\" { key = \"/k\" }\n"),
	SLICE("sign = false\n"),
	SLICE("bounce = \"b\"\n"),
	SLICE("unsubscribe-url = \"https://example.jp/u/{{_token}}\"\n"),
	SLICE("unsubscribe-mailto = \"u-{{_token}}@example.jp\"\n"),
	SLICE("}\n"),
	SLICE("site \"default\" { sessions = 2 rate = 1.5 depth = 1 idle = \"10s\" }\n"),
	SLICE("site \"x\" { mx = {\"*.x.example\", \"mx.y\"} tls = \"required\" odd-dots = \"raw\" }\n"),
	SLICE("site \"y\" { mx = {\"y\"} connect-timeout = \"1s\" data-timeout = \"2h\" }\n"),
	SLICE("route \"*.example\" { relay = \"192.0.2.7:587\" }\n"),
	SLICE("route \"b\" { relay = \"[::1]:2525\" }\n"),
	SLICE("receive { hostname = \"mx.example.jp\" listen = {\"[::]:25\"} spool-free = 0 }\n"),
	SLICE("# a comment\n"),
	SLICE("/* one\n"),
	SLICE("*/\n"),
	SLICE("// one more\n"),
	SLICE("\"a\\\"b\\\\\"\n"),
	SLICE("{"),
	SLICE("}"),
	SLICE("\""),
	SLICE("="),
	SLICE("'"),
	SLICE("\\"),
	SLICE(" x.example"),
};

#include "line_mutator.h"

int LLVMFuzzerTestOneInput(const u8 *data, size_t size);

static void check_customer(const struct config *config, const struct config_customer *customer)
{
	ASSERT(config_customer_of(config, slice_of(customer->domain)) == customer);
	ASSERT(customer->address_count >= 1 && customer->address_count <= CONFIG_ADDRESSES_MAX);
	ASSERT(customer->dkim_count <= CONFIG_DKIM_MAX);
	ASSERT(customer->sign == (customer->dkim_count > 0));
	ASSERT(strlen(customer->bounce) >= 1 && strlen(customer->bounce) <= 24);
}

/* A name that a pattern is made of finds what the pattern belongs to, or something before it. */
static void check_site(const struct config *config, size_t at)
{
	const struct config_site *site = &config->sites[at];

	ASSERT(site->sessions >= 1 && (site->mx.count > 0) == (at > 0));
	for (size_t i = 0; i < site->mx.count; i++) {
		struct slice name = slice_of(site->mx.items[i]);
		bool wild = slice_has_prefix(name, SLICE("*."));
		const struct config_site *found =
			config_site_of(config, wild ? slice_from(name, 1) : name);

		ASSERT(wild || (found > &config->sites[0] && found <= site));
	}
}

static void check_route(const struct config *config, const struct config_route *route)
{
	ASSERT(route->relay != NULL);
	if (route->domain[0] != '*')
		ASSERT(config_route_of(config, slice_of(route->domain)) != NULL);
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
	for (size_t i = 0; i < SMTP_CLASS_COUNT; i++)
		ASSERT(config.retry.classes[i].schedule.count >= 1);
	ASSERT(config.customer_count >= 1 && config.site_count >= 1);
	for (size_t i = 0; i < config.customer_count; i++)
		check_customer(&config, &config.customers[i]);
	for (size_t i = 0; i < config.site_count; i++)
		check_site(&config, i);
	for (size_t i = 0; i < config.route_count; i++)
		check_route(&config, &config.routes[i]);
	config_free(&config);
	return 0;
}
