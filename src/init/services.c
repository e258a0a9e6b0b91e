#include "init/services.h"

#include "base/check.h"
#include "base/log.h"
#include "base/text.h"
#include "init/users.h"

#include <linux/capability.h>
#include <stdio.h>
#include <string.h>

#define MIB (1ull << 20)

/* What a service is, whatever the appliance is told. */
struct kind {
	const char *name;
	u32 conditions;
	bool notifies;
	u32 stop_rank;
	u64 stop_patience_ms;
	struct sandbox sandbox;
	u32 memory_percent; /* of the machine; 0: memory_max_mib */
	u32 memory_max_mib;
	u32 memory_low_mib;
	u32 pids_max;
	u32 cpu_weight;
	int oom_score;
	const char *folder;
};

/* Stop ranks: whoever asks for work goes before whoever does it, and the network last. */
enum rank { RANK_PEOPLE, RANK_PAGES, RANK_MAIL, RANK_MACHINE };

static const struct kind kind_send = {
	.name = SERVICES_SENDER,
	.conditions = SUPERVISOR_DATA | SUPERVISOR_CONFIGURED,
	.notifies = true,
	.stop_rank = RANK_MAIL,
	/* The sender breaks off by itself after 30 s. */
	.stop_patience_ms = 45000,
	.sandbox = { .user = USERS_SEND,
		     .group = USERS_GROUP,
		     .groups = { USERS_RINGS_GROUP },
		     .group_count = 1,
		     .rights = SANDBOX_RINGS,
		     .open_files = 65536,
		     .paths = { SERVICES_SENDER_PATHS,
				{ "/run/hikyaku", SANDBOX_WRITE },
				{ "/proc", SANDBOX_READ },
				{ "/sys/devices/system", SANDBOX_READ } } },
	.memory_percent = 80,
	.pids_max = 512,
	.cpu_weight = 100,
	.oom_score = 0,
	.folder = "/data/send",
};

/* What a console sees, on a terminal as by ssh. */
#define CONSOLE_PATHS                                                                              \
	{ "/bin", SANDBOX_RUN }, { "/etc", SANDBOX_READ }, { "/usr/share", SANDBOX_READ },         \
		{ "/run", SANDBOX_READ }, { "/data/etc", SANDBOX_WRITE },                          \
		{ "/data/log", SANDBOX_READ }, { "/data/backup", SANDBOX_WRITE },                  \
		{ "/data/site", SANDBOX_WRITE },                                                   \
		{ "/tmp", SANDBOX_WRITE }, { "/dev", SANDBOX_WRITE }, { "/proc", SANDBOX_READ },   \
		{ "/sys", SANDBOX_READ }

static const struct kind kind_ssh = {
	.name = "ssh",
	.conditions = SUPERVISOR_DATA | SUPERVISOR_SSH_KEYS,
	.stop_rank = RANK_PEOPLE,
	.stop_patience_ms = 5000,
	/* It runs as the one user who can log in, so nothing in it is ever root. */
	.sandbox = { .user = USERS_ADMIN,
		     .group = USERS_ADMIN,
		     .groups = { USERS_GROUP },
		     .group_count = 1,
		     .capabilities = SANDBOX_CAPABILITY(CAP_NET_BIND_SERVICE),
		     .rights = SANDBOX_NETLINK,
		     .paths = { CONSOLE_PATHS,
				{ "/sbin/dropbear", SANDBOX_RUN },
				{ "/data/ssh", SANDBOX_WRITE } } },
	.memory_max_mib = 128,
	.memory_low_mib = 32,
	.pids_max = 128,
	.cpu_weight = 400,
	.oom_score = -500,
};

static const struct kind kind_console = {
	.conditions = SUPERVISOR_BOOTED,
	.stop_rank = RANK_PEOPLE,
	.stop_patience_ms = 2000,
	.sandbox = { .user = USERS_ADMIN,
		     .group = USERS_ADMIN,
		     .groups = { USERS_GROUP },
		     .group_count = 1,
		     .rights = SANDBOX_NETLINK,
		     .paths = { CONSOLE_PATHS } },
	.memory_max_mib = 96,
	.memory_low_mib = 16,
	.pids_max = 64,
	.cpu_weight = 400,
	.oom_score = -500,
	.folder = "/",
};

