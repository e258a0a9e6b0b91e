#include "store/copy.h"

#include <lmdb.h>

bool store_copy(const char *path, int fd, struct error *error)
{
	MDB_env *env = NULL;
	int rc = mdb_env_create(&env);

	if (rc == MDB_SUCCESS)
		rc = mdb_env_open(env, path, MDB_RDONLY | MDB_NOTLS, 0);
	if (rc == MDB_SUCCESS)
		rc = mdb_env_copyfd2(env, fd, MDB_CP_COMPACT);
	if (env)
		mdb_env_close(env);
	return rc == MDB_SUCCESS || error_set(error, "%s: %s", path, mdb_strerror(rc));
}
