#include "console/settings.h"

#include "base/durable.h"
#include "base/text.h"
#include "console/console.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define FILE_MODE 0640

static const char *current_path(char path[CONSOLE_PATH_SIZE])
{
	return console_etc_path("appliance.conf", path);
}

/* In memory, so that it goes with a restart: then what is written counts. */
static const char *before_path(char path[CONSOLE_PATH_SIZE])
{
	if (getenv("HIKYAKU_ETC"))
		return console_etc_path("appliance.conf.before", path);
	snprintf(path, CONSOLE_PATH_SIZE, "/tmp/appliance.conf.before");
	return path;
}

bool settings_read(struct appliance *appliance, struct error *error)
{
	char path[CONSOLE_PATH_SIZE];

	return appliance_read(appliance, current_path(path), error);
}

bool settings_read_restored(struct appliance *appliance, struct error *error)
{
	char path[CONSOLE_PATH_SIZE];

	console_etc_path("appliance.conf.restored", path);
	if (access(path, F_OK) < 0)
		return error_set(error, "no backup with settings was restored here");
	return appliance_read(appliance, path, error);
}

/* The file's bytes; empty when there is none. */
static bool read_bytes(const char *path, struct buf *out, struct error *error)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	char bytes[4096];
	ssize_t n = 0;

	if (fd < 0)
		return errno == ENOENT || error_set_errno(error, errno, "%s", path);
	while ((n = read(fd, bytes, sizeof(bytes))) > 0)
		buf_add(out, bytes, (size_t)n);
	if (n < 0)
		error_set_errno(error, errno, "%s", path);
	close(fd);
	return n == 0 && (!out->failed || error_set(error, "%s is too large", path));
}

/* An empty copy stands for "there was no file". */
static bool keep_before(struct error *error)
{
	char current[CONSOLE_PATH_SIZE];
	char before[CONSOLE_PATH_SIZE];
	struct buf bytes;
	bool is_kept;

	if (access(before_path(before), F_OK) == 0)
		return true;
	buf_init(&bytes, APPLIANCE_FILE_MAX);
	is_kept = read_bytes(current_path(current), &bytes, error) &&
		  durable_create(before, buf_slice(&bytes), error);
	buf_done(&bytes);
	return is_kept;
}

bool settings_write(const struct appliance *appliance, struct error *error)
{
	char path[CONSOLE_PATH_SIZE];

	return appliance_check(appliance, error) && keep_before(error) &&
	       appliance_write(appliance, current_path(path), error);
}

bool settings_are_open(void)
{
	char path[CONSOLE_PATH_SIZE];

	return access(before_path(path), F_OK) == 0;
}

void settings_keep(void)
{
	char path[CONSOLE_PATH_SIZE];

	unlink(before_path(path));
}

bool settings_revert(struct error *error)
{
	char current[CONSOLE_PATH_SIZE];
	char before[CONSOLE_PATH_SIZE];
	struct buf bytes;
	bool is_back;

	if (access(before_path(before), F_OK) < 0)
		return error_set(error, "nothing was changed since the settings were applied");
	current_path(current);
	buf_init(&bytes, APPLIANCE_FILE_MAX);
	is_back = read_bytes(before, &bytes, error);
	if (is_back && bytes.len == 0)
		is_back = unlink(current) == 0 || errno == ENOENT ||
			  error_set_errno(error, errno, "%s", current);
	else if (is_back)
		is_back = durable_replace(current, buf_slice(&bytes), FILE_MODE, error);
	buf_done(&bytes);
	if (is_back)
		unlink(before);
	return is_back;
}

/* The text of what touches the network alone. */
static void format_network(const struct appliance *appliance, struct buf *out)
{
	struct appliance network = *appliance;

	network.hostname = "x";
	network.domain = NULL;
	network.time_zone = "UTC";
	network.ntp = network.resolvers = (struct config_list){ 0 };
	network.console_log = false;
	network.data_disk = APPLIANCE_DISK_BOOT;
	network.web_server = false;
	appliance_format(&network, out);
}

bool settings_may_cut_off(void)
{
	char path[CONSOLE_PATH_SIZE];
	struct appliance before;
	struct appliance after;
	struct error ignored;
	struct buf texts[2];
	bool differs = true;

	if (!settings_are_open())
		return false;
	if (!appliance_read(&before, before_path(path), &ignored))
		return true;
	if (settings_read(&after, &ignored)) {
		buf_init(&texts[0], APPLIANCE_FILE_MAX);
		buf_init(&texts[1], APPLIANCE_FILE_MAX);
		format_network(&before, &texts[0]);
		format_network(&after, &texts[1]);
		differs = !slice_equal(buf_slice(&texts[0]), buf_slice(&texts[1]));
		buf_done(&texts[0]);
		buf_done(&texts[1]);
		appliance_free(&after);
	}
	appliance_free(&before);
	return differs;
}
