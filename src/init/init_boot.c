#include "init/init.h"

#include "base/buf.h"
#include "base/clock.h"
#include "base/durable.h"
#include "base/log.h"
#include "base/text.h"
#include "init/kernel_file.h"
#include "init/mounts.h"
#include "init/network.h"
#include "init/restore.h"
#include "init/seed.h"
#include "init/slot.h"
#include "init/users.h"
#include "init/volume.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define COMMAND_LINE_MAX 4096
#define BOOT_CONFIG "/boot/hikyaku/appliance.conf"
#define BOOT_SENDER_CONFIG "/boot/hikyaku/hikyaku.conf"
#define LOCAL_TIME "/run/localtime"
#define SSH_FOLDER "/data/ssh"
#define SSH_KEYS SSH_FOLDER "/authorized_keys"

const char *init_data_name(enum init_data data)
{
	static const char *const names[] = { "opening", "open", "read-only", "none" };

	return names[data];
}

void init_stage(struct init *init, const char *name)
{
	u64 now_ms = init_now_ms();

	for (u32 i = 0; i < init->stage_count; i++) {
		if (strcmp(init->stages[i].name, name) == 0)
			return; /* the first time counts */
	}
	if (init->stage_count < INIT_STAGES_MAX)
		init->stages[init->stage_count++] = (struct init_stage){ name, now_ms };
	log_info("init", "stage", "name=%s at_ms=%llu", name, (unsigned long long)now_ms);
	/* Once consoles run, whoever sits there types: `status` tells the rest. */
	if (init->console_fd >= 0 && !(init->supervisor.conditions & SUPERVISOR_BOOTED))
		dprintf(init->console_fd, "[%7.3f] %s\r\n", (double)now_ms / 1000, name);
}

/* ---- the data volume ---- */

/* What the child that opens the volume tells. */
struct data_result {
	enum init_data data;
	char device[64];
	char note[256];
};

/* In a child: formatting a large disk takes minutes, and init has a console to keep alive. */
NORETURN static void open_data(int result_fd)
{
	struct volume volume = { 0 };
	struct error error = { "" };
	struct data_result result = { .data = INIT_DATA_OPEN };

	if (!volume_open(&volume, &error))
		result.data = volume.is_read_only ? INIT_DATA_READ_ONLY : INIT_DATA_NONE;
	slice_copy(result.device, sizeof(result.device), slice_of(volume.device));
	slice_copy(result.note, sizeof(result.note),
		   slice_of(error.text[0] ? error.text : volume.note));
	_exit(write(result_fd, &result, sizeof(result)) == (ssize_t)sizeof(result) ? 0 : 1);
}

static void data_is_lost(struct init *init, const char *why)
{
	init->data = INIT_DATA_NONE;
	slice_copy(init->data_note, sizeof(init->data_note), slice_of(why));
	log_error("init", "no data volume: nothing is sent", "reason=%s", why);
}

void init_open_data(struct init *init)
{
	int ends[2];

	init->data = INIT_DATA_OPENING;
	if (pipe2(ends, O_CLOEXEC) < 0) {
		data_is_lost(init, strerror(errno));
		return;
	}
	init->data_pid = fork();
	if (init->data_pid == 0)
		open_data(ends[1]);
	close(ends[1]);
	init->data_result.fd = ends[0];
	if (init->data_pid < 0) {
		close(ends[0]);
		init->data_pid = 0;
		data_is_lost(init, strerror(errno));
	}
}

static void begin_log(struct init *init)
{
	struct error error = { "" };

	if (!logbook_open(init->logbook, "/data/log", &error))
		log_error("init", "the log stays in memory", "reason=%s", error.text);
}

/* A configuration is changed on the console, and read by the sender and by those who make backups.
 */
static void own_config(const char *path)
{
	int fd = open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);

	if (fd < 0 && errno == ENOENT)
		return;
	if (fd < 0 || fchown(fd, USERS_ADMIN, USERS_GROUP) < 0 || fchmod(fd, 0640) < 0)
		log_error("init", "a configuration may not be read by all who have to",
			  "file=%s reason=%s", path, strerror(errno));
	if (fd >= 0)
		close(fd);
}

