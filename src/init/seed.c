#include "init/seed.h"

#include "base/clock.h"
#include "base/durable.h"
#include "base/random.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/random.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/timex.h>
#include <unistd.h>

#define SEED_SIZE 64

/* Counted as randomness: it was made by a kernel that had enough, and is used only once. */
static bool give_to_kernel(const u8 seed[SEED_SIZE], struct error *error)
{
	struct {
		int bits;
		int size;
		u8 bytes[SEED_SIZE];
	} pool = { .bits = SEED_SIZE * 8, .size = SEED_SIZE };
	int fd = open("/dev/urandom", O_RDWR | O_CLOEXEC);
	bool is_given;

	memcpy(pool.bytes, seed, SEED_SIZE);
	is_given = fd >= 0 && ioctl(fd, RNDADDENTROPY, &pool) == 0;
	explicit_bzero(&pool, sizeof(pool));
	if (!is_given)
		error_set_errno(error, errno, "/dev/urandom");
	if (fd >= 0)
		close(fd);
	return is_given;
}

static bool set_clock(u64 wall_ms, struct error *error)
{
	struct timex change = { .modes = ADJ_SETOFFSET,
				.time = { .tv_sec =
						  (time_t)((wall_ms - clock_wall_ms()) / 1000) } };

	return adjtimex(&change) >= 0 || error_set_errno(error, errno, "the clock");
}

bool seed_leave(const char *path, struct error *error)
{
	u8 seed[SEED_SIZE];
	bool is_left;

	random_bytes(seed, sizeof(seed));
	is_left = durable_replace(path, (struct slice){ (const char *)seed, sizeof(seed) }, 0600,
				  error);
	explicit_bzero(seed, sizeof(seed));
	return is_left;
}

bool seed_take(const char *path, u64 *set_ms, struct error *error)
{
	u8 seed[SEED_SIZE];
	struct stat status;
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n;
	u64 left_ms;

	*set_ms = 0;
	if (fd < 0)
		return errno == ENOENT ? seed_leave(path, error)
				       : error_set_errno(error, errno, "%s", path);
	n = read(fd, seed, sizeof(seed));
	if (n < 0 || fstat(fd, &status) < 0) {
		error_set_errno(error, errno, "%s", path);
		close(fd);
		return false;
	}
	close(fd);
	left_ms = (u64)status.st_mtim.tv_sec * MS_PER_S;
	if (clock_wall_ms() < left_ms) {
		if (!set_clock(left_ms + MS_PER_S, error))
			return false;
		*set_ms = left_ms;
	}
	/* The next one first: a seed that was used must not be there after a crash. */
	if (!seed_leave(path, error))
		return false;
	return n != (ssize_t)sizeof(seed) || give_to_kernel(seed, error);
}
