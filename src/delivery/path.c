#include "delivery/path.h"

#include "base/check.h"

#include <stdatomic.h>
#include <stdlib.h>

struct path *path_make(void)
{
	struct path *path = calloc(1, sizeof(*path));

	if (path)
		atomic_store(&path->references, 1);
	return path;
}

struct path *path_take(struct path *path)
{
	atomic_fetch_add_explicit(&path->references, 1, memory_order_relaxed);
	return path;
}

void path_give(struct path *path)
{
	if (!path)
		return;
	u32 before = atomic_fetch_sub_explicit(&path->references, 1, memory_order_acq_rel);

	ASSERT(before > 0);
	if (before == 1)
		free(path);
}
