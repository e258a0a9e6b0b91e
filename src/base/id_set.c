#include "base/id_set.h"

#include <stdlib.h>

#define FIRST_SIZE 1024

/* 0 marks what is free. */
static u64 stored(u64 id)
{
	return id ? id : 1;
}

/* Where it is, or the free place where it belongs. */
static size_t place_of(const u64 *ids, size_t size, u64 id)
{
	size_t at = (size_t)id & (size - 1);

	while (ids[at] && ids[at] != id)
		at = (at + 1) & (size - 1);
	return at;
}

static bool grow(struct id_set *set)
{
	size_t size = set->size ? set->size * 2 : FIRST_SIZE;
	u64 *ids = calloc(size, sizeof(*ids));

	if (!ids)
		return false;
	for (size_t i = 0; i < set->size; i++) {
		if (set->ids[i])
			ids[place_of(ids, size, set->ids[i])] = set->ids[i];
	}
	free(set->ids);
	set->ids = ids;
	set->size = size;
	return true;
}

void id_set_done(struct id_set *set)
{
	free(set->ids);
	*set = (struct id_set){ NULL, 0, 0 };
}

bool id_set_has(const struct id_set *set, u64 id)
{
	return set->count > 0 && set->ids[place_of(set->ids, set->size, stored(id))] != 0;
}

bool id_set_add(struct id_set *set, u64 id)
{
	size_t at;

	if (id_set_has(set, id))
		return true;
	if (set->count * 4 >= set->size * 3 && !grow(set))
		return false;
	at = place_of(set->ids, set->size, stored(id));
	set->ids[at] = stored(id);
	set->count++;
	return true;
}
