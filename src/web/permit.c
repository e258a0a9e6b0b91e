#include "web/permit.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/text.h"

#include <string.h>

void permits_init(struct permits *permits, const char *path, u32 rate)
{
	memset(permits, 0, sizeof(*permits));
	pthread_mutex_init(&permits->lock, NULL);
	permits->path = path;
	permits->rate = rate;
}

static bool is_same(const struct stat *a, const struct stat *b)
{
	return a->st_dev == b->st_dev && a->st_ino == b->st_ino && a->st_size == b->st_size &&
	       a->st_mtim.tv_sec == b->st_mtim.tv_sec && a->st_mtim.tv_nsec == b->st_mtim.tv_nsec;
}

/* What a key has used up stays used up, though its place in the file may be another. */
static void carry_over(const struct permits *permits, const struct api_keys *keys,
		       u64 whole_ns[API_KEYS_MAX])
{
	memset(whole_ns, 0, API_KEYS_MAX * sizeof(*whole_ns));
	for (size_t i = 0; i < keys->count; i++) {
		for (size_t k = 0; k < permits->keys.count; k++) {
			if (memcmp(keys->keys[i].digest, permits->keys.keys[k].digest,
				   SHA256_SIZE) == 0)
				whole_ns[i] = permits->whole_ns[k];
		}
	}
}

static void refresh(struct permits *permits)
{
	struct api_keys *keys = &permits->next;
	u64 whole_ns[API_KEYS_MAX];
	struct stat now = { 0 };
	struct error error;

	/* A file that is not there is as one without keys, and is the same for as long. */
	if (stat(permits->path, &now) < 0)
		now = (struct stat){ 0 };
	if (permits->is_read && is_same(&now, &permits->seen))
		return;
	permits->seen = now;
	permits->is_read = true;
	if (!api_keys_read(keys, permits->path, &error)) {
		log_error("web", "the keys cannot be read: those known count on", "reason=%s",
			  error.text);
		return;
	}
	carry_over(permits, keys, whole_ns);
	permits->keys = *keys;
	memcpy(permits->whole_ns, whole_ns, sizeof(whole_ns));
	log_info("web", "keys read", "count=%zu", keys->count);
}

static const struct api_key *find(const struct permits *permits, struct slice authorization)
{
	const struct slice scheme = SLICE("Bearer ");

	if (!slice_has_prefix_nocase(authorization, scheme))
		return NULL;
	return api_keys_find(&permits->keys,
			     slice_trim(slice_from(authorization, scheme.len)));
}

static u32 count(struct permits *permits, const struct api_key *key, u64 now_ns)
{
	u64 *whole_ns = &permits->whole_ns[key - permits->keys.keys];
	u64 next_ns = max_u64(*whole_ns, now_ns);

	if (permits->rate == 0)
		return 0;
	next_ns += NS_PER_S / permits->rate;
	if (next_ns > now_ns + NS_PER_S)
		return 1; /* the first call's share is back within a second */
	*whole_ns = next_ns;
	return 0;
}

bool permits_take(struct permits *permits, struct slice authorization, u64 now_ns,
		  struct api_key *key, u32 *retry_after_s)
{
	const struct api_key *found;

	pthread_mutex_lock(&permits->lock);
	refresh(permits);
	found = find(permits, authorization);
	if (found) {
		*key = *found;
		*retry_after_s = count(permits, found, now_ns);
	}
	pthread_mutex_unlock(&permits->lock);
	return found != NULL;
}

size_t permits_key_count(struct permits *permits)
{
	size_t keys;

	pthread_mutex_lock(&permits->lock);
	refresh(permits);
	keys = permits->keys.count;
	pthread_mutex_unlock(&permits->lock);
	return keys;
}
