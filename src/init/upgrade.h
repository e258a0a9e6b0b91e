/*
 * Upgrades: a bundle (upgrade_bundle.h) becomes the system in the slot that does not run, and is
 * tried at the next start. The slot that runs is not touched. However it ends, the machine starts
 * what was good before, until the new system has been marked good (slot.h). In order:
 *
 *  1. refused while what runs is on trial itself: the other slot is the last good one
 *  2. the bundle's signature, by one of the release keys, and its version
 *  3. grubenv: the other slot is not to be tried any more; its files are removed
 *  4. kernel.new and rootfs.new are written, synced, read back and compared with their hashes
 *  5. they get their names, then `release` does
 *  6. grubenv: the other slot is tried
 */
#ifndef INIT_UPGRADE_H
#define INIT_UPGRADE_H

#include "base/error.h"
#include "base/types.h"
#include "init/slot.h"

#include <stdio.h>

#define UPGRADE_KEYS "/etc/hikyaku/release-keys"

struct upgrade {
	struct slot_state slots; /* boot and command_line are the caller's */
	const char *keys;        /* folder of PEM public keys, *.pem; any of them may have signed */
	bool allow_downgrade;
	/* A line for the operator for each thing done. */
	FILE *report;
};

/*
 * Reads the bundle from `fd` up to its end. False, with a sentence: refused (nothing has changed),
 * or failed (the other slot may hold nothing then; it will not be tried).
 */
bool upgrade_run(struct upgrade *upgrade, int fd, struct error *error) MUST_CHECK;

/*
 * The role: `hikyaku upgrade-task [--allow-downgrade] FILE`, `-` for standard input. As root, by
 * init. Exit codes: 0 the new system is tried at the next start, 1 it is not, 2 wrong words.
 */
int upgrade_task_main(int argc, char **argv);

#endif
