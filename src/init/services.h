/*
 * The services of the appliance: how each is run (words, user, sandbox, limits, conditions), made
 * from what the appliance is told. The table is in services.c; nothing else in init knows a
 * service by name.
 */
#ifndef INIT_SERVICES_H
#define INIT_SERVICES_H

#include "base/appliance.h"
#include "base/net_address.h"
#include "init/spawn.h"
#include "init/supervisor.h"

#define SERVICES_SENDER "send"
#define SERVICES_PAGES "www"
#define SERVICES_HOOK "hook"
#define SERVICES_RECEIVER "receive"
#define SERVICES_INTERFACE "web" /* for programs, behind the pages' server */
#define SERVICES_CONFIG "/data/etc/hikyaku.conf" /* of the sender */

/* What of the disk the sender sees, and so does whatever runs as it. Initialisers of sandbox.paths.
 */
#define SERVICES_SENDER_PATHS                                                                      \
	{ "/bin/hikyaku", SANDBOX_RUN }, { "/etc", SANDBOX_READ }, { "/usr/share", SANDBOX_READ }, \
		{ "/run/resolv.conf", SANDBOX_READ }, { "/data/etc", SANDBOX_READ },               \
		{ "/data/send", SANDBOX_WRITE }, { "/dev/null", SANDBOX_WRITE },                   \
		{ "/dev/urandom", SANDBOX_READ }

#define SERVICES_TIME_SERVERS_MAX 8

struct services {
	struct supervisor *supervisor;                    /* borrowed */
	struct spawn_plan plans[SUPERVISOR_SERVICES_MAX]; /* index as in the supervisor */
	u64 memory;                                       /* of the machine, bytes */
	/* What DHCP names. They count when appliance.conf names none. */
	char time_servers[SERVICES_TIME_SERVERS_MAX][NET_ADDRESS_TEXT_SIZE];
	u32 time_server_count;
};

/* Adds the fixed services; none is wanted yet. */
void services_init(struct services *services, struct supervisor *supervisor, u64 memory);

/*
 * A console on each terminal of `terminals`, names below /dev separated by spaces as in
 * /sys/class/tty/console/active ("tty0 ttyS0"); tty0, whichever is shown, becomes tty1.
 */
void services_add_consoles(struct services *services, struct slice terminals);

/* Makes plans anew and wants what is to run; a running service whose plan changed is restarted. */
void services_configure(struct services *services, const struct appliance *appliance, u64 now_ms);

/*
 * The time servers of leases; a time daemon that runs is restarted when they changed and count. At
 * most SERVICES_TIME_SERVERS_MAX.
 */
void services_set_time_servers(struct services *services, const struct appliance *appliance,
			       char (*servers)[NET_ADDRESS_TEXT_SIZE], u32 count, u64 now_ms);

/* A DHCP client for each of `interfaces`, and for no other. */
void services_want_dhcp(struct services *services, const char *const *interfaces, u32 count,
			u64 now_ms);

struct spawn_plan *services_plan(struct services *services,
				 const struct supervisor_service *service);

#endif
