/* What the files of an upgrade share with each other. Nobody else includes this. */
#ifndef INIT_UPGRADE_PARTS_H
#define INIT_UPGRADE_PARTS_H

#include "init/slot.h"
#include "init/upgrade_bundle.h"

#include <stdio.h>

#define UPGRADE_KEY_NAME_MAX 256

/* Exactly `len` bytes from `fd`. */
bool upgrade_read(int fd, void *to, size_t len, struct error *error) MUST_CHECK;

/* Which of the folder's keys made the signature: its file's name, without ".pem". */
bool upgrade_key_find(const char *folder, struct slice message,
		      const u8 signature[CRYPTO_ED25519_SIGNATURE],
		      char name[UPGRADE_KEY_NAME_MAX], struct error *error) MUST_CHECK;

/*
 * Steps 3 to 5 of upgrade.h, but for grubenv: the slot's files, from what `fd` still holds, which
 * must end behind them. `text` is the release's.
 */
bool upgrade_slot_write(const struct slot_boot *boot, char slot,
			const struct upgrade_release *release, struct slice text, int fd,
			FILE *report, struct error *error) MUST_CHECK;

#endif
