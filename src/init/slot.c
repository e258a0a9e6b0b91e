#include "init/slot.h"

#include "base/check.h"
#include "base/text.h"
#include "init/slot_block.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define ENVIRONMENT "grub/grubenv"
#define COMMAND_LINE_MAX 4096

static const char *boot_of(const struct slot_state *state)
{
	return state->boot ? state->boot : SLOT_BOOT;
}

char slot_other(char slot)
{
	return slot == 'a' ? 'b' : 'a';
}

/* Reads at most `size` bytes of a file; -1: errno says. */
static ssize_t read_file(const char *path, char *to, size_t size)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	size_t len = 0;
	ssize_t n = 1;

	if (fd < 0)
		return -1;
	while (len < size && n != 0) {
		n = read(fd, to + len, size - len);
		if (n < 0 && errno != EINTR)
			break;
		if (n > 0)
			len += (size_t)n;
	}
	close(fd);
	return n < 0 ? -1 : (ssize_t)len;
}

static bool read_block(struct slot_block *block, const char *boot, struct error *error)
{
	char path[PATH_MAX];
	int len = snprintf(path, sizeof(path), "%s/" ENVIRONMENT, boot);
	ssize_t n;

	if (len < 0 || (size_t)len >= sizeof(path))
		return error_set(error, "%s: the path is too long", boot);
	n = read_file(path, block->bytes, sizeof(block->bytes));
	if (n < 0)
		return error_set_errno(error, errno, "%s", path);
	if (n != SLOT_BLOCK_SIZE || !slot_block_is_sound(block))
		return error_set(error, "%s: no environment block of GRUB's", path);
	return true;
}

static char slot_named(struct slice name)
{
	return name.len == 1 && (name.ptr[0] == 'a' || name.ptr[0] == 'b') ? name.ptr[0] : 0;
}

static bool read_running(struct slot_state *state, struct error *error)
{
	const struct slice key = SLICE("hikyaku.slot=");
	const char *path = state->command_line ? state->command_line : SLOT_COMMAND_LINE;
	char text[COMMAND_LINE_MAX];
	ssize_t n = read_file(path, text, sizeof(text));
	struct slice rest = { text, n > 0 ? (size_t)n : 0 };

	if (n < 0)
		return error_set_errno(error, errno, "%s", path);
	state->running = 0;
	if (rest.len > 0 && rest.ptr[rest.len - 1] == '\n')
		rest.len--;
	while (rest.ptr) {
		struct slice word = slice_split(&rest, ' ');

		if (slice_has_prefix(word, key))
			state->running = slot_named(slice_from(word, key.len));
	}
	return true;
}

static void take_block(struct slot_state *state, const struct slot_block *block)
{
	state->good = slot_named(slot_block_get(block, SLICE("good")));
	state->try = slot_named(slot_block_get(block, SLICE("try")));
	if (!slice_to_u32(slot_block_get(block, SLICE("tries")), &state->tries))
		state->tries = 0;
	state->is_pending = slice_equal(slot_block_get(block, SLICE("pending")), SLICE("1"));
	state->is_trial = state->running && state->running != state->good;
	state->is_fallback = state->try && state->tries == 0 && state->running == state->good &&
			     state->try != state->running;
}

bool slot_read(struct slot_state *state, struct error *error)
{
	struct slot_block block;

	if (!read_running(state, error) || !read_block(&block, boot_of(state), error))
		return false;
	take_block(state, &block);
	return true;
}

/* In place, as GRUB does it: the variables are in the first sector, which a disk writes whole. */
static bool write_block(const struct slot_boot *boot, const struct slot_block *block,
			struct error *error)
{
	int fd = openat(boot->fd, ENVIRONMENT, O_WRONLY | O_CLOEXEC);
	bool ok;
	int code;

	if (fd < 0)
		return error_set_errno(error, errno, ENVIRONMENT);
	errno = EIO; /* what a short write means */
	ok = pwrite(fd, block->bytes, sizeof(block->bytes), 0) == (ssize_t)sizeof(block->bytes) &&
	     fsync(fd) == 0;
	code = errno;
	close(fd);
	return ok || error_set_errno(error, code, ENVIRONMENT);
}

/* `good` 0: as it is; else what was pending ended well. `try` 0: none. */
static bool change(struct slot_state *state, const struct slot_boot *boot, char good, char try,
		   u32 tries, struct error *error)
{
	const char number = (char)('0' + tries);
	struct slot_block block;

	if (!read_block(&block, boot_of(state), error))
		return false;
	if ((good && !slot_block_set(&block, SLICE("good"), (struct slice){ &good, 1 })) ||
	    (good && !slot_block_set(&block, SLICE("pending"), SLICE("0"))) ||
	    !slot_block_set(&block, SLICE("try"), (struct slice){ &try, try ? 1 : 0 }) ||
	    !slot_block_set(&block, SLICE("tries"), (struct slice){ &number, 1 }))
		return error_set(error, ENVIRONMENT ": no room for another variable");
	if (!write_block(boot, &block, error))
		return false;
	take_block(state, &block);
	return true;
}

bool slot_mark_good(struct slot_state *state, struct error *error)
{
	struct slot_boot boot;
	bool ok;

	if (!slot_read(state, error))
		return false;
	if (!state->running)
		return error_set(error, "the kernel's command line names no slot");
	if (state->good == state->running && !state->try && state->tries == 0 &&
	    !state->is_pending)
		return true;
	if (!slot_boot_open(&boot, boot_of(state), error))
		return false;
	ok = change(state, &boot, state->running, 0, 0, error);
	return slot_boot_close(&boot, ok ? error : NULL) && ok;
}

bool slot_set_try_open(struct slot_state *state, const struct slot_boot *boot, char slot, u32 tries,
		       struct error *error)
{
	ASSERT(!slot || (tries >= 1 && tries <= SLOT_TRIES_MAX));
	return change(state, boot, 0, slot, slot ? tries : 0, error);
}

bool slot_set_try(struct slot_state *state, char slot, u32 tries, struct error *error)
{
	struct slot_boot boot;
	bool ok;

	if (!slot_read(state, error) || !slot_boot_open(&boot, boot_of(state), error))
		return false;
	ok = slot_set_try_open(state, &boot, slot, tries, error);
	return slot_boot_close(&boot, ok ? error : NULL) && ok;
}
