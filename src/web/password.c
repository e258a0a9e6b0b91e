#include "web/password.h"

#include "base/clock.h"
#include "base/text.h"

#include <stdlib.h>

bool doorkeeper_open(struct doorkeeper *doorkeeper, struct error *error)
{
	pthread_mutex_init(&doorkeeper->lock, NULL);
	pthread_mutex_init(&doorkeeper->one, NULL);
	doorkeeper->guard = guard_open(error);
	return doorkeeper->guard != NULL;
}

void doorkeeper_close(struct doorkeeper *doorkeeper)
{
	guard_close(doorkeeper->guard);
	doorkeeper->guard = NULL;
}

struct slice doorkeeper_peer(const struct call *call)
{
	struct slice peer = scgi_head_find(&call->head, SLICE("REMOTE_ADDR"));

	return peer.ptr ? peer : SLICE("");
}

bool doorkeeper_lets(struct doorkeeper *doorkeeper, const struct call *call, struct slice email)
{
	enum guard_verdict verdict;

	pthread_mutex_lock(&doorkeeper->lock);
	verdict = guard_may_ask(doorkeeper->guard, doorkeeper_peer(call), email, clock_mono_ns());
	pthread_mutex_unlock(&doorkeeper->lock);
	return verdict == GUARD_ASK;
}

u32 doorkeeper_fail(struct doorkeeper *doorkeeper, struct slice peer, struct slice email)
{
	u32 failures;
	u32 delay_ms;

	pthread_mutex_lock(&doorkeeper->lock);
	delay_ms = guard_fail(doorkeeper->guard, peer, email, clock_mono_ns(), &failures);
	pthread_mutex_unlock(&doorkeeper->lock);
	return delay_ms;
}

/* ---- on the clerk's thread ---- */

static bool keep(struct password_work *work, struct slice password)
{
	struct buf kept;
	bool is_kept;

	buf_init(&kept, CRYPTO_PASSWORD_TEXT);
	is_kept = crypto_password_keep(password, &kept) &&
		  slice_copy(work->kept, sizeof(work->kept), buf_slice(&kept));
	buf_done(&kept);
	return is_kept;
}

static void hash(struct password_work *work)
{
	struct slice password = slice_of(work->password);

	/* Of nobody: the same work, so that the time tells nothing. */
	if (work->makes || !work->kept[0]) {
		bool is_kept = keep(work, password);

		work->verdict = is_kept ? PASSWORD_WRONG : PASSWORD_FAILED;
		if (is_kept && work->makes)
			work->verdict = PASSWORD_RIGHT;
		return;
	}
	switch (crypto_password_check(slice_of(work->kept), password)) {
	case CRYPTO_PASSWORD_RIGHT: work->verdict = PASSWORD_RIGHT; break;
	case CRYPTO_PASSWORD_WRONG: work->verdict = PASSWORD_WRONG; break;
	case CRYPTO_PASSWORD_NO_MEMORY: work->verdict = PASSWORD_FAILED; break;
	}
}

static void work_on(struct clerk_job *job)
{
	struct password_work *work = container_of(job, struct password_work, job);

	pthread_mutex_lock(&work->web->doorkeeper->one);
	hash(work);
	pthread_mutex_unlock(&work->web->doorkeeper->one);
}

/* ---- on the call's ---- */

static void end(struct password_work *work)
{
	struct call *call = work->call;

	work->web->orders--;
	if (call) {
		call->password = NULL;
		if (work->verdict == PASSWORD_FAILED)
			call_refuse(call, 503, NULL, "no memory for a password");
		else
			work->answer(call, work);
	}
	explicit_bzero(work, sizeof(*work));
	free(work);
}

static void on_timer(struct timer *timer)
{
	end(container_of(timer, struct password_work, timer));
}

/*
 * A wrong one counts, whether somebody waits for the answer or not, and is told later, the more
 * often the later.
 */
static void on_done(struct clerk_job *job)
{
	struct password_work *work = container_of(job, struct password_work, job);
	u32 delay_ms;

	if (work->verdict != PASSWORD_WRONG || work->makes) {
		end(work);
		return;
	}
	delay_ms = doorkeeper_fail(work->web->doorkeeper, slice_of(work->peer),
				   slice_of(work->email));
	if (!work->call) {
		end(work);
		return;
	}
	work->waits = true;
	timer_start(&work->web->wheel, &work->timer, clock_mono_ns() + delay_ms * NS_PER_MS);
}

void password_drop(struct password_work *work)
{
	work->call = NULL;
	if (!work->waits)
		return;
	timer_stop(&work->web->wheel, &work->timer);
	end(work);
}

static struct password_work *begin(struct call *call, struct slice password)
{
	struct password_work *work = calloc(1, sizeof(*work));

	if (!work) {
		call_refuse(call, 503, NULL, "no memory for a password");
		return NULL;
	}
	work->job.work = work_on;
	work->job.done = on_done;
	timer_init(&work->timer, on_timer);
	work->call = call;
	work->web = call->web;
	/* One that is too long is wrong, whatever it begins with: see password_check. */
	slice_copy(work->password, sizeof(work->password), password);
	return work;
}

static void give(struct call *call, struct password_work *work)
{
	if (!clerk_give(call->web->clerk, &work->job)) {
		free(work);
		call->retry_after_s = 3;
		call_refuse(call, 503, NULL, "too many sign in at once");
		return;
	}
	call->password = work;
	call->web->orders++;
}

void password_check(struct call *call, struct slice password, const char *kept,
		    struct slice email,
		    void (*answer)(struct call *call, const struct password_work *work))
{
	struct password_work *work = begin(call, password);

	if (!work)
		return;
	work->answer = answer;
	if (password.len <= PASSWORD_MAX)
		slice_copy(work->kept, sizeof(work->kept), slice_of(kept));
	slice_copy(work->peer, sizeof(work->peer), doorkeeper_peer(call));
	slice_copy(work->email, sizeof(work->email), email);
	give(call, work);
}

void password_make(struct call *call, struct slice password,
		   void (*answer)(struct call *call, const struct password_work *work))
{
	struct password_work *work = begin(call, password);

	if (!work)
		return;
	work->makes = true;
	work->answer = answer;
	give(call, work);
}

static size_t characters_of(struct slice text)
{
	size_t count = 0;

	for (size_t i = 0; i < text.len; i++)
		count += ((u8)text.ptr[i] & 0xc0) != 0x80;
	return count;
}

static bool has_two_kinds(struct slice text)
{
	for (size_t i = 1; i < text.len; i++) {
		if (text.ptr[i] != text.ptr[0] && text.ptr[i] != text.ptr[i - 1] + 1)
			return true;
	}
	return false;
}

bool password_will_do(struct slice password, struct slice email)
{
	static const char *const known[] = { "password", "passw0rd", "qwerty", "12345678",
					     "letmein",	 "iloveyou", "administrator" };
	struct slice name = slice_first(email, (size_t)(slice_find_char(email, '@') > 0 ?
								slice_find_char(email, '@') :
								0));

	if (characters_of(password) < PASSWORD_MIN || password.len > PASSWORD_MAX ||
	    !has_two_kinds(password) || slice_equal_nocase(password, email))
		return false;
	if (name.len >= 4 && slice_has_prefix_nocase(password, name) &&
	    password.len < name.len + 4)
		return false;
	for (size_t i = 0; i < array_count(known); i++) {
		if (slice_has_prefix_nocase(password, slice_of(known[i])) &&
		    password.len < strlen(known[i]) + 6)
			return false;
	}
	return true;
}
