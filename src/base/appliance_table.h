/* Private to appliance*.c: the options of appliance.conf by section, and the shapes they have. */
#ifndef BASE_APPLIANCE_TABLE_H
#define BASE_APPLIANCE_TABLE_H

#include "base/appliance.h"
#include "base/config_file.h"

extern const struct config_section appliance_section_root;
extern const struct config_section appliance_section_ssh;
/* Of an interface, by its kind. */
const struct config_section *appliance_section_of(enum appliance_kind kind);

/* What does not fit together; the interface that has it, and which of its options, or NULL. */
struct appliance_fault {
	const struct appliance_interface *interface;
	const char *option;
	char text[192];
};
bool appliance_is_sound(const struct appliance *appliance, struct appliance_fault *fault)
	MUST_CHECK;

/* The words of an enum's option, as the file has them. */
extern const char *const appliance_methods[];
extern const char *const appliance_ipv6s[];
extern const char *const appliance_modes[];
extern const char *const appliance_disks[];

/*
 * As those of config_text.h. What may be absent also takes "", which stays "".
 */
config_shape appliance_shape_hostname;	/* LDH labels, 63 bytes in all */
config_shape appliance_shape_zone;	/* name of a file below zoneinfo */
config_shape appliance_shape_domain;	/* or "" */
config_shape appliance_shape_server;	/* host name or address */
config_shape appliance_shape_address;	/* of a host, IPv4 or IPv6 */
config_shape appliance_shape_prefix;	/* the same with /bits, and no network's or broadcast's */
config_shape appliance_shape_gateway;	/* IPv4 or "" */
config_shape appliance_shape_gateway6;	/* IPv6 or "" */
config_shape appliance_shape_mac;	/* or "" */
config_shape appliance_shape_interface; /* a name that the kernel and sysctl take */
config_shape appliance_shape_ssh_key;	/* "type base64 comment" */

#endif
