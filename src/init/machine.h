/*
 * What the machine itself looks like: memory, load, disk, clock. Read from the kernel at the
 * moment; nothing is kept.
 */
#ifndef INIT_MACHINE_H
#define INIT_MACHINE_H

#include "base/types.h"

struct machine_memory {
	u64 total; /* bytes */
	u64 available;
};
struct machine_disk {
	u64 size; /* bytes; all 0: nothing is mounted there */
	u64 used;
	u64 available;
};
struct machine_clock {
	bool is_synced;
	i64 offset_us; /* of the clock from what its sources say */
};

void machine_memory(struct machine_memory *memory);
void machine_load(double load[3]);
void machine_disk(const char *folder, struct machine_disk *disk);
void machine_clock(struct machine_clock *clock);

#endif
