/*
 * Posts over HTTP, several at once, by libcurl. What an answer says beyond its status is read up to
 * a bound and dropped; no redirect is followed; nothing takes longer than the hook's timeout.
 * Unless the hook says allow_private, no connection is made to an address that is not public,
 * whatever DNS says: it is the address that is about to be connected to which is judged.
 */
#ifndef HOOK_POST_H
#define HOOK_POST_H

#include "hook/courier.h"

struct hook_posts;

/* One place for each courier. NULL and a sentence. */
struct hook_posts *hook_posts_open(size_t count, struct error *error) MUST_CHECK;
void hook_posts_close(struct hook_posts *posts); /* breaks off what is under way; NULL is fine */

/*
 * Begins; the place has nothing under way, `batch` stays as it is until the answer is taken. False:
 * no memory.
 */
bool hook_post(struct hook_posts *posts, size_t place, const struct config_hook *hook,
	       const struct hook_secrets *secrets, const struct hook_batch *batch,
	       u64 wall_ms) MUST_CHECK;
/* Moves bytes; waits up to wait_ms for something to happen, on `fd`, too. */
void hook_posts_turn(struct hook_posts *posts, int fd, u32 wait_ms);
/* An answer that came; false: there is none. Its words live until the place's next post. */
bool hook_posts_next(struct hook_posts *posts, size_t *place, struct courier_answer *answer);
u32 hook_posts_running(const struct hook_posts *posts);

#endif
