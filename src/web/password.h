/*
 * Passwords of people who sign in: looking at one takes 80 ms and 32 MiB, so a thread of its own
 * (io/clerk.h) does it, one after the other, while the call waits. How often somebody may guess is
 * counted for all threads together (base/guard.h).
 */
#ifndef WEB_PASSWORD_H
#define WEB_PASSWORD_H

#include "base/guard.h"
#include "io/clerk.h"
#include "web/call.h"

#include <pthread.h>

#define PASSWORD_MIN 10 /* characters; NIST SP 800-63B asks for 8 at least */
#define PASSWORD_MAX 512 /* bytes */

/* Counts failures; of all threads. */
struct doorkeeper {
	pthread_mutex_t lock;
	struct guard *guard;
	pthread_mutex_t one; /* who has it hashes: 32 MiB are needed once, not for each thread */
};
bool doorkeeper_open(struct doorkeeper *doorkeeper, struct error *error) MUST_CHECK;
void doorkeeper_close(struct doorkeeper *doorkeeper); /* also of one of zeros */
/* Whether this peer may try for that account now. */
bool doorkeeper_lets(struct doorkeeper *doorkeeper, const struct call *call,
		     struct slice email) MUST_CHECK;
/* Bytes that name the peer. */
struct slice doorkeeper_peer(const struct call *call);
/* He was wrong. Returns milliseconds after which that is to be said. */
u32 doorkeeper_fail(struct doorkeeper *doorkeeper, struct slice peer, struct slice email);

enum password_verdict { PASSWORD_RIGHT, PASSWORD_WRONG, PASSWORD_FAILED };

struct password_work {
	struct clerk_job job;
	struct timer timer;
	struct call *call; /* NULL: gone */
	struct web *web;
	bool waits; /* for its timer: done but for the answer */
	bool makes; /* keeps a new one, instead of comparing */
	char password[PASSWORD_MAX + 1];
	char kept[CRYPTO_PASSWORD_TEXT]; /* what is compared with, or what was made */
	enum password_verdict verdict;
	char peer[ACCOUNT_NAME_MAX + 1];
	char email[ACCOUNT_EMAIL_MAX + 1];
	void (*answer)(struct call *call, const struct password_work *work);
};

/*
 * Compares; `kept` "" is of nobody, and takes as long. The answer comes later, or at once when
 * there is no room: then the call was answered.
 */
void password_check(struct call *call, struct slice password, const char *kept,
		    struct slice email,
		    void (*answer)(struct call *call, const struct password_work *work));
/* Makes what is kept of a new one. */
void password_make(struct call *call, struct slice password,
		   void (*answer)(struct call *call, const struct password_work *work));
/* The call goes: nobody waits for it any more. */
void password_drop(struct password_work *work);
/* Whether a new one will do: long enough, and not one that everybody tries. */
bool password_will_do(struct slice password, struct slice email);

#endif
