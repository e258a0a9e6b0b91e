#include "init/machine.h"

#include "base/text.h"
#include "init/kernel_file.h"

#include <stdlib.h>
#include <sys/statvfs.h>
#include <sys/timex.h>

/* "MemTotal:  16384 kB" */
static u64 kib_of(struct slice line)
{
	u64 kib;

	slice_split(&line, ':');
	line = slice_trim(line);
	return slice_to_u64(slice_split(&line, ' '), &kib) ? kib : 0;
}

void machine_memory(struct machine_memory *memory)
{
	char text[4096];
	struct slice rest = kernel_file_read("/proc/meminfo", text, sizeof(text));

	*memory = (struct machine_memory){ 0 };
	while (rest.ptr) {
		struct slice line = slice_split(&rest, '\n');

		if (slice_has_prefix(line, SLICE("MemTotal:")))
			memory->total = kib_of(line) * 1024;
		else if (slice_has_prefix(line, SLICE("MemAvailable:")))
			memory->available = kib_of(line) * 1024;
	}
}

void machine_load(double load[3])
{
	if (getloadavg(load, 3) != 3)
		load[0] = load[1] = load[2] = 0;
}

void machine_disk(const char *folder, struct machine_disk *disk)
{
	struct statvfs status;

	*disk = (struct machine_disk){ 0 };
	if (statvfs(folder, &status) < 0)
		return;
	disk->size = (u64)status.f_blocks * status.f_frsize;
	disk->used = (u64)(status.f_blocks - status.f_bfree) * status.f_frsize;
	disk->available = (u64)status.f_bavail * status.f_frsize;
}

void machine_clock(struct machine_clock *clock)
{
	struct timex state = { .modes = 0 };
	int result = adjtimex(&state);

	clock->is_synced = result >= 0 && result != TIME_ERROR && !(state.status & STA_UNSYNC);
	clock->offset_us = state.status & STA_NANO ? state.offset / 1000 : state.offset;
}
