#include "base/appliance_table.h"

#include "base/check.h"
#include "base/text.h"

_Static_assert(sizeof(enum appliance_method) == sizeof(u32), "choices are stored as u32");
_Static_assert(sizeof(enum appliance_ipv6) == sizeof(u32), "choices are stored as u32");
_Static_assert(sizeof(enum appliance_bond) == sizeof(u32), "choices are stored as u32");
_Static_assert(sizeof(enum appliance_disk) == sizeof(u32), "choices are stored as u32");

/* One row of a table; what does not belong to the kind of the option stays zero. */
#define ROW(type, field, name_, kind_, fallback_, ...)                                             \
	{                                                                                          \
		.name = (name_), .kind = (kind_), .offset = offsetof(struct type, field),          \
		.fallback = (fallback_), __VA_ARGS__                                               \
	}
#define RANGE(min_, max_) .min = (min_), .max = (max_)
#define SHAPE(shape_, expects_) .shape = (shape_), .expects = (expects_)
#define ONE_OF(choices_, expects_) .choices = (choices_), .expects = (expects_)
#define SECTION(name_, options_, ...)                                                              \
	{                                                                                          \
		.name = (name_), .options = (options_), .option_count = array_count(options_),     \
		__VA_ARGS__                                                                        \
	}
#define INNER(sections_) .inner = (sections_), .inner_count = array_count(sections_)

const char *const appliance_methods[] = { "dhcp", "static", "none", NULL };
const char *const appliance_ipv6s[] = { "auto", "static", "off", NULL };
const char *const appliance_disks[] = { "boot", "blank", NULL };
const char *const appliance_modes[] = { "balance-rr", "active-backup", "balance-xor", "broadcast",
					"802.3ad",    "balance-tlb",   "balance-alb", NULL };

static const struct config_option ssh_options[] = {
	ROW(appliance, ssh_listen, "listen", CONFIG_LIST, "0.0.0.0:22 [::]:22",
	    SHAPE(config_shape_endpoint, "an address with port such as 0.0.0.0:22 or [::]:22")),
	ROW(appliance, ssh_keys, "keys", CONFIG_LIST, "",
	    SHAPE(appliance_shape_ssh_key, "a public key such as \"ssh-ed25519 AAAA... name\"")),
};
const struct config_section appliance_section_ssh = SECTION("ssh", ssh_options);

#define COMMON                                                                                     \
	ROW(appliance_interface, method, "method", CONFIG_CHOICE, "dhcp",                          \
	    ONE_OF(appliance_methods, "dhcp, static or none")),                                    \
		ROW(appliance_interface, ipv6, "ipv6", CONFIG_CHOICE, "auto",                      \
		    ONE_OF(appliance_ipv6s, "auto, static or off")),                               \
		ROW(appliance_interface, addresses, "addresses", CONFIG_LIST, "",                  \
		    SHAPE(appliance_shape_prefix,                                                  \
			  "a host's address with its prefix length such as 192.0.2.10/24")),       \
		ROW(appliance_interface, gateway, "gateway", CONFIG_TEXT, "",                      \
		    SHAPE(appliance_shape_gateway, "an IPv4 address")),                            \
		ROW(appliance_interface, gateway6, "gateway6", CONFIG_TEXT, "",                    \
		    SHAPE(appliance_shape_gateway6, "an IPv6 address")),                           \
		ROW(appliance_interface, mtu, "mtu", CONFIG_NUMBER, "0", RANGE(0, 9216))

static const struct config_option interface_options[] = {
	COMMON,
	ROW(appliance_interface, match_mac, "match-mac", CONFIG_TEXT, "",
	    SHAPE(appliance_shape_mac, "a MAC address such as 52:54:00:12:34:56")),
};
static const struct config_option vlan_options[] = {
	COMMON,
	ROW(appliance_interface, parent, "parent", CONFIG_TEXT, NULL,
	    SHAPE(appliance_shape_interface, "an interface's name")),
	ROW(appliance_interface, id, "id", CONFIG_NUMBER, NULL, RANGE(1, 4094)),
};
static const struct config_option bond_options[] = {
	COMMON,
	ROW(appliance_interface, members, "members", CONFIG_LIST, "",
	    SHAPE(appliance_shape_interface, "an interface's name")),
	ROW(appliance_interface, mode, "mode", CONFIG_CHOICE, "active-backup",
	    ONE_OF(appliance_modes, "balance-rr, active-backup, balance-xor, broadcast, 802.3ad, "
				    "balance-tlb or balance-alb")),
};
static const struct config_section section_interface =
	SECTION("interface", interface_options, .titled = true);
static const struct config_section section_vlan = SECTION("vlan", vlan_options, .titled = true);
static const struct config_section section_bond = SECTION("bond", bond_options, .titled = true);

static const struct config_option root_options[] = {
	ROW(appliance, hostname, "hostname", CONFIG_TEXT, "hikyaku",
	    SHAPE(appliance_shape_hostname, "a host name of at most 63 bytes")),
	ROW(appliance, time_zone, "time-zone", CONFIG_TEXT, "UTC",
	    SHAPE(appliance_shape_zone, "a time zone such as Asia/Tokyo")),
	ROW(appliance, domain, "domain", CONFIG_TEXT, "",
	    SHAPE(appliance_shape_domain, "a domain name")),
	ROW(appliance, ntp, "ntp", CONFIG_LIST, APPLIANCE_NTP_DEFAULT,
	    SHAPE(appliance_shape_server, "a host name or an IP address")),
	ROW(appliance, resolvers, "resolvers", CONFIG_LIST, "",
	    SHAPE(appliance_shape_address, "an IP address")),
	ROW(appliance, console_log, "console-log", CONFIG_FLAG, "true", RANGE(0, 0)),
	ROW(appliance, data_disk, "data-disk", CONFIG_CHOICE, "boot",
	    ONE_OF(appliance_disks, "boot or blank")),
	ROW(appliance, web_server, "web-server", CONFIG_FLAG, "true", RANGE(0, 0)),
};
static const struct config_section *const root_inner[] = {
	&appliance_section_ssh,
	&section_interface,
	&section_vlan,
	&section_bond,
};
const struct config_section appliance_section_root =
	SECTION("root", root_options, INNER(root_inner));

const struct config_section *appliance_section_of(enum appliance_kind kind)
{
	switch (kind) {
	case APPLIANCE_ETHERNET:
		return &section_interface;
	case APPLIANCE_VLAN:
		return &section_vlan;
	case APPLIANCE_BOND:
		return &section_bond;
	}
	ASSERT(!"a kind of interface that no table has");
	return NULL;
}
