#include "base/map.h"

#include "base/check.h"
#include "base/crypto.h"
#include "base/random.h"
#include "base/text.h"

#include <stdlib.h>

#define FIRST_SIZE 16

void map_init(struct map *map)
{
	*map = (struct map){ 0 };
	random_bytes(map->secret, sizeof(map->secret));
}

void map_done(struct map *map)
{
	free(map->entries);
	map->entries = NULL;
	map->size = 0;
	map->count = 0;
}

static struct map_entry *find(const struct map *map, struct slice key, u64 hash)
{
	u32 mask = map->size - 1;

	for (u32 i = (u32)hash & mask;; i = (i + 1) & mask) {
		struct map_entry *e = &map->entries[i];

		if (!e->value || (e->hash == hash && slice_equal(e->key, key)))
			return e;
	}
}

void *map_find(const struct map *map, struct slice key)
{
	if (map->count == 0)
		return NULL;
	return find(map, key, siphash64(map->secret, key.ptr, key.len))->value;
}

static bool grow(struct map *map)
{
	struct map old = *map;
	u32 size = old.size ? old.size * 2 : FIRST_SIZE;

	map->entries = calloc(size, sizeof(*map->entries));
	if (!map->entries) {
		*map = old;
		return false;
	}
	map->size = size;
	for (u32 i = 0; i < old.size; i++) {
		if (old.entries[i].value)
			*find(map, old.entries[i].key, old.entries[i].hash) = old.entries[i];
	}
	free(old.entries);
	return true;
}

bool map_add(struct map *map, struct slice key, void *value)
{
	u64 hash = siphash64(map->secret, key.ptr, key.len);
	struct map_entry *e;

	ASSERT(value);
	if (map->count >= map->size / 4 * 3 && !grow(map))
		return false;
	e = find(map, key, hash);
	ASSERT(!e->value);
	*e = (struct map_entry){ key, value, hash };
	map->count++;
	return true;
}

/*
 * Entries behind the hole move up, so that no search stops too early and no tombstones are needed.
 */
static void close_hole(struct map *map, u32 hole)
{
	u32 mask = map->size - 1;

	for (u32 i = (hole + 1) & mask; map->entries[i].value; i = (i + 1) & mask) {
		u32 home = (u32)map->entries[i].hash & mask;

		if (((i - home) & mask) >= ((i - hole) & mask)) {
			map->entries[hole] = map->entries[i];
			hole = i;
		}
	}
	map->entries[hole] = (struct map_entry){ 0 };
}

void *map_remove(struct map *map, struct slice key)
{
	struct map_entry *e;
	void *value;

	if (map->count == 0)
		return NULL;
	e = find(map, key, siphash64(map->secret, key.ptr, key.len));
	value = e->value;
	if (value) {
		close_hole(map, (u32)(e - map->entries));
		map->count--;
	}
	return value;
}

void *map_next(const struct map *map, u32 *at)
{
	while (*at < map->size) {
		void *value = map->entries[(*at)++].value;

		if (value)
			return value;
	}
	return NULL;
}
