#include "web/repeat.h"

#include "base/random.h"
#include "base/text.h"

#include <string.h>

void repeats_init(struct repeats *repeats)
{
	memset(repeats, 0, sizeof(*repeats));
	pthread_mutex_init(&repeats->lock, NULL);
	random_bytes(repeats->secret, sizeof(repeats->secret));
}

static size_t place_of(const struct repeats *repeats, const char *id)
{
	return siphash64(repeats->secret, id, strlen(id)) % REPEATS_MAX;
}

void repeats_note(struct repeats *repeats, const char *id, const u8 digest[SHA256_SIZE])
{
	struct repeat *place = &repeats->places[place_of(repeats, id)];

	pthread_mutex_lock(&repeats->lock);
	if (!slice_copy(place->id, sizeof(place->id), slice_of(id)))
		place->id[0] = '\0'; /* half of one would be another's */
	memcpy(place->digest, digest, SHA256_SIZE);
	pthread_mutex_unlock(&repeats->lock);
}

bool repeats_differ(struct repeats *repeats, const char *id, const u8 digest[SHA256_SIZE])
{
	const struct repeat *place = &repeats->places[place_of(repeats, id)];

	bool differs;

	pthread_mutex_lock(&repeats->lock);
	differs = strcmp(place->id, id) == 0 && memcmp(place->digest, digest, SHA256_SIZE) != 0;
	pthread_mutex_unlock(&repeats->lock);
	return differs;
}
