/*
 * Who may call: the keys of a file (base/api_key.h), looked at again whenever it changes, and how
 * often each may. No clock of its own; any thread may ask.
 */
#ifndef WEB_PERMIT_H
#define WEB_PERMIT_H

#include "base/api_key.h"
#include "base/types.h"

#include <pthread.h>
#include <sys/stat.h>

struct permits {
	pthread_mutex_t lock;
	const char *path;
	u32 rate; /* calls a second of one key; 0: no limit */
	struct api_keys keys;
	struct api_keys next; /* while it is read */
	/* By index of the key: when its allowance is whole again, on the monotonic clock. */
	u64 whole_ns[API_KEYS_MAX];
	struct stat seen; /* of the file that was read last */
	bool is_read;
};

/* `path` outlives the permits. */
void permits_init(struct permits *permits, const char *path, u32 rate);
/*
 * For any thread: the key that an Authorization header ("Bearer hk_...", RFC 6750 section 2.1)
 * brings, copied to *key, when it is one of the file's. The file is read again when it is another
 * than last time; one that cannot be read is told to the log, and what counted goes on to count.
 * Counts a call of that key: *retry_after_s is 0, or the seconds until it may call again; a
 * second's calls may come at once.
 */
bool permits_take(struct permits *permits, struct slice authorization, u64 now_ns,
		  struct api_key *key, u32 *retry_after_s) MUST_CHECK;
size_t permits_key_count(struct permits *permits); /* of the file as it is now */

#endif
