/*
 * Making the environment: beside its place, and moved there when it is whole and synced. LMDB
 * itself writes its first two pages into the file and from then on takes whatever it finds there,
 * so that a creation that broke off in the middle could never be opened again.
 */
#include "store/queue_table.h"
#include "store/record.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#define NEW_FOLDER "new"
#define DATA_FILE "data.mdb"

static bool exists(const struct queue *queue)
{
	struct stat st;

	return fstatat(queue->dir_fd, DATA_FILE, &st, 0) == 0 ? st.st_size > 0 : errno != ENOENT;
}

/* Made, with the record of the format in it, and committed: everything is on the disk then. */
static int make(const char *path)
{
	MDB_env *env;
	MDB_txn *txn = NULL;
	MDB_dbi settings;
	int rc = mdb_env_create(&env);

	if (rc != MDB_SUCCESS)
		return rc;
	rc = mdb_env_set_maxdbs(env, 1);
	/* Nobody else is there: the folder above is locked. */
	if (rc == MDB_SUCCESS)
		rc = mdb_env_open(env, path, MDB_NOLOCK, 0600);
	if (rc == MDB_SUCCESS)
		rc = mdb_txn_begin(env, NULL, 0, &txn);
	if (rc == MDB_SUCCESS)
		rc = mdb_dbi_open(txn, table_name(TABLE_SETTING), MDB_CREATE, &settings);
	if (rc == MDB_SUCCESS)
		rc = queue_write_format(txn, settings);
	if (rc == MDB_SUCCESS)
		rc = mdb_txn_commit(txn);
	else if (txn)
		mdb_txn_abort(txn);
	mdb_env_close(env);
	return rc;
}

bool queue_create(const struct queue *queue, struct error *error)
{
	static const char made[] = NEW_FOLDER "/" DATA_FILE;
	char path[PATH_MAX];
	int rc;

	if (exists(queue))
		return true;
	snprintf(path, sizeof(path), "%s/%s", queue->path, NEW_FOLDER);
	if (mkdirat(queue->dir_fd, NEW_FOLDER, 0700) != 0 && errno != EEXIST)
		return error_set_errno(error, errno, "queue %s: cannot be made", path);
	if (unlinkat(queue->dir_fd, made, 0) != 0 && errno != ENOENT)
		return error_set_errno(error, errno, "queue %s: what is left there", path);
	rc = make(path);
	if (rc != MDB_SUCCESS) {
		unlinkat(queue->dir_fd, made, 0);
		return error_set(error, "queue %s: cannot be made: %s", queue->path,
				 mdb_strerror(rc));
	}
	if (renameat(queue->dir_fd, made, queue->dir_fd, DATA_FILE) != 0)
		return error_set_errno(error, errno, "queue %s: cannot be moved to its place",
				       path);
	unlinkat(queue->dir_fd, NEW_FOLDER, AT_REMOVEDIR);
	return true;
}
