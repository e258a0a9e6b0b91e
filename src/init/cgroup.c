#include "init/cgroup.h"

#include "base/text.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define ROOT "/sys/fs/cgroup"
#define PATH_SIZE 128
#define VALUE_SIZE 512

static bool write_file(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	ssize_t n;

	if (fd < 0)
		return false;
	n = write(fd, text, strlen(text));
	close(fd);
	return n == (ssize_t)strlen(text);
}

static struct slice read_file(const char *group, const char *file, char value[VALUE_SIZE])
{
	char path[PATH_SIZE];
	int fd;
	ssize_t n;

	snprintf(path, sizeof(path), ROOT "/%s/%s", group, file);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return SLICE_NONE;
	n = read(fd, value, VALUE_SIZE);
	close(fd);
	return n > 0 ? (struct slice){ value, (size_t)n } : SLICE_NONE;
}

bool cgroup_init(struct error *error)
{
	if (!write_file(ROOT "/cgroup.subtree_control", "+memory +pids +cpu"))
		return error_set_errno(error, errno, ROOT "/cgroup.subtree_control");
	return true;
}

static bool set_value(const char *group, const char *file, u64 value, const char *none,
		      struct error *error)
{
	char path[PATH_SIZE];
	char text[32];

	snprintf(path, sizeof(path), ROOT "/%s/%s", group, file);
	if (value > 0)
		snprintf(text, sizeof(text), "%llu", (unsigned long long)value);
	else
		slice_copy(text, sizeof(text), slice_of(none));
	if (!write_file(path, text))
		return error_set_errno(error, errno, "%s = %s", path, text);
	return true;
}

bool cgroup_set(const char *name, const struct cgroup_limits *limits, struct error *error)
{
	char path[PATH_SIZE];

	snprintf(path, sizeof(path), ROOT "/%s", name);
	if (mkdir(path, 0755) < 0 && errno != EEXIST)
		return error_set_errno(error, errno, "%s", path);
	return set_value(name, "memory.max", limits->memory_max, "max", error) &&
	       set_value(name, "memory.low", limits->memory_low, "0", error) &&
	       set_value(name, "pids.max", limits->pids_max, "max", error) &&
	       set_value(name, "cpu.weight", limits->cpu_weight, "100", error);
}

bool cgroup_enter(const char *name)
{
	char path[PATH_SIZE];

	snprintf(path, sizeof(path), ROOT "/%s/cgroup.procs", name);
	return write_file(path, "0");
}

void cgroup_kill(const char *name)
{
	char path[PATH_SIZE];

	snprintf(path, sizeof(path), ROOT "/%s/cgroup.kill", name);
	/* Without cgroups there is nothing to find them by. */
	if (!write_file(path, "1") && errno != ENOENT)
		fprintf(stderr, "init: %s: %s\n", path, strerror(errno));
}

u64 cgroup_memory(const char *name)
{
	char value[VALUE_SIZE];
	struct slice text = read_file(name, "memory.current", value);
	u64 bytes;

	return slice_to_u64(slice_split(&text, '\n'), &bytes) ? bytes : 0;
}