static const struct kind kind_www = {
	.name = SERVICES_PAGES,
	.conditions = SUPERVISOR_DATA,
	.stop_rank = RANK_PAGES,
	.stop_patience_ms = 6000,
	.sandbox = { .user = USERS_WWW,
		     .group = USERS_WWW,
		     /* The configuration; lighttpd itself does not have it: front_server.h. */
		     .groups = { USERS_GROUP },
		     .group_count = 1,
		     .capabilities = SANDBOX_CAPABILITY(CAP_NET_BIND_SERVICE) |
				     SANDBOX_CAPABILITY(CAP_SETGID),
		     /* More than three for each connection of hikyaku.conf's default. */
		     .open_files = 16384,
		     .paths = { { "/bin/hikyaku", SANDBOX_RUN },
				{ "/sbin/lighttpd", SANDBOX_RUN },
				{ "/etc", SANDBOX_READ },
				{ "/usr/share/www", SANDBOX_READ },
				{ "/run/resolv.conf", SANDBOX_READ },
				{ "/run/www", SANDBOX_WRITE },
				{ "/run/hikyaku/metrics", SANDBOX_WRITE },
				{ "/data/etc", SANDBOX_READ },
				{ "/data/site", SANDBOX_READ },
				{ "/data/www", SANDBOX_WRITE },
				{ "/dev/null", SANDBOX_WRITE },
				{ "/dev/urandom", SANDBOX_READ } } },
	.memory_max_mib = 192,
	.pids_max = 16,
	.cpu_weight = 100,
	.oom_score = 200,
};

static const struct kind kind_web = {
	.name = SERVICES_INTERFACE,
	.conditions = SUPERVISOR_DATA | SUPERVISOR_CONFIGURED,
	.notifies = true,
	.stop_rank = RANK_PAGES,
	/* It gives calls 20 s. */
	.stop_patience_ms = 25000,
	.sandbox = { .user = USERS_WEB,
		     /* Whoever may open the socket that it makes: lighttpd. */
		     .group = USERS_WWW,
		     .groups = { USERS_GROUP, USERS_RINGS_GROUP },
		     .group_count = 2,
		     .rights = SANDBOX_RINGS,
		     /* The tables of its rings have a place for each call. */
		     .open_files = 4096,
		     .paths = { { "/bin/hikyaku", SANDBOX_RUN },
				{ "/etc", SANDBOX_READ },
				/* The root's key and public suffixes, for the identity check. */
				{ "/usr/share", SANDBOX_READ },
				{ "/data/etc", SANDBOX_READ },
				{ "/data/web", SANDBOX_WRITE },
				{ "/run/hikyaku", SANDBOX_WRITE },
				{ "/dev/null", SANDBOX_WRITE },
				{ "/dev/urandom", SANDBOX_READ } } },
	.memory_max_mib = 384,
	.pids_max = 64,
	.cpu_weight = 100,
	.oom_score = 200,
};

static const struct kind kind_hook = {
	.name = SERVICES_HOOK,
	.conditions = SUPERVISOR_DATA | SUPERVISOR_CONFIGURED,
	.notifies = true,
	.stop_rank = RANK_PAGES,
	/* It gives posts that are under way 5 s. */
	.stop_patience_ms = 8000,
	.sandbox = { .user = USERS_HOOK,
		     .group = USERS_HOOK,
		     .groups = { USERS_GROUP },
		     .group_count = 1,
		     .open_files = 1024,
		     .paths = { { "/bin/hikyaku", SANDBOX_RUN },
				{ "/etc", SANDBOX_READ },
				{ "/run/resolv.conf", SANDBOX_READ },
				{ "/data/etc", SANDBOX_READ },
				{ "/data/hook", SANDBOX_WRITE },
				{ "/run/hikyaku", SANDBOX_WRITE },
				{ "/dev/null", SANDBOX_WRITE },
				{ "/dev/urandom", SANDBOX_READ } } },
	.memory_max_mib = 192,
	.pids_max = 64, /* each post may look a name up in a thread of its own */
	.cpu_weight = 50,
	.oom_score = 300,
};

static const struct kind kind_receive = {
	.name = SERVICES_RECEIVER,
	.conditions = SUPERVISOR_DATA | SUPERVISOR_CONFIGURED | SUPERVISOR_MAIL_IN,
	.notifies = true,
	.stop_rank = RANK_PAGES,
	/* It gives messages that are coming in 30 s, and the sender 10 s for an answer. */
	.stop_patience_ms = 45000,
	.sandbox = { .user = USERS_RECEIVE,
		     .group = USERS_RECEIVE,
		     /* The sender's socket, and the configuration. */
		     .groups = { USERS_GROUP, USERS_RINGS_GROUP },
		     .group_count = 2,
		     .capabilities = SANDBOX_CAPABILITY(CAP_NET_BIND_SERVICE),
		     .rights = SANDBOX_RINGS,
		     .open_files = 65536,
		     .paths = { { "/bin/hikyaku", SANDBOX_RUN },
				{ "/etc", SANDBOX_READ },
				{ "/data/etc", SANDBOX_READ },
				{ "/data/receive", SANDBOX_WRITE },
				{ "/run/hikyaku", SANDBOX_READ },
				{ "/dev/null", SANDBOX_WRITE },
				{ "/dev/urandom", SANDBOX_READ } } },
	.memory_max_mib = 384,
	.pids_max = 32,
	.cpu_weight = 100,
	.oom_score = 100,
	.folder = "/data/receive",
};

