/*
 * Hash map from bytes to pointers (open addressing, grows by doubling). The map copies neither keys
 * nor values: a key is a slice into the value it belongs to and stays valid while the entry exists.
 * Keys are hashed with SipHash under a key of the map's own: they may come from the network.
 */
#ifndef BASE_MAP_H
#define BASE_MAP_H

#include "base/types.h"

struct map_entry {
	struct slice key;
	void *value; /* NULL: free */
	u64 hash;
};

struct map {
	struct map_entry *entries;
	u32 size; /* power of two */
	u32 count;
	u8 secret[16];
};

void map_init(struct map *map); /* allocates nothing yet */
void map_done(struct map *map); /* frees the table, not the values */

void *map_find(const struct map *map, struct slice key); /* NULL: not there */
/* The key must not be there; value not NULL. False: no memory. */
bool map_add(struct map *map, struct slice key, void *value) MUST_CHECK;
void *map_remove(struct map *map, struct slice key); /* the value, or NULL */
/* Walks in no particular order; start with *at = 0; NULL at the end. No changes meanwhile. */
void *map_next(const struct map *map, u32 *at);

#endif
