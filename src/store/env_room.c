/* Room for the environment's file: the reserve that is kept, and what is told of it. */
#include "store/env.h"

#include "store/room.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>

/* A commit that failed with EIO is a full disk when this much cannot be had (see env_commit). */
#define DISK_FULL_BYTES (1u << 20)

/* Tries to make the file longer: only that knows of quotas and limits, too. */
bool env_disk_is_full(const struct env *env)
{
	struct room room;
	struct stat st;
	int fd;

	if (mdb_env_get_fd(env->mdb, &fd) != MDB_SUCCESS || fstat(fd, &st) != 0)
		return false;
	if (fallocate(fd, 0, st.st_size, DISK_FULL_BYTES) == 0)
		return false;
	if (env_is_full_code(errno))
		return true;
	return room_of(env->dir_fd, &room) && room.free < DISK_FULL_BYTES;
}

/* Blocks for the file up to `end`. */
static void allocate(struct env *env, u64 end)
{
	struct room room;
	struct stat st;
	int fd;

	if (mdb_env_get_fd(env->mdb, &fd) != MDB_SUCCESS)
		return;
	/* Kept by an earlier process. */
	if (env->allocated == 0 && fstat(fd, &st) == 0)
		env->allocated = (u64)st.st_size;
	/* On a disk that is nearly full a try would take what is left, and fail all the same. */
	if (room_of(env->dir_fd, &room) && env->allocated < end &&
	    room.free < end - env->allocated)
		return;
	if (room_allocate(fd, end) == 0)
		env->allocated = max_u64(env->allocated, end);
}

bool env_has_room(struct env *env, u64 pages_used, u64 pages_free)
{
	u64 used = pages_used * env->page_size;
	u64 end = used + pages_free * env->page_size;
	u64 wanted = min_u64(end + env->reserve, env->map_size_max);

	/* In steps of half a reserve, since asking the file system takes time. */
	if (env->allocated < min_u64(end + env->reserve / 2, env->map_size_max))
		allocate(env, wanted);
	return max_u64(env->allocated, end) >= used + env->reserve / 2 &&
	       env->map_size_max >= used + env->reserve / 2;
}

void env_describe_room(const struct env *env, struct error *text)
{
	struct env_stats stats;
	struct room room;

	if (env_stats(env, &stats) != MDB_SUCCESS)
		stats.pages_used = 0;
	room_of(env->dir_fd, &room);
	error_set(text, "%s uses %llu of %llu bytes, the disk has %llu bytes free", env->path,
		  (unsigned long long)(stats.pages_used * env->page_size),
		  (unsigned long long)env->map_size_max, (unsigned long long)room.free);
}

bool env_is_nearly_full(const struct env *env)
{
	u64 pages_max = env->map_size_max / env->page_size;
	struct env_stats stats;
	struct room room;

	if (env_stats(env, &stats) != MDB_SUCCESS)
		return true;
	if (stats.pages_used > pages_max - pages_max / 10)
		return true;
	return room_of(env->dir_fd, &room) && room.free < room.size / 10;
}
