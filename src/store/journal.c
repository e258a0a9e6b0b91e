#include "store/journal.h"

#include "base/check.h"

#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define JOURNAL_MAGIC "hkyjrnl1" /* the last character is the version of the layout */
#define JOURNAL_HEAD 4096

/*
 * The first page of the file; slots follow. In the machine's byte order: it never leaves the boot.
 */
struct journal_head {
	char magic[8];
	u32 slot_size;
	u32 slots;
	u8 boot[JOURNAL_BOOT_SIZE]; /* zeros: not to be trusted, whatever boot this is */
};

_Static_assert(sizeof(struct journal_slot) == CACHE_LINE, "a slot is one cache line");
_Static_assert(JOURNAL_HEAD % CACHE_LINE == 0, "slots are aligned");

struct journal {
	int fd;
	u32 wanted; /* slots after the next reset */
	u32 slots;
	struct journal_head *head;
	size_t size;
	u8 boot[JOURNAL_BOOT_SIZE];
	char *path;
};

static size_t size_of(u32 slots)
{
	return JOURNAL_HEAD + (size_t)slots * sizeof(struct journal_slot);
}

static bool read_boot_id(u8 boot[JOURNAL_BOOT_SIZE], struct error *error)
{
	static const char path[] = "/proc/sys/kernel/random/boot_id";
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t len = fd >= 0 ? read(fd, boot, JOURNAL_BOOT_SIZE) : -1;
	int code = errno;

	if (fd >= 0)
		close(fd);
	if (len != JOURNAL_BOOT_SIZE)
		return error_set_errno(error, len < 0 ? code : EIO, "%s: cannot be read", path);
	return true;
}

static bool journal_fail(const struct journal *journal, int code, const char *what,
			 struct error *error)
{
	error_set_errno(error, code, "journal %s: %s", journal->path, what);
	return false;
}

static void unmap(struct journal *journal)
{
	if (journal->head)
		munmap(journal->head, journal->size);
	journal->head = NULL;
	journal->slots = 0;
}

static bool map(struct journal *journal, u32 slots, struct error *error)
{
	size_t size = size_of(slots);
	void *at = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, journal->fd, 0);

	if (at == MAP_FAILED)
		return journal_fail(journal, errno, "cannot be mapped", error);
	journal->head = at;
	journal->size = size;
	journal->slots = slots;
	return true;
}

/*
 * Every block that `slots` slots need is there from now on: a page that the disk has no room for
 * would otherwise be a SIGBUS at some later store. What the file says stays.
 */
static bool make_room(struct journal *journal, u32 slots, struct error *error)
{
	int code = posix_fallocate(journal->fd, 0, (off_t)size_of(slots));

	return code == 0 || journal_fail(journal, code, "no room for it", error);
}

/*
 * An empty journal of so many slots in the blocks that are there. First of all the old one ends:
 * killed anywhere in here, the file says nothing.
 */
static bool make_empty(struct journal *journal, u32 slots, struct error *error)
{
	unmap(journal);
	if (!map(journal, slots, error))
		return false;
	memset(journal->head->boot, 0, sizeof(journal->head->boot));
	atomic_thread_fence(memory_order_seq_cst);
	memset((char *)journal->head + JOURNAL_HEAD, 0, journal->size - JOURNAL_HEAD);
	memset(journal->head, 0, sizeof(*journal->head));
	journal->head->slot_size = sizeof(struct journal_slot);
	journal->head->slots = slots;
	memcpy(journal->head->magic, JOURNAL_MAGIC, sizeof(journal->head->magic));
	return true;
}

/* What an earlier process left: its slot count, or 0 when there is nothing to go by. */
static u32 slots_on_disk(const struct journal *journal)
{
	struct journal_head head;
	struct stat st;

	if (fstat(journal->fd, &st) != 0 ||
	    pread(journal->fd, &head, sizeof(head), 0) != (ssize_t)sizeof(head))
		return 0;
	if (memcmp(head.magic, JOURNAL_MAGIC, sizeof(head.magic)) != 0 ||
	    head.slot_size != sizeof(struct journal_slot) || head.slots == 0 ||
	    head.slots > JOURNAL_SLOTS_MAX || (size_t)st.st_size < size_of(head.slots))
		return 0;
	return head.slots;
}

