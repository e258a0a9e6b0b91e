#include "init/cgroup.h"

#include "base/text.h"
#include "init/kernel_file.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#define ROOT "/sys/fs/cgroup"
#define PATH_SIZE 128
#define VALUE_SIZE 512

bool cgroup_init(struct error *error)
{
	if (!kernel_file_write(ROOT "/cgroup.subtree_control", "+memory +pids +cpu"))
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
	if (!kernel_file_write(path, text))
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
	return kernel_file_write(path, "0");
}

void cgroup_kill(const char *name)
{
	char path[PATH_SIZE];

	snprintf(path, sizeof(path), ROOT "/%s/cgroup.kill", name);
	/* Without cgroups there is nothing to find them by. */
	if (!kernel_file_write(path, "1") && errno != ENOENT)
		fprintf(stderr, "init: %s: %s\n", path, strerror(errno));
}

u64 cgroup_memory(const char *name)
{
	char value[VALUE_SIZE];
	char path[PATH_SIZE];
	u64 bytes;

	snprintf(path, sizeof(path), ROOT "/%s/memory.current", name);
	return slice_to_u64(kernel_file_read(path, value, sizeof(value)), &bytes) ? bytes : 0;
}
