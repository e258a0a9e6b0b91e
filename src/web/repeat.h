/*
 * What the calls with an Idempotency-Key were that were answered lately, so that the key of one is
 * not taken for another by mistake. It remembers by place: a new call may push an old one out, and
 * a start forgets all; then the sender still knows the key, and the first mail counts. Any thread
 * may ask.
 */
#ifndef WEB_REPEAT_H
#define WEB_REPEAT_H

#include "base/crypto.h"
#include "base/types.h"

#include <pthread.h>

#define REPEATS_MAX 16384
#define REPEAT_ID_SIZE 32

struct repeat {
	char id[REPEAT_ID_SIZE]; /* of the mail; "": the place is free */
	u8 digest[SHA256_SIZE];	 /* of the call's body */
};

struct repeats {
	pthread_mutex_t lock;
	u8 secret[16];
	struct repeat places[REPEATS_MAX];
};

void repeats_init(struct repeats *repeats);
void repeats_note(struct repeats *repeats, const char *id, const u8 digest[SHA256_SIZE]);
/* Whether a call with this id is known, and was another one. */
bool repeats_differ(struct repeats *repeats, const char *id,
		    const u8 digest[SHA256_SIZE]) MUST_CHECK;

#endif
