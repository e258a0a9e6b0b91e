/*
 * Memory, processes and processor time of each service, by cgroup v2: one that leaks is ended by
 * itself, and what the console and init need is kept for them.
 */
#ifndef INIT_CGROUP_H
#define INIT_CGROUP_H

#include "base/error.h"
#include "base/types.h"

struct cgroup_limits {
	u64 memory_max; /* bytes; 0: none */
	u64 memory_low; /* bytes that reclaim leaves alone while others have some; 0: none */
	u32 pids_max;   /* 0: none */
	u32 cpu_weight; /* 1-10000; 0: 100 */
};

/*
 * Hands the controllers down from the root. False: this kernel or this place has none; services
 * then run without limits, which the caller says.
 */
bool cgroup_init(struct error *error) MUST_CHECK;
/* Makes the group `name`, or changes its limits. */
bool cgroup_set(const char *name, const struct cgroup_limits *limits,
		struct error *error) MUST_CHECK;
/* In the child, before it gives its rights up. False: errno. */
bool cgroup_enter(const char *name) MUST_CHECK;
/* Ends whatever is left in the group (grandchildren of a dead service). */
void cgroup_kill(const char *name);
/* Bytes in use; 0 when unknown. */
u64 cgroup_memory(const char *name);

#endif
