/*
 * What the appliance itself is told: name, time zone, network, who may log in. One file,
 * /data/etc/appliance.conf, in the syntax of base/config.h; what is wrong is told as
 * "file:line: section: option: why". The same options come one by one from the kernel's command
 * line (an unattended installation) and from the console, and the file is written back whole, with
 * a comment to each option.
 *
 * Texts belong to the struct and die with appliance_free. Addresses are in the form that inet_ntop
 * writes, names in lower case without a final dot, MAC addresses "52:54:00:12:34:56".
 */
#ifndef BASE_APPLIANCE_H
#define BASE_APPLIANCE_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/config.h"
#include "base/error.h"
#include "base/types.h"

#define APPLIANCE_PATH "/data/etc/appliance.conf"
#define APPLIANCE_FILE_MAX (256 * 1024) /* bytes */
#define APPLIANCE_INTERFACES_MAX 32
#define APPLIANCE_NAME_MAX 15 /* bytes of an interface's name: IFNAMSIZ without the NUL */

enum appliance_kind { APPLIANCE_ETHERNET, APPLIANCE_VLAN, APPLIANCE_BOND };
enum appliance_method { APPLIANCE_DHCP, APPLIANCE_STATIC, APPLIANCE_NO_IPV4 };
enum appliance_ipv6 { APPLIANCE_IPV6_AUTO, APPLIANCE_IPV6_STATIC, APPLIANCE_IPV6_OFF };
/* As the kernel numbers them (BOND_MODE_*). */
enum appliance_bond {
	APPLIANCE_BOND_BALANCE_RR,
	APPLIANCE_BOND_ACTIVE_BACKUP,
	APPLIANCE_BOND_BALANCE_XOR,
	APPLIANCE_BOND_BROADCAST,
	APPLIANCE_BOND_802_3AD,
	APPLIANCE_BOND_BALANCE_TLB,
	APPLIANCE_BOND_BALANCE_ALB,
};
/* Whether a second disk is taken for the data. */
enum appliance_disk {
	APPLIANCE_DISK_BOOT,  /* the rest of the disk that the appliance started from */
	APPLIANCE_DISK_BLANK, /* a wholly blank other disk, if there is exactly one */
};

/*
 * Addresses with IPv4 among them are given beside a lease when the method is dhcp; IPv6 ones beside
 * those of router advertisements when ipv6 is auto.
 */
struct appliance_interface {
	const char *name;
	enum appliance_kind kind;
	enum appliance_method method;
	enum appliance_ipv6 ipv6;
	struct config_list addresses; /* "192.0.2.10/24", "2001:db8::10/64" */
	const char *gateway;	      /* NULL: none, or the lease's */
	const char *gateway6;	      /* NULL: none, or the advertised one */
	u32 mtu;		      /* 0: as it comes; else 576..9216 */
	const char *match_mac; /* NULL: the kernel's name counts; else who has it gets the name */
	/* vlan */
	const char *parent;
	u32 id; /* 1..4094 */
	/* bond */
	struct config_list members;
	enum appliance_bond mode;
};

#define APPLIANCE_NTP_DEFAULT "pool.ntp.org"

struct appliance {
	const char *hostname;
	const char *time_zone;	      /* "Asia/Tokyo"; default "UTC" */
	const char *domain;	      /* NULL: none */
	struct config_list ntp;	      /* names or addresses; default APPLIANCE_NTP_DEFAULT */
	struct config_list resolvers; /* addresses; empty: those of leases */
	bool console_log;	      /* log lines on the console, too */
	enum appliance_disk data_disk;
	bool web_server; /* pages are served, ports 80 and 443 */
	struct config_list ssh_listen; /* "0.0.0.0:22" */
	struct config_list ssh_keys;   /* lines of authorized_keys without options */
	/* None: every Ethernet interface with a carrier gets dhcp and ipv6 auto. */
	struct appliance_interface interfaces[APPLIANCE_INTERFACES_MAX];
	size_t interface_count;
	bool given; /* there was a file, or a word on the kernel's command line */
	struct arena arena;
};

/* What counts where nothing is said. False: no memory. */
bool appliance_defaults(struct appliance *appliance, struct error *error) MUST_CHECK;

/*
 * Reads and checks the file. No file is no error: the defaults, and `given` is false. False with
 * the error set; then there is nothing to free. One thread at a time, as config_read.
 */
bool appliance_read(struct appliance *appliance, const char *path, struct error *error) MUST_CHECK;
/* The same from memory; `name` stands for the file in errors. */
bool appliance_parse(struct appliance *appliance, struct slice text, const char *name,
		     struct error *error) MUST_CHECK;
void appliance_free(struct appliance *appliance); /* also of a zeroed struct; twice is harmless */

/*
 * Words of the kernel's command line over what is there: hikyaku.OPTION=VALUE, with the options of
 * the file, and `address`, `dns`, `ssh-key` (given once for each key) for `addresses`, `resolvers`,
 * `keys`. Options of an interface belong to the one that hikyaku.interface= names before them, else
 * to eth0; an IPv4 address makes its method static. Items of lists are separated by commas; commas
 * or, within double quotes, spaces stand between the parts of a key. Words without "hikyaku." are
 * not looked at, nor are hikyaku.slot, .trial, .repair and .test*. False: the sentence names the
 * word, and the struct is as it was.
 */
bool appliance_overlay(struct appliance *appliance, struct slice command_line,
		       struct error *error) MUST_CHECK;

/*
 * One option as a person gives it; items of lists separated by commas. `section` is NULL for those
 * at the top, "ssh", or the name of an interface (which must be there). "" takes away what may be
 * absent. Only the option's own shape is checked; appliance_check looks at the whole.
 */
bool appliance_set(struct appliance *appliance, const char *section, const char *option,
		   struct slice value, struct error *error) MUST_CHECK;
/* One more item behind a list's; one that is there already is no error and not added. */
bool appliance_add(struct appliance *appliance, const char *section, const char *option,
		   struct slice item, struct error *error) MUST_CHECK;
/* The interface of that name, or NULL. */
struct appliance_interface *appliance_find(struct appliance *appliance, const char *name);
/* The interface of that name; made with the defaults of its kind when it is not there. */
struct appliance_interface *appliance_interface(struct appliance *appliance,
						enum appliance_kind kind, const char *name,
						struct error *error);
/* Takes it out; those behind it move up. No such name is no error. */
void appliance_remove(struct appliance *appliance, const char *name);

/*
 * What options have to be to one another: a gateway that can be reached, members and parents that
 * exist once. The sentence names section and option.
 */
bool appliance_check(const struct appliance *appliance, struct error *error) MUST_CHECK;

/* The file's text. A failed buffer: no memory. */
void appliance_format(const struct appliance *appliance, struct buf *out);
/*
 * Checks, and replaces the file by a new one of mode 0640 (whole or not at all, also after a power
 * cut). Owner and group are those of the file that was there, else the process's.
 */
bool appliance_write(const struct appliance *appliance, const char *path,
		     struct error *error) MUST_CHECK;

#endif