static const struct kind kind_ntp = {
	.name = "ntp",
	.conditions = SUPERVISOR_NETWORK,
	.stop_rank = RANK_MACHINE,
	.stop_patience_ms = 1000,
	.sandbox = { .user = USERS_NTP,
		     .group = USERS_NTP,
		     .capabilities = SANDBOX_CAPABILITY(CAP_SYS_TIME),
		     .rights = SANDBOX_CLOCK,
		     .paths = { { "/sbin/busybox", SANDBOX_RUN },
				{ "/etc", SANDBOX_READ },
				{ "/run/resolv.conf", SANDBOX_READ },
				{ "/dev/null", SANDBOX_WRITE } } },
	.memory_max_mib = 16,
	.pids_max = 8,
	.cpu_weight = 200,
	.oom_score = -200,
};

static const struct kind kind_dhcp = {
	.stop_rank = RANK_MACHINE,
	.stop_patience_ms = 1000,
	.sandbox = { .user = USERS_DHCP,
		     .group = USERS_DHCP,
		     .capabilities = SANDBOX_CAPABILITY(CAP_NET_RAW) |
				     SANDBOX_CAPABILITY(CAP_NET_BIND_SERVICE) |
				     SANDBOX_CAPABILITY(CAP_NET_BROADCAST),
		     .rights = SANDBOX_PACKETS | SANDBOX_NETLINK,
		     .paths = { { "/sbin", SANDBOX_RUN },
				{ "/bin/hikyaku", SANDBOX_RUN },
				{ "/run/hikyaku", SANDBOX_READ },
				{ "/dev/null", SANDBOX_WRITE },
				{ "/sys/class/net", SANDBOX_READ } } },
	.memory_max_mib = 16,
	.pids_max = 16,
	.cpu_weight = 200,
	.oom_score = -200,
};

/* ---- making plans ---- */

static struct supervisor_service *add(struct services *services, const struct kind *kind,
				      const char *name)
{
	struct supervisor_service wanted = {
		.conditions = kind->conditions,
		.notifies = kind->notifies,
		.stop_rank = kind->stop_rank,
		.stop_patience_ms = kind->stop_patience_ms,
	};
	struct supervisor_service *service;
	struct spawn_plan *plan;

	slice_copy(wanted.name, sizeof(wanted.name), slice_of(name));
	service = supervisor_add(services->supervisor, &wanted);
	if (!service) {
		log_error("init", "too many services", "left_out=%s", name);
		return NULL;
	}
	plan = services_plan(services, service);
	*plan = (struct spawn_plan){
		.sandbox = kind->sandbox,
		.limits = { .memory_max = kind->memory_percent
						  ? services->memory / 100 * kind->memory_percent
						  : kind->memory_max_mib * MIB,
			    .memory_low = kind->memory_low_mib * MIB,
			    .pids_max = kind->pids_max,
			    .cpu_weight = kind->cpu_weight },
		.oom_score = kind->oom_score,
		.folder = kind->folder,
	};
	slice_copy(plan->name, sizeof(plan->name), slice_of(name));
	return service;
}

struct spawn_plan *services_plan(struct services *services,
				 const struct supervisor_service *service)
{
	return &services->plans[service - services->supervisor->services];
}

static void clear_words(struct spawn_plan *plan)
{
	memset(plan->words, 0, sizeof(plan->words));
	memset(plan->environment, 0, sizeof(plan->environment));
}

static void make_send(struct spawn_plan *plan, const struct appliance *appliance)
{
	(void)appliance;
	spawn_add_word(plan, "/bin/hikyaku");
	spawn_add_word(plan, "send");
	spawn_add_word(plan, "--config");
	spawn_add_word(plan, SERVICES_CONFIG);
	spawn_add_environment(plan, "NOTIFY_SOCKET=/run/hikyaku/notify");
}

