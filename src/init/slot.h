/*
 * The two places for a system, "slots" a and b, and which of them starts. On the ESP, mounted at
 * /boot, each has a folder: /a/kernel, /a/rootfs, /a/release. GRUB chooses by the variables of
 * /grub/grubenv (appliance/grub.cfg):
 *
 *   good     a or b: marked good last; starts when nothing else is asked for
 *   try      a or b: was just written; empty: none
 *   tries    0-3: how often `try` may still be started; GRUB takes one away before it does
 *   pending  1: GRUB started something that nobody called well since; the next time it shows a menu
 *
 * So a system on trial that does not come up, or is reset by its watchdog, is followed by the good
 * one without anybody's doing.
 */
#ifndef INIT_SLOT_H
#define INIT_SLOT_H

#include "base/error.h"
#include "base/types.h"

#define SLOT_BOOT "/boot"
#define SLOT_COMMAND_LINE "/proc/cmdline"
#define SLOT_TRIES_MAX 3

/* Slots are the letters 'a' and 'b'; 0 is none. */
struct slot_state {
	/* Where to look; NULL: SLOT_BOOT and SLOT_COMMAND_LINE. Set by the caller, borrowed. */
	const char *boot;
	const char *command_line;

	char running; /* by `hikyaku.slot=` of the kernel's command line; 0: it names none */
	char good;
	char try;
	u32 tries;
	bool is_pending;
	/* What follows from these. */
	bool is_trial;    /* what runs is not what was marked good */
	bool is_fallback; /* `try` was started and did not become good; the good one runs again */
};

/* The other one of 'a' and 'b'. */
char slot_other(char slot);

/* Reads both. False, with a sentence: no file, or no environment block in it. */
bool slot_read(struct slot_state *state, struct error *error) MUST_CHECK;

/*
 * Marks what runs as good, takes `try` and `pending` away; *state is read anew. Writes nothing when
 * that is how it stands. False: no running slot, the ESP is in use by an upgrade (then again
 * later), or cannot be written.
 */
bool slot_mark_good(struct slot_state *state, struct error *error) MUST_CHECK;

/* `slot` starts next, at most `tries` (1-3) times unless it is marked good; slot 0: none does. */
bool slot_set_try(struct slot_state *state, char slot, u32 tries, struct error *error) MUST_CHECK;

/*
 * The ESP, to be written to by one process at a time: it is mounted read-only otherwise. Where
 * `path` is writable anyhow (tests), only the lock counts.
 */
struct slot_boot {
	const char *path; /* borrowed */
	int fd;           /* the folder, locked */
	bool was_read_only;
};

/* False: another process has it, or it cannot be made writable. */
bool slot_boot_open(struct slot_boot *boot, const char *path, struct error *error) MUST_CHECK;
/* Writes what is dirty to the disk; read-only again if it was. Closed also when it says false. */
bool slot_boot_close(struct slot_boot *boot, struct error *error) MUST_CHECK;

/* As slot_set_try, on what was read, for who has the ESP open already. */
bool slot_set_try_open(struct slot_state *state, const struct slot_boot *boot, char slot, u32 tries,
		       struct error *error) MUST_CHECK;

#endif
