#include "init/slot.h"

#include "base/clock.h"
#include "base/text.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <time.h>
#include <unistd.h>

#define BLOCK_FOLDER "/sys/class/block"
#define PARTITION SLICE("PARTNAME=hikyaku-esp")
#define UEVENT_MAX 1024
#define PAUSE_NS (20 * 1000 * 1000)

/* The kernel's words about a block device have the name that the partition table gives it. */
static bool is_boot_partition(int folder, const char *device)
{
	char path[300];
	char text[UEVENT_MAX];
	struct slice rest = { text, 0 };
	ssize_t n;
	int fd;

	snprintf(path, sizeof(path), "%s/uevent", device);
	fd = openat(folder, path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return false;
	n = read(fd, text, sizeof(text));
	close(fd);
	if (n > 0)
		rest.len = (size_t)n;
	while (rest.ptr && rest.len > 0) {
		if (slice_equal(slice_split(&rest, '\n'), PARTITION))
			return true;
	}
	return false;
}

/* The first by name, so that it is the same at each start. */
static bool find(char name[256])
{
	DIR *devices = opendir(BLOCK_FOLDER);
	struct dirent *device;

	name[0] = '\0';
	if (!devices)
		return false;
	while ((device = readdir(devices))) {
		if (device->d_name[0] != '.' &&
		    (!name[0] || strcmp(device->d_name, name) < 0) &&
		    is_boot_partition(dirfd(devices), device->d_name))
			slice_copy(name, 256, slice_of(device->d_name));
	}
	closedir(devices);
	return name[0] != '\0';
}

bool slot_boot_mount(u32 patience_ms, struct error *error)
{
	const struct timespec pause = { .tv_nsec = PAUSE_NS };
	const u64 end = clock_mono_ns() + patience_ms * NS_PER_MS;
	char device[256 + 8] = "/dev/";

	while (!find(device + 5)) {
		if (clock_mono_ns() >= end)
			return error_set(error, "no disk has a partition of the name hikyaku-esp");
		nanosleep(&pause, NULL);
	}
	/*
	 * A power cut in the middle of an upgrade may leave a file whose clusters are not all
	 * there. It is removed by the next upgrade, whose writing must not end for that.
	 */
	if (mount(device, SLOT_BOOT, "vfat", MS_RDONLY | MS_NOSUID | MS_NODEV | MS_NOEXEC,
		  "umask=0022,errors=continue") != 0)
		return error_set_errno(error, errno, "%s on " SLOT_BOOT, device);
	return true;
}
