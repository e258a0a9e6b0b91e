#include "delivery/path.h"

#include "base/check.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

struct path *path_make(void)
{
	struct path *path = calloc(1, sizeof(*path) + PATH_TEXT_MAX);

	if (!path)
		return NULL;
	atomic_store(&path->references, 1);
	/* The name at 0 is the empty one. */
	path->text_len = 1;
	return path;
}

u16 path_add_text(struct path *path, const char *text)
{
	u32 at = path->text_len;
	size_t room = PATH_TEXT_MAX - at - 1;
	size_t len = strnlen(text, room);

	if (len == 0)
		return 0;
	memcpy(path->text + at, text, len);
	path->text_len += (u32)len + 1;
	return (u16)at;
}

struct path *path_fit(struct path *path)
{
	size_t size = sizeof(*path) + path->text_len;
	struct path *fitted = realloc(path, size);

	if (!fitted)
		return path; /* larger than it had to be */
	return fitted;
}

bool path_same(const struct path *a, const struct path *b)
{
	/*
	 * Both were zeroed before they were filled, so that all bytes behind the counter compare.
	 */
	const size_t from = offsetof(struct path, site_metrics);

	return a->text_len == b->text_len &&
	       memcmp((const char *)a + from, (const char *)b + from,
		      sizeof(*a) - from + a->text_len) == 0;
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
	if (before == 1) {
		demand_give(path->demand);
		free(path);
	}
}
