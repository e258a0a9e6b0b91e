/*
 * The file systems that are no disk: /proc, /sys, /dev, /dev/pts, /run, /tmp, cgroups; and the
 * kernel's settings that go with them.
 */
#ifndef INIT_MOUNTS_H
#define INIT_MOUNTS_H

#include "base/error.h"
#include "base/types.h"

/* The first thing that PID 1 does. Says on the console what fails, and goes on. */
void mounts_make(void);
/* The root can be read only from now on. */
bool mounts_seal_root(struct error *error) MUST_CHECK;

/* Settings below /proc/sys that are init's: what others may see and do. False: some failed. */
bool mounts_harden(struct error *error) MUST_CHECK;

/* Value of the word `name=` on the kernel's command line into `out`; false: it is not there. */
bool mounts_boot_word(const char *name, char *out, size_t size) MUST_CHECK;

#endif
