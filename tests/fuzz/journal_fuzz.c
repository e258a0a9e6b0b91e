/*
 * Any bytes as the in-doubt journal that an earlier process left: it opens or is refused without
 * harm, its slots lie in the file, it is believed only when it is whole and of this boot, and after
 * a reset it is an empty journal of the size asked for.
 */
#include "base/check.h"
#include "base/text.h"
#include "store/journal.h"

#include <fcntl.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define HEAD_SIZE 4096 /* of the file; the input brings HEAD_GIVEN of it, the rest is zeros */
#define HEAD_GIVEN 64
#define SLOTS 4

int LLVMFuzzerTestOneInput(const u8 *data, size_t size);

static char path[64];
static const u8 boot[JOURNAL_BOOT_SIZE] = "01234567-89ab-cdef-0123-456789abcde";

static void remove_file(void)
{
	unlink(path);
}

/* In memory: /dev/shm is there on every Linux that runs tests. */
static void make_path(void)
{
	if (path[0])
		return;
	snprintf(path, sizeof(path), "/dev/shm/hikyaku-journal-fuzz.%ld", (long)getpid());
	atexit(remove_file);
}

static void write_file(const u8 *data, size_t size)
{
	u8 head[HEAD_SIZE] = { 0 };
	int fd = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	size_t given = min_size(size, HEAD_GIVEN);

	ASSERT(fd >= 0);
	memcpy(head, data, given);
	/* Shorter than a head it stays short; longer, the rest of the input is slots. */
	if (size < HEAD_GIVEN) {
		ASSERT(write(fd, head, given) == (ssize_t)given);
	} else {
		ASSERT(write(fd, head, HEAD_SIZE) == HEAD_SIZE);
		ASSERT(write(fd, data + given, size - given) == (ssize_t)(size - given));
	}
	close(fd);
}

static void check_left(struct journal *journal, const u8 *data, size_t size)
{
	u32 count = journal_slot_count(journal);

	ASSERT(count > 0 && count <= JOURNAL_SLOTS_MAX);
	for (u32 i = 0; i < count; i++) {
		const struct journal_slot *slot = journal_slot(journal, i);

		(void)atomic_load(&slot->state);
	}
	/* Believed: then the bytes are those that were there, in their places. */
	if (!journal_is_current(journal)) {
		ASSERT(memcmp(journal_boot(journal), boot, sizeof(boot)) == 0);
		return;
	}
	ASSERT(size >= HEAD_GIVEN + (size_t)count * sizeof(struct journal_slot));
	ASSERT(memcmp(data, "hkyjrnl1", 8) == 0 && memcmp(data + 16, boot, sizeof(boot)) == 0);
	ASSERT(memcmp(journal_slot(journal, 0), data + HEAD_GIVEN,
		      (size_t)count * sizeof(struct journal_slot)) == 0);
}

static void check_empty(struct journal *journal)
{
	ASSERT(journal_slot_count(journal) == SLOTS && journal_is_current(journal));
	for (u32 i = 0; i < SLOTS; i++)
		ASSERT(atomic_load(&journal_slot(journal, i)->state) == JOURNAL_FREE);
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	struct error error = { "" };
	struct journal *journal;

	make_path();
	write_file(data, size);
	(void)journal_room_needed(path, SLOTS);
	journal = journal_open_in_boot(path, SLOTS, boot, &error);
	ASSERT(journal);
	check_left(journal, data, size);
	ASSERT(journal_reset(journal, &error));
	check_empty(journal);
	atomic_store(&journal_slot(journal, 1)->state, JOURNAL_DOT_SENT);
	journal_close(journal);
	ASSERT(journal_room_needed(path, SLOTS) == 0);
	journal = journal_open_in_boot(path, 1, boot, &error);
	ASSERT(journal && journal_slot_count(journal) == SLOTS && journal_is_current(journal));
	ASSERT(atomic_load(&journal_slot(journal, 1)->state) == JOURNAL_DOT_SENT);
	journal_close(journal);
	return 0;
}
