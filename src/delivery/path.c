#include "delivery/path.h"

#include "base/check.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

struct path *path_make(void)
{
	struct path *path = calloc(1, sizeof(*path));

	if (path)
		atomic_store(&path->references, 1);
	return path;
}

bool path_same(const struct path *a, const struct path *b)
{
	/*
	 * Both were zeroed before they were filled, so that all bytes behind the counter compare.
	 */
	const size_t from = offsetof(struct path, route);

	return memcmp((const char *)a + from, (const char *)b + from, sizeof(*a) - from) == 0;
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