static bool open_file(struct journal *journal, struct error *error)
{
	journal->fd = open(journal->path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (journal->fd < 0)
		return journal_fail(journal, errno, "cannot be opened", error);
	if (flock(journal->fd, LOCK_EX | LOCK_NB) == 0)
		return true;
	if (errno == EWOULDBLOCK)
		return error_set(error, "journal %s: in use by another process", journal->path);
	return journal_fail(journal, errno, "cannot be locked", error);
}

struct journal *journal_open_in_boot(const char *path, u32 slots, const u8 boot[JOURNAL_BOOT_SIZE],
				     struct error *error)
{
	struct journal *journal = calloc(1, sizeof(*journal));
	u32 there;

	ASSERT(slots > 0 && slots <= JOURNAL_SLOTS_MAX);
	if (!journal) {
		error_set(error, "journal %s: out of memory", path);
		return NULL;
	}
	journal->fd = -1;
	journal->wanted = slots;
	memcpy(journal->boot, boot, JOURNAL_BOOT_SIZE);
	journal->path = strdup(path);
	if (!journal->path) {
		error_set(error, "journal %s: out of memory", path);
		goto fail;
	}
	if (!open_file(journal, error))
		goto fail;
	there = slots_on_disk(journal);
	if (!make_room(journal, there > slots ? there : slots, error))
		goto fail;
	if (there > 0 ? map(journal, there, error) : make_empty(journal, slots, error))
		return journal;
fail:
	journal_close(journal);
	return NULL;
}

struct journal *journal_open(const char *path, u32 slots, struct error *error)
{
	u8 boot[JOURNAL_BOOT_SIZE];

	if (!read_boot_id(boot, error))
		return NULL;
	return journal_open_in_boot(path, slots, boot, error);
}

void journal_close(struct journal *journal)
{
	if (!journal)
		return;
	unmap(journal);
	if (journal->fd >= 0)
		close(journal->fd);
	free(journal->path);
	free(journal);
}

u64 journal_room_needed(const char *path, u32 slots)
{
	struct stat st;

	/* Whether its blocks are there is for journal_open to see. */
	if (stat(path, &st) == 0 && (size_t)st.st_size >= size_of(slots))
		return 0;
	return size_of(slots);
}

u32 journal_slot_count(const struct journal *journal)
{
	return journal->slots;
}

struct journal_slot *journal_slot(struct journal *journal, u32 index)
{
	char *first = (char *)journal->head + JOURNAL_HEAD;

	ASSERT(index < journal->slots);
	return (struct journal_slot *)(void *)(first + (size_t)index * sizeof(struct journal_slot));
}

bool journal_is_current(const struct journal *journal)
{
	return memcmp(journal->head->boot, journal->boot, JOURNAL_BOOT_SIZE) == 0;
}

const u8 *journal_boot(const struct journal *journal)
{
	return journal->boot;
}

bool journal_reset(struct journal *journal, struct error *error)
{
	/*
	 * Killed anywhere in here, the file is either still the old one or says nothing. Both are
	 * right: what it said has been acted upon and committed. No block is given back before: on
	 * a full disk somebody else would have it.
	 */
	if (!make_empty(journal, journal->wanted, error))
		return false;
	if (ftruncate(journal->fd, (off_t)size_of(journal->wanted)) != 0)
		return journal_fail(journal, errno, "cannot be cut to its size", error);
	memcpy(journal->head->boot, journal->boot, JOURNAL_BOOT_SIZE);
	if (fsync(journal->fd) != 0)
		return journal_fail(journal, errno, "cannot be synced", error);
	return true;
}
