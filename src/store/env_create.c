/*
 * Making the environment: beside its place, and moved there when it is whole and synced. LMDB
 * itself writes its first two pages into the file and from then on takes whatever it finds there,
 * so that a creation that broke off in the middle could never be opened again.
 */
#include "store/env.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#define NEW_FOLDER "new"
#define DATA_FILE "data.mdb"

static bool exists(const struct env *env)
{
	struct stat st;

	return fstatat(env->dir_fd, DATA_FILE, &st, 0) == 0 ? st.st_size > 0 : errno != ENOENT;
}

/* Made and on the disk, without tables yet: who opens it makes them (queue.c). */
static int make(const char *path)
{
	MDB_env *env;
	int rc = mdb_env_create(&env);

	if (rc != MDB_SUCCESS)
		return rc;
	/* Nobody else is there: the folder above is locked. */
	rc = mdb_env_open(env, path, MDB_NOLOCK, 0600);
	if (rc == MDB_SUCCESS)
		rc = mdb_env_sync(env, 1);
	mdb_env_close(env);
	return rc;
}

bool env_create(const struct env *env, struct error *error)
{
	static const char made[] = NEW_FOLDER "/" DATA_FILE;
	char path[PATH_MAX];
	int rc;

	if (exists(env))
		return true;
	snprintf(path, sizeof(path), "%s/%s", env->path, NEW_FOLDER);
	if (mkdirat(env->dir_fd, NEW_FOLDER, 0700) != 0 && errno != EEXIST)
		return error_set_errno(error, errno, "%s: %s cannot be made in it", env->name,
				       NEW_FOLDER);
	if (unlinkat(env->dir_fd, made, 0) != 0 && errno != ENOENT)
		return error_set_errno(error, errno, "%s: what is left in %s", env->name,
				       NEW_FOLDER);
	rc = make(path);
	if (rc != MDB_SUCCESS) {
		unlinkat(env->dir_fd, made, 0);
		return error_set(error, "%s: cannot be made: %s", env->name,
				 mdb_strerror(rc));
	}
	if (renameat(env->dir_fd, made, env->dir_fd, DATA_FILE) != 0)
		return error_set_errno(error, errno, "%s: cannot be moved to its place",
				       env->name);
	unlinkat(env->dir_fd, NEW_FOLDER, AT_REMOVEDIR);
	return true;
}
