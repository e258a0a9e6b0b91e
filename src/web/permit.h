/*
 * Who may call: the keys of a file (base/api_key.h), looked at again whenever it changes, and how
 * often each may. No clock of its own.
 */
#ifndef WEB_PERMIT_H
#define WEB_PERMIT_H

#include "base/api_key.h"
#include "base/types.h"

#include <sys/stat.h>

struct permits {
	const char *path;
	u32 rate; /* calls a second of one key; 0: no limit */
	struct api_keys keys;
	/* By index of the key: when its allowance is whole again, on the monotonic clock. */
	u64 whole_ns[API_KEYS_MAX];
	struct stat seen; /* of the file that was read last */
	bool is_read;
};

/* `path` outlives the permits. */
void permits_init(struct permits *permits, const char *path, u32 rate);
/*
 * Reads the file when it is another than last time; one that cannot be read is told to the log, and
 * what counted goes on to count.
 */
void permits_refresh(struct permits *permits);

/*
 * The key that an Authorization header ("Bearer hk_...", RFC 6750 section 2.1) brings, or NULL.
 * Valid until the next refresh.
 */
const struct api_key *permits_find(const struct permits *permits, struct slice authorization);

/*
 * Counts a call of that key: 0, or the seconds until it may call again. A second's calls may come
 * at once.
 */
u32 permits_count(struct permits *permits, const struct api_key *key, u64 now_ns) MUST_CHECK;

#endif
