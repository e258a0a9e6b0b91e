#include "campaign/intake_seen.h"

#include "base/crypto.h"
#include "base/random.h"

#include <stdlib.h>
#include <string.h>

#define SIZE_FIRST 1024

void seen_init(struct seen *seen)
{
	*seen = (struct seen){ 0 };
	random_bytes(seen->secret, sizeof(seen->secret));
}

void seen_done(struct seen *seen)
{
	free(seen->places);
	seen->places = NULL;
	seen->size = 0;
	seen->count = 0;
}

/* Where the hash is, or the free place where it belongs. */
static struct seen_hash *place_of(struct seen_hash *places, size_t size, struct seen_hash hash)
{
	size_t at = hash.high & (size - 1);

	while (places[at].low != 0 &&
	       (places[at].low != hash.low || places[at].high != hash.high))
		at = (at + 1) & (size - 1);
	return &places[at];
}

static bool grow(struct seen *seen)
{
	size_t size = seen->size > 0 ? seen->size * 2 : SIZE_FIRST;
	struct seen_hash *places = calloc(size, sizeof(*places));

	if (!places)
		return false;
	for (size_t i = 0; i < seen->size; i++) {
		if (seen->places[i].low != 0)
			*place_of(places, size, seen->places[i]) = seen->places[i];
	}
	free(seen->places);
	seen->places = places;
	seen->size = size;
	return true;
}

enum seen_result seen_add(struct seen *seen, struct slice key)
{
	struct seen_hash hash;
	struct seen_hash *place;
	u8 bytes[sizeof(hash)];

	if (seen->count >= seen->size / 4 * 3 && !grow(seen))
		return SEEN_NO_MEMORY;
	siphash128(bytes, seen->secret, key.ptr, key.len);
	memcpy(&hash, bytes, sizeof(hash));
	hash.low += hash.low == 0;
	place = place_of(seen->places, seen->size, hash);
	if (place->low != 0)
		return SEEN_BEFORE;
	*place = hash;
	seen->count++;
	return SEEN_NEW;
}