/* Configuration that came with the image, for an installation without hands. */
static void take_boot_config(const char *from, const char *to)
{
	char text[65536];
	struct error error = { "" };
	int fd;
	ssize_t n;

	if (access(to, F_OK) == 0)
		return;
	fd = open(from, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return;
	n = read(fd, text, sizeof(text));
	close(fd);
	if (n <= 0 || n == (ssize_t)sizeof(text)) {
		log_error("init", "a configuration on the boot partition is not taken",
			  "file=%s bytes=%zd", from, n);
		return;
	}
	if (!durable_create(to, (struct slice){ text, (size_t)n }, &error))
		log_error("init", "a configuration on the boot partition is not taken",
			  "file=%s reason=%s", from, error.text);
	else
		log_info("init", "configuration taken from the boot partition", "file=%s", from);
}

static void take_seed(void)
{
	struct error error = { "" };
	u64 set_ms;

	if (!seed_take(SEED_PATH, &set_ms, &error))
		log_warn("init", "no seed from the last run", "reason=%s", error.text);
	if (set_ms > 0) {
		char when[CLOCK_RFC3339_SIZE];

		clock_format_rfc3339(when, set_ms);
		log_warn("init", "the clock was behind: it goes on from the last run", "at=%s",
			 when);
	}
}

static void put_backup_in_place(void)
{
	struct error error = { "" };

	switch (restore_apply("/data", &error)) {
	case RESTORE_NONE:
		break;
	case RESTORE_DONE:
		log_warn("init", "a backup is in place: campaigns that ran are paused", "");
		break;
	case RESTORE_FAILED:
		log_error("init", "a backup is not in place", "reason=%s", error.text);
		break;
	}
}

static void data_is_open(struct init *init)
{
	take_seed();
	begin_log(init);
	put_backup_in_place();
	take_boot_config(BOOT_CONFIG, APPLIANCE_PATH);
	take_boot_config(BOOT_SENDER_CONFIG, SERVICES_CONFIG);
	own_config(APPLIANCE_PATH);
	own_config(SERVICES_CONFIG);
	supervisor_set_condition(&init->supervisor, SUPERVISOR_DATA, true);
}

bool init_has_data(const struct init *init)
{
	return init->data == INIT_DATA_OPEN || init->data == INIT_DATA_READ_ONLY;
}

bool init_data_reaped(struct init *init, pid_t pid, int status)
{
	struct data_result result;
	struct error error = { "" };

	if (init->data_pid == 0 || pid != init->data_pid)
		return false;
	init->data_pid = 0;
	if (read(init->data_result.fd, &result, sizeof(result)) != (ssize_t)sizeof(result)) {
		char text[SUPERVISOR_EXIT_SIZE];

		supervisor_exit_text(status, text);
		data_is_lost(init, text);
	} else {
		init->data = result.data;
		memcpy(init->data_device, result.device, sizeof(result.device));
		memcpy(init->data_note, result.note, sizeof(result.note));
		log_info("init", "data volume", "state=%s device=%s note=%s",
			 init_data_name(init->data), init->data_device, init->data_note);
		if (result.data == INIT_DATA_OPEN)
			data_is_open(init);
	}
	close(init->data_result.fd);
	init_stage(init, "data");
	init_read_slot(init);
	if (!init_read_appliance(init, &error))
		log_error("init", "appliance.conf is not taken: defaults count", "reason=%s",
			  error.text);
	init_look_around(init);
	return true;
}

/* ---- configuration ---- */

/* The file on the volume; without one the boot partition's; and the kernel's command line on top.
 */
static bool read_sources(const struct init *init, struct appliance *appliance, struct error *error)
{
	char line[COMMAND_LINE_MAX];
	struct slice words = kernel_file_read("/proc/cmdline", line, sizeof(line));
	bool has_volume = init_has_data(init);

	if (!appliance_read(appliance, has_volume ? APPLIANCE_PATH : BOOT_CONFIG, error))
		return false;
	/* What was typed on the console later counts more than what the installer said. */
	if (appliance->given && has_volume)
		return true;
	if (!appliance_overlay(appliance, words, error)) {
		appliance_free(appliance);
		return false;
	}
	if (!appliance->given || init->data != INIT_DATA_OPEN)
		return true;
	if (appliance_write(appliance, APPLIANCE_PATH, error))
		own_config(APPLIANCE_PATH);
	else
		log_error("init", "appliance.conf is not written", "reason=%s", error->text);
	return true;
}

/* Who may log in: what dropbear reads, made of what the appliance is told. */
static void write_ssh_keys(const struct init *init)
{
	const struct config_list *keys = &init->appliance.ssh_keys;
	struct error error = { "" };
	struct buf text;

	if (init->data != INIT_DATA_OPEN)
		return;
	buf_init(&text, APPLIANCE_FILE_MAX);
	for (size_t i = 0; i < keys->count; i++)
		buf_add_format(&text, "%s\n", keys->items[i]);
	if (text.failed || !durable_replace(SSH_KEYS, buf_slice(&text), 0600, &error) ||
	    chown(SSH_KEYS, USERS_ADMIN, USERS_ADMIN) < 0)
		log_error("init", "nobody's key is taken", "reason=%s",
			  error.text[0] ? error.text : strerror(errno));
	buf_done(&text);
}

/* /etc/localtime leads here. */
static void link_time_zone(const struct appliance *appliance)
{
	char path[PATH_MAX];

	snprintf(path, sizeof(path), "/usr/share/zoneinfo/%s", appliance->time_zone);
	if ((unlink(LOCAL_TIME) < 0 && errno != ENOENT) || symlink(path, LOCAL_TIME) < 0)
		log_warn("init", "no local time", "zone=%s errno=%d", appliance->time_zone, errno);
}

bool init_read_appliance(struct init *init, struct error *error)
{
	struct appliance fresh = { 0 };
	u64 now_ms = init_now_ms();

	if (!read_sources(init, &fresh, error)) {
		/* Whatever is in the file: somebody must be able to mend it. */
		services_configure(&init->services, &init->appliance, now_ms);
		return false;
	}
	appliance_free(&init->appliance);
	init->appliance = fresh;
	if (sethostname(fresh.hostname, strlen(fresh.hostname)) < 0)
		log_warn("init", "the host's name is not set", "errno=%d", errno);
	write_ssh_keys(init);
	link_time_zone(&fresh);
	services_configure(&init->services, &init->appliance, now_ms);
	return !init->network || network_configure(init->network, &init->appliance, now_ms, error);
}

void init_look_around(struct init *init)
{
	struct supervisor *supervisor = &init->supervisor;
	const char *dhcp[SUPERVISOR_SERVICES_MAX];
	char time_servers[SERVICES_TIME_SERVERS_MAX][NET_ADDRESS_TEXT_SIZE] = { "" };
	bool has_network = init->network && network_is_up(init->network);
	u32 servers;

	supervisor_set_condition(supervisor, SUPERVISOR_CONFIGURED,
				 access(SERVICES_CONFIG, R_OK) == 0);
	supervisor_set_condition(supervisor, SUPERVISOR_MAIL_IN,
				 mail_in_is_wanted(&init->mail_in, SERVICES_CONFIG));
	supervisor_set_condition(supervisor, SUPERVISOR_SSH_KEYS,
				 init->appliance.ssh_keys.count > 0);
	supervisor_set_condition(supervisor, SUPERVISOR_NETWORK, has_network);
	if (has_network)
		init_stage(init, "network");
	if (init->data != INIT_DATA_OPENING)
		supervisor_set_condition(supervisor, SUPERVISOR_BOOTED, true);
	if (!init->network)
		return;
	services_want_dhcp(&init->services, dhcp,
			   network_dhcp_wanted(init->network, dhcp, array_count(dhcp)),
			   init_now_ms());
	servers = network_time_servers(init->network, time_servers, SERVICES_TIME_SERVERS_MAX);
	services_set_time_servers(&init->services, &init->appliance, time_servers, servers,
				  init_now_ms());
}