static void make_ssh(struct spawn_plan *plan, const struct appliance *appliance)
{
	spawn_add_word(plan, "/sbin/dropbear");
	spawn_add_word(plan, "-F"); /* in the foreground */
	spawn_add_word(plan, "-R"); /* makes its host key at the first connection */
	spawn_add_word(plan, "-D");
	spawn_add_word(plan, "/data/ssh"); /* authorized_keys */
	for (size_t i = 0; i < appliance->ssh_listen.count; i++) {
		spawn_add_word(plan, "-p");
		spawn_add_word(plan, "%s", appliance->ssh_listen.items[i]);
	}
}

static void make_www(struct spawn_plan *plan, const struct appliance *appliance)
{
	spawn_add_word(plan, "/bin/hikyaku");
	spawn_add_word(plan, "www");
	spawn_add_word(plan, "--host");
	spawn_add_word(plan, "%s", appliance->hostname);
	spawn_add_word(plan, "--config");
	spawn_add_word(plan, SERVICES_CONFIG);
}

/* A role that reads the sender's configuration and says when it is ready. */
static void make_role(struct spawn_plan *plan, const char *name)
{
	spawn_add_word(plan, "/bin/hikyaku");
	spawn_add_word(plan, "%s", name);
	spawn_add_word(plan, "--config");
	spawn_add_word(plan, SERVICES_CONFIG);
	spawn_add_environment(plan, "NOTIFY_SOCKET=/run/hikyaku/notify");
}

static void add_time_server(struct spawn_plan *plan, const char *server)
{
	spawn_add_word(plan, "-p");
	spawn_add_word(plan, "%s", server);
}

static void make_ntp(const struct services *services, struct spawn_plan *plan,
		     const struct appliance *appliance)
{
	const struct config_list *named = &appliance->ntp;
	bool is_default = named->count == 1 && strcmp(named->items[0], APPLIANCE_NTP_DEFAULT) == 0;

	spawn_add_word(plan, "/sbin/busybox");
	spawn_add_word(plan, "ntpd");
	spawn_add_word(plan, "-n"); /* in the foreground */
	if (is_default && services->time_server_count > 0) {
		for (u32 i = 0; i < services->time_server_count; i++)
			add_time_server(plan, services->time_servers[i]);
		return;
	}
	for (size_t i = 0; i < min_size(named->count, SERVICES_TIME_SERVERS_MAX); i++)
		add_time_server(plan, named->items[i]);
}

static void make_console(struct spawn_plan *plan, const struct appliance *appliance)
{
	spawn_add_word(plan, "/bin/hikyaku");
	spawn_add_word(plan, "console");
	spawn_add_environment(plan, "TERM=%s",
			      strncmp(plan->terminal, "/dev/ttyS", 9) == 0 ? "vt100" : "linux");
	(void)appliance;
}

static void make_dhcp(struct spawn_plan *plan, const char *interface)
{
	clear_words(plan);
	spawn_add_word(plan, "/sbin/busybox");
	spawn_add_word(plan, "udhcpc");
	spawn_add_word(plan, "-f"); /* in the foreground */
	spawn_add_word(plan, "-i");
	spawn_add_word(plan, "%s", interface);
	spawn_add_word(plan, "-s");
	spawn_add_word(plan, "/sbin/dhcp-event");
	spawn_add_word(plan, "-t"); /* a first round of discovers, one a second */
	spawn_add_word(plan, "5");
	spawn_add_word(plan, "-T");
	spawn_add_word(plan, "1");
	spawn_add_word(plan, "-A"); /* then a pause, and for ever so */
	spawn_add_word(plan, "10");
	/* What is not asked for by itself: RFC 3442's routes, the link's MTU, time servers. */
	spawn_add_word(plan, "-O");
	spawn_add_word(plan, "staticroutes");
	spawn_add_word(plan, "-O");
	spawn_add_word(plan, "mtu");
	spawn_add_word(plan, "-O");
	spawn_add_word(plan, "ntpsrv");
}

/* ---- the table ---- */

void services_init(struct services *services, struct supervisor *supervisor, u64 memory)
{
	services->supervisor = supervisor;
	services->memory = memory;
	add(services, &kind_send, kind_send.name);
	add(services, &kind_ssh, kind_ssh.name);
	add(services, &kind_ntp, kind_ntp.name);
	add(services, &kind_www, kind_www.name);
	add(services, &kind_web, kind_web.name);
	add(services, &kind_hook, kind_hook.name);
	add(services, &kind_receive, kind_receive.name);
}

