/* What all environments of the store have in common for those who use them. */
#ifndef STORE_STORE_H
#define STORE_STORE_H

#include "base/types.h"

enum store_result {
	STORE_OK,
	STORE_NOT_FOUND,
	STORE_FULL,   /* map, disk or memory: the transaction is gone, the environment is fine */
	STORE_FAILED, /* EIO and the like: the process must restart from what is on disk */
};

struct store_params {
	const char *path;  /* directory; made (0700) when missing, its parent must exist */
	u64 map_size;      /* first map size in bytes; at least what the file holds is taken */
	u64 map_size_max;  /* grows on demand up to here */
	u64 reserve;       /* bytes kept for what is under way: see queue_has_room */
	bool relaxed;      /* MDB_NOMETASYNC: a power cut may lose the last commit, never more */
};

#endif