void services_add_consoles(struct services *services, struct slice terminals)
{
	while (terminals.ptr) {
		struct slice name = slice_split(&terminals, ' ');
		char console[SUPERVISOR_NAME_SIZE];
		struct supervisor_service *service;

		if (slice_equal(name, SLICE("tty0")))
			name = SLICE("tty1");
		if (name.len == 0 || name.len > 16)
			continue;
		snprintf(console, sizeof(console), "console-%.*s", SLICE_FMT(name));
		if (supervisor_find(services->supervisor, slice_of(console)))
			continue;
		service = add(services, &kind_console, console);
		if (service)
			snprintf(services_plan(services, service)->terminal,
				 sizeof(services->plans[0].terminal), "/dev/%.*s", SLICE_FMT(name));
	}
}

static void configure_one(struct services *services, struct supervisor_service *service,
			  const struct appliance *appliance, u64 now_ms)
{
	struct spawn_plan *plan = services_plan(services, service);
	struct spawn_plan before = *plan;
	bool is_pages = strcmp(service->name, SERVICES_PAGES) == 0;
	bool is_interface = strcmp(service->name, SERVICES_INTERFACE) == 0;

	if (strncmp(service->name, "dhcp-", 5) == 0)
		return;
	clear_words(plan);
	if (strcmp(service->name, SERVICES_SENDER) == 0)
		make_send(plan, appliance);
	else if (strcmp(service->name, "ssh") == 0)
		make_ssh(plan, appliance);
	else if (strcmp(service->name, "ntp") == 0)
		make_ntp(services, plan, appliance);
	else if (is_pages)
		make_www(plan, appliance);
	else if (is_interface)
		make_role(plan, SERVICES_INTERFACE);
	else if (strcmp(service->name, SERVICES_HOOK) == 0)
		make_role(plan, SERVICES_HOOK);
	else if (strcmp(service->name, SERVICES_RECEIVER) == 0)
		make_role(plan, SERVICES_RECEIVER);
	else
		make_console(plan, appliance);
	if (strcmp(service->name, SERVICES_SENDER) != 0)
		spawn_add_environment(plan, "TZ=%s", appliance->time_zone);
	supervisor_want(service, !(is_pages || is_interface) || appliance->web_server, now_ms);
	/* Who sits at a console is not thrown out for a new time zone. */
	if (service->pid != 0 && !plan->terminal[0] &&
	    (memcmp(before.words, plan->words, sizeof(plan->words)) != 0 ||
	     memcmp(before.environment, plan->environment, sizeof(plan->environment)) != 0))
		supervisor_restart(service, now_ms);
}

void services_configure(struct services *services, const struct appliance *appliance, u64 now_ms)
{
	for (u32 i = 0; i < services->supervisor->count; i++)
		configure_one(services, &services->supervisor->services[i], appliance, now_ms);
}

void services_set_time_servers(struct services *services, const struct appliance *appliance,
			       char (*servers)[NET_ADDRESS_TEXT_SIZE], u32 count, u64 now_ms)
{
	struct supervisor_service *ntp =
		supervisor_find(services->supervisor, slice_of(kind_ntp.name));

	ASSERT(count <= SERVICES_TIME_SERVERS_MAX);
	if (count == services->time_server_count &&
	    memcmp(servers, services->time_servers, count * sizeof(*servers)) == 0)
		return;
	memcpy(services->time_servers, servers, count * sizeof(*servers));
	services->time_server_count = count;
	if (ntp)
		configure_one(services, ntp, appliance, now_ms);
}

void services_want_dhcp(struct services *services, const char *const *interfaces, u32 count,
			u64 now_ms)
{
	struct supervisor *supervisor = services->supervisor;
	char name[SUPERVISOR_NAME_SIZE];

	for (u32 i = 0; i < supervisor->count; i++) {
		struct supervisor_service *service = &supervisor->services[i];
		bool is_wanted = false;

		if (strncmp(service->name, "dhcp-", 5) != 0)
			continue;
		for (u32 j = 0; j < count; j++)
			is_wanted |= strcmp(service->name + 5, interfaces[j]) == 0;
		if (!is_wanted)
			supervisor_want(service, false, now_ms);
	}
	for (u32 j = 0; j < count; j++) {
		struct supervisor_service *service;

		snprintf(name, sizeof(name), "dhcp-%s", interfaces[j]);
		service = supervisor_find(supervisor, slice_of(name));
		if (!service)
			service = add(services, &kind_dhcp, name);
		if (!service)
			continue;
		make_dhcp(services_plan(services, service), interfaces[j]);
		supervisor_want(service, true, now_ms);
	}
}
